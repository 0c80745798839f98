//! What each answer of İYS means, in the spellings that its documentation and its users report.

use std::collections::HashSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::consent::code::{Code, Hold};
use shared::consent::{Channel, ConsentDate, Recipient, RecipientType, Retailers, Source, Status};
use shared::iys::Client;
use shared::registry::{Feed, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};

use crate::iys::Answer;
use crate::{EMAIL, PHONE, Setup, email, kind, phone, record, setup};

const ADD: &str = "/v2/sps/700001/brands/700001/consents";
const BULK: &str = "/v2/sps/700001/brands/700001/consents/request";
const RESULTS: &str = "/consents/request/0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e";
const REQUEST: &str = "0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e";
const STATUS: &str = "/sps/700001/brands/700001/consents/status";
const MULTI: &str = "/sps/700001/brands/700001/consents/BIREYSEL/status/EPOSTA";
const PULL: &str = "/sps/700001/brands/700001/consents/changes";

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn onay() -> Record {
    record(email(), Channel::Eposta, Status::Onay)
}

async fn add(setup: &Setup, answer: Answer) -> Result<Verdict, RegistryError> {
    setup.iys.answer(ADD, answer);
    setup.registry.add(&onay()).await
}

#[tokio::test]
async fn a_record_is_sent_with_exactly_the_documented_fields() {
    let setup = setup().await;
    let id = "9b0c6d5b2f2e4f0c8e0d3a1b7c5f4e2d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d";
    let verdict = add(&setup, Answer::json(200, json!({"transactionId": id, "creationDate": "2026-11-20 13:00:00", "new": [1]}))).await;
    assert_eq!(verdict.unwrap(), Verdict::Recorded { transaction_id: Some(id.into()) });
    let seen = setup.iys.seen(ADD).remove(0);
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.authorization.as_deref(), Some("Bearer access-1"));
    let sent = json!({"type": "EPOSTA", "recipientType": "BIREYSEL", "recipient": EMAIL, "status": "ONAY",
                      "source": "HS_WEB", "consentDate": "2026-11-20 12:59:00"});
    assert_eq!(seen.json(), sent);
}

#[tokio::test]
async fn dealers_are_sent_where_there_are_any_and_never_null_or_empty() {
    for (retailers, expected) in [
        (Retailers { code: Some(58_954_386), access: vec![] }, json!({"retailerCode": 58_954_386})),
        (Retailers { code: None, access: vec![55_550_127, 58_954_386] }, json!({"retailerAccess": [55_550_127, 58_954_386]})),
        (
            Retailers { code: Some(58_954_386), access: vec![55_550_127] },
            json!({"retailerCode": 58_954_386, "retailerAccess": [55_550_127]}),
        ),
        (Retailers::default(), json!({})),
    ] {
        let setup = setup().await;
        setup.iys.answer(ADD, Answer::json(200, json!({"transactionId": "t"})));
        setup.iys.answer(BULK, Answer::json(202, json!({"requestId": REQUEST, "subRequests": []})));
        let record = Record { retailers, ..onay() };
        setup.registry.add(&record).await.unwrap();
        setup.registry.submit(std::slice::from_ref(&record)).await.unwrap();
        for sent in [setup.iys.seen(ADD).remove(0).json(), setup.iys.seen(BULK).remove(0).json()[0].clone()] {
            let dealers: Value = sent
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| name.starts_with("retailer"))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            assert_eq!(dealers, expected);
        }
    }
}

