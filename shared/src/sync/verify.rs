//! Verification: every key is compared with what the registry holds, in time, and what differs is repaired.
//!
//! Keys whose time has come are found in the index `check`, in each channel and recipient type refusals
//! first, and what changed before what was compared already. They are asked about by thousands; a list that
//! is not full waits a while for more. What the registry answers counts only for a state as it was read
//! before the question: one that another worker has written since stays due. So a run may end anywhere, be
//! repeated, or run twice at once.
//!
//! What differs is asked for one by one and repaired by rule ([`check::repair`]). How many such questions a
//! run may make is bounded; the rest is marked, and the next run begins with it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::isolate::caught;
use super::patience::later;
use super::push::{adopted, registry_head};
use super::question::{Part, Question};
use super::reading;
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::check::{self, Check, CheckEvery, Compared, Difference, Repair};
use crate::consent::{Answer, ConsentKey, ConsentState, Known, Merge, Status, Sync};
use crate::ledger::{CheckClass, CheckGroup, CheckPage, DifferenceCount, Ledger, LedgerError, Verification};
use crate::queue::Queues;
use crate::registry::{Capabilities, Registry, RegistryError};

/// The name of a run's lease.
const JOB: &str = "verify";
/// For how long after its last step a run keeps others away, should it not say that it ended.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Keys read at once from each shard of the index.
const PAGE: i32 = 250;
/// How many ledger writes run at once. The index takes only so many in each of its partitions.
const AT_ONCE: usize = 8;
/// How many records are asked for at once.
const FETCHES_AT_ONCE: usize = 4;

/// How much of the registry's allowance a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Most questions about many addresses.
    pub questions: usize,
    /// Most questions about one record.
    pub fetches: usize,
}

impl Share {
    /// A share, in percent, of what a registry lets a run of this length ask, and of an hour's questions about single
    /// records.
    pub fn of(offered: &Capabilities, percent: u32, length: SignedDuration) -> Self {
        let part = |whole: u64| to_usize((whole * u64::from(percent) / 100).max(1));
        let questions = u64::from(offered.questions_per_minute) * length.as_secs().unsigned_abs() / 60;
        Self { questions: part(questions), fetches: part(offered.fetches_per_hour.into()) }
    }

    /// What one of so many brands has of it.
    pub fn among(self, brands: usize) -> Self {
        let part = |whole: usize| (whole / brands.max(1)).max(1);
        Self { questions: part(self.questions), fetches: part(self.fetches) }
    }
}

/// How many of a brand's keys verification is late with. Where nothing can be compared, nothing is late for it.
///
/// # Errors
///
/// When the ledger does not answer.
pub async fn late(ledger: &Ledger, brand: &Brand, offered: &Capabilities, now: Timestamp) -> Result<u64, LedgerError> {
    match offered.onays_recipients {
        0 => Ok(0),
        _ => ledger.late_checks(&brand.name, CheckEvery(brand.iys.verify_days), now).await,
    }
}

/// Compares one brand's keys with its registry.
pub struct Verify<'a> {
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
    /// When the sweep looks after work that opens here.
    pub grace: SignedDuration,
    /// Whether lists that are not full go at once, too.
    pub at_once: bool,
    /// How much it may ask.
    pub share: Share,
    /// From when on nothing new is begun.
    pub stop_at: Timestamp,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// What it counted.
    pub counts: Verification,
    /// Whether nothing that was due is left, beside lists that wait for more.
    pub is_complete: bool,
}

/// One run.
struct Run<'a> {
    verify: &'a Verify<'a>,
    started: Timestamp,
    every: CheckEvery,
    /// What was compared before then is due.
    full_since: Option<Timestamp>,
    /// What is left of the share.
    questions: AtomicUsize,
    fetches: AtomicUsize,
}

/// What the work on a group or a list came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Done,
    /// Something is left that this run can do nothing about: the next group.
    Left,
    /// Nothing more in this run.
    Over,
}

/// A state that is due, and since when.
struct Waiting {
    state: ConsentState,
    overdue: SignedDuration,
}

