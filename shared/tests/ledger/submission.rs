//! Bulk submissions: written, found again, removed, and small enough for one item.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::consent::{Answer, Channel, EventId, Origin, RecipientType, Status, Target};
use shared::ledger::{DueWork, Member, Submission, SubmissionHead};

use crate::support::dynamodb::{Item, Store, size};
use crate::support::people::{Person, at};

/// What one item may hold (Amazon DynamoDB Developer Guide, "Quotas").
const LARGEST_ITEM: usize = 400 * 1024;

/// A full submission whose ids are as long as they can be.
fn full() -> Submission {
    let member = |number: usize| {
        let mut person = Person::new(&format!("+90532{number:07}"), Channel::Arama);
        person.key.brand = "b".repeat(32).parse().unwrap();
        person.key.recipient_type = RecipientType::Bireysel;
        let mut sent = person.says(Status::Onay, number as i64, Origin::Correction).head.sent();
        sent.event_id = format!("{number:064}").parse::<EventId>().unwrap();
        Member { key: person.key, sent, record_id: Some(uuid::Uuid::from_u128(number as u128).to_string()) }
    };
    let members: Vec<_> = (0..1000).map(member).collect();
    Submission {
        brand: members[0].key.brand.clone(),
        id: uuid::Uuid::from_u128(1).to_string(),
        request_id: Some(uuid::Uuid::from_u128(2).to_string()),
        ready_at: Some(at(300)),
        created_at: at(0),
        checks: u16::MAX,
        again: true,
        members,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_submission_with_the_longest_ids_reads_back_and_fits_its_items() {
    let store = Store::new().await;
    let (ledger, submission) = (store.ledger(), full());
    ledger.write_submission(&submission, at(60)).await.unwrap();
    assert!(ledger.note_taken(&submission, at(60)).await.unwrap());
    assert_eq!(ledger.submission(&submission.brand, &submission.id).await.unwrap().as_ref(), Some(&submission));
    let sizes: Vec<_> = store.items().await.iter().map(|((_, sk), item)| (sk.clone(), size(item))).collect();
    assert!(sizes.iter().all(|(sk, bytes)| *bytes < if sk == "R" { 1024 } else { LARGEST_ITEM }), "{sizes:?}");
    let entry = size(store.work().await.values().next().unwrap());
    assert!(entry < 1024, "the index holds none of the members: {entry} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_falls_due_until_it_is_removed_and_is_no_key_of_the_backlog() {
    let store = Store::new().await;
    let (ledger, mut submission) = (store.ledger(), full());
    submission.members.truncate(2);
    submission.request_id = None;
    let brand = submission.brand.clone();
    let due = async |now: i64| -> Vec<DueWork> {
        ledger.due_work(&brand, 0, at(now), 10).await.unwrap().into_iter().map(|due| due.work).collect()
    };
    ledger.write_submission(&submission, at(60)).await.unwrap();
    assert_eq!(due(59).await, []);
    assert_eq!(due(60).await, [DueWork::Submission(submission.id.clone())]);
    let backlog = ledger.backlog(&brand, 10).await.unwrap();
    assert!(backlog.registry.is_empty() && backlog.insider.is_empty());
    assert_eq!(backlog.oldest_due, Some(at(60)));

    submission.request_id = Some("answered".into());
    submission.checks = 1;
    submission.ready_at = Some(at(80));
    assert!(ledger.note_taken(&submission, at(90)).await.unwrap());
    assert_eq!(due(89).await, [], "its time moved on");
    assert_eq!(ledger.submission(&brand, &submission.id).await.unwrap().as_ref(), Some(&submission));
    let head = SubmissionHead { created_at: submission.created_at, checks: 1 };
    assert_eq!(ledger.submission_head(&brand, &submission.id).await.unwrap(), Some(head));

    for _ in 0..2 {
        ledger.delete_submission(&brand, &submission.id).await.unwrap();
        assert_eq!(ledger.submission(&brand, &submission.id).await.unwrap(), None);
        assert_eq!(ledger.submission_head(&brand, &submission.id).await.unwrap(), None);
        assert_eq!(due(1_000_000).await, []);
    }
    // What is finished does not come back because somebody was slower.
    assert!(!ledger.note_taken(&submission, at(90)).await.unwrap());
    assert!(!ledger.note_wait(&submission, at(90)).await.unwrap());
    assert!(!ledger.postpone_submission(&brand, &submission.id, at(90)).await.unwrap());
    assert_eq!(due(1_000_000).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_moves_the_due_time_takes_nothing_back_that_another_has_noted() {
    let store = Store::new().await;
    let (ledger, mut submission) = (store.ledger(), full());
    submission.members.truncate(2);
    let answered = submission.clone();
    submission.request_id = None;
    ledger.write_submission(&submission, at(60)).await.unwrap();
    assert!(ledger.note_taken(&answered, at(90)).await.unwrap());
    assert!(ledger.postpone_submission(&submission.brand, &submission.id, at(120)).await.unwrap());
    assert_eq!(ledger.submission(&submission.brand, &submission.id).await.unwrap(), Some(answered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_of_an_earlier_version_is_read_and_goes_on() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let key = Person::nth(1).key;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let row = format!(r#"[["{}","EPOSTA","BIREYSEL","api-1","RET","2026-11-18 12:00:00","SUB-1"]]"#, key.recipient_id);
    let item: Item = [
        ("PK", text("R#demo#old")),
        ("SK", text("R")),
        ("request_id", text("request-1")),
        ("ready_at", text("2026-11-18T09:05:00Z")),
        ("created_at", text("2026-11-18T09:00:00Z")),
        ("checks", AttributeValue::N("3".into())),
        ("members", text(&row)),
        ("work_pk", text("W#demo#0")),
        ("work_due", text("000001794992400000")),
        ("expires_at", AttributeValue::N("1800000000".into())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    store.put(item).await;
    let mut submission = ledger.submission(&key.brand, "old").await.unwrap().unwrap();
    assert_eq!((submission.request_id.as_deref(), submission.checks, submission.again), (Some("request-1"), 3, false));
    assert_eq!((&submission.members[0].key, submission.members[0].record_id.as_deref()), (&key, Some("SUB-1")));
    submission.checks = 4;
    submission.ready_at = Some(at(500));
    assert!(ledger.note_wait(&submission, at(600)).await.unwrap());
    assert_eq!(ledger.submission(&key.brand, "old").await.unwrap(), Some(submission));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_stands_among_due_keys_by_its_own_time() {
    let store = Store::new().await;
    let ledger = store.ledger();
    // Somebody of the submissions' shard.
    let person = async {
        for number in 0.. {
            let person = Person::nth(number);
            ledger.record(&person.says(Status::Ret, 0, Origin::Insider), at(5), at(60)).await.unwrap();
            if !ledger.due_work(&person.key.brand, 0, at(60), 1).await.unwrap().is_empty() {
                return person;
            }
        }
        unreachable!("somebody is in every shard")
    }
    .await;
    let sent = person.says(Status::Ret, 0, Origin::Insider).head.sent();
    let member = Member { key: person.key.clone(), sent: sent.clone(), record_id: None };
    let mut submission = full();
    (submission.brand, submission.members) = (person.key.brand.clone(), vec![member]);
    ledger.write_submission(&submission, at(50)).await.unwrap();
    let mark = Answer::Submitted { submission: submission.id.clone(), due: at(70) };
    ledger.answered(&person.key, Target::Registry, &sent, mark, at(6), at(7)).await.unwrap();
    let due = ledger.due_work(&submission.brand, 0, at(100), 10).await.unwrap();
    let due: Vec<_> = due.into_iter().map(|due| due.work).collect();
    assert_eq!(due, [DueWork::Submission(submission.id), DueWork::Key(person.key)]);
}
