//! A brand's book → ledger: what the operator's import does with a chunk of rows.
//!
//! The rows keep the rules of the consent API, but for what [`Teller::Book`] allows. Before a state is
//! written that has something to tell the registry, the registry is asked what it holds, a thousand addresses
//! at a time, so that only true differences become work ([`crate::consent::book`]). Order and repetition do
//! not matter: a row's name follows from its content, and what was not finished is named in the answer, to be
//! sent again.
//!
//! A registry that tells nothing of what it holds is asked nothing: what is in time goes out unasked, and a consent
//! that only its answer could confirm is refused as a row.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::patience::later;
use super::push::record;
use super::question::{Part, Question};
use super::reading;
use crate::answers::{ImportAnswer, ImportCounts, RefusedRow, Words};
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::book::{Findings, Terms, merged, needs_answer, wants_question};
use crate::consent::code::Code;
use crate::consent::plan::Policy;
use crate::consent::rules::{Teller, Violation};
use crate::consent::{Answer, Channel, ConsentKey, ConsentState, Merge, Movement, Outcome, RecipientType, Status, Sync, Target};
use crate::evidence::Payload;
use crate::ledger::{Booked, Ledger, LedgerError};
use crate::queue::Queues;
use crate::registry::{Barred, Registry, RegistryError};
use crate::telling;

/// How many keys are written at once.
const AT_ONCE: usize = 32;
/// How long what the ledger or the registry did not answer waits, in seconds.
const AGAIN: u64 = 5;
/// The longest wait that is named, in seconds: the caller's patience is no part of this.
const LONGEST: u64 = 3600;

/// The way from a brand's book into the ledger.
pub struct Import<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The queues.
    pub queues: &'a Queues,
    /// The brand.
    pub brand: &'a Brand,
    /// Where its consents are registered.
    pub registry: &'a dyn Registry,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after work that the rows open.
    pub grace: SignedDuration,
    /// Whether Insider is told of consents that the registry holds already.
    pub tell_insider: bool,
    /// Whether rows are only looked at: the registry is not asked, and nothing is written.
    pub dry_run: bool,
}

/// A row: its number, its movement and what that was made from.
type Row = (usize, Movement, Payload);

/// The rows of one key, the largest first.
struct Entry {
    rows: Vec<usize>,
    movements: Vec<Movement>,
    payloads: Vec<Payload>,
    before: Option<ConsentState>,
    /// What the rows make of it, as far as it was read.
    after: ConsentState,
    merges: Vec<Merge>,
    findings: Findings,
}

