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

/// The sweep calls for a submission, and its message is handled.
async fn swept(world: &World, id: &str) {
    let due = world.submission_due(id).await;
    world.clock.advance(due.duration_since(world.clock.now()).max(SignedDuration::ZERO));
    assert_eq!(world.sweep().await.submissions, 1);
    for message in world.push_messages().await {
        assert!(world.handle(&message).await);
    }
}

#[tokio::test]
async fn results_that_are_not_there_yet_are_asked_for_more_and_more_rarely_and_by_the_sweep_where_no_message_waits_so_long() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().empty_results = usize::MAX;
    world.lose_messages().await;
    let mut waits = Vec::new();
    for _ in 0..7 {
        assert!(look(&world, &id).await);
        let submission = world.ledger.submission(&world.brand.name, &id).await.unwrap().unwrap();
        let wait = submission.ready_at.unwrap().duration_since(world.clock.now());
        waits.push(wait.as_mins());
        let by_message = wait <= SignedDuration::from_mins(15);
        let left_to_it = if by_message { GRACE } else { SignedDuration::ZERO };
        assert_eq!(world.submission_due(&id).await, world.clock.now() + wait + left_to_it);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 360]);
    assert_eq!(world.delayed().await, 2, "the first message and the one after ten minutes");
    assert_eq!(count_at_registry(&world, MANY, "submitted").await, MANY);
    world.book.inner().empty_results = 0;
    swept(&world, &id).await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}

#[tokio::test]
async fn after_a_day_without_results_records_go_once_more_and_are_asked_for_until_the_registry_forgets_them() {
    let (world, id) = submitted(MANY).await;
    let handed_in = world.clock.now();
    world.book.inner().empty_results = usize::MAX;
    world.lose_messages().await;
    while world.clock.now() < handed_in + SignedDuration::from_hours(24) {
        assert_eq!(world.book.calls(Op::Submit), [MANY]);
        swept(&world, &id).await;
    }
    assert_eq!(world.clock.now(), handed_in + SignedDuration::from_hours(24), "to the minute");
    assert_eq!(world.book.calls(Op::Submit), [MANY, MANY]);
    assert_eq!(world.ledger.submission(&world.brand.name, &id).await.unwrap(), None);
    let second = world.submission_of(0).await;
    assert_ne!(second, id);
    assert!(world.ledger.submission(&world.brand.name, &second).await.unwrap().unwrap().again);

    let handed_in = world.clock.now();
    world.lose_messages().await;
    let sixty_days = SignedDuration::from_hours(60 * 24);
    let calls = world.book.calls(Op::Results).len();
    while world.clock.now() < handed_in + sixty_days {
        assert_eq!(world.at_registry(0).await, "submitted");
        let due = world.submission_due(&second).await;
        world.clock.advance(due.duration_since(world.clock.now()));
        assert_eq!((world.sweep().await.submissions, world.book.calls(Op::Submit).len()), (1, 2));
        for message in world.push_messages().await {
            assert!(world.handle(&message).await);
        }
    }
    assert_eq!(world.clock.now(), handed_in + sixty_days);
    let calls = world.book.calls(Op::Results).len() - calls;
    assert!((60 * 4..60 * 4 + 10).contains(&calls), "four times a day: {calls}");
    // Nothing was ever stored, and now it is too late.
    assert_eq!(world.ledger.submission(&world.brand.name, &second).await.unwrap(), None);
    assert_eq!(world.state(0).await.known, None);
    world.drain().await;
    assert_eq!((world.book.calls(Op::Onays), count_at_registry(&world, MANY, "H467").await), (vec![MANY], MANY));
    assert_eq!(world.reachable(&email(0)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn what_stands_there_although_no_result_ever_told_so_is_not_refused_for_being_late_by_then() {
    for hours in [24, 61 * 24] {
        let world = World::new().await;
        world.book.inner().silent = true;
        // In time now, and too late in a day.
        let age = 2 * 86_400 + 3_600;
        world.held_before(0..2);
        world.all_say(0..2, RET, age).await;
        world.all_say(2..MANY, ONAY, age).await;
        world.lose_messages().await;
        world.push().run(&world.keys(0..MANY)).await;
        let id = world.submission_of(0).await;
        world.lose_messages().await;
        look(&world, &id).await;
        // A Monday, or one after the registry has forgotten.
        world.clock.advance(SignedDuration::from_hours(hours + 48));
        assert!(world.push().look_after(&id).await);
        assert_eq!(world.book.calls(Op::Submit), [MANY], "it would be refused");
        world.drain().await;
        assert_eq!(count_at_registry(&world, MANY, "already_there").await + count_at_registry(&world, MANY, "not_registered").await, MANY);
        assert_eq!((world.recorded(0), world.recorded(5)), (vec![ONAY, RET], vec![ONAY]));
        assert_eq!(world.book.calls(Op::Onays).iter().sum::<usize>(), 2 + MANY, "the refusals before they were sent, all afterwards");
    }
}

#[tokio::test]
async fn invariant_1_a_record_whose_answer_was_lost_is_not_refused_for_being_late_when_it_is_looked_at_again() {
    for count in [1, MANY] {
        for landed in [true, false] {
            let world = World::new().await;
            let age = 3 * 86_400 - 2 * 3_600;
            world.held_before(0..count);
            world.all_say(0..count, RET, age).await;
            world.lose_messages().await;
            let lost = || RegistryError::Unanswered { why: "on purpose".into() };
            let op = if count == 1 { Op::Add } else { Op::Submit };
            world.book.fault(op, if landed { Fault::Unanswered } else { Fault::Fails(Box::new(lost)) });
            world.push().run(&world.keys(0..count)).await;
            if landed && count > 1 {
                // The registry goes through the list that it never answered.
                world.book.process().await;
            }
            world.clock.advance(SignedDuration::from_hours(3));
            world.drain().await;
            let word = if landed { "already_there" } else { "H467" };
            assert_eq!(count_at_registry(&world, count, word).await, count, "{count} {landed}");
            assert_eq!(world.recorded(0), if landed { vec![ONAY, RET] } else { vec![ONAY] });
        }
    }
}

#[tokio::test]
async fn what_lands_after_it_was_given_up_as_too_late_is_known_once_the_feed_tells_of_it() {
    let world = World::new().await;
    world.says(1, ONAY, 20 * 86_400).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.reachable(&email(1)).await), ("H467", (true.into(), false.into())));
    let date = world.state(1).await.head.consent_date;
    world.take(vec![world.movement(world.key(1), email(1), ONAY, date, shared::consent::Origin::Registry)]).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.reachable(&email(1)).await), ("already_there", (false.into(), true.into())));
}