impl Verify<'_> {
    /// Compares what is due. `None` when another worker is at it.
    pub async fn run(&self) -> Result<Option<Verified>, LedgerError> {
        let started = (self.clock)();
        let until = later(self.stop_at.max(started), LEASE);
        if !self.ledger.try_lease(&self.brand.name, JOB, started, until).await? {
            return Ok(None);
        }
        let verified = self.verify(started).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(&self.brand.name, JOB, until).await {
            tracing::warn!(%error, "the verification's lease was not given back");
        }
        verified.map(Some)
    }

    async fn verify(&self, started: Timestamp) -> Result<Verified, LedgerError> {
        if self.registry.capabilities().onays_recipients == 0 {
            tracing::info!(brand = %self.brand.name, "the registry does not tell what it holds: nothing is compared");
            return Ok(Verified::default());
        }
        let full_since = self.ledger.verification(&self.brand.name).await?.full_since;
        let run = Run {
            verify: self,
            started,
            every: CheckEvery(self.brand.iys.verify_days),
            full_since,
            questions: AtomicUsize::new(self.share.questions),
            fetches: AtomicUsize::new(self.share.fetches),
        };
        let mut verified = Verified { is_complete: true, ..Verified::default() };
        for group in CheckGroup::all().filter(|group| self.brand.authorises(group.channel)) {
            match Box::pin(run.group(group, &mut verified.counts)).await? {
                Flow::Done => {}
                Flow::Left => verified.is_complete = false,
                Flow::Over => {
                    verified.is_complete = false;
                    break;
                }
            }
        }
        let now = (self.clock)();
        let is_complete = verified.is_complete;
        self.ledger
            .change_verification(&self.brand.name, |so_far| {
                so_far.last_run = Some(now);
                if is_complete {
                    so_far.complete_at = Some(now);
                    // What was asked for meanwhile is another run's.
                    if full_since.is_some() && so_far.full_since == full_since {
                        so_far.full_since = None;
                        so_far.full_at = Some(now);
                    }
                }
                true
            })
            .await?;
        let counts = &verified.counts;
        if counts.questions + counts.fetches > 0 {
            tracing::info!(brand = %self.brand.name, questions = counts.questions, fetches = counts.fetches, compared = counts.compared, "compared with the registry");
        }
        for (kind, count) in &counts.differences {
            tracing::warn!(brand = %self.brand.name, kind, found = count.found, repaired = count.repaired(), kept = count.kept, "the registry differs from the ledger");
        }
        if full_since.is_some() {
            tracing::warn!(brand = %self.brand.name, is_complete, "everything is compared, because movements may have been missed");
        }
        Ok(verified)
    }
}

