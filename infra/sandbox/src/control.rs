//! The control paths that both simulators have: health, faults, stats.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

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

/// `current` with the fields of `patch`, whose names may be in camel case as at İYS; null is a field's default.
pub(crate) fn merged<T: Serialize + DeserializeOwned>(current: &T, patch: Map<String, Value>) -> Result<T, serde_json::Error> {
    let mut fields = match serde_json::to_value(current)? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        let name = snake(&name);
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    serde_json::from_value(Value::Object(fields))
}

fn snake(name: &str) -> String {
    name.chars().flat_map(|letter| letter.is_ascii_uppercase().then_some('_').into_iter().chain([letter.to_ascii_lowercase()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iys::Subscription;

    #[test]
    fn a_patch_changes_what_it_names_and_null_brings_the_default_back() {
        let current = Subscription { consent_limit: Some(5), consent_limit_exceed: true, ..Subscription::default() };
        let patch = |value: Value| value.as_object().cloned().unwrap_or_default();
        let changed = merged(&current, patch(json!({ "status": "PAUSED", "consentLimit": 7 }))).ok();
        assert_eq!(changed.map(|one| (one.consent_limit, one.consent_limit_exceed)), Some((Some(7), true)));
        let changed = merged(&current, patch(json!({ "consent_limit": null }))).ok();
        assert_eq!(changed.map(|one| one.consent_limit), Some(None));
        assert!(merged(&current, patch(json!({ "nonsense": 1 }))).is_err());
    }
}
