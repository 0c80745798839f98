//! What a simulator saw: calls, peaks, refusals and things that a well-behaved client never does.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Statuses that İYS counts against its quality gate (İYS API documentation, introduction).
const QUALITY_FAILURES: [u16; 5] = [400, 401, 403, 404, 422];

/// Whether İYS counts an answer of this status as failed.
pub(crate) fn counts_as_failed(status: u16) -> bool {
    QUALITY_FAILURES.contains(&status)
}

/// Counters of one simulator. Never holds an address, id or token.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    calls: BTreeMap<(String, String, u16), u64>,
    last_second: VecDeque<Timestamp>,
    peak_per_second: usize,
    rejected: BTreeMap<String, u64>,
    violations: BTreeMap<String, u64>,
    warnings: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    quality: Quality,
    deliveries: Deliveries,
    gates: BTreeMap<IpAddr, Gate>,
}

/// How many calls answered with one status on one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// HTTP method.
    pub method: String,
    /// Path template, e.g. `/sps/{iysCode}/brands`.
    pub path: String,
    /// HTTP status; 0 where the connection was closed unserved by a fault.
    pub status: u16,
    /// Number of calls.
    pub count: u64,
}

/// The quality gate's two counters. Answers that a fault made up are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// All calls.
    pub total: u64,
    /// Calls answered with 400, 401, 403, 404 or 422.
    pub failed: u64,
}

/// İYS's quality gate for one caller address, as of its last call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Calls within the window.
    pub total: u64,
    /// Of these, answered with 400, 401, 403, 404 or 422.
    pub failed: u64,
    /// Share that did not fail, rounded down.
    pub success_percent: u64,
    /// When İYS noticed that too many failed; absent: they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
    /// When the address was taken off the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_at: Option<Timestamp>,
}

/// Outgoing notices: İYS push records or Insider webhook events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Records handed over for delivery.
    pub queued: u64,
    /// Records that a receiver answered with 2xx.
    pub delivered: u64,
    /// Requests made.
    pub attempts: u64,
    /// Requests without a 2xx answer.
    pub failed_attempts: u64,
    /// Records given up after the last attempt.
    pub abandoned: u64,
}

/// A copy of all counters, as `GET /_sandbox/stats` returns it.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// Calls by method, path template and status.
    pub calls: Vec<Calls>,
    /// The most calls that arrived within any one second.
    pub peak_per_second: usize,
    /// Refusals by the vendor's code (İYS) or kind (Insider).
    pub rejected: BTreeMap<String, u64>,
    /// Things that a well-behaved client never does, by kind.
    pub violations: BTreeMap<String, u64>,
    /// Things that are allowed but unwise, by kind.
    pub warnings: BTreeMap<String, u64>,
    /// Injected faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// All calls, as İYS judges them.
    pub quality: Quality,
    /// İYS's quality gate by caller address.
    pub quality_gate: BTreeMap<IpAddr, Gate>,
    /// Outgoing notices.
    pub deliveries: Deliveries,
}

impl Stats {
    /// A call arrived.
    pub fn arrived(&self, now: Timestamp) {
        let mut inner = self.lock();
        let second = SignedDuration::from_secs(1);
        while inner.last_second.front().is_some_and(|first| now.duration_since(*first) >= second) {
            inner.last_second.pop_front();
        }
        inner.last_second.push_back(now);
        inner.peak_per_second = inner.peak_per_second.max(inner.last_second.len());
    }

    /// A call was answered; `genuine` unless a fault made the answer up.
    pub fn answered(&self, method: &str, template: &str, status: u16, genuine: bool) {
        let mut inner = self.lock();
        *inner.calls.entry((method.to_owned(), template.to_owned(), status)).or_default() += 1;
        if genuine {
            inner.quality.total += 1;
            if counts_as_failed(status) {
                inner.quality.failed += 1;
            }
        }
    }

    /// Something was refused.
    pub fn rejected(&self, code: &str) {
        add(&mut self.lock().rejected, code, 1);
    }

    /// A client did what it should never do.
    pub fn violation(&self, kind: &str) {
        self.violations(kind, 1);
    }

    /// As [`Stats::violation`], several at once.
    pub fn violations(&self, kind: &str, count: u64) {
        if count > 0 {
            add(&mut self.lock().violations, kind, count);
        }
    }

    /// A client did something allowed but unwise.
    pub fn warning(&self, kind: &str) {
        add(&mut self.lock().warnings, kind, 1);
    }

    /// A fault hit a call.
    pub fn fault(&self, kind: &str) {
        add(&mut self.lock().faults, kind, 1);
    }

    /// Notes what the quality gate says of a caller.
    pub fn gate(&self, caller: IpAddr, gate: Gate) {
        self.lock().gates.insert(caller, gate);
    }

    /// Changes the delivery counters.
    pub fn deliveries(&self, change: impl FnOnce(&mut Deliveries)) {
        change(&mut self.lock().deliveries);
    }

    /// Sets everything to zero.
    pub fn reset(&self) {
        *self.lock() = Inner::default();
    }

    /// A copy of all counters.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            calls: inner
                .calls
                .iter()
                .map(|((method, path, status), count)| Calls { method: method.clone(), path: path.clone(), status: *status, count: *count })
                .collect(),
            peak_per_second: inner.peak_per_second,
            rejected: inner.rejected.clone(),
            violations: inner.violations.clone(),
            warnings: inner.warnings.clone(),
            faults: inner.faults.clone(),
            quality: inner.quality,
            quality_gate: inner.gates.clone(),
            deliveries: inner.deliveries,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(map: &mut BTreeMap<String, u64>, key: &str, count: u64) {
    match map.get_mut(key) {
        Some(value) => *value += count,
        None => {
            map.insert(key.to_owned(), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_taken_over_a_sliding_second() {
        let stats = Stats::default();
        let start = Timestamp::UNIX_EPOCH;
        for millis in [0, 600, 900, 1100, 1500, 3000] {
            stats.arrived(start + SignedDuration::from_millis(millis));
        }
        assert_eq!(stats.snapshot().peak_per_second, 4, "600, 900, 1100 and 1500 fall within one second");
    }

    #[test]
    fn answers_made_up_by_faults_do_not_count_for_quality() {
        let stats = Stats::default();
        stats.answered("GET", "/x", 400, false);
        stats.answered("GET", "/x", 422, true);
        stats.answered("GET", "/x", 200, true);
        assert_eq!(stats.snapshot().quality, Quality { total: 2, failed: 1 });
    }
}
