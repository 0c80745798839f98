//! The unification host: upsert of users and reading of one profile.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::config::{AttributeType, EmailFlow};
use super::store::{Channel, Profile};
use super::webhooks::Change;
use super::{Insider, KeyKind, is_email, is_json, is_phone};
use crate::server::json as answer;

/// Users in one upsert.
const USERS_MAXIMUM: usize = 1000;
/// Bytes of one upsert.
const BODY_MAXIMUM: usize = 5_000_000;
const BOOLEANS: [&str; 4] = ["email_optin", "sms_optin", "whatsapp_optin", "gdpr_optin"];

/// The unification host's 403.
pub(super) fn access_denied() -> Value {
    json!({ "success": false, "message": "Access Denied. Please check your partner name and request token." })
}

/// The unification host's 429.
pub(super) fn too_many() -> Value {
    json!({ "error": "rejected: too many requests" })
}

/// Quota units used in the running minute.
#[derive(Debug, Default)]
pub(super) struct Quota {
    minute: i64,
    used: f64,
}

impl Quota {
    /// Takes `cost` units; returns what is used now, or `None` if they are not there.
    fn take(&mut self, cost: f64, total: f64, now: Timestamp) -> Option<f64> {
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            *self = Self { minute, used: 0.0 };
        }
        if self.used + cost > total {
            return None;
        }
        self.used += cost;
        Some(self.used)
    }
}

/// What is wrong with one user: the rule's name as in the error keys, and a text.
type UserError = (String, String);

/// `POST /api/user/v1/upsert`.
pub(super) async fn upsert(State(insider): State<Arc<Insider>>, headers: HeaderMap, body: Bytes) -> Response {
    if !insider.opens(&headers, KeyKind::Ucd) {
        return insider.refuse(403, "unification_access_denied", &access_denied());
    }
    let now = insider.now();
    if !insider.limits().unification.admit("upsert", now) {
        return insider.refuse(429, "unification", &too_many());
    }
    let bad = |kind: &str, text: &str| insider.refuse(400, kind, &json!({ "error": text }));
    if !is_json(&headers) {
        return bad("unification_content_type", "content type must be application/json");
    }
    if body.len() > BODY_MAXIMUM {
        return bad("unification_body_too_large", "request body is bigger than maximum allowed size 5,000,000 bytes");
    }
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return bad("unification_not_json", "request body is not a valid json: bad request");
    };
    let Some(users) = value.get("users").and_then(Value::as_array).filter(|users| !users.is_empty()) else {
        return bad("unification_no_users", "users must be defined: bad request");
    };
    if users.len() > USERS_MAXIMUM {
        return bad("unification_too_many_users", "users cannot be more than 1000: bad request");
    }
    let skip_hook = value.get("skip_hook").and_then(Value::as_bool).unwrap_or(false);
    answer(200, &apply(&insider, users, skip_hook, now))
}

fn apply(insider: &Insider, users: &[Value], skip_hook: bool, now: Timestamp) -> Value {
    if !skip_hook {
        insider.stats.warning("upsert_without_skip_hook");
    }
    let mut successful: u64 = 0;
    let mut failed: u64 = 0;
    let mut errors: Map<String, Value> = Map::new();
    let mut changes = Vec::new();
    let mut store = insider.store();
    for (index, user) in users.iter().enumerate() {
        match read_user(insider, user) {
            Ok((identifiers, attributes)) => {
                successful += 1;
                let Some(profile) = store.resolve(&identifiers, true) else {
                    continue;
                };
                changes.extend(write(profile, &attributes));
                let addresses = [profile.identifiers.get("email").cloned(), profile.identifiers.get("phone_number").cloned()];
                if insider.config.account.optin_lifts_suppression {
                    for channel in Channel::ALL {
                        let address = profile_address(&addresses, channel);
                        if attributes.get(channel.flag()) == Some(&Value::Bool(true))
                            && let Some(address) = address
                        {
                            store.release(channel, address);
                        }
                    }
                }
                let noted = Arc::new(Value::Object(attributes));
                for (kind, value) in &identifiers {
                    if kind == "email" || kind == "phone_number" {
                        store.note(value, now, "/api/user/v1/upsert", "upsert", Some(Arc::clone(&noted)));
                    }
                }
            }
            Err(found) => {
                failed += 1;
                for (rule, text) in found {
                    insider.stats.rejected("user_invalid");
                    insider.stats.violation("rejected:user_invalid");
                    errors.insert(format!("users.{index}.{rule}"), json!([text]));
                }
            }
        }
    }
    drop(store);
    if !skip_hook {
        for change in &changes {
            insider.webhooks.send_change(&insider.config, change, now);
        }
    }
    let successful = if successful > 0 { json!({ "count": successful }) } else { json!({}) };
    let fail = if failed > 0 { json!({ "count": failed, "errors": errors }) } else { json!({}) };
    json!({ "data": { "successful": successful, "fail": fail } })
}

