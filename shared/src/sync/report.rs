//! Makes the brands' daily reports and keeps them in the archive.
//!
//! A day has two reports. The **daily** one is made once the day is closed (three hours after its end); much of what
//! was received may be on its way then. The **final** one is made once the three business days of everything that
//! was received on the day are over: it shows how each movement ended.
//!
//! The archive takes a name once. The document is put there first, and the pages are made from the document that
//! stands there, so whoever comes second, or goes on where another run ended, makes the same pages. Only then is
//! the day noted as reported.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::deadlines::Watch;
use super::insider_export::ExportLog;
use crate::archive::{Archive, ArchiveError};
use crate::clock::Clock;
use crate::consent::slack::{self, Slack};
use crate::consent::{BrandName, ConsentDate, TURKISH_TIME, Target};
use crate::evidence::day_of;
use crate::integrators::RegistryView;
use crate::ledger::{Deadlines, Ledger, LedgerError};
use crate::report::{
    self, Compared, DailyReport, DayRoot, Differences, Exported, FORMAT, FileOfDay, First, Kind, Language, Now, SlackCounts, Tally,
    Verified, Waiting,
};

/// How long after the last deadline of a day its final report is made.
pub const MARGIN: SignedDuration = SignedDuration::from_hours(3);
/// Most reports of each kind that one run makes of a brand; the next run goes on.
const MOST: usize = 7;
/// How many days before a report's day the files are told of: those that İYS still shows, and the one before.
const DAY_FILES_BEFORE: i64 = 7;
/// Most index pages (two thousand keys each) that are counted per shard.
const PAGES: usize = 140;

/// Why a report was not made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The document could not be written.
    #[error("a report could not be written")]
    Unwritable,
}

/// How far a brand's reports are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Log {
    /// The first day that has reports.
    since: Option<Date>,
    /// The last day that has its daily report.
    daily: Option<Date>,
    /// When that was made.
    daily_made_at: Option<Timestamp>,
    /// What verification had counted by then.
    compared: Compared,
    /// The last day that has its final report.
    #[serde(rename = "final")]
    last_final: Option<Date>,
}

/// A report that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The report.
    pub report: DailyReport,
    /// Whether the archive keeps it.
    pub is_kept: bool,
    /// Its page, where one was asked for.
    pub page: Option<String>,
}

/// Makes reports.
pub struct Reporter<'a> {
    /// Where movements and days are.
    pub ledger: &'a Ledger,
    /// Where reports are kept; without, none are made.
    pub archive: Option<&'a dyn Archive>,
    /// By whom the brand reaches İYS.
    pub registry: RegistryView,
    /// The clock.
    pub clock: &'a Clock,
}

/// When the final report of a day may be made.
pub fn final_due(day: Date) -> Timestamp {
    let last = ConsentDate::from_civil(day.at(23, 59, 59, 0));
    slack::deadline(last).instant().saturating_add(MARGIN).unwrap_or(Timestamp::MAX)
}

fn name(brand: &BrandName, day: Date, kind: Kind, ending: &str) -> String {
    let kind = if kind == Kind::Final { "final" } else { "report" };
    format!("{brand}/{day}.{kind}.{ending}")
}

fn page_ending(language: Language) -> String {
    format!("{}.html", language.code())
}

