//! `POST /v2/iys_consents.json`: takes a list, and answers with the number of its campaign.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answers::{Refusal, text};
use super::check::{at_verimor, check};
use super::config::{Account, Header};
use super::{Campaign, Outcome, Record, Verimor};
use crate::integrator::planted::Place;
use crate::iys::model::turkish;
use crate::iys::rules::number;
use crate::server::Peer;

pub(super) async fn add(State(verimor): State<Arc<Verimor>>, Extension(peer): Extension<Peer>, body: Bytes) -> Result<Response, Refusal> {
    if body.len() > verimor.config.body_maximum {
        verimor.stats.violation("body_size");
        return Err(Refusal::of(413, "Request Entity Too Large"));
    }
    let malformed = |code: &str| {
        verimor.stats.violation("malformed_json");
        Refusal::bad(code)
    };
    let body = std::str::from_utf8(&body).map_err(|_| malformed("INVALID_UTF8"))?;
    let body: Value = serde_json::from_str(body).map_err(|_| malformed("INVALID_JSON"))?;
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let account = verimor.enter(peer, field("username"), field("password"))?;
    let now = verimor.registry.now();
    if !verimor.state().adds.admit(&account.username, now) {
        verimor.stats.violation("rate_limited:adds");
        return Err(Refusal::of(429, "Too Many Requests"));
    }
    let (header, brand) = header(&verimor, &account, &body)?;
    let items = body.get("consents").and_then(Value::as_array).filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refusal::bad("MISSING_CONSENT"))?;
    if items.len() > verimor.config.records_maximum {
        verimor.stats.violation("list_size");
        return Err(Refusal::bad("MESSAGE_COUNT_LIMIT_EXCEEDED"));
    }
    let records = checked(&verimor, items)?;
    let mut state = verimor.state();
    for record in records.iter().filter(|record| record.outcome == Outcome::Pending) {
        state.ledger.queued(brand, &record.fields, &verimor.stats);
    }
    let campaign = Campaign {
        account: account.username,
        header: header.name,
        iys_code: verimor.registry.owner_of(brand).unwrap_or(brand),
        brand,
        source: "api",
        created: now,
        records,
        finished: false,
    };
    let id = state.add(campaign);
    state.queue.push(now, id);
    Ok(text(200, &json!(id)))
}

/// Every record in İYS's words; one that fails the check refuses the whole list, or ends as a failed one (I12).
fn checked(verimor: &Verimor, items: &[Value]) -> Result<Vec<Record>, Refusal> {
    let switches = verimor.switches();
    let now = turkish(verimor.registry.now());
    let mut records = Vec::with_capacity(items.len());
    for item in items {
        if item.get("iys_brand_code").is_some() || item.get("source_addr").is_some() {
            verimor.stats.violation("brand_in_record");
        }
        let result = check(item, now, &switches).map_err(|code| {
            verimor.stats.violation(&format!("rejected:{code}"));
            code.to_owned()
        });
        let result = result.and_then(|fields| {
            if let Some(code) = verimor.planted.take(Place::List, &fields, &verimor.stats) {
                return Err(code);
            }
            verimor.planted.take(Place::Check, &fields, &verimor.stats).map_or(Ok(fields), Err)
        });
        match result {
            Ok(fields) => records.push(Record { fields, outcome: Outcome::Pending }),
            Err(code) if switches.bad_record_in_report => {
                records.push(Record { fields: as_sent(item), outcome: Outcome::Failed(code) });
            }
            Err(code) => return Err(Refusal::bad(&code)),
        }
    }
    Ok(records)
}

/// What can be shown of a bad record.
fn as_sent(item: &Value) -> Map<String, Value> {
    let names = [
        ("type", "type"),
        ("status", "status"),
        ("source", "source"),
        ("consent_date", "consentDate"),
        ("recipient_type", "recipientType"),
        ("recipient", "recipient"),
    ];
    let fields = names.into_iter().filter_map(|(theirs, ours)| {
        let value = item.get(theirs)?.as_str()?;
        Some((ours.to_owned(), json!(at_verimor(value))))
    });
    fields.collect()
}

/// The header that an add is for, and its brand.
fn header(verimor: &Verimor, account: &Account, body: &Value) -> Result<(Header, u64), Refusal> {
    let refused = |code: &str| {
        verimor.stats.violation(&format!("forbidden:{code}"));
        Refusal::bad(code)
    };
    let header = if verimor.switches().docs_site_names {
        let wanted = body.get("iys_brand_code").and_then(number).ok_or_else(|| refused("MISSING_IYS_BRAND_CODE"))?;
        account.headers.iter().find(|header| header.brand_code == Some(wanted))
    } else {
        match body.get("source_addr").and_then(Value::as_str).unwrap_or_default() {
            "" => account.headers.first(),
            name => account.headers.iter().find(|header| header.name == name),
        }
    };
    let header = header.ok_or_else(|| refused("INVALID_SOURCE_ADDRESS"))?;
    let brand = header.brand_code.ok_or_else(|| refused("MISSING_IYS_BRAND_CODE"))?;
    if !header.tax_number_has_brand {
        return Err(refused("NO_AHS_BRAND_ERROR"));
    }
    if !header.authorised {
        return Err(refused("AHS_AUTHORIZATION_ERROR"));
    }
    Ok((header.clone(), brand))
}
