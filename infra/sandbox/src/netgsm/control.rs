//! The control paths of the Netgsm simulator: the portal, the queue, what was sent and what stands.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, patch, put};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Netgsm;
use super::config::Account;
use crate::control::{merged, unreadable};
use crate::integrator::control::{OfBrand, QueueChange, done, records};
use crate::server::json as answer;

pub(super) fn routes() -> Router<Arc<Netgsm>> {
    Router::new()
        .route("/_sandbox/switches", patch(change_switches))
        .route("/_sandbox/accounts", patch(change_account))
        .route("/_sandbox/webhook", put(set_webhook))
        .route("/_sandbox/queue", get(show_queue).patch(change_queue))
        .route("/_sandbox/packages", get(packages))
        .route("/_sandbox/records", get(standing))
}

async fn change_switches(State(netgsm): State<Arc<Netgsm>>, body: Bytes) -> Response {
    let patch = serde_json::from_slice(&body).and_then(|patch: Map<String, Value>| merged(&netgsm.switches(), patch));
    match patch {
        Ok(switches) => {
            netgsm.state().switches = switches;
            answer(200, &json!(switches))
        }
        Err(error) => unreadable(&error),
    }
}

/// An account, by its user name, with the fields that change.
async fn change_account(State(netgsm): State<Arc<Netgsm>>, body: Bytes) -> Response {
    let patch: Map<String, Value> = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return unreadable(&error),
    };
    let username = patch.get("username").and_then(Value::as_str).unwrap_or_default();
    let Some(account) = netgsm.account(username) else {
        return answer(404, &json!({ "error": "no such account" }));
    };
    match merged::<Account>(&account, patch) {
        Ok(changed) => {
            netgsm.put(changed);
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// What a person sets in the portal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    username: String,
    url: Option<String>,
}

async fn set_webhook(State(netgsm): State<Arc<Netgsm>>, body: Bytes) -> Response {
    let Webhook { username, url } = match serde_json::from_slice(&body) {
        Ok(webhook) => webhook,
        Err(error) => return unreadable(&error),
    };
    match netgsm.account(&username) {
        Some(account) => {
            netgsm.put(Account { webhook: url, ..account });
            done()
        }
        None => answer(404, &json!({ "error": "no such account" })),
    }
}

async fn show_queue(State(netgsm): State<Arc<Netgsm>>) -> Response {
    netgsm.settle();
    answer(200, &json!({ "waiting": netgsm.state().queue.len() }))
}

async fn change_queue(State(netgsm): State<Arc<Netgsm>>, body: Bytes) -> Response {
    match serde_json::from_slice::<QueueChange>(&body) {
        Ok(change) => {
            change.apply(&mut netgsm.state().queue);
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// `GET /_sandbox/packages?brandCode=…`: what was queued, in the order in which it came.
async fn packages(State(netgsm): State<Arc<Netgsm>>, Query(of): Query<OfBrand>) -> Response {
    netgsm.settle();
    let state = netgsm.state();
    let rows = state.packages.iter().filter(|package| package.brand == of.brand_code).map(|package| {
        let records: Vec<Value> = package
            .sent
            .iter()
            .map(|sent| {
                let verdict = sent.verdict.as_ref().map(|verdict| match verdict {
                    Ok(stored) => json!({ "transactionId": stored.transaction_id, "creationDate": stored.creation_date }),
                    Err(code) => json!({ "code": code }),
                });
                json!({ "record": sent.record, "verdict": verdict })
            })
            .collect();
        json!({ "uid": package.uid, "submitid": package.submit_id, "records": records })
    });
    answer(200, &Value::Array(rows.collect()))
}

/// `GET /_sandbox/records?brandCode=…`: what stands at İYS.
async fn standing(State(netgsm): State<Arc<Netgsm>>, Query(of): Query<OfBrand>) -> Response {
    netgsm.settle();
    records(&netgsm.registry, of.brand_code)
}
