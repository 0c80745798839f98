//! The injected clock: the one place a simulator learns the time from.

use std::sync::Arc;

use jiff::Timestamp;

/// Answers "what time is it?". Limits, token lives, delays and dates all follow it; only network
/// timeouts and the pauses between delivery attempts follow the machine.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn system() -> Clock {
    Arc::new(Timestamp::now)
}
