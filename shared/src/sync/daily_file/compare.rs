//! The comparison of one day.
//!
//! The file is read row by row. Each row is looked up by its name and, where it has none here, held against the
//! history of its key; so file → ledger is exact. What the file holds is remembered by part ([`Acts`]), and then
//! the ledger is asked what should have been in it ([`super::claims`]).
//!
//! Differences of a page are counted, with the place, in one write before they are repaired. So a run that dies
//! anywhere counts nothing twice and leaves nothing unrepaired.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::DailyFile;
use super::acts::Acts;
use super::kind::Kind;
use super::tally::Tally;
use crate::consent::{EventId, Movement, Outcome, Source};
use crate::day_files::{DayInfo, DayRow, SideCount};
use crate::evidence::Payload;
use crate::intake::Told;
use crate::ledger::{DayFile, DayFileState, DayProgress, DayStep, Entry, KeptDayFile, LedgerError, Received};
use crate::registry::RegistryError;
use crate::sync::patience::later;
use crate::sync::pull::movement;

/// Rows of a page.
const PAGE: usize = 500;
/// Pages without a difference after which the place is noted all the same.
pub(super) const PAGES_UNNOTED: usize = 20;
/// Histories that are read at once.
pub(super) const READS_AT_ONCE: usize = 32;
/// When a day that differed is compared again: verification, which looks at keys every hour, needs its time.
const AGAIN: SignedDuration = SignedDuration::from_hours(4);
/// The longest time between two comparisons.
const RAREST: SignedDuration = SignedDuration::from_hours(24);

/// Why a day was not compared to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum DayError {
    #[error(transparent)]
    Registry(RegistryError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<RegistryError> for DayError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Ledger(error) => Self::Ledger(error),
            error => Self::Registry(error),
        }
    }
}

/// How a step of the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Done,
    /// The time is over; the next run goes on.
    Unfinished,
    /// The file is not there (any more).
    NotThere,
    /// Another worker has the day.
    Overtaken,
}

/// How one part of the file ended.
enum Part {
    Read(Box<(Acts, Tally, bool)>),
    /// It holds far more than was said: more parts are needed.
    Crowded,
    Stopped(Flow),
}

/// One row, as the movement that it is here.
struct Row {
    number: u64,
    movement: Movement,
    transaction_id: Option<String>,
    payload: Payload,
}

/// One day on its way through a run.
pub(super) struct Day<'a> {
    pub(super) job: &'a DailyFile<'a>,
    pub(super) day: Date,
    pub(super) kept: KeptDayFile,
    pub(super) progress: DayProgress,
    /// Of days of receipt, when the last of what came in ended.
    pub(super) ended: &'a BTreeMap<Date, Date>,
    /// Keys whose state could not be read.
    pub(super) unreadable: u64,
}

