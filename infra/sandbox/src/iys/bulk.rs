//! Bulk add and its results, v1 and v2.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::access::BrandAccess;
use super::errors::{ApiError, Problem};
use super::model::{Consent, turkish, write_date};
use super::refusals::{Asked, Place};
use super::rules::{self, BULK_MAXIMUM, Remarks};
use super::single::{has_room, moment, stateless, strangers};
use super::store::{Item, Outcome};
use super::switches::{BadItem, Switches, Unfinished};
use super::{Iys, seconds};
use crate::server::json as answer;

const REQUEST_ID_MAXIMUM: usize = 36;

/// `POST /sps/{iysCode}/brands/{brandCode}/consents/request`.
pub(super) async fn add_v1(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    add(&iys, &access, &body, false).map_err(|error| iys.refuse(error))
}

/// `POST /v2/sps/{iysCode}/brands/{brandCode}/consents/request`: identical resends succeed.
pub(super) async fn add_v2(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    add(&iys, &access, &body, true).map_err(|error| iys.refuse(error))
}

fn add(iys: &Iys, access: &BrandAccess, body: &[u8], v2: bool) -> Result<Response, ApiError> {
    let now = iys.now();
    let (account, brand, switches) = (&access.account, &access.brand, iys.switches());
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| ApiError::code("H092"))?;
    if items.len() > BULK_MAXIMUM {
        return Err(ApiError::code("H091"));
    }
    if let Some(planted) = iys.planted_list(items) {
        return Ok(planted);
    }
    let consents = check_all(iys, items, &moment(iys, brand, &switches, now), switches.bad_item)?;
    let mut unknown = Vec::new();
    for (index, consent) in consents.iter().enumerate() {
        let Ok(consent) = consent else { continue };
        access.may_write(iys, consent.consent_type).map_err(|error| with_index(error, index))?;
        unknown.extend(strangers(iys, brand, consent).into_iter().map(|problem| Problem { index: Some(index), ..problem }));
    }
    if !unknown.is_empty() {
        return Err(ApiError::all(403, unknown));
    }
    let code = brand.brand_code;
    let echoes: Vec<Map<String, Value>> =
        consents.iter().zip(items).map(|(consent, item)| consent.as_ref().map_or_else(|_| as_sent(item), echo)).collect();
    let mut store = iys.store(now);
    if !has_room(&store, account, consents.iter().flatten().map(|consent| consent.key(code))) {
        return Err(ApiError::code("H525"));
    }
    let planted = |item: &Value| iys.planted(Place::Row, &Asked::of(item.as_object()?)?).map(|hit| Outcome::Planted(Arc::from(hit.code)));
    let entries = consents
        .into_iter()
        .zip(items)
        .map(|(consent, item)| match consent {
            Ok(consent) => (Some(consent), planted(item)),
            Err(code) => (None, Some(Outcome::Failure(code))),
        })
        .collect();
    let (id, item_ids) = store.enqueue(code, entries, v2, now, seconds(iys.config.bulk_delay_seconds));
    drop(store);
    let creation = write_date(turkish(now));
    let rows: Vec<Value> = echoes
        .into_iter()
        .zip(item_ids)
        .map(|(mut row, item_id)| {
            row.insert("subRequestId".to_owned(), json!(item_id));
            row.insert("creationDate".to_owned(), json!(creation));
            Value::Object(row)
        })
        .collect();
    Ok(answer(switches.bulk_status, &json!({ "requestId": id, "subRequests": rows })))
}

/// Applies the stateless rules to every item. A bad one refuses the whole list, or has its code for an
/// outcome (U16).
fn check_all(
    iys: &Iys,
    items: &[Value],
    moment: &rules::Moment<'_>,
    bad_item: BadItem,
) -> Result<Vec<Result<Consent, &'static str>>, ApiError> {
    let mut remarks = Remarks::default();
    let mut problems = Vec::new();
    let mut consents = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Some(item) = item.as_object() else {
            return Err(with_index(ApiError::code("H092"), index));
        };
        match rules::check(item, moment, &mut remarks).result() {
            Ok(consent) => consents.push(Ok(consent)),
            Err(found) => {
                consents.push(Err(found.first().map_or("H015", |first| first.code)));
                problems.extend(found.into_iter().map(|found| Problem { index: Some(index), ..found }));
            }
        }
    }
    let read = consents.iter().enumerate().filter_map(|(index, consent)| consent.as_ref().ok().map(|consent| (index, consent)));
    for index in rules::duplicates(read) {
        remarks.violations.push("duplicate_in_list");
        problems.push(Problem { index: Some(index), ..Problem::new("H194") });
        if let Some(consent) = consents.get_mut(index) {
            *consent = Err("H194");
        }
    }
    iys.note(&remarks);
    if bad_item == BadItem::Row {
        for code in consents.iter().filter_map(|consent| consent.as_ref().err()) {
            iys.stats.violation(&format!("rejected:{code}"));
        }
        return Ok(consents);
    }
    if problems.is_empty() { Ok(consents) } else { Err(stateless(problems, 422)) }
}

