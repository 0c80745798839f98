//! The JSON of Mysoft's calls. Nothing here has a `Debug`: it carries secrets and addresses.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::fields::Fields;
use crate::consent::{Channel, RecipientType};
use crate::iys::tolerant::Text;
use crate::registry::Record;

/// A call's body with what every one carries.
#[derive(Serialize)]
pub(super) struct Asked<'a, B> {
    #[serde(rename = "tenantIdentifierNumber")]
    pub(super) tenant: &'a str,
    #[serde(rename = "brandCode")]
    pub(super) brand_code: u64,
    #[serde(flatten)]
    pub(super) body: B,
}

/// Nothing beside that.
#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
pub(super) struct Recipient<'a> {
    pub(super) recipient: &'a str,
}

#[derive(Serialize)]
pub(super) struct Reference<'a> {
    #[serde(rename = "referanceKey")]
    pub(super) reference: &'a str,
}

#[derive(Serialize)]
pub(super) struct Batch<'a> {
    #[serde(rename = "serviceReferanceKey")]
    pub(super) reference: String,
    #[serde(rename = "consentDataList")]
    pub(super) consents: Vec<Consent<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consent<'a> {
    recipient: &'a str,
    r#type: Channel,
    source: &'a str,
    status: &'static str,
    consent_date: String,
    recipient_type: RecipientType,
}

impl<'a> Consent<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            recipient: record.recipient.expose(),
            r#type: record.channel,
            source: record.source.as_str(),
            status: record.status.as_str(),
            consent_date: record.consent_date.to_string(),
            recipient_type: record.recipient_type,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Movements {
    pub(super) start_date: String,
    pub(super) end_date: String,
    pub(super) source: &'static str,
    pub(super) after_value: u64,
    pub(super) limit: usize,
}

/// Every answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<T> {
    #[serde(default = "nothing")]
    pub(super) data: Option<T>,
    #[serde(default)]
    succeed: Text,
    #[serde(default)]
    pub(super) error_code: Text,
}

fn nothing<T>() -> Option<T> {
    None
}

impl<T> Envelope<T> {
    pub(super) fn has_succeeded(&self) -> bool {
        self.succeed.flag() == Some(true)
    }
}

#[derive(Deserialize)]
pub(super) struct Accepted {
    #[serde(default, rename = "referanceKey")]
    pub(super) reference: Text,
    #[serde(default, rename = "errorConsentList", deserialize_with = "rows")]
    pub(super) refused: Vec<Fields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchResult {
    #[serde(default)]
    batch_result: Option<Details>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default, deserialize_with = "rows")]
    detail_list: Vec<Fields>,
}

impl BatchResult {
    pub(super) fn into_rows(self) -> Vec<Fields> {
        self.batch_result.map_or_else(Vec::new, |result| result.detail_list)
    }
}

/// A list, alone or as the one list of an object.
pub(super) struct Rows(Vec<Fields>);

impl Rows {
    pub(super) fn into_rows(self) -> Vec<Fields> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = match Value::deserialize(deserializer)? {
            Value::Array(list) => list,
            Value::Object(fields) => {
                fields.into_iter().find_map(|(_, value)| if let Value::Array(list) = value { Some(list) } else { None }).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        // Its own message could quote a value.
        let fields = |row| serde_json::from_value(row).map_err(|_| serde::de::Error::custom("a row that is no object"));
        list.into_iter().map(fields).collect::<Result<_, _>>().map(Self)
    }
}

fn rows<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Fields>, D::Error> {
    Ok(Option::<Vec<Fields>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A callback.
pub(super) struct Called {
    pub(super) top: Fields,
    pub(super) consent_data: Option<Fields>,
}

impl<'de> Deserialize<'de> for Called {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unusable = |_| serde::de::Error::custom("not an object of fields");
        let mut fields = serde_json::Map::<String, Value>::deserialize(deserializer)?;
        let name = fields.keys().find(|name| name.eq_ignore_ascii_case("consentData")).cloned();
        let inner = name.and_then(|name| fields.remove(&name)).filter(|value| !value.is_null());
        let consent_data = inner.map(serde_json::from_value).transpose().map_err(unusable)?;
        let top = serde_json::from_value(Value::Object(fields)).map_err(unusable)?;
        Ok(Self { top, consent_data })
    }
}
