//! All movements of a brand's day of receipt, as a report counts them: without whom they are about.
//!
//! The index `day` names them; they are read by their keys, and so are the states of their keys. The states are read
//! first: how a movement ended is in the history before another one takes its place in the state. The addresses
//! are not read at all.

use std::collections::HashMap;
use std::pin::pin;

use futures::StreamExt;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::evidence::{DIGITS, INDEX, day_partition};
use super::item::{self, Ending, Item};
use super::{Ledger, LedgerError, control};
use crate::consent::{AsideReason, BrandName, Channel, Head, Sync, Target};

/// Entries of the index that are read at once.
const PAGE: i32 = 800;
/// A movement that was received on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are movements, and one at a time is held")]
pub enum OfDay {
    /// It takes part in what counts.
    Movement {
        /// The channel.
        channel: Channel,
        /// What it says.
        head: Head,
        /// How it ended at the registry, where another movement has taken its place since.
        registry: Option<Ending>,
        /// How it ended at Insider, likewise.
        insider: Option<Ending>,
        /// How the state of its key stands; there may be none for a moment.
        current: Option<Current>,
    },
    /// It is kept without any effect.
    Aside(AsideReason),
    /// It cannot be read, or was removed.
    Unreadable,
}

/// How a state stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Current {
    /// The movement that counts.
    #[serde(flatten)]
    pub head: Head,
    /// How far the registry has it.
    pub registry: Sync,
    /// How far Insider has it.
    pub insider: Sync,
}

impl Current {
    /// How far a target has it.
    pub const fn sync(&self, target: Target) -> &Sync {
        match target {
            Target::Registry => &self.registry,
            Target::Insider => &self.insider,
        }
    }
}

#[derive(Deserialize)]
struct Stored {
    #[serde(flatten)]
    head: Head,
    #[serde(default)]
    registry: Option<Ending>,
    #[serde(default)]
    insider: Option<Ending>,
    #[serde(default)]
    aside: Option<AsideReason>,
}

/// What is read of movements and states.
static READ: [&str; 11] =
    ["PK", "SK", "status", "source", "consent_date", "origin", "event_id", "received_at", "registry", "insider", "aside"];

/// The keys of an item.
type Keys = (String, String);

fn keys_of(item: &Item) -> Option<Keys> {
    let text = |name| control::text(item, name).ok().flatten().map(str::to_owned);
    Some((text("PK")?, text("SK")?))
}

/// The key of the state that a movement belongs to.
fn state_of((pk, sk): &Keys) -> Option<Keys> {
    let key = item::key_of(pk, sk).ok()?;
    Some((pk.clone(), item::state_sort(key.channel, key.recipient_type)))
}

fn parsed<T: DeserializeOwned>(item: &Item) -> Option<T> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item.clone()).ok()
}

impl Ledger {
    /// Tells all movements that a brand received on a day, page by page: it reads what was received on that day and
    /// nothing else, and holds one page of it. What the index shows lags a little behind the table.
    pub async fn movements_of_day(&self, brand: &BrandName, day: Date, mut each: impl FnMut(&OfDay)) -> Result<(), LedgerError> {
        for at in 0..DIGITS.len() {
            let partition = day_partition(brand.as_str(), day, &DIGITS[at..=at]);
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("day_pk = :pk")
                .expression_attribute_values(":pk", control::s(&partition))
                .limit(PAGE)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(LedgerError::store("Query"))?.items.unwrap_or_default();
                let movements: Vec<Keys> = page.iter().filter_map(keys_of).collect();
                let mut states: Vec<Keys> = movements.iter().filter_map(state_of).collect();
                states.sort_unstable();
                states.dedup();
                let states = self.parts_of(states).await?;
                let stored = self.parts_of(movements.clone()).await?;
                for movement in &movements {
                    let current = state_of(movement).and_then(|state| states.get(&state));
                    each(&of_day(movement, stored.get(movement), current));
                }
            }
        }
        Ok(())
    }

    /// Items by their keys, without any address.
    async fn parts_of(&self, wanted: Vec<Keys>) -> Result<HashMap<Keys, Item>, LedgerError> {
        let keys = wanted.iter().map(|(pk, sk)| control::key(pk, sk));
        let mut found = HashMap::with_capacity(wanted.len());
        let mut answers = pin!(self.items_by_key(keys.collect(), &READ));
        while let Some(items) = answers.next().await {
            found.extend(items?.into_iter().filter_map(|item| Some((keys_of(&item)?, item))));
        }
        Ok(found)
    }
}

fn of_day((pk, sk): &Keys, stored: Option<&Item>, current: Option<&Item>) -> OfDay {
    let (Some(stored), Ok(key)) = (stored.and_then(parsed::<Stored>), item::key_of(pk, sk)) else { return OfDay::Unreadable };
    if sk.starts_with('N') {
        // Before there were reasons, a group was the only one.
        return OfDay::Aside(stored.aside.unwrap_or(AsideReason::LeftGroup));
    }
    let current = match current.map(parsed::<Current>) {
        // Nobody can say how it stands.
        Some(None) => return OfDay::Unreadable,
        Some(Some(current)) => Some(current),
        None => None,
    };
    let Stored { head, registry, insider, .. } = stored;
    OfDay::Movement { channel: key.channel, head, registry, insider, current }
}
