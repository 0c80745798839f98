//! What Insider must hold for an address on a channel when the sample is over, and what it does hold.

use shared::answers::Check;
use shared::consent::{ConsentState, Status};

use super::calls::Became;
use crate::findings::Finding;

/// What Insider must hold at the end, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing may be sent: the ledger says so.
    Refused,
    /// Messages are allowed: the ledger says so.
    Allowed,
    /// Messages are allowed, as the flag said before: the ledger has nothing to tell.
    AsFlagged,
    /// Nothing may be sent, because nothing says that it may: the ledger has nothing to tell, and the
    /// flag was not true. The list cannot be read, so this is the safe side.
    Unknown,
    /// Nothing may be sent, because the ledger could not be asked.
    Unread,
}

impl End {
    /// By the ledger's states of the address of all recipient types, and else by the flag as it was before.
    pub(super) fn of(states: &[ConsentState], flag_before: Option<bool>) -> Self {
        // As the relay reads them: the refusal is the larger word, whoever says it.
        let told: Vec<Status> = states.iter().filter_map(ConsentState::insider_status).collect();
        match (told.contains(&Status::Ret), told.contains(&Status::Onay), flag_before) {
            (true, ..) => End::Refused,
            (false, true, _) => End::Allowed,
            (false, false, Some(true)) => End::AsFlagged,
            (false, false, _) => End::Unknown,
        }
    }

    /// Whether messages are allowed.
    pub(super) const fn is_reachable(self) -> bool {
        matches!(self, End::Allowed | End::AsFlagged)
    }
}

/// What one of Insider's two stores, list and flag, says of an address after the calls so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// As before the sample.
    AsBefore,
    /// Whether messages are allowed.
    Is(bool),
    /// A call that was not answered may make it so, now or in a while.
    MayBecome(bool),
}

impl Holds {
    /// After one more call that tells the store whether messages are allowed.
    pub(super) fn after(self, became: Became, reachable: bool) -> Self {
        match (became, self) {
            (Became::KeyRefused | Became::Untaken, _) => self,
            (Became::Taken, Holds::MayBecome(other)) if other != reachable => self,
            (Became::Taken, _) => Holds::Is(reachable),
            (Became::Unclear, _) => Holds::MayBecome(reachable || self == Holds::MayBecome(true)),
        }
    }
}

/// The line that tells what Insider now holds. `flag` names the flag and `before` its value before the
/// sample; a channel without a list has none.
pub(super) fn left(check: &str, end: End, list: Option<Holds>, flag: Holds, name: &str, before: Option<bool>) -> Check {
    let before = before.map_or_else(|| "–".to_owned(), |before| before.to_string());
    if flag == Holds::AsBefore && list.is_none_or(|list| list == Holds::AsBefore) {
        return Finding::LeftAsBefore.of(check, &[]);
    }
    if end.is_reachable() {
        let fits = |holds: Holds| matches!(holds, Holds::AsBefore | Holds::Is(true));
        return match (fits(flag) && list.is_none_or(fits), end) {
            (true, End::Allowed) => Finding::LeftAllowed.of(check, &[]),
            (true, _) => Finding::LeftAllowedByFlag.of(check, &[name]),
            (false, _) => Finding::LeftUnreachable.of(check, &[]),
        };
    }
    let suppresses = |holds: Holds| holds == Holds::Is(false);
    match (list.is_none_or(suppresses), suppresses(flag), end) {
        (true, true, End::Refused) => Finding::LeftSuppressed.of(check, &[]),
        (true, true, End::Unread) => Finding::LeftUnread.of(check, &[]),
        (true, true, _) => Finding::LeftSuppressedUnknown.of(check, &[name, &before]),
        (true, false, _) if list.is_some() => Finding::LeftByList.of(check, &[name]),
        (false, true, _) => Finding::LeftByFlag.of(check, &[name]),
        _ => Finding::LeftOpen.of(check, &[]),
    }
}

#[cfg(test)]
mod tests {
    use shared::answers::Outcome;

    use super::*;

    #[test]
    fn a_call_without_an_answer_is_not_forgotten_by_the_next_that_is_answered() {
        let after =
            |calls: &[(Became, bool)]| calls.iter().fold(Holds::AsBefore, |holds, (became, reachable)| holds.after(*became, *reachable));
        use Became::{KeyRefused, Taken, Unclear, Untaken};
        assert_eq!(after(&[(KeyRefused, true), (Untaken, false)]), Holds::AsBefore);
        assert_eq!(after(&[(Taken, false), (Taken, true), (Untaken, false)]), Holds::Is(true));
        assert_eq!(after(&[(Taken, false), (Unclear, true), (Taken, false)]), Holds::MayBecome(true));
        assert_eq!(after(&[(Unclear, true), (Unclear, false), (Taken, false)]), Holds::MayBecome(true));
        assert_eq!(after(&[(Unclear, false), (Taken, false)]), Holds::Is(false));
    }

    #[test]
    fn nothing_is_called_suppressed_of_which_that_is_not_known() {
        let said = |list, flag| left("left", End::Refused, Some(list), flag, "email_optin", None).outcome;
        use Holds::{AsBefore, Is, MayBecome};
        assert_eq!(said(Is(false), Is(false)), Outcome::Ok);
        assert_eq!(said(AsBefore, AsBefore), Outcome::Skipped);
        for (list, flag) in [(MayBecome(true), Is(false)), (Is(false), MayBecome(false)), (AsBefore, Is(false)), (Is(false), AsBefore)] {
            assert_eq!(said(list, flag), Outcome::Warning, "{list:?} {flag:?}");
        }
        for (list, flag) in [(MayBecome(true), MayBecome(false)), (Is(true), AsBefore), (AsBefore, MayBecome(false))] {
            assert_eq!(said(list, flag), Outcome::Failed, "{list:?} {flag:?}");
        }
        let alone = |end, flag| left("left", end, None, flag, "calls", Some(true)).outcome;
        assert_eq!(alone(End::Refused, Is(false)), Outcome::Ok);
        assert_eq!(alone(End::Refused, MayBecome(false)), Outcome::Failed);
        assert_eq!(alone(End::AsFlagged, Is(true)), Outcome::Ok);
        assert_eq!(alone(End::AsFlagged, Is(false)), Outcome::Warning);
    }
}
