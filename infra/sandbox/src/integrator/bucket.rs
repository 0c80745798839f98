//! A token bucket: so many calls per minute on the average, and so many at once.

use std::collections::HashMap;

use jiff::Timestamp;

const MINUTE_MS: i64 = 60_000;

/// One bucket per caller. A bucket is counted in thousandths of a minute's worth, so that nothing is rounded.
pub(crate) struct Bucket {
    per_minute: i64,
    burst: i64,
    callers: HashMap<String, (Timestamp, i64)>,
}

impl Bucket {
    pub(crate) fn new(per_minute: u32, burst: u32) -> Self {
        Self { per_minute: i64::from(per_minute), burst: i64::from(burst), callers: HashMap::new() }
    }

    /// Whether a call of `caller` at `now` finds a token; if so it takes it.
    pub(crate) fn admit(&mut self, caller: &str, now: Timestamp) -> bool {
        let full = self.burst.saturating_mul(MINUTE_MS);
        let (last, level) = self.callers.get(caller).copied().unwrap_or((now, full));
        let passed = now.as_millisecond().saturating_sub(last.as_millisecond()).max(0);
        let level = level.saturating_add(passed.saturating_mul(self.per_minute)).min(full);
        let admitted = level >= MINUTE_MS;
        let left = if admitted { level - MINUTE_MS } else { level };
        self.callers.insert(caller.to_owned(), (now, left));
        admitted
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_it_fills_up_by_the_rate() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |ms| start + SignedDuration::from_millis(ms);
        let mut bucket = Bucket::new(20, 10);
        assert!((0..10).all(|_| bucket.admit("a", start)));
        assert!(!bucket.admit("a", at(2999)), "one token takes three seconds");
        assert!(bucket.admit("a", at(3000)));
        assert!(!bucket.admit("a", at(3000)));
        assert!(bucket.admit("b", at(3000)));
        assert_eq!((0..20).filter(|_| bucket.admit("a", at(3_600_000))).count(), 10, "it holds no more than the burst");
    }
}
