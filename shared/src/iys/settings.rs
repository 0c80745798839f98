//! Where İYS is, how long it may take, and how much of its allowance is used.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::ledger::budget::{PerHour, PerSecond};
use crate::ledger::{Ledger, LedgerError};

const TOKEN_REQUESTS_PER_HOUR: u32 = 9;
const SINGLE_STATUS_PER_HOUR: u32 = 950;
const HISTORY_PER_HOUR: u32 = 95;
/// Names of the hourly pools.
const SINGLE_STATUS: &str = "iys-status";
const HISTORY: &str = "iys-history";

/// İYS's allowance counts per source address, so one deployment behind one address shares these pools
/// over all its brands and workers. Every limit stays below İYS's own, because İYS counts calls when
/// they arrive and we when they leave, and because a person may use the same address.
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
    /// Calls in any second. Default 7; İYS refuses the eleventh (`H124`).
    pub calls_per_second: u32,
    /// How far ahead a call's turn may be booked; beyond it the caller is told to come back. Default 10 s.
    pub max_wait: Duration,
    /// Token requests in any hour. Default 9: İYS's documentation names 10 in one place and 100 in
    /// another, and asking too often costs an hour without any (`H084`).
    pub token_requests_per_hour: u32,
    /// How long a caller waits for another worker's renewal of the token. Default 25 s.
    pub token_wait: Duration,
    /// Single status queries in any hour. Default 950; İYS refuses the 1001st (`H086`).
    pub single_status_per_hour: u32,
    /// History queries in any hour. Default 95; İYS refuses the 101st (`H089`).
    pub history_per_hour: u32,
}

/// How much of İYS's hourly allowances the last hour took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowanceUse {
    /// Token requests.
    pub token_requests: Used,
    /// Single status queries.
    pub single_status: Used,
    /// History queries.
    pub history: Used,
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

impl AllowanceUse {
    /// Reads the use out of the ledger, against the default limits.
    pub async fn read(ledger: &Ledger, now: Timestamp) -> Result<Self, LedgerError> {
        let (tokens, status, history) =
            (TOKEN_REQUESTS_PER_HOUR, pool(SINGLE_STATUS, SINGLE_STATUS_PER_HOUR), pool(HISTORY, HISTORY_PER_HOUR));
        let (requests, tokens_stopped_until) = ledger.token_requests(now).await?;
        let of = async |pool: PerHour| Ok::<_, LedgerError>(Used { used: ledger.used_of_hour(&pool, now).await?, limit: pool.limit });
        Ok(Self {
            token_requests: Used { used: requests, limit: tokens },
            single_status: of(status).await?,
            history: of(history).await?,
            tokens_stopped_until,
        })
    }
}

fn pool(name: &'static str, limit: u32) -> PerHour {
    PerHour { pool: name.into(), limit }
}

impl Settings {
    /// The defaults, for a base URL.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            token_timeout: Duration::from_secs(10),
            calls_per_second: 7,
            max_wait: Duration::from_secs(10),
            token_requests_per_hour: TOKEN_REQUESTS_PER_HOUR,
            token_wait: Duration::from_secs(25),
            single_status_per_hour: SINGLE_STATUS_PER_HOUR,
            history_per_hour: HISTORY_PER_HOUR,
        }
    }

    /// The pool that every call is counted in.
    pub fn calls(&self) -> PerSecond {
        PerSecond { pool: "iys".into(), limit: self.calls_per_second, max_wait: self.max_wait }
    }

    /// The pool of single status queries.
    pub fn single_status(&self) -> PerHour {
        pool(SINGLE_STATUS, self.single_status_per_hour)
    }

    /// The pool of history queries.
    pub fn history(&self) -> PerHour {
        pool(HISTORY, self.history_per_hour)
    }
}
