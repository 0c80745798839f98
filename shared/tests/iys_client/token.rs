//! The shared token: how often İYS is asked for it, by whom, and what follows when it says no.

use std::time::Duration;

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::json;
use shared::consent::code::Hold;
use shared::consent::{Channel, Status};
use shared::ledger::token::AccountId;
use shared::registry::{Registry, RegistryError, Verdict};

use crate::iys::{Answer, Iys, TOKEN};
use crate::{Setup, brand, client, email, kind, record, setup};

const ADD: &str = "/v2/sps/700001/brands/700001/consents";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// One call, which İYS answers "already there".
async fn call(setup: &Setup) -> Result<Verdict, RegistryError> {
    setup.iys.answer(ADD, Answer::error(400, "H174"));
    setup.registry.add(&record(email(), Channel::Eposta, Status::Onay)).await
}

/// The token that the last call carried.
fn last_token(iys: &Iys) -> String {
    iys.seen(ADD).pop().unwrap().authorization.unwrap()
}

fn account() -> AccountId {
    AccountId::of(&brand().iys.username)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_callers_of_five_workers_with_an_ended_token_ask_for_one() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    // Access token and refresh token have ended.
    setup.clock.advance(SignedDuration::from_hours(5));
    let slow = json!({"access_token": "access-new", "refresh_token": "refresh-new", "expires_in": 7200, "refresh_expires_in": 14400});
    setup.iys.answer(TOKEN, Answer::After(Duration::from_millis(300), Box::new(Answer::json(200, slow))));
    let workers: Vec<_> =
        (0..5).map(|worker| client(setup.iys.url.clone(), &setup.ledger, setup.clock.clock(), &format!("worker-{worker}"))).collect();
    let account = brand().iys;
    let record = record(email(), Channel::Eposta, Status::Onay);
    let calls = (0..50).map(|caller| {
        setup.iys.answer(ADD, Answer::error(400, "H174"));
        workers[caller % 5].add(&account, &record)
    });
    for verdict in futures::future::join_all(calls).await {
        verdict.unwrap();
    }
    assert_eq!(setup.iys.grants(), ["password", "password"], "one at the start, one for all fifty");
    assert_eq!(last_token(&setup.iys), "Bearer access-new");
}

#[tokio::test]
async fn a_new_worker_takes_the_token_of_the_ledger() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    let other = client(setup.iys.url.clone(), &setup.ledger, setup.clock.clock(), "other");
    setup.iys.answer(ADD, Answer::error(400, "H174"));
    other.add(&brand().iys, &record(email(), Channel::Eposta, Status::Onay)).await.unwrap();
    assert_eq!(setup.iys.grants(), ["password"]);
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end_by_the_refresh_token_that_came_last() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    assert_eq!(
        setup.iys.seen(TOKEN)[0].json(),
        json!({
            "grant_type": "password", "username": "demo-api-user@example.com", "password": "demo-iys-password"
        })
    );
    setup.clock.advance(114 * MINUTE);
    call(&setup).await.unwrap();
    assert_eq!(setup.iys.grants(), ["password"]);
    for renewal in 1..=2 {
        setup.clock.advance(MINUTE);
        call(&setup).await.unwrap();
        let asked = setup.iys.seen(TOKEN).pop().unwrap().json();
        assert_eq!(asked, json!({"grant_type": "refresh_token", "refresh_token": format!("refresh-{renewal}")}));
        assert_eq!(last_token(&setup.iys), format!("Bearer access-{}", renewal + 1));
        setup.clock.advance(114 * MINUTE);
    }
}

#[tokio::test]
async fn a_refused_refresh_token_is_followed_by_the_password() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    setup.clock.advance(116 * MINUTE);
    setup.iys.answer(TOKEN, Answer::json(400, json!({"error": "invalid_grant", "error_description": "…"})));
    call(&setup).await.unwrap();
    assert_eq!(setup.iys.grants(), ["password", "refresh_token", "password"]);
}

