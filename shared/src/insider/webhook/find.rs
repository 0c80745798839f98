//! Where things stand in an element of a body: names, addresses, times, what changed, what identifies it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::OTHER;
use super::field::{self, Found, When};
use crate::brand::{BodyFields, Brand, TimestampUnit};
use crate::consent::{Channel, RecipientId, Status};

pub(super) type Fields = Map<String, Value>;

/// Objects within an element in which fields may stand.
const PLACES: [&str; 5] = ["attrs", "attributes", "event_parameters", "uniqueArgs", "identifiers"];
/// Objects that may hold the time and the group of an event, and the change of an attribute.
const DETAILS: [&str; 1] = ["event_parameters"];
/// Names of the event's name.
const EVENT: [&str; 2] = ["event_name", "event"];
/// Names of the e-mail address.
const EMAIL: [&str; 2] = ["email", "attr_email"];
/// Names of the phone number.
const PHONE: [&str; 4] = ["phone_number", "phone", "attr_phone_number", "attr_phone"];
/// Names of the time.
const TIME: [&str; 1] = ["timestamp"];
/// Names of the message's id.
const MESSAGE: [&str; 1] = ["msg-id"];
/// Names of the name of an attribute that changed, of its value before and after.
const ATTRIBUTE: [&str; 2] = ["attribute", "attribute_name"];
const OLD: [&str; 1] = ["old_value"];
const NEW: [&str; 2] = ["new_value", "value"];
/// The address in a body of the brand's making.
pub(super) const RECIPIENT: &str = "recipient";
/// What the sender of a transactional SMS gave with it.
const UNIQUE_ARGS: &str = "uniqueArgs";

/// What a statement is known by within its key.
pub(super) type Identity = [String; 3];

/// A change of an attribute: its name, its value before, where it is told, and after.
pub(super) type Change<'a> = (Cow<'a, str>, Option<&'a Value>, &'a Value);

/// Looks into an element with a brand's eyes.
#[derive(Clone, Copy)]
pub(super) struct Finder<'a> {
    own: &'a BodyFields,
    unit: TimestampUnit,
    reference: Option<&'a str>,
}

/// The first of the names that finds something in a place.
fn first<'f, T>(place: &'f Fields, built_in: &[&str], own: &[String], find: impl Fn(&'f Value) -> Option<T>) -> Option<T> {
    built_in.iter().copied().chain(own.iter().map(String::as_str)).find_map(|name| find(place.get(name)?))
}

impl<'a> Finder<'a> {
    pub(super) fn new(brand: &'a Brand) -> Self {
        let insider = &brand.insider;
        Self { own: &insider.body_fields, unit: insider.timestamp_unit, reference: insider.sms_reference.as_deref() }
    }

    /// The element itself and the objects in it.
    fn places<'f>(self, fields: &'f Fields, built_in: &'static [&'static str]) -> impl Iterator<Item = &'f Fields> + use<'a, 'f> {
        let inner = built_in.iter().copied().chain(self.own.places.iter().map(String::as_str));
        std::iter::once(fields).chain(inner.filter_map(|place| fields.get(place).and_then(Value::as_object)))
    }

    /// The event's name, where there is one. What stands there without being a name is an event all the
    /// same, of a name that nobody mapped.
    pub(super) fn event<'f>(self, fields: &'f Fields) -> Option<Cow<'f, str>> {
        first(fields, &EVENT, &self.own.event, |value| match field::text(Some(value)) {
            Found::Nothing => None,
            Found::Text(name) => Some(name),
            Found::Unusable => Some(Cow::Borrowed("")),
        })
    }

    /// The attribute that changed, where an element tells it.
    pub(super) fn change<'f>(self, fields: &'f Fields) -> Option<Change<'f>> {
        self.places(fields, &DETAILS).find_map(|place| {
            let name = first(place, &ATTRIBUTE, &self.own.attribute, |value| field::some_text(Some(value)))?;
            let new = first(place, &NEW, &self.own.new_value, Some)?;
            Some((name, first(place, &OLD, &self.own.old_value, Some), new))
        })
    }

    /// The objects whose fields may be attributes.
    pub(super) fn attached<'f>(self, fields: &'f Fields) -> impl Iterator<Item = &'f Fields> + use<'a, 'f> {
        let of_profile = ["attrs", "attributes"].into_iter().chain(self.own.places.iter().map(String::as_str));
        let objects = of_profile.filter_map(|place| fields.get(place).and_then(Value::as_object));
        objects.flat_map(|place| std::iter::once(place).chain(place.get("custom").and_then(Value::as_object)))
    }

    /// The address of an element for a channel. A usable one is preferred over what is none.
    pub(super) fn address<'f>(self, fields: &'f Fields, channel: Channel) -> Found<'f> {
        let is_email = channel == Channel::Eposta;
        let (built_in, own): (&[&str], _) = if is_email { (&EMAIL, &self.own.email) } else { (&PHONE, &self.own.phone) };
        let mut unusable = false;
        for place in self.places(fields, &PLACES) {
            for name in built_in.iter().copied().chain(own.iter().map(String::as_str)) {
                match field::text(place.get(name)) {
                    Found::Text(text) => return Found::Text(text),
                    Found::Unusable => unusable = true,
                    Found::Nothing => {}
                }
            }
        }
        let of_whatsapp = if is_email { None } else { whatsapp_number(fields) };
        match of_whatsapp.or_else(|| field::some_text(fields.get(RECIPIENT)).filter(|text| text.contains('@') == is_email)) {
            Some(text) => Found::Text(text),
            None if unusable => Found::Unusable,
            None => Found::Nothing,
        }
    }

    /// The recipient id in an SMS callback, if the brand sent one with the message.
    pub(super) fn reference(self, fields: &Fields) -> Option<RecipientId> {
        field::some_text(fields.get(UNIQUE_ARGS)?.get(self.reference?))?.parse().ok()
    }

    /// The time that an element tells. A usable one is preferred over what is none.
    pub(super) fn time(self, fields: &Fields) -> When {
        let stamps = || {
            let names = TIME.into_iter().chain(self.own.time.iter().map(String::as_str));
            names.flat_map(|name| self.places(fields, &DETAILS).map(move |place| field::when(place.get(name), self.unit)))
        };
        let usable = stamps().find(|when| matches!(when, When::At(_)));
        usable.or_else(|| stamps().find(|when| *when != When::Unstated)).unwrap_or(When::Unstated)
    }

    /// The identity of an event: its message and name, else all that was sent. A refusal's time belongs to
    /// it, too, because the link of one message may be used twice; a consent told again with another time
    /// must not lift a refusal that came in between.
    pub(super) fn identity(self, fields: &Fields, name: &str, status: Status) -> Identity {
        let message =
            self.places(fields, &[]).find_map(|place| first(place, &MESSAGE, &self.own.message_id, |value| field::some_text(Some(value))));
        match message {
            Some(message) => {
                let time = match status {
                    Status::Ret => first(fields, &TIME, &self.own.time, |value| Some(value.to_string())).unwrap_or_default(),
                    Status::Onay => String::new(),
                };
                ["message".to_owned(), message.into_owned(), format!("{name} {time}")]
            }
            None => self.body(fields, ""),
        }
    }

    /// The identity of a statement that has no message id: all that was sent, without addresses.
    pub(super) fn body(self, fields: &Fields, attribute: &str) -> Identity {
        let own = self.own.email.iter().chain(&self.own.phone).map(String::as_str);
        let left_out: Vec<&str> = EMAIL.into_iter().chain(PHONE).chain([RECIPIENT]).chain(own).collect();
        ["body".to_owned(), attribute.to_owned(), field::canonical(fields, &left_out)]
    }
}

