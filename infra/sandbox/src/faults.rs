//! Faults that a test orders: which next requests go wrong, and how.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a request goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Served normally, `latency_ms` late; lands also if the caller has given up by then.
    Latency,
    /// Not served; answered with `status` and `body`.
    Status,
    /// Served in full, but the answer is held for `latency_ms` and then the connection closes unanswered.
    TimeoutAfterApply,
    /// Answered at once with `status` (504) and `body`, by a gateway that gave up; served `latency_ms` later.
    GatewayTimeout,
    /// Not served; the connection closes unanswered after `latency_ms`.
    Drop,
    /// Not served; answered with the vendor's own 429.
    RateLimit,
}

impl Kind {
    /// The name used in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Status => "status",
            Self::TimeoutAfterApply => "timeout_after_apply",
            Self::GatewayTimeout => "gateway_timeout",
            Self::Drop => "drop",
            Self::RateLimit => "rate_limit",
        }
    }
}

/// One order: the next `count` requests whose path matches go wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Beginning of the request path; with a final `$` the whole path. Absent: every vendor path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// HTTP method of the requests. Absent: every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How it goes wrong.
    pub kind: Kind,
    /// HTTP status for [`Kind::Status`], 500 if absent, and for [`Kind::GatewayTimeout`], 504 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Answer body that goes with that status; if absent, the vendor's usual body for that status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Milliseconds; 0 if absent.
    #[serde(default)]
    pub latency_ms: u64,
    /// How many requests are hit; 1 if absent.
    #[serde(default = "one")]
    pub count: u64,
}

fn one() -> u64 {
    1
}

impl Fault {
    /// The pause of this fault.
    #[must_use]
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    fn hits(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        match self.path.as_deref() {
            None => true,
            Some(wanted) => match wanted.strip_suffix('$') {
                Some(whole) => path == whole,
                None => path.starts_with(wanted),
            },
        }
    }
}

/// The orders not yet used up, oldest first.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// Adds an order behind those already there.
    pub fn add(&self, fault: Fault) {
        self.lock().push_back(fault);
    }

    /// Forgets all orders.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The orders left, with what is left of their counts.
    #[must_use]
    pub fn left(&self) -> Vec<Fault> {
        self.lock().iter().cloned().collect()
    }

    /// The fault that hits a request, if any; uses up one of its count.
    #[must_use]
    pub fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut faults = self.lock();
        let at = faults.iter().position(|fault| fault.count > 0 && fault.hits(method, path))?;
        let fault = faults.get_mut(at)?;
        fault.count -= 1;
        let hit = fault.clone();
        if fault.count == 0 {
            faults.remove(at);
        }
        Some(hit)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(path: Option<&str>, count: u64) -> Fault {
        Fault { path: path.map(str::to_owned), method: None, kind: Kind::Drop, status: None, body: None, latency_ms: 0, count }
    }

    #[test]
    fn a_fault_hits_its_path_prefix_as_often_as_ordered() {
        let faults = Faults::default();
        faults.add(fault(Some("/sps"), 2));
        assert!(faults.take("GET", "/oauth2/token").is_none());
        assert!(faults.take("GET", "/sps/1").is_some());
        assert!(faults.take("GET", "/sps/2").is_some());
        assert!(faults.take("GET", "/sps/3").is_none());
        assert!(faults.left().is_empty());
    }

    #[test]
    fn a_dollar_sign_asks_for_the_whole_path() {
        let faults = Faults::default();
        faults.add(fault(Some("/a/consents$"), 1));
        assert!(faults.take("GET", "/a/consents/request").is_none());
        assert!(faults.take("GET", "/a/consents").is_some());
    }

    #[test]
    fn a_fault_of_one_method_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.add(Fault { method: Some("POST".to_owned()), ..fault(Some("/a"), 1) });
        assert!(faults.take("GET", "/a").is_none());
        assert!(faults.take("POST", "/a").is_some());
    }
}
