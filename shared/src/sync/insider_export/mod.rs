//! Insider → ledger, once a day: whether Insider shows what it was told. It cannot list its opt-outs, so a
//! raw export of a segment is ordered and compared.
//!
//! A run takes the next step and goes on for as long as it may: order; wait for the file; **count** what
//! differs, to the file's end; and only if that is no suspicious share of the book, read the file once more
//! and **repair** it. Where it stands is kept in the ledger ([`ExportLog`]), every thousand rows while a
//! file is read. Each row's effect can be repeated: what was repaired has changed since the order, and what
//! has changed since the order is not judged. So a run may die at any row, and two may begin at once (a lease
//! keeps them apart, and what the slower one writes has no effect).
//!
//! Nothing of a file is kept, and it is taken no faster than it is compared: the memory that this takes does
//! not depend on its length.

mod judge;
mod log;
mod rows;

use jiff::{SignedDuration, Timestamp};

use super::patience::later;
use crate::brand::{Brand, Export, FlagOff};
use crate::clock::Clock;
use crate::insider;
use crate::insider::export::{ExportError, Link};
use crate::intake::Intake;
use crate::ledger::{Ledger, LedgerError};

pub use log::{Counts, ExportLog, Finished, Outcome, Stage, Trouble};

/// How long an order, or a look for the file, that came to nothing is left alone.
const ORDER_PAUSE: SignedDuration = SignedDuration::from_hours(1);
const FILE_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// For how long after its end by the clock a run keeps others away.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// How many differences are never suspicious.
const NEVER_SUSPICIOUS: u64 = 100;

/// The lease of a brand's runs.
const JOB: &str = "insider-export";

/// Compares one brand's Insider account with the ledger.
pub struct InsiderExport<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Where refusals that the export shows go, and what tells of work that it opens.
    pub intake: &'a Intake,
    /// The brand.
    pub brand: &'a Brand,
    /// Its Insider account.
    pub insider: &'a insider::Client,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after work that this run opens.
    pub grace: SignedDuration,
    /// From when on nothing new is begun.
    pub stop_at: Timestamp,
    /// Whether a person asked for the run: then pauses are not waited for. Insider's day is.
    pub by_hand: bool,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    /// Whether it ordered an export.
    pub ordered: bool,
    /// How many rows it read.
    pub rows: u64,
    /// How many states Insider is told again.
    pub retold: usize,
    /// How many refusals it took from flags that are off.
    pub refusals: usize,
    /// How the export ended, if it did.
    pub ended: Option<Outcome>,
}

