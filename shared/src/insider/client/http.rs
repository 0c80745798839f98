//! One request to Insider: where it goes, what opens it, its turn, and its answer.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::list::Call;
use super::policy::{Faults, Judged, Lost, Reply};
use super::{Client, InsiderError, Settings, quota};
use crate::brand::InsiderKeys;
use crate::clock::Clock;
use crate::consent::code::Hold;
use crate::http::Http;

/// Most bytes of an answer that are read. A thousand users can each be refused with a sentence.
const LONGEST_ANSWER: usize = 4_000_000;
/// How often a call is tried that meets Insider's limit.
const LIMITED_TRIES: usize = 3;

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

    pub(super) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    /// Begins to read a file.
    pub(super) async fn get(&self, url: Url) -> Result<reqwest::Response, InsiderError> {
        let lost = |lost| self.inner.faults.lost("export", lost, self.now());
        let http = self.inner.http.client().map_err(|_| lost(Lost::Unsent("TLS could not be set up")))?;
        http.get(url).timeout(self.inner.settings.export_timeout).send().await.map_err(|error| lost(Lost::from(error)))
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
    /// Unsubscribe or resubscribe.
    List(Call),
    /// Bulk write of profiles.
    Upsert,
    /// Read of one profile.
    Profile,
    /// Order of a raw export.
    Export,
}

impl Endpoint {
    /// Its path, which is also its name in errors and logs.
    pub(super) fn path(self) -> &'static str {
        match self {
            Endpoint::List(call) => call.path(),
            Endpoint::Upsert => "api/user/v1/upsert",
            Endpoint::Profile => "api/user/v1/profile",
            Endpoint::Export => "api/raw/v1/export",
        }
    }

    fn base(self, settings: &Settings) -> &Url {
        match self {
            Endpoint::List(_) => &settings.contact_url,
            Endpoint::Upsert | Endpoint::Profile | Endpoint::Export => &settings.unification_url,
        }
    }

    fn key(self, keys: &InsiderKeys) -> &SecretString {
        match self {
            Endpoint::List(Call { unsubscribe: true, .. }) => &keys.unsubscribe,
            Endpoint::List(Call { unsubscribe: false, .. }) => &keys.resubscribe,
            Endpoint::Upsert | Endpoint::Profile | Endpoint::Export => &keys.ucd,
        }
    }

    /// The pool that a call counts in, and how many calls a minute it has. An export counts by the day,
    /// at Insider alone: a second one of a day is refused there, and nothing is lost by asking.
    fn pool(self, settings: &Settings, profile_cost: f64) -> Option<(&'static str, u32)> {
        match self {
            Endpoint::List(_) => Some(("insider-contact", settings.contact_per_minute)),
            Endpoint::Upsert => Some(("insider-upsert", settings.upsert_per_minute)),
            Endpoint::Profile => Some(("insider-profile", quota::reads(settings.profile_units_per_minute, profile_cost))),
            Endpoint::Export => None,
        }
    }
}

impl Client {
    /// Waits for a turn, sends a body and returns the answer, success or not. A limit of Insider's is
    /// waited out here while that is near: all workers wait together, and the work stays in order.
    pub(super) async fn exchange(&self, endpoint: Endpoint, body: String) -> Result<Reply, InsiderError> {
        let inner = &self.connection.inner;
        let partner = self.header(&self.account.partner)?;
        let mut token = self.header(endpoint.key(&self.account.keys).expose_secret())?;
        token.set_sensitive(true);
        let pool = endpoint.pool(&inner.settings, self.quota.cost());
        let mut tries = 0;
        loop {
            if let Some((pool, per_minute)) = pool {
                self.throttle.slot(pool, per_minute).await.map_err(|until| InsiderError::Busy {
                    until,
                    why: format!("{}: this minute's allowance is used up", endpoint.path()),
                })?;
            }
            let reply = self
                .request(endpoint, &partner, &token, body.clone())
                .await
                .map_err(|lost| inner.faults.lost(endpoint.path(), lost, (inner.clock)()))?;
            let (Some((pool, per_minute)), Some(until)) = (pool, inner.faults.limited(endpoint.path(), &reply, (inner.clock)())) else {
                return Ok(reply);
            };
            tries += 1;
            if !self.throttle.pause(pool, per_minute, until).await || tries == LIMITED_TRIES {
                return Ok(reply);
            }
        }
    }

    fn header(&self, text: &str) -> Result<HeaderValue, InsiderError> {
        HeaderValue::from_str(text).map_err(|_| InsiderError::Held { why: Hold::Configuration, code: "insider_header".into() })
    }

    async fn request(&self, endpoint: Endpoint, partner: &HeaderValue, token: &HeaderValue, body: String) -> Result<Reply, Lost> {
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
