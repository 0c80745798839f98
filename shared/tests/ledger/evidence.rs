//! What a movement carries from its first writing on, and the index of a brand's day.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::consent::{AsideReason, Origin, Status};
use shared::evidence::tree::Tree;
use shared::evidence::{Day, Digest, Payload, day_of, payload_digest};

use crate::support::dynamodb::{Item, Store};
use crate::support::people::{Person, at};

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

async fn digests(store: &Store, day: &str) -> Vec<Digest> {
    let mut found = Vec::new();
    store.ledger().digests_of_day(&Person::nth(0).key.brand, day.parse().unwrap(), |digest| found.push(*digest)).await.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_carries_the_digest_of_its_form_from_its_first_writing_on() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    let (brand, id) = (&person.key.brand, &person.key.recipient_id);
    let said = person.says(Status::Ret, 0, Origin::Api);
    ledger.record_from(&said, Some(Payload::of(b"body")), at(5), at(65)).await.unwrap();
    ledger.record(&person.says(Status::Onay, 10, Origin::Correction), at(15), at(75)).await.unwrap();
    ledger.keep_aside(&person.says(Status::Ret, 20, Origin::Insider), AsideReason::LeftGroup, Some(Payload::of(b"list"))).await.unwrap();

    let kept = ledger.kept_of(brand, id).await.unwrap();
    let payloads = [Some("body"), None, Some("list")];
    assert_eq!(kept.len(), payloads.len());
    for (kept, payload) in kept.iter().zip(payloads) {
        let (form, (digest, salt)) = (kept.form.as_ref().unwrap(), kept.digest.as_ref().unwrap());
        assert_eq!((form.digest().to_string(), form.address.as_str()), (digest.clone(), person.recipient.expose()));
        assert_eq!(form.payload, payload.map(|body| payload_digest(salt, body.as_bytes()).to_string()).unwrap_or_default());
        assert_eq!(form.aside, if payload == Some("list") { "left_group" } else { "" });
        // Neither what it says nor what it was made from can be guessed from its digests without its seed.
        assert_ne!(form.payload, Digest::of([payload.unwrap_or_default().as_bytes()]).to_string());
    }
    // Told again, also with another body: what was written first stays, byte for byte, and how it ended changes none of it.
    let before = store.items().await;
    ledger.record_from(&said, Some(Payload::of(b"another")), at(50), at(90)).await.unwrap();
    ledger.record(&person.says(Status::Ret, 30, Origin::Api), at(50), at(90)).await.unwrap();
    let after = store.items().await;
    for (key, item) in before.iter().filter(|((_, sort), _)| !sort.starts_with('S')) {
        for name in ["seed", "digest", "day_pk", "payload", "received_at"] {
            assert_eq!(item.get(name), after[key].get(name), "{name}");
        }
    }
    let seeds: std::collections::BTreeSet<_> =
        after.values().filter_map(|item| item.get("seed")).map(|seed| seed.as_s().unwrap()).collect();
    assert_eq!(seeds.len(), 4, "each movement has a seed of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_lists_what_was_received_on_a_day_in_türkiye_in_ascending_order_and_holds_no_address() {
    let store = Store::new().await;
    let ledger = store.ledger();
    // A moment is received three seconds after it was said; the day in Türkiye ends at 21:00 UTC.
    let midnight = "2026-11-18T21:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second() - at(0).as_second();
    for number in 0..40 {
        ledger
            .record(&Person::nth(number).says(Status::Ret, midnight - 23 + i64::try_from(number).unwrap(), Origin::Api), at(5), at(65))
            .await
            .unwrap();
    }
    let (before, after) = (digests(&store, "2026-11-18").await, digests(&store, "2026-11-19").await);
    assert_eq!((before.len(), after.len()), (20, 20));
    assert!(before.is_sorted() && after.is_sorted());
    assert!(digests(&store, "2026-11-20").await.is_empty());
    for ((_, sort), entry) in store.days().await {
        assert!(sort.starts_with("M#") && entry.keys().eq(["PK", "SK", "day_pk", "digest"]), "{entry:?}");
        assert_eq!(text(&entry, "day_pk").rsplit_once('#').unwrap().1, &text(&entry, "digest")[..1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_from_before_there_were_digests_is_read_and_shown_as_such_and_is_not_written_anew() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    let said = person.says(Status::Ret, 0, Origin::Api);
    ledger.record(&said, at(5), at(65)).await.unwrap();
    let ((_, sort), mut item) = store.items().await.into_iter().find(|((_, sort), _)| sort.starts_with("M#")).unwrap();
    for name in ["seed", "digest", "day_pk"] {
        assert!(item.remove(name).is_some(), "{sort} has no {name}");
    }
    store.put(item.clone()).await;
    assert!(!ledger.record_from(&said, Some(Payload::of(b"body")), at(5), at(65)).await.unwrap().is_new);
    assert_eq!(store.items().await.into_iter().find(|((_, sort), _)| sort.starts_with("M#")).unwrap().1, item);
    let kept = ledger.kept_of(&person.key.brand, &person.key.recipient_id).await.unwrap();
    assert!(matches!(kept.as_slice(), [kept] if kept.form.is_none() && kept.digest.is_none() && kept.shown.status == "RET"));
    assert_eq!(ledger.story(&person.key.brand, &person.key.recipient_id).await.unwrap().history.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_closed_once_and_never_written_over() {
    let ledger = Store::new().await.ledger();
    let brand = Person::nth(0).key.brand;
    assert_eq!(ledger.last_closed_day(&brand).await.unwrap(), None);
    let mut days = Vec::new();
    let mut previous = Digest::NONE;
    for second in [0, 86_400, 2 * 86_400] {
        let mut tree = Tree::default();
        tree.push(&previous);
        let day = Day::after(previous, brand.as_str(), day_of(at(second)), tree.finish().0);
        assert_eq!(ledger.close_day(&brand, &day).await.unwrap(), day);
        previous = day.chained;
        days.push(day);
    }
    let other = Day::after(Digest::NONE, brand.as_str(), days[2].day, Tree::default().finish().0);
    assert_eq!(ledger.close_day(&brand, &other).await.unwrap(), days[2], "what stands there stays");
    assert_eq!(ledger.closed_days(&brand).await.unwrap(), days);
    assert_eq!(ledger.last_closed_day(&brand).await.unwrap(), Some(days[2]));
    assert_eq!(ledger.closed_days(&"other".parse().unwrap()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_parts_do_not_fit_each_other_has_no_form() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    ledger.record(&person.says(Status::Ret, 0, Origin::Api), at(5), at(65)).await.unwrap();
    let item = store.items().await.into_iter().find(|((_, sort), _)| sort.starts_with("M#")).unwrap().1;
    for (name, value) in [
        ("event_id", AttributeValue::S("another".into())),
        ("aside", AttributeValue::S("bounce".into())),
        ("recipient", AttributeValue::N("1".into())),
        ("retailers", AttributeValue::S("58954386".into())),
        ("payload", AttributeValue::N("1".into())),
    ] {
        let mut wrong = item.clone();
        wrong.insert(name.to_owned(), value);
        store.put(wrong).await;
        let kept = ledger.kept_of(&person.key.brand, &person.key.recipient_id).await.unwrap();
        assert!(matches!(kept.as_slice(), [kept] if kept.form.is_none() && kept.digest.is_some()), "{name}");
    }
}
