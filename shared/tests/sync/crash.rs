//! Every way in which a run can be cut short: before, at and after each of its effects. Whatever
//! happens, the end is the one that an undisturbed run reaches.

use std::cell::Cell;
use std::ops::Range;
use std::task::Poll;

use futures::FutureExt;
use futures::future::LocalBoxFuture as BoxFuture;
use shared::consent::{ConsentKey, ConsentState, Origin, Status, Sync};

use crate::book::Row;
use crate::fuse::Break;
use crate::world::{BIREYSEL, EPOSTA, World, email, word};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const BREAKS: [Break; 3] = [Break::Crash, Break::Failure, Break::LostAnswer];

/// Everything that must be the same at the end: the state, both targets' final outcomes, what the
/// registry was ever told, what Insider holds.
type End = (Status, String, String, Vec<(Status, String)>, String);

async fn end_of(world: &World, state: ConsentState) -> End {
    let rows = world.book.rows(&state.recipient, EPOSTA, BIREYSEL);
    let told = |row: &Row| (row.status, row.source.to_string());
    for (position, row) in rows.iter().enumerate() {
        assert!(!rows[..position].contains(row), "a movement is registered twice");
    }
    let insider = word(&state.insider);
    let reachable = if insider == "not_needed" { String::new() } else { format!("{:?}", world.reachable(&state.recipient).await) };
    (state.head.status, word(&state.registry), insider, rows.iter().map(told).collect(), reachable)
}

async fn ends(world: &World, numbers: &Range<usize>) -> Vec<End> {
    let keys = world.keys(numbers.clone());
    let mut states = world.ledger.states(&keys).await.unwrap();
    states.sort_by_key(|state| keys.iter().position(|key| *key == state.key));
    assert_eq!(states.len(), keys.len());
    let mut ends = Vec::new();
    for state in states {
        ends.push(end_of(world, state).await);
    }
    ends
}

