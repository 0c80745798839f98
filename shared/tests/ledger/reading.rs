//! Reading many states at once, and everything about one address.

use std::collections::BTreeSet;

use shared::consent::{Channel, ConsentKey, Origin, RecipientType, Status};
use shared::ledger::Ledger;

use crate::support::dynamodb::Store;
use crate::support::pages::{SmallPages, Unprocessed};
use crate::support::people::{Person, at};
use crate::support::wire::Wire;

async fn recorded(ledger: &Ledger, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        ledger.record(&Person::nth(number).says(Status::Ret, 0, Origin::Api), at(10), at(60)).await.unwrap();
    }
}

fn keys(numbers: impl Iterator<Item = usize>) -> Vec<ConsentKey> {
    numbers.map(|number| Person::nth(number).key).collect()
}

async fn found(ledger: &Ledger, keys: &[ConsentKey]) -> Vec<ConsentKey> {
    let mut found: Vec<_> = ledger.states(keys).await.unwrap().into_iter().map(|state| state.key).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn states_of_more_keys_than_one_request_takes_are_found_once_each_and_missing_ones_left_out() {
    let store = Store::new().await;
    // 130 of 250 people are known, and everybody is asked for twice.
    recorded(&store.ledger(), 0..130).await;
    let asked: Vec<_> = keys(0..250).into_iter().chain(keys((0..250).rev())).collect();
    let mut known = keys(0..130);
    known.sort();
    let wire = Wire::new();
    assert_eq!(found(&store.ledger_over(&wire, 1), &asked).await, known);
    let mut sizes = Vec::new();
    for request in wire.requests() {
        assert_eq!(request.operation, "BatchGetItem");
        let tables = request.body["RequestItems"].as_object().unwrap();
        sizes.push(tables.values().map(|table| table["Keys"].as_array().unwrap().len()).sum::<usize>());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100], "250 different keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_read_side_by_side_but_not_all_at_once() {
    let (store, wire) = (Store::new().await, Wire::new());
    assert!(found(&store.ledger_over(&wire, 1), &keys(0..2_000)).await.is_empty());
    assert_eq!(wire.requests().len(), 20);
    assert!((2..=8).contains(&wire.most_in_flight()), "{} at once", wire.most_in_flight());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_keys_ask_for_nothing() {
    let (store, wire) = (Store::new().await, Wire::new());
    assert!(store.ledger_over(&wire, 1).states(&[]).await.unwrap().is_empty());
    assert!(wire.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_one_answer_leaves_out_are_asked_for_again() {
    let store = Store::new().await;
    recorded(&store.ledger(), 0..10).await;
    let mut known = keys(0..10);
    known.sort();
    assert_eq!(found(&store.ledger_with(Unprocessed::default()), &keys(0..12)).await, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_holds_all_states_and_the_movements_of_one_address_oldest_first() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let mesaj = Person::new("0532 111 22 33", Channel::Mesaj);
    let arama = Person::new("0532 111 22 33", Channel::Arama);
    let mut tacir = mesaj.clone();
    tacir.key.recipient_type = RecipientType::Tacir;
    let neighbour = Person::new("0532 111 22 34", Channel::Mesaj);
    let movements = [
        mesaj.says(Status::Onay, 40, Origin::Api),
        arama.says(Status::Ret, 10, Origin::Registry),
        mesaj.says(Status::Ret, 30, Origin::Insider),
        tacir.says(Status::Onay, 20, Origin::Import),
        neighbour.says(Status::Onay, 25, Origin::Api),
        mesaj.says(Status::Onay, 0, Origin::Api),
    ];
    for movement in &movements {
        ledger.record(movement, at(100), at(200)).await.unwrap();
    }
    let story = ledger.story(&mesaj.key.brand, &mesaj.key.recipient_id).await.unwrap();
    let states: BTreeSet<_> = story.states.iter().map(|state| state.key.clone()).collect();
    assert_eq!(states, [mesaj.key.clone(), arama.key.clone(), tacir.key.clone()].into());
    let told: Vec<_> = story.history.iter().map(|entry| entry.movement.clone()).collect();
    let expected = [5, 1, 3, 2, 0].map(|index| movements[index].clone());
    assert_eq!(told, expected);
    assert_eq!(ledger.states_of(&mesaj.key.brand, &mesaj.key.recipient_id).await.unwrap(), story.states);
    let nobody = Person::nth(1).key;
    let nothing = ledger.story(&nobody.brand, &nobody.recipient_id).await.unwrap();
    assert!(nothing.states.is_empty() && nothing.history.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_several_pages_is_read_to_its_end() {
    let (store, person) = (Store::new().await, Person::nth(1));
    for second in 0..7 {
        store.ledger().record(&person.says(Status::Ret, second, Origin::Api), at(100), at(200)).await.unwrap();
    }
    let story = store.ledger_with(SmallPages(2)).story(&person.key.brand, &person.key.recipient_id).await.unwrap();
    assert_eq!(story.history.len(), 7);
    assert!(story.history.is_sorted_by_key(|entry| entry.movement.head.consent_date));
}
