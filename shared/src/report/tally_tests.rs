//! Every way in which a movement can stand, counted.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::consent::{EventId, Retailers, Source};

/// A Tuesday, noon in Türkiye.
const ACT: &str = "2026-11-24 12:00:00";

fn date(text: &str) -> ConsentDate {
    text.parse().unwrap()
}

/// A moment of Turkish time.
fn at(text: &str) -> Timestamp {
    date(text).instant()
}

fn head(status: Status, origin: Origin, act: &str, name: &str) -> Head {
    Head {
        status,
        source: Source::HsWeb,
        consent_date: date(act),
        origin,
        event_id: EventId::derive("x", [name]),
        received_at: at(act) + jiff::SignedDuration::from_secs(2),
        retailers: Retailers::default(),
    }
}

fn settled(outcome: Outcome, when: &str) -> Sync {
    Sync::Settled { outcome, at: at(when), transaction_id: None }
}

fn waits() -> Sync {
    Sync::Pending { due: at(ACT), sweeps: 0 }
}

fn held(hold: Hold, code: Option<&str>) -> Sync {
    Sync::Held { why: hold, since: at(ACT), due: at(ACT), code: code.map(str::to_owned) }
}

/// A movement that is the state of its key.
fn counts(head: Head, registry: Sync, insider: Sync) -> OfDay {
    let current = Some(Current { head: head.clone(), registry, insider });
    OfDay::Movement { channel: Channel::Eposta, head, registry: None, insider: None, current }
}

/// A movement in whose place another one stands.
fn replaced(head: Head, ending: Option<Ending>, by: Head, registry: Sync) -> OfDay {
    let current = Some(Current { head: by, registry, insider: Sync::Awaiting });
    OfDay::Movement { channel: Channel::Mesaj, head, registry: ending, insider: None, current }
}

fn refusal(name: &str) -> Head {
    head(Status::Ret, Origin::Api, ACT, name)
}

fn tally(now: &str, all: &[OfDay]) -> (Received, AtTarget, AtTarget, Refusals) {
    let mut tally = Tally::at(at(now));
    all.iter().for_each(|one| tally.add(one));
    tally.read()
}

fn rows(side: &AtTarget) -> Vec<(Fate, u64, u64, Option<&str>)> {
    side.rows.iter().map(|line| (line.fate, line.ret, line.onay, line.why.code.as_ref().map(Word::as_str))).collect()
}

/// What must hold of any day: each movement is counted once.
fn check_sums(all: u64, (received, iys, insider, refusals): &(Received, AtTarget, AtTarget, Refusals)) {
    assert_eq!(received.total, all);
    let aside: u64 = received.aside.iter().map(|line| line.count).sum();
    assert_eq!(received.counting() + aside + received.unreadable, all);
    assert_eq!(received.sources.iter().map(|line| line.count).sum::<u64>(), received.counting());
    for side in [iys, insider] {
        assert_eq!(side.rows.iter().map(|line| line.ret + line.onay).sum::<u64>(), received.counting());
    }
    let in_lines = |line: &&ReceivedLine| line.status == Status::Ret && !matches!(line.origin, Origin::Registry | Origin::Correction);
    assert_eq!(refusals.total, received.movements.iter().filter(in_lines).map(|line| line.count).sum::<u64>());
    let parts = refusals.in_time() + refusals.not_honoured() + refusals.open_in_time + refusals.nothing_to_refuse + refusals.elsewhere();
    assert_eq!(parts, refusals.total);
    assert_eq!(refusals.late_because.iter().map(|line| line.count).sum::<u64>(), refusals.late + refusals.open_late);
}

#[test]
fn refusals_are_counted_by_the_business_days_after_the_act_to_the_second() {
    let there = |when| counts(refusal(when), settled(Outcome::Applied, when), settled(Outcome::Applied, when));
    let days = [
        "2026-11-24 12:00:05",
        "2026-11-25 12:00:00",
        "2026-11-25 12:00:01",
        "2026-11-26 12:00:00",
        "2026-11-26 12:00:01",
        "2026-11-27 12:00:00",
        "2026-11-27 12:00:01",
    ];
    let all = days.map(there);
    let read = tally("2026-11-28 12:00:00", &all);
    check_sums(7, &read);
    let (.., refusals) = read;
    assert_eq!((refusals.within1, refusals.within2, refusals.within3, refusals.late), (2, 2, 2, 1));
    assert_eq!(refusals.late_because[0].reason, Lateness::EndedLate);
}