impl Import<'_> {
    /// Takes in the rows, each an object as the consent API takes it.
    pub async fn run(&self, rows: Vec<Value>) -> ImportAnswer {
        let now = (self.clock)();
        let mut answer = ImportAnswer { counts: ImportCounts { rows: rows.len() as u64, ..ImportCounts::default() }, ..Default::default() };
        let mut by_key = BTreeMap::<ConsentKey, Vec<Row>>::new();
        for (row, item) in rows.into_iter().enumerate() {
            let payload = Payload::of(item.to_string().as_bytes());
            match telling::read(item, self.brand, Teller::Book, now) {
                Ok(movement) => by_key.entry(movement.key.clone()).or_default().push((row, movement, payload)),
                Err(violation) => refuse(&mut answer, row, violation),
            }
        }
        let mut entries = match self.entries(by_key, now, &mut answer).await {
            Ok(entries) => entries,
            Err((rows, error)) => {
                unfinish(&mut answer, &rows, AGAIN, &error);
                Vec::new()
            }
        };
        if self.dry_run {
            self.tell_only(&entries, &mut answer);
        } else {
            entries = self.asked(entries, &mut answer).await;
            entries = self.barred(entries, &mut answer).await;
            self.record(entries, now, &mut answer).await;
        }
        answer.refused.sort_by_key(|refused| refused.row);
        answer.unfinished.rows.sort_unstable();
        answer.counts.rows -= answer.unfinished.rows.len() as u64;
        answer
    }

    fn terms(&self, channel: Channel) -> Terms {
        let late_ret_as_hs_karar = self.brand.iys.late_ret_as_hs_karar;
        Terms { policy: Policy { authorised: self.brand.authorises(channel), late_ret_as_hs_karar }, tell_insider: self.tell_insider }
    }

    /// Reads the states of the rows' keys and merges the rows into them.
    async fn entries(
        &self,
        by_key: BTreeMap<ConsentKey, Vec<Row>>,
        now: Timestamp,
        answer: &mut ImportAnswer,
    ) -> Result<Vec<Entry>, (Vec<usize>, LedgerError)> {
        let keys: Vec<_> = by_key.keys().cloned().collect();
        let reading = match reading::states(self.ledger, &keys).await {
            Ok(reading) => reading,
            Err(error) => return Err((by_key.into_values().flatten().map(|(row, ..)| row).collect(), error)),
        };
        let unreadable: HashSet<_> = reading.unreadable.into_iter().collect();
        let mut states: HashMap<_, _> = reading.states.into_iter().map(|state| (state.key.clone(), state)).collect();
        let mut entries = Vec::with_capacity(by_key.len());
        for (key, mut rows) in by_key {
            if unreadable.contains(&key) {
                rows.into_iter().for_each(|(row, ..)| refuse(answer, row, unreadable_state()));
                continue;
            }
            let before = states.remove(&key);
            if self.is_mute() {
                rows = self.answered_for(rows, before.as_ref(), now, answer);
            }
            rows.sort_by(|(_, a, _), (_, b, _)| b.head.outranks(&a.head).cmp(&a.head.outranks(&b.head)));
            let (mut numbers, mut movements, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
            for (number, movement, payload) in rows {
                numbers.push(number);
                movements.push(movement);
                payloads.push(payload);
            }
            if let Some((after, merges)) = merged(before.as_ref(), &movements, now, now) {
                let uncarried = self.registry.capabilities().refusal(&record(&after));
                let findings = Findings { is_mute: self.is_mute(), uncarried, ..Findings::default() };
                entries.push(Entry { rows: numbers, movements, payloads, before, after, merges, findings });
            }
        }
        Ok(entries)
    }

    /// Whether the registry tells nothing of what it holds.
    fn is_mute(&self) -> bool {
        self.registry.capabilities().onays_recipients == 0
    }

    /// Those of a key's rows of which something can be made where the registry tells nothing. A consent that only its
    /// answer could confirm is refused and leaves no trace: kept as none it would be taken back from everybody,
    /// although it may well stand there.
    fn answered_for(&self, rows: Vec<Row>, before: Option<&ConsentState>, now: Timestamp, answer: &mut ImportAnswer) -> Vec<Row> {
        let is_known = |movement: &Movement| {
            before.is_some_and(|before| before.registry_holds_onay() || before.head.event_id == movement.head.event_id)
        };
        let (refused, rest): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, movement, _)| needs_answer(movement, now) && !is_known(movement));
        refused.into_iter().for_each(|(row, movement, _)| refuse(answer, row, cannot_ask(&movement)));
        rest
    }

    /// What the rows would do, as far as the ledger tells.
    fn tell_only(&self, entries: &[Entry], answer: &mut ImportAnswer) {
        for entry in entries {
            let mut seen = HashSet::new();
            for (merge, movement) in entry.merges.iter().zip(&entry.movements) {
                let event = &movement.head.event_id;
                let is_told = !seen.insert(event) || entry.before.as_ref().is_some_and(|before| before.head.event_id == *event);
                count(&mut answer.counts, *merge, !is_told);
            }
            answer.counts.asked += u64::from(self.may_ask(entry));
        }
    }

    fn may_ask(&self, entry: &Entry) -> bool {
        !self.is_mute() && self.brand.authorises(entry.after.key.channel) && wants_question(entry.before.as_ref(), &entry.after)
    }

    /// Asks the registry about the keys that it has to be asked about. What it did not answer is unfinished;
    /// the rest comes back.
    async fn asked(&self, entries: Vec<Entry>, answer: &mut ImportAnswer) -> Vec<Entry> {
        let (mut ready, mut groups) = (Vec::with_capacity(entries.len()), BTreeMap::<(Channel, RecipientType), Vec<Entry>>::new());
        for entry in entries {
            if self.may_ask(&entry) {
                groups.entry((entry.after.key.channel, entry.after.key.recipient_type)).or_default().push(entry);
            } else {
                ready.push(entry);
            }
        }
        for (place, entries) in groups {
            let mut question = Question::new(self.registry, place, entries, |entry: &Entry| &entry.after.recipient);
            let mut is_answered = false;
            while let Some(part) = question.next(|| false).await {
                match part {
                    Part::Answered { told, untold } => {
                        is_answered = true;
                        answer.counts.asked += told.len() as u64;
                        ready.extend(told.into_iter().map(|(mut entry, held)| {
                            entry.findings.held = Some(held);
                            entry
                        }));
                        ready.extend(untold);
                    }
                    // On this channel it answers nothing now: what is held for that is found out below.
                    Part::Failed(entries, RegistryError::Held { .. }) => ready.extend(entries),
                    // One address alone, beside others that were answered: a verdict on its record will tell.
                    Part::Failed(entries, RegistryError::Defect { .. } | RegistryError::RefusedFor(_)) if is_answered => {
                        ready.extend(entries);
                    }
                    Part::Failed(entries, error) => {
                        tracing::warn!(%error, addresses = entries.len(), "the registry was asked in vain");
                        let seconds = match &error {
                            RegistryError::Busy { until, .. } => seconds_until(*until, (self.clock)()),
                            _ => AGAIN,
                        };
                        for entry in entries {
                            unfinish(answer, &entry.rows, seconds, &error);
                        }
                    }
                }
            }
        }
        ready
    }

    /// Finds out what cannot be sent now.
    async fn barred(&self, entries: Vec<Entry>, answer: &mut ImportAnswer) -> Vec<Entry> {
        let mut bars = HashMap::<(Channel, Status), Result<Option<Barred>, String>>::new();
        let mut ready = Vec::with_capacity(entries.len());
        for mut entry in entries {
            let kind = (entry.after.key.channel, entry.after.head.status);
            let bar = match bars.entry(kind) {
                MapEntry::Occupied(known) => known.into_mut(),
                MapEntry::Vacant(unknown) => unknown.insert(self.registry.barred(kind.0, kind.1).await.map_err(|error| error.to_string())),
            };
            match bar {
                Err(why) => {
                    unfinish(answer, &entry.rows, AGAIN, why);
                    continue;
                }
                Ok(Some(Barred { why, code, due })) => {
                    entry.findings.bar = Some(Answer::Held { why: *why, due: *due, code: code.clone() });
                }
                Ok(None) => {}
            }
            ready.push(entry);
        }
        ready
    }

    /// Writes what the rows make of the ledger, and messages for what they leave to do.
    async fn record(&self, entries: Vec<Entry>, now: Timestamp, answer: &mut ImportAnswer) {
        let due = later(now, self.grace);
        let (mut push, mut relay, mut held) = (Vec::new(), Vec::new(), Vec::new());
        let mut writes = futures::stream::iter(entries)
            .map(|entry| async move {
                let terms = self.terms(entry.after.key.channel);
                let rows: Vec<_> = entry.movements.iter().cloned().zip(entry.payloads.iter().copied()).collect();
                let booked = self.ledger.record_book(&rows, entry.before.as_ref(), &entry.findings, terms, now, due).await;
                (entry, booked)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((entry, booked)) = writes.next().await {
            let Booked { rows, state, is_written } = match booked {
                Ok(booked) => booked,
                Err(error) => {
                    tracing::error!(%error, "rows were not recorded");
                    unfinish(answer, &entry.rows, AGAIN, &error);
                    continue;
                }
            };
            for (merge, is_new) in rows {
                count(&mut answer.counts, merge, is_new);
            }
            let heads = entry.movements.iter().zip(&entry.rows).filter(|(movement, _)| movement.head.event_id == state.head.event_id);
            if let Some((_, row)) = heads.min_by_key(|(_, row)| **row) {
                end(answer, *row, &state);
            }
            if is_written {
                match state.registry {
                    Sync::Pending { .. } => push.push(state.key.clone()),
                    Sync::Held { .. } => held.push((state.key.clone(), state.head.status)),
                    _ => {}
                }
                if state.sync(Target::Insider).due().is_some() {
                    relay.push(state.key);
                }
            }
        }
        drop(writes);
        push.extend(self.let_go(held).await);
        let (pushed, relayed) = futures::join!(self.queues.push(push), self.queues.relay(relay));
        if let Err(error) = pushed.and(relayed) {
            tracing::warn!(%error, "no queue message was written: the sweep will find the work");
        }
    }

    /// What was held while it was being released elsewhere has missed the release: it goes on now.
    async fn let_go(&self, held: Vec<(ConsentKey, Status)>) -> Vec<ConsentKey> {
        let missed = async {
            let mut missed = Vec::new();
            if !held.is_empty() && self.registry.has_reopened().await? {
                for (key, status) in held {
                    if self.registry.barred(key.channel, status).await?.is_none() {
                        missed.push(key);
                    }
                }
            }
            Ok::<_, RegistryError>(missed)
        };
        missed.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether held work was released meanwhile is not known: the sweep will find it");
            Vec::new()
        })
    }
}

