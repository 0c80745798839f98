//! Who may call what: the limit per second, the token, the codes in the path, the subscription.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Iys;
use super::config::{Brand, ChannelRefusal, Provider, SubscriptionStatus};
use super::errors::ApiError;
use super::model::Consent;
use crate::server::Peer;

/// The layer that holds all callers to the limit per second.
pub(super) async fn limit(State(iys): State<Arc<Iys>>, request: Request, next: Next) -> Response {
    let admitted = match request.extensions().get::<Peer>() {
        Some(peer) => iys.limits().calls.admit(peer.0, iys.now()),
        None => true,
    };
    if !admitted {
        iys.stats.violation("rate_limited:H124");
        let mut response = ApiError::code("H124").into_response();
        iys.add_retry_after(&mut response);
        return response;
    }
    next.run(request).await
}

/// A caller whose token belongs to the provider in the path.
pub(crate) struct ProviderAccess {
    provider: usize,
}

impl ProviderAccess {
    pub(crate) fn provider<'a>(&self, iys: &'a Iys) -> Result<&'a Provider, ApiError> {
        iys.config.providers.get(self.provider).ok_or_else(|| ApiError::code("H001"))
    }
}

impl FromRequestParts<Arc<Iys>> for ProviderAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        let owner = owner(iys, &parts.headers)?;
        let codes = codes(parts, iys).await?;
        let iys_code = codes.iys.ok_or_else(|| ApiError::code("H190"))?;
        let owned = iys.config.providers.get(owner).is_some_and(|provider| provider.iys_code == iys_code);
        if owned { Ok(Self { provider: owner }) } else { Err(iys.refuse_access(not_yours(iys))) }
    }
}

/// A caller whose token belongs to the provider and brand in the path, under a subscription in force.
pub(crate) struct BrandAccess {
    provider: usize,
    brand: usize,
}

impl BrandAccess {
    pub(crate) fn provider<'a>(&self, iys: &'a Iys) -> Result<&'a Provider, ApiError> {
        iys.config.providers.get(self.provider).ok_or_else(|| ApiError::code("H001"))
    }

    pub(crate) fn brand<'a>(&self, iys: &'a Iys) -> Result<&'a Brand, ApiError> {
        self.provider(iys)?.brands.get(self.brand).ok_or_else(|| ApiError::code("H353"))
    }

    /// Whether the API user may write the consent's channel.
    pub(crate) fn may_write(&self, iys: &Iys, consent: &Consent) -> Result<(), ApiError> {
        let brand = self.brand(iys)?;
        if brand.channels.as_ref().is_none_or(|channels| channels.contains(&consent.consent_type)) {
            return Ok(());
        }
        Err(match iys.config.switches.channel_refusal {
            ChannelRefusal::H355 => ApiError::code("H355"),
            ChannelRefusal::H353 => not_yours(iys),
        })
    }
}

impl FromRequestParts<Arc<Iys>> for BrandAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        let access = ProviderAccess::from_request_parts(parts, iys).await?;
        let brand_code = codes(parts, iys).await?.brand.ok_or_else(|| ApiError::code("H191"))?;
        let provider = access.provider(iys)?;
        subscribed(provider).map_err(|error| iys.refuse_access(error))?;
        match provider.brands.iter().position(|brand| brand.brand_code == brand_code) {
            Some(brand) => Ok(Self { provider: access.provider, brand }),
            None => Err(iys.refuse_access(not_yours(iys))),
        }
    }
}

/// Refuses providers without a subscription that covers the API.
pub(crate) fn subscribed(provider: &Provider) -> Result<(), ApiError> {
    let subscription = provider.subscription.as_ref().ok_or_else(|| ApiError::code("H524"))?;
    match subscription.status {
        SubscriptionStatus::Paused | SubscriptionStatus::Expired => Err(ApiError::code("H520")),
        SubscriptionStatus::Closed => Err(ApiError::code("H521")),
        SubscriptionStatus::Active if !subscription.includes_api => Err(ApiError::code("H586")),
        SubscriptionStatus::Active => Ok(()),
    }
}

fn owner(iys: &Iys, headers: &HeaderMap) -> Result<usize, ApiError> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
        .and_then(|token| iys.tokens().owner(token, iys.now()))
        .ok_or_else(|| ApiError::code("H351"))
}

fn not_yours(iys: &Iys) -> ApiError {
    ApiError { misspelt: iys.config.switches.misspelt_code_key, ..ApiError::code("H353") }
}

/// The numbers in the path; `None` where they are no numbers.
struct Codes {
    iys: Option<u64>,
    brand: Option<u64>,
}

async fn codes(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Codes, ApiError> {
    let params = RawPathParams::from_request_parts(parts, iys).await.map_err(|_| ApiError::code("H190"))?;
    let number = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| value.parse::<u64>().ok());
    Ok(Codes { iys: number("iysCode"), brand: number("brandCode") })
}
