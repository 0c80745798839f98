//! The control paths that change İYS while it runs: accounts, switches, listed addresses, push connections,
//! day files.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Iys;
use super::agreements::ProcessStatus;
use super::book::Unknown;
use super::hub::How;
use super::model::ConsentType;
use super::parties::{Grant, Subscription};
use crate::control::{merged, unreadable};
use crate::server::json as answer;

pub(super) fn routes() -> Router<Arc<Iys>> {
    Router::new()
        .route("/_sandbox/accounts", get(accounts).patch(change_account))
        .route("/_sandbox/switches", patch(change_switches))
        .route("/_sandbox/listed_addresses", put(list_addresses))
        .route("/_sandbox/push/drop", post(drop_push))
        .route("/_sandbox/agreements", get(confirmed).post(hold_file))
}

fn done() -> Response {
    answer(200, &json!({ "status": "ok" }))
}

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Unreadable(#[from] serde_json::Error),
    #[error("name one account: iysCode with subscription, brandCode with channels, or integratorCode with grants or subscription")]
    NotOneAccount,
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown(error) => answer(404, &json!({ "error": error.to_string() })),
            Self::Unreadable(_) | Self::NotOneAccount => unreadable(&self),
        }
    }
}

/// A change of one account. Fields that are left out stay as they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    /// A provider: `subscription`.
    iys_code: Option<u64>,
    /// A brand: `channels`.
    brand_code: Option<u64>,
    /// A partner: `grants`, `subscription`.
    integrator_code: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    subscription: Option<Option<Map<String, Value>>>,
    #[serde(default, deserialize_with = "given")]
    channels: Option<Option<Vec<ConsentType>>>,
    grants: Option<Vec<Grant>>,
}

/// Tells null (`Some(None)`) from left out (`None`).
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// The subscription after a change: null takes it away, fields change what there is.
fn subscribed(current: Option<&Subscription>, change: Option<Map<String, Value>>) -> Result<Option<Subscription>, serde_json::Error> {
    let Some(fields) = change else { return Ok(None) };
    // What counts as used was said of a moment that is over.
    let current = current.cloned().map(|one| Subscription { used_consent_limit: None, ..one }).unwrap_or_default();
    merged(&current, fields).map(Some)
}

async fn change_account(State(iys): State<Arc<Iys>>, body: Bytes) -> Result<Response, Refused> {
    let change: Change = serde_json::from_slice(&body)?;
    let Change { iys_code, brand_code, integrator_code, subscription, channels, grants } = change;
    match (iys_code, brand_code, integrator_code, channels, grants) {
        (Some(code), None, None, None, None) => {
            let account = iys.book.provider(code).ok_or(Unknown)?;
            if let Some(change) = subscription {
                let subscription = subscribed(account.subscription.as_ref(), change)?;
                let stored = iys.store(iys.now()).record_count(account.brand_codes());
                iys.book.subscribe(code, subscription, stored)?;
            }
        }
        (None, Some(code), None, channels, None) if subscription.is_none() => {
            iys.book.owner_of(code).ok_or(Unknown)?;
            if let Some(channels) = channels {
                iys.book.authorise(code, channels)?;
            }
        }
        (None, None, Some(code), None, grants) => {
            let partner = iys.book.partner(code).ok_or(Unknown)?;
            let subscription = match subscription {
                None => partner.subscription.clone(),
                Some(change) => subscribed(partner.subscription.as_ref(), change)?,
            };
            iys.book.change_partner(code, |partner| {
                partner.subscription = subscription;
                partner.grants = grants.unwrap_or_else(|| std::mem::take(&mut partner.grants));
            })?;
        }
        _ => return Err(Refused::NotOneAccount),
    }
    Ok(done())
}

/// `GET /_sandbox/accounts`: everything but the passwords.
async fn accounts(State(iys): State<Arc<Iys>>) -> Response {
    let providers: Vec<Value> = iys
        .book
        .providers()
        .iter()
        .map(|one| {
            json!({
                "iysCode": one.iys_code, "title": one.title, "username": one.username,
                "subscription": one.subscription, "brands": one.brands,
            })
        })
        .collect();
    let partners: Vec<Value> = iys
        .book
        .partners()
        .iter()
        .map(|one| {
            json!({
                "integratorCode": one.integrator_code, "title": one.title, "username": one.username,
                "subscription": one.subscription, "grants": one.grants,
            })
        })
        .collect();
    answer(200, &json!({ "providers": providers, "partners": partners }))
}

async fn change_switches(State(iys): State<Arc<Iys>>, body: Bytes) -> Result<Response, Refused> {
    let switches = merged(&iys.switches(), serde_json::from_slice(&body)?)?;
    iys.switch(switches);
    Ok(answer(200, &json!(switches)))
}

async fn list_addresses(State(iys): State<Arc<Iys>>, body: Bytes) -> Result<Response, Refused> {
    let listed: Option<Vec<IpAddr>> = serde_json::from_slice(&body)?;
    iys.door.list(listed);
    Ok(done())
}

/// Push connections to drop.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Drop {
    brand_code: u64,
    #[serde(rename = "type")]
    consent_type: Option<ConsentType>,
    #[serde(default)]
    how: How,
}

async fn drop_push(State(iys): State<Arc<Iys>>, body: Bytes) -> Result<Response, Refused> {
    let order: Drop = serde_json::from_slice(&body)?;
    Ok(answer(200, &json!({ "dropped": iys.push.drop_connections(order.brand_code, order.consent_type, order.how) })))
}

/// How far İYS has come with a day file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Hold {
    brand_code: u64,
    report_date: Date,
    process_status: ProcessStatus,
}

async fn hold_file(State(iys): State<Arc<Iys>>, body: Bytes) -> Result<Response, Refused> {
    let order: Hold = serde_json::from_slice(&body)?;
    iys.agreements().hold(order.brand_code, order.report_date, order.process_status);
    Ok(done())
}

async fn confirmed(State(iys): State<Arc<Iys>>) -> Response {
    let agreements = iys.agreements();
    let rows: Vec<Value> = agreements.confirmed().map(|(brand, day)| json!({ "brandCode": brand, "reportDate": day })).collect();
    answer(200, &Value::Array(rows))
}
