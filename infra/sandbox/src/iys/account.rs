//! What a provider can ask about itself: brands and subscription.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::Iys;
use super::access::{ProviderAccess, subscribed};
use super::errors::ApiError;
use super::model::Status;
use crate::server::json as answer;

/// `GET /sps/{iysCode}/brands`.
pub(super) async fn brands(State(iys): State<Arc<Iys>>, access: ProviderAccess) -> Result<Response, ApiError> {
    let provider = access.provider(&iys)?;
    subscribed(provider)?;
    let store = iys.store(iys.now());
    let list: Vec<Value> = provider
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
                    "retailers": { "total": brand.retailers.len() },
                },
            })
        })
        .collect();
    Ok(answer(200, &Value::Array(list)))
}

/// `GET /sps/{iysCode}/subscription`; allowed also while the subscription is paused or expired.
pub(super) async fn subscription(State(iys): State<Arc<Iys>>, access: ProviderAccess) -> Result<Response, ApiError> {
    let provider = access.provider(&iys)?;
    let subscription = provider.subscription.as_ref().ok_or_else(|| ApiError::code("H437"))?;
    let used = iys.store(iys.now()).record_count(provider.brands.iter().map(|brand| brand.brand_code));
    Ok(answer(
        200,
        &json!({
            "subscriptionId": provider.iys_code.to_string(),
            "startDate": "2026-01-01 00:00:00",
            "expirationDate": "2099-12-31 23:59:59",
            "subscriptionPackageName": subscription.package,
            "status": subscription.status,
            // −1 stands for unlimited, as İYS writes it for credits.
            "consentLimit": subscription.consent_limit.map_or(json!(-1), |limit| json!(limit)),
            "consentLimitExceed": subscription.consent_limit_exceed,
            "usedConsentLimit": used,
        }),
    ))
}
