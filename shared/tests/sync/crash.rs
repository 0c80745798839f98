//! Every way in which a run can be cut short: before, at and after each of its effects. Whatever
//! happens, the end is the one that an undisturbed run reaches.

use shared::consent::{ConsentKey, Origin, Status};

use crate::book::Row;
use crate::fuse::Break;
use crate::world::{BIREYSEL, EPOSTA, World, email, word};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const BREAKS: [Break; 3] = [Break::Crash, Break::Failure, Break::LostAnswer];

/// Everything that must be the same at the end: the state, both targets' final outcomes, what the
/// registry was ever told, what Insider holds.
type End = (Status, String, String, Vec<(Status, String)>, String);

async fn end_of(world: &World, number: usize) -> End {
    let state = world.state(number).await;
    let rows = world.book.rows(&email(number), EPOSTA, BIREYSEL);
    let told = |row: &Row| (row.status, row.source.to_string());
    for (position, row) in rows.iter().enumerate() {
        assert!(!rows[..position].contains(row), "a movement is registered twice");
    }
    let reachable = format!("{:?}", world.reachable(&email(number)).await);
    (state.head.status, word(&state.registry), word(&state.insider), rows.iter().map(told).collect(), reachable)
}

async fn ends(world: &World, count: usize) -> Vec<End> {
    let mut ends = Vec::new();
    for number in 0..count {
        ends.push(end_of(world, number).await);
    }
    ends
}

/// What Lambda does with the messages of a run that a break disturbed.
async fn run(world: &World, keys: &[ConsentKey], what: Option<Break>) {
    if what != Some(Break::Crash) {
        // A run that ends says itself which messages come again; after a crash all of them do.
        world.lose_messages().await;
    }
    let report = world.push().run(keys).await;
    let mut again = Vec::new();
    let mut submissions: Vec<String> = Vec::new();
    for state in world.ledger.states(keys).await.unwrap() {
        if let shared::consent::Sync::Submitted { submission, .. } = state.registry
            && !submissions.contains(&submission)
        {
            submissions.push(submission);
        }
    }
    for id in submissions {
        if !world.push().look_after(&id).await {
            again.push(id);
        }
    }
    world.fuse.pause();
    if what.is_some_and(|what| what != Break::Crash) {
        world.queues.push(report.failed.into_iter().collect()).await.unwrap();
        for id in again {
            world.queues.push_submission(&world.brand.name, &id, 0).await.unwrap();
        }
    }
}

/// Seven keys that need every step that there is.
async fn few() -> (World, usize) {
    let mut world = World::new().await;
    world.brand.iys.late_ret_as_hs_karar = true;
    // 0: a consent; 1: a refusal of one that only the registry has; 2: a refusal that it never had.
    world.says(0, ONAY, 60).await;
    world.held_before([1, 4]);
    world.says(1, RET, 50).await;
    world.says(2, RET, 50).await;
    // 3: a refusal in the second of the consent; 4: one too late; 5: overtaken at the registry.
    world.book.person(&email(3), EPOSTA, BIREYSEL, ONAY, world.ago(40));
    let date = world.ago(40);
    world.take(vec![world.movement(world.key(3), email(3), ONAY, date, Origin::Registry)]).await;
    world.says(3, RET, 40).await;
    world.book.person(&email(4), EPOSTA, BIREYSEL, ONAY, world.ago(30 * 86_400));
    world.says(4, RET, 20 * 86_400).await;
    world.book.person(&email(5), EPOSTA, BIREYSEL, RET, world.ago(5));
    world.says(5, ONAY, 60).await;
    // 6: a consent that is none any more.
    world.says(6, ONAY, 20 * 86_400).await;
    (world, 7)
}

/// More than go one by one, one of them refused at the door.
async fn many() -> (World, usize) {
    let world = World::new().await;
    world.book.inner().refused_at_door.insert(email(21), "H120".parse().unwrap());
    world.held_before([20]);
    world.all_say((0..20).chain([21]), ONAY, 60).await;
    world.says(20, RET, 30).await;
    (world, 22)
}

async fn undisturbed(setup: impl AsyncFn() -> (World, usize)) -> (Vec<End>, Vec<String>) {
    let (world, count) = setup().await;
    world.fuse.set(None);
    run(&world, &world.keys(0..count), None).await;
    let trace = world.fuse.trace();
    world.drain().await;
    (ends(&world, count).await, trace)
}

async fn disturbed(setup: impl AsyncFn() -> (World, usize), what: Break, at: usize) -> Vec<End> {
    let (world, count) = setup().await;
    world.fuse.set(Some((what, at)));
    run(&world, &world.keys(0..count), Some(what)).await;
    world.drain().await;
    ends(&world, count).await
}

#[tokio::test]
async fn invariant_1_single_adds_survive_a_break_at_any_effect() {
    let (expected, trace) = undisturbed(few).await;
    assert!(expected.iter().all(|(_, registry, insider, ..)| registry != "pending" && insider != "pending"), "{expected:?}");
    for what in BREAKS {
        for at in 0..trace.len() {
            assert_eq!(disturbed(few, what, at).await, expected, "{what:?} at {at}: {:?}", trace[at]);
        }
    }
}

#[tokio::test]
async fn invariant_1_bulk_submissions_survive_a_break_wherever_one_kind_of_effect_follows_another() {
    let (expected, trace) = undisturbed(many).await;
    let edge = |at: &usize| at.checked_sub(1).is_none_or(|before| trace[before] != trace[*at]) || trace.get(at + 1) != trace.get(*at);
    for at in (0..trace.len()).filter(edge) {
        for what in BREAKS {
            assert_eq!(disturbed(many, what, at).await, expected, "{what:?} at {at} of {trace:?}");
        }
    }
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn invariant_1_bulk_submissions_survive_a_break_at_any_effect() {
    let (expected, trace) = undisturbed(many).await;
    for what in BREAKS {
        for at in 0..trace.len() {
            assert_eq!(disturbed(many, what, at).await, expected, "{what:?} at {at} of {trace:?}");
        }
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_in_the_middle_of_a_run_loses_nothing() {
    let (expected, _) = undisturbed(few).await;
    for polls in [1, 3, 9, 27] {
        let (world, count) = few().await;
        let keys = world.keys(0..count);
        {
            let push = world.push();
            let mut left = polls;
            let mut running = Box::pin(push.run(&keys));
            std::future::poll_fn(|context| {
                left -= 1;
                let done = running.as_mut().poll(context).is_ready();
                if done || left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        world.drain().await;
        assert_eq!(ends(&world, count).await, expected, "dropped after {polls} polls");
    }
}
