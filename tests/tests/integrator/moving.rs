//! A brand moves from its integrator to its own API user and back, while movements come in from all sides and lists
//! are under way: in the end ledger, İYS and Insider say the same of every key.

use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Crowd, Vendor, World, moment, until, until_next_second};

use crate::road::{BRAND, look_at_resends, setup};

/// People with an e-mail address, and as many with a phone number.
const PEOPLE: u32 = 30;
/// Rounds of movements; the brand moves within two of them.
const ROUNDS: usize = 6;
const LEAVES: usize = 1;
const COMES_BACK: usize = 4;
/// Longer than all of it takes, on a machine that is busy with other things, too.
const LONGEST: Duration = Duration::from_secs(400);

type People = [(String, &'static str)];

/// The brand's systems tell of everybody: ONAY and RET in turn.
async fn at_the_brand(world: &World, people: &People, round: usize) {
    let consent = |(index, (address, channel)): (usize, &(String, &str))| {
        let status = if (round + index).is_multiple_of(2) { "ONAY" } else { "RET" };
        json!({ "recipient": address, "type": channel, "status": status, "externalId": format!("{round}-{index}") })
    };
    let consents: Vec<Value> = people.iter().enumerate().map(consent).collect();
    // A few at a time, so that some are under way at every moment; many at once make a list by the brand's own API
    // user, too.
    let at_once = if round == COMES_BACK { consents.len() } else { 6 };
    for consents in consents.chunks(at_once) {
        world.add_patiently(consents).await;
    }
}

/// One person in three acts at İYS, another unsubscribes in what Insider sent.
async fn elsewhere(world: &World, people: &People, round: usize) {
    for (address, channel) in people.iter().skip(round % 3).step_by(3) {
        world.citizen(address, "BIREYSEL", channel, if round.is_multiple_of(2) { "RET" } else { "ONAY" }).await;
    }
    for (address, _) in people.iter().skip((round + 1) % 3).step_by(3) {
        world.unsubscribe_at_insider(address).await;
    }
}

/// The integrator keeps what it takes, or goes on handing it to İYS.
async fn hold_queue(world: &World, held: bool) {
    world.control(Vendor::Netgsm, Method::PATCH, "queue", &json!({ "held": held })).await;
}

/// Until something is bound for İYS: handed in without a result yet, or, where that is `enough`, about to be.
async fn until_something_is(world: &World, enough: &[&str]) {
    until("something is bound for İYS", async || {
        let iys = world.status(BRAND).await["iys"].clone();
        if enough.iter().any(|state| iys[state].as_u64() >= Some(1)) { Ok(()) } else { Err(iys.to_string()) }
    })
    .await;
}

/// Until something went by the brand's own API user.
async fn until_it_hands_in_by_itself(world: &World) {
    until("something goes by the brand's own API user", async || {
        let calls = world.calls_of_iys().await;
        let by_itself = calls.keys().any(|(method, path, _)| method == "POST" && path.contains("/consents") && !path.contains("/status/"));
        if by_itself { Ok(()) } else { Err(format!("{calls:?}")) }
    })
    .await;
}

/// The brand's document is changed, and read at once: the processes that have read the old one end.
fn move_to(world: &World, registry: &Value) {
    let left = world.document(BRAND)["registry"].clone();
    world.change_brand(&json!({ "name": BRAND, "registry": registry, "formerRegistry": left }));
    world.kill(world.processes().into_iter().map(|(_, pid)| pid));
}

/// What is wrong with a key; nothing where all three agree on it, and İYS has no movement twice or with a date that
/// nobody said.
async fn wrong(world: &World, address: &str, channel: &str) -> Option<String> {
    let story = world.lookup(address).await;
    let state = world.state(address, channel, "BIREYSEL").await;
    let record = world.record_at_iys(address, channel, "BIREYSEL").await;
    let (suppressed, flag) = world.reachable_at_insider(address).await;
    let movements = world.movements_at_iys(address).await;
    let refused = state["status"] == "RET";
    // Who unsubscribed in a message is on the list; what came from Insider is not sent back to its flag.
    let insider_agrees = if refused { suppressed } else { !suppressed && flag == true };
    let is_open = [&state["iys"], &state["insider"]].iter().any(|side| side["state"] != "settled");
    let mut said: Vec<_> = movements.iter().map(|movement| (movement["status"].to_string(), movement["consentDate"].to_string())).collect();
    said.sort_unstable();
    said.dedup();
    let known = story["history"].to_string();
    let is_known = |movement: &Value| {
        let date = &movement["consentDate"];
        known.contains(date.as_str().unwrap()) || known.contains(&moment(date).to_string())
    };
    // The consents of the beginning are İYS's own.
    let unknown = movements.iter().skip(1).find(|movement| !is_known(movement));
    let is_right = record["status"] == state["status"] && insider_agrees && !is_open && said.len() == movements.len() && unknown.is_none();
    (!is_right).then(|| {
        format!("{channel}: ledger {state}; İYS {record}; Insider listed {suppressed}, flag {flag}; unknown {unknown:?}; at İYS {movements:#?}; {story:#}")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_that_moves_to_its_own_api_user_and_back_under_load_agrees_with_all_sides_on_every_key() {
    let mut setup = setup(Vendor::Netgsm);
    setup.brands.push(json!({ "name": BRAND, "iys": { "username": "moving-api-user", "password": "moving-password" } }));
    let world = World::start(setup).await;
    let crowd = Crowd::new(44);
    let people: Vec<_> = (0..PEOPLE).flat_map(|person| [(crowd.email(person), "EPOSTA"), (crowd.phone(person), "MESAJ")]).collect();
    world.seed(&people.iter().map(|(address, channel)| (address.as_str(), *channel, "ONAY")).collect::<Vec<_>>()).await;
    let netgsm = world.document(BRAND)["registry"].clone();
    for round in 0..ROUNDS {
        let moving = async {
            match round {
                LEAVES => {
                    hold_queue(&world, true).await;
                    until_something_is(&world, &["submitted"]).await;
                    move_to(&world, &json!({ "kind": "iys" }));
                }
                // What was under way when the brand left ends now.
                round if round == LEAVES + 1 => hold_queue(&world, false).await,
                round if round == COMES_BACK - 1 => until_it_hands_in_by_itself(&world).await,
                COMES_BACK => {
                    until_something_is(&world, &["pending", "submitted"]).await;
                    move_to(&world, &netgsm);
                }
                _ => {}
            }
        };
        tokio::join!(moving, at_the_brand(&world, &people, round), elsewhere(&world, &people, round));
        until_next_second().await;
    }
    world.until_nothing_waits(LONGEST).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "integrator-moving.log");

    let found = futures::stream::iter(&people).map(async |(address, channel)| wrong(&world, address, channel).await);
    let found: Vec<_> = found.buffer_unordered(4).filter_map(async |wrong| wrong).collect().await;
    assert!(found.is_empty(), "{} of {}: {}", found.len(), people.len(), found[0]);
    look_at_resends(&world, Vendor::Netgsm).await;
    let stats = world.stats(Vendor::Insider).await;
    assert_eq!((&stats["violations"], &stats["rejected"]), (&json!({}), &json!({})), "{stats}");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
