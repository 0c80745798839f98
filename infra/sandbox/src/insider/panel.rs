//! A test call from the panel: one event, in the family, form and proof that are asked for, sent once, with
//! the receiver's answer. Bodies follow Insider's pages; where those show no literal name of an event, the
//! likeliest is written and `name` replaces it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Insider;
use super::config::{Family, TimestampUnit, Webhook};
use super::store::Channel;
use super::webhooks::{self, Event};
use crate::control::unreadable;
use crate::server::json as answer;

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// Somebody unsubscribed; with a group, from the group.
    #[default]
    Unsubscribe,
    /// Somebody came back.
    Resubscribe,
    /// Somebody marked the message as spam.
    Spam,
    /// The message could not be delivered.
    Bounce,
    /// The message was delivered.
    Delivered,
}

/// How the body is wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    /// One object.
    #[default]
    Object,
    /// An array of that object.
    Array,
}

/// The unit in which the time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Rfc3339,
    /// No time at all.
    None,
}

/// The test call.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// Where to, and with what proof; the channel's own receiver if absent.
    webhook: Option<Webhook>,
    /// In place of the receiver's family.
    family: Option<Family>,
    #[serde(default)]
    event: What,
    /// The event's name as it is written, in place of the family's own.
    name: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
    /// `email` or `sms` by address if absent.
    channel: Option<Channel>,
    group_name: Option<String>,
    #[serde(default)]
    shape: Shape,
    /// The unit of the time; the account's, or RFC 3339 in streams, if absent.
    unit: Option<Unit>,
    /// The time; now if absent.
    at: Option<Timestamp>,
    /// The message's id; a new one if absent.
    message_id: Option<String>,
    /// What the sender of a transactional SMS gave with it.
    #[serde(default)]
    unique_args: Map<String, Value>,
    /// The attribute that changed; the channel's opt-in flag if absent.
    attribute: Option<String>,
    old_value: Option<Value>,
    new_value: Option<Value>,
    /// A body to send as it is, in place of the family's.
    body: Option<Value>,
}

/// `POST /_sandbox/emit`.
pub(super) async fn emit(State(insider): State<Arc<Insider>>, body: Bytes) -> Response {
    let call: Call = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(error) => return unreadable(&error),
    };
    let (channel, address) = match (&call.email, &call.phone_number, &call.body) {
        (Some(email), None, _) => (Channel::Email, email.to_lowercase()),
        (None, Some(number), _) => (call.channel.unwrap_or(Channel::Sms), number.clone()),
        (None, None, Some(_)) => (call.channel.unwrap_or(Channel::Email), String::new()),
        _ => return unreadable(&"give either email or phone_number, or a body"),
    };
    let Some(receiver) = call.webhook.clone().or_else(|| webhooks::receiver(&insider.config, channel).cloned()) else {
        return unreadable(&"no receiver is set for the channel");
    };
    let one = match &call.body {
        Some(body) => body.clone(),
        None => made(&insider, &call, channel, &address, &receiver),
    };
    let sent = match call.shape {
        Shape::Object => one,
        Shape::Array => Value::Array(vec![one]),
    };
    match insider.webhooks.once(&receiver, &sent).await {
        Ok((status, body)) => answer(200, &json!({ "status": status, "answer": body, "sent": sent })),
        Err(error) => answer(200, &json!({ "status": 0, "answer": error, "sent": sent })),
    }
}

/// The body of an event that happens to somebody now.
fn made(insider: &Insider, call: &Call, channel: Channel, address: &str, receiver: &Webhook) -> Value {
    let event = {
        let mut store = insider.store();
        store.resolve(&[(channel.identifier().to_owned(), address.to_owned())], true);
        let group = call.group_name.clone().map(|name| (store.group(&name), name));
        let mut event = Event::of(&store, channel, address, group, call.at.unwrap_or_else(|| insider.now()));
        if let Some(id) = &call.message_id {
            event.message_id.clone_from(id);
        }
        event
    };
    let family = call.family.or(receiver.family).unwrap_or_else(|| webhooks::usual_family(channel));
    element(call, &event, family, receiver.body.as_ref(), insider.config.account.legacy_timestamp)
}

