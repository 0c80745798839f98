//! Requests and answers that are lost, at every place where one can be: repeating what failed ends
//! where an undisturbed run ends.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use jiff::SignedDuration;
use shared::consent::code::Hold;
use shared::consent::{Answer, Known, Movement, Origin, Outcome, Status, Target};
use shared::ledger::{Ledger, LedgerError, Member, Submission, Trail};

use crate::support::dynamodb::{Item, Store};
use crate::support::people::{Person, at};
use crate::support::wire::{Loss, Wire};

/// One call on the ledger, and what happened before it.
struct Act {
    name: &'static str,
    before: fn(Ledger) -> BoxFuture<'static, Result<(), LedgerError>>,
    call: fn(Ledger) -> BoxFuture<'static, Result<(), LedgerError>>,
}

fn person() -> Person {
    Person::nth(1)
}

fn onay() -> Movement {
    person().says(Status::Onay, 0, Origin::Api)
}

fn ret() -> Movement {
    person().says(Status::Ret, 60, Origin::Api)
}

async fn record(ledger: &Ledger, movement: Movement) -> Result<(), LedgerError> {
    ledger.record(&movement, at(70), at(130)).await.map(drop)
}

async fn answer(ledger: &Ledger, movement: Movement, target: Target, answer: Answer) -> Result<(), LedgerError> {
    ledger.answered(&movement.key, target, &movement.head.sent(), answer, at(80), at(140)).await.map(drop)
}

fn applied() -> Answer {
    Answer::Settled { outcome: Outcome::Applied, transaction_id: Some("t-1".into()) }
}

fn submission() -> Submission {
    let member = Member { key: ret().key, sent: ret().head.sent(), record_id: None };
    Submission {
        brand: member.key.brand.clone(),
        id: "s-1".into(),
        request_id: None,
        ready_at: None,
        created_at: at(75),
        checks: 0,
        again: false,
        members: vec![member],
    }
}

const fn act(
    name: &'static str,
    before: fn(Ledger) -> BoxFuture<'static, Result<(), LedgerError>>,
    call: fn(Ledger) -> BoxFuture<'static, Result<(), LedgerError>>,
) -> Act {
    Act { name, before, call }
}

/// A function pointer to an async block over the ledger.
macro_rules! on {
    (|$ledger:ident| $body:expr) => {
        |$ledger| Box::pin(async move { $body })
    };
}

const ACTS: &[Act] = &[
    act("a first movement", on!(|_l| Ok(())), on!(|l| record(&l, ret()).await)),
    act("a movement that advances", on!(|l| record(&l, onay()).await), on!(|l| record(&l, ret()).await)),
    act("a movement that is superseded", on!(|l| record(&l, ret()).await), on!(|l| record(&l, onay()).await)),
    act("a repeated movement", on!(|l| record(&l, ret()).await), on!(|l| record(&l, ret()).await)),
    act("the registry's answer", on!(|l| record(&l, ret()).await), on!(|l| answer(&l, ret(), Target::Registry, applied()).await)),
    act(
        "the answer of the last target",
        on!(|l| {
            record(&l, ret()).await?;
            answer(&l, ret(), Target::Registry, applied()).await
        }),
        on!(|l| answer(&l, ret(), Target::Insider, Answer::Rejected("400".into())).await),
    ),
    act(
        "an answer to an older state",
        on!(|l| {
            record(&l, onay()).await?;
            record(&l, ret()).await
        }),
        on!(|l| answer(&l, onay(), Target::Registry, applied()).await),
    ),
    act(
        "a hold",
        on!(|l| record(&l, ret()).await),
        on!(|l| answer(&l, ret(), Target::Registry, Answer::Held { why: Hold::Authority, due: at(500), code: None }).await),
    ),
    act(
        "a mark as submitted",
        on!(|l| record(&l, ret()).await),
        on!(|l| answer(&l, ret(), Target::Registry, Answer::Submitted { submission: "s-1".into(), due: at(500) }).await),
    ),
    act(
        "what the registry holds",
        on!(|l| record(&l, ret()).await),
        on!(|l| {
            let state = l.state(&ret().key).await?.unwrap();
            l.learn(&state, Some(Known::of(Status::Ret, None)), None, at(80), at(140)).await.map(drop)
        }),
    ),
    act("another round", on!(|l| record(&l, ret()).await), on!(|l| l.requeued(&ret().key, &Target::ALL, at(900)).await.map(drop))),
    act("a submission", on!(|_l| Ok(())), on!(|l| l.write_submission(&submission(), at(200)).await)),
    act(
        "a submission that the registry took",
        on!(|l| l.write_submission(&submission(), at(200)).await),
        on!(|l| {
            let mut taken = submission();
            taken.request_id = Some("r-1".into());
            taken.members[0].record_id = Some("i-1".into());
            l.note_taken(&taken, at(300)).await.map(|stands| assert!(stands))
        }),
    ),
    act(
        "a state that is handed in",
        on!(|l| record(&l, ret()).await),
        on!(|l| {
            let read = l.state(&ret().key).await?.unwrap();
            l.submitted(&read, "s-1", at(500)).await.map(drop)
        }),
    ),
    act(
        "a state that is taken back",
        on!(|l| {
            record(&l, ret()).await?;
            answer(&l, ret(), Target::Registry, Answer::Submitted { submission: "s-1".into(), due: at(500) }).await
        }),
        on!(|l| l.released(&ret().key, "s-1", true, at(900)).await.map(drop)),
    ),
    act(
        "an answer to a state as it was read",
        on!(|l| record(&l, ret()).await),
        on!(|l| {
            let read = l.state(&ret().key).await?.unwrap();
            l.answered_as_read(&read, Target::Registry, &ret().head.sent(), applied(), at(80), at(140)).await.map(drop)
        }),
    ),
    act(
        "the end of a submission",
        on!(|l| l.write_submission(&submission(), at(200)).await),
        on!(|l| l.delete_submission(&submission().brand, "s-1").await),
    ),
    act(
        "a cursor",
        on!(|_l| Ok(())),
        on!(|l| {
            let mut trail = Trail::default();
            trail.note("c-1".into(), at(0), SignedDuration::from_mins(10));
            l.put_trail(&person().key.brand, "people", &trail).await
        }),
    ),
    act(
        "the end of a lease",
        on!(|l| l.try_lease(&person().key.brand, "pull", at(0), at(60)).await.map(drop)),
        on!(|l| l.release(&person().key.brand, "pull", at(60)).await),
    ),
];

