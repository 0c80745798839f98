//! Netgsm's two calls and its callback, by the answers that its pages show.

use std::collections::HashSet;

use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Retailers, Status};
use shared::integrators::{Notice, NoticeError, read_notices};
use shared::registry::{Proof, RegistryError, Submitted, Verdict};

use crate::world::{BIREYSEL, MESAJ, World, brand, phone, record};

pub(crate) const ADD: &str = "/iys/add";
pub(crate) const SEARCH: &str = "/iys/search";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/netgsm/", $name, ".json"))
    };
}
pub(crate) use fixture;

pub(crate) fn settings() -> Value {
    json!({
        "kind": "netgsm", "username": "8500000000", "password": "netgsm-secret", "callsPerMinute": 60_000, "callbackSecret": "hook-secret",
    })
}

fn refused(submitted: Submitted) -> Vec<(usize, String)> {
    let (Submitted::Taken { refused, .. } | Submitted::Refused(refused)) = submitted else { panic!("{submitted:?}") };
    refused.into_iter().map(|(at, code)| (at, code.to_string())).collect()
}

#[tokio::test]
async fn a_list_goes_out_with_credentials_and_brand_and_is_queued() {
    let world = World::at(settings()).await;
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    let mut with_dealers = record(2, Status::Onay);
    with_dealers.retailers = Retailers { code: Some(66_438_915), access: [66_438_915, 66_438_916].into() };
    let submitted = world.registry.submit(&[record(1, Status::Onay), with_dealers]).await.unwrap();
    let uid = "59a3ec87-bca0-4a11-8f00-0f6b2c5d7e11".to_owned();
    assert_eq!(submitted, Submitted::Taken { request_id: uid, record_ids: vec![None, None], refused: vec![] });
    let came = world.office.came_to(ADD).remove(0);
    let body = came.json();
    assert_eq!(body["header"], json!({"username": "8500000000", "password": "netgsm-secret", "brandCode": "700001"}));
    let first = json!({"type": "MESAJ", "source": "HS_WEB", "recipient": "+905992000001", "status": "ONAY",
        "consentDate": "2026-11-20 12:59:00", "recipientType": "BIREYSEL"});
    assert_eq!(body["body"]["data"][0], first);
    let dealers = &body["body"]["data"][1];
    assert_eq!((&dealers["retailerCode"], &dealers["retailerAccess"]), (&json!("66438915"), &json!("66438915,66438916")));
    assert!(came.authorization.unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn http_basic_can_be_left_out_and_an_application_key_added() {
    let mut settings = settings();
    settings["basic"] = false.into();
    settings["appKey"] = "app".into();
    let world = World::at(settings).await;
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    world.registry.submit(&[record(1, Status::Onay)]).await.unwrap();
    let came = world.office.came_to(ADD).remove(0);
    assert_eq!((came.authorization.clone(), &came.json()["header"]["appkey"]), (None, &json!("app")));
}

#[tokio::test]
async fn records_that_the_first_check_refuses_are_named_by_position_in_both_forms() {
    let world = World::at(settings()).await;
    world.office.will_answer(ADD, 200, fixture!("add-some-refused"));
    world.office.will_answer(ADD, 200, fixture!("add-all-refused"));
    let two = [record(1, Status::Onay), record(2, Status::Onay)];
    let some = world.registry.submit(&two).await.unwrap();
    assert!(matches!(&some, Submitted::Taken { .. }));
    assert_eq!(refused(some), [(1, "NETGSM-70".to_owned())]);
    let all = world.registry.submit(&two).await.unwrap();
    assert!(matches!(&all, Submitted::Refused(_)));
    assert_eq!(refused(all), [(0, "NETGSM-70".to_owned()), (1, "NETGSM-70".to_owned())]);
    // Without a position it may have been any of them.
    world.office.will_answer(ADD, 200, r#"{"code":70,"error":"…"}"#);
    assert_eq!(world.registry.submit(&two).await.unwrap(), Submitted::RefusedForSome("NETGSM-70".parse().unwrap()));
}

#[tokio::test]
async fn codes_that_concern_the_account_hold_the_brand_and_name_what_to_do() {
    let world = World::at(settings()).await;
    for (code, why) in [("30", Hold::Credentials), ("40", Hold::Subscription), ("60", Hold::Configuration)] {
        for path in [ADD, SEARCH] {
            world.office.will_answer(path, 200, format!(r#"{{"code":"{code}"}}"#));
        }
        let added = world.registry.submit(&[record(1, Status::Onay)]).await.unwrap_err();
        let asked = world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap_err();
        for error in [added, asked] {
            let RegistryError::Held { why: found, code: said } = error else { panic!("{error}") };
            assert_eq!((found, said.as_str()), (why, format!("NETGSM-{code}").as_str()));
        }
    }
}

#[tokio::test]
async fn what_passes_is_waited_out_and_what_may_have_landed_is_not_taken_for_refused() {
    let world = World::at(settings()).await;
    let one = [record(1, Status::Onay)];
    for (status, body) in [(200, r#"{"code":"80"}"#), (429, ""), (500, "")] {
        world.office.will_answer(ADD, status, body);
        let error = world.registry.submit(&one).await.unwrap_err();
        assert!(matches!(error, RegistryError::Busy { .. }), "{status}: {error}");
        world.clock.advance(jiff::SignedDuration::from_mins(2));
    }
    for (status, body) in [(502, ""), (200, "<html>")] {
        world.office.will_answer(ADD, status, body);
        let error = world.registry.submit(&one).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unanswered { .. }), "{status}: {error}");
    }
    // A question stores nothing.
    world.office.will_answer(SEARCH, 200, "<html>");
    assert!(matches!(world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await, Err(RegistryError::Defect { .. })));
}

#[tokio::test]
async fn only_consents_are_believed_of_an_answer_about_several() {
    let world = World::at(settings()).await;
    world.office.will_answer(SEARCH, 200, fixture!("search-several"));
    let asked = [phone(1), phone(2)];
    assert_eq!(world.registry.onays(MESAJ, BIREYSEL, &asked).await.unwrap(), HashSet::from([phone(1)]));
    let items = &world.office.came_to(SEARCH)[0].json()["body"]["data"];
    assert_eq!(items[1], json!({"type": "MESAJ", "recipient": "+905992000002", "recipientType": "BIREYSEL"}));
    // An answer that leaves somebody out says nothing of them.
    world.office.will_answer(SEARCH, 200, fixture!("search-several"));
    let three = [phone(1), phone(2), phone(3)];
    assert!(matches!(world.registry.onays(MESAJ, BIREYSEL, &three).await, Err(RegistryError::Defect { .. })));
    world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    assert_eq!(world.registry.onays(MESAJ, BIREYSEL, &asked[1..]).await.unwrap(), HashSet::new());
}

#[tokio::test]
async fn one_record_is_told_with_its_date_and_none_is_told_from_a_refusal() {
    let world = World::at(settings()).await;
    world.office.will_answer(SEARCH, 200, fixture!("search-one"));
    let holding = world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap().unwrap();
    assert_eq!((holding.status, holding.consent_date.unwrap().to_string().as_str()), (Status::Onay, "2026-11-20 11:05:09"));
    world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    assert_eq!(world.registry.holding(MESAJ, BIREYSEL, &phone(2)).await.unwrap(), None);
    // An array of one, with the refusal that may be no record.
    let row = r#"{"code":"0","query":[{"recipient":"+905992000002","recipientType":"BIREYSEL","type":"MESAJ","status":"RET","source":"","consentDate":""}]}"#;
    world.office.will_answer(SEARCH, 200, row);
    assert!(matches!(world.registry.holding(MESAJ, BIREYSEL, &phone(2)).await, Err(RegistryError::Defect { .. })));
}

#[tokio::test]
async fn no_error_shows_a_secret_or_an_address() {
    let world = World::at(settings()).await;
    for body in ["<html>+905992000001 netgsm-secret", r#"{"code":"99"}"#, r#"{"code":"0","query":{"status":"+905992000001"}}"#] {
        world.office.will_answer(SEARCH, 200, body);
        let error = world.registry.holding(MESAJ, BIREYSEL, &phone(1)).await.unwrap_err();
        for shown in [format!("{error}"), format!("{error:?}")] {
            assert!(!shown.contains("5992000001") && !shown.contains("netgsm-secret"), "{shown}");
        }
    }
}

#[test]
fn a_callback_needs_the_secret_in_its_address() {
    let brand = brand(&settings());
    let body = fixture!("callback-citizen-ret").as_bytes();
    let (proof, notices) = read_notices(&brand, "key=hook-secret", body).unwrap();
    assert_eq!(proof, Proof::UrlSecret);
    let [Notice::Change(change)] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!((&change.recipient, change.holding.status, change.holding.source.as_str()), (&phone(1), Status::Ret, "IYS_MOBIL"));
    for query in ["", "key=", "key=hook-secre", "key=x&key=hook-secret", "other=hook-secret"] {
        assert_eq!(read_notices(&brand, query, body), Err(NoticeError::Unproved), "{query}");
    }
    let mut without = settings();
    without.as_object_mut().unwrap().remove("callbackSecret");
    assert_eq!(read_notices(&crate::world::brand(&without), "key=", body), Err(NoticeError::NotTaken));
    assert_eq!(read_notices(&brand, "key=hook-secret", b"<html>"), Err(NoticeError::Form));
}

#[test]
fn a_callback_about_an_upload_says_what_became_of_it() {
    let brand = brand(&settings());
    let body = fixture!("callback-upload-failed");
    let (_, notices) = read_notices(&brand, "key=hook-secret", body.as_bytes()).unwrap();
    let [Notice::Outcome(outcome)] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!((&outcome.recipient, outcome.verdict.clone()), (&phone(1), Verdict::Refused("H155".parse().unwrap())));
    assert_eq!(outcome.reference.as_deref(), Some("59a3ec87-bca0-4a11-8f00-0f6b2c5d7e11"));
    let recorded = body.replace("failure", "success").replace("H155", "");
    let (_, notices) = read_notices(&brand, "key=hook-secret", recorded.as_bytes()).unwrap();
    assert!(matches!(notices.as_slice(), [Notice::Outcome(_), Notice::Change(_)]), "{notices:?}");
    let elsewhere = body.replace("\"700001\"", "\"700002\"");
    assert_eq!(read_notices(&brand, "key=hook-secret", elsewhere.as_bytes()).unwrap().1, [Notice::OfAnother]);
    let unnamed = body.replace("H155", "böyle bir kod yok");
    let (_, notices) = read_notices(&brand, "key=hook-secret", unnamed.as_bytes()).unwrap();
    assert!(matches!(&notices[0], Notice::Outcome(outcome) if outcome.verdict == Verdict::Refused("NETGSM-FAILED".parse().unwrap())));
    let mut silent = settings();
    silent["callbacksNameTheList"] = false.into();
    let (_, notices) = read_notices(&crate::world::brand(&silent), "key=hook-secret", body.as_bytes()).unwrap();
    assert!(matches!(&notices[0], Notice::Outcome(outcome) if outcome.reference.is_none()));
}
