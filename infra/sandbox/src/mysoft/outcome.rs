//! How an add ended, and what the mirror holds of an address.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::access::BrandCall;
use super::envelope::{Refusal, success};
use super::{Mysoft, Sending, State as Inner};
use crate::integrator::planted::Place;
use crate::iys::model::{turkish, write_date};

/// `POST /api/Etk/checkConsentStatus`: the movement of a single add.
pub(super) async fn single(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    mysoft.settle();
    let state = mysoft.state();
    let sending = find(&state, &call, false).ok_or_else(Refusal::no_record)?;
    let row = sending.rows.first().and_then(|at| state.rows.get(*at)).ok_or_else(Refusal::no_record)?;
    let mut shown = row.movement(None);
    about(sending, &mut shown);
    Ok(success(&shown))
}

/// `POST /api/Etk/checkBatchConsentStatus`.
pub(super) async fn batch(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    mysoft.settle();
    let state = mysoft.state();
    let sending = find(&state, &call, true).ok_or_else(Refusal::no_record)?;
    let date = |at: Option<jiff::Timestamp>| at.map(|at| write_date(turkish(at)));
    let mut shown = json!({
        "processStartDate": date(sending.begun),
        "processEndDate": date(sending.ended),
        "portalStatus": match (sending.begun, sending.ended) {
            _ if sending.failed => "IZINLER_ISLENIRKEN_HATA_OLUSTU",
            (None, _) => "IZINLER_ISLENMEYI_BEKLIYOR",
            (Some(_), None) => "IZINLER_ISLENIYOR",
            (Some(_), Some(_)) => "ISLENDI",
        },
        "detailList": sending.rows.iter().filter_map(|at| state.rows.get(*at)).map(|row| row.movement(None)).collect::<Vec<_>>(),
    });
    about(sending, &mut shown);
    Ok(success(&json!({ "batchResult": shown })))
}

fn about(sending: &Sending, shown: &mut Value) {
    shown["referanceKey"] = json!(sending.reference);
    shown["serviceReferanceKey"] = json!(sending.service_key);
    shown["note"] = sending.note.clone();
}

/// By Mysoft's key or the caller's.
fn find<'a>(state: &'a Inner, call: &BrandCall, batch: bool) -> Option<&'a Sending> {
    let text = |name: &str| call.body.get(name).and_then(Value::as_str).filter(|key| !key.is_empty());
    let (reference, service_key) = (text("referanceKey"), text("serviceReferanceKey"));
    let mut own = state.sendings.iter().filter(|one| one.tenant == call.tenant && one.brand == call.brand && one.batch == batch);
    own.find(|one| match (reference, service_key) {
        (Some(reference), _) => one.reference == reference,
        (None, Some(key)) => one.service_key.as_deref() == Some(key),
        (None, None) => false,
    })
}

/// `POST /api/Etk/checkRecipientStatus`: what the mirror holds, which need not be what İYS holds.
pub(super) async fn recipient(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    let wanted = call.body.get("recipient").and_then(Value::as_str).filter(|recipient| !recipient.is_empty());
    let wanted = wanted.ok_or_else(|| Refusal::schema("recipient zorunludur."))?;
    let asked = Map::from_iter([("recipient".to_owned(), json!(wanted))]);
    if let Some(code) = mysoft.planted.take(Place::Query, &asked, &mysoft.stats) {
        return Err(Refusal::coded(&code, "planted"));
    }
    mysoft.settle();
    let state = mysoft.state();
    let states = state.rows.states_of(call.brand, wanted, state.switches.failed_hides_standing);
    let rows: Vec<Value> = states.into_iter().map(|row| row.state(None)).collect();
    if rows.is_empty() && state.switches.unknown_recipient_refused {
        return Err(Refusal::no_record());
    }
    Ok(success(&Value::Array(rows)))
}

/// `POST /api/Etk/checkTenantBrandsByTenantIdentifier`.
pub(super) async fn brands(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.call(&headers, &body)?;
    let brands = call.brands.iter().map(|code| json!({ "iysBrandCode": code, "brandName": mysoft.registry.brand_name(*code) }));
    Ok(success(&Value::Array(brands.collect())))
}
