//! Two thousand refusals while function processes are killed again and again.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tests::{Crowd, Setup, Vendor, World, until, until_within};

/// People of each kind.
const PEOPLE: u32 = 1000;

/// Refusals in one request, and requests at once.
const BATCH: usize = 100;
const AT_ONCE: usize = 4;

/// Time between two kills.
const KILLS_EVERY: Duration = Duration::from_millis(300);

/// Kills after the last refusal was accepted: the storm goes on while the backlog is worked on.
const KILLS_AFTERWARDS: usize = 20;

/// The storm is the same in every run, as far as the functions are.
const SEED: u64 = 6563;

/// A hung process is noticed by its function's timeout; nobody should wait minutes here.
const TIMEOUT: &str = "      Timeout: 15";

/// The longer ones of the functions that hang.
const HASTY: [&str; 3] = ["Timeout: 29", "Timeout: 60", "Timeout: 120"];

/// These hang once; a process of this many kills' age has started.
const HANG: [&str; 3] = ["consent-api", "iys-push", "unsubscribe-relay"];
const HANG_AGE: u32 = 4;

fn signal(name: &str, pid: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([name, &pid.to_string()]).output();
}

/// Kills processes, seeded, until told to end; answers with the processes that it made hang.
async fn storm(world: &World, kills: &AtomicUsize, over: &AtomicBool) -> BTreeMap<String, u32> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut hung = BTreeMap::new();
    let mut ages = BTreeMap::<u32, u32>::new();
    let mut ticks = tokio::time::interval(KILLS_EVERY);
    while !over.load(Ordering::Relaxed) || hung.len() < HANG.len() {
        ticks.tick().await;
        let mut processes = world.processes();
        processes.retain(|(_, pid)| !hung.values().any(|hung| hung == pid));
        ages = processes.iter().map(|(_, pid)| (*pid, ages.get(pid).map_or(0, |age| age + 1))).collect();
        let hangs = processes
            .iter()
            .find(|(name, pid)| HANG.contains(&name.as_str()) && !hung.contains_key(name) && ages.get(pid) >= Some(&HANG_AGE));
        if let Some((name, pid)) = hangs.cloned() {
            signal("-STOP", pid);
            hung.insert(name, pid);
        } else if !processes.is_empty() {
            let (_, pid) = processes[random.random_range(0..processes.len())];
            signal("-KILL", pid);
            kills.fetch_add(1, Ordering::Relaxed);
        }
    }
    hung
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_two_thousand_refusals_survive_a_storm_of_kills() {
    let hastier = |line: &'static str| if HASTY.contains(&line.trim()) { TIMEOUT } else { line };
    let template = local::template::TEMPLATE.lines().map(hastier).collect::<Vec<_>>().join("\n");
    let world = World::start(Setup { template: Some(template), ..Setup::new(env!("CARGO_BIN_EXE_stack")) }).await;
    let crowd = Crowd::new(60);
    let people: Vec<(String, &str)> =
        (0..PEOPLE).flat_map(|person| [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]).collect();
    let seeds: Vec<_> = people.iter().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect();
    world.seed(&seeds).await;
    let refusals: Vec<Value> = people
        .iter()
        .enumerate()
        .map(|(index, (address, channel))| {
            json!({ "recipient": address, "type": channel, "status": "RET", "externalId": format!("storm-{index}") })
        })
        .collect();

    let (kills, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let sending = async {
        let batches = futures::stream::iter(refusals.chunks(BATCH)).map(|batch| world.add_patiently(batch));
        batches.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        let accepted = kills.load(Ordering::Relaxed);
        until("the storm goes on for a while", async || match kills.load(Ordering::Relaxed) - accepted {
            enough if enough >= KILLS_AFTERWARDS => Ok(()),
            more => Err(format!("{more} kills")),
        })
        .await;
        over.store(true, Ordering::Relaxed);
    };
    let (hung, ()) = tokio::join!(storm(&world, &kills, &over), sending);
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "storm.log");

    let longest = Duration::from_secs(150);
    until_within(longest, "everybody is refused at İYS", async || {
        let summary = world.summary(Vendor::Iys).await;
        let expected = json!([
            { "type": "EPOSTA", "recipientType": "BIREYSEL", "status": "RET", "count": PEOPLE },
            { "type": "MESAJ", "recipientType": "BIREYSEL", "status": "RET", "count": PEOPLE },
        ]);
        let mut records = summary["records"].as_array().cloned().unwrap_or_default();
        records.sort_by_key(|record| record["type"].to_string());
        if Value::Array(records) == expected && summary["waiting"] == 0 { Ok(()) } else { Err(summary.to_string()) }
    })
    .await;
    until_within(longest, "everybody is suppressed at Insider", async || {
        let summary = world.summary(Vendor::Insider).await;
        let suppressed = ["email", "sms"].map(|list| summary["suppressed"][list].as_u64());
        let flags = ["email_optin", "sms_optin"].map(|flag| summary["flags"][flag]["false"].as_u64());
        let all = Some(u64::from(PEOPLE));
        if suppressed == [all, all] && flags == [all, all] { Ok(()) } else { Err(summary.to_string()) }
    })
    .await;
    world.until_nothing_waits(longest).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "storm.log");

    for (address, channel) in people.iter().step_by(101) {
        assert_eq!(world.record_at_iys(address, channel, "BIREYSEL").await["status"], "RET");
        assert_eq!(world.reachable_at_insider(address).await, (true, Value::Bool(false)));
        assert_eq!(world.check("demo", channel, "BIREYSEL", address).await, "refused");
    }
    until("hung processes were replaced", async || {
        let left: Vec<_> = world.processes().into_iter().filter(|(_, pid)| hung.values().any(|hung| hung == pid)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    let stats = world.stats(Vendor::Iys).await;
    assert_eq!(world.summary(Vendor::Iys).await["movements"], 4 * PEOPLE, "a movement stands twice at İYS: {stats}");
    for vendor in [Vendor::Iys, Vendor::Insider] {
        let stats = world.stats(vendor).await;
        assert_eq!((&stats["violations"], &stats["rejected"]), (&json!({}), &json!({})), "{stats}");
    }
    assert!(stats["peak_per_second"].as_u64().unwrap() <= 10, "{stats}");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
