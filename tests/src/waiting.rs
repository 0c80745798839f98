//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Longest wait for anything; far above what it takes, for machines that are busy.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until `look` finds something; panics with `what` and the last word of `look` when it does not.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    until_within(DEADLINE, what, look).await
}

/// Like [`until`], with another deadline.
pub async fn until_within<T>(longest: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + longest;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(Instant::now() < deadline, "waited in vain: {what}; instead: {instead}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for the next second, so that nobody acts twice within one: dates count in seconds.
pub async fn until_next_second() {
    let second = jiff::Timestamp::now().as_second();
    let passed = async || if jiff::Timestamp::now().as_second() > second { Ok(()) } else { Err("not yet".to_owned()) };
    until("the next second begins", passed).await;
}
