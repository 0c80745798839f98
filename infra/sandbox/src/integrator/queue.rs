//! What an integrator has taken and not yet handed to İYS.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Entries in the order in which they came, each with the moment from which it is due.
pub(crate) struct Queue<T> {
    delay: SignedDuration,
    held: bool,
    waiting: VecDeque<(Timestamp, T)>,
}

impl<T> Queue<T> {
    pub(crate) fn new(delay_seconds: u64) -> Self {
        Self { delay: crate::iys::seconds(delay_seconds), held: false, waiting: VecDeque::new() }
    }

    /// Entries that come from now on wait so long.
    pub(crate) fn set_delay(&mut self, seconds: u64) {
        self.delay = crate::iys::seconds(seconds);
    }

    /// While it is held, nothing is due.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(crate) fn push(&mut self, now: Timestamp, entry: T) {
        self.push_at(now + self.delay, entry);
    }

    /// Adds an entry that is due at a moment of its own.
    pub(crate) fn push_at(&mut self, due: Timestamp, entry: T) {
        self.waiting.push_back((due, entry));
    }

    /// Takes the oldest entry that is due.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<T> {
        self.pop_due(now).map(|(_, entry)| entry)
    }

    /// As [`Queue::pop`], with the moment from which the entry was due.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        if self.held {
            return None;
        }
        let at = self.waiting.iter().position(|(due, _)| *due <= now)?;
        self.waiting.remove(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_due_after_its_own_delay_and_never_while_the_queue_is_held() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        let mut queue = Queue::new(30);
        queue.push(start, "slow");
        queue.set_delay(5);
        queue.push(start, "quick");
        assert_eq!(queue.pop(at(4)), None);
        assert_eq!(queue.pop(at(5)), Some("quick"));
        queue.hold(true);
        assert_eq!(queue.pop(at(60)), None);
        queue.hold(false);
        assert_eq!((queue.len(), queue.pop(at(30)), queue.pop(at(60))), (1, Some("slow"), None));
    }
}
