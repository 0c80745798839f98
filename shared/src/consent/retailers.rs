//! The dealers (İYS "bayi") of a consent: who collected it and who may use it.

use serde::{Deserialize, Deserializer, Serialize};

/// Most dealers that may use one consent (İYS documentation, `retailerAccess`).
pub const RETAILER_ACCESS: usize = 3000;

/// The dealers of a consent, by their İYS numbers of eight digits, under İYS's own field names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retailers {
    /// The dealer that collected it.
    #[serde(default, rename = "retailerCode", skip_serializing_if = "Option::is_none")]
    pub code: Option<u64>,
    /// The dealers that may use it: in ascending order, none twice.
    #[serde(default, rename = "retailerAccess", skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<u64>,
}

impl Retailers {
    /// Whether no dealer is named.
    pub const fn is_empty(&self) -> bool {
        self.code.is_none() && self.access.is_empty()
    }
}

/// A dealer's number as a caller wrote it: a JSON number, or a text of digits. Anything else is kept as
/// "no number", without the value, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRetailer(Option<u64>);

impl RawRetailer {
    /// The İYS number, if it is one: eight digits.
    pub fn number(self) -> Option<u64> {
        self.0.filter(|number| (10_000_000..=99_999_999).contains(number))
    }
}

impl<'de> Deserialize<'de> for RawRetailer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Number(u64),
            Text(String),
            Other(serde::de::IgnoredAny),
        }
        Ok(Self(match Given::deserialize(deserializer)? {
            Given::Number(number) => Some(number),
            Given::Text(text) => {
                Some(text.trim()).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok())
            }
            Given::Other(_) => None,
        }))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_dealers_number_is_read_as_a_number_or_as_text_and_has_eight_digits() {
        for (json, expected) in [
            ("58954386", Some(58_954_386)),
            (r#""58954386""#, Some(58_954_386)),
            (r#"" 58954386 ""#, Some(58_954_386)),
            ("1", None),
            ("589543860", None),
            (r#""05895438""#, None),
            (r#""+5895438""#, None),
            (r#""""#, None),
            ("58954386.0", None),
            ("-58954386", None),
            ("true", None),
            (r#"{"code":58954386}"#, None),
        ] {
            assert_eq!(serde_json::from_str::<RawRetailer>(json).unwrap().number(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_missing_is_left_out_and_never_null_or_empty() {
        assert_eq!(serde_json::to_string(&Retailers::default()).unwrap(), "{}");
        let both = Retailers { code: Some(58_954_386), access: vec![55_550_127, 58_954_386] };
        let json = r#"{"retailerCode":58954386,"retailerAccess":[55550127,58954386]}"#;
        assert_eq!(serde_json::to_string(&both).unwrap(), json);
        assert_eq!(serde_json::from_str::<Retailers>(json).unwrap(), both);
        assert!(serde_json::from_str::<Retailers>("{}").unwrap().is_empty());
    }
}
