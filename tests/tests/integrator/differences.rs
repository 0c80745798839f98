//! Flow D: what differs without a word to anybody is found by the comparison of everything, and repaired on both sides.

use serde_json::json;
use tests::until;

use crate::flows::somebody;
use crate::road::{BRAND, Road};

/// Each of the four differences with an e-mail address and a phone number.
const KEYS: u64 = 8;

pub(crate) async fn what_differs_without_a_word_is_found_and_repaired(road: &Road) {
    let world = &road.world;
    let [refused, lost, withdrawn, lifted] = [20, 21, 22, 23].map(|person| somebody(road, person));

    for (address, channel) in refused.iter().chain(&lost) {
        world.add_one(address, channel, "ONAY").await;
    }
    for (address, channel) in &withdrawn {
        world.citizen(address, "BIREYSEL", channel, "ONAY").await;
    }
    road.seed(&lifted.each_ref().map(|(address, channel)| (address.as_str(), *channel, "ONAY"))).await;
    for (address, channel) in &lifted {
        world.add_one(address, channel, "RET").await;
    }
    for (address, channel) in refused.iter().chain(&lost).chain(&withdrawn).chain(&lifted) {
        let state = world.until_settled(address, channel).await;
        world.until_second_after(&state["consentDate"]).await;
    }

    road.hold_queue(true).await;
    for (address, channel) in &refused {
        world.silently_at_iys(address, channel, "RET").await;
    }
    for (address, channel) in lost.iter().chain(&withdrawn).chain(&lifted) {
        world.lost_at_iys(address, channel).await;
    }
    for (address, channel) in refused.iter().chain(&lost).chain(&withdrawn) {
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "allowed", "somebody was told");
    }
    until("all differences are found", async || {
        let report = world.verify_fully(BRAND).await;
        let differences = world.status(BRAND).await["verification"]["differences"].clone();
        let found = differences.as_object().into_iter().flatten().filter_map(|(_, count)| count["found"].as_u64()).sum::<u64>();
        if found == KEYS { Ok(()) } else { Err(format!("{report}: {differences}")) }
    })
    .await;

    for (address, channel) in &refused {
        world.until_insider_suppresses(address).await;
        assert_eq!(world.until_settled(address, channel).await["origin"], "registry");
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "refused");
    }
    for (address, channel) in &withdrawn {
        // It came from İYS, which has it no more: there is nothing that could be sent again.
        world.until_insider_suppresses(address).await;
        let state = world.until_settled(address, channel).await;
        assert_eq!((&state["iys"]["state"], &state["iys"]["code"]), (&json!("rejected"), &json!("H467")), "{state}");
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "expired");
    }
    for (address, channel) in &lost {
        // Nobody is messaged on what is only on its way.
        world.until_insider_suppresses(address).await;
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "not_yet_at_iys");
    }
    road.hold_queue(false).await;
    for (address, channel) in &lost {
        world.until_iys_holds(address, channel, "ONAY").await;
        world.until_insider_allows(address).await;
        assert_eq!(world.check(BRAND, channel, "BIREYSEL", address).await, "allowed");
    }
    for (address, channel) in &lifted {
        world.until_iys_holds(address, channel, "RET").await;
        assert_eq!(world.until_settled(address, channel).await["iys"]["outcome"], "applied");
        assert_eq!(world.reachable_at_insider(address).await, (true, json!(false)));
    }
    let differences = world.status(BRAND).await["verification"]["differences"].clone();
    let counts = |kind: &str, what: &str| differences[kind][what].as_u64();
    // Refused, lost and withdrawn at İYS; the refusals that it lost.
    assert_eq!((counts("onay_missing", "found"), counts("ret_missing", "found")), (Some(6), Some(2)), "{differences}");
    assert_eq!(
        (counts("onay_missing", "adopted"), counts("onay_missing", "sentAgain"), counts("onay_missing", "takenBack")),
        (Some(2), Some(2), Some(2)),
        "{differences}"
    );
    assert_eq!(counts("ret_missing", "sentAgain"), Some(2), "{differences}");
}
