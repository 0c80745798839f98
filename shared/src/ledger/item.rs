//! How states and movements stand in the table.
//!
//! | Item | PK | SK |
//! |---|---|---|
//! | state | `C#{brand}#{recipient id}` | `S#{channel}#{recipient type}` |
//! | movement | same | `M#{channel}#{recipient type}#{event id}` |
//! | aside | same | `N#{channel}#{recipient type}#{event id}` |
//!
//! An aside has the form of a movement and says why it has no effect on any state ([`AsideReason`]). The
//! address stands in the attribute `recipient` of these items and nowhere else.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::check::CheckPlace;
use crate::calendar;
use crate::consent::code::Hold;
use crate::consent::{
    Answer, AsideReason, BrandName, Channel, ConsentDate, ConsentKey, ConsentState, EventId, Head, Known, Movement, Outcome, Recipient,
    RecipientId, RecipientType, Refused, Sync, Target,
};

/// An item as the SDK carries it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Over how many index partitions a brand's work is spread.
pub const WORK_SHARDS: u8 = 4;
/// Sorts after every due time: work that only a person can move on.
pub(super) const NEVER_DUE: &str = "never";

pub(super) fn partition(brand: &BrandName, recipient: &RecipientId) -> String {
    format!("C#{brand}#{recipient}")
}

pub(super) fn state_sort(channel: Channel, recipient_type: RecipientType) -> String {
    format!("S#{channel}#{recipient_type}")
}

pub(super) fn movement_sort(key: &ConsentKey, event: &EventId) -> String {
    format!("M#{}#{}#{event}", key.channel, key.recipient_type)
}

/// The index partition of a piece of work.
pub(super) fn work_partition(brand: &BrandName, shard: u8) -> String {
    format!("W#{brand}#{shard}")
}

pub(super) fn shard(recipient: &RecipientId) -> u8 {
    recipient.as_str().bytes().fold(0u8, u8::wrapping_add) % WORK_SHARDS
}

/// A moment as a sortable text.
pub(super) fn due_text(due: Timestamp) -> String {
    format!("{:015}", due.as_millisecond().max(0))
}

/// A state as it is stored. The `work_*` attributes are there only while work is open or refused, so
/// that the index holds the backlog and nothing else.
#[derive(Serialize, Deserialize)]
pub(super) struct StateItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    recipient: String,
    #[serde(flatten)]
    head: Head,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<Known>,
    registry: Sync,
    insider: Sync,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    seen_at_insider: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insider_doubt: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<String>,
    #[serde(default, skip_serializing_if = "Refused::is_empty")]
    refused: Refused,
    revision: u64,
    #[serde(flatten)]
    check: CheckPlace,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_pk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_iys: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_insider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_deadline: Option<ConsentDate>,
    /// What work is held for, by target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_iys_held: Option<Hold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_insider_held: Option<Hold>,
}

impl StateItem {
    pub(super) fn of(state: &ConsentState) -> Self {
        let unfinished = |sync: &Sync| sync.is_open() || matches!(sync, Sync::Rejected { .. });
        let mut item = Self {
            pk: partition(&state.key.brand, &state.key.recipient_id),
            sk: state_sort(state.key.channel, state.key.recipient_type),
            recipient: state.recipient.expose().to_owned(),
            head: state.head.clone(),
            known: state.known,
            registry: state.registry.clone(),
            insider: state.insider.clone(),
            seen_at_insider: state.seen_at_insider,
            insider_doubt: state.insider_doubt,
            behind: state.behind.clone(),
            refused: state.refused.clone(),
            revision: state.revision,
            check: CheckPlace::of(state),
            work_pk: None,
            work_due: None,
            work_iys: None,
            work_insider: None,
            work_deadline: None,
            work_iys_held: None,
            work_insider_held: None,
        };
        if unfinished(&state.registry) || unfinished(&state.insider) {
            let due = Target::ALL.iter().filter_map(|target| state.sync(*target).due()).min();
            item.work_pk = Some(work_partition(&state.key.brand, shard(&state.key.recipient_id)));
            item.work_due = Some(due.map_or_else(|| NEVER_DUE.to_owned(), due_text));
            item.work_iys = unfinished(&state.registry).then(|| state.registry.as_str().to_owned());
            item.work_insider = unfinished(&state.insider).then(|| state.insider.as_str().to_owned());
            item.work_deadline =
                state.registry.is_open().then(|| ConsentDate::from_civil(calendar::deadline(state.head.consent_date.civil())));
            item.work_iys_held = state.registry.held_for();
            item.work_insider_held = state.insider.held_for();
        }
        item
    }

    pub(super) fn into_item(self) -> Result<Item, LedgerError> {
        serde_dynamo::aws_sdk_dynamodb_1::to_item(self).map_err(|_| LedgerError::Item { why: "a state cannot be written".into() })
    }

