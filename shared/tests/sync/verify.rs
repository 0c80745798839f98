//! Verification: what it asks, what it repairs and how, and that it may break anywhere, run again or twice.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::SignedDuration;
use shared::consent::check::{Check, Difference};
use shared::consent::{Origin, Status};
use shared::ledger::{CheckClass, DifferenceCount};
use shared::registry::{Feed, RegistryError};
use shared::sync::verify::{Share, Verified, Verify};

use crate::book::{Fault, Op};
use crate::fuse::Break;
use crate::meanwhile::Meanwhile;
use crate::world::{BIREYSEL, EPOSTA, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Time in which everything that changed falls due.
fn a_day(world: &World) {
    world.clock.advance(DAY + SignedDuration::from_mins(1));
}

async fn verified(verify: Verify<'_>) -> Verified {
    verify.run().await.unwrap().expect("nobody else compares")
}

fn counted(verified: &Verified, kind: Difference) -> DifferenceCount {
    verified.counts.differences.get(kind.as_str()).copied().unwrap_or_default()
}

/// Ten keys that agree: consents, refusals of consents that were there, refusals of nothing.
async fn agreeing(world: &World) {
    world.held_before(5..8);
    world.all_say(0..5, ONAY, 60).await;
    world.all_say(5..10, RET, 60).await;
    world.drain().await;
}

#[tokio::test]
async fn what_agrees_is_asked_about_once_in_the_time_that_is_set_and_nothing_changes() {
    let world = World::new().await;
    agreeing(&world).await;
    let asked_before = world.book.calls(Op::Onays).len();
    let asked = || world.book.calls(Op::Onays)[asked_before..].to_vec();
    assert_eq!(verified(world.verify()).await.counts.compared, 0, "nothing is due yet");
    a_day(&world);
    let mut before = Vec::new();
    for number in 0..10 {
        before.push(world.state(number).await);
    }
    let first = verified(world.verify()).await;
    assert_eq!((first.counts.compared, first.counts.questions, first.is_complete), (10, 1, true));
    assert!(first.counts.differences.is_empty());
    for (number, before) in before.into_iter().enumerate() {
        let state = world.state(number).await;
        assert!(matches!(state.check, Check::Done(_)));
        assert_eq!(shared::consent::ConsentState { check: before.check, ..state }, before);
    }
    for _ in 0..3 {
        assert_eq!(verified(world.verify()).await.counts.questions, 0, "repeated, it has nothing to do");
    }
    world.clock.advance(WEEK);
    assert_eq!(verified(world.verify()).await.counts.compared, 10);
    assert_eq!((asked(), world.book.calls(Op::Holding).len()), (vec![10, 10], 0));
    let so_far = world.ledger.verification(&world.brand.name).await.unwrap();
    assert_eq!((so_far.compared, so_far.questions, so_far.last_run), (20, 2, Some(world.clock.now())));
}

#[tokio::test]
async fn a_list_that_is_not_full_waits_six_hours_for_more_and_no_key_is_late_for_it() {
    let world = World::new().await;
    agreeing(&world).await;
    a_day(&world);
    let scheduled = || Verify { at_once: false, ..world.verify() };
    for _ in 0..6 {
        assert_eq!(verified(scheduled()).await.counts.questions, 0);
        world.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(verified(scheduled()).await.counts.compared, 10);
    let every = shared::consent::check::CheckEvery(world.brand.iys.verify_days);
    let mut most = 0;
    for _ in 0..7 * 8 {
        world.clock.advance(SignedDuration::from_hours(3));
        most = most.max(world.ledger.late_checks(&world.brand.name, every, world.clock.now()).await.unwrap());
        verified(scheduled()).await;
    }
    assert_eq!(most, 0);
    assert!(world.ledger.verification(&world.brand.name).await.unwrap().compared >= 20, "all were compared again within seven days");
}

/// Where a key is brought to, before something happens at the registry that nobody tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    ConsentLost,
    ConsentLostAndOld,
    RefusedThereSince,
    RefusalLost,
    ConsentedThereSince,
    RefusedWithoutNeed,
    ConsentedThereBefore,
    LateConsentStandsThere,
    LateRefusalStandsThere,
    PersonsRefusalLost,
    PersonsConsentLost,
    Agrees,
}

const CASES: [Case; 12] = [
    Case::ConsentLost,
    Case::ConsentLostAndOld,
    Case::RefusedThereSince,
    Case::RefusalLost,
    Case::ConsentedThereSince,
    Case::RefusedWithoutNeed,
    Case::ConsentedThereBefore,
    Case::LateConsentStandsThere,
    Case::LateRefusalStandsThere,
    Case::PersonsRefusalLost,
    Case::PersonsConsentLost,
    Case::Agrees,
];

const MONTH: i64 = 30 * 86_400;

/// Brings a key to where both targets have it.
async fn before(world: &World, number: usize, case: Case) {
    let there = |status, seconds| world.book.person(&email(number), EPOSTA, BIREYSEL, status, world.ago(seconds));
    match case {
        Case::ConsentLost | Case::RefusedThereSince | Case::Agrees => world.says(number, ONAY, 60).await,
        Case::ConsentLostAndOld => {
            there(ONAY, MONTH);
            let movement = world.movement(world.key(number), email(number), ONAY, world.ago(MONTH), Origin::Registry);
            let head = shared::consent::Head { source: shared::consent::Source::HsWeb, ..movement.head.clone() };
            world.take(vec![shared::consent::Movement { head, ..movement }]).await;
        }
        Case::RefusalLost | Case::ConsentedThereSince => {
            there(ONAY, MONTH);
            world.says(number, RET, 60).await;
        }
        Case::RefusedWithoutNeed | Case::ConsentedThereBefore => world.says(number, RET, 60).await,
        Case::LateConsentStandsThere => world.says(number, ONAY, MONTH).await,
        Case::LateRefusalStandsThere => {
            there(ONAY, 2 * MONTH);
            world.says(number, RET, MONTH).await;
        }
        Case::PersonsRefusalLost => {
            there(ONAY, MONTH);
            there(RET, 60);
            world.take(vec![world.movement(world.key(number), email(number), RET, world.ago(60), Origin::Registry)]).await;
        }
        Case::PersonsConsentLost => {
            there(ONAY, 60);
            world.take(vec![world.movement(world.key(number), email(number), ONAY, world.ago(60), Origin::Registry)]).await;
        }
    }
}

/// What happens at the registry without a word; `told` is when the key's movement was.
fn silently(world: &World, number: usize, case: Case) {
    let there = |status, date| world.book.silently(&email(number), EPOSTA, status, date);
    match case {
        Case::ConsentLost | Case::ConsentLostAndOld | Case::RefusalLost | Case::LateRefusalStandsThere => {
            world.book.loses(&email(number), EPOSTA);
        }
        Case::PersonsRefusalLost | Case::PersonsConsentLost => world.book.loses(&email(number), EPOSTA),
        Case::RefusedThereSince => there(RET, world.ago(0)),
        Case::ConsentedThereSince | Case::RefusedWithoutNeed => there(ONAY, world.ago(0)),
        Case::ConsentedThereBefore => there(ONAY, world.ago(MONTH)),
        // Once more, as it was sent by another road a day before.
        Case::LateConsentStandsThere => there(ONAY, world.ago(MONTH + 86_400)),
        Case::Agrees => {}
    }
}

/// How it must end: what counts, how that ended at the registry and at Insider, what the registry holds.
fn end(case: Case) -> (Status, &'static str, Status, Option<Status>) {
    match case {
        Case::ConsentLost | Case::Agrees => (ONAY, "applied", ONAY, Some(ONAY)),
        Case::ConsentLostAndOld => (ONAY, "H467", RET, None),
        Case::RefusedThereSince => (RET, "not_needed", RET, Some(RET)),
        Case::RefusalLost | Case::ConsentedThereBefore => (RET, "applied", RET, Some(RET)),
        Case::ConsentedThereSince | Case::RefusedWithoutNeed => (ONAY, "not_needed", ONAY, Some(ONAY)),
        Case::LateConsentStandsThere => (ONAY, "already_there", ONAY, Some(ONAY)),
        Case::LateRefusalStandsThere => (RET, "already_there", RET, None),
        // A refusal sticks, and nobody but the person could tell the registry of it in these words.
        Case::PersonsRefusalLost => (RET, "not_needed", RET, Some(ONAY)),
        Case::PersonsConsentLost => (ONAY, "H467", RET, None),
    }
}

fn kind(case: Case) -> Option<Difference> {
    match case {
        Case::ConsentLost | Case::ConsentLostAndOld | Case::RefusedThereSince | Case::PersonsConsentLost => Some(Difference::OnayMissing),
        Case::RefusalLost | Case::ConsentedThereSince | Case::PersonsRefusalLost => Some(Difference::RetMissing),
        Case::RefusedWithoutNeed | Case::ConsentedThereBefore => Some(Difference::OnayUnknown),
        Case::LateConsentStandsThere | Case::LateRefusalStandsThere => Some(Difference::RefusedStands),
        Case::Agrees => None,
    }
}

/// One key of each case, from a number on, a day after the registry changed silently.
async fn cases(world: &World, first: usize, cases: &[Case]) {
    for (at, case) in cases.iter().enumerate() {
        before(world, first + at, *case).await;
    }
    world.drain().await;
    world.clock.advance(SignedDuration::from_secs(1));
    for (at, case) in cases.iter().enumerate() {
        silently(world, first + at, *case);
    }
    a_day(world);
}

async fn check(world: &World, first: usize, cases: &[Case], how: &str) {
    for (at, case) in cases.iter().enumerate() {
        let number = first + at;
        let state = world.state(number).await;
        let stands = world.recorded(number).last().copied();
        let (status, registry, insider, holds) = end(*case);
        let reached = world.reachable(&email(number)).await;
        let told = ((insider == RET).into(), (insider == ONAY).into());
        let found = (state.head.status, world.at_registry(number).await, reached, stands);
        // Of a consent that was sent again the registry's own word may have come first.
        assert_eq!(found, (status, registry.to_owned(), told, holds), "{case:?} {how}");
    }
}

#[tokio::test]
async fn every_kind_of_difference_is_found_and_repaired_by_rule() {
    let world = World::new().await;
    cases(&world, 0, &CASES).await;
    let first = verified(world.verify()).await;
    assert_eq!((first.counts.questions, first.counts.compared, first.is_complete), (1, 12, true));
    for difference in [Difference::OnayMissing, Difference::RetMissing, Difference::OnayUnknown, Difference::RefusedStands] {
        let found = CASES.iter().filter(|case| kind(**case) == Some(difference)).count();
        let count = counted(&first, difference);
        assert_eq!(count.found, found as u64, "{difference:?}");
        assert_eq!(count.repaired() + count.kept, count.found, "{difference:?}");
        assert_eq!(count.kept, u64::from(difference == Difference::RetMissing), "{difference:?}");
    }
    // One question about a record for each but the one whose answer was plain.
    assert_eq!(first.counts.fetches, 10);
    world.drain().await;
    check(&world, 0, &CASES, "after one run").await;
    // And all agree, but for the refusal that the registry will not show any more.
    for round in 0..3 {
        world.clock.advance(WEEK);
        let again = verified(world.verify()).await;
        let found: u64 = again.counts.differences.values().map(|count| count.found).sum();
        assert_eq!((found, counted(&again, Difference::RetMissing).kept), (1, 1), "round {round}");
        world.drain().await;
        check(&world, 0, &CASES, "again").await;
    }
}

#[tokio::test]
async fn until_a_lost_consent_stands_again_insider_holds_a_refusal() {
    let world = World::new().await;
    cases(&world, 0, &[Case::ConsentLost]).await;
    assert_eq!(world.reachable(&email(0)).await, (false.into(), true.into()));
    verified(world.verify()).await;
    assert_eq!((world.at_registry(0).await.as_str(), world.at_insider(0).await.as_str()), ("pending", "pending"));
    world.relay(&world.keys([0])).await;
    assert_eq!(world.reachable(&email(0)).await, (true.into(), false.into()));
    world.drain().await;
    check(&world, 0, &[Case::ConsentLost], "in the end").await;
}

#[tokio::test]
async fn invariant_1_a_verification_that_breaks_at_any_effect_and_is_repeated_ends_as_if_nothing_had_happened() {
    let some = [Case::ConsentLost, Case::RefusedThereSince, Case::ConsentedThereBefore, Case::LateRefusalStandsThere, Case::Agrees];
    let world = World::new().await;
    cases(&world, 0, &some).await;
    world.fuse.set(None);
    verified(world.verify()).await;
    let trace = world.fuse.trace();
    world.drain().await;
    check(&world, 0, &some, "undisturbed").await;
    let mut first = 0;
    for what in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in 0..trace.len() {
            first += 100;
            cases(&world, first, &some).await;
            world.fuse.set(Some((what, at)));
            let _ = world.fuse.alive(world.verify().run()).await;
            world.fuse.pause();
            world.lose_messages().await;
            // A lease that a dead worker holds ends by itself.
            world.clock.advance(SignedDuration::from_mins(10));
            verified(world.verify()).await;
            world.drain().await;
            check(&world, first, &some, &format!("{what:?} at {at} of {trace:?}")).await;
        }
    }
}

