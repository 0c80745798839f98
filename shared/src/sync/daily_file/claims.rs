//! Ledger → file: what should have been in a day's file, and is not.
//!
//! Movements are found by the day of their receipt, in the index `day`. What the registry took on a day was
//! received on that day, or up to [`BACK`] days earlier; a day of receipt of which everything has ended before
//! is not read again ([`crate::ledger::Ledger::ended_days`]). So it costs as much as was received around the day.
//!
//! | Received | Claims to be in the day's file |
//! |---|---|
//! | by us, and ended as applied on the day | yes. The registry may have had it since an earlier day: where it told so itself, it does |
//! | from the registry, on the day or the next one, a person's act of that day | yes, but for closed lines, which carry another date |
//!
//! Of what is missing the key is marked as differing: verification asks for its record, and repairs by its rules.

use std::collections::HashMap;

use futures::StreamExt;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::acts::Acts;
use super::compare::{Day, DayError, Flow, PAGES_UNNOTED, READS_AT_ONCE, told_name};
use super::kind::Kind;
use crate::consent::check::Check;
use crate::consent::{ConsentDate, ConsentKey, ConsentState, Head, Origin, Outcome, Source};
use crate::evidence::day_of;
use crate::ledger::{DayStep, Ending, Ledger, LedgerError, Received};
use crate::sync::reading;

/// How many days before a file's day what is in it may have been received: three business days, with the
/// longest feasts and the weekends around them.
pub(super) const BACK: u32 = 10;
/// Movements of a page.
const PAGE: i32 = 500;
/// Keys that are marked at once: the index takes only so many writes in each of its partitions.
const MARKS_AT_ONCE: usize = 8;
/// How far the registry's clock, and the way there, may be from ours: what ends so short before midnight may be
/// the next day's.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// How long after its end everything that was received on a day is in the index.
const SETTLED: SignedDuration = SignedDuration::from_hours(3);
/// Keys of one comparison that the registry is asked about one by one; more are asked about by thousands.
const ONE_BY_ONE: u64 = 1000;
/// The source of refusals that carry the date of the consent that they end.
const CLOSED_LINE: &str = "IYS_AHS_HAT_KAPATMA";
/// How names of what the registry told begin.
const TOLD: &str = "iys-";

/// Something that should be in the file.
struct Claim {
    key: ConsentKey,
    head: Head,
    kind: Kind,
    transaction_id: Option<String>,
    /// Whether it can have come to the registry on no day but this one, as far as we know.
    is_exact: bool,
}

