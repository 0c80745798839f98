//! When and how the access token is renewed: by one worker, for all.
//!
//! A token is taken from memory, else from the ledger, else asked for under the account's lease. The
//! request is made by the refresh token while that lives, else by the password; a refused refresh
//! token is followed by the password at once. While one worker asks, the others go on with the old
//! token as long as it lives and wait for the new one otherwise, for a bounded time.
//!
//! What keeps İYS's token endpoint from being asked too often, beside the hour's allowance:
//!
//! - `H084` stops every request for an hour, over all workers and accounts;
//! - refused credentials are remembered for ten minutes;
//! - a failing endpoint is asked after growing pauses, half a minute to ten minutes;
//! - a token that was renewed because its predecessor was refused, and is refused as well, is not
//!   renewed again within ten minutes: the fault is not the token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::answer::{Reply, decisive};
use super::call::{Call, HOUR, Lost, SECOND, defect, named};
use super::client::Client;
use super::operation;
use super::wire::{TokenAnswer, TokenRequest};
use crate::brand;
use crate::consent::code::{Disposition, Hold, RetryAfter, token_disposition};
use crate::ledger::budget::Grant;
use crate::ledger::token::{AccountId, PauseReason, Token};
use crate::registry::RegistryError;

/// After so long a lease that was not given back is free: its holder died. Two token requests with
/// their turns fit in.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often a worker looks whether another one has renewed the token.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// When to come back after having waited for another worker in vain.
const COME_BACK: SignedDuration = SignedDuration::from_secs(5);
/// How long refused credentials are not tried again.
const CREDENTIALS_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// The first pause after a token request that failed; it doubles with every further one.
const FIRST_FAULT_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The longest of them.
const LONGEST_FAULT_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Within this time a renewed token that is refused as well is not renewed again.
const FORCED_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Life of an access token when the answer names none, in seconds (İYS documentation, authentication).
const ACCESS_LIFE: u32 = 7200;
/// Life of a refresh token likewise.
const REFRESH_LIFE: u32 = 14_400;

const NAME: &str = operation::TOKEN.name;

/// The tokens in this process's memory, by account.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<AccountId, Arc<Seat>>>);

/// One account's place.
#[derive(Debug, Default)]
struct Seat {
    token: Mutex<Option<Arc<Token>>>,
    /// Held by the one task of this process that looks for a new token.
    renewing: tokio::sync::Mutex<()>,
}

impl Tokens {
    fn seat(&self, id: &AccountId) -> Arc<Seat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().clone()
    }
}

impl Seat {
    fn get(&self) -> Option<Arc<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, token: Token) -> Arc<Token> {
        let token = Arc::new(token);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        token
    }
}

/// How a token request ended without a token.
enum Refusal {
    /// User name, password or refresh token are not accepted.
    Credentials(String),
    /// No token request for an hour.
    Stop(String),
    /// The limit of all calls in a second: it says nothing about the endpoint.
    Second(String),
    /// A person has to change something else.
    Held(Hold, String),
    /// A passing fault.
    Fault(String),
}

impl Client {
    /// A token to call with.
    pub(super) async fn token(&self, account: &brand::Iys) -> Result<Arc<Token>, RegistryError> {
        self.obtain(account, None).await
    }

    /// A token other than the one that was refused.
    pub(super) async fn renew(&self, account: &brand::Iys, refused: &Token) -> Result<Arc<Token>, RegistryError> {
        self.obtain(account, Some(refused)).await
    }

