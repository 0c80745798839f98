//! Twenty thousand movements of five hundred addresses from three sides at once, while Insider lets
//! requests land late, loses answers and limits: at rest all three say the same of every address.
//!
//! It takes some two minutes on two cores: the functions and the emulated table are bound by the processor.
//! `AGREEMENT_ROUNDS=5` is a shorter storm for people at work.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;
use tests::{Crowd, Setup, Vendor, World, until_next_second};

/// People with an e-mail address, and as many with a phone number.
const PEOPLE: u32 = 250;
/// Beside them: people who act at one vendor only, which must not be told what it told.
const QUIET: u32 = 10;

/// Rounds of the storm. In each the brand's systems tell of everybody, and so many people act at İYS and
/// at Insider at the same time: eight hundred movements.
const ROUNDS: usize = 25;
const AT_IYS: usize = 220;
const AT_INSIDER: usize = 80;

/// The order of events is the same in every run, as far as the machine lets it.
const SEED: u64 = 2015;

/// How many times faster than in the cloud schedules run: pull and sweep leave the processor to the rest.
const SCHEDULE_SPEED: f64 = 10.0;

/// Seconds after which unanswered requests are taken for landed; late ones land well before.
const GRACE: u32 = 8;
const LATE_MS: u64 = 1_500;
/// Time between two orders of faults.
const FAULTS_EVERY: Duration = Duration::from_millis(700);

/// Longer than all of it takes, on a machine that is busy with other things, too.
const LONGEST: Duration = Duration::from_secs(400);

/// Everybody of the storm: address and channel.
fn people(crowd: Crowd) -> Vec<(String, &'static str)> {
    (0..PEOPLE).flat_map(|person| [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]).collect()
}

