//! Many keys to the registry: submissions at the door, their results, and what is lost on the way.

use std::collections::HashSet;

use jiff::SignedDuration;
use shared::consent::code::Hold;
use shared::consent::{Status, Sync};
use shared::queue::PushMessage;
use shared::registry::RegistryError;

use crate::book::{Fault, Naming, Op};
use crate::world::{GRACE, RESULT_WAIT, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// One more than goes one by one.
const MANY: usize = 21;

/// A world with a submission of so many consents under way, its messages forgotten.
async fn submitted(count: usize) -> (World, String) {
    let world = World::new().await;
    let id = submit(&world, count).await;
    (world, id)
}

/// Looks after a submission as soon as its results may be asked for.
async fn look(world: &World, id: &str) -> bool {
    let ready_at = world.ledger.submission(&world.brand.name, id).await.unwrap().and_then(|submission| submission.ready_at);
    if let Some(left) = ready_at.map(|ready| ready.duration_since(world.clock.now())).filter(SignedDuration::is_positive) {
        world.clock.advance(left);
    }
    world.push().look_after(id).await
}

async fn submit(world: &World, count: usize) -> String {
    world.all_say(0..count, ONAY, 60).await;
    world.lose_messages().await;
    let report = world.push().run(&world.keys(0..count)).await;
    assert_eq!((report.failed, report.finished), (HashSet::new(), count));
    assert_eq!(world.book.calls(Op::Submit), [count]);
    world.submission_of(0).await
}

async fn count_at_registry(world: &World, count: usize, word: &str) -> usize {
    let mut found = 0;
    for number in 0..count {
        found += usize::from(world.at_registry(number).await == word);
    }
    found
}

#[tokio::test]
async fn more_than_twenty_records_go_as_one_submission_with_refusals_first_and_are_settled_by_its_results() {
    let world = World::new().await;
    world.held_before([20]);
    world.all_say(0..20, ONAY, 60).await;
    world.says(20, RET, 30).await;
    world.lose_messages().await;
    world.push().run(&world.keys(0..MANY)).await;
    assert_eq!((world.book.calls(Op::Add), world.book.calls(Op::Submit)), (vec![], vec![MANY]));
    assert_eq!(world.delayed().await, 1, "a message for the results, in five minutes");
    assert_eq!(world.at_insider(20).await, "pending");
    let id = world.submission_of(20).await;
    let due = world.submission_due(&id).await;
    assert_eq!(due, world.clock.now() + RESULT_WAIT + GRACE);
    assert!(look(&world, &id).await);
    assert_eq!(world.book.inner().came[0].status, RET);
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
    assert_eq!(world.ledger.submission(&world.brand.name, &id).await.unwrap(), None);
    world.drain().await;
    assert_eq!(world.reachable(&email(3)).await, (false.into(), true.into()));
    assert_eq!(world.book.calls(Op::Results).len(), 1);
}

#[tokio::test]
async fn invariant_10_records_refused_at_the_door_are_settled_by_their_code_and_the_rest_goes_at_once() {
    let world = World::new().await;
    for (number, code) in [(3, "H120"), (17, "H174")] {
        world.book.inner().refused_at_door.insert(email(number), code.parse().unwrap());
    }
    world.all_say(0..25, ONAY, 60).await;
    let report = world.push().run(&world.keys(0..25)).await;
    assert_eq!((report.failed, report.finished), (HashSet::new(), 25));
    assert_eq!(world.book.calls(Op::Submit), [25, 23]);
    assert_eq!((world.at_registry(3).await.as_str(), world.at_registry(17).await.as_str()), ("H120", "already_there"));
    assert_eq!(count_at_registry(&world, 25, "submitted").await, 23);
    world.drain().await;
    assert_eq!(count_at_registry(&world, 25, "applied").await, 23);
    assert_eq!(world.reachable(&email(3)).await, (true.into(), false.into()), "no consent any more");
}

#[tokio::test]
async fn invariant_10_a_refusal_that_names_no_record_is_narrowed_down_to_the_one() {
    let world = World::new().await;
    world.book.inner().refused_unnamed.insert(email(30), "H120".parse().unwrap());
    world.all_say(0..60, ONAY, 60).await;
    let report = world.push().run(&world.keys(0..60)).await;
    assert!(report.failed.is_empty());
    assert_eq!(world.at_registry(30).await, "H120");
    assert_eq!((world.book.calls(Op::Submit).len(), world.book.calls(Op::Add).len()), (3, 30));
    world.lose_messages().await;
    for _ in 0..2 {
        world.clock.advance(RESULT_WAIT + GRACE);
        world.sweep().await;
        for message in world.push_messages().await {
            assert!(world.handle(&message).await);
        }
    }
    assert_eq!(count_at_registry(&world, 60, "applied").await, 59);
}

#[tokio::test]
async fn when_nothing_at_all_is_taken_the_keys_come_again_with_their_messages() {
    let world = World::new().await;
    world.all_say(0..30, ONAY, 60).await;
    let defect = || Fault::Fails(Box::new(|| RegistryError::Defect { why: "on purpose".into() }));
    for _ in 0..40 {
        world.book.fault(Op::Submit, defect());
        world.book.fault(Op::Add, defect());
    }
    let report = world.push().run(&world.keys(0..30)).await;
    assert_eq!(report.failed.len(), 30);
    assert!(world.book.calls(Op::Submit).len() <= 10);
    assert_eq!(count_at_registry(&world, 30, "pending").await, 30);
    world.book.inner().faults.clear();
    world.drain().await;
    assert_eq!(count_at_registry(&world, 30, "applied").await, 30);
}

#[tokio::test]
async fn a_submission_that_met_a_limit_leaves_no_key_behind() {
    for (wait, failed) in [(SignedDuration::from_secs(30), MANY), (SignedDuration::from_hours(1), 0)] {
        let world = World::new().await;
        world.all_say(0..MANY, ONAY, 60).await;
        world.lose_messages().await;
        let until = world.clock.now() + wait;
        world.book.fault(Op::Submit, Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() })));
        let report = world.push().run(&world.keys(0..MANY)).await;
        assert_eq!(report.failed.len(), failed);
        assert_eq!(count_at_registry(&world, MANY, "pending").await, MANY);
        if failed > 0 {
            // The message comes again.
            world.push().run(&world.keys(0..MANY)).await;
            assert_eq!(count_at_registry(&world, MANY, "submitted").await, MANY);
        } else {
            let Sync::Pending { due, .. } = world.state(0).await.registry else { panic!("not pending") };
            assert_eq!(due, until);
        }
        world.drain().await;
        assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
    }
}

