//! How the comparison with the registry's file of each day stands.
//!
//! Item: PK `B#{brand}`, SK `DAYFILE#{day}`; a JSON document of counts, states and moments. Beside it stands
//! `DAYENDED#{day}`: of a day of receipt, the day on which the last of its movements ended at the registry, once
//! all of them have. Both end by time to live.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::control::{self, key, n, s};
use super::item::Item;
use super::{Ledger, LedgerError};
use crate::consent::BrandName;

const DAY_FILE: &str = "DAYFILE#";
const DAY_ENDED: &str = "DAYENDED#";
const DOCUMENT: &str = "document";
const REVISION: &str = "revision";
const ENDED_ON: &str = "ended_on";
/// For how long what became of a day is kept.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 100);

/// How the comparison of a day stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayFileState {
    /// The file was not there yet, gave no answer, or is being compared.
    #[default]
    Waiting,
    /// The brand may not call the service: nothing was called.
    Held,
    /// Compared, and it differed; what could be repaired is. It is compared again.
    Differs,
    /// Compared, and equal.
    Equal,
    /// Equal, and confirmed.
    Confirmed,
    /// The registry shows the day no more, and it was never compared to its end.
    Missed,
}

impl DayFileState {
    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Differs => "differs",
            Self::Equal => "equal",
            Self::Confirmed => "confirmed",
            Self::Missed => "missed",
        }
    }
}

/// How many differences of one kind there were on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DayDifference {
    /// Found by any comparison of the day, each once.
    pub found: u64,
    /// Those that the last comparison to the end could not repair, or that wait for verification.
    pub left: u64,
}

/// A place in the reading of what was received, page by page.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DayStep {
    /// The partition of the index, counted over all days that are read.
    pub partition: u32,
    /// The digest after which the next page begins.
    pub after: String,
}

/// How far a comparison is that has not come to its end. What is counted comes before what is repaired: a run
/// that dies between the two repairs once more and counts nothing twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DayProgress {
    /// The hash of the file that is compared.
    pub hash: Option<String>,
    /// In how many parts what the file holds is remembered, one after the other.
    pub parts: u64,
    /// The part that is compared.
    pub part: u64,
    /// The row up to which differences are counted.
    pub rows_counted: u64,
    /// The row up to which they are repaired.
    pub rows_repaired: u64,
    /// The same of what was received: counted.
    pub counted: DayStep,
    /// And repaired.
    pub repaired: DayStep,
    /// Differences of this comparison so far, by kind.
    pub found: BTreeMap<String, u64>,
    /// Whether something of the day of receipt that is being read is still open.
    pub is_open: bool,
    /// The last day on which something of it ended.
    pub ended_on: Option<Date>,
}

/// A day's comparison with the registry's file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DayFile {
    /// How it stands.
    pub state: DayFileState,
    /// What it waits for or is held for: a word, or the registry's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The hash of the file that was compared last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Movements in it.
    pub rows: u64,
    /// Differences, by kind.
    pub differences: BTreeMap<String, DayDifference>,
    /// How often it was compared to its end.
    pub comparisons: u32,
    /// When it was first looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// When it was last compared to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<Timestamp>,
    /// When it was confirmed, as far as this system knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Before when the schedule leaves it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// A comparison that has not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<DayProgress>,
}

impl DayFile {
    /// Differences that are left.
    pub fn left(&self) -> u64 {
        self.differences.values().map(|difference| difference.left).sum()
    }
}

/// A day's comparison as it was read, to be written over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The comparison.
    pub file: DayFile,
    /// How often it was written; 0 when it never was.
    revision: i64,
}

fn partition(brand: &BrandName) -> String {
    format!("B#{brand}")
}

fn expires(now: Timestamp) -> AttributeValue {
    n(now.saturating_add(LIFE).unwrap_or(now).as_second())
}

impl Ledger {
    /// The brand's days whose files were looked at in the last months, the oldest first.
    pub async fn day_files(&self, brand: &BrandName) -> Result<Vec<(Date, DayFile)>, LedgerError> {
        Ok(self.kept_day_files(brand).await?.into_iter().map(|(day, kept)| (day, kept.file)).collect())
    }

    /// The same, to be written over.
    pub async fn kept_day_files(&self, brand: &BrandName) -> Result<Vec<(Date, Kept)>, LedgerError> {
        let mut days = Vec::new();
        for item in self.days_of(brand, DAY_FILE).await? {
            let day = day_in(&item, DAY_FILE)?;
            let text = control::text(&item, DOCUMENT)?.ok_or_else(|| control::unreadable(DOCUMENT))?;
            // What the reader says may quote the document.
            let file = serde_json::from_str(text).map_err(|_| control::unreadable(DOCUMENT))?;
            days.push((day, Kept { file, revision: control::number(&item, REVISION)?.unwrap_or(0) }));
        }
        Ok(days)
    }

    /// Writes a day's comparison over what was read. `false` when another worker has written it since: then
    /// nothing is written.
    pub async fn keep_day_file(&self, brand: &BrandName, day: Date, kept: &mut Kept, now: Timestamp) -> Result<bool, LedgerError> {
        let text = serde_json::to_string(&kept.file).map_err(|_| control::unreadable(DOCUMENT))?;
        let mut item = key(&partition(brand), &format!("{DAY_FILE}{day}"));
        item.insert(DOCUMENT.to_owned(), s(&text));
        item.insert(REVISION.to_owned(), n(kept.revision + 1));
        item.insert(control::EXPIRES.to_owned(), expires(now));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = if kept.revision == 0 {
            put.condition_expression("attribute_not_exists(PK)")
        } else {
            put.condition_expression("#revision = :read")
                .expression_attribute_names("#revision", REVISION)
                .expression_attribute_values(":read", n(kept.revision))
        };
        match put.send().await {
            Ok(_) => {
                kept.revision += 1;
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(LedgerError::store("PutItem")(error)),
        }
    }

    /// Days of receipt of which everything has ended at the registry, each with the day on which the last did.
    pub async fn ended_days(&self, brand: &BrandName) -> Result<BTreeMap<Date, Date>, LedgerError> {
        let mut days = BTreeMap::new();
        for item in self.days_of(brand, DAY_ENDED).await? {
            let ended_on = control::text(&item, ENDED_ON)?.and_then(|day| day.parse().ok());
            days.insert(day_in(&item, DAY_ENDED)?, ended_on.ok_or_else(|| control::unreadable(ENDED_ON))?);
        }
        Ok(days)
    }

    /// Notes that everything that was received on a day has ended at the registry, the last of it on `ended_on`.
    pub async fn note_ended_day(&self, brand: &BrandName, received: Date, ended_on: Date, now: Timestamp) -> Result<(), LedgerError> {
        let mut item = key(&partition(brand), &format!("{DAY_ENDED}{received}"));
        item.insert(ENDED_ON.to_owned(), s(&ended_on.to_string()));
        item.insert(control::EXPIRES.to_owned(), expires(now));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(LedgerError::store("PutItem"))?;
        Ok(())
    }

    async fn days_of(&self, brand: &BrandName, prefix: &str) -> Result<Vec<Item>, LedgerError> {
        let mut items = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", s(&partition(brand)))
            .expression_attribute_values(":prefix", s(prefix))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(LedgerError::store("Query"))?);
        }
        Ok(items)
    }
}

fn day_in(item: &Item, prefix: &str) -> Result<Date, LedgerError> {
    let day = control::text(item, "SK")?.and_then(|sort| sort.strip_prefix(prefix)).and_then(|day| day.parse().ok());
    day.ok_or_else(|| control::unreadable("day"))
}
