//! One call to an integrator: its turn, its sending, and what a failure means.
//!
//! | What happened | Error |
//! |---|---|
//! | no turn within reach, 429, no connection, 5xx | `Busy` |
//! | no answer in time, connection lost after sending; of calls that store: 502, 503, 504 | `Unanswered` |
//! | 401, 403 | `Held` |
//! | 404, and a success that cannot be read | `Defect` |
//!
//! Bodies and addresses of requests carry secrets and people's addresses: neither is ever logged, and the errors
//! of the HTTP client, which quote addresses, are not either.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use url::Url;

use crate::clock::Clock;
use crate::consent::code::Hold;
use crate::http::Http;
use crate::ledger::Ledger;
use crate::ledger::budget::{Grant, PerMinute};
use crate::registry::RegistryError;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until an answer is complete.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How far ahead a call's turn may be booked.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// When a passing fault is worth another try.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// When a limit of a minute has surely passed. Longer than what is left to the queue: a message that came again and
/// again for want of a turn would end among the dead letters.
const LIMITED: SignedDuration = SignedDuration::from_mins(3);
/// For how long no worker calls after the other side had enough.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What all calls of a process share.
pub(super) struct Wire {
    http: Http,
    ledger: Ledger,
    clock: Clock,
}

/// A complete answer. No `Debug`: it may carry addresses.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The body as a typed value; what is wrong with it names the place only.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| format!("at {}: not as expected", error.path()))
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }
}

/// An answer that one side does not understand.
pub(super) fn defect(name: &str, why: &str) -> RegistryError {
    RegistryError::Defect { why: format!("{name}: {why}") }
}

/// A success that stored something and cannot be read.
pub(super) fn unreadable(name: &str, why: &str) -> RegistryError {
    RegistryError::Unanswered { why: format!("{name}: a success that cannot be read, {why}") }
}

/// An account's allowance: shared by all brands and workers that use it. The name says nothing of the account.
pub(super) fn pool(kind: &str, account: &SecretString, limit: u16) -> PerMinute {
    let digest = Sha256::digest(account.expose_secret().as_bytes());
    let pool = format!("{kind}-{}", BASE64URL_NOPAD.encode(&digest[..9]));
    PerMinute { pool: pool.into(), limit: limit.into(), max_wait: MAX_WAIT }
}

impl Wire {
    pub(super) fn new(ledger: Ledger, clock: Clock) -> Arc<Self> {
        Arc::new(Self { http: Http::new(CONNECT_TIMEOUT), ledger, clock })
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn client(&self, name: &str) -> Result<&reqwest::Client, RegistryError> {
        self.http.client().map_err(|_| self.busy(SOON, name, "TLS could not be set up"))
    }

    /// The address of a call.
    pub(super) fn url(&self, name: &str, base: &str, path: &str) -> Result<Url, RegistryError> {
        let mut url = Url::parse(base).map_err(|_| defect(name, "the base address cannot be used"))?;
        {
            let mut segments = url.path_segments_mut().map_err(|()| defect(name, "the base address cannot have a path"))?;
            segments.pop_if_empty().extend(path.trim_start_matches('/').split('/'));
        }
        Ok(url)
    }

    /// Sends a request at its turn, and returns an answer whose status judges what was sent. `stores` says
    /// whether a lost answer leaves open what is held there.
    pub(super) async fn send(
        &self,
        name: &'static str,
        turns: &PerMinute,
        request: RequestBuilder,
        stores: bool,
    ) -> Result<Reply, RegistryError> {
        let reply = self.exchange(name, turns, request).await?;
        self.checked(name, turns, reply, stores).await
    }

    /// Sends a request at its turn, and returns the answer whatever its status.
    pub(super) async fn exchange(&self, name: &'static str, turns: &PerMinute, request: RequestBuilder) -> Result<Reply, RegistryError> {
        if let Grant::Full { .. } = self.ledger.wait_for_turn(turns, &self.clock).await? {
            return Err(self.busy(LIMITED, name, "the calls of the next seconds are taken"));
        }
        let lost = |error: reqwest::Error| {
            if error.is_connect() || error.is_builder() {
                self.busy(SOON, name, "no connection")
            } else {
                let why = if error.is_timeout() { "no answer in time" } else { "the connection was lost" };
                RegistryError::Unanswered { why: format!("{name}: {why}") }
            }
        };
        let begun = self.now();
        let response = request.timeout(TIMEOUT).send().await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?.to_vec();
        tracing::debug!(
            call = name,
            status = status.as_u16(),
            duration_ms = self.now().duration_since(begun).as_millis(),
            "called an integrator"
        );
        Ok(Reply { status, body })
    }

    /// The answer, unless its status says that nothing was judged.
    pub(super) async fn checked(&self, name: &str, turns: &PerMinute, reply: Reply, stores: bool) -> Result<Reply, RegistryError> {
        let status = reply.status;
        match status.as_u16() {
            429 => Err(self.limited(name, turns, "HTTP 429").await),
            502..=504 if stores => Err(RegistryError::Unanswered { why: format!("{name}: HTTP {}", status.as_u16()) }),
            500.. => Err(self.busy(SOON, name, "HTTP 5xx")),
            401 | 403 => Err(RegistryError::Held { why: Hold::Credentials, code: format!("HTTP {}", status.as_u16()) }),
            404 => Err(defect(name, "HTTP 404")),
            _ => Ok(reply),
        }
    }

    /// The other side had enough: no worker calls for a minute.
    pub(super) async fn limited(&self, name: &str, turns: &PerMinute, why: &str) -> RegistryError {
        if let Err(error) = self.ledger.pause_turns(turns, self.now(), MINUTE).await {
            tracing::warn!(%error, call = name, "the other workers were not told of a limit");
        }
        self.busy(LIMITED, name, why)
    }

    pub(super) fn busy(&self, pause: SignedDuration, name: &str, why: &str) -> RegistryError {
        let until = self.now().checked_add(pause).unwrap_or(Timestamp::MAX);
        RegistryError::Busy { until, why: format!("{name}: {why}") }
    }
}
