//! One reading of a file: row by row against the ledger, a few hundred at a time.

use std::collections::HashMap;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::judge::{EXPORTED, Verdict, judge, must_be_told};
use super::{Counts, ExportLog, InsiderExport, Outcome, Ran, RunError, Stage};
use crate::brand::{Export, FlagOff};
use crate::consent::{
    Channel, ConsentDate, ConsentKey, ConsentState, EventId, Head, Movement, Origin, RecipientId, RecipientType, Retailers, Status,
};
use crate::insider::export::{ExportError, Link, Shown};
use crate::ledger::LedgerError;
use crate::sync::patience::later;
use crate::sync::reading;

/// Rows that are compared together.
const CHUNK: usize = 500;
/// Rows after which the place in the file is kept.
const KEPT_EVERY: u64 = 1_000;
/// How many states are re-opened at once.
const AT_ONCE: usize = 16;

/// An address on a channel, with the flag that Insider shows.
struct Flagged {
    recipient_id: RecipientId,
    channel: Channel,
    allowed: bool,
}

/// What follows from some rows.
#[derive(Default)]
struct Repairs {
    retell: Vec<ConsentState>,
    refusals: Vec<Movement>,
}

impl InsiderExport<'_> {
    /// Reads the file from where an earlier run left it. The log then, to go on with; `None` where there is
    /// nothing to go on with for now.
    pub(super) async fn read(&self, export: &Export, link: &Link, from: &ExportLog, ran: &mut Ran) -> Result<Option<ExportLog>, RunError> {
        let profiles = match self.insider.export(link).await {
            Ok(profiles) => profiles,
            Err(ExportError::NotReady) => {
                self.leave(from, None, link).await?;
                return Ok(None);
            }
            Err(ExportError::Expired) => return self.end(from, Outcome::Expired, ran).await.map(Some),
            Err(error) => return self.broken_off(from, error, link, ran).await,
        };
        let mut log = from.clone();
        if log.stage == Stage::Ordered {
            let begun = |log: &mut ExportLog| {
                log.stage = Stage::Counting;
                (log.row, log.counts, log.not_before) = (0, Counts::default(), None);
            };
            let (now, changed) = self.change_if_still(&log, begun).await?;
            if !changed {
                return Ok(None);
            }
            log = now;
        }
        let skipped = usize::try_from(log.row).unwrap_or(usize::MAX);
        // An error is no row, wherever it comes.
        let profiles =
            profiles.enumerate().filter_map(|(at, profile)| std::future::ready((profile.is_err() || at >= skipped).then_some(profile)));
        let mut chunks = std::pin::pin!(profiles.chunks(CHUNK));
        let (mut row, mut counts) = (log.row, log.counts);
        while let Some(chunk) = chunks.next().await {
            let mut shown = Vec::with_capacity(chunk.len());
            let mut broken = None;
            for profile in chunk {
                match profile {
                    Ok(profile) => shown.push(profile),
                    Err(error) => broken = Some(error),
                }
            }
            let rows = shown.len() as u64;
            counts.add(self.compare(export, &log, shown, ran).await?);
            (row, ran.rows) = (row + rows, ran.rows + rows);
            let over = (self.clock)() >= self.stop_at;
            if over || broken.is_some() || row - log.row >= KEPT_EVERY {
                match self.keep(&log, row, counts).await? {
                    Some(kept) => log = kept,
                    None => return Ok(None),
                }
            }
            match broken {
                Some(error) => return self.broken_off(&log, error, link, ran).await,
                None if over => return Ok(None),
                None => {}
            }
        }
        let Some(log) = self.keep(&log, row, counts).await? else { return Ok(None) };
        match log.stage {
            Stage::Counting => self.judge(export, &log, ran).await.map(Some),
            _ => self.end(&log, Outcome::Repaired, ran).await.map(Some),
        }
    }

    /// Keeps the place. `None` if another run has gone on meanwhile.
    async fn keep(&self, of: &ExportLog, row: u64, counts: Counts) -> Result<Option<ExportLog>, RunError> {
        let keep = |log: &mut ExportLog| {
            log.row = row;
            // While it is repaired, what was counted stands.
            if log.stage == Stage::Counting {
                log.counts = counts;
            }
        };
        let (log, kept) = self.change_if_still(of, keep).await?;
        Ok(kept.then_some(log))
    }

    async fn broken_off(&self, log: &ExportLog, error: ExportError, link: &Link, ran: &mut Ran) -> Result<Option<ExportLog>, RunError> {
        self.leave(log, Some(error.to_string()), link).await?;
        // The same bytes would come again.
        if matches!(error, ExportError::Form { .. }) {
            self.end(log, Outcome::Unreadable, ran).await?;
        }
        Err(error.into())
    }

    /// Compares some rows with the ledger and, in the second reading, repairs what differs.
    async fn compare(&self, export: &Export, log: &ExportLog, shown: Vec<Shown>, ran: &mut Ran) -> Result<Counts, RunError> {
        let mut counts = Counts { profiles: shown.len() as u64, ..Counts::default() };
        let flagged: Vec<Flagged> = shown.iter().flat_map(|profile| self.flagged(profile)).collect();
        drop(shown);
        let keys: Vec<ConsentKey> = flagged.iter().flat_map(|flag| self.keys(flag)).collect();
        let reading = reading::states(self.ledger, &keys).await?;
        let mut states = HashMap::<(RecipientId, Channel), Vec<ConsentState>>::new();
        for state in reading.states {
            states.entry((state.key.recipient_id.clone(), state.key.channel)).or_default().push(state);
        }
        let now = (self.clock)();
        // Up to then the file shows everything.
        let since = log
            .ordered_at
            .map_or(Timestamp::MIN, |at| at.checked_sub(SignedDuration::from_mins(export.lag_minutes.into())).unwrap_or(Timestamp::MIN));
        let mut repairs = Repairs::default();
        for Flagged { recipient_id, channel, allowed } in flagged {
            let is_unreadable = |key: &ConsentKey| key.recipient_id == recipient_id && key.channel == channel;
            let verdict = if reading.unreadable.iter().any(is_unreadable) {
                Verdict::UnderWay
            } else {
                let states: Vec<&ConsentState> =
                    states.get(&(recipient_id.clone(), channel)).map(|states| states.iter().collect()).unwrap_or_default();
                let verdict = judge(&states, allowed, since, now);
                if log.stage == Stage::Repairing {
                    self.repair(export, log, verdict, &states, now, &mut repairs);
                }
                verdict
            };
            counts.compared += u64::from(!matches!(verdict, Verdict::Unknown | Verdict::UnderWay));
            match verdict {
                Verdict::Unknown => counts.unknown += 1,
                Verdict::UnderWay => counts.under_way += 1,
                Verdict::Agrees => {}
                Verdict::RefusedThere => counts.refused_there += 1,
                Verdict::AllowedAgainstRefusal => counts.allowed_against_refusal += 1,
                Verdict::OffAgainstConsent => counts.off_against_consent += 1,
            }
        }
        self.carry_out(repairs, now, ran).await?;
        Ok(counts)
    }

    fn flagged(&self, profile: &Shown) -> Vec<Flagged> {
        let of = |(recipient, channel, allowed): (&crate::consent::Recipient, Channel, bool)| Flagged {
            recipient_id: recipient.id(&self.brand.recipient_id_key, &self.brand.name),
            channel,
            allowed,
        };
        profile.states().map(of).collect()
    }

    /// The keys of every recipient type.
    fn keys(&self, flag: &Flagged) -> impl Iterator<Item = ConsentKey> + use<> {
        let (brand, recipient_id, channel) = (self.brand.name.clone(), flag.recipient_id.clone(), flag.channel);
        RecipientType::ALL.iter().map(move |recipient_type| ConsentKey {
            brand: brand.clone(),
            recipient_id: recipient_id.clone(),
            channel,
            recipient_type: *recipient_type,
        })
    }

    fn repair(&self, export: &Export, log: &ExportLog, verdict: Verdict, states: &[&ConsentState], now: Timestamp, repairs: &mut Repairs) {
        match (verdict, export.flag_off) {
            (Verdict::AllowedAgainstRefusal, _) => {
                repairs.retell.extend(states.iter().filter(|state| must_be_told(state)).map(|state| (*state).clone()));
            }
            (Verdict::OffAgainstConsent, FlagOff::Restore) => repairs.retell.extend(states.iter().map(|state| (*state).clone())),
            (Verdict::OffAgainstConsent, FlagOff::Refusal) => {
                repairs.refusals.extend(states.iter().filter_map(|state| self.refusal(state, log, now)));
            }
            (Verdict::OffAgainstConsent, FlagOff::Report)
            | (Verdict::Unknown | Verdict::UnderWay | Verdict::Agrees | Verdict::RefusedThere, _) => {}
        }
    }

    /// The refusal that a flag shows. When the person turned it off nobody knows; of the moment of the order
    /// it is certain that nothing older than it has said so here. One export is one event, however often it
    /// is read.
    fn refusal(&self, state: &ConsentState, log: &ExportLog, now: Timestamp) -> Option<Movement> {
        let ordered_at = log.ordered_at?;
        let head = Head {
            status: Status::Ret,
            source: self.brand.insider.source_for(state.key.channel).clone(),
            consent_date: ConsentDate::at(ordered_at),
            origin: Origin::Insider,
            event_id: EventId::derive(EXPORTED, [ordered_at.to_string().as_str()]),
            received_at: now,
            retailers: Retailers::default(),
        };
        Some(Movement { key: state.key.clone(), recipient: state.recipient.clone(), head })
    }

    async fn carry_out(&self, repairs: Repairs, now: Timestamp, ran: &mut Ran) -> Result<(), LedgerError> {
        let due = later(now, self.grace);
        let mut opening =
            futures::stream::iter(&repairs.retell).map(|state| self.ledger.contradicted_at_insider(state, due)).buffer_unordered(AT_ONCE);
        let (mut opened, mut failed) = (Vec::new(), None);
        while let Some(state) = opening.next().await {
            match state {
                Ok(state) => opened.extend(state),
                Err(error) => failed = Some(error),
            }
        }
        drop(opening);
        self.intake.notify(&opened).await;
        ran.retold += opened.len();
        if let Some(error) = failed {
            return Err(error);
        }
        for recorded in self.intake.take(repairs.refusals, now).await {
            ran.refusals += usize::from(recorded?.is_new);
        }
        Ok(())
    }
}
