//! What the rows of a brand's book do to the state of their key, once the registry was asked what it holds.
//!
//! A book is the one input of which most is at the registry already. So the registry is asked before
//! anything is sent, and its answer becomes part of the first state that is written: what it holds, and what
//! it would refuse, ends there; only a true difference is left to be sent.

use jiff::Timestamp;

use super::code::Code;
use super::plan::{self, Policy, Step};
use super::{Answer, ConsentDate, ConsentState, Known, Merge, Movement, Outcome, SourceError, Status, Sync, Target};
use crate::calendar;

/// What was found out about a key whose state the rows change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Whether the registry holds an ONAY; `None` where it was not asked.
    pub held: Option<bool>,
    /// Whether the registry tells nothing of what it holds, whoever asks.
    pub is_mute: bool,
    /// Why it would not carry the record at all.
    pub uncarried: Option<Code>,
    /// Why nothing can be sent now: what a call would be answered with.
    pub bar: Option<Answer>,
}

/// By what the rows are taken in.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The brand's choices.
    pub policy: Policy,
    /// Whether Insider is told of a consent that the registry held already. It may know of a refusal that
    /// nobody else has heard of, and would be told to forget it.
    pub tell_insider: bool,
}

/// The state after a book's movements of one key, at least one and the largest first, and what each did.
pub fn merged(before: Option<&ConsentState>, movements: &[Movement], now: Timestamp, due: Timestamp) -> Option<(ConsentState, Vec<Merge>)> {
    let mut merges = Vec::with_capacity(movements.len());
    let (mut state, rest) = match (before, movements) {
        (Some(before), all) => (before.clone(), all),
        (None, [first, rest @ ..]) => {
            merges.push(Merge::Advanced);
            (ConsentState::first(first, now, due), rest)
        }
        (None, []) => return None,
    };
    merges.extend(rest.iter().map(|movement| state.apply(movement, now, due)));
    Some((state, merges))
}

/// Whether the registry is to be asked about the key before the state is written: it has something to be told,
/// and nobody knows what it holds. A submission that is under way tells by its result.
pub fn wants_question(before: Option<&ConsentState>, after: &ConsentState) -> bool {
    let is_news = before.is_none_or(|before| before.head != after.head);
    is_news && after.known.is_none() && after.behind.is_none() && matches!(after.registry, Sync::Pending { .. })
}

/// Whether only the registry's answer could make something of a consent: it is too late to be registered, or its
/// source says that it stands there already.
pub fn needs_answer(movement: &Movement, now: Timestamp) -> bool {
    let head = &movement.head;
    let is_late = || calendar::is_too_late(head.consent_date.civil(), ConsentDate::at(now).civil());
    head.status == Status::Onay && (!head.can_be_sent() || is_late())
}

/// What the state's record is refused with, where that is known without asking and sending.
fn unsendable(state: &ConsentState, findings: &Findings, terms: Terms, now: Timestamp) -> Option<Code> {
    // What is under way tells by its result.
    if state.behind.is_some() || !matches!(state.registry, Sync::Pending { .. }) {
        return None;
    }
    match plan::next_step_unasked(state, terms.policy, now) {
        Step::Send => findings.uncarried,
        Step::Ask if findings.is_mute && plan::is_late_refusal(state, now) => match plan::late_refusal(state, terms.policy, now) {
            Step::Reject(code) => Some(code),
            _ => None,
        },
        Step::Ask if findings.is_mute && !plan::is_too_late(state, now) => findings.uncarried,
        Step::Adopt if findings.is_mute && !state.head.can_be_sent() => Some(Code::SOURCE),
        _ => None,
    }
}

/// Ends what ends by the findings. They count only for the state that they were made for: `state` is what
/// [`merged`] made of it.
pub fn settle(state: &mut ConsentState, is_first: bool, findings: &Findings, terms: Terms, now: Timestamp, due: Timestamp) {
    if let Some(held) = findings.held {
        let known = held.then_some(Known::of(Status::Onay, None)).or(state.known);
        state.learn(known, None, now, due);
        let answer = match plan::next_step(state, terms.policy, now) {
            Step::Settle(outcome) => Some(Ok(outcome)),
            Step::Reject(code) => Some(Err(code.to_string())),
            Step::Ask => Some(plan::without_onay(state).map_err(|code| code.to_string())),
            // What only the registry sets, and it does not hold.
            Step::Adopt if !held && !state.head.source.is_sendable() => match state.head.status {
                Status::Ret => Some(Ok(Outcome::AlreadyThere)),
                Status::Onay => Some(Err(SourceError::CODE.to_owned())),
            },
            _ => None,
        };
        if let Some(answer) = answer {
            let answer = match answer {
                Ok(outcome) => Answer::Settled { outcome, transaction_id: None },
                Err(code) => Answer::Rejected(code),
            };
            state.learn(state.known, Some(answer), now, due);
        }
    }
    if let Some(code) = unsendable(state, findings, terms, now) {
        state.learn(state.known, Some(Answer::Rejected(code.to_string())), now, due);
    }
    if let (Some(bar), Sync::Pending { .. }) = (&findings.bar, &state.registry) {
        state.answered(Target::Registry, &state.head.sent(), bar.clone(), now, due);
    }
    let is_old_news = findings.held == Some(true) && state.insider_status() == Some(Status::Onay);
    if is_first && is_old_news && !terms.tell_insider {
        let not_needed = Answer::Settled { outcome: Outcome::NotNeeded, transaction_id: None };
        state.answered(Target::Insider, &state.told_to_insider(), not_needed, now, due);
    }
}
