//! The daily file: what the registry says that happened on each finished day, against what the ledger says.
//!
//! For each day that the registry still shows and that is not done: the file's hash and what was counted are
//! asked for, the file is read as a stream and compared ([`compare`]), what differs is repaired by rule
//! ([`Kind`]), and a day that is equal is confirmed if the brand wants that. A day that differed is compared
//! again some hours later. What is not there yet is asked for again; a day that ends unread is noted as missed.
//!
//! Nothing is called without authority. Every step can be repeated: a run may end anywhere, run again, or run
//! twice at once.

mod acts;
mod claims;
mod compare;
mod kind;
mod tally;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

pub use kind::Kind;

use self::compare::{Day, DayError, Flow};
use super::patience::later;
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::ConsentDate;
use crate::consent::code::Hold;
use crate::consent::standing::{About, Standing};
use crate::day_files::DayFiles;
use crate::intake::Intake;
use crate::ledger::{DayFileState, KeptDayFile, Ledger, LedgerError};
use crate::registry::RegistryError;

/// How many acts of a file are remembered at once, at 20 to 40 bytes each.
pub const ACTS_IN_MEMORY: usize = 500_000;
/// The name of a run's lease.
const JOB: &str = "daily-file";
/// For how long after its last step a run keeps others away, should it not say that it ended.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// The hour, in Türkiye, before which the schedule leaves yesterday alone.
const EARLIEST_HOUR: i8 = 4;
/// How long a file that is not there is left alone.
const NOT_THERE: SignedDuration = SignedDuration::from_mins(110);
/// How many days of receipt without a look are noted as missed after a pause of the system.
const LONGEST_PAUSE: i64 = 30;
/// A day is at risk when it is shown for not more than so many days.
const AT_RISK: u8 = 1;
/// Comparisons after which differences that are left are somebody's to look at.
const PATIENT: u32 = 3;

/// Compares one brand's days.
pub struct DailyFile<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Where movements go that only the file told of.
    pub intake: &'a Intake,
    /// The brand.
    pub brand: &'a Brand,
    /// The files.
    pub files: &'a dyn DayFiles,
    /// The clock.
    pub clock: &'a Clock,
    /// How many acts of a file are remembered at once.
    pub acts_in_memory: usize,
    /// From when on nothing new is begun.
    pub stop_at: Timestamp,
    /// Whether a person asks: then nothing waits for its hour.
    pub by_hand: bool,
}

/// What a run did, and how the days stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Days compared to their end.
    pub compared: u64,
    /// Days confirmed.
    pub confirmed: u64,
    /// Days whose file is not there yet, or that the next run goes on with.
    pub waiting: u64,
    /// Days held for want of authority.
    pub held: u64,
    /// Days that were lost since the last run, because the registry shows them no more.
    pub missed: u64,
    /// Days that will be lost within two days.
    pub at_risk: u64,
    /// Differences that are left after several comparisons.
    pub unrepaired: u64,
    /// Days that went wrong in a way that time does not mend.
    pub failed: u64,
}

/// How the work on a day ended.
enum Done {
    Compared,
    Confirmed,
    Waits,
    Failed,
    /// The brand is refused: no other day either.
    Refused,
    /// The time or the allowance is over.
    Over,
    Nothing,
}

