//! Bulk submissions, written ahead of the request: a crash at any point leaves a trace that says
//! which keys may have been sent.
//!
//! | Item | PK | SK | Holds |
//! |---|---|---|---|
//! | head | `R#{brand}#{id}` | `R` | how far it is, and its place in the work index |
//! | members | same | `M` | whose states were sent, and which |
//! | record ids | same | `I` | the registry's own ids of the records |
//!
//! The head alone changes while results are waited for, so a look in vain costs a few write units and
//! not a hundred kilobytes of them. It also stands in the work index like a key does, so the sweep finds
//! a submission whose answer or result never came. Once the head is gone the submission is finished; the
//! other two items are left to their time to live, which costs nothing.
//!
//! Heads of an earlier version hold the members, and these the record ids. They stay readable.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::item::{self, Item};
use super::{Ledger, LedgerError, control};
use crate::consent::{BrandName, Channel, ConsentDate, ConsentKey, EventId, RecipientId, RecipientType, Sent, Status};

/// How long İYS keeps results (İYS documentation, `searchRequestDetailsV2`). After that nobody can say
/// any more what became of a record.
pub const RESULTS_KEPT: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long the items stay beyond that: states may name a submission until the sweep has released them,
/// and the sweep may have been switched off for a while.
const LEFTOVER: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the work index says of a submission whose results cannot be asked for while the brand is held.
pub(super) const HELD_RESULTS: &str = "held_results";

/// The condition that a head is there.
const STANDS: &str = "attribute_exists(PK)";
const HEAD: &str = "R";
const MEMBERS: &str = "M";
const RECORD_IDS: &str = "I";

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
    /// Whether its records were handed in before, in a submission without results.
    pub again: bool,
    /// Its records in the order in which they were sent.
    pub members: Vec<Member>,
}

/// A submission without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionHead {
    /// When it was written.
    pub created_at: Timestamp,
    /// How often results were asked for.
    pub checks: u16,
}

#[derive(Serialize, Deserialize)]
struct StoredHead {
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
    /// Of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<String>,
    work_pk: String,
    work_due: String,
    expires_at: i64,
}

/// The members or the record ids: one text, because a list of a thousand would cost bytes for each.
#[derive(Serialize, Deserialize)]
struct StoredRows {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    rows: String,
    expires_at: i64,
}

/// A member as a row: a thousand of them must fit one item of 400 KB. The last field is of an earlier
/// version.
#[derive(Deserialize)]
struct Row(RecipientId, Channel, RecipientType, EventId, Status, ConsentDate, #[serde(default)] Option<String>);

fn row(Member { key, sent, .. }: &Member) -> impl Serialize + '_ {
    (&key.recipient_id, key.channel, key.recipient_type, &sent.event_id, sent.status, sent.consent_date)
}

impl Row {
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

fn unwritable() -> LedgerError {
    LedgerError::Item { why: "a submission cannot be written".into() }
}

fn unreadable() -> LedgerError {
    LedgerError::Item { why: "a submission has no usable form".into() }
}

fn parse<T: DeserializeOwned>(rows: &str) -> Result<T, LedgerError> {
    serde_json::from_str(rows).map_err(|_| unreadable())
}

impl Submission {
    fn expires_at(&self) -> i64 {
        self.created_at.as_second() + (RESULTS_KEPT + LEFTOVER).as_secs()
    }

    fn rows(&self, sk: &str, rows: &impl Serialize) -> Result<Item, LedgerError> {
        let rows = serde_json::to_string(rows).map_err(|_| unwritable())?;
        let stored = StoredRows { pk: partition(&self.brand, &self.id), sk: sk.into(), rows, expires_at: self.expires_at() };
        serde_dynamo::aws_sdk_dynamodb_1::to_item(stored).map_err(|_| unwritable())
    }
}

impl Ledger {
    /// Writes a submission ahead of its request; the sweep looks after it at `due`.
    pub async fn write_submission(&self, submission: &Submission, due: Timestamp) -> Result<(), LedgerError> {
        // A head without members would be of no use to whoever finds it.
        self.write_members(submission).await?;
        let stored = StoredHead {
            pk: partition(&submission.brand, &submission.id),
            sk: HEAD.into(),
            request_id: submission.request_id.clone(),
            ready_at: submission.ready_at,
            created_at: submission.created_at,
            checks: submission.checks,
            again: submission.again,
            members: None,
            work_pk: item::work_partition(&submission.brand, 0),
            work_due: item::due_text(due),
            expires_at: submission.expires_at(),
        };
        self.put(serde_dynamo::aws_sdk_dynamodb_1::to_item(stored).map_err(|_| unwritable())?).await
    }

    /// Writes the members anew, because another list goes out under the same submission.
    pub async fn write_members(&self, submission: &Submission) -> Result<(), LedgerError> {
        let rows: Vec<_> = submission.members.iter().map(row).collect();
        self.put(submission.rows(MEMBERS, &rows)?).await
    }

    /// Notes the registry's answer: what it calls the submission and its records, and that the sweep
    /// looks after it at `due`. `false` when the submission is gone: somebody took it for unanswered.
    pub async fn note_taken(&self, submission: &Submission, due: Timestamp) -> Result<bool, LedgerError> {
        let ids: Vec<_> = submission.members.iter().map(|member| &member.record_id).collect();
        if ids.iter().any(|id| id.is_some()) {
            self.put(submission.rows(RECORD_IDS, &ids)?).await?;
        }
        self.note_wait(submission, due).await
    }