impl<'a> Day<'a> {
    pub(super) fn new(job: &'a DailyFile<'a>, day: Date, kept: KeptDayFile, ended: &'a BTreeMap<Date, Date>) -> Self {
        Self { job, day, kept, progress: DayProgress::default(), ended, unreadable: 0 }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.job.clock)()
    }

    pub(super) fn is_over(&self) -> bool {
        self.now() >= self.job.stop_at
    }

    /// Writes what is known of the day. `false` when another worker did.
    pub(super) async fn keep(&mut self) -> Result<bool, LedgerError> {
        let now = self.now();
        self.job.ledger.keep_day_file(&self.job.brand.name, self.day, &mut self.kept, now).await
    }

    /// The same, with the place.
    pub(super) async fn keep_place(&mut self) -> Result<bool, LedgerError> {
        self.kept.file.progress = Some(self.progress.clone());
        self.keep().await
    }

    /// Counts differences of this comparison.
    pub(super) fn count(&mut self, kind: Kind, times: u64) {
        if times == 0 {
            return;
        }
        *self.progress.found.entry(kind.as_str().to_owned()).or_default() += times;
        if kind.is_repaired_at_once() {
            self.kept.file.differences.entry(kind.as_str().to_owned()).or_default().found += times;
        }
    }

    /// Compares the file with the ledger. `info` is `None` where the registry says that nothing happened.
    pub(super) async fn compare(&mut self, info: Option<&DayInfo>, counts: &[SideCount]) -> Result<Flow, DayError> {
        let hash = info.and_then(|info| info.hash.clone());
        let total: u64 = counts.iter().filter_map(|count| count.total).sum();
        let parts = total.div_ceil(u64::try_from(self.job.acts_in_memory.max(1)).unwrap_or(u64::MAX)).max(1);
        let fresh = || DayProgress { hash: hash.clone(), parts, ..DayProgress::default() };
        self.progress = self.kept.file.progress.take().filter(|progress| progress.hash == hash && progress.parts > 0).unwrap_or_else(fresh);
        self.kept.file.state = DayFileState::Waiting;
        self.kept.file.why = None;
        loop {
            let (acts, tally, is_right) = match Box::pin(self.read_part(info)).await? {
                Part::Read(read) => *read,
                Part::Crowded => {
                    // The rows stay compared; what should have been in the file is looked for anew.
                    let progress = &mut self.progress;
                    progress.found.retain(|kind, _| ![Kind::Absent.as_str(), Kind::Unlisted.as_str()].contains(&kind.as_str()));
                    (progress.parts, progress.part) = (progress.parts.saturating_mul(2), 0);
                    (progress.counted, progress.repaired) = (DayStep::default(), DayStep::default());
                    continue;
                }
                Part::Stopped(flow) => return Ok(flow),
            };
            // What is missing in a file that is not whole, or not the right one, says nothing.
            if is_right {
                match Box::pin(self.claims(&acts)).await? {
                    Flow::Done => {}
                    other => return Ok(other),
                }
            }
            let is_last = !is_right || self.progress.part + 1 >= self.progress.parts;
            if is_last {
                return self.finish(info, counts, &tally, is_right).await;
            }
            let progress = &mut self.progress;
            (progress.part, progress.counted, progress.repaired) = (progress.part + 1, DayStep::default(), DayStep::default());
            if !self.keep_place().await? {
                return Ok(Flow::Overtaken);
            }
        }
    }

    /// Reads the file once: what was not compared yet is, and a part of what it holds is remembered.
    async fn read_part(&mut self, info: Option<&DayInfo>) -> Result<Part, DayError> {
        let mut acts = Acts::new(self.progress.parts, self.progress.part, self.job.acts_in_memory);
        let mut tally = Tally::default();
        let Some(info) = info else { return Ok(Part::Read(Box::new((acts, tally, true)))) };
        let Some(mut rows) = self.job.files.open(self.day).await? else { return Ok(Part::Stopped(Flow::NotThere)) };
        let mut page = Vec::with_capacity(PAGE);
        let mut unnoted = 0;
        let mut is_end = false;
        while !is_end {
            match rows.next().await? {
                Some(DayRow { change: Err(column), number, .. }) => {
                    tally.unreadable += 1;
                    tracing::warn!(brand = %self.job.brand.name, day = %self.day, number, column, "a row of the day's file cannot be read");
                }
                Some(DayRow { change: Ok(change), number, payload }) => {
                    tally.add(&change);
                    let (misspelt, transaction_id) = (change.holding.misspelt, change.holding.transaction_id.clone());
                    let movement = movement(self.job.brand, change, self.now());
                    // What stands under a number that is nobody's is not what was sent for the right one.
                    if !misspelt && !acts.insert(&movement.key, &movement.head) {
                        return Ok(Part::Crowded);
                    }
                    if number > self.progress.rows_repaired {
                        page.push(Row { number, movement, transaction_id, payload });
                    }
                }
                None => is_end = true,
            }
            if page.len() >= PAGE || (is_end && !page.is_empty()) {
                unnoted += 1;
                if !Box::pin(self.page(std::mem::take(&mut page))).await? {
                    return Ok(Part::Stopped(Flow::Overtaken));
                }
                let is_over = self.is_over();
                if is_over || unnoted >= PAGES_UNNOTED {
                    unnoted = 0;
                    if !self.keep_place().await? {
                        return Ok(Part::Stopped(Flow::Overtaken));
                    }
                }
                if is_over {
                    return Ok(Part::Stopped(Flow::Unfinished));
                }
            }
        }
        let is_right = match &info.hash {
            Some(hash) => rows.has_hash(hash).await?,
            None => false,
        };
        Ok(Part::Read(Box::new((acts, tally, is_right))))
    }

    /// Compares one page of rows with the ledger. `false` when another worker has the day.
    async fn page(&mut self, rows: Vec<Row>) -> Result<bool, DayError> {
        let Some(last) = rows.last().map(|row| row.number) else { return Ok(true) };
        let name = |row: &Row| Received { key: row.movement.key.clone(), event_id: row.movement.head.event_id.clone() };
        let known = self.job.ledger.movements(&rows.iter().map(name).collect::<Vec<_>>()).await?;
        let known: HashMap<Received, Source> = known
            .into_iter()
            .map(|Entry { movement, .. }| (Received { key: movement.key, event_id: movement.head.event_id }, movement.head.source))
            .collect();
        let is_news = last > self.progress.rows_counted;
        let mut found = BTreeMap::<Kind, u64>::new();
        let mut told = HashSet::new();
        let mut missing = Vec::new();
        for row in rows {
            let name = name(&row);
            match known.get(&name) {
                // A run that died while it repaired may have left a movement in the history and in no state.
                Some(_) if !is_news => missing.push(row),
                Some(source) if differ(source, &row.movement.head.source) => *found.entry(Kind::Source).or_default() += 1,
                Some(_) => {}
                None if told.insert(name) => missing.push(row),
                None => {}
            }
        }
        if is_news {
            for kind in Box::pin(self.kinds(&missing)).await? {
                *found.entry(kind).or_default() += 1;
            }
            for (kind, times) in &found {
                self.count(*kind, *times);
            }
            self.progress.rows_counted = last;
            let has_work = !found.is_empty() || !missing.is_empty();
            if has_work && !self.keep_place().await? {
                return Ok(false);
            }
        }
        let movements = missing.into_iter().map(|row| Told { movement: row.movement, payload: Some(row.payload) }).collect();
        for recorded in self.job.intake.take(movements, self.now()).await {
            match recorded {
                Ok(_) => {}
                Err(error @ LedgerError::Item { .. }) => {
                    tracing::error!(%error, "a row of the day's file met an item that cannot be read");
                    self.unreadable += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.progress.rows_repaired = last;
        Ok(true)
    }

    /// In which way rows differ whose names the ledger does not know; those that it knows by another name do not.
    async fn kinds(&self, rows: &[Row]) -> Result<Vec<Kind>, LedgerError> {
        let mut keys: Vec<_> = rows.iter().map(|row| row.movement.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut histories = HashMap::with_capacity(keys.len());
        let mut reading = futures::stream::iter(keys)
            .map(|key| async move {
                let history = self.job.ledger.history_of(&key).await;
                (key, history)
            })
            .buffer_unordered(READS_AT_ONCE);
        while let Some((key, history)) = reading.next().await {
            histories.insert(key, history?);
        }
        let of = |row: &Row| kind_of(histories.get(&row.movement.key).map_or(&[], Vec::as_slice), row);
        Ok(rows.iter().filter_map(of).collect())
    }

    /// The comparison is at its end.
    async fn finish(&mut self, info: Option<&DayInfo>, counts: &[SideCount], tally: &Tally, is_right: bool) -> Result<Flow, DayError> {
        let unreadable = tally.unreadable + self.unreadable;
        self.count(Kind::Unreadable, unreadable);
        self.count(Kind::Hash, u64::from(!is_right));
        // Rows that cannot be read count for no side.
        self.count(Kind::Summary, u64::from(is_right && tally.unreadable == 0 && !tally.agrees_with(counts)));
        let now = self.now();
        let DayProgress { found, hash, .. } = std::mem::take(&mut self.progress);
        let file = &mut self.kept.file;
        for kind in Kind::ALL {
            let times = found.get(kind.as_str()).copied().unwrap_or_default();
            if times == 0 && !file.differences.contains_key(kind.as_str()) {
                continue;
            }
            let difference = file.differences.entry(kind.as_str().to_owned()).or_default();
            // What a file that is not the right one lacks was not looked at.
            if !is_right && matches!(kind, Kind::Absent | Kind::Unlisted | Kind::Summary) {
                continue;
            }
            if !kind.is_repaired_at_once() {
                difference.found += times.saturating_sub(difference.left);
                difference.left = times;
            }
        }
        let is_equal = found.is_empty();
        file.state = if is_equal { DayFileState::Equal } else { DayFileState::Differs };
        (file.hash, file.rows, file.progress, file.compared_at) = (hash, tally.readable, None, Some(now));
        file.comparisons += 1;
        file.next_at = (!is_equal).then(|| later(now, again(file)));
        file.why = info.is_none().then(|| "no_movements".to_owned());
        if !self.keep().await? {
            return Ok(Flow::Overtaken);
        }
        let (brand, day) = (&self.job.brand.name, self.day);
        tracing::info!(%brand, %day, rows = tally.readable, is_equal, "the day's file was compared with the ledger");
        for (kind, times) in &found {
            tracing::warn!(%brand, %day, kind, times, "the day's file differs from the ledger");
        }
        Ok(Flow::Done)
    }
}

/// How long a day that differed is left alone: longer each time.
fn again(file: &DayFile) -> SignedDuration {
    let rounds = file.comparisons.saturating_sub(1).min(4);
    AGAIN.checked_mul(1 << rounds).unwrap_or(RAREST).min(RAREST)
}

/// Whether two sources are different ones; one that is not stated is no other.
fn differ(one: &Source, other: &Source) -> bool {
    one != other && *one != Source::Unstated && *other != Source::Unstated
}

/// In which way a row differs from the history of its key, which does not have it by its name. Not at all where
/// it is known to stand at the registry by another name: ours was sent, or somebody told of it without an id.
fn kind_of(history: &[Entry], row: &Row) -> Option<Kind> {
    let transaction = |entry: &Entry| entry.registry.as_ref().and_then(|ending| ending.transaction_id.clone());
    let is_there = |entry: &&Entry| {
        let outcome = entry.registry.as_ref().and_then(|ending| ending.outcome);
        entry.movement.head.is_same_act(&row.movement.head) && outcome.is_some_and(|outcome| outcome != Outcome::NotRegistered)
    };
    let is_other = |entry: &Entry| {
        let applied = entry.registry.as_ref().is_some_and(|ending| ending.outcome == Some(Outcome::Applied));
        applied && row.transaction_id.is_some() && transaction(entry).is_some() && transaction(entry) != row.transaction_id
    };
    let same: Vec<_> = history.iter().filter(is_there).collect();
    if same.iter().any(|entry| !is_other(entry)) {
        return None;
    }
    let shares_id = row.transaction_id.is_some() && history.iter().any(|entry| transaction(entry) == row.transaction_id);
    Some(if !same.is_empty() || shares_id { Kind::Otherwise } else { Kind::Unknown })
}

/// The name under which the registry's own telling of an act stands here.
pub(super) fn told_name(head: &crate::consent::Head, transaction_id: Option<&str>) -> EventId {
    let holding = crate::registry::Holding {
        status: head.status,
        source: head.source.clone(),
        consent_date: Some(head.consent_date),
        creation_date: None,
        transaction_id: transaction_id.map(str::to_owned),
        misspelt: false,
    };
    crate::sync::push::registry_head(holding, head.received_at).event_id
}
