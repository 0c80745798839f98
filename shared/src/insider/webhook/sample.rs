//! The form of a body that nobody could place: names of fields and kinds of values, no value.

use serde_json::{Map, Value};

use super::find::shown;

/// Most fields of a sample; a body has fewer, and a sample is there to be looked at.
const MOST_FIELDS: usize = 24;
/// How deep a sample goes.
const DEPTH: usize = 3;
/// Longest name of a field that is shown.
const NAME_LENGTH: usize = 40;

/// The form of an element as JSON text.
pub(super) fn form(fields: &Map<String, Value>) -> String {
    let mut left = MOST_FIELDS;
    object(fields, DEPTH, &mut left).to_string()
}

fn object(fields: &Map<String, Value>, depth: usize, left: &mut usize) -> Value {
    let mut shape = Map::new();
    for (name, value) in fields {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let name = if name.len() > NAME_LENGTH { super::OTHER.to_owned() } else { shown(name) };
        let kind = kind(value, depth, left);
        shape.insert(name, kind);
    }
    Value::Object(shape)
}

fn kind(value: &Value, depth: usize, left: &mut usize) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        // The number of digits tells seconds from milliseconds.
        Value::Number(number) => match number.as_u64() {
            Some(whole) => format!("number of {} digits", whole.to_string().len()).into(),
            None => "number".into(),
        },
        Value::String(text) => of_text(text.trim()).into(),
        Value::Array(items) => match items.first() {
            Some(first) if depth > 0 => Value::Array(vec![kind(first, depth - 1, left)]),
            _ => "list".into(),
        },
        Value::Object(fields) if depth > 0 => object(fields, depth - 1, left),
        Value::Object(_) => "object".into(),
    }
}

fn of_text(text: &str) -> String {
    if text.is_empty() {
        "blank".to_owned()
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("text of {} digits", text.len())
    } else if text.parse::<jiff::Timestamp>().is_ok() {
        "text: a time".to_owned()
    } else if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        "text: true or false".to_owned()
    } else if text.contains('@') {
        "text with an at sign".to_owned()
    } else {
        "text".to_owned()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_shows_names_and_kinds() {
        let body = json!({
            "event_name": "loyalty_left", "attrs": {"email": "ayse@example.com", "email_optin": "false", "ayse@example.com": 1},
            "timestamp": 1_795_162_500_000_u64, "at": "2026-11-20T08:15:00Z", "list": [{"a": null}], "empty": [], "tel": "905321112233",
        });
        let expected = json!({
            "event_name": "text", "attrs": {"email": "text with an at sign", "email_optin": "text: true or false", "other": "number of 1 digits"},
            "timestamp": "number of 13 digits", "at": "text: a time", "list": [{"a": "null"}], "empty": "list", "tel": "text of 12 digits",
        });
        let form: Value = serde_json::from_str(&form(body.as_object().unwrap())).unwrap();
        assert_eq!(form, expected);
    }

    #[test]
    fn a_sample_of_a_hostile_body_stays_small() {
        let mut deep = json!(1);
        for _ in 0..50 {
            deep = json!({"x": [deep]});
        }
        let wide: Map<_, _> = (0..5_000).map(|at| (format!("name_{at}_{}", "x".repeat(30)), json!([deep.clone()]))).collect();
        assert!(form(&wide).len() < 4_096);
    }

    proptest! {
        #[test]
        fn no_value_stands_in_a_sample(secret in "[a-z]{8,20}(@example\\.com)?|\\+905[0-9]{9}", number in 10_000_000_000_u64..) {
            let body = json!({"a": secret, "b": {"c": [secret, number]}, "d": number, "e": [{"f": number}]});
            let form = form(body.as_object().unwrap());
            prop_assert!(!form.contains(&secret) && !form.contains(&number.to_string()), "{}", form);
        }
    }
}
