//! The Insider simulator's own control paths: what stands for an address, and what people do.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Insider;
use super::config::Family;
use super::contact::flag;
use super::store::{Channel, Profile};
use super::webhooks::Event;
use crate::control::unreadable;
use crate::server::json as answer;

pub(super) fn routes() -> Router<Arc<Insider>> {
    Router::new()
        .route("/_sandbox/profiles", get(profiles))
        .route("/_sandbox/unsubscribe", post(unsubscribe))
        .route("/_sandbox/emit", post(super::panel::emit))
        .route("/_sandbox/summary", get(summary))
}

#[derive(Deserialize)]
struct Wanted {
    email: Option<String>,
    phone_number: Option<String>,
}

/// `GET /_sandbox/profiles?email=…` or `?phone_number=…`.
async fn profiles(State(insider): State<Arc<Insider>>, Query(wanted): Query<Wanted>) -> Response {
    let (kind, address) = match (wanted.email, wanted.phone_number) {
        (Some(email), _) => ("email", email.to_lowercase()),
        (None, Some(phone_number)) => ("phone_number", phone_number),
        (None, None) => return unreadable(&"email or phone_number is missing"),
    };
    let store = insider.store();
    let profile = store.find(kind, &address);
    let suppressed: Map<String, Value> = Channel::ALL
        .into_iter()
        .map(|channel| {
            let identifier = channel.identifier();
            let address = if identifier == kind { Some(&address) } else { profile.and_then(|profile| profile.identifiers.get(identifier)) };
            let listed = address.is_some_and(|address| store.is_suppressed(channel, address));
            (channel.name().to_owned(), json!(listed))
        })
        .collect();
    answer(
        200,
        &json!({
            "profile": profile.map(shown),
            "suppressed": suppressed,
            "groups_left": store.groups_left(&address),
            "calls": store.calls(&address),
        }),
    )
}

fn shown(profile: &Profile) -> Value {
    let mut fields = profile.attributes.clone();
    for (name, value) in &profile.identifiers {
        fields.insert(name.clone(), json!(value));
    }
    fields.insert("insider_id".to_owned(), json!(profile.iid));
    fields.insert("custom".to_owned(), Value::Object(profile.custom.clone()));
    Value::Object(fields)
}

/// A person unsubscribes in a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    email: Option<String>,
    phone_number: Option<String>,
    /// `email` or `sms` by address if absent.
    channel: Option<Channel>,
    family: Option<Family>,
    /// Leave one group only.
    group_name: Option<String>,
}

/// `POST /_sandbox/unsubscribe`.
async fn unsubscribe(State(insider): State<Arc<Insider>>, body: Bytes) -> Response {
    let act: Act = match serde_json::from_slice(&body) {
        Ok(act) => act,
        Err(error) => return unreadable(&error),
    };
    let (channel, address) = match (act.email, act.phone_number) {
        (Some(email), None) => (Channel::Email, email.to_lowercase()),
        (None, Some(phone_number)) => (act.channel.unwrap_or(Channel::Sms), phone_number),
        _ => return unreadable(&"give either email or phone_number"),
    };
    if (channel == Channel::Email) != (channel.identifier() == "email" && address.contains('@')) {
        return unreadable(&"the channel does not fit the address");
    }
    let now = insider.now();
    let event = {
        let mut store = insider.store();
        let identifiers = [(channel.identifier().to_owned(), address.clone())];
        store.resolve(&identifiers, true);
        let group = act.group_name.map(|name| (store.group(&name), name));
        match &group {
            Some((id, _)) => store.leave_group(*id, &address),
            None => {
                store.suppress(channel, &address);
                let clears = insider.config.account.unsubscribe_clears_flag;
                flag(&mut store, &identifiers, channel, clears.then_some(false));
            }
        }
        store.note(&address, now, "/_sandbox/unsubscribe", "person_unsubscribed", None);
        Event::of(&store, channel, &address, group, now)
    };
    let sent = insider.webhooks.send(&insider.config, &event, act.family);
    answer(200, &json!({ "webhook": if sent { "queued" } else { "none" } }))
}

/// `GET /_sandbox/summary`.
async fn summary(State(insider): State<Arc<Insider>>) -> Response {
    answer(200, &insider.store().summary())
}