#[tokio::test]
async fn both_spellings_and_forms_of_the_token_answer_are_read() {
    for body in [
        json!({"access_token": "access", "refresh_token": "refresh", "expires_in": 7200, "refresh_expires_in": 14400, "tokenType": "bearer"}),
        json!({"access_token": "access", "refresh_token": "refresh", "expires_in": "7200", "refresh_expires_in": "14400", "extra": {"a": 1}}),
        json!({"access_token": "access", "refresh_token": null}),
    ] {
        let setup = setup().await;
        setup.iys.answer(TOKEN, Answer::json(200, body));
        call(&setup).await.unwrap();
        assert_eq!(last_token(&setup.iys), "Bearer access");
        let token = setup.ledger.account(&account()).await.unwrap().token.unwrap();
        assert_eq!(token.expires_at.duration_since(setup.clock.now()), SignedDuration::from_hours(2));
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_sent_once_more() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    setup.iys.answer(ADD, Answer::error(401, "H351"));
    call(&setup).await.unwrap();
    assert_eq!(setup.iys.grants(), ["password", "password"]);
    let tokens: Vec<_> = setup.iys.seen(ADD).into_iter().filter_map(|seen| seen.authorization).collect();
    assert_eq!(tokens, ["Bearer access-1", "Bearer access-1", "Bearer access-2"]);
}

#[tokio::test]
async fn a_worker_whose_token_was_replaced_meanwhile_asks_for_none() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    let other = client(setup.iys.url.clone(), &setup.ledger, setup.clock.clock(), "other");
    setup.iys.answer(ADD, Answer::error(401, "H351"));
    setup.iys.answer(ADD, Answer::error(400, "H174"));
    other.add(&brand().iys, &record(email(), Channel::Eposta, Status::Onay)).await.unwrap();
    assert_eq!(setup.iys.grants().len(), 2);
    // The first worker still holds the old token.
    setup.iys.answer(ADD, Answer::error(401, "H351"));
    call(&setup).await.unwrap();
    assert_eq!(setup.iys.grants().len(), 2);
    assert_eq!(last_token(&setup.iys), "Bearer access-2");
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_as_well_is_not_renewed_again_and_again() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    for round in 0..4 {
        for _ in 0..2 {
            setup.iys.answer(ADD, Answer::Body(401, String::new()));
        }
        let error = setup.registry.add(&record(email(), Channel::Eposta, Status::Onay)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Held { why: Hold::Credentials, .. }), "{round}: {error}");
    }
    assert_eq!(setup.iys.grants().len(), 2);
    setup.clock.advance(10 * MINUTE);
    setup.iys.answer(ADD, Answer::Body(401, String::new()));
    setup.registry.add(&record(email(), Channel::Eposta, Status::Onay)).await.unwrap_err();
    assert_eq!(setup.iys.grants().len(), 3);
}

#[tokio::test]
async fn after_a_stop_no_token_is_asked_for_until_the_hour_is_over() {
    for answer in [
        Answer::error(429, "H084"),
        Answer::json(429, json!({"code": "H084", "message": "…"})),
        Answer::json(429, json!({"errors": {"code:": "H084"}})),
        Answer::Body(429, String::new()),
    ] {
        let setup = setup().await;
        setup.iys.answer(TOKEN, answer);
        let record = record(email(), Channel::Eposta, Status::Onay);
        let error = setup.registry.add(&record).await.unwrap_err();
        let RegistryError::Busy { until, .. } = error else { panic!("{error}") };
        assert_eq!(until.duration_since(setup.clock.now()), 61 * MINUTE);
        for minutes in [0, 1, 58, 1] {
            setup.clock.advance(minutes * MINUTE);
            let worker = client(setup.iys.url.clone(), &setup.ledger, setup.clock.clock(), "another");
            assert_eq!(kind(&worker.add(&brand().iys, &record).await.unwrap_err()), "busy");
        }
        assert_eq!(setup.iys.grants().len(), 1, "nobody asked within the hour");
        setup.clock.advance(MINUTE);
        call(&setup).await.unwrap();
        assert_eq!(setup.iys.grants().len(), 2);
    }
}

