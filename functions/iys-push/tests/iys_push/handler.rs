//! What one batch does to another message, another brand and the time that is left.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsEvent;
use jiff::SignedDuration;
use shared::brand::Brand;
use shared::consent::{Channel, ConsentKey, Origin, Recipient, RecipientType, Status, Sync};
use shared::queue::{KeyRef, PushMessage};
use shared::registry::{Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};

use crate::book::{Book, Op};
use crate::desk::{Desk, RESULT_WAIT, START, TIMEOUT, document, event};
use crate::fuse::Fuse;
use crate::harness::ManualClock;

const BIREYSEL: RecipientType = RecipientType::Bireysel;
const EPOSTA: Channel = Channel::Eposta;
/// Whoever sends this address's record falls over.
const POISON: &str = "zehir@example.com";

fn email(number: usize) -> Recipient {
    Recipient::parse(&format!("kisi{number}@example.com"), EPOSTA).unwrap()
}

/// A book that panics where it meets poison.
struct Poisoned {
    book: Book,
    /// Whether its results are poison.
    results: bool,
}

impl Poisoned {
    fn taste<'a>(&self, recipients: impl IntoIterator<Item = &'a Recipient>) {
        assert!(recipients.into_iter().all(|recipient| recipient.expose() != POISON), "poison");
    }
}

#[async_trait]
impl Registry for Poisoned {
    fn capabilities(&self) -> Capabilities {
        self.book.capabilities()
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.taste([&record.recipient]);
        self.book.add(record).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        self.taste(records.iter().map(|record| &record.recipient));
        self.book.submit(records).await
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        assert!(!self.results, "poison");
        self.book.results(request_id).await
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        self.taste(recipients);
        self.book.onays(channel, kind, recipients).await
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        self.book.holding(channel, kind, recipient).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.book.changes(feed, cursor).await
    }
}

/// A desk whose brands `bir`, `iki` … have a book each, and which of their results are poison.
async fn desk<const N: usize>(poisoned: [bool; N]) -> (Desk, [Book; N]) {
    let names = ["bir", "iki", "uc"];
    let clock = ManualClock::at(START);
    let books = std::array::from_fn(|_| Book::new(clock.clone(), Fuse::default()));
    let by_name: BTreeMap<&str, (Book, bool)> = names.into_iter().zip(books.clone().into_iter().zip(poisoned)).collect();
    let documents = (0..N).map(|at| document(names[at], 700_001 + at as u64, false)).collect();
    let reach = |_: &_| -> iys_push::Reach {
        Arc::new(move |brand: &Arc<Brand>| {
            let (book, results) = by_name[brand.name.as_str()].clone();
            Box::new(Poisoned { book, results })
        })
    };
    (Desk::new(clock, documents, reach).await, books)
}

impl Desk {
    /// Takes consents of a brand in, and forgets their messages.
    async fn consents(&self, brand: usize, recipients: impl IntoIterator<Item = Recipient>) -> Vec<ConsentKey> {
        self.say(brand, recipients, Status::Onay).await
    }

    async fn say(&self, brand: usize, recipients: impl IntoIterator<Item = Recipient>, status: Status) -> Vec<ConsentKey> {
        let movement = |recipient: Recipient| {
            let key = self.key(brand, &recipient, EPOSTA, BIREYSEL);
            self.movement(key, recipient, status, 60, Origin::Api)
        };
        let movements: Vec<_> = recipients.into_iter().map(movement).collect();
        let keys = movements.iter().map(|movement| movement.key.clone()).collect();
        assert!(self.intake.take(movements, self.clock.now()).await.into_iter().all(|taken| taken.is_ok()));
        self.batch().await;
        keys
    }

    async fn words(&self, keys: &[ConsentKey]) -> BTreeMap<&'static str, usize> {
        let mut words = BTreeMap::new();
        for state in self.ledger.states(keys).await.unwrap() {
            *words.entry(state.registry.as_str()).or_default() += 1;
        }
        words
    }
}

fn message(id: &str, keys: &[ConsentKey]) -> (String, String) {
    let message = PushMessage::Keys { brand: keys[0].brand.clone(), keys: keys.iter().map(KeyRef::of).collect() };
    (id.to_owned(), serde_json::to_string(&message).unwrap())
}

