//! A function's settings, from environment variables that the template sets.

use jiff::SignedDuration;

use crate::iys::Limits;

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

/// A whole number within bounds, or `default` when the variable is not set.
fn whole(name: &'static str, default: u32, (least, most): (u32, u32), what: &'static str) -> Result<u32, EnvironmentError> {
    let number = match std::env::var(name) {
        Err(_) => Some(default),
        Ok(text) => text.parse().ok(),
    };
    number.filter(|number| (least..=most).contains(number)).ok_or(EnvironmentError::Unusable(name, what))
}

/// How much of İYS's allowance may be used. The template's bounds keep it below İYS's own limits; here
/// any number is taken, because a simulator may have others.
pub fn iys_limits() -> Result<Limits, EnvironmentError> {
    let default = Limits::default();
    let count = |name, default| whole(name, default, (1, u32::MAX), "a whole number of at least 1");
    Ok(Limits {
        calls_per_second: count("IYS_CALLS_PER_SECOND", default.calls_per_second)?,
        token_requests_per_hour: count("IYS_TOKEN_REQUESTS_PER_HOUR", default.token_requests_per_hour)?,
        single_status_per_hour: count("IYS_SINGLE_STATUS_PER_HOUR", default.single_status_per_hour)?,
        history_per_hour: count("IYS_HISTORY_PER_HOUR", default.history_per_hour)?,
        quality_floor_percent: whole(
            "IYS_QUALITY_FLOOR_PERCENT",
            default.quality_floor_percent,
            (0, 100),
            "a whole number of percent, at most 100",
        )?,
        quality_minimum_requests: count("IYS_QUALITY_MINIMUM_REQUESTS", default.quality_minimum_requests)?,
    })
}

/// Seconds to wait before asking for bulk results: İYS asks for at least 300.
pub fn bulk_result_wait() -> Result<SignedDuration, EnvironmentError> {
    seconds("IYS_BULK_RESULT_WAIT_SECONDS", 300)
}

/// Seconds for which a brand that İYS refuses is left alone between two looks at its account.
pub fn standing_pause() -> Result<SignedDuration, EnvironmentError> {
    seconds("STANDING_PAUSE_SECONDS", 1800)
}

/// Where links of Insider's exports lead, from `INSIDER_EXPORT_URL`, without the account's folder.
pub fn insider_export_url() -> Result<url::Url, EnvironmentError> {
    required("INSIDER_EXPORT_URL")?.parse().map_err(|_| EnvironmentError::Unusable("INSIDER_EXPORT_URL", "a URL"))
}

/// The same, where it is set.
pub fn told_insider_export_url() -> Result<Option<url::Url>, EnvironmentError> {
    match insider_export_url() {
        Err(EnvironmentError::Missing(_)) => Ok(None),
        url => url.map(Some),
    }
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

/// Seconds that the registry's last answer about a key is old before the key is compared with it.
pub fn verify_rest() -> Result<SignedDuration, EnvironmentError> {
    seconds("IYS_VERIFY_REST_SECONDS", 600)
}

/// The share of İYS's allowance, in percent, that verification may use.
pub fn verify_percent() -> Result<u32, EnvironmentError> {
    whole("IYS_VERIFY_PERCENT", 50, (1, 100), "a whole number of percent from 1 to 100")
}
