//! Insider's allowances of one brand, kept in the ledger, so that they hold over all workers.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::consent::BrandName;
use crate::insider::Throttle;
use crate::ledger::Ledger;
use crate::ledger::budget::{Grant, PerSecond};

/// How far ahead a call may be booked; beyond it the work comes back later.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// When to ask again after the ledger gave no answer.
const LEDGER_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// The allowances of one brand.
#[derive(Clone)]
pub struct LedgerThrottle {
    ledger: Ledger,
    clock: Clock,
    brand: BrandName,
}

impl LedgerThrottle {
    /// The allowances of a brand.
    pub fn new(ledger: Ledger, clock: Clock, brand: BrandName) -> Self {
        Self { ledger, clock, brand }
    }
}

#[async_trait]
impl Throttle for LedgerThrottle {
    async fn slot(&self, pool: &str, per_minute: u32) -> Result<(), Timestamp> {
        // Spread over its seconds, a minute's allowance is kept in every minute.
        let pool = PerSecond { pool: format!("insider-{}-{pool}", self.brand).into(), limit: (per_minute / 60).max(1), max_wait: MAX_WAIT };
        match self.ledger.wait_for_turn(&pool, &self.clock).await {
            Ok(Grant::At(_)) => Ok(()),
            Ok(Grant::Full { until }) => Err(until),
            Err(error) => {
                tracing::warn!(%error, "Insider's allowance was not read");
                let now = (self.clock)();
                Err(now.saturating_add(LEDGER_PAUSE).unwrap_or(now))
            }
        }
    }
}
