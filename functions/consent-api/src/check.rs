//! `POST /v1/{brand}/consents/check`: may these addresses be messaged now? Fails closed.

use std::collections::{BTreeMap, HashMap};

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
    /// Whether the addresses' ids are wanted, too.
    #[serde(default)]
    recipient_ids: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    allowed: Vec<Value>,
    denied: Vec<Denied>,
    /// The ids of the addresses that are some, by the address as it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_ids: Option<BTreeMap<String, String>>,
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
    let recipient_ids = question.recipient_ids.then(|| {
        let asked = question.recipients.iter().zip(&keys);
        asked.filter_map(|(recipient, key)| Some((recipient.as_str()?.to_owned(), key.as_ref()?.recipient_id.to_string()))).collect()
    });
    let mut answer = Answer { allowed: Vec::new(), denied: Vec::new(), recipient_ids };
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::json;
    use shared::consent::code::entry;
    use shared::consent::{ConsentDate, EventId, Head, Movement, Origin, Retailers, Source};

    use super::*;

    fn state(status: Status, registry: Option<Sync>) -> ConsentState {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        let brand = Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        let recipient = Recipient::parse("a@example.com", Channel::Eposta).unwrap();
        let movement = Movement {
            key: ConsentKey {
                recipient_id: recipient.id(&brand.recipient_id_key, &brand.name),
                brand: brand.name.clone(),
                channel: Channel::Eposta,
                recipient_type: RecipientType::Bireysel,
            },
            recipient,
            head: Head {
                status,
                source: Source::HsWeb,
                consent_date: ConsentDate::at(now),
                origin: Origin::Api,
                event_id: EventId::derive("api", ["a"]),
                received_at: now,
                retailers: Retailers::default(),
            },
        };
        let mut state = ConsentState::first(&movement, now, now);
        if let Some(registry) = registry {
            state.registry = registry;
        }
        state
    }

    fn held(code: Option<&str>) -> Sync {
        let at = "2026-11-20T10:00:00Z".parse().unwrap();
        Sync::Held { why: Hold::Subscription, since: at, due: at, code: code.map(str::to_owned) }
    }

    fn denied(state: &ConsentState) -> Value {
        serde_json::to_value(Denied::of(json!("a@example.com"), denial(state).unwrap(), Some(state))).unwrap()
    }

    #[test]
    fn a_denial_says_what_it_waits_for_with_cause_and_remedy_in_both_languages() {
        let by_code = denied(&state(Status::Onay, Some(held(Some("H586")))));
        let words = entry("H586").unwrap();
        assert_eq!(
            by_code,
            json!({"recipient": "a@example.com", "reason": "held", "heldFor": "subscription", "code": "H586",
                   "cause": {"en": words.cause_en, "tr": words.cause_tr}, "remedy": {"en": words.remedy_en, "tr": words.remedy_tr}})
        );
        let without = denied(&state(Status::Onay, Some(held(None))));
        assert_eq!((without.get("code"), &without["cause"]["tr"]), (None, &json!(Hold::Subscription.cause(Target::Registry).tr)));
    }

    #[test]
    fn a_denial_names_the_code_that_the_registry_refused_the_onay_with() {
        for (code, reason) in [("H467", "expired"), ("H180", "not_yet_at_iys")] {
            let at = "2026-11-20T10:00:00Z".parse().unwrap();
            let denied = denied(&state(Status::Onay, Some(Sync::Rejected { code: code.into(), at })));
            assert_eq!((&denied["reason"], &denied["code"]), (&json!(reason), &json!(code)));
            assert_eq!(denied["remedy"]["en"], entry(code).unwrap().remedy_en);
        }
    }

    #[test]
    fn a_refusal_is_denied_for_itself_whatever_hinders_it_at_the_registry() {
        assert_eq!(denied(&state(Status::Ret, Some(held(Some("H586"))))), json!({"recipient": "a@example.com", "reason": "refused"}));
        assert_eq!(denied(&state(Status::Onay, None)), json!({"recipient": "a@example.com", "reason": "not_yet_at_iys"}));
        let unknown = Denied::of(json!("b@example.com"), "unknown", None);
        assert_eq!(serde_json::to_value(unknown).unwrap(), json!({"recipient": "b@example.com", "reason": "unknown"}));
    }
}
