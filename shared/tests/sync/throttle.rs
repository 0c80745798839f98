//! Insider's allowance of a brand, kept in the ledger.

use shared::insider::Throttle;
use shared::sync::throttle::LedgerThrottle;

use crate::harness::{self, ManualClock};
use crate::world::START;

#[tokio::test]
async fn invariant_7_an_allowance_holds_over_all_workers_and_accounts_do_not_share_one() {
    let (ledger, clock) = (harness::ledger().await, ManualClock::at(START));
    let worker = |brand: &'static str| LedgerThrottle::new(ledger.clone(), clock.clock(), brand);
    let (one, other, stranger) = (worker("demo"), worker("demo"), worker("another"));
    // Six thousand a minute are a hundred a second: one each ten milliseconds, at most ten seconds
    // ahead. Turns are booked without being waited for.
    let pool =
        shared::ledger::budget::PerSecond { pool: "insider-demo-contact".into(), limit: 100, max_wait: std::time::Duration::from_secs(10) };
    ledger.pause_turns(&pool, clock.now(), jiff::SignedDuration::from_secs(60)).await.unwrap();
    for worker in [&one, &other] {
        assert_eq!(worker.slot("contact", 6000).await, Err(clock.now() + jiff::SignedDuration::from_secs(60)));
    }
    assert_eq!(stranger.slot("contact", 6000).await, Ok(()));
    assert_eq!(one.slot("upsert", 6000).await, Ok(()));
}

#[tokio::test]
async fn invariant_7_what_insider_tells_one_worker_to_wait_for_all_wait_for() {
    let (ledger, clock) = (harness::ledger().await, ManualClock::at(START));
    let worker = || LedgerThrottle::new(ledger.clone(), clock.clock(), "demo");
    let (one, other) = (worker(), worker());
    let until = clock.now() + jiff::SignedDuration::from_secs(90);
    assert!(one.pause("contact", 600, until).await);
    // Told by ten answers of the same moment, it is one pause.
    for _ in 0..9 {
        assert!(other.pause("contact", 600, until).await);
    }
    assert_eq!(other.slot("contact", 600).await, Err(until));
    assert_eq!(other.slot("upsert", 600).await, Ok(()));
    clock.advance(jiff::SignedDuration::from_secs(91));
    assert_eq!(other.slot("contact", 600).await, Ok(()));
}