    async fn obtain(&self, account: &brand::Iys, refused: Option<&Token>) -> Result<Arc<Token>, RegistryError> {
        let id = AccountId::of(&account.username);
        let seat = self.tokens().seat(&id);
        let good = |token: &Token| refused.is_none_or(|refused| !refused.is(token));
        let fresh = |seat: &Seat| seat.get().filter(|token| token.is_fresh(self.now()) && good(token));
        if let Some(token) = fresh(&seat) {
            return Ok(token);
        }
        let usable = |token: &Token| token.is_usable(self.now()) && good(token);
        let deadline = Instant::now() + self.settings().token_wait;
        let in_vain = || self.busy(COME_BACK, NAME, "another worker has not renewed it in time");
        let _renewing = match seat.renewing.try_lock() {
            Ok(guard) => guard,
            Err(_) => match seat.get().filter(|token| usable(token)) {
                Some(token) => return Ok(token),
                None => tokio::time::timeout_at(deadline, seat.renewing.lock()).await.map_err(|_| in_vain())?,
            },
        };
        if let Some(token) = fresh(&seat) {
            return Ok(token);
        }
        loop {
            let now = self.now();
            let known = self.ledger().account(&id).await?;
            let old = known.token;
            if let Some(token) = &old {
                if good(token) && token.is_fresh(now) {
                    return Ok(seat.put(token.clone()));
                }
                if !good(token) && token.forced && now.duration_since(token.obtained_at) < FORCED_PAUSE {
                    return Err(RegistryError::Held { why: Hold::Credentials, code: "a renewed token is refused".into() });
                }
            }
            let still_usable = old.as_ref().filter(|token| usable(token)).cloned();
            if let Some((until, why)) = known.pause.filter(|(until, _)| *until > now) {
                return match (still_usable, why) {
                    (Some(token), _) => Ok(seat.put(token)),
                    (None, PauseReason::Credentials) => Err(refused_credentials("they were refused a short while ago")),
                    (None, PauseReason::Fault) => Err(RegistryError::Busy { until, why: format!("{NAME}: the endpoint failed") }),
                };
            }
            if self.ledger().lease_token(&id, self.worker(), known.revision, now, self.after(LEASE)).await? {
                let request = Renewal { account, id: &id, seat: &seat, old, forced: refused.is_some(), failures: known.failures };
                return self.ask(request, still_usable).await;
            }
            if let Some(token) = still_usable {
                return Ok(seat.put(token));
            }
            if Instant::now() + LOOK_AGAIN > deadline {
                return Err(in_vain());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Asks for a token under the account's lease, and gives the lease back in every case.
    async fn ask(&self, renewal: Renewal<'_>, still_usable: Option<Token>) -> Result<Arc<Token>, RegistryError> {
        let Renewal { account, id, seat, old, forced, failures } = renewal;
        // A refused token's session may be over at İYS, so only the password is sure to help then.
        let refresh = old.filter(|token| !forced && token.is_refreshable(self.now())).and_then(|token| token.refresh);
        let password = TokenRequest::Password { username: account.username.expose_secret(), password: account.password.expose_secret() };
        let by_refresh = refresh.as_ref().map(|token| TokenRequest::RefreshToken { refresh_token: token.expose_secret() });
        let mut outcome = Err(Refusal::Fault("not asked".into()));
        for request in by_refresh.into_iter().chain([password]) {
            if let Err(error) = self.allowance().await {
                self.ledger().release_token(id, self.worker()).await?;
                return still_usable.map(|token| seat.put(token)).ok_or(error);
            }
            outcome = self.token_request(&request, forced).await;
            let refresh_refused = matches!((&outcome, &request), (Err(Refusal::Credentials(_)), TokenRequest::RefreshToken { .. }));
            if !refresh_refused {
                break;
            }
        }
        let refusal = match outcome {
            Ok(token) => {
                tracing::info!(forced, "renewed the İYS token");
                // When the lease ran out meanwhile, another worker's token stands in the ledger; this
                // one is as good.
                self.ledger().store_token(id, self.worker(), &token).await?;
                return Ok(seat.put(token));
            }
            Err(refusal) => refusal,
        };
        let pause = |until, why| self.ledger().pause_token(id, self.worker(), until, why);
        let error = match refusal {
            Refusal::Credentials(code) => {
                pause(self.after(CREDENTIALS_PAUSE), PauseReason::Credentials).await?;
                refused_credentials(&code)
            }
            Refusal::Stop(code) => {
                self.ledger().stop_token_requests(self.after(HOUR)).await?;
                self.ledger().release_token(id, self.worker()).await?;
                self.busy(HOUR, NAME, &code)
            }
            Refusal::Second(code) => {
                self.pause_turns(SECOND).await?;
                self.ledger().release_token(id, self.worker()).await?;
                self.busy(SECOND, NAME, &code)
            }
            Refusal::Held(why, code) => {
                pause(self.after(CREDENTIALS_PAUSE), PauseReason::Fault).await?;
                RegistryError::Held { why, code }
            }
            Refusal::Fault(why) => {
                let growing = FIRST_FAULT_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_FAULT_PAUSE);
                pause(self.after(growing), PauseReason::Fault).await?;
                self.busy(growing, NAME, &why)
            }
        };
        tracing::warn!(%error, "the İYS token could not be renewed");
        still_usable.map(|token| seat.put(token)).ok_or(error)
    }

    /// A turn and one of the hour's token requests.
    async fn allowance(&self) -> Result<(), RegistryError> {
        self.turn(NAME).await?;
        match self.ledger().reserve_token_request(self.settings().limits.token_requests_per_hour, self.now()).await? {
            Grant::At(_) => Ok(()),
            Grant::Full { until } => Err(RegistryError::Busy { until, why: format!("{NAME}: no request is allowed before") }),
        }
    }

    async fn token_request(&self, request: &TokenRequest<'_>, forced: bool) -> Result<Token, Refusal> {
        let call =
            Call::new(&operation::TOKEN, &[]).and_then(|call| call.json(request)).map_err(|error| Refusal::Fault(error.to_string()))?;
        let asked_at = self.now();
        let reply = self.request(&call, None, self.settings().token_timeout).await.map_err(|lost| match lost {
            Lost::Unsent(why) | Lost::Sent(why) => Refusal::Fault(why.to_owned()),
        })?;
        if reply.status.is_success() {
            return read_token(&reply, asked_at, forced).map_err(|why| Refusal::Fault(defect(NAME, &why).to_string()));
        }
        let status = reply.status.as_u16();
        let code = decisive(&reply.problems(), status).and_then(|problem| problem.code);
        let shown = named(&reply, code);
        Err(match token_disposition(code.map(|code| code.to_string()).as_deref(), status) {
            Disposition::Held(Hold::Credentials) => Refusal::Credentials(shown),
            Disposition::Held(why) => Refusal::Held(why, shown),
            Disposition::TokenStop => Refusal::Stop(shown),
            // The one limit that the documentation names for this endpoint is the hour's, so a 429
            // whose body says nothing is taken for it.
            Disposition::Retry(_) if status == 429 && code.is_none() => Refusal::Stop(shown),
            Disposition::Retry(RetryAfter::Second) => Refusal::Second(shown),
            _ => Refusal::Fault(shown),
        })
    }
}

/// What a token request is made with.
struct Renewal<'a> {
    account: &'a brand::Iys,
    id: &'a AccountId,
    seat: &'a Seat,
    /// The account's last token, alive or not.
    old: Option<Token>,
    /// Whether a token was refused.
    forced: bool,
    /// Requests that failed in a row.
    failures: u32,
}

fn refused_credentials(code: &str) -> RegistryError {
    RegistryError::Held { why: Hold::Credentials, code: code.to_owned() }
}

fn read_token(reply: &Reply, asked_at: Timestamp, forced: bool) -> Result<Token, String> {
    let answer: TokenAnswer = reply.read()?;
    let access = answer.access_token.get().ok_or("at $.access_token: missing")?;
    let ends = |seconds: u32| asked_at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX);
    Ok(Token {
        access: SecretString::from(access),
        refresh: answer.refresh_token.get().map(SecretString::from),
        obtained_at: asked_at,
        expires_at: ends(answer.expires_in.number().unwrap_or(ACCESS_LIFE)),
        refresh_expires_at: ends(answer.refresh_expires_in.number().unwrap_or(REFRESH_LIFE)),
        forced,
    })
}