#[tokio::test]
async fn results_that_cannot_be_asked_for_now_are_asked_for_when_they_can() {
    let (world, id) = submitted(MANY).await;
    let until = world.clock.now() + RESULT_WAIT + SignedDuration::from_mins(40);
    world.book.fault(Op::Results, Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() })));
    assert!(look(&world, &id).await);
    assert_eq!(world.submission_due(&id).await, until, "too far ahead for a message");
    let held = || RegistryError::Held { why: Hold::Subscription, code: "H521".into() };
    world.book.fault(Op::Results, Fault::Fails(Box::new(held)));
    assert!(look(&world, &id).await);
    assert_eq!(world.submission_due(&id).await, world.clock.now() + SignedDuration::from_mins(30));
    assert_eq!(world.ledger.submission(&world.brand.name, &id).await.unwrap().unwrap().checks, 0, "none of these was a look in vain");
    world.book.fault(Op::Results, Fault::Unanswered);
    assert!(!look(&world, &id).await, "its message comes again");
    world.book.fault(Op::Results, Fault::Fails(Box::new(|| RegistryError::Defect { why: "on purpose".into() })));
    assert!(look(&world, &id).await, "an answer that cannot be read is as good as none");
    assert_eq!(world.ledger.submission(&world.brand.name, &id).await.unwrap().unwrap().checks, 1);
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
async fn a_refusal_whose_consent_we_have_just_handed_in_waits_for_its_result_and_costs_no_question() {
    let (world, id) = submitted(MANY).await;
    world.says(7, RET, 30).await;
    world.lose_messages().await;
    assert!(world.push().run(&world.keys([7])).await.failed.is_empty());
    assert_eq!((world.at_registry(7).await.as_str(), world.book.calls(Op::Onays)), ("pending", vec![]));
    // All others are processed before it.
    world.book.inner().stuck.insert(email(7));
    look(&world, &id).await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY - 1);
    world.push().run(&world.keys([7])).await;
    assert_eq!(world.book.calls(Op::Add), Vec::<usize>::new());
    world.book.inner().stuck.clear();
    world.lose_messages().await;
    look(&world, &id).await;
    // Whoever reads the result calls for it.
    for message in world.push_messages().await {
        assert!(world.handle(&message).await);
    }
    assert_eq!((world.at_registry(7).await.as_str(), world.recorded(7)), ("applied", vec![ONAY, RET]));
    assert_eq!((world.book.calls(Op::Onays), world.book.calls(Op::Add)), (vec![], vec![1]));
}

