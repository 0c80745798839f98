//! From what the brand itself tells (its systems, or its book of consents) to a movement: İYS's stateless
//! rules, and the name of the event.

use jiff::Timestamp;
use serde_json::Value;

use crate::brand::Brand;
use crate::consent::rules::{Checked, Draft, Teller, Violation};
use crate::consent::{ConsentKey, EventId, Head, Movement, Origin, Retailers};

/// The same as [`read`], from JSON that is still text.
pub fn read_text(item: &str, brand: &Brand, teller: Teller, now: Timestamp) -> Result<Movement, Violation> {
    let item = serde_json::from_str(item).map_err(|_| unreadable())?;
    read(item, brand, teller, now)
}

/// Reads one record under the consent API's field names. The violation names the rule and never a value.
pub fn read(item: Value, brand: &Brand, teller: Teller, now: Timestamp) -> Result<Movement, Violation> {
    let draft: Draft = serde_path_to_error::deserialize(item).map_err(|error| form_error(&error))?;
    let checked = draft.check_of(teller, &brand.api.default_source, now)?;
    Ok(movement(checked, brand, teller, now))
}

/// A field that is unknown or has another type. The reader's own message may quote a value, so only
/// the field's name is kept.
fn form_error(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    const FIELDS: [&str; 9] =
        ["recipient", "recipientType", "type", "status", "source", "consentDate", "externalId", "retailerCode", "retailerAccess"];
    let path = error.path().to_string();
    let (field, code, message) = match FIELDS.into_iter().find(|field| *field == path) {
        Some(field) if field == "retailerAccess" => (field, "H085", format!("{field} must be a list of numbers")),
        Some(field) => (field, "H085", format!("{field} must be a string")),
        None if error.inner().to_string().starts_with("unknown field") => {
            ("", "H118", format!("a consent may only have the fields {}", FIELDS.join(", ")))
        }
        None => return unreadable(),
    };
    Violation { field, code, message }
}

fn unreadable() -> Violation {
    Violation { field: "", code: "H085", message: "a consent must be an object with each field at most once".to_owned() }
}

fn movement(checked: Checked, brand: &Brand, teller: Teller, now: Timestamp) -> Movement {
    let date = checked.consent_date.to_string();
    // With a name of the caller's, an undated consent sent twice is one event; without one, it
    // happened at the moment of each receipt.
    let dated = if checked.dated || checked.external_id.is_none() { date.as_str() } else { "" };
    let external_id = checked.external_id.as_deref().map(|name| brand.recipient_id_key.veil(name)).unwrap_or_default();
    // What names no dealers is named without them, as it was before there were any.
    let dealers = (!checked.retailers.is_empty()).then(|| names_of(&checked.retailers));
    let parts = [external_id.as_str(), checked.status.as_str(), checked.source.as_str(), dated];
    let origin = match teller {
        Teller::Caller => Origin::Api,
        Teller::Book => Origin::Import,
    };
    let event_id = EventId::derive(origin.as_str(), parts.into_iter().chain(dealers.as_deref()));
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
            origin,
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
    use serde_json::json;

    use super::*;

    fn brand() -> Brand {
        Brand::read(include_str!("../../infra/local/brands/demo.json")).unwrap()
    }

    fn item(own: Value) -> Value {
        let mut item = json!({"recipient": "a@example.com", "type": "EPOSTA", "status": "RET", "source": "HS_WEB",
                              "consentDate": "2026-11-20 11:59:00", "externalId": "A-1"});
        item.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        item
    }

    fn read_item(own: Value) -> Result<Movement, Violation> {
        read(item(own), &brand(), Teller::Caller, "2026-11-20T10:00:00Z".parse().unwrap())
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
            let Violation { code: said, message, .. } = read_item(own.clone()).unwrap_err();
            assert_eq!(said, code, "{own}");
            assert!(message.contains("retailer") && !message.contains("example"), "{message}");
        }
    }

    #[test]
    fn a_row_of_a_book_read_twice_is_one_event_and_not_the_callers() {
        let of = |own: Value, now: &str| read(item(own), &brand(), Teller::Book, now.parse().unwrap()).unwrap().head;
        let (one, two) = (of(json!({}), "2026-11-20T10:00:00Z"), of(json!({}), "2026-11-21T10:00:00Z"));
        assert_eq!((&one.event_id, one.origin), (&two.event_id, Origin::Import));
        assert_ne!(one.event_id, id(json!({})));
        let others = [json!({"externalId": null}), json!({"status": "ONAY"}), json!({"source": "HS_ATM"}), json!({"externalId": "A-2"})];
        for other in others.into_iter().chain([json!({"consentDate": "2026-11-20 11:58:59"})]) {
            assert_ne!(of(other, "2026-11-20T10:00:00Z").event_id, one.event_id);
        }
        // What a caller's name of an event is, is nobody's business: it may be an address.
        let named = of(json!({"externalId": "kisi@example.com"}), "2026-11-20T10:00:00Z");
        assert_ne!(named.event_id, EventId::derive("import", ["kisi@example.com", "RET", "HS_WEB", "2026-11-20 11:59:00"]));
    }
}
