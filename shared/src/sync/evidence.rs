//! Closes the brands' days, and puts the evidence of one address together.
//!
//! A day is closed once it is over and nothing can still be on its way into it: what is received is written
//! within the time that a function may run, and the index follows within seconds. Closing reads the day's digests
//! in ascending order, which makes the root independent of who closes it and when, and writes the day once. A run
//! that ends anywhere leaves the day closed or not; the next one goes on from there.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::archive::{Archive, ArchiveError};
use crate::clock::Clock;
use crate::consent::{BrandName, Recipient, RecipientId};
use crate::evidence::tree::{Path, Tree};
use crate::evidence::{Because, Day, Digest, Export, FORMAT, Proven, Unproven, day_of};
use crate::ledger::{Kept, Ledger, LedgerError};

/// How long after its end a day is closed. Longer than any function runs.
pub const MARGIN: SignedDuration = SignedDuration::from_hours(3);
/// How far back the first run looks for a brand's first day.
const FIRST_LOOK: i64 = 30;

/// Why a day was not closed, or the evidence of an address not put together.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Closes days and shows evidence.
pub struct Notary<'a> {
    /// Where movements and days are.
    pub ledger: &'a Ledger,
    /// Where days are kept besides, if anywhere.
    pub archive: Option<&'a dyn Archive>,
    /// The clock.
    pub clock: &'a Clock,
}

/// The last day that is over for long enough to be closed.
fn last_over(now: Timestamp) -> Option<Date> {
    day_of(now.saturating_sub(MARGIN).unwrap_or(now)).yesterday().ok()
}

impl Notary<'_> {
    /// Closes all days of a brand that are over and not closed, in their order; how many.
    pub async fn close(&self, brand: &BrandName) -> Result<usize, EvidenceError> {
        let Some(until) = last_over((self.clock)()) else { return Ok(0) };
        let (mut previous, mut next) = match self.ledger.last_closed_day(brand).await? {
            Some(last) => {
                // A run may have ended between the two.
                self.keep(brand, &last).await?;
                (last.chained, last.day.tomorrow().ok())
            }
            None => (Digest::NONE, Some(self.first_day(brand, until).await?)),
        };
        let mut closed = 0;
        while let Some(day) = next.filter(|day| *day <= until) {
            let (root, _) = self.tree(brand, day, Tree::default()).await?.finish();
            let own = Day::after(previous, brand.as_str(), day, root);
            let stands = self.ledger.close_day(brand, &own).await?;
            if stands != own {
                tracing::error!(%brand, %day, "another run closed the day over other movements: one was written after the day was over");
            }
            self.keep(brand, &stands).await?;
            previous = stands.chained;
            next = day.tomorrow().ok();
            closed += 1;
        }
        if closed > 0 {
            tracing::info!(%brand, closed, "days closed");
        }
        Ok(closed)
    }

    /// The first day of the last weeks in which anything was received; the last one that is over, if there is none.
    async fn first_day(&self, brand: &BrandName, until: Date) -> Result<Date, EvidenceError> {
        for back in (1..FIRST_LOOK).rev() {
            let day = until.saturating_sub(back.days());
            if self.ledger.has_digests(brand, day).await? {
                return Ok(day);
            }
        }
        Ok(until)
    }

    async fn tree(&self, brand: &BrandName, day: Date, mut tree: Tree) -> Result<Tree, EvidenceError> {
        self.ledger.digests_of_day(brand, day, |digest| tree.push(digest)).await?;
        Ok(tree)
    }

    async fn keep(&self, brand: &BrandName, day: &Day) -> Result<(), EvidenceError> {
        let Some(archive) = self.archive else { return Ok(()) };
        let Day { day, count, root, chained } = day;
        let content = format!(
            "{{\"format\":\"iys-insider-sync day 1\",\"brand\":\"{brand}\",\"day\":\"{day}\",\"count\":{count},\"root\":\"{root}\",\"chained\":\"{chained}\"}}\n"
        );
        Ok(archive.keep(&format!("{brand}/{day}.json"), content.as_bytes()).await?)
    }

    /// The evidence of one address. `payloads` opens the digests of what its movements were made from.
    pub async fn export(
        &self,
        brand: &BrandName,
        recipient: &Recipient,
        id: &RecipientId,
        payloads: bool,
    ) -> Result<Export, EvidenceError> {
        let days = self.ledger.closed_days(brand).await?;
        let kept = self.ledger.kept_of(brand, id).await?;
        let mut movements = Vec::new();
        let mut unproven = Vec::new();
        // Movements come in the order of their receipt, so those of one day come together.
        let mut of_day: Vec<(Proven, Option<Date>)> = Vec::new();
        for one in kept {
            match proven(one, payloads) {
                Ok((movement, day)) => {
                    if of_day.first().is_some_and(|(_, before)| *before != day) {
                        movements.extend(self.with_paths(brand, &days, std::mem::take(&mut of_day)).await?);
                    }
                    of_day.push((movement, day));
                }
                Err(other) => unproven.push(other),
            }
        }
        movements.extend(self.with_paths(brand, &days, of_day).await?);
        Ok(Export {
            format: FORMAT.to_owned(),
            brand: brand.to_string(),
            address: recipient.expose().to_owned(),
            exported_at: (self.clock)(),
            movements,
            unproven,
            days,
        })
    }

    /// Movements of one day with their paths, if it is closed.
    async fn with_paths(
        &self,
        brand: &BrandName,
        days: &[Day],
        movements: Vec<(Proven, Option<Date>)>,
    ) -> Result<Vec<Proven>, EvidenceError> {
        let day = movements.first().and_then(|(_, day)| *day);
        let movements = movements.into_iter().map(|(movement, _)| movement);
        let Some(closed) = days.iter().find(|closed| Some(closed.day) == day) else { return Ok(movements.collect()) };
        let mut movements: Vec<Proven> = movements.collect();
        let wanted = movements.iter().filter_map(|movement| movement.digest.parse().ok());
        let (_, paths) = self.tree(brand, closed.day, Tree::with_paths_of(wanted)).await?.finish();
        for movement in &mut movements {
            let path = movement.digest.parse::<Digest>().ok().and_then(|digest| paths.get(&digest));
            if let Some(Path { index, hashes }) = path {
                movement.index = Some(*index);
                movement.path = hashes.clone();
            }
        }
        Ok(movements)
    }
}

/// A movement as the file has it, still without its path, and the day of its receipt.
fn proven(kept: Kept, payloads: bool) -> Result<(Proven, Option<Date>), Unproven> {
    let because = if kept.digest.is_some() { Because::Unreadable } else { Because::NoDigest };
    let (Some(form), Some((digest, salt))) = (kept.form, kept.digest) else {
        let shown = kept.shown;
        return Err(Unproven {
            because,
            status: shown.status,
            channel: shown.channel,
            consent_date: shown.consent_date,
            received_at: shown.received_at,
        });
    };
    let day = form.received_at.parse::<Timestamp>().ok().map(day_of);
    let movement = Proven {
        form: form.text(),
        digest,
        index: None,
        path: Vec::new(),
        payload_salt: (payloads && !form.payload.is_empty()).then_some(salt),
        iys: kept.registry,
        insider: kept.insider,
    };
    Ok((movement, day))
}
