//! A brand's standing, its push credentials, and the search for held work.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use secrecy::SecretString;
use shared::consent::code::Hold;
use shared::consent::standing::{About, Standing};
use shared::consent::{Answer, BrandName, Channel, ConsentKey, Origin, Status, Target};
use shared::ledger::{HeldPage, Ledger, LedgerError, PushKey};

use crate::support::dynamodb::Store;
use crate::support::pages::SmallPages;
use crate::support::people::{Person, at};

fn brand() -> BrandName {
    Person::nth(0).key.brand
}

fn on(channel: Channel) -> About {
    About { channel: Some(channel), record: Some(Status::Onay) }
}

async fn held(ledger: &Ledger) -> BTreeSet<ConsentKey> {
    let (mut keys, mut page) = (BTreeSet::new(), Some(HeldPage::default()));
    while let Some(at) = page {
        let found = ledger.held_work(&brand(), at).await.unwrap();
        keys.extend(found.keys.into_iter().map(|bound| bound.key));
        page = found.next;
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn what_several_workers_learn_at_once_is_all_kept_and_one_of_them_takes_the_look() {
    let store = Store::new().await;
    let pause = jiff::SignedDuration::from_mins(30);
    assert_eq!(store.ledger().standing(&brand()).await.unwrap(), Standing::default());
    let workers = (0..9).map(|worker| {
        let (ledger, channel) = (store.ledger(), Channel::ALL[worker % 3]);
        tokio::spawn(async move {
            let note = |standing: &mut Standing| standing.refused(on(channel), Hold::Authority, "H355", at(1));
            let told = ledger.change_standing(&brand(), note).await.unwrap().1;
            let take = |standing: &mut Standing| {
                let due = standing.look_is_due(at(2), pause, pause);
                if due {
                    standing.claim(at(2), pause);
                }
                due
            };
            (told, ledger.change_standing(&brand(), take).await.unwrap().1)
        })
    });
    let done: Vec<(bool, bool)> = futures::future::join_all(workers).await.into_iter().map(Result::unwrap).collect();
    // A look that is taken between two refusals is due anew by the later one.
    let (told, taken) = (done.iter().filter(|(told, _)| *told).count(), done.iter().filter(|(_, taken)| *taken).count());
    assert_eq!(told, 3, "one worker's news for each channel");
    assert!((1..=3).contains(&taken), "{taken}");
    let standing = store.ledger().standing(&brand()).await.unwrap();
    assert!(Channel::ALL.iter().all(|channel| standing.bar(*channel, Status::Ret, true).is_some()));
    assert!(!standing.look_is_due(at(2), pause, pause));
}

#[tokio::test(flavor = "multi_thread")]
async fn held_work_is_found_over_all_pages_and_nothing_else_is() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let hold = |why| Answer::Held { why, due: at(100_000), code: None };
    let mut expected = BTreeSet::new();
    for number in 0..40 {
        let person = Person::nth(number);
        let recorded = ledger.record(&person.says(Status::Onay, 0, Origin::Api), at(5), at(60)).await.unwrap();
        let sent = recorded.state.head.sent();
        let (target, answer) = match number % 4 {
            0 => {
                expected.insert(person.key.clone());
                (Target::Registry, hold(Hold::Subscription))
            }
            1 => (Target::Insider, hold(Hold::Credentials)),
            2 => (Target::Registry, Answer::Rejected("H120".into())),
            _ => continue,
        };
        ledger.answered(&person.key, target, &sent, answer, at(6), at(7)).await.unwrap();
    }
    assert_eq!(held(&ledger).await, expected);
    assert_eq!(held(&store.ledger_with(SmallPages(3))).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_that_cannot_be_read_is_an_error_and_is_not_written_over() {
    let store = Store::new().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item =
        [("PK", text("B#demo")), ("SK", text("STANDING")), ("document", text("nonsense")), ("revision", AttributeValue::N("3".into()))];
    store.put(item.map(|(name, value)| (name.to_owned(), value)).into()).await;
    assert!(matches!(store.ledger().standing(&brand()).await, Err(LedgerError::Item { .. })));
    let note = |standing: &mut Standing| standing.refused(on(Channel::Mesaj), Hold::Authority, "H355", at(1));
    assert!(matches!(store.ledger().change_standing(&brand(), note).await, Err(LedgerError::Item { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_pairs_made_at_once_one_stands_and_no_output_shows_it() {
    let store = Store::new().await;
    let made = (0..6).map(|worker| {
        let ledger = store.ledger();
        tokio::spawn(async move {
            let key = PushKey {
                username: SecretString::from(format!("made-up-name-{worker}")),
                password: SecretString::from(format!("made-up-word-{worker}")),
                url: "https://api.example.com/iys".into(),
                made_at: at(1),
            };
            let put = |keys: &mut shared::ledger::PushKeys| {
                let missing = !keys.contains_key(&Channel::Mesaj);
                keys.entry(Channel::Mesaj).or_insert_with(|| key.clone());
                missing
            };
            ledger.change_push_keys(&brand(), put).await.unwrap()
        })
    });
    let seen: Vec<_> = futures::future::join_all(made).await.into_iter().map(Result::unwrap).collect();
    let stands = store.ledger().push_keys(&brand()).await.unwrap();
    let pair = stands[&Channel::Mesaj].credentials();
    for keys in &seen {
        let other = keys[&Channel::Mesaj].credentials();
        use secrecy::ExposeSecret;
        assert!(pair.fit(other.username.expose_secret(), other.password.expose_secret()));
        assert!(!format!("{keys:?}").contains("made-up"), "{keys:?}");
    }
}
