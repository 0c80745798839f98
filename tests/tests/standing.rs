//! What İYS allows the brand changes while work is under way: its subscription, a channel's authority,
//! its push connections.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Crowd, Setup, World, until};

/// How many consents come while the subscription is paused.
const PEOPLE: u32 = 240;
/// Most calls that meet a refusal before every worker knows of it: what two of them have under way.
const UNDER_WAY: u64 = 40;
/// The one question that İYS answers whatever the subscription is.
const SUBSCRIPTION: &str = "/sps/{iysCode}/subscription";

type Calls = BTreeMap<(String, String, u64), u64>;

fn setup() -> Setup {
    let mut setup = Setup { pause_seconds: 6, ..Setup::new(env!("CARGO_BIN_EXE_stack")) };
    // What people do at İYS shows in its feed an hour later: only a push notice brings it sooner.
    setup.simulators.iys.pull_tail_seconds = 3600;
    setup
}

/// The calls that came since, without the token's.
fn since(before: &Calls, now: Calls) -> Calls {
    let grown = now.into_iter().map(|(call, count)| (call.clone(), count - before.get(&call).copied().unwrap_or(0)));
    grown.filter(|((_, path, _), count)| *count > 0 && path != "/oauth2/token").collect()
}

fn count(calls: &Calls, counts: impl Fn(&str, u64) -> bool) -> u64 {
    calls.iter().filter(|((_, path, status), _)| counts(path, *status)).map(|(_, count)| count).sum()
}

async fn until_standing(world: &World, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let standing = world.status("demo").await["standing"].clone();
        if holds(&standing) { Ok(standing) } else { Err(standing.to_string()) }
    })
    .await
}

