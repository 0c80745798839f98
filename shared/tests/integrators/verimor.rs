//! Verimor's calls and its callback, by the answers that its guide shows, and a brand's records through it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Status, Sync};
use shared::integrators::{Notice, NoticeError, read_notices};
use shared::registry::{Feed, RegistryError, Submitted, Verdict};

use crate::world::{MESAJ, World, brand, record};

const ADD: &str = "/v2/iys_consents.json";
const LIST: &str = "/v2/iys/campaigns";
const SAID: &str = "2026-11-20 12:59:00";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/verimor/", $name, ".json"))
    };
}

pub(crate) fn settings() -> Value {
    json!({
        "kind": "verimor", "username": "908500000000", "password": "verimor-secret", "sourceAddr": "MYBRAND",
        "addsPerMinute": 60_000, "readsPerMinute": 60_000, "callbackSecret": "hook-secret",
    })
}

fn records_of(campaign: u64) -> String {
    format!("{LIST}/{campaign}/consents")
}

#[tokio::test]
async fn a_list_goes_out_without_the_plus_and_is_known_by_its_number() {
    let world = World::at(settings()).await;
    world.office.will_answer(ADD, 200, "20212\n");
    let submitted = world.registry.submit(&[record(1, Status::Onay)]).await.unwrap();
    let Submitted::Taken { request_id, record_ids, .. } = submitted else { panic!("{submitted:?}") };
    assert_eq!(request_id, "20212");
    assert!(record_ids[0].as_ref().is_some_and(|id| !id.contains("5992000001")), "what is kept says nothing of the address");
    let body = world.office.came_to(ADD)[0].json();
    assert_eq!((&body["username"], &body["source_addr"]), (&json!("908500000000"), &json!("MYBRAND")));
    let consent = json!({"type": "MESAJ", "source": "HS_WEB", "status": "ONAY", "recipient_type": "BIREYSEL", "consent_date": SAID,
        "recipient": "905992000001"});
    assert_eq!(body["consents"], json!([consent]));
}

#[tokio::test]
async fn a_word_of_refusal_is_the_brands_the_records_or_ours() {
    let world = World::at(settings()).await;
    let list = [record(1, Status::Onay), record(2, Status::Onay)];
    for (word, why) in [
        ("AHS_AUTHORIZATION_ERROR", Hold::Authority),
        ("MISSING_IYS_BRAND_CODE", Hold::Configuration),
        ("INVALID_SOURCE_ADDRESS", Hold::Configuration),
    ] {
        world.office.will_answer(ADD, 400, word);
        let error = world.registry.submit(&list).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Held { why: found, code } if *found == why && code.ends_with(word)), "{error}");
    }
    for word in ["INVALID_CONSENT_DATE", "INVALID_RECIPIENT"] {
        world.office.will_answer(ADD, 400, format!("Hata: {word}"));
        let refused = Submitted::RefusedForSome(format!("VERIMOR-{word}").parse().unwrap());
        assert_eq!(world.registry.submit(&list).await.unwrap(), refused);
    }
    // A word that nobody knows judges no record.
    for (status, word) in [(400, "SOMETHING_NEW +905992000001"), (400, "INVALID_JSON"), (413, "")] {
        world.office.will_answer(ADD, status, word);
        let error = world.registry.submit(&list).await.unwrap_err();
        assert!(matches!(error, RegistryError::Defect { .. }) && !error.to_string().contains("599"), "{error}");
    }
    world.office.will_answer(ADD, 401, "no allowed IP configured");
    assert!(matches!(world.registry.submit(&list).await, Err(RegistryError::Held { why: Hold::Credentials, .. })));
    world.office.will_answer(ADD, 200, "<html>");
    assert!(matches!(world.registry.submit(&list).await, Err(RegistryError::Unanswered { .. })));
}

#[tokio::test]
async fn verdicts_are_polled_and_find_their_records_by_address() {
    let world = World::at(settings()).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, "20212");
    assert_eq!(world.carry(1..=2).await, 0);
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_mins(6));
    world.office.will_answer(&records_of(20_212), 200, fixture!("results-pending"));
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("submitted", "submitted"));
    world.clock.advance(SignedDuration::from_mins(30));
    world.office.will_answer(&records_of(20_212), 200, fixture!("results"));
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("applied", "H155"));
    let came = &world.office.came_to(&records_of(20_212))[0];
    assert!(came.method == "GET" && came.query.contains("username=908500000000&password=verimor-secret&offset=0&limit=100"));
}

#[tokio::test]
async fn results_of_many_come_by_pages() {
    let world = World::at(settings()).await;
    let page = |from: usize, to: usize| {
        let row = |number: usize| {
            json!({"type": "MESAJ", "source": "HS_WEB", "recipient": format!("9059920{number:05}"), "status": "ONAY",
                "consent_date": "2026-11-20T12:59:00.000+03:00", "recipient_type": "BIREYSEL", "request_status": "Başarılı"})
        };
        json!({"total": 150, "status": "Tamamlandı", "records": (from..to).map(row).collect::<Vec<_>>()}).to_string()
    };
    world.office.will_answer(&records_of(7), 200, page(0, 100));
    world.office.will_answer(&records_of(7), 200, page(100, 150));
    let lines = world.registry.results("7").await.unwrap();
    assert!(lines.len() == 150 && lines.iter().all(|line| line.verdict == Some(Verdict::Recorded { transaction_id: None })));
    assert!(world.office.came_to(&records_of(7))[1].query.contains("offset=100"));
}

