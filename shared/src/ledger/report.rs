//! How far a brand's reports are, and what the last one began the next one with.
//!
//! Item: PK `B#{brand}`, SK `REPORT`: the document that `sync::report` works by.

use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::evidence::{ROOT, read_day};
use super::item::Item;
use super::{Ledger, LedgerError, control};
use crate::consent::BrandName;
use crate::evidence::Day;

impl Ledger {
    /// What is kept of a brand's reports; nothing at first.
    pub(crate) async fn report_log<T: DeserializeOwned + Default>(&self, brand: &BrandName) -> Result<T, LedgerError> {
        self.document(key(brand)).await
    }

    /// Changes what is kept of a brand's reports, see [`Ledger::change_standing`].
    pub(crate) async fn change_report_log<T: Serialize + DeserializeOwned + Default>(
        &self,
        brand: &BrandName,
        change: impl FnMut(&mut T) -> bool,
    ) -> Result<T, LedgerError> {
        Ok(self.change_document(key(brand), change).await?.0)
    }

    /// A day of a brand, if it was closed.
    pub async fn closed_day(&self, brand: &BrandName, day: Date) -> Result<Option<Day>, LedgerError> {
        let item = self.control_item(control::key(&format!("B#{brand}"), &format!("{ROOT}{day}"))).await?;
        item.as_ref().map(read_day).transpose()
    }
}

fn key(brand: &BrandName) -> Item {
    control::key(&format!("B#{brand}"), "REPORT")
}