/// A bad item as it came, without what is no value.
fn as_sent(item: &Value) -> Map<String, Value> {
    item.as_object()
        .map(|item| item.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect())
        .unwrap_or_default()
}

fn with_index(error: ApiError, index: usize) -> ApiError {
    let problems = error.problems.into_iter().map(|problem| Problem { index: Some(index), ..problem }).collect();
    ApiError { problems, ..error }
}

fn echo(consent: &Consent) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("type".to_owned(), json!(consent.consent_type));
    row.insert("recipient".to_owned(), json!(consent.recipient));
    row.insert("status".to_owned(), json!(consent.status));
    row.insert("recipientType".to_owned(), json!(consent.recipient_type));
    if let Some(source) = &consent.source {
        row.insert("source".to_owned(), json!(source));
    }
    if let Some(date) = consent.consent_date {
        row.insert("consentDate".to_owned(), json!(write_date(date)));
    }
    row
}

/// `GET /sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}`.
pub(super) async fn result_v1(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    result(&iys, &access, &id, false)
}

/// `GET /v2/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}`.
pub(super) async fn result_v2(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    result(&iys, &access, &id, true)
}

fn result(iys: &Iys, access: &BrandAccess, id: &str, v2: bool) -> Result<Response, ApiError> {
    if let Some(code) = bad_request_id(id) {
        return Err(iys.refuse_query(ApiError::from_problem(Problem::at(code, "requestId", Some(&json!(id))))));
    }
    let now = iys.now();
    let switches = iys.switches();
    let store = iys.store(now);
    let retention = seconds(iys.config.bulk_retention_days.saturating_mul(24 * 3600));
    let found = store.request(id, access.brand_code()).filter(|request| now.duration_since(request.taken) <= retention);
    let Some(request) = found else {
        iys.stats.warning("result_of_unknown_request");
        return Ok(answer(200, &json!([])));
    };
    if now < request.due {
        iys.stats.violation("result_queried_early");
        if switches.unfinished == Unfinished::Empty {
            return Ok(answer(200, &json!([])));
        }
    }
    let rows: Vec<Value> =
        request.items.iter().enumerate().map(|(index, item)| row(&switches, id, index, item, v2, now >= request.due)).collect();
    Ok(answer(200, &Value::Array(rows)))
}

fn row(switches: &Switches, id: &str, index: usize, item: &Item, v2: bool, due: bool) -> Value {
    let mut row = Map::new();
    row.insert("index".to_owned(), json!(index + usize::from(switches.index_from_one)));
    let name = if switches.lowercase_subrequest { "subrequestId" } else { "subRequestId" };
    row.insert(name.to_owned(), json!(item.id));
    match item.outcome.as_ref().filter(|_| due) {
        None => {
            row.insert("status".to_owned(), json!("enqueue"));
        }
        Some(Outcome::Failure(code)) => {
            row.insert("status".to_owned(), json!("failure"));
            row.insert("error".to_owned(), json!({ "code": code, "message": super::errors::lookup(code).1 }));
        }
        Some(Outcome::Planted(code)) => {
            row.insert("status".to_owned(), json!("failure"));
            row.insert("error".to_owned(), json!({ "code": code, "message": super::errors::lookup(code).1 }));
        }
        Some(Outcome::Success { stored, original }) => {
            row.insert("status".to_owned(), json!("success"));
            row.insert("requestId".to_owned(), json!(id));
            row.insert("transactionId".to_owned(), json!(stored.transaction_id));
            row.insert("creationDate".to_owned(), json!(stored.creation_date));
            if let Some((first, first_item)) = original.as_ref().filter(|_| v2) {
                let flag = if switches.v2_flag_as_text { json!("true") } else { json!(true) };
                row.insert("isAddConsentV2Service".to_owned(), flag);
                row.insert("originalRequestInformation".to_owned(), json!({ "requestId": first, "subRequestId": first_item }));
            }
        }
    }
    Value::Object(row)
}

fn bad_request_id(id: &str) -> Option<&'static str> {
    if id.chars().count() > REQUEST_ID_MAXIMUM {
        Some("H198")
    } else if id.chars().all(char::is_alphabetic) {
        Some("H199")
    } else if id.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("H400")
    } else {
        None
    }
}
