//! Events that go out: the payload families of a person's unsubscribe and their delivery. Every event is delivered at
//! least once or given up after the last attempt; events overtake each other, as Insider promises no order.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::config::{Config, Family, TimestampUnit, Webhook};
use super::proof;
use super::store::{Channel, Store};
use crate::outbound;
use crate::stats::Stats;

/// Requests under way at once.
const CONCURRENCY: usize = 32;
/// Insider's numbers of the two streams; any fixed numbers will do.
const EVENT_HOOK: u64 = 12;
const ATTRIBUTE_HOOK: u64 = 13;

/// A person's unsubscribe in a message.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) channel: Channel,
    pub(crate) email: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) iid: String,
    pub(crate) flags: Map<String, Value>,
    /// Number and name of the unsubscribe group; absent: global.
    pub(crate) group: Option<(u64, String)>,
    pub(crate) at: Timestamp,
    pub(crate) message_id: String,
}

impl Event {
    /// The event of an address, with what its profile knows.
    pub(crate) fn of(store: &Store, channel: Channel, address: &str, group: Option<(u64, String)>, at: Timestamp) -> Self {
        let profile = store.find(channel.identifier(), address);
        let other = |kind: &str| profile.and_then(|profile| profile.identifiers.get(kind).cloned());
        let (email, phone_number) = match channel {
            Channel::Email => (Some(address.to_owned()), other("phone_number")),
            Channel::Sms | Channel::Whatsapp => (other("email"), Some(address.to_owned())),
        };
        let flags = Channel::ALL
            .into_iter()
            .filter_map(|one| {
                let value = profile?.attributes.get(one.flag())?;
                Some((one.flag().to_owned(), value.clone()))
            })
            .collect();
        Self {
            channel,
            email,
            phone_number,
            iid: profile.map(|profile| profile.iid.clone()).unwrap_or_default(),
            flags,
            group,
            at,
            message_id: uuid::Uuid::new_v4().to_string(),
        }
    }

    fn name(&self) -> &'static str {
        match self.channel {
            Channel::Email => "email_unsubscribe",
            Channel::Sms => "sms_unsubscribe",
            Channel::Whatsapp => "whatsapp_opt_out",
        }
    }

    fn attributes(&self) -> Map<String, Value> {
        let mut attributes = self.flags.clone();
        if let Some(email) = &self.email {
            attributes.insert("email".to_owned(), json!(email));
        }
        if let Some(phone_number) = &self.phone_number {
            attributes.insert("phone_number".to_owned(), json!(phone_number));
        }
        attributes
    }
}

/// An opt-in flag that an upsert changed.
pub(crate) struct Change {
    pub(crate) iid: String,
    pub(crate) email: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) attribute: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// Delivers events in the background.
pub(crate) struct Sender {
    client: Client,
    stats: Arc<Stats>,
    retry_ms: Arc<[u64]>,
    slots: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(stats: Arc<Stats>, retry_ms: &[u64]) -> std::io::Result<Self> {
        Ok(Self { client: outbound::client()?, stats, retry_ms: retry_ms.into(), slots: Arc::new(Semaphore::new(CONCURRENCY)) })
    }

    /// Sends an unsubscribe to its channel's receiver; false if there is none.
    pub(crate) fn send(&self, config: &Config, event: &Event, family: Option<Family>) -> bool {
        let Some(receiver) = receiver(config, event.channel) else {
            return false;
        };
        let body = match family.or(receiver.family).unwrap_or_else(|| usual_family(event.channel)) {
            Family::LegacyEmail | Family::TransactionalEmail => legacy(event, config.account.legacy_timestamp),
            // Insider's pages name no unsubscribe of these that a person makes in a message.
            Family::TransactionalSms | Family::WhatsappStatus => return false,
            Family::EventStream => event_stream(event),
            Family::AttributeStream => attribute_stream(
                &Change {
                    iid: event.iid.clone(),
                    email: event.email.clone(),
                    phone_number: event.phone_number.clone(),
                    attribute: event.channel.flag().to_owned(),
                    before: json!(true),
                    after: json!(false),
                },
                event.at,
            ),
            Family::Architect => architect(event, receiver.body.as_ref()),
        };
        self.post(receiver, body);
        true
    }

