//! One call to İYS: its token, its turn, its sending, and what a failure means.
//!
//! The order matters. The token comes first, because getting one may take seconds when it has to be
//! renewed; the turn comes last, because it is a moment in time: callers that booked their turns and
//! then waited together for a token would all send at once.
//!
//! What a failure means for the caller:
//!
//! | What happened | Error |
//! |---|---|
//! | no turn within reach, a limit (429), İYS busy or failing (`H123`, 5xx), no connection | `Busy` |
//! | no answer in time, connection lost after sending | `Unanswered` |
//! | calls that store: 502, 503, 504, or a success whose body cannot be read | `Unanswered` |
//! | authority, subscription, quota, configuration, credentials | `Held` |
//! | an answer or request that one side does not understand | `Defect` |
//!
//! 502 to 504 say that somebody on the way, or İYS itself (`H192`), stopped waiting: what was sent may
//! still be stored.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Response, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;

use super::answer::{Problem, Reply, decisive, disposition_of, head, http_date};
use super::client::Client;
use super::operation::Operation;
use crate::brand;
use crate::consent::code::{Code, Disposition, Hold, RetryAfter};
use crate::ledger::LedgerError;
use crate::ledger::budget::{Grant, PerHour, PerSecond};
use crate::ledger::token::Token;
use crate::registry::RegistryError;

/// When a passing fault is worth another try; the caller's own growing pauses come on top.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// What a busy İYS is left in peace for. Short, because it may be busy for one call and not for the
/// next.
const BREATH: SignedDuration = SignedDuration::from_secs(2);
/// When the limit of a second has passed.
pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// When a limit of an hour has passed, with a minute for clocks that differ.
pub(super) const HOUR: SignedDuration = SignedDuration::from_mins(61);
/// The longest pause that a `Retry-After` is believed.
const LONGEST_RETRY_AFTER: u32 = 3600;
/// What is read: JSON, but for the files of reconciliation.
const ACCEPTED: &str = "application/json, */*;q=0.5";

/// What is asked of İYS. No `Debug`: the body carries addresses.
pub(super) struct Call {
    /// Its name in logs.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Segments of the path, not encoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// The hourly pool that it counts in, beside the one of all calls.
    pub(super) hour: Option<PerHour>,
    /// Whether it changes what İYS holds.
    pub(super) stores: bool,
}

impl Call {
    /// A call of a method, whose path takes `values` in their order.
    pub(super) fn new(operation: &Operation, values: &[&str]) -> Result<Self, RegistryError> {
        let path = operation.segments(values).ok_or_else(|| defect(operation.name, "a path with too few or too many values"))?;
        let (method, query) = (operation.verb.clone(), Vec::new());
        Ok(Self { name: operation.name, method, path, query, body: None, hour: None, stores: operation.stores })
    }

    /// The same with a JSON body.
    pub(super) fn json(self, body: &impl Serialize) -> Result<Self, RegistryError> {
        let body = written(self.name, body)?;
        Ok(Self { body: Some(body), ..self })
    }
}

/// A body as JSON.
pub(super) fn written(name: &str, body: &impl Serialize) -> Result<Vec<u8>, RegistryError> {
    // The writer's message cannot quote a value: it only ever refuses a form.
    serde_json::to_vec(body).map_err(|_| defect(name, "the request could not be written"))
}

/// The beginning of an answer that may be large. No `Debug`: it may carry addresses.
pub(super) enum Opened {
    /// A success with a body that has still to be read.
    Flowing(Response),
    /// A refusal, or a success with nothing in it.
    Answered(Reply),
}

/// A request or answer that one side does not understand.
pub(super) fn defect(name: &str, why: &str) -> RegistryError {
    RegistryError::Defect { why: format!("{name}: {why}") }
}

/// How a request without an answer ended. The error's own text is not used: it quotes the address
/// of the request.
pub(super) enum Lost {
    /// Nothing was sent.
    Unsent(&'static str),
    /// It may have arrived.
    Sent(&'static str),
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Lost::Unsent("no connection")
        } else if error.is_builder() {
            Lost::Unsent("the request could not be built")
        } else if error.is_timeout() {
            Lost::Sent("no answer in time")
        } else {
            Lost::Sent("the connection was lost")
        }
    }
}

impl Client {
    /// Sends a call and returns the answer, success or not. A refused token is renewed once and the
    /// call sent once more.
    pub(super) async fn exchange(&self, account: &brand::Iys, call: &Call) -> Result<Reply, RegistryError> {
        let token = self.token(account).await?;
        let reply = self.send(call, &token).await?;
        if !is_unauthorised(&reply) {
            return Ok(reply);
        }
        let token = self.renew(account, &token).await?;
        let reply = self.send(call, &token).await?;
        if is_unauthorised(&reply) { Err(still_unauthorised(&reply)) } else { Ok(reply) }
    }

