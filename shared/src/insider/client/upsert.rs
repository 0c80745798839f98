//! Users of an upsert: how they are written, and what its answer says about each of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch::{Batch, Row, Rows, Told, joined};
use super::policy::{INVALID_ATTRIBUTE, INVALID_EMAIL, INVALID_IDENTIFIER, INVALID_PHONE, REFUSED};
use super::{Flag, InsiderError, Outcome};
use crate::brand::{self, DateForm};
use crate::consent::{Channel, Recipient};

/// A body. `skip_hook` keeps Insider from telling us what we told it.
pub(super) fn body(rows: Rows<'_>) -> String {
    format!(r#"{{"skip_hook":true,"users":[{}]}}"#, joined(rows.each().iter().map(|row| row.text.as_str())))
}

/// The flags as users: one for each address, with all of its flags. `identifiers` tells what a profile is
/// found by; who has none is answered without being sent.
pub(super) fn batch<'a>(
    flags: &'a [Flag],
    account: &brand::Insider,
    identifiers: impl Fn(&Recipient) -> Result<Value, super::Answer>,
) -> Batch<'a> {
    let mut batch = Batch::default();
    let mut attributes: Vec<Map<String, Value>> = Vec::new();
    for flag in flags {
        let Some(name) = account.flag_for(flag.channel) else {
            batch.answer(Ok(Outcome::NotNeeded));
            continue;
        };
        let identifiers = match identifiers(&flag.recipient) {
            Ok(identifiers) => identifiers,
            Err(answer) => {
                batch.answer(answer);
                continue;
            }
        };
        let row = batch.row_of(&flag.recipient);
        if row == attributes.len() {
            attributes.push(Map::new());
        }
        let Some(attributes) = attributes.get_mut(row) else { continue };
        write(flag, name, account, attributes);
        batch.set(row, || Row { text: json!({ "identifiers": identifiers, "attributes": attributes }).to_string(), uuid: None });
    }
    batch
}