/// A run between whose question and the registry's answer, once, something else happens.
async fn run_and_meanwhile(world: &World, after: Op, act: impl Future<Output = ()>) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let meanwhile = Meanwhile::after(after, &world.book, async move {
        tell.send(()).unwrap();
        ended.await.unwrap();
    });
    let act = async {
        told.await.unwrap();
        act.await;
        end.send(()).unwrap();
    };
    futures::join!(verified(Verify { registry: &meanwhile, ..world.verify() }), act);
}

#[tokio::test]
async fn two_runs_at_once_are_one_and_one_that_comes_in_between_all_the_same_does_no_harm() {
    let world = World::new().await;
    cases(&world, 0, &CASES).await;
    let (one, other) = (world.verify(), world.verify());
    let (one, other) = futures::join!(one.run(), other.run());
    let ran: Vec<_> = [one, other].into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(ran.len(), 1, "a lease keeps the other away");
    world.drain().await;
    check(&world, 0, &CASES, "two at once").await;

    for after in [Op::Onays, Op::Holding] {
        let world = World::new().await;
        cases(&world, 0, &CASES).await;
        let another = async {
            // Longer than the lease of the first lasts.
            world.clock.advance(SignedDuration::from_mins(10));
            verified(world.verify()).await;
            world.drain().await;
        };
        run_and_meanwhile(&world, after, another).await;
        world.drain().await;
        check(&world, 0, &CASES, "one in between").await;
        world.clock.advance(SignedDuration::from_hours(1));
        verified(world.verify()).await;
        world.drain().await;
        check(&world, 0, &CASES, "and once more").await;
    }
}

