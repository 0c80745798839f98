//! Items that hold one JSON document, which several workers change.
//!
//! A change is written over the revision that was read; a loser reads again and decides anew.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::Item;
use super::{Ledger, LedgerError, control};

/// Tries to write over somebody else's change.
const ATTEMPTS: usize = 16;
const DOCUMENT: &str = "document";
const REVISION: &str = "revision";

impl Ledger {
    /// The document of an item; an empty one where there is no item.
    pub(super) async fn document<T: DeserializeOwned + Default>(&self, key: Item) -> Result<T, LedgerError> {
        Ok(self.document_and_revision(key).await?.0)
    }

    /// Changes the document of an item. `change` says whether there is anything to change, and is asked
    /// again over whatever others have written meanwhile. The document then, and whether it was changed.
    pub(super) async fn change_document<T: Serialize + DeserializeOwned + Default>(
        &self,
        key: Item,
        mut change: impl FnMut(&mut T) -> bool,
    ) -> Result<(T, bool), LedgerError> {
        for _ in 0..ATTEMPTS {
            let (mut document, revision) = self.document_and_revision::<T>(key.clone()).await?;
            if !change(&mut document) {
                return Ok((document, false));
            }
            let text = serde_json::to_string(&document).map_err(|_| control::unreadable(DOCUMENT))?;
            let mut item = key.clone();
            item.insert(DOCUMENT.to_owned(), control::s(&text));
            item.insert(REVISION.to_owned(), control::n(revision + 1));
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(PK) OR #revision = :revision")
                .expression_attribute_names("#revision", REVISION)
                .expression_attribute_values(":revision", control::n(revision));
            match put.send().await {
                Ok(_) => return Ok((document, true)),
                Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(error) => return Err(LedgerError::store("PutItem")(error)),
            }
        }
        Err(LedgerError::Contention)
    }

    async fn document_and_revision<T: DeserializeOwned + Default>(&self, key: Item) -> Result<(T, i64), LedgerError> {
        let Some(item) = self.control_item(key).await? else { return Ok((T::default(), 0)) };
        let text = control::text(&item, DOCUMENT)?.ok_or_else(|| control::unreadable(DOCUMENT))?;
        // What the reader says may quote the document.
        let document = serde_json::from_str(text).map_err(|_| control::unreadable(DOCUMENT))?;
        Ok((document, control::number(&item, REVISION)?.unwrap_or(0)))
    }
}