impl Reporter<'_> {
    /// Makes all reports of a brand that are due, in the order of their days; how many.
    pub async fn run(&self, brand: &BrandName) -> Result<usize, ReportError> {
        let Some(archive) = self.archive else { return Ok(0) };
        let Some(last_closed) = self.ledger.last_closed_day(brand).await?.map(|day| day.day) else { return Ok(0) };
        let mut log: Log = self.ledger.report_log(brand).await?;
        let mut made = 0;
        for _ in 0..MOST {
            let next = log.daily.map_or(Some(last_closed), |day| day.tomorrow().ok());
            let Some(day) = next.filter(|day| *day <= last_closed) else { break };
            let report = self.make(archive, brand, day, Kind::Daily, &log).await?;
            log = self.ledger.change_report_log(brand, |log: &mut Log| log.note_daily(&report)).await?;
            made += 1;
        }
        for _ in 0..MOST {
            let next = log.last_final.map_or(log.since, |day| day.tomorrow().ok());
            let is_due = |day: &Date| log.daily.is_some_and(|daily| *day <= daily) && (self.clock)() >= final_due(*day);
            let Some(day) = next.filter(is_due) else { break };
            self.make(archive, brand, day, Kind::Final, &log).await?;
            log = self.ledger.change_report_log(brand, |log: &mut Log| log.note_final(day)).await?;
            made += 1;
        }
        if made > 0 {
            tracing::info!(%brand, made, "reports made");
        }
        Ok(made)
    }

    /// A report for somebody who asks: the one of a kind that the archive keeps, or the last one that it keeps of the
    /// day; else, where no kind was named, how the day stands now. `None` where there is none.
    pub async fn show(
        &self,
        brand: &BrandName,
        day: Date,
        kind: Option<Kind>,
        page: Option<Language>,
    ) -> Result<Option<Shown>, ReportError> {
        let kinds = match kind {
            Some(Kind::Final) => &[Kind::Final][..],
            Some(Kind::Daily) => &[Kind::Daily],
            Some(Kind::Preview) => &[],
            None => &[Kind::Final, Kind::Daily],
        };
        if let Some(archive) = self.archive {
            for kind in kinds {
                let kept = archive.read(&name(brand, day, *kind, "json")).await?;
                let Some(report) = kept.as_deref().and_then(DailyReport::from_json) else { continue };
                let page = match page {
                    None => None,
                    Some(language) => {
                        let kept = archive.read(&name(brand, day, *kind, &page_ending(language))).await?;
                        let kept = kept.and_then(|page| String::from_utf8(page).ok());
                        Some(kept.unwrap_or_else(|| report::page::html(&report, language)))
                    }
                };
                return Ok(Some(Shown { report, is_kept: true, page }));
            }
        }
        let wants_now = matches!(kind, None | Some(Kind::Preview));
        if !wants_now || day > day_of((self.clock)()) {
            return Ok(None);
        }
        let log = self.ledger.report_log(brand).await?;
        let report = self.count(brand, day, Kind::Preview, &log).await?;
        let page = page.map(|language| report::page::html(&report, language));
        Ok(Some(Shown { report, is_kept: false, page }))
    }

    /// Makes a report and its pages, unless they stand; what stands then.
    async fn make(&self, archive: &dyn Archive, brand: &BrandName, day: Date, kind: Kind, log: &Log) -> Result<DailyReport, ReportError> {
        let own = self.count(brand, day, kind, log).await?;
        let document = own.to_json().map_err(|_| ReportError::Unwritable)?;
        let name_of = |ending: &str| name(brand, day, kind, ending);
        let stands = match archive.keep(&name_of("json"), &document).await {
            Ok(()) => own,
            Err(ArchiveError::Differs(_)) => {
                let kept = archive.read(&name_of("json")).await?;
                let Some(stands) = kept.as_deref().and_then(DailyReport::from_json) else {
                    tracing::warn!(%brand, %day, "the report that stands was made by another version, which has to make its pages");
                    return Ok(own);
                };
                stands
            }
            Err(error) => return Err(error.into()),
        };
        for language in Language::ALL {
            let page = report::page::html(&stands, language);
            match archive.keep(&name_of(&page_ending(language)), page.as_bytes()).await {
                // Another version has made another page of the same document.
                Ok(()) | Err(ArchiveError::Differs(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(stands)
    }

    /// Counts a day as it stands now.
    async fn count(&self, brand: &BrandName, day: Date, kind: Kind, log: &Log) -> Result<DailyReport, ReportError> {
        let made_at = (self.clock)();
        let mut tally = Tally::at(made_at);
        self.ledger.movements_of_day(brand, day, |one| tally.add(one)).await?;
        let (received, iys, insider, refusals) = tally.read();
        let closed = self.ledger.closed_day(brand, day).await?;
        let evidence = closed.map(|closed| DayRoot {
            count: closed.count,
            matches: closed.count == received.total,
            root: closed.root,
            chained: closed.chained,
        });
        let of_the_moment = kind != Kind::Final;
        Ok(DailyReport {
            format: FORMAT.to_owned(),
            kind,
            brand: brand.to_string(),
            day,
            made_at,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            registry: self.registry.is_by_an_integrator().then_some(self.registry),
            received,
            iys,
            insider,
            refusals,
            differences: if of_the_moment { Some(self.differences(brand, day, log).await?) } else { None },
            day_files: self.day_files(brand, day, kind).await?,
            now: if of_the_moment { Some(self.now(brand, made_at).await?) } else { None },
            evidence,
        })
    }

    async fn differences(&self, brand: &BrandName, day: Date, log: &Log) -> Result<Differences, LedgerError> {
        let so_far = Compared::of(&self.ledger.verification(brand).await?);
        let report_before = log.daily.filter(|daily| day.yesterday().is_ok_and(|yesterday| yesterday == *daily));
        let since = report_before.map(|_| so_far.since(&log.compared));
        let began = TURKISH_TIME.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN);
        let new_from = report_before.and(log.daily_made_at).unwrap_or(began);
        let insider_export = ExportLog::read(self.ledger, brand).await?.last;
        let insider_export = insider_export.map(|finished| Exported { is_new: finished.ended_at >= new_from, finished });
        Ok(Differences { report_before, verification: Verified { so_far, since }, insider_export })
    }

    /// How İYS's files of the days that it shows when the report is made compare; of a final report, of the day.
    async fn day_files(&self, brand: &BrandName, day: Date, kind: Kind) -> Result<Vec<FileOfDay>, LedgerError> {
        let first = day.saturating_sub(DAY_FILES_BEFORE.days());
        let is_meant = |of: Date| if kind == Kind::Final { of == day } else { (first..=day).contains(&of) };
        let files = self.ledger.day_files(brand).await?.into_iter().filter(|(of, _)| is_meant(*of));
        let mut files: Vec<_> = files.map(|(of, file)| FileOfDay::of(of, file)).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.day));
        Ok(files)
    }

    async fn now(&self, brand: &BrandName, now: Timestamp) -> Result<Now, LedgerError> {
        let backlog = self.ledger.backlog(brand, PAGES).await?;
        let watch = Watch::read(self.ledger, brand, now, 1).await?;
        let first = watch.waiting.first().map(|first| {
            let (fate, why) = report::fate_of(&first.sync);
            First {
                channel: first.key.channel,
                status: first.head.status,
                received_at: first.head.received_at,
                deadline: first.deadline,
                slack_seconds: first.deadline.seconds_since(watch.at),
                fate,
                why,
            }
        });
        Ok(Now {
            iys: Waiting::of(Target::Registry, &backlog),
            insider: Waiting::of(Target::Insider, &backlog),
            truncated: backlog.truncated || watch.deadlines.truncated,
            slack: slack_counts(&watch.deadlines),
            first,
        })
    }
}