#[tokio::test]
async fn a_living_token_is_used_while_no_other_can_be_got() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    setup.clock.advance(116 * MINUTE);
    setup.iys.answer(TOKEN, Answer::error(429, "H084"));
    for _ in 0..3 {
        call(&setup).await.unwrap();
    }
    assert_eq!(setup.iys.grants().len(), 2);
    assert_eq!(last_token(&setup.iys), "Bearer access-1");
    // In its last minute it is not used any more.
    setup.clock.advance(4 * MINUTE);
    assert_eq!(kind(&setup.registry.add(&record(email(), Channel::Eposta, Status::Onay)).await.unwrap_err()), "busy");
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again_for_ten_minutes() {
    for answer in [
        Answer::json(400, json!({"error": "invalid_request", "error_description": "…"})),
        Answer::json(400, json!({"error": "invalid_grant"})),
        Answer::error(401, "H251"),
        Answer::Body(401, String::new()),
    ] {
        let setup = setup().await;
        setup.iys.answer(TOKEN, answer);
        let record = record(email(), Channel::Eposta, Status::Onay);
        for _ in 0..3 {
            let error = setup.registry.add(&record).await.unwrap_err();
            assert!(matches!(error, RegistryError::Held { why: Hold::Credentials, .. }), "{error}");
            setup.clock.advance(3 * MINUTE);
        }
        assert_eq!(setup.iys.grants().len(), 1);
        setup.clock.advance(MINUTE);
        call(&setup).await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_endpoint_is_asked_after_growing_pauses() {
    let setup = setup().await;
    let record = record(email(), Channel::Eposta, Status::Onay);
    for (failure, seconds) in [
        (Answer::error(500, "H015"), 30),
        (Answer::Broken, 60),
        (Answer::error(503, "H192"), 120),
        (Answer::json(200, json!({"message": "no token"})), 240),
    ] {
        setup.iys.answer(TOKEN, failure);
        let asked = setup.iys.grants().len();
        for _ in 0..2 {
            let error = setup.registry.add(&record).await.unwrap_err();
            let RegistryError::Busy { until, .. } = error else { panic!("{error}") };
            assert_eq!(until.duration_since(setup.clock.now()), SignedDuration::from_secs(seconds));
        }
        assert_eq!(setup.iys.grants().len(), asked + 1);
        setup.clock.advance(SignedDuration::from_secs(seconds));
    }
    call(&setup).await.unwrap();
}

#[tokio::test]
async fn the_hours_token_requests_are_never_exceeded() {
    let setup = setup().await;
    let record = record(email(), Channel::Eposta, Status::Onay);
    // Every token is refused and ended at once: the worst that can happen.
    for _ in 0..40 {
        setup.iys.answer(TOKEN, Answer::json(200, json!({"access_token": "short", "expires_in": 1})));
        setup.iys.answer(ADD, Answer::error(400, "H174"));
        setup.registry.add(&record).await.ok();
        setup.clock.advance(SignedDuration::from_secs(80));
    }
    assert_eq!(setup.iys.grants().len(), 9);
}

#[tokio::test]
async fn the_lease_of_a_worker_that_died_is_taken_over() {
    let setup = setup().await;
    let now = setup.clock.now();
    let until = now + SignedDuration::from_secs(30);
    assert!(setup.ledger.lease_token(&account(), "dead", 0, now, until).await.unwrap());
    let waiting = tokio::spawn({
        setup.iys.answer(ADD, Answer::error(400, "H174"));
        let registry = setup.registry.clone();
        async move { registry.add(&record(email(), Channel::Eposta, Status::Onay)).await }
    });
    tokio::task::yield_now().await;
    assert!(setup.iys.grants().is_empty());
    setup.clock.advance(SignedDuration::from_secs(30));
    waiting.await.unwrap().unwrap();
    assert_eq!(setup.iys.grants(), ["password"]);
}

#[tokio::test]
async fn a_worker_does_not_wait_for_ever_for_another_ones_renewal() {
    let setup = setup().await;
    let now = setup.clock.now();
    assert!(setup.ledger.lease_token(&account(), "slow", 0, now, now + MINUTE).await.unwrap());
    let mut settings = crate::settings(setup.iys.url.clone());
    settings.token_wait = Duration::from_millis(300);
    let impatient = shared::iys::Client::new(settings, setup.ledger.clone(), setup.clock.clock(), "impatient");
    let error = impatient.add(&brand().iys, &record(email(), Channel::Eposta, Status::Onay)).await.unwrap_err();
    assert_eq!(kind(&error), "busy", "{error}");
    assert!(setup.iys.grants().is_empty());
}

#[tokio::test]
async fn no_error_and_no_debug_output_shows_a_token_or_a_password() {
    let setup = setup().await;
    call(&setup).await.unwrap();
    let known = setup.ledger.account(&account()).await.unwrap();
    assert_eq!(known.token.as_ref().unwrap().access.expose_secret(), "access-1");
    let shown = format!("{known:?} {:?} {:?}", setup.client, setup.registry);
    for secret in ["access-1", "refresh-1", "demo-iys-password", "demo-api-user"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
