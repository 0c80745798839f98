//! Refusals at an integrator while function processes are killed again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tests::{Crowd, Vendor, World, until};

use crate::road::{look_at_resends, setup};

/// People of each kind.
const PEOPLE: u32 = 100;
/// Time between two kills.
const KILLS_EVERY: Duration = Duration::from_millis(300);
/// Kills after the last refusal was accepted.
const KILLS_AFTERWARDS: usize = 20;
/// The storm is the same in every run, as far as the functions are.
const SEED: u64 = 6563;
/// Longer than all of it takes, on a machine that is busy with other things, too.
const LONGEST: Duration = Duration::from_secs(400);

async fn storm(world: &World, kills: &AtomicUsize, over: &AtomicBool) {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut ticks = tokio::time::interval(KILLS_EVERY);
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let processes = world.processes();
        if !processes.is_empty() {
            world.kill([processes[random.random_range(0..processes.len())].1]);
            kills.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_refusals_at_an_integrator_survive_a_storm_of_kills() {
    let world = World::start(setup(Vendor::Netgsm)).await;
    let crowd = Crowd::new(43);
    let people: Vec<(String, &str)> =
        (0..PEOPLE).flat_map(|person| [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]).collect();
    world.seed(&people.iter().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect::<Vec<_>>()).await;
    let refusal = |(index, (address, channel)): (usize, &(String, &str))| json!({ "recipient": address, "type": channel, "status": "RET", "externalId": format!("storm-{index}") });
    let refusals: Vec<Value> = people.iter().enumerate().map(refusal).collect();

    let (kills, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let sending = async {
        for batch in refusals.chunks(50) {
            world.add_patiently(batch).await;
        }
        let accepted = kills.load(Ordering::Relaxed);
        until("the storm goes on for a while", async || match kills.load(Ordering::Relaxed) - accepted {
            enough if enough >= KILLS_AFTERWARDS => Ok(()),
            more => Err(format!("{more} kills")),
        })
        .await;
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(storm(&world, &kills, &over), sending);
    world.until_nothing_waits(LONGEST).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "integrator-kills.log");

    for (address, channel) in &people {
        let told = world.movements_at_iys(address).await;
        assert_eq!(told.len(), 2, "the consent that stood there, and one refusal: {told:?}");
        assert_eq!(world.record_at_iys(address, channel, "BIREYSEL").await["status"], "RET");
        assert_eq!(world.reachable_at_insider(address).await, (true, json!(false)));
    }
    look_at_resends(&world, Vendor::Netgsm).await;
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