fn profile_address(addresses: &[Option<String>; 2], channel: Channel) -> Option<&str> {
    let [email, phone] = addresses;
    match channel {
        Channel::Email => email.as_deref(),
        Channel::Sms | Channel::Whatsapp => phone.as_deref(),
    }
}

type User = (Vec<(String, String)>, Map<String, Value>);

fn read_user(insider: &Insider, user: &Value) -> Result<User, Vec<UserError>> {
    let mut errors = Vec::new();
    let identifiers = read_identifiers(user, &mut errors);
    if identifiers.is_empty() && errors.is_empty() {
        errors.push(("identifiers.required".to_owned(), "user must have at least one identifier".to_owned()));
    }
    let attributes = user.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    let has_events = user.get("events").and_then(Value::as_array).is_some_and(|events| !events.is_empty());
    if attributes.is_empty() && !has_events {
        errors.push(("attributes.required".to_owned(), "user must have attributes or events".to_owned()));
    }
    for name in BOOLEANS {
        if attributes.get(name).is_some_and(|value| !value.is_boolean()) {
            errors.push((format!("attributes.{name}.type(boolean)"), format!("{name} must be a boolean")));
        }
    }
    if attributes.contains_key("gdpr_optin") {
        insider.stats.warning("gdpr_optin_written");
    }
    for identifier in ["email", "phone_number", "uuid"] {
        if attributes.contains_key(identifier) {
            let text = format!("{identifier} must be given under identifiers");
            errors.push((format!("attributes.{identifier}.forbidden"), text));
        }
    }
    if let (Some(known), Some(custom)) = (&insider.config.account.custom_attributes, attributes.get("custom").and_then(Value::as_object)) {
        for name in custom.keys().filter(|name| !known.contains(name)) {
            errors.push((format!("attributes.custom.{name}.defined"), format!("attribute {name} is not defined")));
        }
    }
    for (name, value) in attributes.get("custom").and_then(Value::as_object).into_iter().flatten() {
        if let Some(wanted) = insider.config.account.custom_attribute_types.get(name)
            && !fits(*wanted, value)
        {
            errors.push((format!("attributes.custom.{name}.type"), format!("{name} has another type")));
        }
    }
    // In the profile-based flow an address identifies nobody.
    if insider.config.account.email_flow == EmailFlow::ProfileBased && !identifiers.iter().any(|(kind, _)| kind != "email") {
        errors.push(("identifiers.email.unknown".to_owned(), "email is not an identifier".to_owned()));
    }
    if errors.is_empty() { Ok((identifiers, attributes)) } else { Err(errors) }
}

fn fits(wanted: AttributeType, value: &Value) -> bool {
    match wanted {
        AttributeType::Boolean => value.is_boolean(),
        AttributeType::Number => value.is_number(),
        AttributeType::Text => value.is_string(),
        AttributeType::Date => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
    }
}

