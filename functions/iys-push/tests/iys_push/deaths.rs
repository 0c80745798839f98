//! A worker dies, or its ledger, queue or line to İYS breaks, at every point of its life in turn, and another
//! one with nothing in its memory goes on. Whatever happens, İYS is told everything exactly once.
//!
//! A point is a write to the ledger or a queue, or a request to İYS. To die after one is to die before the
//! next, so each is tried as the last thing that does not happen; the run that none of them disturbs is the
//! last one, and its worker dies before Lambda hears of its end.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::SignedDuration;
use reqwest::Method;
use sandbox::iys::{Config, V2Refused};
use serde_json::{Value, json};
use shared::consent::Channel;

use crate::desk::RESULT_WAIT;
use crate::fuse::Break;
use crate::harness;
use crate::mortal::{Case, Messages, World};
use crate::simulator;

/// Takes some people's movements in, and leaves their messages in the queue.
type Setup = for<'a> fn(&'a mut World) -> LocalBoxFuture<'a, Vec<Case>>;

/// Lets something go wrong at every point in turn.
async fn everywhere(world: &mut World, setup: Setup, ways: &[(Break, Messages)]) {
    for (what, messages) in ways {
        for at in 0.. {
            let cases = setup(world).await;
            let struck = world.live(&cases, *what, at, *messages).await;
            world.check(&cases, &format!("{what:?} at {at}, messages {messages:?}")).await;
            if !struck {
                assert!(at > 8, "a life has more points than this");
                break;
            }
        }
    }
}

const ALL_WAYS: [(Break, Messages); 4] = [
    (Break::Crash, Messages::Again),
    (Break::Crash, Messages::Lost),
    (Break::Failure, Messages::Again),
    (Break::LostAnswer, Messages::Again),
];

const SINGLE: [Setup; 6] = [
    |world| one(world, 0).boxed_local(),
    |world| one(world, 1).boxed_local(),
    |world| one(world, 2).boxed_local(),
    |world| one(world, 3).boxed_local(),
    |world| one(world, 4).boxed_local(),
    |world| one(world, 5).boxed_local(),
];

/// A single add, for which the worker has to sign in first.
async fn one(world: &mut World, situation: usize) -> Vec<Case> {
    world.clock.advance(SignedDuration::from_hours(5));
    vec![match situation {
        0 => world.consent(Channel::Eposta).await,
        1 => world.refusal(Channel::Mesaj).await,
        2 => world.refusal_of_one_second(Channel::Eposta).await,
        3 => world.late_refusal(Channel::Mesaj).await,
        4 => world.overtaken(Channel::Arama).await,
        _ => world.of_a_stranger(Channel::Eposta).await,
    }]
}

/// A few of every kind, which go in bulk because they were brought back.
async fn few(world: &mut World) -> Vec<Case> {
    let cases = vec![
        world.consent(Channel::Eposta).await,
        world.refusal(Channel::Eposta).await,
        world.consent(Channel::Mesaj).await,
        world.of_a_stranger(Channel::Arama).await,
        world.overtaken(Channel::Eposta).await,
    ];
    world.bring_back().await;
    cases
}

/// As many as go in bulk at once.
async fn many(world: &mut World) -> Vec<Case> {
    let mut cases = vec![world.refusal(Channel::Eposta).await, world.of_a_stranger(Channel::Eposta).await];
    for _ in 0..20 {
        cases.push(world.consent(Channel::Eposta).await);
    }
    cases
}

fn second_version(_: &mut Config) {}

/// An account that lacks the second version, so that İYS does not recognise what is sent again.
fn first_version(config: &mut Config) {
    config.switches.v2_refused = V2Refused::NotFound;
}

/// One sign-in for all runs, so that they have the same points.
fn signed_in_for_ever(config: &mut Config) {
    config.access_token_seconds = 1_000_000_000;
}

#[tokio::test]
async fn invariant_1_single_adds_at_iys_survive_a_break_at_every_point() {
    let mut world = World::new(second_version).await;
    for setup in SINGLE {
        everywhere(&mut world, setup, &ALL_WAYS).await;
    }
}

#[tokio::test]
async fn invariant_1_single_adds_at_an_iys_that_recognises_nothing_survive_a_break_at_every_point() {
    let mut world = World::new(first_version).await;
    // What is sent twice; the others never are.
    for setup in SINGLE.into_iter().take(4) {
        everywhere(&mut world, setup, &ALL_WAYS).await;
    }
}

#[tokio::test]
async fn invariant_1_a_bulk_submission_at_iys_survives_a_break_at_every_point() {
    let mut world = World::new(signed_in_for_ever).await;
    everywhere(&mut world, |world| few(world).boxed_local(), &ALL_WAYS).await;
}

#[tokio::test]
async fn invariant_1_a_bulk_submission_at_an_iys_that_recognises_nothing_survives_a_break_at_every_point() {
    let change = |config: &mut Config| {
        signed_in_for_ever(config);
        first_version(config);
    };
    let mut world = World::new(change).await;
    everywhere(&mut world, |world| few(world).boxed_local(), &ALL_WAYS).await;
}

#[tokio::test]
async fn invariant_1_a_first_bulk_submission_survives_a_death_at_every_point() {
    let mut world = World::new(signed_in_for_ever).await;
    everywhere(&mut world, |world| many(world).boxed_local(), &[(Break::Crash, Messages::Again)]).await;
}

#[tokio::test]
async fn invariant_1_a_request_that_lands_without_an_answer_in_time_or_later_than_its_repetition_is_stored_once() {
    for version in [second_version, first_version] {
        for (path, setup) in
            [("consents$", (|world| one(world, 0).boxed_local()) as Setup), ("consents/request$", |world| few(world).boxed_local())]
        {
            for kind in ["timeout_after_apply", "latency"] {
                let mut world = World::new(version).await;
                world.timeout = Duration::from_millis(700);
                let cases = setup(&mut world).await;
                for root in ["/v2/sps", "/sps"] {
                    // Where there is no second version, nothing of it lands either way.
                    let path = format!("{root}/700001/brands/700001/{path}");
                    let fault = json!({"path": path, "kind": kind, "latency_ms": 2000});
                    world.iys.order(Method::POST, "faults", fault).await;
                }
                world.live(&cases, Break::Failure, usize::MAX, Messages::Again).await;
                assert_ne!(world.iys.ask("stats").await["faults"][kind], Value::Null, "it struck");
                // What is late lands now, if it did not before.
                let sent = world.fuse.trace().iter().filter(|effect| ["POST consents", "POST request"].contains(&effect.as_str())).count();
                let deadline = Instant::now() + harness::PATIENCE;
                loop {
                    let requests = world.iys.requests().await;
                    let landed = [simulator::Kind::Add, simulator::Kind::BulkAdd].iter().filter_map(|kind| requests.get(kind)).sum::<u64>();
                    if landed == sent as u64 {
                        break;
                    }
                    assert!(Instant::now() < deadline, "{landed} of {sent} requests have landed");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                world.clock.advance(RESULT_WAIT);
                world.check(&cases, &format!("{kind} of {path}")).await;
            }
        }
    }
}
