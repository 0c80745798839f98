//! What follows from the flags of a registry that offers less than İYS does.

use jiff::SignedDuration;
use shared::brand::Brand;
use shared::consent::{Channel, Origin, Status};
use shared::registry::{Authority, Capabilities, Outcomes};

use crate::book::Op;
use crate::world::{EPOSTA, RESULT_WAIT, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;

async fn offering(offers: Capabilities) -> World {
    let world = World::new().await;
    world.book.inner().offers = Some(offers);
    world
}

/// A registry that queues, and whose holdings alone tell what became of it.
const QUEUE: Capabilities =
    Capabilities { single: false, outcomes: Outcomes::Requery, outcomes_kept: SignedDuration::from_hours(24), ..Capabilities::IYS };

#[tokio::test]
async fn flag_single_decides_whether_a_record_goes_by_itself_and_ends_at_once() {
    for (single, added, handed_in, stands) in [(true, 1, vec![], "applied"), (false, 0, vec![1], "submitted")] {
        let world = offering(Capabilities { single, ..Capabilities::IYS }).await;
        world.says(1, ONAY, 60).await;
        world.push().run(&world.keys([1])).await;
        assert_eq!((world.book.calls(Op::Add).len(), world.book.calls(Op::Submit)), (added, handed_in));
        assert_eq!(world.at_registry(1).await, stands);
        // Nobody is told of what is only queued.
        assert_eq!(world.state(1).await.insider.due().is_some(), single);
    }
}

#[tokio::test]
async fn flag_single_decides_whether_a_list_that_nobody_reads_is_taken_apart_by_single_records() {
    for single in [true, false] {
        let world = offering(Capabilities { single, ..Capabilities::IYS }).await;
        world.all_say(0..24, ONAY, 60).await;
        world.book.inner().refused_unnamed.insert(email(7), "H180".parse().unwrap());
        world.push().run(&world.keys(0..24)).await;
        // A list of one that is refused without a word judges nobody: it comes again.
        let (sent_alone, stands) = if single { (true, "H180") } else { (false, "pending") };
        assert_eq!((!world.book.calls(Op::Add).is_empty(), world.at_registry(7).await.as_str()), (sent_alone, stands));
    }
}

#[tokio::test]
async fn flag_single_decides_what_ends_a_list_of_one_that_is_refused_for_another_position() {
    for (single, handed_in, stands) in [(true, vec![], "H180"), (false, vec![1], "pending")] {
        let world = offering(Capabilities { single, ..Capabilities::IYS }).await;
        world.says(7, ONAY, 60).await;
        // It counts from one, and of a list of one names the second.
        world.book.inner().door_from_one = true;
        world.book.inner().refused_at_door.insert(email(7), "H180".parse().unwrap());
        world.push().run(&world.keys([7])).await;
        assert_eq!((world.book.calls(Op::Submit), world.at_registry(7).await.as_str()), (handed_in, stands));
    }
}

#[tokio::test]
async fn flag_single_decides_whether_records_that_a_list_was_refused_for_in_doubt_are_sent_alone() {
    for single in [true, false] {
        let world = offering(Capabilities { single, ..Capabilities::IYS }).await;
        world.all_say(0..24, ONAY, 60).await;
        // The same code for one after the other: by mistake the wrong ones may have been taken out.
        world.book.inner().one_at_a_time = true;
        for number in [3, 7] {
            world.book.inner().refused_at_door.insert(email(number), "H180".parse().unwrap());
        }
        world.push().run(&world.keys(0..24)).await;
        assert_eq!(world.book.calls(Op::Add).len(), if single { 2 } else { 0 });
        assert_eq!((world.at_registry(3).await.as_str(), world.at_registry(7).await.as_str()), ("H180", "H180"));
    }
}

#[tokio::test]
async fn where_no_results_can_be_asked_for_the_holdings_tell() {
    let world = offering(QUEUE).await;
    world.all_say(1..=2, ONAY, 60).await;
    world.push().run(&world.keys([1, 2])).await;
    let submission = world.submission_of(1).await;
    world.book.process().await;
    let before = world.book.calls(Op::Results).len();
    world.clock.advance(RESULT_WAIT + SignedDuration::from_secs(1));
    assert!(world.push().look_after(&submission).await);
    assert_eq!((world.at_registry(1).await.as_str(), world.at_registry(2).await.as_str()), ("applied", "applied"));
    assert_eq!(world.book.calls(Op::Results).len(), before);
}

#[tokio::test]
async fn results_are_not_asked_for_before_there_can_be_any() {
    let world = offering(Capabilities { outcomes_after: SignedDuration::from_hours(1), ..QUEUE }).await;
    world.says(1, ONAY, 60).await;
    world.push().run(&world.keys([1])).await;
    let submission = world.submission_of(1).await;
    world.book.process().await;
    world.clock.advance(SignedDuration::from_mins(59));
    assert!(world.push().look_after(&submission).await);
    assert_eq!(world.at_registry(1).await, "submitted");
    world.clock.advance(SignedDuration::from_mins(2));
    assert!(world.push().look_after(&submission).await);
    assert_eq!(world.at_registry(1).await, "applied");
}

#[tokio::test]
async fn a_channel_that_is_not_carried_costs_no_request() {
    let world = offering(Capabilities { channels: &[Channel::Mesaj], ..Capabilities::IYS }).await;
    world.says(1, ONAY, 60).await;
    world.push().run(&world.keys([1])).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.book.inner().calls.len()), ("REGISTRY-NO-CHANNEL", 0));
}

