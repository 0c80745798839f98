//! The work index: it holds what is unfinished, tells what is due, and counts the rest.

use shared::consent::code::Hold;
use shared::consent::{Answer, ConsentKey, Origin, Outcome, Status, Target};
use shared::ledger::item::WORK_SHARDS;
use shared::ledger::{Backlog, Due, DueWork, Ledger};

use crate::support::dynamodb::Store;
use crate::support::pages::SmallPages;
use crate::support::people::{Person, at};

const APPLIED: Answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };

async fn says(ledger: &Ledger, person: &Person, status: Status, origin: Origin, due: i64) {
    ledger.record(&person.says(status, 0, origin), at(5), at(due)).await.unwrap();
}

async fn hears(ledger: &Ledger, person: &Person, target: Target, answer: Answer) {
    let sent = ledger.state(&person.key).await.unwrap().unwrap().head.sent();
    ledger.answered(&person.key, target, &sent, answer, at(6), at(7)).await.unwrap();
}

/// The keys due by a moment, shard by shard.
async fn due(ledger: &Ledger, now: i64) -> Vec<Vec<ConsentKey>> {
    let mut shards = Vec::new();
    for shard in 0..WORK_SHARDS {
        let work = ledger.due_work(&Person::nth(0).key.brand, shard, at(now), 100).await.unwrap();
        let key = |due: Due| match due.work {
            DueWork::Key(key) => key,
            DueWork::Submission(id) => panic!("nobody wrote the submission {id}"),
        };
        shards.push(work.into_iter().map(key).collect());
    }
    shards
}

