//! The contact host: unsubscribe and resubscribe for e-mail, SMS and WhatsApp, v1 and v2.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value, json};

use super::config::{EmailFlow, LimitBody};
use super::store::{Channel, Store};
use super::webhooks::Event;
use super::{Insider, KeyKind, is_email, is_json, is_phone};
use crate::server::json as answer;

/// Addresses in one v2 request.
const BATCH_MAXIMUM: usize = 500;
/// Length of a group name: more than 2, fewer than 30 characters.
const GROUP_NAME: std::ops::Range<usize> = 3..30;

/// One path of the contact host.
#[derive(Clone, Copy)]
struct Action {
    path: &'static str,
    channel: Channel,
    unsubscribe: bool,
    bulk: bool,
}

const fn action(path: &'static str, channel: Channel, unsubscribe: bool, bulk: bool) -> Action {
    Action { path, channel, unsubscribe, bulk }
}

const ACTIONS: [Action; 12] = [
    action("/email/v1/unsubscribe", Channel::Email, true, false),
    action("/email/v1/subscribe", Channel::Email, false, false),
    action("/email/v2/unsubscribe", Channel::Email, true, true),
    action("/email/v2/subscribe", Channel::Email, false, true),
    action("/sms/v1/unsubscribe", Channel::Sms, true, false),
    action("/sms/v1/subscribe", Channel::Sms, false, false),
    action("/sms/v2/unsubscribe", Channel::Sms, true, true),
    action("/sms/v2/subscribe", Channel::Sms, false, true),
    action("/whatsapp/v1/unsubscribe", Channel::Whatsapp, true, false),
    action("/whatsapp/v1/subscribe", Channel::Whatsapp, false, false),
    action("/whatsapp/v2/unsubscribe", Channel::Whatsapp, true, true),
    action("/whatsapp/v2/subscribe", Channel::Whatsapp, false, true),
];

pub(super) fn routes() -> Router<Arc<Insider>> {
    ACTIONS.into_iter().fold(Router::new(), |router, action| {
        router.route(
            action.path,
            post(async move |State(insider): State<Arc<Insider>>, headers: HeaderMap, body: Bytes| {
                handle(&insider, action, &headers, &body)
            }),
        )
    })
}

/// The contact host's 429.
pub(super) fn too_many() -> Value {
    json!({ "message": "Too Many Requests", "status": 429 })
}

fn handle(insider: &Arc<Insider>, action: Action, headers: &HeaderMap, body: &[u8]) -> Response {
    let kind = if action.unsubscribe { KeyKind::Unsubscribe } else { KeyKind::Resubscribe };
    if !insider.opens(headers, kind) {
        return insider.refuse(401, "contact_unauthorized", &json!({ "statusMessage": "Unauthorized" }));
    }
    let now = insider.now();
    if !insider.limits().contact.admit(kind, now) {
        let body = match insider.config.account.contact_limit_body {
            LimitBody::Message => too_many(),
            LimitBody::Error => super::unification::too_many(),
        };
        return insider.refuse(429, "contact", &body);
    }
    let read = if is_json(headers) { read(insider, action, body) } else { Err("contact_content_type") };
    match read {
        Ok(order) => {
            apply(insider, action, &order, now);
            answer(200, &json!({ "statusMessage": "OK" }))
        }
        Err(kind) => insider.refuse(400, kind, &json!({ "statusMessage": "Bad request" })),
    }
}

/// What a request asks for.
struct Order {
    /// Address, and the profile's uuid where the request gives one.
    people: Vec<(String, Option<String>)>,
    group: Option<Group>,
}

enum Group {
    Name(String),
    Id(u64),
}

fn read(insider: &Insider, action: Action, body: &[u8]) -> Result<Order, &'static str> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "contact_not_json")?;
    let fields = value.as_object().ok_or("contact_not_json")?;
    if !action.bulk {
        let address = fields.get(action.channel.identifier()).and_then(Value::as_str).ok_or("contact_missing_address")?;
        let people = clean(insider, action.channel, vec![(address.to_owned(), None)]);
        // v1 carries one address: a bad one leaves nothing to do.
        return if people.is_empty() { Err("contact_invalid_address") } else { Ok(Order { people, group: None }) };
    }
    let email = action.channel == Channel::Email;
    if email && insider.config.account.require_uploader_email && !fields.contains_key("uploader_email") {
        return Err("contact_missing_uploader_email");
    }
    let people = match (email, insider.config.account.email_flow) {
        (true, EmailFlow::ProfileBased) => profile_based(insider, fields)?,
        (true, _) => list(fields, "emails")?.into_iter().map(|address| (address, None)).collect(),
        (false, _) => list(fields, "phone_numbers")?.into_iter().map(|address| (address, None)).collect(),
    };
    if people.is_empty() {
        return Err("contact_empty_list");
    }
    if people.len() > BATCH_MAXIMUM {
        return Err("contact_batch_too_large");
    }
    let group = if email { group(insider, action, fields)? } else { None };
    Ok(Order { people: clean(insider, action.channel, people), group })
}

fn list(fields: &Map<String, Value>, name: &str) -> Result<Vec<String>, &'static str> {
    let list = fields.get(name).and_then(Value::as_array).ok_or("contact_missing_list")?;
    list.iter().map(|entry| entry.as_str().map(str::to_owned).ok_or("contact_not_text")).collect()
}

