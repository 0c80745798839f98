//! Event source mappings: carry messages from a queue to a function, as AWS Lambda's pollers do.
//!
//! Source of the rules: AWS, "Using Lambda with Amazon SQS" and "Handling errors for an SQS event
//! source in Lambda".

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use axum::body::Bytes;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_model::{
    error::SqsError,
    input::{ChangeMessageVisibilityInput, DeleteMessageBatchInput, ReceiveMessageInput},
    types::{DeleteMessageBatchRequestEntry, Message, MessageAttributeValue},
};
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    processes::{InvokeError, Pool},
    shutdown::Shutdown,
    template::{Mapping, Queue, Surroundings},
};

/// SQS quotas: messages in one receive, and entries in one batch request.
const SQS_BATCH: u32 = 10;

/// SQS quotas: longest long poll, in seconds.
const LONG_POLL_SECONDS: i32 = 20;

/// How often an empty queue is looked at within the batching window.
const GATHER_PAUSE: Duration = Duration::from_millis(50);

/// Bodies of a batch beyond which no more is gathered, in bytes. One more receive, ten messages of
/// 256 KiB, still fits into Lambda's payload.
const ENOUGH_BYTES: usize = 3 * 1024 * 1024;

/// How long to wait after the queue service failed.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// Beats per visibility timeout while a batch is being worked on.
const BEATS: u32 = 3;

/// A mapping that is ready to run.
#[derive(Clone)]
pub(crate) struct Poller {
    pub(crate) mapping: Mapping,
    pub(crate) queue: Queue,
    pub(crate) sqs: Arc<RustackSqs>,
    pub(crate) pool: Pool,
    pub(crate) surroundings: Surroundings,
    /// Most invocations at once.
    pub(crate) concurrency: u32,
    /// The queue's visibility timeout here, in seconds, if it is shorter than the template's. Then
    /// messages in work are kept invisible for as long as the work takes, so that the shorter
    /// timeout only shortens the wait after a failure.
    pub(crate) kept_invisible: Option<u32>,
    pub(crate) shutdown: Shutdown,
}

