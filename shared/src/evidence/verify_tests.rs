//! What verification finds in a sound file, and in one of which any byte was changed.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::evidence::tree::Tree;
use crate::evidence::{Ended, Payload, Seed};

const ADDRESS: &str = "ayse@example.com";
const BODY: &[u8] = br#"{"recipient":"ayse@example.com"}"#;

/// What somebody says on a day of November; each is received a minute after the other.
#[derive(Clone)]
struct Telling {
    address: &'static str,
    day: i8,
    minute: i8,
    origin: &'static str,
    event_id: String,
    ended: Option<Ended>,
}

fn telling(address: &'static str, day: i8, minute: i8) -> Telling {
    Telling { address, day, minute, origin: "api", event_id: format!("api-{minute}"), ended: None }
}

fn form(telling: &Telling) -> (Form, Seed) {
    let seed = Seed::new(u128::try_from(telling.day).unwrap() << 64 | u128::try_from(telling.minute).unwrap());
    let form = Form {
        address: telling.address.into(),
        aside: String::new(),
        brand: "demo".into(),
        channel: "EPOSTA".into(),
        consent_date: format!("2026-11-{:02} 12:00:00", telling.day),
        event_id: telling.event_id.clone(),
        origin: telling.origin.into(),
        payload: Payload::of(BODY).sealed(&seed).to_string(),
        received_at: format!("2026-11-{:02}T09:{:02}:00Z", telling.day, telling.minute),
        recipient_id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
        recipient_type: "BIREYSEL".into(),
        retailer_access: Vec::new(),
        retailer_code: String::new(),
        salt: seed.salt(),
        source: "HS_WEB".into(),
        status: "RET".into(),
    };
    (form, seed)
}

/// The file of one address over the days 20 to `last`; what is told later is not closed.
fn export(tellings: &[Telling], last: i8) -> Export {
    let mut days = Vec::new();
    let mut movements = Vec::new();
    for date in 20..=last.max(tellings.iter().map(|telling| telling.day).max().unwrap_or(0)) {
        let day = jiff::civil::date(2026, 11, date);
        let mut leaves: Vec<_> = tellings.iter().filter(|telling| telling.day == date).map(|telling| (form(telling), telling)).collect();
        leaves.sort_by_key(|((form, _), _)| form.digest());
        let mut tree = Tree::with_paths_of(leaves.iter().map(|((form, _), _)| form.digest()));
        leaves.iter().for_each(|((form, _), _)| tree.push(&form.digest()));
        let (root, paths) = tree.finish();
        if date <= last {
            let previous = days.last().map_or(Digest::NONE, |day: &Day| day.chained);
            days.push(Day::after(previous, "demo", day, root));
        }
        for ((form, seed), telling) in leaves.into_iter().filter(|(_, telling)| telling.address == ADDRESS) {
            let path = (date <= last).then(|| paths[&form.digest()].clone());
            movements.push(Proven {
                digest: form.digest().to_string(),
                form: form.text(),
                index: path.as_ref().map(|path| path.index),
                path: path.map(|path| path.hashes).unwrap_or_default(),
                payload_salt: Some(seed.payload_salt()),
                iys: telling.ended.clone(),
                insider: None,
            });
        }
    }
    Export {
        format: FORMAT.into(),
        brand: "demo".into(),
        address: ADDRESS.into(),
        exported_at: "2026-11-26T09:00:00Z".parse().unwrap(),
        movements,
        unproven: Vec::new(),
        days,
    }
}

fn crowd(day: i8, many: i8) -> Vec<Telling> {
    (0..many).map(|minute| telling(if minute == 3 { ADDRESS } else { "kisi@example.com" }, day, minute)).collect()
}

fn text(export: &Export) -> Vec<u8> {
    serde_json::to_vec(export).unwrap()
}

fn facts(export: &Export, published: &[Published]) -> (Mark, Vec<Fact>) {
    let verdict = verify(&text(export), published, &[]);
    (verdict.mark(), verdict.findings.into_iter().map(|finding| finding.fact).collect())
}

#[test]
fn a_sound_file_is_proven_line_by_line() {
    let export = export(&[crowd(20, 5), crowd(22, 6)].concat(), 23);
    let published = [
        Published { day: export.days[2].day, digest: export.days[2].root },
        Published { day: export.days[3].day, digest: export.days[3].chained },
    ];
    let verdict = verify(&text(&export), &published, &[BODY.to_vec()]);
    assert_eq!(verdict.mark(), Mark::Good, "{verdict:?}");
    let facts: Vec<_> = verdict.findings.into_iter().map(|finding| finding.fact).collect();
    assert!(matches!(facts[0], Fact::Chain { days: 4, .. }));
    assert_eq!(facts[1..3], published.map(|published| Fact::Published(published.day)));
    for (fact, (number, day)) in facts[3..5].iter().zip([(1, export.days[0].day), (2, export.days[2].day)]) {
        assert!(matches!(fact, Fact::Proven(said, on) if *on == day && said.number == number && said.status == "RET"), "{fact:?}");
    }
    assert_eq!(facts[5..], [Fact::FromPayload(1), Fact::FromPayload(2)]);
}