/// The profile-based bodies: `users` with objects or two parallel arrays, as in the vendor's samples, or
/// `uuids` alone, as in its table. A uuid alone stands for the address of its profile; without one it
/// stands for nobody.
fn profile_based(insider: &Insider, fields: &Map<String, Value>) -> Result<Vec<(String, Option<String>)>, &'static str> {
    if let Some(users) = fields.get("users").and_then(Value::as_array) {
        let text = |user: &Value, name: &str| user.get(name).and_then(Value::as_str).map(str::to_owned);
        let read = |user: &Value| Some((text(user, "email")?, Some(text(user, "uuid")?)));
        return users.iter().map(|user| read(user).ok_or("contact_missing_uuid")).collect();
    }
    if !fields.contains_key("uuids") {
        return Err("contact_missing_uuid");
    }
    let uuids = list(fields, "uuids")?;
    if !fields.contains_key("emails") {
        let store = insider.store();
        let address = |uuid: &String| store.find("uuid", uuid)?.identifiers.get("email").cloned();
        return Ok(uuids.into_iter().map(|uuid| (address(&uuid).unwrap_or_default(), Some(uuid))).collect());
    }
    let emails = list(fields, "emails")?;
    if emails.len() != uuids.len() {
        return Err("contact_missing_uuid");
    }
    Ok(emails.into_iter().zip(uuids.into_iter().map(Some)).collect())
}

/// A group to leave (by name, made if unknown) or to return to (by number); none means global.
fn group(insider: &Insider, action: Action, fields: &Map<String, Value>) -> Result<Option<Group>, &'static str> {
    let (field, wanted) = if action.unsubscribe { ("group_name", "name") } else { ("group_id", "number") };
    match fields.get(field) {
        None => Ok(None),
        Some(Value::Null) => {
            insider.stats.violation("empty_group");
            Ok(None)
        }
        Some(Value::String(name)) if name.is_empty() => {
            insider.stats.violation("empty_group");
            Ok(None)
        }
        Some(Value::String(name)) if wanted == "name" && GROUP_NAME.contains(&name.chars().count()) => Ok(Some(Group::Name(name.clone()))),
        Some(Value::Number(number)) if wanted == "number" => number.as_u64().map(|id| Some(Group::Id(id))).ok_or("contact_invalid_group"),
        Some(_) => Err("contact_invalid_group"),
    }
}

/// Leaves out what is no address, and repetitions: v2 answers nothing about single addresses.
fn clean(insider: &Insider, channel: Channel, people: Vec<(String, Option<String>)>) -> Vec<(String, Option<String>)> {
    let mut seen = HashSet::with_capacity(people.len());
    let mut kept = Vec::with_capacity(people.len());
    for (address, uuid) in people {
        let valid = match channel {
            Channel::Email => is_email(&address),
            Channel::Sms | Channel::Whatsapp => is_phone(&address),
        };
        if !valid {
            insider.stats.violation("invalid_address");
            continue;
        }
        let address = match channel {
            Channel::Email => address.to_lowercase(),
            Channel::Sms | Channel::Whatsapp => address,
        };
        if seen.insert(address.clone()) {
            kept.push((address, uuid));
        } else {
            insider.stats.violation("duplicate_in_list");
        }
    }
    kept
}

fn apply(insider: &Arc<Insider>, action: Action, order: &Order, now: jiff::Timestamp) {
    let account = &insider.config.account;
    let create = match action.channel {
        Channel::Email => account.email_flow != EmailFlow::EmailBased,
        Channel::Sms | Channel::Whatsapp => account.phone_is_identifier,
    };
    let mut events = Vec::new();
    let mut store = insider.store();
    let group = order.group.as_ref().map(|group| match group {
        Group::Name(name) => store.group(name),
        Group::Id(id) => *id,
    });
    for (address, uuid) in &order.people {
        let mut identifiers = vec![(action.channel.identifier().to_owned(), address.clone())];
        identifiers.extend(uuid.clone().map(|uuid| ("uuid".to_owned(), uuid)));
        let known = store.resolve(&identifiers, create).map(|profile| profile.iid.clone());
        let effect = match (group, action.unsubscribe) {
            (Some(group), true) => {
                store.leave_group(group, address);
                "unsubscribe_group"
            }
            (Some(group), false) => {
                store.rejoin_group(group, address);
                "resubscribe_group"
            }
            // In the email-based flow an unknown address changes nothing at all.
            (None, _) if known.is_none() => "ignored",
            (None, true) => {
                store.suppress(action.channel, address);
                flag(&mut store, &identifiers, action.channel, account.unsubscribe_clears_flag.then_some(false));
                "unsubscribe"
            }
            (None, false) => {
                store.release(action.channel, address);
                flag(&mut store, &identifiers, action.channel, account.resubscribe_sets_flag.then_some(true));
                "resubscribe"
            }
        };
        store.note(address, now, action.path, effect, None);
        if account.api_emits_events && effect == "unsubscribe" {
            events.push(Event::of(&store, action.channel, address, None, now));
        }
    }
    drop(store);
    for event in events {
        insider.webhooks.send(&insider.config, &event, None);
    }
}

/// Sets the opt-in flag of the profile with these identifiers, where there is one and a value.
pub(super) fn flag(store: &mut Store, identifiers: &[(String, String)], channel: Channel, value: Option<bool>) {
    if let Some(value) = value
        && let Some(profile) = store.resolve(identifiers, false)
    {
        profile.attributes.insert(channel.flag().to_owned(), json!(value));
    }
}
