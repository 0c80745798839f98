//! What to do next at the registry for a state whose registry work is open.
//!
//! The order of the questions matters: authority first (nothing is called without it), then what the
//! registry is known to hold (nothing is sent that it would refuse), then the dates.

use jiff::Timestamp;

use super::code::{Code, Hold};
use super::{ConsentDate, ConsentState, EventId, Head, Movement, Origin, Outcome, Source, Status, Sync};
use crate::calendar;

/// The brand's choices that the plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether the brand has authorised this channel.
    pub authorised: bool,
    /// Whether a RET that comes too late for İYS may go as the brand's own decision (`HS_KARAR`),
    /// dated now.
    pub late_ret_as_hs_karar: bool,
}

/// The next step at the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is open.
    Nothing,
    /// Final without a request.
    Settle(Outcome),
    /// Final without a request: the registry would refuse it with this code.
    Reject(Code),
    /// Wait for somebody.
    Hold(Hold),
    /// Ask whether the registry holds an ONAY: without one a RET has nothing to lift there, and a late
    /// ONAY is no consent any more.
    Ask,
    /// Fetch what the registry holds and merge it: it contradicts what came from there.
    Adopt,
    /// Record this movement first; it replaces the head in a form that the registry takes.
    Correct(Box<Movement>),
    /// Wait until this moment: the head's date lies ahead of us.
    Wait(Timestamp),
    /// Send the head.
    Send,
}

/// Decides the next step at the registry for `state` at `now`.
pub fn next_step(state: &ConsentState, policy: Policy, now: Timestamp) -> Step {
    if !matches!(state.registry, Sync::Pending { .. } | Sync::Held { .. } | Sync::Submitted { .. }) {
        return Step::Nothing;
    }
    if !policy.authorised {
        return Step::Hold(Hold::Authority);
    }
    let head = &state.head;
    if !head.source.is_sendable() {
        return Step::Adopt;
    }
    let today = ConsentDate::at(now);
    let too_late = calendar::is_too_late(head.consent_date.civil(), today.civil());
    match (head.status, state.known) {
        (Status::Ret, None) => return Step::Ask,
        (Status::Onay, None) if too_late => return Step::Ask,
        (status, Some(known)) if known.status == status => return Step::Settle(Outcome::AlreadyThere),
        _ => {}
    }
    if too_late {
        return match head.status {
            Status::Ret if policy.late_ret_as_hs_karar => Step::Correct(Box::new(as_hs_karar(state, now))),
            _ => Step::Reject(Code::TOO_LATE),
        };
    }
    if let Some(held) = state.known.and_then(|known| known.consent_date) {
        if held == head.consent_date {
            return Step::Correct(Box::new(in_the_next_second(state, now)));
        }
        if held > head.consent_date {
            return Step::Adopt;
        }
    }
    if head.consent_date > today {
        return Step::Wait(head.consent_date.instant());
    }
    Step::Send
}

/// What the registry's answer that it holds no ONAY means for a state whose step was [`Step::Ask`]:
/// the outcome, or the code that it would be refused with.
pub fn without_onay(status: Status) -> Result<Outcome, Code> {
    match status {
        Status::Ret => Ok(Outcome::NotRegistered),
        Status::Onay => Err(Code::TOO_LATE),
    }
}

/// Whether a RET that the registry called too late may go as the brand's own decision of this moment.
/// One that is dated today already is not refused for its age, so another would not help.
pub fn may_become_hs_karar(state: &ConsentState, policy: Policy, now: Timestamp) -> bool {
    let decided_today =
        state.head.source == Source::HsKarar && state.head.consent_date.civil().date() == ConsentDate::at(now).civil().date();
    state.head.status == Status::Ret && policy.late_ret_as_hs_karar && !decided_today
}

/// A RET that is too late, as the brand's own decision of this moment.
pub fn as_hs_karar(state: &ConsentState, now: Timestamp) -> Movement {
    corrected(state, Source::HsKarar, ConsentDate::at(now), now)
}

/// The head dated one second later, because the registry holds its opposite in the same second.
fn in_the_next_second(state: &ConsentState, now: Timestamp) -> Movement {
    corrected(state, state.head.source.clone(), state.head.consent_date.next_second(), now)
}

fn corrected(state: &ConsentState, source: Source, consent_date: ConsentDate, now: Timestamp) -> Movement {
    Movement {
        key: state.key.clone(),
        recipient: state.recipient.clone(),
        head: Head {
            status: state.head.status,
            // The same correction made twice is one movement: it is named after what it corrects.
            event_id: EventId::derive("correction", [state.head.event_id.as_str(), source.as_str()]),
            source,
            consent_date,
            origin: Origin::Correction,
            received_at: now,
        },
    }
}
