//! Words of others in a report: codes, sources and kinds, as long as they look like such.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::answers::Words;
use crate::consent::Target;
use crate::consent::code::{Code, Hold};

/// Longest word.
const LONGEST: usize = 64;
/// Most digits in a row: a code has them, a phone number has more.
const MOST_DIGITS: usize = 5;
/// Stands for what does not look like a word.
const OTHER: &str = "other";

/// A word of letters, digits, `_`, `-` and `.`, without so many digits in a row that it could be a number of
/// somebody's. Anything else becomes `other`, so that no address can stand in a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Cow<'_, str>")]
pub struct Word(Box<str>);

impl Word {
    /// The word in a text.
    pub fn of(text: &str) -> Self {
        let fits = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_-.".contains(&letter))
            && text.split(|letter: char| !letter.is_ascii_digit()).all(|digits| digits.len() <= MOST_DIGITS);
        Self(if fits { text } else { OTHER }.into())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Cow<'_, str>> for Word {
    fn from(text: Cow<'_, str>) -> Self {
        Self::of(&text)
    }
}

/// Why something is refused or held; empty where it is neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The target's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Word>,
    /// What is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<Hold>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Words>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Words>,
}

impl Why {
    /// By a target's code.
    pub fn of_code(code: &str) -> Self {
        let entry = code.parse::<Code>().ok().and_then(Code::entry);
        let (cause, remedy) = (entry.map(|entry| entry.cause().into()), entry.map(|entry| entry.remedy().into()));
        Self { code: Some(Word::of(code)), held_for: None, cause, remedy }
    }

    /// By what is waited for, and the code that said so.
    pub fn held(target: Target, hold: Hold, code: Option<&str>) -> Self {
        let by_code = code.map(Self::of_code).unwrap_or_default();
        let cause = by_code.cause.unwrap_or_else(|| hold.cause(target).into());
        let remedy = by_code.remedy.unwrap_or_else(|| hold.remedy(target).into());
        Self { code: by_code.code, held_for: Some(hold), cause: Some(cause), remedy: Some(remedy) }
    }

    /// Whether there is nothing to say.
    pub const fn is_empty(&self) -> bool {
        self.code.is_none() && self.held_for.is_none()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_and_sources_are_words_and_addresses_are_not() {
        for word in ["H174", "H1234", "insider_401", "IYS_AHS_HAT_KAPATMA", "HS_2015", "-", "onay_missing"] {
            assert_eq!(Word::of(word).as_str(), word);
        }
        for other in ["", "a@b.c", "+905321112233", "905321112233", "x05321112233", "İYS", "a b", "<b>", &"x".repeat(65)] {
            assert_eq!(Word::of(other).as_str(), "other", "{other}");
        }
    }

    #[test]
    fn a_hold_says_what_to_do_by_its_code_or_in_words_of_its_own() {
        let with = Why::held(Target::Registry, Hold::Subscription, Some("H586"));
        assert_ne!(with.cause.unwrap().en, Hold::Subscription.cause(Target::Registry).en);
        let without = Why::held(Target::Insider, Hold::Credentials, Some("insider_401"));
        assert_eq!(without.cause.unwrap().tr, Hold::Credentials.cause(Target::Insider).tr);
        assert_eq!(without.code.unwrap().as_str(), "insider_401");
        assert!(Why::default().is_empty());
    }

    proptest! {
        #[test]
        fn no_text_brings_an_address_into_a_document(text in "\\PC{0,80}") {
            let word: Word = serde_json::from_str(&serde_json::to_string(&text).unwrap()).unwrap();
            prop_assert!(word.as_str() == text || word.as_str() == "other");
            prop_assert!(!word.as_str().contains('@') && word.as_str().len() <= LONGEST);
        }
    }
}