fn look(id: &str, brand: &str, submission: &str) -> (String, String) {
    let message = PushMessage::Submission { brand: brand.parse().unwrap(), id: submission.to_owned() };
    (id.to_owned(), serde_json::to_string(&message).unwrap())
}

fn ids(event: &SqsEvent) -> Vec<&str> {
    let mut ids: Vec<_> = event.records.iter().filter_map(|message| message.message_id.as_deref()).collect();
    ids.sort_unstable();
    ids
}

/// The submissions that states name.
async fn submissions(desk: &Desk, keys: &[ConsentKey]) -> Vec<String> {
    let mut ids = HashSet::new();
    for state in desk.ledger.states(keys).await.unwrap() {
        if let Sync::Submitted { submission, .. } = state.registry {
            ids.insert(submission);
        }
    }
    ids.into_iter().collect()
}

#[tokio::test]
async fn a_verdict_that_a_registry_called_back_with_settles_its_record_and_no_other() {
    let (desk, [_]) = desk([false]).await;
    let keys = desk.consents(0, (0..30).map(email)).await;
    desk.handle(event(vec![message("all", &keys)])).await;
    assert_eq!(desk.words(&keys).await, BTreeMap::from([("submitted", 30)]));
    let date = desk.ledger.state(&keys[0]).await.unwrap().unwrap().head.consent_date;
    let verdict = |id: &str, key: &ConsentKey, code: Option<&str>| {
        let told = PushMessage::Verdict {
            brand: key.brand.clone(),
            key: KeyRef::of(key),
            status: Status::Onay,
            consent_date: date,
            reference: None,
            code: code.map(|code| code.parse().unwrap()),
        };
        (id.to_owned(), serde_json::to_string(&told).unwrap())
    };
    let stranger = desk.key(0, &email(99), EPOSTA, BIREYSEL);
    let told = vec![verdict("recorded", &keys[0], None), verdict("refused", &keys[1], Some("H155")), verdict("stranger", &stranger, None)];
    assert_eq!(ids(&desk.handle(event(told)).await), [] as [&str; 0]);
    assert_eq!(desk.words(&keys).await, BTreeMap::from([("rejected", 1), ("settled", 1), ("submitted", 28)]));
}

#[tokio::test]
async fn invariant_10_a_message_that_cannot_be_read_names_no_brand_or_panics_comes_again_alone() {
    for status in [Status::Onay, Status::Ret] {
        let (desk, [book]) = desk([false]).await;
        let good = desk.say(0, (0..50).map(email), status).await;
        let poison = desk.say(0, [Recipient::parse(POISON, EPOSTA).unwrap(), email(50)], status).await;
        let mut messages: Vec<_> = good.chunks(10).enumerate().map(|(at, keys)| message(&format!("good-{at}"), keys)).collect();
        messages.push(message("poison", &poison));
        messages.push(("nonsense".to_owned(), "{\"kind\":".to_owned()));
        messages.push(look("stranger", "yabanci", "s"));
        messages.push(look("finished", "bir", "s"));
        let again = desk.handle(event(messages)).await;
        assert_eq!(ids(&again), ["nonsense", "poison", "stranger"], "{status}");
        let words = desk.words(&good).await;
        assert_eq!(words.get("pending"), None, "{words:?}");
        let words = desk.words(&poison).await;
        assert_eq!((words.get("pending"), words.values().sum()), (Some(&1), 2), "the poison alone: {words:?}");
        let came = book.inner().came.len();
        // It comes again alone, and no list takes the others along.
        assert_eq!(ids(&desk.handle(again).await), ["nonsense", "poison", "stranger"]);
        assert_eq!(book.inner().came.len(), came);
    }
}

