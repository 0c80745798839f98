//! The daily report of one brand: what it received on one day of Türkiye, how and when that reached İYS and
//! Insider, and what is in the way of the rest. `docs/reports.md` has the schema.
//!
//! The document is JSON; the pages for people are made from it and from nothing else, so that they say the same
//! whoever makes them. No type of it can hold an address: it holds counts, moments, words of closed lists, and
//! what others wrote only as [`Word`]s.

pub mod page;
mod tally;
mod times;
mod word;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::answers::Words;
use crate::consent::code::Hold;
use crate::consent::{AsideReason, Channel, ConsentDate, Origin, Status};
use crate::evidence::Digest;
use crate::integrators::RegistryView;
use crate::ledger::{Backlog, DayDifference, DayFile, DayFileState, DifferenceCount, Verification};
use crate::sync::insider_export::Finished;

pub use tally::Tally;
pub(crate) use tally::fate_of;
pub use times::{ByStatus, Times};
pub use word::{Why, Word};

/// Format of the document. It changes when the meaning of a field does, not when fields are added.
pub const FORMAT: &str = "iys-insider-sync report 1";

/// When in a day's life a report was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Once the day was closed, the morning after.
    Daily,
    /// Once every deadline of what was received on the day had passed: the proof.
    Final,
    /// When somebody asked, of a day that has no report yet. It is kept nowhere.
    Preview,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DailyReport {
    /// [`FORMAT`].
    pub format: String,
    /// When in the day's life it was made.
    pub kind: Kind,
    /// The brand's name.
    pub brand: String,
    /// The day in Türkiye.
    pub day: Date,
    /// When it was made. All that is open is open at that moment.
    pub made_at: Timestamp,
    /// Version of the software that made it.
    pub software: String,
    /// By whom the brand reached İYS when it was made, where that was an integrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryView>,
    /// What was received on the day.
    pub received: Received,
    /// How it ended at İYS.
    pub iys: AtTarget,
    /// How it ended at Insider.
    pub insider: AtTarget,
    /// How the day's refusals reached İYS.
    pub refusals: Refusals,
    /// What was found to differ, and repaired; not in a final report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences: Option<Differences>,
    /// İYS's files of the last days, the newest first; in a final report that of the day itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub day_files: Vec<FileOfDay>,
    /// What waited when the report was made, of whichever day; not in a final report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Now>,
    /// What the day's movements are proven by, where it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<DayRoot>,
}

/// What was received on a day. Every movement is counted once: `total` is the sum of `movements`, `aside` and
/// `unreadable`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// All of it.
    pub total: u64,
    /// Movements that take part in what counts.
    pub movements: Vec<ReceivedLine>,
    /// The same movements by their source.
    pub sources: Vec<SourceLine>,
    /// What is kept without any effect.
    pub aside: Vec<AsideLine>,
    /// What cannot be read, or was removed since.
    pub unreadable: u64,
}

impl Received {
    /// The movements that take part in what counts.
    pub fn counting(&self) -> u64 {
        self.movements.iter().map(|line| line.count).sum()
    }
}

/// Movements of one channel, origin and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedLine {
    /// The channel.
    pub channel: Channel,
    /// Who told of them.
    pub origin: Origin,
    /// ONAY or RET.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// Movements of one source and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The source, as İYS spells it.
    pub source: Word,
    /// ONAY or RET.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// What is kept aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideLine {
    /// The reason.
    pub reason: AsideReason,
    /// How many.
    pub count: u64,
}

/// How a movement stood at a target when the report was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The target took it from us.
    Applied,
    /// The target had it already.
    AlreadyThere,
    /// It came from the target itself, or has no place there.
    NotNeeded,
    /// A refusal of what İYS never held a consent of: there is nothing to refuse.
    NotRegistered,
    /// A refusal that was too late for İYS, or of the second of the consent: it is there in words of our own.
    Corrected,
    /// The target refused it, with a code.
    Rejected,
    /// It waits for a person: for what, and by which code.
    Held,
    /// It is part of a list whose results are to come.
    Submitted,
    /// It waits to be sent.
    Waiting,
    /// A consent that Insider hears of once İYS has it.
    Awaiting,
    /// Another telling of an act that another movement stands for.
    ToldAgain,
    /// A refusal of the same key counts instead, and nothing says that this one was sent before.
    ReplacedByRefusal,
    /// A consent of the same key counts instead, and nothing says that this one was sent before.
    ReplacedByConsent,
    /// It is in the history and in no state: its sender was not told that it was taken, and tells it again.
    Unmerged,
}