#[tokio::test]
async fn a_submission_that_the_registry_refuses_the_brand_for_is_held() {
    let world = World::new().await;
    world.all_say(0..MANY, ONAY, 60).await;
    let held = || RegistryError::Held { why: Hold::Quota, code: "H525".into() };
    world.book.fault(Op::Submit, Fault::Fails(Box::new(held)));
    assert!(world.push().run(&world.keys(0..MANY)).await.failed.is_empty());
    assert_eq!(count_at_registry(&world, MANY, "held").await, MANY);
    world.drain().await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}

#[tokio::test]
async fn invariant_1_a_submission_whose_answer_was_lost_is_sent_again_and_recorded_once() {
    let world = World::new().await;
    world.all_say(0..MANY, ONAY, 60).await;
    world.lose_messages().await;
    world.book.fault(Op::Submit, Fault::Unanswered);
    assert!(world.push().run(&world.keys(0..MANY)).await.failed.is_empty());
    let id = world.submission_of(0).await;
    // Nobody but the sweep knows of it, and not before its time.
    assert_eq!(world.sweep().await.submissions, 0);
    world.clock.advance(GRACE);
    assert_eq!(world.sweep().await.submissions, 1);
    let messages = world.push_messages().await;
    assert_eq!(messages, [PushMessage::Submission { brand: world.brand.name.clone(), id: id.clone() }]);
    assert!(world.handle(&messages[0]).await);
    assert_eq!(world.ledger.submission(&world.brand.name, &id).await.unwrap(), None);
    world.drain().await;
    assert_eq!(world.book.calls(Op::Submit), [MANY, MANY]);
    for number in 0..MANY {
        assert_eq!((world.at_registry(number).await.as_str(), world.recorded(number)), ("applied", vec![ONAY]));
    }
}

#[tokio::test]
async fn results_that_are_not_there_yet_are_asked_for_more_and_more_rarely_and_given_up_after_a_day() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().empty_results = usize::MAX;
    let mut waits = Vec::new();
    for _ in 0..5 {
        assert!(look(&world, &id).await);
        let wait = world.submission_due(&id).await.duration_since(world.clock.now()) - GRACE;
        waits.push(wait.as_mins());
        world.clock.advance(wait);
    }
    assert_eq!(waits, [10, 15, 15, 15, 15]);
    assert_eq!(count_at_registry(&world, MANY, "submitted").await, MANY);
    world.clock.advance(SignedDuration::from_hours(24));
    assert!(look(&world, &id).await);
    assert_eq!(count_at_registry(&world, MANY, "pending").await, MANY);
    world.book.inner().empty_results = 0;
    world.drain().await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}

#[tokio::test]
async fn results_that_cannot_be_asked_for_now_are_asked_for_when_they_can() {
    let (world, id) = submitted(MANY).await;
    let until = world.clock.now() + SignedDuration::from_mins(40);
    world.book.fault(Op::Results, Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() })));
    assert!(look(&world, &id).await);
    assert_eq!(world.submission_due(&id).await, until + GRACE);
    world.book.fault(Op::Results, Fault::Unanswered);
    assert!(!look(&world, &id).await, "its message comes again");
    assert!(look(&world, &id).await);
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}

