//! Queries: single status, multi status, pull, history.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::access::BrandAccess;
use super::errors::{ApiError, Problem};
use super::model::{ConsentType, Key, RecipientType, write_date};
use super::paging::{self, Params, param};
use super::refusals::Place;
use super::store::Position;
use super::switches::{NoRecord, StaleCursor, Switches};
use super::{Hourly, Iys, address, seconds};
use crate::server::{Peer, json as answer};

/// Addresses in one multi status query.
const RECIPIENTS_MAXIMUM: usize = 1000;
/// Rows in one pull page.
const PULL_MAXIMUM: usize = 1000;

/// `POST …/consents/status`.
pub(super) async fn status(
    State(iys): State<Arc<Iys>>,
    Extension(peer): Extension<Peer>,
    access: BrandAccess,
    body: Bytes,
) -> Result<Response, ApiError> {
    iys.admit_hourly(peer.0, Hourly::Status)?;
    let asked: Option<Value> = serde_json::from_slice(&body).ok();
    if let Some(planted) = asked.as_ref().and_then(Value::as_object).and_then(|fields| iys.planted_answer(Place::Status, fields)) {
        return Ok(planted);
    }
    let key = key(&iys, &access, &body, "H097").map_err(|error| iys.refuse_query(error))?;
    access.may_read(&iys, key.consent_type)?;
    let store = iys.store(iys.now());
    let Some(current) = store.current(&key) else {
        return match iys.switches().no_record {
            NoRecord::NotFound => Err(ApiError::under(404, "H401")),
            NoRecord::EmptyObject => Ok(answer(200, &json!({}))),
            NoRecord::NoContent => Ok(StatusCode::NO_CONTENT.into_response()),
        };
    };
    let mut row = current.listed(&key);
    row.remove("citizenName");
    if let Some(code) = current.retailer_code {
        row.insert("retailerCode".to_owned(), json!(code));
        let register = iys.retailers();
        if let Some(title) = register.get(key.brand, code).and_then(|retailer| retailer.text("title")) {
            row.insert("retailerTitle".to_owned(), json!(title));
        }
    }
    let listed = store.access(&key).listed.len();
    if listed > 0 {
        row.insert("retailerAccessCount".to_owned(), json!(listed));
    }
    Ok(answer(200, &Value::Object(row)))
}

/// The key that a query asks for; `malformed` is the code for a body that is no object.
pub(super) fn key(iys: &Iys, access: &BrandAccess, body: &[u8], malformed: &'static str) -> Result<Key, ApiError> {
    let brand = access.brand_code();
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    let fields = value.as_object().ok_or_else(|| ApiError::code(malformed))?;
    let mut problems = Vec::new();
    let recipient = text(fields, "recipient", "H114", &mut problems);
    let recipient_type = word(fields, "recipientType", ["H170", "H116"], RecipientType::parse, &mut problems);
    let consent_type = word(fields, "type", ["H111", "H117"], ConsentType::parse, &mut problems);
    match (recipient, recipient_type, consent_type) {
        (Some(recipient), Some(recipient_type), Some(consent_type)) if problems.is_empty() => {
            if let Some(code) = misfit(recipient, consent_type, &iys.switches()) {
                return Err(ApiError::from_problem(Problem::at(code, "recipient", fields.get("recipient"))));
            }
            Ok(Key { brand, recipient: stored_form(recipient, consent_type), recipient_type, consent_type })
        }
        _ => Err(ApiError::all(422, problems)),
    }
}

/// A text that is not empty.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str, missing: &'static str, problems: &mut Vec<Problem>) -> Option<&'a str> {
    let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text.is_none() {
        problems.push(Problem::at(missing, name, fields.get(name)));
    }
    text
}

