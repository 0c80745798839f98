//! What one worker learns of İYS's allowance holds for all of them, and for all brands: limits that İYS
//! says are used up, and how it takes the calls.

use jiff::SignedDuration;
use shared::brand;
use shared::consent::{Channel, RecipientType, Status};
use shared::iys::{AllowanceUse, Client, Limits};
use shared::ledger::budget::Grant;
use shared::ledger::quality::Quality;
use shared::registry::RegistryError;

use crate::iys::{Answer, TOKEN};
use crate::{Setup, brand, client, email, kind, record, setup};

const ADD: &str = "/v2/sps/700001/brands/700001/consents";
const STATUS: &str = "/sps/700001/brands/700001/consents/status";
const HISTORY: &str = "/sps/700001/brands/700001/consents/history";
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn busy_for(setup: &Setup, error: &RegistryError) -> SignedDuration {
    let RegistryError::Busy { until, .. } = error else { panic!("{error}") };
    until.duration_since(setup.clock.now())
}

/// Another worker over the same ledger.
fn another(setup: &Setup, name: &str) -> Client {
    client(setup.iys.url.clone(), &setup.ledger, setup.clock.clock(), name)
}

/// The same with few requests to judge by and the usual pace.
fn judging(setup: &Setup, name: &str) -> Client {
    let mut settings = crate::settings(setup.iys.url.clone());
    settings.limits = Limits { quality_minimum_requests: 10, ..Limits::default() };
    Client::new(settings, setup.ledger.clone(), setup.clock.clock(), name)
}

/// An API user of another brand.
fn stranger() -> brand::Iys {
    let mut account = brand().iys;
    account.username = "another-api-user@example.com".to_owned().into();
    account
}

async fn add(client: &Client, account: &brand::Iys) -> Result<(), RegistryError> {
    client.add(account, &record(email(), Channel::Eposta, Status::Onay)).await.map(|_| ())
}

async fn ask(client: &Client, path: &str) -> Result<(), RegistryError> {
    let (account, recipient) = (brand().iys, email());
    if path == STATUS {
        client.holding(&account, Channel::Eposta, RecipientType::Bireysel, &recipient).await.map(|_| ())
    } else {
        client.history(&account, Channel::Eposta, RecipientType::Bireysel, &recipient).await.map(|_| ())
    }
}

/// How long from now the next free turn is away.
async fn next_turn(setup: &Setup) -> SignedDuration {
    let now = setup.clock.now();
    match setup.ledger.book_turn(&setup.client.settings().calls(), now).await.unwrap() {
        Grant::At(moment) => moment.duration_since(now),
        Grant::Full { until } => until.duration_since(now),
    }
}

#[tokio::test]
async fn invariant_7_an_hour_that_iys_ended_for_one_worker_is_over_for_all_and_only_that_method_waits() {
    for (path, code, other, nothing) in
        [(STATUS, "H086", HISTORY, Answer::Body(204, String::new())), (HISTORY, "H089", STATUS, Answer::Body(404, String::new()))]
    {
        let setup = setup().await;
        setup.iys.answer(path, Answer::error(429, code));
        assert_eq!(busy_for(&setup, &ask(&setup.client, path).await.unwrap_err()), SignedDuration::from_mins(61));
        for worker in ["second", "third"] {
            assert_eq!(kind(&ask(&another(&setup, worker), path).await.unwrap_err()), "busy", "{code}");
        }
        assert_eq!(setup.iys.seen(path).len(), 1, "{code}");
        setup.iys.answer(other, nothing.clone());
        ask(&another(&setup, "fourth"), other).await.unwrap();
        setup.clock.advance(SignedDuration::from_mins(61));
        setup.iys.answer(path, Answer::Body(204, String::new()));
        ask(&another(&setup, "fifth"), path).await.unwrap();
    }
}

#[tokio::test]
async fn invariant_7_a_stop_of_token_requests_holds_for_every_worker_and_every_api_user() {
    let setup = setup().await;
    setup.iys.answer(TOKEN, Answer::error(429, "H084"));
    assert_eq!(busy_for(&setup, &add(&setup.client, &brand().iys).await.unwrap_err()), SignedDuration::from_mins(61));
    for (worker, account) in [("second", brand().iys), ("third", stranger())] {
        assert_eq!(kind(&add(&another(&setup, worker), &account).await.unwrap_err()), "busy");
    }
    assert_eq!(setup.iys.grants().len(), 1);
}

#[tokio::test]
async fn a_limit_of_the_second_and_a_busy_iys_keep_every_worker_from_calling_for_a_moment() {
    for (status, code, seconds) in [(429, "H124", 1), (429, "H083", 1), (400, "H123", 2)] {
        let setup = setup().await;
        setup.iys.answer(ADD, Answer::error(status, code));
        assert_eq!(kind(&add(&setup.client, &brand().iys).await.unwrap_err()), "busy");
        assert_eq!(next_turn(&setup).await, SignedDuration::from_secs(seconds), "{code}");
    }
    // What İYS says of one record or of itself is no limit.
    for (status, code) in [(500, "H015"), (503, "H192"), (422, "H162"), (400, "H174")] {
        let setup = setup().await;
        setup.iys.answer(ADD, Answer::error(status, code));
        add(&setup.client, &brand().iys).await.ok();
        assert!(next_turn(&setup).await < SECOND, "{code}");
    }
}