#[tokio::test]
async fn an_answer_of_the_registry_that_another_worker_has_overtaken_says_nothing() {
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    world.drain().await;
    a_day(&world);
    // The answer says ONAY, and then the person refuses and the registry has it.
    let refuses = async {
        world.says(1, RET, 0).await;
        world.drain().await;
    };
    run_and_meanwhile(&world, Op::Onays, refuses).await;
    let state = world.state(1).await;
    assert_eq!((state.head.status, world.at_registry(1).await.as_str(), world.at_insider(1).await.as_str()), (RET, "applied", "applied"));
    assert!(matches!(state.check, Check::Due(_)), "it is compared as what changed");
    assert_eq!(world.book.calls(Op::Holding).len(), 0);
}

#[tokio::test]
async fn what_is_under_way_or_held_is_not_asked_about_and_comes_again() {
    let mut world = World::new().await;
    world.all_say(0..3, ONAY, 60).await;
    world.brand.iys.channels.remove(&EPOSTA);
    world.push().run(&world.keys(0..3)).await;
    a_day(&world);
    let run = verified(world.verify()).await;
    assert_eq!((run.counts.questions, run.is_complete), (0, true), "a channel that is not authorised is not looked at");
    world.brand.iys.channels.insert(EPOSTA);
    let run = verified(world.verify()).await;
    assert_eq!((run.counts.questions, run.counts.compared), (0, 0));
    for number in 0..3 {
        let Check::Due(due) = world.state(number).await.check else { panic!("not due later") };
        assert_eq!(due, world.clock.now() + DAY, "what is held is looked at once a day");
    }
    world.drain().await;
    a_day(&world);
    assert_eq!(verified(world.verify()).await.counts.compared, 3);
}

