//! `POST /v1/{brand}/consents/check`: may these addresses be messaged now? Fails closed.

use std::collections::HashMap;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::brand::Brand;
use shared::consent::code::{Code, Hold};
use shared::consent::{Channel, ConsentKey, ConsentState, Recipient, RecipientType, Status, Sync, Target};
use shared::door::Door;
use shared::problem::{self, Problem};

use crate::reason::Reason;
use crate::unavailable;

/// Most addresses in one request.
const LIMIT: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    #[serde(rename = "type")]
    channel: String,
    recipient_type: Option<String>,
    recipients: Vec<Value>,
}

#[derive(Serialize)]
struct Answer {
    allowed: Vec<Value>,
    denied: Vec<Denied>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Denied {
    recipient: Value,
    reason: &'static str,
    /// What a person has to act on, where the ONAY is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_for: Option<Hold>,
    #[serde(flatten)]
    why: Option<Reason>,
}

impl Denied {
    fn of(recipient: Value, reason: &'static str, state: Option<&ConsentState>) -> Self {
        // Where the person has refused, it is not İYS's answer that counts.
        let registry = state.filter(|state| state.head.status == Status::Onay).map(|state| &state.registry);
        let held_for = match registry {
            Some(Sync::Held { why, .. }) => Some(*why),
            _ => None,
        };
        Self { recipient, reason, held_for, why: registry.and_then(|registry| Reason::of(Target::Registry, registry)) }
    }
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let question: Question = problem::read(request)?;
    let channel: Channel = question.channel.parse().map_err(|error: shared::consent::UnknownWord| Problem::rule(error.to_string()))?;
    let recipient_type: RecipientType = match question.recipient_type.as_deref() {
        None => RecipientType::Bireysel,
        Some(word) => word.parse().map_err(|error: shared::consent::UnknownWord| Problem::rule(error.to_string()))?,
    };
    if question.recipients.is_empty() || question.recipients.len() > LIMIT {
        return Err(Problem::rule(format!("recipients must have 1 to {LIMIT} items")));
    }
    let keys: Vec<Option<ConsentKey>> = question
        .recipients
        .iter()
        .map(|value| {
            let recipient = Recipient::parse(value.as_str()?, channel).ok()?;
            let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
            Some(ConsentKey { brand: brand.name.clone(), recipient_id, channel, recipient_type })
        })
        .collect();
    let wanted: Vec<_> = keys.iter().flatten().cloned().collect();
    let states: HashMap<ConsentKey, ConsentState> =
        door.ledger.states(&wanted).await.map_err(unavailable)?.into_iter().map(|state| (state.key.clone(), state)).collect();
    let mut answer = Answer { allowed: Vec::new(), denied: Vec::new() };
    for (recipient, key) in question.recipients.into_iter().zip(keys) {
        let state = key.as_ref().and_then(|key| states.get(key));
        let reason = match (&key, state) {
            (None, _) => Some("invalid"),
            (Some(_), None) => Some("unknown"),
            (Some(_), Some(state)) => denial(state),
        };
        match reason {
            None => answer.allowed.push(recipient),
            Some(reason) => answer.denied.push(Denied::of(recipient, reason, state)),
        }
    }
    Ok(problem::json(StatusCode::OK, &answer))
}

/// Why an address of this state may not be messaged; `None` when it may.
pub(crate) fn denial(state: &ConsentState) -> Option<&'static str> {
    if state.head.status == Status::Ret {
        return Some("refused");
    }
    if state.registry_holds_onay() {
        return None;
    }
    Some(match &state.registry {
        Sync::Held { .. } => "held",
        Sync::Rejected { code, .. } if *code == Code::TOO_LATE.to_string() => "expired",
        _ => "not_yet_at_iys",
    })
}
