//! Brings what ended in the dead-letter queues back to its queue.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::Message;

use super::{PushMessage, QueueError, Queues, RelayMessage};
use crate::answers::Redriven;
use crate::consent::BrandName;

/// Most messages of one look (SQS's own limit).
const AT_ONCE: i32 = 10;
/// How long a look waits for messages. One that does not wait may find none although there are some.
const WAIT_SECONDS: i32 = 1;
/// How long what was looked at is out of sight: longer than a run.
const HIDDEN_SECONDS: i32 = 600;
/// Most unusable messages of one run.
const MOST_UNUSABLE: usize = 1000;

/// The dead-letter queues.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    queues: Queues,
    push_url: String,
    relay_url: String,
}

/// What a redrive goes by.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The brands that there are. A message of another brand would come straight back.
    pub brands: BTreeSet<BrandName>,
    /// Whether unusable messages are deleted; otherwise they stay where they are.
    pub discard: bool,
    /// For how long it goes on.
    pub patience: Duration,
}

/// A queue of dead letters, and what its messages are read as.
#[derive(Clone, Copy)]
enum Letters {
    Push,
    Relay,
}

impl DeadLetters {
    /// The dead-letter queues of these queues, by their URLs.
    pub fn new(client: Client, queues: Queues, push_url: impl Into<String>, relay_url: impl Into<String>) -> Self {
        Self { client, queues, push_url: push_url.into(), relay_url: relay_url.into() }
    }

    /// Sends every usable message to its queue again and deletes it here. A message that is sent and cannot be
    /// deleted comes twice, which is harmless.
    ///
    /// # Errors
    ///
    /// When a queue gives no answer. What was brought back by then stays so.
    pub async fn redrive(&self, redrive: &Redrive) -> Result<Redriven, QueueError> {
        let end = Instant::now() + redrive.patience;
        let mut answer = Redriven::default();
        for letters in [Letters::Push, Letters::Relay] {
            let mut left = Vec::new();
            let emptied = self.empty(letters, redrive, end, &mut left, &mut answer).await;
            // They are to be seen again at once, by the alarm, too.
            for handle in left {
                self.show(letters, &handle).await?;
            }
            emptied?;
        }
        Ok(answer)
    }

    async fn empty(
        &self,
        letters: Letters,
        redrive: &Redrive,
        end: Instant,
        left: &mut Vec<String>,
        answer: &mut Redriven,
    ) -> Result<(), QueueError> {
        loop {
            if Instant::now() >= end || left.len() >= MOST_UNUSABLE {
                answer.more = true;
                return Ok(());
            }
            let messages = self.look(letters).await?;
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages {
                let Some(handle) = message.receipt_handle else { continue };
                if self.send(letters, message.body.as_deref().unwrap_or_default(), redrive).await? {
                    answer.redriven += 1;
                } else {
                    answer.unusable += 1;
                    if !redrive.discard {
                        left.push(handle);
                        continue;
                    }
                    answer.discarded += 1;
                }
                self.delete(letters, &handle).await?;
            }
        }
    }

    /// Sends a message's keys to its queue; false if it cannot be read or its brand is not there.
    async fn send(&self, letters: Letters, body: &str, redrive: &Redrive) -> Result<bool, QueueError> {
        let here = |brand: &BrandName| redrive.brands.contains(brand);
        match letters {
            Letters::Push => match serde_json::from_str::<PushMessage>(body) {
                Ok(PushMessage::Keys { brand, keys }) if here(&brand) => {
                    self.queues.push(keys.iter().map(|key| key.key(&brand)).collect()).await?;
                }
                Ok(PushMessage::Submission { brand, id }) if here(&brand) => self.queues.push_submission(&brand, &id, 0).await?,
                Ok(verdict @ PushMessage::Verdict { .. }) if matches!(&verdict, PushMessage::Verdict { brand, .. } if here(brand)) => {
                    self.queues.push_as_is(&[verdict]).await?;
                }
                _ => return Ok(false),
            },
            Letters::Relay => match serde_json::from_str::<RelayMessage>(body) {
                Ok(RelayMessage { brand, keys }) if here(&brand) => {
                    self.queues.relay(keys.iter().map(|key| key.key(&brand)).collect()).await?;
                }
                _ => return Ok(false),
            },
        }
        Ok(true)
    }

    async fn look(&self, letters: Letters) -> Result<Vec<Message>, QueueError> {
        let asked = self.client.receive_message().queue_url(self.url(letters));
        let asked = asked.max_number_of_messages(AT_ONCE).wait_time_seconds(WAIT_SECONDS).visibility_timeout(HIDDEN_SECONDS);
        let answer = asked.send().await.map_err(|error| failed("ReceiveMessage", error.code()))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn delete(&self, letters: Letters, handle: &str) -> Result<(), QueueError> {
        let asked = self.client.delete_message().queue_url(self.url(letters)).receipt_handle(handle);
        asked.send().await.map(drop).map_err(|error| failed("DeleteMessage", error.code()))
    }

    async fn show(&self, letters: Letters, handle: &str) -> Result<(), QueueError> {
        let asked = self.client.change_message_visibility().queue_url(self.url(letters)).receipt_handle(handle);
        asked.visibility_timeout(0).send().await.map(drop).map_err(|error| failed("ChangeMessageVisibility", error.code()))
    }

    fn url(&self, letters: Letters) -> &str {
        match letters {
            Letters::Push => &self.push_url,
            Letters::Relay => &self.relay_url,
        }
    }
}

fn failed(operation: &'static str, code: Option<&str>) -> QueueError {
    QueueError { operation, why: code.unwrap_or("no usable answer").to_owned() }
}
