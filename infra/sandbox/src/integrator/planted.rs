//! Refusals that a test plants at an integrator for one address, whatever the rules say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::control::unreadable;
use crate::iys::{ConsentType, RecipientType};
use crate::server::json as answer;
use crate::stats::Stats;

/// Where a planted refusal strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// The integrator's own check of one record.
    Check,
    /// The whole call that carries the record.
    List,
    /// İYS's verdict, later.
    Verdict,
    /// A query for the address.
    Query,
}

/// One order: the next `count` matching records or queries are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refusal {
    /// Address, as İYS writes it; letters in any case.
    pub recipient: String,
    /// Channel; absent: any.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub consent_type: Option<ConsentType>,
    /// Recipient type; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_type: Option<RecipientType>,
    /// Where it strikes.
    pub at: Place,
    /// The integrator's code, or at [`Place::Verdict`] İYS's.
    pub code: String,
    /// How many records or queries are hit.
    #[serde(default = "one")]
    pub count: u64,
}

fn one() -> u64 {
    1
}

/// The orders not yet used up, oldest first.
#[derive(Default)]
pub(crate) struct Planted(Mutex<Vec<Refusal>>);

impl Planted {
    /// The code of the oldest order that hits a record or query in İYS's words; counted as a fault.
    pub(crate) fn take(&self, place: Place, item: &Map<String, Value>, stats: &Stats) -> Option<String> {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut planted = self.lock();
        let hits = |refusal: &Refusal| {
            refusal.at == place
                && refusal.recipient.eq_ignore_ascii_case(text("recipient"))
                && refusal.consent_type.is_none_or(|wanted| wanted.name() == text("type"))
                && refusal.recipient_type.is_none_or(|wanted| wanted.name() == text("recipientType"))
        };
        let at = planted.iter().position(|refusal| refusal.count > 0 && hits(refusal))?;
        let refusal = planted.get_mut(at)?;
        refusal.count -= 1;
        let code = refusal.code.clone();
        if refusal.count == 0 {
            planted.remove(at);
        }
        stats.fault("refusal");
        Some(code)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The control path.
pub(crate) fn routes(planted: Arc<Planted>) -> Router {
    Router::new().route("/_sandbox/refusals", get(list).post(plant).delete(forget)).with_state(planted)
}

async fn plant(State(planted): State<Arc<Planted>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => {
            planted.lock().push(refusal);
            answer(200, &json!({ "status": "ok" }))
        }
        Err(error) => unreadable(&error),
    }
}

async fn list(State(planted): State<Arc<Planted>>) -> Response {
    answer(200, &json!(*planted.lock()))
}

async fn forget(State(planted): State<Arc<Planted>>) -> Response {
    planted.lock().clear();
    answer(200, &json!({ "status": "ok" }))
}
