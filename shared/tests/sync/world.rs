//! One brand between a registry in memory and a simulated Insider, with a ledger and queues of its
//! own and a clock that stands until it is moved.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::clock::Clock;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, ConsentState, EventId, Head, Movement, Origin, Outcome, Recipient, RecipientType, Retailers, Source,
    Status, Sync,
};
use shared::insider::{self, Throttle};
use shared::intake::Intake;
use shared::ledger::{Ledger, Recorded};
use shared::queue::{KeyRef, PushMessage, Queues, RelayMessage};
use shared::sync::pull::Pull;
use shared::sync::push::Push;
use shared::sync::push_service::PushService;
use shared::sync::relay::Relay;
use shared::sync::standing::{Guard, Keeper};
use shared::sync::sweep::{QUEUED, Sweep, Swept};
use shared::sync::verify::{Share, Verify};
use url::Url;

use crate::account::Office;
use crate::book::Book;
use crate::fuse::Fuse;
use crate::harness::{self, ManualClock};
use crate::sqs;

/// A Friday, 13:00 in Türkiye.
pub(crate) const START: &str = "2026-11-20T10:00:00Z";
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(15);
/// How long a barred brand is left alone.
pub(crate) const PAUSE: SignedDuration = SignedDuration::from_mins(30);
pub(crate) const RESULT_WAIT: SignedDuration = SignedDuration::from_secs(300);
/// After how long a message that failed comes again.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(750);
pub(crate) const BIREYSEL: RecipientType = RecipientType::Bireysel;
pub(crate) const TACIR: RecipientType = RecipientType::Tacir;
pub(crate) const EPOSTA: Channel = Channel::Eposta;

/// No limit of ours.
struct Unlimited;

#[async_trait]
impl Throttle for Unlimited {
    async fn slot(&self, _: &str, _: u32) -> Result<(), Timestamp> {
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    now: Clock,
    pub(crate) fuse: Fuse,
    pub(crate) ledger: Ledger,
    dynamo: aws_sdk_dynamodb::Client,
    table: String,
    sqs: aws_sdk_sqs::Client,
    push_url: String,
    relay_url: String,
    pub(crate) queues: Queues,
    pub(crate) intake: Intake,
    pub(crate) brand: Brand,
    pub(crate) book: Book,
    pub(crate) office: Office,
    insider_url: Url,
    insider: OnceLock<insider::Client>,
    http: reqwest::Client,
    pub(crate) insider_timeout: Duration,
}

/// An e-mail address by number.
pub(crate) fn email(number: usize) -> Recipient {
    Recipient::parse(&format!("kisi{number}@example.com"), EPOSTA).unwrap()
}

/// A phone number by number.
pub(crate) fn phone(number: usize) -> Recipient {
    Recipient::parse(&format!("+9053211{number:05}"), Channel::Mesaj).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(sandbox::insider::Config::default()).await
    }

    /// A world whose Insider is set up so.
    pub(crate) async fn with(config: sandbox::insider::Config) -> Self {
        Self::over(|_| config).await
    }

