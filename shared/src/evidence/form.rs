//! A movement's canonical form: the bytes that its digest is taken of.
//!
//! It is JSON as RFC 8785 (JCS) writes it: names in ascending order, no white space. All values are texts, and
//! one is a list of texts, so that of JCS only its order and its spelling of texts are needed; `serde_json`
//! spells them alike. The texts are those that stand in the ledger, not what they mean: whoever changes a
//! letter there changes the form.

use serde::{Deserialize, Serialize};

use super::Digest;

/// Sets a movement's digest apart from all others. The number is the version of the form.
const PREFIX: &[u8] = b"iys-insider-sync movement 1\n";
const SALT_PREFIX: &[u8] = b"iys-insider-sync salt 1\n";
const PAYLOAD_SALT_PREFIX: &[u8] = b"iys-insider-sync payload salt 1\n";

/// A movement's own randomness: 128 bits as 32 hexadecimal digits, made when it is first written. Both salts
/// come from it, and neither gives it or the other away. It never leaves the ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(Box<str>);

impl Seed {
    /// A seed from random bits.
    pub fn new(random: u128) -> Self {
        Self(format!("{random:032x}").into())
    }

    /// One as the ledger holds it, whatever it says: another text gives other salts.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Its text, for the ledger.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What hides the movement behind its digest.
    pub fn salt(&self) -> Digest {
        Digest::of([SALT_PREFIX, self.0.as_bytes()])
    }

    /// What hides the payload behind its digest.
    pub fn payload_salt(&self) -> Digest {
        Digest::of([PAYLOAD_SALT_PREFIX, self.0.as_bytes()])
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(***)")
    }
}

/// A text that is no canonical form. It does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical form of a movement")]
pub struct FormError;

/// What a movement says, in texts as they stand in the ledger. What a movement does not have is empty. No
/// `Debug`: it holds the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Form {
    // In the order of their names, which is that of the form.
    /// The address.
    pub address: String,
    /// Why it has no effect, if it has none ([`crate::consent::AsideReason`]).
    pub aside: String,
    /// The brand's name.
    pub brand: String,
    /// The channel.
    pub channel: String,
    /// When the person gave or withdrew consent, in Turkish time.
    pub consent_date: String,
    /// The event's name within its key.
    pub event_id: String,
    /// Which side it came from.
    pub origin: String,
    /// The digest of what it was made from; empty where there was nothing, as for a correction.
    pub payload: String,
    /// When the system learnt of it, UTC.
    pub received_at: String,
    /// The address's keyed id.
    pub recipient_id: String,
    /// Consumer or merchant.
    pub recipient_type: String,
    /// The dealers that may use it.
    pub retailer_access: Vec<String>,
    /// The dealer that collected it.
    pub retailer_code: String,
    /// Hides all of this behind the digest.
    pub salt: Digest,
    /// The medium.
    pub source: String,
    /// ONAY or RET.
    pub status: String,
}

impl Form {
    /// The form's bytes.
    pub fn text(&self) -> String {
        // Texts and lists of texts can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a form; one that is written in any other way than the canonical one is none.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, FormError> {
        let form: Self = serde_json::from_str(text).map_err(|_| FormError)?;
        if form.text() == text { Ok(form) } else { Err(FormError) }
    }

    /// The movement's digest.
    pub fn digest(&self) -> Digest {
        Self::digest_of(&self.text())
    }

    /// The digest of a form's bytes.
    pub fn digest_of(text: &str) -> Digest {
        Digest::of([PREFIX, text.as_bytes()])
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_ascending_order_and_nothing_is_left_out() {
        let seed = Seed::new(7);
        let text = |value: &str| value.to_owned();
        let form = Form {
            address: text("a\"\\\u{1}\u{8}\u{7f}é@example.com"),
            aside: text(""),
            brand: text("demo"),
            channel: text("EPOSTA"),
            consent_date: text("2026-11-20 12:00:00"),
            event_id: text("api-1"),
            origin: text("api"),
            payload: text(""),
            received_at: text("2026-11-20T09:00:00Z"),
            recipient_id: text("r"),
            recipient_type: text("BIREYSEL"),
            retailer_access: vec![text("55550127")],
            retailer_code: text(""),
            salt: seed.salt(),
            source: text("HS_WEB"),
            status: text("RET"),
        };
        let written = form.text();
        // RFC 8785, section 3.2.2.2: what JSON has a short escape for takes it, other controls take \u00xx.
        assert!(written.starts_with("{\"address\":\"a\\\"\\\\\\u0001\\b\u{7f}é@example.com\",\"aside\":\"\","), "{written}");
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().map(|name| written.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(names.len() == 16 && names.is_sorted(), "names are not in order: {written}");
        assert!(Form::read(&written).is_ok_and(|read| read == form));
        assert!(Form::read(&written.replace(":\"demo\"", ": \"demo\"")).is_err());
        assert_ne!(seed.salt(), seed.payload_salt());
    }
}
