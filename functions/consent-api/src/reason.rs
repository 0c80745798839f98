//! Why a target does not have a state, in words that need no looking up.

use serde::Serialize;
use shared::consent::code::{Code, Hold, Words};
use shared::consent::{Sync, Target};

/// A code with what happened and what to do about it, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<Words>,
}

impl Reason {
    /// Why a target's work is refused or held; `None` when it is neither.
    pub(crate) fn of(target: Target, sync: &Sync) -> Option<Self> {
        match sync {
            Sync::Rejected { code, .. } => Some(Self::of_code(code.clone())),
            Sync::Held { why, code, .. } => Some(Self::held(target, *why, code.clone())),
            Sync::Settled { .. } | Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Awaiting => None,
        }
    }

    /// Why a target's work is held: by the code that said so, and where it has no words of its own, or there
    /// is none, by what is waited for.
    pub(crate) fn held(target: Target, why: Hold, code: Option<String>) -> Self {
        let known = code.clone().map(Self::of_code).filter(|reason| reason.cause.is_some());
        known.unwrap_or(Self { code, cause: Some(why.cause(target)), remedy: Some(why.remedy(target)) })
    }

    /// Why a target refused, by its code.
    pub(crate) fn of_code(code: String) -> Self {
        let entry = code.parse::<Code>().ok().and_then(Code::entry);
        Self { cause: entry.map(|entry| entry.cause()), remedy: entry.map(|entry| entry.remedy()), code: Some(code) }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use shared::consent::code::entry;

    use super::*;

    fn held(why: Hold, code: Option<&str>) -> Sync {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Sync::Held { why, since: at, due: at, code: code.map(str::to_owned) }
    }

    #[test]
    fn what_is_held_says_why_by_its_code_or_else_by_what_it_waits_for() {
        let by_code = Reason::of(Target::Registry, &held(Hold::Subscription, Some("H586"))).unwrap();
        assert_eq!((by_code.code.as_deref(), by_code.cause), (Some("H586"), Some(entry("H586").unwrap().cause())));
        let without = Reason::of(Target::Registry, &held(Hold::Authority, None)).unwrap();
        assert_eq!((without.code, without.remedy), (None, Some(Hold::Authority.remedy(Target::Registry))));
        let foreign = Reason::of(Target::Insider, &held(Hold::Credentials, Some("insider_401"))).unwrap();
        assert_eq!(foreign.code.as_deref(), Some("insider_401"));
        assert_eq!(foreign.cause, Some(Hold::Credentials.cause(Target::Insider)));
        assert_eq!(Reason::of(Target::Insider, &Sync::Awaiting), None);
    }

    #[test]
    fn a_reason_is_read_in_both_languages() {
        let json = serde_json::to_value(Reason::of_code("H180".into())).unwrap();
        assert_eq!(json["code"], "H180");
        for (part, language) in [("cause", "en"), ("cause", "tr"), ("remedy", "en"), ("remedy", "tr")] {
            assert!(json[part][language].as_str().unwrap().ends_with('.'), "{part} {language}");
        }
    }
}