/// The channels that an event may be for, the likeliest first.
pub(super) fn channels(fields: &Fields, event: &str) -> &'static [Channel] {
    let event = event.to_ascii_lowercase();
    let about = |word: &str| event.strip_prefix(word).is_some_and(|rest| rest.starts_with(['_', '-', ' ']));
    if about("email") {
        return &[Channel::Eposta];
    }
    if about("sms") || about("whatsapp") {
        return &[Channel::Mesaj];
    }
    match fields.get("type").and_then(Value::as_str).map(str::parse) {
        Some(Ok(Channel::Eposta)) => return &[Channel::Eposta],
        Some(Ok(Channel::Mesaj)) => return &[Channel::Mesaj],
        Some(Ok(Channel::Arama)) => return &[Channel::Arama],
        _ => {}
    }
    match fields.get("channel").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("email") => &[Channel::Eposta],
        Some("sms" | "whatsapp") => &[Channel::Mesaj],
        _ if fields.contains_key(UNIQUE_ARGS) || is_whatsapp(fields) => &[Channel::Mesaj, Channel::Eposta],
        _ => &[Channel::Eposta, Channel::Mesaj],
    }
}

/// Whether an element is about WhatsApp, which is no channel of İYS's.
pub(super) fn is_whatsapp(fields: &Fields) -> bool {
    ["messaging_product", "channel"].into_iter().any(|name| fields.get(name).and_then(Value::as_str) == Some("whatsapp"))
}

/// What an element of WhatsApp's own form tells, where it names no event: a status, or that somebody does
/// not want marketing messages any more.
pub(super) fn whatsapp_event(fields: &Fields) -> Option<Cow<'_, str>> {
    let preference = fields.get("user_preferences").and_then(|list| list.get(0)?.get("value")?.as_str());
    match preference {
        Some("stop") => Some(Cow::Borrowed("whatsapp_preference_stop")),
        Some("resume") => Some(Cow::Borrowed("whatsapp_preference_resume")),
        _ => field::some_text(fields.get("status")),
    }
}

fn whatsapp_number(fields: &Fields) -> Option<Cow<'_, str>> {
    ["contacts", "user_preferences"].into_iter().find_map(|list| field::some_text(fields.get(list)?.get(0)?.get("wa_id")))
}

/// Whether an element is about an unsubscribe group: Insider leaves both fields empty otherwise.
pub(super) fn names_a_group(fields: &Fields) -> bool {
    let parameters = fields.get("event_parameters").and_then(Value::as_object);
    [Some(fields), parameters].into_iter().flatten().any(|place| {
        field::some_text(place.get("ins_unsub_id")).is_some_and(|id| id != "0") || field::some_text(place.get("unsub_group_name")).is_some()
    })
}

/// A name as it may be shown: one that looks like a name and cannot be an address.
pub(super) fn shown(name: &str) -> String {
    let looks_like_a_name = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'.' | b'-'))
        // Seven digits could be a phone number.
        && name.bytes().filter(u8::is_ascii_digit).count() < 7;
    if looks_like_a_name { name.to_owned() } else { OTHER.to_owned() }
}