async fn backlog(ledger: &Ledger) -> Backlog {
    ledger.backlog(&Person::nth(0).key.brand, 10).await.unwrap()
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> std::collections::BTreeMap<String, u64> {
    counts.map(|(state, count)| (state.to_owned(), count)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_work_without_any_message_falls_due_until_both_targets_are_done() {
    let (store, person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    says(&ledger, &person, Status::Ret, Origin::Api, 60).await;
    assert!(due(&ledger, 59).await.concat().is_empty(), "too early");
    assert_eq!(due(&ledger, 60).await.concat(), std::slice::from_ref(&person.key));
    hears(&ledger, &person, Target::Registry, APPLIED).await;
    assert_eq!(due(&ledger, 60).await.concat(), std::slice::from_ref(&person.key), "Insider's part is open");
    hears(&ledger, &person, Target::Insider, APPLIED).await;
    assert!(due(&ledger, 1_000_000).await.concat().is_empty());
    assert!(store.work().await.is_empty(), "what is settled is not in the index");
    assert_eq!(backlog(&ledger).await, Backlog::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_holds_an_entry_for_what_is_open_at_either_target_and_none_for_the_rest() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let [open_at_both, open_at_the_registry, open_at_insider, settled] = [1, 2, 3, 4].map(Person::nth);
    says(&ledger, &open_at_both, Status::Ret, Origin::Api, 60).await;
    says(&ledger, &open_at_the_registry, Status::Ret, Origin::Insider, 60).await;
    says(&ledger, &open_at_insider, Status::Ret, Origin::Registry, 60).await;
    says(&ledger, &settled, Status::Ret, Origin::Registry, 60).await;
    hears(&ledger, &settled, Target::Insider, APPLIED).await;

    let work = store.work().await;
    assert_eq!(store.items().await.len(), 8, "four states, four movements");
    assert_eq!(work.len(), 3);
    let mut found = due(&ledger, 60).await.concat();
    found.sort();
    let mut open = [open_at_both.key, open_at_the_registry.key, open_at_insider.key];
    open.sort();
    assert_eq!(found, open);
    for entry in work.values() {
        let names: Vec<_> = entry.keys().map(String::as_str).collect();
        let known = ["PK", "SK", "work_deadline", "work_due", "work_insider", "work_insider_held", "work_iys", "work_iys_held", "work_pk"];
        assert!(names.iter().all(|name| known.contains(name)), "the index shows more than it needs: {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_stays_visible_and_is_never_due() {
    let (store, person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    says(&ledger, &person, Status::Ret, Origin::Api, 60).await;
    hears(&ledger, &person, Target::Insider, APPLIED).await;
    hears(&ledger, &person, Target::Registry, Answer::Rejected("H175".into())).await;
    assert!(due(&ledger, 1_000_000_000).await.concat().is_empty());
    let backlog = backlog(&ledger).await;
    assert_eq!(backlog.registry, counts([("rejected", 1)]));
    assert_eq!(backlog.insider, counts([]));
    assert_eq!(backlog.oldest_due, None, "nothing waits for us");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_onay_that_waits_for_the_registry_is_counted_and_falls_due_with_the_registrys_part() {
    let (store, person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    says(&ledger, &person, Status::Onay, Origin::Api, 60).await;
    let waiting = backlog(&ledger).await;
    assert_eq!((waiting.registry, waiting.insider), (counts([("pending", 1)]), counts([("awaiting", 1)])));
    assert_eq!(due(&ledger, 60).await.concat(), [person.key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn due_work_comes_the_longest_waiting_first_and_no_more_than_asked_for() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people: Vec<_> = (0..24).map(Person::nth).collect();
    // Written in another order than they fall due.
    let due_at = |number: usize| 100 + (number as i64 * 7) % 24;
    for (number, person) in people.iter().enumerate() {
        says(&ledger, person, Status::Ret, Origin::Api, due_at(number)).await;
    }
    let number = |key: &ConsentKey| people.iter().position(|person| person.key == *key).unwrap();
    let shards = due(&ledger, 111).await;
    let found: Vec<_> = shards.concat();
    assert_eq!(found.len(), 12, "half of it is not due yet");
    assert!(shards.iter().any(|shard| shard.len() > 1), "24 people over {WORK_SHARDS} shards");
    for (shard, keys) in (0..WORK_SHARDS).zip(&shards) {
        assert!(keys.is_sorted_by_key(|key| due_at(number(key))), "shard {shard}");
        let first = ledger.due_work(&people[0].key.brand, shard, at(111), 1).await.unwrap();
        let first: Vec<_> = first.into_iter().map(|due| due.work).collect();
        assert_eq!(first, keys.iter().take(1).cloned().map(DueWork::Key).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_of_two_targets_decides_when_a_key_is_due() {
    let (store, person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    says(&ledger, &person, Status::Ret, Origin::Api, 60).await;
    hears(&ledger, &person, Target::Insider, Answer::Postponed { due: at(40) }).await;
    assert_eq!(due(&ledger, 40).await.concat(), std::slice::from_ref(&person.key));
    ledger.requeued(&person.key, &[Target::Insider], at(500)).await.unwrap();
    assert!(due(&ledger, 59).await.concat().is_empty());
    assert_eq!(due(&ledger, 60).await.concat(), std::slice::from_ref(&person.key));
    ledger.requeued(&person.key, &[Target::Registry], at(600)).await.unwrap();
    assert!(due(&ledger, 499).await.concat().is_empty());
    assert_eq!(due(&ledger, 500).await.concat(), [person.key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_counts_by_target_state_and_what_is_waited_for() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people: Vec<_> = (0..6).map(Person::nth).collect();
    for (person, due) in people.iter().zip([90, 30, 60, 60, 60, 60]) {
        says(&ledger, person, Status::Ret, Origin::Api, due).await;
    }
    let earlier = Person::nth(6);
    ledger.record(&earlier.says(Status::Ret, -86_400, Origin::Insider), at(5), at(60)).await.unwrap();
    let hold = Answer::Held { why: Hold::Authority, due: at(400), code: None };
    hears(&ledger, &people[2], Target::Registry, hold).await;
    hears(&ledger, &people[3], Target::Registry, Answer::Submitted { submission: "s".into(), due: at(400) }).await;
    hears(&ledger, &people[4], Target::Registry, Answer::Rejected("H175".into())).await;
    hears(&ledger, &people[5], Target::Registry, APPLIED).await;
    hears(&ledger, &people[5], Target::Insider, Answer::Rejected("400".into())).await;

    let counted = backlog(&ledger).await;
    assert_eq!(counted.registry, counts([("held", 1), ("pending", 3), ("rejected", 1), ("submitted", 1)]));
    assert_eq!(counted.insider, counts([("pending", 5), ("rejected", 1)]));
    assert_eq!((counted.registry_held, counted.insider_held), (counts([("authority", 1)]), counts([])));
    assert_eq!(counted.oldest_due, Some(at(30)));
    assert!(!counted.truncated);
}

#[tokio::test(flavor = "multi_thread")]
async fn brands_do_not_see_each_others_work() {
    let (store, mut person) = (Store::new().await, Person::nth(1));
    let ledger = store.ledger();
    person.key.brand = "other".parse().unwrap();
    says(&ledger, &person, Status::Ret, Origin::Api, 60).await;
    assert!(due(&ledger, 1_000).await.concat().is_empty());
    assert_eq!(backlog(&ledger).await, Backlog::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_longer_than_what_was_counted_says_so_and_a_shorter_one_does_not() {
    let store = Store::new().await;
    // Four people of one shard, so that its pages are known.
    let mut people = Vec::new();
    let mut number = 0;
    while people.len() < 4 {
        let person = Person::nth(number);
        says(&store.ledger(), &person, Status::Ret, Origin::Api, 60).await;
        if due(&store.ledger(), 60).await[0].contains(&person.key) {
            people.push(person);
        } else {
            for target in Target::ALL {
                hears(&store.ledger(), &person, target, APPLIED).await;
            }
        }
        number += 1;
    }
    let brand = &people[0].key.brand;
    for (page, pages, counted, truncated) in [(2, 1, 2, true), (3, 1, 3, true), (2, 2, 4, false), (2, 3, 4, false), (4, 1, 4, false)] {
        let backlog = store.ledger_with(SmallPages(page)).backlog(brand, pages).await.unwrap();
        assert_eq!(backlog.registry, counts([("pending", counted)]), "{pages} pages of {page}");
        assert_eq!(backlog.truncated, truncated, "{pages} pages of {page}");
    }
}