#[tokio::test]
async fn invariant_8_a_channel_that_the_registry_refuses_is_asked_once_and_stays_due() {
    let world = World::new().await;
    agreeing(&world).await;
    a_day(&world);
    let held = || RegistryError::Held { why: shared::consent::code::Hold::Authority, code: "H355".into() };
    world.book.fault(Op::Onays, Fault::Fails(Box::new(held)));
    let before = world.book.calls(Op::Onays).len();
    for _ in 0..3 {
        let guard = world.guard();
        let run = verified(Verify { registry: &guard, ..world.verify() }).await;
        assert!(!run.is_complete && run.counts.compared == 0);
    }
    assert_eq!(world.book.calls(Op::Onays).len(), before + 1);
    assert_eq!(verified(world.verify()).await.counts.compared, 10);
}

#[tokio::test]
async fn invariant_10_addresses_that_the_registry_answers_no_question_about_cost_themselves_only() {
    for without_positions in [false, true] {
        let world = World::new().await;
        agreeing(&world).await;
        a_day(&world);
        world.book.inner().questions_without_positions = without_positions;
        world.book.inner().unaskable.insert(email(3), "H464".parse().unwrap());
        let run = verified(world.verify()).await;
        assert_eq!((run.counts.unaskable, run.counts.compared), (1, 10), "positions told: {}", !without_positions);
        assert_eq!(verified(world.verify()).await.counts.questions, 0, "and none of them comes again at once");
    }
}

