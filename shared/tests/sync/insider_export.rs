//! Insider's exports against the simulated Insider: ordered once a day, compared by kind, repaired, and all of
//! it wherever a run is cut short.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use sandbox::insider::Config;
use serde_json::json;
use shared::brand::{Export, ExportFormat, FlagOff};
use shared::clock::Clock;
use shared::consent::{Channel, ConsentDate, Origin, Recipient, RecipientType, Status};
use shared::insider::export::ExportError;
use shared::insider::{self, Flag, InsiderError};
use shared::sync::insider_export::{Counts, ExportLog, InsiderExport, Outcome, Ran, RunError, Stage};

use crate::fuse::Break;
use crate::harness::PATIENCE;
use crate::world::{BIREYSEL, EPOSTA, GRACE, TACIR, World, email, fault, phone};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// From the order of an export to its file.
const DELAY: SignedDuration = SignedDuration::from_hours(4);
const ORDERS: &str = "/api/raw/v1/export";

/// A brand that sets an export up, and what its hook was told.
struct Brand {
    world: World,
    hook: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Brand {
    async fn new(flag_off: FlagOff) -> Self {
        let mut world = World::over(|clock| Config { clock, webhook_retry_ms: vec![1], ..Config::default() }).await;
        let hook = Arc::new(Mutex::new(Vec::new()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let told = Arc::clone(&hook);
        let take = move |body: axum::body::Bytes| {
            told.lock().unwrap().push(body.to_vec());
            async { "{}" }
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
        world.brand.insider.outbound.export =
            Some(Export { segment_id: 1, hook: url.into(), format: ExportFormat::Csv, flag_off, suspicious_percent: 1, lag_minutes: 180 });
        Self { world, hook }
    }

    fn export<'a>(&'a self, insider: &'a insider::Client, clock: &'a Clock) -> InsiderExport<'a> {
        let world = &self.world;
        let stop_at = world.clock.now() + SignedDuration::from_mins(4);
        let (ledger, intake, brand) = (&world.ledger, &world.intake, &world.brand);
        InsiderExport { ledger, intake, brand, insider, clock, grace: GRACE, stop_at, by_hand: false }
    }

    async fn try_run(&self) -> Result<Option<Ran>, RunError> {
        let (insider, clock) = (self.world.insider(), self.world.clock.clock());
        self.export(&insider, &clock).run().await
    }

    async fn run(&self) -> Ran {
        self.try_run().await.unwrap().unwrap()
    }

    async fn log(&self) -> ExportLog {
        ExportLog::read(&self.world.ledger, &self.world.brand.name).await.unwrap()
    }

    /// Orders an export, waits for its file and compares it.
    async fn a_day(&self) -> Ran {
        assert!(self.run().await.ordered);
        self.world.clock.advance(DELAY);
        self.run().await
    }

    /// How many orders Insider took.
    async fn orders(&self) -> u64 {
        let stats = self.world.insider_stats().await;
        let taken = stats["calls"].as_array().unwrap().iter().filter(|call| call["path"] == ORDERS && call["status"] == 200);
        taken.map(|call| call["count"].as_u64().unwrap()).sum()
    }

    /// The registry tells of somebody, and Insider is told so.
    async fn stands(&self, recipient: Recipient, channel: Channel, kind: RecipientType, status: Status) {
        self.says(recipient.clone(), channel, kind, status, Origin::Registry).await;
        self.world.lose_messages().await;
        assert!(self.world.relay(&[self.world.key_of(&recipient, channel, kind)]).await.failed.is_empty());
    }

    async fn says(&self, recipient: Recipient, channel: Channel, kind: RecipientType, status: Status, origin: Origin) {
        let key = self.world.key_of(&recipient, channel, kind);
        self.world.take(vec![self.world.movement(key, recipient, status, self.world.ago(1), origin)]).await;
    }

    async fn consumers_stand(&self, numbers: impl IntoIterator<Item = usize>, status: Status) {
        let world = &self.world;
        let numbers: Vec<_> = numbers.into_iter().collect();
        let movement = |number: &usize| world.movement(world.key(*number), email(*number), status, world.ago(1), Origin::Registry);
        world.take(numbers.iter().map(movement).collect()).await;
        world.lose_messages().await;
        assert!(world.relay(&world.keys(numbers)).await.failed.is_empty());
    }

    /// Flags change at Insider, and nobody tells.
    async fn silently(&self, recipients: impl IntoIterator<Item = Recipient>, channel: Channel, allowed: bool) {
        let flags: Vec<_> = recipients.into_iter().map(|recipient| Flag { recipient, channel, allowed, told: None }).collect();
        assert!(self.world.insider().upsert(&flags).await.iter().all(Result::is_ok));
    }

    /// What has been told to the hook, once it is there.
    async fn notice(&self) -> Vec<u8> {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            if let Some(body) = self.hook.lock().unwrap().pop() {
                return body;
            }
            assert!(std::time::Instant::now() < deadline, "the hook is told nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Passes what Insider told on to the system.
    async fn pass_on(&self, body: &[u8]) -> bool {
        let link = self.world.insider().export_link(body).ok();
        ExportLog::told(&self.world.ledger, &self.world.brand.name, link.as_ref(), self.world.clock.now()).await.unwrap()
    }
}

fn suppressed() -> (serde_json::Value, serde_json::Value) {
    (true.into(), false.into())
}

#[tokio::test]
async fn one_export_a_day_is_ordered_however_often_and_by_however_many_it_is_asked_for() {
    let brand = Brand::new(FlagOff::Report).await;
    let (one, other) = tokio::join!(brand.try_run(), brand.try_run());
    let ordered = [one.unwrap(), other.unwrap()].into_iter().flatten().filter(|ran| ran.ordered).count();
    assert_eq!((ordered, brand.orders().await), (1, 1));
    for hours in [1, 4, 3] {
        brand.world.clock.advance(SignedDuration::from_hours(hours));
        assert!(!brand.run().await.ordered);
    }
    assert_eq!(brand.log().await.last.unwrap().outcome, Outcome::Agreed, "an empty file has no difference");
    // It is 18:00 UTC; Insider's day ends at midnight.
    brand.world.clock.advance(SignedDuration::from_mins(359));
    assert!(!brand.run().await.ordered);
    brand.world.clock.advance(SignedDuration::from_mins(2));
    assert!(brand.run().await.ordered);
    assert_eq!(brand.orders().await, 2);
}

#[tokio::test]
async fn a_file_that_is_late_is_waited_for_and_a_link_that_expired_ends_the_export() {
    let brand = Brand::new(FlagOff::Report).await;
    brand.run().await;
    brand.world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(brand.run().await, Ran::default());
    assert_eq!((brand.log().await.stage, brand.log().await.trouble), (Stage::Ordered, None), "not there yet is no trouble");
    // Nobody looks for a day.
    brand.world.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(brand.run().await.ended, Some(Outcome::Expired));
    // The day after there is another.
    assert!(brand.run().await.ordered);
}

#[tokio::test]
async fn an_order_that_was_taken_without_an_answer_is_found_by_insiders_notice() {
    let mut brand = Brand::new(FlagOff::Report).await;
    brand.world.insider_timeout = Duration::from_millis(500);
    brand.world.insider_fault(fault(ORDERS, "timeout_after_apply")).await;
    assert!(matches!(brand.try_run().await, Err(RunError::Export(ExportError::Insider(InsiderError::Unanswered { .. })))));
    let ordered_at = brand.log().await.ordered_at;
    brand.world.clock.advance(SignedDuration::from_hours(1));
    assert!(matches!(brand.try_run().await, Err(RunError::Export(ExportError::UsedUp { .. }))));
    brand.world.clock.advance(DELAY);
    let notice = brand.notice().await;
    assert!(!brand.pass_on(br#"{"url":"https://example.com/demo/p/x.csv"}"#).await, "a link to anywhere else is none");
    assert!(brand.pass_on(&notice).await);
    assert_eq!(brand.log().await.ordered_at, ordered_at, "of the orders without an answer the first");
    assert_eq!(brand.run().await.ended, Some(Outcome::Agreed));
    assert!(!brand.pass_on(&notice).await, "a file that is read already changes nothing");
    assert_eq!(brand.run().await, Ran::default());
    // Nor is it taken for the next day's.
    brand.world.clock.advance(SignedDuration::from_hours(24));
    brand.world.insider_fault(fault(ORDERS, "timeout_after_apply")).await;
    assert!(brand.try_run().await.is_err());
    assert!(!brand.pass_on(&notice).await);
    brand.world.clock.advance(DELAY);
    assert!(brand.pass_on(&brand.notice().await).await);
}

#[tokio::test]
async fn an_order_that_is_refused_is_tried_again_within_the_day() {
    let brand = Brand::new(FlagOff::Report).await;
    brand.world.insider_fault(json!({"path": ORDERS, "kind": "status", "status": 403})).await;
    assert!(brand.try_run().await.is_err());
    let trouble = brand.log().await.trouble.unwrap().why;
    assert!(trouble.contains("insider_403"), "{trouble}");
    assert_eq!(brand.run().await, Ran::default(), "not at once");
    brand.world.clock.advance(SignedDuration::from_hours(1));
    assert!(brand.run().await.ordered);
    brand.world.clock.advance(DELAY);
    brand.run().await;
    assert_eq!(brand.log().await.trouble, None);
}

/// Somebody of each kind, by number.
async fn one_of_each(brand: &Brand) {
    let world = &brand.world;
    // A refusal and a consent that Insider shows as they are, and one of each that it does not.
    brand.consumers_stand([1, 3], RET).await;
    brand.consumers_stand([2, 4, 5], ONAY).await;
    world.clock.advance(SignedDuration::from_secs(10));
    // The fifth unsubscribes at Insider, whose list has the address and whose flag stays.
    brand.says(email(5), EPOSTA, BIREYSEL, RET, Origin::Insider).await;
    // One who consented as a consumer and refused as a merchant, and a phone number with two channels.
    brand.stands(email(9), EPOSTA, BIREYSEL, ONAY).await;
    world.clock.advance(SignedDuration::from_secs(5));
    brand.stands(email(9), EPOSTA, TACIR, RET).await;
    brand.stands(phone(10), Channel::Mesaj, BIREYSEL, ONAY).await;
    brand.stands(phone(10), Channel::Arama, BIREYSEL, RET).await;
    // The lag is over for those, and not for the next.
    world.clock.advance(SignedDuration::from_hours(4));
    brand.consumers_stand([7], RET).await;
    world.clock.advance(SignedDuration::from_mins(1));
    // Somebody of whom Insider is still to be told.
    brand.says(email(8), EPOSTA, BIREYSEL, RET, Origin::Registry).await;
    brand.silently([3, 6, 7, 8, 9].map(email), EPOSTA, true).await;
    brand.silently([email(4)], EPOSTA, false).await;
    brand.silently([phone(10)], Channel::Arama, true).await;
    world.lose_messages().await;
}

#[tokio::test]
async fn every_kind_of_difference_is_counted_and_what_was_refused_is_refused_again() {
    let mut brand = Brand::new(FlagOff::Report).await;
    brand.world.brand.insider.arama_attribute = Some("iys_call_optin".into());
    one_of_each(&brand).await;
    let ran = brand.a_day().await;
    assert_eq!((ran.rows, ran.retold, ran.refusals, ran.ended), (20, 3, 0, Some(Outcome::Repaired)));
    let last = brand.log().await.last.unwrap();
    let expected = Counts {
        profiles: 10,
        compared: 8,
        allowed_against_refusal: 3,
        off_against_consent: 1,
        refused_there: 1,
        under_way: 2,
        unknown: 1,
    };
    assert_eq!(last.counts, expected);
    assert_eq!(brand.world.relay_messages().await.iter().map(|message| message.keys.len()).sum::<usize>(), 3);
    brand.world.drain().await;
    for number in [1, 3, 8, 9] {
        assert_eq!(brand.world.reachable(&email(number)).await, suppressed(), "{number}");
    }
    assert_eq!(brand.world.held(&phone(10)).await["profile"]["custom"]["iys_call_optin"], json!(false));
    assert_eq!(brand.world.reachable(&phone(10)).await, (false.into(), true.into()));
    assert_eq!(brand.world.reachable(&email(4)).await.1, json!(false), "it is reported and nothing else");
    assert_eq!(brand.world.reachable(&email(5)).await.1, json!(true), "what a person did there is theirs");
    assert_eq!(brand.world.reachable(&email(6)).await.1, json!(true));
    // The next day's export judges what had changed too late for this one.
    brand.world.clock.advance(SignedDuration::from_hours(24));
    let ran = brand.a_day().await;
    let counts = brand.log().await.last.unwrap().counts;
    assert_eq!((ran.retold, counts.compared, counts.allowed_against_refusal, counts.under_way), (1, 10, 1, 0));
    brand.world.drain().await;
    assert_eq!(brand.world.reachable(&email(7)).await, suppressed());
    brand.world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(brand.a_day().await.ended, Some(Outcome::Agreed));
}

#[tokio::test]
async fn a_flag_that_is_off_against_a_consent_is_what_the_brand_says_it_is() {
    for (flag_off, refusals, retold) in [(FlagOff::Report, 0, 3), (FlagOff::Restore, 0, 4), (FlagOff::Refusal, 1, 3)] {
        let mut brand = Brand::new(flag_off).await;
        brand.world.brand.insider.arama_attribute = Some("iys_call_optin".into());
        one_of_each(&brand).await;
        let ran = brand.a_day().await;
        assert_eq!((ran.retold, ran.refusals), (retold, refusals), "{flag_off:?}");
        let ordered_at = brand.log().await.last.unwrap().ordered_at;
        let state = brand.world.state(4).await;
        match flag_off {
            FlagOff::Report => assert_eq!((state.head.status, state.insider.is_open()), (ONAY, false)),
            FlagOff::Restore => {
                brand.world.drain().await;
                assert_eq!(brand.world.reachable(&email(4)).await, (false.into(), true.into()));
            }
            FlagOff::Refusal => {
                assert_eq!((state.head.status, state.head.origin), (RET, Origin::Insider));
                assert_eq!(state.head.consent_date, ConsentDate::at(ordered_at), "the moment of the order");
                assert!(state.registry.is_open(), "the registry is told");
                assert_eq!(brand.world.at_insider(4).await, "not_needed");
                // A refusal that only a flag has shown is undone with the flag.
                brand.world.clock.advance(SignedDuration::from_hours(24));
                brand.silently([email(4)], EPOSTA, true).await;
                brand.a_day().await;
                assert!(brand.world.state(4).await.insider.is_open());
            }
        }
    }
}

#[tokio::test]
async fn somebody_whom_insider_did_not_know_and_knows_now_is_told_of() {
    let mut brand = Brand::new(FlagOff::Report).await;
    brand.world.brand.insider.relay_unknown_addresses = false;
    brand.consumers_stand([1], RET).await;
    assert_eq!(brand.world.at_insider(1).await, "not_needed");
    brand.silently([email(1)], EPOSTA, true).await;
    brand.world.clock.advance(SignedDuration::from_hours(4));
    assert_eq!(brand.a_day().await.retold, 1);
    brand.world.drain().await;
    assert_eq!(brand.world.reachable(&email(1)).await, suppressed());
}

#[tokio::test]
async fn where_more_differs_than_a_share_of_the_book_nothing_is_changed() {
    for (differing, outcome) in [(100, Outcome::Repaired), (101, Outcome::Suspicious)] {
        for status in [RET, ONAY] {
            let brand = Brand::new(FlagOff::Refusal).await;
            brand.consumers_stand(0..200, status).await;
            brand.silently((0..differing).map(email), EPOSTA, status == RET).await;
            brand.world.clock.advance(SignedDuration::from_hours(4));
            let ran = brand.a_day().await;
            let changed = if outcome == Outcome::Repaired { differing } else { 0 };
            assert_eq!((ran.ended, ran.retold + ran.refusals), (Some(outcome), changed), "{status}");
            let counts = brand.log().await.last.unwrap().counts;
            assert_eq!(counts.allowed_against_refusal + counts.off_against_consent, differing as u64);
        }
    }
}

/// One day of a world whose runs are cut short somewhere: what the export said in the end, and whether all of
/// what differed is repaired.
async fn disturbed_day(brand: &Brand, plan: Option<(Break, usize)>) -> (Counts, bool, usize) {
    let world = &brand.world;
    brand.silently([1, 2].map(email), EPOSTA, true).await;
    brand.silently([email(3)], EPOSTA, false).await;
    // To the next day's first half hour.
    let now = world.clock.now();
    let midnight = now.to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(1.day()).unwrap();
    let start = midnight.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp() + SignedDuration::from_mins(30);
    world.clock.advance(start.duration_since(now));
    world.fuse.set(plan);
    let mut effects = 0;
    let orders = brand.orders().await;
    let (mut taken_at, mut told) = (None, false);
    for _ in 0..60 {
        world.fuse.alive(brand.try_run()).await;
        if plan.is_none() || world.fuse.trace().len() > plan.map_or(0, |(_, at)| at) {
            effects = effects.max(world.fuse.trace().len());
            world.fuse.pause();
        }
        let log = brand.log().await;
        if log.last.as_ref().is_some_and(|last| last.ordered_at >= start) && log.stage == Stage::Idle {
            let counts = log.last.unwrap().counts;
            world.fuse.pause();
            if !told {
                brand.notice().await;
            }
            world.drain().await;
            let (one, two) = (world.reachable(&email(1)).await, world.reachable(&email(2)).await);
            let repaired = one == suppressed() && two == suppressed() && world.reachable(&email(3)).await.1 == json!(true);
            return (counts, repaired, effects);
        }
        if taken_at.is_none() && brand.orders().await > orders {
            taken_at = Some(world.clock.now());
        }
        world.clock.advance(SignedDuration::from_mins(20));
        // Whoever does not know where the file is hears of it.
        if !told && log.stage == Stage::Ordering && taken_at.is_some_and(|at| world.clock.now() >= at + DELAY) {
            assert!(brand.pass_on(&brand.notice().await).await);
            told = true;
        }
    }
    panic!("{plan:?}: the export never ends: {:?}", brand.log().await);
}

#[tokio::test]
async fn a_run_that_is_cut_short_at_any_effect_ends_as_if_nothing_had_happened() {
    let brand = Brand::new(FlagOff::Restore).await;
    // More rows than are read between two notes of the place, before and after those that differ.
    brand.consumers_stand([1], RET).await;
    brand.silently((100..1_200).map(email), EPOSTA, true).await;
    brand.consumers_stand([2], RET).await;
    brand.consumers_stand([3], ONAY).await;
    let (counts, repaired, effects) = disturbed_day(&brand, None).await;
    assert!(repaired && effects > 12, "{effects}");
    assert_eq!((counts.profiles, counts.unknown, counts.compared, counts.allowed_against_refusal), (1_103, 1_100, 3, 2));
    for at in 0..effects {
        // A run that dies does all that one does whose effect fails, and more; those are tried now and then.
        let others: &[Break] = if at % 4 == 0 { &[Break::Failure, Break::LostAnswer] } else { &[] };
        for &what in [Break::Crash].iter().chain(others) {
            let (again, repaired, _) = disturbed_day(&brand, Some((what, at))).await;
            assert_eq!((again, repaired), (counts, true), "{what:?} at {at}");
        }
    }
}

#[tokio::test]
async fn a_refusal_from_an_export_is_one_movement_wherever_the_run_dies() {
    let mut at = 0;
    loop {
        let brand = Brand::new(FlagOff::Refusal).await;
        brand.consumers_stand([1], ONAY).await;
        brand.silently([email(1)], EPOSTA, false).await;
        brand.world.clock.advance(SignedDuration::from_hours(4));
        brand.run().await;
        brand.world.clock.advance(DELAY);
        brand.world.fuse.set(Some((Break::Crash, at)));
        brand.world.fuse.alive(brand.try_run()).await;
        let died = brand.world.fuse.trace().len() > at;
        brand.world.fuse.pause();
        brand.world.clock.advance(SignedDuration::from_mins(6));
        brand.run().await;
        let story = brand.world.ledger.story(&brand.world.brand.name, &brand.world.key(1).recipient_id).await.unwrap();
        let refusals = story.history.iter().filter(|entry| entry.movement.head.status == RET).count();
        assert_eq!((refusals, brand.world.state(1).await.head.status), (1, RET), "at {at}");
        if !died {
            assert!(at > 5);
            return;
        }
        at += 1;
    }
}

/// `EXPORT_KEYS` sets how many keys.
#[tokio::test]
async fn one_in_a_hundred_that_differs_silently_is_found_and_repaired() {
    let keys: usize = std::env::var("EXPORT_KEYS").ok().map_or(2_000, |text| text.parse().unwrap());
    let brand = Brand::new(FlagOff::Restore).await;
    let (refused, consented) = (0..keys / 2, keys / 2..keys);
    for (numbers, status) in [(&refused, RET), (&consented, ONAY)] {
        for from in numbers.clone().step_by(1_000) {
            brand.consumers_stand(from..(from + 1_000).min(numbers.end), status).await;
        }
    }
    let of = |numbers: &std::ops::Range<usize>| numbers.clone().step_by(100).map(email).collect::<Vec<_>>();
    brand.silently(of(&refused), EPOSTA, true).await;
    brand.silently(of(&consented), EPOSTA, false).await;
    brand.world.clock.advance(SignedDuration::from_hours(4));
    let ran = brand.a_day().await;
    let differing = of(&refused).len() + of(&consented).len();
    assert_eq!((ran.retold, ran.ended), (differing, Some(Outcome::Repaired)));
    let last = brand.log().await.last.unwrap().counts;
    let found = (last.compared, last.allowed_against_refusal + last.off_against_consent);
    assert_eq!(found, (keys as u64, differing as u64));
    brand.world.drain().await;
    brand.world.clock.advance(SignedDuration::from_hours(24));
    brand.a_day().await;
    let counts = brand.log().await.last.unwrap().counts;
    assert_eq!((counts.compared, counts.allowed_against_refusal, counts.off_against_consent), (keys as u64, 0, 0));
    assert_eq!(brand.orders().await, 2, "one a day");
}

#[tokio::test]
async fn the_link_is_shown_by_nothing_that_formats_the_log() {
    let brand = Brand::new(FlagOff::Report).await;
    brand.run().await;
    assert!(brand.world.everything().await.contains("/p/"), "the table holds it");
    let shown = format!("{:?}", brand.log().await);
    assert!(shown.contains("Link") && !shown.contains("/p/") && !shown.contains("http"), "{shown}");
    assert_ne!(brand.log().await.ordered_at, None::<Timestamp>);
}
