//! Makes held work due again once nothing bars it any more, and writes its messages; likewise submissions
//! whose results could not be asked for.
//!
//! A release goes through the index of open work, so it costs as much as what is held there. Its due
//! time follows from when it was ordered, so one that is repeated passes over what it has done. The
//! index lags a little behind the table, and other workers learn of a brand's document within a minute:
//! so the order stands until one run through all of it began some time after it was given.

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::keeper::Keeper;
use crate::consent::standing::Standing;
use crate::consent::{ConsentKey, ConsentState, Sync, Target};
use crate::ledger::{Bound, HeldPage, LedgerError};
use crate::sync::patience::later;
use crate::sync::push::urgent_first;
use crate::sync::reading;

/// For how long work may still be held after the order, by whoever does not know of it yet.
const SETTLING: SignedDuration = SignedDuration::from_secs(90);
/// For how long a run keeps others away. Longer than a run can last.
const LEASE: SignedDuration = SignedDuration::from_mins(6);
const JOB: &str = "release";
/// How many states are written at once.
const AT_ONCE: usize = 32;
/// How many held keys are put into the order of their deadlines together: some ten megabytes.
const TOGETHER: usize = 50_000;
/// How many of them are released at a time.
const AT_A_TIME: usize = 1000;

impl Keeper<'_> {
    /// Goes on with the release that was ordered at `since`. How many keys it released.
    pub(super) async fn release(&self, since: Timestamp) -> Result<usize, LedgerError> {
        let (begun, name) = ((self.clock)(), &self.brand.name);
        let until = later(begun, LEASE);
        if !self.ledger.try_lease(name, JOB, begun, until).await? {
            return Ok(0);
        }
        let released = self.release_all(since).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(name, JOB, until).await {
            tracing::warn!(%error, "the release's lease was not given back");
        }
        let released = released?;
        if released > 0 {
            tracing::info!(brand = %name, keys = released, "held work was released");
        }
        if begun.duration_since(since) >= SETTLING {
            let end = |standing: &mut Standing| {
                let under_way = standing.release == Some(since);
                standing.released(since);
                under_way
            };
            self.ledger.change_standing(name, end).await?;
        }
        Ok(released)
    }

    /// Has results asked for now that could not be.
    async fn release_results(&self, submissions: &[String]) -> Result<(), LedgerError> {
        let name = &self.brand.name;
        for id in submissions {
            let now = (self.clock)();
            if self.ledger.release_results(name, id, now, later(now, self.grace)).await?
                && let Err(error) = self.queues.push_submission(name, id, 0).await
            {
                tracing::warn!(%error, submission = id, "no message for a released submission: the sweep will find it");
            }
        }
        Ok(())
    }

    async fn release_all(&self, since: Timestamp) -> Result<usize, LedgerError> {
        let mut released = 0;
        let mut page = Some(HeldPage::default());
        while page.is_some() {
            // The most urgent go first, as far as one run holds them together.
            let mut keys = Vec::new();
            while keys.len() < TOGETHER
                && let Some(at) = page.take()
            {
                let held = self.ledger.held_work(&self.brand.name, at).await?;
                page = held.next;
                keys.extend(held.keys);
                // What bars work may change while this runs.
                if !held.submissions.is_empty() && self.ledger.standing(&self.brand.name).await?.bar_of_calls().is_none() {
                    self.release_results(&held.submissions).await?;
                }
            }
            keys.sort_unstable_by(|a, b| (a.deadline, &a.key).cmp(&(b.deadline, &b.key)));
            for some in keys.chunks(AT_A_TIME) {
                released += self.release_some(some, since).await?;
            }
        }
        Ok(released)
    }

    /// Releases held keys, and writes their messages in that order.
    async fn release_some(&self, held: &[Bound], since: Timestamp) -> Result<usize, LedgerError> {
        let due = later(since, self.grace);
        let standing = self.ledger.standing(&self.brand.name).await?;
        let is_free =
            |state: &ConsentState| standing.bar(state.key.channel, state.head.status, self.brand.authorises(state.key.channel)).is_none();
        let waits = |state: &ConsentState| matches!(state.registry, Sync::Held { due: at, .. } if at != due);
        let keys: Vec<_> = held.iter().map(|bound| bound.key.clone()).collect();
        let mut states = reading::states(self.ledger, &keys).await?.states;
        states.retain(|state| waits(state) && is_free(state));
        urgent_first(&mut states);
        let keys: Vec<ConsentKey> = states.into_iter().map(|state| state.key).collect();
        let mut writes =
            futures::stream::iter(&keys).map(|key| self.ledger.requeued(key, &[Target::Registry], due)).buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            written?;
        }
        drop(writes);
        let released = keys.len();
        if let Err(error) = self.queues.push(keys).await {
            tracing::warn!(%error, "no message for released work: the sweep will find it");
        }
        Ok(released)
    }
}
