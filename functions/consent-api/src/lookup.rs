//! `POST /v1/{brand}/consents/lookup`: the whole story of one address.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use shared::brand::Brand;
use shared::calendar;
use shared::consent::code::Hold;
use shared::consent::{
    AsideReason, Channel, ConsentDate, ConsentState, RawRecipient, Recipient, RecipientType, Retailers, Source, Status, Sync,
};
use shared::door::Door;
use shared::ledger::{Ending, Entry};
use shared::problem::{self, Problem};

use crate::reason::Reason;
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
    #[serde(flatten)]
    retailers: Retailers,
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
    #[serde(flatten)]
    retailers: Retailers,
    origin: &'static str,
    received_at: Timestamp,
    current: bool,
    /// Kept without any effect.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    aside: bool,
    /// Why it has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    aside_because: Option<&'static str>,
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
    let mut iys = target(shared::consent::Target::Registry, &state.registry);
    if state.registry.is_open() {
        iys.deadline = Some(ConsentDate::from_civil(calendar::deadline(state.head.consent_date.civil())));
    }
    State {
        channel: state.key.channel,
        recipient_type: state.key.recipient_type,
        status: state.head.status,
        source: state.head.source.clone(),
        consent_date: state.head.consent_date,
        retailers: state.head.retailers.clone(),
        origin: state.head.origin.as_str(),
        id: state.head.event_id.to_string(),
        allowed: denied_because.is_none(),
        denied_because,
        iys,
        insider: target(shared::consent::Target::Insider, &state.insider),
    }
}

fn target(target: shared::consent::Target, sync: &Sync) -> Target {
    let empty = Target { state: sync.as_str(), reason: Reason::of(target, sync), ..Target::default() };
    match sync.clone() {
        Sync::Settled { outcome, at, transaction_id } => Target { outcome: Some(outcome.as_str()), at: Some(at), transaction_id, ..empty },
        Sync::Rejected { at, .. } => Target { at: Some(at), ..empty },
        Sync::Held { why, since, .. } => Target { held_for: Some(why), at: Some(since), ..empty },
        Sync::Submitted { submission, .. } => Target { submission: Some(submission), ..empty },
        Sync::Pending { .. } | Sync::Awaiting => empty,
    }
}

fn ending(ending: Ending) -> Target {
    Target {
        state: if ending.code.is_some() { "rejected" } else { "settled" },
        outcome: ending.outcome.map(|outcome| outcome.as_str()),
        transaction_id: ending.transaction_id,
        at: Some(ending.at),
        reason: ending.code.map(Reason::of_code),
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
        retailers: movement.head.retailers,
        origin: movement.head.origin.as_str(),
        received_at: movement.head.received_at,
        current,
        aside: aside.is_some(),
        aside_because: aside.map(AsideReason::as_str),
        iys: registry.map(ending),
        insider: insider.map(ending),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};
    use shared::consent::{ConsentKey, EventId, Head, Movement, Origin};

    use super::*;

    fn movement(retailers: Retailers) -> Movement {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        let brand = Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        let recipient = Recipient::parse("a@example.com", Channel::Eposta).unwrap();
        Movement {
            key: ConsentKey {
                recipient_id: recipient.id(&brand.recipient_id_key, &brand.name),
                brand: brand.name.clone(),
                channel: Channel::Eposta,
                recipient_type: RecipientType::Bireysel,
            },
            recipient,
            head: Head {
                status: Status::Onay,
                source: Source::HsWeb,
                consent_date: ConsentDate::at(now),
                origin: Origin::Api,
                event_id: EventId::derive("api", ["a"]),
                received_at: now,
                retailers,
            },
        }
    }

    /// The state of a movement and its line in the history, as the answer shows them.
    fn shown(retailers: Retailers, registry: Option<Sync>) -> [Value; 2] {
        let movement = movement(retailers);
        let mut of_it = ConsentState::first(&movement, movement.head.received_at, movement.head.received_at);
        of_it.registry = registry.unwrap_or(of_it.registry);
        let entry = Entry { movement, registry: None, insider: None, aside: None };
        let line = line(entry, std::slice::from_ref(&of_it));
        [serde_json::to_value(state(&of_it)).unwrap(), serde_json::to_value(line).unwrap()]
    }

    #[test]
    fn the_dealers_of_a_movement_are_shown_where_there_are_any() {
        for told in shown(Retailers { code: Some(58_954_386), access: vec![55_550_127] }, None) {
            assert_eq!((&told["retailerCode"], &told["retailerAccess"]), (&json!(58_954_386), &json!([55_550_127])));
        }
        for told in shown(Retailers::default(), None) {
            assert!(told.as_object().unwrap().keys().all(|name| !name.starts_with("retailer")), "{told}");
        }
    }

    #[test]
    fn what_is_held_says_for_what_since_when_by_which_code_and_what_to_do() {
        let since = "2026-11-20T10:00:00Z".parse().unwrap();
        let held = Sync::Held { why: Hold::Quota, since, due: since, code: Some("H525".into()) };
        let [told, _] = shown(Retailers::default(), Some(held));
        let iys = &told["iys"];
        assert_eq!((&iys["state"], &iys["heldFor"], &iys["code"]), (&json!("held"), &json!("quota"), &json!("H525")));
        for (part, language) in [("cause", "en"), ("cause", "tr"), ("remedy", "en"), ("remedy", "tr")] {
            assert!(iys[part][language].as_str().is_some_and(|text| text.ends_with('.')), "{part} {language}: {iys}");
        }
        assert_eq!((&told["deniedBecause"], &told["insider"]["state"]), (&json!("held"), &json!("awaiting")));
    }
}
