//! The deadline clock's index: what is bound for the registry, the most urgent first.

use shared::consent::code::Hold;
use shared::consent::slack::Slack;
use shared::consent::{Answer, ConsentDate, ConsentKey, Origin, Outcome, Status, Target};
use shared::ledger::{Bound, Deadlines, Ledger};

use crate::support::dynamodb::Store;
use crate::support::pages::SmallPages;
use crate::support::people::{Person, at};

const APPLIED: Answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
/// A Wednesday noon is second 0; this is how long a day is.
const DAY: i64 = 86_400;

async fn says(ledger: &Ledger, person: &Person, second: i64, origin: Origin) {
    ledger.record(&person.says(Status::Ret, second, origin), at(5), at(60)).await.unwrap();
}

async fn hears(ledger: &Ledger, person: &Person, target: Target, answer: Answer) {
    let sent = ledger.state(&person.key).await.unwrap().unwrap().head.sent();
    ledger.answered(&person.key, target, &sent, answer, at(6), at(7)).await.unwrap();
}

async fn clock(ledger: &Ledger, first: usize) -> Deadlines {
    ledger.deadlines(&Person::nth(0).key.brand, ConsentDate::at(at(10)), first, 10).await.unwrap()
}

fn keys(first: &[Bound]) -> Vec<ConsentKey> {
    first.iter().map(|bound| bound.key.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bound_for_the_registry_is_counted_by_the_time_left_and_the_most_urgent_comes_first() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people: Vec<_> = (0..7).map(Person::nth).collect();
    // In no order: late, two that were said the day before, the others today.
    let said = [0, -DAY, -9 * DAY, 1, -DAY - 3, 2, -2 * DAY];
    for (person, second) in people.iter().zip(said) {
        says(&ledger, person, second, Origin::Api).await;
    }
    let shown = clock(&ledger, 4).await;
    assert_eq!(keys(&shown.first), [2, 6, 4, 1].map(|number: usize| people[number].key.clone()));
    assert_eq!(shown.first[1].deadline.to_string(), "2026-11-19 12:00:00", "three business days after a Monday noon");
    assert_eq!(shown.first[3].deadline.to_string(), "2026-11-20 12:00:00");
    assert_eq!(shown.by_slack, [(Slack::Late, 1), (Slack::Under1, 1), (Slack::Under2, 2), (Slack::Under3, 3)].into());
    assert_eq!([Slack::Late, Slack::Under1, Slack::Under2, Slack::More].map(|slack| shown.at_most(slack)), [1, 2, 4, 7]);
    assert!(!shown.truncated);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_open_at_the_registry_stands_in_the_index_and_nothing_else() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people: Vec<_> = (0..6).map(Person::nth).collect();
    for (person, origin) in people.iter().zip([Origin::Api, Origin::Api, Origin::Api, Origin::Api, Origin::Api, Origin::Registry]) {
        says(&ledger, person, 0, origin).await;
    }
    let hold = Answer::Held { why: Hold::Quota, due: at(400), code: None };
    hears(&ledger, &people[1], Target::Registry, hold).await;
    hears(&ledger, &people[2], Target::Registry, Answer::Submitted { submission: "s".into(), due: at(400) }).await;
    hears(&ledger, &people[3], Target::Registry, Answer::Rejected("H175".into())).await;
    hears(&ledger, &people[4], Target::Registry, APPLIED).await;
    let mut open = keys(&clock(&ledger, 10).await.first);
    open.sort();
    let mut expected: Vec<_> = people[..3].iter().map(|person| person.key.clone()).collect();
    expected.sort();
    assert_eq!(open, expected, "pending, held and submitted; refused and settled do not wait, nor does what only Insider waits for");
    for entry in store.deadlines().await.values() {
        let names: Vec<_> = entry.keys().map(String::as_str).collect();
        assert_eq!(names, ["PK", "SK", "work_deadline", "work_pk"], "it shows more than it needs");
    }
    for person in &people[..3] {
        hears(&ledger, person, Target::Registry, APPLIED).await;
    }
    assert_eq!(clock(&ledger, 10).await, Deadlines::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_longer_than_what_is_counted_still_tells_the_most_urgent() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people: Vec<_> = (0..40).map(Person::nth).collect();
    // The most urgent is written last and its due time is the latest.
    for (number, person) in (0i64..).zip(&people) {
        ledger.record(&person.says(Status::Ret, -number, Origin::Api), at(5), at(60 + number)).await.unwrap();
    }
    let brand = &people[0].key.brand;
    let few = store.ledger_with(SmallPages(2)).deadlines(brand, ConsentDate::at(at(10)), 3, 1).await.unwrap();
    assert!(few.truncated);
    assert_eq!(few.at_most(Slack::More), 8, "one page of two from each of four shards");
    assert_eq!(keys(&few.first)[0], people[39].key);
    let all = store.ledger_with(SmallPages(2)).deadlines(brand, ConsentDate::at(at(10)), 3, 40).await.unwrap();
    assert!(!all.truncated);
    assert_eq!((all.at_most(Slack::More), &all.first[0]), (40, &few.first[0]));
}
