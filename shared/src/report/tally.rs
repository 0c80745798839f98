//! Counts a day's movements one by one, in memory that does not grow with them.
//!
//! How the head of a state ended stands in its state; how another movement ended stands in the history if it ended
//! before another one took its place. One without either was replaced before it had to be sent, or while it was:
//! then the one that took its place is what counts, and this one is in the row that says so.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::times::Stopwatch;
use super::{AsideLine, AtTarget, Delays, Fate, FateLine, LateLine, Lateness, Received, ReceivedLine, Refusals, SourceLine, Why, Word};
use crate::calendar;
use crate::consent::code::Hold;
use crate::consent::slack;
use crate::consent::{AsideReason, Channel, ConsentDate, EventId, Head, Origin, Outcome, Status, Sync, Target};
use crate::ledger::{Current, Ending, OfDay};

/// Most sources that are told apart; İYS adds to its own.
const SOURCES: usize = 60;

/// What a row is refused or held for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    code: Option<String>,
    hold: Option<&'static str>,
}

impl Cause {
    fn why(&self, target: Target) -> Why {
        let hold: Option<Hold> = self.hold.and_then(|word| serde_json::from_value(word.into()).ok());
        match (hold, &self.code) {
            (Some(hold), code) => Why::held(target, hold, code.as_deref()),
            (None, Some(code)) => Why::of_code(code),
            (None, None) => Why::default(),
        }
    }
}

/// How a movement stands at a target, and since when it is there, if it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    fate: Fate,
    cause: Cause,
    there_at: Option<Timestamp>,
}

impl Place {
    const fn of(fate: Fate) -> Self {
        Self { fate, cause: Cause { code: None, hold: None }, there_at: None }
    }

    fn settled(outcome: Outcome, at: Timestamp) -> Self {
        let fate = match outcome {
            Outcome::Applied => Fate::Applied,
            Outcome::AlreadyThere => Fate::AlreadyThere,
            Outcome::NotNeeded => Fate::NotNeeded,
            Outcome::NotRegistered => Fate::NotRegistered,
        };
        Self { there_at: Some(at), ..Self::of(fate) }
    }

    fn rejected(code: &str) -> Self {
        Self { cause: Cause { code: Some(Word::of(code).as_str().to_owned()), hold: None }, ..Self::of(Fate::Rejected) }
    }

    fn of_sync(sync: &Sync) -> Self {
        match sync {
            Sync::Settled { outcome, at, .. } => Self::settled(*outcome, *at),
            Sync::Rejected { code, .. } => Self::rejected(code),
            Sync::Pending { .. } => Self::of(Fate::Waiting),
            Sync::Submitted { .. } => Self::of(Fate::Submitted),
            Sync::Awaiting => Self::of(Fate::Awaiting),
            Sync::Held { why, code, .. } => {
                let code = code.as_deref().map(|code| Word::of(code).as_str().to_owned());
                Self { cause: Cause { code, hold: Some(hold_word(*why)) }, ..Self::of(Fate::Held) }
            }
        }
    }

    fn of_ending(ending: &Ending) -> Self {
        match (&ending.outcome, &ending.code) {
            (Some(outcome), _) => Self::settled(*outcome, ending.at),
            (None, code) => Self::rejected(code.as_deref().unwrap_or_default()),
        }
    }

    /// Where a movement stands.
    fn find(head: &Head, ending: Option<&Ending>, current: Option<&Current>, target: Target) -> Self {
        if let Some(state) = current.filter(|state| state.head.event_id == head.event_id) {
            return Self::of_sync(state.sync(target));
        }
        if let Some(ending) = ending {
            return Self::of_ending(ending);
        }
        let Some(state) = current else { return Self::of(Fate::Unmerged) };
        if state.head.event_id == EventId::of_correction(&head.event_id, &state.head.source) {
            let place = Self::of_sync(state.sync(target));
            let is_there = matches!(place.fate, Fate::Applied | Fate::AlreadyThere | Fate::NotNeeded);
            return if is_there { Self { fate: Fate::Corrected, ..place } } else { place };
        }
        if head.is_same_act(&state.head) {
            return Self::of(Fate::ToldAgain);
        }
        Self::of(match state.head.status {
            Status::Ret => Fate::ReplacedByRefusal,
            Status::Onay => Fate::ReplacedByConsent,
        })
    }
}

