//! What a consent's state is unique by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Channel, RecipientId, RecipientType};

/// A brand's name in routes, keys and logs: 1 to 32 characters of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BrandName(Box<str>);

/// A text that is no brand name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a brand name has 1 to 32 characters of a-z, 0-9 and -")]
pub struct BrandNameError;

impl BrandName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BrandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BrandName {
    type Err = BrandNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(text.into())) } else { Err(BrandNameError) }
    }
}

impl<'de> Deserialize<'de> for BrandName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One consent: per brand, address, recipient type and channel, as at İYS. It carries no address, so
/// it may stand in queue messages and logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConsentKey {
    /// The brand.
    pub brand: BrandName,
    /// The address, as its keyed id.
    #[serde(rename = "recipient")]
    pub recipient_id: RecipientId,
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Channel,
    /// Consumer or merchant.
    #[serde(rename = "recipientType")]
    pub recipient_type: RecipientType,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brand_names_are_safe_in_paths_and_keys() {
        assert!("demo-2".parse::<BrandName>().is_ok());
        for text in ["", "Demo", "a/b", "a#b", "a b", &"a".repeat(33)] {
            assert_eq!(text.parse::<BrandName>(), Err(BrandNameError), "{text}");
        }
    }
}
