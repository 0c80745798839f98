//! Insider's allowances of one account, kept in the ledger, so that they hold over all workers, and over
//! all brands that share the account.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::insider::Throttle;
use crate::ledger::Ledger;
use crate::ledger::budget::{Grant, PerSecond};

/// How far ahead a call may be booked; beyond it the work comes back later.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// When to ask again after the ledger gave no answer.
const LEDGER_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// The allowances of one account.
#[derive(Clone)]
pub struct LedgerThrottle {
    ledger: Ledger,
    clock: Clock,
    partner: String,
}

impl LedgerThrottle {
    /// The allowances of an account, by its name at Insider.
    pub fn new(ledger: Ledger, clock: Clock, partner: impl Into<String>) -> Self {
        Self { ledger, clock, partner: partner.into() }
    }

    /// A pool. Spread over its seconds, a minute's allowance is kept in every minute.
    fn pool(&self, pool: &str, per_minute: u32) -> PerSecond {
        PerSecond { pool: format!("insider-{}-{pool}", self.partner).into(), limit: (per_minute / 60).max(1), max_wait: MAX_WAIT }
    }
}

#[async_trait]
impl Throttle for LedgerThrottle {
    async fn slot(&self, pool: &str, per_minute: u32) -> Result<(), Timestamp> {
        match self.ledger.wait_for_turn(&self.pool(pool, per_minute), &self.clock).await {
            Ok(Grant::At(_)) => Ok(()),
            Ok(Grant::Full { until }) => Err(until),
            Err(error) => {
                tracing::warn!(%error, "Insider's allowance was not read");
                let now = (self.clock)();
                Err(now.saturating_add(LEDGER_PAUSE).unwrap_or(now))
            }
        }
    }
    async fn pause(&self, pool: &str, per_minute: u32, until: Timestamp) -> bool {
        let now = (self.clock)();
        let paused = self.ledger.pause_turns(&self.pool(pool, per_minute), now, until.duration_since(now)).await;
        paused.inspect_err(|error| tracing::warn!(%error, "a pause of Insider's was not noted")).is_ok()
    }
}
