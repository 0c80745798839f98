//! A brand's book where the registry tells nothing of what it holds: each row is registered or refused with a reason,
//! and nothing is asked.

use serde_json::{Value, json};
use shared::answers::ImportAnswer;
use shared::consent::{Origin, Status, Sync};
use shared::sync::import::Import;

use crate::netgsm::SEARCH;
use crate::world::{GRACE, MESAJ, World, phone};
use crate::{mysoft, netgsm, verimor};

const ADD: &str = "/v2/iys_consents.json";
const RECENT: &str = "2026-11-20 12:00:00";
const OLD: &str = "2022-03-01 12:00:00";

impl World {
    async fn import(&self, rows: &[Value], dry_run: bool) -> ImportAnswer {
        let (guard, clock) = (self.guard(), self.clock.clock());
        let import = Import {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &guard,
            clock: &clock,
            grace: GRACE,
            tell_insider: false,
            dry_run,
        };
        let answer = import.run(rows.to_vec()).await;
        assert!(answer.unfinished.rows.is_empty() && !serde_json::to_string(&answer).unwrap().contains("5992"), "{answer:?}");
        answer
    }

    async fn has_state(&self, number: usize) -> bool {
        self.ledger.state(&self.key(number)).await.unwrap().is_some()
    }
}

fn row(number: usize, status: &str, source: &str, date: &str) -> Value {
    json!({"recipient": format!("+9059920{number:05}"), "type": "MESAJ", "status": status, "source": source, "consentDate": date})
}

/// The refused rows: place, code, field, whether it is kept.
fn refused(answer: &ImportAnswer) -> Vec<(usize, &str, &str, bool)> {
    assert!(answer.refused.iter().all(|row| !row.rule.en.is_empty() && !row.rule.tr.is_empty() && row.rule.en != row.rule.tr));
    answer.refused.iter().map(|row| (row.row, row.code.as_str(), row.field.as_str(), row.kept)).collect()
}

#[tokio::test]
async fn what_is_in_time_is_registered_and_everything_else_is_refused_with_its_reason() {
    let world = World::at(verimor::settings()).await;
    let mut of_a_dealer = row(7, "ONAY", "HS_WEB", RECENT);
    of_a_dealer["retailerCode"] = json!(66_438_915);
    let rows = [
        row(1, "ONAY", "HS_WEB", RECENT),
        row(2, "RET", "HS_WEB", RECENT),
        row(3, "ONAY", "HS_WEB", OLD),
        row(4, "ONAY", "HS_2015", ""),
        row(5, "ONAY", "IYS_WEB", RECENT),
        row(6, "RET", "HS_WEB", OLD),
        of_a_dealer,
        json!({"recipient": "+4915112345678", "type": "MESAJ", "status": "ONAY", "source": "HS_WEB", "consentDate": RECENT}),
        row(8, "RET", "IYS_WEB", RECENT),
    ];
    let rows = rows.map(|mut row| {
        row.as_object_mut().unwrap().retain(|_, value| value != "");
        row
    });
    let expected = [
        (2, "REGISTRY-CANNOT-ASK", "consentDate", false),
        (3, "REGISTRY-CANNOT-ASK", "consentDate", false),
        (4, "REGISTRY-CANNOT-ASK", "source", false),
        (5, "H467", "consentDate", true),
        (6, "REGISTRY-NO-DEALERS", "", true),
        (7, "REGISTRY-NO-FOREIGN-NUMBERS", "", true),
        (8, "H119", "", true),
    ];
    let dry = world.import(&rows, true).await;
    assert_eq!((refused(&dry), dry.counts.asked), (expected.into_iter().filter(|row| !row.3).collect(), 0));
    let answer = world.import(&rows, false).await;
    assert_eq!(refused(&answer), expected);
    let counts = &answer.counts;
    assert_eq!((counts.rows, counts.accepted, counts.asked, counts.at_iys, counts.to_push), (9, 6, 0, 0, 2));
    assert_eq!(counts.rejected["REGISTRY-CANNOT-ASK"], 3);
    assert!(world.office.desk().came.is_empty(), "nothing can be asked");
    for number in 3..=5 {
        assert!(!world.has_state(number).await, "what nobody can confirm leaves no trace");
    }
    // Every refusal is for Insider, and no consent before its verdict.
    let fresh = world.state(1).await;
    assert_eq!((&fresh.insider, fresh.insider_status()), (&Sync::Awaiting, None));
    for number in [2, 6, 8] {
        let state = world.state(number).await;
        assert!(state.insider.due().is_some() && state.insider_status() == Some(Status::Ret), "{number}");
    }
    // What is left goes in one list, and is then under way and no more.
    world.office.will_answer(ADD, 200, "20212");
    assert_eq!(world.carry(1..=8).await, 0);
    let sent = world.office.came_to(ADD);
    assert_eq!((sent.len(), sent[0].json()["consents"].as_array().unwrap().len()), (1, 2));
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("submitted", "submitted"));
    assert_eq!(world.state(1).await.insider, Sync::Awaiting);
    // Again it says the same, and nothing is new.
    let again = world.import(&rows, false).await;
    assert_eq!((again.counts.accepted, again.counts.duplicate, refused(&again).len()), (0, 6, 7));
}

