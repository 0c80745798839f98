//! What verification has done for a brand, and what it has been asked to do.
//!
//! Item: PK `B#{brand}`, SK `VERIFICATION`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::Item;
use super::{Ledger, LedgerError, control};
use crate::consent::BrandName;

/// A brand's verification towards İYS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Verification {
    /// When the last run ended.
    pub last_run: Option<Timestamp>,
    /// When a run last left nothing that was due.
    pub complete_at: Option<Timestamp>,
    /// Everything that was compared before then is to be compared again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_since: Option<Timestamp>,
    /// The feed for whose gap, once more, everything was last to be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_in: Option<String>,
    /// When the last comparison of everything ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_at: Option<Timestamp>,
    /// Questions of many addresses, since the beginning.
    pub questions: u64,
    /// Questions about one record, since the beginning.
    pub fetches: u64,
    /// Keys compared, since the beginning.
    pub compared: u64,
    /// Keys that the registry answers no question about, since the beginning.
    pub unaskable: u64,
    /// What differed, by kind, since the beginning.
    pub differences: BTreeMap<String, DifferenceCount>,
}

/// How many differences of one kind there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DifferenceCount {
    /// Found by a comparison.
    pub found: u64,
    /// The registry's record was adopted.
    pub adopted: u64,
    /// Ours was opened again, to be sent.
    pub sent_again: u64,
    /// A consent was taken back.
    pub taken_back: u64,
    /// Left as they are: a refusal that the registry shows no more counts all the same.
    pub kept: u64,
    /// Gone when it was looked at again, or another worker's by then.
    pub gone: u64,
}

impl DifferenceCount {
    fn add(&mut self, other: &Self) {
        self.found += other.found;
        self.adopted += other.adopted;
        self.sent_again += other.sent_again;
        self.taken_back += other.taken_back;
        self.kept += other.kept;
        self.gone += other.gone;
    }

    /// Those that something was done about.
    pub const fn repaired(&self) -> u64 {
        self.adopted + self.sent_again + self.taken_back
    }
}

impl Verification {
    /// Adds what another part of the work did.
    pub fn add(&mut self, other: &Self) {
        self.questions += other.questions;
        self.fetches += other.fetches;
        self.compared += other.compared;
        self.unaskable += other.unaskable;
        for (kind, count) in &other.differences {
            self.differences.entry(kind.clone()).or_default().add(count);
        }
    }
}

fn key(brand: &BrandName) -> Item {
    control::key(&format!("B#{brand}"), "VERIFICATION")
}

impl Ledger {
    /// A brand's verification; nothing at first.
    pub async fn verification(&self, brand: &BrandName) -> Result<Verification, LedgerError> {
        self.document(key(brand)).await
    }

    /// Changes it, see [`Ledger::change_standing`].
    pub async fn change_verification(
        &self,
        brand: &BrandName,
        change: impl FnMut(&mut Verification) -> bool,
    ) -> Result<Verification, LedgerError> {
        Ok(self.change_document(key(brand), change).await?.0)
    }
}
