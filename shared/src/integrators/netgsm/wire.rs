//! The JSON of Netgsm's two calls. Nothing here has a `Debug`: it carries secrets and addresses.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::super::fields::Fields;
use crate::consent::code::Code;
use crate::consent::{Channel, Recipient, RecipientType};
use crate::iys::tolerant::Text;
use crate::registry::Record;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) header: Header<'a>,
    pub(super) body: Body<'a>,
}

#[derive(Serialize)]
pub(super) struct Header<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    #[serde(rename = "brandCode")]
    pub(super) brand_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) appkey: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) data: Vec<Item<'a>>,
}

/// A record to be added, or, without most of it, an address that is asked about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item<'a> {
    r#type: Channel,
    recipient: &'a str,
    recipient_type: RecipientType,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retailer_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retailer_access: Option<String>,
}

impl<'a> Item<'a> {
    pub(super) fn question(channel: Channel, recipient_type: RecipientType, recipient: &'a Recipient) -> Self {
        Self {
            r#type: channel,
            recipient: recipient.expose(),
            recipient_type,
            source: None,
            status: None,
            consent_date: None,
            retailer_code: None,
            retailer_access: None,
        }
    }

    pub(super) fn record(record: &'a Record) -> Self {
        let access: Vec<String> = record.retailers.access.iter().map(ToString::to_string).collect();
        Self {
            source: Some(record.source.as_str()),
            status: Some(record.status.as_str()),
            consent_date: Some(record.consent_date.to_string()),
            retailer_code: record.retailers.code.map(|code| code.to_string()),
            retailer_access: (!access.is_empty()).then(|| access.join(",")),
            ..Self::question(record.channel, record.recipient_type, &record.recipient)
        }
    }
}

/// An answer of either call.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    code: Text,
    #[serde(default)]
    pub(super) uid: Text,
    #[serde(default)]
    pub(super) erroritem: Option<Positions>,
    #[serde(default)]
    pub(super) query: Option<Query>,
}

impl Answer {
    /// Its code as Netgsm writes it: usually a text, for one user a number.
    pub(super) fn word(&self) -> Option<&str> {
        self.code.get()
    }

    /// Its code, if it is known here.
    pub(super) fn code(&self) -> Option<Code> {
        self.word().and_then(|word| format!("NETGSM-{word}").parse().ok())
    }
}

/// What was found: an object for one address, an array for several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Query {
    Several(Vec<Fields>),
    One(Fields),
}

impl Query {
    pub(super) fn into_rows(self) -> Vec<Fields> {
        match self {
            Query::Several(rows) => rows,
            Query::One(row) => vec![row],
        }
    }
}

/// Positions by their refusals; what stands there is a text about the value and is not read.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Positions {
    Array(Vec<Option<IgnoredAny>>),
    Object(BTreeMap<String, IgnoredAny>),
    Text(String),
}

/// The positions in an `erroritem`.
pub(super) fn positions(named: &Positions) -> Result<Vec<usize>, ()> {
    match named {
        Positions::Array(items) => Ok(items.iter().enumerate().filter(|(_, item)| item.is_some()).map(|(at, _)| at).collect()),
        Positions::Text(text) if text.trim().is_empty() => Ok(Vec::new()),
        Positions::Text(_) => Err(()),
        Positions::Object(items) => items.keys().map(|key| key.trim().parse().map_err(|_| ())).collect(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn named(text: &str) -> Result<Vec<usize>, ()> {
        positions(&serde_json::from_str::<Positions>(text).unwrap())
    }

    #[test]
    fn positions_come_as_an_array_or_as_an_object() {
        assert_eq!(named(r#"[{"recipient":"…"},{"source":"…"}]"#).unwrap(), [0, 1]);
        assert_eq!(named(r#"{"1":{"recipient":"…"},"3":{"status":"…"}}"#).unwrap(), [1, 3]);
        for none in ["[]", "{}", "\"\""] {
            assert_eq!(named(none).unwrap(), [] as [usize; 0]);
        }
        assert!(named(r#"{"first":{}}"#).is_err());
    }

    #[test]
    fn a_code_is_read_as_text_and_as_a_number() {
        for text in [r#"{"code":"30"}"#, r#"{"code":30}"#] {
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap().code().unwrap().to_string(), "NETGSM-30");
        }
    }
}
