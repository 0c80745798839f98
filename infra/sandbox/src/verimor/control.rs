//! The control paths of the Verimor simulator: the portal, the queue, the daily job, and what stands.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, patch, post, put};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::config::Account;
use super::{Verimor, daily};
use crate::control::{merged, unreadable};
use crate::integrator::control::{OfBrand, QueueChange, done, records};
use crate::iys::model::turkish;
use crate::server::json as answer;

pub(super) fn routes() -> Router<Arc<Verimor>> {
    Router::new()
        .route("/_sandbox/switches", patch(change_switches))
        .route("/_sandbox/accounts", patch(change_account))
        .route("/_sandbox/push_url", put(set_push_url))
        .route("/_sandbox/queue", get(show_queue).patch(change_queue))
        .route("/_sandbox/daily", post(run_daily))
        .route("/_sandbox/records", get(standing))
}

async fn change_switches(State(verimor): State<Arc<Verimor>>, body: Bytes) -> Response {
    let patch = serde_json::from_slice(&body).and_then(|patch: Map<String, Value>| merged(&verimor.switches(), patch));
    match patch {
        Ok(switches) => {
            verimor.state().switches = switches;
            answer(200, &json!(switches))
        }
        Err(error) => unreadable(&error),
    }
}

/// An account, by its user name, with the fields that change.
async fn change_account(State(verimor): State<Arc<Verimor>>, body: Bytes) -> Response {
    let patch: Map<String, Value> = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return unreadable(&error),
    };
    let username = patch.get("username").and_then(Value::as_str).unwrap_or_default();
    let Some(account) = verimor.account(username) else {
        return answer(404, &json!({ "error": "no such account" }));
    };
    match merged::<Account>(&account, patch) {
        Ok(changed) => {
            verimor.put(changed);
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// What a person sets in the portal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushUrl {
    username: String,
    url: Option<String>,
}

async fn set_push_url(State(verimor): State<Arc<Verimor>>, body: Bytes) -> Response {
    let PushUrl { username, url } = match serde_json::from_slice(&body) {
        Ok(push_url) => push_url,
        Err(error) => return unreadable(&error),
    };
    match verimor.account(&username) {
        Some(account) => {
            verimor.put(Account { push_url: url, ..account });
            done()
        }
        None => answer(404, &json!({ "error": "no such account" })),
    }
}

async fn show_queue(State(verimor): State<Arc<Verimor>>) -> Response {
    verimor.settle();
    answer(200, &json!({ "waiting": verimor.state().queue.len() }))
}

async fn change_queue(State(verimor): State<Arc<Verimor>>, body: Bytes) -> Response {
    match serde_json::from_slice::<QueueChange>(&body) {
        Ok(change) => {
            change.apply(&mut verimor.state().queue);
            done()
        }
        Err(error) => unreadable(&error),
    }
}

/// The last day whose campaigns are made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    date: Option<Date>,
}

/// `POST /_sandbox/daily`: ends the days up to this one (today) at once.
async fn run_daily(State(verimor): State<Arc<Verimor>>, body: Bytes) -> Response {
    let until: Until = match serde_json::from_slice(&body) {
        Ok(until) => until,
        Err(error) => return unreadable(&error),
    };
    verimor.settle();
    let day = until.date.unwrap_or_else(|| turkish(verimor.registry.now()).date());
    let campaigns = daily::close(&verimor, &mut verimor.state(), day.saturating_add(1.day()));
    answer(200, &json!({ "campaigns": campaigns }))
}

/// `GET /_sandbox/records?brandCode=…`: what stands at İYS.
async fn standing(State(verimor): State<Arc<Verimor>>, Query(of): Query<OfBrand>) -> Response {
    verimor.settle();
    records(&verimor.registry, of.brand_code)
}