    /// The same for an answer that is too large to be held: the body of a success is left to be read.
    pub(super) async fn open(&self, account: &brand::Iys, call: &Call) -> Result<Opened, RegistryError> {
        let token = self.token(account).await?;
        let opened = self.send_and_open(call, &token).await?;
        if !matches!(&opened, Opened::Answered(reply) if is_unauthorised(reply)) {
            return Ok(opened);
        }
        let token = self.renew(account, &token).await?;
        match self.send_and_open(call, &token).await? {
            Opened::Answered(reply) if is_unauthorised(&reply) => Err(still_unauthorised(&reply)),
            opened => Ok(opened),
        }
    }

    async fn send(&self, call: &Call, token: &Token) -> Result<Reply, RegistryError> {
        self.allow(call).await?;
        let sent = self.request(call, Some(bearer(token)), self.settings().timeout).await;
        sent.map_err(|lost| self.lost(call, lost))
    }

    async fn send_and_open(&self, call: &Call, token: &Token) -> Result<Opened, RegistryError> {
        self.allow(call).await?;
        let timeout = self.settings().timeout;
        let opened = async {
            let response = self.start(call, Some(bearer(token)), None).await?;
            let flows = response.status().is_success() && response.status() != StatusCode::NO_CONTENT;
            if flows { Ok(Opened::Flowing(response)) } else { Ok(Opened::Answered(Reply::collect(response).await?)) }
        };
        let opened = tokio::time::timeout(timeout, opened).await.unwrap_or(Err(Lost::Sent("no answer in time")));
        opened.map_err(|lost| self.lost(call, lost))
    }

    /// Waits for a call's turn and takes it out of its hour.
    async fn allow(&self, call: &Call) -> Result<(), RegistryError> {
        if let Some(pool) = &call.hour {
            let now = self.now();
            if let Grant::Full { until } = self.ledger().take_of_hour(pool, now).await? {
                return Err(RegistryError::Busy { until, why: format!("{}: this hour's allowance is used up", call.name) });
            }
        }
        self.turn(call.name).await
    }

    fn lost(&self, call: &Call, lost: Lost) -> RegistryError {
        match lost {
            Lost::Unsent(why) => self.busy(SOON, call.name, why),
            Lost::Sent(why) => RegistryError::Unanswered { why: format!("{}: {why}", call.name) },
        }
    }

    /// Waits for a turn in the pool that every call to İYS is counted in, at the pace that İYS's
    /// latest answers leave.
    pub(super) async fn turn(&self, name: &str) -> Result<(), RegistryError> {
        let pool = PerSecond { limit: self.pace().await, ..self.settings().calls() };
        match self.ledger().wait_for_turn(&pool, self.clock()).await? {
            Grant::At(_) => Ok(()),
            Grant::Full { until } => Err(RegistryError::Busy { until, why: format!("{name}: the calls of the next seconds are taken") }),
        }
    }

    /// Sends a request and reads its whole answer, with no regard to allowances.
    pub(super) async fn request(&self, call: &Call, authorization: Option<String>, timeout: Duration) -> Result<Reply, Lost> {
        Ok(Reply::collect(self.start(call, authorization, Some(timeout)).await?).await?)
    }

