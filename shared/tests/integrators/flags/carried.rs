//! What a registry does not carry at all: it is refused here, with a code of its own, and costs no call.

use shared::consent::{Channel, Origin, Recipient, Retailers, Status, Sync};

use super::{Change, SAID, announcing};
use crate::netgsm::{ADD, SEARCH, fixture, settings};
use crate::world::{MESAJ, World, phone};

/// What becomes of one record, and how often the registry was called.
async fn fate(change: Change, recipient: Recipient, status: Status, retailers: Retailers) -> (String, usize) {
    let world: World = announcing(settings(), change).await;
    let mut movement = world.movement(recipient, MESAJ, (status, SAID), Origin::Api);
    movement.head.retailers = retailers;
    let key = movement.key.clone();
    world.take(vec![movement]).await;
    // It holds a consent, so that a refusal has something to lift.
    let found = r#"{"code":"0","query":{"recipient":"+905992000001","recipientType":"BIREYSEL","type":"MESAJ","status":"ONAY","source":"",
        "consentDate":""}}"#;
    world.office.will_answer(SEARCH, 200, found);
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry_keys(std::slice::from_ref(&key)).await, 0);
    let stands = match world.ledger.state(&key).await.unwrap().unwrap().registry {
        Sync::Rejected { code, .. } => code,
        other => other.as_str().to_owned(),
    };
    (stands, world.office.came_to(ADD).len())
}

fn dealer() -> Retailers {
    Retailers { code: Some(66_438_915), ..Retailers::default() }
}

#[tokio::test]
async fn flag_dealers_decides_whether_a_consent_that_names_some_is_sent() {
    let no: Change = |offered| offered.dealers = false;
    let yes: Change = |offered| offered.dealers = true;
    assert_eq!(fate(yes, phone(1), Status::Onay, dealer()).await, ("submitted".into(), 1));
    assert_eq!(fate(no, phone(1), Status::Onay, dealer()).await, ("REGISTRY-NO-DEALERS".into(), 0));
    // Without dealers there is nothing to lose, and a refusal goes in any case.
    assert_eq!(fate(no, phone(1), Status::Onay, Retailers::default()).await, ("submitted".into(), 1));
    assert_eq!(fate(no, phone(1), Status::Ret, dealer()).await, ("submitted".into(), 1));
}

#[tokio::test]
async fn flag_foreign_numbers_decides_whether_a_number_of_another_country_is_sent() {
    let no: Change = |offered| offered.foreign_numbers = false;
    let yes: Change = |offered| offered.foreign_numbers = true;
    let abroad = || Recipient::parse("+4915112345678", MESAJ).unwrap();
    assert_eq!(fate(yes, abroad(), Status::Onay, Retailers::default()).await, ("submitted".into(), 1));
    assert_eq!(fate(no, abroad(), Status::Onay, Retailers::default()).await, ("REGISTRY-NO-FOREIGN-NUMBERS".into(), 0));
    assert_eq!(fate(no, phone(1), Status::Onay, Retailers::default()).await, ("submitted".into(), 1));
}

#[tokio::test]
async fn flag_channels_decides_whether_a_channels_record_is_sent() {
    assert_eq!(fate(|offered| offered.channels = &[MESAJ], phone(1), Status::Onay, Retailers::default()).await, ("submitted".into(), 1));
    let other: Change = |offered| offered.channels = &[Channel::Eposta];
    assert_eq!(fate(other, phone(1), Status::Onay, Retailers::default()).await, ("REGISTRY-NO-CHANNEL".into(), 0));
}