const fn hold_word(hold: Hold) -> &'static str {
    match hold {
        Hold::Authority => "authority",
        Hold::Subscription => "subscription",
        Hold::Quota => "quota",
        Hold::Configuration => "configuration",
        Hold::Credentials => "credentials",
    }
}

/// How a day's movements stand at one target.
#[derive(Debug, Clone, Default)]
struct Side {
    rows: BTreeMap<(Fate, Cause), (u64, u64)>,
    from_receipt: Stopwatch,
    from_consent_date: Stopwatch,
}

impl Side {
    fn add(&mut self, head: &Head, place: &Place) {
        let (onay, ret) = self.rows.entry((place.fate, place.cause.clone())).or_default();
        match head.status {
            Status::Onay => *onay += 1,
            Status::Ret => *ret += 1,
        }
        // A correction is measured as what it corrects.
        let Some(at) = place.there_at.filter(|_| matches!(place.fate, Fate::Applied | Fate::Corrected)) else { return };
        if head.origin == Origin::Correction {
            return;
        }
        self.from_receipt.add(head.status, milliseconds(head.received_at, at));
        // What a book dates may be years old.
        if head.origin != Origin::Import {
            self.from_consent_date.add(head.status, milliseconds(head.consent_date.instant(), at));
        }
    }

