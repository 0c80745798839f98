//! How, when and for how long it is asked what became of a list.

use jiff::SignedDuration;
use shared::consent::Status;
use shared::registry::Outcomes;

use super::{Change, SAID, announcing};
use crate::mysoft::{ADD, RESULTS, STATUS, TOKEN, settings};
use crate::world::World;

const ON_ITS_WAY: &str = r#"{"succeed":true,"data":{"batchResult":{"detailList":[{"recipient":"+905992000001","type":"MESAJ",
    "source":"HS_WEB","status":"ONAY","consentDate":"2026-11-20 12:59:00","recipientType":"BIREYSEL",
    "portalStatus":"PAKET_DURUM_SORGULANACAK"}]}}}"#;
const RECORDED: &str = r#"{"succeed":true,"data":[{"recipient":"+905992000001","type":"MESAJ","recipientType":"BIREYSEL","status":"ONAY",
    "source":"HS_WEB","consentDate":"2026-11-20 12:59:00","portalStatus":"IYSDE_KAYITLI"}]}"#;

/// A consent that was taken so long ago, and is looked after now. What is asked for is on its way, and what is held is
/// recorded.
async fn looked_after(change: Change, after: SignedDuration) -> World {
    let world = announcing(settings(), change).await;
    world.office.will_answer(TOKEN, 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, r#"{"succeed":true,"data":{"referanceKey":"ref-1","errorConsentList":null}}"#);
    assert_eq!(world.carry([1]).await, 0);
    let submission = world.submission_of(1).await;
    world.clock.advance(after);
    world.office.will_answer(RESULTS, 200, ON_ITS_WAY);
    world.office.will_answer(STATUS, 200, RECORDED);
    assert!(world.look_after(&submission).await);
    world
}

fn asked(world: &World) -> (usize, usize) {
    (world.office.came_to(RESULTS).len(), world.office.came_to(STATUS).len())
}

const MINUTES: SignedDuration = SignedDuration::from_mins(6);

#[tokio::test]
async fn flag_outcomes_decides_whether_results_are_asked_for_or_what_is_held() {
    let polled = looked_after(|offered| offered.outcomes = Outcomes::Poll, MINUTES).await;
    assert_eq!((asked(&polled), polled.stands(1).await.as_str()), ((1, 0), "submitted"));
    for change in [(|offered| offered.outcomes = Outcomes::Callback) as Change, |offered| offered.outcomes = Outcomes::Requery] {
        let held = looked_after(change, MINUTES).await;
        assert_eq!((asked(&held), held.stands(1).await.as_str()), ((0, 1), "applied"));
    }
}

#[tokio::test]
async fn flag_outcomes_after_is_when_results_are_first_asked_for() {
    for (change, first) in [
        ((|offered| offered.outcomes_after = SignedDuration::from_mins(5)) as Change, (1, 0)),
        (|offered| offered.outcomes_after = SignedDuration::from_hours(1), (0, 0)),
    ] {
        assert_eq!(asked(&looked_after(change, MINUTES).await), first);
        assert_eq!(asked(&looked_after(change, SignedDuration::from_mins(61)).await), (1, 0));
    }
}

#[tokio::test]
async fn flag_outcomes_kept_is_when_a_record_without_a_result_goes_back_to_the_plan() {
    for (change, stands) in [
        ((|offered| offered.outcomes_kept = SignedDuration::from_hours(7 * 24)) as Change, "submitted"),
        (|offered| offered.outcomes_kept = SignedDuration::from_hours(1), "pending"),
    ] {
        let world = looked_after(change, SignedDuration::from_hours(2)).await;
        assert_eq!((asked(&world), world.stands(1).await.as_str()), ((1, 0), stands));
    }
}