    /// Sends a request and reads the head of its answer. The timeout holds for the body as well.
    async fn start(&self, call: &Call, authorization: Option<String>, timeout: Option<Duration>) -> Result<Response, Lost> {
        let http = self.http().client().map_err(|_| Lost::Unsent("TLS could not be set up"))?;
        let mut request = http.request(call.method.clone(), self.url(call)?).header(header::ACCEPT, ACCEPTED);
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        if let Some(authorization) = authorization {
            let mut value = header::HeaderValue::try_from(authorization).map_err(|_| Lost::Unsent("the token is no header value"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let begun = self.now();
        let response = request.send().await?;
        let now = self.now();
        let took = now.duration_since(begun);
        tracing::debug!(call = call.name, status = response.status().as_u16(), duration_ms = took.as_millis(), "called İYS");
        if let Some(date) = head(&response, header::DATE).and_then(http_date) {
            self.note_clock_offset(date.duration_since(now));
        }
        self.note_answer(response.status()).await;
        Ok(response)
    }

    fn url(&self, call: &Call) -> Result<Url, Lost> {
        let mut url = self.settings().base_url.clone();
        url.path_segments_mut().map_err(|()| Lost::Unsent("the base URL cannot have a path"))?.pop_if_empty().extend(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }

    /// What an answer that is no success means, given the error that counts: the code by which İYS
    /// refuses the record, or why nothing was judged. Limits that İYS says are used up are paused for
    /// all workers.
    pub(super) async fn judge(&self, call: &Call, reply: &Reply, problem: Option<Problem>) -> Result<Code, RegistryError> {
        let status = reply.status.as_u16();
        let code = problem.and_then(|problem| problem.code);
        let named = named(reply, code);
        match disposition_of(code, status) {
            Disposition::AlreadyThere
            | Disposition::NotRegistered
            | Disposition::Superseded
            | Disposition::TooLate
            | Disposition::Rejected => code.ok_or_else(|| defect(call.name, &named)),
            Disposition::Defect => Err(defect(call.name, &named)),
            Disposition::Held(why) => Err(held(why, reply, problem)),
            Disposition::Unauthorised => Err(held(Hold::Credentials, reply, problem)),
            Disposition::TokenStop => {
                let busy = self.busy(HOUR, call.name, &named);
                self.ledger().stop_token_requests(self.after(HOUR)).await?;
                Err(busy)
            }
            Disposition::Retry(_) if call.stores && is_ambiguous(reply.status) => {
                Err(RegistryError::Unanswered { why: format!("{}: {named}", call.name) })
            }
            Disposition::Retry(after) => {
                let pause = match after {
                    RetryAfter::Soon => SOON,
                    RetryAfter::Second => SECOND,
                    RetryAfter::Hour => HOUR,
                };
                let asked = reply.retry_after.unwrap_or(0).min(LONGEST_RETRY_AFTER);
                let pause = pause.max(SignedDuration::from_secs(i64::from(asked)));
                let paused = match (after, &call.hour) {
                    (RetryAfter::Second, _) => self.pause_turns(pause).await,
                    (RetryAfter::Hour, Some(pool)) => self.ledger().pause_hour(pool, self.after(pause)).await,
                    // İYS is busy (`H123`), and counts every call that it refuses for it as ours.
                    (RetryAfter::Soon, _) if status == 400 => self.pause_turns(BREATH).await,
                    _ => Ok(()),
                };
                // Only a courtesy: the next caller would learn it from İYS.
                if let Err(error) = paused {
                    tracing::warn!(%error, call = call.name, "the other workers were not told of a limit");
                }
                Err(self.busy(pause, call.name, &named))
            }
        }
    }

    /// The same for calls that carry no record: there is nothing that İYS could refuse but the call.
    pub(super) async fn fault(&self, call: &Call, reply: &Reply) -> RegistryError {
        let problem = decisive(&reply.problems(), reply.status.as_u16());
        match self.judge(call, reply, problem).await {
            Ok(code) => defect(call.name, &code.to_string()),
            Err(error) => error,
        }
    }

    /// Gives no turn to any worker for a while.
    pub(super) async fn pause_turns(&self, pause: SignedDuration) -> Result<(), LedgerError> {
        self.ledger().pause_turns(&self.settings().calls(), self.now(), pause).await
    }

    pub(super) fn busy(&self, pause: SignedDuration, name: &str, why: &str) -> RegistryError {
        RegistryError::Busy { until: self.after(pause), why: format!("{name}: {why}") }
    }

    pub(super) fn after(&self, pause: SignedDuration) -> Timestamp {
        self.now().checked_add(pause).unwrap_or(Timestamp::MAX)
    }
}

fn is_unauthorised(reply: &Reply) -> bool {
    !reply.status.is_success()
        && decisive(&reply.problems(), reply.status.as_u16())
            .map_or_else(|| disposition_of(None, reply.status.as_u16()), |problem| problem.disposition(reply.status.as_u16()))
            == Disposition::Unauthorised
}

fn still_unauthorised(reply: &Reply) -> RegistryError {
    held(Hold::Credentials, reply, decisive(&reply.problems(), reply.status.as_u16()))
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.access.expose_secret())
}

fn is_ambiguous(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

fn held(why: Hold, reply: &Reply, problem: Option<Problem>) -> RegistryError {
    RegistryError::Held { why, code: named(reply, problem.and_then(|problem| problem.code)) }
}

/// The code, or the HTTP status where there is none.
pub(super) fn named(reply: &Reply, code: Option<Code>) -> String {
    code.map_or_else(|| format!("HTTP {}", reply.status.as_u16()), |code| code.to_string())
}
