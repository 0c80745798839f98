//! The JSON of retailers and of their access to consents.

use serde::{Deserialize, Serialize, Serializer};

use crate::consent::{Channel, RecipientType};
use crate::iys::tolerant::{Items, Text};

/// A retailer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct RetailerRow {
    #[serde(default)]
    pub(in crate::iys) retailer_code: Text,
    #[serde(default)]
    pub(in crate::iys) title: Text,
    #[serde(default)]
    pub(in crate::iys) alias: Text,
    #[serde(default)]
    pub(in crate::iys) name: Text,
    #[serde(default)]
    pub(in crate::iys) tckn: Text,
    #[serde(default)]
    pub(in crate::iys) tin: Text,
    #[serde(default)]
    pub(in crate::iys) mersis: Text,
    #[serde(default)]
    pub(in crate::iys) mobile: Text,
    #[serde(default)]
    pub(in crate::iys) status: Text,
    #[serde(default)]
    pub(in crate::iys) city: Items<NamedCode>,
    #[serde(default)]
    pub(in crate::iys) town: Items<NamedCode>,
    #[serde(default)]
    pub(in crate::iys) retailer_access_count: Text,
}

/// A city or town with its name.
#[derive(Deserialize, Serialize)]
pub(in crate::iys) struct NamedCode {
    #[serde(default, serialize_with = "text")]
    pub(in crate::iys) code: Text,
    #[serde(default, serialize_with = "text")]
    pub(in crate::iys) name: Text,
}

fn text<S: Serializer>(text: &Text, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.get().unwrap_or_default())
}

/// A retailer to be created.
#[derive(Serialize)]
pub(in crate::iys) struct RetailerBody<'a> {
    pub(in crate::iys) title: &'a str,
    pub(in crate::iys) name: &'a str,
    pub(in crate::iys) tckn: &'a str,
    pub(in crate::iys) tin: &'a str,
    pub(in crate::iys) city: NamedCode,
    pub(in crate::iys) town: NamedCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) mersis: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) mobile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) status: Option<&'static str>,
}

/// The answer to a creation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Created {
    #[serde(default)]
    pub(in crate::iys) retailer_code: Text,
}

/// A change of the retailers that may use a consent, or the consents of many addresses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct AccessChange<'a> {
    #[serde(rename = "type")]
    pub(in crate::iys) channel: Channel,
    pub(in crate::iys) recipient_type: RecipientType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) recipient: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) recipients: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::iys) retailer_access: Option<&'a [u64]>,
}

/// A retailer that may use a consent. Its person is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct AccessRow {
    #[serde(default)]
    pub(in crate::iys) retailer_code: Text,
}
