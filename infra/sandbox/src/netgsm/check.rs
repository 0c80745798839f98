//! Netgsm's own check of a record, and the record in İYS's words. It looks at the form only; İYS's rules come later.

use serde_json::{Map, Value, json};

use super::config::Switches;
use crate::iys::model::{ConsentType, RecipientType, Status, read_date};
use crate::iys::{Switches as IysSwitches, address, rules};
use crate::stats::Stats;

/// Length of a phone number with its `+`.
const PHONE_LENGTH: usize = 13;

/// Fields that a record may have; the last two have their place in dispute (I2) and are taken anywhere.
const ADD_FIELDS: [&str; 10] =
    ["type", "source", "recipient", "status", "consentDate", "recipientType", "retailerCode", "retailerAccess", "refid", "appkey"];
const QUERY_FIELDS: [&str; 5] = ["type", "recipient", "recipientType", "refid", "appkey"];

/// What is wrong, by field.
type Errors = Map<String, Value>;

/// A record of an add in İYS's words.
pub(crate) fn add(item: &Value, switches: &Switches, stats: &Stats) -> Result<Map<String, Value>, Errors> {
    let empty = Map::new();
    let item = item.as_object().unwrap_or(&empty);
    note(item, &ADD_FIELDS, stats);
    let mut errors = Errors::new();
    let mut record = key(item, switches, &mut errors);
    let mut word = |field: &str, known: &dyn Fn(&str) -> bool| {
        let value = text(item, field);
        match value.filter(|value| known(value)) {
            Some(value) => {
                record.insert(field.to_owned(), json!(value));
            }
            None => refuse(&mut errors, field, value),
        }
    };
    word("status", &|value| Status::parse(value).is_some());
    word("source", &|value| rules::PROVIDER_SOURCES.contains(&value));
    word("consentDate", &|value| read_date(value).is_ok());
    if let Some(code) = text(item, "retailerCode") {
        record.insert("retailerCode".to_owned(), json!(code));
    }
    let access = retailers(item.get("retailerAccess"));
    if !access.is_empty() {
        record.insert("retailerAccess".to_owned(), json!(access));
    }
    for field in ["retailerCode", "retailerAccess"] {
        let numeric = |value: &Value| match value {
            Value::Array(codes) => codes.iter().all(|code| rules::number(code).is_some()),
            code => rules::number(code).is_some(),
        };
        if record.get(field).is_some_and(|value| !numeric(value)) {
            errors.insert(field.to_owned(), json!("Bayi kodu sayısal olmalıdır."));
        }
    }
    if errors.is_empty() { Ok(record) } else { Err(errors) }
}

/// A record of a query in İYS's words.
pub(crate) fn query(item: &Value, switches: &Switches, stats: &Stats) -> Result<Map<String, Value>, Errors> {
    let empty = Map::new();
    let item = item.as_object().unwrap_or(&empty);
    note(item, &QUERY_FIELDS, stats);
    let mut errors = Errors::new();
    let record = key(item, switches, &mut errors);
    if errors.is_empty() { Ok(record) } else { Err(errors) }
}

/// Counts what is no mistake at Netgsm, but one of the client.
fn note(item: &Map<String, Value>, known: &[&str], stats: &Stats) {
    if item.contains_key("brandCode") || item.contains_key("iysCode") {
        stats.violation("brand_in_record");
    } else if item.keys().any(|field| !known.contains(&field.as_str())) {
        stats.warning("unknown_field");
    }
}

fn key(item: &Map<String, Value>, switches: &Switches, errors: &mut Errors) -> Map<String, Value> {
    let mut record = Map::new();
    let consent_type = text(item, "type").and_then(ConsentType::parse);
    match consent_type {
        Some(consent_type) => {
            record.insert("type".to_owned(), json!(consent_type));
        }
        None => refuse(errors, "type", text(item, "type")),
    }
    match text(item, "recipientType").and_then(RecipientType::parse) {
        Some(recipient_type) => {
            record.insert("recipientType".to_owned(), json!(recipient_type));
        }
        None => refuse(errors, "recipientType", text(item, "recipientType")),
    }
    let recipient = text(item, "recipient");
    match recipient.filter(|recipient| consent_type.is_none_or(|channel| fits(recipient, channel, switches))) {
        Some(recipient) => {
            record.insert("recipient".to_owned(), json!(recipient));
        }
        None => refuse(errors, "recipient", recipient),
    }
    record
}

fn fits(recipient: &str, channel: ConsentType, switches: &Switches) -> bool {
    if channel == ConsentType::Eposta {
        return address::is_email(recipient, &IysSwitches::default());
    }
    let Some(digits) = recipient.strip_prefix('+') else {
        return false;
    };
    let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let foreign = switches.foreign_numbers && !digits.starts_with("90") && digits.len() >= 7 && recipient.len() <= 15;
    numeric && (recipient.len() == PHONE_LENGTH && digits.starts_with("90") || foreign)
}

/// `1,2`, `{1,2}` or an array (I4).
fn retailers(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => {
            let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
            inner.split(',').map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::Array(list)) => list.iter().map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn text<'a>(item: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    item.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn refuse(errors: &mut Errors, field: &str, value: Option<&str>) {
    let message = match (field, value) {
        (_, None) => format!("{field} alanı zorunludur."),
        ("recipient", Some(_)) => {
            "recipient 13 karakter olmalı, + işaretinden sonrası sayısal olmalı ya da geçerli bir e-posta olmalıdır.".to_owned()
        }
        (_, Some(_)) => format!("{field} değeri hatalı."),
    };
    errors.insert(field.to_owned(), json!(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_thirteen_characters_and_begins_with_the_countrys_code() {
        let switches = Switches::default();
        let fits = |text: &str| fits(text, ConsentType::Mesaj, &switches);
        assert!(fits("+905992000001"));
        for text in ["905992000001", "+90599200000", "+90599200000x", "+491721234567", "+4917212345678"] {
            assert!(!fits(text), "{text}");
        }
    }

    #[test]
    fn dealers_are_read_in_every_form_that_is_seen() {
        for value in [json!("1,2"), json!("{1, 2}"), json!(["1", 2])] {
            assert_eq!(retailers(Some(&value)), ["1", "2"], "{value}");
        }
    }
}
