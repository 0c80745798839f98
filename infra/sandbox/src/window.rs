//! A sliding window: how many calls were let through in the last so many seconds, per caller.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};

/// Lets at most `limit` calls per caller through in any span of `length`. Refused calls do not count.
#[derive(Debug)]
pub(crate) struct Window<K> {
    limit: usize,
    length: SignedDuration,
    calls: HashMap<K, VecDeque<Timestamp>>,
}

impl<K: Eq + Hash> Window<K> {
    pub(crate) fn new(limit: usize, seconds: i64) -> Self {
        Self { limit, length: SignedDuration::from_secs(seconds), calls: HashMap::new() }
    }

    /// Whether a call of `caller` at `now` is within the limit; if so it is counted.
    pub(crate) fn admit(&mut self, caller: K, now: Timestamp) -> bool {
        let calls = self.calls.entry(caller).or_default();
        while calls.front().is_some_and(|first| now.duration_since(*first) >= self.length) {
            calls.pop_front();
        }
        if calls.len() >= self.limit {
            return false;
        }
        calls.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_free_again_exactly_one_window_after_the_oldest() {
        let start = Timestamp::UNIX_EPOCH;
        let mut window = Window::new(2, 1);
        assert!(window.admit("a", start));
        assert!(window.admit("a", start + SignedDuration::from_millis(500)));
        assert!(!window.admit("a", start + SignedDuration::from_millis(999)));
        assert!(window.admit("a", start + SignedDuration::from_millis(1000)));
        assert!(!window.admit("a", start + SignedDuration::from_millis(1001)));
        assert!(window.admit("b", start + SignedDuration::from_millis(1001)));
    }
}