/// A user's identifiers, e-mail addresses in lower case.
fn read_identifiers(user: &Value, errors: &mut Vec<UserError>) -> Vec<(String, String)> {
    let mut identifiers = Vec::new();
    if let Some(iid) = user.get("insider_id").and_then(Value::as_str) {
        identifiers.push(("insider_id".to_owned(), iid.to_owned()));
    }
    let empty = Map::new();
    let given = user.get("identifiers").and_then(Value::as_object).unwrap_or(&empty);
    for (kind, value) in given {
        match (kind.as_str(), value.as_str()) {
            ("custom", _) => {
                let custom = value.as_object().unwrap_or(&empty);
                let texts =
                    custom.iter().filter_map(|(name, value)| value.as_str().map(|value| (format!("custom.{name}"), value.to_owned())));
                identifiers.extend(texts);
            }
            ("email", Some(text)) if is_email(text) => identifiers.push((kind.clone(), text.to_lowercase())),
            ("email", _) => {
                errors.push((r"identifiers.*.regexp(^.+@.+\..+$)".to_owned(), format!("user has an invalid email: {}", shown(value))))
            }
            ("phone_number", Some(text)) if is_phone(text) => identifiers.push((kind.clone(), text.to_owned())),
            ("phone_number", _) => errors.push((
                r"identifiers.*.regexp(^\+[1-9]\d{6,14}$)".to_owned(),
                format!("user has an invalid phone number: {}", shown(value)),
            )),
            ("uuid", Some(text)) if !text.is_empty() => identifiers.push((kind.clone(), text.to_owned())),
            ("uuid", _) => {
                errors.push(("identifiers.uuid.type(string)".to_owned(), "uuid must be a string".to_owned()));
            }
            (other, _) => {
                errors.push((format!("identifiers.{other}.unknown"), format!("{other} is not an identifier")));
            }
        }
    }
    identifiers
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Writes attributes; returns the opt-in flags that changed.
fn write(profile: &mut Profile, attributes: &Map<String, Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, value) in attributes {
        if let ("custom", Some(custom)) = (name.as_str(), value.as_object()) {
            profile.custom.extend(custom.clone());
            continue;
        }
        let before = profile.attributes.insert(name.clone(), value.clone());
        if BOOLEANS.contains(&name.as_str()) && before.as_ref() != Some(value) {
            changes.push(Change {
                iid: profile.iid.clone(),
                email: profile.identifiers.get("email").cloned(),
                phone_number: profile.identifiers.get("phone_number").cloned(),
                attribute: name.clone(),
                before: before.unwrap_or(Value::Null),
                after: value.clone(),
            });
        }
    }
    changes
}

/// `POST /api/user/v1/profile`.
pub(super) async fn profile(State(insider): State<Arc<Insider>>, headers: HeaderMap, body: Bytes) -> Response {
    if !insider.opens(&headers, KeyKind::Ucd) {
        return insider.refuse(403, "unification_access_denied", &access_denied());
    }
    let now = insider.now();
    let bad = |kind: &str, text: &str| insider.refuse(400, kind, &json!({ "error": text }));
    if !is_json(&headers) {
        return bad("unification_content_type", "content type must be application/json");
    }
    let (cost, total) = (insider.config.profile_cost, insider.config.quota_per_minute);
    let used = {
        let mut limits = insider.limits();
        if limits.unification.admit("profile", now) { limits.quota.take(cost, total, now) } else { None }
    };
    let Some(used) = used else {
        return insider.refuse(429, "profile_quota", &too_many());
    };
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return bad("unification_not_json", "request body is not a valid json: bad request");
    };
    let mut errors = Vec::new();
    let identifiers = read_identifiers(&value, &mut errors);
    if identifiers.is_empty() || !errors.is_empty() {
        return bad("unification_no_identifier", "identifiers must be defined: bad request");
    }
    let store = insider.store();
    let Some(profile) = identifiers.iter().find_map(|(kind, value)| store.find(kind, value)) else {
        return answer(404, &json!({ "error": "no such user for these identifiers: no data" }));
    };
    let wanted = value.get("attributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut shown = Map::new();
    for name in wanted.iter().filter_map(Value::as_str) {
        match attribute(profile, name) {
            Some(found) => {
                shown.insert(name.to_owned(), found);
            }
            None => tracing::trace!(attribute = name, "a profile has no such attribute"),
        }
    }
    shown.insert("iid".to_owned(), json!(profile.iid));
    let mut reply = json!({ "attributes": shown, "events": {} });
    if value.get("quota").and_then(Value::as_bool) == Some(true)
        && let Some(reply) = reply.as_object_mut()
    {
        reply.insert("quota".to_owned(), json!({ "cost": cost, "used": used, "total": total }));
    }
    answer(200, &reply)
}

pub(super) fn attribute(profile: &Profile, name: &str) -> Option<Value> {
    if let Some(value) = profile.identifiers.get(name) {
        return Some(json!(value));
    }
    if name == "custom" {
        return Some(Value::Object(profile.custom.clone()));
    }
    match name.strip_prefix("c_") {
        Some(custom) => profile.custom.get(custom).cloned(),
        None => profile.attributes.get(name).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_units_come_back_with_the_minute() {
        let mut quota = Quota::default();
        let at = |second: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
        assert_eq!(quota.take(0.5, 1.0, at(120)), Some(0.5));
        assert_eq!(quota.take(0.5, 1.0, at(179)), Some(1.0));
        assert_eq!(quota.take(0.5, 1.0, at(179)), None);
        assert_eq!(quota.take(0.5, 1.0, at(180)), Some(0.5));
    }
}