fn slack_counts(deadlines: &Deadlines) -> SlackCounts {
    let count = |slack| deadlines.by_slack.get(&slack).copied().unwrap_or_default();
    SlackCounts {
        late: count(Slack::Late),
        under1: count(Slack::Under1),
        under2: count(Slack::Under2),
        under3: count(Slack::Under3),
        more: count(Slack::More),
    }
}

impl Log {
    /// Notes a daily report. Days go forward only, whoever comes late.
    fn note_daily(&mut self, report: &DailyReport) -> bool {
        let is_new = self.daily.is_none_or(|daily| daily < report.day);
        if is_new {
            self.since = self.since.or(Some(report.day));
            self.daily = Some(report.day);
            self.daily_made_at = Some(report.made_at);
            self.compared = report.differences.as_ref().map(|differences| differences.verification.so_far.clone()).unwrap_or_default();
        }
        is_new
    }

    fn note_final(&mut self, day: Date) -> bool {
        let is_new = self.last_final.is_none_or(|last| last < day);
        if is_new {
            self.last_final = Some(day);
        }
        is_new
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_final_report_waits_for_the_last_deadline_of_its_day() {
        for (day, due) in [
            // A Monday.
            ("2026-11-23", "2026-11-27 02:59:59"),
            // A Friday, and the Sunday after it, which counts as that Friday.
            ("2026-11-20", "2026-11-26 02:59:59"),
            ("2026-11-22", "2026-11-26 02:59:59"),
            // Before Kurban Bayramı.
            ("2026-05-25", "2026-06-03 02:59:59"),
        ] {
            assert_eq!(ConsentDate::at(final_due(day.parse().unwrap())).to_string(), due, "{day}");
        }
    }
}
