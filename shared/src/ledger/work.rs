//! The work index: what is pending, submitted, held or refused, found without reading the ledger.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

use super::item::{self, WORK_SHARDS};
use super::pages::{PAGE, read_pages};
use super::submission;
use super::{Ledger, LedgerError};
use crate::consent::{BrandName, ConsentDate, ConsentKey, slack};

/// Name of the sparse index.
pub(super) const INDEX: &str = "work";

/// Work whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueWork {
    /// A consent key with open work.
    Key(ConsentKey),
    /// A bulk submission whose result is due, by its id.
    Submission(String),
}

/// Work whose time has come, and how urgent it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The work.
    pub work: DueWork,
    /// When it fell due.
    pub at: Timestamp,
    /// By when it has to stand at the registry, where that is open.
    pub deadline: Option<ConsentDate>,
}

impl Due {
    fn read(item: &item::Item) -> Result<Self, LedgerError> {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let at = text("work_due").and_then(|text| text.parse().ok()).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = at.ok_or_else(|| LedgerError::Item { why: "an index entry has no usable due time".into() })?;
        Ok(Self { work: read_due(item)?, at, deadline: deadline(item) })
    }

    /// What goes first has the earliest. A submission stands for many records and is a single call; what
    /// waits for Insider alone counts as if it had happened when it fell due.
    pub fn urgency(&self) -> ConsentDate {
        match (&self.work, self.deadline) {
            (DueWork::Submission(_), _) => ConsentDate::EARLIEST,
            (DueWork::Key(_), Some(deadline)) => deadline,
            (DueWork::Key(_), None) => slack::deadline(ConsentDate::at(self.at)),
        }
    }
}

/// A brand's unfinished work in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// Keys by sync state at the registry.
    pub registry: BTreeMap<String, u64>,
    /// Keys by sync state at Insider.
    pub insider: BTreeMap<String, u64>,
    /// Held keys by what they wait for, at the registry.
    pub registry_held: BTreeMap<String, u64>,
    /// Held keys by what they wait for, at Insider.
    pub insider_held: BTreeMap<String, u64>,
    /// When the oldest open work falls, or fell, to the sweep.
    pub oldest_due: Option<Timestamp>,
    /// Whether the backlog was longer than what was counted.
    pub truncated: bool,
}

impl Ledger {
    /// Up to `limit` pieces of one shard's work that fell due by `now`, the longest waiting first.
    pub async fn due_work(&self, brand: &BrandName, shard: u8, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        let mut answers = self
            .query_work(INDEX, brand, shard, "PK, SK, work_due, work_deadline")
            .key_condition_expression("work_pk = :pk AND work_due <= :now")
            .expression_attribute_values(":now", AttributeValue::S(item::due_text(now)))
            .limit(i32::try_from(limit).map_or(PAGE, |limit| limit.min(PAGE)))
            .into_paginator()
            .send();
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(page) = answers.next().await
        {
            let page = page.map_err(LedgerError::store("Query"))?.items.unwrap_or_default();
            // One entry that cannot be read must not hide the work behind it.
            let readable =
                |item: &item::Item| Due::read(item).inspect_err(|error| tracing::error!(%error, "a piece of work is passed over")).ok();
            due.extend(page.iter().filter_map(readable));
        }
        due.truncate(limit);
        Ok(due)
    }

    /// Counts a brand's unfinished work, at most `pages` index pages a shard.
    pub async fn backlog(&self, brand: &BrandName, pages: usize) -> Result<Backlog, LedgerError> {
        let mut backlog = Backlog::default();
        for shard in 0..WORK_SHARDS {
            let shown = "work_due, work_iys, work_insider, work_iys_held, work_insider_held";
            let query = self.query_work(INDEX, brand, shard, shown);
            let more = read_pages(query, pages, |item| backlog.count(&item)).await?;
            backlog.truncated |= more;
        }
        Ok(backlog)
    }
}

impl Backlog {
    fn count(&mut self, item: &item::Item) {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        // A submission is no key.
        if let Some(state) = text("work_iys").filter(|state| *state != submission::HELD_RESULTS) {
            *self.registry.entry(state.clone()).or_default() += 1;
        }
        if let Some(state) = text("work_insider") {
            *self.insider.entry(state.clone()).or_default() += 1;
        }
        for (name, held) in [("work_iys_held", &mut self.registry_held), ("work_insider_held", &mut self.insider_held)] {
            if let Some(why) = text(name) {
                *held.entry(why.clone()).or_default() += 1;
            }
        }
        let due = text("work_due").and_then(|text| text.parse().ok()).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        if let Some(due) = due {
            self.oldest_due = Some(self.oldest_due.map_or(due, |oldest| oldest.min(due)));
        }
    }
}

/// The deadline in an index entry.
pub(super) fn deadline(item: &item::Item) -> Option<ConsentDate> {
    item.get("work_deadline").and_then(|value| value.as_s().ok()).and_then(|text| text.parse().ok())
}

pub(super) fn read_due(item: &item::Item) -> Result<DueWork, LedgerError> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    let (Some(pk), Some(sk)) = (text("PK"), text("SK")) else {
        return Err(LedgerError::Item { why: "an index entry has no table key".into() });
    };
    match submission::id_of(pk) {
        Some(id) => Ok(DueWork::Submission(id.to_owned())),
        None => item::key_of(pk, sk).map(DueWork::Key),
    }
}