#[tokio::test]
async fn refusals_go_first_then_what_changed_and_a_share_that_is_used_up_leaves_the_rest_for_the_next_run() {
    let world = World::new().await;
    agreeing(&world).await;
    world.book.inner().onays_recipients = 2;
    a_day(&world);
    let one = || Verify { share: Share { questions: 1, fetches: 1 }, ..world.verify() };
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let run = verified(one()).await;
        assert_eq!(run.counts.questions, 1);
        let mut done = BTreeSet::new();
        for number in 0..10 {
            if matches!(world.state(number).await.check, Check::Done(_)) {
                done.insert(number);
            }
        }
        rounds.push(done);
    }
    let refusals = |done: &BTreeSet<usize>| done.iter().filter(|number| **number >= 5).count();
    assert_eq!(rounds.iter().map(BTreeSet::len).collect::<Vec<_>>(), [2, 4, 6, 8, 10]);
    assert_eq!(rounds.iter().map(refusals).collect::<Vec<_>>(), [2, 4, 5, 5, 5]);
}

#[tokio::test]
async fn differences_beyond_the_share_of_single_questions_wait_marked_and_are_not_asked_about_by_lists_again() {
    let world = World::new().await;
    let lost = [Case::ConsentLost; 7];
    cases(&world, 0, &lost).await;
    let three = || Verify { share: Share { questions: 10, fetches: 3 }, ..world.verify() };
    let first = verified(three()).await;
    assert_eq!((first.counts.fetches, first.is_complete), (3, false));
    let waiting = async || world.ledger.count_checks(&world.brand.name, CheckClass::Differing, world.clock.now()).await.unwrap();
    assert_eq!(waiting().await, 4);
    let second = verified(three()).await;
    assert_eq!((second.counts.questions, second.counts.fetches, second.is_complete), (0, 3, false));
    let third = verified(three()).await;
    assert_eq!((third.counts.questions, third.counts.fetches, third.is_complete, waiting().await), (0, 1, true, 0));
    world.drain().await;
    check(&world, 0, &lost, "in three runs").await;
    let total = world.ledger.verification(&world.brand.name).await.unwrap();
    let count = total.differences[Difference::OnayMissing.as_str()];
    assert_eq!((count.found, count.sent_again), (7, 7), "each is found once");
}

