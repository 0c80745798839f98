//! How long things took: counted into a histogram of constant size, told as a few numbers.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::consent::Status;

/// Significant figures of a quantile.
const FIGURES: u8 = 3;
/// The shortest and longest time that is told apart, in milliseconds: twenty years.
const RANGE: (u64, u64) = (1, 20 * 366 * 86_400_000);

/// Times of consents and of refusals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByStatus {
    /// Of consents.
    pub onay: Times,
    /// Of refusals.
    pub ret: Times,
}

/// Times in milliseconds; the quantiles are right to a thousandth. What has no count has no times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// How many were measured.
    pub count: u64,
    /// Half of them took no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
    /// Ninety-nine of a hundred took no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
}

/// A stopwatch for many: its size does not depend on how many it has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch {
    onay: Track,
    ret: Track,
}

#[derive(Debug, Clone, Default)]
struct Track {
    histogram: Option<Histogram<u64>>,
    longest: u64,
}

impl Stopwatch {
    /// Counts a time.
    pub(super) fn add(&mut self, status: Status, milliseconds: i64) {
        match status {
            Status::Onay => self.onay.add(milliseconds),
            Status::Ret => self.ret.add(milliseconds),
        }
    }

    pub(super) fn read(&self) -> ByStatus {
        ByStatus { onay: self.onay.read(), ret: self.ret.read() }
    }
}

impl Track {
    fn add(&mut self, milliseconds: i64) {
        // Clocks of others may be ahead of ours.
        let took = u64::try_from(milliseconds).unwrap_or(0);
        self.longest = self.longest.max(took);
        if self.histogram.is_none() {
            self.histogram = Histogram::new_with_bounds(RANGE.0, RANGE.1, FIGURES).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(took);
        }
    }

    fn read(&self) -> Times {
        let Some(histogram) = &self.histogram else { return Times::default() };
        let quantile = |quantile| Some(histogram.value_at_quantile(quantile).min(self.longest));
        Times { count: histogram.len(), p50_ms: quantile(0.5), p99_ms: quantile(0.99), max_ms: Some(self.longest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_times_are_told_by_four_numbers_right_to_a_thousandth() {
        let mut watch = Stopwatch::default();
        for second in 1..=100_000_i64 {
            watch.add(Status::Ret, second * 1000);
        }
        let ByStatus { onay, ret } = watch.read();
        assert_eq!((onay, ret.count, ret.max_ms), (Times::default(), 100_000, Some(100_000_000)));
        for (told, exact) in [(ret.p50_ms, 50_000_000_u64), (ret.p99_ms, 99_000_000)] {
            assert!(told.is_some_and(|told| told.abs_diff(exact) <= exact / 1000), "{told:?} {exact}");
        }
    }

    #[test]
    fn one_time_is_all_of_them_and_a_clock_that_is_ahead_is_no_time_at_all() {
        let mut watch = Stopwatch::default();
        watch.add(Status::Onay, -5);
        let none = Times { count: 1, p50_ms: Some(0), p99_ms: Some(0), max_ms: Some(0) };
        assert_eq!(watch.read().onay, none);
        // Longer than anything that is told apart.
        watch.add(Status::Ret, i64::MAX);
        assert_eq!(watch.read().ret.max_ms, u64::try_from(i64::MAX).ok());
        watch.add(Status::Ret, 12_345);
        let half = watch.read().ret;
        assert!(half.count == 2 && half.p50_ms.is_some_and(|ms| ms.abs_diff(12_345) <= 12), "{half:?}");
    }
}
