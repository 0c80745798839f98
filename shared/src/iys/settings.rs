//! Where İYS is, how long it may take, and how much of its allowance is used.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::ledger::budget::{PerHour, PerSecond};
use crate::ledger::quality::Quality;
use crate::ledger::{Ledger, LedgerError};

/// Names of the hourly pools.
const SINGLE_STATUS: &str = "iys-status";
const HISTORY: &str = "iys-history";
/// The share of good answers, in percent, below which İYS takes an address off its list after 96 hours
/// (İYS documentation, introduction: of 20,000 requests or more within 24 hours).
const GATE_PERCENT: u64 = 70;

/// How İYS is called. One deployment behind one address shares the pools of [`Limits`] over all its
/// brands and workers, because İYS's allowance counts per source address.
#[derive(Debug, Clone)]
pub struct Settings {
    /// İYS's base URL: `https://api.iys.org.tr` or `https://api.sandbox.iys.org.tr`.
    pub base_url: Url,
    /// Until a connection stands. Default 5 s.
    pub connect_timeout: Duration,
    /// Until an answer is complete, the connection included. Default 20 s.
    pub timeout: Duration,
    /// The same for token requests. Shorter, because a worker holds the account's lease meanwhile.
    /// Default 10 s.
    pub token_timeout: Duration,
    /// How far ahead a call's turn may be booked; beyond it the caller is told to come back. Default 10 s.
    pub max_wait: Duration,
    /// How long a caller waits for another worker's renewal of the token. Default 25 s.
    pub token_wait: Duration,
    /// How much of İYS's allowance may be used.
    pub limits: Limits,
}

/// How much of İYS's allowance may be used. Every limit stays below İYS's own, because İYS counts
/// calls when they arrive and we when they leave, and because a person may use the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls in any second. Default 7; İYS refuses the eleventh (`H124`).
    pub calls_per_second: u32,
    /// Token requests in any hour. Default 9: İYS's documentation names 10 in one place and 100 in
    /// another, and asking too often costs an hour without any (`H084`).
    pub token_requests_per_hour: u32,
    /// Single status queries in any hour. Default 950; İYS refuses the 1001st (`H086`).
    pub single_status_per_hour: u32,
    /// History queries in any hour. Default 95; İYS refuses the 101st (`H089`).
    pub history_per_hour: u32,
    /// The share of good answers, in percent, below which calls are slowed. Default 80; İYS acts below
    /// 70.
    pub quality_floor_percent: u32,
    /// Requests of the last 24 hours from which on the share of good answers says something. Default
    /// 1,000; İYS looks from 20,000 on.
    pub quality_minimum_requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_second: 7,
            token_requests_per_hour: 9,
            single_status_per_hour: 950,
            history_per_hour: 95,
            quality_floor_percent: 80,
            quality_minimum_requests: 1000,
        }
    }
}

/// How much of İYS's allowances the last hour took, and how İYS took the calls of the last day.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowanceUse {
    /// Token requests.
    pub token_requests: Used,
    /// Single status queries.
    pub single_status: Used,
    /// History queries.
    pub history: Used,
    /// How İYS took the calls.
    pub quality: QualityUse,
    /// Until when nobody may ask for a token, after İYS said stop (`H084`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_stopped_until: Option<Timestamp>,
}

/// A share of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Calls in the last hour.
    pub used: u32,
    /// Calls that we allow ourselves in an hour.
    pub limit: u32,
}

/// How İYS took the calls of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QualityUse {
    /// Calls that İYS answered well, or with a status that it counts as failed.
    pub requests: u64,
    /// The latter.
    pub failed: u64,
    /// The share of good ones from 0 to 1, to four places; none without any request.
    pub ratio: Option<f64>,
    /// Calls in any second that this leaves.
    pub calls_per_second: u32,
}

impl AllowanceUse {
    /// Reads the use out of the ledger, beside the limits that hold.
    pub async fn read(ledger: &Ledger, limits: &Limits, now: Timestamp) -> Result<Self, LedgerError> {
        let (requests, tokens_stopped_until) = ledger.token_requests(now).await?;
        let of = async |pool: PerHour| Ok::<_, LedgerError>(Used { used: ledger.used_of_hour(&pool, now).await?, limit: pool.limit });
        Ok(Self {
            token_requests: Used { used: requests, limit: limits.token_requests_per_hour },
            single_status: of(limits.single_status()).await?,
            history: of(limits.history()).await?,
            quality: QualityUse::of(&ledger.quality(now).await?, limits),
            tokens_stopped_until,
        })
    }
}

impl QualityUse {
    fn of(quality: &Quality, limits: &Limits) -> Self {
        let requests = quality.requests();
        let ten_thousandths = quality.good.saturating_mul(10_000).checked_div(requests);
        Self {
            requests,
            failed: quality.failed,
            ratio: ten_thousandths.and_then(|share| u32::try_from(share).ok()).map(|share| f64::from(share) / 10_000.0),
            calls_per_second: limits.pace(quality),
        }
    }
}

