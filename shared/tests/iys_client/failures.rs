//! What a failure costs: whom it stops, for how long, and what stays open. Codes by İYS's error table.

use jiff::SignedDuration;
use serde_json::json;
use shared::consent::{Channel, RecipientType, Status};
use shared::iys::Client;
use shared::registry::{Registry, RegistryError};

use crate::iys::Answer;
use crate::{Setup, brand, email, kind, record, setup};

const ADD: &str = "/v2/sps/700001/brands/700001/consents";
const HISTORY: &str = "/consents/history";
const STATUS: &str = "/consents/status";
const SUBSCRIPTION: &str = "/sps/700001/subscription";

fn busy_for(setup: &Setup, error: &RegistryError) -> SignedDuration {
    let RegistryError::Busy { until, .. } = error else { panic!("{error}") };
    until.duration_since(setup.clock.now())
}

async fn subscription(setup: &Setup) -> RegistryError {
    setup.client.subscription(&brand().iys).await.unwrap_err()
}

#[tokio::test]
async fn a_limit_of_the_second_pauses_every_call_for_a_second() {
    for answered in ["H083", "H124"] {
        let setup = setup().await;
        setup.iys.answer(SUBSCRIPTION, Answer::error(429, answered));
        assert_eq!(busy_for(&setup, &subscription(&setup).await), SignedDuration::from_secs(1));
        // Another worker hears of it through the ledger.
        let mut settings = crate::settings(setup.iys.url.clone());
        settings.max_wait = std::time::Duration::ZERO;
        let other = Client::new(settings, setup.ledger.clone(), setup.clock.clock(), "other");
        assert_eq!(kind(&other.cities(&brand().iys).await.unwrap_err()), "busy");
        assert_eq!(setup.iys.seen("/info/city").len(), 0);
        setup.clock.advance(SignedDuration::from_secs(1));
        setup.iys.answer("/info/city", Answer::Body(200, "[]".into()));
        other.cities(&brand().iys).await.unwrap();
    }
}

#[tokio::test]
async fn a_stop_of_token_requests_that_another_call_hears_of_holds_for_all() {
    let setup = setup().await;
    setup.iys.answer(SUBSCRIPTION, Answer::error(429, "H084"));
    assert_eq!(busy_for(&setup, &subscription(&setup).await), SignedDuration::from_mins(61));
    assert!(setup.ledger.token_requests(setup.clock.now()).await.unwrap().1.is_some());
    // The living token goes on.
    setup.iys.answer(SUBSCRIPTION, Answer::json(200, json!({"status": "ACTIVE"})));
    setup.client.subscription(&brand().iys).await.unwrap();
    assert_eq!(setup.iys.grants().len(), 1);
}

#[tokio::test]
async fn the_hour_of_one_method_stops_that_method_only() {
    let setup = setup().await;
    let history = async || setup.client.history(&brand().iys, Channel::Eposta, RecipientType::Bireysel, &email()).await;
    let status = async || setup.registry.holding(Channel::Eposta, RecipientType::Bireysel, &email()).await;
    setup.iys.answer(HISTORY, Answer::error(429, "H089"));
    setup.iys.answer(STATUS, Answer::Body(404, String::new()));
    for _ in 0..2 {
        assert_eq!(busy_for(&setup, &history().await.unwrap_err()), SignedDuration::from_mins(61));
    }
    assert_eq!(status().await.unwrap(), None);
    setup.iys.answer(STATUS, Answer::error(429, "H086"));
    for _ in 0..2 {
        assert_eq!(busy_for(&setup, &status().await.unwrap_err()), SignedDuration::from_mins(61));
    }
    assert_eq!((setup.iys.seen(HISTORY).len(), setup.iys.seen(STATUS).len()), (1, 2));
    setup.clock.advance(SignedDuration::from_mins(61));
    setup.iys.answer(HISTORY, Answer::Body(204, String::new()));
    assert!(history().await.unwrap().changes.is_empty());
}

