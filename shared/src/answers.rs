//! What the jobs that a person asks for answer: the form that `reconcile` writes and the operator's
//! command reads, in either's newer or older version.

mod import;
mod redrive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consent::code::{self, Code};
use crate::evidence::Export;
use crate::report::DailyReport;

pub use import::{ImportAnswer, ImportCounts, RefusedRow, Unfinished};
pub use redrive::Redriven;

/// A text in English and in Turkish. It holds neither an address nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Turkish.
    pub tr: String,
}

impl From<code::Words> for Words {
    fn from(words: code::Words) -> Self {
        Self { en: words.en.to_owned(), tr: words.tr.to_owned() }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, and a person should look at it.
    Warning,
    /// It does not work, or could not be found out.
    Failed,
    /// It does not concern this brand, or cannot be asked now.
    Skipped,
}

/// Why something is not as it should be, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// İYS's code, where its answer carried one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened.
    pub cause: Words,
    /// What to do about it.
    pub remedy: Words,
}

impl Reason {
    /// What is known about a code of İYS; `None` for one that is not in the table.
    pub fn of_code(code: Code) -> Option<Self> {
        let entry = code.entry()?;
        Some(Self { code: Some(code.to_string()), cause: entry.cause().into(), remedy: entry.remedy().into() })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, with a channel behind a dot where it concerns one: `token`, `push.MESAJ`.
    pub check: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub detail: Words,
    /// Why it is not as it should be.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Everything that was looked at for a brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The brand's name.
    pub brand: String,
    /// When.
    pub at: Timestamp,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

/// A retailer (bayi), without the person in charge of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerLine {
    /// Its İYS number.
    pub retailer_code: Option<u64>,
    /// Its title.
    pub title: Option<String>,
    /// Its sign or branch name.
    pub alias: Option<String>,
    /// İYS's word for whether it is in use.
    pub status: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Town.
    pub town: Option<String>,
    /// Consents that it may use.
    pub access_count: Option<u64>,
}

/// What became of a question about retailers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RetailersAnswer {
    /// Those that were asked for.
    Listed(Vec<RetailerLine>),
    /// A new one has this number.
    Created(u64),
    /// The one of this number is gone.
    Deleted(u64),
    /// Nothing was done, for this reason.
    Refused(Check),
    /// Nothing was asked of İYS: the description of the new retailer does not fit at this place.
    Unusable(String),
}

/// What became of a question about a day's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportAnswer {
    /// The report.
    #[serde(rename_all = "camelCase")]
    Report {
        /// The document.
        report: Box<DailyReport>,
        /// Whether the archive keeps it; else it was made for this answer.
        is_kept: bool,
        /// Its page, where one was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    },
    /// There is none: the day is still to come, or has no report of the kind that was asked for.
    NotThere,
    /// Nothing was read, for this reason.
    Refused(Check),
}

/// What became of a question about evidence. No `Debug`: evidence holds the address.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceAnswer {
    /// The file.
    Exported(Box<Export>),
    /// Nothing was read, for this reason.
    Refused(Check),
    /// What was asked for is no address.
    NoAddress,
}
