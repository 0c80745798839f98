//! Few keys to the registry: every step of the plan, and every way in which a call can fail.

use std::collections::HashSet;

use jiff::SignedDuration;
use shared::consent::code::Hold;
use shared::consent::{Answer, Channel, ConsentState, Origin, Outcome, Retailers, Source, Status, Sync, Target};
use shared::ledger::DueWork;
use shared::registry::{Record, Registry, RegistryError, Verdict};
use shared::sync::push::{Push, SINGLE_ADDS};

use crate::book::{Fault, Op};
use crate::meanwhile::Meanwhile;
use crate::world::{BIREYSEL, EPOSTA, GRACE, RESULT_WAIT, World, email, phone};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;

fn busy(until: jiff::Timestamp) -> Fault {
    Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() }))
}

fn fails(make: impl Fn() -> RegistryError + Send + 'static) -> Fault {
    Fault::Fails(Box::new(make))
}

#[tokio::test]
async fn up_to_twenty_records_go_one_by_one_and_refusals_go_first() {
    let world = World::new().await;
    world.held_before(0..5);
    world.all_say(5..SINGLE_ADDS, ONAY, 60).await;
    world.all_say(0..5, RET, 30).await;
    let report = world.push().run(&world.keys(0..SINGLE_ADDS)).await;
    assert_eq!((report.failed, report.finished), (HashSet::new(), SINGLE_ADDS));
    assert_eq!((world.book.calls(Op::Onays), world.book.calls(Op::Submit)), (vec![5], vec![]));
    let came: Vec<_> = world.book.inner().came.iter().map(|record| record.status).collect();
    assert_eq!(came, [vec![RET; 5], vec![ONAY; SINGLE_ADDS - 5]].concat());
    for number in 0..SINGLE_ADDS {
        assert_eq!(world.at_registry(number).await, "applied");
    }
    world.drain().await;
    assert_eq!(world.reachable(&email(0)).await, (true.into(), false.into()));
    assert_eq!(world.reachable(&email(10)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn the_channel_with_the_most_urgent_refusal_is_asked_about_first() {
    for (mails, texts) in [(7_200, 60), (60, 7_200)] {
        let world = World::new().await;
        world.all_say(0..2, RET, mails).await;
        let text = |number: usize| world.key_of(&phone(number), Channel::Mesaj, BIREYSEL);
        let said = |number| world.movement(text(number), phone(number), RET, world.ago(texts), Origin::Api);
        world.take((0..3).map(said).collect()).await;
        world.push().run(&[world.keys(0..2), (0..3).map(text).collect()].concat()).await;
        assert_eq!(world.book.calls(Op::Onays), if mails > texts { [2, 3] } else { [3, 2] });
    }
}

#[tokio::test]
async fn what_was_brought_back_goes_before_what_is_less_urgent() {
    for (old, order) in [(90_000, [Op::Submit, Op::Add]), (60, [Op::Add, Op::Submit])] {
        let world = World::new().await;
        world.says(1, ONAY, old).await;
        world.lose_messages().await;
        world.clock.advance(GRACE);
        assert_eq!(world.sweep().await.keys, 1);
        world.says(2, ONAY, 3_600).await;
        world.push().run(&world.keys([1, 2])).await;
        let calls: Vec<_> = world.book.inner().calls.iter().map(|(op, _)| *op).collect();
        assert_eq!(calls, order);
    }
}

#[tokio::test]
async fn what_is_called_too_late_on_a_day_off_and_is_not_waits_for_the_next_business_day() {
    let world = World::new().await;
    // Said on a Friday at 13:00; two days later it is Sunday.
    let code = "H467".parse().unwrap();
    for (status, number) in [(ONAY, 1), (RET, 2)] {
        world.held_before([2]);
        world.says(number, status, 60).await;
        world.book.inner().ordered.insert(email(number), [code].into());
    }
    world.lose_messages().await;
    world.clock.advance(SignedDuration::from_hours(48));
    world.push().run(&world.keys([1, 2])).await;
    for number in [1, 2] {
        let Sync::Pending { due, .. } = world.state(number).await.registry else { panic!("not pending") };
        assert_eq!(due.to_string(), "2026-11-22T21:00:00Z", "midnight in Türkiye");
    }
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.at_registry(2).await.as_str()), ("applied", "applied"));

    // The same on a business day is final.
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    world.book.inner().ordered.insert(email(1), [code].into());
    world.push().run(&world.keys([1])).await;
    assert_eq!(world.at_registry(1).await, "H467");
}

#[tokio::test]
async fn two_movements_of_a_key_before_the_run_are_one_record_with_the_newer_state() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, ONAY, 60).await;
    world.says(1, RET, 30).await;
    let keys = world.keys([1, 1]);
    world.push().run(&keys).await;
    assert_eq!(world.book.calls(Op::Add), [1]);
    assert_eq!(world.recorded(1), [ONAY, RET]);
}

