//! Taking movements in: into the ledger first, then a note to the queues.
//!
//! Once [`Intake::take`] returns `Ok` for a movement it is durable. The queue messages are only the
//! fast way: what they miss, the sweep finds.

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use crate::consent::{ConsentState, Movement};
use crate::evidence::Payload;
use crate::ledger::{Ledger, LedgerError, Recorded};
use crate::queue::Queues;

/// How many addresses are written at once.
const AT_ONCE: usize = 32;

/// A movement, and what it was made from.
#[derive(Debug, Clone)]
pub struct Told {
    /// The movement.
    pub movement: Movement,
    /// What came in; nothing where it was made of what the ledger held already.
    pub payload: Option<Payload>,
}

impl From<Movement> for Told {
    fn from(movement: Movement) -> Self {
        Self { movement, payload: None }
    }
}

/// Takes movements in.
#[derive(Debug, Clone)]
pub struct Intake {
    ledger: Ledger,
    queues: Queues,
    grace: SignedDuration,
}

impl Intake {
    /// An intake into a ledger; work falls to the sweep after `grace`.
    pub fn new(ledger: Ledger, queues: Queues, grace: SignedDuration) -> Self {
        Self { ledger, queues, grace }
    }

    /// The queues that it writes to.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// Records movements and writes messages for the work they open. Results stand in the order of
    /// the movements; a failure of one harms no other.
    pub async fn take<T: Into<Told>>(&self, movements: Vec<T>, now: Timestamp) -> Vec<Result<Recorded, LedgerError>> {
        let due = now.saturating_add(self.grace).unwrap_or(now);
        let count = movements.len();
        // Movements of one key go one after the other: side by side they would only get in each
        // other's way.
        let mut by_key = std::collections::HashMap::<_, Vec<(usize, Told)>>::new();
        for (index, told) in movements.into_iter().map(Into::into).enumerate() {
            by_key.entry(told.movement.key.clone()).or_default().push((index, told));
        }
        let mut results: Vec<Option<Result<Recorded, LedgerError>>> = (0..count).map(|_| None).collect();
        let mut done = futures::stream::iter(by_key.into_values())
            .map(|movements| async move {
                let mut recorded = Vec::with_capacity(movements.len());
                for (index, Told { movement, payload }) in movements {
                    recorded.push((index, self.ledger.record_from(&movement, payload, now, due).await));
                }
                recorded
            })
            .buffer_unordered(AT_ONCE);
        while let Some(recorded) = done.next().await {
            for (index, result) in recorded {
                results[index] = Some(result);
            }
        }
        let results: Vec<_> = results.into_iter().map(|result| result.unwrap_or(Err(LedgerError::Contention))).collect();
        self.notify(results.iter().filter_map(|result| result.as_ref().ok()).map(|recorded| &recorded.state)).await;
        results
    }

    /// Writes messages for the open work of these states. A failure is logged only: the sweep finds
    /// the work.
    pub async fn notify<'a>(&self, states: impl IntoIterator<Item = &'a ConsentState>) {
        if let Err(error) = self.queues.notify(states).await {
            tracing::warn!(%error, "no queue message was written: the sweep will find the work");
        }
    }
}
