//! Ledger → registry: what `iys-push` does with the keys that its messages name.
//!
//! For every key the current state is read, and [`plan::next_step`] says what to do. Few records go
//! as single adds with an immediate verdict, many as bulk submissions that are written ahead. Running
//! it twice, or dying anywhere within and running it again, ends in the same place: an identical add
//! is answered by the registry with its first verdict, and what was learnt before sending (that the
//! registry holds an ONAY) is kept, so that no RET is taken for unneeded after it has landed.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::code::{self, Code, Disposition};
use crate::consent::plan::{self, Policy, Step};
use crate::consent::{
    Answer, ConsentDate, ConsentKey, ConsentState, EventId, Head, Known, Movement, Origin, Outcome, Status, Sync, Target,
};
use crate::ledger::{Ledger, LedgerError, Member, Submission};
use crate::queue::Queues;
use crate::registry::{Holding, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};

/// Most records that go as single adds; more go as a bulk submission.
pub const SINGLE_ADDS: usize = 20;
/// How many single adds and ledger writes run at once.
const AT_ONCE: usize = 16;
/// How many steps one key may take in one run: ask, correct, adopt and send are four.
const ROUNDS: usize = 6;
/// How often a bulk submission is handed in again without the records that it was refused for.
const RESUBMISSIONS: usize = 8;
/// A wait that is longer than this is noted in the ledger; a shorter one is left to the queue.
const SHORT_WAIT: SignedDuration = SignedDuration::from_mins(2);
/// When work that waits for a person is tried again.
const HELD_RETRY: SignedDuration = SignedDuration::from_mins(30);
/// A submission without any result for this long is given up and its records are sent again.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

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
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after work that this run leaves open.
    pub grace: SignedDuration,
    /// How long to wait before asking for bulk results.
    pub result_wait: SignedDuration,
}

/// What one run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Keys whose message must come again.
    pub failed: HashSet<ConsentKey>,
    /// How many keys were settled, refused, held or submitted.
    pub finished: usize,
}

