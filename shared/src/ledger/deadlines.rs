//! The deadline clock: what is bound for the registry, the most urgent first.
//!
//! The sparse index `deadline` holds exactly the keys whose work at the registry is open, sorted by the
//! end of their three business days. The index `work` cannot tell this: it is sorted by when the sweep
//! looks after what, and a hundred thousand held keys would have to be read for the one whose time runs
//! out. Here the most urgent stands first however much stands behind it, and counting costs no more than
//! what is counted.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::item::{self, WORK_SHARDS};
use super::pages::read_pages;
use super::{Ledger, LedgerError};
use crate::consent::slack::{Scale, Slack};
use crate::consent::{BrandName, ConsentDate, ConsentKey};

/// Name of the sparse index.
const INDEX: &str = "deadline";

/// A key whose work at the registry is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The key.
    pub key: ConsentKey,
    /// By when its state has to stand there.
    pub deadline: ConsentDate,
}

/// What is bound for the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// The most urgent, in order.
    pub first: Vec<Bound>,
    /// How many keys have how much time left; what nothing has is missing.
    pub by_slack: BTreeMap<Slack, u64>,
    /// Whether there was more than could be counted. What is missing then is the least urgent.
    pub truncated: bool,
}

impl Ledger {
    /// Counts what is bound for the registry by the time that is left at `now`, and names the `first` most
    /// urgent keys. Each shard is read for at most so many index pages (two thousand keys).
    pub async fn deadlines(&self, brand: &BrandName, now: ConsentDate, first: usize, pages: usize) -> Result<Deadlines, LedgerError> {
        let scale = Scale::at(now);
        let shards = try_join_all((0..WORK_SHARDS).map(|shard| self.deadlines_of_shard(brand, shard, scale, first, pages))).await?;
        let mut all = Deadlines::default();
        for shard in shards {
            all.first.extend(shard.first);
            all.truncated |= shard.truncated;
            for (slack, count) in shard.by_slack {
                *all.by_slack.entry(slack).or_default() += count;
            }
        }
        all.first.sort_by(|a, b| (a.deadline, &a.key).cmp(&(b.deadline, &b.key)));
        all.first.truncate(first);
        Ok(all)
    }

    async fn deadlines_of_shard(
        &self,
        brand: &BrandName,
        shard: u8,
        scale: Scale,
        first: usize,
        pages: usize,
    ) -> Result<Deadlines, LedgerError> {
        let mut found = Deadlines::default();
        let query = self.query_work(INDEX, brand, shard, "PK, SK, work_deadline");
        let count = |entry: item::Item| {
            // One entry that cannot be read must not hide the others.
            let Ok(bound) = bound(&entry).inspect_err(|error| tracing::error!(%error, "a deadline is passed over")) else { return };
            *found.by_slack.entry(scale.slack(bound.deadline)).or_default() += 1;
            if found.first.len() < first {
                found.first.push(bound);
            }
        };
        found.truncated = read_pages(query, pages, count).await?;
        Ok(found)
    }
}

impl Deadlines {
    /// How many have at most this much time left.
    pub fn at_most(&self, slack: Slack) -> u64 {
        self.by_slack.range(..=slack).map(|(_, count)| count).sum()
    }
}

fn bound(entry: &item::Item) -> Result<Bound, LedgerError> {
    let text = |name: &str| entry.get(name).and_then(|value| value.as_s().ok());
    let unreadable = || LedgerError::Item { why: "an index entry has no usable deadline".into() };
    let (Some(pk), Some(sk), Some(deadline)) = (text("PK"), text("SK"), text("work_deadline")) else { return Err(unreadable()) };
    Ok(Bound { key: item::key_of(pk, sk)?, deadline: deadline.parse().map_err(|_| unreadable())? })
}
