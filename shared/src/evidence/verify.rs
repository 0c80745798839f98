//! Checks a file of evidence, from the file alone.

use jiff::Timestamp;
use jiff::civil::Date;

use super::export::Because;
use super::tree::{Path, root_by};
use super::{Day, Digest, Export, FORMAT, Form, Proven, Unproven, day_of, payload_digest};
use crate::consent::EventId;

/// A day's digest that somebody knows from elsewhere: the day's root or its link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The day in Türkiye.
    pub day: Date,
    /// The digest.
    pub digest: Digest,
}

/// What a finding means for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It holds.
    Good,
    /// The file neither proves nor disproves it.
    Open,
    /// It does not hold: something was changed, or is missing.
    Bad,
}

/// One line of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it means for the whole.
    pub mark: Mark,
    /// What was found.
    pub fact: Fact,
}

/// A movement in words, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its place in the file, from 1.
    pub number: usize,
    /// The channel.
    pub channel: String,
    /// Consumer or merchant.
    pub recipient_type: String,
    /// ONAY or RET.
    pub status: String,
    /// The medium.
    pub source: String,
    /// When consent was given or withdrawn.
    pub consent_date: String,
    /// Who told of it.
    pub origin: String,
    /// When the system learnt of it.
    pub received_at: String,
    /// Why it has no effect, if it has none.
    pub aside: String,
}

/// What is wrong with a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its form is not written as the canonical form is.
    Form,
    /// Its digest is not that of its form.
    Digest,
    /// It is of another address.
    Address,
    /// It is of another brand.
    Brand,
    /// Its day is closed, and it names no way to the day's root.
    NoPath,
    /// Its way does not lead to the day's root.
    Path,
    /// It names a way to a day that the file does not have.
    NoDay,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// This is no file of evidence, or one of another version.
    NoEvidence,
    /// Each day's link follows from the day and from the link before it.
    Chain {
        /// The first day.
        first: Day,
        /// The last day.
        last: Day,
        /// How many days.
        days: usize,
    },
    /// A day's link does not follow.
    Link(Date),
    /// A day is missing before this one.
    Gap(Date),
    /// No day was closed yet.
    NoDays,
    /// The file has what was published.
    Published(Date),
    /// The file has something else than what was published.
    Differs(Date),
    /// What was published is of a day that the file does not have.
    NotInFile(Date),
    /// Nothing that is known from elsewhere was compared.
    NothingPublished,
    /// A movement stands under the root of its day.
    Proven(Said, Date),
    /// A movement was received on a day that is not closed yet.
    NotClosed(Said, Date),
    /// A movement does not hold.
    Flawed(usize, Flaw),
    /// İYS's id of a movement, which İYS's own report of it, a proven movement, names as well.
    Confirmed {
        /// The movement's place in the file.
        number: usize,
        /// İYS's id.
        transaction: String,
        /// The place of İYS's report.
        by: usize,
    },
    /// İYS's id of a movement, as the ledger tells it.
    Told {
        /// The movement's place in the file.
        number: usize,
        /// İYS's id.
        transaction: String,
        /// When the system knew.
        at: String,
    },
    /// This movement was made from the payload that was shown.
    FromPayload(usize),
    /// No movement of the file was made from the payload that was shown.
    NoPayload,
    /// A movement that nothing proves.
    Unproven(Unproven),
    /// The file holds no movement.
    NoMovements,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// In the order of the file.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The worst of what was found.
    pub fn mark(&self) -> Mark {
        self.findings.iter().map(|finding| finding.mark).max().unwrap_or(Mark::Bad)
    }

    fn note(&mut self, mark: Mark, fact: Fact) {
        self.findings.push(Finding { mark, fact });
    }
}

/// Verifies a file: its chain against itself and against what was published, each movement against the root of
/// its day, and payloads against the movements.
pub fn verify(file: &[u8], published: &[Published], payloads: &[Vec<u8>]) -> Verdict {
    let mut verdict = Verdict { findings: Vec::new() };
    let export = match serde_json::from_slice::<Export>(file) {
        Ok(export) if export.format == FORMAT => export,
        _ => {
            verdict.note(Mark::Bad, Fact::NoEvidence);
            return verdict;
        }
    };
    chain(&export, &mut verdict);
    compare(&export.days, published, &mut verdict);
    let mut proven = Vec::new();
    for (at, movement) in export.movements.iter().enumerate() {
        match check(&export, at + 1, movement) {
            Ok((form, fact)) => {
                let closed = matches!(fact, Fact::Proven(..));
                verdict.note(if closed { Mark::Good } else { Mark::Open }, fact);
                if closed {
                    proven.push((at + 1, form));
                }
            }
            Err(flaw) => verdict.note(Mark::Bad, Fact::Flawed(at + 1, flaw)),
        }
    }
    transactions(&export, &proven, &mut verdict);
    for payload in payloads {
        made_from(&export, payload, &mut verdict);
    }
    for unproven in export.unproven {
        let mark = if is_older(&unproven, export.days.first()) { Mark::Open } else { Mark::Bad };
        verdict.note(mark, Fact::Unproven(unproven));
    }
    if export.movements.is_empty() {
        verdict.note(Mark::Open, Fact::NoMovements);
    }
    verdict
}

