//! Which retailers may use which consents: the methods that add, replace, list and remove access.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::BrandAccess;
use super::errors::{ApiError, Problem};
use super::model::{ConsentType, Key, RecipientType, turkish, write_date};
use super::paging::{self, Params};
use super::query::{self, misfit, stored_form, text, word};
use super::retailers::row;
use super::rules::{number, unknown_retailers};
use super::store::{Store, transaction};
use crate::server::json as answer;

/// Addresses in one call.
const RECIPIENTS_MAXIMUM: usize = 100;
/// Retailers in one call.
const RETAILERS_MAXIMUM: usize = 100;

/// `POST …/consents/retailers/access`: more retailers for one consent.
pub(super) async fn add(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    grant(&iys, &access, &body).map_err(|error| iys.refuse_query(error))
}

fn grant(iys: &Iys, access: &BrandAccess, body: &[u8]) -> Result<Response, ApiError> {
    let fields = fields(body, "H090")?;
    let mut problems = Vec::new();
    let (consent_type, recipient_type) = kind(&fields, &mut problems);
    let recipient = text(&fields, "recipient", "H114", &mut problems);
    let key = recipient.zip(consent_type).zip(recipient_type).and_then(|((recipient, consent_type), recipient_type)| {
        if let Some(code) = misfit(recipient, consent_type, &iys.switches()) {
            problems.push(Problem::at(code, "recipient", fields.get("recipient")));
            return None;
        }
        Some(Key { brand: access.brand_code(), recipient: stored_form(recipient, consent_type), recipient_type, consent_type })
    });
    let codes = retailers(iys, &fields, &mut problems);
    let (Some(key), true) = (key, problems.is_empty()) else {
        return Err(ApiError::all(422, problems));
    };
    access.may_write(iys, key.consent_type)?;
    known(iys, access, &codes)?;
    let now = iys.now();
    let mut store = iys.store(now);
    if store.current(&key).is_none() {
        return Err(ApiError::code("H401"));
    }
    store.change_access(&key, |held| held.listed.extend(&codes));
    let id = data_encoding::HEXLOWER.encode(&transaction(&key, now));
    Ok(answer(200, &json!({ "transactionId": id, "creationDate": write_date(turkish(now)) })))
}

/// `PUT …/consents/retailers/access`: these retailers, and no others, for many consents.
pub(super) async fn replace(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    many(&iys, &access, &body, "H171", true, |store, key, codes| {
        store.change_access(key, |held| {
            held.collector = None;
            held.listed = codes.iter().copied().collect();
        });
    })
}

/// `POST …/consents/retailers/access/remove`: these retailers no longer, for many consents.
pub(super) async fn remove(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    many(&iys, &access, &body, "H172", true, |store, key, codes| {
        store.change_access(key, |held| {
            held.collector = held.collector.filter(|code| !codes.contains(code));
            held.listed.retain(|code| !codes.contains(code));
        });
    })
}

/// `POST …/consents/retailers/access/remove/all`: no retailer any more, for many consents.
pub(super) async fn remove_all(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    many(&iys, &access, &body, "H172", false, |store, key, _| {
        store.change_access(key, |held| {
            held.collector = None;
            held.listed.clear();
        });
    })
}

/// One change of many consents. Addresses without a consent are passed over: the answer is given before the
/// work is done.
fn many(
    iys: &Iys,
    access: &BrandAccess,
    body: &[u8],
    malformed: &'static str,
    names_retailers: bool,
    change: impl Fn(&mut Store, &Key, &[u64]),
) -> Result<Response, ApiError> {
    let checked = || {
        let fields = fields(body, malformed)?;
        let mut problems = Vec::new();
        let (consent_type, recipient_type) = kind(&fields, &mut problems);
        let keys = match consent_type.zip(recipient_type) {
            Some((consent_type, recipient_type)) => recipients(iys, access, &fields, consent_type, recipient_type, &mut problems),
            None => Vec::new(),
        };
        let codes = if names_retailers { retailers(iys, &fields, &mut problems) } else { Vec::new() };
        if !problems.is_empty() {
            return Err(ApiError::all(422, problems));
        }
        if let Some(consent_type) = consent_type {
            access.may_write(iys, consent_type)?;
        }
        known(iys, access, &codes)?;
        Ok((keys, codes))
    };
    let (keys, codes) = checked().map_err(|error| iys.refuse_query(error))?;
    let mut store = iys.store(iys.now());
    for key in &keys {
        change(&mut store, key, &codes);
    }
    Ok(if iys.switches().accepted_without_body { StatusCode::ACCEPTED.into_response() } else { answer(202, &json!(1)) })
}

