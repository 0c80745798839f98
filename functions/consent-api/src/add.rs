//! `POST /v1/{brand}/consents`: records up to 500 consents and refusals.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::brand::Brand;
use shared::consent::rules::{Checked, Draft};
use shared::consent::{ConsentKey, EventId, Head, Merge, Movement, Origin, Retailers};
use shared::door::Door;
use shared::evidence::Payload;
use shared::intake::Told;
use shared::problem::{self, Problem};

/// Most consents in one request.
const LIMIT: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body_ {
    consents: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Answer {
    results: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    index: usize,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Line {
    fn rejected(index: usize, code: &'static str, message: String) -> Self {
        Self { index, result: "rejected", id: None, code: Some(code), message: Some(message) }
    }
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body: Body_ = problem::read(request)?;
    if body.consents.is_empty() || body.consents.len() > LIMIT {
        return Err(Problem::rule(format!("consents must have 1 to {LIMIT} items")));
    }
    let now = (door.clock)();
    let mut lines: Vec<Option<Line>> = Vec::with_capacity(body.consents.len());
    let mut movements = Vec::new();
    let mut positions = Vec::new();
    for (index, item) in body.consents.into_iter().enumerate() {
        match serde_json::from_str(item.get()).map_err(|_| unreadable()).and_then(|item| read(item, brand, now)) {
            Ok(movement) => {
                positions.push(index);
                movements.push(Told { movement, payload: Some(Payload::of(item.get().as_bytes())) });
                lines.push(None);
            }
            Err((code, message)) => lines.push(Some(Line::rejected(index, code, message))),
        }
    }
    let ids: Vec<_> = movements.iter().map(|told| told.movement.head.event_id.to_string()).collect();
    let recorded = door.intake.take(movements, now).await;
    let failures = recorded.iter().filter(|result| result.is_err()).count();
    for ((result, id), index) in recorded.into_iter().zip(ids).zip(positions) {
        lines[index] = Some(match result {
            Ok(recorded) => {
                // An event that was told before and takes effect only now was never answered.
                let result = match (recorded.merge, recorded.is_new) {
                    (Merge::Advanced, _) => "accepted",
                    (Merge::Superseded, true) => "superseded",
                    (Merge::Superseded | Merge::Repeated, _) => "duplicate",
                };
                Line { index, result, id: Some(id), code: None, message: None }
            }
            Err(error) => {
                tracing::error!(%error, "a consent was not recorded");
                Line::rejected(index, "unavailable", "the ledger did not take it: send it again".to_owned())
            }
        });
    }
    let results: Vec<_> = lines.into_iter().flatten().collect();
    let rejected = results.iter().filter(|line| line.result == "rejected").count();
    tracing::info!(brand = %brand.name, consents = results.len(), rejected, "consents taken");
    if failures == results.len() {
        return Err(Problem::unavailable());
    }
    Ok(problem::json(StatusCode::OK, &Answer { results }))
}

/// Reads one item into a movement; the error is İYS's code and the rule.
fn read(item: serde_json::Value, brand: &Brand, now: Timestamp) -> Result<Movement, (&'static str, String)> {
    let draft: Draft = serde_path_to_error::deserialize(item).map_err(|error| form_error(&error))?;
    let checked = draft.check(&brand.api.default_source, now).map_err(|violation| (violation.code, violation.message))?;
    Ok(movement(checked, brand, now))
}

/// A field that is unknown or has another type. The reader's own message may quote a value, so only
/// the field's name is kept.
fn form_error(error: &serde_path_to_error::Error<serde_json::Error>) -> (&'static str, String) {
    const FIELDS: [&str; 9] =
        ["recipient", "recipientType", "type", "status", "source", "consentDate", "externalId", "retailerCode", "retailerAccess"];
    let path = error.path().to_string();
    match FIELDS.iter().find(|field| **field == path) {
        Some(field) if *field == "retailerAccess" => ("H085", format!("{field} must be a list of numbers")),
        Some(field) => ("H085", format!("{field} must be a string")),
        None if error.inner().to_string().starts_with("unknown field") => {
            ("H118", format!("a consent may only have the fields {}", FIELDS.join(", ")))
        }
        None => unreadable(),
    }
}

fn unreadable() -> (&'static str, String) {
    ("H085", "a consent must be an object with each field at most once".to_owned())
}

fn movement(checked: Checked, brand: &Brand, now: Timestamp) -> Movement {
    let date = checked.consent_date.to_string();
    // With a name of the caller's, an undated consent sent twice is one event; without one, it
    // happened at the moment of each receipt.
    let dated = if checked.dated || checked.external_id.is_none() { date.as_str() } else { "" };
    let external_id = checked.external_id.as_deref().map(|name| brand.recipient_id_key.veil(name)).unwrap_or_default();
    // What names no dealers is named without them, as it was before there were any.
    let dealers = (!checked.retailers.is_empty()).then(|| names_of(&checked.retailers));
    let parts = [external_id.as_str(), checked.status.as_str(), checked.source.as_str(), dated];
    let event_id = EventId::derive("api", parts.into_iter().chain(dealers.as_deref()));
    Movement {
        key: ConsentKey {
            recipient_id: checked.recipient.id(&brand.recipient_id_key, &brand.name),
            brand: brand.name.clone(),
            channel: checked.channel,
            recipient_type: checked.recipient_type,
        },
        recipient: checked.recipient,
        head: Head {
            status: checked.status,
            source: checked.source,
            consent_date: checked.consent_date,
            origin: Origin::Api,
            event_id,
            received_at: now,
            retailers: checked.retailers,
        },
    }
}

/// The dealers as a part of an event's name.
fn names_of(retailers: &Retailers) -> String {
    let code = retailers.code.map(|code| code.to_string()).unwrap_or_default();
    let access = retailers.access.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    format!("{code}/{access}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn brand() -> Brand {
        Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap()
    }

    fn item(own: Value) -> Value {
        let mut item = json!({"recipient": "a@example.com", "type": "EPOSTA", "status": "RET", "source": "HS_WEB",
                              "consentDate": "2026-11-20 11:59:00", "externalId": "A-1"});
        item.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        item
    }

    fn read_item(own: Value) -> Result<Movement, (&'static str, String)> {
        read(item(own), &brand(), "2026-11-20T10:00:00Z".parse().unwrap())
    }

    fn id(own: Value) -> EventId {
        read_item(own).unwrap().head.event_id
    }

    #[test]
    fn dealers_are_carried_through_and_their_order_is_none_of_the_events_name() {
        let movement = read_item(json!({"retailerCode": 58_954_386, "retailerAccess": [58_954_386, "55550127"]})).unwrap();
        assert_eq!(movement.head.retailers, Retailers { code: Some(58_954_386), access: vec![55_550_127, 58_954_386] });
        assert_eq!(
            id(json!({"retailerCode": "58954386", "retailerAccess": [55_550_127, 58_954_386]})),
            movement.head.event_id,
            "the same dealers are the same event"
        );
        let ids = [
            id(json!({})),
            id(json!({"retailerCode": 58_954_386})),
            id(json!({"retailerAccess": [58_954_386]})),
            id(json!({"retailerCode": 58_954_386, "retailerAccess": [55_550_127]})),
        ];
        for (at, one) in ids.iter().enumerate() {
            assert!(ids.iter().skip(at + 1).all(|other| other != one));
        }
    }

    #[test]
    fn an_event_without_dealers_keeps_the_name_that_it_had_before_there_were_any() {
        let name = brand().recipient_id_key.veil("A-1");
        let before = EventId::derive("api", [name.as_str(), "RET", "HS_WEB", "2026-11-20 11:59:00"]);
        assert_eq!(id(json!({})), before);
        assert_eq!(id(json!({"retailerCode": null, "retailerAccess": null})), before);
    }

    #[test]
    fn dealers_that_break_a_rule_are_refused_by_it_and_never_quoted() {
        for (own, code) in [
            (json!({"retailerCode": 5_895_438}), "H180"),
            (json!({"retailerCode": {"a@example.com": 1}}), "H180"),
            (json!({"retailerAccess": []}), "H163"),
            (json!({"retailerAccess": "a@example.com"}), "H085"),
            (json!({"retailerAccess": ["a@example.com"]}), "H180"),
            (json!({"retailerAccess": [58_954_386, 58_954_386]}), "H193"),
            (json!({"retailers": 1}), "H118"),
        ] {
            let (said, message) = read_item(own.clone()).unwrap_err();
            assert_eq!(said, code, "{own}");
            assert!(message.contains("retailer") && !message.contains("example"), "{message}");
        }
    }
}