impl DailyFile<'_> {
    /// Does what is due, or one day at once. `None` when another worker is at it.
    ///
    /// # Errors
    ///
    /// When the ledger does not answer. What was done until then stays.
    pub async fn run(&self, only: Option<Date>) -> Result<Option<Ran>, LedgerError> {
        let started = (self.clock)();
        let until = later(self.stop_at.max(started), LEASE);
        if !self.ledger.try_lease(&self.brand.name, JOB, started, until).await? {
            return Ok(None);
        }
        let ran = Box::pin(self.days(only, started)).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(&self.brand.name, JOB, until).await {
            tracing::warn!(%error, "the daily file's lease was not given back");
        }
        ran.map(Some)
    }

    async fn days(&self, only: Option<Date>, started: Timestamp) -> Result<Ran, LedgerError> {
        let today = ConsentDate::at(started).civil().date();
        let first = today.saturating_sub(i64::from(self.files.days_back()).days());
        let known = self.ledger.kept_day_files(&self.brand.name).await?;
        let mut ran = Ran { missed: self.note_missed(&known, first).await?, ..Ran::default() };
        let standing = self.ledger.standing(&self.brand.name).await?;
        let bar = why_not(&standing, self.brand.iys.mutabakat);
        let mut ended = None;
        let mut is_over = false;
        // The oldest is lost first.
        for day in first.series(1.day()).take_while(|day| *day < today) {
            if only.is_some_and(|only| only != day) {
                continue;
            }
            let kept = known.iter().find(|(known, _)| *known == day).map(|(_, kept)| kept.clone()).unwrap_or_default();
            if is_over || !self.is_due(&kept, day, only.is_some(), started) {
                continue;
            }
            if let Some((why, code)) = &bar {
                self.hold(day, kept, *why, code.as_deref()).await?;
                continue;
            }
            if ended.is_none() {
                ended = Some(self.ledger.ended_days(&self.brand.name).await?);
            }
            let mut work = Day::new(self, day, kept, ended.get_or_insert_default());
            match Box::pin(self.work(&mut work)).await? {
                Done::Compared => ran.compared += 1,
                Done::Confirmed => (ran.compared, ran.confirmed) = (ran.compared + 1, ran.confirmed + 1),
                Done::Failed => ran.failed += 1,
                Done::Refused | Done::Over => is_over = true,
                Done::Waits | Done::Nothing => {}
            }
            // What has ended may have been noted meanwhile.
            ended = None;
        }
        self.measure(&mut ran, today, started).await?;
        Ok(ran)
    }

    /// Whether a day is to be looked at now.
    fn is_due(&self, kept: &KeptDayFile, day: Date, is_named: bool, now: Timestamp) -> bool {
        let file = &kept.file;
        let is_done = match file.state {
            DayFileState::Confirmed | DayFileState::Missed => true,
            DayFileState::Equal => {
                let is_to_be_confirmed = self.brand.iys.confirm_days && file.why.is_none();
                !is_named && !is_to_be_confirmed
            }
            DayFileState::Waiting | DayFileState::Held | DayFileState::Differs => false,
        };
        let turkish = ConsentDate::at(now).civil();
        let is_early = day.tomorrow().is_ok_and(|next| next == turkish.date()) && turkish.hour() < EARLIEST_HOUR;
        let waits = file.next_at.is_some_and(|next_at| now < next_at);
        !is_done && (self.by_hand || !(is_early || waits))
    }

    /// Looks at one day.
    async fn work(&self, day: &mut Day<'_>) -> Result<Done, LedgerError> {
        let now = (self.clock)();
        day.kept.file.first_at.get_or_insert(now);
        let error = match Box::pin(self.look(day)).await {
            Ok(done) => return Ok(done),
            Err(DayError::Ledger(error)) => return Err(error),
            Err(DayError::Registry(error)) => error,
        };
        tracing::warn!(brand = %self.brand.name, day = %day.day, %error, "the day's file was not compared to its end");
        match error {
            RegistryError::Held { why, code } => {
                self.refused(why, &code).await?;
                self.hold(day.day, day.kept.clone(), why, Some(&code)).await?;
                Ok(Done::Refused)
            }
            RegistryError::Busy { until, .. } => {
                self.put_off(day, "busy", until).await?;
                Ok(Done::Over)
            }
            RegistryError::Defect { .. } | RegistryError::RefusedFor(_) => {
                self.put_off(day, "unusable_answer", later(now, NOT_THERE)).await?;
                Ok(Done::Failed)
            }
            RegistryError::Unanswered { .. } | RegistryError::Ledger(_) => {
                self.put_off(day, "no_answer", now).await?;
                Ok(Done::Waits)
            }
        }
    }

    async fn look(&self, day: &mut Day<'_>) -> Result<Done, DayError> {
        if (self.clock)() >= self.stop_at {
            return Ok(Done::Over);
        }
        let info = self.files.info(day.day).await?;
        // A day that is equal and was to be confirmed only: if the file is still the same.
        let is_same = day.kept.file.state == DayFileState::Equal && info.as_ref().is_some_and(|info| info.hash == day.kept.file.hash);
        if is_same && !self.by_hand {
            return self.confirm(day, info.is_some_and(|info| info.is_confirmed)).await;
        }
        if let Some(word) = info.as_ref().and_then(|info| info.not_ready) {
            return self.not_there(day, word).await;
        }
        let counts = self.files.counts(day.day).await?;
        // No word about a file, where something happened: it is not written yet.
        if info.is_none() && counts.iter().any(|count| count.total != Some(0)) {
            return self.not_there(day, "no_file").await;
        }
        match Box::pin(day.compare(info.as_ref(), &counts)).await? {
            Flow::Done if day.kept.file.state == DayFileState::Equal => self.confirm(day, info.is_some_and(|info| info.is_confirmed)).await,
            Flow::Done => Ok(Done::Compared),
            Flow::NotThere => self.not_there(day, "no_file").await,
            Flow::Unfinished => Ok(Done::Over),
            Flow::Overtaken => {
                tracing::info!(brand = %self.brand.name, day = %day.day, "another worker compares the day");
                Ok(Done::Nothing)
            }
        }
    }

    /// Confirms a day that is equal, where the brand wants that.
    async fn confirm(&self, day: &mut Day<'_>, is_confirmed: bool) -> Result<Done, DayError> {
        let file = &mut day.kept.file;
        if !is_confirmed {
            if !self.brand.iys.confirm_days || file.why.is_some() {
                return Ok(Done::Compared);
            }
            if !self.files.confirm(day.day).await? {
                file.why = Some("nothing_to_confirm".to_owned());
                day.keep().await?;
                return Ok(Done::Compared);
            }
        }
        (file.state, file.confirmed_at) = (DayFileState::Confirmed, Some((self.clock)()));
        day.keep().await?;
        tracing::info!(brand = %self.brand.name, day = %day.day, by_somebody_else = is_confirmed, "the day is confirmed");
        Ok(Done::Confirmed)
    }

    async fn not_there(&self, day: &mut Day<'_>, word: &'static str) -> Result<Done, DayError> {
        self.put_off(day, word, later((self.clock)(), NOT_THERE)).await?;
        Ok(Done::Waits)
    }

    /// Notes what a day waits for. The place stays; so does what an earlier comparison came to.
    async fn put_off(&self, day: &mut Day<'_>, word: &'static str, until: Timestamp) -> Result<(), LedgerError> {
        if day.progress.parts > 0 {
            day.kept.file.progress = Some(day.progress.clone());
        }
        let file = &mut day.kept.file;
        file.next_at = Some(until);
        // A day that is equal waits with its confirmation only.
        if file.state != DayFileState::Equal {
            file.state = if file.comparisons > 0 { DayFileState::Differs } else { DayFileState::Waiting };
            file.why = Some(word.to_owned());
        }
        day.keep().await.map(drop)
    }

    /// Notes that a day is held; nothing is written where that stands there already.
    async fn hold(&self, day: Date, mut kept: KeptDayFile, why: Hold, code: Option<&str>) -> Result<(), LedgerError> {
        let why = code.map_or_else(|| why.as_str().to_owned(), str::to_owned);
        let stands = kept.file.state == DayFileState::Held && kept.file.why.as_ref() == Some(&why);
        // A day that is equal waits with its confirmation only.
        if stands || kept.file.state == DayFileState::Equal {
            return Ok(());
        }
        let now = (self.clock)();
        kept.file.first_at.get_or_insert(now);
        (kept.file.state, kept.file.why, kept.file.next_at) = (DayFileState::Held, Some(why), None);
        self.ledger.keep_day_file(&self.brand.name, day, &mut kept, now).await.map(drop)
    }

    /// Takes note of a refusal, so that the account is looked at.
    async fn refused(&self, why: Hold, code: &str) -> Result<(), LedgerError> {
        let now = (self.clock)();
        let note = |standing: &mut Standing| standing.refused(About::default(), why, code, now);
        self.ledger.change_standing(&self.brand.name, note).await.map(drop)
    }

    /// Notes days that the registry shows no more and that were never compared; how many are new.
    async fn note_missed(&self, known: &[(Date, KeptDayFile)], first: Date) -> Result<u64, LedgerError> {
        let Some((oldest, _)) = known.first() else { return Ok(0) };
        let oldest = (*oldest).max(first.saturating_sub(LONGEST_PAUSE.days()));
        let mut missed = 0;
        for day in oldest.series(1.day()).take_while(|day| *day < first) {
            let mut kept = known.iter().find(|(known, _)| *known == day).map(|(_, kept)| kept.clone()).unwrap_or_default();
            if !matches!(kept.file.state, DayFileState::Waiting | DayFileState::Held) {
                continue;
            }
            let was_compared = kept.file.comparisons > 0;
            (kept.file.next_at, kept.file.progress) = (None, None);
            kept.file.state = if was_compared { DayFileState::Differs } else { DayFileState::Missed };
            let why = kept.file.why.clone();
            if self.ledger.keep_day_file(&self.brand.name, day, &mut kept, (self.clock)()).await? && !was_compared {
                missed += 1;
                tracing::error!(brand = %self.brand.name, %day, why, "the day was missed: its file was never compared to its end, and the registry shows it no more");
            }
        }
        Ok(missed)
    }

    /// Counts how the days stand after a run.
    async fn measure(&self, ran: &mut Ran, today: Date, started: Timestamp) -> Result<(), LedgerError> {
        let first = today.saturating_sub(i64::from(self.files.days_back()).days());
        let known = self.ledger.day_files(&self.brand.name).await?;
        for day in first.series(1.day()).take_while(|day| *day < today) {
            let file = known.iter().find(|(known, _)| *known == day).map(|(_, file)| file);
            let state = file.map_or(DayFileState::Waiting, |file| file.state);
            ran.waiting += u64::from(state == DayFileState::Waiting);
            ran.held += u64::from(state == DayFileState::Held);
            let is_open = matches!(state, DayFileState::Waiting | DayFileState::Held);
            ran.at_risk += u64::from(is_open && first.saturating_add(i64::from(AT_RISK).days()) >= day);
            ran.unrepaired +=
                file.filter(|file| file.state == DayFileState::Differs && file.comparisons >= PATIENT).map_or(0, |file| file.left());
        }
        if ran.at_risk > 0 {
            tracing::warn!(brand = %self.brand.name, days = ran.at_risk, at = %started, "days are about to be missed: the registry will show their files no more");
        }
        Ok(())
    }
}

/// Why the service may not be called.
fn why_not(standing: &Standing, configured: bool) -> Option<(Hold, Option<String>)> {
    if standing.may_reconcile(configured) {
        return None;
    }
    let stop = standing.stop.as_ref().map(|stop| (stop.why, Some(stop.code.clone())));
    let denied = standing.mutabakat.as_ref().and_then(|grant| grant.code.clone());
    Some(stop.unwrap_or((Hold::Authority, denied)))
}
