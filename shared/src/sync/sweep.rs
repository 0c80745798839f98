//! Finds work that no queue message has finished, and writes messages for it again.
//!
//! It reads the sparse index only, so a sweep costs as much as what is overdue. Each round the same
//! work is looked after more rarely.

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::consent::{BrandName, ConsentKey, Sync, Target};
use crate::ledger::item::WORK_SHARDS;
use crate::ledger::{DueWork, Ledger, LedgerError};
use crate::queue::Queues;

/// Most pieces of work in one page of a shard.
const PAGE: i32 = 1000;
/// Most pages of a shard in one sweep; the next sweep goes on.
const PAGES: usize = 10;
/// How many pieces are looked at together.
const AT_ONCE: usize = 16;
/// The longest time between two looks at the same work.
const RAREST: SignedDuration = SignedDuration::from_hours(6);

/// Sweeps one brand's overdue work.
pub struct Sweep<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The queues.
    pub queues: &'a Queues,
    /// The clock.
    pub clock: &'a Clock,
    /// When re-queued work is looked after again, at first.
    pub grace: SignedDuration,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Keys for which messages were written.
    pub keys: usize,
    /// Bulk submissions for which messages were written.
    pub submissions: usize,
}

impl Sweep<'_> {
    /// Re-queues everything that is overdue.
    pub async fn run(&self, brand: &BrandName) -> Result<Swept, LedgerError> {
        let mut swept = Swept::default();
        for shard in 0..WORK_SHARDS {
            for _ in 0..PAGES {
                let now = (self.clock)();
                let due = self.ledger.due_work(brand, shard, now, PAGE).await?;
                let full = due.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
                self.requeue(brand, due, now, &mut swept).await?;
                if !full {
                    break;
                }
            }
        }
        if swept != Swept::default() {
            tracing::info!(keys = swept.keys, submissions = swept.submissions, "overdue work was queued again");
        }
        Ok(swept)
    }

    async fn requeue(&self, brand: &BrandName, due: Vec<DueWork>, now: Timestamp, swept: &mut Swept) -> Result<(), LedgerError> {
        let mut keys = Vec::new();
        for work in due {
            match work {
                DueWork::Key(key) => keys.push(key),
                DueWork::Submission(id) => {
                    self.submission(brand, &id, now).await?;
                    swept.submissions += 1;
                }
            }
        }
        let mut states = Vec::with_capacity(keys.len());
        let mut writes = futures::stream::iter(self.ledger.states(&keys).await?)
            .map(|state| async move {
                let overdue = |target: &Target| state.sync(*target).due().is_some_and(|due| due <= now);
                let targets: Vec<_> = Target::ALL.into_iter().filter(overdue).collect();
                let rounds = targets.iter().map(|target| rounds(state.sync(*target))).max().unwrap_or(0);
                self.key(&state.key, &targets, rounds, now).await
            })
            .buffer_unordered(AT_ONCE);
        while let Some(state) = writes.next().await {
            states.push(state?);
        }
        swept.keys += states.len();
        if let Err(error) = self.queues.notify(&states).await {
            tracing::warn!(%error, "no message for overdue work: the next sweep tries again");
        }
        Ok(())
    }

    async fn key(
        &self,
        key: &ConsentKey,
        targets: &[Target],
        rounds: u16,
        now: Timestamp,
    ) -> Result<crate::consent::ConsentState, LedgerError> {
        self.ledger.requeued(key, targets, self.next(rounds, now)).await
    }

    async fn submission(&self, brand: &BrandName, id: &str, now: Timestamp) -> Result<(), LedgerError> {
        if let Some(submission) = self.ledger.submission(brand, id).await? {
            self.ledger.put_submission(&submission, self.next(submission.checks, now)).await?;
            if let Err(error) = self.queues.push_submission(brand, id, 0).await {
                tracing::warn!(%error, submission = id, "no message for an overdue submission: the next sweep tries again");
            }
        }
        Ok(())
    }

    fn next(&self, rounds: u16, now: Timestamp) -> Timestamp {
        let wait = self.grace.checked_mul(1 << rounds.min(8)).unwrap_or(RAREST).min(RAREST);
        now.saturating_add(wait).unwrap_or(now)
    }
}

fn rounds(sync: &Sync) -> u16 {
    match sync {
        Sync::Pending { sweeps, .. } => *sweeps,
        _ => 0,
    }
}
