//! The allowances and the shared token as items of a real table, with many workers at once.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod harness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{ManualClock, ledger};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use shared::ledger::Ledger;
use shared::ledger::budget::{Grant, PerHour, PerSecond};
use shared::ledger::quality::Quality;
use shared::ledger::token::{AccountId, PauseReason, Token};

const START: &str = "2026-11-20T10:00:00Z";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn per_second(limit: u32, max_wait: Duration) -> PerSecond {
    PerSecond { pool: "test".into(), limit, max_wait }
}

fn granted(grant: Grant) -> Timestamp {
    match grant {
        Grant::At(moment) => moment,
        Grant::Full { until } => panic!("full until {until}"),
    }
}

fn full(grant: Grant) -> Timestamp {
    match grant {
        Grant::Full { until } => until,
        Grant::At(moment) => panic!("granted at {moment}"),
    }
}

/// The most moments that any second holds.
fn busiest_second(moments: &BTreeSet<i64>) -> usize {
    moments.iter().map(|from| moments.range(*from..*from + 1000).count()).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_sixty_calls_of_six_workers_never_exceed_the_limit_of_any_second() {
    const LIMIT: u32 = 20;
    let ledger = ledger().await;
    let pool = per_second(LIMIT, Duration::from_secs(20));
    let clock = shared::clock::system();
    let begun = Instant::now();
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let (ledger, clock, pool) = (ledger.clone(), clock.clone(), pool.clone());
            tokio::spawn(async move {
                let calls = (0..10).map(|_| async {
                    let turn = granted(ledger.wait_for_turn(&pool, &clock).await.unwrap());
                    (turn, clock())
                });
                futures::future::join_all(calls).await
            })
        })
        .collect();
    let mut turns = BTreeSet::new();
    for worker in workers {
        for (turn, called) in worker.await.unwrap() {
            assert!(called >= turn, "a call before its turn");
            turns.insert(turn.as_millisecond());
        }
    }
    assert_eq!(turns.len(), 60, "every call has a turn of its own");
    assert!(busiest_second(&turns) <= LIMIT as usize, "{}", busiest_second(&turns));
    // 60 calls at 20 a second cannot be over before the sixtieth turn.
    assert!(begun.elapsed() >= Duration::from_millis(59 * 50));
}

#[tokio::test]
async fn turns_that_nobody_took_are_not_saved_up() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let pool = per_second(4, Duration::from_secs(5));
    let mut turns = BTreeSet::new();
    // The end of one clock second and the start of the next are one second for İYS.
    for pause in [SignedDuration::from_millis(900), SignedDuration::from_millis(150)] {
        clock.advance(pause);
        for _ in 0..4 {
            turns.insert(granted(ledger.book_turn(&pool, clock.now()).await.unwrap()).as_millisecond());
        }
    }
    assert_eq!(turns.len(), 8);
    assert_eq!(busiest_second(&turns), 4);
}

#[tokio::test]
async fn a_queue_longer_than_the_longest_wait_sends_the_caller_away() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let now = clock.now();
    let pool = per_second(2, Duration::from_secs(1));
    for turn in 0..3 {
        let at = granted(ledger.book_turn(&pool, now).await.unwrap());
        assert_eq!(at.duration_since(now), SignedDuration::from_millis(500 * turn));
    }
    let until = full(ledger.wait_for_turn(&pool, &clock.clock()).await.unwrap());
    assert_eq!(until.duration_since(now), SignedDuration::from_millis(1500));
    granted(ledger.book_turn(&pool, until).await.unwrap());
}

#[tokio::test]
async fn a_pause_of_turns_holds_for_everybody_and_never_gets_shorter() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let pool = per_second(2, Duration::from_secs(2));
    ledger.pause_turns(&pool, now, SignedDuration::from_secs(1)).await.unwrap();
    ledger.pause_turns(&pool, now, SignedDuration::from_millis(10)).await.unwrap();
    assert_eq!(granted(ledger.book_turn(&pool, now).await.unwrap()).duration_since(now), SignedDuration::from_secs(1));
}

