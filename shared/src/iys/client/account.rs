//! The service provider itself: its brands and its subscription.

use super::{Client, codes};
use crate::brand;
use crate::consent::ConsentDate;
use crate::consent::code::Code;
use crate::iys::answer::Reply;
use crate::iys::call::{Call, defect};
use crate::iys::operation;
use crate::iys::tolerant::{Items, moment};
use crate::iys::wire::account::{BrandRow, SubscriptionRow};
use crate::registry::RegistryError;

/// A brand as İYS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandInfo {
    /// Its İYS number.
    pub brand_code: u64,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is the service provider's main brand.
    pub master: bool,
    /// Addresses with ONAY.
    pub approvals: Option<u64>,
    /// Addresses with RET.
    pub rejections: Option<u64>,
    /// All of them.
    pub total: Option<u64>,
}

/// A subscription at İYS, of a service provider or of a business partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Whether it is in force.
    pub status: SubscriptionStatus,
    /// When it ends; a day without a time is taken to its last second.
    pub expiration_date: Option<ConsentDate>,
    /// The package's name.
    pub package: Option<String>,
    /// Addresses that the package may store. `None` when it is unlimited or not shown: business
    /// partners do not see it.
    pub consent_limit: Option<u64>,
    /// Whether more than that may be stored.
    pub consent_limit_exceed: Option<bool>,
    /// Addresses that are stored.
    pub used_consent_limit: Option<u64>,
}

/// Whether a subscription is in force (İYS documentation, `get-subscription`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// In force.
    Active,
    /// Paused: only the subscription itself may be asked for (`H520`).
    Paused,
    /// At its end: likewise.
    Expired,
    /// Closed (`H521`).
    Closed,
    /// Not stated, or by a word that is not documented.
    Unknown,
}

impl Subscription {
    /// Whether İYS takes no further address (`H525`): every place is used and more are not allowed.
    /// What is not shown is not full.
    pub fn is_full(&self) -> bool {
        let used_up = self.used_consent_limit.zip(self.consent_limit).is_some_and(|(used, limit)| used >= limit);
        used_up && self.consent_limit_exceed == Some(false)
    }

    fn of(row: &SubscriptionRow) -> Self {
        let status = match row.status.get().map(str::to_ascii_uppercase).as_deref() {
            Some("ACTIVE") => SubscriptionStatus::Active,
            Some("PAUSED") => SubscriptionStatus::Paused,
            Some("EXPIRED") => SubscriptionStatus::Expired,
            Some("CLOSED") => SubscriptionStatus::Closed,
            _ => SubscriptionStatus::Unknown,
        };
        Self {
            status,
            expiration_date: moment(&row.expiration_date),
            package: row.subscription_package_name.get().map(str::to_owned),
            // A negative number stands for "unlimited" and is no u64.
            consent_limit: row.consent_limit.number(),
            consent_limit_exceed: row.consent_limit_exceed.flag(),
            used_consent_limit: row.used_consent_limit.number(),
        }
    }
}

impl Client {
    /// The service provider's brands (`getBrandsDetails`).
    pub async fn brands(&self, account: &brand::Iys) -> Result<Vec<BrandInfo>, RegistryError> {
        let [sps, _] = codes(account);
        let call = Call::new(&operation::BRANDS, &[&sps])?;
        let rows: Vec<BrandRow> = self.list(account, &call).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let counts = row.stats.first().and_then(|stats| stats.consents.first());
                Some(BrandInfo {
                    brand_code: row.brand_code.number()?,
                    name: row.name.get().map(str::to_owned),
                    master: row.master.flag() == Some(true),
                    approvals: counts.and_then(|counts| counts.approval.number()),
                    rejections: counts.and_then(|counts| counts.rejection.number()),
                    total: counts.and_then(|counts| counts.total.number()),
                })
            })
            .collect())
    }

    /// The service provider's subscription (`get-subscription`), which a business partner may ask for
    /// as well; `None` when it has none.
    pub async fn subscription(&self, account: &brand::Iys) -> Result<Option<Subscription>, RegistryError> {
        let [sps, _] = codes(account);
        self.subscription_by(account, &Call::new(&operation::SUBSCRIPTION, &[&sps])?).await
    }

    pub(super) async fn subscription_by(&self, account: &brand::Iys, call: &Call) -> Result<Option<Subscription>, RegistryError> {
        let reply = self.exchange(account, call).await?;
        if names_no_subscription(&reply) || (reply.status.is_success() && reply.is_empty()) {
            return Ok(None);
        }
        if !reply.status.is_success() {
            return Err(self.fault(call, &reply).await);
        }
        let rows: Items<SubscriptionRow> = reply.read().map_err(|why| defect(call.name, &why))?;
        Ok(rows.first().map(Subscription::of))
    }
}

/// Whether an answer says that there is no subscription: by its code, or by a bare 404.
fn names_no_subscription(reply: &Reply) -> bool {
    let mut codes = reply.problems().into_iter().filter_map(|problem| problem.code).peekable();
    let bare = codes.peek().is_none() && reply.status.as_u16() == 404;
    !reply.status.is_success() && (bare || codes.any(|code| code == Code::NO_SUBSCRIPTION))
}
