//! The push service: registration with its handshake, and delivery of recipients' movements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::Iys;
use super::access::BrandAccess;
use super::config::Config;
use super::errors::{ApiError, Problem};
use super::model::{ConsentType, turkish, write_date};
use crate::outbound;
use crate::server::json as answer;
use crate::stats::Stats;

/// Active connections per brand and channel.
const CONNECTIONS_MAXIMUM: usize = 2;
/// Records in one delivery (U21).
const BATCH_MAXIMUM: usize = 100;

/// The connections and the way to them.
pub(crate) struct Hub {
    connections: Mutex<Vec<Connection>>,
    client: Client,
    stats: Arc<Stats>,
    retry_ms: Arc<[u64]>,
}

/// What a receiver is called with.
#[derive(Clone)]
struct Receiver {
    url: String,
    username: String,
    password: String,
}

struct Connection {
    brand: u64,
    consent_type: ConsentType,
    receiver: Receiver,
    registered: Timestamp,
    records: mpsc::UnboundedSender<Value>,
}

impl Hub {
    pub(crate) fn new(config: &Config, stats: Arc<Stats>) -> std::io::Result<Self> {
        let hub = Self { connections: Mutex::default(), client: outbound::client()?, stats, retry_ms: config.push_retry_ms.clone().into() };
        for preset in &config.push_connections {
            let receiver = Receiver { url: preset.url.clone(), username: preset.username.clone(), password: preset.password.clone() };
            hub.connect(preset.brand_code, preset.consent_type, receiver, (config.clock)());
        }
        Ok(hub)
    }

    /// Hands a record to every connection of its brand and channel.
    pub(crate) fn publish(&self, brand: u64, consent_type: ConsentType, record: &Value) {
        for connection in self.lock().iter() {
            if connection.brand == brand && connection.consent_type == consent_type {
                // A worker ends only together with its connection.
                if connection.records.send(record.clone()).is_ok() {
                    self.stats.deliveries(|counts| counts.queued += 1);
                }
            }
        }
    }

