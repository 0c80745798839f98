//! What recording a movement says and stores, and what answers do to it.

use shared::consent::{Answer, Merge, Origin, Outcome, Status, Sync, Target};
use shared::ledger::Ending;

use crate::support::dynamodb::Store;
use crate::support::people::{Person, at};

fn applied(transaction: &str) -> Answer {
    Answer::Settled { outcome: Outcome::Applied, transaction_id: Some(transaction.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_movement_is_new_and_becomes_the_state() {
    let store = Store::new().await;
    let ret = Person::nth(1).says(Status::Ret, 0, Origin::Api);
    let recorded = store.ledger().record(&ret, at(10), at(60)).await.unwrap();
    assert!(recorded.is_new);
    assert_eq!(recorded.merge, Merge::Advanced);
    assert_eq!(recorded.state.head, ret.head);
    assert_eq!(recorded.state.registry, Sync::Pending { due: at(60), sweeps: 0 });
    assert_eq!(store.ledger().state(&ret.key).await.unwrap(), Some(recorded.state));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_movement_advances_an_earlier_one_is_superseded_and_the_same_is_repeated() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    ledger.record(&person.says(Status::Onay, 100, Origin::Api), at(110), at(200)).await.unwrap();
    for (status, second, is_new, merge) in [
        (Status::Ret, 200, true, Merge::Advanced),
        (Status::Onay, 150, true, Merge::Superseded),
        (Status::Ret, 200, false, Merge::Repeated),
        (Status::Onay, 150, false, Merge::Superseded),
    ] {
        let recorded = ledger.record(&person.says(status, second, Origin::Api), at(210), at(300)).await.unwrap();
        assert_eq!((recorded.is_new, recorded.merge), (is_new, merge), "{status} at {second}");
        assert_eq!(
            (recorded.state.head.status, recorded.state.head.consent_date),
            (Status::Ret, person.says(Status::Ret, 200, Origin::Api).head.consent_date)
        );
    }
    let story = ledger.story(&person.key.brand, &person.key.recipient_id).await.unwrap();
    assert_eq!(story.states.len(), 1);
    assert_eq!(story.history.len(), 3, "the history keeps what was superseded and holds no event twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_without_effect_does_not_write_the_state() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    ledger.record(&person.says(Status::Ret, 100, Origin::Api), at(110), at(200)).await.unwrap();
    let before = ledger.state(&person.key).await.unwrap().unwrap();
    ledger.record(&person.says(Status::Ret, 100, Origin::Api), at(120), at(300)).await.unwrap();
    ledger.record(&person.says(Status::Onay, 50, Origin::Api), at(130), at(300)).await.unwrap();
    assert_eq!(ledger.state(&person.key).await.unwrap(), Some(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_settles_its_target_and_the_history_says_how_it_ended() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let ret = Person::nth(1).says(Status::Ret, 0, Origin::Api);
    ledger.record(&ret, at(10), at(60)).await.unwrap();
    let state = ledger.answered(&ret.key, Target::Registry, &ret.head.sent(), applied("t-1"), at(20), at(90)).await.unwrap();
    assert!(!state.registry.is_open() && state.insider.is_open());
    let state = ledger.answered(&ret.key, Target::Insider, &ret.head.sent(), Answer::Rejected("400".into()), at(30), at(90)).await.unwrap();
    assert_eq!(state.insider, Sync::Rejected { code: "400".into(), at: at(30) });
    assert_eq!(ledger.state(&ret.key).await.unwrap(), Some(state));

    let history = ledger.story(&ret.key.brand, &ret.key.recipient_id).await.unwrap().history;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].movement, ret);
    let at_the_registry = Ending { outcome: Some(Outcome::Applied), code: None, transaction_id: Some("t-1".into()), at: at(20) };
    assert_eq!(history[0].registry, Some(at_the_registry));
    assert_eq!(history[0].insider, Some(Ending { outcome: None, code: Some("400".into()), transaction_id: None, at: at(30) }));
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_an_answer_to_an_older_state_does_not_settle_the_newer_one() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let person = Person::nth(1);
    let (onay, ret) = (person.says(Status::Onay, 0, Origin::Api), person.says(Status::Ret, 60, Origin::Api));
    ledger.record(&onay, at(10), at(100)).await.unwrap();
    ledger.record(&ret, at(70), at(160)).await.unwrap();
    for target in Target::ALL {
        let state = ledger.answered(&person.key, target, &onay.head.sent(), applied("late"), at(80), at(170)).await.unwrap();
        assert!(state.sync(target).is_open(), "{target:?}");
        assert_eq!(state.head, ret.head);
    }
    let state = ledger.state(&person.key).await.unwrap().unwrap();
    assert!(state.registry_holds_onay(), "what the late answer tells of the registry is kept");
    let history = ledger.story(&person.key.brand, &person.key.recipient_id).await.unwrap().history;
    assert_eq!(history[0].registry.as_ref().and_then(|ending| ending.outcome), Some(Outcome::Applied), "the ONAY did end");
    assert_eq!(history[1].registry, None, "the RET did not");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_state_is_an_error_and_writes_nothing() {
    let store = Store::new().await;
    let ret = Person::nth(1).says(Status::Ret, 0, Origin::Api);
    let answer = store.ledger().answered(&ret.key, Target::Registry, &ret.head.sent(), applied("t"), at(1), at(2)).await;
    assert!(answer.is_err());
    assert!(store.items().await.is_empty());
}
