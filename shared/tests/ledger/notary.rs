//! Days are closed and evidence is put together over a real store, and a stranger verifies it.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use shared::archive::{Archive, Folder};
use shared::clock::Clock;
use shared::consent::{AsideReason, BrandName, Origin, Retailers, Status};
use shared::evidence::tree::Tree;
use shared::evidence::{Because, Day, Digest, Export, Fact, Mark, Payload, Published, Verdict, verify};
use shared::ledger::Ledger;
use shared::sync::evidence::Notary;

use crate::support::dynamodb::{Item, Store};
use crate::support::people::{Person, at};
use crate::support::wire::{Loss, Wire};

const DAY: i64 = 86_400;
/// The day of `at(0)`.
const FIRST: Date = date(2026, 11, 18);

fn brand() -> BrandName {
    Person::nth(0).key.brand
}

/// A clock that stands at an hour of a day in Türkiye.
fn clock(day: Date, hour: i8) -> Clock {
    let now: Timestamp = day.at(hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(3))).unwrap().timestamp();
    Arc::new(move || now)
}

async fn close(ledger: &Ledger, archive: Option<&dyn Archive>, clock: &Clock) -> usize {
    Notary { ledger, archive, clock }.close(&brand()).await.unwrap()
}

async fn export(ledger: &Ledger, person: &Person) -> Export {
    let clock = clock(FIRST, 23);
    let notary = Notary { ledger, archive: None, clock: &clock };
    notary.export(&brand(), &person.recipient, &person.key.recipient_id, true).await.unwrap()
}

fn judged(export: &Export, published: &[Published]) -> Verdict {
    verify(&serde_json::to_vec(export).unwrap(), published, &[])
}

/// Several people on the first, second and fourth day; nobody on the third.
async fn filled() -> Store {
    let store = Store::new().await;
    for number in 0..30 {
        for day in [0, 1, 3] {
            let said = Person::nth(number).says(Status::Ret, day * DAY + i64::try_from(number).unwrap(), Origin::Api);
            let body = format!("body {number} {day}");
            store.ledger().record_from(&said, Some(Payload::of(body.as_bytes())), at(0), at(60)).await.unwrap();
        }
    }
    store
}

