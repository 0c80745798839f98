//! A system that ends with work in hand, and the one that is started after it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::json;
use tests::{Crowd, Setup, Vendor, World, until};

/// Far more than go one by one, so that bulk submissions are cut off, too.
const PEOPLE: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_work_that_was_pending_when_everything_ended_is_done_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    // Pull alone must do, here and after: nothing is pushed.
    let setup =
        Setup { data: Some(data.path().to_owned()), push_notices: false, schedule_speed: 60.0, ..Setup::new(env!("CARGO_BIN_EXE_stack")) };
    let crowd = Crowd::new(80);
    let refusals: Vec<_> =
        (0..PEOPLE).map(|person| json!({ "recipient": crowd.phone(person), "type": "MESAJ", "status": "RET" })).collect();
    let onays: Vec<_> = (0..PEOPLE).map(|person| json!({ "recipient": crowd.email(person), "type": "EPOSTA", "status": "ONAY" })).collect();

    let world = World::start(setup.clone()).await;
    // Tokens are given: after failures there the system asks for none for a while.
    for (vendor, path) in [(Vendor::Iys, "/sps"), (Vendor::Iys, "/v2"), (Vendor::Insider, "/")] {
        world.fault(vendor, json!({ "path": path, "kind": "drop", "count": 1_000_000 })).await;
    }
    world.add(refusals.into()).await;
    world.add(onays.into()).await;
    until("both vendors were called in vain", async || {
        let (iys, insider) = (world.stats(Vendor::Iys).await, world.stats(Vendor::Insider).await);
        let met = |stats: &serde_json::Value| stats["faults"]["drop"].as_u64() >= Some(1);
        if met(&iys) && met(&insider) { Ok(()) } else { Err(format!("{} and {}", iys["faults"], insider["faults"])) }
    })
    .await;
    world.check_that_no_address_left_its_place().await;
    world.end().await;

    // The simulators forget everything with their process: İYS holds what stood there before.
    let world = World::start(setup).await;
    let status = world.status("demo").await;
    assert!(status["oldestDue"].is_string(), "{status}");
    for person in 0..PEOPLE {
        let (phone, email) = (crowd.phone(person), crowd.email(person));
        world.until_insider_suppresses(&phone).await;
        assert_eq!(world.until_settled(&phone, "MESAJ").await["iys"]["outcome"], "not_registered");
        world.until_iys_holds(&email, "EPOSTA", "ONAY").await;
        world.until_insider_allows(&email).await;
        assert_eq!(world.movements_at_iys(&email).await.len(), 1);
    }
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "restart.log");
    a_person_at_iys_is_heard_by_pull_alone(&world).await;
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

async fn a_person_at_iys_is_heard_by_pull_alone(world: &World) {
    let crowd = Crowd::new(81);
    let people = [(crowd.email(1), "EPOSTA"), (crowd.phone(1), "MESAJ")];
    for (status, reason) in [("ONAY", "allowed"), ("RET", "refused")] {
        for (address, channel) in &people {
            world.citizen(address, "BIREYSEL", channel, status).await;
        }
        for (address, channel) in &people {
            world.until_check_says(channel, address, reason).await;
            if status == "ONAY" {
                world.until_insider_allows(address).await;
            } else {
                world.until_insider_suppresses(address).await;
            }
            let state = world.until_settled(address, channel).await;
            assert_eq!((&state["origin"], &state["status"]), (&"registry".into(), &status.into()));
            world.until_second_after(&state["consentDate"]).await;
        }
    }
    for (address, _) in &people {
        world.watch_silence(Vendor::Iys, address);
    }
    world.check_silences().await;
}
