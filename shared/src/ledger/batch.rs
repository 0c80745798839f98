//! Items by their keys, many at a time.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::{Stream, StreamExt};

use super::control::Item;
use super::store::{WRITE_TRIES, back_off};
use super::{Ledger, LedgerError};

/// Most keys in one BatchGetItem (DynamoDB's own limit).
const BATCH: usize = 100;
/// How many batches are read at once.
const BATCHES_AT_ONCE: usize = 8;

impl Ledger {
    /// Items by their keys, none twice, in no order and some at a time; of each the attributes that are named, or
    /// all. What is not there is left out.
    pub(super) fn items_by_key(
        &self,
        keys: Vec<Item>,
        attributes: &'static [&'static str],
    ) -> impl Stream<Item = Result<Vec<Item>, LedgerError>> {
        let batches: Vec<Vec<Item>> = keys.chunks(BATCH).map(<[Item]>::to_vec).collect();
        futures::stream::iter(batches).map(move |batch| self.batch_of_items(batch, attributes)).buffer_unordered(BATCHES_AT_ONCE)
    }

    async fn batch_of_items(&self, keys: Vec<Item>, attributes: &'static [&'static str]) -> Result<Vec<Item>, LedgerError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        if !attributes.is_empty() {
            let names: Vec<String> = (0..attributes.len()).map(|at| format!("#{at}")).collect();
            asked = asked.projection_expression(names.join(","));
            for (name, attribute) in names.iter().zip(attributes) {
                asked = asked.expression_attribute_names(name, *attribute);
            }
        }
        let mut open = Some(asked.build().map_err(|_| LedgerError::Item { why: "a batch of keys cannot be written".into() })?);
        for attempt in 0..WRITE_TRIES {
            let Some(asked) = open.take() else { return Ok(found) };
            let answer =
                self.client.batch_get_item().request_items(&self.table, asked).send().await.map_err(LedgerError::store("BatchGetItem"))?;
            found.extend(answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default());
            // What DynamoDB did not get to in one go is asked for again.
            open = answer.unprocessed_keys.and_then(|mut rest| rest.remove(&self.table)).filter(|rest| !rest.keys().is_empty());
            if open.is_some() {
                back_off(attempt).await;
            }
        }
        if open.is_none() { Ok(found) } else { Err(LedgerError::Contention) }
    }
}
