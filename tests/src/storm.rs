//! A storm: people refuse in the brand's systems, in messages that Insider sent and at İYS itself, while function
//! processes are killed and hung again and again. The rules are the same whichever road leads to İYS.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::crowd::Crowd;
use crate::vendors::Vendor;
use crate::waiting::until_within;
use crate::world::{Setup, World};

/// Refusals in one request, and requests at once. On a machine that is busy a larger request would live longer than the
/// storm lets its process.
const BATCH: usize = 25;
const AT_ONCE: usize = 4;

/// One in so many refuses in a message that Insider sent, and one at İYS.
const ELSEWHERE: usize = 10;

/// Time between two of those; so there is work for as long as they act.
const ACTS_EVERY: Duration = Duration::from_millis(50);

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

/// Pauses in milliseconds after which a vendor tells again what was not taken: nobody may give up before the storm ends.
const TOLD_AGAIN: [u64; 12] = [1000, 1000, 2000, 2000, 3000, 5000, 5000, 10_000, 10_000, 15_000, 15_000, 30_000];

/// Longest wait for what is to come about after the storm, on a machine that is busy with other things, too.
const LONGEST: Duration = Duration::from_secs(300);

/// A world for a storm, made from that of a road.
#[must_use]
pub fn setup(mut setup: Setup) -> Setup {
    let hastier = |line: &'static str| if HASTY.contains(&line.trim()) { TIMEOUT } else { line };
    setup.template = Some(local::template::TEMPLATE.lines().map(hastier).collect::<Vec<_>>().join("\n"));
    let simulators = &mut setup.simulators;
    simulators.insider.webhook_retry_ms = TOLD_AGAIN.into();
    simulators.iys.push_retry_ms = TOLD_AGAIN.into();
    simulators.netgsm.webhook_retry_ms = TOLD_AGAIN.into();
    setup
}