#[tokio::test]
async fn invariant_10_a_submission_whose_results_panic_waits_like_one_without_results_and_harms_no_other_brand() {
    let (desk, [first, second]) = desk([true, false]).await;
    let mut messages = Vec::new();
    let mut all = Vec::new();
    for brand in [0, 1] {
        let keys = desk.consents(brand, (0..30).map(email)).await;
        assert!(desk.handle(event([message("m", &keys)])).await.records.is_empty());
        desk.batch().await;
        for (at, id) in submissions(&desk, &keys).await.iter().enumerate() {
            messages.push(look(&format!("{brand}-{at}"), keys[0].brand.as_str(), id));
        }
        let later = desk.consents(brand, (100..110).map(email)).await;
        messages.push(message(&format!("{brand}-keys"), &later));
        all.push((keys, later));
    }
    desk.clock.advance(RESULT_WAIT);
    assert!(desk.handle(event(messages)).await.records.is_empty());
    assert_eq!(desk.words(&all[0].0).await, BTreeMap::from([("submitted", 30)]));
    assert_eq!(desk.words(&all[0].1).await, BTreeMap::from([("settled", 10)]));
    assert_eq!(desk.words(&all[1].0).await, BTreeMap::from([("settled", 30)]));
    assert_eq!(desk.words(&all[1].1).await, BTreeMap::from([("settled", 10)]));
    assert_eq!((first.calls(Op::Results).len(), second.calls(Op::Results).len()), (0, 1));
    // They go once more after a day, and are not lost.
    let id = submissions(&desk, &all[0].0).await.remove(0);
    desk.clock.advance(SignedDuration::from_hours(24));
    assert!(desk.handle(event([look("m", "bir", &id)])).await.records.is_empty());
    assert_eq!(first.calls(Op::Submit), [30, 30]);
    assert_eq!(desk.words(&all[0].0).await, BTreeMap::from([("submitted", 30)]));
}

#[tokio::test]
async fn what_does_not_fit_into_the_functions_time_is_left_to_its_messages_and_nothing_goes_twice() {
    let (desk, [book]) = desk([false]).await;
    {
        let mut inner = book.inner();
        (inner.bulk_records, inner.takes) = (50, SignedDuration::from_secs(30));
    }
    let keys = desk.consents(0, (0..300).map(email)).await;
    let messages = keys.chunks(25).enumerate().map(|(at, keys)| message(&format!("m{at:02}"), keys));
    let mut left = event(messages);
    let mut rounds = 0;
    while !left.records.is_empty() {
        let (begun, calls) = (desk.clock.now(), book.calls(Op::Submit).len());
        left = desk.handle(left).await;
        // Three lists of half a minute: the fourth would have to end with the function itself.
        assert_eq!(book.calls(Op::Submit).len(), calls + 3);
        assert!(desk.clock.now() < begun + TIMEOUT);
        rounds += 1;
        let submitted = desk.words(&keys).await;
        assert_eq!(submitted.get("submitted"), Some(&(rounds * 150)), "{submitted:?}");
    }
    assert_eq!((rounds, book.calls(Op::Submit)), (2, vec![50; 6]));
    assert_eq!(submissions(&desk, &keys).await.len(), 6);
    // Their results do not fit either.
    desk.clock.advance(RESULT_WAIT);
    let mut left = event(submissions(&desk, &keys).await.iter().map(|id| look(id, "bir", id)));
    let mut rounds = 0;
    while !left.records.is_empty() {
        left = desk.handle(left).await;
        rounds += 1;
    }
    assert_eq!((rounds, desk.words(&keys).await), (2, BTreeMap::from([("settled", 300)])));
    let sent: Vec<_> = book.inner().came.iter().map(|record| record.recipient.clone()).collect();
    assert_eq!((sent.len(), sent.iter().collect::<HashSet<_>>().len()), (300, 300));
}

#[tokio::test]
async fn however_short_the_time_is_something_is_done_in_it() {
    let (desk, [book]) = desk([false]).await;
    let keys = desk.consents(0, (0..5).map(email)).await;
    let soon = desk.clock.now() + SignedDuration::from_secs(10);
    assert!(desk.handle_until(event([message("m", &keys)]), soon).await.records.is_empty());
    assert_eq!(book.calls(Op::Add).len(), 5);
    // None at all: nothing.
    let keys = desk.consents(0, (5..10).map(email)).await;
    let now = desk.clock.now();
    assert_eq!(ids(&desk.handle_until(event([message("m", &keys)]), now).await), ["m"]);
    assert_eq!(book.calls(Op::Add).len(), 5);
}
