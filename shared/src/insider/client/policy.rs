//! What an answer of Insider, or none, means: the only place that knows its statuses.
//!
//! | Answer | Means |
//! |---|---|
//! | 2xx | taken; an upsert's answer still tells of single users |
//! | 400, 422 | the content is refused |
//! | 401, 403 | the key or partner is wrong: held for credentials; a 403 that speaks of too many attempts is a limit |
//! | 425, 429, 500, 501, 503, 505 … | busy; `Retry-After` is honoured up to five minutes |
//! | 408, 502, 504, 520 to 530 | unanswered: a gateway gave up waiting, and the request may still land behind it |
//! | no connection | busy: nothing was sent |
//! | no answer in time, connection lost | unanswered |
//! | anything else | defect |
//!
//! Busy without `Retry-After` grows: 5 s, doubled with every fault in a row, up to five minutes. Faults
//! that come before the pause of the last one is over belong to the same trouble and count as one:
//! many calls that fail side by side would otherwise make a moment's outage last minutes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::InsiderError;
use crate::consent::code::Hold;

/// The address is not of the channel's kind.
pub(super) const WRONG_CHANNEL: &str = "insider_wrong_channel";
/// The account names people by a uuid, and Insider has none for the address.
pub(super) const NO_UUID: &str = "insider_no_uuid";
/// A user was refused for its phone number.
pub(super) const INVALID_PHONE: &str = "insider_invalid_phone";
/// A user was refused for its e-mail address.
pub(super) const INVALID_EMAIL: &str = "insider_invalid_email";
/// A user was refused for its identifiers, for example one that the account does not identify by.
pub(super) const INVALID_IDENTIFIER: &str = "insider_invalid_identifier";
/// A user was refused for its attributes, for example a custom one that does not exist.
pub(super) const INVALID_ATTRIBUTE: &str = "insider_invalid_attribute";
/// A user was refused for another reason.
pub(super) const REFUSED: &str = "insider_refused";

/// The shortest and the longest pause.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// An answer. No `Debug`: the body may quote addresses.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

