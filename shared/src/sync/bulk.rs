//! Bulk submissions: many records handed in at once, with their results later.
//!
//! A submission is written ahead: it stands in the ledger before the request goes out, and for as
//! long as any state names it. So a crash at any point, or an answer that never came, is found by the
//! sweep, and what the submission still holds is sent again; to the registry that is no second
//! movement.
//!
//! What becomes of a submission that was taken:
//!
//! - its results are asked for at the time that it names itself, then more and more rarely;
//! - records without a result after a day go once more, in a submission of their own. Those that are
//!   not to be sent any more (they are too late by now, say) go back to the plan, which asks first;
//! - that second submission is asked for until the registry forgets it. Only then its records are taken
//!   back, and with them what was known of the registry.
//!
//! A registry that has no results to be asked for calls back, or is asked what it holds ([`super::outcome`]).
//! What is not there after the time that it names goes back to the plan, until the dates decide.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::isolate::caught;
use super::outcome::{self, request_name};
use super::patience::{HELD_RETRY, growing, later};
use super::push::{AT_ONCE, Push, SINGLE_ADDS, Tally, member, members, record, urgent_first};
use super::reading;
use super::sift::Sifted;
use crate::consent::code::{self, Code, Hold};
use crate::consent::plan::{self, Step};
use crate::consent::{Answer, ConsentKey, ConsentState, Status, Sync, Target};
use crate::ledger::{LedgerError, Member, RESULTS_KEPT, Submission};
use crate::queue::LONGEST_DELAY_SECONDS;
use crate::registry::{Outcomes, RegistryError, Rejects, ResultLine, Submitted, Verdict};

/// How often lists may be refused as a whole, while none is taken, before they are given up.
const REFUSALS: usize = 8;
/// How often one list is handed in again without those that it was refused for.
const RESUBMISSIONS: usize = 8;
/// How many lists of one run may stay unanswered before the rest is left for later.
const UNANSWERED: usize = 2;
/// After how long without a result records are handed in again.
pub(super) const RESEND_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// When the sweep makes sure that a submitted state's submission still stands. By then it has ended,
/// or another one has taken its place.
const LOOK_AT_STATE: SignedDuration = SignedDuration::from_hours(48);
/// The longest wait that a message can carry; the sweep calls after longer ones.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(LONGEST_DELAY_SECONDS as i64);

/// A list on its way to the registry.
struct List {
    /// What goes out, and what it was refused for.
    states: Sifted<ConsentState>,
    /// The submission under which it goes, once that is written ahead.
    submission: Option<Submission>,
    /// How often it was refused for some of its records.
    refusals: usize,
    /// Whether its records were handed in before.
    again: bool,
}

impl List {
    fn of(states: Vec<ConsentState>, again: bool) -> Self {
        Self { states: Sifted::of(states), submission: None, refusals: 0, again }
    }
}

/// How the lists of one run fare at the registry.
#[derive(Default)]
struct Fortune {
    /// Whether any was taken.
    taken: bool,
    /// How many were refused without a usable position.
    refusals: usize,
    /// How many stayed unanswered.
    unanswered: usize,
    /// What was written ahead for lists that were not taken. It stands until no state names it any more.
    untaken: Vec<Submission>,
}

