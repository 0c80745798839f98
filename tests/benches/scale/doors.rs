//! What a caller waits for: a function that has to start first, consents that are handed in, addresses that are
//! checked.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::consent::ConsentDate;

use crate::fill::{Stand, fill};
use crate::people::Person;
use crate::say;
use crate::system::{RESTING, System};

/// Keys of the ledger that is asked.
const KEYS: usize = 10_000;
/// Times that each is measured.
const TIMES: usize = 40;
/// Consents of a request, and addresses of a check: as many as the API takes.
const CONSENTS: usize = 500;
const ADDRESSES: usize = 1000;

pub(crate) async fn measure() {
    let system = System::start().await;
    let (path, table) = system.table();
    fill(&path, table, &system.brand(RESTING), KEYS, Stand::AtRest, Timestamp::now()).await;

    say("| starting | median, ms | of it the start, ms |\n|---|---|---|");
    for function in ["consent-api", "webhook-ingest", "iys-push", "unsubscribe-relay", "reconcile"] {
        let (mut cold, mut warm) = (Vec::new(), Vec::new());
        for _ in 0..TIMES / 4 {
            system.renew(function).await;
            cold.push(call(&system, function).await);
            warm.push(call(&system, function).await);
        }
        let (cold, warm) = (share(&mut cold, 50), share(&mut warm, 50));
        say(&format!("| {function} | {} | {} |", cold.as_millis(), cold.saturating_sub(warm).as_millis()));
    }

    say("\n| request | p50, ms | p99, ms | a second, one caller |\n|---|---|---|---|");
    let mut took = Vec::new();
    let date = ConsentDate::at(Timestamp::now() - SignedDuration::from_mins(1));
    for request in 0..TIMES {
        let consent = |number: usize| {
            let recipient = format!("yeni{request}.{number}@example.com");
            json!({ "recipient": recipient, "type": "EPOSTA", "recipientType": "BIREYSEL", "status": "ONAY", "consentDate": date })
        };
        let consents: Vec<Value> = (0..CONSENTS).map(consent).collect();
        let begun = Instant::now();
        let answer = system.ask("consents", &json!({ "consents": consents })).await;
        took.push(begun.elapsed());
        assert!(answer["results"].as_array().unwrap().iter().all(|result| result["result"] == "accepted"), "{answer}");
    }
    tell(&format!("{CONSENTS} consents handed in"), CONSENTS, &mut took);
    let recipients: Vec<String> =
        (0..KEYS).map(Person).filter(|person| person.is_consumer_with_email()).take(ADDRESSES).map(Person::address).collect();
    let check = json!({ "type": "EPOSTA", "recipientType": "BIREYSEL", "recipients": recipients });
    let mut took = Vec::new();
    for _ in 0..TIMES * 5 {
        let begun = Instant::now();
        let answer = system.ask("consents/check", &check).await;
        took.push(begun.elapsed());
        assert!(!answer["allowed"].as_array().unwrap().is_empty(), "{answer}");
    }
    tell(&format!("{ADDRESSES} addresses checked"), ADDRESSES, &mut took);
    system.end().await;
}

/// One call that a function does next to nothing for.
async fn call(system: &System, function: &str) -> Duration {
    let begun = Instant::now();
    match function {
        "consent-api" => {
            let check = json!({ "type": "EPOSTA", "recipientType": "BIREYSEL", "recipients": ["kisi0@example.com"] });
            system.ask("consents/check", &check).await;
        }
        "webhook-ingest" => system.knock().await,
        "reconcile" => drop(system.job_again(&json!({ "job": "push_service" })).await),
        other => system.no_messages(other).await,
    }
    begun.elapsed()
}

fn tell(what: &str, each: usize, took: &mut [Duration]) {
    let (half, most) = (share(took, 50), share(took, 99));
    let total: Duration = took.iter().sum();
    let rate = (each * took.len()) as u128 * 1000 / total.as_millis().max(1);
    say(&format!("| {what} | {} | {} | {rate} |", half.as_millis(), most.as_millis()));
}

/// What so many percent take no longer than.
fn share(took: &mut [Duration], percent: usize) -> Duration {
    took.sort_unstable();
    took[(took.len() * percent).div_ceil(100).max(1) - 1]
}