#[tokio::test]
async fn results_are_matched_by_id_in_any_letter_case_and_by_position_where_there_is_none() {
    for naming in [Naming::Ids, Naming::Positions, Naming::Mixed] {
        let world = World::new().await;
        world.book.inner().naming = naming;
        for (number, code) in [(4, "H120"), (9, "H116")] {
            world.book.inner().ordered.entry(email(number)).or_default().push_back(code.parse().unwrap());
        }
        let id = submit(&world, MANY).await;
        assert!(look(&world, &id).await);
        assert_eq!((world.at_registry(4).await.as_str(), world.at_registry(9).await.as_str()), ("H120", "H116"), "{naming:?}");
        assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY - 2, "{naming:?}");
    }
}

#[tokio::test]
async fn invariant_4_a_state_that_moved_on_while_submitted_is_sent_and_the_older_answer_does_not_settle_it() {
    let (world, id) = submitted(MANY).await;
    world.says(7, RET, 30).await;
    assert_eq!(world.at_registry(7).await, "pending");
    assert!(look(&world, &id).await);
    let state = world.state(7).await;
    assert_eq!((state.head.status, state.registry.as_str()), (RET, "pending"));
    assert!(state.registry_holds_onay(), "the older answer tells what is held");
    world.drain().await;
    assert_eq!((world.at_registry(7).await.as_str(), world.recorded(7)), ("applied", vec![ONAY, RET]));
    assert_eq!(world.reachable(&email(7)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn a_refusal_that_overtook_an_unprocessed_consent_follows_it_once_that_is_recorded() {
    let (world, id) = submitted(MANY).await;
    world.says(7, RET, 30).await;
    world.push().run(&world.keys([7])).await;
    assert_eq!(world.at_registry(7).await, "not_registered", "there is nothing to refuse yet");
    world.lose_messages().await;
    // All others are processed before it.
    world.book.inner().stuck.insert(email(7));
    look(&world, &id).await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY - 1);
    world.book.inner().stuck.clear();
    world.drain().await;
    assert_eq!((world.at_registry(7).await.as_str(), world.recorded(7)), ("applied", vec![ONAY, RET]));
}

#[tokio::test]
async fn what_one_look_has_judged_the_next_leaves_alone() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().stuck.insert(email(20));
    look(&world, &id).await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY - 1);
    world.fuse.set(None);
    look(&world, &id).await;
    // The submission and the message for the next look.
    assert_eq!(world.fuse.trace(), ["PutItem", "SendMessageBatch"]);
    assert_eq!(world.at_registry(20).await, "submitted");
}

#[tokio::test]
async fn a_verdict_of_an_older_submission_does_not_overrule_what_was_done_since() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().stuck.insert(email(20));
    world.book.inner().ordered.entry(email(0)).or_default().push_back("H470".parse().unwrap());
    look(&world, &id).await;
    assert_eq!(world.at_registry(0).await, "pending", "a passing fault");
    world.push().run(&world.keys([0])).await;
    assert_eq!(world.at_registry(0).await, "applied");
    look(&world, &id).await;
    assert_eq!(world.at_registry(0).await, "applied");
}

#[tokio::test]
async fn invariant_10_a_member_that_cannot_be_read_harms_no_other() {
    let (world, id) = submitted(MANY).await;
    world.corrupt(&world.key(5)).await;
    assert!(look(&world, &id).await);
    let mut applied = 0;
    for number in (0..MANY).filter(|number| *number != 5) {
        applied += usize::from(world.at_registry(number).await == "applied");
    }
    assert_eq!((applied, world.ledger.submission(&world.brand.name, &id).await.unwrap()), (MANY - 1, None));
}

#[tokio::test]
async fn a_refusal_in_the_results_is_treated_as_that_of_a_single_add() {
    let world = World::new().await;
    world.held_before([1]);
    world.all_say(0..MANY, ONAY, 60).await;
    // A newer refusal at the registry, and one too late of which it holds a consent from before.
    world.book.person(&email(0), crate::world::EPOSTA, crate::world::BIREYSEL, RET, world.ago(10));
    world.book.inner().ordered.entry(email(1)).or_default().push_back("H467".parse().unwrap());
    world.drain().await;
    assert_eq!((world.state(0).await.head.status, world.at_registry(0).await.as_str()), (RET, "not_needed"));
    assert_eq!((world.at_registry(1).await.as_str(), world.reachable(&email(1)).await), ("already_there", (false.into(), true.into())));
    assert_eq!(world.reachable(&email(0)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn results_are_not_asked_for_before_their_time_whoever_calls() {
    let (world, id) = submitted(MANY).await;
    world.lose_messages().await;
    world.clock.advance(RESULT_WAIT - SignedDuration::from_millis(1));
    assert!(world.push().look_after(&id).await);
    assert_eq!(world.book.calls(Op::Results), Vec::<usize>::new());
    assert_eq!(world.delayed().await, 2, "a message besides the first one");
    world.clock.advance(SignedDuration::from_millis(1));
    assert!(world.push().look_after(&id).await);
    assert_eq!(world.book.calls(Op::Results).len(), 1);
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}
