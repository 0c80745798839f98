//! What profile reads cost. Insider counts units, not reads, and says what a read cost only in its
//! answer: it depends on the account's user base, not on the attributes that are asked for.

use std::sync::atomic::{AtomicU64, Ordering};

/// The cost that is taken for granted until an answer tells the real one: more than Insider's samples
/// of reads without events, so that the first reads of a process do not exceed the allowance.
const ASSUMED: f64 = 1.0;

/// What a read costs, as the last answer told it.
#[derive(Debug)]
pub(super) struct Cost(AtomicU64);

impl Default for Cost {
    fn default() -> Self {
        Self(AtomicU64::new(ASSUMED.to_bits()))
    }
}

impl Cost {
    pub(super) fn cost(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Takes over what an answer told. Nonsense is passed over.
    pub(super) fn told(&self, cost: f64) {
        if cost.is_finite() && cost > 0.0 {
            self.0.store(cost.to_bits(), Ordering::Relaxed);
        }
    }
}

/// How many reads a minute so many units allow, at least one.
pub(super) fn reads(units: u32, cost: f64) -> u32 {
    let reads = (f64::from(units) / cost).clamp(1.0, f64::from(u32::MAX));
    // Within the type's range by now; a part of a read is none.
    reads as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dearer_reads_are_fewer() {
        assert_eq!([0.5, 1.0, 2.5, 400.0, 5000.0].map(|cost| reads(1000, cost)), [2000, 1000, 400, 2, 1]);
    }

    #[test]
    fn what_an_answer_tells_counts_and_nonsense_does_not() {
        let cost = Cost::default();
        cost.told(2.5);
        for nonsense in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            cost.told(nonsense);
        }
        assert!((cost.cost() - 2.5).abs() < f64::EPSILON);
    }
}