#[tokio::test]
async fn a_pause_while_others_wait_comes_after_their_turns_and_once_for_all_that_are_told_of_it() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let pool = per_second(2, Duration::from_secs(10));
    let second = SignedDuration::from_secs(1);
    for _ in 0..4 {
        granted(ledger.book_turn(&pool, now).await.unwrap());
    }
    // Turns are booked up to two seconds from now.
    for _ in 0..3 {
        ledger.pause_turns(&pool, now, second).await.unwrap();
    }
    assert_eq!(granted(ledger.book_turn(&pool, now).await.unwrap()).duration_since(now), 3 * second);
    ledger.pause_turns(&pool, now + second, second).await.unwrap();
    assert_eq!(granted(ledger.book_turn(&pool, now).await.unwrap()).duration_since(now), SignedDuration::from_millis(4500));
}

#[tokio::test]
async fn workers_of_different_paces_share_one_row_of_turns() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let (quick, slow) = (per_second(4, Duration::from_secs(10)), per_second(1, Duration::from_secs(10)));
    let mut turns = Vec::new();
    for pool in [&slow, &quick, &quick, &slow, &quick] {
        turns.push(granted(ledger.book_turn(pool, now).await.unwrap()).duration_since(now).as_millis());
    }
    assert_eq!(turns, [0, 1000, 1250, 1500, 2500]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_twenty_workers_count_at_once_are_all_counted() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let figures = futures::future::join_all((0..20).map(|worker| {
        let ledger = ledger.clone();
        async move { tokio::spawn(async move { ledger.count_answers(10, worker % 2, now).await.unwrap() }).await.unwrap() }
    }))
    .await;
    let whole = Quality { good: 200, failed: 10, slowed: false };
    assert_eq!(ledger.quality(now).await.unwrap(), whole);
    // Whoever wrote last knows all of it without a look.
    assert!(figures.contains(&whole), "{figures:?}");
}