impl Limits {
    /// The pool of single status queries.
    pub fn single_status(&self) -> PerHour {
        PerHour { pool: SINGLE_STATUS.into(), limit: self.single_status_per_hour }
    }

    /// The pool of history queries.
    pub fn history(&self) -> PerHour {
        PerHour { pool: HISTORY.into(), limit: self.history_per_hour }
    }

    /// Calls in any second that the last day's answers leave: all of them at the floor and above, one
    /// at 70 % and below, evenly fewer in between, rounded down.
    pub fn pace(&self, quality: &Quality) -> u32 {
        let full = self.calls_per_second.max(1);
        let requests = quality.requests();
        let (good, floor, gate) = (
            quality.good.saturating_mul(100),
            requests.saturating_mul(self.quality_floor_percent.into()),
            requests.saturating_mul(GATE_PERCENT),
        );
        if requests < self.quality_minimum_requests.into() || good >= floor {
            return full;
        }
        // Below the floor, and above 70 %: the floor is above it as well.
        let above_one = u64::from(full - 1).saturating_mul(good.saturating_sub(gate)).checked_div(floor.saturating_sub(gate));
        above_one.and_then(|above| u32::try_from(above).ok()).map_or(1, |above| above.saturating_add(1).min(full))
    }

    /// Whether a slow pace is over. A point above the floor, so that a share that stands at the floor
    /// does not begin and end it again and again.
    pub fn has_recovered(&self, quality: &Quality) -> bool {
        let above = Self { quality_floor_percent: self.quality_floor_percent.saturating_add(1), ..*self };
        above.pace(quality) == self.calls_per_second.max(1)
    }
}

impl Settings {
    /// The defaults, for a base URL.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            token_timeout: Duration::from_secs(10),
            max_wait: Duration::from_secs(10),
            token_wait: Duration::from_secs(25),
            limits: Limits::default(),
        }
    }

    /// The pool that every call is counted in, at the full pace.
    pub fn calls(&self) -> PerSecond {
        PerSecond { pool: "iys".into(), limit: self.limits.calls_per_second, max_wait: self.max_wait }
    }

    /// The pool of single status queries.
    pub fn single_status(&self) -> PerHour {
        self.limits.single_status()
    }

    /// The pool of history queries.
    pub fn history(&self) -> PerHour {
        self.limits.history()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(good: u64, failed: u64) -> Quality {
        Quality { good, failed, slowed: false }
    }

    #[test]
    fn the_pace_falls_evenly_from_the_floor_to_one_call_at_the_gate_and_is_never_less() {
        let limits = Limits::default();
        let pace = |good| limits.pace(&quality(good, 1000 - good));
        assert_eq!([1000, 800, 799, 783, 750, 717, 716, 701, 700, 699, 0].map(pace), [7, 7, 6, 5, 4, 2, 1, 1, 1, 1, 1]);
        for good in 0..1000 {
            assert!(pace(good) <= pace(good + 1), "{good}");
        }
    }

    #[test]
    fn few_requests_say_nothing() {
        let limits = Limits::default();
        assert_eq!(limits.pace(&quality(0, 0)), 7);
        assert_eq!(limits.pace(&quality(0, 999)), 7);
        assert_eq!(limits.pace(&quality(0, 1000)), 1);
        let any = Limits { quality_minimum_requests: 0, ..limits };
        assert_eq!((any.pace(&quality(0, 0)), any.pace(&quality(0, 1))), (7, 1));
    }

    #[test]
    fn odd_limits_give_a_pace_as_well() {
        let limits = |calls_per_second, quality_floor_percent| Limits { calls_per_second, quality_floor_percent, ..Limits::default() };
        assert_eq!(limits(1, 80).pace(&quality(750, 250)), 1);
        assert_eq!(limits(0, 80).pace(&quality(900, 100)), 1);
        assert_eq!(limits(7, 70).pace(&quality(700, 300)), 7);
        assert_eq!(limits(7, 70).pace(&quality(699, 301)), 1);
        assert_eq!(limits(7, 60).pace(&quality(590, 410)), 1);
    }

    #[test]
    fn a_slow_pace_is_over_a_point_above_the_floor_or_when_too_little_is_left_to_judge() {
        let limits = Limits::default();
        assert!(!limits.has_recovered(&quality(800, 200)));
        assert!(limits.has_recovered(&quality(810, 190)));
        assert!(limits.has_recovered(&quality(0, 999)));
    }

    #[test]
    fn the_ratio_is_told_to_four_places() {
        let limits = Limits::default();
        assert_eq!(QualityUse::of(&quality(2, 1), &limits).ratio, Some(0.6666));
        assert_eq!(QualityUse::of(&quality(5, 0), &limits).ratio, Some(1.0));
        assert_eq!(QualityUse::of(&quality(0, 0), &limits).ratio, None);
    }
}
