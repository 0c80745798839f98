//! Keys to Insider, by the real client against the simulated Insider.

use std::collections::HashSet;
use std::time::Duration;

use jiff::SignedDuration;
use sandbox::insider::{Account, Config, Keys};
use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Channel, Origin, Outcome, RecipientType, Status, Sync};

use crate::world::{BIREYSEL, EPOSTA, GRACE, TACIR, World, email, fault, phone};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;

/// A movement that the registry told of.
async fn registry_says(world: &World, number: usize, channel: Channel, kind: RecipientType, status: Status, seconds_ago: i64) {
    let recipient = if channel == EPOSTA { email(number) } else { phone(number) };
    let key = world.key_of(&recipient, channel, kind);
    world.take(vec![world.movement(key, recipient, status, world.ago(seconds_ago), Origin::Registry)]).await;
}

fn outcome(sync: &Sync) -> Option<Outcome> {
    if let Sync::Settled { outcome, .. } = sync { Some(*outcome) } else { None }
}

/// The kinds of calls that Insider had about an address, oldest first.
fn calls(held: &Value) -> Vec<String> {
    held["calls"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_refusal_goes_to_the_list_before_the_flag_and_a_consent_to_the_flag_before_the_list() {
    let world = World::new().await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    registry_says(&world, 1, Channel::Mesaj, BIREYSEL, ONAY, 60).await;
    let keys = [world.key(1), world.key_of(&phone(1), Channel::Mesaj, BIREYSEL)];
    let report = world.relay(&keys).await;
    assert_eq!((report.failed, report.finished), (HashSet::new(), 2));
    let (mail, text) = (world.held(&email(1)).await, world.held(&phone(1)).await);
    assert_eq!(calls(&mail), ["/email/v2/unsubscribe", "/api/user/v1/upsert"], "{mail}");
    assert_eq!(calls(&text), ["/api/user/v1/upsert", "/sms/v2/subscribe"], "{text}");
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    assert_eq!(world.reachable(&phone(1)).await, (false.into(), true.into()));
    assert_eq!(world.insider_stats().await["violations"], json!({}));
}

#[tokio::test]
async fn a_step_that_failed_leaves_nobody_reachable_who_should_not_be() {
    let world = World::new().await;
    // The second step of a refusal, then of a consent.
    for (status, path) in [(RET, "/api/user/v1/upsert"), (ONAY, "/email/v2/subscribe")] {
        let number = usize::from(status == ONAY);
        registry_says(&world, number, EPOSTA, BIREYSEL, if status == ONAY { RET } else { ONAY }, 90).await;
        world.relay(&world.keys([number])).await;
        registry_says(&world, number, EPOSTA, BIREYSEL, status, 60).await;
        world.insider_fault(fault(path, "status")).await;
        assert!(world.relay(&world.keys([number])).await.failed.is_empty());
        assert_eq!(world.reachable(&email(number)).await.0, json!(true), "still on the list");
        assert_eq!(world.at_insider(number).await, "pending");
        world.clock.advance(SignedDuration::from_mins(5));
        world.drain().await;
        assert_eq!(world.reachable(&email(number)).await, ((status == RET).into(), (status == ONAY).into()));
    }
}

#[tokio::test]
async fn a_refusal_in_either_capacity_wins_and_a_consent_goes_out_only_when_none_refused() {
    let world = World::new().await;
    let keys = [world.key(1), world.key_of(&email(1), EPOSTA, TACIR)];
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 90).await;
    registry_says(&world, 1, EPOSTA, TACIR, RET, 80).await;
    // Whichever key the message names.
    assert!(world.relay(&keys[..1]).await.failed.is_empty());
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    for key in &keys {
        assert_eq!(outcome(&world.ledger.state(key).await.unwrap().unwrap().insider), Some(Outcome::Applied));
    }
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 70).await;
    world.relay(&keys[..1]).await;
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()), "the merchant's refusal stands");
    registry_says(&world, 1, EPOSTA, TACIR, ONAY, 60).await;
    world.relay(&keys[1..]).await;
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn a_consent_that_the_registry_does_not_hold_yet_is_told_to_nobody() {
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    assert_eq!(world.at_insider(1).await, "awaiting");
    world.relay(&world.keys([1])).await;
    assert_eq!(world.held(&email(1)).await["profile"], Value::Null);
    world.drain().await;
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn calls_have_no_place_at_insider_unless_the_brand_names_an_attribute() {
    for attribute in [None, Some("iys_call_optin")] {
        let mut world = World::new().await;
        world.brand.insider.arama_attribute = attribute.map(str::to_owned);
        registry_says(&world, 1, Channel::Arama, BIREYSEL, RET, 60).await;
        let key = world.key_of(&phone(1), Channel::Arama, BIREYSEL);
        assert!(world.relay(std::slice::from_ref(&key)).await.failed.is_empty());
        let state = world.ledger.state(&key).await.unwrap().unwrap();
        let held = world.held(&phone(1)).await;
        match attribute {
            None => assert_eq!((outcome(&state.insider), &held["profile"]), (Some(Outcome::NotNeeded), &Value::Null)),
            Some(name) => {
                assert_eq!((outcome(&state.insider), &held["profile"]["custom"][name]), (Some(Outcome::Applied), &json!(false)));
                assert_eq!(held["suppressed"]["sms"], json!(false), "a refusal of calls is none of messages");
            }
        }
    }
}

#[tokio::test]
async fn a_brand_may_leave_addresses_alone_that_insider_does_not_know() {
    let mut world = World::new().await;
    world.brand.insider.relay_unknown_addresses = false;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    // Insider knows the second address, and the third because it told us of it itself.
    let known = shared::insider::Flag { recipient: email(2), channel: EPOSTA, allowed: true, told: None };
    assert!(world.insider().upsert(&[known]).await[0].is_ok());
    registry_says(&world, 2, EPOSTA, BIREYSEL, RET, 60).await;
    world.take(vec![world.movement(world.key(3), email(3), ONAY, world.ago(90), Origin::Insider)]).await;
    registry_says(&world, 3, EPOSTA, BIREYSEL, RET, 60).await;
    assert!(world.relay(&world.keys([1, 2, 3])).await.failed.is_empty());
    assert_eq!((world.at_insider(1).await.as_str(), &world.held(&email(1)).await["profile"]), ("not_needed", &Value::Null));
    for number in [2, 3] {
        assert_eq!(world.reachable(&email(number)).await, (true.into(), false.into()), "{number}");
    }
    assert_eq!(world.at_insider(3).await, "applied");
    // A profile that could not be looked up is not taken for none.
    registry_says(&world, 4, EPOSTA, BIREYSEL, RET, 60).await;
    world.insider_fault(fault("/api/user/v1/profile", "status")).await;
    world.relay(&world.keys([4])).await;
    assert_eq!(world.at_insider(4).await, "pending");
}

#[tokio::test]
async fn invariant_10_one_user_that_insider_refuses_is_rejected_alone() {
    let account = Account { custom_attributes: Some(Vec::new()), ..Account::default() };
    let mut world = World::with(Config { account, ..Config::default() }).await;
    world.brand.insider.arama_attribute = Some("iys_call_optin".into());
    registry_says(&world, 1, Channel::Arama, BIREYSEL, RET, 60).await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    let call = world.key_of(&phone(1), Channel::Arama, BIREYSEL);
    assert!(world.relay(&[call.clone(), world.key(1)]).await.failed.is_empty());
    let refused = world.ledger.state(&call).await.unwrap().unwrap().insider;
    assert!(matches!(&refused, Sync::Rejected { code, .. } if code == "insider_invalid_attribute"), "{refused:?}");
    assert_eq!(world.at_insider(1).await, "applied");
}

#[tokio::test]
async fn invariant_4_a_consent_that_lands_late_does_not_have_the_last_word_over_a_refusal() {
    let mut world = World::new().await;
    world.insider_timeout = Duration::from_millis(300);
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 90).await;
    // Its flag lands, late; nobody hears of it.
    world.insider_fault(json!({"path": "/api/user/v1/upsert", "kind": "latency", "latency_ms": 2000})).await;
    assert_eq!(world.relay(&world.keys([1])).await.failed, HashSet::from([world.key(1)]));
    assert_eq!(world.state(1).await.insider_doubt, Some(world.clock.now() + GRACE));
    // The refusal is told meanwhile, in time.
    world.says(1, RET, 60).await;
    world.lose_messages().await;
    assert!(world.relay(&world.keys([1])).await.failed.is_empty());
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    assert_eq!(world.at_insider(1).await, "pending", "to be told once more");
    let deadline = std::time::Instant::now() + crate::harness::PATIENCE;
    while world.reachable(&email(1)).await.1 != json!(true) {
        assert!(std::time::Instant::now() < deadline, "the late request does not land");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Not before the window has passed.
    world.sweep().await;
    assert!(world.relay_messages().await.is_empty());
    world.clock.advance(GRACE);
    world.drain().await;
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    assert_eq!(world.at_insider(1).await, "applied");
}

#[tokio::test]
async fn a_lost_answer_is_followed_by_the_state_again_and_once_more_after_the_window() {
    let world = World::new().await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    world.insider_fault(fault("/email/v2/unsubscribe", "timeout_after_apply")).await;
    assert_eq!(world.relay(&world.keys([1])).await.failed.len(), 1);
    let until = world.state(1).await.insider_doubt.unwrap();
    world.relay(&world.keys([1])).await;
    assert_eq!(world.state(1).await.insider.due(), Some(until));
    world.lose_messages().await;
    world.drain().await;
    assert_eq!(world.at_insider(1).await, "applied");
    let told = calls(&world.held(&email(1)).await);
    assert_eq!(told.iter().filter(|path| path.ends_with("unsubscribe")).count(), 3, "{told:?}");
}

#[tokio::test]
async fn wrong_keys_hold_the_work_until_they_are_right() {
    let keys = Keys { unsubscribe: "another-key".into(), ..Keys::default() };
    let world = World::with(Config { keys, ..Config::default() }).await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    world.lose_messages().await;
    assert!(world.relay(&world.keys([1])).await.failed.is_empty());
    let Sync::Held { why, since, due, code } = world.state(1).await.insider else { panic!("not held") };
    assert_eq!((why, since, due), (Hold::Credentials, world.clock.now(), world.clock.now() + SignedDuration::from_mins(30)));
    assert_eq!(code.as_deref(), Some("insider_401"));
    world.clock.advance(SignedDuration::from_mins(30));
    assert_eq!(world.sweep().await.keys, 1);
    assert_eq!((world.relay_messages().await.len(), world.at_insider(1).await.as_str()), (1, "held"));
}

#[tokio::test]
async fn a_limit_that_outlasts_a_run_is_waited_out_without_keeping_the_group_waiting() {
    for seconds in [30, 600] {
        let account = Account { retry_after_seconds: Some(seconds), ..Account::default() };
        let world = World::with(Config { account, ..Config::default() }).await;
        registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
        world.lose_messages().await;
        world.insider_fault(fault("/email/v2/unsubscribe", "rate_limit")).await;
        let report = world.relay(&world.keys([1])).await;
        let due = world.state(1).await.insider.due().unwrap();
        assert_eq!((report.failed, world.sweep().await.keys), (HashSet::new(), 0), "{seconds}: the message is done, and nothing is due");
        let pause = due.duration_since(world.clock.now());
        assert!(pause.is_positive());
        world.clock.advance(pause);
        assert_eq!(world.sweep().await.keys, 1);
        world.drain().await;
        assert_eq!((world.at_insider(1).await.as_str(), world.reachable(&email(1)).await), ("applied", (true.into(), false.into())));
    }
}

#[tokio::test]
async fn invariant_10_a_state_that_cannot_be_read_harms_only_its_own_message() {
    let world = World::new().await;
    for number in 0..8 {
        registry_says(&world, number, EPOSTA, BIREYSEL, RET, 60).await;
    }
    world.corrupt(&world.key(3)).await;
    let report = world.relay(&world.keys(0..8)).await;
    assert_eq!((report.failed, report.finished), (HashSet::from([world.key(3)]), 7));
    // One capacity that cannot be read: nobody knows whether it refused.
    registry_says(&world, 1, EPOSTA, TACIR, RET, 30).await;
    world.corrupt(&world.key_of(&email(1), EPOSTA, TACIR)).await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 20).await;
    assert_eq!(world.relay(&world.keys([1])).await.failed, HashSet::from([world.key(1)]));
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    // Another channel of the same address is another matter.
    registry_says(&world, 9, Channel::Arama, BIREYSEL, RET, 60).await;
    registry_says(&world, 9, Channel::Mesaj, BIREYSEL, RET, 60).await;
    world.corrupt(&world.key_of(&phone(9), Channel::Arama, BIREYSEL)).await;
    assert!(world.relay(&[world.key_of(&phone(9), Channel::Mesaj, BIREYSEL)]).await.failed.is_empty());
}