#[tokio::test]
async fn a_refusal_waits_no_longer_than_a_day_for_the_result_of_its_consent() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().silent = true;
    world.says(7, RET, 30).await;
    world.lose_messages().await;
    look(&world, &id).await;
    world.clock.advance(SignedDuration::from_hours(24));
    world.push().run(&world.keys([7])).await;
    assert_eq!((world.at_registry(7).await.as_str(), world.recorded(7)), ("applied", vec![ONAY, RET]));
    assert_eq!(world.book.calls(Op::Onays), [1]);
}

#[tokio::test]
async fn a_refusal_behind_a_submission_that_was_never_answered_goes_on_once_that_is_given_up() {
    let world = World::new().await;
    world.all_say(0..MANY, ONAY, 60).await;
    world.book.fault(Op::Submit, Fault::Unanswered);
    world.push().run(&world.keys(0..MANY)).await;
    let id = world.submission_of(0).await;
    world.says(7, RET, 30).await;
    world.lose_messages().await;
    world.push().run(&world.keys([7])).await;
    assert_eq!(world.at_registry(7).await, "pending");
    world.book.process().await;
    world.push().look_after(&id).await;
    for message in world.push_messages().await {
        assert!(world.handle(&message).await);
    }
    assert_eq!((world.at_registry(7).await.as_str(), world.recorded(7)), ("applied", vec![ONAY, RET]));
    world.drain().await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}

#[tokio::test]
async fn what_one_look_has_judged_the_next_leaves_alone() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().stuck.insert(email(20));
    look(&world, &id).await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY - 1);
    world.fuse.set(None);
    look(&world, &id).await;
    assert_eq!(world.fuse.trace(), ["UpdateItem"], "its time; the wait is longer than a message's");
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
async fn what_a_list_of_a_day_off_is_called_too_late_for_goes_again_though_its_results_are_read_after_it() {
    // Said on a Friday at 13:00, handed in on Sunday, and looked at on Monday.
    let world = World::new().await;
    world.all_say(0..MANY, ONAY, 60).await;
    world.lose_messages().await;
    world.book.inner().ordered.entry(email(1)).or_default().push_back("H467".parse().unwrap());
    world.clock.advance(SignedDuration::from_hours(48));
    world.push().run(&world.keys(0..MANY)).await;
    let id = world.submission_of(0).await;
    world.clock.advance(SignedDuration::from_hours(12));
    world.lose_messages().await;
    assert!(look(&world, &id).await);
    assert_eq!(world.at_registry(1).await, "pending");
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY]));
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

#[tokio::test]
async fn records_that_the_registry_names_one_at_a_time_are_judged_by_themselves_and_the_rest_goes_in_bulk() {
    let world = World::new().await;
    world.book.inner().one_at_a_time = true;
    for number in [3, 17, 24] {
        world.book.inner().refused_at_door.insert(email(number), "H120".parse().unwrap());
    }
    world.all_say(0..40, ONAY, 60).await;
    assert!(world.push().run(&world.keys(0..40)).await.failed.is_empty());
    assert_eq!((world.book.calls(Op::Submit), world.book.calls(Op::Add)), (vec![40, 39, 38, 37], vec![1, 1, 1]));
    world.drain().await;
    assert_eq!((count_at_registry(&world, 40, "H120").await, count_at_registry(&world, 40, "applied").await), (3, 37));
}

#[tokio::test]
async fn a_list_that_fails_one_check_after_another_costs_one_more_request_for_each() {
    let world = World::new().await;
    world.book.inner().one_code_at_a_time = true;
    for (number, code) in [(3, "H120"), (17, "H120"), (4, "H180"), (24, "H467")] {
        world.book.inner().refused_at_door.insert(email(number), code.parse().unwrap());
    }
    world.all_say(0..40, ONAY, 60).await;
    assert!(world.push().run(&world.keys(0..40)).await.failed.is_empty());
    assert_eq!((world.book.calls(Op::Submit), world.book.calls(Op::Add)), (vec![40, 38, 37, 36], vec![]));
    world.drain().await;
    let counts = [count_at_registry(&world, 40, "H120").await, count_at_registry(&world, 40, "H180").await];
    assert_eq!((counts, count_at_registry(&world, 40, "applied").await), ([2, 1], 36));
}

