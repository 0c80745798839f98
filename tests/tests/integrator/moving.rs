//! A brand moves from its integrator to its own API user and back while movements come in. Its lists end before, as
//! `docs/integrators.md` advises.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Crowd, Vendor, World, until};

use crate::road::{BRAND, look_at_resends, setup};

/// People with an e-mail address, and as many with a phone number.
const PEOPLE: u32 = 20;
/// Longer than all of it takes, on a machine that is busy with other things, too.
const LONGEST: Duration = Duration::from_secs(400);

type People = Vec<(String, &'static str)>;

/// The brand's systems tell of everybody: ONAY and RET in turn.
async fn at_the_brand(world: &World, people: &People, round: usize) {
    let consent = |(index, (address, channel)): (usize, &(String, &str))| {
        let status = if (round + index).is_multiple_of(2) { "ONAY" } else { "RET" };
        json!({ "recipient": address, "type": channel, "status": status, "externalId": format!("{round}-{index}") })
    };
    let consents: Vec<Value> = people.iter().enumerate().map(consent).collect();
    // One by one, so that some are under way at every moment.
    for consent in consents.chunks(4) {
        world.add_patiently(consent).await;
    }
}

/// The brand's document is changed, and read at once: the processes that have read the old one end.
fn move_to(world: &World, registry: &Value) {
    world.change_brand(&json!({ "name": BRAND, "registry": registry }));
    world.kill(world.processes().into_iter().map(|(_, pid)| pid));
}

/// People at İYS, of whom the brand hears by the road that it is on.
async fn at_iys(world: &World, people: &[(String, &'static str)]) {
    for (address, channel) in people {
        world.citizen(address, "BIREYSEL", channel, "RET").await;
    }
    for (address, channel) in people {
        until("the ledger knows what happened at İYS", async || {
            let refused = world.lookup(address).await["states"].clone();
            let known = refused.as_array().into_iter().flatten().any(|state| state["type"] == *channel && state["status"] == "RET");
            if known { Ok(()) } else { Err(refused.to_string()) }
        })
        .await;
    }
}

/// What the three say of an address; nothing where they agree.
async fn disagreement(world: &World, address: &str, channel: &str) -> Option<String> {
    let state = world.state(address, channel, "BIREYSEL").await;
    let record = world.record_at_iys(address, channel, "BIREYSEL").await;
    let (suppressed, flag) = world.reachable_at_insider(address).await;
    let is_refused = state["status"] == "RET";
    // A first refusal that stands nowhere at İYS has nothing to end there.
    let iys_agrees = record["status"] == state["status"] || (is_refused && record.is_null());
    let insider_agrees = suppressed == is_refused && (is_refused || flag == true);
    (!iys_agrees || !insider_agrees).then(|| format!("{channel}: ledger {state}; İYS {record}; Insider listed {suppressed}, flag {flag}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_that_moves_to_its_own_api_user_and_back_under_load_agrees_with_all_sides_at_rest() {
    let mut setup = setup(Vendor::Netgsm);
    setup.brands.push(json!({ "name": BRAND, "iys": { "username": "moving-api-user", "password": "moving-password" } }));
    let world = World::start(setup).await;
    let crowd = Crowd::new(44);
    let of = |first: u32| -> People {
        (first..first + PEOPLE).flat_map(|person| [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]).collect()
    };
    let (people, others) = (of(0), of(1000));
    let netgsm = world.document(BRAND)["registry"].clone();
    at_the_brand(&world, &people, 0).await;
    at_iys(&world, &others[..8]).await;
    for (round, registry) in [(1, json!({ "kind": "iys" })), (2, netgsm)] {
        // What a list carried whose verdict is lost with the road may wait for a day: lists end first.
        until("no list is under way", async || {
            let iys = world.status(BRAND).await["iys"].clone();
            let open = ["pending", "submitted"].iter().filter_map(|state| iys[state].as_u64()).sum::<u64>();
            if open == 0 { Ok(()) } else { Err(iys.to_string()) }
        })
        .await;
        move_to(&world, &registry);
        at_the_brand(&world, &people, round).await;
        let first = round * 8;
        at_iys(&world, &others[first..first + 8]).await;
    }
    world.until_nothing_waits(LONGEST).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "integrator-moving.log");

    for (address, channel) in people.iter().chain(&others[..24]) {
        assert_eq!(disagreement(&world, address, channel).await, None);
        let movements = world.movements_at_iys(address).await;
        let mut dated: Vec<_> =
            movements.iter().map(|movement| (&movement["status"], &movement["consentDate"])).map(|of| format!("{of:?}")).collect();
        dated.sort_unstable();
        dated.dedup();
        assert_eq!(dated.len(), movements.len(), "a movement stands twice at İYS: {movements:?}");
        // Every date at İYS is one that the ledger was told: none was made up on the way.
        let known = world.lookup(address).await["history"].to_string();
        for movement in &movements {
            let moment = tests::moment(&movement["consentDate"]);
            let is_known = known.contains(movement["consentDate"].as_str().unwrap()) || known.contains(&moment.to_string());
            assert!(is_known, "{movement} is not in {known}");
        }
    }
    let calls = world.calls_of_iys().await;
    let by_itself = calls.keys().any(|(method, path, _)| method == "POST" && path.contains("/consents") && !path.contains("/status/"));
    assert!(by_itself, "nothing went by the brand's own API user: {calls:?}");
    look_at_resends(&world, Vendor::Netgsm).await;
    let stats = world.stats(Vendor::Insider).await;
    assert_eq!(stats["violations"], json!({}), "{stats}");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
