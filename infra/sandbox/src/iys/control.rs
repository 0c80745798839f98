//! The İYS simulator's own control paths: what stands, what a recipient does, what stood before.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Iys;
use super::config::Seed;
use super::model::{ConsentType, Key, Movement, RecipientType, Status, read_date, turkish};
use super::store::transaction;
use crate::control::unreadable;
use crate::server::json as answer;

/// The date of a seed record that gives none lies so far back that it is outside of every pull.
const SEED_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn routes() -> Router<Arc<Iys>> {
    Router::new()
        .route("/_sandbox/consents", get(consents).post(seed_consents).delete(forget))
        .route("/_sandbox/citizen", post(citizen))
        .route("/_sandbox/movements", get(movements))
        .route("/_sandbox/summary", get(summary))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    recipient: Option<String>,
    brand_code: Option<u64>,
}

fn brand_codes(iys: &Iys, wanted: Option<u64>) -> Vec<u64> {
    let providers = iys.book.providers();
    let all = providers.iter().flat_map(|account| account.brand_codes());
    all.filter(|code| wanted.is_none_or(|wanted| wanted == *code)).collect()
}

/// `GET /_sandbox/consents?recipient=…[&brandCode=…]`.
async fn consents(State(iys): State<Arc<Iys>>, Query(wanted): Query<Wanted>) -> Response {
    let Some(recipient) = wanted.recipient else {
        return unreadable(&"recipient is missing");
    };
    let recipient: Arc<str> = Arc::from(recipient.to_ascii_lowercase());
    let store = iys.store(iys.now());
    let mut records = Vec::new();
    let mut movements = Vec::new();
    for brand in brand_codes(&iys, wanted.brand_code) {
        for recipient_type in RecipientType::ALL {
            for consent_type in ConsentType::ALL {
                let key = Key { brand, recipient: Arc::clone(&recipient), recipient_type, consent_type };
                records.extend(store.current(&key).map(|current| Value::Object(row(&key, current))));
                movements.extend(store.history(&key).iter().map(|movement| (movement.creation, Value::Object(row(&key, movement)))));
            }
        }
    }
    movements.sort_by_key(|(creation, _)| *creation);
    let movements: Vec<Value> = movements.into_iter().map(|(_, row)| row).collect();
    answer(200, &json!({ "recipient": recipient, "records": records, "movements": movements }))
}

/// `GET /_sandbox/movements[?brandCode=…]`: everything that was ever recorded.
async fn movements(State(iys): State<Arc<Iys>>, Query(wanted): Query<Wanted>) -> Response {
    let store = iys.store(iys.now());
    let everything = (Timestamp::MIN, Timestamp::MAX);
    let mut rows = Vec::new();
    for brand in brand_codes(&iys, wanted.brand_code) {
        for by_recipients in [false, true] {
            let movements = store.movements(brand, by_recipients, everything, None, usize::MAX, |_| true);
            rows.extend(movements.into_iter().map(|(position, key, movement)| {
                let mut row = row(key, movement);
                row.insert("recipient".to_owned(), json!(key.recipient));
                (position.0, Value::Object(row))
            }));
        }
    }
    rows.sort_by_key(|(second, _)| *second);
    answer(200, &Value::Array(rows.into_iter().map(|(_, row)| row).collect()))
}

fn row(key: &Key, movement: &Movement) -> serde_json::Map<String, Value> {
    let mut row = movement.listed(key);
    row.remove("recipient");
    row.insert("brandCode".to_owned(), json!(key.brand));
    if let Some(code) = movement.retailer_code {
        row.insert("retailerCode".to_owned(), json!(code));
    }
    if !movement.retailer_access.is_empty() {
        row.insert("retailerAccess".to_owned(), json!(movement.retailer_access));
    }
    row
}

/// A person's act at İYS.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Act {
    brand_code: u64,
    recipient: String,
    #[serde(default)]
    recipient_type: RecipientType,
    #[serde(rename = "type")]
    consent_type: ConsentType,
    status: Status,
    source: Option<String>,
    citizen_name: Option<String>,
    consent_date: Option<String>,
}

