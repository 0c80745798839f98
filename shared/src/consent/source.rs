//! Where a consent or refusal was given (İYS `source`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The medium of a movement. The thirteen `HS_*` values are a closed list that a brand may send; the
/// `IYS_*` values are set by İYS alone and are open-ended, because İYS adds to them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Recorded as approved before 1 May 2015; its date is fixed.
    Hs2015,
    /// The brand itself decided to set RET; never with ONAY, never as an address's first record.
    HsKarar,
    /// Taken in a physical place.
    HsFizikselOrtam,
    /// A signed form.
    HsIslakImza,
    /// At an event of the brand.
    HsEtkinlik,
    /// At the brand's ATM.
    HsAtm,
    /// Some electronic medium of the brand.
    HsEortam,
    /// The brand's web site.
    HsWeb,
    /// The brand's mobile application.
    HsMobil,
    /// The brand's SMS number.
    HsMesaj,
    /// The brand's e-mail.
    HsEposta,
    /// The brand's call centre.
    HsCagriMerkezi,
    /// The brand's social media tool.
    HsSosyalMedya,
    /// A source that only İYS sets, kept as it came.
    Iys(IysSource),
    /// İYS sent a movement that names no source.
    Unstated,
}

/// The text of an `IYS_*` source: upper-case letters, digits and underscores, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IysSource(Box<str>);

/// Why a text is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("source must be one of the HS_* values of İYS")]
pub struct SourceError;

impl SourceError {
    /// İYS's own code for this mistake.
    pub const CODE: &'static str = "H119";
}

const HS: &[(Source, &str)] = &[
    (Source::Hs2015, "HS_2015"),
    (Source::HsKarar, "HS_KARAR"),
    (Source::HsFizikselOrtam, "HS_FIZIKSEL_ORTAM"),
    (Source::HsIslakImza, "HS_ISLAK_IMZA"),
    (Source::HsEtkinlik, "HS_ETKINLIK"),
    (Source::HsAtm, "HS_ATM"),
    (Source::HsEortam, "HS_EORTAM"),
    (Source::HsWeb, "HS_WEB"),
    (Source::HsMobil, "HS_MOBIL"),
    (Source::HsMesaj, "HS_MESAJ"),
    (Source::HsEposta, "HS_EPOSTA"),
    (Source::HsCagriMerkezi, "HS_CAGRI_MERKEZI"),
    (Source::HsSosyalMedya, "HS_SOSYAL_MEDYA"),
];

impl Source {
    /// The value as İYS spells it; an unstated source reads `-`.
    pub fn as_str(&self) -> &str {
        match self {
            Source::Iys(source) => &source.0,
            Source::Unstated => "-",
            other => HS.iter().find(|(source, _)| source == other).map_or("-", |(_, text)| text),
        }
    }

    /// Whether a brand may send this value to İYS.
    pub fn is_sendable(&self) -> bool {
        !matches!(self, Source::Iys(_) | Source::Unstated)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((source, _)) = HS.iter().find(|(_, word)| *word == text) {
            return Ok(source.clone());
        }
        let open_ended = text.len() <= 64
            && text.len() > 4
            && text.starts_with("IYS_")
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if open_ended {
            return Ok(Source::Iys(IysSource(text.into())));
        }
        if text == "-" {
            return Ok(Source::Unstated);
        }
        Err(SourceError)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_thirteen_sendable_values_parse_back() {
        assert_eq!(HS.len(), 13);
        for (source, text) in HS {
            assert_eq!(text.parse::<Source>().as_ref(), Ok(source));
            assert_eq!(source.as_str(), *text);
            assert!(source.is_sendable());
        }
    }

    #[test]
    fn unknown_iys_values_are_kept_and_never_sendable() {
        let source: Source = "IYS_YENI_BIR_KANAL".parse().expect("open-ended");
        assert_eq!(source.to_string(), "IYS_YENI_BIR_KANAL");
        assert!(!source.is_sendable());
    }

    #[test]
    fn withdrawn_and_invented_values_are_refused() {
        for text in ["HS_TACIR", "HS_FIZIKSEL_MAGAZA", "", "web", "IYS_", "IYS_x"] {
            assert_eq!(text.parse::<Source>(), Err(SourceError), "{text}");
        }
    }
}
