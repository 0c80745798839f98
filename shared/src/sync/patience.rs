//! How long work waits before it is tried again.

use jiff::{SignedDuration, Timestamp};

/// A wait that is longer than this is noted in the ledger; a shorter one is left to the queue.
pub(super) const SHORT_WAIT: SignedDuration = SignedDuration::from_mins(2);
/// When work that waits for a person is tried again.
pub(super) const HELD_RETRY: SignedDuration = SignedDuration::from_mins(30);
/// When work is tried again whose release is somebody's task: only should that be missed.
pub(super) const BARRED_LOOK: SignedDuration = RAREST;
/// The longest time between two looks at the same work.
const RAREST: SignedDuration = SignedDuration::from_hours(6);
/// From this round on the waits do not grow any more.
const MOST_ROUNDS: u16 = 8;

/// The moment `by` after `now`.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

/// The wait before the next look after so many looks in vain: twice as long each time.
pub(super) fn growing(first: SignedDuration, rounds: u16) -> SignedDuration {
    first.checked_mul(1 << rounds.min(MOST_ROUNDS)).unwrap_or(RAREST).min(RAREST)
}

/// The same where something is to be done while so much time is `left`: half of that at most, though
/// never less than the `first` wait. What has run out is in no hurry.
pub(super) fn before(left: SignedDuration, first: SignedDuration, wait: SignedDuration) -> SignedDuration {
    if left.is_positive() { wait.min((left / 2).max(first)) } else { wait }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_looked_ahead_to_in_halves() {
        let minutes =
            |left| before(SignedDuration::from_mins(left), SignedDuration::from_mins(15), SignedDuration::from_mins(360)).as_mins();
        assert_eq!([1000, 700, 100, 31, 10, 1, 0, -50].map(minutes), [360, 350, 50, 15, 15, 15, 360, 360]);
    }

    #[test]
    fn waits_double_up_to_six_hours() {
        let minutes = |rounds| growing(SignedDuration::from_mins(15), rounds).as_mins();
        assert_eq!([0, 1, 2, 3, 4, 5, 100].map(minutes), [15, 30, 60, 120, 240, 360, 360]);
    }
}
