//! The fields of a consent, however an integrator spells their names.
//!
//! All of them keep İYS's fields and words and differ in capitals and underscores, in some cases within one page
//! of documentation. So names are compared without either. No `Debug`: the values may be addresses.

use std::collections::HashMap;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use crate::consent::code::Code;
use crate::consent::{Channel, Recipient, RecipientType, Source, Status};
use crate::iys::tolerant::{Text, moment};
use crate::registry::{Change, Holding};

/// An object's fields.
#[derive(Default)]
pub(super) struct Fields(HashMap<String, Text>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = HashMap::<String, Text>::deserialize(deserializer)?;
        Ok(Self(fields.into_iter().map(|(name, value)| (plain(&name), value)).collect()))
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Fields {
    /// A field by its plain name: small letters, no underscores.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Text::get)
    }

    /// A field as a typed value.
    pub(super) fn get<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// Further fields beside those that are there.
    pub(super) fn beside(mut self, others: Self) -> Self {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The consent as a movement of İYS's, or the field that cannot be read. A number may come without its plus.
    pub(super) fn change(&self) -> Result<Change, &'static str> {
        let channel: Channel = self.get("type").ok_or("type")?;
        let recipient_type = match self.text("recipienttype") {
            None => RecipientType::Bireysel,
            Some(kind) => kind.parse().map_err(|_| "recipientType")?,
        };
        let recipient = self.text("recipient").and_then(|text| address(text, channel)).ok_or("recipient")?;
        Ok(Change { recipient, recipient_type, channel, holding: self.holding()?.ok_or("status")? })
    }

    /// What is said of the key; `None` when no status is named. No id of the movement: what integrators call so is
    /// in some answers the question's.
    pub(super) fn holding(&self) -> Result<Option<Holding>, &'static str> {
        let Some(status) = self.text("status") else { return Ok(None) };
        let status: Status = status.parse().map_err(|_| "status")?;
        let date = |name, shown| match self.0.get(name) {
            Some(text) if text.get().is_some() => moment(text).map(Some).ok_or(shown),
            _ => Ok(None),
        };
        let creation_date = date("creationdate", "creationDate")?;
        let consent_date = date("consentdate", "consentDate")?;
        Ok(Some(Holding {
            status,
            source: self.get("source").unwrap_or(Source::Unstated),
            consent_date: consent_date.or(creation_date),
            creation_date,
            transaction_id: None,
            misspelt: self.text("recipient").is_some_and(Recipient::is_misspelt),
        }))
    }
}

/// An address as integrators write it.
pub(super) fn address(text: &str, channel: Channel) -> Option<Recipient> {
    let is_bare = channel != Channel::Eposta && text.len() > 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = if is_bare { format!("+{text}") } else { text.to_owned() };
    Recipient::parse(&text, channel).ok()
}

/// İYS's code at the beginning of a text.
pub(super) fn leading_code(text: &str) -> Option<Code> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?.parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn one_consent_is_read_however_its_fields_are_spelt() {
        let spelt = [
            r#"{"type":"MESAJ","source":"IYS_MOBIL","recipient":"+905992000001","status":"RET","consentDate":"2026-03-02 14:05:09","recipientType":"TACIR"}"#,
            r#"{"type":"MESAJ","source":"IYS_MOBIL","recipient":"905992000001","status":"RET","consent_date":"2026-03-02T14:05:09.000+03:00","recipient_type":"TACIR"}"#,
            r#"{"TYPE":"MESAJ","Source":"IYS_MOBIL","recipient":905992000001,"status":"RET","consentdate":"2026-03-02 14:05:09","recipienttype":"TACIR"}"#,
        ];
        let read: Vec<Change> = spelt.iter().map(|text| serde_json::from_str::<Fields>(text).unwrap().change().unwrap()).collect();
        assert!(read.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(read[0].holding.consent_date.unwrap().to_string(), "2026-03-02 14:05:09");
    }

    #[test]
    fn what_is_missing_is_named_by_its_field() {
        let field = |text: &str| serde_json::from_str::<Fields>(text).unwrap().change().unwrap_err();
        assert_eq!(field(r#"{"type":"FAX"}"#), "type");
        assert_eq!(field(r#"{"type":"MESAJ","recipient":"nobody"}"#), "recipient");
        assert_eq!(field(r#"{"type":"MESAJ","recipient":"+905992000001"}"#), "status");
        assert_eq!(field(r#"{"type":"MESAJ","recipient":"+905992000001","status":"RET","consentDate":"yesterday"}"#), "consentDate");
    }

    #[test]
    fn a_code_is_cut_off_the_text_behind_it() {
        assert_eq!(leading_code("H175 ilk kayıt").unwrap().to_string(), "H175");
        assert_eq!(leading_code("H178: eski").unwrap().to_string(), "H178");
        assert!(leading_code("Hata").is_none() && leading_code("").is_none());
    }
}
