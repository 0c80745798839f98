//! The one table of İYS's answer codes.

use serde::{Deserialize, Serialize};

/// An answer code of İYS: `H` and three or four digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Code(std::borrow::Cow<'static, str>);

impl Code {
    /// Older than three business days.
    pub const TOO_LATE: Code = Code(std::borrow::Cow::Borrowed("H467"));
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(text.trim().to_ascii_uppercase().into()))
    }
}

/// What the brand's work waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hold {
    /// Authority.
    Authority,
    /// Subscription.
    Subscription,
    /// Quota.
    Quota,
    /// Configuration.
    Configuration,
    /// Credentials.
    Credentials,
}

/// When a passing refusal is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Soon.
    Soon,
    /// Next second.
    Second,
    /// Next hour.
    Hour,
}

/// What an answer of İYS means for the work that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// H174.
    AlreadyThere,
    /// H175.
    NotRegistered,
    /// H178.
    Superseded,
    /// H467.
    TooLate,
    /// Try again.
    Retry(RetryAfter),
    /// Token refused.
    Unauthorised,
    /// No token request for an hour.
    TokenStop,
    /// Waits for a person.
    Held(Hold),
    /// Final.
    Rejected,
    /// Our defect.
    Defect,
}

/// The disposition of a code, or of an HTTP status without one.
pub fn disposition(code: Option<&str>, http: u16) -> Disposition {
    match (code, http) {
        (Some("H174"), _) => Disposition::AlreadyThere,
        (_, 500..) => Disposition::Retry(RetryAfter::Soon),
        _ => Disposition::Rejected,
    }
}
