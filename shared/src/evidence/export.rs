//! The evidence of one address, as a file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Day, Digest};

/// Names the file's format and its version.
pub const FORMAT: &str = "iys-insider-sync evidence 1";

/// Everything that a stranger needs. No `Debug`: it holds the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Export {
    /// [`FORMAT`].
    pub format: String,
    /// The brand's name.
    pub brand: String,
    /// The address.
    pub address: String,
    /// When the file was made.
    pub exported_at: Timestamp,
    /// The movements of the address, oldest first.
    pub movements: Vec<Proven>,
    /// What the ledger holds besides and nothing proves.
    pub unproven: Vec<Unproven>,
    /// The brand's days, from the first that was closed to the last, none left out.
    pub days: Vec<Day>,
}

/// A movement, and its way to the root of its day.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proven {
    /// Its canonical form.
    pub form: String,
    /// Its digest, as the ledger holds it.
    pub digest: String,
    /// Its place among the day's leaves; absent while the day is not closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The hashes beside its way to the day's root.
    #[serde(default)]
    pub path: Vec<Digest>,
    /// Opens the digest of what it was made from, where that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_salt: Option<Digest>,
    /// What became of it at İYS. Told by the ledger; under no root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iys: Option<Ended>,
    /// What became of it at Insider. Told by the ledger; under no root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insider: Option<Ended>,
}

/// How a movement ended at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// How, where it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The target's code, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// İYS's id of the movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When the system knew.
    pub at: String,
}

/// A movement that nothing proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unproven {
    /// Why not.
    pub because: Because,
    /// What the ledger says of it.
    pub status: String,
    /// The channel.
    pub channel: String,
    /// When consent was given or withdrawn.
    pub consent_date: String,
    /// When the system learnt of it.
    pub received_at: String,
}

/// Why nothing proves a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It carries no digest: it was written before there were any.
    NoDigest,
    /// It does not have the form of a movement any more.
    Unreadable,
}
