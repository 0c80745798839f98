//! Which caller addresses İYS lets in: those that are listed, until the quality gate takes one off the list
//! (İYS API documentation, introduction).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Iys, seconds};
use crate::server::{CONTROL_PREFIX, MadeUp, Peer};
use crate::stats::{Gate, counts_as_failed};

/// The quality gate: too many failed calls of one address lead to a notification and then to its removal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QualityGate {
    /// Calls within the window below which nothing is judged.
    pub minimum: u64,
    /// Share of calls, in percent, that must not fail.
    pub success_percent: u64,
    /// Length of the window in seconds.
    pub window_seconds: u64,
    /// Seconds from the notification to the removal, if it has not become better.
    pub grace_seconds: u64,
}

impl Default for QualityGate {
    fn default() -> Self {
        Self { minimum: 20_000, success_percent: 70, window_seconds: 24 * 3600, grace_seconds: 96 * 3600 }
    }
}

/// The calls of one address. They are counted by minute, which bounds what a busy day costs.
#[derive(Default)]
struct Caller {
    minutes: VecDeque<(i64, u64, u64)>,
    total: u64,
    failed: u64,
    notified: Option<Timestamp>,
    unlisted: Option<Timestamp>,
}

impl Caller {
    fn count(&mut self, failed: bool, now: Timestamp) {
        let minute = now.as_second().div_euclid(60);
        if self.minutes.back().is_none_or(|(last, _, _)| *last != minute) {
            self.minutes.push_back((minute, 0, 0));
        }
        if let Some((_, total, bad)) = self.minutes.back_mut() {
            *total += 1;
            *bad += u64::from(failed);
        }
        self.total += 1;
        self.failed += u64::from(failed);
    }

    /// Brings the window, the notification and the removal to `now`.
    fn judge(&mut self, gate: &QualityGate, now: Timestamp) {
        let oldest = (now - seconds(gate.window_seconds)).as_second().div_euclid(60);
        while let Some((_, total, failed)) = self.minutes.pop_front_if(|(minute, _, _)| *minute <= oldest) {
            self.total -= total;
            self.failed -= failed;
        }
        if self.total > 0 && self.success_percent() < gate.success_percent {
            if self.notified.is_none() && self.total >= gate.minimum {
                self.notified = Some(now);
            }
            if self.unlisted.is_none() && self.notified.is_some_and(|at| now >= at + seconds(gate.grace_seconds)) {
                self.unlisted = Some(now);
            }
        } else {
            self.notified = None;
        }
    }

    fn success_percent(&self) -> u64 {
        (self.total - self.failed) * 100 / self.total.max(1)
    }
}

/// The list, and the callers' figures.
pub(crate) struct Door(Mutex<Inner>);

struct Inner {
    listed: Option<Vec<IpAddr>>,
    callers: HashMap<IpAddr, Caller>,
}

impl Door {
    pub(crate) fn new(listed: Option<Vec<IpAddr>>) -> Self {
        Self(Mutex::new(Inner { listed, callers: HashMap::new() }))
    }

    /// Whether an address is let in.
    fn opens(&self, peer: IpAddr, gate: &QualityGate, now: Timestamp) -> bool {
        let mut inner = self.lock();
        let removed = inner.callers.get_mut(&peer).is_some_and(|caller| {
            caller.judge(gate, now);
            caller.unlisted.is_some()
        });
        !removed && inner.listed.as_ref().is_none_or(|listed| listed.contains(&peer))
    }

    fn count(&self, peer: IpAddr, failed: bool, gate: &QualityGate, now: Timestamp) -> Gate {
        let mut inner = self.lock();
        let caller = inner.callers.entry(peer).or_default();
        caller.count(failed, now);
        caller.judge(gate, now);
        Gate {
            total: caller.total,
            failed: caller.failed,
            success_percent: caller.success_percent(),
            notified_at: caller.notified,
            unlisted_at: caller.unlisted,
        }
    }

    /// Lists these addresses (`None`: all) and forgets every figure, removals included.
    pub(crate) fn list(&self, listed: Option<Vec<IpAddr>>) {
        *self.lock() = Inner { listed, callers: HashMap::new() };
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer that turns other addresses away, without JSON as they do not reach the API at all, and counts
/// the answers to the rest.
pub(super) async fn guard(State(iys): State<Arc<Iys>>, request: Request, next: Next) -> Response {
    let peer = match request.extensions().get::<Peer>() {
        Some(peer) if !request.uri().path().starts_with(CONTROL_PREFIX) => peer.0,
        _ => return next.run(request).await,
    };
    let gate = &iys.config.quality_gate;
    if !iys.door.opens(peer, gate, iys.now()) {
        iys.stats.violation("address_not_listed");
        return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/html")], "<html><body>403 Forbidden</body></html>").into_response();
    }
    let response = next.run(request).await;
    if response.extensions().get::<MadeUp>().is_none() {
        let failed = counts_as_failed(response.status().as_u16());
        iys.stats.gate(peer, iys.door.count(peer, failed, gate, iys.now()));
    }
    response
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const GATE: QualityGate = QualityGate { minimum: 10, success_percent: 70, window_seconds: 86_400, grace_seconds: 96 * 3600 };

    fn hour(count: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(count)
    }

    #[test]
    fn below_the_minimum_nothing_is_judged() {
        let mut caller = Caller::default();
        for _ in 0..9 {
            caller.count(true, hour(0));
            caller.judge(&GATE, hour(0));
        }
        assert!(caller.notified.is_none());
        caller.count(true, hour(0));
        caller.judge(&GATE, hour(0));
        assert_eq!(caller.notified, Some(hour(0)));
    }

    #[test]
    fn calls_count_for_a_day() {
        let mut caller = Caller::default();
        caller.count(true, hour(0));
        caller.judge(&GATE, hour(23));
        assert_eq!((caller.total, caller.failed), (1, 1));
        caller.judge(&GATE, hour(24));
        assert_eq!((caller.total, caller.failed), (0, 0));
    }

    #[test]
    fn the_address_goes_96_hours_after_the_notification_unless_it_became_better() {
        let run = |better: bool| {
            let mut caller = Caller::default();
            for at in 0..=96 {
                for _ in 0..10 {
                    caller.count(!(better && at > 50), hour(at));
                }
                caller.judge(&GATE, hour(at));
                assert!(caller.unlisted.is_none() || at == 96);
            }
            caller.unlisted
        };
        assert_eq!(run(false), Some(hour(96)));
        assert_eq!(run(true), None);
    }
}