fn onay(recipient: &str, channel: &str) -> Value {
    json!({ "recipient": recipient, "type": channel, "status": "ONAY" })
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_8_what_iys_does_not_allow_is_held_without_being_tried_and_goes_on_when_it_does() {
    let world = World::start(setup()).await;
    until_standing(&world, "the account was looked at", |standing| standing["lastChecked"].is_string()).await;
    a_paused_subscription(&world).await;
    a_channel_without_authority(&world).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "standing.log");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

async fn a_paused_subscription(world: &World) {
    let crowd = Crowd::new(80);
    let before = world.calls_of_iys().await;
    world.change_account(json!({ "iysCode": 700_001, "subscription": { "status": "PAUSED" } })).await;
    for first in (0..PEOPLE).step_by(40) {
        let consents: Vec<Value> = (first..first + 40).map(|person| onay(&crowd.email(person), "EPOSTA")).collect();
        assert!(world.add(Value::Array(consents)).await.iter().all(|result| result["result"] == "accepted"));
    }
    let standing = until_standing(world, "the brand is stopped", |standing| standing["stop"]["code"] == "H520").await;
    assert_eq!(standing["stop"]["heldFor"], "subscription");
    assert!(standing["stop"]["cause"]["tr"].is_string() && standing["stop"]["remedy"]["en"].is_string(), "{standing}");
    until("everything is held", async || {
        let held = world.status("demo").await["iys"]["held"].as_u64().unwrap_or_default();
        if held == u64::from(PEOPLE) { Ok(()) } else { Err(format!("{held} held")) }
    })
    .await;
    let refused = since(&before, world.calls_of_iys().await);
    assert!(count(&refused, |_, status| status == 403) <= UNDER_WAY, "{refused:?}");
    let state = world.state(&crowd.email(0), "EPOSTA", "BIREYSEL").await;
    assert_eq!((&state["iys"]["state"], &state["iys"]["heldFor"]), (&json!("held"), &json!("subscription")), "{state}");

    // From now on nothing is tried but the question for the subscription, and that one once a pause,
    // though work comes in, messages come again, and feeds are to be read.
    let looked_at = |standing: Value| standing["lastChecked"].clone();
    let mut last = looked_at(until_standing(world, "a look", |standing| standing["subscription"]["status"] == "PAUSED").await);
    let begun = world.calls_of_iys().await;
    let looks: u64 = 3;
    let mut person = PEOPLE;
    for _ in 0..looks {
        world.add_one(&crowd.email(person), "EPOSTA", "ONAY").await;
        person += 1;
        last = looked_at(until_standing(world, "another look", |standing| standing["lastChecked"] != last).await);
    }
    let made = since(&begun, world.calls_of_iys().await);
    // (The second brand's feeds are read on: its subscription is its own.)
    assert_eq!(count(&made, |_, status| status >= 400), 0, "{made:?}");
    assert!(count(&made, |path, _| path == SUBSCRIPTION) <= looks + 1, "{made:?}");

    world.change_account(json!({ "iysCode": 700_001, "subscription": { "status": "ACTIVE" } })).await;
    let everybody: Vec<String> = (0..person).map(|person| crowd.email(person)).collect();
    until("everybody is allowed", async || {
        let answer = world.ask("/v1/demo/consents/check", &json!({ "type": "EPOSTA", "recipients": everybody })).await;
        let denied = answer["denied"].as_array().map_or(0, Vec::len);
        if denied == 0 { Ok(()) } else { Err(format!("{denied} denied, such as {}", answer["denied"][0]["reason"])) }
    })
    .await;
    let standing = world.status("demo").await["standing"].clone();
    assert_eq!((&standing["stop"], &standing["subscription"]["status"]), (&Value::Null, &json!("ACTIVE")), "{standing}");
    for person in [0, PEOPLE - 1, person - 1] {
        assert_eq!(world.movements_at_iys(&crowd.email(person)).await.len(), 1);
    }
}

async fn a_channel_without_authority(world: &World) {
    let crowd = Crowd::new(81);
    world.change_account(json!({ "brandCode": 700_001, "channels": ["ARAMA", "EPOSTA"] })).await;
    // Mixed, and so many that they go as lists.
    let both: Vec<Value> = (0..60)
        .map(|person| if person % 2 == 0 { onay(&crowd.phone(person), "MESAJ") } else { onay(&crowd.email(person), "EPOSTA") })
        .collect();
    world.add(Value::Array(both)).await;
    for person in (1..60).step_by(2) {
        world.until_check_says("EPOSTA", &crowd.email(person), "allowed").await;
    }
    for person in (0..60).step_by(2) {
        world.until_check_says("MESAJ", &crowd.phone(person), "held").await;
    }
    let standing = until_standing(world, "the channel is denied", |standing| standing["channels"]["MESAJ"]["access"] == "denied").await;
    assert_eq!((&standing["stop"], &standing["channels"]["MESAJ"]["how"]), (&Value::Null, &json!("refused")), "{standing}");
    assert!(standing["channels"]["MESAJ"]["remedy"]["tr"].is_string(), "{standing}");
    // What comes on it is held, what comes on the others arrives, and one record a pause tries it.
    let begun = world.calls_of_iys().await;
    let begun_at = standing["lastChecked"].clone();
    world.add_one(&crowd.phone(100), "MESAJ", "ONAY").await;
    world.add_one(&crowd.email(101), "EPOSTA", "ONAY").await;
    world.until_check_says("MESAJ", &crowd.phone(100), "held").await;
    world.until_check_says("EPOSTA", &crowd.email(101), "allowed").await;
    until_standing(world, "a look", |standing| standing["lastChecked"] != begun_at).await;
    let made = since(&begun, world.calls_of_iys().await);
    assert!(count(&made, |_, status| matches!(status, 403 | 404)) <= 2, "{made:?}");

    world.change_account(json!({ "brandCode": 700_001, "channels": null })).await;
    for person in (0..60).step_by(2).chain([100]) {
        world.until_check_says("MESAJ", &crowd.phone(person), "allowed").await;
    }
    until_standing(world, "the channel is granted", |standing| standing["channels"]["MESAJ"]["access"] == "granted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_connection_that_iys_dropped_is_set_up_again_and_brings_what_a_person_does() {
    // The feeds show nothing here, so whatever arrives came by a notice.
    let world = World::start(setup()).await;
    let crowd = Crowd::new(82);
    // By hand at first: the local brand's own credentials.
    let report = world.job_for("push_service", "demo").await;
    assert_eq!((&report["registered"], &report["unregistered"]), (&json!(0), &json!(0)), "{report}");
    for (person, channel, how) in [(1, "EPOSTA", "removed"), (2, "MESAJ", "failed")] {
        let address = if channel == "EPOSTA" { crowd.email(person) } else { crowd.phone(person) };
        world.citizen(&address, "BIREYSEL", channel, "ONAY").await;
        world.until_insider_allows(&address).await;
        world.drop_push(channel, how).await;
        until("the connection stands again", async || {
            let registered = world.job_for("push_service", "demo").await["registered"].as_u64();
            // Another run of the job may have been faster.
            if registered == Some(0) { Ok(()) } else { Err(format!("{registered:?}")) }
        })
        .await;
        let state = world.until_settled(&address, channel).await;
        world.until_second_after(&state["consentDate"]).await;
        world.citizen(&address, "BIREYSEL", channel, "RET").await;
        world.until_insider_suppresses(&address).await;
        let story = world.lookup(&address).await;
        assert_eq!(story["history"].as_array().map(Vec::len), Some(2), "{story}");
    }
    // A notice without credentials, or with others, is refused, and the pull that shows the movements
    // later makes none of them a second one.
    for authorization in [None, Some("Basic aXlzOmd1ZXNz")] {
        let answer = world.request(reqwest::Method::POST, "/v1/demo/iys/push", authorization, r#"{"list":[]}"#).await;
        assert_eq!(answer.status, 401);
    }
    assert!(!world.output().contains("demo-iys-push"), "credentials in the output");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
