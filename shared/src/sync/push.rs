//! Ledger → registry: what `iys-push` does with the keys that its messages name.
//!
//! For every key the current state is read, and [`plan::next_step_unasked`] says what to do. Few records
//! go as single adds with an immediate verdict, many as bulk submissions that are written ahead
//! ([`super::bulk`]). Running it twice, or dying anywhere within and running it again, ends in the
//! same place: an identical add is answered by the registry with its first verdict, and what was
//! learnt before sending (that the registry holds an ONAY) is kept, so that no RET is taken for
//! unneeded after it has landed.
//!
//! A run that has no time left begins nothing new: what it has not come to is among the failed keys,
//! whose messages come again.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::isolate::caught;
use super::patience::{HELD_RETRY, SHORT_WAIT, growing, later};
use super::road::Former;
use super::{bulk, question, reading};
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::code::{self, Code, Disposition, RetryAfter};
use crate::consent::plan::{self, Policy, Step};
use crate::consent::{
    Answer, Channel, ConsentDate, ConsentKey, ConsentState, EventId, Head, Known, Movement, Origin, Outcome, RecipientType, Retailers,
    Source, Status, Sync, Target, slack,
};
use crate::ledger::{Ledger, Member};
use crate::queue::Queues;
use crate::registry::{Authority, Barred, Holding, Record, Registry, RegistryError, Verdict};

/// Most records that go as single adds; more go as a bulk submission.
pub const SINGLE_ADDS: usize = 20;
/// How many single adds and ledger writes run at once.
pub(super) const AT_ONCE: usize = 16;
/// How many steps one key may take in one run: ask, correct, adopt and send are four.
const ROUNDS: usize = 6;
/// For how many rounds a run collects what is to be sent while other keys still need a step before,
/// so that refusals among those go first and all go together.
const COLLECTING: usize = 3;
/// When a record is sent again that the registry did not take for a passing fault of its own.
const FAULT_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// When a record is sent again that came over the registry's hourly allowance.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The way from the ledger to one brand's registry.
pub struct Push<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The queues.
    pub queues: &'a Queues,
    /// The brand.
    pub brand: &'a Brand,
    /// Where its consents are registered.
    pub registry: &'a dyn Registry,
    /// Where they were before, and what was handed in may still be under way.
    pub former: Option<Former<'a>>,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after work that this run leaves open.
    pub grace: SignedDuration,
    /// How long to wait before asking for bulk results.
    pub result_wait: SignedDuration,
    /// From when on nothing new is begun. What is under way then may take as long as a list with its
    /// writes, its turn and its answer does.
    pub stop_at: Timestamp,
}

/// What one run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Keys whose message must come again.
    pub failed: HashSet<ConsentKey>,
    /// How many keys were settled, refused, held or submitted.
    pub finished: usize,
}

/// How the keys of a run came out so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) failed: HashSet<ConsentKey>,
    pub(super) finished: usize,
    /// States that need another step.
    pub(super) again: Vec<ConsentState>,
    /// States of which the registry has to be asked once more, because of its verdict.
    doubtful: Vec<(ConsentState, Question)>,
    /// Keys of which it was asked in this run.
    asked: HashSet<ConsentKey>,
    /// Keys that it answers no question about: they are sent unasked, because an answer to a question judges
    /// no record.
    unaskable: HashSet<ConsentKey>,
    /// Keys that Insider has something to be told of.
    for_insider: Vec<ConsentKey>,
    /// What was held in this run.
    held: Vec<Member>,
}

/// What one step did to a key.
pub(super) struct Done {
    next: Next,
    /// Whether Insider has something to be told now.
    for_insider: bool,
}

/// Where one key stands after a step.
enum Next {
    Nothing,
    Step(Box<ConsentState>),
    /// The same, and what the registry was asked before does not count.
    Anew(Box<ConsentState>),
    Ask(Box<ConsentState>, Question),
    Failure,
}

/// Why the registry is asked whether it holds an ONAY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// The plan says so: nothing was sent yet.
    Plan,
    /// It called the record too late, which may stand there from before.
    Late,
    /// It holds something as new as the record, which may be the record itself.
    Newer,
}

impl From<Next> for Done {
    fn from(next: Next) -> Self {
        Self { next, for_insider: false }
    }
}