fn element(call: &Call, event: &Event, family: Family, template: Option<&Value>, account_unit: TimestampUnit) -> Value {
    let usual = match family {
        Family::EventStream | Family::AttributeStream => Unit::Rfc3339,
        _ => match account_unit {
            TimestampUnit::Seconds => Unit::Seconds,
            TimestampUnit::Milliseconds => Unit::Milliseconds,
            TimestampUnit::Microseconds => Unit::Microseconds,
        },
    };
    let time = time(event.at, call.unit.unwrap_or(usual));
    let name = call.name.clone().unwrap_or_else(|| name(call.event, family, event.channel).to_owned());
    let mut body = match family {
        Family::LegacyEmail | Family::TransactionalEmail => {
            let mut body = webhooks::legacy(event, account_unit);
            body["event"] = json!(name);
            if call.event == What::Bounce {
                // The sample of the page "Secret Key".
                body["event_type"] = json!("blocked");
                body["reason"] = json!("unable to get mx info");
            }
            if family == Family::TransactionalEmail {
                for field in ["campaign_name", "journey_name", "personalization_name", "variation_id", "ins_unsub_id", "unsub_group_name"] {
                    remove(&mut body, field);
                }
            }
            body["timestamp"] = time.clone();
            body
        }
        Family::TransactionalSms => {
            let mut body = json!({ "id": event.message_id, "uniqueArgs": call.unique_args, "event": name });
            if call.event == What::Bounce {
                body["reason"] = json!({ "message": "Soft Bounce", "code": 1404 });
            }
            return body;
        }
        Family::WhatsappStatus => {
            let number = event.phone_number.clone().unwrap_or_default();
            json!({
                "messaging_product": "whatsapp", "status": name, "key": format!("whatsapp-{}", event.message_id),
                "contacts": [{ "input": number, "wa_id": number.trim_start_matches('+') }],
                "messages": [{ "id": format!("wamid.{}", event.message_id) }],
            })
        }
        Family::EventStream => {
            let mut body = webhooks::event_stream(event);
            body["event_name"] = json!(name);
            body["event_parameters"]["timestamp"] = time.clone();
            if let Some((id, name)) = &event.group {
                body["event_parameters"]["ins_unsub_id"] = json!(id);
                body["event_parameters"]["unsub_group_name"] = json!(name);
            }
            body
        }
        Family::AttributeStream => {
            let after = call.event == What::Resubscribe;
            let change = webhooks::Change {
                iid: event.iid.clone(),
                email: event.email.clone(),
                phone_number: event.phone_number.clone(),
                attribute: call.attribute.clone().unwrap_or_else(|| event.channel.flag().to_owned()),
                before: call.old_value.clone().unwrap_or(json!(!after)),
                after: call.new_value.clone().unwrap_or(json!(after)),
            };
            let mut body = webhooks::attribute_stream(&change, event.at);
            body["timestamp"] = time.clone();
            body
        }
        Family::Architect => webhooks::architect(event, template),
    };
    if time.is_null() {
        remove(&mut body, "timestamp");
        if let Some(parameters) = body.get_mut("event_parameters") {
            remove(parameters, "timestamp");
        }
    }
    body
}

fn remove(body: &mut Value, field: &str) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove(field);
    }
}

fn time(at: Timestamp, unit: Unit) -> Value {
    match unit {
        Unit::Seconds => json!(at.as_second()),
        Unit::Milliseconds => json!(at.as_millisecond()),
        Unit::Microseconds => json!(at.as_microsecond()),
        Unit::Rfc3339 => json!(at.to_string()),
        Unit::None => Value::Null,
    }
}