#[tokio::test]
async fn what_a_call_that_fails_leaves_is_taken_up_by_the_next_run() {
    let world = World::new().await;
    cases(&world, 0, &CASES).await;
    let until = world.clock.now() + SignedDuration::from_hours(1);
    for op in [Op::Onays, Op::Holding] {
        world.book.fault(op, Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() })));
        assert!(!verified(world.verify()).await.is_complete, "{op:?}");
    }
    world.book.fault(Op::Holding, Fault::Unanswered);
    assert!(!verified(world.verify()).await.is_complete);
    assert!(verified(world.verify()).await.is_complete);
    world.drain().await;
    check(&world, 0, &CASES, "after failures").await;
}

/// Has a feed read, and everything compared once.
async fn read_and_compared(world: &World, numbers: Range<usize>) {
    world.all_say(numbers, ONAY, 60).await;
    world.drain().await;
    read(world).await;
    a_day(world);
    assert!(verified(world.verify()).await.is_complete);
}

async fn read(world: &World) {
    for feed in [Feed::People, Feed::Brand] {
        world.pull().run(feed).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn invariant_1_after_a_gap_in_a_feed_everything_is_compared_and_the_feed_goes_on_from_its_beginning() {
    let world = World::new().await;
    read_and_compared(&world, 0..5).await;
    read(&world).await;
    // Somebody refuses, the feed shows it for a week, and nobody reads it.
    world.clock.advance(SignedDuration::from_hours(1));
    world.book.silently(&email(2), EPOSTA, RET, world.ago(0));
    world.clock.advance(WEEK - SignedDuration::from_hours(2));
    verified(world.verify()).await;
    let compared = world.ledger.verification(&world.brand.name).await.unwrap().compared;
    world.book.silently(&email(3), EPOSTA, RET, world.ago(0));
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(verified(world.verify()).await.counts.compared < 5, "in the ordinary course nothing much is due");
    let (begun, calls) = (world.clock.now(), world.book.calls(Op::Changes).len());
    read(&world).await;
    assert!(world.book.calls(Op::Changes).len() > calls);
    let asked = world.ledger.verification(&world.brand.name).await.unwrap();
    assert_eq!((asked.full_since, asked.gap_in.as_deref()), (Some(begun), Some("brand")));
    // The movements of the last week are read anew: our own five consents among them.
    let trail = world.ledger.trail(&world.brand.name, "people").await.unwrap();
    assert_eq!((trail.begun_at, trail.read_at), (Some(begun), Some(begun)));
    read(&world).await;
    assert_eq!(world.ledger.verification(&world.brand.name).await.unwrap().full_since, Some(begun), "told once");

    world.clock.advance(SignedDuration::from_mins(5));
    let run = verified(Verify { at_once: false, ..world.verify() }).await;
    assert!(run.is_complete);
    world.drain().await;
    for number in [2, 3] {
        assert_eq!(world.state(number).await.head.status, RET);
        assert_eq!(world.reachable(&email(number)).await, (true.into(), false.into()));
    }
    let done = world.ledger.verification(&world.brand.name).await.unwrap();
    assert_eq!((done.full_since, done.full_at), (None, Some(world.clock.now())));
    assert!(done.compared >= compared + 3);
    assert_eq!(verified(world.verify()).await.counts.questions, 0, "once is enough");
}

/// Everything that was compared before, or changed and was at rest, is to be compared.
async fn everything(world: &World, since: jiff::Timestamp) {
    let ask = |verification: &mut shared::ledger::Verification| {
        verification.full_since = Some(since);
        true
    };
    world.ledger.change_verification(&world.brand.name, ask).await.unwrap();
}

#[tokio::test]
async fn a_comparison_of_everything_goes_on_over_many_runs_and_ends() {
    let world = World::new().await;
    read_and_compared(&world, 0..9).await;
    world.clock.advance(SignedDuration::from_hours(1));
    let since = world.clock.now();
    everything(&world, since).await;
    world.clock.advance(SignedDuration::from_mins(1));
    world.book.inner().onays_recipients = 2;
    let before = world.book.calls(Op::Onays).len();
    for _ in 0..4 {
        let run = verified(Verify { share: Share { questions: 1, fetches: 1 }, ..world.verify() }).await;
        assert!(!run.is_complete);
        world.clock.advance(SignedDuration::from_mins(10));
    }
    assert!(verified(world.verify()).await.is_complete);
    assert_eq!(world.book.calls(Op::Onays)[before..].iter().sum::<usize>(), 9, "each once");
    assert_eq!(world.ledger.verification(&world.brand.name).await.unwrap().full_since, None);
}

#[tokio::test]
async fn a_comparison_of_everything_waits_for_no_day_to_pass_but_for_what_changes_to_come_to_rest() {
    let world = World::new().await;
    world.all_say(0..4, ONAY, 60).await;
    world.drain().await;
    world.book.silently(&email(2), EPOSTA, RET, world.ago(0));
    world.clock.advance(SignedDuration::from_mins(11));
    world.all_say(4..5, ONAY, 60).await;
    world.drain().await;
    world.all_say(5..6, ONAY, 60).await;
    let since = world.clock.now();
    everything(&world, since).await;
    let before = world.book.calls(Op::Onays).len();
    let run = verified(world.verify()).await;
    assert_eq!(
        (run.is_complete, &world.book.calls(Op::Onays)[before..]),
        (true, &[4][..]),
        "neither what has just changed nor what is open"
    );
    assert_eq!(counted(&run, Difference::OnayMissing).adopted, 1);
    assert_eq!(world.state(2).await.head.status, RET);
    for number in [4, 5] {
        assert!(matches!(world.state(number).await.check, Check::Due(at) if at > since + SignedDuration::from_hours(23)));
    }
    assert_eq!(verified(world.verify()).await.counts.questions, 0, "it is over");
}

#[tokio::test]
async fn what_nothing_can_be_said_of_is_met_once_by_a_comparison_of_everything() {
    let world = World::new().await;
    world.held_before(0..1);
    world.all_say(0..1, RET, 60).await;
    world.drain().await;
    world.book.silently(&email(0), EPOSTA, ONAY, world.ago(3600));
    world.all_say(1..3, ONAY, 60).await;
    world.clock.advance(SignedDuration::from_hours(1));
    everything(&world, world.clock.now()).await;
    // All records go between the question about many and that about one.
    let go = async {
        for _ in world.book.rows(&email(0), EPOSTA, BIREYSEL) {
            world.book.loses(&email(0), EPOSTA);
        }
    };
    run_and_meanwhile(&world, Op::Onays, go).await;
    assert_eq!(world.book.calls(Op::Holding).len(), 1);
    for number in 0..3 {
        assert_eq!(world.state(number).await.check, Check::first(world.clock.now()));
    }
}

#[tokio::test]
async fn the_first_reading_of_a_feed_asks_for_no_comparison() {
    let world = World::new().await;
    world.all_say(0..3, ONAY, 60).await;
    read(&world).await;
    let verification = world.ledger.verification(&world.brand.name).await.unwrap();
    assert_eq!((verification.full_since, verification.gap_in), (None, None), "nothing was compared before");
}

#[tokio::test]
async fn a_cursor_that_is_deleted_has_the_feed_read_anew_and_everything_compared_and_changes_nothing() {
    let world = World::new().await;
    read_and_compared(&world, 0..3).await;
    world.clock.advance(SignedDuration::from_hours(1));
    let before = [world.state(0).await.head, world.state(1).await.head, world.state(2).await.head];
    world.ledger.put_trail(&world.brand.name, "people", &shared::ledger::Trail::default()).await.unwrap();
    read(&world).await;
    assert!(world.ledger.verification(&world.brand.name).await.unwrap().full_since.is_some());
    world.clock.advance(SignedDuration::from_mins(1));
    let run = verified(world.verify()).await;
    assert_eq!((run.is_complete, run.counts.differences.len()), (true, 0));
    assert_eq!([world.state(0).await.head, world.state(1).await.head, world.state(2).await.head], before);
}
