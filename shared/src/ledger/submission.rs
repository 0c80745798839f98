//! Bulk submissions, written ahead of the request: a crash at any point leaves a trace that says
//! which keys may have been sent.
//!
//! Item: PK `R#{brand}#{id}`, SK `R`. It stands in the work index like a key does, so the sweep finds
//! one whose answer or result never came.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{self, Item};
use super::{Ledger, LedgerError};
use crate::consent::{BrandName, Channel, ConsentDate, ConsentKey, EventId, RecipientId, RecipientType, Sent, Status};

/// How long İYS keeps results: an unfinished submission is of no use after that.
const KEPT_SECONDS: i64 = 60 * 24 * 60 * 60;

/// One record of a submission: whose state, and which one was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key.
    pub key: ConsentKey,
    /// The state that was sent.
    pub sent: Sent,
    /// The registry's own id of the record.
    pub record_id: Option<String>,
}

/// A bulk submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The brand.
    pub brand: BrandName,
    /// Our own id.
    pub id: String,
    /// What the registry calls it; `None` while no answer to the request has been noted.
    pub request_id: Option<String>,
    /// Before when its results must not be asked for.
    pub ready_at: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often results were asked for.
    pub checks: u16,
    /// Its records, in the order they were sent.
    pub members: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ready_at: Option<Timestamp>,
    created_at: Timestamp,
    checks: u16,
    members: String,
    work_pk: String,
    work_due: String,
    expires_at: i64,
}

/// A member as a row: a thousand of them must fit one item of 400 KB.
#[derive(Serialize, Deserialize)]
struct Row(RecipientId, Channel, RecipientType, EventId, Status, ConsentDate, Option<String>);

impl Row {
    fn of(member: &Member) -> Self {
        let Member { key, sent, record_id } = member.clone();
        Self(key.recipient_id, key.channel, key.recipient_type, sent.event_id, sent.status, sent.consent_date, record_id)
    }

    fn into_member(self, brand: &BrandName) -> Member {
        let Self(recipient_id, channel, recipient_type, event_id, status, consent_date, record_id) = self;
        Member {
            key: ConsentKey { brand: brand.clone(), recipient_id, channel, recipient_type },
            sent: Sent { event_id, status, consent_date },
            record_id,
        }
    }
}

fn partition(brand: &BrandName, id: &str) -> String {
    format!("R#{brand}#{id}")
}

/// The submission's id behind a table key, if it is one's.
pub(super) fn id_of(pk: &str) -> Option<&str> {
    pk.strip_prefix("R#")?.split_once('#').map(|(_, id)| id)
}

impl Ledger {
    /// Writes a submission, or what became of it; the sweep looks after it at `due`.
    pub async fn put_submission(&self, submission: &Submission, due: Timestamp) -> Result<(), LedgerError> {
        let unwritable = || LedgerError::Item { why: "a submission cannot be written".into() };
        let stored = Stored {
            pk: partition(&submission.brand, &submission.id),
            sk: "R".into(),
            request_id: submission.request_id.clone(),
            ready_at: submission.ready_at,
            created_at: submission.created_at,
            checks: submission.checks,
            members: serde_json::to_string(&submission.members.iter().map(Row::of).collect::<Vec<_>>()).map_err(|_| unwritable())?,
            work_pk: item::work_partition(&submission.brand, 0),
            work_due: item::due_text(due),
            expires_at: submission.created_at.as_second() + KEPT_SECONDS,
        };
        let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(stored).map_err(|_| unwritable())?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(LedgerError::store("PutItem"))?;
        Ok(())
    }

    /// Reads a submission; `None` when it is finished.
    pub async fn submission(&self, brand: &BrandName, id: &str) -> Result<Option<Submission>, LedgerError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", AttributeValue::S(partition(brand, id)))
            .key("SK", AttributeValue::S("R".into()))
            .consistent_read(true)
            .send()
            .await
            .map_err(LedgerError::store("GetItem"))?;
        let Some(item) = answer.item else { return Ok(None) };
        let unreadable = || LedgerError::Item { why: "a submission has no usable form".into() };
        let stored: Stored = serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| unreadable())?;
        Ok(Some(Submission {
            brand: brand.clone(),
            id: id.to_owned(),
            request_id: stored.request_id,
            ready_at: stored.ready_at,
            created_at: stored.created_at,
            checks: stored.checks,
            members: serde_json::from_str::<Vec<Row>>(&stored.members)
                .map_err(|_| unreadable())?
                .into_iter()
                .map(|row| row.into_member(brand))
                .collect(),
        }))
    }

    /// Removes a finished submission. Removing it twice is fine.
    pub async fn delete_submission(&self, brand: &BrandName, id: &str) -> Result<(), LedgerError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key("PK", AttributeValue::S(partition(brand, id)))
            .key("SK", AttributeValue::S("R".into()))
            .send()
            .await
            .map_err(LedgerError::store("DeleteItem"))?;
        Ok(())
    }
}