#[tokio::test]
async fn a_refusal_of_an_address_that_the_registry_never_held_needs_no_request_there() {
    let world = World::new().await;
    world.says(1, RET, 30).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.book.calls(Op::Add).len()), ("not_registered", 0));
    assert_eq!((world.at_insider(1).await.as_str(), world.reachable(&email(1)).await), ("applied", (true.into(), false.into())));
}

#[tokio::test]
async fn a_consent_that_only_the_registry_knows_of_is_learnt_and_refused_there() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, RET, 30).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY, RET]));
}

/// A thousand refusals of consents that only the registry has; it takes some for no addresses, neither in a
/// question nor in a record.
async fn a_thousand_refusals(unaskable: &[usize]) -> World {
    let world = World::new().await;
    world.held_before(0..1000);
    world.all_say(0..1000, RET, 30).await;
    for number in unaskable {
        world.book.inner().unaskable.insert(email(*number), "H464".parse().unwrap());
        world.book.inner().refused_at_door.insert(email(*number), "H120".parse().unwrap());
    }
    world
}

/// Runs a thousand keys, and checks that those who cannot be asked about harm nobody. How many addresses each
/// question had.
async fn questions_for_a_thousand(world: &World, unaskable: &[usize]) -> Vec<usize> {
    assert!(world.push().run(&world.keys(0..1000)).await.failed.is_empty());
    for state in world.ledger.states(&world.keys(0..1000)).await.unwrap() {
        let is_one = unaskable.iter().any(|number| world.key(*number) == state.key);
        assert_eq!(state.registry.as_str(), if is_one { "rejected" } else { "submitted" });
    }
    for number in unaskable {
        assert_eq!(world.at_registry(*number).await, "H120", "its record is judged, and not the question");
    }
    assert_eq!((world.book.calls(Op::Submit), world.book.calls(Op::Add)), (vec![1000, 1000 - unaskable.len()], vec![]));
    world.book.calls(Op::Onays)
}

#[tokio::test]
async fn invariant_10_a_question_that_is_refused_for_some_addresses_is_asked_once_more_without_them() {
    let unaskable = [0, 404, 999];
    let world = a_thousand_refusals(&unaskable).await;
    assert_eq!(questions_for_a_thousand(&world, &unaskable).await, [1000, 997]);
}

#[tokio::test]
async fn invariant_10_a_question_that_is_refused_without_a_position_is_asked_by_halves() {
    let world = a_thousand_refusals(&[404]).await;
    world.book.inner().questions_without_positions = true;
    let questions = questions_for_a_thousand(&world, &[404]).await;
    // Each half is split again that has it: 500, 250, 125, 63, 32, 16, 8, 4, 2, 1, or a little less.
    assert!(questions.len() <= 21, "{questions:?}");
}

#[tokio::test]
async fn one_address_that_no_question_is_answered_about_is_sent_unasked() {
    for (has, end) in [(true, "applied"), (false, "not_registered")] {
        let world = World::new().await;
        if has {
            world.held_before([1]);
        }
        world.book.inner().unaskable.insert(email(1), "H464".parse().unwrap());
        world.says(1, RET, 30).await;
        world.drain().await;
        assert_eq!((world.at_registry(1).await.as_str(), world.book.calls(Op::Onays)), (end, vec![1]));
        assert_eq!(world.book.calls(Op::Add), [1]);
        assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()), "Insider is told all the same");
    }
}

