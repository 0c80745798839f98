//! Single fields of a webhook body, read leniently: nothing here fails, it finds or does not find.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use crate::brand::{AttributeMeaning, TimestampUnit};

/// A text where one was looked for.
pub(super) enum Found<'a> {
    /// Missing, null or blank.
    Nothing,
    /// A text, or a number as its digits.
    Text(Cow<'a, str>),
    /// Something else stands there.
    Unusable,
}

/// The value as a text.
pub(super) fn text(value: Option<&Value>) -> Found<'_> {
    match value {
        None | Some(Value::Null) => Found::Nothing,
        Some(Value::String(text)) if text.trim().is_empty() => Found::Nothing,
        Some(Value::String(text)) => Found::Text(Cow::Borrowed(text.trim())),
        Some(Value::Number(number)) => Found::Text(Cow::Owned(number.to_string())),
        Some(_) => Found::Unusable,
    }
}

/// The value as a text if it is one.
pub(super) fn some_text(value: Option<&Value>) -> Option<Cow<'_, str>> {
    match text(value) {
        Found::Text(text) => Some(text),
        Found::Nothing | Found::Unusable => None,
    }
}

/// A boolean where one was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// Missing, null or blank.
    Absent,
    /// True or false.
    Is(bool),
    /// Something else stands there.
    Unusable,
}

/// The value as a boolean: a JSON boolean, `"true"`/`"false"` in any case, 1/0, or one of the brand's
/// words for the attribute.
pub(super) fn flag(value: Option<&Value>, meaning: &AttributeMeaning) -> Flag {
    if let Some(Value::Bool(flag)) = value {
        return Flag::Is(*flag);
    }
    let is_one_of = |words: &[String], text: &str| words.iter().any(|word| word.trim().to_lowercase() == text.to_lowercase());
    match text(value) {
        Found::Nothing => Flag::Absent,
        // A word in both lists is a refusal.
        Found::Text(text) if is_one_of(&meaning.ret_values, &text) => Flag::Is(false),
        Found::Text(text) if is_one_of(&meaning.onay_values, &text) => Flag::Is(true),
        Found::Text(text) if text.eq_ignore_ascii_case("true") || text == "1" || text == "1.0" => Flag::Is(true),
        Found::Text(text) if text.eq_ignore_ascii_case("false") || text == "0" || text == "0.0" => Flag::Is(false),
        Found::Text(_) | Found::Unusable => Flag::Unusable,
    }
}

/// A moment where one was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Missing, null, blank or 0.
    Unstated,
    /// That moment.
    At(Timestamp),
    /// Something else stands there.
    Unusable,
}

/// The value as a moment: a number of the unit, which `Auto` tells by the magnitude, or RFC 3339. Whether
/// the moment is a likely one is not judged here.
pub(super) fn when(value: Option<&Value>, unit: TimestampUnit) -> When {
    match value {
        Some(Value::Number(number)) => epoch(number, unit),
        other => match text(other) {
            Found::Nothing => When::Unstated,
            Found::Unusable => When::Unusable,
            Found::Text(text) => match text.parse::<Number>() {
                Ok(number) => epoch(&number, unit),
                Err(_) => text.parse().map_or(When::Unusable, When::At),
            },
        },
    }
}

/// Below this a number of seconds lies before the year 5138; as milliseconds it lies in 1973 or before.
const BELOW_ARE_SECONDS: i64 = 100_000_000_000;
/// The same border between milliseconds and microseconds.
const BELOW_ARE_MILLISECONDS: i64 = 100_000_000_000_000;

fn epoch(number: &Number, unit: TimestampUnit) -> When {
    let whole = number.as_i64().or_else(|| {
        // Fractions are below what a consent date keeps; casting saturates.
        number.as_f64().filter(|float| float.is_finite() && number.as_u64().is_none()).map(|float| float.floor() as i64)
    });
    let whole = match whole {
        Some(0) => return When::Unstated,
        Some(whole @ 1..) => whole,
        Some(_) | None => return When::Unusable,
    };
    let moment = match unit {
        TimestampUnit::Seconds => Timestamp::from_second(whole),
        TimestampUnit::Milliseconds => Timestamp::from_millisecond(whole),
        TimestampUnit::Microseconds => Timestamp::from_microsecond(whole),
        TimestampUnit::Auto if whole < BELOW_ARE_SECONDS => Timestamp::from_second(whole),
        TimestampUnit::Auto if whole < BELOW_ARE_MILLISECONDS => Timestamp::from_millisecond(whole),
        TimestampUnit::Auto => Timestamp::from_microsecond(whole),
    };
    moment.map_or(When::Unusable, When::At)
}

/// The element as one text that does not depend on the order of its keys, without the fields named in
/// `left_out`, at whatever depth they stand.
pub(super) fn canonical(fields: &Map<String, Value>, left_out: &[&str]) -> String {
    let mut text = String::new();
    write_object(fields, left_out, &mut text);
    text
}

fn write_object(fields: &Map<String, Value>, left_out: &[&str], out: &mut String) {
    let mut sorted: Vec<_> = fields.iter().filter(|(key, _)| !left_out.contains(&key.as_str())).collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (key, value) in sorted {
        // Writing into a string cannot fail. `{:?}` quotes, so that no key can pass for another.
        let _ = write!(out, "{key:?}:");
        write_value(value, left_out, out);
        out.push(',');
    }
    out.push('}');
}