impl Push<'_> {
    /// Hands in records in bulk, `again` those of a submission without results. Those that a list is
    /// refused for are judged by their code, and the rest goes again at once. A refusal that names no
    /// record is narrowed down by halves, so that one bad record costs itself only.
    pub(super) async fn submit(&self, states: Vec<ConsentState>, again: bool, tally: &mut Tally) {
        let failed_before = tally.failed.len();
        let capabilities = self.registry.capabilities();
        let most = (capabilities.bulk_records, capabilities.bulk_bytes);
        let mut open: VecDeque<List> = lists(states, most).into_iter().map(|states| List::of(states, again)).collect();
        let mut fortune = Fortune::default();
        while let Some(list) = open.pop_front() {
            if self.is_over() || fortune.unanswered >= UNANSWERED {
                fortune.untaken.extend(list.submission.clone());
                open.push_front(list);
                self.leave(open.drain(..), tally).await;
                break;
            }
            if capabilities.single && fortune.refusals > 0 && list.submission.is_none() && list.states.rest.len() <= SINGLE_ADDS {
                fortune.taken |= self.add_instead(&list.states.rest, again, tally).await;
                continue;
            }
            if let Some(list) = self.written_ahead(list, tally).await {
                self.hand_in(list, &mut open, &mut fortune, tally).await;
            }
        }
        // Where something failed, a state may still name one of these: the sweep looks after them.
        if tally.failed.len() == failed_before {
            for submission in &fortune.untaken {
                self.forget(submission).await;
            }
        }
    }

    /// One request, and what follows from its answer.
    async fn hand_in(&self, mut list: List, open: &mut VecDeque<List>, fortune: &mut Fortune, tally: &mut Tally) {
        let Some(mut submission) = list.submission.clone() else { return };
        let records: Vec<_> = list.states.rest.iter().map(record).collect();
        let list = match caught(self.registry.submit(&records)).await.map(|answer| self.believed(answer)) {
            Ok(Submitted::Taken { request_id, record_ids, refused }) => {
                tracing::info!(submission = %submission.id, records = records.len(), "bulk submission taken");
                fortune.taken = true;
                tally.finished += records.len();
                submission.request_id = Some(request_name(self.brand, request_id));
                // What was taken out is no part of it any more: nothing of its results will be about that.
                let removed = self.set_free(&mut list, tally).await;
                let now = members(&list.states.rest);
                let reordered = std::mem::replace(&mut submission.members, now) != submission.members;
                for (member, record_id) in submission.members.iter_mut().zip(record_ids) {
                    member.record_id = record_id;
                }
                // If this is lost, the sweep finds the submission unanswered and its records are sent
                // again, which the registry takes for what it is.
                self.note_taken(&mut submission, reordered).await;
                self.judge_refused(refused, &list, tally).await;
                return self.judge_removed(removed, &list, tally).await;
            }
            Ok(Submitted::Refused(refused)) if list.refusals < RESUBMISSIONS => {
                if list.states.leave_out(refused) {
                    list.refusals += 1;
                    if list.states.rest.is_empty() {
                        fortune.untaken.push(submission);
                        let removed = self.set_free(&mut list, tally).await;
                        return self.judge_removed(removed, &list, tally).await;
                    }
                    return open.push_front(list);
                }
                list
            }
            Ok(Submitted::RefusedForSome(code)) if list.states.rest.len() == 1 => {
                fortune.untaken.push(submission);
                return self.judge_refused(vec![(0, code)], &list, tally).await;
            }
            // Each half is smaller, so this ends however many of them are refused.
            Ok(Submitted::RefusedForSome(code)) => {
                tracing::warn!(submission = %submission.id, %code, records = records.len(), "a list was refused for some of its records: it goes by halves");
                fortune.untaken.push(submission);
                let again = list.again;
                let mut first: Vec<_> = list.states.into_all().collect();
                let second = first.split_off(first.len() / 2);
                [second, first].into_iter().for_each(|part| open.push_front(List::of(part, again)));
                return;
            }
            Err(RegistryError::Unanswered { why }) => {
                tracing::warn!(submission = %submission.id, why, "bulk submission unanswered: it is looked after again");
                fortune.unanswered += 1;
                tally.finished += records.len() + list.states.removed.len();
                return;
            }
            // Where no record goes by itself there is no smaller question left.
            Err(error @ RegistryError::Defect { .. }) if records.len() == 1 && !self.registry.capabilities().single => {
                fortune.untaken.push(submission);
                return self.give_up(std::iter::once(list), error, tally).await;
            }
            Ok(Submitted::Refused(_)) | Err(RegistryError::Defect { .. }) => list,
            Err(RegistryError::Held { why, code }) => {
                fortune.untaken.push(submission);
                let again = list.again;
                let mut parts: Vec<_> = apart(list.states.into_all(), why).into_iter().map(|part| List::of(part, again)).collect();
                if parts.len() > 1 {
                    tracing::warn!(?why, code, parts = parts.len(), "a bulk submission was refused as a whole: it is handed in apart");
                    parts.into_iter().rev().for_each(|part| open.push_front(part));
                    return;
                }
                // What one channel, or one status, is refused for says nothing of the others.
                if !concerns_some(why) {
                    parts.extend(open.drain(..));
                }
                return self.give_up(parts.into_iter(), RegistryError::Held { why, code }, tally).await;
            }
            Err(error) => {
                fortune.untaken.push(submission);
                open.push_front(list);
                return self.give_up(open.drain(..), error, tally).await;
            }
        };
        if records.len() == 1 && list.states.removed.is_empty() && !self.registry.capabilities().single {
            fortune.untaken.push(submission);
            let error = RegistryError::Defect { why: "one record is refused without a word about it".into() };
            return self.give_up(std::iter::once(list), error, tally).await;
        }
        tracing::warn!(submission = %submission.id, records = records.len(), "refused without saying for which record");
        fortune.refusals += 1;
        fortune.untaken.push(submission);
        if !fortune.taken && fortune.refusals > REFUSALS {
            open.push_front(list);
            let error = RegistryError::Defect { why: "every bulk submission is refused".into() };
            return self.give_up(open.drain(..), error, tally).await;
        }
        let List { states: Sifted { rest: mut first, removed, .. }, again, .. } = list;
        let second = first.split_off(first.len() / 2);
        let suspects = removed.into_iter().map(|(state, _)| state).collect();
        for part in [suspects, second, first] {
            if !part.is_empty() {
                open.push_front(List::of(part, again));
            }
        }
    }

    /// An answer as far as the registry can mean it: one that refuses whole lists says nothing of single records.
    fn believed(&self, answer: Submitted) -> Submitted {
        match answer {
            Submitted::Refused(refused) if self.registry.capabilities().rejects == Rejects::WholeList => match refused.first() {
                Some((_, code)) => Submitted::RefusedForSome(*code),
                None => Submitted::Refused(refused),
            },
            answer => answer,
        }
    }

    /// Makes pending what was taken out of a list, so that the message or the sweep finds it should this run
    /// end early.
    async fn set_free(&self, list: &mut List, tally: &mut Tally) -> Vec<(ConsentState, Code)> {
        let (states, codes): (Vec<_>, Vec<_>) = std::mem::take(&mut list.states.removed).into_iter().unzip();
        let codes: HashMap<_, _> = states.iter().map(|state| state.key.clone()).zip(codes).collect();
        let pending = self.unmark(&states, tally).await;
        pending.into_iter().filter_map(|state| codes.get(&state.key).copied().map(|code| (state, code))).collect()
    }

    /// Judges records of a list, by their position, that were refused at once.
    async fn judge_refused(&self, refused: Vec<(usize, Code)>, list: &List, tally: &mut Tally) {
        let refused: Vec<_> = refused.into_iter().filter_map(|(at, code)| Some((list.states.rest.get(at)?, code))).collect();
        let mut judging = futures::stream::iter(refused)
            .map(|(state, code)| async move {
                let sent = member(state);
                let done = self.judge_sent(&sent, Some(state), Verdict::Refused(code), (self.clock)(), list.again).await;
                (sent, done)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = judging.next().await {
            self.note(&member, done, tally).await;
        }
    }

    /// Judges what a list was refused for, now that it was taken without. Where a record may have been taken
    /// out by a mistake, each is sent by itself. So is one whose code judges no record.
    async fn judge_removed(&self, removed: Vec<(ConsentState, Code)>, list: &List, tally: &mut Tally) {
        let judges = |code: &Code| code::disposition(Some(&code.to_string()), 422).judges_a_record();
        // Where no record goes by itself, what it was refused with is all there is to judge by.
        let must_judge = !self.registry.capabilities().single;
        let (judged, rest): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|(_, code)| must_judge || (!list.states.is_doubtful && judges(code)));
        let rest: Vec<_> = rest.into_iter().map(|(state, _)| state).collect();
        self.add_each(&rest, list.again, tally).await;
        let mut judging = futures::stream::iter(judged)
            .map(|(state, code)| async move {
                let sent = member(&state);
                let done = self.judge_sent(&sent, Some(&state), Verdict::Refused(code), (self.clock)(), list.again).await;
                (sent, done)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = judging.next().await {
            self.note(&member, done, tally).await;
        }
    }

    /// Sends records one by one that were part of a list. Whether any was taken.
    async fn add_instead(&self, states: &[ConsentState], again: bool, tally: &mut Tally) -> bool {
        let pending = self.unmark(states, tally).await;
        let failed = tally.failed.len();
        self.add_each(&pending, again, tally).await;
        tally.failed.len() < failed + pending.len()
    }

    /// The submission first, then the mark on each state: a crash leaves the submission to the sweep.
    /// States that have moved on in the meantime are left out. `None` when nothing is left to send, or
    /// the ledger did not take it.
    async fn written_ahead(&self, list: List, tally: &mut Tally) -> Option<List> {
        if list.submission.is_some() {
            return Some(list);
        }
        let now = (self.clock)();
        let submission = Submission {
            brand: self.brand.name.clone(),
            id: uuid::Uuid::new_v4().simple().to_string(),
            request_id: None,
            ready_at: None,
            created_at: now,
            checks: 0,
            again: list.again,
            members: members(&list.states.rest),
        };
        let id = submission.id.as_str();
        // A submission of records that went before is waited for until it is forgotten.
        let due = later(now, if list.again { RESULTS_KEPT + LOOK_AT_STATE } else { LOOK_AT_STATE });
        let written = async {
            self.ledger.write_submission(&submission, later(now, self.grace)).await?;
            let mut marks = futures::stream::iter(&list.states.rest).map(|state| self.ledger.submitted(state, id, due)).buffered(AT_ONCE);
            let mut marked = Vec::with_capacity(list.states.rest.len());
            while let Some(mark) = marks.next().await {
                marked.push(mark?);
            }
            Ok::<_, LedgerError>(marked)
        };
        match written.await {
            Ok(marked) => {
                let (ours, moved_on): (Vec<_>, Vec<_>) = marked.into_iter().partition(|state| is_part_of(state, id));
                moved_on.into_iter().for_each(|state| tally.moved_on(state));
                if ours.is_empty() {
                    self.forget(&submission).await;
                    return None;
                }
                Some(List { states: Sifted::of(ours), submission: Some(submission), ..list })
            }
            Err(error) => {
                self.all_failed(&members(&list.states.rest), error.into(), tally).await;
                None
            }
        }
    }

    /// The registry takes none of these now.
    async fn give_up(&self, lists: impl Iterator<Item = List>, error: RegistryError, tally: &mut Tally) {
        let states: Vec<_> = lists.flat_map(|list| list.states.into_all()).collect();
        // Their messages come again, and then they must be pending; what waits longer is marked so by
        // the answer itself.
        let pending = self.unmark(&states, tally).await;
        self.all_failed(&members(&pending), error, tally).await;
    }

    /// Leaves lists to their messages.
    async fn leave(&self, lists: impl Iterator<Item = List>, tally: &mut Tally) {
        let states: Vec<_> = lists.flat_map(|list| list.states.into_all()).collect();
        tracing::warn!(keys = states.len(), "no time is left for these keys: their messages come again");
        let pending = self.unmark(&states, tally).await;
        tally.failed.extend(pending.into_iter().map(|state| state.key));
    }

    /// Makes states pending that a submission which was not taken has marked, and returns those that are.
    async fn unmark(&self, states: &[ConsentState], tally: &mut Tally) -> Vec<ConsentState> {
        let mut writes = futures::stream::iter(states)
            .map(|state| async move {
                let sent = state.head.sent();
                if !matches!(state.registry, Sync::Submitted { .. }) {
                    return (&state.key, sent.event_id, Ok(state.clone()));
                }
                let (now, due) = ((self.clock)(), self.due());
                let postponed = Answer::Postponed { due };
                let left = self.ledger.answered_as_read(state, Target::Registry, &sent, postponed, now, due).await;
                (&state.key, sent.event_id, left)
            })
            .buffered(AT_ONCE);
        let mut pending = Vec::with_capacity(states.len());
        while let Some((key, head, written)) = writes.next().await {
            match written {
                Ok(state) if state.head.event_id == head && matches!(state.registry, Sync::Pending { .. } | Sync::Held { .. }) => {
                    pending.push(state);
                }
                Ok(state) => tally.moved_on(state),
                Err(error) => {
                    tracing::warn!(%error, "a state was not made pending again: the sweep looks after its submission");
                    tally.failed.insert(key.clone());
                }
            }
        }
        pending
    }

    /// Notes that a list was taken, and when to ask for its results. Its members stand as they were
    /// written ahead, unless some were taken out since.
    async fn note_taken(&self, submission: &mut Submission, reordered: bool) {
        let wait = self.first_look();
        let due = self.ask_in(submission, wait);
        let noted = async {
            if reordered {
                self.ledger.write_members(submission).await?;
            }
            self.ledger.note_taken(submission, due).await
        };
        match noted.await {
            Ok(true) => self.call_back(submission, wait).await,
            Ok(false) => tracing::warn!(submission = %submission.id, "the submission was taken for unanswered: its records go again"),
            Err(error) => {
                tracing::warn!(%error, submission = %submission.id, "the submission's answer was not noted: the sweep looks after it");
            }
        }
    }

    /// How long after a list was taken its results are asked for.
    fn first_look(&self) -> SignedDuration {
        self.result_wait.max(self.registry.capabilities().outcomes_after)
    }

    /// Has results asked for in `wait`.
    async fn wait_for_results(&self, submission: &mut Submission, wait: SignedDuration) -> Result<(), LedgerError> {
        let due = self.ask_in(submission, wait);
        if self.ledger.note_wait(submission, due).await? {
            self.call_back(submission, wait).await;
        }
        Ok(())
    }

    /// Sets when results may be asked for, and returns when the sweep looks after the submission: once a
    /// message should have, or at that time itself, where it is too far ahead for a message.
    fn ask_in(&self, submission: &mut Submission, wait: SignedDuration) -> Timestamp {
        let ready_at = later((self.clock)(), wait);
        submission.ready_at = Some(ready_at);
        if wait > LONGEST_DELAY { ready_at } else { later(ready_at, self.grace) }
    }

    /// Has the submission looked after in `wait`, but not before. The sweep calls after longer waits.
    async fn call_back(&self, submission: &Submission, wait: SignedDuration) {
        if wait > LONGEST_DELAY {
            return;
        }
        let whole = wait.as_secs().max(0) + i64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(whole).unwrap_or(LONGEST_DELAY_SECONDS);
        if let Err(error) = self.queues.push_submission(&submission.brand, &submission.id, seconds).await {
            tracing::warn!(%error, submission = %submission.id, "no message for the submission: the sweep looks after it");
        }
    }

    /// Looks after a bulk submission: asks for its results, or sends its records again when it was
    /// never answered. `false` when its message must come again.
    pub async fn look_after(&self, id: &str) -> bool {
        if self.is_over() {
            return false;
        }
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
            tracing::warn!(submission = id, "a submission was never answered: its records go again");
            return Ok(self.release(&submission, false, now).await?);
        };
        // A message may come early, and the sweep may have called while the request was on its way.
        if let Some(left) = submission.ready_at.map(|ready| ready.duration_since(now)).filter(SignedDuration::is_positive) {
            self.call_back(&submission, left).await;
            return Ok(());
        }
        let offered = self.registry.capabilities();
        let own = outcome::request_id(self.brand, &request_id);
        // What another registry took may still arrive at İYS: a day is left to it.
        let kept = if own.is_some() { offered.outcomes_kept } else { RESEND_AFTER };
        let asked = match (own, offered.outcomes) {
            (Some(id), Outcomes::Poll) => caught(self.registry.results(id)).await,
            (None, _) if offered.onays_recipients == 0 => Ok(Vec::new()),
            (None, _) | (Some(_), Outcomes::Callback | Outcomes::Requery) => self.results_by_holdings(&submission).await,
        };
        let lines = match asked {
            Ok(lines) => lines,
            Err(RegistryError::Busy { until, why }) => {
                tracing::info!(submission = id, why, "results cannot be asked for now");
                let wait = until.duration_since(now).max(SignedDuration::from_secs(1));
                return Ok(self.wait_for_results(&mut submission, wait).await?);
            }
            // The registry keeps results for longer than most brands are stopped.
            Err(RegistryError::Held { why, code }) if now.duration_since(submission.created_at) < kept => {
                tracing::info!(submission = id, ?why, code, "results cannot be asked for while the brand is held");
                let due = self.ask_in(&mut submission, HELD_RETRY);
                self.ledger.note_held(&submission, due).await?;
                return Ok(());
            }
            // However often it is asked for, or too late to be asked for: as good as no result.
            Err(error @ (RegistryError::Defect { .. } | RegistryError::Held { .. })) => {
                tracing::error!(%error, submission = id, "results cannot be had");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let left = self.judge_lines(&submission, lines).await?;
        let age = now.duration_since(submission.created_at);
        if left.ours.is_empty() && left.moved_on == 0 {
            return Ok(self.ledger.delete_submission(&self.brand.name, id).await?);
        }
        if age >= kept {
            tracing::error!(submission = id, keys = left.ours.len(), "the registry never told what became of these records");
            return Ok(self.release(&submission, true, now).await?);
        }
        if !submission.again && age >= RESEND_AFTER && !left.ours.is_empty() {
            self.hand_in_again(&submission, left.ours, now).await?;
            if left.moved_on == 0 {
                return Ok(self.ledger.delete_submission(&self.brand.name, id).await?);
            }
        }
        submission.checks = submission.checks.saturating_add(1);
        // Neither of the two moments is missed by a wait that has grown long.
        let next = if submission.again || age >= RESEND_AFTER { kept } else { RESEND_AFTER.min(kept) };
        let wait = growing(self.first_look(), submission.checks).min(next - age);
        Ok(self.wait_for_results(&mut submission, wait).await?)
    }

    /// Settles what the lines have a verdict on, and tells what they have none on.
    async fn judge_lines(&self, submission: &Submission, lines: Vec<ResultLine>) -> Result<Unjudged, RegistryError> {
        let id = submission.id.as_str();
        let states: HashMap<ConsentKey, ConsentState> =
            self.states_of(submission).await?.into_iter().map(|state| (state.key.clone(), state)).collect();
        let verdicts = match_lines(submission, lines);
        let mut left = Unjudged::default();
        let (mut judged, mut called) = (Vec::new(), Vec::new());
        for (member, verdict) in submission.members.iter().zip(verdicts) {
            // Without a readable state there is nothing that a verdict could settle.
            let Some(state) = states.get(&member.key) else { continue };
            let moved_on = state.head.event_id != member.sent.event_id;
            let ours = is_part_of(state, id);
            match verdict {
                // Of a state that moved on, the answer tells only what the registry held: the newer one
                // stays open, and need not wait any longer.
                Some(verdict) if moved_on && !ours => {
                    judged.push((member, None, verdict));
                    called.extend(state.registry.due().map(|_| member.key.clone()));
                }
                Some(verdict) if ours => judged.push((member, (!moved_on).then_some(state), verdict)),
                // An earlier look judged it, or it went out again by another road.
                Some(_) => {}
                None if ours => left.ours.push(state.clone()),
                None => left.moved_on += usize::from(moved_on),
            }
        }
        let mut tally = Tally::default();
        let mut judging = futures::stream::iter(judged)
            .map(|(member, state, verdict)| async move {
                (member, self.judge_sent(member, state, verdict, submission.created_at, submission.again).await)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((member, done)) = judging.next().await {
            self.note(member, done, &mut tally).await;
        }
        drop(judging);
        self.finish(submission, tally, called).await?;
        Ok(left)
    }

    /// Settles what one line has a verdict on.
    pub(super) async fn judge_line(&self, submission: &Submission, line: ResultLine) -> Result<(), RegistryError> {
        self.judge_lines(submission, vec![line]).await.map(|_| ())
    }

    /// The states that are part of a submission still, with their record as it was handed in, by its position.
    pub(super) async fn still_under_way(&self, submission: &Submission) -> Result<Vec<(usize, ConsentState)>, LedgerError> {
        let mut states: HashMap<ConsentKey, ConsentState> =
            self.states_of(submission).await?.into_iter().map(|state| (state.key.clone(), state)).collect();
        let under_way = |(position, member): (usize, &Member)| {
            let state = states.remove(&member.key)?;
            (is_part_of(&state, &submission.id) && state.head.sent() == member.sent).then_some((position, state))
        };
        Ok(submission.members.iter().enumerate().filter_map(under_way).collect())
    }

    /// Ends what a look has begun: what is in doubt is asked about, Insider's work and what needs another
    /// step get their messages, and what failed is left to the sweep.
    async fn finish(&self, submission: &Submission, mut tally: Tally, mut called: Vec<ConsentKey>) -> Result<(), RegistryError> {
        self.ask_doubtful(&mut tally).await;
        self.tell_insider(&mut tally).await;
        called.extend(std::mem::take(&mut tally.again).into_iter().map(|state| state.key));
        let all: HashSet<_> = called.iter().cloned().chain(tally.failed).collect();
        self.take_back(all, submission, false).await?;
        self.call_for(called).await;
        Ok(())
    }

    /// Hands records in once more that a submission had no results for. What is not to be sent any more
    /// goes back to the plan.
    async fn hand_in_again(&self, submission: &Submission, states: Vec<ConsentState>, now: Timestamp) -> Result<(), RegistryError> {
        tracing::warn!(submission = %submission.id, keys = states.len(), "no results after a day: the records are handed in once more");
        let is_sent = |state: &ConsentState| plan::next_step_unasked(state, self.policy(state), now) == Step::Send;
        let (mut send, other): (Vec<_>, Vec<_>) = states.into_iter().partition(is_sent);
        urgent_first(&mut send);
        let mut tally = Tally::default();
        tally.again.extend(other);
        Box::pin(self.submit(send, true, &mut tally)).await;
        self.finish(submission, tally, Vec::new()).await
    }

    /// The states of a submission's members that have a readable form.
    async fn states_of(&self, submission: &Submission) -> Result<Vec<ConsentState>, LedgerError> {
        let keys: Vec<_> = submission.members.iter().map(|member| member.key.clone()).collect();
        Ok(reading::states(self.ledger, &keys).await?.states)
    }

    /// Ends a submission that nobody will ever tell the results of: what it still holds is pending again.
    async fn release(&self, submission: &Submission, forgotten: bool, now: Timestamp) -> Result<(), LedgerError> {
        let sent: HashMap<_, _> = submission.members.iter().map(|member| (&member.key, &member.sent.event_id)).collect();
        let concerned = |state: &ConsentState| {
            let moved_on = sent.get(&state.key).is_some_and(|event| **event != state.head.event_id);
            is_part_of(state, &submission.id) || (moved_on && state.registry.due().is_some())
        };
        let keys: Vec<_> = self.states_of(submission).await?.into_iter().filter(concerned).map(|state| state.key).collect();
        self.take_back(keys.iter().cloned(), submission, forgotten).await?;
        // Only once the submission is gone nothing waits behind it any more.
        self.ledger.delete_submission(&submission.brand, &submission.id).await?;
        tracing::info!(submission = %submission.id, keys = keys.len(), age_s = now.duration_since(submission.created_at).as_secs(), "released");
        self.call_for(keys).await;
        Ok(())
    }

    /// Makes pending what is part of a submission still.
    async fn take_back(
        &self,
        keys: impl IntoIterator<Item = ConsentKey>,
        submission: &Submission,
        forgotten: bool,
    ) -> Result<(), LedgerError> {
        let due = self.due();
        let mut writes = futures::stream::iter(keys)
            .map(|key| async move { self.ledger.released(&key, &submission.id, forgotten, due).await })
            .buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            written?;
        }
        Ok(())
    }

    /// Has keys looked at again now that were held.
    pub(super) async fn reopen(&self, keys: &[ConsentKey]) -> Result<(), LedgerError> {
        let due = self.due();
        let mut writes =
            futures::stream::iter(keys).map(|key| self.ledger.requeued(key, &[Target::Registry], due)).buffer_unordered(AT_ONCE);
        while let Some(written) = writes.next().await {
            written?;
        }
        self.call_for(keys.to_vec()).await;
        Ok(())
    }

    /// Writes messages for keys that need another step.
    async fn call_for(&self, keys: Vec<ConsentKey>) {
        if let Err(error) = self.queues.push(keys).await {
            tracing::warn!(%error, "no message for re-opened work: the sweep will find it");
        }
    }

    async fn forget(&self, submission: &Submission) {
        // Left standing it would only cause one more look by the sweep.
        if let Err(error) = self.ledger.delete_submission(&submission.brand, &submission.id).await {
            tracing::warn!(%error, submission = %submission.id, "a finished submission was not removed");
        }
    }
}

/// What the results of a submission say nothing of yet.
#[derive(Default)]
struct Unjudged {
    /// States that are part of it.
    ours: Vec<ConsentState>,
    /// How many others have moved on since their record was sent.
    moved_on: usize,
}

/// Splits records into lists of at most `most.0` of them and `most.1` bytes, in their order, none with one
/// address twice on one channel and for one kind of recipient: a registry that knows it by that would refuse
/// the list. A record that is too large goes alone.
fn lists(states: Vec<ConsentState>, most: (usize, usize)) -> Vec<Vec<ConsentState>> {
    let mut lists = Vec::new();
    let mut rest: VecDeque<ConsentState> = states.into();
    while !rest.is_empty() {
        let (mut list, mut seen, mut twice, mut bytes) = (Vec::new(), HashSet::new(), VecDeque::new(), 0);
        while list.len() < most.0.max(1)
            && let Some(state) = rest.pop_front()
        {
            let size = record(&state).size();
            if !list.is_empty() && bytes + size > most.1 {
                rest.push_front(state);
                break;
            }
            let known_as = (state.recipient.clone(), state.key.channel, state.key.recipient_type);
            if seen.insert(known_as) {
                bytes += size;
                list.push(state);
            } else {
                twice.push_back(state);
            }
        }
        twice.append(&mut rest);
        rest = twice;
        lists.push(list);
    }
    lists
}

/// Whether a hold may be about some records of a list only.
fn concerns_some(why: Hold) -> bool {
    matches!(why, Hold::Authority | Hold::Quota)
}

/// The records of a list that was refused as a whole, by what the refusal may have been about: authority
/// is given by channel, and a refusal takes no place of the package. One part alone when it cannot be told.
fn apart(states: impl Iterator<Item = ConsentState>, why: Hold) -> Vec<Vec<ConsentState>> {
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
    // A UUID is the same in either case and without its hyphens.
    let plain = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<String>();
    let ids: HashMap<String, usize> = submission
        .members
        .iter()
        .enumerate()
        .filter_map(|(position, member)| member.record_id.as_deref().map(|id| (plain(id), position)))
        .collect();
    let has_no_id = |position: &usize| submission.members.get(*position).is_some_and(|member: &Member| member.record_id.is_none());
    let mut verdicts: Vec<Option<Verdict>> = (0..submission.members.len()).map(|_| None).collect();
    for line in lines {
        let position = match line.record_id.as_deref().map(plain) {
            // An id that nobody gave us says nothing about a record that has one.
            Some(id) => ids.get(&id).copied().or(line.position.filter(has_no_id)),
            None => line.position,
        };
        if let Some(slot) = position.and_then(|position| verdicts.get_mut(position))
            && line.verdict.is_some()
        {
            *slot = line.verdict;
        }
    }
    verdicts
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::consent::{
        Channel, ConsentDate, EventId, Head, Movement, Origin, Recipient, RecipientIdKey, RecipientType, Retailers, Sent, Source, Status,
    };

    fn state(address: u8, secret: u8) -> ConsentState {
        let brand = "demo".parse().expect("a brand");
        let recipient = Recipient::parse(&format!("kisi{address}@example.com"), Channel::Eposta).expect("an address");
        let key = ConsentKey {
            // Under another secret the same address has another key.
            recipient_id: recipient.id(&RecipientIdKey::new(char::from(b'a' + secret).to_string().repeat(32)), &brand),
            brand,
            channel: Channel::Eposta,
            recipient_type: RecipientType::Bireysel,
        };
        let now = Timestamp::UNIX_EPOCH;
        let head = Head {
            status: Status::Onay,
            source: Source::HsWeb,
            consent_date: ConsentDate::EARLIEST,
            origin: Origin::Api,
            event_id: EventId::derive("api", ["a"]),
            received_at: now,
            retailers: Retailers::default(),
        };
        ConsentState::first(&Movement { key, recipient, head }, now, now)
    }

    proptest! {
        #[test]
        fn lists_are_full_hold_everything_once_and_no_address_twice(
            addresses in prop::collection::hash_set((0u8..12, 0u8..3), 0..30),
            most in 1usize..9,
            bytes in 1usize..2000,
        ) {
            let states: Vec<_> = addresses.iter().map(|(address, secret)| state(*address, *secret)).collect();
            let lists = lists(states.clone(), (most, bytes));
            let mut all: Vec<_> = lists.iter().flatten().map(|state| state.key.clone()).collect();
            let mut keys: Vec<_> = states.iter().map(|state| state.key.clone()).collect();
            all.sort_unstable();
            keys.sort_unstable();
            prop_assert_eq!(all, keys);
            for list in &lists {
                let known: HashSet<_> = list.iter().map(|state| &state.recipient).collect();
                prop_assert!(!list.is_empty() && list.len() <= most && known.len() == list.len());
                prop_assert!(list.len() == 1 || list.iter().map(|state| record(state).size()).sum::<usize>() <= bytes);
            }
            // Without an address that comes twice there are no more lists than needed, in the order given.
            let distinct: Vec<_> = (0u8..12).filter(|address| addresses.contains(&(*address, 0))).map(|address| state(address, 0)).collect();
            let split: Vec<_> = super::lists(distinct.clone(), (most, usize::MAX));
            prop_assert_eq!(split.len(), distinct.len().div_ceil(most));
            prop_assert_eq!(split.concat(), distinct);
        }
    }

    fn submission(record_ids: &[Option<&str>]) -> Submission {
        let sent = Sent { event_id: EventId::derive("api", ["a"]), status: Status::Onay, consent_date: ConsentDate::EARLIEST };
        let member = |(number, id): (usize, &Option<&str>)| Member {
            key: state(u8::try_from(number).expect("few"), 0).key,
            sent: sent.clone(),
            record_id: id.map(str::to_owned),
        };
        Submission {
            brand: "demo".parse().expect("a brand"),
            id: "s".into(),
            request_id: Some("r".into()),
            ready_at: None,
            created_at: Timestamp::UNIX_EPOCH,
            checks: 0,
            again: false,
            members: record_ids.iter().enumerate().map(member).collect(),
        }
    }

    fn line(record_id: Option<&str>, position: Option<usize>, transaction: Option<&str>) -> ResultLine {
        let verdict = transaction.map(|id| Verdict::Recorded { transaction_id: Some(id.to_owned()) });
        ResultLine { record_id: record_id.map(str::to_owned), position, verdict }
    }

    fn matched(record_ids: &[Option<&str>], lines: Vec<ResultLine>) -> Vec<Option<String>> {
        let transaction = |verdict| match verdict {
            Some(Verdict::Recorded { transaction_id }) => transaction_id,
            _ => None,
        };
        match_lines(&submission(record_ids), lines).into_iter().map(transaction).collect()
    }

    #[test]
    fn results_belong_to_the_record_of_their_id_however_it_is_spelled_and_else_to_their_position() {
        const A: &str = "7c1b8f0e-3a5d-4d7e-8f90-0a1b2c3d4e5f";
        let expect = |found: Vec<Option<String>>, wanted: [Option<&str>; 2]| {
            assert_eq!(found, wanted.map(|id| id.map(str::to_owned)));
        };
        for spelled in [A.to_owned(), A.to_uppercase(), A.replace('-', "")] {
            let lines = vec![line(Some(&spelled), Some(1), Some("a"))];
            expect(matched(&[Some(A), Some("other")], lines), [Some("a"), None]);
        }
        expect(matched(&[Some(A), Some("b")], vec![line(None, Some(1), Some("b"))]), [None, Some("b")]);
        expect(matched(&[None, None], vec![line(Some("x"), Some(1), Some("b"))]), [None, Some("b")]);
        expect(matched(&[Some(A), Some("b")], vec![line(Some("x"), Some(1), Some("b"))]), [None, None]);
        expect(matched(&[None, None], vec![line(None, None, Some("b")), line(None, Some(7), Some("c"))]), [None, None]);
        // A line without a verdict takes back nothing that another line said.
        expect(matched(&[Some(A), None], vec![line(Some(A), None, Some("a")), line(Some(A), None, None)]), [Some("a"), None]);
    }
}
