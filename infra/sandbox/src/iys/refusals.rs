//! Refusals that a test plants: the next request, or bulk item, with a given address is answered with a
//! given code, whatever the rules say. They stand in for verdicts that no rule here can be made to give.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Iys;
use super::errors::lookup;
use super::model::{ConsentType, RecipientType};
use crate::control::unreadable;
use crate::server::{MadeUp, json as answer};

/// The name under which planted refusals are counted among the faults.
pub(crate) const FAULT: &str = "refusal";

/// Where a planted refusal strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A single add, v1 or v2.
    Add,
    /// A bulk add: the whole list is refused, with the item's `index`.
    List,
    /// A bulk item: taken, and a `failure` row in the results.
    Row,
    /// A single status query.
    Status,
    /// A multi status query: the whole query is refused, with the address's `location`.
    Multi,
}

/// One order: the next `count` matching requests or items are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// Address; e-mail addresses in any case of letters.
    pub recipient: String,
    /// Channel; absent: any.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub consent_type: Option<ConsentType>,
    /// Recipient type; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_type: Option<RecipientType>,
    /// Where it strikes.
    pub at: Place,
    /// The code that is answered, whether or not İYS has it.
    pub code: String,
    /// HTTP status of the answer; a row has none.
    #[serde(default = "unprocessable")]
    pub http: u16,
    /// How many requests or items are hit.
    #[serde(default = "one")]
    pub count: u64,
}

fn unprocessable() -> u16 {
    422
}

fn one() -> u64 {
    1
}

/// What a request or an item says of itself, as it came.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    recipient: &'a str,
    consent_type: Option<ConsentType>,
    recipient_type: Option<RecipientType>,
}

impl<'a> Asked<'a> {
    /// Reads the fields of a consent object or of a query; `None` if there is no address in it.
    pub(crate) fn of(fields: &'a Map<String, Value>) -> Option<Self> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        Some(Self {
            recipient: text("recipient")?,
            consent_type: text("type").and_then(ConsentType::parse),
            recipient_type: Some(text("recipientType").map_or(Some(RecipientType::default()), RecipientType::parse)?),
        })
    }

    /// One address of a multi status query.
    pub(crate) fn one(recipient: &'a str, consent_type: ConsentType, recipient_type: RecipientType) -> Self {
        Self { recipient, consent_type: Some(consent_type), recipient_type: Some(recipient_type) }
    }
}

impl Refusal {
    fn hits(&self, place: Place, asked: &Asked<'_>) -> bool {
        self.at == place
            && self.recipient.eq_ignore_ascii_case(asked.recipient)
            && (self.consent_type.is_none() || self.consent_type == asked.consent_type)
            && (self.recipient_type.is_none() || self.recipient_type == asked.recipient_type)
    }
}

/// The orders not yet used up, oldest first.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Vec<Refusal>>);

impl Refusals {
    /// The oldest order that hits; uses up one of its count.
    pub(crate) fn take(&self, place: Place, asked: &Asked<'_>) -> Option<Refusal> {
        let mut planted = self.lock();
        let at = planted.iter().position(|refusal| refusal.count > 0 && refusal.hits(place, asked))?;
        let refusal = planted.get_mut(at)?;
        refusal.count -= 1;
        let hit = refusal.clone();
        if hit.count == 0 {
            planted.remove(at);
        }
        Some(hit)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iys {
    /// The planted refusal that hits, counted as a fault.
    pub(crate) fn planted(&self, place: Place, asked: &Asked<'_>) -> Option<Refusal> {
        let hit = self.refusals.take(place, asked)?;
        self.stats.fault(FAULT);
        Some(hit)
    }

    /// The answer to a request with one address, if a refusal is planted for it.
    pub(crate) fn planted_answer(&self, place: Place, fields: &Map<String, Value>) -> Option<Response> {
        let hit = self.planted(place, &Asked::of(fields)?)?;
        Some(refuse(hit.http, &[entry(&hit, Map::new())]))
    }

    /// The answer to a list, if a refusal is planted for any of its items.
    pub(crate) fn planted_list(&self, items: &[Value]) -> Option<Response> {
        let hits = items.iter().enumerate().filter_map(|(index, item)| {
            let hit = self.planted(Place::List, &Asked::of(item.as_object()?)?)?;
            Some((hit.http, entry(&hit, Map::from_iter([("index".to_owned(), json!(index))]))))
        });
        collected(hits)
    }

    /// The answer to a multi status query, if a refusal is planted for any of its addresses.
    pub(crate) fn planted_multi(&self, list: &[Value], consent_type: ConsentType, recipient_type: RecipientType) -> Option<Response> {
        let hits = list.iter().enumerate().filter_map(|(index, address)| {
            let hit = self.planted(Place::Multi, &Asked::one(address.as_str()?, consent_type, recipient_type))?;
            let place = [("location".to_owned(), json!(["recipients", index])), ("value".to_owned(), address.clone())];
            Some((hit.http, entry(&hit, Map::from_iter(place))))
        });
        collected(hits)
    }
}

/// One answer of all hits, under the HTTP status of the first.
fn collected(hits: impl Iterator<Item = (u16, Value)>) -> Option<Response> {
    let (statuses, entries): (Vec<u16>, Vec<Value>) = hits.unzip();
    statuses.first().map(|status| refuse(*status, &entries))
}

fn entry(hit: &Refusal, place: Map<String, Value>) -> Value {
    let mut entry = Map::from_iter([("code".to_owned(), json!(hit.code)), ("message".to_owned(), json!(lookup(&hit.code).1))]);
    entry.extend(place);
    Value::Object(entry)
}

fn refuse(status: u16, errors: &[Value]) -> Response {
    let mut response = answer(status, &json!({ "errors": errors }));
    response.extensions_mut().insert(MadeUp);
    response
}

/// The control path.
pub(super) fn routes() -> Router<Arc<Iys>> {
    Router::new().route("/_sandbox/refusals", get(list).post(plant).delete(forget))
}

async fn plant(State(iys): State<Arc<Iys>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => {
            iys.refusals.lock().push(refusal);
            answer(200, &json!({ "status": "ok" }))
        }
        Err(error) => unreadable(&error),
    }
}

async fn list(State(iys): State<Arc<Iys>>) -> Response {
    answer(200, &json!(*iys.refusals.lock()))
}

async fn forget(State(iys): State<Arc<Iys>>) -> Response {
    iys.refusals.lock().clear();
    answer(200, &json!({ "status": "ok" }))
}
