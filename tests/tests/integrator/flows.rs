//! The flows of a brand, as they are by İYS's own API, only later.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Vendor, World, moment, until};

use crate::road::{BRAND, Road};

/// An e-mail address and a phone number that nobody else in this world has.
pub(crate) fn somebody(road: &Road, person: u32) -> [(String, &'static str); 2] {
    [(road.crowd.email(person), "EPOSTA"), (road.crowd.phone(person), "MESAJ")]
}

/// Once the integrator knows of what people did at İYS. Verimor tells of it when the day is over.
async fn the_day_ends(road: &Road) {
    if road.integrator == Vendor::Verimor {
        road.world.control(road.integrator, Method::POST, "daily", &json!({})).await;
    }
}

async fn iys_outcome(world: &World, address: &str, channel: &str) -> (Value, Value) {
    let state = world.until_settled(address, channel).await;
    (state["iys"]["outcome"].clone(), state["origin"].clone())
}

pub(crate) async fn what_is_unsubscribed_at_insider_is_refused_at_iys(road: &Road) {
    let world = &road.world;
    let people = somebody(road, 1);
    let seeds: Vec<_> = people.iter().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect();
    road.seed(&seeds).await;
    for (address, _) in &people {
        world.unsubscribe_at_insider(address).await;
    }
    for (address, channel) in &people {
        let record = world.until_iys_holds(address, channel, "RET").await;
        assert_eq!(record["source"], format!("HS_{channel}"));
        assert_eq!(iys_outcome(world, address, channel).await, (json!("applied"), json!("insider")));
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "refused");
        assert_eq!(world.told(road.integrator, address).await.len(), 2, "the seed, and one refusal");
        world.watch_silence(Vendor::Insider, address);
    }
}

pub(crate) async fn what_a_person_does_at_iys_reaches_insider(road: &Road) {
    let world = &road.world;
    let people = somebody(road, 2);
    for (status, reason) in [("ONAY", "allowed"), ("RET", "refused")] {
        for (address, channel) in &people {
            world.citizen(address, "BIREYSEL", channel, status).await;
        }
        the_day_ends(road).await;
        for (address, channel) in &people {
            world.until_check_says(channel, address, reason).await;
            if status == "ONAY" {
                world.until_insider_allows(address).await;
            } else {
                world.until_insider_suppresses(address).await;
            }
            let state = world.until_settled(address, channel).await;
            world.until_second_after(&state["consentDate"]).await;
        }
    }
    for (address, _) in &people {
        world.watch_silence(Vendor::Iys, address);
    }
}

pub(crate) async fn insider_hears_of_a_consent_only_after_the_verdict(road: &Road) {
    let world = &road.world;
    let people = somebody(road, 3);
    road.hold_queue(true).await;
    for (address, channel) in &people {
        world.add_one(address, channel, "ONAY").await;
    }
    until("the integrator has both", async || {
        let waiting = world.status(BRAND).await["iys"].clone();
        if waiting["submitted"] == 2 { Ok(()) } else { Err(waiting.to_string()) }
    })
    .await;
    for (address, channel) in &people {
        assert_ne!(world.check(BRAND, channel, "BIREYSEL", address).await, "allowed");
        assert!(world.told(Vendor::Insider, address).await.is_empty(), "Insider heard of what is only queued");
    }
    road.hold_queue(false).await;
    for (address, channel) in &people {
        let record = world.until_iys_holds(address, channel, "ONAY").await;
        world.until_insider_allows(address).await;
        let state = world.until_settled(address, channel).await;
        let told_at: jiff::Timestamp = state["insider"]["at"].as_str().unwrap().parse().unwrap();
        assert!(moment(&record["creationDate"]) <= told_at, "Insider heard of it before İYS held it: {state}");
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "allowed");
        world.add_one(address, channel, "RET").await;
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "refused");
        world.until_iys_holds(address, channel, "RET").await;
        world.until_insider_suppresses(address).await;
        world.until_settled(address, channel).await;
        assert_eq!(world.told(Vendor::Iys, address).await, ["HS_WEB", "HS_WEB"]);
    }
}

pub(crate) async fn a_record_whose_callback_is_lost_is_settled_by_what_iys_holds(road: &Road) {
    let world = &road.world;
    let people = somebody(road, 4);
    road.callbacks("lost", 2).await;
    for (address, channel) in &people {
        world.add_one(address, channel, "ONAY").await;
    }
    for (address, channel) in &people {
        world.until_insider_allows(address).await;
        assert_eq!(iys_outcome(world, address, channel).await.0, "applied");
        assert_eq!(world.movements_at_iys(address).await.len(), 1);
    }
    let stats = world.stats(road.integrator).await;
    assert_eq!(stats["faults"]["callback_lost"], 2, "{stats}");
}

pub(crate) async fn a_refusal_whose_callback_is_lost_is_read_from_the_feed(road: &Road) {
    let world = &road.world;
    let people = somebody(road, 5);
    road.callbacks("lost", 2).await;
    for (address, channel) in &people {
        world.citizen(address, "BIREYSEL", channel, "RET").await;
    }
    for (address, channel) in &people {
        world.until_insider_suppresses(address).await;
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "refused");
        world.watch_silence(Vendor::Iys, address);
    }
    let stats = world.stats(road.integrator).await;
    assert_eq!(stats["faults"]["callback_lost"], 2, "{stats}");
}

pub(crate) async fn what_a_caller_may_do_is_told_as_ever(road: &Road) {
    let world = &road.world;
    let [(refused, channel), _] = somebody(road, 1);
    let unknown = road.crowd.email(9);
    let body = json!({ "type": channel, "recipients": [refused, unknown] });
    let answer = world.ask(&format!("/v1/{BRAND}/consents/check"), &body).await;
    let denied = json!([{ "recipient": refused, "reason": "refused" }, { "recipient": unknown, "reason": "unknown" }]);
    assert_eq!(answer, json!({ "allowed": [], "denied": denied }));
    let story = world.lookup(&refused).await;
    assert_eq!(story["states"][0]["status"], "RET", "{story}");
    assert!(story["history"].as_array().is_some_and(|movements| !movements.is_empty()), "{story}");
    let status = world.status(BRAND).await;
    assert_eq!(status["registry"]["kind"], "netgsm", "{status}");
}
