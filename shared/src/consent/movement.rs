//! One consent or refusal that somebody gave, and the total order that decides which of them counts.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use super::{ConsentDate, ConsentKey, Recipient, Retailers, Source, Status};

/// Which side a movement came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A person acted in a message that Insider sent, or the brand changed a profile there.
    Insider,
    /// The state's registry: a person acted at İYS, or İYS answered what it holds.
    Registry,
    /// The brand's own systems, through the consent API.
    Api,
    /// The brand's existing book, and what İYS holds under a wrong spelling of a number: neither stands at
    /// İYS as it should.
    Import,
    /// A notice that nothing vouches for says that the registry holds a consent: the registry is asked, and what
    /// it says counts.
    Notice,
    /// We re-dated or re-sourced a refusal so that İYS takes it; the history shows both.
    Correction,
}

impl Origin {
    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Origin::Insider => "insider",
            Origin::Registry => "registry",
            Origin::Api => "api",
            Origin::Import => "import",
            Origin::Notice => "notice",
            Origin::Correction => "correction",
        }
    }
}

/// Names one event within its key, so that the same event told twice is one movement: at most 64
/// characters of letters, digits and `-_.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EventId(Box<str>);

/// A text that is no event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id has 1 to 64 characters of letters, digits and - _ .")]
pub struct EventIdError;

impl EventId {
    /// The id of an event that is known by its parts: a digest, because the parts may be anything,
    /// an address included.
    pub fn derive<'a>(kind: &str, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let kind: String = kind.chars().filter(|c| c.is_ascii_alphanumeric()).take(16).collect();
        Self(format!("{kind}-{}", BASE64URL_NOPAD.encode(&digest.finalize()[..16])).into())
    }

    /// The id of our own correction of an event, in a source that İYS takes: made twice, it is one movement.
    pub fn of_correction(corrected: &Self, source: &Source) -> Self {
        Self::derive("correction", [corrected.as_str(), source.as_str()])
    }

    /// The id of an event of these words that came while another one counted: what names a refusal
    /// without a date, so that the same words after a new consent are a new refusal.
    #[must_use]
    pub fn after(&self, other: &Self) -> Self {
        let digest = Sha256::digest(other.0.as_bytes());
        let own: String = self.0.chars().take(48).collect();
        Self(format!("{own}.{}", BASE64URL_NOPAD.encode(&digest[..8])).into())
    }

    /// Whether this is the id of these words, whatever counted when they came.
    pub fn is_of(&self, words: &Self) -> bool {
        let own = &words.0[..words.0.len().min(48)];
        self == words || self.0.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if fits { Ok(Self(text.into())) } else { Err(EventIdError) }
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a movement says, without whom it is about. The largest one of a key is the key's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// ONAY or RET.
    pub status: Status,
    /// The medium.
    pub source: Source,
    /// When the person gave or withdrew consent.
    pub consent_date: ConsentDate,
    /// Which side it came from.
    pub origin: Origin,
    /// The event's name within its key.
    pub event_id: EventId,
    /// When we learnt of it.
    pub received_at: Timestamp,
    /// The dealers that collected it or may use it.
    #[serde(default, skip_serializing_if = "Retailers::is_empty")]
    pub retailers: Retailers,
}

impl Head {
    /// The order of invariant 3: consent date, then RET over ONAY, then whoever acted over the
    /// registry's report of it, then the id. A notice that nothing vouches for is below everything else: it
    /// takes no one's place, and is only a reason to ask. It is total over different events, so the largest movement
    /// does not depend on arrival. One event id always stands for one event.
    ///
    /// The registry's feed reports our own movements too, with their date and status. The first telling
    /// says more of the act (its origin, its source), and staying with it leaves nothing to do.
    pub fn outranks(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }

    /// Whether it may go to the registry as the brand's own: neither what only the registry says, nor what it is
    /// only said to hold.
    pub fn can_be_sent(&self) -> bool {
        self.source.is_sendable() && self.origin != Origin::Notice
    }

    /// Whether both tell of one act: the same status at the same date.
    pub fn is_same_act(&self, other: &Self) -> bool {
        (self.status, self.consent_date) == (other.status, other.consent_date)
    }

    fn rank(&self) -> (bool, ConsentDate, bool, bool, &EventId) {
        let is_vouched_for = self.origin != Origin::Notice;
        (is_vouched_for, self.consent_date, self.status == Status::Ret, self.origin != Origin::Registry, &self.event_id)
    }
}

/// Which state was sent to a target: what an answer that comes later is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The movement that was the state.
    pub event_id: EventId,
    /// Its status.
    pub status: Status,
    /// Its date.
    pub consent_date: ConsentDate,
}

impl Head {
    /// What to remember of this head when it is sent.
    pub fn sent(&self) -> Sent {
        Sent { event_id: self.event_id.clone(), status: self.status, consent_date: self.consent_date }
    }
}

/// One consent or refusal of one address on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// What it is about.
    pub key: ConsentKey,
    /// The address behind the key's id.
    pub recipient: Recipient,
    /// What it says.
    pub head: Head,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_movement_that_was_stored_before_there_were_dealers_is_read_as_one_without() {
        let old = r#"{"status":"RET","source":"HS_WEB","consent_date":"2026-11-20 11:59:00","origin":"api","event_id":"api-1",
            "received_at":"2026-11-20T09:00:00Z"}"#;
        let mut head: Head = serde_json::from_str(old).unwrap();
        assert!(head.retailers.is_empty());
        assert!(!serde_json::to_string(&head).unwrap().contains("retailer"));
        head.retailers.code = Some(58_954_386);
        assert_eq!(serde_json::from_str::<Head>(&serde_json::to_string(&head).unwrap()).unwrap(), head);
    }

    #[test]
    fn the_same_words_after_another_event_are_another_event_of_the_same_words() {
        let (words, other) = (EventId::derive("insider", ["a"]), EventId::derive("insider", ["b"]));
        let (one, two) = (words.after(&other), words.after(&EventId::derive("api", ["c"])));
        assert!(one != two && one != words && one == words.after(&other));
        assert!([&words, &one, &two].iter().all(|id| id.is_of(&words) && !id.is_of(&other)));
        assert_eq!(one.as_str().parse::<EventId>(), Ok(one.clone()));
        let long: EventId = "x".repeat(64).parse().unwrap();
        assert!(long.after(&other).is_of(&long) && long.after(&other).as_str().parse::<EventId>().is_ok());
    }

    #[test]
    fn derived_ids_depend_on_every_part_and_on_their_borders() {
        let id = EventId::derive("api", ["ab", "c"]);
        assert_eq!(id, EventId::derive("api", ["ab", "c"]));
        assert_ne!(id, EventId::derive("api", ["a", "bc"]));
        assert!(id.as_str().starts_with("api-"));
        assert_eq!(id.as_str().parse::<EventId>(), Ok(id.clone()));
    }
}