fn seconds_until(until: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(until.duration_since(now).as_secs()).unwrap_or(0).saturating_add(1).min(LONGEST)
}

fn unfinish(answer: &mut ImportAnswer, rows: &[usize], seconds: u64, why: &impl Display) {
    answer.unfinished.rows.extend(rows);
    answer.unfinished.seconds = answer.unfinished.seconds.max(seconds);
    answer.unfinished.why = why.to_string();
}

fn refuse(answer: &mut ImportAnswer, row: usize, Violation { field, code, message }: Violation) {
    *answer.counts.rejected.entry(code.to_owned()).or_default() += 1;
    let in_turkish = code.parse::<Code>().ok().and_then(|code| code.entry()).map(|entry| entry.cause().tr);
    let tr = in_turkish.map_or_else(|| ours_in_turkish(code, &message), str::to_owned);
    answer.refused.push(RefusedRow { row, code: code.to_owned(), field: field.to_owned(), rule: Words { en: message, tr }, kept: false });
}

/// Rules that İYS has no code for.
fn ours_in_turkish(code: &str, message: &str) -> String {
    match code {
        "externalId" => "externalId 1 ile 128 bayt arasında olmalı".to_owned(),
        LEDGER => "Bu adresin defterdeki kaydı okunamıyor; ayrıntı reconcile günlüğünde.".to_owned(),
        _ => message.to_owned(),
    }
}