/// What Lambda does with the messages of a run that a break disturbed.
async fn run(world: &World, keys: &[ConsentKey], what: Option<Break>) {
    if what != Some(Break::Crash) {
        // A run that ends says itself which messages come again; after a crash all of them do.
        world.lose_messages().await;
    }
    let Some(report) = world.fuse.alive(world.push().run(keys)).await else { return world.fuse.pause() };
    let mut again = Vec::new();
    let mut submissions: Vec<String> = Vec::new();
    for state in world.ledger.states(keys).await.unwrap() {
        if let Sync::Submitted { submission, .. } = state.registry
            && !submissions.contains(&submission)
        {
            submissions.push(submission);
        }
    }
    for id in submissions {
        match world.fuse.alive(world.push().look_after(&id)).await {
            Some(true) => {}
            Some(false) => again.push(id),
            None => break,
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

/// Brings keys, from this number on, to where a run begins.
type Setup<'a> = dyn Fn(usize) -> BoxFuture<'a, Range<usize>> + 'a;

/// A world in which every run has keys of its own.
struct Runs<'a> {
    world: &'a World,
    setup: &'a Setup<'a>,
    next: Cell<usize>,
}

impl Runs<'_> {
    async fn keys(&self) -> Range<usize> {
        let keys = (self.setup)(self.next.get()).await;
        self.next.set(keys.end);
        keys
    }

    /// Where a run ends that nothing disturbs, and its effects.
    async fn undisturbed(&self) -> (Vec<End>, Vec<String>) {
        let keys = self.keys().await;
        self.world.fuse.set(None);
        run(self.world, &self.world.keys(keys.clone()), None).await;
        let trace = self.world.fuse.trace();
        self.world.drain().await;
        let ends = ends(self.world, &keys).await;
        assert!(ends.iter().all(|(_, registry, insider, ..)| registry != "pending" && insider != "pending"), "{ends:?}");
        (ends, trace)
    }

    /// Where a run ends that something disturbs.
    async fn disturbed(&self, what: Break, at: usize) -> Vec<End> {
        let keys = self.keys().await;
        self.world.fuse.set(Some((what, at)));
        run(self.world, &self.world.keys(keys.clone()), Some(what)).await;
        self.world.drain().await;
        ends(self.world, &keys).await
    }

    /// Breaks runs at the chosen effects.
    async fn survive(&self, chosen: impl Fn(Break, usize, &[String]) -> bool) {
        let (expected, trace) = self.undisturbed().await;
        for what in BREAKS {
            for at in (0..trace.len()).filter(|at| chosen(what, *at, &trace)) {
                assert_eq!(self.disturbed(what, at).await, expected, "{what:?} at {at} of {trace:?}");
            }
        }
    }
}

/// One key in each of the situations that take different steps.
async fn one(world: &World, number: usize, situation: usize) -> Range<usize> {
    match situation {
        // A consent.
        0 => world.says(number, ONAY, 60).await,
        // A refusal of one that only the registry has.
        1 => {
            world.held_before([number]);
            world.says(number, RET, 50).await;
        }
        // A refusal of one that it never had.
        2 => world.says(number, RET, 50).await,
        // A refusal in the second of the consent.
        3 => {
            let date = world.ago(40);
            world.book.person(&email(number), EPOSTA, BIREYSEL, ONAY, date);
            world.take(vec![world.movement(world.key(number), email(number), ONAY, date, Origin::Registry)]).await;
            world.says(number, RET, 40).await;
        }
        // A refusal that is too late.
        4 => {
            world.book.person(&email(number), EPOSTA, BIREYSEL, ONAY, world.ago(30 * 86_400));
            world.says(number, RET, 20 * 86_400).await;
        }
        // A consent that was overtaken at the registry.
        5 => {
            world.book.person(&email(number), EPOSTA, BIREYSEL, RET, world.ago(5));
            world.says(number, ONAY, 60).await;
        }
        // A consent that is none any more.
        _ => world.says(number, ONAY, 20 * 86_400).await,
    }
    number..number + 1
}

const SITUATIONS: usize = 7;

/// More than go one by one: a refusal, one refused at the door, and consents that most of Insider has.
async fn many(world: &World, first: usize) -> Range<usize> {
    let keys = first..first + 22;
    world.book.inner().refused_at_door.insert(email(first), "H120".parse().unwrap());
    world.held_before([first + 1]);
    world.says(first + 1, RET, 30).await;
    world.all_say([first, first + 2], ONAY, 60).await;
    let date = world.ago(60);
    let said_there = |number| world.movement(world.key(number), email(number), ONAY, date, Origin::Insider);
    world.take(keys.clone().skip(3).map(said_there).collect()).await;
    keys
}

async fn world() -> World {
    let mut world = World::new().await;
    world.brand.iys.late_ret_as_hs_karar = true;
    world
}

#[tokio::test]
async fn invariant_1_single_adds_survive_a_break_at_any_effect() {
    let world = world().await;
    for situation in 0..SITUATIONS {
        let setup = |number| one(&world, number, situation).boxed_local();
        let runs = Runs { world: &world, setup: &setup, next: Cell::new(situation * 1000) };
        runs.survive(|_, _, _| true).await;
    }
}

#[tokio::test]
async fn invariant_1_bulk_submissions_survive_a_break_wherever_one_kind_of_effect_follows_another() {
    let world = world().await;
    let setup = |number| many(&world, number).boxed_local();
    let runs = Runs { world: &world, setup: &setup, next: Cell::new(0) };
    // The first time that one kind follows another, and for a crash the last time too.
    let pair = |at: usize, trace: &[String]| (at.checked_sub(1).map(|before| trace[before].clone()), trace[at].clone());
    let is_edge = |(before, this): &(Option<String>, String)| before.as_ref() != Some(this);
    runs.survive(|what, at, trace| {
        let this = pair(at, trace);
        let is_first = (0..at).all(|other| pair(other, trace) != this);
        let is_last = (at + 1..trace.len()).all(|other| pair(other, trace) != this);
        is_edge(&this) && (is_first || (what == Break::Crash && is_last))
    })
    .await;
}

#[tokio::test]
async fn invariant_1_telling_insider_survives_a_break_at_any_effect() {
    let world = world().await;
    let mut number = 0;
    for status in [RET, ONAY] {
        for what in BREAKS {
            // One write: how the movement ended stands in the state.
            for at in 0..1 {
                number += 1;
                let movement = world.movement(world.key(number), email(number), status, world.ago(60), Origin::Registry);
                world.take(vec![movement]).await;
                world.lose_messages().await;
                let keys = world.keys([number]);
                world.fuse.set(Some((what, at)));
                let report = world.relay(&keys).await;
                world.fuse.set(None);
                assert_eq!(report.failed.len(), 1, "{what:?} at {at}");
                world.drain().await;
                assert_eq!(world.at_insider(number).await, "applied", "{what:?} at {at}");
                let reachable = ((status == RET).into(), (status == ONAY).into());
                assert_eq!(world.reachable(&email(number)).await, reachable, "{what:?} at {at}");
            }
        }
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_in_the_middle_of_a_run_loses_nothing() {
    let world = world().await;
    for situation in 0..SITUATIONS {
        let setup = |number| one(&world, number, situation).boxed_local();
        let runs = Runs { world: &world, setup: &setup, next: Cell::new(situation * 1000) };
        let (expected, _) = runs.undisturbed().await;
        for polls in [2, 4, 7, 11] {
            let numbers = runs.keys().await;
            let keys = world.keys(numbers.clone());
            {
                let push = world.push();
                let mut left = polls;
                let mut running = Box::pin(push.run(&keys));
                std::future::poll_fn(|context| {
                    left -= 1;
                    let done = running.as_mut().poll(context).is_ready();
                    if done || left == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            world.drain().await;
            assert_eq!(ends(&world, &numbers).await, expected, "dropped after {polls} polls");
        }
    }
}
