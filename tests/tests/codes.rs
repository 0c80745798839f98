//! Every code of İYS's table, provoked in the simulator and met by the functions' own processes, ends in
//! the ledger as the table says.
//!
//! The table is `shared::consent::code`; each entry names the calls that can meet it. Walked here are the
//! calls that carry consents (add, bulk list and its rows), the questions that they give rise to (single and
//! multi status), bulk results and pull. What other calls meet ends in no state: the client's own tests walk
//! those.

use std::time::Duration;

use serde_json::{Value, json};
use shared::consent::code::{CallGroup, Disposition, Entry, entries};
use tests::{Crowd, Setup, Vendor, World, until_within};

/// Records that still go one by one.
const SINGLES: usize = 15;
/// Records that are enough for a bulk submission.
const MANY: usize = 30;
/// Longest wait for an ending: a record that İYS did not take for a fault of its own is sent again after a
/// minute at first.
const LONGEST: Duration = Duration::from_secs(240);
const BULK_RESULT: &str = "/v2/sps/700001/brands/700001/consents/request/";
const PULL: &str = "/sps/700001/brands/700001/consents/changes";

/// Entries that a group of calls can meet and that hold up nobody else's work. A refused token is met by the
/// adds alone: a new one that is refused as well within minutes means that the credentials are wrong.
fn met_by(group: CallGroup) -> impl Iterator<Item = &'static Entry> {
    entries().iter().filter(move |entry| {
        let alone = match entry.disposition {
            Disposition::Held(_) | Disposition::TokenStop => false,
            Disposition::Unauthorised => group == CallGroup::Add,
            _ => true,
        };
        alone && entry.met_by.contains(&group)
    })
}

/// One address for each code of a place.
struct Walk {
    crowd: Crowd,
    at: &'static str,
    entries: Vec<&'static Entry>,
}

impl Walk {
    fn new(crowd: u8, at: &'static str, group: CallGroup) -> Self {
        let entries: Vec<_> = met_by(group).collect();
        assert!(entries.len() > 3, "no codes for {at}");
        Self { crowd: Crowd::new(crowd), at, entries }
    }

    fn people(&self) -> Vec<(String, &'static Entry)> {
        (0..).zip(&self.entries).map(|(person, entry)| (self.crowd.email(person), *entry)).collect()
    }
}

async fn plant(world: &World, recipient: &str, at: &str, code: &str, http: u16) {
    world.plant(json!({ "recipient": recipient, "type": "EPOSTA", "at": at, "code": code, "http": http })).await;
}

/// Hands in a refusal for each address, all in one request.
async fn refuse(world: &World, addresses: &[String]) {
    let consents: Vec<Value> =
        addresses.iter().map(|address| json!({ "recipient": address, "type": "EPOSTA", "status": "RET", "source": "HS_WEB" })).collect();
    for result in world.add(Value::Array(consents)).await {
        assert_eq!(result["result"], "accepted", "{result}");
    }
}

/// İYS holds a consent of each address from before.
async fn seed(world: &World, addresses: &[String]) {
    let records: Vec<_> = addresses.iter().map(|address| (address.as_str(), "EPOSTA", "ONAY")).collect();
    world.seed(&records).await;
}

/// How a refusal ends that İYS answered with a code once and takes when it comes again.
fn ending(entry: &Entry) -> (&'static str, &'static str) {
    match entry.disposition {
        Disposition::AlreadyThere => ("settled", "already_there"),
        Disposition::NotRegistered => ("settled", "not_registered"),
        Disposition::Rejected | Disposition::TooLate => ("rejected", entry.code),
        _ => ("settled", "applied"),
    }
}

/// Waits until the registry's work on an address has ended, as it must.
async fn until_ended(world: &World, address: &str, what: &str, (state, word): (&str, &str)) {
    until_within(LONGEST, &format!("{what} ends as {state} {word}"), async || {
        let iys = world.state(address, "EPOSTA", "BIREYSEL").await["iys"].clone();
        let said = if state == "rejected" { &iys["code"] } else { &iys["outcome"] };
        if iys["state"] == state && *said == word { Ok(()) } else { Err(iys.to_string()) }
    })
    .await;
    if state == "rejected" {
        let iys = world.state(address, "EPOSTA", "BIREYSEL").await["iys"].clone();
        for language in ["en", "tr"] {
            assert!(iys["cause"][language].is_string() && iys["remedy"][language].is_string(), "{what}: {iys}");
        }
    }
}

/// Single adds: each address's first add is refused with its code.
async fn walk_adds(world: &World) {
    let walk = Walk::new(72, "add", CallGroup::Add);
    for people in walk.people().chunks(SINGLES) {
        let addresses: Vec<_> = people.iter().map(|(address, _)| address.clone()).collect();
        seed(world, &addresses).await;
        for (address, entry) in people {
            plant(world, address, walk.at, entry.code, entry.http).await;
        }
        refuse(world, &addresses).await;
        for (address, entry) in people {
            until_ended(world, address, &format!("{} at add", entry.code), ending(entry)).await;
        }
    }
}

