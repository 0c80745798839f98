//! Finds work that no queue message has finished, and writes messages for it again.
//!
//! It reads the sparse index only, so a sweep costs as much as what is overdue. Where that is more than it
//! can queue in one run, what is nearest to its deadline goes first. Each round the same work is looked
//! after more rarely, but before half of the time to its deadline has gone. One piece that cannot be read
//! or written stops no other.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::patience::{before, growing, later};
use super::push::urgent_first;
use super::reading;
use crate::clock::Clock;
use crate::consent::{BrandName, ConsentKey, ConsentState, Sync, Target, slack};
use crate::ledger::item::WORK_SHARDS;
use crate::ledger::{DueWork, Ledger, LedgerError, RESULTS_KEPT};
use crate::queue::Queues;

/// Most pieces of work that one sweep looks through in each shard for the most urgent.
const LOOKED_THROUGH: usize = 10_000;
/// How many pieces one sweep queues, over all shards; the next sweep goes on. They are in memory
/// together.
pub const QUEUED: usize = 10_000;
/// How many pieces are read and written together.
const PAGE: usize = 250;
/// After how many looks in vain (half a day) work is said to be stuck.
const STUCK: u16 = 6;
/// How many pieces are looked at together.
const AT_ONCE: usize = 16;

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
    /// How many pieces are queued, usually [`QUEUED`].
    pub most: usize,
    /// When it ends in good order, whatever is left. One page is looked at in any case.
    pub stop_at: Timestamp,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Keys for which messages were written.
    pub keys: usize,
    /// Bulk submissions for which messages were written.
    pub submissions: usize,
    /// Those of the keys that were queued again several times in vain.
    pub stuck: usize,
    /// Pieces that are left for the next sweep, because the time was over.
    pub left: usize,
}

impl Sweep<'_> {
    /// Re-queues everything that is overdue.
    pub async fn run(&self, brand: &BrandName) -> Result<Swept, LedgerError> {
        let (mut swept, now) = (Swept::default(), (self.clock)());
        let mut due = Vec::new();
        for shard in 0..WORK_SHARDS {
            due.extend(self.ledger.due_work(brand, shard, now, LOOKED_THROUGH).await?);
            // What is less urgent than all that can be queued is not kept.
            due.sort_by_cached_key(|due| (due.urgency(), due.at));
            due.truncate(self.most);
        }
        let mut pages = due.into_iter().map(|due| due.work).peekable();
        while pages.peek().is_some() {
            let page = pages.by_ref().take(PAGE).collect();
            self.requeue(brand, page, (self.clock)(), &mut swept).await?;
            if (self.clock)() >= self.stop_at {
                break;
            }
        }
        swept.left = pages.count();
        if swept.stuck > 0 {
            tracing::warn!(%brand, keys = swept.stuck, looks = STUCK, "work has been queued again and again in vain");
        }
        if swept != Swept::default() {
            let Swept { keys, submissions, left, .. } = swept;
            tracing::info!(keys, submissions, left, "overdue work was queued again");
        }
        Ok(swept)
    }

    async fn requeue(&self, brand: &BrandName, due: Vec<DueWork>, now: Timestamp, swept: &mut Swept) -> Result<(), LedgerError> {
        let mut keys = Vec::new();
        for work in due {
            match work {
                DueWork::Key(key) => keys.push(key),
                DueWork::Submission(id) => match self.submission(brand, &id, now).await {
                    Ok(()) => swept.submissions += 1,
                    Err(error) => tracing::error!(%error, submission = id, "an overdue submission was not queued again"),
                },
            }
        }
        let states = reading::states(self.ledger, &keys).await?.states;
        let mut states = self.leave_submitted(brand, states, now).await;
        urgent_first(&mut states);
        let mut writes = futures::stream::iter(states)
            .map(|state| async move {
                let overdue = |target: &Target| state.sync(*target).due().is_some_and(|due| due <= now);
                let targets: Vec<_> = Target::ALL.into_iter().filter(overdue).collect();
                let rounds = targets.iter().map(|target| state.sync(*target).sweeps()).max()?;
                let mut wait = growing(self.grace, rounds);
                if targets.contains(&Target::Registry) {
                    let left = slack::deadline(state.head.consent_date).instant().duration_since(now);
                    wait = before(left, self.grace, wait);
                }
                let requeued = self.ledger.requeued(&state.key, &targets, later(now, wait)).await;
                Some((state.key, targets, rounds, requeued.map(|_| ())))
            })
            .buffered(AT_ONCE);
        let (mut push, mut relay) = (Vec::new(), Vec::new());
        while let Some(written) = writes.next().await {
            // The index may be a moment behind: then nothing of the key is overdue any more.
            let Some((key, targets, rounds, requeued)) = written else { continue };
            if let Err(error) = requeued {
                tracing::error!(%error, recipient = %key.recipient_id, channel = %key.channel, "an overdue key was not queued again");
                continue;
            }
            swept.keys += 1;
            swept.stuck += usize::from(rounds >= STUCK);
            for target in targets {
                let keys: &mut Vec<ConsentKey> = if target == Target::Registry { &mut push } else { &mut relay };
                keys.push(key.clone());
            }
        }
        let (pushed, relayed) = futures::join!(self.queues.push(push), self.queues.relay(relay));
        if let Err(error) = pushed.and(relayed) {
            tracing::warn!(%error, "no message for overdue work: the next sweep tries again");
        }
        Ok(())
    }

    /// Takes those out that are overdue at the registry only as part of a submission that still stands: it
    /// is looked after by itself. What names one that is gone is queued again.
    async fn leave_submitted(&self, brand: &BrandName, states: Vec<ConsentState>, now: Timestamp) -> Vec<ConsentState> {
        let is_overdue = |state: &ConsentState, target: Target| state.sync(target).due().is_some_and(|due| due <= now);
        let mut standing = BTreeMap::<String, bool>::new();
        let mut kept = Vec::with_capacity(states.len());
        for state in states {
            let id = match &state.registry {
                Sync::Submitted { submission, .. } if is_overdue(&state, Target::Registry) => submission.clone(),
                _ => {
                    kept.push(state);
                    continue;
                }
            };
            let stands = match standing.get(&id) {
                Some(stands) => Ok(*stands),
                None => self.ledger.submission_head(brand, &id).await.map(|head| head.is_some()),
            };
            let left = match stands {
                Ok(true) => self.ledger.still_submitted(&state.key, &id, later(now, RESULTS_KEPT)).await,
                Ok(false) => {
                    tracing::error!(submission = id, "a state names a submission that is gone: it is queued again");
                    Ok(state)
                }
                Err(error) => Err(error),
            };
            match left {
                Ok(state) => {
                    standing.insert(id, !is_overdue(&state, Target::Registry));
                    kept.extend(Target::ALL.iter().any(|target| is_overdue(&state, *target)).then_some(state));
                }
                Err(error) => tracing::error!(%error, submission = id, "an overdue part of a submission was not looked after"),
            }
        }
        kept
    }

    async fn submission(&self, brand: &BrandName, id: &str, now: Timestamp) -> Result<(), LedgerError> {
        // Others may be changing it: only the time at which it is looked after again is this side's.
        if let Some(head) = self.ledger.submission_head(brand, id).await?
            && self.ledger.postpone_submission(brand, id, later(now, growing(self.grace, head.checks))).await?
            && let Err(error) = self.queues.push_submission(brand, id, 0).await
        {
            tracing::warn!(%error, submission = id, "no message for an overdue submission: the next sweep tries again");
        }
        Ok(())
    }
}