    /// Sends a changed flag to the attribute receiver, if there is one.
    pub(crate) fn send_change(&self, config: &Config, change: &Change, at: Timestamp) {
        if let Some(receiver) = &config.webhooks.attributes {
            self.post(receiver, attribute_stream(change, at));
        }
    }

    /// Sends a body once; the receiver's status and answer.
    pub(super) async fn once(&self, receiver: &Webhook, body: &Value) -> Result<(u16, Value), String> {
        self.stats.deliveries(|counts| {
            counts.queued += 1;
            counts.attempts += 1;
        });
        // The address of the receiver stays out of the error: it may carry a secret.
        let outcome = proved(receiver, body, outbound::post(&self.client, &receiver.url, body)).send().await;
        let response = outcome.map_err(|error| error.without_url().to_string())?;
        let status = response.status();
        self.stats.deliveries(|counts| if status.is_success() { counts.delivered += 1 } else { counts.failed_attempts += 1 });
        let text = response.text().await.unwrap_or_default();
        Ok((status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn post(&self, receiver: &Webhook, body: Value) {
        self.stats.deliveries(|counts| counts.queued += 1);
        let (client, stats, retry_ms) = (self.client.clone(), Arc::clone(&self.stats), Arc::clone(&self.retry_ms));
        let slots = Arc::clone(&self.slots);
        let receiver = receiver.clone();
        tokio::spawn(async move {
            // The semaphore is never closed, so the permit always comes.
            let _slot = slots.acquire_owned().await;
            outbound::deliver(&stats, 1, &retry_ms, || proved(&receiver, &body, outbound::post(&client, &receiver.url, &body))).await;
        });
    }
}

/// The receiver of a channel's events.
pub(super) fn receiver(config: &Config, channel: Channel) -> Option<&Webhook> {
    match channel {
        Channel::Email => config.webhooks.email.as_ref(),
        Channel::Sms => config.webhooks.sms.as_ref(),
        Channel::Whatsapp => config.webhooks.whatsapp.as_ref(),
    }
}

/// The family of a channel's events where the receiver names none.
pub(super) fn usual_family(channel: Channel) -> Family {
    match channel {
        Channel::Email => Family::LegacyEmail,
        Channel::Sms | Channel::Whatsapp => Family::EventStream,
    }
}

/// A request with the receiver's headers and the account's proof.
fn proved(receiver: &Webhook, body: &Value, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let request = receiver.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    match &receiver.auth {
        Some(auth) => {
            let (name, value) = proof::header(auth, &body.to_string());
            request.header(name, value)
        }
        None => request,
    }
}

/// Webhook for Email Events: one flat object; keys without a value are present and empty.
pub(super) fn legacy(event: &Event, unit: TimestampUnit) -> Value {
    let timestamp = match unit {
        TimestampUnit::Seconds => event.at.as_second(),
        TimestampUnit::Milliseconds => event.at.as_millisecond(),
        TimestampUnit::Microseconds => event.at.as_microsecond(),
    };
    let (group_id, group_name) = event.group.as_ref().map_or((0, ""), |(id, name)| (*id, name.as_str()));
    json!({
        "campaign_id": 20417, "timestamp": timestamp, "event": "unsubscribe",
        "email": event.email.as_deref().unwrap_or_default(), "msg-id": event.message_id, "event_type": "",
        "link_clicked": "", "reason": "", "campaign_name": "Sandbox", "journey_name": "",
        "sender_domain": "mail.example.com", "personalization_name": "", "variation_id": 1,
        "ins_unsub_id": group_id, "unsub_group_name": group_name, "iid": event.iid,
        "ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "url_offset": null, "subject": "Sandbox",
    })
}

pub(super) fn event_stream(event: &Event) -> Value {
    json!({
        "attrs": event.attributes(),
        "event_name": event.name(),
        "event_parameters": {
            "campaign_id": 20417,
            "timestamp": event.at.to_string(),
            "message_id": event.message_id,
        },
        "hook_id": EVENT_HOOK,
        "insider_id": event.iid,
    })
}

/// Insider publishes no body of this stream: the event stream's frame with the change inside.
pub(super) fn attribute_stream(change: &Change, at: Timestamp) -> Value {
    let mut attributes = Map::new();
    attributes.insert(change.attribute.clone(), change.after.clone());
    if let Some(email) = &change.email {
        attributes.insert("email".to_owned(), json!(email));
    }
    if let Some(phone_number) = &change.phone_number {
        attributes.insert("phone_number".to_owned(), json!(phone_number));
    }
    json!({
        "attrs": attributes,
        "attribute_name": change.attribute,
        "old_value": change.before,
        "new_value": change.after,
        "timestamp": at.to_string(),
        "hook_id": ATTRIBUTE_HOOK,
        "insider_id": change.iid,
    })
}

pub(super) fn architect(event: &Event, template: Option<&Value>) -> Value {
    let usual = || {
        json!({
            "event": "{{event}}", "channel": "{{channel}}", "email": "{{email}}",
            "phone_number": "{{phone_number}}", "timestamp": "{{timestamp}}", "insider_id": "{{insider_id}}",
        })
    };
    fill(&template.cloned().unwrap_or_else(usual), event)
}

/// Replaces the placeholders in every text; keys whose text becomes empty are left out.
fn fill(template: &Value, event: &Event) -> Value {
    match template {
        Value::String(text) => {
            let at = event.at.to_string();
            let filled = [
                ("{{event}}", event.name()),
                ("{{channel}}", event.channel.name()),
                ("{{email}}", event.email.as_deref().unwrap_or_default()),
                ("{{phone_number}}", event.phone_number.as_deref().unwrap_or_default()),
                ("{{timestamp}}", at.as_str()),
                ("{{insider_id}}", event.iid.as_str()),
            ]
            .into_iter()
            .fold(text.clone(), |text, (name, value)| text.replace(name, value));
            Value::String(filled)
        }
        Value::Array(entries) => Value::Array(entries.iter().map(|entry| fill(entry, event)).collect()),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, event)))
            .filter(|(_, value)| value.as_str() != Some(""))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            channel: Channel::Sms,
            email: None,
            phone_number: Some("+905992000001".to_owned()),
            iid: "i".to_owned(),
            flags: Map::new(),
            group: None,
            at: Timestamp::UNIX_EPOCH,
            message_id: "m".to_owned(),
        }
    }

    #[test]
    fn the_event_stream_names_event_and_number() {
        let body = event_stream(&event());
        assert_eq!(body["event_name"], "sms_unsubscribe");
        assert_eq!(body["attrs"], json!({ "phone_number": "+905992000001" }));
    }

    #[test]
    fn the_legacy_timestamp_has_the_unit_that_is_set() {
        let event = Event { at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(2), ..event() };
        assert_eq!(legacy(&event, TimestampUnit::Seconds)["timestamp"], 2);
        assert_eq!(legacy(&event, TimestampUnit::Milliseconds)["timestamp"], 2000);
        assert_eq!(legacy(&event, TimestampUnit::Microseconds)["timestamp"], 2_000_000);
    }

    #[test]
    fn a_brands_own_body_is_filled_in() {
        let template = json!({ "who": "{{phone_number}}", "mail": "{{email}}", "n": 1, "list": ["{{event}}"] });
        assert_eq!(architect(&event(), Some(&template)), json!({ "who": "+905992000001", "n": 1, "list": ["sms_unsubscribe"] }));
    }
}