impl Run<'_> {
    fn now(&self) -> Timestamp {
        (self.verify.clock)()
    }

    fn is_over(&self) -> bool {
        self.now() >= self.verify.stop_at
    }

    fn due(&self) -> Timestamp {
        later(self.now(), self.verify.grace)
    }

    fn done(&self, state: &ConsentState) -> Check {
        match self.full_since {
            Some(_) => Check::done(self.now()),
            None => self.every.done(self.now(), &state.key.recipient_id),
        }
    }

    /// Until when the moment of a class's keys must lie for them to be due.
    fn until(&self, class: CheckClass) -> Timestamp {
        let before = |moment: Timestamp| moment.checked_sub(SignedDuration::from_millis(1)).unwrap_or(moment);
        match class {
            CheckClass::Differing | CheckClass::Changed => self.started,
            CheckClass::Compared => self.every.due_until(self.started).max(self.full_since.map_or(Timestamp::MIN, before)),
        }
    }

    /// How long a state has been due by now; `None` when it is not.
    fn overdue(&self, state: &ConsentState) -> Option<SignedDuration> {
        let (class, at) = match state.check {
            Check::Differs(at) => (CheckClass::Differing, at),
            Check::Due(at) => (CheckClass::Changed, at),
            Check::Done(at) => (CheckClass::Compared, at),
        };
        let until = self.until(class);
        (at <= until).then(|| until.duration_since(at))
    }

    /// Compares a group's keys.
    async fn group(&self, group: CheckGroup, counts: &mut Verification) -> Result<Flow, LedgerError> {
        let mut flow = Box::pin(self.differing(group, counts)).await?;
        if flow == Flow::Over {
            return Ok(flow);
        }
        let most = self.verify.registry.capabilities().onays_recipients.max(1);
        let mut waiting = Vec::<Waiting>::new();
        for class in [CheckClass::Changed, CheckClass::Compared] {
            for status in [Status::Ret, Status::Onay] {
                let mut page = Some(CheckPage::default());
                while let Some(at) = page.take() {
                    if self.is_over() {
                        return Ok(Flow::Over);
                    }
                    let due =
                        self.verify.ledger.due_checks(&self.verify.brand.name, group, (class, status), self.until(class), at, PAGE).await?;
                    page = due.next;
                    let keys: Vec<_> = due.keys.into_iter().map(|(key, _)| key).collect();
                    self.gather(&keys, &mut waiting).await?;
                    while waiting.len() >= most {
                        let list: Vec<_> = waiting.drain(..most).map(|waiting| waiting.state).collect();
                        match Box::pin(self.ask(group, list, counts)).await? {
                            Flow::Done => {}
                            stop => return Ok(stop),
                        }
                    }
                }
            }
        }
        let patient = |waiting: &Waiting| waiting.overdue < self.every.gathering();
        let can_wait = !self.verify.at_once && self.full_since.is_none() && waiting.iter().all(patient);
        if !waiting.is_empty() && !can_wait {
            let list = waiting.into_iter().map(|waiting| waiting.state).collect();
            let asked = Box::pin(self.ask(group, list, counts)).await?;
            flow = if asked == Flow::Done { flow } else { asked };
        }
        Ok(flow)
    }

    /// Reads states, and keeps those that are due and can be compared; the others are due later.
    async fn gather(&self, keys: &[ConsentKey], waiting: &mut Vec<Waiting>) -> Result<(), LedgerError> {
        let mut open = Vec::new();
        let known: HashSet<ConsentKey> = waiting.iter().map(|waiting| waiting.state.key.clone()).collect();
        for state in reading::states(self.verify.ledger, keys).await?.states {
            // The index may be a moment behind.
            let Some(overdue) = self.overdue(&state).filter(|_| !known.contains(&state.key)) else { continue };
            if check::is_comparable(&state, self.now()) {
                waiting.push(Waiting { state, overdue });
            } else {
                let again = Check::again(&state, self.now());
                open.push((state, again));
            }
        }
        self.note_all(open).await.map(|_| ())
    }

    /// Notes where states stand now; how many were noted.
    async fn note_all(&self, checks: Vec<(ConsentState, Check)>) -> Result<u64, LedgerError> {
        let mut notes = futures::stream::iter(checks)
            .map(|(state, check)| async move { self.verify.ledger.note_check(&state, check).await })
            .buffer_unordered(AT_ONCE);
        let mut noted = 0;
        while let Some(done) = notes.next().await {
            noted += u64::from(done?);
        }
        Ok(noted)
    }

    /// Asks about one list, and repairs what differs.
    async fn ask(&self, group: CheckGroup, list: Vec<ConsentState>, counts: &mut Verification) -> Result<Flow, LedgerError> {
        let mut flow = Flow::Done;
        let mut counted = Verification::default();
        let mut differing = Vec::new();
        let place = (group.channel, group.recipient_type);
        let mut question = Question::new(self.verify.registry, place, list, |state: &ConsentState| &state.recipient);
        while let Some(part) = question.next(|| self.is_over() || self.questions.load(Ordering::Relaxed) == 0).await {
            self.questions
                .store(self.verify.share.questions.saturating_sub(to_usize(counts.questions) + question.calls), Ordering::Relaxed);
            match part {
                Part::Answered { told, untold } => {
                    let mut noted: Vec<_> = untold.into_iter().map(|state| self.compared(state)).collect();
                    counted.unaskable += to_u64(noted.len());
                    for (state, holds_onay) in told {
                        match check::compare(&state, holds_onay) {
                            Compared::Agrees => noted.push(self.compared(state)),
                            Compared::RefusalStands => self.refusal_stands(&state, &mut counted).await?,
                            Compared::Differs(kind) => {
                                count(&mut counted, kind).found += 1;
                                differing.push(state);
                            }
                        }
                    }
                    counted.compared += self.note_all(noted).await? + to_u64(differing.len());
                }
                Part::Failed(states, error) => {
                    tracing::warn!(%error, keys = states.len(), "the registry was not compared with");
                    flow = self.failed(states, error).await?;
                    break;
                }
            }
        }
        counted.questions += to_u64(question.calls);
        if !question.into_rest().is_empty() && flow == Flow::Done {
            flow = Flow::Over;
        }
        let repaired = Box::pin(self.repair_all(differing, true, &mut counted)).await;
        self.count(&counted, counts).await;
        Ok(flow.max(repaired?))
    }

    fn compared(&self, state: ConsentState) -> (ConsentState, Check) {
        let done = self.done(&state);
        (state, done)
    }

    /// What follows from a question that was not answered.
    async fn failed(&self, states: Vec<ConsentState>, error: RegistryError) -> Result<Flow, LedgerError> {
        match error {
            RegistryError::Busy { .. } => Ok(Flow::Over),
            // It would stand in the way of all others, each time.
            RegistryError::Defect { .. } | RegistryError::RefusedFor(_) if states.len() == 1 => {
                let again = |state| (state, Check::first(self.now()));
                self.note_all(states.into_iter().map(again).collect()).await?;
                Ok(Flow::Left)
            }
            RegistryError::Ledger(error) => Err(error),
            _ => Ok(Flow::Left),
        }
    }

    /// A refusal that the registry would not have stands there all the same.
    async fn refusal_stands(&self, state: &ConsentState, counted: &mut Verification) -> Result<(), LedgerError> {
        let known = Some(Known::of(Status::Ret, None));
        let left = self.verify.ledger.learn_of_difference(state, known, None, self.now(), self.due()).await?;
        let count = count(counted, Difference::RefusedStands);
        count.found += 1;
        *(if left.is_some() { &mut count.adopted } else { &mut count.gone }) += 1;
        counted.compared += 1;
        Ok(())
    }

    /// Repairs what earlier runs found and had no question left for.
    async fn differing(&self, group: CheckGroup, counts: &mut Verification) -> Result<Flow, LedgerError> {
        for status in [Status::Ret, Status::Onay] {
            let mut page = Some(CheckPage::default());
            while let Some(at) = page.take() {
                if self.fetches.load(Ordering::Relaxed) == 0 || self.is_over() {
                    return Ok(Flow::Left);
                }
                let class = CheckClass::Differing;
                let due =
                    self.verify.ledger.due_checks(&self.verify.brand.name, group, (class, status), self.until(class), at, PAGE).await?;
                page = due.next;
                let keys: Vec<_> = due.keys.into_iter().map(|(key, _)| key).collect();
                let states = reading::states(self.verify.ledger, &keys).await?.states;
                let (mut open, mut differing) = (Vec::new(), Vec::new());
                for state in states.into_iter().filter(|state| matches!(state.check, Check::Differs(_))) {
                    if check::is_comparable(&state, self.now()) {
                        differing.push(state);
                    } else {
                        let again = Check::again(&state, self.now());
                        open.push((state, again));
                    }
                }
                self.note_all(open).await?;
                let mut counted = Verification::default();
                let repaired = Box::pin(self.repair_all(differing, false, &mut counted)).await;
                self.count(&counted, counts).await;
                match repaired? {
                    Flow::Done => {}
                    stop => return Ok(stop),
                }
            }
        }
        Ok(Flow::Done)
    }

    /// Asks for the records of states that differ, and repairs them, as far as the run may ask. Those that
    /// it may not are marked if they are not yet.
    async fn repair_all(&self, states: Vec<ConsentState>, mark: bool, counted: &mut Verification) -> Result<Flow, LedgerError> {
        let mut flow = Flow::Done;
        let mut marks = Vec::new();
        let (mut push, mut relay) = (Vec::new(), Vec::new());
        let mut repairs = futures::stream::iter(states)
            .map(|state| async move {
                let may_ask = self.fetches.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
                if !may_ask || self.is_over() {
                    return (state, None);
                }
                let repaired = self.repair(&state).await;
                (state, Some(repaired))
            })
            .buffer_unordered(FETCHES_AT_ONCE);
        let mut failed = None;
        while let Some((state, repaired)) = repairs.next().await {
            counted.fetches += u64::from(repaired.is_some());
            match repaired {
                Some(Ok((done, left))) => {
                    let count = count(counted, Difference::of(&state));
                    *match done {
                        Done::Adopted => &mut count.adopted,
                        Done::SentAgain => &mut count.sent_again,
                        Done::TakenBack => &mut count.taken_back,
                        Done::Kept => &mut count.kept,
                        Done::Gone => &mut count.gone,
                    } += 1;
                    push.extend(left.iter().filter(|left| matches!(left.registry, Sync::Pending { .. })).map(|left| left.key.clone()));
                    relay.extend(left.iter().filter(|left| left.insider.due().is_some()).map(|left| left.key.clone()));
                }
                Some(Err(RegistryError::Ledger(error))) => failed = Some(error),
                Some(Err(error)) => {
                    tracing::warn!(%error, "what the registry holds instead was not told");
                    // The allowance of this hour, or the brand's standing.
                    if matches!(error, RegistryError::Busy { .. } | RegistryError::Held { .. }) {
                        self.fetches.store(0, Ordering::Relaxed);
                    }
                    flow = Flow::Left;
                    marks.push(state);
                }
                None => {
                    flow = Flow::Left;
                    marks.push(state);
                }
            }
        }
        drop(repairs);
        // Messages first: what is repaired is durable and found by the sweep at the latest.
        let (pushed, relayed) = futures::join!(self.verify.queues.push(push), self.verify.queues.relay(relay));
        if let Err(error) = pushed.and(relayed) {
            tracing::warn!(%error, "no message for what verification opened: the sweep will find it");
        }
        if mark {
            let differs = |state| (state, Check::differs(self.now()));
            self.note_all(marks.into_iter().map(differs).collect()).await?;
        }
        failed.map_or(Ok(flow), Err)
    }

    /// Asks for one record and does what follows. What was done, and what it left.
    async fn repair(&self, state: &ConsentState) -> Result<(Done, Option<ConsentState>), RegistryError> {
        let key = &state.key;
        let offered = self.verify.registry.capabilities();
        let holding = match offered.holding {
            true => caught(self.verify.registry.holding(key.channel, key.recipient_type, &state.recipient)).await?,
            false => None,
        };
        let (now, ledger) = (self.now(), self.verify.ledger);
        let holding = holding.filter(|holding| !holding.misspelt);
        // A refusal that may be no record at all takes nothing back and is told to nobody; yet what it holds is not
        // known any more, so no message is allowed on it.
        let may_be_none = !offered.holding || !offered.holding_tells_none;
        if may_be_none && holding.as_ref().is_none_or(|holding| holding.status == Status::Ret) {
            let left = ledger.learn_of_difference(state, None, None, now, self.due()).await?;
            return Ok((if left.is_some() { Done::Kept } else { Done::Gone }, left));
        }
        let held = holding.clone().map(|holding| registry_head(holding, now));
        let learnt = match (check::repair(state, held.as_ref()), holding) {
            (Repair::Adopt, Some(holding)) => {
                let recorded = ledger.record(&adopted(state, holding, now), now, self.due()).await?;
                let changed = recorded.merge == Merge::Advanced || recorded.state.registry != state.registry;
                if recorded.state.check == state.check {
                    ledger.note_check(&recorded.state, self.done(state)).await?;
                }
                return Ok((if changed { Done::Adopted } else { Done::Gone }, Some(recorded.state)));
            }
            (Repair::SendAgain(known), _) => ledger.learn_of_difference(state, Some(known), None, now, self.due()).await?,
            (Repair::TakeBack(known, code), _) => {
                let answer = Answer::Rejected(code.to_string());
                let left = ledger.learn_of_difference(state, Some(known), Some(answer), now, self.due()).await?;
                return Ok((if left.is_some() { Done::TakenBack } else { Done::Gone }, left));
            }
            (Repair::Keep, _) => {
                ledger.note_check(state, self.done(state)).await?;
                return Ok((Done::Kept, None));
            }
            (Repair::AskAgain | Repair::Adopt, _) => {
                ledger.note_check(state, Check::again(state, now)).await?;
                return Ok((Done::Gone, None));
            }
        };
        Ok(match learnt {
            Some(left) if left.registry.is_open() => (Done::SentAgain, Some(left)),
            Some(left) => (Done::Kept, Some(left)),
            None => (Done::Gone, None),
        })
    }

    /// Adds to what was counted, here and for good. It is for people: a run that dies loses a little of it.
    async fn count(&self, counted: &Verification, counts: &mut Verification) {
        counts.add(counted);
        let add = |so_far: &mut Verification| {
            so_far.add(counted);
            *counted != Verification::default()
        };
        if let Err(error) = self.verify.ledger.change_verification(&self.verify.brand.name, add).await {
            tracing::warn!(%error, "what verification did was not counted");
        }
    }
}

/// What was done about a difference.
enum Done {
    Adopted,
    SentAgain,
    TakenBack,
    Kept,
    Gone,
}

impl Flow {
    fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::Over, _) | (_, Self::Over) => Self::Over,
            (Self::Left, _) | (_, Self::Left) => Self::Left,
            _ => Self::Done,
        }
    }
}

fn count(counted: &mut Verification, kind: Difference) -> &mut DifferenceCount {
    counted.differences.entry(kind.as_str().to_owned()).or_default()
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
