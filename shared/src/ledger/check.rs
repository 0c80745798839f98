//! The index `check`: when each key is next compared with what the registry holds, found without reading
//! the ledger.
//!
//! Every state stands in it, by channel, recipient type and class, so that what is asked together is found
//! together, refusals can go first, and what a brand may not ask about costs nothing. An ordinary write of
//! a state leaves its place in it as it is, and so costs nothing there.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{self, Item};
use super::{Ledger, LedgerError, control};
use crate::consent::check::{Check, CheckEvery};
use crate::consent::{Answer, BrandName, Channel, ConsentKey, ConsentState, Known, RecipientType, Status};

/// Name of the index.
const INDEX: &str = "check";
/// Over how many index partitions a class is spread.
const SHARDS: u8 = 4;

/// Keys that are asked about together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckGroup {
    /// The channel.
    pub channel: Channel,
    /// Consumer or merchant.
    pub recipient_type: RecipientType,
}

impl CheckGroup {
    /// Every group.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |channel: Channel| RecipientType::ALL.iter().map(move |recipient_type| Self { channel, recipient_type: *recipient_type });
        Channel::ALL.iter().copied().flat_map(of)
    }
}

/// Where keys stand in verification, see [`Check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckClass {
    /// Found to differ.
    Differing,
    /// Not compared since they changed.
    Changed,
    /// Compared once.
    Compared,
}

impl CheckClass {
    const fn letter(self) -> char {
        match self {
            Self::Differing => 'X',
            Self::Changed => 'N',
            Self::Compared => 'C',
        }
    }

    const fn of(check: Check) -> (Self, Timestamp) {
        match check {
            Check::Differs(at) => (Self::Differing, at),
            Check::Due(at) => (Self::Changed, at),
            Check::Done(at) => (Self::Compared, at),
        }
    }
}

/// The attributes that put a state into the index. Every state has them, so they are short.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct CheckPlace {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check_pk: Option<String>,
    /// In seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check_at: Option<i64>,
}

/// An index partition: the initial of the channel, a small one for merchants; the letter of the class, a small
/// one for refusals; the shard; the brand.
fn partition(brand: &BrandName, group: CheckGroup, class: CheckClass, status: Status, shard: u8) -> String {
    let small = |letter: char, small: bool| if small { letter.to_ascii_lowercase() } else { letter };
    let channel = group.channel.as_str().chars().next().unwrap_or_default();
    let (channel, class) = (small(channel, group.recipient_type == RecipientType::Tacir), small(class.letter(), status == Status::Ret));
    format!("{channel}{class}{shard}{brand}")
}

impl CheckPlace {
    fn with(state: &ConsentState, check: Check) -> Self {
        let group = CheckGroup { channel: state.key.channel, recipient_type: state.key.recipient_type };
        let (class, at) = CheckClass::of(check);
        let shard = item::shard(&state.key.recipient_id) % SHARDS;
        Self { check_pk: Some(partition(&state.key.brand, group, class, state.head.status, shard)), check_at: Some(at.as_second()) }
    }

    pub(super) fn of(state: &ConsentState) -> Self {
        Self::with(state, state.check)
    }

    /// A state without a place, or with one that cannot be read, is due at once.
    pub(super) fn read(&self) -> Check {
        let at = self.check_at.and_then(|second| Timestamp::from_second(second).ok());
        match (self.check_pk.as_deref().and_then(|pk| pk.chars().nth(1)), at) {
            (Some('X' | 'x'), Some(at)) => Check::Differs(at),
            (Some('N' | 'n'), Some(at)) => Check::Due(at),
            (Some('C' | 'c'), Some(at)) => Check::Done(at),
            _ => Check::Due(Timestamp::UNIX_EPOCH),
        }
    }
}

/// Keys whose time has come, and where to go on.
#[derive(Debug, Default)]
pub struct CheckDue {
    /// The keys, each with the moment in its [`Check`].
    pub keys: Vec<(ConsentKey, Timestamp)>,
    /// Where to go on; `None` at the end.
    pub next: Option<CheckPage>,
}

/// A place in the search for due keys of a group, class and status: in each shard that is not at its end.
#[derive(Debug, Clone)]
pub struct CheckPage(Vec<(u8, Option<Item>)>);

impl Default for CheckPage {
    fn default() -> Self {
        Self((0..SHARDS).map(|shard| (shard, None)).collect())
    }
}

