//! What happens where İYS lacks the second version of add, bulk add and bulk results.

use jiff::SignedDuration;
use serde_json::json;
use shared::consent::{Channel, Status};
use shared::registry::{Registry, Submitted, Verdict};

use crate::iys::Answer;
use crate::{Setup, email, kind, record, setup};

const ADD: &str = "/v2/sps/700001/brands/700001/consents";
const ADD_V1: &str = "/sps/700001/brands/700001/consents";
const REQUEST: &str = "0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e";
const RESULTS: &str = "/v2/sps/700001/brands/700001/consents/request/0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e";
const RESULTS_V1: &str = "/sps/700001/brands/700001/consents/request/0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e";

fn added() -> Answer {
    Answer::json(200, json!({"transactionId": "t", "creationDate": "2026-11-20 13:00:00"}))
}

async fn add(setup: &Setup) -> Result<Verdict, shared::registry::RegistryError> {
    setup.registry.add(&record(email(), Channel::Eposta, Status::Onay)).await
}

/// The paths that were asked since `from` requests, tokens left out.
fn asked(setup: &Setup, from: usize) -> Vec<String> {
    let paths = setup.iys.seen("").into_iter().map(|seen| seen.uri.path().to_owned());
    paths.filter(|path| !path.ends_with("token")).skip(from).collect()
}

#[tokio::test]
async fn where_the_second_version_is_refused_the_first_is_used_at_once_and_for_an_hour() {
    for refusal in [
        Answer::Body(404, String::new()),
        Answer::Body(404, "<html>not found</html>".into()),
        Answer::Body(405, String::new()),
        Answer::json(404, json!({"errors": [{"message": "x"}]})),
        Answer::error(400, "H363"),
    ] {
        let setup = setup().await;
        assert!(setup.client.recognises_resends(&crate::brand().iys));
        setup.iys.answer(ADD, refusal.clone());
        setup.iys.answer(ADD_V1, added());
        assert_eq!(add(&setup).await.unwrap(), Verdict::Recorded { transaction_id: Some("t".into()) });
        assert_eq!(asked(&setup, 0), [ADD, ADD_V1]);
        let bodies: Vec<_> = [ADD, ADD_V1].map(|path| setup.iys.seen(path).pop().unwrap().json()).into();
        assert_eq!(bodies[0], bodies[1], "the record is the same");
        assert!(!setup.client.recognises_resends(&crate::brand().iys));

        // Not only this method, and not asked again.
        setup.iys.answer("/sps/700001/brands/700001/consents/request", Answer::json(202, json!({"requestId": REQUEST})));
        let list = [record(email(), Channel::Eposta, Status::Onay)];
        assert!(matches!(setup.registry.submit(&list).await.unwrap(), Submitted::Taken { .. }));
        setup.iys.answer(RESULTS_V1, Answer::json(200, json!([{"index": 0, "status": "failure", "error": {"code": "H178"}}])));
        let line = setup.registry.results(REQUEST).await.unwrap().remove(0);
        assert_eq!(line.verdict, Some(Verdict::Refused("H178".parse().unwrap())));
        assert_eq!(asked(&setup, 2), [&format!("{ADD_V1}/request"), RESULTS_V1]);

        // Sent again, an identical record is refused; that is a verdict.
        setup.iys.answer(ADD_V1, Answer::error(400, "H174"));
        assert_eq!(add(&setup).await.unwrap(), Verdict::Refused("H174".parse().unwrap()));

        // After an hour the second version is tried again.
        setup.clock.advance(SignedDuration::from_hours(1));
        assert!(setup.client.recognises_resends(&crate::brand().iys));
        setup.iys.answer(ADD, added());
        add(&setup).await.unwrap();
        assert_eq!(asked(&setup, 5), [ADD]);
    }
}

#[tokio::test]
async fn a_code_about_something_else_says_nothing_about_versions() {
    let setup = setup().await;
    for (answer, expected) in [
        (Answer::error(404, "H018"), "held"),
        (Answer::error(404, "H355"), "held"),
        (Answer::error(403, "H353"), "held"),
        (Answer::Body(403, String::new()), "held"),
        (Answer::error(500, "H103"), "busy"),
        (Answer::Body(503, String::new()), "unanswered"),
    ] {
        setup.iys.answer(ADD, answer);
        assert_eq!(kind(&add(&setup).await.unwrap_err()), expected);
        assert!(setup.client.recognises_resends(&crate::brand().iys));
    }
    assert!(asked(&setup, 0).iter().all(|path| path == ADD));
}

#[tokio::test]
async fn where_both_versions_are_refused_nothing_is_learnt() {
    let setup = setup().await;
    for answer in [Answer::Body(404, String::new()), Answer::error(400, "H363")] {
        setup.iys.answer(ADD, answer.clone());
        setup.iys.answer(ADD_V1, answer);
        assert_eq!(kind(&add(&setup).await.unwrap_err()), "held");
        assert!(setup.client.recognises_resends(&crate::brand().iys));
    }
    // Neither is it when the first version did not judge the record.
    setup.iys.answer(ADD, Answer::Body(404, String::new()));
    setup.iys.answer(ADD_V1, Answer::Broken);
    assert_eq!(kind(&add(&setup).await.unwrap_err()), "unanswered");
    assert!(!setup.client.recognises_resends(&crate::brand().iys), "but what may be stored there was sent by it");
}

#[tokio::test]
async fn a_request_id_that_is_not_found_is_asked_for_in_both_versions_and_teaches_nothing() {
    let setup = setup().await;
    setup.iys.answer(RESULTS, Answer::Body(404, String::new()));
    setup.iys.answer(RESULTS_V1, Answer::Body(200, "[]".into()));
    assert_eq!(setup.registry.results(REQUEST).await.unwrap(), []);
    assert_eq!(asked(&setup, 0), [RESULTS, RESULTS_V1]);
    assert!(setup.client.recognises_resends(&crate::brand().iys));
}

#[tokio::test]
async fn one_api_user_says_nothing_about_another() {
    let setup = setup().await;
    setup.iys.answer(ADD, Answer::Body(405, String::new()));
    setup.iys.answer(ADD_V1, added());
    add(&setup).await.unwrap();
    let mut other = crate::brand().iys;
    other.username = secrecy::SecretString::from("another");
    assert!(setup.client.recognises_resends(&other));
    setup.iys.answer(ADD, added());
    setup.client.add(&other, &record(email(), Channel::Eposta, Status::Onay)).await.unwrap();
    assert_eq!(asked(&setup, 2), [ADD]);
}