impl Done {
    /// A step that left this state: with or without another step to come.
    fn left(state: ConsentState, more: bool) -> Self {
        let for_insider = state.insider.due().is_some();
        Self { next: if more { Next::Step(Box::new(state)) } else { Next::Nothing }, for_insider }
    }
}

impl Tally {
    /// A state is not as it was read any more: what is still open is looked at again, the rest another
    /// worker has handed in or settled meanwhile.
    pub(super) fn moved_on(&mut self, state: ConsentState) {
        match state.registry {
            Sync::Pending { .. } | Sync::Held { .. } => self.again.push(state),
            _ => self.finished += 1,
        }
    }
}

impl Push<'_> {
    /// Brings the registry to the state of these keys.
    pub async fn run(&self, keys: &[ConsentKey]) -> Report {
        let mut report = Report::default();
        let mut open = match reading::states(self.ledger, keys).await {
            Ok(reading) => {
                report.failed.extend(reading.unreadable);
                reading.states
            }
            Err(error) => {
                tracing::warn!(%error, keys = keys.len(), "states were not read");
                report.failed.extend(keys.iter().cloned());
                return report;
            }
        };
        // A bulk submission that is under way is looked after by its own message.
        open.retain(|state| !matches!(state.registry, Sync::Submitted { .. }));
        let mut tally = Tally::default();
        open = self.hold_barred(open, &mut tally).await;
        open.append(&mut tally.again);
        open = self.not_behind(open, &mut tally).await;
        for round in 0..ROUNDS {
            if open.is_empty() || self.is_over() {
                break;
            }
            Box::pin(self.round(round, open, &mut tally)).await;
            self.tell_insider(&mut tally).await;
            open = std::mem::take(&mut tally.again);
        }
        self.let_go(&mut tally).await;
        report.finished += tally.finished;
        report.failed.extend(tally.failed);
        if self.is_over() && !open.is_empty() {
            tracing::warn!(keys = open.len(), "no time is left for these keys: their messages come again");
        }
        report.failed.extend(open.into_iter().map(|state| state.key));
        report
    }

    /// Whether nothing new may be begun.
    pub(super) fn is_over(&self) -> bool {
        (self.clock)() >= self.stop_at
    }

    /// Those of the states that need not wait. Where an older movement of the key is in a submission whose
    /// result is to come, asking would tell nothing yet, and sending could arrive before it: whoever reads
    /// the result calls for the key. After a day without one it waits no longer.
    async fn not_behind(&self, states: Vec<ConsentState>, tally: &mut Tally) -> Vec<ConsentState> {
        let (waiting, mut free): (Vec<_>, Vec<_>) = states.into_iter().partition(|state| state.behind.is_some());
        let mut groups = BTreeMap::<String, Vec<ConsentState>>::new();
        for state in waiting {
            groups.entry(state.behind.clone().unwrap_or_default()).or_default().push(state);
        }
        let now = (self.clock)();
        for (submission, states) in groups {
            match self.ledger.submission_head(&self.brand.name, &submission).await {
                Ok(Some(head)) if now.duration_since(head.created_at) < bulk::RESEND_AFTER => tally.finished += states.len(),
                Ok(_) => free.extend(states),
                Err(error) => self.all_failed(&members(&states), error.into(), tally).await,
            }
        }
        free
    }

    /// Holds the work that is known not to be taken now, without a call; what may go on comes back.
    async fn hold_barred(&self, open: Vec<ConsentState>, tally: &mut Tally) -> Vec<ConsentState> {
        let mut bars = HashMap::new();
        let (mut free, mut barred) = (Vec::with_capacity(open.len()), Vec::new());
        for state in open {
            if !matches!(state.registry, Sync::Pending { .. } | Sync::Held { .. }) {
                free.push(state);
                continue;
            }
            let kind = (state.key.channel, state.head.status);
            let bar = match bars.get(&kind) {
                Some(known) => Ok(known),
                None => self.registry.barred(kind.0, kind.1).await.map(|bar| &*bars.entry(kind).or_insert(bar)),
            };
            match bar {
                Ok(None) => free.push(state),
                Ok(Some(bar)) => barred.push((state, bar.clone())),
                Err(error) => self.all_failed(&[member(&state)], error, tally).await,
            }
        }
        let mut notes = futures::stream::iter(barred)
            .map(|(state, Barred { why, code, due })| async move {
                // Held for it already: there is nothing to write.
                let told = matches!(&state.registry, Sync::Held { why: for_what, code: by, due: at, .. }
                    if *for_what == why && *by == code && *at > self.due());
                let done = match told {
                    true => Ok(Next::Nothing.into()),
                    false => self.answer(&state, Answer::Held { why, due, code }).await,
                };
                (member(&state), done)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = notes.next().await {
            self.note(&member, done, tally).await;
            tally.held.push(member);
        }
        free
    }

    /// What was held while it was being released elsewhere has missed the release: it goes on now.
    async fn let_go(&self, tally: &mut Tally) {
        let held = std::mem::take(&mut tally.held);
        if held.is_empty() {
            return;
        }
        let missed = async {
            let mut missed = Vec::new();
            if self.registry.has_reopened().await? {
                for member in held {
                    if self.registry.barred(member.key.channel, member.sent.status).await?.is_none() {
                        missed.push(member.key);
                    }
                }
                self.reopen(&missed).await?;
            }
            Ok::<_, RegistryError>(())
        };
        if let Err(error) = missed.await {
            tracing::warn!(%error, "whether held work was released meanwhile is not known: the sweep will find it");
        }
    }

    /// One step for each state.
    async fn round(&self, round: usize, mut open: Vec<ConsentState>, tally: &mut Tally) {
        urgent_first(&mut open);
        let (mut ask, mut send, mut simple) = (Vec::new(), Vec::new(), Vec::new());
        let now = (self.clock)();
        for state in open {
            let asked = tally.asked.contains(&state.key);
            let next_step = if asked { plan::next_step } else { plan::next_step_unasked };
            match next_step(&state, self.policy(&state), now) {
                Step::Ask if tally.unaskable.contains(&state.key) => send.push(state),
                Step::Nothing => tally.finished += 1,
                Step::Ask => ask.push((state, Question::Plan)),
                Step::Send => send.push(state),
                step => simple.push((state, step)),
            }
        }
        let mut steps = futures::stream::iter(simple)
            .map(|(state, step)| async move { (member(&state), self.step(state, step, now).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = steps.next().await {
            self.note(&member, done, tally).await;
        }
        drop(steps);
        if !ask.is_empty() {
            Box::pin(self.ask(ask, tally)).await;
        }
        if round < COLLECTING && !tally.again.is_empty() {
            tally.again.extend(send);
        } else if !send.is_empty() {
            Box::pin(self.send(send, tally)).await;
        }
        self.ask_doubtful(tally).await;
    }

    pub(super) fn policy(&self, state: &ConsentState) -> Policy {
        Policy { authorised: self.brand.authorises(state.key.channel), late_ret_as_hs_karar: self.brand.iys.late_ret_as_hs_karar }
    }

    pub(super) fn due(&self) -> Timestamp {
        later((self.clock)(), self.grace)
    }

    /// Notes how one key's step went.
    pub(super) async fn note(&self, member: &Member, done: Result<Done, RegistryError>, tally: &mut Tally) {
        let done = match done {
            Ok(done) => done,
            Err(error) => return self.all_failed(std::slice::from_ref(member), error, tally).await,
        };
        if done.for_insider {
            tally.for_insider.push(member.key.clone());
        }
        match done.next {
            Next::Nothing => tally.finished += 1,
            Next::Step(state) => tally.again.push(*state),
            Next::Anew(state) => {
                tally.asked.remove(&state.key);
                tally.moved_on(*state);
            }
            Next::Ask(state, question) => tally.doubtful.push((*state, question)),
            Next::Failure => {
                tally.failed.insert(member.key.clone());
            }
        }
    }

    /// The steps that concern one key alone.
    async fn step(&self, state: ConsentState, step: Step, now: Timestamp) -> Result<Done, RegistryError> {
        match step {
            Step::Settle(outcome) => self.answer(&state, Answer::Settled { outcome, transaction_id: None }).await,
            Step::Reject(code) => self.answer(&state, Answer::Rejected(code.to_string())).await,
            Step::Hold(why) => self.answer(&state, Answer::Held { why, due: later(now, HELD_RETRY), code: None }).await,
            Step::Wait(until) => self.answer(&state, Answer::Postponed { due: later(until, SignedDuration::from_secs(1)) }).await,
            Step::Correct(movement) => self.adopt(&movement).await,
            Step::Adopt => self.fetch(&state).await,
            Step::Nothing | Step::Ask | Step::Send => Ok(Next::Step(Box::new(state)).into()),
        }
    }

    /// Asks about what the registry's verdicts have left in doubt.
    pub(super) async fn ask_doubtful(&self, tally: &mut Tally) {
        let doubtful = std::mem::take(&mut tally.doubtful);
        if !doubtful.is_empty() {
            Box::pin(self.ask(doubtful, tally)).await;
        }
    }

    /// Asks which of these addresses hold an ONAY at the registry.
    async fn ask(&self, states: Vec<(ConsentState, Question)>, tally: &mut Tally) {
        if self.registry.capabilities().onays_recipients == 0 {
            return self.without_answer(states, tally).await;
        }
        let mut groups = BTreeMap::<(Channel, RecipientType), Vec<(ConsentState, Question)>>::new();
        for asked in states {
            groups.entry((asked.0.key.channel, asked.0.key.recipient_type)).or_default().push(asked);
        }
        // Should the time not be enough for all questions, the most urgent were asked.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, states)| states.first().map(|(state, _)| urgency(state)));
        for (place, states) in groups {
            let mut asking = question::Question::new(self.registry, place, states, |(state, _)| &state.recipient);
            while let Some(part) = asking.next(|| self.is_over()).await {
                let (told, untold) = match part {
                    question::Part::Answered { told, untold } => (told, untold),
                    question::Part::Failed(states, error) => {
                        let members: Vec<_> = states.iter().map(|(state, _)| member(state)).collect();
                        self.all_failed(&members, error, tally).await;
                        continue;
                    }
                };
                // A copy may not show yet what a refusal is to lift: that it has no consent is no answer.
                let is_copy = self.registry.capabilities().authority == Authority::Mirror;
                let (unseen, told): (Vec<_>, Vec<_>) =
                    told.into_iter().partition(|((state, _), held)| is_copy && !held && state.head.status == Status::Ret);
                self.without_answer(unseen.into_iter().map(|(asked, _)| asked).collect(), tally).await;
                tally.asked.extend(told.iter().map(|((state, _), _)| state.key.clone()));
                tally.unaskable.extend(untold.iter().map(|(state, _)| state.key.clone()));
                let told = told.into_iter().map(|(asked, held)| (asked, Ok(held)));
                let untold = untold.into_iter().map(|asked| (asked, Err(())));
                let mut answers = futures::stream::iter(told.chain(untold))
                    .map(|((state, question), answer)| async move {
                        let done = match answer {
                            Ok(held) => self.told_of_onay(&state, question, held).await,
                            Err(()) => self.not_told(&state, question).await,
                        };
                        (member(&state), done)
                    })
                    .buffer_unordered(AT_ONCE);
                while let Some((member, done)) = answers.next().await {
                    self.note(&member, done, tally).await;
                }
            }
            tally.failed.extend(asking.into_rest().into_iter().map(|(state, _)| state.key));
        }
    }

    /// The registry does not answer: what is in time goes out unasked, and what is too late has nothing to stand
    /// on.
    async fn without_answer(&self, states: Vec<(ConsentState, Question)>, tally: &mut Tally) {
        for (state, question) in states {
            tally.unaskable.insert(state.key.clone());
            let done = match question {
                Question::Plan if plan::is_too_late(&state, (self.clock)()) => self.late_without_answer(state.clone()).await,
                question => self.not_told(&state, question).await,
            };
            self.note(&member(&state), done, tally).await;
        }
    }

    /// What becomes of a record that is too late, where nobody tells what the registry holds.
    async fn late_without_answer(&self, state: ConsentState) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        let step = match state.head.status {
            Status::Ret => plan::late_refusal(&state, self.policy(&state), now),
            Status::Onay => Step::Reject(Code::TOO_LATE),
        };
        self.step(state, step, now).await
    }

    /// The registry answers no question about an address, for what it is.
    async fn not_told(&self, state: &ConsentState, question: Question) -> Result<Done, RegistryError> {
        match question {
            // Its verdict on the record will say what it makes of the address.
            Question::Plan => Ok(Next::Step(Box::new(state.clone())).into()),
            Question::Late => self.answer(state, Answer::Rejected(Code::TOO_LATE.to_string())).await,
            // It says that it holds something newer all the same.
            Question::Newer => self.fetch(state).await,
        }
    }

    /// The registry said whether it holds an ONAY.
    async fn told_of_onay(&self, state: &ConsentState, question: Question, held: bool) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        // The answer says no date; one that the registry told before still holds.
        let onay = state.known.filter(|known| known.status == Status::Onay && !known.tied).unwrap_or(Known::of(Status::Onay, None));
        let settled = |outcome| Some(Answer::Settled { outcome, transaction_id: None });
        let rejected = |code: Code| Some(Answer::Rejected(code.to_string()));
        let (known, answer) = match (question, state.head.status, held) {
            // Which dealers stand there is not told.
            (Question::Newer, Status::Onay, true) if state.head.retailers.is_empty() => (Some(onay), settled(Outcome::AlreadyThere)),
            (Question::Newer, Status::Ret, false) if state.head.retailers.is_empty() => {
                (Some(Known::of(Status::Ret, None)), settled(Outcome::AlreadyThere))
            }
            (Question::Newer, ..) => return self.fetch(state).await,
            (_, Status::Onay, true) => (Some(onay), settled(Outcome::AlreadyThere)),
            (Question::Plan, Status::Ret, true) => (Some(onay), None),
            (Question::Late, Status::Ret, true) if plan::may_become_hs_karar(state, self.policy(state), now) => {
                return self.adopt(&plan::as_hs_karar(state, now)).await;
            }
            (Question::Late, Status::Ret, true) => (Some(onay), rejected(Code::TOO_LATE)),
            (_, _, false) => match plan::without_onay(state) {
                Ok(outcome @ Outcome::AlreadyThere) => (Some(Known::of(Status::Ret, None)), settled(outcome)),
                Ok(outcome) => (None, settled(outcome)),
                Err(code) => (state.known, rejected(code)),
            },
        };
        let wants_more = answer.is_none();
        match self.ledger.learn(state, known, answer, now, self.due()).await? {
            Some(left) => Ok(Done::left(left, wants_more)),
            // What was asked may be older than what was written since: it is looked at, and asked, anew.
            None => Ok(self.ledger.state(&state.key).await?.map_or(Next::Failure, |state| Next::Anew(Box::new(state))).into()),
        }
    }

    /// Sends records: refusals first, then what is due first.
    async fn send(&self, states: Vec<ConsentState>, tally: &mut Tally) {
        let mut states = self.carried(states, tally).await;
        urgent_first(&mut states);
        let offered = self.registry.capabilities();
        if !offered.single {
            Box::pin(self.submit(states, false, tally)).await;
            return;
        }
        let most = offered.bulk_records;
        if most == 0 {
            self.add_each(&states, false, tally).await;
            return;
        }
        // What the sweep brought back may stand at the registry already, from a submission that was
        // never answered. Handed in in bulk again it is known there; a single add would be refused.
        let few = states.iter().filter(|state| !was_brought_back(state)).count() <= SINGLE_ADDS;
        let (single, bulk): (Vec<_>, Vec<_>) = states.into_iter().partition(|state| few && !was_brought_back(state));
        // What was brought back has usually waited for longer.
        let bulk = match (single.first(), bulk.first()) {
            (Some(one), Some(many)) if urgency(many) < urgency(one) => {
                Box::pin(self.submit(bulk, false, tally)).await;
                Vec::new()
            }
            _ => bulk,
        };
        for chunk in single.chunks(AT_ONCE) {
            if self.is_over() {
                tally.failed.extend(chunk.iter().map(|state| state.key.clone()));
                continue;
            }
            let states = self.not_taken_on(chunk, tally).await;
            self.add_each(&states, false, tally).await;
        }
        Box::pin(self.submit(bulk, false, tally)).await;
    }

    /// Those of the states whose record the registry carries at all. The others are refused without a call.
    async fn carried(&self, states: Vec<ConsentState>, tally: &mut Tally) -> Vec<ConsentState> {
        let offered = self.registry.capabilities();
        let mut carried = Vec::with_capacity(states.len());
        for state in states {
            match offered.refusal(&record(&state)) {
                None => carried.push(state),
                Some(code) => {
                    let done = self.answer(&state, Answer::Rejected(code.to_string())).await;
                    self.note(&member(&state), done, tally).await;
                }
            }
        }
        carried
    }

    /// Those of the states that are still as they were read. What another worker handed in in bulk in
    /// the meantime would be refused here; what has moved on is looked at again.
    async fn not_taken_on(&self, states: &[ConsentState], tally: &mut Tally) -> Vec<ConsentState> {
        let keys: Vec<_> = states.iter().map(|state| state.key.clone()).collect();
        let now: HashMap<ConsentKey, ConsentState> = match reading::states(self.ledger, &keys).await {
            Ok(reading) => reading.states.into_iter().map(|state| (state.key.clone(), state)).collect(),
            Err(error) => {
                self.all_failed(&members(states), error.into(), tally).await;
                return Vec::new();
            }
        };
        let mut same = Vec::with_capacity(states.len());
        for state in states {
            match now.get(&state.key) {
                Some(now) if now.registry == state.registry && now.head == state.head => same.push(state.clone()),
                Some(now) => tally.moved_on(now.clone()),
                None => {
                    tally.failed.insert(state.key.clone());
                }
            }
        }
        same
    }

    /// Sends records one by one; `again` those that may have been sent before.
    pub(super) async fn add_each(&self, states: &[ConsentState], again: bool, tally: &mut Tally) {
        let mut adds = futures::stream::iter(states)
            .map(|state| async move {
                if self.is_over() {
                    return (member(state), Ok(Next::Failure.into()));
                }
                let sent = member(state);
                let handed_in = (self.clock)();
                let done = match caught(self.registry.add(&record(state))).await {
                    Ok(verdict) => self.judge_sent(&sent, Some(state), verdict, handed_in, again).await,
                    Err(error) => Err(error),
                };
                (sent, done)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = adds.next().await {
            self.note(&member, done, tally).await;
        }
    }

    /// What a verdict means for what was sent and handed in then; `state` is the state while it is still that
    /// one, and `again` whether it may have been sent before.
    pub(super) async fn judge_sent(
        &self,
        sent: &Member,
        state: Option<&ConsentState>,
        verdict: Verdict,
        handed_in: Timestamp,
        again: bool,
    ) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        let again = again || state.is_some_and(|state| state.registry.sweeps() > 0);
        let answer = match verdict {
            Verdict::Recorded { transaction_id } => Answer::Settled { outcome: Outcome::Applied, transaction_id },
            Verdict::Refused(code) => match code::disposition(Some(&code.to_string()), 422) {
                Disposition::AlreadyThere => Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None },
                Disposition::NotRegistered => Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None },
                Disposition::Superseded => {
                    return match state {
                        // Of many that may have met themselves, one question tells what a fetch tells of one.
                        Some(state) if again => Ok(Next::Ask(Box::new(state.clone()), Question::Newer).into()),
                        Some(state) => self.fetch(state).await,
                        None => Ok(Next::Nothing.into()),
                    };
                }
                Disposition::TooLate => match state {
                    // Counted back from a day off it may be too old, and in time again on the next business day.
                    Some(state) if let Some(until) = plan::may_be_taken_again(state, handed_in, now) => Answer::Postponed { due: until },
                    Some(state) if again || state.head.status == Status::Onay => {
                        return Ok(Next::Ask(Box::new(state.clone()), Question::Late).into());
                    }
                    Some(state) if plan::may_become_hs_karar(state, self.policy(state), now) => {
                        return self.adopt(&plan::as_hs_karar(state, now)).await;
                    }
                    _ => Answer::Rejected(code.to_string()),
                },
                Disposition::Retry(after) => {
                    let wait = match after {
                        RetryAfter::Hour => HOUR,
                        RetryAfter::Soon | RetryAfter::Second => growing(FAULT_RETRY, state.map_or(0, |state| state.registry.sweeps())),
                    };
                    Answer::Postponed { due: later(now, wait) }
                }
                Disposition::Held(why) => Answer::Held { why, due: later(now, HELD_RETRY), code: Some(code.to_string()) },
                Disposition::Rejected => Answer::Rejected(code.to_string()),
                Disposition::Unauthorised | Disposition::TokenStop | Disposition::Defect => {
                    tracing::error!(%code, recipient = %sent.key.recipient_id, "the registry's verdict shows a defect of ours");
                    return Ok(Next::Failure.into());
                }
            },
        };
        match state {
            Some(state) => self.answer(state, answer).await,
            None => self.answer_sent(sent, answer).await,
        }
    }

    async fn answer(&self, state: &ConsentState, answer: Answer) -> Result<Done, RegistryError> {
        let sent = state.head.sent();
        let is_final = answer.is_final();
        let left = self.ledger.answered_as_read(state, Target::Registry, &sent, answer, (self.clock)(), self.due()).await?;
        self.after_answer(&sent.event_id, is_final, left).await
    }

    async fn answer_sent(&self, Member { key, sent, .. }: &Member, answer: Answer) -> Result<Done, RegistryError> {
        let is_final = answer.is_final();
        let left = self.ledger.answered(key, Target::Registry, sent, answer, (self.clock)(), self.due()).await?;
        self.after_answer(&sent.event_id, is_final, left).await
    }

    /// What an answer about one movement left.
    async fn after_answer(&self, sent: &EventId, is_final: bool, left: ConsentState) -> Result<Done, RegistryError> {
        let is_open = matches!(left.registry, Sync::Pending { .. });
        // A verdict was against what the registry said itself: its record with its date tells which holds.
        if is_final && is_open && left.head.event_id == *sent {
            return Box::pin(self.fetch(&left)).await;
        }
        // Another movement may have become the state meanwhile.
        let moved_on = is_open && left.head.event_id != *sent;
        Ok(Done::left(left, moved_on))
    }

    /// Fetches what the registry holds for a key and merges it.
    async fn fetch(&self, state: &ConsentState) -> Result<Done, RegistryError> {
        if self.is_over() {
            return Ok(Next::Failure.into());
        }
        let offered = self.registry.capabilities();
        if !offered.holding {
            return self.answer(state, Answer::Rejected(unseen(state).to_string())).await;
        }
        let holding = caught(self.registry.holding(state.key.channel, state.key.recipient_type, &state.recipient)).await?;
        let now = (self.clock)();
        // A refusal that may be no record at all takes nothing back.
        let holding = holding.filter(|holding| offered.holding_tells_none || holding.status == Status::Onay);
        match holding {
            // A consent without a date is not newer than a refusal: only a later one lifts that.
            Some(Holding { status: Status::Onay, consent_date: None, creation_date: None, .. }) if plan::is_late_refusal(state, now) => {
                Box::pin(self.step(state.clone(), plan::late_refusal(state, self.policy(state), now), now)).await
            }
            // Where the registry's movement does not outrank ours, the state has at least learnt what is
            // held there, and the next step follows from that.
            Some(holding) => self.adopt(&adopted(state, holding, now)).await,
            None if state.head.status == Status::Ret => {
                self.answer(state, Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None }).await
            }
            // From a book: only the registry may say so, and it does not.
            None if !state.head.can_be_sent() || !offered.holding_tells_none => {
                self.answer(state, Answer::Rejected(unseen(state).to_string())).await
            }
            None => Err(RegistryError::Defect { why: "it refused an ONAY for what it holds, and says that it holds nothing".into() }),
        }
    }

    /// Records a movement that we learnt or made ourselves, and goes on with the state it leaves.
    async fn adopt(&self, movement: &Movement) -> Result<Done, RegistryError> {
        let state = self.ledger.record(movement, (self.clock)(), self.due()).await?.state;
        let more = state.registry.is_open();
        Ok(Done::left(state, more))
    }

    /// Writes messages for what the registry's answers gave Insider to know.
    pub(super) async fn tell_insider(&self, tally: &mut Tally) {
        if let Err(error) = self.queues.relay(std::mem::take(&mut tally.for_insider)).await {
            tracing::warn!(%error, "no message for Insider's work: the sweep will find it");
        }
    }

    /// A call gave no verdict about these records.
    pub(super) async fn all_failed(&self, sent: &[Member], error: RegistryError, tally: &mut Tally) {
        let now = (self.clock)();
        let answer = match &error {
            RegistryError::Held { why, code } => {
                // What it names may be a status or a sentence of ours instead: that is for the log.
                let code = code.parse::<Code>().ok().map(|code| code.to_string());
                Some(Answer::Held { why: *why, due: later(now, HELD_RETRY), code })
            }
            RegistryError::Busy { until, .. } if until.duration_since(now) > SHORT_WAIT => Some(Answer::Postponed { due: *until }),
            _ => None,
        };
        tracing::warn!(%error, keys = sent.len(), "the registry gave no verdict");
        let Some(answer) = answer else {
            tally.failed.extend(sent.iter().map(|member| member.key.clone()));
            return;
        };
        let is_held = matches!(answer, Answer::Held { .. });
        let mut notes = futures::stream::iter(sent)
            .map(|member| {
                let answer = answer.clone();
                async move { (member, self.answer_sent(member, answer).await) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = notes.next().await {
            match done {
                Ok(done) => {
                    tally.finished += 1;
                    tally.held.extend(is_held.then(|| member.clone()));
                    tally.for_insider.extend(done.for_insider.then(|| member.key.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a wait was not noted");
                    tally.failed.insert(member.key.clone());
                }
            }
        }
    }
}

/// The code of a state that the registry does not show to hold.
fn unseen(state: &ConsentState) -> Code {
    match (state.head.origin, state.head.source.is_sendable()) {
        (Origin::Notice, _) => Code::UNCONFIRMED,
        (_, true) => Code::NEWER_THERE,
        (_, false) => Code::SOURCE,
    }
}

/// Refusals first, then what has to stand at the registry first.
pub(super) fn urgent_first(states: &mut [ConsentState]) {
    states.sort_by_cached_key(urgency);
}

/// What goes first has the least.
fn urgency(state: &ConsentState) -> (bool, ConsentDate, ConsentDate) {
    let date = state.head.consent_date;
    (state.head.status != Status::Ret, slack::deadline(date), date)
}

/// Whether the sweep, or a submission that was given up, made the state pending again.
fn was_brought_back(state: &ConsentState) -> bool {
    matches!(state.registry, Sync::Pending { sweeps: 1.., .. })
}

/// What is sent of a state, to be recognised by when the answer comes.
pub(super) fn member(state: &ConsentState) -> Member {
    Member { key: state.key.clone(), sent: state.head.sent(), record_id: None }
}

/// The same of many.
pub(super) fn members(states: &[ConsentState]) -> Vec<Member> {
    states.iter().map(member).collect()
}

pub(super) fn record(state: &ConsentState) -> Record {
    Record {
        recipient: state.recipient.clone(),
        recipient_type: state.key.recipient_type,
        channel: state.key.channel,
        status: state.head.status,
        source: state.head.source.clone(),
        consent_date: state.head.consent_date,
        retailers: state.head.retailers.clone(),
    }
}

/// What the registry holds, as a movement of its own.
pub fn adopted(state: &ConsentState, holding: Holding, now: Timestamp) -> Movement {
    Movement { key: state.key.clone(), recipient: state.recipient.clone(), head: registry_head(holding, now) }
}

/// The head of a movement that the registry told of. Push, pull and status tell of one movement by
/// the same id, so it is one event whichever comes first.
///
/// What stands there under a wrong spelling of the number is not there for anybody: it is a movement
/// that has still to be registered, a refusal that nobody of the brand took as the brand's own decision.
pub fn registry_head(holding: Holding, now: Timestamp) -> Head {
    let told = holding.consent_date.or(holding.creation_date);
    let consent_date = told.unwrap_or_else(|| ConsentDate::at(now));
    let transaction = holding.transaction_id.unwrap_or_default();
    // Two movements of one second share their transaction id, so status and date are part of the name. A
    // date that nobody told is not: told again, it would be another one.
    let date = if told.is_none() && !transaction.is_empty() { String::new() } else { consent_date.to_string() };
    let (kind, origin, source) = match (holding.misspelt, holding.source) {
        (false, source) => ("iys", Origin::Registry, source),
        (true, source) if source.is_sendable() => ("misspelt", Origin::Import, source),
        (true, _) => ("misspelt", Origin::Import, Source::HsKarar),
    };
    Head {
        status: holding.status,
        source,
        consent_date,
        origin,
        event_id: EventId::derive(kind, [transaction.as_str(), holding.status.as_str(), &date]),
        received_at: now,
        retailers: Retailers::default(),
    }
}