impl Day<'_> {
    /// Looks for what should be in the file, in the part that `acts` remembers.
    pub(super) async fn claims(&mut self, acts: &Acts) -> Result<Flow, DayError> {
        let first = self.day.saturating_sub(i64::from(BACK).days());
        let mut unnoted = 0;
        for partition in self.progress.repaired.partition..(BACK + 2) * Ledger::DAY_PARTITIONS {
            let received = first.saturating_add(i64::from(partition / Ledger::DAY_PARTITIONS).days());
            let begins_day = partition.is_multiple_of(Ledger::DAY_PARTITIONS);
            let mut after = Some(String::new());
            if self.progress.repaired.partition == partition {
                after = Some(self.progress.repaired.after.clone());
            }
            if begins_day && after.as_deref() == Some("") {
                (self.progress.is_open, self.progress.ended_on) = (false, None);
            }
            if self.ended.get(&received).is_some_and(|ended_on| *ended_on < self.day) {
                continue;
            }
            while let Some(at) = after.take() {
                let page = self.job.ledger.received(&self.job.brand.name, received, partition, &at, PAGE).await?;
                after = page.after.clone();
                let next = match &page.after {
                    Some(after) => DayStep { partition, after: after.clone() },
                    None => DayStep { partition: partition + 1, after: String::new() },
                };
                let missing = Box::pin(self.missing(acts, received, page.received)).await?;
                let differs = !missing.is_empty();
                if next > self.progress.counted {
                    for claim in &missing {
                        self.count(claim.kind, 1);
                    }
                    self.progress.counted = next.clone();
                    if differs && !self.keep_place().await? {
                        return Ok(Flow::Overtaken);
                    }
                }
                self.look_again(missing.into_iter().map(|claim| claim.key).collect()).await?;
                self.progress.repaired = next;
                unnoted += 1;
                let is_over = self.is_over();
                if is_over || unnoted >= PAGES_UNNOTED {
                    unnoted = 0;
                    if !self.keep_place().await? {
                        return Ok(Flow::Overtaken);
                    }
                }
                if is_over {
                    return Ok(Flow::Unfinished);
                }
            }
            if (partition + 1).is_multiple_of(Ledger::DAY_PARTITIONS) {
                self.note_ended(received).await?;
            }
        }
        Ok(Flow::Done)
    }

    /// Notes that a day of receipt need not be read again, if that is so.
    async fn note_ended(&self, received: Date) -> Result<(), LedgerError> {
        let now = self.now();
        let is_whole = received <= self.day && day_of(now.saturating_sub(SETTLED).unwrap_or(now)) > received;
        if self.progress.parts > 1 || self.progress.is_open || !is_whole {
            return Ok(());
        }
        let ended_on = self.progress.ended_on.unwrap_or(received);
        self.job.ledger.note_ended_day(&self.job.brand.name, received, ended_on, now).await
    }

    /// What should be in the file, of a page of what was received, and is not.
    async fn missing(&mut self, acts: &Acts, received: Date, page: Vec<Received>) -> Result<Vec<Claim>, LedgerError> {
        let concerns = |one: &Received| {
            let is_told = one.event_id.as_str().starts_with(TOLD);
            acts.is_of_part(&one.key.recipient_id) && if is_told { received >= self.day } else { received <= self.day }
        };
        let page: Vec<_> = page.into_iter().filter(concerns).collect();
        let keys: Vec<_> = page.iter().map(|one| one.key.clone()).collect();
        let states: HashMap<ConsentKey, ConsentState> =
            reading::states(self.job.ledger, &keys).await?.states.into_iter().map(|state| (state.key.clone(), state)).collect();
        let is_head = |one: &Received| states.get(&one.key).is_some_and(|state| state.head.event_id == one.event_id);
        // How the head of a state ended stands in the state; of the others, in the history.
        let (heads, others): (Vec<_>, Vec<_>) = page.into_iter().partition(is_head);
        let mut claims = Vec::new();
        for one in heads {
            let Some(state) = states.get(&one.key) else { continue };
            let ending = Ending::of_sync(&state.registry);
            self.progress.is_open |= ending.is_none() && state.registry.is_open();
            claims.extend(self.claim(received, one.key, state.head.clone(), ending));
        }
        for entry in self.job.ledger.movements(&others).await? {
            let key = entry.movement.key;
            // It may still end, if it was on its way when another took its place.
            let may_end = states.get(&key).is_some_and(|state| state.behind.is_some() || state.registry.is_open());
            self.progress.is_open |= entry.registry.is_none() && entry.movement.head.origin != Origin::Registry && may_end;
            claims.extend(self.claim(received, key, entry.movement.head, entry.registry));
        }
        claims.retain(|claim| !acts.holds(&claim.key, &claim.head));
        self.without_told(claims).await
    }

    /// What a movement claims of the file's day.
    fn claim(&mut self, received: Date, key: ConsentKey, head: Head, ending: Option<Ending>) -> Option<Claim> {
        let is_late = |at: Timestamp| at.checked_add(MARGIN).map(day_of).is_ok_and(|then| then != self.day);
        if head.origin == Origin::Registry {
            let is_persons = matches!(head.source, Source::Iys(_)) && head.source.as_str() != CLOSED_LINE;
            let at = head.consent_date.instant();
            let is_claim = received >= self.day && is_persons && day_of(at) == self.day && !is_late(at);
            return is_claim.then_some(Claim { key, head, kind: Kind::Unlisted, transaction_id: None, is_exact: true });
        }
        let ending = ending?;
        let day = day_of(ending.at);
        let is_claim = received <= self.day && day == self.day && ending.outcome == Some(Outcome::Applied);
        let is_exact = received == self.day && !is_late(ending.at);
        self.progress.ended_on = self.progress.ended_on.max(Some(day));
        is_claim.then_some(Claim { key, head, kind: Kind::Absent, transaction_id: ending.transaction_id, is_exact })
    }

    /// Leaves out what the registry itself told of and may have had since another day: that is another file's.
    async fn without_told(&self, claims: Vec<Claim>) -> Result<Vec<Claim>, LedgerError> {
        let mut checked = futures::stream::iter(claims)
            .map(|claim| async move {
                let is_elsewhere = claim.kind == Kind::Absent && self.was_told(&claim).await?;
                Ok::<_, LedgerError>((!is_elsewhere).then_some(claim))
            })
            .buffer_unordered(READS_AT_ONCE);
        let mut missing = Vec::new();
        while let Some(claim) = checked.next().await {
            missing.extend(claim?);
        }
        Ok(missing)
    }

    async fn was_told(&self, claim: &Claim) -> Result<bool, LedgerError> {
        let suffices = |told: &Head| !claim.is_exact || day_of(told.received_at) < self.day;
        let name = told_name(&claim.head, claim.transaction_id.as_deref());
        let by_name = self.job.ledger.movements(&[Received { key: claim.key.clone(), event_id: name }]).await?;
        if let Some(entry) = by_name.first() {
            return Ok(suffices(&entry.movement.head));
        }
        let history = self.job.ledger.history_of(&claim.key).await?;
        let told = |head: &Head| head.origin == Origin::Registry && head.is_same_act(&claim.head) && suffices(head);
        Ok(history.iter().any(|entry| told(&entry.movement.head)))
    }

    /// Has verification ask about keys.
    async fn look_again(&self, keys: Vec<ConsentKey>) -> Result<(), LedgerError> {
        if keys.is_empty() {
            return Ok(());
        }
        let count = |kind: Kind| self.progress.found.get(kind.as_str()).copied().unwrap_or_default();
        let now = self.now();
        let check = if count(Kind::Absent) + count(Kind::Unlisted) > ONE_BY_ONE {
            Check::Due(ConsentDate::at(now).instant())
        } else {
            Check::differs(now)
        };
        let states = reading::states(self.job.ledger, &keys).await?.states;
        let mut noted = futures::stream::iter(states.into_iter().filter(|state| !matches!(state.check, Check::Differs(_))))
            .map(|state| async move { self.job.ledger.note_check(&state, check).await })
            .buffer_unordered(MARKS_AT_ONCE);
        while let Some(done) = noted.next().await {
            // Who has written the state since has it compared within a day.
            done?;
        }
        Ok(())
    }
}