#[test]
fn no_bit_of_a_file_can_be_flipped_unnoticed() {
    let export = export(&[crowd(20, 5), crowd(21, 8)].concat(), 22);
    let file = String::from_utf8(text(&export)).unwrap();
    let published = [Published { day: export.days[2].day, digest: export.days[2].chained }];
    let judge = |file: &[u8]| verify(file, &published, &[BODY.to_vec()]);
    assert_eq!(judge(file.as_bytes()).mark(), Mark::Good);
    // When the file was made is the only thing in it that nothing proves.
    let made = file.find(&export.exported_at.to_string()).unwrap();
    let unbound = made..made + export.exported_at.to_string().len();
    // Which of two payload salts leads to the payload does not matter; each one alone does, below.
    let salts: Vec<_> = file.match_indices("payloadSalt").map(|(at, name)| at + name.len() + 3..at + name.len() + 67).collect();
    let mut trials = 0;
    for place in (0..file.len()).filter(|place| !unbound.contains(place)) {
        for bit in 0..8 {
            let mut changed = file.clone().into_bytes();
            changed[place] ^= 1 << bit;
            let verdict = judge(&changed);
            let made_from = verdict.findings.iter().filter(|finding| matches!(finding.fact, Fact::FromPayload(_))).count();
            let noticed = if salts.iter().any(|salt| salt.contains(&place)) { made_from < 2 } else { verdict.mark() == Mark::Bad };
            assert!(noticed, "bit {bit} of byte {place}: {}", file.get(place.saturating_sub(20)..place + 1).unwrap());
            trials += 1;
        }
    }
    assert!(trials > 10_000 && salts.len() == 2, "{trials}");
}

#[test]
fn whole_parts_cannot_be_left_out_or_exchanged() {
    let sound = export(&[crowd(20, 5), crowd(21, 8)].concat(), 23);
    assert_eq!(facts(&sound, &[]).0, Mark::Open, "nothing was compared with what is known from elsewhere");
    let bad = |change: fn(&mut Export), fact: fn(&Fact) -> bool| {
        let mut changed = sound.clone();
        change(&mut changed);
        let (mark, facts) = facts(&changed, &[]);
        assert!(mark == Mark::Bad && facts.iter().any(fact), "{facts:?}");
    };
    bad(|file| file.days = [&file.days[..1], &file.days[2..]].concat(), |fact| matches!(fact, Fact::Gap(_)));
    bad(|file| file.days = file.days.split_off(1), |fact| matches!(fact, Fact::Link(_)));
    bad(|file| file.days = file.days.split_off(1), |fact| matches!(fact, Fact::Flawed(1, Flaw::NoDay)));
    bad(|file| file.days.swap(0, 1), |fact| matches!(fact, Fact::Gap(_)));
    bad(|file| file.days.push(file.days[0]), |fact| matches!(fact, Fact::Gap(_)));
    bad(|file| file.movements[0].index = None, |fact| *fact == Fact::Flawed(1, Flaw::NoPath));
    bad(|file| file.movements[1].path = file.movements[0].path.clone(), |fact| *fact == Fact::Flawed(2, Flaw::Path));
    bad(|file| file.movements[0].form = file.movements[1].form.clone(), |fact| *fact == Fact::Flawed(1, Flaw::Digest));
    bad(|file| file.movements[0].digest = "x".into(), |fact| *fact == Fact::Flawed(1, Flaw::Digest));
    bad(|file| file.address = "b@example.com".into(), |fact| *fact == Fact::Flawed(1, Flaw::Address));
    bad(|file| file.brand = "other".into(), |fact| *fact == Fact::Flawed(1, Flaw::Brand));
    bad(|file| file.format = "iys-insider-sync evidence 2".into(), |fact| *fact == Fact::NoEvidence);
    // A chain that was made anew over other movements holds in itself; only what is known from elsewhere tells.
    let forged = export(&crowd(20, 5), 23);
    let last = sound.days[3];
    assert_eq!(facts(&forged, &[]).0, Mark::Open);
    for digest in [last.root, last.chained] {
        let (mark, facts) = facts(&forged, &[Published { day: last.day, digest }]);
        let told = if digest == last.root { Fact::Published(last.day) } else { Fact::Differs(last.day) };
        assert!(facts.contains(&told), "a day without movements has the same root in every chain, and no other link");
        assert_eq!(mark == Mark::Bad, digest == last.chained);
    }
    let unknown = Published { day: last.day.tomorrow().unwrap(), digest: last.root };
    assert_eq!(facts(&sound, &[unknown]).0, Mark::Bad);
}

