//! A brand changes its registry: nothing is lost, sent as something else, or dated anew.

use jiff::SignedDuration;
use serde_json::json;
use shared::consent::{Status, Sync};
use shared::registry::{Feed, Verdict};
use shared::sync::outcome::Told;
use shared::sync::pull::trail_name;

use crate::world::{World, brand};
use crate::{mysoft, netgsm, verimor};

const SAID: &str = "2026-11-20 12:59:00";
const NETGSM_ADD: &str = "/iys/add";
const NETGSM_SEARCH: &str = "/iys/search";
const MYSOFT_STATUS: &str = "/api/Etk/checkRecipientStatus";
const MYSOFT_ADD: &str = "/api/Etk/sendConsentBatch";

fn held(number: usize) -> String {
    json!({"succeed": true, "data": [{"recipient": format!("+9059920{number:05}"), "type": "MESAJ", "recipientType": "BIREYSEL",
        "status": "ONAY", "source": "HS_WEB", "consentDate": SAID, "portalStatus": "IYSDE_KAYITLI"}]})
    .to_string()
}

const NONE: &str = r#"{"succeed":false,"data":null,"errorCode":"HM404"}"#;

#[tokio::test]
async fn what_is_under_way_at_the_old_registry_is_settled_by_what_the_new_one_shows() {
    let mut world = World::at(netgsm::settings()).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer(NETGSM_ADD, 200, r#"{"code":"0","uid":"59a3ec87"}"#);
    assert_eq!(world.carry(1..=2).await, 0);
    let submission = world.submission_of(1).await;
    world.moves_to(mysoft::settings());
    world.clock.advance(SignedDuration::from_mins(20));
    world.office.will_answer("/oauth/token", 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    // One of them has arrived, by the old road.
    for answer in [held(1), NONE.to_owned()] {
        world.office.will_answer(MYSOFT_STATUS, 200, answer);
    }
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("applied", "submitted"));
    assert!(world.office.came_to("/api/Etk/checkBatchConsentStatus").is_empty(), "nobody is asked for another's list");
    // The other never does: after a day it goes by the new road, as it was said.
    world.clock.advance(SignedDuration::from_hours(24));
    world.office.will_answer(MYSOFT_STATUS, 200, NONE);
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(2).await, "pending");
    world.office.will_answer(MYSOFT_ADD, 200, r#"{"succeed":true,"data":{"referanceKey":"ref-1"}}"#);
    assert_eq!(world.carry([2]).await, 0);
    let sent = world.office.came_to(MYSOFT_ADD)[0].json();
    assert_eq!(sent["consentDataList"].as_array().unwrap().len(), 1);
    assert_eq!(sent["consentDataList"][0]["consentDate"], SAID);
    assert_eq!(
        (world.state(1).await.head.consent_date.to_string(), world.state(2).await.head.consent_date.to_string()),
        (SAID.into(), SAID.into())
    );
}

#[tokio::test]
async fn a_refusal_under_way_is_not_ended_by_a_copy_that_shows_no_consent_and_goes_again_after_a_day() {
    let mut world = World::at(netgsm::settings()).await;
    world.says([1], Status::Ret, SAID).await;
    let held = json!({"code": "0", "query": {"recipient": "+905992000001", "recipientType": "BIREYSEL", "type": "MESAJ", "status": "ONAY",
        "source": "HS_WEB", "consentDate": "2026-11-01 10:00:00"}});
    world.office.will_answer(NETGSM_SEARCH, 200, held.to_string());
    world.office.will_answer(NETGSM_ADD, 200, r#"{"code":"0","uid":"59a3ec87"}"#);
    assert_eq!(world.carry([1]).await, 0);
    let submission = world.submission_of(1).await;
    world.moves_to(mysoft::settings());
    world.office.will_answer("/oauth/token", 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    for (hours, stands) in [(1, "submitted"), (24, "pending")] {
        world.clock.advance(SignedDuration::from_hours(hours));
        world.office.will_answer(MYSOFT_STATUS, 200, NONE);
        assert!(world.look_after(&submission).await);
        assert_eq!(world.stands(1).await, stands);
    }
}

#[tokio::test]
async fn where_the_new_registry_shows_nothing_a_day_is_left_to_the_old_one() {
    let mut world = World::at(netgsm::settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(NETGSM_ADD, 200, r#"{"code":"0","uid":"59a3ec87"}"#);
    world.carry([1]).await;
    let submission = world.submission_of(1).await;
    world.moves_to(verimor::settings());
    world.clock.advance(SignedDuration::from_hours(12));
    assert!(world.look_after(&submission).await);
    assert!(matches!(world.state(1).await.registry, Sync::Submitted { .. }));
    world.clock.advance(SignedDuration::from_hours(13));
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "pending");
    assert_eq!(world.office.desk().came.len(), 1, "nothing but the first list went out");
}

#[tokio::test]
async fn a_list_from_a_brands_own_time_at_iys_is_not_asked_for_at_its_integrator() {
    let mut world = World::at(verimor::settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer("/v2/iys_consents.json", 200, "20212");
    world.carry([1]).await;
    let submission = world.submission_of(1).await;
    world.moves_to(netgsm::settings());
    world.clock.advance(SignedDuration::from_mins(20));
    let found = json!({"code": "0", "query": {"recipient": "+905992000001", "recipientType": "BIREYSEL", "type": "MESAJ", "status": "ONAY",
        "source": "HS_WEB", "consentDate": SAID}});
    world.office.will_answer(NETGSM_SEARCH, 200, found.to_string());
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "applied");
}

/// Somebody at Verimor has left for another registry, and two consents are under way in a list of theirs.
async fn left_verimor_for(registry: serde_json::Value) -> (World, String) {
    let mut world = World::at(verimor::settings()).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer("/v2/iys_consents.json", 200, "20212");
    assert_eq!(world.carry(1..=2).await, 0);
    let submission = world.submission_of(1).await;
    world.moves_and_names_the_former(registry);
    world.clock.advance(SignedDuration::from_mins(6));
    (world, submission)
}

const VERIMOR_RESULTS: &str = "/v2/iys/campaigns/20212/consents";

#[tokio::test]
async fn the_registry_that_was_left_is_asked_what_became_of_its_list_as_long_as_the_document_names_it() {
    let (world, submission) = left_verimor_for(netgsm::settings()).await;
    world.office.will_answer(VERIMOR_RESULTS, 200, include_str!("../fixtures/verimor/results.json"));
    assert!(world.look_after(&submission).await);
    // One was refused: nobody waits a day for it.
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("applied", "H155"));
    assert!(world.office.came_to(NETGSM_SEARCH).is_empty());
    assert_eq!(world.ledger.submission(&world.brand.name, &submission).await.unwrap(), None, "nothing of it is left");
}

#[tokio::test]
async fn where_the_registry_that_was_left_answers_no_more_what_is_held_tells() {
    let (world, submission) = left_verimor_for(netgsm::settings()).await;
    world.office.will_answer(VERIMOR_RESULTS, 401, "no allowed IP configured");
    let row = |number: usize, status: &str| {
        json!({"recipient": format!("+9059920{number:05}"), "recipientType": "BIREYSEL", "type": "MESAJ", "status": status,
            "source": "HS_WEB", "consentDate": SAID})
    };
    let found = json!({"code": "0", "query": [row(1, "ONAY"), row(2, "RET")]});
    world.office.will_answer(NETGSM_SEARCH, 200, found.to_string());
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("applied", "submitted"));
    assert!(world.ledger.standing(&world.brand.name).await.unwrap().stop.is_none(), "its refusal is no word on the brand's new road");
}

#[tokio::test]
async fn a_callback_about_a_list_of_the_registry_that_was_left_settles_its_record_and_frees_what_waits_behind() {
    let mut world = World::at(netgsm::settings()).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer(NETGSM_ADD, 200, r#"{"code":"0","uid":"59a3ec87"}"#);
    assert_eq!(world.carry(1..=2).await, 0);
    world.moves_and_names_the_former(mysoft::settings());
    // Newer than what is under way: it waits for its result.
    const LATER: &str = "2026-11-20 12:59:30";
    world.says([2], Status::Ret, LATER).await;
    assert_eq!(world.carry([2]).await, 0);
    assert!(world.state(2).await.behind.is_some());
    let told = |number, verdict| Told {
        key: world.key(number),
        status: Status::Onay,
        consent_date: SAID.parse().unwrap(),
        reference: Some("59a3ec87".to_owned()),
        verdict,
    };
    assert!(world.hear(&told(1, Verdict::Refused("H155".parse().unwrap()))).await);
    assert!(world.hear(&told(2, Verdict::Recorded { transaction_id: None })).await);
    assert_eq!(world.stands(1).await, "H155");
    let freed = world.state(2).await;
    assert!(
        freed.behind.is_none() && freed.registry_holds_onay() && matches!(freed.registry, Sync::Pending { .. }),
        "{:?}",
        freed.registry
    );
    world.office.will_answer("/oauth/token", 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    world.office.will_answer(MYSOFT_ADD, 200, r#"{"succeed":true,"data":{"referanceKey":"ref-1"}}"#);
    assert_eq!(world.carry([2]).await, 0);
    assert_eq!(world.office.came_to(MYSOFT_ADD)[0].json()["consentDataList"][0]["consentDate"], LATER);
}

#[tokio::test]
async fn where_the_new_registry_shows_nothing_the_one_that_was_left_is_asked_what_is_held() {
    let mut world = World::at(netgsm::settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(NETGSM_ADD, 200, r#"{"code":"0","uid":"59a3ec87"}"#);
    world.carry([1]).await;
    let submission = world.submission_of(1).await;
    world.moves_and_names_the_former(verimor::settings());
    world.clock.advance(SignedDuration::from_mins(20));
    let found = json!({"code": "0", "query": {"recipient": "+905992000001", "recipientType": "BIREYSEL", "type": "MESAJ", "status": "ONAY",
        "source": "HS_WEB", "consentDate": SAID}});
    world.office.will_answer(NETGSM_SEARCH, 200, found.to_string());
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "applied");
}

#[test]
fn each_registry_keeps_its_own_place_in_its_feeds() {
    let own = shared::brand::Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    let names = [own, brand(&verimor::settings()), brand(&mysoft::settings())].map(|brand| trail_name(&brand, Feed::People));
    assert_eq!(names, ["people", "verimor-people", "mysoft-people"]);
}

#[tokio::test]
async fn after_a_move_everything_is_compared_once_and_a_brand_that_stays_is_left_alone() {
    let mut world = World::at(netgsm::settings()).await;
    let full = async |world: &World| world.ledger.verification(&world.brand.name).await.unwrap().full_since;
    world.note_road().await;
    let first = full(&world).await;
    assert!(first.is_some(), "from its own API user to an integrator");
    world.clock.advance(SignedDuration::from_hours(1));
    world.note_road().await;
    assert_eq!(full(&world).await, first);
    world.moves_to(mysoft::settings());
    world.note_road().await;
    assert!(full(&world).await > first);
}
