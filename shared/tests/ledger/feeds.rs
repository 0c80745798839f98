//! Cursors, leases and counts of a brand.

use jiff::SignedDuration;
use shared::consent::BrandName;
use shared::ledger::{Trail, UnknownKind, UnknownName};

use crate::support::dynamodb::Store;
use crate::support::people::at;

const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

fn demo() -> BrandName {
    "demo".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_without_a_trail_starts_from_nothing_and_a_stored_one_reads_back() {
    let store = Store::new().await;
    let ledger = store.ledger();
    assert_eq!(ledger.trail(&demo(), "people").await.unwrap(), Trail::default());
    let mut trail = Trail::default();
    trail.note("c-1".into(), at(0), OVERLAP);
    trail.note("c-2".into(), at(60), OVERLAP);
    trail.read_at = Some(at(61));
    ledger.put_trail(&demo(), "people", &trail).await.unwrap();
    assert_eq!(ledger.trail(&demo(), "people").await.unwrap(), trail);
    assert_eq!(ledger.trail(&demo(), "brand").await.unwrap(), Trail::default(), "feeds do not mix");
    assert_eq!(ledger.trail(&"other".parse().unwrap(), "people").await.unwrap(), Trail::default(), "brands do not mix");
    trail.note("c-3".into(), at(900), OVERLAP);
    ledger.put_trail(&demo(), "people", &trail).await.unwrap();
    assert_eq!(ledger.trail(&demo(), "people").await.unwrap().start(at(900), OVERLAP), Some("c-2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_workers_has_the_lease_until_it_ends_or_is_given_back() {
    let store = Store::new().await;
    let (one, other) = (store.ledger(), store.ledger());
    assert!(one.try_lease(&demo(), "pull", at(0), at(60)).await.unwrap());
    assert!(!other.try_lease(&demo(), "pull", at(1), at(61)).await.unwrap());
    assert!(!other.try_lease(&demo(), "pull", at(60), at(120)).await.unwrap(), "to its last moment");
    assert!(other.try_lease(&demo(), "sweep", at(1), at(61)).await.unwrap(), "another job");
    assert!(other.try_lease(&"other".parse().unwrap(), "pull", at(1), at(61)).await.unwrap(), "another brand");

    assert!(other.try_lease(&demo(), "pull", at(61), at(121)).await.unwrap(), "its holder died");
    assert!(!one.try_lease(&demo(), "pull", at(62), at(122)).await.unwrap());
    one.release(&demo(), "pull", at(60)).await.unwrap();
    assert!(!one.try_lease(&demo(), "pull", at(62), at(122)).await.unwrap(), "a holder that is too late gives back nothing");
    other.release(&demo(), "pull", at(121)).await.unwrap();
    assert!(one.try_lease(&demo(), "pull", at(63), at(123)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_at_one_moment_exactly_one_gets_the_lease() {
    let store = Store::new().await;
    for (now, until) in [(0, 60), (61, 120)] {
        let tries = (0..16).map(|_| {
            let ledger = store.ledger();
            tokio::spawn(async move { ledger.try_lease(&demo(), "pull", at(now), at(until)).await.unwrap() })
        });
        let got = futures::future::join_all(tries).await.into_iter().filter(|got| *got.as_ref().unwrap()).count();
        assert_eq!(got, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_are_counted_by_brand_and_kind_also_from_many_at_once_and_keep_their_first_sample() {
    let store = Store::new().await;
    let ledger = store.ledger();
    assert!(ledger.unknown_names(&demo(), UnknownKind::Event).await.unwrap().is_empty());
    let note = async |brand: &str, kind: UnknownKind, name: &str, times: u32, sample: Option<&str>, seconds: i64| {
        ledger.note_unknown(&brand.parse().unwrap(), kind, name, times, sample, at(seconds)).await.unwrap();
    };
    note("demo", UnknownKind::Event, "email_dropped", 1, None, 0).await;
    note("demo", UnknownKind::Event, "email_dropped", 1, Some(r#"{"a":"text"}"#), 1).await;
    let counts = (0..20).map(|_| {
        let ledger = store.ledger();
        tokio::spawn(async move { ledger.note_unknown(&demo(), UnknownKind::Event, "email_dropped", 2, Some("{}"), at(2)).await.unwrap() })
    });
    for counted in futures::future::join_all(counts).await {
        counted.unwrap();
    }
    note("demo", UnknownKind::Event, "push_closed", 1, None, 3).await;
    note("demo", UnknownKind::Attribute, "city", 4, Some("{}"), 5).await;
    note("other", UnknownKind::Event, "push_closed", 7, None, 6).await;
    ledger.put_trail(&demo(), "people", &Trail::default()).await.unwrap();
    let name =
        |times, seconds, sample: Option<&str>| UnknownName { times, last_seen: Some(at(seconds)), sample: sample.map(str::to_owned) };
    let events = ledger.unknown_names(&demo(), UnknownKind::Event).await.unwrap();
    let expected =
        [("email_dropped".to_owned(), name(42, 2, Some(r#"{"a":"text"}"#))), ("push_closed".to_owned(), name(1, 3, None))].into();
    assert_eq!(events, expected);
    let attributes = ledger.unknown_names(&demo(), UnknownKind::Attribute).await.unwrap();
    assert_eq!(attributes, [("city".to_owned(), name(4, 5, Some("{}")))].into());
}
