//! The two calls, add and query.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answers::{Code, ItemErrors, planted, refuse, refuse_items, success};
use super::check;
use super::config::{Account, Switches};
use super::{Netgsm, Package, Sent};
use crate::integrator::planted::Place;
use crate::iys::model::{ConsentType, Movement, RecipientType, write_date};
use crate::iys::store::digest;
use crate::server::Peer;

/// A call that got past the header.
struct Admitted {
    username: String,
    brand: u64,
    items: Vec<Value>,
    switches: Switches,
}

/// `POST /iys/add`: takes a package.
pub(super) async fn add(
    State(netgsm): State<Arc<Netgsm>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let call = admit(&netgsm, peer, &headers, &body).map_err(|refusal| *refusal)?;
    let mut errors = ItemErrors::new();
    let mut records = Vec::new();
    for (index, item) in call.items.iter().enumerate() {
        match check::add(item, &call.switches, &netgsm.stats) {
            Err(wrong) => errors.push((index, wrong)),
            Ok(record) => {
                if let Some(code) = netgsm.planted.take(Place::List, &record, &netgsm.stats) {
                    return Err(planted(&code, "planted", &ItemErrors::new(), &call.switches));
                }
                match netgsm.planted.take(Place::Check, &record, &netgsm.stats) {
                    Some(text) => errors.push((index, Map::from_iter([("recipient".to_owned(), json!(text))]))),
                    None => records.push(record),
                }
            }
        }
    }
    for (_, wrong) in &errors {
        wrong.keys().for_each(|field| netgsm.stats.violation(&format!("rejected:{field}")));
    }
    if records.is_empty() {
        return Err(refuse_items(Code::Parameters, &errors, &call.switches));
    }
    let uid = uuid::Uuid::new_v4().to_string();
    let submit_id = if call.switches.submitid_is_uid { uid.clone() } else { uuid::Uuid::new_v4().to_string() };
    let now = netgsm.registry.now();
    let mut state = netgsm.state();
    for record in &records {
        state.ledger.queued(call.brand, record, &netgsm.stats);
    }
    let sent = records.into_iter().map(|record| Sent { record, verdict: None }).collect();
    let number = state.packages.len();
    state.packages.push(Package { account: call.username, brand: call.brand, uid: uid.clone(), submit_id, sent });
    state.queue.push(now, number);
    drop(state);
    let mut fields = Map::from_iter([("uid".to_owned(), json!(uid))]);
    if !errors.is_empty() {
        fields.insert("erroritem".to_owned(), super::answers::items(&errors));
    }
    Ok(success(fields, &call.switches))
}

/// `POST /iys/search`: what stands at İYS. Details are for one record only.
pub(super) async fn search(
    State(netgsm): State<Arc<Netgsm>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let call = admit(&netgsm, peer, &headers, &body).map_err(|refusal| *refusal)?;
    let mut errors = ItemErrors::new();
    let mut asked = Vec::new();
    for (index, item) in call.items.iter().enumerate() {
        match check::query(item, &call.switches, &netgsm.stats) {
            Err(wrong) => errors.push((index, wrong)),
            Ok(record) => {
                if let Some(code) = netgsm.planted.take(Place::Query, &record, &netgsm.stats) {
                    return Err(planted(&code, "planted", &ItemErrors::new(), &call.switches));
                }
                asked.push(record);
            }
        }
    }
    if !errors.is_empty() {
        netgsm.stats.violation("invalid_query:70");
        return Err(refuse_items(Code::Parameters, &errors, &call.switches));
    }
    netgsm.settle();
    let transaction = data_encoding::HEXLOWER.encode(&digest(&uuid::Uuid::new_v4().to_string()));
    let found = |record: &Map<String, Value>| {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let (recipient_type, consent_type) = (RecipientType::parse(text("recipientType"))?, ConsentType::parse(text("type"))?);
        netgsm.registry.current(call.brand, text("recipient"), recipient_type, consent_type)
    };
    let query = match asked.as_slice() {
        [one] => {
            let (current, access) = found(one).ok_or_else(|| refuse(Code::NoRecord, &call.switches))?;
            let row = single(one, &current, access, &call.switches);
            if call.switches.array_of_one { json!([row]) } else { row }
        }
        several => Value::Array(several.iter().map(|record| multiple(record, found(record), &transaction)).collect()),
    };
    Ok(success(Map::from_iter([("query".to_owned(), query)]), &call.switches))
}