impl Push<'_> {
    /// Brings the registry to the state of these keys.
    pub async fn run(&self, keys: &[ConsentKey]) -> Report {
        let mut report = Report::default();
        let mut open = match self.ledger.states(keys).await {
            Ok(states) => states,
            Err(error) => {
                tracing::warn!(%error, keys = keys.len(), "states were not read");
                report.failed.extend(keys.iter().cloned());
                return report;
            }
        };
        // A bulk submission that is under way is looked after by its own message.
        open.retain(|state| !matches!(state.registry, Sync::Submitted { .. }));
        let mut round = 0;
        while !open.is_empty() {
            round += 1;
            if round > ROUNDS {
                report.failed.extend(open.into_iter().map(|state| state.key));
                break;
            }
            open = Box::pin(self.round(open, &mut report)).await;
        }
        report
    }

    /// One step for each state; returns those that need another one.
    async fn round(&self, open: Vec<ConsentState>, report: &mut Report) -> Vec<ConsentState> {
        let (mut again, mut ask, mut send) = (Vec::new(), Vec::new(), Vec::new());
        let now = (self.clock)();
        let mut simple = Vec::new();
        for state in open {
            match plan::next_step(&state, self.policy(&state), now) {
                Step::Nothing => report.finished += 1,
                Step::Ask => ask.push(state),
                Step::Send => send.push(state),
                step => simple.push((state, step)),
            }
        }
        let mut steps = futures::stream::iter(simple)
            .map(|(state, step)| async move {
                let key = state.key.clone();
                (key, self.step(state, step, now).await)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((key, done)) = steps.next().await {
            self.note(key, done, report, &mut again);
        }
        drop(steps);
        if !ask.is_empty() {
            Box::pin(self.ask(ask, report, &mut again)).await;
        }
        if !send.is_empty() {
            Box::pin(self.send(send, report, &mut again)).await;
        }
        again
    }

    fn policy(&self, state: &ConsentState) -> Policy {
        Policy { authorised: self.brand.authorises(state.key.channel), late_ret_as_hs_karar: self.brand.iys.late_ret_as_hs_karar }
    }

    fn due(&self) -> Timestamp {
        later((self.clock)(), self.grace)
    }

    /// Notes how one key's step went.
    fn note(&self, key: ConsentKey, done: Result<Done, RegistryError>, report: &mut Report, again: &mut Vec<ConsentState>) {
        match done {
            Ok(Done::Finished) => report.finished += 1,
            Ok(Done::Again(state)) => again.push(*state),
            Ok(Done::Failed) => {
                report.failed.insert(key);
            }
            Err(error) => {
                tracing::warn!(%error, recipient = %key.recipient_id, channel = %key.channel, "a step at the registry failed");
                report.failed.insert(key);
            }
        }
    }

    /// The steps that concern one key alone.
    async fn step(&self, state: ConsentState, step: Step, now: Timestamp) -> Result<Done, RegistryError> {
        match step {
            Step::Settle(outcome) => self.answer(&state, Answer::Settled { outcome, transaction_id: None }).await,
            Step::Reject(code) => self.answer(&state, Answer::Rejected(code.to_string())).await,
            Step::Hold(why) => self.answer(&state, Answer::Held { why, due: later(now, HELD_RETRY) }).await,
            Step::Wait(until) => self.answer(&state, Answer::Postponed { due: later(until, SignedDuration::from_secs(1)) }).await,
            Step::Correct(movement) => self.adopt(&movement).await,
            Step::Adopt => self.fetch(&state).await,
            Step::Nothing | Step::Ask | Step::Send => Ok(Done::Again(Box::new(state))),
        }
    }

    /// Asks which of these addresses hold an ONAY at the registry.
    async fn ask(&self, states: Vec<ConsentState>, report: &mut Report, again: &mut Vec<ConsentState>) {
        let mut groups = HashMap::<_, Vec<ConsentState>>::new();
        for state in states {
            groups.entry((state.key.channel, state.key.recipient_type)).or_default().push(state);
        }
        for ((channel, recipient_type), states) in groups {
            for chunk in states.chunks(self.registry.capabilities().onays_recipients.max(1)) {
                let recipients: Vec<_> = chunk.iter().map(|state| state.recipient.clone()).collect();
                let onays = match self.registry.onays(channel, recipient_type, &recipients).await {
                    Ok(onays) => onays,
                    Err(error) => {
                        self.all_failed(chunk, error, report).await;
                        continue;
                    }
                };
                let onays = &onays;
                let mut answers = futures::stream::iter(chunk.iter().cloned())
                    .map(|state| async move {
                        let key = state.key.clone();
                        let done = if onays.contains(&state.recipient) {
                            let known = Known { status: Status::Onay, consent_date: None };
                            let learnt = self.ledger.learn(&state.key, known, (self.clock)(), self.due()).await;
                            learnt.map(|state| Done::Again(Box::new(state))).map_err(RegistryError::from)
                        } else {
                            self.answer(&state, Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None }).await
                        };
                        (key, done)
                    })
                    .buffer_unordered(AT_ONCE);
                while let Some((key, done)) = answers.next().await {
                    self.note(key, done, report, again);
                }
            }
        }
    }

    /// Sends records: refusals first, then what is due first.
    async fn send(&self, mut states: Vec<ConsentState>, report: &mut Report, again: &mut Vec<ConsentState>) {
        states.sort_by_key(|state| (state.head.status != Status::Ret, state.head.consent_date));
        let most = self.registry.capabilities().bulk_records;
        if states.len() <= SINGLE_ADDS || most == 0 {
            let mut adds = futures::stream::iter(states)
                .map(|state| async move {
                    let verdict = self.registry.add(&record(&state)).await;
                    (state, verdict)
                })
                .buffer_unordered(AT_ONCE);
            while let Some((state, verdict)) = adds.next().await {
                match verdict {
                    Ok(verdict) => {
                        let done = self.judge(&state, verdict).await;
                        self.note(state.key.clone(), done, report, again);
                    }
                    Err(error) => self.all_failed(std::slice::from_ref(&state), error, report).await,
                }
            }
            return;
        }
        for chunk in states.chunks(most) {
            Box::pin(self.submit(chunk.to_vec(), report, again)).await;
        }
    }

    /// Hands in a bulk submission, written ahead. Records that it is refused for are judged by their
    /// code and the rest goes again at once.
    async fn submit(&self, mut states: Vec<ConsentState>, report: &mut Report, again: &mut Vec<ConsentState>) {
        for _ in 0..RESUBMISSIONS {
            if states.is_empty() {
                return;
            }
            let now = (self.clock)();
            let mut submission = Submission {
                brand: self.brand.name.clone(),
                id: uuid::Uuid::new_v4().simple().to_string(),
                request_id: None,
                created_at: now,
                checks: 0,
                members: states.iter().map(|state| Member { key: state.key.clone(), sent: state.head.sent(), record_id: None }).collect(),
            };
            if let Err(error) = self.write_ahead(&submission, &states, now).await {
                self.all_failed(&states, error.into(), report).await;
                return;
            }
            let records: Vec<_> = states.iter().map(record).collect();
            match self.registry.submit(&records).await {
                Ok(Submitted::Taken { request_id, record_ids }) => {
                    tracing::info!(submission = %submission.id, records = states.len(), "bulk submission taken");
                    submission.request_id = Some(request_id);
                    for (member, record_id) in submission.members.iter_mut().zip(record_ids) {
                        member.record_id = record_id;
                    }
                    report.finished += states.len();
                    // If this write is lost, the sweep finds the submission unanswered and its records
                    // are sent again, which the registry takes for what it is.
                    self.wait_for_results(&submission, self.result_wait).await;
                    return;
                }
                Ok(Submitted::Refused(refusals)) if !refusals.is_empty() => {
                    let refused: HashMap<usize, Code> = refusals.into_iter().rev().collect();
                    let mut rest = Vec::with_capacity(states.len());
                    for (position, state) in states.into_iter().enumerate() {
                        match refused.get(&position) {
                            Some(code) => {
                                let done = self.judge(&state, Verdict::Refused(*code)).await;
                                self.note(state.key.clone(), done, report, again);
                            }
                            None => rest.push(state),
                        }
                    }
                    self.forget(&submission).await;
                    states = rest;
                }
                Ok(Submitted::Refused(_)) => {
                    let why = "a bulk submission was refused without saying for which record".to_owned();
                    self.release(&submission, (self.clock)(), report).await;
                    tracing::error!(submission = %submission.id, why);
                    return;
                }
                Err(RegistryError::Unanswered { why }) => {
                    tracing::warn!(submission = %submission.id, why, "bulk submission unanswered: it is looked after again");
                    report.finished += states.len();
                    return;
                }
                Err(error) => {
                    self.forget(&submission).await;
                    self.all_failed(&states, error, report).await;
                    return;
                }
            }
        }
        self.all_failed(&states, RegistryError::Defect { why: "a bulk submission was refused over and over".into() }, report).await;
    }

    /// The submission first, then the mark on each state: a crash leaves the submission to the sweep.
    async fn write_ahead(&self, submission: &Submission, states: &[ConsentState], now: Timestamp) -> Result<(), LedgerError> {
        let unanswered = later(now, self.grace);
        self.ledger.put_submission(submission, unanswered).await?;
        let mut marks = futures::stream::iter(states)
            .map(|state| {
                let answer = Answer::Submitted { submission: submission.id.clone(), due: later(now, GIVE_UP) };
                let sent = state.head.sent();
                async move { self.ledger.answered(&state.key, Target::Registry, &sent, answer, now, unanswered).await }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(mark) = marks.next().await {
            mark?;
        }
        Ok(())
    }

    async fn wait_for_results(&self, submission: &Submission, wait: SignedDuration) {
        let now = (self.clock)();
        let due = later(later(now, wait), self.grace);
        if let Err(error) = self.ledger.put_submission(submission, due).await {
            tracing::warn!(%error, submission = %submission.id, "the submission's answer was not noted: the sweep looks after it");
            return;
        }
        let seconds = u32::try_from(wait.as_secs().max(0)).unwrap_or(crate::queue::LONGEST_DELAY_SECONDS);
        if let Err(error) = self.queues.push_submission(&submission.brand, &submission.id, seconds).await {
            tracing::warn!(%error, submission = %submission.id, "no message for the submission: the sweep looks after it");
        }
    }

    /// Looks after a bulk submission: asks for its results, or sends its records again when it was
    /// never answered. `false` when its message must come again.
    pub async fn look_after(&self, id: &str) -> bool {
        match self.try_look_after(id).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, submission = id, "a bulk submission was not looked after");
                false
            }
        }
    }

    async fn try_look_after(&self, id: &str) -> Result<(), RegistryError> {
        let Some(mut submission) = self.ledger.submission(&self.brand.name, id).await? else { return Ok(()) };
        let now = (self.clock)();
        let Some(request_id) = submission.request_id.clone() else {
            self.release(&submission, now, &mut Report::default()).await;
            return Ok(());
        };
        let keys: Vec<_> = submission.members.iter().map(|member| member.key.clone()).collect();
        let open: HashMap<ConsentKey, ConsentState> = self
            .ledger
            .states(&keys)
            .await?
            .into_iter()
            .filter(|state| matches!(&state.registry, Sync::Submitted { submission, .. } if submission == id))
            .map(|state| (state.key.clone(), state))
            .collect();
        let lines = match self.registry.results(&request_id).await {
            Ok(lines) => lines,
            Err(RegistryError::Busy { until, why }) => {
                tracing::info!(submission = id, why, "results cannot be asked for now");
                self.wait_for_results(&submission, until.duration_since(now).max(SignedDuration::from_secs(1))).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let verdicts = match_lines(&submission, lines);
        let mut waiting = 0;
        let mut again = Vec::new();
        let mut report = Report::default();
        for (member, verdict) in submission.members.iter().zip(verdicts) {
            match verdict {
                // The state may have moved on since: then the answer only tells what the registry
                // held, and the newer state stays open.
                Some(verdict) => {
                    let done = self.judge_sent(member, open.get(&member.key), verdict).await;
                    self.note(member.key.clone(), done, &mut report, &mut again);
                }
                None if open.contains_key(&member.key) => waiting += 1,
                None => {}
            }
        }
        let retry: Vec<_> = again.into_iter().map(|state| state.key).chain(report.failed).collect();
        if !retry.is_empty() {
            self.reopen(&retry, now).await?;
        }
        if waiting == 0 {
            self.ledger.delete_submission(&self.brand.name, id).await?;
        } else if now.duration_since(submission.created_at) > GIVE_UP {
            self.release(&submission, now, &mut Report::default()).await;
        } else {
            submission.checks = submission.checks.saturating_add(1);
            let longest = SignedDuration::from_secs(i64::from(crate::queue::LONGEST_DELAY_SECONDS));
            let wait = self.result_wait.checked_mul(1 << submission.checks.min(5)).unwrap_or(longest).min(longest);
            self.wait_for_results(&submission, wait).await;
        }
        Ok(())
    }

    /// Gives a submission up: what it still holds is pending again.
    async fn release(&self, submission: &Submission, now: Timestamp, report: &mut Report) {
        let keys: Vec<_> = submission.members.iter().map(|member| member.key.clone()).collect();
        let released = async {
            let held: Vec<_> = self
                .ledger
                .states(&keys)
                .await?
                .into_iter()
                .filter(|state| matches!(&state.registry, Sync::Submitted { submission: id, .. } if *id == submission.id))
                .map(|state| state.key)
                .collect();
            self.reopen(&held, now).await?;
            self.ledger.delete_submission(&submission.brand, &submission.id).await
        };
        if let Err(error) = released.await {
            tracing::warn!(%error, submission = %submission.id, "a bulk submission was not given up: the sweep looks after it");
            report.failed.extend(keys);
        }
    }

    /// Makes keys pending again and writes messages for them.
    async fn reopen(&self, keys: &[ConsentKey], now: Timestamp) -> Result<(), LedgerError> {
        let due = later(now, self.grace);
        let mut writes =
            futures::stream::iter(keys).map(|key| self.ledger.requeued(key, &[Target::Registry], due)).buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            written?;
        }
        if let Err(error) = self.queues.push(keys.to_vec()).await {
            tracing::warn!(%error, "no message for re-opened work: the sweep will find it");
        }
        Ok(())
    }

    async fn forget(&self, submission: &Submission) {
        // Left standing it would only cause one more look by the sweep.
        if let Err(error) = self.ledger.delete_submission(&submission.brand, &submission.id).await {
            tracing::warn!(%error, submission = %submission.id, "a finished submission was not removed");
        }
    }

    /// What a verdict means for the state that was sent.
    async fn judge(&self, state: &ConsentState, verdict: Verdict) -> Result<Done, RegistryError> {
        let member = Member { key: state.key.clone(), sent: state.head.sent(), record_id: None };
        self.judge_sent(&member, Some(state), verdict).await
    }

    async fn judge_sent(&self, member: &Member, state: Option<&ConsentState>, verdict: Verdict) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        let answer = match verdict {
            Verdict::Recorded { transaction_id } => Answer::Settled { outcome: Outcome::Applied, transaction_id },
            Verdict::Refused(code) => match code::disposition(Some(&code.to_string()), 422) {
                Disposition::AlreadyThere => Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None },
                Disposition::NotRegistered => Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None },
                Disposition::Superseded => {
                    return match state {
                        Some(state) => self.fetch(state).await,
                        None => Ok(Done::Finished),
                    };
                }
                Disposition::TooLate => match state {
                    Some(state) if state.head.status == Status::Ret && self.brand.iys.late_ret_as_hs_karar => {
                        return self.adopt(&plan::as_hs_karar(state, now)).await;
                    }
                    _ => Answer::Rejected(code.to_string()),
                },
                Disposition::Retry(_) => Answer::Postponed { due: later(now, SignedDuration::from_mins(1)) },
                Disposition::Held(why) => Answer::Held { why, due: later(now, HELD_RETRY) },
                Disposition::Rejected => Answer::Rejected(code.to_string()),
                Disposition::Unauthorised | Disposition::TokenStop | Disposition::Defect => {
                    tracing::error!(%code, recipient = %member.key.recipient_id, "the registry's verdict shows a defect of ours");
                    return Ok(Done::Failed);
                }
            },
        };
        self.answer_sent(&member.key, &member.sent, answer).await
    }

    async fn answer(&self, state: &ConsentState, answer: Answer) -> Result<Done, RegistryError> {
        self.answer_sent(&state.key, &state.head.sent(), answer).await
    }

    async fn answer_sent(&self, key: &ConsentKey, sent: &crate::consent::Sent, answer: Answer) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        let state = self.ledger.answered(key, Target::Registry, sent, answer, now, self.due()).await?;
        // The registry's answer may be what Insider waited for.
        if state.insider.due().is_some()
            && let Err(error) = self.queues.relay(vec![state.key.clone()]).await
        {
            tracing::warn!(%error, "no message for Insider's work: the sweep will find it");
        }
        let moved_on = state.head.event_id != sent.event_id && matches!(state.registry, Sync::Pending { .. });
        if moved_on { Ok(Done::Again(Box::new(state))) } else { Ok(Done::Finished) }
    }

    /// Fetches what the registry holds for a key and merges it.
    async fn fetch(&self, state: &ConsentState) -> Result<Done, RegistryError> {
        let now = (self.clock)();
        let holding = self.registry.holding(state.key.channel, state.key.recipient_type, &state.recipient).await?;
        match holding {
            None => self.answer(state, Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None }).await,
            // Where the registry's movement does not outrank ours, the state has at least learnt what is
            // held there, and the next step follows from that.
            Some(holding) => self.adopt(&adopted(state, holding, now)).await,
        }
    }

    /// Records a movement that we learnt or made ourselves, and goes on with the state it leaves.
    async fn adopt(&self, movement: &Movement) -> Result<Done, RegistryError> {
        let recorded = self.ledger.record(movement, (self.clock)(), self.due()).await?;
        if recorded.state.insider.due().is_some()
            && let Err(error) = self.queues.relay(vec![recorded.state.key.clone()]).await
        {
            tracing::warn!(%error, "no message for Insider's work: the sweep will find it");
        }
        if recorded.state.registry.is_open() { Ok(Done::Again(Box::new(recorded.state))) } else { Ok(Done::Finished) }
    }

    /// A call that concerned many keys gave no verdict about any.
    async fn all_failed(&self, states: &[ConsentState], error: RegistryError, report: &mut Report) {
        let now = (self.clock)();
        let answer = match &error {
            RegistryError::Held { why, .. } => Some(Answer::Held { why: *why, due: later(now, HELD_RETRY) }),
            RegistryError::Busy { until, .. } if until.duration_since(now) > SHORT_WAIT => Some(Answer::Postponed { due: *until }),
            _ => None,
        };
        tracing::warn!(%error, keys = states.len(), "the registry gave no verdict");
        let Some(answer) = answer else {
            report.failed.extend(states.iter().map(|state| state.key.clone()));
            return;
        };
        let mut notes = futures::stream::iter(states)
            .map(|state| {
                let answer = answer.clone();
                async move { (state.key.clone(), self.answer(state, answer).await) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((key, done)) = notes.next().await {
            match done {
                Ok(_) => report.finished += 1,
                Err(_) => {
                    report.failed.insert(key);
                }
            }
        }
    }
}

/// Where one key stands after a step.
enum Done {
    Finished,
    Again(Box<ConsentState>),
    Failed,
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

fn record(state: &ConsentState) -> Record {
    Record {
        recipient: state.recipient.clone(),
        recipient_type: state.key.recipient_type,
        channel: state.key.channel,
        status: state.head.status,
        source: state.head.source.clone(),
        consent_date: state.head.consent_date,
    }
}

/// What the registry holds, as a movement of its own.
pub fn adopted(state: &ConsentState, holding: Holding, now: Timestamp) -> Movement {
    Movement { key: state.key.clone(), recipient: state.recipient.clone(), head: registry_head(holding, now) }
}

/// The head of a movement that the registry told of. Push, pull and status tell of one movement by
/// the same id, so it is one event whichever comes first.
pub fn registry_head(holding: Holding, now: Timestamp) -> Head {
    let consent_date = holding.consent_date.or(holding.creation_date).unwrap_or_else(|| ConsentDate::at(now));
    let transaction = holding.transaction_id.unwrap_or_default();
    Head {
        status: holding.status,
        source: holding.source,
        consent_date,
        origin: Origin::Registry,
        // Two movements of one second share their transaction id, so the status is part of the name.
        event_id: EventId::derive("iys", [transaction.as_str(), holding.status.as_str(), &consent_date.to_string()]),
        received_at: now,
    }
}

/// The verdict on each member, in order: by the registry's own id of the record, or else by position.
fn match_lines(submission: &Submission, lines: Vec<ResultLine>) -> Vec<Option<Verdict>> {
    let ids: HashMap<String, usize> = submission
        .members
        .iter()
        .enumerate()
        .filter_map(|(position, member)| member.record_id.as_ref().map(|id| (id.to_ascii_lowercase(), position)))
        .collect();
    let mut verdicts: Vec<Option<Verdict>> = (0..submission.members.len()).map(|_| None).collect();
    for line in lines {
        let by_id = line.record_id.as_ref().and_then(|id| ids.get(&id.to_ascii_lowercase())).copied();
        let position = if ids.is_empty() { by_id.or(line.position) } else { by_id };
        if let Some(slot) = position.and_then(|position| verdicts.get_mut(position))
            && line.verdict.is_some()
        {
            *slot = line.verdict;
        }
    }
    verdicts
}