#[tokio::test]
async fn invariant_4_a_consent_that_is_taken_back_before_it_was_told_never_reaches_insider() {
    let world = World::new().await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 90).await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    world.drain().await;
    let held = world.held(&email(1)).await;
    assert_eq!(calls(&held), ["/email/v2/unsubscribe", "/api/user/v1/upsert"], "{held}");
}

/// What the brand's webhook heard from Insider, of something that happened so many seconds ago.
async fn insider_says(world: &World, number: usize, status: Status, seconds_ago: i64) {
    let date = world.ago(seconds_ago);
    world.take(vec![world.movement(world.key(number), email(number), status, date, Origin::Insider)]).await;
}

/// A person unsubscribes in a message; the webhook of it is told by the test.
async fn person_unsubscribes(world: &World, number: usize) {
    world.insider_act("unsubscribe", json!({"email": email(number).expose()})).await;
}

#[tokio::test]
async fn invariant_4_a_refusal_at_insider_that_our_consent_undid_on_its_way_is_told_back() {
    let world = World::new().await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 90).await;
    // She unsubscribes, our consent lands after that, and only then her refusal is heard of.
    person_unsubscribes(&world, 1).await;
    world.clock.advance(SignedDuration::from_secs(2));
    assert!(world.relay(&world.keys([1])).await.failed.is_empty());
    assert_eq!((world.reachable(&email(1)).await, world.at_insider(1).await.as_str()), ((false.into(), true.into()), "applied"));
    world.clock.advance(SignedDuration::from_secs(10));
    insider_says(&world, 1, RET, 12).await;
    world.drain().await;
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
    // Who refuses after our consent has long landed is told nothing.
    registry_says(&world, 2, EPOSTA, BIREYSEL, ONAY, 90).await;
    world.drain().await;
    world.clock.advance(SignedDuration::from_mins(1));
    person_unsubscribes(&world, 2).await;
    let before = calls(&world.held(&email(2)).await).len();
    insider_says(&world, 2, RET, 0).await;
    world.drain().await;
    assert_eq!((calls(&world.held(&email(2)).await).len(), world.at_insider(2).await.as_str()), (before, "not_needed"));
}

