//! Bulk submissions: many records handed in at once, with their results later.
//!
//! A submission is written ahead: it stands in the ledger before the request goes out, and for as
//! long as any state names it. So a crash at any point, or an answer that never came, is found by the
//! sweep, and what the submission still holds is sent again; to the registry that is no second
//! movement.

use std::collections::{BTreeMap, HashMap, VecDeque};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::patience::later;
use super::push::{AT_ONCE, Push, SINGLE_ADDS, Tally, member, members, record};
use super::reading;
use crate::consent::code::{Code, Hold};
use crate::consent::{Answer, ConsentKey, ConsentState, Status, Sync, Target};
use crate::ledger::{LedgerError, Member, Submission};
use crate::queue::LONGEST_DELAY_SECONDS;
use crate::registry::{RegistryError, ResultLine, Submitted, Verdict};

/// How often records may be refused as a whole, while none is taken, before they are given up.
const REFUSALS: usize = 8;
/// How often records are handed in again without those that the submission was refused for.
const RESUBMISSIONS: usize = 8;
/// A submission without any result for this long is given up and its records are sent again.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

impl Push<'_> {
    /// Hands in records in bulk. Those that it is refused for are judged by their code, and the rest
    /// goes again at once. A refusal that names no record is narrowed down by halves, so that one bad
    /// record costs itself only.
    pub(super) async fn submit(&self, states: Vec<ConsentState>, tally: &mut Tally) {
        let failed_before = tally.failed.len();
        let mut open = VecDeque::from([states]);
        // What was written ahead for requests that the registry did not take. It stands until no
        // state names it any more.
        let mut untaken = Vec::new();
        let (mut refusals, mut resubmissions, mut taken) = (0, 0, false);
        while let Some(states) = open.pop_front() {
            if states.is_empty() {
                continue;
            }
            if !untaken.is_empty() && states.len() <= SINGLE_ADDS {
                if self.unmark(&states, tally).await {
                    let failed = tally.failed.len();
                    self.add_each(&states, tally).await;
                    taken |= tally.failed.len() < failed + states.len();
                }
                continue;
            }
            let (mut submission, states) = match self.write_ahead(states, tally).await {
                Some(written) => written,
                None => continue,
            };
            let records: Vec<_> = states.iter().map(record).collect();
            match self.registry.submit(&records).await {
                Ok(Submitted::Taken { request_id, record_ids }) => {
                    tracing::info!(submission = %submission.id, records = states.len(), "bulk submission taken");
                    taken = true;
                    submission.request_id = Some(request_id);
                    for (member, record_id) in submission.members.iter_mut().zip(record_ids) {
                        member.record_id = record_id;
                    }
                    tally.finished += states.len();
                    // If this write is lost, the sweep finds the submission unanswered and its records
                    // are sent again, which the registry takes for what it is.
                    self.wait_for_results(&mut submission, self.result_wait).await;
                }
                Ok(Submitted::Refused(refused)) if refused.iter().any(|(at, _)| *at < states.len()) && resubmissions < RESUBMISSIONS => {
                    resubmissions += 1;
                    let refused: HashMap<usize, Code> = refused.into_iter().rev().collect();
                    let (mut out, mut rest) = (Vec::new(), Vec::with_capacity(states.len()));
                    for (position, state) in states.into_iter().enumerate() {
                        match refused.get(&position) {
                            Some(code) => out.push((state, Verdict::Refused(*code))),
                            None => rest.push(state),
                        }
                    }
                    let mut judging = futures::stream::iter(out)
                        .map(|(state, verdict)| async move { (member(&state), self.judge(&state, verdict).await) })
                        .buffer_unordered(AT_ONCE);
                    while let Some((member, done)) = judging.next().await {
                        self.note(&member, done, tally).await;
                    }
                    drop(judging);
                    open.push_front(rest);
                    untaken.push(submission);
                }
                Err(RegistryError::Unanswered { why }) => {
                    tracing::warn!(submission = %submission.id, why, "bulk submission unanswered: it is looked after again");
                    tally.finished += states.len();
                }
                Ok(Submitted::Refused(_)) | Err(RegistryError::Defect { .. }) if taken || refusals < REFUSALS => {
                    refusals += 1;
                    tracing::warn!(submission = %submission.id, records = states.len(), "refused without saying for which record");
                    untaken.push(submission);
                    let mut first = states;
                    let second = first.split_off(first.len() / 2);
                    open.push_front(second);
                    open.push_front(first);
                }
                Ok(Submitted::Refused(_)) => {
                    untaken.push(submission);
                    let error = RegistryError::Defect { why: "every bulk submission is refused".into() };
                    self.give_up(std::iter::once(states).chain(open.drain(..)), error, tally).await;
                }
                Err(RegistryError::Held { why, code }) => {
                    untaken.push(submission);
                    let parts = apart(states, why);
                    if parts.len() > 1 {
                        tracing::warn!(?why, code, parts = parts.len(), "a bulk submission was refused as a whole: it is handed in apart");
                        parts.into_iter().rev().for_each(|part| open.push_front(part));
                        continue;
                    }
                    // What one channel, or one status, is refused for says nothing of the others.
                    let others = if concerns_some(why) { std::mem::take(&mut open) } else { VecDeque::new() };
                    self.give_up(parts.into_iter().chain(open.drain(..)), RegistryError::Held { why, code }, tally).await;
                    open = others;
                }
                Err(error) => {
                    untaken.push(submission);
                    self.give_up(std::iter::once(states).chain(open.drain(..)), error, tally).await;
                }
            }
        }
        // Where something failed, a state may still name one of these: the sweep looks after them.
        if tally.failed.len() == failed_before {
            for submission in &untaken {
                self.forget(submission).await;
            }
        }
    }

    /// The submission first, then the mark on each state: a crash leaves the submission to the sweep.
    /// States that have moved on in the meantime are left out. `None` when it could not be written.
    async fn write_ahead(&self, states: Vec<ConsentState>, tally: &mut Tally) -> Option<(Submission, Vec<ConsentState>)> {
        let now = (self.clock)();
        let unanswered = later(now, self.grace);
        let mut submission = Submission {
            brand: self.brand.name.clone(),
            id: uuid::Uuid::new_v4().simple().to_string(),
            request_id: None,
            ready_at: None,
            created_at: now,
            checks: 0,
            members: members(&states),
        };
        let id = submission.id.as_str();
        let written = async {
            self.ledger.put_submission(&submission, unanswered).await?;
            let mut marks = futures::stream::iter(&states)
                .map(|state| async move {
                    let answer = Answer::Submitted { submission: id.to_owned(), due: later(now, GIVE_UP) };
                    self.ledger.answered(&state.key, Target::Registry, &state.head.sent(), answer, now, unanswered).await
                })
                .buffered(AT_ONCE);
            let mut marked = Vec::with_capacity(states.len());
            while let Some(mark) = marks.next().await {
                marked.push(mark?);
            }
            Ok::<_, LedgerError>(marked)
        };
        match written.await {
            Ok(marked) => {
                let (ours, moved_on): (Vec<_>, Vec<_>) = marked.into_iter().partition(|state| is_part_of(state, id));
                // What another worker has handed in meanwhile is looked after there.
                tally.again.extend(moved_on.into_iter().filter(|state| !matches!(state.registry, Sync::Submitted { .. })));
                submission.members = members(&ours);
                Some((submission, ours))
            }
            Err(error) => {
                self.all_failed(&members(&states), error.into(), tally).await;
                None
            }
        }
    }

    /// The registry takes none of these now.
    async fn give_up(&self, chunks: impl Iterator<Item = Vec<ConsentState>>, error: RegistryError, tally: &mut Tally) {
        let states: Vec<_> = chunks.flatten().collect();
        // Their messages come again, and then they must be pending; what waits longer is marked so by
        // the answer itself.
        self.unmark(&states, tally).await;
        self.all_failed(&members(&states), error, tally).await;
    }

    /// Makes states pending that a submission which was not taken has marked. Whether all are.
    async fn unmark(&self, states: &[ConsentState], tally: &mut Tally) -> bool {
        let due = self.due();
        let mut writes = futures::stream::iter(states)
            .map(|state| async move { (&state.key, self.ledger.requeued(&state.key, &[Target::Registry], due).await) })
            .buffer_unordered(AT_ONCE);
        let mut all = true;
        while let Some((key, written)) = writes.next().await {
            if let Err(error) = written {
                tracing::warn!(%error, "a state was not made pending again: the sweep looks after its submission");
                tally.failed.insert(key.clone());
                all = false;
            }
        }
        all
    }

    async fn wait_for_results(&self, submission: &mut Submission, wait: SignedDuration) {
        let now = (self.clock)();
        submission.ready_at = Some(later(now, wait));
        let due = later(later(now, wait), self.grace);
        if let Err(error) = self.ledger.put_submission(submission, due).await {
            tracing::warn!(%error, submission = %submission.id, "the submission's answer was not noted: the sweep looks after it");
            return;
        }
        self.call_back(submission, wait).await;
    }

    /// Has the submission looked after in `wait`, but not before.
    async fn call_back(&self, submission: &Submission, wait: SignedDuration) {
        let whole = wait.as_secs().max(0) + i64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(whole).unwrap_or(LONGEST_DELAY_SECONDS);
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
            return Ok(self.release(&submission, now).await?);
        };
        // A message may come early, and the sweep may have called while the request was on its way.
        if let Some(left) = submission.ready_at.map(|ready| ready.duration_since(now)).filter(SignedDuration::is_positive) {
            self.call_back(&submission, left).await;
            return Ok(());
        }
        let lines = match self.registry.results(&request_id).await {
            Ok(lines) => lines,
            Err(RegistryError::Busy { until, why }) => {
                tracing::info!(submission = id, why, "results cannot be asked for now");
                self.wait_for_results(&mut submission, until.duration_since(now).max(SignedDuration::from_secs(1))).await;
                return Ok(());
            }
            // The registry keeps results for longer than a brand is stopped: the sweep looks again.
            Err(RegistryError::Held { why, code }) => {
                tracing::info!(submission = id, ?why, code, "results cannot be asked for while the brand is held");
                let again = later(now, self.grace);
                submission.ready_at = Some(again);
                self.ledger.put_submission(&submission, again).await?;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let states: HashMap<ConsentKey, ConsentState> =
            self.states_of(&submission).await?.into_iter().map(|state| (state.key.clone(), state)).collect();
        let verdicts = match_lines(&submission, lines);
        let mut waiting = 0;
        let mut judged = Vec::new();
        for (member, verdict) in submission.members.iter().zip(verdicts) {
            // Without a readable state there is nothing that a verdict could settle.
            let Some(state) = states.get(&member.key) else { continue };
            let (ours, moved_on) = (is_part_of(state, id), state.head.event_id != member.sent.event_id);
            match verdict {
                // Of a state that moved on, the answer tells only what the registry held: the newer one
                // stays open.
                Some(verdict) if ours || moved_on => judged.push((member, (!moved_on).then_some(state), verdict)),
                // An earlier look judged it, or it went out again by another road.
                Some(_) => {}
                None => waiting += usize::from(ours || moved_on),
            }
        }
        let mut tally = Tally::default();
        let mut judging = futures::stream::iter(judged)
            .map(|(member, state, verdict)| async move { (member, self.judge_sent(member, state, verdict).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = judging.next().await {
            self.note(member, done, &mut tally).await;
        }
        drop(judging);
        self.ask_late(&mut tally).await;
        self.tell_insider(&mut tally).await;
        let again: Vec<_> = tally.again.into_iter().map(|state| state.key).collect();
        self.reopen(&again, now).await?;
        let failed: Vec<_> = tally.failed.into_iter().collect();
        self.pending(&failed, now).await?;
        if waiting == 0 {
            self.ledger.delete_submission(&self.brand.name, id).await?;
        } else if now.duration_since(submission.created_at) > GIVE_UP {
            self.release(&submission, now).await?;
        } else {
            submission.checks = submission.checks.saturating_add(1);
            let longest = SignedDuration::from_secs(i64::from(LONGEST_DELAY_SECONDS));
            let wait = self.result_wait.checked_mul(1 << submission.checks.min(5)).unwrap_or(longest).min(longest);
            self.wait_for_results(&mut submission, wait).await;
        }
        Ok(())
    }

    /// The states of a submission's members that have a readable form.
    async fn states_of(&self, submission: &Submission) -> Result<Vec<ConsentState>, LedgerError> {
        let keys: Vec<_> = submission.members.iter().map(|member| member.key.clone()).collect();
        Ok(reading::states(self.ledger, &keys).await?.states)
    }

    /// Gives a submission up: what it still holds is pending again.
    async fn release(&self, submission: &Submission, now: Timestamp) -> Result<(), LedgerError> {
        let states = self.states_of(submission).await?;
        let held: Vec<_> = states.into_iter().filter(|state| is_part_of(state, &submission.id)).map(|state| state.key).collect();
        self.reopen(&held, now).await?;
        self.ledger.delete_submission(&submission.brand, &submission.id).await
    }

    /// Makes keys pending again and writes messages for them.
    pub(super) async fn reopen(&self, keys: &[ConsentKey], now: Timestamp) -> Result<(), LedgerError> {
        self.pending(keys, now).await?;
        if let Err(error) = self.queues.push(keys.to_vec()).await {
            tracing::warn!(%error, "no message for re-opened work: the sweep will find it");
        }
        Ok(())
    }

    /// Makes keys pending again, for the sweep.
    async fn pending(&self, keys: &[ConsentKey], now: Timestamp) -> Result<(), LedgerError> {
        let due = later(now, self.grace);
        let mut writes =
            futures::stream::iter(keys).map(|key| self.ledger.requeued(key, &[Target::Registry], due)).buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            written?;
        }
        Ok(())
    }

    async fn forget(&self, submission: &Submission) {
        // Left standing it would only cause one more look by the sweep.
        if let Err(error) = self.ledger.delete_submission(&submission.brand, &submission.id).await {
            tracing::warn!(%error, submission = %submission.id, "a finished submission was not removed");
        }
    }
}

/// Whether a hold may be about some records of a list only.
fn concerns_some(why: Hold) -> bool {
    matches!(why, Hold::Authority | Hold::Quota)
}

/// The records of a list that was refused as a whole, by what the refusal may have been about: authority
/// is given by channel, and a refusal takes no place of the package. One part alone when it cannot be told.
fn apart(states: Vec<ConsentState>, why: Hold) -> Vec<Vec<ConsentState>> {
    let mut parts = BTreeMap::<_, Vec<ConsentState>>::new();
    for state in states {
        let part = match why {
            Hold::Authority => state.key.channel.as_str(),
            Hold::Quota => {
                if state.head.status == Status::Ret {
                    "first"
                } else {
                    "then"
                }
            }
            _ => "all",
        };
        parts.entry(part).or_default().push(state);
    }
    parts.into_values().collect()
}

fn is_part_of(state: &ConsentState, id: &str) -> bool {
    matches!(&state.registry, Sync::Submitted { submission, .. } if submission == id)
}

/// The verdict on each member, in order: by the registry's own id of the record, or else by position.
fn match_lines(submission: &Submission, lines: Vec<ResultLine>) -> Vec<Option<Verdict>> {
    let ids: HashMap<String, usize> = submission
        .members
        .iter()
        .enumerate()
        .filter_map(|(position, member)| member.record_id.as_ref().map(|id| (id.to_ascii_lowercase(), position)))
        .collect();
    let has_no_id = |position: &usize| submission.members.get(*position).is_some_and(|member: &Member| member.record_id.is_none());
    let mut verdicts: Vec<Option<Verdict>> = (0..submission.members.len()).map(|_| None).collect();
    for line in lines {
        let by_id = line.record_id.as_ref().and_then(|id| ids.get(&id.to_ascii_lowercase())).copied();
        let position = by_id.or(line.position.filter(has_no_id));
        if let Some(slot) = position.and_then(|position| verdicts.get_mut(position))
            && line.verdict.is_some()
        {
            *slot = line.verdict;
        }
    }
    verdicts
}
