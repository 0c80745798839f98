//! The deadline clock of one brand: how much waits for the registry with how little time left, and what
//! is in the way of the most urgent.

use std::collections::HashMap;

use jiff::Timestamp;

use super::reading;
use crate::consent::slack::{Scale, Slack};
use crate::consent::{BrandName, ConsentDate, ConsentKey, ConsentState, Head, Sync};
use crate::ledger::{Deadlines, Ledger, LedgerError};

/// Most index pages (two thousand keys each) that are counted per shard.
const PAGES: usize = 140;

/// A movement that waits for the registry.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its key.
    pub key: ConsentKey,
    /// What it says. It waits since it was received.
    pub head: Head,
    /// By when it has to stand at the registry.
    pub deadline: ConsentDate,
    /// How much time is left.
    pub slack: Slack,
    /// Why it does not stand there yet.
    pub sync: Sync,
    /// Since when that is so.
    pub since: Timestamp,
}

/// What the clock shows.
#[derive(Debug, Clone)]
pub struct Watch {
    /// When it was read, in Turkish time.
    pub at: ConsentDate,
    /// How many movements have how much time left; what nothing has is missing.
    pub deadlines: Deadlines,
    /// The most urgent movements, in order; the first one of all if there is any.
    pub waiting: Vec<Waiting>,
}

impl Watch {
    /// Reads the clock at `now`, with at most `most` of the movements that wait. It costs as much as is
    /// bound for the registry, and of the states it reads only those that it shows.
    pub async fn read(ledger: &Ledger, brand: &BrandName, now: Timestamp, most: usize) -> Result<Self, LedgerError> {
        let at = ConsentDate::at(now);
        let deadlines = ledger.deadlines(brand, at, most, PAGES).await?;
        let keys: Vec<_> = deadlines.first.iter().map(|bound| bound.key.clone()).collect();
        let states = reading::states(ledger, &keys).await?.states;
        let mut states: HashMap<_, _> = states.into_iter().map(|state| (state.key.clone(), state)).collect();
        let (scale, mut submitted) = (Scale::at(at), HashMap::new());
        let mut waiting = Vec::with_capacity(keys.len());
        for bound in &deadlines.first {
            // The index may be a moment behind: then the state has come to rest, or moved on.
            let Some(state) = states.remove(&bound.key).filter(|state| state.registry.is_open()) else { continue };
            let since = since(ledger, brand, &state, &mut submitted).await?;
            let slack = scale.slack(bound.deadline);
            waiting.push(Waiting { key: state.key, head: state.head, deadline: bound.deadline, slack, sync: state.registry, since });
        }
        Ok(Self { at, deadlines, waiting })
    }

    /// How long it is until the first deadline, in seconds; negative when it has passed.
    pub fn slack_seconds(&self) -> Option<i64> {
        self.deadlines.first.first().map(|bound| bound.deadline.seconds_since(self.at))
    }

    /// How many movements have waited for more than one business day of their three.
    pub fn over_one_day(&self) -> u64 {
        self.deadlines.at_most(Slack::Under2)
    }

    /// How many movements have waited for more than two business days of their three.
    pub fn over_two_days(&self) -> u64 {
        self.deadlines.at_most(Slack::Under1)
    }

    /// How many movements are late.
    pub fn late(&self) -> u64 {
        self.deadlines.at_most(Slack::Late)
    }
}

/// Since when the registry's side of a state is as it is.
async fn since(
    ledger: &Ledger,
    brand: &BrandName,
    state: &ConsentState,
    submitted: &mut HashMap<String, Option<Timestamp>>,
) -> Result<Timestamp, LedgerError> {
    let received = state.head.received_at;
    match &state.registry {
        Sync::Held { since, .. } => Ok(*since),
        Sync::Submitted { submission, .. } => {
            let known = match submitted.get(submission) {
                Some(known) => *known,
                None => {
                    let created = ledger.submission_head(brand, submission).await?.map(|head| head.created_at);
                    *submitted.entry(submission.clone()).or_insert(created)
                }
            };
            Ok(known.unwrap_or(received))
        }
        _ => Ok(received),
    }
}