    fn read(self, target: Target) -> AtTarget {
        let line = |((fate, cause), (onay, ret)): ((Fate, Cause), (u64, u64))| FateLine { fate, onay, ret, why: cause.why(target) };
        AtTarget {
            rows: self.rows.into_iter().map(line).collect(),
            times: Delays { from_receipt: self.from_receipt.read(), from_consent_date: self.from_consent_date.read() },
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond() - from.as_millisecond()
}

/// The counts of a day.
#[derive(Debug, Clone)]
pub struct Tally {
    now: ConsentDate,
    movements: BTreeMap<(Channel, &'static str, Status), (Origin, u64)>,
    sources: BTreeMap<(String, Status), u64>,
    aside: BTreeMap<AsideReason, u64>,
    unreadable: u64,
    iys: Side,
    insider: Side,
    refusals: Refusals,
    late: BTreeMap<(Lateness, Cause), u64>,
}

impl Tally {
    /// Counts at a moment, by which what is open is late or not.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: ConsentDate::at(now),
            movements: BTreeMap::new(),
            sources: BTreeMap::new(),
            aside: BTreeMap::new(),
            unreadable: 0,
            iys: Side::default(),
            insider: Side::default(),
            refusals: Refusals::default(),
            late: BTreeMap::new(),
        }
    }

    /// Counts one movement of the day.
    pub fn add(&mut self, one: &OfDay) {
        let (channel, head, registry, insider, current) = match one {
            OfDay::Unreadable => {
                self.unreadable += 1;
                return;
            }
            OfDay::Aside(reason) => {
                *self.aside.entry(*reason).or_default() += 1;
                return;
            }
            OfDay::Movement { channel, head, registry, insider, current } => (*channel, head, registry, insider, current.as_ref()),
        };
        let (_, count) = self.movements.entry((channel, head.origin.as_str(), head.status)).or_insert((head.origin, 0));
        *count += 1;
        let source = Word::of(head.source.as_str()).as_str().to_owned();
        let is_known = self.sources.len() < SOURCES || self.sources.contains_key(&(source.clone(), head.status));
        let source = if is_known { source } else { Word::of("").as_str().to_owned() };
        *self.sources.entry((source, head.status)).or_default() += 1;

        let place = Place::find(head, registry.as_ref(), current, Target::Registry);
        self.iys.add(head, &place);
        self.insider.add(head, &Place::find(head, insider.as_ref(), current, Target::Insider));
        let told = !matches!(head.origin, Origin::Registry | Origin::Notice | Origin::Correction);
        if head.status == Status::Ret && told {
            self.refused(head, place);
        }
    }

    /// Counts a refusal that is bound for İYS.
    fn refused(&mut self, head: &Head, place: Place) {
        let refusals = &mut self.refusals;
        refusals.total += 1;
        let date = head.consent_date;
        let deadline = slack::deadline(date);
        match place.fate {
            Fate::Applied | Fate::AlreadyThere | Fate::NotNeeded | Fate::Corrected => {
                let at = place.there_at.map_or(self.now, ConsentDate::at);
                let within = |days| at <= ConsentDate::from_civil(calendar::add_business_days(date.civil(), days));
                if within(1) {
                    refusals.within1 += 1;
                } else if within(2) {
                    refusals.within2 += 1;
                } else if at <= deadline {
                    refusals.within3 += 1;
                } else {
                    refusals.late += 1;
                    self.note_late(head, deadline, Lateness::EndedLate, Cause::default());
                }
            }
            Fate::Held | Fate::Submitted | Fate::Waiting | Fate::Awaiting if self.now <= deadline => refusals.open_in_time += 1,
            Fate::Held | Fate::Submitted | Fate::Waiting | Fate::Awaiting => {
                refusals.open_late += 1;
                let reason = match place.fate {
                    Fate::Held => Lateness::Held,
                    Fate::Submitted => Lateness::Submitted,
                    _ => Lateness::Waiting,
                };
                self.note_late(head, deadline, reason, place.cause);
            }
            Fate::NotRegistered => refusals.nothing_to_refuse += 1,
            Fate::Rejected => refusals.rejected += 1,
            Fate::ReplacedByRefusal => refusals.replaced_by_refusal += 1,
            Fate::ReplacedByConsent => refusals.replaced_by_consent += 1,
            Fate::ToldAgain => refusals.told_again += 1,
            Fate::Unmerged => refusals.unmerged += 1,
        }
    }

    fn note_late(&mut self, head: &Head, deadline: ConsentDate, reason: Lateness, cause: Cause) {
        let reason = if ConsentDate::at(head.received_at) > deadline { Lateness::ReceivedLate } else { reason };
        *self.late.entry((reason, cause)).or_default() += 1;
    }

    /// What was counted: received, at İYS, at Insider, the refusals.
    pub fn read(self) -> (Received, AtTarget, AtTarget, Refusals) {
        let movement = |((channel, _, status), (origin, count))| ReceivedLine { channel, origin, status, count };
        let movements: Vec<_> = self.movements.into_iter().map(movement).collect();
        let aside: Vec<_> = self.aside.into_iter().map(|(reason, count)| AsideLine { reason, count }).collect();
        let counted = movements.iter().map(|line| line.count).chain(aside.iter().map(|line| line.count));
        let received = Received {
            total: counted.sum::<u64>() + self.unreadable,
            movements,
            sources: self
                .sources
                .into_iter()
                .map(|((source, status), count)| SourceLine { source: Word::of(&source), status, count })
                .collect(),
            aside,
            unreadable: self.unreadable,
        };
        let late = |((reason, cause), count): ((Lateness, Cause), u64)| LateLine { reason, count, why: cause.why(Target::Registry) };
        let refusals = Refusals { late_because: self.late.into_iter().map(late).collect(), ..self.refusals };
        (received, self.iys.read(Target::Registry), self.insider.read(Target::Insider), refusals)
    }
}

/// How a state stands, for the most urgent of those that wait.
pub(crate) fn fate_of(sync: &Sync) -> (Fate, Why) {
    let Place { fate, cause, .. } = Place::of_sync(sync);
    (fate, cause.why(Target::Registry))
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
