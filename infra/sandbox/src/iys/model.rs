//! İYS's own words for a consent: channel, recipient type, status, date, and the consent object.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Channel of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConsentType {
    /// Voice call.
    Arama,
    /// SMS.
    Mesaj,
    /// E-mail.
    Eposta,
}

impl ConsentType {
    pub(crate) const ALL: [Self; 3] = [Self::Arama, Self::Mesaj, Self::Eposta];

    /// As İYS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arama => "ARAMA",
            Self::Mesaj => "MESAJ",
            Self::Eposta => "EPOSTA",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.name() == text)
    }
}

/// Kind of recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecipientType {
    /// Individual.
    #[default]
    Bireysel,
    /// Merchant or tradesman.
    Tacir,
}

impl RecipientType {
    pub(crate) const ALL: [Self; 2] = [Self::Bireysel, Self::Tacir];

    /// As İYS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bireysel => "BIREYSEL",
            Self::Tacir => "TACIR",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.name() == text)
    }
}

/// State of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Approval.
    Onay,
    /// Refusal.
    Ret,
}

impl Status {
    /// As İYS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Onay => "ONAY",
            Self::Ret => "RET",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Onay, Self::Ret].into_iter().find(|value| value.name() == text)
    }
}

/// What a consent's state is unique for, within İYS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) brand: u64,
    pub(crate) recipient: Arc<str>,
    pub(crate) recipient_type: RecipientType,
    pub(crate) consent_type: ConsentType,
}

/// A consent object that passed the stateless rules.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) recipient: Arc<str>,
    pub(crate) recipient_type: RecipientType,
    pub(crate) consent_type: ConsentType,
    pub(crate) status: Status,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) consent_date: Option<DateTime>,
    pub(crate) retailer_code: Option<u64>,
    pub(crate) retailer_access: Vec<u64>,
}

impl Consent {
    pub(crate) fn key(&self, brand: u64) -> Key {
        Key { brand, recipient: Arc::clone(&self.recipient), recipient_type: self.recipient_type, consent_type: self.consent_type }
    }

    /// The consent as text, equal for equal consents of one brand: what v2 compares resends by.
    pub(crate) fn fingerprint(&self, brand: u64) -> String {
        format!(
            "{brand}|{}|{}|{}|{}|{}|{}|{:?}|{:?}",
            self.recipient,
            self.recipient_type.name(),
            self.consent_type.name(),
            self.status.name(),
            self.source.as_deref().unwrap_or(""),
            self.consent_date.map(write_date).unwrap_or_default(),
            self.retailer_code,
            self.retailer_access,
        )
    }
}

/// One entry in the history of a key.
pub(crate) struct Movement {
    pub(crate) status: Status,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) consent_date: Option<DateTime>,
    pub(crate) creation: Timestamp,
    pub(crate) transaction: [u8; 32],
    pub(crate) citizen_name: Option<Box<str>>,
    pub(crate) retailer_code: Option<u64>,
    pub(crate) retailer_access: Vec<u64>,
}

impl Movement {
    /// Whether the recipient made it through İYS.
    pub(crate) fn by_recipient(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("IYS_"))
    }

    pub(crate) fn transaction_id(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.transaction)
    }

    pub(crate) fn creation_date(&self) -> String {
        write_date(turkish(self.creation))
    }

    /// As pull, push and history list it.
    pub(crate) fn listed(&self, key: &Key) -> Map<String, Value> {
        let mut row = Map::new();
        row.insert(
            "consentDate".to_owned(),
            // Rows without a date carry an empty text (İYS API documentation, pull).
            json!(self.consent_date.map(write_date).unwrap_or_default()),
        );
        row.insert("creationDate".to_owned(), json!(self.creation_date()));
        if let Some(source) = &self.source {
            row.insert("source".to_owned(), json!(source));
        }
        row.insert("recipient".to_owned(), json!(key.recipient));
        row.insert("recipientType".to_owned(), json!(key.recipient_type));
        row.insert("status".to_owned(), json!(self.status));
        row.insert("type".to_owned(), json!(key.consent_type));
        row.insert("transactionId".to_owned(), json!(self.transaction_id()));
        if let Some(name) = &self.citizen_name {
            row.insert("citizenName".to_owned(), json!(name));
        }
        row
    }
}

/// Turkish time, fixed UTC+3 without summer time.
pub(crate) fn turkish(at: Timestamp) -> DateTime {
    Offset::constant(3).to_datetime(at)
}

/// `YYYY-MM-DD HH:mm:ss`.
pub(crate) fn write_date(at: DateTime) -> String {
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
}

/// What is wrong with a date text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadDate {
    /// Not `YYYY-MM-DD HH:mm:ss`.
    Format,
    /// In that form, but no such moment.
    NotADate,
}

/// Reads `YYYY-MM-DD HH:mm:ss`.
pub(crate) fn read_date(text: &str) -> Result<DateTime, BadDate> {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00 00:00:00";
    let fits = bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    if !fits {
        return Err(BadDate::Format);
    }
    let number = |from: usize, to: usize| bytes[from..to].iter().fold(0_i16, |value, digit| value * 10 + i16::from(digit - b'0'));
    let small = |from: usize| i8::try_from(number(from, from + 2)).map_err(|_| BadDate::NotADate);
    // Leap seconds do not exist in civil time here: 60 is refused with the other impossible values.
    DateTime::new(number(0, 4), small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, 0).map_err(|_| BadDate::NotADate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_back_as_written() {
        let text = "2026-03-02 14:05:09";
        assert_eq!(read_date(text).map(write_date), Ok(text.to_owned()));
    }

    #[test]
    fn a_wrong_shape_differs_from_an_impossible_day() {
        for text in ["2026-03-02T14:05:09", "2026-3-02 14:05:09", "02.03.2026 14:05", "", "2026-03-02 14:05:09+03"] {
            assert_eq!(read_date(text), Err(BadDate::Format), "{text}");
        }
        for text in ["2026-02-30 14:05:09", "2026-13-01 00:00:00", "2026-01-01 24:00:00", "2026-01-01 00:60:00"] {
            assert_eq!(read_date(text), Err(BadDate::NotADate), "{text}");
        }
    }

    #[test]
    fn turkish_time_is_three_hours_ahead_all_year() {
        for (utc, local) in [("2026-01-01T21:00:00Z", "2026-01-02 00:00:00"), ("2026-07-01T21:00:00Z", "2026-07-02 00:00:00")] {
            let at: Result<Timestamp, _> = utc.parse();
            assert_eq!(at.map(|at| write_date(turkish(at))).ok().as_deref(), Some(local));
        }
    }
}