fn single(asked: &Map<String, Value>, current: &Movement, access: usize, switches: &Switches) -> Value {
    let mut row = asked.clone();
    row.insert("status".to_owned(), json!(current.status));
    row.insert("source".to_owned(), json!(current.source.as_deref().unwrap_or_default()));
    row.insert("consentDate".to_owned(), json!(current.consent_date.map(write_date).unwrap_or_default()));
    row.insert("creationDate".to_owned(), json!(current.creation_date()));
    row.insert("retailerAccessCount".to_owned(), json!(access));
    row.insert("transactionId".to_owned(), json!(current.transaction_id()));
    if switches.query_status {
        row.insert("querystatus".to_owned(), Value::Null);
    }
    Value::Object(row)
}

/// No details, the query's own id, and RET also for what nobody knows.
fn multiple(asked: &Map<String, Value>, current: Option<(Arc<Movement>, usize)>, transaction: &str) -> Value {
    let mut row = asked.clone();
    row.insert("status".to_owned(), json!(current.map_or("RET", |(current, _)| current.status.name())));
    row.insert("source".to_owned(), json!(""));
    row.insert("consentDate".to_owned(), json!(""));
    row.insert("transactionId".to_owned(), json!(transaction));
    Value::Object(row)
}

/// Reads the header and the list; the answer where that fails.
fn admit(netgsm: &Netgsm, peer: Peer, headers: &HeaderMap, body: &[u8]) -> Result<Admitted, Box<Response>> {
    let switches = netgsm.switches();
    let refused = |code: Code| Box::new(refuse(code, &switches));
    let violation = |kind: &str| netgsm.stats.violation(kind);
    let body: Value = serde_json::from_slice(body).map_err(|_| {
        violation("malformed_json");
        refused(Code::Parameters)
    })?;
    let field = |name: &str| body.get("header").and_then(|header| header.get(name));
    let text = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default();
    let account = netgsm.account(text("username")).filter(|account| account.password == text("password"));
    let Some(account) = account.filter(|account| account.api_right) else {
        violation("bad_credentials");
        return Err(refused(Code::User));
    };
    if account.allowed_addresses.as_ref().is_some_and(|allowed| !allowed.contains(&peer.0)) {
        violation("address_not_listed");
        return Err(refused(Code::User));
    }
    if !account.module_active || (switches.basic_required && !basic(headers, &account)) {
        return Err(refused(Code::Module));
    }
    if !netgsm.admit(&account.username) {
        violation("rate_limited:80");
        return Err(refused(Code::TryAgain));
    }
    let brand = field("brandCode").and_then(crate::iys::rules::number).filter(|brand| account.brands.contains(brand));
    let Some(brand) = brand else {
        violation("forbidden:60");
        return Err(refused(Code::Brand));
    };
    let items = body.get("body").and_then(|body| body.get("data")).and_then(Value::as_array).filter(|items| !items.is_empty());
    let Some(items) = items.filter(|items| items.len() <= netgsm.config.items_maximum) else {
        violation("list_size");
        return Err(refused(Code::Parameters));
    };
    Ok(Admitted { username: account.username, brand, items: items.clone(), switches })
}

/// Whether the caller also gave its credentials by HTTP Basic.
fn basic(headers: &HeaderMap, account: &Account) -> bool {
    let wanted = data_encoding::BASE64.encode(format!("{}:{}", account.username, account.password).as_bytes());
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|given| given.strip_prefix("Basic ")) == Some(wanted.as_str())
}
