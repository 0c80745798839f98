//! Why something that was told is kept in an address's history without any effect.

use serde::{Deserialize, Serialize};

/// The reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsideReason {
    /// Somebody left an unsubscribe group of Insider's, not the channel.
    LeftGroup,
    /// Somebody marked a message as spam, which the brand does not take for a refusal.
    SpamComplaint,
    /// A message could not be delivered.
    Bounce,
    /// Somebody opted out of WhatsApp, which is no channel of İYS's.
    WhatsappOptOut,
    /// A consent for which the brand maps no source; the one that stands there is that of a refusal.
    OnayWithoutSource,
    /// A consent that does not say when it was given; the date is that of its receipt.
    OnayWithoutDate,
}

impl AsideReason {
    /// The word used in items and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            AsideReason::LeftGroup => "left_group",
            AsideReason::SpamComplaint => "spam_complaint",
            AsideReason::Bounce => "bounce",
            AsideReason::WhatsappOptOut => "whatsapp_opt_out",
            AsideReason::OnayWithoutSource => "onay_without_source",
            AsideReason::OnayWithoutDate => "onay_without_date",
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_stored_as_the_word_that_is_shown() {
        use AsideReason::*;
        for reason in [LeftGroup, SpamComplaint, Bounce, WhatsappOptOut, OnayWithoutSource, OnayWithoutDate] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
