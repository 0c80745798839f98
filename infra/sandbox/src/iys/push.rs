//! The methods of the push service: registration with its handshake, list, unregistration.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::BrandAccess;
use super::errors::{ApiError, Problem};
use super::hub::{Hub, Receiver};
use super::model::ConsentType;
use crate::server::json as answer;

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

/// `POST …/push/registration`: form first, then the limit, then the handshake; all connections or none.
pub(super) async fn register(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    let brand = access.brand_code();
    let value: Value = serde_json::from_slice(&body).map_err(|_| ApiError::code("H014"))?;
    let wanted = value.get("connection").and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(|| ApiError::code("H531"))?;
    let mut checked: Vec<(ConsentType, Receiver)> = Vec::with_capacity(wanted.len());
    for entry in wanted {
        let (consent_type, receiver) = connection(entry, iys.config.allow_http_push)?;
        access.may_read(&iys, consent_type)?;
        let asked = checked.iter().filter(|(other, _)| *other == consent_type).count();
        if !iys.push.has_room(brand, consent_type, asked + 1) {
            return Err(ApiError::code("H530"));
        }
        checked.push((consent_type, receiver));
    }
    for (_, receiver) in &checked {
        handshake(&iys.push, receiver).await.map_err(ApiError::code)?;
    }
    for (consent_type, receiver) in checked {
        iys.push.connect(brand, consent_type, receiver, iys.now());
    }
    Ok(answer(200, &json!({ "message": "Bağlantı oluşturuldu" })))
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
    let credential = |name: &str| text(name).map(str::to_owned).ok_or_else(|| ApiError::from_problem(Problem::at("H093", name, None)));
    Ok((consent_type, Receiver { url: url.to_owned(), username: credential("username")?, password: credential("password")? }))
}

/// Tries a receiver: without credentials it must refuse with 401, with them it must take the test
/// payload, each within the time limit.
async fn handshake(hub: &Hub, receiver: &Receiver) -> Result<(), &'static str> {
    let payload = test_payload();
    let failed = |error: reqwest::Error| if error.is_timeout() { "H191" } else { "H530" };
    let bare = hub.post(&receiver.url, &payload).send().await.map_err(failed)?;
    if bare.status().as_u16() != 401 {
        return Err("H530");
    }
    let tried = hub.post(&receiver.url, &payload).basic_auth(&receiver.username, Some(&receiver.password)).send().await.map_err(failed)?;
    if tried.status().is_success() { Ok(()) } else { Err("H530") }
}

/// `GET …/push/registration`.
pub(super) async fn list(State(iys): State<Arc<Iys>>, access: BrandAccess) -> Result<Response, ApiError> {
    Ok(answer(200, &Value::Array(iys.push.listed(access.brand_code()))))
}

/// `POST …/push/unregistration`.
pub(super) async fn unregister(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    let value: Value = serde_json::from_slice(&body).map_err(|_| ApiError::code("H014"))?;
    let (consent_type, receiver) = connection(&value, iys.config.allow_http_push)?;
    if iys.push.disconnect(access.brand_code(), consent_type, &receiver) {
        Ok(answer(200, &json!({ "message": "Bağlantı kaldırıldı" })))
    } else {
        Err(ApiError::code("H530"))
    }
}
