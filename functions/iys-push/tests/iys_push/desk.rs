//! The handler with a ledger, queues and brands of its own, and the queue's messages in its batches.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchInput;
use iys_push::{App, Reach};
use jiff::{SignedDuration, Timestamp};
use shared::brand::Brand;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Source, Status,
};
use shared::intake::Intake;
use shared::ledger::Ledger;
use shared::queue::Queues;
use shared::sync::sweep::{QUEUED, Sweep};

use crate::fuse::Fuse;
use crate::harness::{self, ManualClock};
use crate::{parameters, sqs};

/// A Friday, 13:00 in Türkiye.
pub(crate) const START: &str = "2026-11-20T10:00:00Z";
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(15);
pub(crate) const RESULT_WAIT: SignedDuration = SignedDuration::from_secs(300);
/// What the template gives the function.
pub(crate) const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) ledger: Ledger,
    pub(crate) intake: Intake,
    pub(crate) brands: Vec<Brand>,
    queues: Queues,
    sqs: aws_sdk_sqs::Client,
    push_url: String,
    ssm: aws_sdk_ssm::Client,
    pub(crate) later: Later,
    pub(crate) app: App,
}

/// The local brand, or another one that is like it.
pub(crate) fn document(name: &str, brand_code: u64, late_ret_as_hs_karar: bool) -> String {
    let mut document: serde_json::Value =
        serde_json::from_str(include_str!("../../../../infra/local/brands/demo.json")).expect("the local brand");
    document["name"] = name.into();
    document["iys"]["brandCode"] = brand_code.into();
    document["iys"]["lateRetAsHsKarar"] = late_ret_as_hs_karar.into();
    document.to_string()
}

impl Desk {
    /// A desk for brands, each of which is served by the registry that `reach` makes.
    pub(crate) async fn new(clock: ManualClock, documents: Vec<String>, reach: impl FnOnce(&Ledger) -> Reach) -> Self {
        Self::with_fuse(clock, Fuse::default(), documents, reach).await
    }

    /// The same where writes to the ledger and to the queues may go wrong, which is not tried again below
    /// the code under test.
    pub(crate) async fn with_fuse(clock: ManualClock, fuse: Fuse, documents: Vec<String>, reach: impl FnOnce(&Ledger) -> Reach) -> Self {
        let (dynamo, table) = harness::store(|config| {
            config.interceptor(fuse.clone()).retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        })
        .await;
        let ledger = Ledger::new(dynamo, table);
        let later = Later::new(clock.clone());
        let (client, push_url, relay_url) = sqs::queues(|config| {
            let config = config.interceptor(fuse).interceptor(later.clone());
            config.retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
        })
        .await;
        let queues = Queues::new(client.clone(), push_url.clone(), relay_url);
        let brands: Vec<Brand> = documents.iter().map(|document| Brand::read(document).expect("a brand")).collect();
        let ssm = parameters::store(documents).await;
        let app = app(&ssm, &ledger, &queues, reach(&ledger), &clock);
        Self {
            intake: Intake::new(ledger.clone(), queues.clone(), GRACE),
            clock,
            ledger,
            brands,
            queues,
            sqs: client,
            push_url,
            ssm,
            later,
            app,
        }
    }

    /// Another process of the function, with nothing in its memory.
    pub(crate) fn restart(&mut self, reach: Reach) {
        self.app = app(&self.ssm, &self.ledger, &self.queues, reach, &self.clock);
    }

    /// Forgets every message.
    pub(crate) async fn lose_messages(&self) {
        self.batch().await;
        self.later.waiting.lock().unwrap().clear();
    }

    /// What the sweep of a brand does.
    pub(crate) async fn sweep(&self, brand: usize) {
        let stop_at = Timestamp::MAX;
        let sweep = Sweep { ledger: &self.ledger, queues: &self.queues, clock: &self.clock.clock(), grace: GRACE, most: QUEUED, stop_at };
        sweep.run(&self.brands[brand].name).await.unwrap();
    }

    /// The key of an address of a brand.
    pub(crate) fn key(&self, brand: usize, recipient: &Recipient, channel: Channel, recipient_type: RecipientType) -> ConsentKey {
        let brand = &self.brands[brand];
        ConsentKey { recipient_id: recipient.id(&brand.recipient_id_key, &brand.name), brand: brand.name.clone(), channel, recipient_type }
    }