/// Bulk lists and rows of their results: one list has every code, beside records that nothing is wrong with.
async fn walk_lists(world: &World, walk: &Walk) -> Vec<String> {
    let people = walk.people();
    let good: Vec<_> = (1000..).take(MANY).map(|person| walk.crowd.email(person)).collect();
    let addresses: Vec<_> = people.iter().map(|(address, _)| address.clone()).chain(good.clone()).collect();
    seed(world, &addresses).await;
    for (address, entry) in &people {
        plant(world, address, walk.at, entry.code, entry.http).await;
    }
    refuse(world, &addresses).await;
    good
}

async fn lists_have_ended(world: &World, walk: &Walk, good: &[String]) {
    for (address, entry) in walk.people() {
        until_ended(world, &address, &format!("{} at {}", entry.code, walk.at), ending(entry)).await;
    }
    for address in good {
        until_ended(world, address, "a good record", ("settled", "applied")).await;
        assert_eq!(world.movements_at_iys(address).await.len(), 2, "a good record stands once");
    }
}

/// Questions: an answer that tells nothing of what İYS holds judges nothing, so the question is asked again.
async fn walk_questions(world: &World) {
    // A newer movement at İYS is fetched by a single status query.
    let status = Walk::new(75, "status", CallGroup::Status);
    let people: Vec<_> = status.people().into_iter().filter(|(_, entry)| entry.code != "H086").collect();
    for people in people.chunks(SINGLES) {
        let addresses: Vec<_> = people.iter().map(|(address, _)| address.clone()).collect();
        seed(world, &addresses).await;
        for (address, entry) in people {
            plant(world, address, "add", "H178", 400).await;
            plant(world, address, status.at, entry.code, entry.http).await;
        }
        refuse(world, &addresses).await;
        for (address, entry) in people {
            until_ended(world, address, &format!("{} at single status", entry.code), ("settled", "applied")).await;
        }
    }
    // Whether İYS holds an ONAY at all is a multi status query, of all addresses together.
    let multi = Walk::new(76, "multi", CallGroup::MultiStatus);
    for (address, entry) in multi.people() {
        plant(world, &address, multi.at, entry.code, entry.http).await;
        refuse(world, std::slice::from_ref(&address)).await;
        until_ended(world, &address, &format!("{} at multi status", entry.code), ("settled", "not_registered")).await;
    }
}

/// Results of bulk submissions: an answer that cannot be used is asked for again.
async fn walk_results(world: &World) {
    let crowd = Crowd::new(77);
    for (round, entry) in (0..).zip(met_by(CallGroup::BulkStatus)) {
        let addresses: Vec<_> = (round * 100..).take(MANY).map(|person| crowd.email(person)).collect();
        seed(world, &addresses).await;
        order(world, BULK_RESULT, entry).await;
        refuse(world, &addresses).await;
        until_ended(world, &addresses[0], &format!("{} at bulk results", entry.code), ("settled", "applied")).await;
    }
}

/// Pull: a page that İYS refuses is read by the next run.
async fn walk_pulls(world: &World) {
    let crowd = Crowd::new(78);
    for (person, entry) in (0..).zip(met_by(CallGroup::Pull)) {
        let address = crowd.email(person);
        order(world, PULL, entry).await;
        world.citizen(&address, "BIREYSEL", "EPOSTA", "RET").await;
        until_within(LONGEST, &format!("what follows {} at pull is read", entry.code), async || {
            let state = world.state(&address, "EPOSTA", "BIREYSEL").await;
            if state["status"] == "RET" && state["origin"] == "registry" { Ok(()) } else { Err(state.to_string()) }
        })
        .await;
    }
}

async fn order(world: &World, path: &str, entry: &Entry) {
    let body = json!({ "errors": [{ "code": entry.code, "message": "-" }] });
    world.fault(Vendor::Iys, json!({ "path": path, "kind": "status", "status": entry.http, "body": body, "count": 1 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_that_work_can_meet_ends_as_the_table_says() {
    // Push notices stay away, so that pull has something to bring.
    let world = World::start(Setup {
        grace_seconds: 5,
        push_notices: false,
        schedule_speed: 100.0,
        visibility_timeout: 1,
        ..Setup::new(env!("CARGO_BIN_EXE_stack"))
    })
    .await;
    let (lists, rows) = (Walk::new(73, "list", CallGroup::BulkList), Walk::new(74, "row", CallGroup::BulkRow));
    // While nothing else waits, so that these records are few enough to go one by one.
    walk_adds(&world).await;
    walk_questions(&world).await;
    // What İYS did not take for a fault of its own waits a minute: meanwhile the others are walked.
    let good_rows = walk_lists(&world, &rows).await;
    let good_lists = walk_lists(&world, &lists).await;
    walk_results(&world).await;
    walk_pulls(&world).await;
    lists_have_ended(&world, &rows, &good_rows).await;
    lists_have_ended(&world, &lists, &good_lists).await;
    let stats = world.stats(Vendor::Iys).await;
    assert_eq!(stats["rejected"], json!({}), "the simulator's own rules refused something: {stats}");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