#[test]
fn each_way_to_stand_has_its_row_and_its_reason() {
    let soon = "2026-11-24 12:01:00";
    let code = |code: &str| Sync::Rejected { code: code.to_owned(), at: at(soon) };
    let all = [
        counts(refusal("applied"), settled(Outcome::Applied, soon), settled(Outcome::Applied, soon)),
        counts(refusal("already"), settled(Outcome::AlreadyThere, soon), settled(Outcome::NotNeeded, soon)),
        counts(refusal("nothing"), settled(Outcome::NotRegistered, soon), settled(Outcome::Applied, soon)),
        counts(refusal("refused"), code("H180"), waits()),
        counts(refusal("strange"), code("+905321112233"), waits()),
        counts(refusal("held"), held(Hold::Authority, None), held(Hold::Credentials, Some("insider_401"))),
        counts(refusal("held by code"), held(Hold::Subscription, Some("H586")), waits()),
        counts(refusal("submitted"), Sync::Submitted { submission: "s".into(), due: at(soon), sweeps: 0 }, waits()),
        counts(refusal("waits"), waits(), waits()),
        counts(head(Status::Onay, Origin::Insider, ACT, "onay"), waits(), Sync::Awaiting),
        counts(head(Status::Ret, Origin::Registry, ACT, "from İYS"), settled(Outcome::NotNeeded, soon), settled(Outcome::Applied, soon)),
        OfDay::Aside(AsideReason::Bounce),
        OfDay::Aside(AsideReason::Bounce),
        OfDay::Unreadable,
    ];
    let read = tally("2026-11-25 06:00:00", &all);
    check_sums(14, &read);
    let (received, iys, insider, refusals) = read;
    assert_eq!(
        rows(&iys),
        [
            (Fate::Applied, 1, 0, None),
            (Fate::AlreadyThere, 1, 0, None),
            (Fate::NotNeeded, 1, 0, None),
            (Fate::NotRegistered, 1, 0, None),
            (Fate::Rejected, 1, 0, Some("H180")),
            (Fate::Rejected, 1, 0, Some("other")),
            (Fate::Held, 1, 0, None),
            (Fate::Held, 1, 0, Some("H586")),
            (Fate::Submitted, 1, 0, None),
            (Fate::Waiting, 1, 1, None),
        ]
    );
    let explained = |line: &&FateLine| matches!(line.fate, Fate::Held) && line.why.cause.is_some() && line.why.remedy.is_some();
    assert_eq!(iys.rows.iter().filter(explained).count() + insider.rows.iter().filter(explained).count(), 3);
    assert_eq!((received.aside[0].count, received.unreadable), (2, 1));
    assert_eq!((refusals.within1, refusals.nothing_to_refuse, refusals.rejected, refusals.open_in_time), (2, 1, 2, 4));
    assert_eq!(insider.times.from_receipt.ret.count, 3);
    assert_eq!(
        iys.times.from_receipt.ret,
        super::super::Times { count: 1, p50_ms: Some(58_000), p99_ms: Some(58_000), max_ms: Some(58_000) }
    );
    assert_eq!(iys.times.from_consent_date.ret.max_ms, Some(60_000));
}

#[test]
fn what_another_movement_stands_for_is_in_a_row_that_says_so() {
    let soon = "2026-11-24 12:01:00";
    let later = "2026-11-24 15:00:00";
    let ended = Ending { outcome: Some(Outcome::Applied), code: None, transaction_id: None, at: at(soon) };
    let onay = || head(Status::Onay, Origin::Api, later, "onay");
    let there = || settled(Outcome::Applied, later);
    let correction = |outcome| {
        let late = refusal("late");
        let mut own = head(Status::Ret, Origin::Correction, later, "");
        own.source = Source::HsKarar;
        own.event_id = EventId::of_correction(&late.event_id, &own.source);
        replaced(late, None, own, outcome)
    };
    let mut alone = replaced(refusal("alone"), None, onay(), there());
    if let OfDay::Movement { current, .. } = &mut alone {
        *current = None;
    }
    let all = [
        replaced(refusal("ended before"), Some(ended), onay(), there()),
        replaced(refusal("overtaken by a consent"), None, onay(), there()),
        replaced(refusal("overtaken by a refusal"), None, head(Status::Ret, Origin::Api, later, "ret"), waits()),
        replaced(refusal("told again"), None, head(Status::Ret, Origin::Insider, ACT, "the same act"), there()),
        correction(there()),
        correction(waits()),
        alone,
    ];
    let read = tally("2026-11-25 06:00:00", &all);
    check_sums(7, &read);
    let (_, iys, _, refusals) = read;
    assert_eq!(
        rows(&iys).iter().map(|(fate, ret, ..)| (*fate, *ret)).collect::<Vec<_>>(),
        [
            (Fate::Applied, 1),
            (Fate::Corrected, 1),
            (Fate::Waiting, 1),
            (Fate::ToldAgain, 1),
            (Fate::ReplacedByRefusal, 1),
            (Fate::ReplacedByConsent, 1),
            (Fate::Unmerged, 1),
        ]
    );
    assert_eq!((refusals.within1, refusals.open_in_time, refusals.elsewhere()), (2, 1, 4));
    assert_eq!(iys.times.from_receipt.ret.count, 2, "a correction counts as what it corrects");
}

