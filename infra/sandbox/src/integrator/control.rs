//! Control answers that the simulators of integrators share.

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::Queue;
use crate::iys::Registry;
use crate::server::json as answer;

/// A change of the queue; what is left out stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct QueueChange {
    delay_seconds: Option<u64>,
    held: Option<bool>,
}

impl QueueChange {
    pub(crate) fn apply<T>(&self, queue: &mut Queue<T>) {
        if let Some(seconds) = self.delay_seconds {
            queue.set_delay(seconds);
        }
        if let Some(held) = self.held {
            queue.hold(held);
        }
    }
}

/// Which brand is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfBrand {
    pub(crate) brand_code: u64,
}

/// What stands at İYS for a brand.
pub(crate) fn records(registry: &Registry, brand: u64) -> Response {
    let rows: Vec<Value> = registry.standing(brand).iter().map(|(key, movement)| Value::Object(movement.listed(key))).collect();
    answer(200, &Value::Array(rows))
}

/// The answer to a control request that did what it says.
pub(crate) fn done() -> Response {
    answer(200, &json!({ "status": "ok" }))
}