#[tokio::test]
async fn what_stands_under_another_spelling_of_a_number_is_no_proof_for_the_right_one() {
    const MESAJ: &str = "/sps/700001/brands/700001/consents/BIREYSEL/status/MESAJ";
    let setup = setup().await;
    let misspelt = PHONE.replace("+90", "+900");
    setup.iys.answer(MESAJ, Answer::json(200, json!({"list": [misspelt]})));
    let asked = setup.registry.onays(Channel::Mesaj, RecipientType::Bireysel, &[phone()]).await;
    assert_eq!(kind(&asked.unwrap_err()), "defect");
    for (status, expected) in [("ONAY", None), ("RET", Some(true))] {
        let row = json!({"recipient": misspelt, "recipientType": "BIREYSEL", "type": "MESAJ", "status": status, "source": "HS_WEB",
                         "consentDate": "2026-11-20 12:00:00"});
        setup.iys.answer(STATUS, Answer::json(200, row));
        let holding = setup.registry.holding(Channel::Mesaj, RecipientType::Bireysel, &phone()).await.unwrap();
        assert_eq!(holding.map(|holding| holding.misspelt), expected, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_of_a_record_is_a_verdict_in_every_spelling() {
    let setup = setup().await;
    for (status, body, expected) in [
        (400, json!({"errors": [{"code": "H174", "message": "…"}]}), "H174"),
        (400, json!({"errors": {"code": "H175", "message": "…"}}), "H175"),
        (400, json!({"errors": [{"code:": "H178"}]}), "H178"),
        (422, json!({"code": "H467", "message": "…"}), "H467"),
        (400, json!({"errors": [{"code": "H467", "location": ["consentDate", 0], "value": {"any": [EMAIL]}}]}), "H467"),
        (422, json!({"errors": [{"code": "H467"}, {"code": "H120", "value": EMAIL}]}), "H120"),
        (422, json!({"errors": [{"code": "H9999"}]}), "H9999"),
    ] {
        let verdict = add(&setup, Answer::json(status, body)).await.unwrap();
        assert_eq!(verdict, Verdict::Refused(code(expected)));
    }
}

#[tokio::test]
async fn a_passing_fault_or_limit_is_busy_and_says_until_when() {
    let setup = setup().await;
    for (answer, seconds) in [
        (Answer::error(500, "H101"), 10),
        (Answer::Body(500, "<html>oops</html>".into()), 10),
        (Answer::error(400, "H123"), 10),
        (Answer::error(422, "H162"), 10),
        (Answer::error(429, "H124"), 1),
        (Answer::RetryAfter(429, 120), 120),
    ] {
        let error = add(&setup, answer).await.unwrap_err();
        let RegistryError::Busy { until, .. } = &error else { panic!("{error}") };
        assert_eq!(until.duration_since(setup.clock.now()), SignedDuration::from_secs(seconds), "{error}");
        // The pause that İYS asked for holds for the next call.
        setup.clock.advance(SignedDuration::from_secs(seconds));
    }
    assert_eq!(setup.iys.grants().len(), 1);
}

#[tokio::test]
async fn a_limit_that_iys_names_holds_back_the_next_caller() {
    let setup = setup().await;
    add(&setup, Answer::RetryAfter(429, 120)).await.unwrap_err();
    let error = setup.registry.add(&onay()).await.unwrap_err();
    assert_eq!(kind(&error), "busy");
    assert_eq!(setup.iys.seen(ADD).len(), 1, "the second call was not made");
}

#[tokio::test]
async fn what_may_have_been_stored_is_unanswered_and_never_busy() {
    let setup = setup().await;
    let mut settings = crate::settings(setup.iys.url.clone());
    settings.timeout = Duration::from_millis(300);
    let impatient = Client::new(settings, setup.ledger.clone(), setup.clock.clock(), "impatient");
    setup.iys.answer(ADD, Answer::Silence);
    assert_eq!(kind(&impatient.add(&crate::brand().iys, &onay()).await.unwrap_err()), "unanswered");
    for answer in [
        Answer::Broken,
        Answer::error(503, "H192"),
        Answer::Body(502, String::new()),
        Answer::Body(504, String::new()),
        Answer::Body(200, "<html>".into()),
        Answer::json(200, json!({"creationDate": "2026-11-20 13:00:00"})),
    ] {
        let error = add(&setup, answer).await.unwrap_err();
        assert_eq!(kind(&error), "unanswered", "{error}");
    }
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens() {
    let setup = setup().await;
    // The token is there, the server is gone.
    add(&setup, Answer::error(400, "H174")).await.unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = crate::client(format!("http://{closed}").parse().unwrap(), &setup.ledger, setup.clock.clock(), "other");
    let error = client.add(&crate::brand().iys, &onay()).await.unwrap_err();
    assert_eq!(kind(&error), "busy", "{error}");
}

#[tokio::test]
async fn authority_subscription_quota_and_configuration_hold_the_brand() {
    let setup = setup().await;
    for (status, answered, hold) in [
        (403, "H353", Hold::Authority),
        (404, "H355", Hold::Authority),
        (403, "H521", Hold::Subscription),
        (422, "H525", Hold::Quota),
        (404, "H018", Hold::Configuration),
    ] {
        let error = add(&setup, Answer::error(status, answered)).await.unwrap_err();
        let RegistryError::Held { why, code } = &error else { panic!("{error}") };
        assert_eq!((*why, code.as_str()), (hold, answered));
    }
}

#[tokio::test]
async fn a_request_that_iys_cannot_read_is_a_defect_and_refuses_no_record() {
    let setup = setup().await;
    for answer in [Answer::error(422, "H118"), Answer::error(400, "H014"), Answer::Body(400, EMAIL.into()), Answer::Body(302, EMAIL.into())]
    {
        assert_eq!(kind(&add(&setup, answer).await.unwrap_err()), "defect");
    }
}

#[tokio::test]
async fn a_channel_without_authority_and_a_source_that_cannot_be_sent_cost_no_request() {
    let setup = setup().await;
    let mut brand = crate::brand();
    brand.iys.channels.remove(&Channel::Eposta);
    let registry = shared::iys::IysRegistry::new(setup.client.clone(), std::sync::Arc::new(brand));
    for error in [
        registry.add(&onay()).await.unwrap_err(),
        registry.submit(&[record(phone(), Channel::Mesaj, Status::Ret), onay()]).await.unwrap_err(),
        registry.onays(Channel::Eposta, RecipientType::Bireysel, &[email()]).await.unwrap_err(),
        registry.holding(Channel::Eposta, RecipientType::Bireysel, &email()).await.unwrap_err(),
    ] {
        assert!(matches!(error, RegistryError::Held { why: Hold::Authority, .. }), "{error}");
    }
    let unsendable = Record { source: "IYS_WEB".parse().unwrap(), ..onay() };
    assert_eq!(setup.registry.add(&unsendable).await.unwrap(), Verdict::Refused(code("H119")));
    let submitted = setup.registry.submit(&[onay(), unsendable]).await.unwrap();
    assert_eq!(submitted, Submitted::Refused(vec![(1, code("H119"))]));
    assert!(setup.iys.seen("").is_empty(), "not even a token was asked for");
}

fn two() -> [Record; 2] {
    [onay(), record(phone(), Channel::Mesaj, Status::Ret)]
}

#[tokio::test]
async fn a_list_is_taken_with_its_ids_in_any_spelling_and_order() {
    let setup = setup().await;
    let row = |id: &str, spelling: &str, recipient: &str, channel: &str| json!({spelling: id, "recipient": recipient, "type": channel, "recipientType": "BIREYSEL", "status": "ONAY"});
    for (status, rows) in [
        (202, json!([row("id-a", "subRequestId", EMAIL, "EPOSTA"), row("id-b", "subrequestId", PHONE, "MESAJ")])),
        (200, json!([row("id-b", "subRequestId", PHONE, "MESAJ"), row("id-a", "subRequestId", &EMAIL.to_uppercase(), "EPOSTA")])),
        (202, json!([{"subRequestId": "id-a"}, {"subRequestId": "id-b"}])),
    ] {
        setup.iys.answer(BULK, Answer::json(status, json!({"requestId": REQUEST, "subRequests": rows})));
        let submitted = setup.registry.submit(&two()).await.unwrap();
        let record_ids = vec![Some("id-a".to_owned()), Some("id-b".to_owned())];
        assert_eq!(submitted, Submitted::Taken { request_id: REQUEST.into(), record_ids, refused: vec![] });
    }
    setup.iys.answer(BULK, Answer::json(202, json!({"requestId": REQUEST})));
    let submitted = setup.registry.submit(&two()).await.unwrap();
    assert_eq!(submitted, Submitted::Taken { request_id: REQUEST.into(), record_ids: vec![None, None], refused: vec![] });
    let sent = setup.iys.seen(BULK).remove(0).json();
    assert_eq!(sent.as_array().map(Vec::len), Some(2), "the body is a bare array");
}

#[tokio::test]
async fn the_size_of_a_record_is_that_of_its_json_or_more() {
    let setup = setup().await;
    let longest = Recipient::parse(&format!("{}@example.com", "a".repeat(250)), Channel::Eposta).unwrap();
    let all = Retailers { code: Some(99_999_999), access: (10_000_000..10_003_000).collect() };
    for (recipient, retailers) in [(longest, all), (email(), Retailers::default())] {
        let one = Record { recipient, retailers, recipient_type: RecipientType::Bireysel, source: Source::HsFizikselOrtam, ..onay() };
        setup.iys.answer(BULK, Answer::json(202, json!({"requestId": REQUEST})));
        setup.registry.submit(std::slice::from_ref(&one)).await.unwrap();
        let sent = setup.iys.seen(BULK).pop().unwrap().body.len();
        assert!((one.size() - 120..=one.size()).contains(&sent), "{sent} of {}", one.size());
    }
}

#[tokio::test]
async fn errors_with_positions_refuse_those_records_whatever_their_codes() {
    let setup = setup().await;
    for (body, expected) in [
        (json!({"errors": [{"code": "H120", "index": 1}]}), vec![(1, "H120")]),
        (
            json!({"errors": [{"code": "H467", "index": 0}, {"code": "H155", "index": 0}, {"code": "H194", "index": "1"}]}),
            vec![(0, "H155"), (1, "H194")],
        ),
        // Two records and a position 2: İYS counted from 1.
        (json!({"errors": [{"code": "H120", "index": 2}, {"code": "H156", "index": 1}]}), vec![(0, "H156"), (1, "H120")]),
        (json!({"errors": [{"code": "H120", "index": 0}, {"code": "H092"}]}), vec![(0, "H120")]),
    ] {
        setup.iys.answer(BULK, Answer::json(422, body));
        let expected = expected.into_iter().map(|(position, text)| (position, code(text))).collect();
        assert_eq!(setup.registry.submit(&two()).await.unwrap(), Submitted::Refused(expected));
    }
}

#[tokio::test]
async fn errors_without_positions_concern_the_list_as_a_whole() {
    let setup = setup().await;
    for (status, body, expected) in [
        (422, json!({"errors": [{"code": "H091"}]}), "defect"),
        (422, json!({"errors": [{"code": "H120"}]}), "defect"),
        (422, json!({"errors": [{"code": "H120", "index": 7}]}), "defect"),
        (403, json!({"errors": [{"code": "H353"}, {"code": "H120", "index": 0}]}), "held"),
        (400, json!({"errors": [{"code": "H123"}]}), "busy"),
        (500, json!({"errors": [{"code": "H103"}]}), "busy"),
        (503, json!({"errors": [{"code": "H192"}]}), "unanswered"),
        (202, json!({"subRequests": []}), "unanswered"),
    ] {
        setup.iys.answer(BULK, Answer::json(status, body));
        let error = setup.registry.submit(&two()).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{error}");
    }
    assert_eq!(kind(&setup.registry.submit(&[]).await.unwrap_err()), "defect");
    assert_eq!(kind(&setup.registry.submit(&vec![onay(); 1001]).await.unwrap_err()), "defect");
}

async fn results(setup: &Setup, body: Value) -> Result<Vec<ResultLine>, RegistryError> {
    setup.iys.answer(RESULTS, Answer::json(200, body));
    setup.registry.results(REQUEST).await
}

#[tokio::test]
async fn bulk_results_are_read_line_by_line() {
    let setup = setup().await;
    let lines = results(
        &setup,
        json!([
            {"index": 0, "status": "success", "subRequestId": "a", "transactionId": "t", "creationDate": "2026-11-20 13:03:41",
             "isAddConsentV2Service": "true", "originalRequestInformation": {"requestId": "x", "subRequestId": "y"}},
            {"index": "1", "status": "failure", "subrequestId": "b", "error": {"code": "H175", "message": "…"}},
            {"index": 2, "status": "enqueue", "subRequestId": "c", "isAddConsentV2Service": true},
            {"index": 3, "status": "failure", "subRequestId": "d", "error": {"code:": "H101"}},
            {"index": 4, "status": "failure", "subRequestId": "e"},
            {"index": 5, "status": "SUCCESS"},
            "a line that is none",
        ]),
    )
    .await
    .unwrap();
    let line = |id: Option<&str>, position, verdict| ResultLine { record_id: id.map(str::to_owned), position: Some(position), verdict };
    assert_eq!(
        lines,
        [
            line(Some("a"), 0, Some(Verdict::Recorded { transaction_id: Some("t".into()) })),
            line(Some("b"), 1, Some(Verdict::Refused(code("H175")))),
            line(Some("c"), 2, None),
            line(Some("d"), 3, Some(Verdict::Refused(code("H101")))),
            line(Some("e"), 4, None),
            line(None, 5, Some(Verdict::Recorded { transaction_id: None })),
        ]
    );
}

#[tokio::test]
async fn a_position_is_told_only_where_counting_from_zero_is_proved() {
    let setup = setup().await;
    let lines = results(&setup, json!([{"index": 1, "status": "enqueue"}, {"index": 2, "status": "enqueue"}])).await.unwrap();
    assert!(lines.iter().all(|line| line.position.is_none()));
}

#[tokio::test]
async fn no_results_yet_is_an_empty_answer_in_every_form() {
    let setup = setup().await;
    for answer in [Answer::Body(200, "[]".into()), Answer::Body(204, String::new()), Answer::Body(200, " \n".into())] {
        setup.iys.answer(RESULTS, answer);
        assert_eq!(setup.registry.results(REQUEST).await.unwrap(), []);
    }
    setup.iys.answer(RESULTS, Answer::error(422, "H199"));
    assert_eq!(kind(&setup.registry.results(REQUEST).await.unwrap_err()), "defect");
    // An id is one segment of the path, whatever is in it.
    setup.iys.answer("", Answer::Body(200, "[]".into()));
    setup.registry.results("../a?b").await.unwrap();
    assert!(setup.iys.seen("").iter().any(|seen| seen.uri.path().ends_with("/consents/request/..%2Fa%3Fb")));
}

#[tokio::test]
async fn addresses_with_an_onay_are_those_that_the_answer_lists() {
    let setup = setup().await;
    let other = Recipient::parse("b@example.com", Channel::Eposta).unwrap();
    let ask = || async { setup.registry.onays(Channel::Eposta, RecipientType::Bireysel, &[email(), other.clone()]).await };
    setup.iys.answer(MULTI, Answer::json(200, json!({"requestId": REQUEST, "list": [EMAIL]})));
    assert_eq!(ask().await.unwrap(), HashSet::from([email()]));
    assert_eq!(setup.iys.seen(MULTI)[0].json(), json!({"recipients": [EMAIL, "b@example.com"]}));
    setup.iys.answer(MULTI, Answer::json(200, json!({"list": []})));
    assert!(ask().await.unwrap().is_empty());
    // "Nobody" must not be read out of an answer that does not say it.
    for answer in [
        Answer::json(200, json!({"requestId": REQUEST})),
        Answer::Body(204, String::new()),
        Answer::json(200, json!({"list": [PHONE]})),
        Answer::json(200, json!({"list": [[EMAIL]]})),
    ] {
        setup.iys.answer(MULTI, answer);
        assert_eq!(kind(&ask().await.unwrap_err()), "defect");
    }
    // What it is refused for is told where that is an address, and nothing else is.
    let error = |code: &str, location: serde_json::Value| json!({"code": code, "message": "…", "location": location, "value": EMAIL});
    for (errors, expected) in [
        (vec![error("H464", json!(["recipients", 1]))], Some(vec![(1, "H464")])),
        (vec![error("H464", json!(["recipients", 1])), error("H464", json!(["recipients", "0"]))], Some(vec![(0, "H464"), (1, "H464")])),
        // Counted from one, which the last position proves.
        (vec![error("H464", json!(["recipients", 2]))], Some(vec![(1, "H464")])),
        (vec![error("H464", json!(["recipients", 3]))], None),
        (vec![error("H464", json!(null))], None),
        (vec![error("H193", json!(["recipients", 1]))], None),
        (vec![error("H464", json!(["recipients", 1])), error("H478", json!(null))], None),
    ] {
        setup.iys.answer(MULTI, Answer::json(422, json!({"errors": errors})));
        match (ask().await.unwrap_err(), expected) {
            (RegistryError::RefusedFor(refused), Some(expected)) => {
                let refused: Vec<_> = refused.iter().map(|(at, code)| (*at, code.to_string())).collect();
                assert_eq!(refused, expected.iter().map(|(at, code)| (*at, (*code).to_owned())).collect::<Vec<_>>());
            }
            (error, expected) => assert_eq!((kind(&error), expected), ("defect", None)),
        }
    }
    setup.iys.answer(MULTI, Answer::error(422, "H464"));
    let alone = setup.registry.onays(Channel::Eposta, RecipientType::Bireysel, &[email()]).await.unwrap_err();
    assert!(matches!(&alone, RegistryError::RefusedFor(refused) if refused.len() == 1 && refused[0].0 == 0), "{}", kind(&alone));
    let asked = setup.iys.seen(MULTI).len();
    assert!(setup.registry.onays(Channel::Eposta, RecipientType::Bireysel, &[]).await.unwrap().is_empty());
    assert_eq!(setup.iys.seen(MULTI).len(), asked);
}

#[tokio::test]
async fn a_key_that_iys_does_not_know_is_answered_in_many_ways() {
    let setup = setup().await;
    let ask = || setup.registry.holding(Channel::Mesaj, RecipientType::Bireysel, &PHONE_RECIPIENT);
    static PHONE_RECIPIENT: std::sync::LazyLock<Recipient> = std::sync::LazyLock::new(phone);
    for answer in [
        Answer::Body(404, String::new()),
        Answer::error(404, "H9404"),
        Answer::json(404, json!({"message": "x"})),
        Answer::Body(204, String::new()),
        Answer::Body(200, String::new()),
        Answer::json(200, json!({})),
        Answer::json(200, json!({"recipient": PHONE, "status": null})),
        Answer::json(200, json!({"recipient": PHONE, "status": ""})),
    ] {
        setup.iys.answer(STATUS, answer);
        assert_eq!(ask().await.unwrap(), None);
    }
    for (status, answered) in [(404, "H018"), (404, "H355"), (403, "H353")] {
        setup.iys.answer(STATUS, Answer::error(status, answered));
        assert_eq!(kind(&ask().await.unwrap_err()), "held");
    }
    setup.iys.answer(
        STATUS,
        Answer::json(
            200,
            json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ", "status": "RET", "source": "IYS_YENI",
                   "consentDate": "2026-11-20 12:00:00", "creationDate": "2026-11-20 12:00:05", "transactionId": "t",
                   "retailerCode": 55550127, "retailerTitle": "x", "retailerAccessCount": 3}),
        ),
    );
    let holding = ask().await.unwrap().unwrap();
    assert_eq!((holding.status, holding.source.as_str(), holding.transaction_id.as_deref()), (Status::Ret, "IYS_YENI", Some("t")));
    assert_eq!(holding.consent_date.map(|date| date.to_string()).as_deref(), Some("2026-11-20 12:00:00"));
    setup.iys.answer(STATUS, Answer::json(200, json!({"status": "RET", "consentDate": "yesterday"})));
    let error = ask().await.unwrap_err();
    assert_eq!(error.to_string(), "the registry's answer could not be used: single status: at $.consentDate: the value does not fit");
}

#[tokio::test]
async fn an_hour_of_single_status_queries_that_iys_ended_is_not_asked_again() {
    let setup = setup().await;
    let ask = || async { setup.registry.holding(Channel::Eposta, RecipientType::Bireysel, &email()).await };
    setup.iys.answer(STATUS, Answer::error(429, "H086"));
    for _ in 0..2 {
        let error = ask().await.unwrap_err();
        let RegistryError::Busy { until, .. } = error else { panic!("{error}") };
        assert_eq!(until.duration_since(setup.clock.now()), SignedDuration::from_mins(61));
    }
    assert_eq!(setup.iys.seen(STATUS).len(), 1);
    // Other methods go on.
    setup.iys.answer(ADD, Answer::error(400, "H174"));
    setup.registry.add(&onay()).await.unwrap();
    setup.clock.advance(SignedDuration::from_mins(61));
    setup.iys.answer(STATUS, Answer::Body(404, String::new()));
    assert_eq!(ask().await.unwrap(), None);
}

fn pulled(recipient: &str, channel: &str) -> Value {
    json!({"consentDate": "2026-11-19 13:20:10", "creationDate": "2026-11-19 14:23:37", "source": "IYS_MOBIL", "recipient": recipient,
           "recipientType": "BIREYSEL", "status": "RET", "type": channel, "transactionId": "632c", "citizenName": "…"})
}

#[tokio::test]
async fn a_page_of_a_feed_is_read_and_its_cursor_handed_back_as_it_is() {
    let setup = setup().await;
    let mut merchant = pulled("+902121230000", "ARAMA");
    merchant["consentDate"] = json!("");
    merchant["recipientType"] = json!("TACIR");
    let list = json!([pulled(PHONE, "MESAJ"), merchant, pulled("not an address", "EPOSTA")]);
    setup.iys.answer(PULL, Answer::json(200, json!({"after": "1772450617_632c+/", "list": list})));
    let page = setup.registry.changes(Feed::People, None).await.unwrap();
    assert_eq!(page.cursor.as_deref(), Some("1772450617_632c+/"));
    assert_eq!(page.unreadable, ["list[2].recipient"]);
    assert!(!page.more);
    assert_eq!(page.changes.len(), 2);
    assert_eq!(page.changes[0].recipient, phone());
    assert_eq!(page.changes[0].holding.source, "IYS_MOBIL".parse::<Source>().unwrap());
    assert_eq!(page.changes[1].holding.consent_date, Some("2026-11-19 14:23:37".parse::<ConsentDate>().unwrap()));

    setup.iys.answer(PULL, Answer::Body(204, String::new()));
    let page = setup.registry.changes(Feed::Brand, page.cursor.as_deref()).await.unwrap();
    assert_eq!((page.cursor, page.changes.len(), page.more), (None, 0, false));
    let queries: Vec<_> = setup.iys.seen(PULL).iter().map(|seen| seen.uri.query().unwrap().to_owned()).collect();
    assert_eq!(queries, ["source=IYS&limit=1000", "source=HS&limit=1000&after=1772450617_632c%2B%2F"]);
}

#[tokio::test]
async fn a_full_page_has_more_behind_it_unless_its_cursor_stands_still() {
    let setup = setup().await;
    let full = json!({"after": "c2", "list": vec![pulled(PHONE, "MESAJ"); 1000]});
    setup.iys.answer(PULL, Answer::json(200, full.clone()));
    assert!(setup.registry.changes(Feed::People, Some("c1")).await.unwrap().more);
    setup.iys.answer(PULL, Answer::json(200, full));
    assert!(!setup.registry.changes(Feed::People, Some("c2")).await.unwrap().more);
}

#[tokio::test]
async fn history_comes_oldest_first() {
    let setup = setup().await;
    let mut older = pulled(PHONE, "MESAJ");
    older["consentDate"] = json!("2026-11-18 10:00:00");
    older["status"] = json!("ONAY");
    let body = json!({"list": [pulled(PHONE, "MESAJ"), older], "pagination": {"totalCount": 2, "pageSize": 2, "offset": 0}});
    setup.iys.answer("/consents/history", Answer::json(200, body));
    let page = setup.client.history(&crate::brand().iys, Channel::Mesaj, RecipientType::Bireysel, &phone()).await.unwrap();
    let statuses: Vec<_> = page.changes.iter().map(|change| change.holding.status).collect();
    assert_eq!(statuses, [Status::Onay, Status::Ret]);
    assert_eq!(setup.iys.seen("/consents/history")[0].uri.query(), Some("limit=100&offset=0"));
}

#[tokio::test]
async fn push_connections_are_registered_listed_and_removed() {
    let setup = setup().await;
    let account = crate::brand().iys;
    let url = "https://hooks.example.com/iys".parse().unwrap();
    setup.iys.answer("/push/registration", Answer::json(200, json!({"message": "…"})));
    let pair = account.push.clone().unwrap();
    setup.client.register_push(&account, Channel::Mesaj, &url, &pair).await.unwrap();
    let target = json!({"url": "https://hooks.example.com/iys", "type": "MESAJ", "username": "iys", "password": "demo-iys-push"});
    assert_eq!(setup.iys.seen("/push/registration")[0].json(), json!({"connection": [target]}));

    let listed = json!([{"url": "https://hooks.example.com/iys", "type": "MESAJ", "registerTime": "2026-11-20 13:00:00", "status": "Bağlantı Oluşturuldu"}]);
    setup.iys.answer("/push/registration", Answer::json(200, listed));
    let connection = setup.client.push_connections(&account).await.unwrap().remove(0);
    assert_eq!((connection.channel, connection.status.as_deref()), (Some(Channel::Mesaj), Some("Bağlantı Oluşturuldu")));

    setup.iys.answer("/push/unregistration", Answer::json(200, json!({"message": "…"})));
    setup.client.unregister_push(&account, Channel::Mesaj, &url, &pair).await.unwrap();
    assert_eq!(setup.iys.seen("/push/unregistration")[0].json(), target);

    setup.iys.answer("/push/registration", Answer::error(422, "H531"));
    let error = setup.client.register_push(&account, Channel::Mesaj, &url, &pair).await.unwrap_err();
    assert!(error.to_string().contains("H531"), "{error}");
}

#[tokio::test]
async fn brands_are_listed_with_numbers_or_texts() {
    let setup = setup().await;
    let body = json!([
        {"brandCode": "700001", "name": "Main", "master": "true", "stats": {"consents": {"approval": 22, "rejection": "0", "total": 22}, "retailers": {"total": 4}}},
        {"brandCode": 700002, "name": "Second", "master": false},
    ]);
    setup.iys.answer("/sps/700001/brands", Answer::json(200, body));
    let brands = setup.client.brands(&crate::brand().iys).await.unwrap();
    assert_eq!((brands[0].brand_code, brands[0].master, brands[0].approvals, brands[0].rejections), (700_001, true, Some(22), Some(0)));
    assert_eq!((brands[1].brand_code, brands[1].master, brands[1].total), (700_002, false, None));
}

#[tokio::test]
async fn a_slow_answer_within_the_timeout_is_an_answer() {
    let setup = setup().await;
    let slow = Answer::After(Duration::from_millis(50), Box::new(Answer::error(400, "H174")));
    assert_eq!(add(&setup, slow).await.unwrap(), Verdict::Refused(code("H174")));
}
