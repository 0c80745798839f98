//! What the queues carry: ids, never addresses.

mod dead_letters;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::consent::code::Code;
use crate::consent::{BrandName, Channel, ConsentDate, ConsentKey, ConsentState, RecipientId, RecipientType, Status, Target};

pub use dead_letters::{DeadLetters, Redrive};

/// Most keys in one message: a message is the unit of failure, so it stays small.
const KEYS_PER_MESSAGE: usize = 25;
/// Most messages in one SendMessageBatch (SQS's own limit).
const BATCH: usize = 10;
/// How many batches are sent to the standard queue at once.
const BATCHES_AT_ONCE: usize = 8;
/// To the FIFO queue they go one after the other: side by side, one could overtake another of its group.
const IN_ORDER: usize = 1;
/// Over how many FIFO groups a brand's addresses are spread: what one address gets stays in order.
const RELAY_SHARDS: u8 = 16;
/// The longest that SQS delays a message.
pub const LONGEST_DELAY_SECONDS: u32 = 900;

/// A consent key without its brand, as a message carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRef(RecipientId, Channel, RecipientType);

/// A message to `iys-push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum PushMessage {
    /// These keys have open work at the registry.
    Keys {
        /// The brand.
        brand: BrandName,
        /// The keys.
        keys: Vec<KeyRef>,
    },
    /// Look after a bulk submission.
    Submission {
        /// The brand.
        brand: BrandName,
        /// Its id.
        id: String,
    },
    /// A registry called back with what became of a record that was handed in.
    Verdict {
        /// The brand.
        brand: BrandName,
        /// The key.
        key: KeyRef,
        /// The status that was handed in.
        status: Status,
        /// Its date.
        #[serde(rename = "consentDate")]
        consent_date: ConsentDate,
        /// What the registry calls the list that it was in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// What it was refused with; missing where it stands there now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
    },
}

/// A message to `unsubscribe-relay`: these keys, all of one shard, have open work at Insider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelayMessage {
    /// The brand.
    pub brand: BrandName,
    /// The keys.
    pub keys: Vec<KeyRef>,
}

impl KeyRef {
    /// The reference to a key.
    pub fn of(key: &ConsentKey) -> Self {
        Self(key.recipient_id.clone(), key.channel, key.recipient_type)
    }

    /// The key itself.
    pub fn key(&self, brand: &BrandName) -> ConsentKey {
        ConsentKey { brand: brand.clone(), recipient_id: self.0.clone(), channel: self.1, recipient_type: self.2 }
    }
}

/// Why a message was not sent. Whatever it was about is durable in the ledger, where the sweep finds
/// it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("SQS {operation}: {why}")]
pub struct QueueError {
    operation: &'static str,
    why: String,
}

/// The two queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    push_url: String,
    relay_url: String,
}

impl Queues {
    /// Queues by their URLs.
    pub fn new(client: Client, push_url: impl Into<String>, relay_url: impl Into<String>) -> Self {
        Self { client, push_url: push_url.into(), relay_url: relay_url.into() }
    }