#[tokio::test]
async fn a_late_consent_is_taken_where_the_ledger_knows_that_one_stands_there() {
    let world = World::at(verimor::settings()).await;
    let told = |number| {
        let mut movement = world.movement(phone(number), MESAJ, (Status::Onay, OLD), Origin::Registry);
        movement.head.source = "IYS_WEB".parse().unwrap();
        movement
    };
    world.take(vec![told(1)]).await;
    let answer = world.import(&[row(1, "ONAY", "HS_WEB", "2022-03-02 12:00:00"), row(2, "ONAY", "HS_WEB", OLD)], false).await;
    assert_eq!((refused(&answer).len(), answer.counts.accepted, answer.counts.rejected["REGISTRY-CANNOT-ASK"]), (1, 1, 1));
    assert_eq!(world.carry([1]).await, 0);
    assert_eq!(world.stands(1).await, "already_there");
    assert!(world.office.desk().came.is_empty());
}

#[tokio::test]
async fn a_consent_that_was_taken_in_time_is_told_before_when_its_row_comes_again_too_late() {
    let world = World::at(verimor::settings()).await;
    let rows = [row(1, "ONAY", "HS_WEB", RECENT)];
    world.import(&rows, false).await;
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 10));
    let again = world.import(&rows, false).await;
    assert_eq!((again.counts.duplicate, again.counts.rejected.len()), (1, 0));
}

#[tokio::test]
async fn where_the_registry_can_be_asked_a_late_consent_is_asked_about_as_ever() {
    let world = World::at(netgsm::settings()).await;
    world.office.will_answer(SEARCH, 200, netgsm::fixture!("search-one"));
    let answer = world.import(&[row(1, "ONAY", "HS_WEB", OLD)], false).await;
    assert_eq!((answer.counts.asked, answer.counts.at_iys, refused(&answer).len()), (1, 1, 0));
    assert_eq!(world.office.came_to(SEARCH).len(), 1);
}

#[tokio::test]
async fn what_no_registry_of_the_brand_carries_is_refused_at_once_and_not_said_to_be_sent() {
    let world = World::at(mysoft::settings()).await;
    world.office.will_answer(mysoft::TOKEN, 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    world.office.will_answer(mysoft::STATUS, 200, r#"{"succeed":false,"data":null,"errorCode":"HM404"}"#);
    let mut of_a_dealer = row(1, "ONAY", "HS_WEB", RECENT);
    of_a_dealer["retailerCode"] = json!(66_438_915);
    let answer = world.import(&[of_a_dealer], false).await;
    assert_eq!((refused(&answer), answer.counts.to_push), (vec![(0, "REGISTRY-NO-DEALERS", "", true)], 0));
}
