//! The control paths of the Mysoft simulator: the portal, tokens, the queue, the mirror, and what stands.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{delete, get, patch, post, put};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Mysoft;
use super::config::{Account, Webhook};
use crate::control::{merged, unreadable};
use crate::integrator::control::{OfBrand, QueueChange, done, records};
use crate::server::json as answer;

pub(super) fn routes() -> Router<Arc<Mysoft>> {
    Router::new()
        .route("/_sandbox/switches", patch(change_switches))
        .route("/_sandbox/accounts", patch(change_account))
        .route("/_sandbox/webhook", put(set_webhook))
        .route("/_sandbox/tokens", delete(revoke))
        .route("/_sandbox/queue", get(show_queue).patch(change_queue))
        .route("/_sandbox/batches/fail", post(fail_batches))
        .route("/_sandbox/mirror", post(mirror))
        .route("/_sandbox/records", get(standing))
}

async fn change_switches(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    let patch = serde_json::from_slice(&body).and_then(|patch: Map<String, Value>| merged(&mysoft.switches(), patch));
    match patch {
        Ok(switches) => {
            mysoft.state().switches = switches;
            answer(200, &json!(switches))
        }
        Err(error) => unreadable(&error),
    }
}

fn no_such_account() -> Response {
    answer(404, &json!({ "error": "no such account" }))
}

/// An account, by its client, with the fields that change.
async fn change_account(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    let patch: Map<String, Value> = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return unreadable(&error),
    };
    let client = patch.get("client_id").or_else(|| patch.get("clientId")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut state = mysoft.state();
    let Some(account) = state.accounts.iter_mut().find(|account| account.client_id == client) else {
        return no_such_account();
    };
    match merged::<Account>(account, patch) {
        Ok(changed) => {
            *account = changed;
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// What a person sets in the portal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Portal {
    tenant_identifier_number: String,
    webhook: Option<Webhook>,
}

async fn set_webhook(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    let portal: Portal = match serde_json::from_slice(&body) {
        Ok(portal) => portal,
        Err(error) => return unreadable(&error),
    };
    let mut state = mysoft.state();
    let mut tenants = state.accounts.iter_mut().flat_map(|account| &mut account.tenants);
    match tenants.find(|tenant| tenant.tenant_identifier_number == portal.tenant_identifier_number) {
        Some(tenant) => {
            tenant.webhook = portal.webhook;
            done()
        }
        None => no_such_account(),
    }
}

async fn revoke(State(mysoft): State<Arc<Mysoft>>) -> Response {
    mysoft.state().tokens.revoke();
    done()
}

async fn show_queue(State(mysoft): State<Arc<Mysoft>>) -> Response {
    mysoft.settle();
    answer(200, &json!({ "waiting": mysoft.state().queue.len() }))
}

async fn change_queue(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    match serde_json::from_slice::<QueueChange>(&body) {
        Ok(change) => {
            change.apply(&mut mysoft.state().queue);
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// How many of the next bulk adds fail as a whole when they are processed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    count: u64,
}

async fn fail_batches(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Fail>(&body) {
        Ok(fail) => {
            mysoft.state().batches_to_fail = fail.count;
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// `POST /_sandbox/mirror?brandCode=…`: the mirror takes over what stands at İYS, now.
async fn mirror(State(mysoft): State<Arc<Mysoft>>, Query(of): Query<OfBrand>) -> Response {
    mysoft.settle();
    let rows = mysoft.mirror(&mut mysoft.state(), of.brand_code);
    answer(200, &json!({ "rows": rows }))
}

/// `GET /_sandbox/records?brandCode=…`: what stands at İYS.
async fn standing(State(mysoft): State<Arc<Mysoft>>, Query(of): Query<OfBrand>) -> Response {
    mysoft.settle();
    records(&mysoft.registry, of.brand_code)
}
