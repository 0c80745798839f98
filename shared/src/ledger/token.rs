//! The access token that all workers share, one per API user, and the allowance of token requests.
//!
//! İYS allows so few token requests an hour per source address that one worker renews a token for
//! all: it takes the account's lease, asks, and stores the answer; the others read. A lease that is
//! not given back runs out, so a worker that died holds nobody up for long.
//!
//! Two kinds of item: `T#<digest of the API user's name>` / `TOKEN` per account, and `A#iys` /
//! `TOKENS` for the address, which logs the last hour's token requests to the millisecond and carries
//! the moment before which nobody may ask (İYS documentation, code `H084`: asking earlier starts the
//! hour anew).

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::budget::Grant;
use super::control::{self, Item};
use super::{Ledger, LedgerError};

/// Names an API user without saying its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// The id of an API user.
    pub fn of(username: &SecretString) -> Self {
        let digest = Sha256::digest(username.expose_secret().as_bytes());
        Self(BASE64URL_NOPAD.encode(&digest[..16]).into())
    }

    fn key(&self) -> HashMap<String, AttributeValue> {
        control::key(&format!("T#{}", self.0), "TOKEN")
    }
}

/// An access token with what belongs to it. `Debug` shows neither secret.
#[derive(Clone)]
pub struct Token {
    /// What calls are authorised by.
    pub access: SecretString,
    /// What the next token is asked by.
    pub refresh: Option<SecretString>,
    /// When it was asked for.
    pub obtained_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When `refresh` ends.
    pub refresh_expires_at: Timestamp,
    /// Whether it was asked for because the one before it was refused.
    pub forced: bool,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("obtained_at", &self.obtained_at)
            .field("expires_at", &self.expires_at)
            .field("forced", &self.forced)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// A token is renewed this long before its end, so that no call is under way with a dead one.
    pub const RENEWED_BEFORE_END: SignedDuration = SignedDuration::from_mins(5);
    /// A token with less left than this is not used any more.
    const USABLE_BEFORE_END: SignedDuration = SignedDuration::from_secs(60);

    /// Whether it needs no renewal yet. One that lives for less than twice the usual margin is renewed
    /// at half its life.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let life = self.expires_at.duration_since(self.obtained_at);
        let margin = Self::RENEWED_BEFORE_END.min(life / 2);
        self.expires_at.duration_since(now) > margin
    }

    /// Whether calls may still be made with it while it is being renewed.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.is_fresh(now) || self.expires_at.duration_since(now) > Self::USABLE_BEFORE_END
    }

    /// Whether the refresh token may still be used.
    pub fn is_refreshable(&self, now: Timestamp) -> bool {
        self.refresh.is_some() && self.refresh_expires_at.duration_since(now) > Self::USABLE_BEFORE_END
    }

    /// Whether both stand for the same access token.
    pub fn is(&self, other: &Self) -> bool {
        self.access.expose_secret() == other.access.expose_secret()
    }
}

/// Why nobody asks for an account's token for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// Name or password were refused; a person has to correct them.
    Credentials,
    /// The token endpoint failed.
    Fault,
}

/// What the ledger knows of an account.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Its token, whether it is still alive or not.
    pub token: Option<Token>,
    /// Nobody asks before then.
    pub pause: Option<(Timestamp, PauseReason)>,
    /// Token requests that failed in a row.
    pub failures: u32,
    /// Grows with every stored token.
    pub revision: i64,
}

const ACCESS: &str = "access";
const REFRESH: &str = "refresh";
const OBTAINED: &str = "obtained_at_ms";
const ENDS: &str = "expires_at_ms";
const REFRESH_ENDS: &str = "refresh_expires_at_ms";
const FORCED: &str = "forced";
const REVISION: &str = "revision";
const LEASE_OWNER: &str = "lease_owner";
const LEASE_UNTIL: &str = "lease_until_ms";
const PAUSE_UNTIL: &str = "pause_until_ms";
const PAUSE_WHY: &str = "pause_why";
const FAILURES: &str = "failures";
const REQUESTS: &str = "requests_ms";
const BLOCKED: &str = "blocked_until_ms";

