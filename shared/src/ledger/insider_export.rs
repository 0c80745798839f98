//! How far a brand's exports from Insider are.
//!
//! Item: PK `B#{brand}`, SK `EXPORT`: the document that `sync::insider_export` works by. It holds the link
//! to the newest file. Whoever may read the table may read that file, as whoever may read it may read the
//! addresses in it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::Item;
use super::{Ledger, LedgerError, control};
use crate::consent::BrandName;

impl Ledger {
    /// What is kept of a brand's exports; nothing at first.
    pub(crate) async fn insider_export<T: DeserializeOwned + Default>(&self, brand: &BrandName) -> Result<T, LedgerError> {
        self.document(key(brand)).await
    }

    /// Changes what is kept of a brand's exports. `change` says whether there is anything to change, and is
    /// asked again over whatever others have written meanwhile. What stands then, and whether it was changed.
    pub(crate) async fn change_insider_export<T: Serialize + DeserializeOwned + Default>(
        &self,
        brand: &BrandName,
        change: impl FnMut(&mut T) -> bool,
    ) -> Result<(T, bool), LedgerError> {
        self.change_document(key(brand), change).await
    }
}

fn key(brand: &BrandName) -> Item {
    control::key(&format!("B#{brand}"), "EXPORT")
}
