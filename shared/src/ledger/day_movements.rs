//! What a brand received on a day, page by page from the index `day`, and movements by their names.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use jiff::civil::Date;

use super::control::s;
use super::evidence::{DIGITS, INDEX, day_partition};
use super::item::{self, Ending, Entry, Item, MovementItem};
use super::{Ledger, LedgerError, control};
use crate::consent::{BrandName, ConsentKey, EventId};

/// A movement that was received, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Received {
    /// What it is about.
    pub key: ConsentKey,
    /// Its name within the key.
    pub event_id: EventId,
}

/// One page of what was received.
#[derive(Debug, Clone, Default)]
pub struct ReceivedPage {
    /// Movements. What was kept aside is left out.
    pub received: Vec<Received>,
    /// The digest that the next page begins after; `None` at the end of the partition.
    pub after: Option<String>,
}

impl Ledger {
    /// Over how many partitions a day of receipt is spread.
    pub const DAY_PARTITIONS: u32 = 16;

    /// A page of what a brand received on a day, in one of the day's partitions. What the index shows lags a
    /// little behind the table.
    pub async fn received(
        &self,
        brand: &BrandName,
        day: Date,
        partition: u32,
        after: &str,
        limit: i32,
    ) -> Result<ReceivedPage, LedgerError> {
        let at = usize::try_from(partition % Self::DAY_PARTITIONS).unwrap_or_default();
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            // Sorts before every digest.
            .key_condition_expression("day_pk = :pk AND digest > :after")
            .expression_attribute_values(":pk", s(&day_partition(brand.as_str(), day, &DIGITS[at..=at])))
            .expression_attribute_values(":after", s(if after.is_empty() { "!" } else { after }))
            .limit(limit)
            .send()
            .await
            .map_err(LedgerError::store("Query"))?;
        let mut page = ReceivedPage::default();
        let items = answer.items.unwrap_or_default();
        if answer.last_evaluated_key.is_some() {
            page.after = items.last().and_then(|item| text(item, "digest")).map(str::to_owned);
        }
        for item in &items {
            let (Some(pk), Some(sk)) = (text(item, "PK"), text(item, "SK")) else { continue };
            if !sk.starts_with('M') {
                continue;
            }
            match (item::key_of(pk, sk), sk.split('#').nth(3).map(str::parse)) {
                (Ok(key), Some(Ok(event_id))) => page.received.push(Received { key, event_id }),
                _ => tracing::error!(%brand, %day, "a movement of the index has no usable key and is left out"),
            }
        }
        Ok(page)
    }

    /// The movements of these names that the history has, in no order. How the head of a state ended stands in
    /// the state: here it is missing. What has no readable form counts as not there.
    pub async fn movements(&self, wanted: &[Received]) -> Result<Vec<Entry>, LedgerError> {
        let mut seen = HashSet::new();
        let wanted: Vec<_> = wanted.iter().filter(|one| seen.insert(*one)).collect();
        let keys = wanted.iter().map(|one| {
            control::key(&item::partition(&one.key.brand, &one.key.recipient_id), &item::movement_sort(&one.key, &one.event_id))
        });
        let mut found = Vec::with_capacity(wanted.len());
        let mut answers = pin!(self.items_by_key(keys.collect(), &[]));
        while let Some(items) = answers.next().await {
            for item in items? {
                match MovementItem::read(item) {
                    Ok(entry) => found.push(entry),
                    Err(error) => tracing::error!(%error, "a movement cannot be read"),
                }
            }
        }
        Ok(found)
    }

    /// The history of one key, in no order, with how each movement ended. What has no readable form is left out.
    pub async fn history_of(&self, key: &ConsentKey) -> Result<Vec<Entry>, LedgerError> {
        let prefix = format!("M#{}#{}#", key.channel, key.recipient_type);
        let (items, state) = futures::join!(self.items_of(&key.brand, &key.recipient_id, &prefix), self.state(key));
        let state = match state {
            Err(LedgerError::Item { .. }) => None,
            state => state?,
        };
        let mut history: Vec<Entry> = items?.into_iter().filter_map(|item| MovementItem::read(item).ok()).collect();
        if let Some(state) = state
            && let Some(entry) = history.iter_mut().find(|entry| entry.movement.head.event_id == state.head.event_id)
        {
            entry.registry = Ending::of_sync(&state.registry);
            entry.insider = Ending::of_sync(&state.insider);
        }
        Ok(history)
    }
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}