/// `POST /_sandbox/citizen`: recorded now, pushed, and visible in pull after its tail.
async fn citizen(State(iys): State<Arc<Iys>>, body: Bytes) -> Response {
    let act: Act = match serde_json::from_slice(&body) {
        Ok(act) => act,
        Err(error) => return unreadable(&error),
    };
    let Some(owner) = iys.book.owner_of(act.brand_code) else {
        return answer(404, &json!({ "error": "no such brand" }));
    };
    let source = act.source.unwrap_or_else(|| "IYS_WEB".to_owned());
    if !source.starts_with("IYS_") {
        return unreadable(&"source must begin with IYS_");
    }
    let given = match act.consent_date.as_deref().map(read_date).transpose() {
        Ok(given) => given,
        Err(_) => return unreadable(&"consentDate must be YYYY-MM-DD HH:mm:ss"),
    };
    let key = Key {
        brand: act.brand_code,
        recipient: Arc::from(act.recipient.to_ascii_lowercase()),
        recipient_type: act.recipient_type,
        consent_type: act.consent_type,
    };
    let now = iys.now();
    let mut store = iys.store(now);
    // A closed line carries the last known date, which for a merchant may be none.
    let last_known = store.current(&key).map(|current| current.consent_date);
    let consent_date = match last_known {
        _ if given.is_some() => given,
        Some(date) if source == "IYS_AHS_HAT_KAPATMA" => date,
        _ => Some(whole_second(turkish(now))),
    };
    let movement = Movement {
        status: act.status,
        source: Some(Arc::from(source)),
        consent_date,
        creation: now,
        transaction: transaction(&key, now),
        citizen_name: act.citizen_name.map(String::into_boxed_str),
        retailer_code: None,
        retailer_access: Vec::new(),
    };
    let movement = store.record(key.clone(), movement);
    store.announce(&key, &movement, None);
    drop(store);
    let mut record = movement.listed(&key);
    record.insert("iysCode".to_owned(), json!(owner.iys_code));
    record.insert("brandCode".to_owned(), json!(key.brand));
    iys.push.publish(key.brand, key.consent_type, &Value::Object(record));
    answer(200, &json!({ "transactionId": movement.transaction_id(), "creationDate": movement.creation_date() }))
}

/// Which record İYS loses the newest movement of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lost {
    brand_code: u64,
    recipient: String,
    #[serde(default)]
    recipient_type: RecipientType,
    #[serde(rename = "type")]
    consent_type: ConsentType,
}

/// `DELETE /_sandbox/consents`: the newest movement is gone, as if it had never come, and nobody is told.
async fn forget(State(iys): State<Arc<Iys>>, body: Bytes) -> Response {
    let lost: Lost = match serde_json::from_slice(&body) {
        Ok(lost) => lost,
        Err(error) => return unreadable(&error),
    };
    let key = Key {
        brand: lost.brand_code,
        recipient: Arc::from(lost.recipient.to_ascii_lowercase()),
        recipient_type: lost.recipient_type,
        consent_type: lost.consent_type,
    };
    let lost = iys.store(iys.now()).forget(&key);
    answer(200, &json!({ "lost": lost.map(|movement| movement.transaction_id()) }))
}

fn whole_second(at: DateTime) -> DateTime {
    at.with().subsec_nanosecond(0).build().unwrap_or(at)
}

/// `POST /_sandbox/consents`: records that stood before.
async fn seed_consents(State(iys): State<Arc<Iys>>, body: Bytes) -> Response {
    let seeds: Vec<Seed> = match serde_json::from_slice(&body) {
        Ok(seeds) => seeds,
        Err(error) => return unreadable(&error),
    };
    match seed(&iys, &seeds) {
        Ok(()) => answer(200, &json!({ "seeded": seeds.len() })),
        Err(error) => unreadable(&error),
    }
}

/// A seed record that cannot be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    /// Its date is not of the form `YYYY-MM-DD HH:mm:ss`.
    #[error("the date of seed record {0} must be YYYY-MM-DD HH:mm:ss")]
    Date(usize),
}

/// Stores records without asking any rule and without pushing them.
pub(super) fn seed(iys: &Iys, seeds: &[Seed]) -> Result<(), SeedError> {
    let now = iys.now();
    let default = whole_second(turkish(now - SEED_AGE));
    let mut movements = Vec::with_capacity(seeds.len());
    for (index, seed) in seeds.iter().enumerate() {
        let date = |text: &Option<String>| text.as_deref().map(read_date).transpose().map_err(|_| SeedError::Date(index));
        let consent_date = date(&seed.consent_date)?.unwrap_or(default);
        let creation = date(&seed.creation_date)?.unwrap_or(consent_date);
        let creation: Timestamp = Offset::constant(3).to_timestamp(creation).map_err(|_| SeedError::Date(index))?;
        let key = Key {
            brand: seed.brand_code,
            recipient: Arc::from(seed.recipient.to_ascii_lowercase()),
            recipient_type: seed.recipient_type,
            consent_type: seed.consent_type,
        };
        let movement = Movement {
            status: seed.status,
            source: Some(Arc::from(seed.source.as_deref().unwrap_or("HS_WEB"))),
            consent_date: Some(consent_date),
            creation,
            transaction: transaction(&key, creation),
            citizen_name: None,
            retailer_code: None,
            retailer_access: Vec::new(),
        };
        movements.push((key, movement));
    }
    let mut store = iys.store(now);
    for (key, movement) in movements {
        store.record(key, movement);
    }
    Ok(())
}

/// `GET /_sandbox/summary[?brandCode=…]`.
async fn summary(State(iys): State<Arc<Iys>>, Query(wanted): Query<Wanted>) -> Response {
    let brands = brand_codes(&iys, wanted.brand_code);
    let store = iys.store(iys.now());
    let records: Vec<Value> = store
        .counts(&brands)
        .into_iter()
        .map(|((consent_type, recipient_type, status), count)| {
            json!({ "type": consent_type, "recipientType": recipient_type, "status": status, "count": count })
        })
        .collect();
    answer(
        200,
        &json!({
            "brandCode": wanted.brand_code,
            "records": records,
            "movements": store.movement_count(&brands),
            "waiting": store.waiting(),
        }),
    )
}
