//! İYS and Insider going wrong in every way while work is under way.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Crowd, Setup, Vendor, World, until};

/// Path of single adds and bulk submissions alike.
const ADDS: &str = "/v2/sps/700001/brands/700001/consents";

/// Addresses of each kind of movement.
const EACH: u32 = 15;

/// A pause between faults of a kind: how long a connection hangs that is then closed.
const HANG_MS: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_through_all_faults_everything_ends_right_and_no_movement_stands_twice() {
    let world = World::start(Setup { grace_seconds: 5, ..Setup::new(env!("CARGO_BIN_EXE_stack")) }).await;
    why_an_onay_is_not_allowed_yet(&world).await;

    let crowd = Crowd::new(71);
    let consenting: Vec<_> = (0..EACH).map(|person| (crowd.email(person), "EPOSTA")).collect();
    let refusing: Vec<_> = (0..EACH).map(|person| (crowd.phone(person), "MESAJ")).collect();
    let unsubscribing: Vec<_> = (100..100 + EACH).map(|person| (crowd.email(person), "EPOSTA")).collect();
    let acting_at_iys: Vec<_> = (200..200 + EACH).map(|person| (crowd.email(person), "EPOSTA")).collect();
    let seeded = refusing.iter().chain(&unsubscribing).map(|(address, channel)| (address.as_str(), *channel, "ONAY"));
    world.seed(&seeded.collect::<Vec<_>>()).await;

    let dropped = |path: &str| json!({ "path": path, "kind": "drop", "latency_ms": HANG_MS, "count": 2 });
    let landed = |path: &str| json!({ "path": path, "kind": "timeout_after_apply", "latency_ms": HANG_MS, "count": 3 });
    let status = |path: &str, status: u16, count: u64| json!({ "path": path, "kind": "status", "status": status, "count": count });
    let not_json = json!({ "path": ADDS, "kind": "status", "status": 200, "body": "down for maintenance" });
    let unknown_token =
        json!({ "path": ADDS, "kind": "status", "status": 401, "body": { "errors": [{ "code": "H351", "message": "-" }] }, "count": 1 });
    let too_fast =
        json!({ "path": ADDS, "kind": "status", "status": 429, "body": { "errors": [{ "code": "H124", "message": "-" }] }, "count": 2 });
    let unavailable =
        json!({ "path": ADDS, "kind": "status", "status": 503, "body": { "errors": [{ "code": "H123", "message": "-" }] }, "count": 2 });
    for fault in [landed(ADDS), status(ADDS, 500, 2), unavailable, too_fast, not_json, unknown_token, dropped(ADDS), status("/sps", 503, 3)]
    {
        world.fault(Vendor::Iys, fault).await;
    }
    for path in ["/email", "/sms", "/api/user/v1/upsert"] {
        for fault in [landed(path), status(path, 500, 2), json!({ "path": path, "kind": "rate_limit", "count": 2 }), dropped(path)] {
            world.fault(Vendor::Insider, fault).await;
        }
    }

    // One after the other, so that many small requests meet many faults.
    for person in 0..consenting.len() {
        world.add_one(&consenting[person].0, "EPOSTA", "ONAY").await;
        world.add_one(&refusing[person].0, "MESAJ", "RET").await;
        world.unsubscribe_at_insider(&unsubscribing[person].0).await;
        world.citizen(&acting_at_iys[person].0, "BIREYSEL", "EPOSTA", "RET").await;
    }
    world.until_nothing_waits(Duration::from_secs(120)).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "faults.log");

    for (people, status, movements) in
        [(&consenting, "ONAY", 1), (&refusing, "RET", 2), (&unsubscribing, "RET", 2), (&acting_at_iys, "RET", 1)]
    {
        for (address, channel) in people {
            let held = world.until_iys_holds(address, channel, status).await;
            assert_eq!(world.movements_at_iys(address).await.len(), movements, "{held}");
            assert_eq!(world.state(address, channel, "BIREYSEL").await["status"], status);
        }
    }
    for (address, _) in &consenting {
        world.until_insider_allows(address).await;
    }
    for (address, _) in refusing.iter().chain(&acting_at_iys) {
        world.until_insider_suppresses(address).await;
    }
    for (address, _) in &unsubscribing {
        assert!(world.reachable_at_insider(address).await.0);
    }
    let stats = world.stats(Vendor::Iys).await;
    assert_eq!(stats["violations"]["result_queried_early"], Value::Null, "{stats}");
    assert_eq!(stats["violations"]["bad_credentials"], Value::Null, "{stats}");
    for vendor in [Vendor::Iys, Vendor::Insider] {
        let faults = world.stats(vendor).await["faults"].clone();
        for kind in ["timeout_after_apply", "status", "drop"] {
            assert!(faults[kind].as_u64() >= Some(1), "{vendor:?} met no {kind}: {faults}");
        }
    }
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

/// İYS is away, and then refuses: a check says so.
async fn why_an_onay_is_not_allowed_yet(world: &World) {
    let crowd = Crowd::new(70);
    let (waiting, late) = (crowd.email(1), crowd.email(2));
    world.fault(Vendor::Iys, json!({ "path": ADDS, "kind": "status", "status": 500, "count": 100_000 })).await;
    world.add_one(&waiting, "EPOSTA", "ONAY").await;
    until("İYS was asked", async || match world.stats(Vendor::Iys).await["faults"]["status"].as_u64() {
        Some(1..) => Ok(()),
        _ => Err("no fault was met".to_owned()),
    })
    .await;
    assert_eq!(world.check("demo", "EPOSTA", "BIREYSEL", &waiting).await, "not_yet_at_iys");
    assert_eq!(world.status("demo").await["iys"]["pending"], 1);
    world.clear_faults(Vendor::Iys).await;
    world.until_check_says("EPOSTA", &waiting, "allowed").await;

    let too_late = json!({ "errors": [{ "code": "H467", "message": "-", "index": 0 }] });
    world.fault(Vendor::Iys, json!({ "path": ADDS, "kind": "status", "status": 422, "body": too_late, "count": 1 })).await;
    world.add_one(&late, "EPOSTA", "ONAY").await;
    world.until_check_says("EPOSTA", &late, "expired").await;
    // It is no consent any more, so Insider must not message it either.
    world.until_insider_suppresses(&late).await;
    let state = world.until_settled(&late, "EPOSTA").await;
    assert_eq!((&state["iys"]["state"], &state["iys"]["code"]), (&"rejected".into(), &"H467".into()), "{state}");
    assert!(state["iys"]["cause"]["en"].is_string() && state["iys"]["remedy"]["tr"].is_string(), "{state}");
    world.clear_faults(Vendor::Iys).await;
}