impl Poller {
    /// Carries messages until shutdown.
    pub(crate) async fn run(self) {
        let slots = Arc::new(Semaphore::new(self.concurrency.max(1) as usize));
        while !self.shutdown.has_begun() {
            // A function that does not start would only use up the messages' receives.
            self.pool.may_start().await;
            let slot = tokio::select! {
                () = self.shutdown.begun() => return,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let Ok(slot) = slot else { return };
            let batch = tokio::select! {
                () = self.shutdown.begun() => return,
                batch = self.gather() => batch,
            };
            match batch {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    let poller = self.clone();
                    tokio::spawn(async move {
                        poller.work(batch).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    if self.shutdown.has_begun() {
                        return;
                    }
                    tracing::warn!(queue = self.queue.name, %error, "messages could not be received");
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
        }
    }

    /// Waits for a message, then gathers more until the batch is full or the window is over.
    async fn gather(&self) -> Result<Vec<Message>, SqsError> {
        let most = self.mapping.batch_size;
        let mut batch = self.receive(most, LONG_POLL_SECONDS).await?;
        let window_ends = Instant::now() + self.mapping.window;
        while !batch.is_empty() && batch.len() < most as usize && Instant::now() < window_ends {
            let bytes: usize = batch.iter().filter_map(|message| message.body.as_ref()).map(String::len).sum();
            if bytes > ENOUGH_BYTES {
                break;
            }
            let room = most - u32::try_from(batch.len()).unwrap_or(most);
            match self.receive(room, 0).await {
                Ok(more) if more.is_empty() => {
                    tokio::time::sleep_until(window_ends.min(Instant::now() + GATHER_PAUSE)).await;
                }
                Ok(more) => batch.extend(more),
                // What is there is worked on; the next receive shows whether the fault lasts.
                Err(_) => break,
            }
        }
        Ok(batch)
    }

    async fn receive(&self, most: u32, wait_seconds: i32) -> Result<Vec<Message>, SqsError> {
        let all = || vec!["All".to_owned()];
        let received = self
            .sqs
            .receive_message(ReceiveMessageInput {
                queue_url: self.queue.url.clone(),
                max_number_of_messages: i32::try_from(most.min(SQS_BATCH)).ok(),
                wait_time_seconds: Some(wait_seconds),
                visibility_timeout: self.gathering_visibility(),
                message_system_attribute_names: all(),
                message_attribute_names: all(),
                ..Default::default()
            })
            .await?;
        Ok(received.messages)
    }

    /// A shortened timeout must not run out while more messages are gathered.
    fn gathering_visibility(&self) -> Option<i32> {
        let here = u64::from(self.kept_invisible?);
        i32::try_from(here + self.mapping.window.as_secs()).ok()
    }

    /// Calls the function with a batch, and deletes what it has done.
    async fn work(&self, batch: Vec<Message>) {
        let event = Bytes::from(self.event(&batch).to_string());
        let result = tokio::select! {
            result = self.pool.invoke(event) => result,
            () = self.keep_invisible(&batch) => return,
        };
        let failed = match result {
            Ok(_) if !self.mapping.reports_failures => Failed::Only(HashSet::new()),
            Ok(answer) => failed(&answer, &batch),
            Err(error) => {
                if error != InvokeError::Ending {
                    self.say(&format!("{} messages will come again: {error}", batch.len()));
                }
                Failed::All
            }
        };
        match failed {
            Failed::All => {}
            Failed::Only(failed) => {
                if !failed.is_empty() {
                    self.say(&format!("{} of {} messages will come again", failed.len(), batch.len()));
                }
                self.delete(batch.iter().filter(|message| !failed.contains(id(message)))).await;
            }
        }
    }

    fn say(&self, what: &str) {
        tracing::warn!(function = self.mapping.function, queue = self.queue.name, "{what}");
    }

    /// Never completes; puts off the end of the messages' invisibility again and again.
    async fn keep_invisible(&self, batch: &[Message]) {
        let Some(seconds) = self.kept_invisible else {
            return std::future::pending().await;
        };
        loop {
            for message in batch {
                let change = ChangeMessageVisibilityInput {
                    queue_url: self.queue.url.clone(),
                    receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
                    visibility_timeout: i32::try_from(seconds).unwrap_or(i32::MAX),
                };
                if let Err(error) = self.sqs.change_message_visibility(change).await {
                    tracing::debug!(%error, "a message is no longer in flight");
                }
            }
            tokio::time::sleep(Duration::from_secs(seconds.into()) / BEATS).await;
        }
    }

    async fn delete(&self, done: impl Iterator<Item = &Message>) {
        let handles: Vec<&String> = done.filter_map(|message| message.receipt_handle.as_ref()).collect();
        for handles in handles.chunks(SQS_BATCH as usize) {
            let entries = handles
                .iter()
                .enumerate()
                .map(|(index, handle)| DeleteMessageBatchRequestEntry { id: index.to_string(), receipt_handle: (*handle).clone() });
            let request = DeleteMessageBatchInput { queue_url: self.queue.url.clone(), entries: entries.collect() };
            if let Err(error) = self.sqs.delete_message_batch(request).await {
                tracing::warn!(queue = self.queue.name, %error, "messages could not be deleted");
            }
        }
    }

    fn event(&self, batch: &[Message]) -> Value {
        let records: Vec<Value> = batch
            .iter()
            .map(|message| {
                let mut record = json!({
                    "messageId": message.message_id,
                    "receiptHandle": message.receipt_handle,
                    "body": message.body,
                    "attributes": message.attributes,
                    "messageAttributes": message_attributes(message),
                    "md5OfBody": message.md5_of_body,
                    "eventSource": "aws:sqs",
                    "eventSourceARN": self.queue.arn,
                    "awsRegion": self.surroundings.region,
                });
                if let Some(md5) = &message.md5_of_message_attributes {
                    record["md5OfMessageAttributes"] = md5.as_str().into();
                }
                record
            })
            .collect();
        json!({ "Records": records })
    }
}

fn message_attributes(message: &Message) -> Map<String, Value> {
    // In order of their names, so that an event always looks the same.
    let attributes: BTreeMap<&String, &MessageAttributeValue> = message.message_attributes.iter().collect();
    attributes
        .into_iter()
        .map(|(name, attribute)| {
            use base64::{Engine, prelude::BASE64_STANDARD};
            let mut value = json!({
                "dataType": attribute.data_type,
                "stringListValues": [],
                "binaryListValues": [],
            });
            if let Some(text) = &attribute.string_value {
                value["stringValue"] = text.as_str().into();
            }
            if let Some(bytes) = &attribute.binary_value {
                value["binaryValue"] = BASE64_STANDARD.encode(bytes).into();
            }
            (name.clone(), value)
        })
        .collect()
}

fn id(message: &Message) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

/// Which messages of a batch failed.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    All,
    Only(HashSet<String>),
}

/// Reads a function's report of failures. No report at all is a success; a malformed one, or one that
/// names a message that is not in the batch, fails the whole batch.
fn failed(answer: &[u8], batch: &[Message]) -> Failed {
    let none = Failed::Only(HashSet::new());
    if answer.is_empty() {
        return none;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return Failed::All;
    };
    let items = match answer {
        Value::Null => return none,
        Value::Object(mut answer) => answer.remove("batchItemFailures").unwrap_or(Value::Null),
        // Anything else carries no report: AWS takes it for a success.
        _ => return none,
    };
    let items = match items {
        Value::Null => return none,
        Value::Array(items) => items,
        _ => return Failed::All,
    };
    let known: HashSet<&str> = batch.iter().map(id).collect();
    let mut failed = HashSet::new();
    for item in items {
        match item.get("itemIdentifier").and_then(Value::as_str) {
            Some(identifier) if known.contains(identifier) => failed.insert(identifier.to_owned()),
            _ => return Failed::All,
        };
    }
    Failed::Only(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_failures_is_read_as_aws_reads_it() {
        let message = |id: &str| Message { message_id: Some(id.to_owned()), ..Default::default() };
        let batch = [message("a"), message("b")];
        let only = |ids: &[&str]| Failed::Only(ids.iter().map(|id| (*id).to_owned()).collect());
        for (answer, expected) in [
            ("", only(&[])),
            ("null", only(&[])),
            ("{}", only(&[])),
            ("\"done\"", only(&[])),
            (r#"{"batchItemFailures":null}"#, only(&[])),
            (r#"{"batchItemFailures":[]}"#, only(&[])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, only(&["a"])),
            ("{not json", Failed::All),
            (r#"{"batchItemFailures":{}}"#, Failed::All),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Failed::All),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Failed::All),
            (r#"{"batchItemFailures":[{"itemId":"a"}]}"#, Failed::All),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, Failed::All),
        ] {
            assert_eq!(failed(answer.as_bytes(), &batch), expected, "{answer}");
        }
    }
}