/// The name of an event in a family.
fn name(what: What, family: Family, channel: Channel) -> &'static str {
    match (family, what, channel) {
        (Family::LegacyEmail | Family::TransactionalEmail, What::Unsubscribe, _) => "unsubscribe",
        (Family::LegacyEmail | Family::TransactionalEmail, What::Resubscribe, _) => "resubscribe",
        (Family::LegacyEmail | Family::TransactionalEmail, What::Spam, _) => "spamreport",
        (Family::LegacyEmail | Family::TransactionalEmail, What::Bounce, _) => "bounce",
        (Family::TransactionalSms, What::Unsubscribe, _) => "unsubscribed",
        (Family::TransactionalSms, What::Bounce, _) => "undelivered",
        (Family::WhatsappStatus, What::Bounce, _) => "failed",
        (Family::TransactionalSms | Family::WhatsappStatus | Family::LegacyEmail | Family::TransactionalEmail, _, _) => "delivered",
        (_, What::Unsubscribe, Channel::Email) => "email_unsubscribe",
        (_, What::Unsubscribe, Channel::Sms) => "sms_unsubscribe",
        (_, What::Unsubscribe, Channel::Whatsapp) => "whatsapp_opt_out",
        (_, What::Resubscribe, Channel::Email) => "email_resubscribe",
        (_, What::Resubscribe, _) => "sms_resubscribe",
        (_, What::Spam, _) => "email_spam",
        (_, What::Bounce, Channel::Email) => "email_bounced",
        (_, What::Bounce | What::Delivered, Channel::Sms | Channel::Whatsapp) => "sms_delivered",
        (_, What::Delivered, Channel::Email) => "email_delivered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(value: Value) -> Call {
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"))
    }

    fn event(channel: Channel, address: &str) -> Event {
        let mut store = super::super::store::Store::default();
        store.resolve(&[(channel.identifier().to_owned(), address.to_owned())], true);
        Event::of(&store, channel, address, None, Timestamp::UNIX_EPOCH)
    }

    fn body(what: Value, family: Family, channel: Channel, address: &str) -> Value {
        element(&call(what), &event(channel, address), family, None, TimestampUnit::Seconds)
    }

    #[test]
    fn a_callback_of_an_sms_has_what_its_sender_gave_and_no_number() {
        let what = json!({ "phone_number": "+905992000001", "unique_args": { "ref": "r" }, "message_id": "m" });
        let body = body(what, Family::TransactionalSms, Channel::Sms, "+905992000001");
        assert_eq!((&body["event"], &body["uniqueArgs"]), (&json!("unsubscribed"), &json!({ "ref": "r" })));
        assert!(!body.to_string().contains("905992000001"));
    }

    #[test]
    fn the_time_has_the_unit_that_is_asked_for_or_is_left_out() {
        let of =
            |unit: &str, family: Family| body(json!({ "email": "a@example.com", "unit": unit }), family, Channel::Email, "a@example.com");
        assert_eq!(of("rfc3339", Family::LegacyEmail)["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(of("milliseconds", Family::EventStream)["event_parameters"]["timestamp"], 0);
        for family in [Family::LegacyEmail, Family::EventStream, Family::AttributeStream] {
            assert!(!of("none", family).to_string().contains("timestamp"), "{family:?}");
        }
    }

    #[test]
    fn coming_back_sets_the_flag_and_a_named_event_is_written_so() {
        let back = json!({ "email": "a@example.com", "event": "resubscribe" });
        let change = body(back, Family::AttributeStream, Channel::Email, "a@example.com");
        assert_eq!(
            (&change["old_value"], &change["new_value"], &change["attribute_name"]),
            (&json!(false), &json!(true), &json!("email_optin"))
        );
        let named = json!({ "email": "a@example.com", "name": "Email Opt Out" });
        assert_eq!(body(named, Family::EventStream, Channel::Email, "a@example.com")["event_name"], "Email Opt Out");
    }
}
