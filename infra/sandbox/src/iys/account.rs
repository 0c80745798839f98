//! What a provider can ask about itself, brands and subscription, and what a partner sees of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::ProviderAccess;
use super::errors::ApiError;
use super::model::{Status, write_date};
use super::parties::Subscription;
use crate::server::json as answer;

/// `GET /sps/{iysCode}/brands`; partners have a list of their own.
pub(super) async fn brands(State(iys): State<Arc<Iys>>, access: ProviderAccess) -> Result<Response, ApiError> {
    if access.partner.is_some() {
        return Err(iys.refuse_access(ApiError::code("H363")));
    }
    let now = iys.now();
    access.subscribed(now).map_err(|error| iys.refuse_access(error))?;
    let store = iys.store(now);
    let list: Vec<Value> = access
        .account
        .brands
        .iter()
        .map(|brand| {
            let counts = store.counts(&[brand.brand_code]);
            let of =
                |wanted: Status| -> u64 { counts.iter().filter(|((_, _, status), _)| *status == wanted).map(|(_, count)| count).sum() };
            let (approval, rejection) = (of(Status::Onay), of(Status::Ret));
            json!({
                "brandCode": brand.brand_code,
                "name": brand.name,
                "master": brand.master,
                "stats": {
                    "consents": { "approval": approval, "rejection": rejection, "total": approval + rejection },
                    "retailers": { "total": iys.retailers().count(brand.brand_code) },
                },
            })
        })
        .collect();
    Ok(answer(200, &Value::Array(list)))
}

/// `GET /sps/{iysCode}/subscription`; allowed also while the subscription is not in force.
pub(super) async fn subscription(State(iys): State<Arc<Iys>>, access: ProviderAccess) -> Result<Response, ApiError> {
    let now = iys.now();
    let account = &access.account;
    let subscription = account.subscription.as_ref().ok_or_else(|| ApiError::code("H437"))?;
    let mut shown = describe(&iys, account.iys_code, subscription, now);
    if access.partner.is_none() {
        let stored = iys.store(now).record_count(account.brand_codes());
        // −1 stands for unlimited, as İYS writes it for credits.
        let limit = subscription.consent_limit.map_or(json!(-1), |limit| json!(limit));
        shown.insert("consentLimit".to_owned(), limit);
        shown.insert("consentLimitExceed".to_owned(), json!(subscription.consent_limit_exceed));
        shown.insert("usedConsentLimit".to_owned(), json!(account.used(stored)));
    }
    Ok(answer(200, &Value::Object(shown)))
}

/// What everyone sees of a subscription; limits are the provider's own matter.
pub(super) fn describe(iys: &Iys, code: u64, subscription: &Subscription, now: Timestamp) -> Map<String, Value> {
    let id = match serde_json::to_value(iys.switches().subscription_id) {
        Ok(Value::String(name)) => name,
        _ => "subscriptionId".to_owned(),
    };
    Map::from_iter([
        (id, json!(code.to_string())),
        ("startDate".to_owned(), json!(write_date(subscription.start_date))),
        ("expirationDate".to_owned(), json!(write_date(subscription.expiration_date))),
        ("subscriptionPackageName".to_owned(), json!(subscription.package)),
        ("status".to_owned(), json!(subscription.status_at(now))),
    ])
}
