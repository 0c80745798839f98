//! The clock, as an argument: nothing below a function's `main` reads the system's time by itself.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub fn system() -> Clock {
    Arc::new(Timestamp::now)
}