#[tokio::test]
async fn a_newer_movement_at_the_registry_is_adopted_and_told_to_insider_and_nothing_is_sent_again() {
    let world = World::new().await;
    world.held_before([1]);
    world.book.person(&email(1), EPOSTA, BIREYSEL, RET, world.ago(10));
    world.says(1, ONAY, 60).await;
    world.drain().await;
    let state = world.state(1).await;
    assert_eq!((state.head.status, state.head.origin), (RET, Origin::Registry));
    assert_eq!((world.book.calls(Op::Add).len(), world.book.calls(Op::Holding).len()), (1, 1));
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn a_refusal_that_the_registry_has_is_settled_as_already_there() {
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    world.push().run(&world.keys([1])).await;
    world.book.person(&email(1), EPOSTA, BIREYSEL, RET, world.ago(40));
    world.says(1, RET, 30).await;
    world.push().run(&world.keys([1])).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("already_there", vec![ONAY, RET]));
}

#[tokio::test]
async fn a_consent_that_came_too_late_is_taken_back_at_insider_unless_the_registry_holds_one() {
    let world = World::new().await;
    world.held_before([2, 4]);
    let late = 20 * 86_400;
    // By our calendar, without a request; and by the registry's own judgement.
    world.all_say([1, 2], ONAY, late).await;
    world.all_say([3, 4], ONAY, 60).await;
    for number in [3, 4] {
        world.book.inner().ordered.entry(email(number)).or_default().push_back("H467".parse().unwrap());
    }
    world.drain().await;
    assert_eq!(world.book.calls(Op::Add).len(), 2);
    for (number, registry, reachable) in [(1, "H467", false), (2, "already_there", true), (3, "H467", false), (4, "already_there", true)] {
        assert_eq!(world.at_registry(number).await, registry, "{number}");
        assert_eq!(world.reachable(&email(number)).await, ((!reachable).into(), reachable.into()), "{number}");
    }
    let story = world.ledger.story(&world.brand.name, &world.key(3).recipient_id).await.unwrap();
    assert_eq!(story.history[0].registry.as_ref().unwrap().code.as_deref(), Some("H467"));
}

#[tokio::test]
async fn a_refusal_that_came_too_late_reaches_insider_and_goes_as_the_brands_decision_only_where_it_allows() {
    for allowed in [false, true] {
        let mut world = World::new().await;
        world.brand.iys.late_ret_as_hs_karar = allowed;
        world.book.person(&email(1), EPOSTA, BIREYSEL, ONAY, world.ago(40 * 86_400));
        world.held_before([2]);
        world.says(1, RET, 20 * 86_400).await;
        world.says(2, RET, 60).await;
        world.book.inner().ordered.entry(email(2)).or_default().push_back("H467".parse().unwrap());
        world.drain().await;
        for number in [1, 2] {
            assert_eq!(world.reachable(&email(number)).await, (true.into(), false.into()));
            let last = world.book.rows(&email(number), EPOSTA, BIREYSEL).pop().unwrap();
            if allowed {
                assert_eq!((world.at_registry(number).await.as_str(), last.status, last.source), ("applied", RET, Source::HsKarar));
                assert!(last.consent_date >= world.ago(86_400));
            } else {
                assert_eq!((world.at_registry(number).await.as_str(), last.status), ("H467", ONAY));
            }
        }
    }
}

#[tokio::test]
async fn invariant_2_a_refusal_that_came_too_late_takes_back_no_newer_consent_but_one_without_a_date() {
    let mut world = World::new().await;
    world.brand.iys.late_ret_as_hs_karar = true;
    for (number, held_since) in [(1, Some(10 * 86_400)), (2, Some(30 * 86_400)), (3, None)] {
        world.book.person(&email(number), EPOSTA, BIREYSEL, ONAY, world.ago(held_since.unwrap_or(5 * 86_400)));
        if held_since.is_none() {
            world.book.inner().undated.insert(email(number));
        }
        world.says(number, RET, 20 * 86_400).await;
    }
    world.drain().await;
    for (number, status, calls_for) in [(1, ONAY, true), (2, RET, false), (3, RET, false)] {
        assert_eq!((world.state(number).await.head.status, world.recorded(number).last().copied()), (status, Some(status)), "{number}");
        assert_eq!(world.reachable(&email(number)).await, ((!calls_for).into(), calls_for.into()), "{number}");
    }
}