/// How a day's movements stood at one target. Each of them is in one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AtTarget {
    /// The rows.
    pub rows: Vec<FateLine>,
    /// How long what the target took from us was on its way.
    pub times: Delays,
}

/// Movements that stood alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FateLine {
    /// How.
    pub fate: Fate,
    /// Consents.
    pub onay: u64,
    /// Refusals.
    pub ret: u64,
    /// Why, where it was refused or is held.
    #[serde(flatten)]
    pub why: Why,
}

/// How long movements were on their way to a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delays {
    /// Since they were received here.
    pub from_receipt: ByStatus,
    /// Since the person acted; without what came from a book.
    pub from_consent_date: ByStatus,
}

/// How the day's refusals reached İYS: those that somebody other than İYS told of, without our own corrections,
/// which stand for the refusals that they correct. `total` is the sum of all the others but `late_because`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusals {
    /// All of them.
    pub total: u64,
    /// There within one business day of the person's act.
    pub within1: u64,
    /// Within two.
    pub within2: u64,
    /// Within three.
    pub within3: u64,
    /// There, and later.
    pub late: u64,
    /// İYS never held a consent to refuse.
    pub nothing_to_refuse: u64,
    /// İYS refused them for good; the rows of İYS have the codes.
    pub rejected: u64,
    /// On their way, within their three business days.
    pub open_in_time: u64,
    /// On their way, and late.
    pub open_late: u64,
    /// Another refusal of the same key counts instead.
    pub replaced_by_refusal: u64,
    /// A later consent counts instead.
    pub replaced_by_consent: u64,
    /// Told before or again by another movement.
    pub told_again: u64,
    /// In no state: their senders tell them again.
    pub unmerged: u64,
    /// Why `late` and `open_late` are late.
    pub late_because: Vec<LateLine>,
}

impl Refusals {
    /// Those that reached İYS within their three business days.
    pub const fn in_time(&self) -> u64 {
        self.within1 + self.within2 + self.within3
    }

    /// Those that did not reach İYS in time.
    pub const fn not_honoured(&self) -> u64 {
        self.late + self.open_late + self.rejected
    }

    /// Those that something else stands for.
    pub const fn elsewhere(&self) -> u64 {
        self.replaced_by_refusal + self.replaced_by_consent + self.told_again + self.unmerged
    }
}

/// Why a refusal is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lateness {
    /// It was told here after its three business days.
    ReceivedLate,
    /// It waits for a person.
    Held,
    /// It is part of a list whose results are to come.
    Submitted,
    /// It waits to be sent.
    Waiting,
    /// It has been waiting and is there now. What it waited for is told by the reports of the days between.
    EndedLate,
}

/// Late refusals of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateLine {
    /// The reason.
    pub reason: Lateness,
    /// How many.
    pub count: u64,
    /// What they are held for.
    #[serde(flatten)]
    pub why: Why,
}

/// What was found to differ between the ledger and the two targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Differences {
    /// Whether there was a report of the day before, by which `verification.since` is reckoned.
    pub report_before: Option<Date>,
    /// Towards İYS.
    pub verification: Verified,
    /// Towards Insider: its last export that was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insider_export: Option<Exported>,
}

/// What verification towards İYS did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Since the beginning.
    pub so_far: Compared,
    /// Since the report of the day before; missing where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Compared>,
}

/// Counts of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Compared {
    /// Keys compared.
    pub compared: u64,
    /// What differed, by kind.
    pub differences: BTreeMap<Word, DifferenceCount>,
}

impl Compared {
    /// What verification has counted so far.
    pub fn of(verification: &Verification) -> Self {
        let differences = verification.differences.iter().map(|(kind, count)| (Word::of(kind), *count)).collect();
        Self { compared: verification.compared, differences }
    }

    /// What came after an earlier count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let new = |kind: &Word, now: &DifferenceCount| {
            let before = before.differences.get(kind).copied().unwrap_or_default();
            DifferenceCount {
                found: now.found.saturating_sub(before.found),
                adopted: now.adopted.saturating_sub(before.adopted),
                sent_again: now.sent_again.saturating_sub(before.sent_again),
                taken_back: now.taken_back.saturating_sub(before.taken_back),
                kept: now.kept.saturating_sub(before.kept),
                gone: now.gone.saturating_sub(before.gone),
            }
        };
        let differences = self.differences.iter().map(|(kind, now)| (kind.clone(), new(kind, now)));
        Self {
            compared: self.compared.saturating_sub(before.compared),
            differences: differences.filter(|(_, count)| *count != DifferenceCount::default()).collect(),
        }
    }
}

