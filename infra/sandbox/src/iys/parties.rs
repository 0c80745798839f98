//! The settings of accounts: providers with their brands and subscriptions, and business partners.

use jiff::civil::{DateTime, datetime};
use serde::{Deserialize, Serialize};

use super::model::ConsentType;

/// One service provider with its API user.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// İYS number.
    #[serde(rename = "iysCode")]
    pub iys_code: u64,
    /// Company title.
    pub title: String,
    /// API user.
    pub username: String,
    /// The API user's password.
    pub password: String,
    /// The subscription; `None` means that there is none (H524).
    pub subscription: Option<Subscription>,
    /// The provider's brands.
    pub brands: Vec<Brand>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            iys_code: 700_001,
            title: "Demo A.S.".to_owned(),
            username: "demo-api-user@example.com".to_owned(),
            password: "demo-iys-password".to_owned(),
            subscription: Some(Subscription::default()),
            brands: vec![Brand { brand_code: 700_001, name: "Demo".to_owned(), master: true, ..Brand::default() }],
        }
    }
}

/// One brand.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// İYS number of the brand; the master brand's equals the provider's.
    #[serde(rename = "brandCode")]
    pub brand_code: u64,
    /// Name.
    pub name: String,
    /// Whether it is the main brand.
    pub master: bool,
    /// From this Turkish time on the three-business-day rule applies; absent: always (U12).
    pub activation_date: Option<DateTime>,
    /// Channels that the provider's API user may write; absent: all (U33).
    pub channels: Option<Vec<ConsentType>>,
    /// İYS numbers of retailers that the brand has from the start.
    pub retailers: Vec<u64>,
}

/// State of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SubscriptionStatus {
    /// In force.
    Active,
    /// Only the subscription query is allowed (H520).
    Paused,
    /// Only the subscription query is allowed (H520).
    Expired,
    /// Nothing else is allowed (H521).
    Closed,
}

/// A provider's or partner's subscription.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscription {
    /// State.
    pub status: SubscriptionStatus,
    /// Package name.
    pub package: String,
    /// First day, Turkish time.
    pub start_date: DateTime,
    /// Last moment, Turkish time; an active subscription counts as expired after it.
    pub expiration_date: DateTime,
    /// Stored addresses that the package pays for; absent: unlimited.
    pub consent_limit: Option<u64>,
    /// What counts as used when the subscription begins; consents stored later count on from there.
    /// Absent: the consents that stand here.
    pub used_consent_limit: Option<u64>,
    /// Whether more than that may be stored; otherwise H525.
    pub consent_limit_exceed: bool,
    /// Whether the package includes the API; otherwise H586.
    pub includes_api: bool,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            status: SubscriptionStatus::Active,
            package: "Demo".to_owned(),
            start_date: datetime(2026, 1, 1, 0, 0, 0, 0),
            expiration_date: datetime(2099, 12, 31, 23, 59, 59, 0),
            consent_limit: None,
            used_consent_limit: None,
            consent_limit_exceed: false,
            includes_api: true,
        }
    }
}

/// One business partner (iş ortağı, integrator) with its API user.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partner {
    /// İYS number.
    #[serde(rename = "integratorCode")]
    pub integrator_code: u64,
    /// Company title.
    pub title: String,
    /// API user.
    pub username: String,
    /// The API user's password.
    pub password: String,
    /// The partner's own subscription; `None` means that there is none (H524).
    pub subscription: Option<Subscription>,
    /// What providers let the partner do for their brands.
    pub grants: Vec<Grant>,
}

impl Partner {
    /// What the partner may do for a brand.
    pub(crate) fn grant(&self, brand_code: u64) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.brand_code == brand_code)
    }
}

/// What a partner may do with one channel of a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// Query.
    Read,
    /// Query and record.
    Write,
}

/// What a provider lets a partner do for one brand, in the words of İYS's list of authorised brands.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// Brand.
    #[serde(rename = "brandCode")]
    pub brand_code: u64,
    /// Voice calls; absent: nothing.
    #[serde(rename = "ARAMA", skip_serializing_if = "Option::is_none")]
    pub arama: Option<Authority>,
    /// SMS; absent: nothing.
    #[serde(rename = "MESAJ", skip_serializing_if = "Option::is_none")]
    pub mesaj: Option<Authority>,
    /// E-mail; absent: nothing.
    #[serde(rename = "EPOSTA", skip_serializing_if = "Option::is_none")]
    pub eposta: Option<Authority>,
    /// Whether the partner may reconcile (mutabakat).
    #[serde(rename = "agreementControl")]
    pub agreement_control: bool,
    /// Whether the partner may collect consents through İYS (ViA).
    #[serde(rename = "viaControl")]
    pub via_control: bool,
}

impl Grant {
    pub(crate) fn authority(&self, channel: ConsentType) -> Option<Authority> {
        match channel {
            ConsentType::Arama => self.arama,
            ConsentType::Mesaj => self.mesaj,
            ConsentType::Eposta => self.eposta,
        }
    }
}