/// Why a run came to nothing. The log keeps what the operator has to know.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Insider.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl InsiderExport<'_> {
    /// Takes the next steps. `None` when the brand sets no export up, or another worker is at it.
    pub async fn run(&self) -> Result<Option<Ran>, RunError> {
        let Some(export) = &self.brand.insider.outbound.export else { return Ok(None) };
        let now = (self.clock)();
        let until = later(self.stop_at.max(now), LEASE_MARGIN);
        if !self.ledger.try_lease(&self.brand.name, JOB, now, until).await? {
            return Ok(None);
        }
        let ran = self.steps(export).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(&self.brand.name, JOB, until).await {
            tracing::warn!(%error, "the export's lease was not given back");
        }
        ran.map(Some)
    }

    async fn steps(&self, export: &Export) -> Result<Ran, RunError> {
        let mut ran = Ran::default();
        let mut log = ExportLog::read(self.ledger, &self.brand.name).await?;
        if log.is_order_due((self.clock)(), self.by_hand) {
            log = self.order(&mut ran).await?;
        }
        while let (Stage::Ordered | Stage::Counting | Stage::Repairing, Some(link)) = (log.stage, log.link.clone()) {
            let now = (self.clock)();
            if now >= self.stop_at {
                break;
            }
            if now >= link.until() {
                self.end(&log, Outcome::Expired, &mut ran).await?;
                break;
            }
            if log.not_before.is_some_and(|until| now < until && !self.by_hand) {
                break;
            }
            match Box::pin(self.read(export, &link, &log, &mut ran)).await? {
                Some(next) => log = next,
                None => break,
            }
        }
        Ok(ran)
    }

    async fn order(&self, ran: &mut Ran) -> Result<ExportLog, RunError> {
        let now = (self.clock)();
        // Written ahead: should the answer be lost, Insider's notice has an order to belong to.
        self.change(|log| {
            log.ordering(now, later(now, ORDER_PAUSE));
            true
        })
        .await?;
        match self.insider.order_export().await {
            Ok(link) => {
                ran.ordered = true;
                tracing::info!(brand = %self.brand.name, until = %link.until(), "an export was ordered at Insider");
                self.change(|log| {
                    log.stage = Stage::Ordered;
                    log.ordered_at = Some(now);
                    log.link = Some(link.clone());
                    log.not_before = Some(later(now, FILE_PAUSE));
                    true
                })
                .await
            }
            Err(error) => {
                self.change(|log| {
                    // Somebody may have been told already where the file is.
                    let still = log.stage == Stage::Ordering;
                    if still {
                        log.failed_to_order(&error, now);
                    }
                    still
                })
                .await?;
                Err(error.into())
            }
        }
    }

    async fn end(&self, of: &ExportLog, outcome: Outcome, ran: &mut Ran) -> Result<ExportLog, RunError> {
        let now = (self.clock)();
        let (log, ended) = self.change_if_still(of, |log| log.end(outcome, now)).await?;
        if ended {
            ran.ended = Some(outcome);
            tracing::info!(brand = %self.brand.name, ?outcome, counts = ?log.last.as_ref().map(|last| last.counts), "an export is over");
        }
        Ok(log)
    }

    /// What follows when a file was counted to its end.
    async fn judge(&self, export: &Export, of: &ExportLog, ran: &mut Ran) -> Result<ExportLog, RunError> {
        let Counts { compared, allowed_against_refusal, off_against_consent, .. } = of.counts;
        let share = compared.saturating_mul(u64::from(export.suspicious_percent)) / 100;
        let most = share.max(NEVER_SUSPICIOUS);
        if export.suspicious_percent < 100 && allowed_against_refusal.max(off_against_consent) > most {
            tracing::error!(
                brand = %self.brand.name,
                compared,
                allowed_against_refusal,
                off_against_consent,
                "so much differs at Insider that nothing was changed: compare the attributes' names and meanings"
            );
            return self.end(of, Outcome::Suspicious, ran).await;
        }
        let repairs = allowed_against_refusal > 0 || (off_against_consent > 0 && export.flag_off != FlagOff::Report);
        if !repairs {
            return self.end(of, Outcome::Agreed, ran).await;
        }
        let next = |log: &mut ExportLog| {
            log.stage = Stage::Repairing;
            log.row = 0;
        };
        Ok(self.change_if_still(of, next).await?.0)
    }

    async fn change(&self, change: impl FnMut(&mut ExportLog) -> bool) -> Result<ExportLog, RunError> {
        Ok(self.ledger.change_insider_export(&self.brand.name, change).await?.0)
    }

    /// Changes the log unless another run has gone on with it, or begun a new one; what stands then, and
    /// whether it was changed.
    async fn change_if_still(&self, of: &ExportLog, mut change: impl FnMut(&mut ExportLog)) -> Result<(ExportLog, bool), RunError> {
        let place = |log: &ExportLog| (log.stage, log.ordered_at, log.row);
        let changed = self.ledger.change_insider_export(&self.brand.name, |log: &mut ExportLog| {
            let still = place(log) == place(of);
            if still {
                change(log);
            }
            still
        });
        Ok(changed.await?)
    }

    /// Notes why a file could not be read, and for how long it is left alone.
    async fn leave(&self, of: &ExportLog, why: Option<String>, link: &Link) -> Result<(), RunError> {
        let now = (self.clock)();
        let until = later(now, FILE_PAUSE).min(link.until());
        self.change_if_still(of, |log| {
            log.not_before = Some(until);
            if let Some(why) = &why {
                log.trouble = Some(Trouble { at: now, why: why.clone() });
            }
        })
        .await?;
        Ok(())
    }
}