/// `POST …/consent/retailers/access/list`: the retailers that may use one consent.
pub(super) async fn list(State(iys): State<Arc<Iys>>, access: BrandAccess, params: Params, body: Bytes) -> Result<Response, ApiError> {
    let page = paging::page(&params).map_err(|code| iys.refuse_query(ApiError::code(code)))?;
    let key = query::key(&iys, &access, &body, "H173").map_err(|error| iys.refuse_query(error))?;
    access.may_read(&iys, key.consent_type)?;
    let store = iys.store(iys.now());
    let register = iys.retailers();
    let codes = store.access(&key).all();
    let rows = codes
        .into_iter()
        .filter_map(|code| register.get(key.brand, code).map(|retailer| row(&store, key.brand, code, retailer, false)))
        .collect();
    Ok(answer(200, &page.cut(rows)))
}

fn fields(body: &[u8], malformed: &'static str) -> Result<Map<String, Value>, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::code(malformed)),
    }
}

fn kind(fields: &Map<String, Value>, problems: &mut Vec<Problem>) -> (Option<ConsentType>, Option<RecipientType>) {
    (
        word(fields, "type", ["H111", "H117"], ConsentType::parse, problems),
        word(fields, "recipientType", ["H170", "H116"], RecipientType::parse, problems),
    )
}

/// The list under `field`: missing, empty and too long have codes of their own.
fn list_of<'a>(
    fields: &'a Map<String, Value>,
    field: &str,
    [missing, empty, long]: [&'static str; 3],
    maximum: usize,
    problems: &mut Vec<Problem>,
) -> &'a [Value] {
    let Some(value) = fields.get(field) else {
        problems.push(Problem::at(missing, field, None));
        return &[];
    };
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if !value.is_array() && field == "recipients" {
        problems.push(Problem::at("H478", field, Some(value)));
    } else if list.is_empty() {
        problems.push(Problem::at(empty, field, Some(value)));
    } else if list.len() > maximum {
        problems.push(Problem::at(long, field, None));
    }
    list
}

fn at(code: &'static str, field: &str, index: usize, value: &Value) -> Problem {
    Problem { location: vec![json!(field), json!(index)], value: Some(value.clone()), ..Problem::new(code) }
}

fn recipients(
    iys: &Iys,
    access: &BrandAccess,
    fields: &Map<String, Value>,
    consent_type: ConsentType,
    recipient_type: RecipientType,
    problems: &mut Vec<Problem>,
) -> Vec<Key> {
    let field = "recipients";
    let list = list_of(fields, field, ["H168", "H164", "H127"], RECIPIENTS_MAXIMUM, problems);
    let mut keys = Vec::with_capacity(list.len());
    let mut seen = HashSet::new();
    for (index, value) in list.iter().enumerate() {
        let recipient = value.as_str().unwrap_or_default();
        if let Some(code) = misfit(recipient, consent_type, &iys.switches()) {
            problems.push(at(code, field, index, value));
            continue;
        }
        let recipient = stored_form(recipient, consent_type);
        if seen.insert(Arc::clone(&recipient)) {
            keys.push(Key { brand: access.brand_code(), recipient, recipient_type, consent_type });
        } else {
            iys.stats.violation("duplicate_in_list");
            problems.push(at("H193", field, index, value));
        }
    }
    keys
}

/// Numbers of retailers; whether the brand has them is asked later.
fn retailers(iys: &Iys, fields: &Map<String, Value>, problems: &mut Vec<Problem>) -> Vec<u64> {
    let field = "retailerAccess";
    let list = list_of(fields, field, ["H169", "H163", "H126"], RETAILERS_MAXIMUM, problems);
    let mut codes = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match number(value) {
            // No number is none that the brand has: zero is given to nobody.
            None => codes.push(0),
            Some(code) if codes.contains(&code) => {
                iys.stats.violation("duplicate_in_list");
                problems.push(at("H193", field, index, value));
            }
            Some(code) => codes.push(code),
        }
    }
    codes
}

fn known(iys: &Iys, access: &BrandAccess, codes: &[u64]) -> Result<(), ApiError> {
    let register = iys.retailers();
    let strangers = unknown_retailers(None, codes, |code| register.has(access.brand_code(), code));
    if strangers.is_empty() { Ok(()) } else { Err(ApiError::all(403, strangers)) }
}