    fn connect(&self, brand: u64, consent_type: ConsentType, receiver: Receiver, registered: Timestamp) {
        let (records, waiting) = mpsc::unbounded_channel();
        let work = deliver(self.client.clone(), Arc::clone(&self.stats), Arc::clone(&self.retry_ms), receiver.clone(), waiting);
        tokio::spawn(work);
        self.lock().push(Connection { brand, consent_type, receiver, registered, records });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers one connection's records in order, as many at once as are waiting.
async fn deliver(client: Client, stats: Arc<Stats>, retry_ms: Arc<[u64]>, receiver: Receiver, mut waiting: mpsc::UnboundedReceiver<Value>) {
    let mut batch = Vec::with_capacity(BATCH_MAXIMUM);
    loop {
        batch.clear();
        let count = waiting.recv_many(&mut batch, BATCH_MAXIMUM).await;
        if count == 0 {
            return;
        }
        let body = json!({ "list": batch });
        let records = u64::try_from(count).unwrap_or(u64::MAX);
        outbound::deliver(&stats, records, &retry_ms, || {
            outbound::post(&client, &receiver.url, &body).basic_auth(&receiver.username, Some(&receiver.password))
        })
        .await;
    }
}

/// The payload that İYS tries every new connection with (İYS API documentation, push registration).
fn test_payload() -> Value {
    json!({
        "list": [{
            "iysCode": 121_212, "brandCode": 121_212,
            "consentDate": "2015-05-01 15:00:00", "creationDate": "2015-05-01 15:00:00",
            "source": "IYS_MOBIL", "recipient": "pushtest@iys.org.tr", "recipientType": "BIREYSEL",
            "status": "ONAY", "type": "EPOSTA",
            "transactionId": "e52ee30512adfcd2a41fb3b4682f5bd61eee5b1c92bda665fc0b7e56644d429d",
        }]
    })
}

/// `POST …/push/registration`.
pub(super) async fn register(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    let brand = access.brand(&iys)?.brand_code;
    let value: Value = serde_json::from_slice(&body).map_err(|_| ApiError::code("H014"))?;
    let wanted = value.get("connection").and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(|| ApiError::code("H531"))?;
    let mut checked = Vec::with_capacity(wanted.len());
    for entry in wanted {
        let (consent_type, receiver) = connection(entry, iys.config.allow_http_push)?;
        let active = iys.push.lock().iter().filter(|one| one.brand == brand && one.consent_type == consent_type).count();
        let asked = checked.iter().filter(|(other, _)| *other == consent_type).count();
        if active + asked >= CONNECTIONS_MAXIMUM {
            return Err(ApiError::code("H530"));
        }
        checked.push((consent_type, receiver));
    }
    for (_, receiver) in &checked {
        handshake(&iys.push.client, receiver).await.map_err(ApiError::code)?;
    }
    for (consent_type, receiver) in checked {
        iys.push.connect(brand, consent_type, receiver, iys.now());
    }
    Ok(answer(200, &json!({ "message": "Bağlantı oluşturuldu." })))
}

/// Reads one connection object.
fn connection(entry: &Value, allow_http: bool) -> Result<(ConsentType, Receiver), ApiError> {
    let empty = Map::new();
    let fields = entry.as_object().unwrap_or(&empty);
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let url = text("url").filter(|url| url.starts_with("https://") || (allow_http && url.starts_with("http://")));
    let Some(url) = url else {
        return Err(ApiError::from_problem(Problem::at("H531", "url", fields.get("url"))));
    };
    let consent_type = text("type").ok_or_else(|| ApiError::from_problem(Problem::at("H111", "type", None)))?;
    let consent_type =
        ConsentType::parse(consent_type).ok_or_else(|| ApiError::from_problem(Problem::at("H117", "type", fields.get("type"))))?;
    match (text("username"), text("password")) {
        (Some(username), Some(password)) => {
            Ok((consent_type, Receiver { url: url.to_owned(), username: username.to_owned(), password: password.to_owned() }))
        }
        _ => Err(ApiError::code("H093")),
    }
}

/// Tries a receiver: without credentials it must refuse with 401, with them it must take the test
/// payload, each within the time limit.
async fn handshake(client: &Client, receiver: &Receiver) -> Result<(), &'static str> {
    let payload = test_payload();
    let failed = |error: reqwest::Error| if error.is_timeout() { "H191" } else { "H530" };
    let bare = outbound::post(client, &receiver.url, &payload).send().await.map_err(failed)?;
    if bare.status().as_u16() != 401 {
        return Err("H530");
    }
    let tried = outbound::post(client, &receiver.url, &payload)
        .basic_auth(&receiver.username, Some(&receiver.password))
        .send()
        .await
        .map_err(failed)?;
    if tried.status().is_success() { Ok(()) } else { Err("H530") }
}

/// `GET …/push/registration`.
pub(super) async fn list(State(iys): State<Arc<Iys>>, access: BrandAccess) -> Result<Response, ApiError> {
    let brand = access.brand(&iys)?.brand_code;
    let rows: Vec<Value> = iys
        .push
        .lock()
        .iter()
        .filter(|connection| connection.brand == brand)
        .map(|connection| {
            json!({
                "url": connection.receiver.url,
                "type": connection.consent_type,
                "registerTime": write_date(turkish(connection.registered)),
                "status": "Bağlantı Oluşturuldu",
            })
        })
        .collect();
    Ok(answer(200, &Value::Array(rows)))
}

/// `POST …/push/unregistration`.
pub(super) async fn unregister(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    let brand = access.brand(&iys)?.brand_code;
    let value: Value = serde_json::from_slice(&body).map_err(|_| ApiError::code("H014"))?;
    let (consent_type, receiver) = connection(&value, iys.config.allow_http_push)?;
    let mut connections = iys.push.lock();
    let found = connections.iter().position(|one| {
        one.brand == brand
            && one.consent_type == consent_type
            && one.receiver.url == receiver.url
            && one.receiver.username == receiver.username
            && one.receiver.password == receiver.password
    });
    match found {
        Some(at) => {
            connections.remove(at);
            Ok(answer(200, &json!({ "message": "Bağlantı kaldırıldı." })))
        }
        None => Err(ApiError::code("H530")),
    }
}