    /// A movement of so many seconds ago.
    pub(crate) fn movement(&self, key: ConsentKey, recipient: Recipient, status: Status, seconds_ago: i64, origin: Origin) -> Movement {
        let consent_date = ConsentDate::at(self.clock.now() - SignedDuration::from_secs(seconds_ago));
        let source = if origin == Origin::Registry { "IYS_WEB".parse().expect("a source") } else { Source::HsWeb };
        let event_id = EventId::derive(origin.as_str(), [status.as_str(), &consent_date.to_string()]);
        let head = Head { status, source, consent_date, origin, event_id, received_at: self.clock.now(), retailers: Retailers::default() };
        Movement { key, recipient, head }
    }

    /// Takes everything off the queue whose time has come, as a batch.
    pub(crate) async fn batch(&self) -> SqsEvent {
        let mut records = self.later.due();
        loop {
            let answer = self.sqs.receive_message().queue_url(&self.push_url).max_number_of_messages(10).send().await.expect("messages");
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return event(records);
            }
            for message in messages {
                let handle = message.receipt_handle.expect("a handle");
                self.sqs.delete_message().queue_url(&self.push_url).receipt_handle(handle).send().await.expect("deleted");
                records.push((message.message_id.expect("an id"), message.body.expect("a body")));
            }
        }
    }

    /// Has the function handle a batch in the time that the template gives it, and returns the messages
    /// that must come again.
    pub(crate) async fn handle(&self, event: SqsEvent) -> SqsEvent {
        let deadline = self.clock.now() + TIMEOUT;
        self.handle_until(event, deadline).await
    }

    pub(crate) async fn handle_until(&self, event: SqsEvent, deadline: Timestamp) -> SqsEvent {
        let mut again = event.clone();
        let response = self.app.handle(event, deadline).await;
        let failed: Vec<_> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        again.records.retain(|message| message.message_id.as_ref().is_some_and(|id| failed.contains(id)));
        again
    }
}

/// The messages that are delayed. The queue goes by the machine's clock, so that it never shows them, and
/// this by the test's.
#[derive(Clone)]
pub(crate) struct Later {
    clock: ManualClock,
    waiting: Arc<Mutex<Vec<(Timestamp, String)>>>,
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Later")
    }
}

impl Later {
    fn new(clock: ManualClock) -> Self {
        Self { clock, waiting: Arc::default() }
    }

    /// Takes the messages whose time has come, with ids of their own.
    fn due(&self) -> Vec<(String, String)> {
        let now = self.clock.now();
        let due: Vec<_> = self.waiting.lock().unwrap().extract_if(.., |(at, _)| *at <= now).collect();
        due.into_iter().enumerate().map(|(number, (at, body))| (format!("{}-{number}", at.as_second()), body)).collect()
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.waiting.lock().unwrap().iter().map(|(at, _)| *at).min()
    }
}

impl Intercept for Later {
    fn name(&self) -> &'static str {
        "Later"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(batch) = context.input().downcast_ref::<SendMessageBatchInput>() else { return Ok(()) };
        for entry in batch.entries() {
            if let Some(seconds @ 1..) = entry.delay_seconds() {
                let at = self.clock.now() + SignedDuration::from_secs(seconds.into());
                self.waiting.lock().unwrap().push((at, entry.message_body().to_owned()));
            }
        }
        Ok(())
    }
}

/// A batch of messages with these ids and bodies.
pub(crate) fn event(messages: impl IntoIterator<Item = (String, String)>) -> SqsEvent {
    let message = |(id, body)| {
        let mut message = SqsMessage::default();
        (message.message_id, message.body) = (Some(id), Some(body));
        message
    };
    let mut event = SqsEvent::default();
    event.records = messages.into_iter().map(message).collect();
    event
}

fn app(ssm: &aws_sdk_ssm::Client, ledger: &Ledger, queues: &Queues, registry: Reach, clock: &ManualClock) -> App {
    App {
        brands: parameters::read(ssm),
        ledger: ledger.clone(),
        queues: queues.clone(),
        registry,
        clock: clock.clock(),
        grace: GRACE,
        result_wait: RESULT_WAIT,
    }
}