/// The brand's systems: ONAY and RET in turn.
async fn at_the_brand(world: &World, people: &[(String, &'static str)], round: usize) {
    let consent = |(index, (address, channel)): (usize, &(String, &str))| {
        let status = if (round + index).is_multiple_of(2) { "ONAY" } else { "RET" };
        json!({ "recipient": address, "type": channel, "status": status, "externalId": format!("{round}-{index}") })
    };
    world.add_patiently(&people.iter().enumerate().map(consent).collect::<Vec<_>>()).await;
}

/// People at İYS: ONAY and RET in turn.
async fn at_iys(world: &World, people: &[&(String, &'static str)]) {
    for (act, (address, channel)) in people.iter().enumerate() {
        world.citizen(address, "BIREYSEL", channel, if act.is_multiple_of(2) { "RET" } else { "ONAY" }).await;
    }
}

/// People who unsubscribe in what Insider sent them.
async fn at_insider(world: &World, people: &[&(String, &'static str)]) {
    futures::stream::iter(people).for_each_concurrent(4, async |(address, _)| world.unsubscribe_at_insider(address).await).await;
}

/// The storm itself. Nobody acts twice within a second at one vendor.
async fn storm(world: &World, people: &[(String, &'static str)]) {
    let mut random = StdRng::seed_from_u64(SEED);
    for round in 0..rounds() {
        let mut acting: Vec<_> = people.iter().collect();
        acting.shuffle(&mut random);
        let (iys, insider) = (&acting[..AT_IYS], &acting[AT_IYS / 2..AT_IYS / 2 + AT_INSIDER]);
        tokio::join!(at_the_brand(world, people, round), at_iys(world, iys), at_insider(world, insider));
        until_next_second().await;
    }
}

fn rounds() -> usize {
    std::env::var("AGREEMENT_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// What goes wrong at Insider, again and again until the storm is over.
async fn trouble(world: &World, over: &AtomicBool) {
    let mut ticks = tokio::time::interval(FAULTS_EVERY);
    let mut kinds = [("timeout_after_apply", 50), ("rate_limit", 0), ("gateway_timeout", LATE_MS)];
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        // Faults that met nobody are not piled up.
        world.clear_faults(Vendor::Insider).await;
        for path in ["/email", "/sms", "/api/user/v1/upsert"] {
            for (kind, latency_ms) in kinds {
                world.fault(Vendor::Insider, json!({ "path": path, "kind": kind, "latency_ms": latency_ms })).await;
            }
        }
        // Another kind comes first each time, however few calls there are between two orders.
        kinds.rotate_left(1);
    }
    world.clear_faults(Vendor::Insider).await;
}

/// What the three say of an address: each must be the ledger's word.
async fn disagreement(world: &World, address: &str, channel: &str) -> Option<String> {
    let state = world.state(address, channel, "BIREYSEL").await;
    let record = world.record_at_iys(address, channel, "BIREYSEL").await;
    let (suppressed, flag) = world.reachable_at_insider(address).await;
    let refused = state["status"] == "RET";
    // A first refusal that stands nowhere at İYS has nothing to end there.
    let iys_agrees = record["status"] == state["status"] || (refused && record.is_null());
    // Who unsubscribed in a message is on the list; what came from Insider is not sent back to its flag.
    let insider_agrees = if refused { suppressed } else { !suppressed && flag == true };
    let open = [&state["iys"], &state["insider"]].iter().any(|side| side["state"] != "settled");
    if iys_agrees && insider_agrees && !open {
        return None;
    }
    let heard = world.lookup(address).await["movements"].clone();
    let told = world.movements_at_iys(address).await;
    Some(format!(
        "{channel}: ledger {state}; İYS {record}; Insider listed {suppressed}, flag {flag};\nledger's movements {heard:#};\nİYS's {told:#?}"
    ))
}

/// Movements that İYS was told of although a person had made them there: same status, same date.
async fn echoes_at_iys(world: &World, address: &str) -> usize {
    let mut own = BTreeSet::new();
    let mut echoes = 0;
    for movement in world.movements_at_iys(address).await {
        let act = (movement["status"].to_string(), movement["consentDate"].to_string());
        if movement["source"].as_str().is_some_and(|source| source.starts_with("IYS_")) {
            own.insert(act);
        } else {
            echoes += usize::from(own.contains(&act));
        }
    }
    echoes
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_and_5_after_a_storm_from_three_sides_all_agree_and_nobody_heard_its_own_news() {
    let setup = Setup { grace_seconds: GRACE, schedule_speed: SCHEDULE_SPEED, ..Setup::new(env!("CARGO_BIN_EXE_stack")) };
    let world = World::start(setup).await;
    let crowd = Crowd::new(61);
    let people = people(crowd);
    let seeds: Vec<_> = people.iter().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect();
    world.seed(&seeds).await;
    let quiet_at_iys: Vec<_> = (1_000..1_000 + QUIET).map(|person| crowd.email(person)).collect();
    let quiet_at_insider: Vec<_> = (2_000..2_000 + QUIET).map(|person| crowd.email(person)).collect();

    let over = AtomicBool::new(false);
    let acting = async {
        let quiet = async {
            for address in &quiet_at_iys {
                world.citizen(address, "BIREYSEL", "EPOSTA", "ONAY").await;
                world.watch_silence(Vendor::Iys, address);
            }
            for address in &quiet_at_insider {
                world.unsubscribe_at_insider(address).await;
                world.watch_silence(Vendor::Insider, address);
            }
        };
        tokio::join!(storm(&world, &people), quiet);
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(acting, trouble(&world, &over));
    // What a person did last at İYS may be in nobody's queue yet.
    world.job("pull").await;
    world.until_nothing_waits(LONGEST).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "agreement.log");

    let found = futures::stream::iter(&people)
        .map(async |(address, channel)| (disagreement(&world, address, channel).await, echoes_at_iys(&world, address).await))
        .buffer_unordered(8)
        .collect::<Vec<_>>()
        .await;
    let disagreements: Vec<_> = found.iter().filter_map(|(words, _)| words.as_ref()).collect();
    assert!(disagreements.is_empty(), "{} of {}: {:#?}", disagreements.len(), people.len(), &disagreements[..disagreements.len().min(5)]);
    assert_eq!(found.iter().map(|(_, echoes)| echoes).sum::<usize>(), 0, "İYS was told its own news");
    world.check_silences().await;

    let stats = world.stats(Vendor::Insider).await;
    for kind in ["timeout_after_apply", "rate_limit", "gateway_timeout"] {
        assert!(stats["faults"][kind].as_u64() >= Some(3), "{kind}: {stats}");
    }
    assert_eq!((&stats["violations"], &stats["rejected"]), (&json!({}), &json!({})), "{stats}");
    assert_eq!(stats["deliveries"]["abandoned"], 0, "{stats}");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
