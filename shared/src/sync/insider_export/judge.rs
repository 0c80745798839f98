//! What it means that Insider shows a flag, given what the ledger knows of the address: pure.

use jiff::Timestamp;

use crate::consent::{ConsentState, Origin, Outcome, Status, Sync};

/// What an address on a channel turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The ledger knows nothing of it.
    Unknown,
    /// Under way, or changed since the file may have been written.
    UnderWay,
    /// The flag says what the ledger says.
    Agrees,
    /// The flag is on, and the person refused at Insider itself.
    RefusedThere,
    /// The flag is on, and Insider was, or ought to be, told a refusal.
    AllowedAgainstRefusal,
    /// The flag is off, and Insider has a consent.
    OffAgainstConsent,
}

/// What begins the ids of refusals that an export showed.
pub(super) const EXPORTED: &str = "export";

/// Judges one flag by the states of every recipient type: if any of them is a refusal, Insider must have a
/// refusal. `since` is the moment up to which the file shows everything.
pub(super) fn judge(states: &[&ConsentState], allowed: bool, since: Timestamp, now: Timestamp) -> Verdict {
    if states.is_empty() {
        return Verdict::Unknown;
    }
    if states.iter().any(|state| is_under_way(state, since, now)) {
        return Verdict::UnderWay;
    }
    let refused = states.iter().any(|state| state.insider_status() == Some(Status::Ret));
    let consented = states.iter().all(|state| state.insider_status() == Some(Status::Onay));
    match (refused, consented, allowed) {
        (true, _, false) | (false, true, true) => Verdict::Agrees,
        (true, _, true) if states.iter().any(|state| must_be_told(state)) => Verdict::AllowedAgainstRefusal,
        (true, _, true) => Verdict::RefusedThere,
        (false, true, false) => Verdict::OffAgainstConsent,
        // What came from Insider and does not stand at the registry yet.
        (false, false, _) => Verdict::UnderWay,
    }
}

/// Whether Insider has to be told this refusal where its flag says the opposite.
///
/// Not if the person refused there: that is on Insider's list already and its flag stays as it is, by
/// Insider's own account of the two. But a refusal that only a flag has shown is undone with the flag.
pub(super) fn must_be_told(state: &ConsentState) -> bool {
    let came_from_there = state.head.origin == Origin::Insider
        && !state.head.event_id.as_str().starts_with(EXPORTED)
        && matches!(state.insider, Sync::Settled { outcome: Outcome::NotNeeded, .. });
    state.insider_status() == Some(Status::Ret) && !came_from_there
}

fn is_under_way(state: &ConsentState, since: Timestamp, now: Timestamp) -> bool {
    let ended_late = match &state.insider {
        Sync::Settled { at, .. } | Sync::Rejected { at, .. } => *at > since,
        Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Held { .. } | Sync::Awaiting => true,
    };
    ended_late || state.head.received_at > since || state.insider_doubt.is_some_and(|until| until > now)
}