#[tokio::test]
async fn invariant_10_positions_that_are_counted_otherwise_than_we_read_them_cost_nobody_a_consent() {
    for bad in [0, 12, 38, 39] {
        let world = World::new().await;
        world.book.inner().door_from_one = true;
        world.book.inner().refused_at_door.insert(email(bad), "H120".parse().unwrap());
        world.all_say(0..40, ONAY, 60).await;
        assert!(world.push().run(&world.keys(0..40)).await.failed.is_empty());
        world.drain().await;
        assert_eq!(world.at_registry(bad).await, "H120", "{bad}");
        assert_eq!(count_at_registry(&world, 40, "applied").await, 39, "{bad}");
    }
}

#[tokio::test]
async fn a_list_of_which_every_record_is_refused_at_the_door_is_settled_by_that_one_request() {
    let world = World::new().await;
    for number in 0..MANY {
        world.book.inner().refused_at_door.insert(email(number), "H120".parse().unwrap());
    }
    world.all_say(0..MANY, ONAY, 60).await;
    assert!(world.push().run(&world.keys(0..MANY)).await.failed.is_empty());
    assert_eq!((world.book.calls(Op::Submit), count_at_registry(&world, MANY, "H120").await), (vec![MANY], MANY));
    world.drain().await;
}

#[tokio::test]
async fn what_a_list_was_refused_for_costs_the_rest_no_second_mark() {
    let world = World::new().await;
    world.book.inner().refused_at_door.insert(email(3), "H120".parse().unwrap());
    world.all_say(0..MANY, ONAY, 60).await;
    world.lose_messages().await;
    world.fuse.set(None);
    world.push().run(&world.keys(0..MANY)).await;
    let count = |wanted: &str| world.fuse.trace().iter().filter(|effect| *effect == wanted).count();
    // Members twice, head, a mark each, the one refusal, which is pending before it is judged, the ids.
    assert_eq!((count("PutItem"), count("UpdateItem"), count("Submit")), (2 + 1 + MANY + 2 + 1, 1, 2));
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_not_asked_list_after_list() {
    let world = World::new().await;
    world.book.inner().bulk_records = 30;
    world.all_say(0..120, ONAY, 60).await;
    world.lose_messages().await;
    for _ in 0..2 {
        world.book.fault(Op::Submit, Fault::Unanswered);
    }
    let report = world.push().run(&world.keys(0..120)).await;
    assert_eq!((world.book.calls(Op::Submit), report.failed.len()), (vec![30, 30], 60));
    assert_eq!((count_at_registry(&world, 120, "submitted").await, count_at_registry(&world, 120, "pending").await), (60, 60));
    world.drain().await;
    for number in 0..120 {
        assert_eq!((world.at_registry(number).await.as_str(), world.recorded(number)), ("applied", vec![ONAY]));
    }
}

#[tokio::test]
async fn a_run_without_time_left_begins_nothing_and_leaves_the_rest_to_its_messages() {
    let world = World::new().await;
    {
        let mut inner = world.book.inner();
        (inner.bulk_records, inner.takes) = (30, SignedDuration::from_secs(30));
    }
    world.held_before(100..110);
    world.all_say(0..100, ONAY, 60).await;
    world.all_say(100..110, RET, 30).await;
    world.lose_messages().await;
    let mut push = world.push();
    push.stop_at = world.clock.now();
    let report = push.run(&world.keys(0..110)).await;
    assert_eq!((report.failed.len(), world.book.inner().calls.len()), (110, 0));
    // A question and two lists.
    push.stop_at = world.clock.now() + SignedDuration::from_secs(90);
    let report = push.run(&world.keys(0..110)).await;
    assert_eq!((report.failed.len(), report.finished), (50, 60));
    assert_eq!((world.book.calls(Op::Onays), world.book.calls(Op::Submit)), (vec![10], vec![30, 30]));
    assert_eq!((count_at_registry(&world, 110, "submitted").await, count_at_registry(&world, 110, "pending").await), (60, 50));
    let ids: HashSet<String> = {
        let mut ids = HashSet::new();
        for number in 0..110 {
            if let Sync::Submitted { submission, .. } = world.state(number).await.registry {
                ids.insert(submission);
            }
        }
        ids
    };
    let id = ids.iter().next().unwrap();
    push.stop_at = world.clock.now();
    assert!(!push.look_after(id).await, "its message comes again");
    world.book.inner().takes = SignedDuration::ZERO;
    world.drain().await;
    assert_eq!(count_at_registry(&world, 110, "applied").await, 110);
    assert_eq!(world.book.inner().came.len(), 110, "nothing went twice");
}

#[tokio::test]
async fn two_workers_with_the_same_keys_hand_them_in_once() {
    let world = World::new().await;
    world.all_say(0..60, ONAY, 60).await;
    world.lose_messages().await;
    let (push, keys) = (world.push(), world.keys(0..60));
    let (one, other) = futures::join!(push.run(&keys), push.run(&keys));
    assert!(one.failed.is_empty() && other.failed.is_empty());
    assert_eq!(world.book.calls(Op::Submit).iter().sum::<usize>(), 60, "{:?}", world.book.calls(Op::Submit));
    world.drain().await;
    assert_eq!(count_at_registry(&world, 60, "applied").await, 60);
    assert_eq!(world.book.inner().came.len(), 60);
}

#[tokio::test]
async fn refusals_go_first_and_then_what_is_due_first() {
    let world = World::new().await;
    let refusals = [20, 21, 22];
    world.held_before(refusals);
    for number in 0..23 {
        let (status, seconds) = if refusals.contains(&number) { (RET, 600) } else { (ONAY, 3_600 * (number as i64 * 7 % 20)) };
        world.says(number, status, seconds).await;
    }
    world.push().run(&world.keys(0..23)).await;
    let id = world.submission_of(0).await;
    look(&world, &id).await;
    let came: Vec<_> = world.book.inner().came.iter().map(|record| (record.status != RET, record.consent_date)).collect();
    assert!(came.is_sorted() && came.len() == 23, "{came:?}");
}

#[tokio::test]
async fn many_records_that_met_themselves_at_a_registry_that_does_not_recognise_them_cost_one_question() {
    let world = World::new().await;
    world.book.inner().first_version = true;
    world.book.fault(Op::Submit, Fault::Unanswered);
    world.held_before(0..5);
    world.all_say(0..5, RET, 60).await;
    world.all_say(5..60, ONAY, 60).await;
    world.lose_messages().await;
    world.push().run(&world.keys(0..60)).await;
    world.book.process().await;
    // One of them a person has since refused.
    world.book.person(&email(50), crate::world::EPOSTA, crate::world::BIREYSEL, RET, world.ago(10));
    world.drain().await;
    assert_eq!(count_at_registry(&world, 60, "already_there").await, 59);
    assert_eq!((world.state(50).await.head.status, world.at_registry(50).await.as_str()), (RET, "not_needed"));
    // They came back in three messages.
    let asked = world.book.calls(Op::Onays);
    assert_eq!((asked.len(), asked.iter().sum(), world.book.calls(Op::Holding)), (1 + 3, 5 + 60, vec![1]));
    assert_eq!((world.recorded(0), world.recorded(30)), (vec![ONAY, RET], vec![ONAY]));
}

#[tokio::test]
async fn a_state_whose_submission_is_gone_is_found_after_two_days_and_one_whose_submission_stands_is_left_to_it() {
    let (world, id) = submitted(MANY).await;
    world.book.inner().empty_results = usize::MAX;
    world.lose_messages().await;
    let hours = |hours| SignedDuration::from_hours(hours);
    world.clock.advance(hours(47));
    assert_eq!(world.sweep().await.keys, 0);
    world.lose_messages().await;
    world.clock.advance(hours(1));
    assert_eq!(world.sweep().await.keys, 0, "the submission still stands");
    assert_eq!(count_at_registry(&world, MANY, "submitted").await, MANY);
    world.ledger.delete_submission(&world.brand.name, &id).await.unwrap();
    world.lose_messages().await;
    world.clock.advance(SignedDuration::from_hours(60 * 24));
    assert_eq!(world.sweep().await.keys, MANY);
    assert_eq!(count_at_registry(&world, MANY, "pending").await, MANY);

    let (world, id) = submitted(MANY).await;
    world.ledger.delete_submission(&world.brand.name, &id).await.unwrap();
    world.lose_messages().await;
    world.clock.advance(hours(48));
    assert_eq!(world.sweep().await.keys, MANY);
    world.drain().await;
    assert_eq!(count_at_registry(&world, MANY, "applied").await, MANY);
}