    /// The same for an Insider that may go by the world's clock.
    pub(crate) async fn over(configure: impl FnOnce(Clock) -> sandbox::insider::Config) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let clock = ManualClock::at(START);
        let config = configure(clock.clock());
        let fuse = Fuse::default();
        // What goes wrong is not tried again below the code under test.
        let (dynamo, table) = harness::store(|config| {
            config.interceptor(fuse.clone()).retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        })
        .await;
        let (sqs, push_url, relay_url) =
            sqs::queues(|config| config.interceptor(fuse.clone()).retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())).await;
        let ledger = Ledger::new(dynamo.clone(), table.clone());
        let queues = Queues::new(sqs.clone(), push_url.clone(), relay_url.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let insider_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(sandbox::insider::serve(listener, config, std::future::pending()));
        Self {
            now: clock.clock(),
            book: Book::new(clock.clone(), fuse.clone()),
            office: Office::new(fuse.clone()),
            intake: Intake::new(ledger.clone(), queues.clone(), GRACE),
            brand: Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap(),
            clock,
            fuse,
            ledger,
            dynamo,
            table,
            sqs,
            push_url,
            relay_url,
            queues,
            insider_url,
            insider: OnceLock::new(),
            http: reqwest::Client::new(),
            insider_timeout: Duration::from_secs(10),
        }
    }

    pub(crate) fn push(&self) -> Push<'_> {
        Push {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &self.book,
            former: None,
            clock: &self.now,
            grace: GRACE,
            result_wait: RESULT_WAIT,
            stop_at: Timestamp::MAX,
        }
    }

    /// The registry as a run of a function uses it.
    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard::new(&self.book, &self.ledger, &self.brand, &self.now)
    }

    /// The way to the registry, through a guard.
    pub(crate) fn push_by<'a>(&'a self, guard: &'a Guard<'a>) -> Push<'a> {
        Push { registry: guard, ..self.push() }
    }

    pub(crate) fn keeper(&self) -> Keeper<'_> {
        Keeper {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            account: &self.office,
            registry: &self.book,
            clock: &self.now,
            grace: GRACE,
            pause: PAUSE,
        }
    }

    pub(crate) fn push_service<'a>(&'a self, url: &'a Url, secret: &'a (dyn Fn() -> String + Send + std::marker::Sync)) -> PushService<'a> {
        PushService { ledger: &self.ledger, brand: &self.brand, connections: &self.office, url, wanted: true, clock: &self.now, secret }
    }

    /// Insider's client, made for the brand as it is at the first call.
    pub(crate) fn insider(&self) -> insider::Client {
        let make = || {
            let mut settings = insider::Settings::new(self.insider_url.clone(), self.insider_url.clone());
            settings.timeout = self.insider_timeout;
            settings.export_url = self.insider_url.join("/insider-data-export").unwrap();
            let connection = insider::Connection::new(settings, self.now.clone());
            insider::Client::new(connection, Arc::new(self.brand.insider.clone()), Arc::new(Unlimited))
        };
        self.insider.get_or_init(make).clone()
    }

    /// Brings Insider to the state of keys.
    pub(crate) async fn relay(&self, keys: &[ConsentKey]) -> shared::sync::relay::Report {
        let insider = self.insider();
        self.relay_until(&insider, Timestamp::MAX).run(keys).await
    }

    /// The way to Insider, in a run that begins nothing from that moment on.
    pub(crate) fn relay_until<'a>(&'a self, insider: &'a insider::Client, stop_at: Timestamp) -> Relay<'a> {
        Relay { ledger: &self.ledger, brand: &self.brand, insider, clock: &self.now, grace: GRACE, stop_at }
    }

    pub(crate) fn pull(&self) -> Pull<'_> {
        Pull { ledger: &self.ledger, intake: &self.intake, brand: &self.brand, registry: &self.book, clock: &self.now }
    }

    /// Verification, by hand, with as many questions as it likes.
    pub(crate) fn verify(&self) -> Verify<'_> {
        Verify {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &self.book,
            clock: &self.now,
            grace: GRACE,
            rest: SignedDuration::from_mins(10),
            at_once: true,
            share: Share { questions: 1000, fetches: 1000 },
            stop_at: self.clock.now() + SignedDuration::from_mins(4),
        }
    }

    pub(crate) async fn sweep(&self) -> Swept {
        self.sweep_up_to(QUEUED).await
    }

    /// A sweep that queues no more than so many pieces.
    pub(crate) async fn sweep_up_to(&self, most: usize) -> Swept {
        self.sweep_until(most, Timestamp::MAX).await
    }

    /// A sweep whose time is over then.
    pub(crate) async fn sweep_until(&self, most: usize, stop_at: Timestamp) -> Swept {
        let sweep = Sweep { ledger: &self.ledger, queues: &self.queues, clock: &self.now, grace: GRACE, most, stop_at };
        sweep.run(&self.brand.name).await.unwrap()
    }

    pub(crate) fn key_of(&self, recipient: &Recipient, channel: Channel, recipient_type: RecipientType) -> ConsentKey {
        let recipient_id = recipient.id(&self.brand.recipient_id_key, &self.brand.name);
        ConsentKey { brand: self.brand.name.clone(), recipient_id, channel, recipient_type }
    }

    /// The consumer's e-mail key by number.
    pub(crate) fn key(&self, number: usize) -> ConsentKey {
        self.key_of(&email(number), EPOSTA, BIREYSEL)
    }

    pub(crate) fn keys(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<ConsentKey> {
        numbers.into_iter().map(|number| self.key(number)).collect()
    }

    /// The Turkish date of so many seconds ago.
    pub(crate) fn ago(&self, seconds: i64) -> ConsentDate {
        ConsentDate::at(self.clock.now() - SignedDuration::from_secs(seconds))
    }

    /// A movement of the brand's own systems.
    pub(crate) fn movement(&self, key: ConsentKey, recipient: Recipient, status: Status, date: ConsentDate, origin: Origin) -> Movement {
        let source = if origin == Origin::Registry { "IYS_WEB".parse().unwrap() } else { Source::HsWeb };
        let event_id = EventId::derive(origin.as_str(), [status.as_str(), &date.to_string()]);
        let head =
            Head { status, source, consent_date: date, origin, event_id, received_at: self.clock.now(), retailers: Retailers::default() };
        Movement { key, recipient, head }
    }

    /// Takes movements in, all of them.
    pub(crate) async fn take(&self, movements: Vec<Movement>) -> Vec<Recorded> {
        self.intake.take(movements, self.clock.now()).await.into_iter().map(Result::unwrap).collect()
    }

    /// One consumer's e-mail consent from the brand's own systems, so many seconds old.
    pub(crate) async fn says(&self, number: usize, status: Status, seconds_ago: i64) {
        self.all_say([number], status, seconds_ago).await;
    }

    pub(crate) async fn all_say(&self, numbers: impl IntoIterator<Item = usize>, status: Status, seconds_ago: i64) {
        let date = self.ago(seconds_ago);
        let movement = |number| self.movement(self.key(number), email(number), status, date, Origin::Api);
        self.take(numbers.into_iter().map(movement).collect()).await;
    }

    /// The registry holds a consumer's ONAY from before us.
    pub(crate) fn held_before(&self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            self.book.person(&email(number), EPOSTA, BIREYSEL, Status::Onay, self.ago(864_000));
        }
    }

    pub(crate) async fn state(&self, number: usize) -> ConsentState {
        self.ledger.state(&self.key(number)).await.unwrap().unwrap()
    }

    /// How the registry's side of a key stands, in a word.
    pub(crate) async fn at_registry(&self, number: usize) -> String {
        word(&self.state(number).await.registry)
    }

    /// How Insider's side of a key stands, in a word.
    pub(crate) async fn at_insider(&self, number: usize) -> String {
        word(&self.state(number).await.insider)
    }

    /// The statuses that the registry recorded of a consumer's e-mail address, oldest first.
    pub(crate) fn recorded(&self, number: usize) -> Vec<Status> {
        self.book.rows(&email(number), EPOSTA, BIREYSEL).iter().map(|row| row.status).collect()
    }

    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Option<HashMap<String, AttributeValue>> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let answer = self.dynamo.get_item().table_name(&self.table).key("PK", text(pk)).key("SK", text(sk)).send().await;
        answer.unwrap().item
    }

    /// All that the table holds, as text.
    pub(crate) async fn everything(&self) -> String {
        let pages = self.dynamo.scan().table_name(&self.table).into_paginator().items().send();
        let items: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
        assert!(!items.is_empty());
        format!("{items:?}")
    }

    /// Makes a key's state unreadable.
    pub(crate) async fn corrupt(&self, key: &ConsentKey) {
        let (pk, sk) = (format!("C#{}#{}", key.brand, key.recipient_id), format!("S#{}#{}", key.channel, key.recipient_type));
        let mut item = self.item(&pk, &sk).await.unwrap();
        item.insert("registry".into(), AttributeValue::S("nonsense".into()));
        self.dynamo.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    /// When the sweep looks after a submission.
    pub(crate) async fn submission_due(&self, id: &str) -> Timestamp {
        let item = self.item(&format!("R#{}#{id}", self.brand.name), "R").await.unwrap();
        Timestamp::from_millisecond(item["work_due"].as_s().unwrap().parse().unwrap()).unwrap()
    }

    /// The submission that a key is part of.
    pub(crate) async fn submission_of(&self, number: usize) -> String {
        match self.state(number).await.registry {
            Sync::Submitted { submission, .. } => submission,
            other => panic!("not submitted but {other:?}"),
        }
    }

    /// What Insider holds of an address.
    pub(crate) async fn held(&self, recipient: &Recipient) -> Value {
        let kind = if recipient.expose().contains('@') { "email" } else { "phone_number" };
        let url = self.insider_url.join("/_sandbox/profiles").unwrap();
        self.http.get(url).query(&[(kind, recipient.expose())]).send().await.unwrap().json().await.unwrap()
    }

    /// An address's place on Insider's list and its flag.
    pub(crate) async fn reachable(&self, recipient: &Recipient) -> (Value, Value) {
        let held = self.held(recipient).await;
        let (list, flag) = if recipient.expose().contains('@') { ("email", "email_optin") } else { ("sms", "sms_optin") };
        (held["suppressed"][list].clone(), held["profile"][flag].clone())
    }

    /// Has Insider's next request to a path go wrong.
    pub(crate) async fn insider_fault(&self, fault: Value) {
        let answer = self.http.post(self.insider_url.join("/_sandbox/faults").unwrap()).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// A person acts at Insider.
    pub(crate) async fn insider_act(&self, what: &str, act: Value) {
        let url = self.insider_url.join(&format!("/_sandbox/{what}")).unwrap();
        assert!(self.http.post(url).json(&act).send().await.unwrap().status().is_success());
    }

    /// Waits until so many calls to paths that begin so have touched an address.
    pub(crate) async fn until_insider_had(&self, path: &str, recipient: &Recipient, count: usize) {
        let deadline = std::time::Instant::now() + harness::PATIENCE;
        loop {
            let held = self.held(recipient).await;
            let calls = held["calls"].as_array().unwrap().iter().filter(|call| call["path"].as_str().unwrap().starts_with(path));
            if calls.count() >= count {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "the late request does not land: {held}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn insider_stats(&self) -> Value {
        self.http.get(self.insider_url.join("/_sandbox/stats").unwrap()).send().await.unwrap().json().await.unwrap()
    }

    /// Takes every message that can be received off a queue.
    async fn receive(&self, url: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let answer = self.sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                self.sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
                bodies.push(message.body.unwrap());
            }
        }
    }

    /// The messages to the registry that wait.
    pub(crate) async fn push_messages(&self) -> Vec<PushMessage> {
        self.receive(&self.push_url).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// The messages to Insider that wait.
    pub(crate) async fn relay_messages(&self) -> Vec<RelayMessage> {
        self.receive(&self.relay_url).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// Forgets every message that waits.
    pub(crate) async fn lose_messages(&self) {
        self.receive(&self.push_url).await;
        self.receive(&self.relay_url).await;
    }

    /// How many messages stand in the registry's queue, delayed.
    pub(crate) async fn delayed(&self) -> usize {
        use aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessagesDelayed as Delayed;
        let answer = self.sqs.get_queue_attributes().queue_url(&self.push_url).attribute_names(Delayed.clone()).send().await.unwrap();
        answer.attributes.unwrap()[&Delayed].parse().unwrap()
    }

    /// Lets the functions and the sweep work until nothing is open any more that time could move.
    pub(crate) async fn drain(&self) {
        let mut again: (Vec<PushMessage>, Vec<RelayMessage>) = Default::default();
        for _ in 0..80 {
            let mut push = self.push_messages().await;
            let mut relay = self.relay_messages().await;
            if push.is_empty() && relay.is_empty() {
                if again.0.is_empty() && again.1.is_empty() {
                    let Some(due) = self.ledger.backlog(&self.brand.name, 10).await.unwrap().oldest_due else { return };
                    let wait = due.duration_since(self.clock.now()).max(SignedDuration::ZERO);
                    self.clock.advance(wait + SignedDuration::from_millis(1));
                    self.sweep().await;
                    continue;
                }
                // What failed comes again.
                self.clock.advance(VISIBILITY);
                (push, relay) = std::mem::take(&mut again);
            }
            for message in push {
                if !self.handle(&message).await {
                    again.0.push(message);
                }
            }
            for message in relay {
                let keys: Vec<_> = message.keys.iter().map(|key| key.key(&message.brand)).collect();
                if !self.relay(&keys).await.failed.is_empty() {
                    again.1.push(message);
                }
            }
        }
        panic!("the work never ends: {:?}", self.ledger.backlog(&self.brand.name, 10).await);
    }

    /// What `iys-push` does with a message. Whether it is done with.
    pub(crate) async fn handle(&self, message: &PushMessage) -> bool {
        let guard = self.guard();
        match message {
            PushMessage::Keys { brand, keys } => {
                let keys: Vec<_> = keys.iter().map(|key: &KeyRef| key.key(brand)).collect();
                self.push_by(&guard).run(&keys).await.failed.is_empty()
            }
            PushMessage::Submission { id, .. } => self.push_by(&guard).look_after(id).await,
            PushMessage::Verdict { .. } => panic!("nobody calls back in these tests"),
        }
    }
}

/// A sync state in a word: the outcome or code, where it is final.
pub(crate) fn word(sync: &Sync) -> String {
    match sync {
        Sync::Settled { outcome, .. } => Outcome::as_str(*outcome).to_owned(),
        Sync::Rejected { code, .. } => code.clone(),
        other => other.as_str().to_owned(),
    }
}

/// A fault of the simulated Insider.
pub(crate) fn fault(path: &str, kind: &str) -> Value {
    json!({"path": path, "kind": kind})
}