/// Nothing tells whether the consent stands at the registry.
fn cannot_ask(movement: &Movement) -> Violation {
    let field = if movement.head.source.is_sendable() { "consentDate" } else { "source" };
    let (code, message) = Code::CANNOT_ASK.entry().map_or(("", ""), |entry| (entry.code, entry.cause().en));
    Violation { field, code, message: message.to_owned() }
}

const LEDGER: &str = "ledger";

fn unreadable_state() -> Violation {
    Violation {
        field: "",
        code: LEDGER,
        message: "the ledger's item of this address cannot be read; the log of reconcile says more".into(),
    }
}

/// As the consent API answers.
fn count(counts: &mut ImportCounts, merge: Merge, is_new: bool) {
    match (merge, is_new) {
        (Merge::Advanced, _) => counts.accepted += 1,
        (Merge::Superseded, true) => counts.superseded += 1,
        (Merge::Superseded | Merge::Repeated, _) => counts.duplicate += 1,
    }
}

/// Notes what a row came to that is the state of its key.
fn end(answer: &mut ImportAnswer, row: usize, state: &ConsentState) {
    let counts = &mut answer.counts;
    counts.to_insider += u64::from(state.insider.due().is_some());
    match &state.registry {
        Sync::Settled { outcome: Outcome::NotRegistered, .. } => counts.not_registered += 1,
        Sync::Settled { .. } => counts.at_iys += 1,
        Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Awaiting => counts.to_push += 1,
        Sync::Held { .. } => counts.held += 1,
        Sync::Rejected { code, .. } => {
            *counts.refused_at_iys.entry(code.clone()).or_default() += 1;
            let known = code.parse::<Code>().ok().and_then(|code| code.entry());
            let rule = known.map_or_else(|| Words { en: code.clone(), tr: code.clone() }, |entry| entry.cause().into());
            let field = if code == &Code::TOO_LATE.to_string() { "consentDate" } else { "" };
            answer.refused.push(RefusedRow { row, code: code.clone(), field: field.to_owned(), rule, kept: true });
        }
    }
}
