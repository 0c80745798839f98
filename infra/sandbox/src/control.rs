//! The control paths that both simulators have: health, faults, stats.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::faults::{Fault, Faults};
use crate::server::json as answer;
use crate::stats::Stats;

/// What the shared control paths act on.
#[derive(Clone)]
struct Shared {
    stats: Arc<Stats>,
    faults: Arc<Faults>,
}

/// The shared control paths, ready to be merged into a simulator's router.
pub(crate) fn routes(stats: Arc<Stats>, faults: Arc<Faults>) -> Router {
    Router::new()
        .route("/_sandbox/health", get(async || answer(200, &json!({"status": "ok"}))))
        .route("/_sandbox/stats", get(show_stats).delete(reset_stats))
        .route("/_sandbox/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .with_state(Shared { stats, faults })
}

/// The answer to a control request that cannot be read.
pub(crate) fn unreadable(error: &impl ToString) -> Response {
    answer(400, &json!({"error": error.to_string()}))
}

async fn show_stats(State(shared): State<Shared>) -> Response {
    answer(200, &json!(shared.stats.snapshot()))
}

async fn reset_stats(State(shared): State<Shared>) -> Response {
    shared.stats.reset();
    answer(200, &json!({"status": "ok"}))
}

async fn list_faults(State(shared): State<Shared>) -> Response {
    answer(200, &json!(shared.faults.left()))
}

async fn add_faults(State(shared): State<Shared>, body: Bytes) -> Response {
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) => {
            shared.faults.add(fault);
            answer(200, &json!({"status": "ok"}))
        }
        Err(error) => unreadable(&error),
    }
}

async fn clear_faults(State(shared): State<Shared>) -> Response {
    shared.faults.clear();
    answer(200, &json!({"status": "ok"}))
}
