//! Mysoft's calls and its callback, by the answers that its schema shows, and a brand's records through it.

use std::collections::HashSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Retailers, Status};
use shared::integrators::{Notice, NoticeError, read_notices};
use shared::registry::{Feed, Proof, RegistryError, Submitted};

use crate::world::{BIREYSEL, MESAJ, World, brand, phone, record};

pub(crate) const TOKEN: &str = "/oauth/token";
pub(crate) const ADD: &str = "/api/Etk/sendConsentBatch";
pub(crate) const RESULTS: &str = "/api/Etk/checkBatchConsentStatus";
pub(crate) const STATUS: &str = "/api/Etk/checkRecipientStatus";
const MOVEMENTS: &str = "/api/Etk/consentTransactionList";
const BRANDS: &str = "/api/Etk/checkTenantBrandsByTenantIdentifier";
const SAID: &str = "2026-11-20 12:59:00";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/mysoft/", $name, ".json"))
    };
}

pub(crate) fn settings() -> Value {
    json!({
        "kind": "mysoft", "clientId": "client", "clientSecret": "mysoft-secret", "tenant": "1234567890", "callsPerMinute": 60_000,
        "webHookKey": "0123456789ABCDEF",
    })
}

/// A brand whose calls have a token.
async fn signed_in() -> World {
    let world = World::at(settings()).await;
    world.office.will_answer(TOKEN, 200, fixture!("token"));
    world
}

fn refusal(code: &str) -> String {
    json!({"data": null, "succeed": false, "message": "+905992000001", "errorCode": code}).to_string()
}

#[tokio::test]
async fn a_token_is_asked_for_once_used_until_shortly_before_its_end_and_renewed_when_it_is_refused() {
    let world = signed_in().await;
    for _ in 0..2 {
        world.office.will_answer(STATUS, 200, fixture!("none"));
        world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap();
    }
    let tokens = || world.office.came_to(TOKEN);
    assert_eq!(tokens()[0].body, "client_id=client&client_secret=mysoft-secret&grant_type=client_credentials");
    assert_eq!((tokens().len(), world.office.came_to(STATUS)[0].authorization.as_deref()), (1, Some("Bearer mysoft-token")));
    // Refused once: renewed, and the call is sent again once.
    world.office.will_answer(STATUS, 401, "");
    world.office.will_answer(TOKEN, 200, fixture!("token").replace("mysoft-token", "another"));
    world.office.will_answer(STATUS, 200, fixture!("none"));
    world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap();
    assert_eq!((tokens().len(), world.office.came_to(STATUS)[3].authorization.as_deref()), (2, Some("Bearer another")));
    // At its end another one.
    world.clock.advance(SignedDuration::from_secs(280));
    world.office.will_answer(TOKEN, 400, r#"{"error":"invalid_client"}"#);
    let error = world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Held { why: Hold::Credentials, .. }), "{error}");
}

#[tokio::test]
async fn a_list_is_queued_without_those_that_the_first_check_refuses() {
    let world = signed_in().await;
    world.office.will_answer(ADD, 200, fixture!("accepted"));
    let submitted = world.registry.submit(&[record(1, Status::Onay), record(2, Status::Onay)]).await.unwrap();
    let Submitted::Taken { request_id, refused, .. } = submitted else { panic!("{submitted:?}") };
    assert_eq!((request_id.as_str(), refused), ("ref-1", vec![(1, "MYSOFT-HM422".parse().unwrap())]));
    let body = world.office.came_to(ADD)[0].json();
    assert_eq!((&body["tenantIdentifierNumber"], &body["brandCode"]), (&json!("1234567890"), &json!(700_001)));
    let consent = json!({"recipient": "+905992000001", "type": "MESAJ", "source": "HS_WEB", "status": "ONAY", "consentDate": SAID,
        "recipientType": "BIREYSEL"});
    assert_eq!(body["consentDataList"][0], consent);
    assert!(body["serviceReferanceKey"].as_str().is_some_and(|key| key.len() == 36));
}

#[tokio::test]
async fn the_envelope_counts_and_not_the_http_status() {
    let world = signed_in().await;
    let one = [record(1, Status::Onay)];
    world.office.will_answer(ADD, 200, refusal("HM422"));
    assert_eq!(world.registry.submit(&one).await.unwrap(), Submitted::RefusedForSome("MYSOFT-HM422".parse().unwrap()));
    world.office.will_answer(ADD, 200, refusal("HM400"));
    assert!(matches!(world.registry.submit(&one).await, Err(RegistryError::Busy { .. })));
    world.office.will_answer(ADD, 200, refusal("HM999"));
    let error = world.registry.submit(&one).await.unwrap_err();
    assert!(matches!(error, RegistryError::Defect { .. }) && !error.to_string().contains("599"), "{error}");
    for body in ["<html>", r#"{"succeed":true,"data":{}}"#] {
        world.office.will_answer(ADD, 200, body);
        assert!(matches!(world.registry.submit(&one).await, Err(RegistryError::Unanswered { .. })), "{body}");
    }
}

