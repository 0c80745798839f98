//! The time that one brand has in a run over all brands.

use jiff::{SignedDuration, Timestamp};

/// A brand's turn in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// When the run began.
    pub(crate) began: Timestamp,
    /// How many brands were before.
    pub(crate) position: usize,
    /// How many there are.
    pub(crate) brands: usize,
}

impl Turn {
    /// When the next brand is to begin, where a run begins nothing new after `length`. What one brand leaves of
    /// its time is the next one's.
    pub(crate) fn end(&self, length: SignedDuration) -> Timestamp {
        let share = |count: usize| i32::try_from(count).unwrap_or(i32::MAX).max(1);
        self.began.saturating_add(length * share(self.position + 1) / share(self.brands)).unwrap_or(self.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_share_a_run_and_the_last_one_ends_with_it() {
        let began = Timestamp::UNIX_EPOCH;
        let end = |position| Turn { began, position, brands: 3 }.end(SignedDuration::from_secs(210)).duration_since(began);
        assert_eq!([0, 1, 2].map(|position| end(position).as_secs()), [70, 140, 210]);
    }
}