#[tokio::test]
async fn the_days_of_what_people_did_are_read_oldest_first_once_they_are_finished() {
    let world = World::at(settings()).await;
    world.office.will_answer(LIST, 200, fixture!("campaigns"));
    world.office.will_answer(&records_of(1234), 200, fixture!("citizens"));
    let page = world.registry.changes(Feed::People, None).await.unwrap();
    assert_eq!((page.cursor.as_deref(), page.more, page.changes.len()), (Some("1234"), true, 1));
    assert_eq!((page.changes[0].holding.status, page.changes[0].holding.source.as_str()), (Status::Ret, "IYS_MOBIL"));
    assert_eq!(page.changes[0].holding.consent_date.unwrap().to_string(), "2026-11-18 09:10:11");
    assert!(world.office.came_to(LIST)[0].query.ends_with("source=iys"));
    // The next day's list is not finished: it is read again later.
    world.office.will_answer(LIST, 200, fixture!("campaigns"));
    world.office.will_answer(&records_of(1300), 200, fixture!("results-pending"));
    let page = world.registry.changes(Feed::People, Some("1234")).await.unwrap();
    assert_eq!((page.cursor, page.more, page.changes.len()), (None, false, 0));
    world.office.will_answer(LIST, 200, fixture!("campaigns"));
    assert_eq!(world.registry.changes(Feed::People, Some("1300")).await.unwrap().cursor, None);
}

#[tokio::test]
async fn without_any_question_a_refusal_goes_unasked_and_what_is_late_has_nothing_to_stand_on() {
    let world = World::at(settings()).await;
    world.says([1], Status::Ret, SAID).await;
    world.says([2], Status::Onay, "2026-11-02 12:00:00").await;
    world.says([3], Status::Ret, "2026-11-02 12:00:00").await;
    world.office.will_answer(ADD, 200, "1");
    assert_eq!(world.carry(1..=3).await, 0);
    assert_eq!(world.office.came_to(ADD)[0].json()["consents"].as_array().unwrap().len(), 1);
    let stands = [world.stands(1).await, world.stands(2).await, world.stands(3).await];
    assert_eq!(stands, ["submitted", "H467", "H467"]);
    assert_eq!(world.state(2).await.insider_status(), Some(Status::Ret));
    // İYS knew of nothing to lift.
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_mins(6));
    let told = fixture!("results").replace("905992000002", "905992000009").replacen(
        "\"Başarılı\"",
        "\"Başarısız\", \"request_error\": \"H175 …\"",
        1,
    );
    world.office.will_answer(&records_of(1), 200, told);
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "not_registered");
}

#[tokio::test]
async fn what_iys_holds_that_is_newer_cannot_be_fetched_and_is_said() {
    let world = World::at(settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, "1");
    world.carry([1]).await;
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_mins(6));
    let told = fixture!("results").replacen("\"Başarılı\"", "\"Başarısız\", \"request_error\": \"H178 …\"", 1);
    world.office.will_answer(&records_of(1), 200, told);
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.state(1).await.insider_status()), ("H178", Some(Status::Ret)));
}

#[tokio::test]
async fn invariant_10_one_bad_record_of_a_list_is_found_by_halves() {
    let world = World::at(settings()).await;
    world.says(1..=8, Status::Onay, SAID).await;
    // Eight, four, two, one of them; then the rest.
    for word in ["INVALID_RECIPIENT", "INVALID_RECIPIENT", "INVALID_RECIPIENT", "INVALID_RECIPIENT"] {
        world.office.will_answer(ADD, 400, word);
    }
    for campaign in ["1", "2", "3"] {
        world.office.will_answer(ADD, 200, campaign);
    }
    assert_eq!(world.carry(1..=8).await, 0);
    let sizes: Vec<_> = world.office.came_to(ADD).iter().map(|came| came.json()["consents"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [8, 4, 2, 1, 1, 2, 4]);
    let mut refused = 0;
    for number in 1..=8 {
        match world.state(number).await.registry {
            Sync::Rejected { code, .. } => {
                assert_eq!(code, "VERIMOR-INVALID_RECIPIENT");
                refused += 1;
            }
            other => assert!(matches!(other, Sync::Submitted { .. }), "{other:?}"),
        }
    }
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn nothing_is_compared_where_nothing_tells_what_is_held() {
    let world = World::at(settings()).await;
    let verified = world.verify().await;
    assert!(!verified.is_complete && world.office.desk().came.is_empty());
}

#[tokio::test]
async fn a_harmless_question_shows_whether_user_and_address_are_taken() {
    let world = World::at(settings()).await;
    world.office.will_answer(LIST, 200, fixture!("campaigns"));
    world.registry.probe(MESAJ).await.unwrap();
    world.office.will_answer(LIST, 401, "no allowed IP configured");
    assert!(matches!(world.registry.probe(MESAJ).await, Err(RegistryError::Held { why: Hold::Credentials, .. })));
}

#[test]
fn a_callback_is_only_a_pointer() {
    let brand = brand(&settings());
    let body = fixture!("callback").as_bytes();
    assert_eq!(read_notices(&brand, "key=hook-secret", body).unwrap().1, [Notice::Pointer]);
    assert_eq!(read_notices(&brand, "", body), Err(NoticeError::Unproved));
    let other = fixture!("callback").replace("MYBRAND", "OTHER");
    assert_eq!(read_notices(&brand, "key=hook-secret", other.as_bytes()).unwrap().1, [Notice::OfAnother]);
    assert_eq!(read_notices(&brand, "key=hook-secret", b"{}").unwrap().1, [Notice::Unreadable("iys_campaign_id")]);
}