#[tokio::test]
async fn invariant_4_whatever_lands_late_and_in_whichever_step_the_last_state_stands_in_the_end() {
    // What the gateway gives up on lands later; so does what the caller gives up on.
    let late = [("gateway_timeout", 300_u64), ("latency", 900)];
    for (first, second) in [(ONAY, RET), (RET, ONAY)] {
        for path in ["/email", "/api/user/v1/upsert"] {
            for (kind, latency_ms) in late {
                let mut world = World::new().await;
                world.insider_timeout = Duration::from_millis(200);
                registry_says(&world, 1, EPOSTA, BIREYSEL, first, 90).await;
                world.insider_fault(json!({"path": path, "kind": kind, "latency_ms": latency_ms})).await;
                assert_eq!(world.relay(&world.keys([1])).await.failed.len(), 1, "{kind} {path}");
                registry_says(&world, 1, EPOSTA, BIREYSEL, second, 60).await;
                assert!(world.relay(&world.keys([1])).await.failed.is_empty());
                world.until_insider_had(path, &email(1), 2).await;
                world.drain().await;
                let expected = ((second == RET).into(), (second == ONAY).into());
                assert_eq!(world.reachable(&email(1)).await, expected, "{first} then {second}, {kind} at {path}");
                assert_eq!(world.at_insider(1).await, "applied");
            }
        }
    }
}

