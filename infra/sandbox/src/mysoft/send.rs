//! Single and bulk add.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::access::BrandCall;
use super::envelope::{Refusal, success};
use super::rows::{Portal, Row};
use super::{Mysoft, Sending, Stage};
use crate::integrator::planted::Place;
use crate::iys::errors::lookup;
use crate::iys::model::turkish;
use crate::iys::rules::{self, Moment, Remarks};

/// Fields of a record; the last three are of a single add.
const FIELDS: [&str; 9] =
    ["recipient", "type", "source", "status", "consentDate", "recipientType", "serviceReferanceKey", "folderName", "note"];

/// `POST /api/Etk/sendConsent`.
pub(super) async fn single(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    let item = call.body.get("consentData").filter(|item| item.is_object());
    let item = item.ok_or_else(|| Refusal::schema("consentData zorunludur."))?;
    let record = check(&mysoft, item)?.map_err(|code| Refusal::schema(&format!("{code} {}", lookup(&code).1)))?;
    let reference = take(&mysoft, &call, item, vec![record], false)?;
    Ok(success(&json!({ "referanceKey": reference })))
}

/// `POST /api/Etk/sendConsentBatch`.
pub(super) async fn batch(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    let items = call.body.get("consentDataList").and_then(Value::as_array);
    let items = items.filter(|items| (1..=mysoft.config.records_maximum).contains(&items.len()));
    let Some(items) = items else {
        mysoft.stats.violation("list_size");
        return Err(Refusal::schema("consentDataList boş ya da çok uzun."));
    };
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    for item in items {
        match check(&mysoft, item)? {
            Ok(record) => records.push(record),
            Err(code) => errors.push(json!({
                "recipient": item.get("recipient"), "errorCode": code, "errorDescription": lookup(&code).1,
            })),
        }
    }
    if records.is_empty() || (!errors.is_empty() && mysoft.switches().bad_record_refuses_list) {
        let data = json!({ "referanceKey": null, "errorConsentList": errors });
        return Err(Refusal::schema("Hatalı kayıt var.").with(data));
    }
    let reference = take(&mysoft, &call, &call.body, records, true)?;
    Ok(success(&json!({ "referanceKey": reference, "errorConsentList": errors })))
}

/// A record in İYS's words, or the code of what is wrong with its form. Whether it is too old is left to İYS.
fn check(mysoft: &Mysoft, item: &Value) -> Result<Result<Map<String, Value>, String>, Refusal> {
    let empty = Map::new();
    let item = item.as_object().unwrap_or(&empty);
    if item.contains_key("brandCode") || item.contains_key("iysCode") {
        mysoft.stats.violation("brand_in_record");
    } else if item.keys().any(|field| !FIELDS.contains(&field.as_str())) {
        mysoft.stats.warning("unknown_field");
    }
    let fields = FIELDS.iter().take(6).filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    let record: Map<String, Value> = fields.filter(|(_, value)| !value.is_null()).collect();
    if let Some(code) = mysoft.planted.take(Place::List, &record, &mysoft.stats) {
        return Err(Refusal::coded(&code, "planted"));
    }
    if let Some(code) = mysoft.planted.take(Place::Check, &record, &mysoft.stats) {
        return Ok(Err(code));
    }
    let refused = |code: &str| {
        mysoft.stats.violation(&format!("rejected:{code}"));
        Ok(Err(code.to_owned()))
    };
    if !record.contains_key("recipientType") && !mysoft.switches().recipient_type_may_be_missing {
        return refused("H170");
    }
    let switches = crate::iys::Switches::default();
    let moment = Moment::new(turkish(mysoft.registry.now()), Some(DateTime::MAX), &[], &switches);
    match rules::check(&record, &moment, &mut Remarks::default()).result() {
        Ok(consent) => Ok(Ok(Map::from_iter(record.into_iter().chain([(
            // The default, where it is missing.
            "recipientType".to_owned(),
            json!(consent.recipient_type),
        )])))),
        Err(problems) => refused(problems.first().map_or("H015", |first| first.code)),
    }
}

/// Queues records; `about` holds the references and remarks that belong to all of them.
fn take(mysoft: &Mysoft, call: &BrandCall, about: &Value, records: Vec<Map<String, Value>>, batch: bool) -> Result<String, Refusal> {
    let now = mysoft.registry.now();
    let mut state = mysoft.state();
    let field = |name: &str| about.get(name).cloned().unwrap_or(Value::Null);
    let service_key = about.get("serviceReferanceKey").and_then(Value::as_str).filter(|key| !key.is_empty());
    let used = |key: &str| state.sendings.iter().any(|one| one.tenant == call.tenant && one.service_key.as_deref() == Some(key));
    if state.switches.service_key_unique && service_key.is_some_and(used) {
        mysoft.stats.violation("service_key_used");
        return Err(Refusal::schema("serviceReferanceKey daha önce kullanılmış."));
    }
    let mut places = Vec::with_capacity(records.len());
    for record in records {
        state.ledger.queued(call.brand, &record, &mysoft.stats);
        places.push(state.rows.add(Row {
            brand: call.brand,
            fields: record,
            portal: Portal::Waiting,
            record_source: "MYSOFT_API",
            at: now,
            updated: now,
            request: None,
            verdict: None,
            folder_name: field("folderName"),
            note: field("note"),
        }));
    }
    let reference = uuid::Uuid::new_v4().to_string();
    let sending = Sending {
        tenant: call.tenant.clone(),
        brand: call.brand,
        reference: reference.clone(),
        service_key: service_key.map(str::to_owned),
        note: field("note"),
        batch,
        rows: places,
        begun: None,
        ended: None,
        failed: false,
    };
    let number = state.sendings.len();
    state.sendings.push(sending);
    state.queue.push(now, (number, Stage::Send));
    Ok(reference)
}