#[tokio::test]
async fn a_refusal_that_may_be_no_record_at_all_overwrites_no_consent_and_is_told_to_nobody() {
    let world = offering(Capabilities { holding_tells_none: false, ..Capabilities::IYS }).await;
    world.says(1, ONAY, 60).await;
    world.push().run(&world.keys([1])).await;
    world.drain().await;
    let told = world.insider_stats().await;
    // It shows a refusal; another one would say by that that it has no record.
    world.book.person(&email(1), EPOSTA, crate::world::BIREYSEL, RET, world.ago(-30));
    world.clock.advance(SignedDuration::from_hours(48));
    world.verify().run().await.unwrap().unwrap();
    let state = world.state(1).await;
    assert_eq!((state.head.status, state.head.origin), (ONAY, Origin::Api));
    assert!(!state.registry_holds_onay(), "and nobody may be messaged on it");
    assert!(state.insider.due().is_none());
    assert_eq!(world.insider_stats().await, told);
}

#[tokio::test]
async fn a_verdict_against_a_refusal_that_may_be_none_is_said_by_its_code() {
    let world = offering(Capabilities { holding_tells_none: false, ..Capabilities::IYS }).await;
    world.book.person(&email(1), EPOSTA, crate::world::BIREYSEL, RET, world.ago(30));
    world.says(1, ONAY, 60).await;
    world.push().run(&world.keys([1])).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.state(1).await.head.status), ("H178", ONAY));
}

/// The local brand at an integrator.
fn at_an_integrator() -> Brand {
    let mut document: serde_json::Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    document["iys"] = serde_json::json!({"iysCode": 700_001, "brandCode": 700_001, "channels": ["ARAMA", "MESAJ", "EPOSTA"]});
    document["registry"] = serde_json::json!({"kind": "netgsm", "username": "8500000000", "password": "secret"});
    Brand::read(&document.to_string()).unwrap()
}

#[tokio::test]
async fn a_brand_that_moves_to_or_from_its_own_api_user_settles_what_was_under_way_by_what_is_held() {
    for to_own in [true, false] {
        let mut world = World::new().await;
        let own = std::mem::replace(&mut world.brand, at_an_integrator());
        let (before, after) = if to_own { (at_an_integrator(), own) } else { (own, at_an_integrator()) };
        world.brand = before;
        world.all_say(0..30, ONAY, 60).await;
        world.push().run(&world.keys(0..30)).await;
        let submission = world.submission_of(0).await;
        world.book.process().await;
        let asked = world.book.calls(Op::Results).len();
        world.brand = after;
        world.clock.advance(RESULT_WAIT + SignedDuration::from_secs(1));
        assert!(world.push().look_after(&submission).await);
        for number in 0..30 {
            assert_eq!((world.at_registry(number).await.as_str(), world.recorded(number)), ("applied", vec![ONAY]), "{to_own}");
        }
        assert_eq!(world.book.calls(Op::Results).len(), asked, "its number means nothing to another registry");
    }
}

#[tokio::test]
async fn a_copy_that_shows_no_consent_keeps_no_refusal_from_the_registry() {
    for (authority, sent) in [(Authority::Iys, 0), (Authority::Mirror, 1)] {
        let world = offering(Capabilities { authority, ..Capabilities::IYS }).await;
        world.says(1, RET, 60).await;
        world.push().run(&world.keys([1])).await;
        // İYS's own word on the record is what it ends by.
        assert_eq!((world.book.calls(Op::Add).len(), world.at_registry(1).await.as_str()), (sent, "not_registered"), "{authority:?}");
    }
}