#[tokio::test]
async fn a_decision_of_today_that_is_called_too_late_is_not_made_again() {
    let mut world = World::new().await;
    world.brand.iys.late_ret_as_hs_karar = true;
    world.held_before([1]);
    world.says(1, RET, 60).await;
    world.book.inner().ordered.insert(email(1), ["H467".parse().unwrap(); 20].into());
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.book.calls(Op::Add).len()), ("H467", 2));
}

#[tokio::test]
async fn a_refusal_in_the_second_of_the_consent_goes_with_the_next_and_the_history_says_so() {
    let world = World::new().await;
    world.says(1, ONAY, 30).await;
    world.push().run(&world.keys([1])).await;
    world.says(1, RET, 30).await;
    world.drain().await;
    let rows = world.book.rows(&email(1), EPOSTA, BIREYSEL);
    assert_eq!(rows[1].consent_date, rows[0].consent_date.next_second());
    assert_eq!((world.recorded(1), world.at_registry(1).await.as_str()), (vec![ONAY, RET], "applied"));
    let story = world.ledger.story(&world.brand.name, &world.key(1).recipient_id).await.unwrap();
    let told: Vec<_> = story.history.iter().map(|entry| (entry.movement.head.origin, entry.movement.head.status)).collect();
    assert!(told.contains(&(Origin::Api, RET)) && told.contains(&(Origin::Correction, RET)), "{told:?}");
    let corrected = story.history.iter().find(|entry| entry.movement.head.origin == Origin::Correction).unwrap();
    assert_eq!(corrected.registry.as_ref().unwrap().outcome, Some(Outcome::Applied));
}

#[tokio::test]
async fn a_correction_that_lies_ahead_of_the_clock_waits_for_its_second() {
    let world = World::new().await;
    world.says(1, ONAY, 0).await;
    world.push().run(&world.keys([1])).await;
    world.says(1, RET, 0).await;
    world.push().run(&world.keys([1])).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("pending", vec![ONAY]));
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY, RET]));
}

#[tokio::test]
async fn invariant_8_a_channel_without_authority_is_not_called_and_resumes_when_authority_comes() {
    let mut world = World::new().await;
    world.held_before([2]);
    world.brand.iys.channels.remove(&EPOSTA);
    world.says(1, ONAY, 60).await;
    world.says(2, RET, 60).await;
    world.push().run(&world.keys([1, 2])).await;
    world.lose_messages().await;
    assert!(world.book.inner().calls.is_empty());
    let first = world.state(1).await;
    let Sync::Held { why, since, due, code } = first.registry else { panic!("{:?}", first.registry) };
    assert_eq!((why, since, due, code), (Hold::Authority, world.clock.now(), world.clock.now() + SignedDuration::from_mins(30), None));
    // Still none: held on, visibly since then.
    world.clock.advance(SignedDuration::from_mins(31));
    assert_eq!(world.sweep().await.keys, 2);
    assert_eq!(world.at_registry(1).await, "held");
    world.push().run(&world.keys([1, 2])).await;
    let Sync::Held { since: still, .. } = world.state(1).await.registry else { panic!("not held any more") };
    assert_eq!(still, since);
    world.lose_messages().await;
    world.brand.iys.channels.insert(EPOSTA);
    world.drain().await;
    assert_eq!((world.recorded(1), world.recorded(2)), (vec![ONAY], vec![ONAY, RET]));
}