/// How a request without an answer ended. The error's own text is not used: it quotes the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// Nothing was sent.
    Unsent(&'static str),
    /// It may have arrived.
    Sent(&'static str),
    /// It can never be sent, or its answer never be read.
    Never(&'static str),
}

/// What an answer says about the request's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// Taken.
    Taken,
    /// Refused as a whole.
    Refused(&'static str),
}

/// Faults in a row, of one connection.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Row>);

/// How many faults came one after the other, and when the pause of the last one ends.
#[derive(Debug, Default)]
struct Row {
    faults: u32,
    until: Option<Timestamp>,
}

impl Faults {
    /// What an answer means. `what` names the call.
    pub(super) fn judge(&self, what: &str, reply: &Reply, now: Timestamp) -> Result<Judged, InsiderError> {
        match reply.status {
            200..300 => {
                *self.row() = Row::default();
                Ok(Judged::Taken)
            }
            400 => Ok(Judged::Refused("insider_400")),
            422 => Ok(Judged::Refused("insider_422")),
            401 => Err(InsiderError::Held { why: Hold::Credentials, code: "insider_401".into() }),
            403 if !speaks_of_a_limit(&reply.body) => Err(InsiderError::Held { why: Hold::Credentials, code: "insider_403".into() }),
            status @ (408 | 502 | 504 | 520..=530) => Err(InsiderError::Unanswered { why: format!("{what}: status {status}") }),
            403 | 425 | 429 | 500..600 => {
                let asked = reply.retry_after.as_deref().and_then(|text| retry_after(text, now));
                Err(self.busy(&format!("{what}: status {}", reply.status), asked, now))
            }
            other => Err(InsiderError::Defect { why: format!("{what}: status {other}") }),
        }
    }

    /// Until when Insider wants no calls, where the answer is its limit.
    pub(super) fn limited(&self, what: &str, reply: &Reply, now: Timestamp) -> Option<Timestamp> {
        match self.judge(what, reply, now) {
            Err(InsiderError::Busy { until, .. }) if matches!(reply.status, 403 | 429) => Some(until),
            _ => None,
        }
    }

    /// What a request without an answer means.
    pub(super) fn lost(&self, what: &str, lost: Lost, now: Timestamp) -> InsiderError {
        match lost {
            Lost::Unsent(why) => self.busy(&format!("{what}: {why}"), None, now),
            Lost::Sent(why) => InsiderError::Unanswered { why: format!("{what}: {why}") },
            Lost::Never(why) => InsiderError::Defect { why: format!("{what}: {why}") },
        }
    }

    fn busy(&self, why: &str, asked: Option<SignedDuration>, now: Timestamp) -> InsiderError {
        let mut row = self.row();
        let until = match row.until.filter(|until| *until > now) {
            Some(until) => until,
            None => {
                let growing = SHORTEST_PAUSE.checked_mul(1 << row.faults.min(10)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
                row.faults = row.faults.saturating_add(1);
                let until = after(now, growing);
                row.until = Some(until);
                until
            }
        };
        let until = asked.map_or(until, |asked| after(now, asked.clamp(SignedDuration::ZERO, LONGEST_PAUSE)));
        InsiderError::Busy { until, why: why.to_owned() }
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date.
fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    let text = text.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(SignedDuration::from_secs(seconds.into())),
        Err(_) => jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().duration_since(now)),
    }
}

fn speaks_of_a_limit(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).to_ascii_lowercase().contains("too many")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    fn pause(error: &InsiderError) -> i64 {
        match error {
            InsiderError::Busy { until, .. } => until.as_second() - now().as_second(),
            other => panic!("{other}"),
        }
    }

    fn reply(status: u16, retry_after: Option<&str>) -> Reply {
        Reply { status, retry_after: retry_after.map(str::to_owned), body: Vec::new() }
    }

    #[test]
    fn pauses_grow_with_faults_in_a_row_and_a_success_ends_the_row() {
        let faults = Faults::default();
        let mut pauses = Vec::new();
        let mut at = now();
        for _ in 0..8 {
            let InsiderError::Busy { until, .. } = faults.judge("x", &reply(503, None), at).unwrap_err() else {
                unreachable!("503 is busy")
            };
            pauses.push(until.as_second() - at.as_second());
            at = until;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(faults.judge("x", &reply(200, None), at), Ok(Judged::Taken));
        assert_eq!(pause(&faults.lost("x", Lost::Unsent("no connection"), now())), 5);
    }

    #[test]
    fn calls_that_fail_side_by_side_are_one_fault() {
        let faults = Faults::default();
        for _ in 0..50 {
            assert_eq!(pause(&faults.judge("x", &reply(503, None), now()).unwrap_err()), 5);
        }
        let later = after(now(), SignedDuration::from_secs(5));
        assert_eq!(pause(&faults.judge("x", &reply(503, None), later).unwrap_err()), 15);
    }

    #[test]
    fn what_insider_asks_for_is_honoured_up_to_five_minutes() {
        for (text, expected) in [
            ("0", 0),
            ("7", 7),
            ("86400", 300),
            ("Fri, 20 Nov 2026 09:00:30 GMT", 30),
            ("Fri, 20 Nov 2026 08:00:00 GMT", 0),
            ("soon", 5),
            ("-1", 5),
        ] {
            let error = Faults::default().judge("x", &reply(429, Some(text)), now()).unwrap_err();
            assert_eq!(pause(&error), expected, "{text}");
        }
    }

    #[test]
    fn a_403_that_speaks_of_attempts_is_a_limit_and_any_other_waits_for_a_person() {
        let faults = Faults::default();
        let mut limited = reply(403, None);
        limited.body = br#"{"message":"Too Many attempts"}"#.to_vec();
        assert_eq!(pause(&faults.judge("x", &limited, now()).unwrap_err()), 5);
        for (status, code) in [(401, "insider_401"), (403, "insider_403")] {
            let expected = InsiderError::Held { why: Hold::Credentials, code: code.to_owned() };
            assert_eq!(faults.judge("x", &reply(status, None), now()), Err(expected));
        }
    }

    #[test]
    fn statuses_that_nobody_documents_are_defects() {
        for status in [302, 404, 405, 410, 413, 415] {
            let error = Faults::default().judge("x", &reply(status, None), now()).unwrap_err();
            assert!(matches!(error, InsiderError::Defect { .. }), "{status}");
        }
    }
}
