//! Who may call what: the limit per second, the token, the codes in the path, the subscription, and what
//! a provider or partner has authority for.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::Iys;
use super::book::{Account, Owner, granted};
use super::errors::ApiError;
use super::model::ConsentType;
use super::parties::{Authority, Brand, Grant, Partner, Subscription, SubscriptionStatus};
use super::switches::{ChannelRefusal, V2Refused};
use crate::server::Peer;

/// The layer that holds all callers to the limit per second, and refuses the `/v2` paths if it is told to.
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
    if request.uri().path().starts_with("/v2/") {
        match iys.switches().v2_refused {
            V2Refused::None => {}
            V2Refused::NotFound => return super::no_such_path(),
            V2Refused::H363 => return ApiError::code("H363").into_response(),
        }
    }
    next.run(request).await
}

/// Anyone with a token that is in force.
pub(crate) struct AnyAccess;

impl FromRequestParts<Arc<Iys>> for AnyAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        owner(iys, &parts.headers).map(|_| Self)
    }
}

/// A caller whose token belongs to the provider in the path, or to a partner with a grant for one of its brands.
pub(crate) struct ProviderAccess {
    pub(crate) account: Arc<Account>,
    pub(crate) partner: Option<Arc<Partner>>,
}

impl FromRequestParts<Arc<Iys>> for ProviderAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        let owner = owner(iys, &parts.headers)?;
        let iys_code = code(parts, iys, "iysCode").await?.ok_or_else(|| ApiError::code("H190"))?;
        let account = iys.book.provider(iys_code);
        let access = match (owner, account) {
            (Owner::Provider(own), Some(account)) if own == iys_code => Some(Self { account, partner: None }),
            (Owner::Partner(partner), Some(account)) => {
                let partner = iys.book.partner(partner).filter(|partner| granted(&account, partner).next().is_some());
                partner.map(|partner| Self { account, partner: Some(partner) })
            }
            _ => None,
        };
        access.ok_or_else(|| iys.refuse_access(not_yours(iys)))
    }
}

impl ProviderAccess {
    /// Refuses callers without subscriptions that cover the API.
    pub(crate) fn subscribed(&self, now: Timestamp) -> Result<(), ApiError> {
        let provider = in_force(self.account.subscription.as_ref(), now)?;
        match &self.partner {
            // The package that must include the API is that of whoever calls.
            Some(partner) => includes_api(in_force(partner.subscription.as_ref(), now)?),
            None => includes_api(provider),
        }
    }
}

/// A caller with authority for the brand in the path, under a subscription in force.
pub(crate) struct BrandAccess {
    pub(crate) account: Arc<Account>,
    pub(crate) brand: Arc<Brand>,
    /// What a partner may do; `None`: the caller is the provider.
    grant: Option<Grant>,
}

impl BrandAccess {
    /// Whether the API user may record on the channel.
    pub(crate) fn may_write(&self, iys: &Iys, channel: ConsentType) -> Result<(), ApiError> {
        let may = match &self.grant {
            None => self.brand.channels.as_ref().is_none_or(|channels| channels.contains(&channel)),
            Some(grant) => grant.authority(channel) == Some(Authority::Write),
        };
        if may { Ok(()) } else { Err(no_authority(iys)) }
    }

    /// Whether the API user may query the channel.
    pub(crate) fn reads(&self, channel: ConsentType) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.authority(channel).is_some())
    }

    /// As [`BrandAccess::reads`], as a refusal.
    pub(crate) fn may_read(&self, iys: &Iys, channel: ConsentType) -> Result<(), ApiError> {
        if self.reads(channel) { Ok(()) } else { Err(iys.refuse_access(no_authority(iys))) }
    }

    /// Whether the API user may reconcile.
    pub(crate) fn may_reconcile(&self, iys: &Iys) -> Result<(), ApiError> {
        let may = self.grant.as_ref().is_none_or(|grant| grant.agreement_control);
        if may { Ok(()) } else { Err(iys.refuse_access(no_authority(iys))) }
    }

    pub(crate) fn brand_code(&self) -> u64 {
        self.brand.brand_code
    }
}