#[tokio::test]
async fn answers_count_for_a_day_and_leave_nothing_behind() {
    let (client, table) = harness::store(|config| config).await;
    let ledger = Ledger::new(client.clone(), &table);
    let clock = ManualClock::at(START);
    for hour in 0..60 {
        let figure = ledger.count_answers(1, 2, clock.now()).await.unwrap();
        let hours = (hour + 1).min(25);
        assert_eq!((figure.good, figure.failed), (hours, 2 * hours));
        clock.advance(SignedDuration::from_hours(1));
    }
    let key = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
    let stored = client.get_item().table_name(&table).key("PK", key("A#iys")).key("SK", key("QUALITY")).send().await.unwrap();
    let item = stored.item.unwrap();
    assert_eq!(item.len(), 2 + 1 + 2 * 25, "{item:?}");
    // DynamoDB's time to live, in seconds: once the last hour has left the day.
    let expires: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
    let last = clock.now().as_second() - 3600;
    assert!((last + 25 * 3600..last + 27 * 3600).contains(&expires), "{expires} and {last}");
    clock.advance(SignedDuration::from_hours(25));
    assert_eq!(ledger.quality(clock.now()).await.unwrap(), Quality::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_that_find_the_calls_slowed_one_tells_it() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    for slowed in [true, false, true] {
        let told = futures::future::join_all((0..20).map(|_| ledger.note_slowed(slowed, now))).await;
        assert_eq!(told.into_iter().filter(|told| *told.as_ref().unwrap()).count(), 1, "{slowed}");
        assert_eq!(ledger.quality(now).await.unwrap().slowed, slowed);
    }
}

#[tokio::test]
async fn invariant_7_any_hour_holds_at_most_the_hours_limit() {
    const LIMIT: usize = 30;
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let pool = PerHour { pool: "test".into(), limit: LIMIT as u32 };
    let mut taken: Vec<Timestamp> = Vec::new();
    // Greedy for three hours: bursts, pauses of uneven length, and whatever is left in between.
    for step in 0..120 {
        for _ in 0..(1 + step % 5) {
            match ledger.take_of_hour(&pool, clock.now()).await.unwrap() {
                Grant::At(moment) => taken.push(moment),
                Grant::Full { until } => assert!(until > clock.now()),
            }
        }
        clock.advance(SignedDuration::from_secs(30 + (step * 37) % 120));
    }
    let hour = SignedDuration::from_hours(1);
    for from in &taken {
        let within = taken.iter().filter(|moment| **moment >= *from && moment.duration_since(*from) <= hour).count();
        assert!(within <= LIMIT, "{within} within an hour of {from}");
    }
    assert!(taken.len() >= 2 * LIMIT, "the allowance is used: {}", taken.len());
}

#[tokio::test]
async fn an_hour_that_is_used_up_names_the_moment_that_has_room_again() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let pool = PerHour { pool: "test".into(), limit: 3 };
    for _ in 0..3 {
        granted(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
    }
    assert_eq!(ledger.used_of_hour(&pool, clock.now()).await.unwrap(), 3);
    let until = full(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
    clock.advance(until.duration_since(clock.now()) - SignedDuration::from_secs(1));
    full(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
    clock.advance(SignedDuration::from_secs(1));
    granted(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
    assert_eq!(ledger.used_of_hour(&pool, clock.now()).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_workers_at_the_change_of_a_window_get_no_more_than_the_limit() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let pool = PerHour { pool: "test".into(), limit: 25 };
    for _ in 0..5 {
        granted(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
    }
    clock.advance(5 * MINUTE);
    let now = clock.now();
    let grants = futures::future::join_all((0..40).map(|_| {
        let (ledger, pool) = (ledger.clone(), pool.clone());
        async move { tokio::spawn(async move { ledger.take_of_hour(&pool, now).await.unwrap() }).await.unwrap() }
    }))
    .await;
    assert_eq!(grants.iter().filter(|grant| matches!(grant, Grant::At(_))).count(), 20);
}

#[tokio::test]
async fn an_hour_that_the_other_side_ended_stays_ended() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let pool = PerHour { pool: "test".into(), limit: 3 };
    let until = clock.now() + 61 * MINUTE;
    ledger.pause_hour(&pool, until).await.unwrap();
    ledger.pause_hour(&pool, clock.now() + MINUTE).await.unwrap();
    assert_eq!(full(ledger.take_of_hour(&pool, clock.now()).await.unwrap()), until);
    clock.advance(61 * MINUTE);
    granted(ledger.take_of_hour(&pool, clock.now()).await.unwrap());
}

fn account() -> AccountId {
    AccountId::of(&"api-user@example.com".to_owned().into())
}

fn token(name: &str, now: Timestamp) -> Token {
    Token {
        access: format!("access-{name}").into(),
        refresh: Some(format!("refresh-{name}").into()),
        obtained_at: now,
        expires_at: now + SignedDuration::from_hours(2),
        refresh_expires_at: now + SignedDuration::from_hours(4),
        forced: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_of_fifty_workers_one_gets_the_lease() {
    let ledger = Arc::new(ledger().await);
    let now = ManualClock::at(START).now();
    let leases = futures::future::join_all((0..50).map(|worker| {
        let ledger = ledger.clone();
        async move { ledger.lease_token(&account(), &format!("worker-{worker}"), 0, now, now + MINUTE).await.unwrap() }
    }))
    .await;
    assert_eq!(leases.into_iter().filter(|leased| *leased).count(), 1);
}

#[tokio::test]
async fn a_dead_holders_lease_is_taken_over_and_its_late_token_does_not_replace_the_new_one() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let id = account();
    let lease = SignedDuration::from_secs(30);
    assert!(ledger.lease_token(&id, "dead", 0, clock.now(), clock.now() + lease).await.unwrap());
    assert!(!ledger.lease_token(&id, "next", 0, clock.now(), clock.now() + lease).await.unwrap());
    clock.advance(lease);
    assert!(ledger.lease_token(&id, "next", 0, clock.now(), clock.now() + lease).await.unwrap());
    assert!(ledger.store_token(&id, "next", &token("next", clock.now())).await.unwrap());
    assert!(!ledger.store_token(&id, "dead", &token("dead", clock.now())).await.unwrap());
    let known = ledger.account(&id).await.unwrap();
    assert_eq!(known.token.unwrap().access.expose_secret(), "access-next");
}

#[tokio::test]
async fn a_worker_that_saw_an_older_token_gets_no_lease() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let id = account();
    assert!(ledger.lease_token(&id, "one", 0, now, now + MINUTE).await.unwrap());
    assert!(ledger.store_token(&id, "one", &token("one", now)).await.unwrap());
    assert!(!ledger.lease_token(&id, "two", 0, now, now + MINUTE).await.unwrap());
    let revision = ledger.account(&id).await.unwrap().revision;
    assert!(ledger.lease_token(&id, "two", revision, now, now + MINUTE).await.unwrap());
}

#[tokio::test]
async fn a_pause_is_remembered_until_a_token_is_stored() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let id = account();
    for failures in 1..=2 {
        assert!(ledger.lease_token(&id, "one", 0, now, now + MINUTE).await.unwrap());
        ledger.pause_token(&id, "one", now + MINUTE, PauseReason::Credentials).await.unwrap();
        let known = ledger.account(&id).await.unwrap();
        assert_eq!(known.pause, Some((now + MINUTE, PauseReason::Credentials)));
        assert_eq!(known.failures, failures);
    }
    assert!(ledger.lease_token(&id, "one", 0, now, now + MINUTE).await.unwrap());
    assert!(ledger.store_token(&id, "one", &Token { refresh: None, ..token("one", now) }).await.unwrap());
    let known = ledger.account(&id).await.unwrap();
    assert_eq!((known.pause, known.failures), (None, 0));
    assert!(known.token.unwrap().refresh.is_none());
}

#[tokio::test]
async fn invariant_7_token_requests_of_any_hour_stay_within_the_limit() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    for _ in 0..9 {
        granted(ledger.reserve_token_request(9, clock.now()).await.unwrap());
        clock.advance(MINUTE);
    }
    // Nine minutes later the first of them counts for 52 more.
    let until = full(ledger.reserve_token_request(9, clock.now()).await.unwrap());
    assert_eq!(until.duration_since(clock.now()), 52 * MINUTE);
    clock.advance(52 * MINUTE);
    granted(ledger.reserve_token_request(9, clock.now()).await.unwrap());
    full(ledger.reserve_token_request(9, clock.now()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_at_once_reserve_no_more_token_requests_than_allowed() {
    let ledger = ledger().await;
    let now = ManualClock::at(START).now();
    let grants = futures::future::join_all((0..12).map(|_| {
        let ledger = ledger.clone();
        async move { tokio::spawn(async move { ledger.reserve_token_request(5, now).await.unwrap() }).await.unwrap() }
    }))
    .await;
    assert_eq!(grants.iter().filter(|grant| matches!(grant, Grant::At(_))).count(), 5);
}

#[tokio::test]
async fn invariant_7_a_stop_of_token_requests_holds_to_its_end_and_is_never_shortened() {
    let ledger = ledger().await;
    let clock = ManualClock::at(START);
    let until = clock.now() + 61 * MINUTE;
    granted(ledger.reserve_token_request(9, clock.now()).await.unwrap());
    ledger.stop_token_requests(until).await.unwrap();
    ledger.stop_token_requests(clock.now() + MINUTE).await.unwrap();
    assert_eq!(full(ledger.reserve_token_request(9, clock.now()).await.unwrap()), until);
    // A request that was under way when İYS said stop is told so later, and starts the hour anew.
    clock.advance(MINUTE);
    ledger.stop_token_requests(until + MINUTE).await.unwrap();
    clock.advance(60 * MINUTE);
    assert_eq!(full(ledger.reserve_token_request(9, clock.now()).await.unwrap()), until + MINUTE);
    clock.advance(MINUTE);
    granted(ledger.reserve_token_request(9, clock.now()).await.unwrap());
}