#[tokio::test]
async fn verdicts_are_polled_and_what_is_on_its_way_stays_so() {
    let world = signed_in().await;
    world.says(1..=3, Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, r#"{"succeed":true,"data":{"referanceKey":"ref-1","errorConsentList":null}}"#);
    assert_eq!(world.carry(1..=3).await, 0);
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_mins(6));
    world.office.will_answer(TOKEN, 200, fixture!("token"));
    world.office.will_answer(RESULTS, 200, fixture!("results"));
    assert!(world.look_after(&submission).await);
    let stands = [world.stands(1).await, world.stands(2).await, world.stands(3).await];
    assert_eq!(stands, ["applied", "H155", "submitted"]);
    assert_eq!(world.office.came_to(RESULTS)[0].json()["referanceKey"], "ref-1");
}

#[tokio::test]
async fn what_is_held_is_told_by_the_mirror_as_far_as_it_stands_at_iys() {
    let world = signed_in().await;
    world.office.will_answer(STATUS, 200, fixture!("status"));
    let holding = world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap().unwrap();
    assert_eq!((holding.status, holding.consent_date.unwrap().to_string().as_str()), (Status::Onay, "2026-11-19 11:00:00"));
    world.office.will_answer(STATUS, 200, fixture!("status"));
    world.office.will_answer(STATUS, 200, fixture!("none"));
    assert_eq!(world.registry.onays(MESAJ, BIREYSEL, &[phone(1), phone(2)]).await.unwrap(), HashSet::from([phone(1)]));
    // What is still on its way says neither yes nor no.
    world.office.will_answer(STATUS, 200, fixture!("status").replace("IYSDE_KAYITLI", "ISLENIYOR"));
    assert!(matches!(world.registry.onays(MESAJ, BIREYSEL, &[phone(1)]).await, Err(RegistryError::Busy { .. })));
    world.office.will_answer(STATUS, 200, fixture!("status").replace("IYSDE_KAYITLI", "HATA"));
    assert_eq!(world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap(), None);
}

#[tokio::test]
async fn movements_are_read_by_windows_of_days() {
    let world = signed_in().await;
    world.office.will_answer(MOVEMENTS, 200, fixture!("movements"));
    let page = world.registry.changes(Feed::People, None).await.unwrap();
    assert_eq!((page.changes.len(), page.more, page.cursor.as_deref()), (1, false, Some("2026-11-19:41")));
    let asked = world.office.came_to(MOVEMENTS)[0].json();
    assert_eq!((&asked["startDate"], &asked["endDate"], &asked["source"]), (&json!("2026-11-14"), &json!("2026-11-20"), &json!("IYS")));
    assert_eq!((&asked["afterValue"], &asked["limit"]), (&json!(0), &json!(1000)));
}

#[tokio::test]
async fn a_consent_with_dealers_cannot_be_told_and_is_refused_with_a_reason() {
    let world = signed_in().await;
    let offered = world.registry.capabilities();
    let mut with_dealers = record(1, Status::Onay);
    with_dealers.retailers = Retailers { code: Some(66_438_915), ..Retailers::default() };
    assert_eq!(offered.refusal(&with_dealers).unwrap().to_string(), "REGISTRY-NO-DEALERS");
    with_dealers.status = Status::Ret;
    assert_eq!(offered.refusal(&with_dealers), None, "a refusal goes in any case");
}

#[tokio::test]
async fn a_brand_that_mysoft_does_not_list_is_held() {
    let world = signed_in().await;
    let listed = |code: u64| json!({"succeed": true, "data": [{"iysBrandCode": code, "brandName": "Marka"}]}).to_string();
    world.office.will_answer(BRANDS, 200, listed(700_001));
    world.registry.probe(MESAJ).await.unwrap();
    world.office.will_answer(BRANDS, 200, listed(700_002));
    assert!(matches!(world.registry.probe(MESAJ).await, Err(RegistryError::Held { why: Hold::Configuration, .. })));
}

#[test]
fn a_callback_is_known_by_the_key_in_its_body_and_vouches_for_consents() {
    let brand = brand(&settings());
    let (proof, notices) = read_notices(&brand, "", fixture!("callback").as_bytes()).unwrap();
    assert!(proof == Proof::BodyKey && proof.vouches_for_consents());
    assert!(
        matches!(notices.as_slice(), [Notice::Change(change)] if change.holding.status == Status::Onay && change.recipient == phone(1))
    );
    // Date and source may stand outside.
    let outside = fixture!("callback")
        .replace("\"consentDate\": \"2026-11-20 09:10:11\", \"source\": \"IYS_WEB\",", "")
        .replace("\"brandCode\"", "\"consentDate\": \"2026-11-20 09:10:11\", \"source\": \"IYS_WEB\", \"brandCode\"");
    assert_eq!(read_notices(&brand, "", outside.as_bytes()).unwrap().1, notices);
    for key in ["0123456789ABCDE", "", "0123456789ABCDEFF"] {
        let other = fixture!("callback").replace("0123456789ABCDEF", key);
        assert_eq!(read_notices(&brand, "key=0123456789ABCDEF", other.as_bytes()), Err(NoticeError::Unproved), "{key}");
    }
    let other = fixture!("callback").replace("700001", "700002");
    assert_eq!(read_notices(&brand, "", other.as_bytes()).unwrap().1, [Notice::OfAnother]);
    assert_eq!(read_notices(&brand, "", b"[]"), Err(NoticeError::Form));
}