fn write_value(value: &Value, left_out: &[&str], out: &mut String) {
    match value {
        Value::Object(fields) => write_object(fields, left_out, out),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_value(item, left_out, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::consent::Channel;

    fn when(value: Option<&Value>) -> When {
        super::when(value, TimestampUnit::Auto)
    }

    #[test]
    fn a_flag_is_a_boolean_in_any_of_its_spellings_and_nothing_else() {
        let plain = AttributeMeaning::of(Channel::Eposta);
        for value in [json!(true), json!("true"), json!(" TRUE "), json!(1), json!("1"), json!(1.0)] {
            assert_eq!(flag(Some(&value), &plain), Flag::Is(true), "{value}");
        }
        for value in [json!(false), json!("False"), json!(0), json!("0"), json!(0.0)] {
            assert_eq!(flag(Some(&value), &plain), Flag::Is(false), "{value}");
        }
        for value in [json!(null), json!(""), json!("  ")] {
            assert_eq!(flag(Some(&value), &plain), Flag::Absent, "{value}");
        }
        assert_eq!(flag(None, &plain), Flag::Absent);
        for value in [json!(2), json!(-1), json!("yes"), json!("evet"), json!([true]), json!({"value": true}), json!(1.5)] {
            assert_eq!(flag(Some(&value), &plain), Flag::Unusable, "{value}");
        }
    }

    #[test]
    fn a_brand_may_have_words_of_its_own_for_an_attribute_and_a_word_for_both_is_a_refusal() {
        let meaning = AttributeMeaning {
            onay_values: vec!["Evet".to_owned(), "belki".to_owned()],
            ret_values: vec!["Hayır".to_owned(), "belki".to_owned()],
            ..AttributeMeaning::of(Channel::Arama)
        };
        for (value, expected) in [("evet", true), ("hayır", false), ("belki", false), ("true", true), ("0", false)] {
            assert_eq!(flag(Some(&json!(value)), &meaning), Flag::Is(expected), "{value}");
        }
        assert_eq!(flag(Some(&json!("olur")), &meaning), Flag::Unusable);
    }

    #[test]
    fn a_unit_that_the_brand_names_is_taken_at_its_word() {
        let at = |value: i64, unit: TimestampUnit| super::when(Some(&json!(value)), unit);
        let expected = When::At("2026-11-20T08:15:00Z".parse().unwrap());
        assert_eq!(at(1_795_162_500, TimestampUnit::Seconds), expected);
        assert_eq!(at(1_795_162_500_000, TimestampUnit::Milliseconds), expected);
        assert_eq!(at(1_795_162_500_000_000, TimestampUnit::Microseconds), expected);
        assert_eq!(at(1_795_162_500_000, TimestampUnit::Seconds), When::Unusable);
        assert_eq!(at(1_795_162_500, TimestampUnit::Milliseconds), When::At(Timestamp::from_millisecond(1_795_162_500).unwrap()));
    }

    proptest! {
        #[test]
        fn every_likely_moment_is_read_alike_in_every_unit(seconds in 1_000_000_000_i64..4_000_000_000) {
            let expected = When::At(Timestamp::from_second(seconds).unwrap());
            for value in [json!(seconds), json!(seconds * 1_000), json!(seconds * 1_000_000), json!((seconds * 1_000).to_string())] {
                prop_assert_eq!(when(Some(&value)), expected, "{}", value);
            }
        }
    }

    #[test]
    fn the_unit_of_a_time_stamp_is_told_by_its_magnitude() {
        let expected = When::At("2026-11-20T08:15:00Z".parse().unwrap());
        for value in [
            json!(1_795_162_500),
            json!(1_795_162_500_000_i64),
            json!(1_795_162_500_000_000_i64),
            json!("1795162500"),
            json!(" 1795162500000 "),
            json!("2026-11-20T08:15:00Z"),
            json!("2026-11-20T11:15:00+03:00"),
        ] {
            assert_eq!(when(Some(&value)), expected, "{value}");
        }
    }

    #[test]
    fn a_time_stamp_of_nothing_is_unstated_and_nonsense_is_unusable() {
        for value in [json!(0), json!(0.0), json!("0"), json!(""), json!(null)] {
            assert_eq!(when(Some(&value)), When::Unstated, "{value}");
        }
        assert_eq!(when(None), When::Unstated);
        for value in
            [json!(-1), json!(u64::MAX), json!(i64::MAX), json!(1e300), json!("yesterday"), json!("2026-11-20 11:15:00"), json!([1])]
        {
            assert_eq!(when(Some(&value)), When::Unusable, "{value}");
        }
    }

    #[test]
    fn the_canonical_text_depends_on_content_alone() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"y":2,"x":"a\"b"}],"a":null,"email":"x"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{ "a":null, "b":[1,{"x":"a\"b","email":1,"y":2}] }"#).unwrap();
        let three: Value = serde_json::from_str(r#"{"b":[1,{"y":2,"x":"a"}],"a":null}"#).unwrap();
        let canonical = |value: &Value| canonical(value.as_object().unwrap(), &["email"]);
        assert_eq!(canonical(&one), canonical(&two));
        assert_ne!(canonical(&one), canonical(&three));
    }
}