#[tokio::test]
async fn invariant_4_a_backfill_beside_live_traffic_and_a_second_worker_leave_the_last_state() {
    const PEOPLE: usize = 120;
    let world = World::new().await;
    let says = |number: usize, status, ago| world.movement(world.key(number), email(number), status, world.ago(ago), Origin::Registry);
    world.take((0..PEOPLE).map(|number| says(number, ONAY, 3600)).collect()).await;
    // The backfill's keys are being told while every third person refuses, and Insider loses answers.
    for kind in ["timeout_after_apply", "rate_limit", "gateway_timeout"] {
        world.insider_fault(json!({"kind": kind, "latency_ms": 50, "count": 2})).await;
    }
    let backfill = world.keys(0..PEOPLE);
    let live = async {
        for number in (0..PEOPLE).step_by(3) {
            world.take(vec![says(number, RET, 30)]).await;
            if number % 30 == 0 {
                // The other worker: in the cloud a FIFO group keeps it from the same address.
                world.relay(&world.keys([number])).await;
            }
        }
    };
    tokio::join!(world.relay(&backfill), live);
    world.drain().await;
    for number in 0..PEOPLE {
        let refused = number % 3 == 0;
        assert_eq!(world.reachable(&email(number)).await, (refused.into(), (!refused).into()), "{number}");
        assert_eq!(world.at_insider(number).await, "applied");
    }
}

