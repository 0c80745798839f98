//! Callbacks of integrators: who is believed what.

use serde_json::{Value, json};
use shared::consent::{Channel, Origin, RecipientType, Status, Sync};
use shared::queue::PushMessage;

use crate::desk::Desk;

const PATH: &str = "/v1/demo/integrator/events?key=hook-secret";
const PHONE: &str = "+905992000001";

fn netgsm() -> Value {
    json!({"kind": "netgsm", "username": "8500000000", "password": "secret", "callbackSecret": "hook-secret"})
}

/// Netgsm's callback, as its library's page shows it.
fn told(status: &str, source: &str, date: &str) -> Value {
    json!({"iyscode": 700_001, "brandcode": 700_001, "type": "MESAJ", "source": source, "status": status, "consentdate": date,
        "recipienttype": "BIREYSEL", "retailercode": "", "retaileraccess": "", "submitid": "59a3ec87-bca0-4a11-8f00-0f6b2c5d7e11",
        "recipient": PHONE, "resultstatus": "success", "errcode": "", "errmsg": "", "creationdate": date})
}

async fn post(desk: &Desk, path: &str, body: &Value) -> (u16, Value) {
    let answer = desk.post(path, &[], body.to_string().into_bytes()).await;
    assert!(!answer.text.contains("5992000001"), "{}", answer.text);
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_refusal_that_a_person_gave_elsewhere_counts_at_once_and_once() {
    let desk = Desk::at_integrator(netgsm()).await;
    let body = told("RET", "IYS_MOBIL", "2026-11-20 12:30:11");
    let (status, answer) = post(&desk, PATH, &body).await;
    assert_eq!((status, &answer["accepted"], &answer["unconfirmed"]), (200, &json!(1), &json!(0)));
    assert_eq!(post(&desk, PATH, &body).await.0, 200);
    let story = desk.story(PHONE).await;
    assert_eq!((story.states[0].head.status, story.states[0].head.origin), (Status::Ret, Origin::Registry));
    assert_eq!(story.history.len(), 1, "told twice it is one");
    assert!(desk.push_messages().await.is_empty(), "what the registry said is not sent back to it");
}

#[tokio::test]
async fn a_consent_that_nothing_vouches_for_allows_nothing_until_the_registry_confirms_it() {
    let desk = Desk::at_integrator(netgsm()).await;
    for source in ["IYS_WEB", "HS_WEB"] {
        let date = if source == "HS_WEB" { "2026-11-20 12:40:00" } else { "2026-11-20 12:30:00" };
        let (status, answer) = post(&desk, PATH, &told("ONAY", source, date)).await;
        assert_eq!((status, &answer["unconfirmed"]), (200, &json!(1)), "{source}");
        let state = desk.story(PHONE).await.states.remove(0);
        assert_eq!((state.head.origin, state.known), (Origin::Notice, None));
        assert!(matches!(state.registry, Sync::Pending { .. }) && state.insider == Sync::Awaiting, "{state:?}");
    }
}

#[tokio::test]
async fn flag_callback_decides_by_its_proof_whether_a_consent_counts_at_once() {
    let mysoft = json!({"kind": "mysoft", "clientId": "c", "clientSecret": "s", "tenant": "1234567890", "webHookKey": "0123456789ABCDEF"});
    let proved = json!({"webHookKey": "0123456789ABCDEF", "brandCode": "700001", "consentData": {"recipient": PHONE, "type": "MESAJ",
        "recipientType": "BIREYSEL", "consentDate": "2026-11-20 12:30:11", "source": "IYS_WEB", "status": "ONAY"}});
    let only_a_secret = told("ONAY", "IYS_WEB", "2026-11-20 12:30:11");
    for (registry, body, unconfirmed, origin) in [(mysoft, proved, 0, Origin::Registry), (netgsm(), only_a_secret, 1, Origin::Notice)] {
        let desk = Desk::at_integrator(registry).await;
        let (status, answer) = post(&desk, PATH, &body).await;
        assert_eq!((status, &answer["accepted"], &answer["unconfirmed"]), (200, &json!(1), &json!(unconfirmed)));
        let state = desk.story(PHONE).await.states.remove(0);
        assert_eq!((state.head.origin, state.insider == Sync::Awaiting), (origin, unconfirmed == 1));
    }
}

#[tokio::test]
async fn what_became_of_an_upload_is_handed_on_by_ids_and_is_no_movement() {
    let desk = Desk::at_integrator(netgsm()).await;
    desk.says(PHONE, Channel::Mesaj, RecipientType::Bireysel, Status::Onay).await;
    desk.push_messages().await;
    let date = desk.story(PHONE).await.states[0].head.consent_date;
    let mut body = told("ONAY", "HS_WEB", &date.to_string());
    let (_, answer) = post(&desk, PATH, &body).await;
    assert_eq!((&answer["outcomes"], &answer["accepted"]), (&json!(1), &json!(0)));
    let messages = desk.push_messages().await;
    let [PushMessage::Verdict { status: Status::Onay, consent_date, reference: Some(reference), code: None, .. }] = messages.as_slice()
    else {
        panic!("{messages:?}")
    };
    assert_eq!((*consent_date, reference.as_str()), (date, "59a3ec87-bca0-4a11-8f00-0f6b2c5d7e11"));
    assert!(!serde_json::to_string(&messages).unwrap().contains("5992000001"));
    body["resultstatus"] = "failure".into();
    body["errcode"] = "H155".into();
    post(&desk, PATH, &json!([body])).await;
    let messages = desk.push_messages().await;
    assert!(matches!(messages.as_slice(), [PushMessage::Verdict { code: Some(code), .. }] if code.to_string() == "H155"), "{messages:?}");
    assert_eq!(desk.story(PHONE).await.history.len(), 1);
}

#[tokio::test]
async fn nothing_counts_without_the_secret_or_at_a_brand_without_an_integrator() {
    let desk = Desk::at_integrator(netgsm()).await;
    let body = told("RET", "IYS_MOBIL", "2026-11-20 12:30:11");
    for path in ["/v1/demo/integrator/events", "/v1/demo/integrator/events?key=wrong"] {
        assert_eq!(post(&desk, path, &body).await.0, 401);
    }
    assert!(desk.story(PHONE).await.states.is_empty());
    assert_eq!(desk.post(PATH, &[], b"<html>".to_vec()).await.status, 400);
    assert_eq!(post(&Desk::new(json!({})).await, PATH, &body).await.0, 404);
}

#[tokio::test]
async fn the_registry_that_a_brand_has_left_is_heard_as_long_as_the_document_names_it() {
    let body = told("RET", "IYS_MOBIL", "2026-11-20 12:30:11");
    let mysoft = json!({"kind": "mysoft", "clientId": "c", "clientSecret": "s", "tenant": "1234567890", "webHookKey": "mysoft-key"});
    for registry in [json!({"kind": "iys"}), mysoft] {
        let desk = Desk::with(|document| {
            document["iys"]["mutabakat"] = false.into();
            document["iys"]["pushService"] = false.into();
            document["iys"]["push"] = Value::Null;
            document["registry"] = registry;
            document["formerRegistry"] = netgsm();
        })
        .await;
        // To the registry that the brand has now the body may be none of its.
        let unproved = post(&desk, "/v1/demo/integrator/events?key=wrong", &body).await.0;
        assert!([400, 401].contains(&unproved) && desk.story(PHONE).await.states.is_empty(), "{unproved}");
        let (status, answer) = post(&desk, PATH, &body).await;
        assert_eq!((status, &answer["accepted"]), (200, &json!(1)));
        assert_eq!(desk.story(PHONE).await.states[0].head.status, Status::Ret);
    }
}
