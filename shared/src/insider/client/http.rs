//! One request to Insider: where it goes, what opens it, its turn, and its answer.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::policy::{Faults, Judged, Lost, Reply};
use super::{Client, InsiderError, Settings};
use crate::brand::InsiderKeys;
use crate::clock::Clock;
use crate::consent::code::Hold;
use crate::http::Http;

/// Most bytes of an answer that are read. A thousand users can each be refused with a sentence.
const LONGEST_ANSWER: usize = 4_000_000;

/// The way to Insider, one for all brands of a process. The HTTP client behind it is built by the
/// first call: reading the system's certificates takes most of a function's start.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    clock: Clock,
    http: Http,
    faults: Faults,
}

impl Connection {
    /// A way to the hosts of the settings. The clock tells from when a pause is counted.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let http = Http::new(settings.connect_timeout);
        Self { inner: Arc::new(Inner { settings, clock, http, faults: Faults::default() }) }
    }

    /// What an answer means, now.
    pub(super) fn judge(&self, endpoint: Endpoint, reply: &Reply) -> Result<Judged, InsiderError> {
        self.inner.faults.judge(endpoint.path(), reply, (self.inner.clock)())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

/// Insider's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Bulk unsubscribe or resubscribe of e-mail addresses.
    Email {
        /// Or resubscribe.
        unsubscribe: bool,
    },
    /// Bulk unsubscribe or resubscribe of phone numbers.
    Sms {
        /// Or resubscribe.
        unsubscribe: bool,
    },
    /// Bulk write of profiles.
    Upsert,
    /// Read of one profile.
    Profile,
}

impl Endpoint {
    /// Its path, which is also its name in errors and logs.
    pub(super) fn path(self) -> &'static str {
        match self {
            Endpoint::Email { unsubscribe: true } => "email/v2/unsubscribe",
            Endpoint::Email { unsubscribe: false } => "email/v2/subscribe",
            Endpoint::Sms { unsubscribe: true } => "sms/v2/unsubscribe",
            Endpoint::Sms { unsubscribe: false } => "sms/v2/subscribe",
            Endpoint::Upsert => "api/user/v1/upsert",
            Endpoint::Profile => "api/user/v1/profile",
        }
    }

    fn base(self, settings: &Settings) -> &Url {
        match self {
            Endpoint::Email { .. } | Endpoint::Sms { .. } => &settings.contact_url,
            Endpoint::Upsert | Endpoint::Profile => &settings.unification_url,
        }
    }

    fn key(self, keys: &InsiderKeys) -> &SecretString {
        match self {
            Endpoint::Email { unsubscribe: true } | Endpoint::Sms { unsubscribe: true } => &keys.unsubscribe,
            Endpoint::Email { unsubscribe: false } | Endpoint::Sms { unsubscribe: false } => &keys.resubscribe,
            Endpoint::Upsert | Endpoint::Profile => &keys.ucd,
        }
    }

    /// The pool that a call counts in, and how many calls a minute it has.
    fn pool(self, settings: &Settings) -> (&'static str, u32) {
        match self {
            Endpoint::Email { .. } | Endpoint::Sms { .. } => ("insider-contact", settings.contact_per_minute),
            Endpoint::Upsert => ("insider-upsert", settings.upsert_per_minute),
            Endpoint::Profile => ("insider-profile", settings.profile_units_per_minute),
        }
    }
}

impl Client {
    /// Waits for a turn, sends a body and returns the answer, success or not.
    pub(super) async fn exchange(&self, endpoint: Endpoint, body: String) -> Result<Reply, InsiderError> {
        let partner = self.header(&self.account.partner)?;
        let mut token = self.header(endpoint.key(&self.account.keys).expose_secret())?;
        token.set_sensitive(true);
        let (pool, per_minute) = endpoint.pool(&self.connection.inner.settings);
        self.throttle
            .slot(pool, per_minute)
            .await
            .map_err(|until| InsiderError::Busy { until, why: format!("{}: this minute's allowance is used up", endpoint.path()) })?;
        self.request(endpoint, partner, token, body)
            .await
            .map_err(|lost| self.connection.inner.faults.lost(endpoint.path(), lost, (self.connection.inner.clock)()))
    }

    fn header(&self, text: &str) -> Result<HeaderValue, InsiderError> {
        HeaderValue::from_str(text).map_err(|_| InsiderError::Held { why: Hold::Configuration, code: "insider_header".into() })
    }

    async fn request(&self, endpoint: Endpoint, partner: HeaderValue, token: HeaderValue, body: String) -> Result<Reply, Lost> {
        let mut url = endpoint.base(&self.connection.inner.settings).clone();
        url.path_segments_mut()
            .map_err(|()| Lost::Never("the host's URL cannot have a path"))?
            .pop_if_empty()
            .extend(endpoint.path().split('/'));
        let http = self.connection.inner.http.client().map_err(|_| Lost::Unsent("TLS could not be set up"))?;
        let mut response = http
            .post(url)
            .timeout(self.connection.inner.settings.timeout)
            .header("X-PARTNER-NAME", partner)
            .header("X-REQUEST-TOKEN", token)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Lost::Never("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        tracing::debug!(call = endpoint.path(), status, "called Insider");
        Ok(Reply { status, retry_after, body })
    }
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Lost::Unsent("no connection")
        } else if error.is_builder() {
            Lost::Never("the request could not be built")
        } else if error.is_timeout() {
            Lost::Sent("no answer in time")
        } else {
            Lost::Sent("the connection was lost")
        }
    }
}