#[tokio::test]
async fn a_run_that_is_nearly_over_begins_nothing_and_loses_nothing() {
    let world = World::new().await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    let insider = world.insider();
    let report = world.relay_until(&insider, world.clock.now()).run(&world.keys([1])).await;
    assert_eq!(report.failed, HashSet::from([world.key(1)]));
    assert_eq!((world.at_insider(1).await.as_str(), &world.held(&email(1)).await["profile"]), ("pending", &Value::Null));
    world.drain().await;
    assert_eq!(world.at_insider(1).await, "applied");
}

#[tokio::test]
async fn a_refusal_of_messages_reaches_whatsapp_only_where_the_brand_says_so_and_a_consent_never() {
    for follows in [false, true] {
        let mut world = World::new().await;
        world.brand.insider.outbound.whatsapp_follows_mesaj = follows;
        let key = world.key_of(&phone(1), Channel::Mesaj, BIREYSEL);
        for (status, ago) in [(RET, 90), (ONAY, 60)] {
            registry_says(&world, 1, Channel::Mesaj, BIREYSEL, status, ago).await;
            assert!(world.relay(std::slice::from_ref(&key)).await.failed.is_empty());
            let held = world.held(&phone(1)).await;
            assert_eq!(held["suppressed"]["whatsapp"], json!(follows), "{status}");
            assert_eq!(held["profile"]["whatsapp_optin"], if follows { json!(false) } else { Value::Null }, "{status}");
            assert_eq!(world.reachable(&phone(1)).await, ((status == RET).into(), (status == ONAY).into()));
        }
    }
}

#[tokio::test]
async fn a_profile_that_we_made_ourselves_is_no_stranger_however_far_its_reading_lags() {
    let mut world = World::new().await;
    world.brand.insider.relay_unknown_addresses = false;
    registry_says(&world, 1, EPOSTA, BIREYSEL, ONAY, 90).await;
    world.relay(&world.keys([1])).await;
    registry_says(&world, 1, EPOSTA, BIREYSEL, RET, 60).await;
    // The profile cannot be read yet.
    world
        .insider_fault(json!({"path": "/api/user/v1/profile", "kind": "status", "status": 404,
        "body": {"error": "no such user for these identifiers: no data"}, "count": 5}))
        .await;
    world.drain().await;
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
}