    pub(super) fn read(item: Item) -> Result<ConsentState, LedgerError> {
        let unreadable = |what: &str| LedgerError::Item { why: format!("a state has no usable {what}") };
        let stored: Self = serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| unreadable("form"))?;
        let key = key_of(&stored.pk, &stored.sk)?;
        let recipient = Recipient::parse(&stored.recipient, key.channel).map_err(|_| unreadable("recipient"))?;
        Ok(ConsentState {
            key,
            recipient,
            head: stored.head,
            known: stored.known,
            registry: stored.registry,
            insider: stored.insider,
            seen_at_insider: stored.seen_at_insider,
            insider_doubt: stored.insider_doubt,
            behind: stored.behind,
            refused: stored.refused,
            check: stored.check.read(),
            revision: stored.revision,
        })
    }
}

/// The consent key behind a state's or movement's table key.
pub(super) fn key_of(pk: &str, sk: &str) -> Result<ConsentKey, LedgerError> {
    let unreadable = || LedgerError::Item { why: "a table key has no usable form".into() };
    let mut partition = pk.split('#').skip(1);
    let mut sort = sk.split('#').skip(1);
    Ok(ConsentKey {
        brand: partition.next().and_then(|text| text.parse().ok()).ok_or_else(unreadable)?,
        recipient_id: partition.next().and_then(|text| text.parse().ok()).ok_or_else(unreadable)?,
        channel: sort.next().and_then(|text| text.parse().ok()).ok_or_else(unreadable)?,
        recipient_type: sort.next().and_then(|text| text.parse().ok()).ok_or_else(unreadable)?,
    })
}

/// How a movement ended at one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How, where it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The target's code, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The registry's id of the movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When we knew.
    pub at: Timestamp,
}

impl Ending {
    /// How a target's work ended, if it did.
    pub(crate) fn of_sync(sync: &Sync) -> Option<Self> {
        match sync {
            Sync::Settled { outcome, at, transaction_id } => {
                Some(Self { outcome: Some(*outcome), code: None, transaction_id: transaction_id.clone(), at: *at })
            }
            Sync::Rejected { code, at } => Some(Self { outcome: None, code: Some(code.clone()), transaction_id: None, at: *at }),
            _ => None,
        }
    }

    /// How a target's answer ends its work, if it does.
    pub(super) fn of_answer(answer: &Answer, now: Timestamp) -> Option<Self> {
        match answer {
            Answer::Settled { outcome, transaction_id } => {
                Some(Self { outcome: Some(*outcome), code: None, transaction_id: transaction_id.clone(), at: now })
            }
            Answer::Rejected(code) => Some(Self { outcome: None, code: Some(code.clone()), transaction_id: None, at: now }),
            Answer::Held { .. } | Answer::Submitted { .. } | Answer::Postponed { .. } => None,
        }
    }
}

/// A movement as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The movement.
    pub movement: Movement,
    /// How it ended at the registry, unless another movement took its place before.
    pub registry: Option<Ending>,
    /// How it ended at Insider, unless another movement took its place before.
    pub insider: Option<Ending>,
    /// Why it is kept without any effect, if it is.
    pub aside: Option<AsideReason>,
}

/// A movement as it is stored: the history, and by its key the proof that an event is new.
#[derive(Serialize, Deserialize)]
pub(super) struct MovementItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    recipient: String,
    #[serde(flatten)]
    head: Head,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registry: Option<Ending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insider: Option<Ending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aside: Option<AsideReason>,
}

impl MovementItem {
    pub(super) fn aside(movement: &Movement, why: AsideReason) -> Self {
        let mut item = Self::of(movement);
        item.sk.replace_range(..1, "N");
        item.aside = Some(why);
        item
    }

    pub(super) fn of(movement: &Movement) -> Self {
        Self {
            pk: partition(&movement.key.brand, &movement.key.recipient_id),
            sk: movement_sort(&movement.key, &movement.head.event_id),
            recipient: movement.recipient.expose().to_owned(),
            head: movement.head.clone(),
            registry: None,
            insider: None,
            aside: None,
        }
    }

    pub(super) fn into_item(self) -> Result<Item, LedgerError> {
        serde_dynamo::aws_sdk_dynamodb_1::to_item(self).map_err(|_| LedgerError::Item { why: "a movement cannot be written".into() })
    }

    pub(super) fn read(item: Item) -> Result<Entry, LedgerError> {
        let unreadable = |what: &str| LedgerError::Item { why: format!("a movement has no usable {what}") };
        let stored: Self = serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| unreadable("form"))?;
        let key = key_of(&stored.pk, &stored.sk)?;
        let recipient = Recipient::parse(&stored.recipient, key.channel).map_err(|_| unreadable("recipient"))?;
        // Before there were reasons, a group was the only one.
        let aside = stored.sk.starts_with('N').then(|| stored.aside.unwrap_or(AsideReason::LeftGroup));
        Ok(Entry { movement: Movement { key, recipient, head: stored.head }, registry: stored.registry, insider: stored.insider, aside })
    }
}
