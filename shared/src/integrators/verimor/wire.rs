//! The JSON of Verimor's calls. Nothing here has a `Debug`: it carries secrets and addresses.

use serde::{Deserialize, Serialize};

use super::super::fields::Fields;
use crate::consent::{Channel, RecipientType};
use crate::iys::tolerant::Text;
use crate::registry::Record;

#[derive(Serialize)]
pub(super) struct Posted<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) source_addr: &'a str,
    pub(super) consents: Vec<Consent<'a>>,
}

#[derive(Serialize)]
pub(super) struct Consent<'a> {
    r#type: Channel,
    source: &'a str,
    status: &'static str,
    recipient_type: RecipientType,
    consent_date: String,
    recipient: &'a str,
}

impl<'a> Consent<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            r#type: record.channel,
            source: record.source.as_str(),
            status: record.status.as_str(),
            recipient_type: record.recipient_type,
            consent_date: record.consent_date.to_string(),
            // A number goes without its plus.
            recipient: record.recipient.expose().trim_start_matches('+'),
        }
    }
}

/// A page of a list's records.
#[derive(Deserialize)]
pub(super) struct Records {
    #[serde(default)]
    pub(super) total: Text,
    #[serde(default)]
    pub(super) status: Text,
    #[serde(default)]
    pub(super) records: Vec<Fields>,
}

/// A page of the lists.
#[derive(Deserialize)]
pub(super) struct Campaigns {
    #[serde(default)]
    pub(super) total: Text,
    #[serde(default)]
    pub(super) records: Vec<Fields>,
}

/// A callback.
#[derive(Deserialize)]
pub(super) struct Pointer {
    #[serde(default, rename = "iys_campaign_id")]
    pub(super) campaign: Text,
    #[serde(default)]
    pub(super) source_addr: Text,
}

/// The lists of what people did for this brand after `after`, oldest first, in whatever order they came.
pub(super) fn in_order(campaigns: &[Fields], after: u64, brand_code: u64) -> Vec<u64> {
    let ours = |row: &&Fields| {
        row.text("source").is_none_or(|source| source == "iys") && row.get("iysbrandcode").is_none_or(|code: u64| code == brand_code)
    };
    let mut ids: Vec<u64> = campaigns.iter().filter(ours).filter_map(|row| row.get("id")).filter(|id| *id > after).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