#[test]
fn what_is_not_closed_yet_or_older_than_evidence_is_left_open_and_nothing_else() {
    let open = export(&[crowd(20, 5), crowd(24, 5)].concat(), 23);
    let (mark, found) = facts(&open, &[]);
    assert!(mark == Mark::Open && matches!(&found[3], Fact::NotClosed(said, day) if said.number == 2 && day.day() == 24), "{found:?}");
    let (mark, found) = facts(&export(&crowd(20, 5), 19), &[]);
    assert!(mark == Mark::Open && found[0] == Fact::NoDays, "{found:?}");
    let unproven = |because, received_at: &str| {
        let mut file = export(&crowd(20, 5), 23);
        file.unproven.push(Unproven {
            because,
            status: "RET".into(),
            channel: "EPOSTA".into(),
            consent_date: "2026-11-01 12:00:00".into(),
            received_at: received_at.into(),
        });
        facts(&file, &[]).0
    };
    assert_eq!(unproven(Because::NoDigest, "2026-11-19T09:00:00Z"), Mark::Open);
    assert_eq!(unproven(Because::NoDigest, "2026-11-20T09:00:00Z"), Mark::Open);
    assert_eq!(unproven(Because::NoDigest, "2026-11-20T21:00:00Z"), Mark::Bad, "the second day that was closed");
    assert_eq!(unproven(Because::NoDigest, "-"), Mark::Bad);
    assert_eq!(unproven(Because::Unreadable, "2026-11-19T09:00:00Z"), Mark::Bad);
}

#[test]
fn an_id_of_iys_is_proven_by_its_own_report_only() {
    let ended = |id: &str| Ended {
        outcome: Some("applied".into()),
        code: None,
        transaction_id: Some(id.into()),
        at: "2026-11-20T09:05:00Z".into(),
    };
    let own = Telling { ended: Some(ended("t-1")), ..telling(ADDRESS, 20, 1) };
    let report = |id: &str| Telling {
        origin: "registry",
        event_id: EventId::derive("iys", [id, "RET", "2026-11-20 12:00:00"]).to_string(),
        ..telling(ADDRESS, 20, 2)
    };
    let told = |tellings: &[Telling]| {
        let facts = facts(&export(tellings, 20), &[]).1;
        facts.into_iter().find(|fact| matches!(fact, Fact::Told { .. } | Fact::Confirmed { .. })).unwrap()
    };
    assert!(matches!(told(&[Telling { ended: own.ended.clone(), ..telling(ADDRESS, 20, 1) }, report("t-1")]),
        Fact::Confirmed { transaction, number, by } if transaction == "t-1" && number != by));
    assert!(matches!(told(&[own, report("t-2")]), Fact::Told { transaction, .. } if transaction == "t-1"));
}

#[test]
fn a_payload_that_made_no_movement_is_told_from_one_that_did() {
    let file = text(&export(&crowd(20, 5), 20));
    let made = |payload: &[u8]| verify(&file, &[], &[payload.to_vec()]).findings.pop().unwrap();
    assert_eq!(made(BODY), Finding { mark: Mark::Good, fact: Fact::FromPayload(1) });
    assert_eq!(made(b"{}"), Finding { mark: Mark::Bad, fact: Fact::NoPayload });
}

/// The page's example was made by another program, from the page's words.
#[test]
fn the_worked_example_of_the_page_is_as_calculated_here() {
    let page = include_str!("../../../docs/evidence.md");
    let block = |kind: &str| page.split_once(kind).and_then(|(_, rest)| rest.split_once("\n```")).unwrap().0;
    let file = block("```json\n");
    let step = |name: &str| page.split_once(&format!("| {name} | `")).and_then(|(_, rest)| rest.split_once('`')).unwrap().0;
    let payload = step("payload").as_bytes().to_vec();
    let published = ["2026-11-20", "2026-11-21"]
        .map(|day| Published { day: day.parse().unwrap(), digest: step(&format!("link of {day}")).parse().unwrap() });
    let verdict = verify(file.as_bytes(), &published, std::slice::from_ref(&payload));
    assert!(verdict.findings.iter().all(|finding| finding.mark == Mark::Good || matches!(finding.fact, Fact::Told { .. })), "{verdict:?}");
    assert!(verdict.findings.iter().any(|finding| matches!(finding.fact, Fact::Proven(..))));
    let export: Export = serde_json::from_str(file).unwrap();
    let (movement, seed) = (&export.movements[0], Seed::stored(step("seed")));
    let form = Form::read(&movement.form).unwrap();
    assert_eq!(step("salt"), form.salt.to_string());
    assert_eq!((seed.salt(), Some(seed.payload_salt())), (form.salt, movement.payload_salt));
    assert_eq!(step("payload salt"), seed.payload_salt().to_string());
    assert_eq!(
        (step("its digest"), form.payload.as_str()),
        (form.payload.as_str(), &*payload_digest(&seed.payload_salt(), &payload).to_string())
    );
    assert_eq!((step("digest of the form"), &movement.digest), (movement.digest.as_str(), &form.digest().to_string()));
    assert_eq!(step("root of 2026-11-20"), export.days[0].root.to_string());
}
