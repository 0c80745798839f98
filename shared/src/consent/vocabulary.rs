//! İYS's closed word lists: channels, recipient types and statuses, spelt as İYS spells them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is not in one of İYS's closed lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be one of {allowed}")]
pub struct UnknownWord {
    /// The field that carried the word.
    pub field: &'static str,
    /// The words that İYS knows, separated by commas.
    pub allowed: &'static str,
    /// İYS's own code for this mistake.
    pub code: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $field:literal, $code:literal, $allowed:literal, { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word of the list.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as İYS spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord { field: $field, allowed: $allowed, code: $code }),
                }
            }
        }
    };
}

words! {
    /// The channel a consent is for (İYS `type`).
    Channel, "type", "H117", "ARAMA, MESAJ, EPOSTA", {
        /// Voice call.
        Arama = "ARAMA",
        /// SMS.
        Mesaj = "MESAJ",
        /// E-mail.
        Eposta = "EPOSTA",
    }
}

words! {
    /// Whether the recipient is a consumer or a merchant (İYS `recipientType`).
    RecipientType, "recipientType", "H116", "BIREYSEL, TACIR", {
        /// A consumer.
        Bireysel = "BIREYSEL",
        /// A merchant or tradesman.
        Tacir = "TACIR",
    }
}

words! {
    /// Whether messages are allowed (İYS `status`).
    Status, "status", "H115", "ONAY, RET", {
        /// Consent.
        Onay = "ONAY",
        /// Refusal.
        Ret = "RET",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_back_and_others_name_the_field_and_the_rule() {
        for channel in Channel::ALL {
            assert_eq!(channel.as_str().parse(), Ok(*channel));
        }
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        for kind in RecipientType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        let error = "RED".parse::<Status>().unwrap_err();
        assert_eq!(error.to_string(), "status must be one of ONAY, RET");
        assert_eq!(error.code, "H115");
    }
}
