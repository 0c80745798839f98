//! What a registry can be asked about addresses, and how much its answer counts.

use jiff::SignedDuration;
use shared::consent::{Origin, Status};
use shared::registry::Authority;
use shared::sync::verify;

use super::{Change, SAID, announcing, registered};
use crate::netgsm::{ADD, SEARCH, fixture, settings};
use crate::world::{MESAJ, World, phone};

const DATA: &str = "/body/data";

/// Refusals of so many addresses that nobody knows, and the registry neither.
async fn refusals(change: Change, numbers: usize) -> World {
    let world = announcing(settings(), change).await;
    world.says(1..=numbers, Status::Ret, SAID).await;
    for _ in 0..numbers {
        world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    }
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry(1..=numbers).await, 0);
    world
}

#[tokio::test]
async fn flag_onays_recipients_bounds_a_question_and_without_one_refusals_go_unasked() {
    for (change, asked, sent, stands) in [
        ((|_| ()) as Change, vec![5], vec![], "not_registered"),
        (|offered| offered.onays_recipients = 2, vec![2, 2, 1], vec![], "not_registered"),
        (|offered| offered.onays_recipients = 0, vec![], vec![5], "submitted"),
    ] {
        let world = refusals(change, 5).await;
        assert_eq!((world.sizes(SEARCH, DATA), world.sizes(ADD, DATA)), (asked, sent));
        assert_eq!(world.all_stand(1..=5).await, [stands; 5]);
    }
}

#[tokio::test]
async fn flag_onays_recipients_of_none_compares_nothing() {
    for (change, asked) in [((|_| ()) as Change, 1), (|offered| offered.onays_recipients = 0, 0)] {
        let world = registered(change, 1).await;
        // It is overdue, unless there is nothing to be overdue for.
        let (offered, much_later) = (world.registry.capabilities(), world.clock.now() + SignedDuration::from_hours(24 * 30));
        let late = verify::late(&world.ledger, &world.brand, &offered, much_later).await.unwrap();
        assert_eq!(late, asked);
        world.verify().await;
        assert_eq!(!world.sizes(SEARCH, DATA).is_empty(), asked == 1);
    }
}

#[tokio::test]
async fn flag_authority_of_a_copy_keeps_no_refusal_from_the_registry() {
    let iys = refusals(|offered| offered.authority = Authority::Iys, 1).await;
    assert_eq!((iys.stands(1).await.as_str(), iys.office.came_to(ADD).len()), ("not_registered", 0));
    let copy = refusals(|offered| offered.authority = Authority::Mirror, 1).await;
    assert_eq!((copy.stands(1).await.as_str(), copy.office.came_to(ADD).len()), ("submitted", 1));
    assert_eq!(copy.office.came_to(SEARCH).len(), 1, "it is asked all the same");
}

/// A consent that only a notice tells of, and the registry answers so about.
async fn noticed(change: Change, answer: String) -> World {
    let world = announcing(settings(), change).await;
    world.take(vec![world.movement(phone(1), MESAJ, (Status::Onay, "2026-11-20 11:05:09"), Origin::Notice)]).await;
    world.office.will_answer(SEARCH, 200, answer);
    assert_eq!(world.carry([1]).await, 0);
    world
}

#[tokio::test]
async fn flag_holding_decides_whether_a_notice_can_be_confirmed() {
    let asked = noticed(|_| (), fixture!("search-one").to_owned()).await;
    assert_eq!((asked.office.came_to(SEARCH).len(), asked.stands(1).await.as_str()), (1, "already_there"));
    assert!(asked.state(1).await.registry_holds_onay());
    let unasked = noticed(|offered| offered.holding = false, fixture!("search-one").to_owned()).await;
    assert_eq!((unasked.office.came_to(SEARCH).len(), unasked.stands(1).await.as_str()), (0, "REGISTRY-UNCONFIRMED"));
    assert_eq!(unasked.state(1).await.insider_status(), Some(Status::Ret));
}

#[tokio::test]
async fn flag_holding_decides_whether_a_difference_is_looked_into() {
    for (change, asked, stands) in [((|_| ()) as Change, 2, "pending"), (|offered| offered.holding = false, 1, "applied")] {
        let world = registered(change, 1).await;
        world.verify().await;
        assert_eq!((world.office.came_to(SEARCH).len(), world.stands(1).await.as_str()), (asked, stands));
        assert!(!world.state(1).await.registry_holds_onay(), "either way nobody may be messaged on it");
    }
}

#[tokio::test]
async fn flag_holding_tells_none_decides_whether_a_refusal_that_is_shown_counts() {
    let refusal = || fixture!("search-one").replace("ONAY", "RET").replace("2026-11-20 11", "2026-11-19 11");
    let counts = noticed(|offered| offered.holding_tells_none = true, refusal()).await;
    assert_eq!((counts.stands(1).await.as_str(), counts.state(1).await.known.map(|known| known.status)), ("not_needed", Some(Status::Ret)));
    let may_be_none = noticed(|offered| offered.holding_tells_none = false, refusal()).await;
    assert_eq!((may_be_none.stands(1).await.as_str(), may_be_none.state(1).await.known), ("REGISTRY-UNCONFIRMED", None));
}

#[tokio::test]
async fn flag_holding_tells_none_decides_whether_a_missing_consent_is_sent_again() {
    for (change, stands) in [((|_| ()) as Change, "pending"), (|offered| offered.holding_tells_none = false, "applied")] {
        let world = registered(change, 1).await;
        world.verify().await;
        assert_eq!((world.office.came_to(SEARCH).len(), world.stands(1).await.as_str()), (2, stands));
        assert!(!world.state(1).await.registry_holds_onay(), "either way nobody may be messaged on it");
    }
}