/// Writes one flag and what belongs to it into a user's attributes.
fn write(flag: &Flag, name: &str, account: &brand::Insider, attributes: &mut Map<String, Value>) {
    let mut custom = Vec::new();
    if flag.channel == Channel::Arama {
        custom.push((name, json!(flag.allowed)));
    } else {
        attributes.insert(name.to_owned(), json!(flag.allowed));
    }
    let outbound = &account.outbound;
    if flag.channel == Channel::Mesaj && !flag.allowed && outbound.whatsapp_follows_mesaj {
        attributes.insert("whatsapp_optin".to_owned(), json!(false));
    }
    if let (Some(told), Some(names)) = (&flag.told, outbound.consent_attributes.get(&flag.channel)) {
        let date = told.date.instant();
        let date = match names.date_form {
            DateForm::Rfc3339 => json!(date.to_string()),
            DateForm::EpochSeconds => json!(date.as_second()),
        };
        custom.extend(names.date.as_deref().map(|name| (name, date)));
        custom.extend(names.source.as_deref().map(|name| (name, json!(told.source.as_str()))));
    }
    if custom.is_empty() {
        return;
    }
    if let Value::Object(place) = attributes.entry("custom").or_insert_with(|| json!({})) {
        place.extend(custom.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

/// What Insider finds the profile by.
pub(super) fn identifiers(recipient: &Recipient) -> Value {
    match recipient {
        Recipient::Email(_) => json!({ "email": recipient.expose() }),
        Recipient::Phone(_) => json!({ "phone_number": recipient.expose() }),
    }
}

#[derive(Deserialize)]
struct Answered {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    successful: Successful,
    #[serde(default)]
    fail: Fail,
}

/// `{}` rather than a count of 0 when nobody was taken.
#[derive(Default, Deserialize)]
struct Successful {
    #[serde(default)]
    count: usize,
}

#[derive(Default, Deserialize)]
struct Fail {
    #[serde(default)]
    count: usize,
    /// Keys such as `users.0.identifiers.*.regexp(…)`; texts that quote the offending value.
    #[serde(default)]
    errors: BTreeMap<String, Value>,
}

/// Reads the answer to a body of so many users.
///
/// Failed users are known by the index in an error's key. When the counts do not agree with the
/// indices, it is not known who failed, and the whole request counts as refused.
pub(super) fn read(body: &[u8], users: usize) -> Result<Told, InsiderError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    // The reader's own message may quote a value, which may be an address: only the place is kept.
    let Answered { data } = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| InsiderError::Defect { why: format!("upsert: the answer's {} has another form", error.path()) })?;
    let mut outcomes = vec![Outcome::Applied; users];
    let mut placed = true;
    let mut reason = None;
    for (key, texts) in &data.fail.errors {
        let code = code_of(key, texts);
        reason.get_or_insert(code);
        match index_of(key).and_then(|index| outcomes.get_mut(index)) {
            Some(outcome @ Outcome::Applied) => *outcome = Outcome::Refused { code },
            Some(_) => {}
            None => placed = false,
        }
    }
    let taken = outcomes.iter().filter(|outcome| **outcome == Outcome::Applied).count();
    if placed && taken == data.successful.count && data.fail.count <= users - taken {
        return Ok(Told::Each(outcomes));
    }
    if data.fail.count == 0 && data.fail.errors.is_empty() {
        // Too few were taken and nobody failed: repeating by halves would tell no more.
        return Err(InsiderError::Defect { why: "upsert: the answer does not account for every user".into() });
    }
    Ok(Told::SomethingRefused(reason.unwrap_or(REFUSED)))
}

/// The user's position in `users.<n>.…`.
fn index_of(key: &str) -> Option<usize> {
    key.strip_prefix("users.")?.split('.').next()?.parse().ok()
}

/// What is wrong, by the key and by the text up to the value that it quotes.
fn code_of(key: &str, texts: &Value) -> &'static str {
    let about = |word: &str| key.split('.').nth(2) == Some(word);
    let text = match texts {
        Value::Array(texts) => texts.first().and_then(Value::as_str),
        other => other.as_str(),
    };
    let text = text.and_then(|text| text.split(':').next()).unwrap_or_default().to_ascii_lowercase();
    if text.contains("phone number") {
        INVALID_PHONE
    } else if text.contains("invalid email") {
        INVALID_EMAIL
    } else if about("identifiers") {
        INVALID_IDENTIFIER
    } else if about("attributes") {
        INVALID_ATTRIBUTE
    } else {
        REFUSED
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn told(body: &Value, users: usize) -> Result<Vec<Outcome>, &'static str> {
        match read(body.to_string().as_bytes(), users).unwrap() {
            Told::Each(outcomes) => Ok(outcomes),
            Told::SomethingRefused(code) => Err(code),
        }
    }

    #[test]
    fn errors_inside_a_200_are_told_by_user() {
        let phone = r"users.0.identifiers.*.regexp(^\+[1-9]\d{6,14}$)";
        let body = json!({"data": {"successful": {"count": 1}, "fail": {"count": 2, "errors": {
            phone: ["user has an invalid phone number: 12345"],
            "users.2.attributes.custom.x": ["no such attribute: x"],
        }}}});
        let expected = [Outcome::Refused { code: INVALID_PHONE }, Outcome::Applied, Outcome::Refused { code: INVALID_ATTRIBUTE }];
        assert_eq!(told(&body, 3).unwrap(), expected);
        let body = json!({"data": {"successful": {}, "fail": {"count": 1, "errors": {"users.0.identifiers.x": ["?"]}}}});
        assert_eq!(told(&body, 1).unwrap(), [Outcome::Refused { code: INVALID_IDENTIFIER }]);
        assert_eq!(told(&json!({"data": {"successful": {"count": 2}, "fail": {}}}), 2).unwrap(), vec![Outcome::Applied; 2]);
    }

    #[test]
    fn who_failed_is_not_guessed() {
        let unplaced = json!({"data": {"successful": {"count": 1}, "fail": {"count": 1, "errors": {"skip_hook": ["?"]}}}});
        assert_eq!(told(&unplaced, 2), Err(REFUSED));
        let too_few = json!({"data": {"successful": {"count": 1}, "fail": {"count": 2, "errors": {"users.0.events": ["?"]}}}});
        assert_eq!(told(&too_few, 3), Err(REFUSED));
        let outside = json!({"data": {"successful": {"count": 1}, "fail": {"count": 1, "errors": {"users.9.attributes": ["?"]}}}});
        assert_eq!(told(&outside, 2), Err(INVALID_ATTRIBUTE));
    }

    #[test]
    fn an_answer_of_another_form_is_a_defect_that_names_its_place_only() {
        let secret = "ayse@example.com";
        for (body, place) in [
            (json!({"data": {"successful": {"count": secret}}}).to_string(), "data.successful.count"),
            (json!({"data": {"fail": {"errors": [secret]}}}).to_string(), "data.fail.errors"),
            (json!({"success": false, "message": secret}).to_string(), "the answer's"),
            (format!("<html>{secret}"), "the answer's"),
            (json!({"data": {"successful": {}, "fail": {}}}).to_string(), "account for"),
        ] {
            let error = read(body.as_bytes(), 1).err().unwrap().to_string();
            assert!(error.contains(place) && !error.contains("ayse"), "{error}");
        }
    }
}