impl Ledger {
    /// Up to `limit` keys of each shard of a group, class and status, whose moment lies not after `until`. It
    /// reads the index and nothing else; what was written a moment ago may be missing there, or stand at its
    /// old place. All shards are read side by side, so that what follows writes to all of them.
    pub async fn due_checks(
        &self,
        brand: &BrandName,
        group: CheckGroup,
        (class, status): (CheckClass, Status),
        until: Timestamp,
        page: CheckPage,
        limit: i32,
    ) -> Result<CheckDue, LedgerError> {
        let answers = page.0.into_iter().map(|(shard, after)| async move {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("check_pk = :pk AND check_at <= :until")
                .expression_attribute_values(":pk", control::s(&partition(brand, group, class, status, shard)))
                .expression_attribute_values(":until", control::n(until.as_second()))
                .set_exclusive_start_key(after)
                .limit(limit)
                .send()
                .await
                .map_err(LedgerError::store("Query"))?;
            Ok((shard, answer))
        });
        let (mut keys, mut open) = (Vec::new(), Vec::new());
        for (shard, answer) in futures::future::try_join_all(answers).await? {
            // One entry that cannot be read must not hide those behind it.
            let readable = |item: &Item| read(item).inspect_err(|error| tracing::error!(%error, "a key is passed over")).ok();
            keys.extend(answer.items.unwrap_or_default().iter().filter_map(readable));
            open.extend(answer.last_evaluated_key.map(|after| (shard, Some(after))));
        }
        Ok(CheckDue { keys, next: (!open.is_empty()).then_some(CheckPage(open)) })
    }

    /// How many keys of a class, over all groups and both statuses, have a moment not after `until`, counted
    /// up to a megabyte of the index for each of its partitions.
    pub async fn count_checks(&self, brand: &BrandName, class: CheckClass, until: Timestamp) -> Result<u64, LedgerError> {
        let partitions = CheckGroup::all()
            .flat_map(|group| Status::ALL.iter().map(move |status| (group, *status)))
            .flat_map(|(group, status)| (0..SHARDS).map(move |shard| partition(brand, group, class, status, shard)));
        let counts = partitions.map(|partition| async move {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .select(Select::Count)
                .key_condition_expression("check_pk = :pk AND check_at <= :until")
                .expression_attribute_values(":pk", AttributeValue::S(partition))
                .expression_attribute_values(":until", control::n(until.as_second()))
                .send()
                .await
                .map_err(LedgerError::store("Query"))?;
            Ok(u64::try_from(answer.count).unwrap_or(0))
        });
        let counts: Vec<u64> = futures::future::try_join_all(counts).await?;
        Ok(counts.iter().sum())
    }

    /// How many keys verification is late with: not compared for longer than `every`, or not within two
    /// days of a change.
    pub async fn late_checks(&self, brand: &BrandName, every: CheckEvery, now: Timestamp) -> Result<u64, LedgerError> {
        let compared = self.count_checks(brand, CheckClass::Compared, every.late_until(now));
        let changed = self.count_checks(brand, CheckClass::Changed, Check::late_changes(now));
        let (compared, changed) = futures::try_join!(compared, changed)?;
        Ok(compared + changed)
    }

    /// Notes where a state, as it was read, stands in verification. `false` when another worker has
    /// written it since: then nothing is noted.
    pub async fn note_check(&self, read: &ConsentState, check: Check) -> Result<bool, LedgerError> {
        if read.check == check {
            return Ok(true);
        }
        let place = CheckPlace::with(read, check);
        let mut key = control::key(&item::partition(&read.key.brand, &read.key.recipient_id), "");
        key.insert("SK".to_owned(), control::s(&item::state_sort(read.key.channel, read.key.recipient_type)));
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            // The revision stays: whoever has read the state may still write it, and then it is only
            // compared sooner.
            .update_expression("SET check_pk = :pk, check_at = :at")
            .condition_expression("revision = :read")
            .expression_attribute_values(":pk", control::s(place.check_pk.as_deref().unwrap_or_default()))
            .expression_attribute_values(":at", control::n(place.check_at.unwrap_or_default()))
            .expression_attribute_values(":read", AttributeValue::N(read.revision.to_string()))
            .send()
            .await;
        Ok(control::met(noted)?.is_ok())
    }

    /// [`Ledger::learn`], and the key is compared again as one that changed.
    pub async fn learn_of_difference(
        &self,
        read: &ConsentState,
        known: Option<Known>,
        answer: Option<Answer>,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Option<ConsentState>, LedgerError> {
        let change = |state: &mut ConsentState| {
            state.learn(known, answer, now, due);
            state.check = Check::first(now);
        };
        self.change_as_read(read, change).await
    }
}

fn read(item: &Item) -> Result<(ConsentKey, Timestamp), LedgerError> {
    let (Some(pk), Some(sk)) = (control::text(item, "PK")?, control::text(item, "SK")?) else {
        return Err(LedgerError::Item { why: "an index entry has no table key".into() });
    };
    let at = control::number(item, "check_at")?.and_then(|second| Timestamp::from_second(second).ok());
    Ok((item::key_of(pk, sk)?, at.ok_or_else(|| control::unreadable("check_at"))?))
}