    /// Notes how often results were asked for, and when they may be asked for next; the sweep looks after
    /// the submission at `due`. `false` when it is gone.
    pub async fn note_wait(&self, submission: &Submission, due: Timestamp) -> Result<bool, LedgerError> {
        self.note_look(submission, due, false).await
    }

    /// The same where results cannot be asked for while the brand is held: a release finds it.
    pub async fn note_held(&self, submission: &Submission, due: Timestamp) -> Result<bool, LedgerError> {
        self.note_look(submission, due, true).await
    }

    async fn note_look(&self, submission: &Submission, due: Timestamp, held: bool) -> Result<bool, LedgerError> {
        let mut sets = vec!["checks = :checks", "work_due = :due"];
        let mut values = HashMap::from([
            (":checks".to_owned(), control::n(i64::from(submission.checks))),
            (":due".to_owned(), control::s(&item::due_text(due))),
        ]);
        for (set, name, value) in [
            ("request_id = :request", ":request", submission.request_id.clone()),
            ("ready_at = :ready", ":ready", submission.ready_at.map(|ready| ready.to_string())),
        ] {
            if let Some(value) = value {
                sets.push(set);
                values.insert(name.to_owned(), AttributeValue::S(value));
            }
        }
        let remove = if held { "" } else { " REMOVE work_iys" };
        if held {
            sets.push("work_iys = :held");
            values.insert(":held".to_owned(), control::s(HELD_RESULTS));
        }
        let update = format!("SET {}{remove}", sets.join(", "));
        self.update_head(&submission.brand, &submission.id, &update, STANDS, values).await
    }

    /// Lets the results be asked for from `now` on that could not be while the brand was held; the sweep looks
    /// after the submission at `due`. `false` when somebody else has, or it is gone.
    pub async fn release_results(&self, brand: &BrandName, id: &str, now: Timestamp, due: Timestamp) -> Result<bool, LedgerError> {
        let values = HashMap::from([
            (":ready".to_owned(), AttributeValue::S(now.to_string())),
            (":due".to_owned(), control::s(&item::due_text(due))),
            (":held".to_owned(), control::s(HELD_RESULTS)),
        ]);
        self.update_head(brand, id, "SET ready_at = :ready, work_due = :due REMOVE work_iys", "work_iys = :held", values).await
    }

    /// Has the sweep come back to a submission at `due`, whoever else is changing it. `false` when it is
    /// gone.
    pub async fn postpone_submission(&self, brand: &BrandName, id: &str, due: Timestamp) -> Result<bool, LedgerError> {
        let values = HashMap::from([(":due".to_owned(), control::s(&item::due_text(due)))]);
        self.update_head(brand, id, "SET work_due = :due", STANDS, values).await
    }

    /// Reads a submission; `None` when it is finished.
    pub async fn submission(&self, brand: &BrandName, id: &str) -> Result<Option<Submission>, LedgerError> {
        let Some(head) = self.head(brand, id).await? else { return Ok(None) };
        let rows = match &head.members {
            Some(rows) => parse::<Vec<Row>>(rows)?,
            None => parse(&self.rows(brand, id, MEMBERS).await?.ok_or_else(unreadable)?)?,
        };
        let mut members: Vec<_> = rows.into_iter().map(|row| row.into_member(brand)).collect();
        if head.request_id.is_some()
            && head.members.is_none()
            && let Some(ids) = self.rows(brand, id, RECORD_IDS).await?
        {
            for (member, record_id) in members.iter_mut().zip(parse::<Vec<Option<String>>>(&ids)?) {
                member.record_id = record_id;
            }
        }
        Ok(Some(Submission {
            brand: brand.clone(),
            id: id.to_owned(),
            request_id: head.request_id,
            ready_at: head.ready_at,
            created_at: head.created_at,
            checks: head.checks,
            again: head.again,
            members,
        }))
    }

    /// Reads a submission without its members; `None` when it is finished.
    pub async fn submission_head(&self, brand: &BrandName, id: &str) -> Result<Option<SubmissionHead>, LedgerError> {
        let head = self.head(brand, id).await?;
        Ok(head.map(|head| SubmissionHead { created_at: head.created_at, checks: head.checks }))
    }

    /// Removes a finished submission. Removing it twice is fine.
    pub async fn delete_submission(&self, brand: &BrandName, id: &str) -> Result<(), LedgerError> {
        let key = control::key(&partition(brand, id), HEAD);
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.map_err(LedgerError::store("DeleteItem"))?;
        Ok(())
    }

    async fn head(&self, brand: &BrandName, id: &str) -> Result<Option<StoredHead>, LedgerError> {
        let item = self.control_item(control::key(&partition(brand, id), HEAD)).await?;
        item.map(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| unreadable())).transpose()
    }

    async fn rows(&self, brand: &BrandName, id: &str, sk: &str) -> Result<Option<String>, LedgerError> {
        let item = self.control_item(control::key(&partition(brand, id), sk)).await?;
        let stored: Option<StoredRows> =
            item.map(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| unreadable())).transpose()?;
        Ok(stored.map(|stored| stored.rows))
    }

    async fn put(&self, item: Item) -> Result<(), LedgerError> {
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(LedgerError::store("PutItem"))?;
        Ok(())
    }

    /// Changes a head under a condition, which one that is gone does not meet: a change must not bring a
    /// finished submission back.
    async fn update_head(
        &self,
        brand: &BrandName,
        id: &str,
        update: &str,
        condition: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<bool, LedgerError> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(control::key(&partition(brand, id), HEAD)))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        Ok(control::met(updated)?.is_ok())
    }
}