    /// Writes messages for all pending work of these states.
    pub async fn notify<'a>(&self, states: impl IntoIterator<Item = &'a ConsentState>) -> Result<(), QueueError> {
        let mut push = Vec::new();
        let mut relay = Vec::new();
        for state in states {
            let pending = |target| state.sync(target).due().is_some();
            if pending(Target::Registry) {
                push.push(state.key.clone());
            }
            if pending(Target::Insider) {
                relay.push(state.key.clone());
            }
        }
        let (pushed, relayed) = futures::join!(self.push(push), self.relay(relay));
        pushed.and(relayed)
    }

    /// Writes messages that these keys have open work at the registry.
    pub async fn push(&self, keys: Vec<ConsentKey>) -> Result<(), QueueError> {
        let mut entries = Vec::new();
        for (brand, keys) in by(keys, |key| key.brand.clone()) {
            for chunk in keys.chunks(KEYS_PER_MESSAGE) {
                let message = PushMessage::Keys { brand: brand.clone(), keys: chunk.iter().map(KeyRef::of).collect() };
                entries.push(entry(entries.len(), &message)?);
            }
        }
        self.send(&self.push_url, entries, BATCHES_AT_ONCE).await
    }

    /// Writes a message to look after a bulk submission in `delay_seconds`.
    pub async fn push_submission(&self, brand: &BrandName, id: &str, delay_seconds: u32) -> Result<(), QueueError> {
        let message = PushMessage::Submission { brand: brand.clone(), id: id.to_owned() };
        let delay = i32::try_from(delay_seconds.min(LONGEST_DELAY_SECONDS)).unwrap_or(0);
        let mut entry = entry(0, &message)?;
        entry.delay_seconds = Some(delay);
        self.send(&self.push_url, vec![entry], BATCHES_AT_ONCE).await
    }

    /// Writes messages to `iys-push` as they are.
    pub async fn push_as_is(&self, messages: &[PushMessage]) -> Result<(), QueueError> {
        let entries = messages.iter().enumerate().map(|(at, message)| entry(at, message)).collect::<Result<_, _>>()?;
        self.send(&self.push_url, entries, BATCHES_AT_ONCE).await
    }

    /// Writes messages that these keys have open work at Insider, in the order of each address.
    pub async fn relay(&self, keys: Vec<ConsentKey>) -> Result<(), QueueError> {
        let mut entries = Vec::new();
        for ((brand, shard), keys) in by(keys, |key| (key.brand.clone(), shard(&key.recipient_id))) {
            for chunk in keys.chunks(KEYS_PER_MESSAGE) {
                let message = RelayMessage { brand: brand.clone(), keys: chunk.iter().map(KeyRef::of).collect() };
                let mut entry = entry(entries.len(), &message)?;
                entry.message_group_id = Some(format!("{brand}-{shard}"));
                // Two messages with the same keys are two reasons to look: never one.
                entry.message_deduplication_id = Some(uuid::Uuid::new_v4().to_string());
                entries.push(entry);
            }
        }
        self.send(&self.relay_url, entries, IN_ORDER).await
    }

    async fn send(&self, url: &str, entries: Vec<SendMessageBatchRequestEntry>, at_once: usize) -> Result<(), QueueError> {
        let batches: Vec<_> = entries.chunks(BATCH).map(<[_]>::to_vec).collect();
        let mut answers = futures::stream::iter(batches).map(|batch| self.send_batch(url, batch)).buffered(at_once);
        let mut all = Ok(());
        while let Some(sent) = answers.next().await {
            all = all.and(sent);
        }
        all
    }

    async fn send_batch(&self, url: &str, batch: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        let operation = "SendMessageBatch";
        let answer = self.client.send_message_batch().queue_url(url).set_entries(Some(batch)).send().await.map_err(|error| QueueError {
            operation,
            why: aws_sdk_sqs::error::ProvideErrorMetadata::code(&error).unwrap_or("no usable answer").to_owned(),
        })?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => Err(QueueError { operation, why: failed.code().to_owned() }),
        }
    }
}

fn entry(id: usize, message: &impl Serialize) -> Result<SendMessageBatchRequestEntry, QueueError> {
    let unsendable = || QueueError { operation: "SendMessageBatch", why: "a message cannot be written".into() };
    let body = serde_json::to_string(message).map_err(|_| unsendable())?;
    SendMessageBatchRequestEntry::builder().id(format!("m{}", id % BATCH)).message_body(body).build().map_err(|_| unsendable())
}

fn shard(recipient: &RecipientId) -> u8 {
    recipient.as_str().bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % RELAY_SHARDS
}

/// Groups keys, keeping their order within each group; a key that comes twice stays once.
fn by<G: Ord>(keys: Vec<ConsentKey>, group: impl Fn(&ConsentKey) -> G) -> std::collections::BTreeMap<G, Vec<ConsentKey>> {
    let mut groups = std::collections::BTreeMap::<G, Vec<ConsentKey>>::new();
    let mut seen = std::collections::HashSet::new();
    for key in keys {
        if seen.insert(key.clone()) {
            groups.entry(group(&key)).or_default().push(key);
        }
    }
    groups
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back_as_they_were_written() {
        let key = ConsentKey {
            brand: "demo".parse().expect("a brand"),
            recipient_id: "AAAAAAAAAAAAAAAAAAAAAA".parse().expect("an id"),
            channel: Channel::Mesaj,
            recipient_type: RecipientType::Tacir,
        };
        let message = PushMessage::Keys { brand: key.brand.clone(), keys: vec![KeyRef::of(&key)] };
        let text = serde_json::to_string(&message).expect("a message");
        assert_eq!(text, r#"{"kind":"keys","brand":"demo","keys":[["AAAAAAAAAAAAAAAAAAAAAA","MESAJ","TACIR"]]}"#);
        assert_eq!(serde_json::from_str::<PushMessage>(&text).expect("a message"), message);
        let PushMessage::Keys { brand, keys } = message else { unreachable!("it was built so") };
        assert_eq!(keys[0].key(&brand), key);
    }
}