/// A text that is one of a few words; the codes are those for a missing and for another one.
pub(super) fn word<T>(
    fields: &Map<String, Value>,
    name: &str,
    [missing, wrong]: [&'static str; 2],
    parse: impl Fn(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let text = text(fields, name, missing, problems)?;
    parsed(text, name, wrong, parse, problems)
}

fn parsed<T>(text: &str, field: &str, wrong: &'static str, parse: impl Fn(&str) -> Option<T>, problems: &mut Vec<Problem>) -> Option<T> {
    let value = parse(text);
    if value.is_none() {
        problems.push(Problem::at(wrong, field, Some(&json!(text))));
    }
    value
}

/// The code for an address that does not fit the channel in a single query.
pub(super) fn misfit(recipient: &str, consent_type: ConsentType, switches: &Switches) -> Option<&'static str> {
    match consent_type {
        ConsentType::Eposta => (!address::is_email(recipient, switches)).then_some("H120"),
        ConsentType::Arama | ConsentType::Mesaj if address::is_too_long(recipient, switches) => Some("H166"),
        ConsentType::Arama | ConsentType::Mesaj => (!address::is_phone(recipient, consent_type, switches)).then_some("H121"),
    }
}

/// An address as İYS stores it.
pub(super) fn stored_form(recipient: &str, consent_type: ConsentType) -> Arc<str> {
    match consent_type {
        ConsentType::Eposta => Arc::from(recipient.to_ascii_lowercase()),
        ConsentType::Arama | ConsentType::Mesaj => Arc::from(recipient),
    }
}

/// `POST …/consents/{recipientType}/status/{type}`: lists the addresses that stand at ONAY.
pub(super) async fn multi_status(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, recipient_type, consent_type)): Path<(String, String, String, String)>,
    body: Bytes,
) -> Result<Response, ApiError> {
    approved(&iys, &access, &recipient_type, &consent_type, &body).map_err(|error| iys.refuse_query(error))
}

fn approved(iys: &Iys, access: &BrandAccess, recipient_type: &str, consent_type: &str, body: &[u8]) -> Result<Response, ApiError> {
    let (brand, switches) = (access.brand_code(), iys.switches());
    let mut problems = Vec::new();
    let recipient_type = parsed(recipient_type, "recipientType", "H116", RecipientType::parse, &mut problems);
    let consent_type = parsed(consent_type, "type", "H117", ConsentType::parse, &mut problems);
    let (Some(recipient_type), Some(consent_type)) = (recipient_type, consent_type) else {
        return Err(ApiError::all(422, problems));
    };
    access.may_read(iys, consent_type)?;
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    let list = value.get("recipients").ok_or_else(|| ApiError::code("H168"))?;
    let list = list.as_array().ok_or_else(|| ApiError::code("H478"))?;
    if list.is_empty() {
        return Err(ApiError::code("H164"));
    }
    if list.len() > RECIPIENTS_MAXIMUM {
        return Err(ApiError::code("H125"));
    }
    if let Some(planted) = iys.planted_multi(list, consent_type, recipient_type) {
        return Ok(planted);
    }
    let mut keys = Vec::with_capacity(list.len());
    let mut seen = HashSet::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let mut problem = |code| {
            problems.push(Problem { location: vec![json!("recipients"), json!(index)], value: Some(entry.clone()), ..Problem::new(code) });
        };
        let recipient = entry.as_str().unwrap_or_default();
        if misfit(recipient, consent_type, &switches).is_some() {
            problem("H464");
            continue;
        }
        let recipient = stored_form(recipient, consent_type);
        if seen.insert(Arc::clone(&recipient)) {
            keys.push(Key { brand, recipient, recipient_type, consent_type });
        } else {
            iys.stats.violation("duplicate_in_list");
            problem("H193");
        }
    }
    if !problems.is_empty() {
        return Err(ApiError::all(422, problems));
    }
    let store = iys.store(iys.now());
    let approved: Vec<&str> = keys
        .iter()
        .filter(|key| store.current(key).is_some_and(|current| current.status == super::Status::Onay))
        .map(|key| &*key.recipient)
        .collect();
    Ok(answer(200, &json!({ "requestId": uuid::Uuid::new_v4().to_string(), "list": approved })))
}