#[tokio::test]
async fn a_brand_that_the_registry_refuses_is_held_at_every_call_and_loses_nothing() {
    for op in [Op::Onays, Op::Add, Op::Holding] {
        let world = World::new().await;
        world.held_before([1]);
        let status = if op == Op::Holding { ONAY } else { RET };
        if op == Op::Holding {
            world.book.person(&email(1), EPOSTA, BIREYSEL, RET, world.ago(10));
        }
        world.says(1, status, 30).await;
        let named = if op == Op::Add { "HTTP 403" } else { "H521" };
        world.book.fault(op, fails(move || RegistryError::Held { why: Hold::Subscription, code: named.into() }));
        let report = world.push().run(&world.keys([1])).await;
        assert!(report.failed.is_empty(), "{op:?}");
        let Sync::Held { why: Hold::Subscription, code, .. } = world.state(1).await.registry else { panic!("not held: {op:?}") };
        assert_eq!(code, (op != Op::Add).then(|| named.to_owned()), "only a code of the registry's is kept");
        world.drain().await;
        assert_eq!(world.recorded(1), [ONAY, RET], "{op:?}");
    }
}

#[tokio::test]
async fn a_long_wait_is_noted_in_the_ledger_and_a_short_one_is_left_to_the_queue() {
    for op in [Op::Onays, Op::Add, Op::Holding] {
        for (wait, failed) in [(SignedDuration::from_hours(1), false), (SignedDuration::from_secs(30), true)] {
            let world = World::new().await;
            world.held_before([1]);
            let status = if op == Op::Holding { ONAY } else { RET };
            if op == Op::Holding {
                world.book.person(&email(1), EPOSTA, BIREYSEL, RET, world.ago(10));
            }
            world.says(1, status, 30).await;
            let until = world.clock.now() + wait;
            world.book.fault(op, busy(until));
            let report = world.push().run(&world.keys([1])).await;
            assert_eq!(report.failed.contains(&world.key(1)), failed, "{op:?}");
            let Sync::Pending { due, .. } = world.state(1).await.registry else { panic!("not pending: {op:?}") };
            assert_eq!(due, if failed { world.clock.now() + GRACE } else { until }, "{op:?}");
            world.drain().await;
            assert_eq!(world.recorded(1), [ONAY, RET], "{op:?}");
        }
    }
}

#[tokio::test]
async fn a_defect_of_the_answer_brings_the_message_back_and_nothing_is_judged() {
    let world = World::new().await;
    world.says(1, ONAY, 30).await;
    world.book.fault(Op::Add, fails(|| RegistryError::Defect { why: "on purpose".into() }));
    assert!(world.push().run(&world.keys([1])).await.failed.contains(&world.key(1)));
    assert_eq!(world.at_registry(1).await, "pending");
}

#[tokio::test]
async fn invariant_1_an_add_whose_answer_was_lost_is_sent_again_and_recorded_once() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, RET, 30).await;
    world.book.fault(Op::Add, Fault::Unanswered);
    assert!(world.push().run(&world.keys([1])).await.failed.contains(&world.key(1)));
    world.push().run(&world.keys([1])).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY, RET]));
    assert_eq!(world.book.calls(Op::Add), [1, 1]);
}

#[tokio::test]
async fn invariant_4_what_landed_without_an_answer_does_not_stand_in_for_the_opposite_that_follows() {
    for (first, second) in [(RET, ONAY), (ONAY, RET)] {
        let world = World::new().await;
        // Both sides agree on the second status before.
        world.book.person(&email(1), EPOSTA, BIREYSEL, ONAY, world.ago(3600));
        if second == RET {
            world.book.person(&email(1), EPOSTA, BIREYSEL, RET, world.ago(1800));
        }
        world.pull().run(shared::registry::Feed::People).await.unwrap();
        assert_eq!(world.state(1).await.known.unwrap().status, second);
        world.says(1, first, 60).await;
        world.book.fault(Op::Add, Fault::Unanswered);
        world.push().run(&world.keys([1])).await;
        assert_eq!(world.recorded(1).last(), Some(&first));
        world.says(1, second, 30).await;
        world.drain().await;
        assert_eq!(world.recorded(1).last(), Some(&second), "{first} then {second}");
        assert_eq!(world.reachable(&email(1)).await, ((second == RET).into(), (second == ONAY).into()));
    }
}

