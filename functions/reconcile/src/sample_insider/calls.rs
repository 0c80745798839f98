//! The calls of a sample, each with its line: the only place of this function that knows Insider's client.

use std::slice;

use shared::answers::Check;
use shared::consent::code::Hold;
use shared::consent::{Channel, Recipient};
use shared::insider::{Answer, Client, Flag, InsiderError, List, Outcome, Profile};

use crate::findings::{Finding, time};

/// One of a brand's keys. A wrong one stops only what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Unsubscribe,
    Resubscribe,
    Ucd,
}

impl Key {
    /// Its field in the brand's document.
    const fn field(self) -> &'static str {
        match self {
            Key::Unsubscribe => "insider.keys.unsubscribe",
            Key::Resubscribe => "insider.keys.resubscribe",
            Key::Ucd => "insider.keys.ucd",
        }
    }

    /// Its kind in Insider's panel (insider-api.md §1.3).
    const fn kind(self) -> &'static str {
        match self {
            Key::Unsubscribe => "Global Unsubscribe",
            Key::Resubscribe => "Resubscribe",
            Key::Ucd => "Unified Customer Database (UCD)",
        }
    }
}

/// What a call came to at Insider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// Insider took it.
    Taken,
    /// Insider refuses the key, or the partner's name with it.
    KeyRefused,
    /// Insider did nothing, for another reason.
    Untaken,
    /// It may have been applied, and may still be.
    Unclear,
}

/// One call.
pub(super) struct Call {
    pub(super) key: Key,
    pub(super) became: Became,
    pub(super) line: Check,
}

/// Reads the profile of an address; `None` where Insider knows nobody by it. Only a call that was not
/// answered has its line here.
pub(super) async fn read(client: &Client, check: &str, recipient: &Recipient) -> Result<Option<Profile>, Call> {
    client.profile(recipient).await.map_err(|error| failed(Key::Ucd, check, &error))
}

/// Puts an address on a channel's list, or takes it off.
pub(super) async fn list(client: &Client, check: &str, recipient: &Recipient, channel: Channel, reachable: bool) -> Call {
    let recipients = slice::from_ref(recipient);
    let key = if reachable { Key::Resubscribe } else { Key::Unsubscribe };
    let answers = match List::of(channel) {
        Some(list) if reachable => client.resubscribe(list, recipients).await,
        Some(list) => client.unsubscribe(list, recipients).await,
        None => vec![Ok(Outcome::NotNeeded)],
    };
    told(key, check, answers)
}

/// Writes a channel's flag.
pub(super) async fn write(client: &Client, check: &str, recipient: &Recipient, channel: Channel, reachable: bool) -> Call {
    let flag = Flag { recipient: recipient.clone(), channel, allowed: reachable, told: None };
    told(Key::Ucd, check, client.upsert(slice::from_ref(&flag)).await)
}

fn told(key: Key, check: &str, answers: Vec<Answer>) -> Call {
    match answers.into_iter().next() {
        Some(Ok(Outcome::Applied | Outcome::NotNeeded)) => Call { key, became: Became::Taken, line: Finding::InsiderTook.of(check, &[]) },
        Some(Ok(Outcome::Refused { code })) => Call { key, became: Became::Untaken, line: Finding::InsiderRefused.of(check, &[code]) },
        Some(Err(error)) => failed(key, check, &error),
        None => Call { key, became: Became::Unclear, line: Finding::InsiderUnreadable.of(check, &["–"]) },
    }
}

/// What it means that a call was not answered as it was meant. The errors carry no address.
fn failed(key: Key, check: &str, error: &InsiderError) -> Call {
    let (became, line) = match error {
        InsiderError::Held { why: Hold::Credentials, code } if code == "insider_403" => {
            (Became::KeyRefused, Finding::InsiderForbids.of(check, &[key.field(), key.kind()]))
        }
        InsiderError::Held { why: Hold::Credentials, code } => {
            let status = code.strip_prefix("insider_").unwrap_or(code);
            (Became::KeyRefused, Finding::InsiderUnauthorized.of(check, &[status, key.field(), key.kind()]))
        }
        InsiderError::Held { .. } => (Became::KeyRefused, Finding::InsiderUnsendable.of(check, &[key.field()])),
        InsiderError::Busy { until, why } if why.ends_with("429") || why.ends_with("allowance is used up") => {
            (Became::Untaken, Finding::InsiderLimited.of(check, &[&time(*until)]))
        }
        InsiderError::Busy { until, why } => (Became::Unclear, Finding::InsiderBusy.of(check, &[&time(*until), why])),
        InsiderError::Unanswered { why } => (Became::Unclear, Finding::InsiderSilent.of(check, &[why])),
        InsiderError::Defect { why } => (Became::Unclear, Finding::InsiderUnreadable.of(check, &[why])),
    };
    Call { key, became, line }
}
