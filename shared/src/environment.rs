//! A function's settings, from environment variables that the template sets.

use jiff::SignedDuration;

/// A variable that is missing or unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Not set.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// Set to something that does not fit.
    #[error("environment variable {0} must be {1}")]
    Unusable(&'static str, &'static str),
}

/// A variable that must be set.
pub fn required(name: &'static str) -> Result<String, EnvironmentError> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(EnvironmentError::Missing(name))
}

/// A whole number of seconds, or `default` when the variable is not set.
pub fn seconds(name: &'static str, default: i64) -> Result<SignedDuration, EnvironmentError> {
    let unusable = || EnvironmentError::Unusable(name, "a whole number of seconds of at least 1");
    let seconds = match std::env::var(name) {
        Err(_) => default,
        Ok(text) => text.parse().map_err(|_| unusable())?,
    };
    if seconds < 1 { Err(unusable()) } else { Ok(SignedDuration::from_secs(seconds)) }
}

/// Seconds to wait before asking for bulk results: İYS asks for at least 300.
pub fn bulk_result_wait() -> Result<SignedDuration, EnvironmentError> {
    seconds("IYS_BULK_RESULT_WAIT_SECONDS", 300)
}

/// Seconds for which a brand that İYS refuses is left alone between two looks at its account.
pub fn standing_pause() -> Result<SignedDuration, EnvironmentError> {
    seconds("STANDING_PAUSE_SECONDS", 1800)
}

/// Base address of this system's own HTTP API.
pub fn api_url() -> Result<url::Url, EnvironmentError> {
    let unusable = |_| EnvironmentError::Unusable("API_URL", "a URL");
    required("API_URL")?.parse().map_err(unusable)
}

/// Seconds after which the sweep looks after work that no queue message has finished.
pub fn work_grace() -> Result<SignedDuration, EnvironmentError> {
    seconds("WORK_GRACE_SECONDS", 900)
}