/// An export of Insider's that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Whether it ended since the report of the day before (without one: since the day began).
    pub is_new: bool,
    /// How it ended, and what it showed.
    #[serde(flatten)]
    pub finished: Finished,
}

/// How İYS's file of a day (mutabakat) compares with the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileOfDay {
    /// The day.
    pub day: Date,
    /// How it stands.
    pub state: DayFileState,
    /// What it waits for or is held for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Word>,
    /// Movements in it.
    pub rows: u64,
    /// When it was last compared to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<Timestamp>,
    /// When it was confirmed at İYS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// What differed, by kind.
    pub differences: BTreeMap<Word, DayDifference>,
}

impl FileOfDay {
    /// What the ledger keeps of a day's file.
    pub fn of(day: Date, file: DayFile) -> Self {
        let DayFile { state, why, rows, compared_at, confirmed_at, differences, .. } = file;
        let differences = differences.iter().map(|(kind, count)| (Word::of(kind), *count)).collect();
        Self { day, state, why: why.as_deref().map(Word::of), rows, compared_at, confirmed_at, differences }
    }
}

/// What waited when the report was made, of all days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Now {
    /// At İYS.
    pub iys: Waiting,
    /// At Insider.
    pub insider: Waiting,
    /// Whether there was more than could be counted.
    pub truncated: bool,
    /// What waits for İYS by the business days that are left.
    pub slack: SlackCounts,
    /// What is most urgent at İYS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
}

/// What waits at one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Keys by how they stand; what is settled is not counted.
    pub states: BTreeMap<Word, u64>,
    /// Held ones by what they wait for.
    pub held: Vec<HeldLine>,
}

/// Held keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldLine {
    /// How many.
    pub count: u64,
    /// For what.
    #[serde(flatten)]
    pub why: Why,
}

impl Waiting {
    /// The keys of a backlog at one target.
    pub fn of(target: crate::consent::Target, backlog: &Backlog) -> Self {
        let (states, held) = match target {
            crate::consent::Target::Registry => (&backlog.registry, &backlog.registry_held),
            crate::consent::Target::Insider => (&backlog.insider, &backlog.insider_held),
        };
        let line = |(word, count): (&String, &u64)| {
            let hold: Option<Hold> = serde_json::from_value(word.as_str().into()).ok();
            HeldLine { count: *count, why: hold.map(|hold| Why::held(target, hold, None)).unwrap_or_default() }
        };
        Self { states: states.iter().map(|(state, count)| (Word::of(state), *count)).collect(), held: held.iter().map(line).collect() }
    }
}

/// How many movements have how many business days left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlackCounts {
    /// None: they are late.
    pub late: u64,
    /// Less than one.
    pub under1: u64,
    /// One, and less than two.
    pub under2: u64,
    /// Two, and less than three.
    pub under3: u64,
    /// Three.
    pub more: u64,
}

/// The most urgent movement that waits for İYS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct First {
    /// Its channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: Status,
    /// When it was received.
    pub received_at: Timestamp,
    /// By when it has to stand at İYS, Turkish time.
    pub deadline: ConsentDate,
    /// Seconds until then; negative when it has passed.
    pub slack_seconds: i64,
    /// How it stands.
    pub fate: Fate,
    /// What it is held for.
    #[serde(flatten)]
    pub why: Why,
}

/// What proves a day's movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayRoot {
    /// How many movements are under the root.
    pub count: u64,
    /// Whether they are as many as this report counts.
    pub matches: bool,
    /// The root.
    pub root: Digest,
    /// The day's link of the chain.
    pub chained: Digest,
}

impl DailyReport {
    /// The document.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(self).map(|mut text| {
            text.push(b'\n');
            text
        })
    }

    /// A document that this version can read.
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|report: &Self| report.format == FORMAT)
    }

    /// Whether something did not go as it must: a refusal is not at İYS in time, or the day's root does not stand
    /// for what was counted.
    pub fn is_wrong(&self) -> bool {
        self.refusals.not_honoured() > 0 || self.evidence.is_some_and(|evidence| !evidence.matches)
    }
}

/// A text in one of the languages of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Turkish.
    Tr,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Tr];

    /// Its code (BCP 47).
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Tr => "tr",
        }
    }

    const fn say(self, en: &'static str, tr: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Tr => tr,
        }
    }

    fn of(self, words: &Words) -> &str {
        match self {
            Self::En => &words.en,
            Self::Tr => &words.tr,
        }
    }
}
