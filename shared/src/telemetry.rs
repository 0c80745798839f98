//! Logs: JSON lines for machines, never an address.
//!
//! Only this project's own crates may log below warnings: other crates print requests and items at
//! debug level, and those hold addresses.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Crates whose log lines are known to hold no address.
const OURS: &[&str] = &["shared", "webhook_ingest", "consent_api", "iys_push", "unsubscribe_relay", "reconcile"];

/// Starts logging for a function process; `RUST_LOG` chooses the level (`info` when it is not set).
pub fn start() {
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let masked = filter_fn(|line| *line.level() <= Level::WARN || is_ours(line.target()));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // A second start in one process (tests) keeps the first one.
    let _ = tracing_subscriber::registry().with(lines.with_filter(chosen.and(masked))).try_init();
}

fn is_ours(target: &str) -> bool {
    let own = target.split("::").next().unwrap_or_default();
    OURS.contains(&own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_crates_speak_below_warnings() {
        assert!(is_ours("shared::ledger"));
        assert!(is_ours("iys_push"));
        for target in ["aws_smithy_runtime::client", "reqwest::connect", "lambda_runtime", "hyper_util", "sharedx"] {
            assert!(!is_ours(target), "{target}");
        }
    }
}
