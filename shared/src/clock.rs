//! The clock that everything outside the pure core is given, so that a test decides what time it is.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time. Reading it is the only way by which code outside the core learns what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(Timestamp::now)
}