/// Another worker registers a refusal and hears so, and then the brand tells of a consent.
async fn another_worker_refuses(world: &World, refusal: ConsentState) {
    let record = Record {
        recipient: refusal.recipient.clone(),
        recipient_type: refusal.key.recipient_type,
        channel: refusal.key.channel,
        status: refusal.head.status,
        source: refusal.head.source.clone(),
        consent_date: refusal.head.consent_date,
        retailers: Retailers::default(),
    };
    assert!(matches!(world.book.add(&record).await, Ok(Verdict::Recorded { .. })));
    let applied = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
    let now = world.clock.now();
    world.ledger.answered(&refusal.key, Target::Registry, &refusal.head.sent(), applied, now, now + GRACE).await.unwrap();
}

#[tokio::test]
async fn invariant_4_an_answer_that_is_older_than_what_another_worker_did_meanwhile_is_asked_for_again() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, RET, 60).await;
    let refusal = world.state(1).await;
    let registry = Meanwhile::after(Op::Onays, &world.book, async {
        another_worker_refuses(&world, refusal).await;
        world.says(1, ONAY, 30).await;
    });
    Push { registry: &registry, ..world.push() }.run(&world.keys([1])).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY, RET, ONAY]));
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn invariant_4_a_verdict_that_is_older_than_what_another_worker_did_meanwhile_is_checked() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, RET, 60).await;
    let refusal = world.state(1).await;
    world.says(1, ONAY, 30).await;
    // The older consent stands there still when the newer one comes.
    world.book.inner().ordered.insert(email(1), ["H174".parse().unwrap()].into());
    let registry = Meanwhile::after(Op::Add, &world.book, another_worker_refuses(&world, refusal));
    Push { registry: &registry, ..world.push() }.run(&world.keys([1])).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY, RET, ONAY]));
    assert_eq!(world.book.calls(Op::Holding), [1]);
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn a_record_that_the_registry_cannot_take_now_waits_longer_each_time() {
    let world = World::new().await;
    world.says(1, ONAY, 30).await;
    world.book.inner().ordered.insert(email(1), ["H470".parse().unwrap(); 4].into());
    let mut waits = Vec::new();
    for _ in 0..4 {
        assert!(world.push().run(&world.keys([1])).await.failed.is_empty());
        // What the sweep brings back goes in bulk.
        if let Sync::Submitted { submission, .. } = world.state(1).await.registry {
            world.clock.advance(RESULT_WAIT);
            assert!(world.push().look_after(&submission).await);
        }
        let Sync::Pending { due, .. } = world.state(1).await.registry else { panic!("not pending") };
        let wait = due.duration_since(world.clock.now());
        waits.push(wait.as_mins());
        world.clock.advance(wait);
        world.sweep().await;
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    world.drain().await;
    assert_eq!(world.recorded(1), [ONAY]);
}

#[tokio::test]
async fn invariant_10_a_state_that_cannot_be_read_harms_only_its_own_message() {
    let world = World::new().await;
    world.all_say(0..30, ONAY, 30).await;
    world.corrupt(&world.key(17)).await;
    let report = world.push().run(&world.keys(0..30)).await;
    assert_eq!(report.failed, HashSet::from([world.key(17)]));
    assert_eq!((report.finished, world.book.calls(Op::Submit)), (29, vec![29]));
}

#[tokio::test]
async fn keys_without_a_state_and_keys_without_open_work_are_finished_without_a_call() {
    let world = World::new().await;
    world.says(1, ONAY, 30).await;
    world.push().run(&world.keys([1])).await;
    let calls = world.book.inner().calls.len();
    let report = world.push().run(&world.keys([1, 2])).await;
    assert!(report.failed.is_empty());
    assert_eq!(world.book.inner().calls.len(), calls);
    let work = world.ledger.due_work(&world.brand.name, 0, world.clock.now() + SignedDuration::from_hours(1), 10).await.unwrap();
    assert!(work.iter().all(|due| matches!(due.work, DueWork::Key(_))));
}
