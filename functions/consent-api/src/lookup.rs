//! `POST /v1/{brand}/consents/lookup`: the whole story of one address.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use shared::brand::Brand;
use shared::calendar;
use shared::consent::code::{Code, Hold};
use shared::consent::{Channel, ConsentDate, ConsentState, RawRecipient, Recipient, RecipientType, Source, Status, Sync};
use shared::door::Door;
use shared::ledger::{Ending, Entry};
use shared::problem::{self, Problem};

use crate::{check, unavailable};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    recipient: RawRecipient,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Story {
    recipient: String,
    recipient_id: String,
    states: Vec<State>,
    history: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    #[serde(rename = "type")]
    channel: Channel,
    recipient_type: RecipientType,
    status: Status,
    source: Source,
    consent_date: ConsentDate,
    origin: &'static str,
    id: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied_because: Option<&'static str>,
    iys: Target,
    insider: Target,
}

/// How far one target has a state.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_for: Option<Hold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<ConsentDate>,
    #[serde(flatten)]
    reason: Option<Reason>,
}

/// Why a target refused, in words.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reason {
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<Words>,
}

#[derive(Serialize)]
struct Words {
    en: &'static str,
    tr: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    #[serde(rename = "type")]
    channel: Channel,
    recipient_type: RecipientType,
    status: Status,
    source: Source,
    consent_date: ConsentDate,
    origin: &'static str,
    received_at: Timestamp,
    current: bool,
    /// Kept without any effect: the address left an unsubscribe group of Insider's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    aside: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    iys: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    insider: Option<Target>,
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let question: Question = problem::read(request)?;
    let recipient = Recipient::parse_any(question.recipient.expose()).map_err(|error| Problem::rule(error.to_string()))?;
    let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
    let story = door.ledger.story(&brand.name, &recipient_id).await.map_err(unavailable)?;
    let history = story.history.into_iter().map(|entry| line(entry, &story.states)).collect();
    let states = story.states.iter().map(state).collect();
    let answer = Story { recipient: recipient.expose().to_owned(), recipient_id: recipient_id.to_string(), states, history };
    Ok(problem::json(StatusCode::OK, &answer))
}

fn state(state: &ConsentState) -> State {
    let denied_because = check::denial(state);
    let mut iys = target(&state.registry);
    if state.registry.is_open() {
        iys.deadline = Some(ConsentDate::from_civil(calendar::deadline(state.head.consent_date.civil())));
    }
    State {
        channel: state.key.channel,
        recipient_type: state.key.recipient_type,
        status: state.head.status,
        source: state.head.source.clone(),
        consent_date: state.head.consent_date,
        origin: state.head.origin.as_str(),
        id: state.head.event_id.to_string(),
        allowed: denied_because.is_none(),
        denied_because,
        iys,
        insider: target(&state.insider),
    }
}

fn target(sync: &Sync) -> Target {
    let empty = Target { state: sync.as_str(), ..Target::default() };
    match sync.clone() {
        Sync::Settled { outcome, at, transaction_id } => Target { outcome: Some(outcome.as_str()), at: Some(at), transaction_id, ..empty },
        Sync::Rejected { code, at } => Target { at: Some(at), reason: Some(reason(code)), ..empty },
        Sync::Held { why, since, .. } => Target { held_for: Some(why), at: Some(since), ..empty },
        Sync::Submitted { submission, .. } => Target { submission: Some(submission), ..empty },
        Sync::Pending { .. } | Sync::Awaiting => empty,
    }
}

pub(crate) fn reason(code: String) -> Reason {
    let entry = code.parse::<Code>().ok().and_then(Code::entry);
    Reason {
        cause: entry.map(|entry| Words { en: entry.cause_en, tr: entry.cause_tr }),
        remedy: entry.map(|entry| Words { en: entry.remedy_en, tr: entry.remedy_tr }),
        code,
    }
}

fn ending(ending: Ending) -> Target {
    Target {
        state: if ending.code.is_some() { "rejected" } else { "settled" },
        outcome: ending.outcome.map(|outcome| outcome.as_str()),
        transaction_id: ending.transaction_id,
        at: Some(ending.at),
        reason: ending.code.map(reason),
        ..Target::default()
    }
}

fn line(entry: Entry, states: &[ConsentState]) -> Line {
    let Entry { movement, registry, insider, aside } = entry;
    let current = states.iter().any(|state| state.key == movement.key && state.head.event_id == movement.head.event_id);
    Line {
        id: movement.head.event_id.to_string(),
        channel: movement.key.channel,
        recipient_type: movement.key.recipient_type,
        status: movement.head.status,
        source: movement.head.source,
        consent_date: movement.head.consent_date,
        origin: movement.head.origin.as_str(),
        received_at: movement.head.received_at,
        current,
        aside,
        iys: registry.map(ending),
        insider: insider.map(ending),
    }
}