/// Every item, but for a movement's seed and what is made of it: no two tables have the same.
async fn without_chance(store: &Store) -> BTreeMap<(String, String), Item> {
    let mut items = store.items().await;
    for item in items.values_mut() {
        item.retain(|name, _| !["seed", "digest", "day_pk"].contains(&name.as_str()));
    }
    items
}

/// Runs an act over a wire in a table of its own, and tells how many requests it made.
async fn undisturbed(act: &Act, stores: &Store) -> (Store, usize) {
    let (store, wire) = (stores.another().await, Wire::new());
    (act.before)(store.ledger()).await.unwrap();
    (act.call)(store.ledger_over(&wire, 1)).await.unwrap();
    (store, wire.requests().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_a_crash_before_or_after_any_request_and_a_repetition_end_as_if_nothing_had_happened() {
    let stores = Store::new().await;
    for act in ACTS {
        let (expected, requests) = undisturbed(act, &stores).await;
        for nth in 0..requests {
            for loss in [Loss::Request, Loss::Answer] {
                let (store, wire) = (stores.another().await, Wire::new());
                (act.before)(store.ledger()).await.unwrap();
                wire.lose(nth, loss);
                let failed = (act.call)(store.ledger_over(&wire, 1)).await;
                // Nobody may take a lost request for a success.
                let error = failed.unwrap_err();
                assert!(!format!("{error} {error:?}").contains('@'), "{}: the error names an address", act.name);
                (act.call)(store.ledger()).await.unwrap();
                assert_eq!(without_chance(&store).await, without_chance(&expected).await, "{}, request {nth}, {loss:?} lost", act.name);
                assert_eq!(store.work().await, expected.work().await, "{}, request {nth}, {loss:?} lost", act.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_client_itself_sends_again_takes_effect_once() {
    let stores = Store::new().await;
    for act in ACTS {
        let (expected, requests) = undisturbed(act, &stores).await;
        for nth in 0..requests {
            for loss in [Loss::Request, Loss::Answer] {
                let (store, wire) = (stores.another().await, Wire::new());
                (act.before)(store.ledger()).await.unwrap();
                wire.lose(nth, loss);
                (act.call)(store.ledger_over(&wire, 3)).await.unwrap();
                assert!(wire.requests().len() > requests, "{}: nothing was sent again", act.name);
                assert_eq!(without_chance(&store).await, without_chance(&expected).await, "{}, request {nth}, {loss:?} lost", act.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_whose_answers_were_all_lost_is_still_told_as_new_or_as_the_state() {
    let stores = Store::new().await;
    for nth in 0..3 {
        let (store, wire) = (stores.another().await, Wire::new());
        wire.lose(nth, Loss::Answer);
        let recorded = store.ledger_over(&wire, 3).record(&ret(), at(70), at(130)).await.unwrap();
        assert_eq!(recorded.state.head, ret().head);
        assert!(recorded.state.registry.is_open(), "its work goes to the queues all the same");
    }
}