/// `GET …/consents/changes`: movements in the order of their recording.
pub(super) async fn changes(State(iys): State<Arc<Iys>>, access: BrandAccess, params: Params) -> Result<Response, ApiError> {
    let by_recipients = match param(&params, "source").unwrap_or("IYS") {
        "IYS" => true,
        "HS" => false,
        _ => return Err(iys.refuse_query(ApiError::code("H506"))),
    };
    let switches = iys.switches();
    let limit = match param(&params, "limit").map(str::parse::<i64>) {
        None => PULL_MAXIMUM,
        Some(Ok(..=0)) if switches.zero_limit_is_default => PULL_MAXIMUM,
        Some(Ok(limit)) if usize::try_from(limit).is_ok_and(|limit| (1..=PULL_MAXIMUM).contains(&limit)) => {
            usize::try_from(limit).unwrap_or(PULL_MAXIMUM)
        }
        Some(_) => return Err(iys.refuse_query(ApiError::code("H507"))),
    };
    let milliseconds = switches.cursor_in_milliseconds;
    let after = param(&params, "after").and_then(|cursor| read_cursor(cursor, milliseconds));
    let brand = access.brand_code();
    let now = iys.now();
    let from = now - seconds(iys.config.pull_window_seconds);
    let to = now - seconds(iys.config.pull_tail_seconds);
    if switches.stale_cursor == StaleCursor::NoContent && after.is_some_and(|(second, _)| second < from.as_second()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let after = after.map(if switches.cursor_inclusive { Bound::Included } else { Bound::Excluded });
    let store = iys.store(now);
    let readable = |key: &Key| access.reads(key.consent_type);
    let rows = store.movements(brand, by_recipients, (from, to), after, limit, readable);
    let Some((last, _, _)) = rows.last() else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let after = write_cursor(last, milliseconds);
    let list: Vec<Value> = rows.iter().map(|(_, key, movement)| Value::Object(movement.listed(key))).collect();
    Ok(answer(200, &json!({ "after": after, "list": list })))
}

fn write_cursor(position: &Position, milliseconds: bool) -> String {
    let epoch = if milliseconds { position.0 * 1000 } else { position.0 };
    format!("{epoch}_{}", data_encoding::HEXLOWER.encode(&position.1))
}

/// A cursor that cannot be read counts as none (U19).
fn read_cursor(text: &str, milliseconds: bool) -> Option<Position> {
    let (epoch, transaction) = text.split_once('_')?;
    let epoch: i64 = epoch.parse().ok()?;
    let transaction = data_encoding::HEXLOWER.decode(transaction.as_bytes()).ok()?;
    Some((if milliseconds { epoch / 1000 } else { epoch }, transaction.try_into().ok()?))
}

/// `POST …/consents/history`: the movements of one key, latest consent date first.
pub(super) async fn history(
    State(iys): State<Arc<Iys>>,
    Extension(peer): Extension<Peer>,
    access: BrandAccess,
    params: Params,
    body: Bytes,
) -> Result<Response, ApiError> {
    iys.admit_hourly(peer.0, Hourly::History)?;
    let page = paging::page(&params).map_err(|code| iys.refuse_query(ApiError::code(code)))?;
    let key = key(&iys, &access, &body, "H097").map_err(|error| iys.refuse_query(error))?;
    access.may_read(&iys, key.consent_type)?;
    let store = iys.store(iys.now());
    let mut movements: Vec<_> = store.history(&key).iter().collect();
    movements.sort_by_key(|movement| std::cmp::Reverse((movement.consent_date.map(write_date), movement.creation)));
    let rows = movements
        .into_iter()
        .map(|movement| {
            let mut row = movement.listed(&key);
            row.remove("citizenName");
            Value::Object(row)
        })
        .collect();
    Ok(answer(200, &page.cut(rows)))
}
