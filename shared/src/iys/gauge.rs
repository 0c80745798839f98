//! How İYS takes this deployment's calls, and the pace that follows from it.
//!
//! Every answer is counted in the ledger for all workers ([`crate::ledger::quality`]): failed ones at
//! once, good ones gathered in this process and written ten at a time. Each write answers with the
//! figure, so the pace costs no read of its own; a process that has not written for a minute, or not
//! at all yet, looks once. What a process that ends has gathered is not counted: the figure may only
//! look worse than it is.
//!
//! Only answers count that İYS's gate names: success, 400, 401, 403, 404 and 422. Limits (429),
//! failures of İYS (5xx) and no answer at all say nothing about our calls.
//!
//! The ledger's silence holds no call up: without a figure the last one holds, or the full pace.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;

use super::client::Client;
use crate::ledger::LedgerError;
use crate::ledger::quality::Quality;

/// Good answers that are written together.
const TOGETHER: u32 = 10;
/// A figure that is older is looked up again before the next call.
const FIGURE_AGE: SignedDuration = SignedDuration::from_secs(60);

/// What this process knows, and has not written yet.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    good: u32,
    failed: u32,
    /// The latest figure.
    figure: Quality,
    /// When it was last asked for.
    asked_at: Option<Timestamp>,
}

/// Counts on their way into the ledger.
#[derive(Clone, Copy)]
struct Counts {
    good: u32,
    failed: u32,
}

impl Gauge {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, now: Timestamp) -> Counts {
        self.asked_at = Some(now);
        Counts { good: std::mem::take(&mut self.good), failed: std::mem::take(&mut self.failed) }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        self.asked_at.is_none_or(|asked_at| now.duration_since(asked_at).abs() >= FIGURE_AGE)
    }
}

/// Whether İYS's gate counts an answer, and as what.
fn counts_as_good(status: StatusCode) -> Option<bool> {
    match status.as_u16() {
        200..=299 => Some(true),
        400 | 401 | 403 | 404 | 422 => Some(false),
        _ => None,
    }
}

impl Client {
    /// Counts an answer of İYS.
    pub(super) async fn note_answer(&self, status: StatusCode) {
        let now = self.now();
        let counts = {
            let mut state = self.gauge().lock();
            match counts_as_good(status) {
                Some(true) => state.good = state.good.saturating_add(1),
                Some(false) => state.failed = state.failed.saturating_add(1),
                None => {}
            }
            (state.failed > 0 || state.good >= TOGETHER).then(|| state.take(now))
        };
        if let Some(counts) = counts {
            self.count(counts, now).await;
        }
    }

    /// Calls in any second that the latest figure leaves.
    pub(super) async fn pace(&self) -> u32 {
        let now = self.now();
        let counts = {
            let mut state = self.gauge().lock();
            state.is_old(now).then(|| state.take(now))
        };
        match counts {
            None => {}
            Some(Counts { good: 0, failed: 0 }) => self.learn(self.ledger().quality(now).await, now).await,
            Some(counts) => self.count(counts, now).await,
        }
        let figure = self.gauge().lock().figure;
        self.settings().limits.pace(&figure)
    }

    async fn count(&self, counts: Counts, now: Timestamp) {
        let counted = self.ledger().count_answers(counts.good, counts.failed, now).await;
        if counted.is_err() {
            let mut state = self.gauge().lock();
            state.good = state.good.saturating_add(counts.good);
            state.failed = state.failed.saturating_add(counts.failed);
        }
        self.learn(counted, now).await;
    }

    /// Takes a figure, and tells when the pace becomes slower than the full one and when it no longer
    /// is: one worker for all.
    async fn learn(&self, figure: Result<Quality, LedgerError>, now: Timestamp) {
        let told = match figure {
            Ok(figure) => {
                self.gauge().lock().figure = figure;
                self.tell(figure, now).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "how İYS takes the calls was not counted or read");
        }
    }

    async fn tell(&self, figure: Quality, now: Timestamp) -> Result<(), LedgerError> {
        let limits = &self.settings().limits;
        let (requests, failed, calls_per_second) = (figure.requests(), figure.failed, limits.pace(&figure));
        let is_slow = calls_per_second < limits.calls_per_second;
        if is_slow && !figure.slowed && self.ledger().note_slowed(true, now).await? {
            tracing::warn!(requests, failed, calls_per_second, "İYS refuses so many calls of the last 24 hours that they are slowed");
        }
        if figure.slowed && limits.has_recovered(&figure) && self.ledger().note_slowed(false, now).await? {
            tracing::info!(requests, failed, calls_per_second, "İYS refuses few enough calls again: they are no longer slowed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iys_counts_as_failed_counts_and_what_it_answers_of_its_own_accord_does_not() {
        let as_good = |status| StatusCode::from_u16(status).ok().and_then(counts_as_good);
        assert_eq!([200, 202, 204].map(as_good), [Some(true); 3]);
        assert_eq!([400, 401, 403, 404, 422].map(as_good), [Some(false); 5]);
        assert_eq!([302, 405, 408, 409, 429, 500, 502, 503, 504].map(as_good), [None; 9]);
    }
}