/// The days follow each other without a gap, and each link from the one before it.
fn chain(export: &Export, verdict: &mut Verdict) {
    let (Some(first), Some(last)) = (export.days.first(), export.days.last()) else {
        return verdict.note(Mark::Open, Fact::NoDays);
    };
    let mut holds = true;
    let mut before: Option<&Day> = None;
    for day in &export.days {
        if before.is_some_and(|before| before.day.tomorrow().ok() != Some(day.day)) {
            verdict.note(Mark::Bad, Fact::Gap(day.day));
            holds = false;
        }
        if !day.follows(before.map_or(Digest::NONE, |before| before.chained), &export.brand) {
            verdict.note(Mark::Bad, Fact::Link(day.day));
            holds = false;
        }
        before = Some(day);
    }
    if holds {
        verdict.note(Mark::Good, Fact::Chain { first: *first, last: *last, days: export.days.len() });
    }
}

fn compare(days: &[Day], published: &[Published], verdict: &mut Verdict) {
    for known in published {
        match days.iter().find(|day| day.day == known.day) {
            Some(day) if day.root == known.digest || day.chained == known.digest => verdict.note(Mark::Good, Fact::Published(known.day)),
            Some(_) => verdict.note(Mark::Bad, Fact::Differs(known.day)),
            None => verdict.note(Mark::Bad, Fact::NotInFile(known.day)),
        }
    }
    if published.is_empty() && !days.is_empty() {
        verdict.note(Mark::Open, Fact::NothingPublished);
    }
}

fn check(export: &Export, number: usize, movement: &Proven) -> Result<(Form, Fact), Flaw> {
    let form = Form::read(&movement.form).map_err(|_| Flaw::Form)?;
    let digest = form.digest();
    if movement.digest.parse() != Ok(digest) {
        return Err(Flaw::Digest);
    }
    if form.address != export.address {
        return Err(Flaw::Address);
    }
    if form.brand != export.brand {
        return Err(Flaw::Brand);
    }
    let day = day_of(form.received_at.parse::<Timestamp>().map_err(|_| Flaw::Form)?);
    let closed = export.days.iter().find(|closed| closed.day == day);
    let fact = match (closed, movement.index) {
        (Some(closed), Some(index)) => {
            let path = Path { index, hashes: movement.path.clone() };
            if root_by(&path, &digest, closed.count) != Some(closed.root) {
                return Err(Flaw::Path);
            }
            Fact::Proven(said(number, &form), day)
        }
        (Some(_), None) => return Err(Flaw::NoPath),
        (None, Some(_)) => return Err(Flaw::NoDay),
        // What comes before the first day was closed with no day at all.
        (None, None) if export.days.first().is_some_and(|first| day < first.day) => return Err(Flaw::NoPath),
        (None, None) => Fact::NotClosed(said(number, &form), day),
    };
    Ok((form, fact))
}

fn said(number: usize, form: &Form) -> Said {
    Said {
        number,
        channel: form.channel.clone(),
        recipient_type: form.recipient_type.clone(),
        status: form.status.clone(),
        source: form.source.clone(),
        consent_date: form.consent_date.clone(),
        origin: form.origin.clone(),
        received_at: form.received_at.clone(),
        aside: form.aside.clone(),
    }
}

/// İYS's ids. The id of an event that İYS tells of is a digest of İYS's id with status and date, so a report
/// that stands under a root binds İYS's id, too.
fn transactions(export: &Export, proven: &[(usize, Form)], verdict: &mut Verdict) {
    for (at, movement) in export.movements.iter().enumerate() {
        let Some((ended, transaction)) = movement.iys.as_ref().and_then(|ended| Some((ended, ended.transaction_id.as_ref()?))) else {
            continue;
        };
        let Ok(own) = Form::read(&movement.form) else { continue };
        let names = |form: &Form| {
            let id = EventId::derive("iys", [transaction.as_str(), &form.status, &form.consent_date]);
            (&form.channel, &form.recipient_type, &form.status) == (&own.channel, &own.recipient_type, &own.status)
                && form.origin == "registry"
                && id.as_str() == form.event_id
        };
        let fact = match proven.iter().find(|(_, form)| names(form)) {
            Some((by, _)) => Fact::Confirmed { number: at + 1, transaction: transaction.clone(), by: *by },
            None => Fact::Told { number: at + 1, transaction: transaction.clone(), at: ended.at.clone() },
        };
        let mark = if matches!(fact, Fact::Told { .. }) { Mark::Open } else { Mark::Good };
        verdict.note(mark, fact);
    }
}

fn made_from(export: &Export, payload: &[u8], verdict: &mut Verdict) {
    let mut found = false;
    for (at, movement) in export.movements.iter().enumerate() {
        let (Ok(form), Some(salt)) = (Form::read(&movement.form), movement.payload_salt) else { continue };
        if payload_digest(&salt, payload).to_string() == form.payload {
            verdict.note(Mark::Good, Fact::FromPayload(at + 1));
            found = true;
        }
    }
    if !found {
        verdict.note(Mark::Bad, Fact::NoPayload);
    }
}

/// Whether a movement without a digest came before there were digests. On the first day that was closed both
/// were written.
fn is_older(unproven: &Unproven, first: Option<&Day>) -> bool {
    let received = unproven.received_at.parse::<Timestamp>().map(day_of);
    unproven.because == Because::NoDigest && received.is_ok_and(|day| first.is_none_or(|first| day <= first.day))
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