const WHY_CREDENTIALS: &str = "credentials";
const WHY_FAULT: &str = "fault";

/// İYS counts requests when they arrive and we when they leave: an hour and what a request may take.
const REQUEST_COUNTS_FOR: SignedDuration = SignedDuration::from_secs(3600 + 60);
/// An account that nobody used for so long after its tokens ended is forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Tries to write the log of token requests while others write it.
const ATTEMPTS: usize = 16;

fn requests_key() -> Item {
    control::key("A#iys", "TOKENS")
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Account {
    fn read(item: &Item) -> Result<Self, LedgerError> {
        let secret = |name| control::text(item, name).map(|text| text.map(SecretString::from));
        let token = match (secret(ACCESS)?, control::moment(item, OBTAINED)?, control::moment(item, ENDS)?) {
            (Some(access), Some(obtained_at), Some(expires_at)) => Some(Token {
                access,
                refresh: secret(REFRESH)?,
                obtained_at,
                expires_at,
                refresh_expires_at: control::moment(item, REFRESH_ENDS)?.unwrap_or(expires_at),
                forced: matches!(item.get(FORCED), Some(AttributeValue::Bool(true))),
            }),
            _ => None,
        };
        let why = match control::text(item, PAUSE_WHY)? {
            Some(WHY_CREDENTIALS) => PauseReason::Credentials,
            _ => PauseReason::Fault,
        };
        Ok(Self {
            token,
            pause: control::moment(item, PAUSE_UNTIL)?.map(|until| (until, why)),
            failures: u32::try_from(control::number(item, FAILURES)?.unwrap_or(0)).unwrap_or(0),
            revision: control::number(item, REVISION)?.unwrap_or(0),
        })
    }
}

impl Ledger {
    /// What the ledger knows of an account.
    pub async fn account(&self, id: &AccountId) -> Result<Account, LedgerError> {
        let found = self.control_item(id.key()).await?;
        found.as_ref().map_or_else(|| Ok(Account::default()), Account::read)
    }

    /// Takes the right to renew an account's token until `until`. Whether it was got: not while another
    /// worker's lease lasts, and not when the token is no longer the one of `revision`.
    pub async fn lease_token(
        &self,
        id: &AccountId,
        owner: &str,
        revision: i64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, LedgerError> {
        let leased = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key()))
            .update_expression("SET #owner = :owner, #until = :until, #revision = if_not_exists(#revision, :none)")
            .condition_expression(
                "(attribute_not_exists(#until) OR #until <= :now) AND (#revision = :revision OR (attribute_not_exists(#revision) AND :revision = :none))",
            )
            .expression_attribute_names("#owner", LEASE_OWNER)
            .expression_attribute_names("#until", LEASE_UNTIL)
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_values(":owner", control::s(owner))
            .expression_attribute_values(":until", control::ms(until))
            .expression_attribute_values(":now", control::ms(now))
            .expression_attribute_values(":revision", control::n(revision))
            .expression_attribute_values(":none", control::n(0))
            .send()
            .await;
        Ok(control::met(leased)?.is_ok())
    }

    /// Stores a new token and gives the lease back. Whether it was stored: not when the lease ran out
    /// and another worker took it.
    pub async fn store_token(&self, id: &AccountId, owner: &str, token: &Token) -> Result<bool, LedgerError> {
        let mut update = String::from(
            "SET #access = :access, #obtained = :obtained, #ends = :ends, #refresh_ends = :refresh_ends, #forced = :forced, #expires = :expires",
        );
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key()))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#access", ACCESS)
            .expression_attribute_names("#refresh", REFRESH)
            .expression_attribute_names("#obtained", OBTAINED)
            .expression_attribute_names("#ends", ENDS)
            .expression_attribute_names("#refresh_ends", REFRESH_ENDS)
            .expression_attribute_names("#forced", FORCED)
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_names("#owner", LEASE_OWNER)
            .expression_attribute_names("#until", LEASE_UNTIL)
            .expression_attribute_names("#pause", PAUSE_UNTIL)
            .expression_attribute_names("#why", PAUSE_WHY)
            .expression_attribute_names("#failures", FAILURES)
            .expression_attribute_values(":owner", control::s(owner))
            .expression_attribute_values(":access", control::s(token.access.expose_secret()))
            .expression_attribute_values(":obtained", control::ms(token.obtained_at))
            .expression_attribute_values(":ends", control::ms(token.expires_at))
            .expression_attribute_values(":refresh_ends", control::ms(token.refresh_expires_at))
            .expression_attribute_values(":forced", AttributeValue::Bool(token.forced))
            .expression_attribute_values(":expires", control::n(later(token.refresh_expires_at, FORGOTTEN_AFTER).as_second()))
            .expression_attribute_values(":one", control::n(1));
        let mut remove = String::from(" REMOVE #owner, #until, #pause, #why, #failures");
        match &token.refresh {
            Some(refresh) => {
                update.push_str(", #refresh = :refresh");
                call = call.expression_attribute_values(":refresh", control::s(refresh.expose_secret()));
            }
            None => remove.push_str(", #refresh"),
        }
        let stored = call.update_expression(format!("{update}{remove} ADD #revision :one")).send().await;
        Ok(control::met(stored)?.is_ok())
    }

    /// Gives the lease back, so that the next worker need not wait for its end.
    pub async fn release_token(&self, id: &AccountId, owner: &str) -> Result<(), LedgerError> {
        let released = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key()))
            .update_expression("REMOVE #owner, #until")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", LEASE_OWNER)
            .expression_attribute_names("#until", LEASE_UNTIL)
            .expression_attribute_values(":owner", control::s(owner))
            .send()
            .await;
        control::met(released)?.ok();
        Ok(())
    }

    /// Gives the lease back after a token request that failed, and remembers for all workers why
    /// nobody asks before `until`.
    pub async fn pause_token(&self, id: &AccountId, owner: &str, until: Timestamp, why: PauseReason) -> Result<(), LedgerError> {
        let word = match why {
            PauseReason::Credentials => WHY_CREDENTIALS,
            PauseReason::Fault => WHY_FAULT,
        };
        let paused = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key()))
            .update_expression("SET #pause = :until, #why = :why, #expires = :expires REMOVE #owner, #lease ADD #failures :one")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#pause", PAUSE_UNTIL)
            .expression_attribute_names("#why", PAUSE_WHY)
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_names("#owner", LEASE_OWNER)
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_names("#failures", FAILURES)
            .expression_attribute_values(":until", control::ms(until))
            .expression_attribute_values(":why", control::s(word))
            .expression_attribute_values(":expires", control::n(later(until, FORGOTTEN_AFTER).as_second()))
            .expression_attribute_values(":owner", control::s(owner))
            .expression_attribute_values(":one", control::n(1))
            .send()
            .await;
        control::met(paused)?.ok();
        Ok(())
    }

    /// Notes a token request before it is made. [`Grant::Full`] when the hour's requests are used up
    /// or İYS has said stop.
    pub async fn reserve_token_request(&self, limit: u32, now: Timestamp) -> Result<Grant, LedgerError> {
        let mut found = self.control_item(requests_key()).await?;
        for _ in 0..ATTEMPTS {
            let item = found.unwrap_or_default();
            if let Some(until) = control::moment(&item, BLOCKED)?.filter(|until| *until > now) {
                return Ok(Grant::Full { until });
            }
            let revision = control::number(&item, REVISION)?;
            let mut requests = control::numbers(&item, REQUESTS)?;
            let oldest = now.as_millisecond().saturating_sub(i64::try_from(REQUEST_COUNTS_FOR.as_millis()).unwrap_or(i64::MAX));
            requests.retain(|request| *request > oldest);
            requests.sort_unstable();
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            if requests.len() >= limit {
                // The one whose end makes room again.
                let until = requests.get(requests.len() - limit).copied().and_then(control::from_ms).unwrap_or(now);
                return Ok(Grant::Full { until: later(until, REQUEST_COUNTS_FOR) });
            }
            requests.push(now.as_millisecond());
            let call = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(requests_key()))
                .update_expression("SET #requests = :requests, #expires = :expires ADD #revision :one")
                .expression_attribute_names("#requests", REQUESTS)
                .expression_attribute_names("#expires", control::EXPIRES)
                .expression_attribute_names("#revision", REVISION)
                .expression_attribute_names("#blocked", BLOCKED)
                .expression_attribute_values(":requests", AttributeValue::L(requests.into_iter().map(control::n).collect()))
                .expression_attribute_values(":expires", control::n(later(now, FORGOTTEN_AFTER).as_second()))
                .expression_attribute_values(":one", control::n(1))
                .expression_attribute_values(":now", control::ms(now))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let call = match revision {
                Some(revision) => call
                    .condition_expression("#revision = :seen AND (attribute_not_exists(#blocked) OR #blocked <= :now)")
                    .expression_attribute_values(":seen", control::n(revision)),
                None => {
                    call.condition_expression("attribute_not_exists(#revision) AND (attribute_not_exists(#blocked) OR #blocked <= :now)")
                }
            };
            match control::met(call.send().await)? {
                Ok(_) => return Ok(Grant::At(now)),
                Err(newer) => found = newer,
            }
        }
        Err(LedgerError::Contention)
    }

    /// How many token requests the last hour saw, and until when İYS has said stop.
    pub async fn token_requests(&self, now: Timestamp) -> Result<(u32, Option<Timestamp>), LedgerError> {
        let item = self.control_item(requests_key()).await?.unwrap_or_default();
        let oldest = now.as_millisecond().saturating_sub(i64::try_from(REQUEST_COUNTS_FOR.as_millis()).unwrap_or(i64::MAX));
        let made = control::numbers(&item, REQUESTS)?.into_iter().filter(|request| *request > oldest).count();
        let stopped = control::moment(&item, BLOCKED)?.filter(|until| *until > now);
        Ok((u32::try_from(made).unwrap_or(u32::MAX), stopped))
    }

    /// Lets nobody ask for any token before `until`. A stop that is already longer stays.
    pub async fn stop_token_requests(&self, until: Timestamp) -> Result<(), LedgerError> {
        let stopped = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(requests_key()))
            .update_expression("SET #blocked = :until, #expires = :expires")
            .condition_expression("attribute_not_exists(#blocked) OR #blocked < :until")
            .expression_attribute_names("#blocked", BLOCKED)
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_values(":until", control::ms(until))
            .expression_attribute_values(":expires", control::n(later(until, FORGOTTEN_AFTER).as_second()))
            .send()
            .await;
        control::met(stopped)?.ok();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(life: i64) -> Token {
        let obtained_at = Timestamp::from_second(1_790_000_000).unwrap_or_default();
        Token {
            access: "the-access-token".to_owned().into(),
            refresh: Some("the-refresh-token".to_owned().into()),
            obtained_at,
            expires_at: later(obtained_at, SignedDuration::from_secs(life)),
            refresh_expires_at: later(obtained_at, SignedDuration::from_secs(2 * life)),
            forced: false,
        }
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_its_end_and_used_up_to_its_last_minute() {
        let token = token(7200);
        let after = |seconds| later(token.obtained_at, SignedDuration::from_secs(seconds));
        assert!(token.is_fresh(after(6899)));
        assert!(!token.is_fresh(after(6900)));
        assert!(token.is_usable(after(7139)));
        assert!(!token.is_usable(after(7140)));
        assert!(token.is_refreshable(after(14_339)));
        assert!(!token.is_refreshable(after(14_340)));
    }

    #[test]
    fn a_short_lived_token_is_renewed_at_half_its_life() {
        let token = token(60);
        let after = |seconds| later(token.obtained_at, SignedDuration::from_secs(seconds));
        assert!(token.is_fresh(after(29)) && token.is_usable(after(29)));
        assert!(!token.is_fresh(after(30)));
    }

    #[test]
    fn debug_output_shows_no_token_and_no_user_name() {
        let shown = format!("{:?} {:?}", token(60), AccountId::of(&"user@example.com".to_owned().into()));
        assert!(!shown.contains("the-access-token") && !shown.contains("the-refresh-token") && !shown.contains("user@"));
    }
}
