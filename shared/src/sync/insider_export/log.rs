//! What is kept of a brand's exports: how far the newest one is, and what the last one showed.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::consent::BrandName;
use crate::insider::InsiderError;
use crate::insider::export::{ExportError, Link};
use crate::ledger::{Ledger, LedgerError};

/// For how long an order that nobody knows the answer of may still turn out to have been taken.
const ANSWERABLE: SignedDuration = SignedDuration::from_hours(24);

/// How far an export is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// None is under way.
    #[default]
    Idle,
    /// It is being ordered, or nobody knows whether the order was taken.
    Ordering,
    /// Its file is waited for.
    Ordered,
    /// Its file is read, and what differs is counted.
    Counting,
    /// Its file is read once more, and what differs is repaired.
    Repairing,
}

/// What was found, by kind. All but `profiles` are addresses on a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Counts {
    /// Rows of the file.
    pub profiles: u64,
    /// Those that could be compared: known here, at rest, and unchanged since the order.
    pub compared: u64,
    /// Insider allows what was refused.
    pub allowed_against_refusal: u64,
    /// Insider's flag is off where there is a consent.
    pub off_against_consent: u64,
    /// The person refused at Insider itself, whose list holds the address whatever the flag says.
    pub refused_there: u64,
    /// Under way, or changed since the order.
    pub under_way: u64,
    /// Known to Insider only.
    pub unknown: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.profiles += other.profiles;
        self.compared += other.compared;
        self.allowed_against_refusal += other.allowed_against_refusal;
        self.off_against_consent += other.off_against_consent;
        self.refused_there += other.refused_there;
        self.under_way += other.under_way;
        self.unknown += other.unknown;
    }
}

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing differed that is to be repaired.
    Agreed,
    /// What differed was repaired.
    Repaired,
    /// So much differed that nothing was changed.
    Suspicious,
    /// Its link expired before it was read to its end.
    Expired,
    /// Its file does not have the form that was ordered.
    Unreadable,
}

/// An export that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finished {
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// What it showed.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// What, without addresses and links.
    pub why: String,
}

/// What is kept of a brand's exports.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExportLog {
    /// How far the newest one is.
    pub stage: Stage,
    /// When it was ordered; of orders without an answer the first, because any of them may be the one that
    /// was taken.
    pub ordered_at: Option<Timestamp>,
    /// Where its file is. A secret.
    pub(super) link: Option<Link>,
    /// Where the file before it was: a notice of that one may be repeated.
    previous: Option<Link>,
    /// When Insider's notice of it came.
    pub told_at: Option<Timestamp>,
    /// Until when there is nothing to do.
    pub not_before: Option<Timestamp>,
    /// How many rows of the file are done in this stage.
    pub row: u64,
    /// What they showed.
    pub counts: Counts,
    /// The last one that is over.
    pub last: Option<Finished>,
    /// What went wrong since then.
    pub trouble: Option<Trouble>,
}

impl ExportLog {
    /// What is kept of a brand's exports.
    pub async fn read(ledger: &Ledger, brand: &BrandName) -> Result<Self, LedgerError> {
        ledger.insider_export(brand).await
    }

    /// Notes Insider's notice that a file is there, with the link in it if it holds one of the account's. The
    /// notice of a file that was never ordered, or is read already, changes nothing. Whether it fits the
    /// export that is waited for.
    pub async fn told(ledger: &Ledger, brand: &BrandName, link: Option<&Link>, now: Timestamp) -> Result<bool, LedgerError> {
        let mut fits = false;
        ledger
            .change_insider_export(brand, |log: &mut Self| {
                fits = log.note_told(link, now);
                fits
            })
            .await?;
        Ok(fits)
    }

    fn note_told(&mut self, link: Option<&Link>, now: Timestamp) -> bool {
        let fits = match (self.stage, &self.link, link) {
            (Stage::Ordered, Some(known), Some(told)) => known.is_same_file(told),
            (Stage::Ordered, ..) => true,
            // The order was taken after all.
            (Stage::Ordering, _, Some(told)) => {
                let is_old = self.previous.as_ref().is_some_and(|previous| previous.is_same_file(told));
                !is_old && self.ordered_at.is_some_and(|at| now.duration_since(at) < ANSWERABLE)
            }
            (Stage::Idle | Stage::Ordering | Stage::Counting | Stage::Repairing, ..) => false,
        };
        if fits {
            self.stage = Stage::Ordered;
            self.told_at = Some(now);
            self.not_before = None;
            if let Some(link) = link {
                self.link = Some(link.clone());
            }
        }
        fits
    }

    /// Whether an export is to be ordered: one a day, by Insider's day. By hand one that failed, or that nobody
    /// answered, is ordered again at once.
    pub(super) fn is_order_due(&self, now: Timestamp, by_hand: bool) -> bool {
        if !by_hand && self.not_before.is_some_and(|until| now < until) {
            return false;
        }
        match self.stage {
            Stage::Idle => self.ordered_at.is_none_or(|at| day(at) != day(now)),
            Stage::Ordering => true,
            Stage::Ordered | Stage::Counting | Stage::Repairing => false,
        }
    }

    /// Notes that an order goes out, before it does.
    pub(super) fn ordering(&mut self, now: Timestamp, again: Timestamp) {
        let unanswered = self.stage == Stage::Ordering && self.ordered_at.is_some_and(|at| now.duration_since(at) < ANSWERABLE);
        let ordered_at = if unanswered { self.ordered_at } else { Some(now) };
        let kept = std::mem::take(self);
        *self = Self {
            stage: Stage::Ordering,
            ordered_at,
            not_before: Some(again),
            previous: kept.previous,
            last: kept.last,
            trouble: kept.trouble,
            ..Self::default()
        };
    }

    /// Notes that an order came to nothing.
    pub(super) fn failed_to_order(&mut self, error: &ExportError, ordered_at: Timestamp) {
        self.trouble = Some(Trouble { at: ordered_at, why: error.to_string() });
        if let ExportError::UsedUp { until } = error {
            self.not_before = Some(*until);
        }
        // An order of ours that nobody answered may be the one that was taken.
        let unanswered = matches!(error, ExportError::Insider(InsiderError::Unanswered { .. })) || self.ordered_at != Some(ordered_at);
        if !unanswered {
            (self.stage, self.ordered_at) = (Stage::Idle, None);
        }
    }

    /// Ends the export.
    pub(super) fn end(&mut self, outcome: Outcome, now: Timestamp) {
        self.stage = Stage::Idle;
        self.previous = self.link.take();
        self.not_before = None;
        if let Some(ordered_at) = self.ordered_at {
            self.last = Some(Finished { ordered_at, ended_at: now, outcome, counts: self.counts });
        }
        if matches!(outcome, Outcome::Agreed | Outcome::Repaired) {
            self.trouble = None;
        }
    }
}

/// The day by which Insider counts exports.
fn day(at: Timestamp) -> jiff::civil::Date {
    at.to_zoned(TimeZone::UTC).date()
}
