//! Order, repetition and contention: whatever way movements come, one state is stored in the end.

use std::collections::BTreeMap;

use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::consent::{ConsentState, EventId, Merge, Movement, Origin, Status};
use shared::ledger::Story;

use crate::support::dynamodb::Store;
use crate::support::people::{Person, at};

/// Cases for the store; the pure rules have many more of their own.
const CASES: u32 = 24;

fn said() -> impl Strategy<Value = (Status, i64, Origin)> {
    let status = prop_oneof![Just(Status::Onay), Just(Status::Ret)];
    let origin = prop_oneof![Just(Origin::Insider), Just(Origin::Registry), Just(Origin::Api), Just(Origin::Import), Just(Origin::Notice)];
    (status, 0i64..5, origin).prop_map(|(status, second, origin)| match (origin, status) {
        // What the registry says of one second is taken in the order of its own feed, so it does not
        // contradict itself within one here.
        (Origin::Registry, Status::Ret) => (status, 2 * second + 1, origin),
        (Origin::Registry, Status::Onay) => (status, 2 * second, origin),
        _ => (status, second, origin),
    })
}

/// Whatever must not depend on order. What the registry is known to hold may: it is forgotten when a
/// request with the opposite may have been sent in between, and asked for again.
fn essence(state: &ConsentState) -> impl PartialEq + std::fmt::Debug + use<> {
    (state.head.clone(), state.recipient.clone(), state.seen_at_insider)
}

fn history(story: &Story) -> BTreeMap<EventId, Movement> {
    story.history.iter().map(|entry| (entry.movement.head.event_id.clone(), entry.movement.clone())).collect()
}

#[test]
fn invariant_3_any_order_and_repetition_of_movements_is_stored_as_one_state_and_one_history() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stores = runtime.block_on(Store::new());
    let movements = prop::collection::vec(said(), 1..7).prop_flat_map(|said| {
        let twice: Vec<_> = said.iter().chain(&said).copied().collect();
        (Just(said), Just(twice).prop_shuffle())
    });
    let config = ProptestConfig { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    let told = |said: Vec<(Status, i64, Origin)>| {
        runtime.block_on(async {
            let (store, person) = (stores.another().await, Person::nth(1));
            for (status, second, origin) in said {
                store.ledger().record(&person.says(status, second, origin), at(100), at(200)).await.unwrap();
            }
            store.ledger().story(&person.key.brand, &person.key.recipient_id).await.unwrap()
        })
    };
    let outcome = TestRunner::new(config).run(&movements, |(said, shuffled)| {
        let (one, other) = (told(said), told(shuffled));
        prop_assert_eq!(essence(&one.states[0]), essence(&other.states[0]));
        prop_assert_eq!(history(&one), history(&other));
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_3_concurrent_recorders_of_one_key_end_in_the_maximum_and_lose_no_history() {
    const RECORDERS: i64 = 32;
    let (store, person) = (Store::new().await, Person::nth(1));
    // Neighbours contradict each other, and every recorder comes twice.
    let status = |second: i64| if second % 2 == 0 { Status::Ret } else { Status::Onay };
    let recorders = (0..RECORDERS).chain(0..RECORDERS).map(|second| {
        let (ledger, movement) = (store.ledger(), person.says(status(second), second, Origin::Api));
        tokio::spawn(async move { ledger.record(&movement, at(100), at(200)).await })
    });
    let recorded: Vec<_> = join_all(recorders).await.into_iter().map(|done| done.unwrap().unwrap()).collect();
    assert_eq!(recorded.iter().filter(|one| one.is_new).count(), RECORDERS as usize, "each event is new to exactly one");

    let story = store.ledger().story(&person.key.brand, &person.key.recipient_id).await.unwrap();
    let last = person.says(status(RECORDERS - 1), RECORDERS - 1, Origin::Api);
    assert_eq!(story.states.len(), 1);
    assert_eq!(story.states[0].head, last.head);
    assert_eq!(story.history.len(), RECORDERS as usize);
    let advances = recorded.iter().filter(|one| one.merge == Merge::Advanced).count();
    assert_eq!(story.states[0].revision, advances as u64, "every write counted, and none was overwritten unseen");
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_2_a_refusal_stands_against_a_consent_of_the_same_second_or_an_earlier_one() {
    let (store, person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    ledger.record(&person.says(Status::Ret, 50, Origin::Api), at(100), at(200)).await.unwrap();
    for origin in [Origin::Api, Origin::Insider, Origin::Registry, Origin::Import] {
        for second in [49, 50] {
            let recorded = ledger.record(&person.says(Status::Onay, second, origin), at(100), at(200)).await.unwrap();
            assert_eq!(recorded.state.head.status, Status::Ret, "{origin:?} at {second}");
        }
    }
    let recorded = ledger.record(&person.says(Status::Onay, 51, Origin::Api), at(100), at(200)).await.unwrap();
    assert_eq!(recorded.state.head.status, Status::Onay);
}