/// The days as they must be, calculated from what the index lists.
async fn expected(store: &Store, days: i32) -> Vec<Day> {
    let mut chain: Vec<Day> = Vec::new();
    let mut day = FIRST;
    for _ in 0..days {
        let mut tree = Tree::default();
        store.ledger().digests_of_day(&brand(), day, |digest| tree.push(digest)).await.unwrap();
        let previous = chain.last().map_or(Digest::NONE, |day| day.chained);
        chain.push(Day::after(previous, "demo", day, tree.finish().0));
        day = day.tomorrow().unwrap();
    }
    chain
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_closed_once_they_are_over_for_three_hours_and_missed_ones_are_caught_up() {
    let store = filled().await;
    let (ledger, folder) = (store.ledger(), tempfile::tempdir().unwrap());
    let archive = Folder::new(folder.path());
    for (day, hour, closed) in [(19, 3, 1), (19, 4, 0), (20, 2, 0), (22, 3, 3), (22, 23, 0)] {
        assert_eq!(close(&ledger, Some(&archive), &clock(date(2026, 11, day), hour)).await, closed, "{day} {hour}:00");
    }
    let days = ledger.closed_days(&brand()).await.unwrap();
    assert_eq!(days, expected(&store, 4).await);
    assert_eq!(days.iter().map(|day| day.count).collect::<Vec<_>>(), [30, 30, 0, 30]);
    for day in days {
        let kept = std::fs::read_to_string(folder.path().join(format!("demo/{}.json", day.day))).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!((&kept["root"], &kept["chained"]), (&day.root.to_string().into(), &day.chained.to_string().into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_begins_with_the_first_day_that_has_anything() {
    let store = filled().await;
    assert_eq!(close(&store.ledger(), None, &clock(date(2026, 11, 25), 12)).await, 7);
    assert_eq!(store.ledger().closed_days(&brand()).await.unwrap(), expected(&store, 7).await);
    let empty = Store::new().await;
    assert_eq!(close(&empty.ledger(), None, &clock(date(2026, 11, 25), 2)).await, 1, "the 24th is not over for three hours");
    assert_eq!(empty.ledger().last_closed_day(&brand()).await.unwrap().unwrap().day, date(2026, 11, 23));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_at_any_request_and_two_runs_at_once_leave_the_same_days() {
    let noon = |day| clock(date(2026, 11, day), 12);
    for loss in [Loss::Request, Loss::Answer] {
        let store = filled().await;
        let days = expected(&store, 4).await;
        assert_eq!(close(&store.ledger(), None, &noon(19)).await, 1);
        for nth in 0.. {
            let wire = Wire::new();
            wire.lose(nth, loss);
            let ledger = store.ledger_over(&wire, 1);
            let run = Notary { ledger: &ledger, archive: None, clock: &noon(22) }.close(&brand()).await;
            let until_now = store.ledger().closed_days(&brand()).await.unwrap();
            assert_eq!(until_now, days[..until_now.len()], "request {nth}, {loss:?}");
            if run.is_ok() {
                assert!(nth >= 16, "the last run had no requests to lose");
                break;
            }
        }
        assert_eq!(store.ledger().closed_days(&brand()).await.unwrap(), days);
    }
    let other = filled().await;
    let days = expected(&other, 4).await;
    let (one, two) = (other.ledger(), other.ledger());
    let noon = noon(22);
    futures::join!(close(&one, None, &noon), close(&two, None, &noon));
    assert_eq!(one.closed_days(&brand()).await.unwrap(), days);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_of_an_address_is_verified_from_its_file_alone() {
    let store = filled().await;
    let (ledger, person) = (store.ledger(), Person::nth(7));
    close(&ledger, None, &clock(date(2026, 11, 21), 12)).await;
    let file = export(&ledger, &person).await;
    let last = *file.days.last().unwrap();
    let verdict = verify(
        &serde_json::to_vec(&file).unwrap(),
        &[Published { day: last.day, digest: last.chained }],
        &[b"body 7 0".to_vec(), b"body 7 3".to_vec()],
    );
    let facts: Vec<_> = verdict.findings.iter().map(|finding| &finding.fact).collect();
    assert!(
        matches!(
            facts[..],
            [
                Fact::Chain { days: 3, .. },
                Fact::Published(_),
                Fact::Proven(..),
                Fact::Proven(..),
                Fact::NotClosed(..),
                Fact::FromPayload(1),
                Fact::FromPayload(3),
            ]
        ),
        "{facts:?}"
    );
    assert_eq!(verdict.mark(), Mark::Open, "the fourth day is not closed");
    close(&ledger, None, &clock(date(2026, 11, 22), 12)).await;
    let file = export(&ledger, &person).await;
    assert_eq!(judged(&file, &[Published { day: last.day, digest: last.chained }]).mark(), Mark::Good);
    // Nothing in it is about anybody else, and an address that was never heard of has an empty one.
    let text = serde_json::to_string(&file).unwrap();
    assert!(text.contains("person-7@") && !text.contains("person-8@"));
    assert!(export(&ledger, &Person::nth(99)).await.movements.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_that_is_older_than_evidence_is_shown_as_unproven() {
    let store = filled().await;
    let (ledger, person) = (store.ledger(), Person::nth(7));
    close(&ledger, None, &clock(date(2026, 11, 22), 12)).await;
    ledger.record(&person.says(Status::Onay, -5 * DAY, Origin::Api), at(0), at(60)).await.unwrap();
    let items = store.items().await;
    let (_, item) =
        items.iter().find(|(_, item)| item.get("received_at").is_some_and(|at| at.as_s().unwrap().starts_with("2026-11-13"))).unwrap();
    let mut old = item.clone();
    old.retain(|name, _| !["seed", "digest", "day_pk"].contains(&name.as_str()));
    store.put(old).await;
    let file = export(&ledger, &person).await;
    assert!(matches!(file.unproven.as_slice(), [unproven] if unproven.because == Because::NoDigest && unproven.status == "ONAY"));
    let last = file.days.last().unwrap();
    assert_eq!(judged(&file, &[Published { day: last.day, digest: last.root }]).mark(), Mark::Open);
}

/// An item with one byte of one of its values changed, for every byte; how a movement ended is noted later and
/// stands under no root.
fn changed(item: &Item) -> Vec<(String, Item)> {
    let mut all = Vec::new();
    let mut put = |name: &str, at: usize, value: AttributeValue| {
        let mut other = item.clone();
        other.insert(name.to_owned(), value);
        all.push((format!("byte {at} of {name}"), other));
    };
    let flipped = |text: &str, at: usize, bit: u8| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= bit;
        String::from_utf8(bytes).unwrap()
    };
    for (name, value) in item.iter().filter(|(name, _)| !["PK", "SK", "registry", "insider"].contains(&name.as_str())) {
        match value {
            AttributeValue::S(text) => {
                for at in 0..text.len() {
                    // Each bit in its turn; for letters, that of upper and lower case.
                    let bit = if text.as_bytes()[at].is_ascii_alphabetic() { 0x20 } else { 1 << (at % 7) };
                    put(name, at, AttributeValue::S(flipped(text, at, bit)));
                }
            }
            AttributeValue::M(retailers) => {
                let code = retailers["retailerCode"].as_n().unwrap();
                let access: Vec<_> = retailers["retailerAccess"].as_l().unwrap().iter().map(|number| number.as_n().unwrap()).collect();
                for at in 0..8 {
                    let mut other = retailers.clone();
                    other.insert("retailerCode".into(), AttributeValue::N(flipped(code, at, 1)));
                    put(name, at, AttributeValue::M(other));
                    for place in 0..access.len() {
                        let digits =
                            |(number, text): (usize, &&String)| if number == place { flipped(text, at, 1) } else { (*text).clone() };
                        let list = access.iter().enumerate().map(digits).map(AttributeValue::N).collect();
                        let mut other = retailers.clone();
                        other.insert("retailerAccess".into(), AttributeValue::L(list));
                        put(name, at, AttributeValue::M(other));
                    }
                }
            }
            other => panic!("{name} is of an unexpected kind: {other:?}"),
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_stored_movement_can_be_changed_without_its_evidence_failing() {
    let store = Store::new().await;
    let (ledger, person) = (store.ledger(), Person::nth(7));
    let mut said = person.says(Status::Ret, 0, Origin::Api);
    said.head.retailers = Retailers { code: Some(58_954_386), access: vec![55_550_127, 66_438_915] };
    ledger.record_from(&said, Some(Payload::of(b"body")), at(0), at(60)).await.unwrap();
    ledger.keep_aside(&person.says(Status::Ret, 10, Origin::Insider), AsideReason::Bounce, Some(Payload::of(b"list"))).await.unwrap();
    for number in 10..13 {
        ledger.record(&Person::nth(number).says(Status::Ret, 5, Origin::Api), at(0), at(60)).await.unwrap();
    }
    close(&ledger, None, &clock(date(2026, 11, 19), 12)).await;
    let sound = export(&ledger, &person).await;
    let published = [Published { day: FIRST, digest: sound.days[0].chained }];
    assert_eq!(judged(&sound, &published).mark(), Mark::Good);

    let own = person.key.recipient_id.as_str();
    let items = store.items().await;
    let stored: Vec<_> = items.iter().filter(|((pk, sk), _)| pk.ends_with(own) && !sk.starts_with('S')).map(|(_, item)| item).collect();
    assert_eq!(stored.len(), 2);
    let mut trials = 0;
    for item in stored {
        for (what, other) in changed(item) {
            store.put(other).await;
            let verdict = judged(&export(&ledger, &person).await, &published);
            assert_eq!(verdict.mark(), Mark::Bad, "{what}: {verdict:?}");
            trials += 1;
        }
        store.put(item.clone()).await;
        assert_eq!(judged(&export(&ledger, &person).await, &published).mark(), Mark::Good);
    }
    assert!(trials > 500, "{trials}");
}
