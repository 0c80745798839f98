//! The JSON of reconciliation.

use serde::{Deserialize, Serialize};

use crate::iys::tolerant::{Items, Text};

/// A day's summary.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct DayStats {
    #[serde(default)]
    pub(in crate::iys) change_stats: Items<ChannelStats>,
}

/// One channel of it.
#[derive(Deserialize)]
pub(in crate::iys) struct ChannelStats {
    #[serde(default, rename = "type")]
    pub(in crate::iys) channel: Text,
    #[serde(default)]
    pub(in crate::iys) consents: Items<SideStats>,
}

/// What one side did on a channel.
#[derive(Deserialize)]
pub(in crate::iys) struct SideStats {
    #[serde(default)]
    pub(in crate::iys) source: Text,
    #[serde(default)]
    pub(in crate::iys) approval: Text,
    #[serde(default)]
    pub(in crate::iys) rejection: Text,
    #[serde(default)]
    pub(in crate::iys) pending: Text,
    #[serde(default)]
    pub(in crate::iys) total: Text,
}

/// What İYS says about a day's file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct AgreementRow {
    #[serde(default)]
    pub(in crate::iys) process_status: Text,
    #[serde(default)]
    pub(in crate::iys) hash_value: Text,
    #[serde(default)]
    pub(in crate::iys) hash_method: Text,
    #[serde(default)]
    pub(in crate::iys) agreement_status: Text,
}

/// A confirmation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Confirming {
    pub(in crate::iys) agreement_status: bool,
}

/// The answer to it.
#[derive(Deserialize)]
pub(in crate::iys) struct Confirmed {
    #[serde(default, rename = "agreementCaptured")]
    captured: Text,
    /// So the schema spells it.
    #[serde(default, rename = "aggrementCaptured")]
    captured_misspelt: Text,
}

impl Confirmed {
    pub(in crate::iys) fn captured(&self) -> Option<bool> {
        self.captured.flag().or(self.captured_misspelt.flag())
    }
}