#[tokio::test]
async fn history_counts_against_its_hour_page_by_page() {
    let setup = setup().await;
    let mut settings = crate::settings(setup.iys.url.clone());
    settings.limits.history_per_hour = 3;
    let client = Client::new(settings, setup.ledger.clone(), setup.clock.clock(), "frugal");
    let page = json!({"list": [{"type": "EPOSTA", "recipientType": "BIREYSEL", "recipient": "a@example.com", "status": "RET",
                                "consentDate": "2026-11-18 10:00:00", "source": "HS_WEB"}], "pagination": {"totalCount": 5, "offset": 0}});
    let mut offset = 0;
    for at in 0..3 {
        setup.iys.answer(HISTORY, Answer::json(200, page.clone()));
        let part = client.history_page(&brand().iys, Channel::Eposta, RecipientType::Bireysel, &email(), offset).await.unwrap();
        assert_eq!((part.page.changes.len(), part.next), (1, Some(at + 1)));
        offset = at + 1;
    }
    let error = client.history_page(&brand().iys, Channel::Eposta, RecipientType::Bireysel, &email(), offset).await.unwrap_err();
    assert!(busy_for(&setup, &error) > SignedDuration::from_mins(50), "{error}");
    let queries: Vec<_> = setup.iys.seen(HISTORY).iter().map(|seen| seen.uri.query().unwrap().to_owned()).collect();
    assert_eq!(queries, ["limit=100&offset=0", "limit=100&offset=1", "limit=100&offset=2"]);
}

#[tokio::test]
async fn a_passing_fault_of_a_question_is_busy_and_of_what_stores_is_open_where_it_may_have_landed() {
    let setup = setup().await;
    let record = record(email(), Channel::Eposta, Status::Onay);
    for (answer, question, stores) in [
        (Answer::error(400, "H123"), "busy", "busy"),
        (Answer::error(500, "H015"), "busy", "busy"),
        (Answer::error(503, "H192"), "busy", "unanswered"),
        (Answer::Body(500, "<html>Internal Server Error</html>".into()), "busy", "busy"),
        (Answer::Body(502, "<html>Bad Gateway</html>".into()), "busy", "unanswered"),
        (Answer::Body(503, "<html>Service Unavailable</html>".into()), "busy", "unanswered"),
        (Answer::Body(403, "<html>Forbidden</html>".into()), "held", "held"),
        (Answer::Body(429, "<html>Too Many Requests</html>".into()), "busy", "busy"),
        (Answer::Body(200, "<html>Bakım</html>".into()), "defect", "unanswered"),
        (Answer::Broken, "unanswered", "unanswered"),
    ] {
        setup.iys.answer(SUBSCRIPTION, answer.clone());
        let error = subscription(&setup).await;
        assert_eq!(kind(&error), question, "{error}");
        setup.clock.advance(SignedDuration::from_secs(10));
        setup.iys.answer(ADD, answer);
        let error = setup.registry.add(&record).await.unwrap_err();
        assert_eq!(kind(&error), stores, "{error}");
        setup.clock.advance(SignedDuration::from_secs(10));
    }
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_moment_and_believed_for_an_hour_at_most() {
    for (value, seconds) in [
        ("120", 120),
        (" 120 ", 120),
        ("Fri, 20 Nov 2026 09:02:00 GMT", 120),
        ("Fri, 20 Nov 2026 08:59:00 GMT", 1),
        ("86400", 3600),
        ("soon", 1),
    ] {
        let setup = setup().await;
        // İYS's clock is an hour behind ours, which must not matter.
        let headers = vec![("retry-after", value), ("date", "Fri, 20 Nov 2026 09:00:00 GMT")];
        setup.iys.answer(SUBSCRIPTION, Answer::With(headers, Box::new(Answer::error(429, "H124"))));
        assert_eq!(busy_for(&setup, &subscription(&setup).await), SignedDuration::from_secs(seconds), "{value}");
    }
}

#[tokio::test]
async fn how_far_iys_s_clock_is_from_ours_is_known_from_its_latest_answer() {
    let setup = setup().await;
    assert_eq!(setup.client.clock_offset(), None);
    for (date, offset) in [
        ("Fri, 20 Nov 2026 10:00:00 GMT", 0),
        ("Fri, 20 Nov 2026 10:01:30 GMT", 90),
        ("Fri, 20 Nov 2026 09:59:00 GMT", -60),
        ("yesterday", -60),
    ] {
        // The clock is read of refusals as well.
        setup.iys.answer(SUBSCRIPTION, Answer::With(vec![("date", date)], Box::new(Answer::error(404, "H437"))));
        setup.client.subscription(&brand().iys).await.unwrap();
        assert_eq!(setup.client.clock_offset(), Some(SignedDuration::from_secs(offset)), "{date}");
    }
}