#[tokio::test]
async fn a_limit_of_the_second_at_the_token_endpoint_is_a_matter_of_a_second() {
    for code in ["H124", "H083"] {
        let setup = setup().await;
        setup.iys.answer(TOKEN, Answer::error(429, code));
        assert_eq!(busy_for(&setup, &add(&setup.client, &brand().iys).await.unwrap_err()), SECOND);
        assert_eq!(next_turn(&setup).await, SECOND);
        setup.clock.advance(SignedDuration::from_secs(2));
        setup.iys.answer(ADD, Answer::error(400, "H174"));
        add(&another(&setup, "second"), &brand().iys).await.unwrap();
        assert_eq!(setup.iys.grants().len(), 2, "{code}");
    }
}

async fn quality(setup: &Setup) -> Quality {
    setup.ledger.quality(setup.clock.now()).await.unwrap()
}

/// İYS answers a worker's add so.
async fn answered(setup: &Setup, worker: &Client, answer: Answer) {
    setup.iys.answer(ADD, answer);
    add(worker, &brand().iys).await.ok();
    // The pace of a standing clock would be waited for.
    setup.clock.advance(SECOND);
}

#[tokio::test]
async fn failed_answers_are_counted_at_once_and_good_ones_ten_at_a_time() {
    let setup = setup().await;
    let good = || Answer::json(200, serde_json::json!({"transactionId": "632c"}));
    for _ in 0..8 {
        answered(&setup, &setup.client, good()).await;
    }
    assert_eq!(quality(&setup).await, Quality::default(), "with the token's, nine are gathered");
    answered(&setup, &setup.client, good()).await;
    assert_eq!(quality(&setup).await.good, 10);
    answered(&setup, &setup.client, good()).await;
    for failed in 1..=5 {
        let status = [400, 404, 403, 422, 400][failed - 1];
        answered(&setup, &setup.client, Answer::error(status, "H174")).await;
        assert_eq!(quality(&setup).await, Quality { good: 11, failed: failed as u64, slowed: false });
    }
    for answer in [Answer::error(429, "H124"), Answer::error(500, "H015"), Answer::Body(502, String::new())] {
        answered(&setup, &setup.client, answer).await;
    }
    assert_eq!(quality(&setup).await, Quality { good: 11, failed: 5, slowed: false });
}

#[tokio::test]
async fn invariant_7_all_workers_slow_down_together_before_iys_acts_and_are_quick_again_when_it_is_over() {
    let setup = setup().await;
    let worker = judging(&setup, "one");
    // With the token's, five good answers and six failed ones.
    for _ in 0..4 {
        answered(&setup, &worker, Answer::json(200, serde_json::json!({"transactionId": "632c"}))).await;
    }
    for _ in 0..4 {
        answered(&setup, &worker, Answer::error(400, "H174")).await;
    }
    assert_eq!(quality(&setup).await, Quality { good: 5, failed: 4, slowed: false }, "too few to judge by");
    for _ in 0..2 {
        answered(&setup, &worker, Answer::error(400, "H174")).await;
    }
    assert_eq!(quality(&setup).await, Quality { good: 5, failed: 6, slowed: true });
    // A worker that begins now takes its turns a second apart from the first call on.
    let fresh = judging(&setup, "fresh");
    setup.iys.answer(ADD, Answer::error(500, "H015"));
    add(&fresh, &brand().iys).await.unwrap_err();
    assert_eq!(next_turn(&setup).await, SECOND);
    let used = AllowanceUse::read(&setup.ledger, &fresh.settings().limits, setup.clock.now()).await.unwrap().quality;
    assert_eq!((used.requests, used.failed, used.ratio, used.calls_per_second), (11, 6, Some(0.4545), 1));

    // A day later nothing of it counts.
    setup.clock.advance(SignedDuration::from_hours(26));
    for _ in 0..2 {
        // The first of them takes a turn for a new token, too.
        setup.clock.advance(SECOND);
        setup.iys.answer(ADD, Answer::error(500, "H015"));
        add(&fresh, &brand().iys).await.unwrap_err();
    }
    assert_eq!(next_turn(&setup).await, SignedDuration::from_millis(143));
    assert_eq!(quality(&setup).await, Quality::default());
}

#[tokio::test]
async fn a_worker_learns_within_a_minute_what_others_have_met() {
    let setup = setup().await;
    let (patient, other) = (judging(&setup, "patient"), judging(&setup, "other"));
    answered(&setup, &patient, Answer::error(500, "H015")).await;
    for _ in 0..12 {
        answered(&setup, &other, Answer::error(400, "H174")).await;
    }
    setup.clock.advance(SignedDuration::from_secs(60));
    setup.iys.answer(ADD, Answer::error(500, "H015"));
    add(&patient, &brand().iys).await.unwrap_err();
    assert_eq!(next_turn(&setup).await, SECOND);
}

#[tokio::test]
async fn the_status_shows_the_limits_that_are_set() {
    let setup = setup().await;
    let limits =
        Limits { calls_per_second: 3, token_requests_per_hour: 4, single_status_per_hour: 5, history_per_hour: 6, ..Limits::default() };
    let shown = serde_json::to_value(AllowanceUse::read(&setup.ledger, &limits, setup.clock.now()).await.unwrap()).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({
            "tokenRequests": {"used": 0, "limit": 4}, "singleStatus": {"used": 0, "limit": 5}, "history": {"used": 0, "limit": 6},
            "quality": {"requests": 0, "failed": 0, "ratio": null, "callsPerSecond": 3},
        })
    );
}