#[test]
fn what_is_late_says_why() {
    let mut told_late = refusal("told late");
    told_late.received_at = at("2026-11-30 09:00:00");
    let all = [
        counts(refusal("held"), held(Hold::Quota, Some("H097")), waits()),
        counts(refusal("held, too"), held(Hold::Quota, Some("H097")), waits()),
        counts(refusal("waits"), waits(), waits()),
        counts(told_late, settled(Outcome::Applied, "2026-11-30 09:00:05"), waits()),
        counts(refusal("was held"), settled(Outcome::Applied, "2026-11-30 09:00:00"), waits()),
    ];
    let read = tally("2026-12-01 06:00:00", &all);
    check_sums(5, &read);
    let late: Vec<_> = read.3.late_because.iter().map(|line| (line.reason, line.count, line.why.code.as_ref().map(Word::as_str))).collect();
    assert_eq!(
        late,
        [
            (Lateness::ReceivedLate, 1, None),
            (Lateness::Held, 2, Some("H097")),
            (Lateness::Waiting, 1, None),
            (Lateness::EndedLate, 1, None)
        ]
    );
}

#[test]
fn a_book_is_measured_from_its_receipt_only_and_sources_without_end_are_one() {
    let mut all: Vec<_> = (0..100)
        .map(|number| {
            let mut told = head(Status::Onay, Origin::Registry, ACT, &number.to_string());
            told.source = format!(
                "IYS_{}",
                ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"].map(|letter| letter.repeat(number % 13 + 1))[number % 10]
            )
            .parse()
            .unwrap();
            counts(told, settled(Outcome::NotNeeded, ACT), Sync::Awaiting)
        })
        .collect();
    let soon = "2026-11-24 12:01:00";
    all.push(counts(head(Status::Ret, Origin::Import, ACT, "book"), settled(Outcome::Applied, soon), waits()));
    let read = tally("2026-11-25 06:00:00", &all);
    check_sums(101, &read);
    let (received, iys, ..) = read;
    assert!(received.sources.len() <= SOURCES + 2 && received.sources.iter().any(|line| line.source.as_str() == "other"));
    assert_eq!((iys.times.from_receipt.ret.count, iys.times.from_consent_date.ret.count), (1, 0));
}

fn any_sync() -> impl Strategy<Value = Sync> {
    prop_oneof![
        Just(settled(Outcome::Applied, "2026-11-24 13:00:00")),
        Just(settled(Outcome::Applied, "2026-12-10 13:00:00")),
        Just(settled(Outcome::AlreadyThere, ACT)),
        Just(settled(Outcome::NotNeeded, ACT)),
        Just(settled(Outcome::NotRegistered, ACT)),
        Just(Sync::Rejected { code: "H467".into(), at: at(ACT) }),
        Just(held(Hold::Authority, None)),
        Just(waits()),
        Just(Sync::Awaiting),
    ]
}

fn any_head() -> impl Strategy<Value = Head> {
    let origins = [Origin::Insider, Origin::Registry, Origin::Api, Origin::Import, Origin::Correction];
    let acts = [ACT, "2026-11-21 10:00:00", "2026-11-10 10:00:00"];
    (any::<bool>(), 0..5_usize, 0..3_usize, 0..4_u8).prop_map(move |(onay, origin, act, name)| {
        let status = if onay { Status::Onay } else { Status::Ret };
        head(status, origins[origin], acts[act], &name.to_string())
    })
}

fn any_movement() -> impl Strategy<Value = OfDay> {
    let ending = proptest::option::of(Just(Ending { outcome: None, code: Some("H180".into()), transaction_id: None, at: at(ACT) }));
    let current = proptest::option::of((any_head(), any_sync(), any_sync()));
    let movement = (any_head(), ending, current).prop_map(|(head, ending, current)| OfDay::Movement {
        channel: Channel::Arama,
        head,
        registry: ending.clone(),
        insider: ending,
        current: current.map(|(head, registry, insider)| Current { head, registry, insider }),
    });
    prop_oneof![8 => movement, 1 => Just(OfDay::Unreadable), 1 => Just(OfDay::Aside(AsideReason::LeftGroup))]
}

proptest! {
    #[test]
    fn whatever_a_day_holds_each_movement_is_counted_once_in_each_table(all in proptest::collection::vec(any_movement(), 0..60), early in any::<bool>()) {
        let now = if early { "2026-11-25 06:00:00" } else { "2026-12-20 06:00:00" };
        check_sums(all.len() as u64, &tally(now, &all));
    }
}