impl FromRequestParts<Arc<Iys>> for BrandAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        let access = ProviderAccess::from_request_parts(parts, iys).await?;
        let brand_code = code(parts, iys, "brandCode").await?.ok_or_else(|| ApiError::code("H191"))?;
        access.subscribed(iys.now()).map_err(|error| iys.refuse_access(error))?;
        let brand = access.account.brand(brand_code).cloned();
        let granted = match (brand, &access.partner) {
            (Some(brand), None) => Some((brand, None)),
            (Some(brand), Some(partner)) => partner.grant(brand_code).map(|grant| (brand, Some(grant.clone()))),
            (None, _) => None,
        };
        match granted {
            Some((brand, grant)) => Ok(Self { account: access.account, brand, grant }),
            None => Err(iys.refuse_access(not_yours(iys))),
        }
    }
}

/// A partner whose token belongs to the integrator in the path.
pub(crate) struct PartnerAccess {
    pub(crate) partner: Arc<Partner>,
}

impl FromRequestParts<Arc<Iys>> for PartnerAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, iys: &Arc<Iys>) -> Result<Self, ApiError> {
        let owner = owner(iys, &parts.headers)?;
        let wanted = code(parts, iys, "integratorCode").await?;
        let error = match (owner, wanted.and_then(|code| iys.book.partner(code))) {
            (Owner::Provider(_), _) => ApiError::code(if parts.uri.path().ends_with("/subscription") { "H522" } else { "H363" }),
            (Owner::Partner(_), None) => ApiError::code("H129"),
            (Owner::Partner(own), Some(partner)) if own == partner.integrator_code => return Ok(Self { partner }),
            (Owner::Partner(_), Some(_)) => not_yours(iys),
        };
        Err(iys.refuse_access(error))
    }
}

impl PartnerAccess {
    /// Refuses partners without a subscription that covers the API.
    pub(crate) fn subscribed(&self, now: Timestamp) -> Result<(), ApiError> {
        includes_api(in_force(self.partner.subscription.as_ref(), now)?)
    }
}

fn in_force(subscription: Option<&Subscription>, now: Timestamp) -> Result<&Subscription, ApiError> {
    let subscription = subscription.ok_or_else(|| ApiError::code("H524"))?;
    match subscription.status_at(now) {
        SubscriptionStatus::Paused | SubscriptionStatus::Expired => Err(ApiError::code("H520")),
        SubscriptionStatus::Closed => Err(ApiError::code("H521")),
        SubscriptionStatus::Active => Ok(subscription),
    }
}

fn includes_api(subscription: &Subscription) -> Result<(), ApiError> {
    if subscription.includes_api { Ok(()) } else { Err(ApiError::code("H586")) }
}

fn owner(iys: &Iys, headers: &HeaderMap) -> Result<Owner, ApiError> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
        .and_then(|token| iys.tokens().owner(token, iys.now()))
        .ok_or_else(|| ApiError::code("H351"))
}

/// A code in the path that is outside of the token's authority.
pub(crate) fn not_yours(iys: &Iys) -> ApiError {
    ApiError { misspelt: iys.switches().misspelt_code_key, ..ApiError::code("H353") }
}

/// A channel or function that the caller has no authority for.
fn no_authority(iys: &Iys) -> ApiError {
    match iys.switches().channel_refusal {
        ChannelRefusal::H355 => ApiError::code("H355"),
        ChannelRefusal::H353 => not_yours(iys),
    }
}

/// A number in the path; `None` where it is no number.
pub(crate) async fn code(parts: &mut Parts, iys: &Arc<Iys>, wanted: &str) -> Result<Option<u64>, ApiError> {
    let params = RawPathParams::from_request_parts(parts, iys).await.map_err(|_| ApiError::code("H190"))?;
    Ok(params.iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| value.parse().ok()))
}
