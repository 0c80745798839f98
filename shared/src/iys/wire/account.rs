//! The JSON of brands and subscriptions.

use serde::Deserialize;

use crate::iys::tolerant::{Items, Text};

/// A brand of the service provider.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct BrandRow {
    #[serde(default)]
    pub(in crate::iys) brand_code: Text,
    #[serde(default)]
    pub(in crate::iys) name: Text,
    #[serde(default)]
    pub(in crate::iys) master: Text,
    /// An object in the samples, an array in the schema.
    #[serde(default)]
    pub(in crate::iys) stats: Items<BrandStats>,
}

/// What a brand holds.
#[derive(Deserialize)]
pub(in crate::iys) struct BrandStats {
    #[serde(default)]
    pub(in crate::iys) consents: Items<ConsentCounts>,
}

/// How many consents a brand holds.
#[derive(Deserialize)]
pub(in crate::iys) struct ConsentCounts {
    #[serde(default)]
    pub(in crate::iys) approval: Text,
    #[serde(default)]
    pub(in crate::iys) rejection: Text,
    #[serde(default)]
    pub(in crate::iys) total: Text,
}

/// A subscription. Its id, which İYS spells in three ways, and the packages of ViA are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct SubscriptionRow {
    #[serde(default)]
    pub(in crate::iys) status: Text,
    #[serde(default)]
    pub(in crate::iys) expiration_date: Text,
    #[serde(default)]
    pub(in crate::iys) subscription_package_name: Text,
    #[serde(default)]
    pub(in crate::iys) consent_limit: Text,
    #[serde(default)]
    pub(in crate::iys) consent_limit_exceed: Text,
    #[serde(default)]
    pub(in crate::iys) used_consent_limit: Text,
}