/// Who refuses where: address and channel.
struct People {
    at_the_brand: Vec<(String, &'static str)>,
    at_insider: Vec<(String, &'static str)>,
    at_iys: Vec<(String, &'static str)>,
}

impl People {
    /// So many with an e-mail address, and as many with a phone number.
    fn of(crowd: Crowd, of_each_kind: u32) -> Self {
        assert!((of_each_kind as usize).is_multiple_of(ELSEWHERE), "as many refuse at Insider as at İYS");
        let mut people = Self { at_the_brand: Vec::new(), at_insider: Vec::new(), at_iys: Vec::new() };
        let all = (0..of_each_kind).map(|person| (person, [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]));
        for (person, both) in all {
            match person as usize % ELSEWHERE {
                0 => people.at_insider.extend(both),
                1 => people.at_iys.extend(both),
                _ => people.at_the_brand.extend(both),
            }
        }
        people
    }

    fn all(&self) -> impl Iterator<Item = &(String, &'static str)> {
        self.at_the_brand.iter().chain(&self.at_insider).chain(&self.at_iys)
    }
}

fn signal(name: &str, pid: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([name, &pid.to_string()]).output();
}

/// What the storm has done so far, and whether it is to end.
#[derive(Default)]
struct Weather {
    kills: AtomicUsize,
    hung: AtomicUsize,
    over: AtomicBool,
}

impl Weather {
    /// Kills processes, seeded, until told to end; answers with the processes that it made hang.
    async fn rage(&self, world: &World) -> BTreeMap<String, u32> {
        let mut random = StdRng::seed_from_u64(SEED);
        let mut hung = BTreeMap::new();
        let mut ages = BTreeMap::<u32, u32>::new();
        let mut ticks = tokio::time::interval(KILLS_EVERY);
        while !self.over.load(Ordering::Relaxed) {
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
                self.hung.store(hung.len(), Ordering::Relaxed);
            } else if !processes.is_empty() {
                let (_, pid) = processes[random.random_range(0..processes.len())];
                signal("-KILL", pid);
                self.kills.fetch_add(1, Ordering::Relaxed);
            }
        }
        hung
    }

    /// Everybody refuses, and the storm goes on for a while.
    async fn everybody_refuses(&self, world: &World, people: &People) {
        let refusals: Vec<Value> = people
            .at_the_brand
            .iter()
            .enumerate()
            .map(|(index, (address, channel))| {
                json!({ "recipient": address, "type": channel, "status": "RET", "externalId": format!("storm-{index}") })
            })
            .collect();
        let at_the_brand = futures::stream::iter(refusals.chunks(BATCH)).map(|batch| world.add_patiently_within(LONGEST, batch));
        let elsewhere = async {
            let mut acts = tokio::time::interval(ACTS_EVERY);
            for ((at_insider, _), (at_iys, channel)) in people.at_insider.iter().zip(&people.at_iys) {
                acts.tick().await;
                world.unsubscribe_at_insider(at_insider).await;
                acts.tick().await;
                world.citizen(at_iys, "BIREYSEL", channel, "RET").await;
            }
        };
        tokio::join!(at_the_brand.buffer_unordered(AT_ONCE).collect::<Vec<()>>(), elsewhere);
        let accepted = self.kills.load(Ordering::Relaxed);
        until_within(LONGEST, "the storm goes on for a while", async || {
            // Somebody asks, so that there is a process that can hang.
            let _ =
                world.http.get(format!("{}/v1/{}/status", world.gateway_url(), world.brand())).bearer_auth(&world.brand.key).send().await;
            let (kills, hung) = (self.kills.load(Ordering::Relaxed) - accepted, self.hung.load(Ordering::Relaxed));
            if kills >= KILLS_AFTERWARDS && hung == HANG.len() { Ok(()) } else { Err(format!("{kills} kills, {hung} hung")) }
        })
        .await;
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Waits until hung processes are replaced. One that nobody has called since is not missed: then its function has no
/// other process, and there is work for it, by people of this number on.
async fn replaced(world: &World, crowd: Crowd, first: u32, hung: &BTreeMap<String, u32>) {
    let mut person = first;
    until_within(LONGEST, "hung processes were replaced", async || {
        let processes = world.processes();
        let left: Vec<_> = hung.iter().filter(|(_, hung)| processes.iter().any(|(_, pid)| pid == *hung)).collect();
        if left.is_empty() {
            return Ok(());
        }
        for (name, hung) in &left {
            world.kill(processes.iter().filter(|(other, pid)| other == *name && pid != *hung).map(|(_, pid)| *pid));
        }
        world.add_patiently(&[json!({ "recipient": crowd.email(person), "type": "EPOSTA", "status": "ONAY" })]).await;
        world.until_settled(&crowd.email(person), "EPOSTA").await;
        person += 1;
        Err(format!("{left:?}"))
    })
    .await;
}

/// Refusals from all sides, of so many people of each kind, survive a storm: in the end every system agrees, no
/// movement stands twice, and no address has left its place.
pub async fn refusals_survive(world: &World, crowd: Crowd, of_each_kind: u32) {
    let people = People::of(crowd, of_each_kind);
    world.seed(&people.all().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect::<Vec<_>>()).await;
    let weather = Weather::default();
    let (hung, ()) = tokio::join!(weather.rage(world), weather.everybody_refuses(world, &people));

    until_within(LONGEST, "everybody is refused at İYS", async || {
        let summary = world.summary(Vendor::Iys).await;
        let expected = json!([
            { "type": "EPOSTA", "recipientType": "BIREYSEL", "status": "RET", "count": of_each_kind },
            { "type": "MESAJ", "recipientType": "BIREYSEL", "status": "RET", "count": of_each_kind },
        ]);
        let mut records = summary["records"].as_array().cloned().unwrap_or_default();
        records.sort_by_key(|record| record["type"].to_string());
        if Value::Array(records) == expected && summary["waiting"] == 0 { Ok(()) } else { Err(summary.to_string()) }
    })
    .await;
    until_within(LONGEST, "everybody is suppressed at Insider, and nobody allowed", async || {
        let summary = world.summary(Vendor::Insider).await;
        let suppressed = ["email", "sms"].map(|list| summary["suppressed"][list].as_u64());
        let allowed = ["email_optin", "sms_optin"].map(|flag| summary["flags"][flag]["true"].as_u64());
        let all = Some(u64::from(of_each_kind));
        if suppressed == [all, all] && allowed == [Some(0), Some(0)] { Ok(()) } else { Err(summary.to_string()) }
    })
    .await;
    world.until_nothing_waits(LONGEST).await;

    let few = |people: &[(String, &'static str)]| people.iter().step_by(people.len() / 10 + 1).cloned().collect::<Vec<_>>();
    for (address, channel) in few(&people.at_the_brand).into_iter().chain(few(&people.at_insider)).chain(few(&people.at_iys)) {
        assert_eq!(world.record_at_iys(&address, channel, "BIREYSEL").await["status"], "RET");
        assert_eq!(world.check(world.brand(), channel, "BIREYSEL", &address).await, "refused");
        let state = world.until_settled(&address, channel).await;
        let (suppressed, flag) = world.reachable_at_insider(&address).await;
        // Its own news is not told to Insider: the flag is as it was.
        let expected = if state["origin"] == "insider" { Value::Null } else { json!(false) };
        assert_eq!((suppressed, flag), (true, expected), "{state}");
    }
    let stats = world.stats(Vendor::Iys).await;
    let movements = world.summary(Vendor::Iys).await["movements"].clone();
    assert_eq!(movements, 4 * of_each_kind, "the consent that stood there, and one refusal, of each: {stats}");
    replaced(world, crowd, of_each_kind, &hung).await;
    world.until_nothing_waits(LONGEST).await;
    assert!(stats["peak_per_second"].as_u64().unwrap() <= 10, "{stats}");
    for vendor in [Vendor::Iys, Vendor::Insider] {
        let stats = world.stats(vendor).await;
        assert_eq!((&stats["violations"], &stats["rejected"]), (&json!({}), &json!({})), "{vendor:?}: {stats}");
        assert_eq!(stats["deliveries"]["abandoned"], 0, "{vendor:?}: {stats}");
    }
    world.check_that_no_address_left_its_place().await;
}
