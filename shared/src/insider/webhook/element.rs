//! One element of a webhook body: which family it is of, and what it says.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{self, Flag, Found, When};
use super::{Invalid, OTHER, UNRECOGNISED};
use crate::brand::{AttributeMeaning, Brand, EventMeaning};
use crate::consent::rules::{Draft, Violation};
use crate::consent::{Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, RawRecipient, RecipientError, Source, Status};

/// What one statement of an element comes to.
pub(super) enum Told {
    /// A consent or refusal; `mended` when an unusable date or source was replaced.
    Movement {
        /// The movement.
        movement: Box<Movement>,
        /// Whether something was replaced.
        mended: bool,
        /// Whether the body named the recipient type.
        typed: bool,
    },
    /// No meaning for consent.
    NoMeaning,
    /// About a group: the refusal that it would be, if leaving a group were one, where that can be read.
    Group(Option<Box<Movement>>),
    /// An event that nobody mapped, by a name that is safe to show.
    Unknown(String),
    /// A meaning, but not usable.
    Invalid(Invalid),
    /// A meaning, but for nobody.
    NoRecipient,
    /// An ONAY without a legal source.
    OnayWithoutSource,
}

/// Reads elements for a brand at a moment.
pub(super) struct Reader<'a> {
    /// The brand.
    pub(super) brand: &'a Brand,
    /// The moment of receipt.
    pub(super) now: Timestamp,
}

type Fields = Map<String, Value>;

/// Where an address may stand beside the top of an element.
const PLACES: [&str; 5] = ["attrs", "attributes", "event_parameters", "uniqueArgs", "identifiers"];
/// Names of the e-mail address.
const EMAIL: [&str; 2] = ["email", "attr_email"];
/// Names of the phone number.
const PHONE: [&str; 4] = ["phone_number", "phone", "attr_phone_number", "attr_phone"];
/// The address in a body of the brand's making.
const RECIPIENT: &str = "recipient";
/// The prefix of attributes in a flattened Event Stream.
const FLATTENED: &str = "attr_";
/// The event that leaving an unsubscribe group is, whatever its own name.
const GROUP_EVENT: &str = "group_unsubscribe";

impl Reader<'_> {
    /// Tells everything that the element says; at least one thing.
    pub(super) fn element(&self, index: usize, fields: &Fields, tell: &mut dyn FnMut(Told)) {
        if says_it_plainly(fields) {
            return tell(self.own(index, fields));
        }
        let event = event_name(fields);
        let meaning = event.as_deref().and_then(|name| self.brand.insider.meaning(name));
        match (event, meaning, changed_attribute(fields)) {
            (Some(name), Some(meaning), _) => tell(self.event(index, fields, &name, meaning)),
            (_, _, Some((name, old, new))) => tell(self.change(index, fields, &name, old, new)),
            (Some(name), None, None) => tell(Told::Unknown(shown(&name))),
            (None, _, None) if fields.contains_key(RECIPIENT) || fields.contains_key("status") => tell(self.own(index, fields)),
            (None, _, None) => self.attributes(index, fields, tell),
        }
    }

    /// An event whose name has a meaning.
    fn event(&self, index: usize, fields: &Fields, name: &str, meaning: EventMeaning) -> Told {
        match self.of_a_group(fields, name, meaning) {
            EventMeaning::Ret => self.statement(index, fields, name, Status::Ret),
            EventMeaning::Onay => self.statement(index, fields, name, Status::Onay),
            EventMeaning::None => Told::NoMeaning,
            // Returning to a group leaves nothing to keep.
            EventMeaning::GroupRet if meaning == EventMeaning::Onay => Told::Group(None),
            EventMeaning::GroupRet => match self.statement(index, fields, name, Status::Ret) {
                Told::Movement { movement, .. } => Told::Group(Some(movement)),
                _ => Told::Group(None),
            },
        }
    }

    /// An event as a consent or refusal of the channel that it is for.
    fn statement(&self, index: usize, fields: &Fields, name: &str, status: Status) -> Told {
        let addressed = channels(fields, name).iter().find_map(|channel| match address(fields, *channel) {
            Found::Nothing => None,
            found => Some((*channel, found)),
        });
        let Some((channel, found)) = addressed else {
            return Told::NoRecipient;
        };
        let draft = Draft {
            channel: Some(channel.as_str().to_owned()),
            status: Some(status.as_str().to_owned()),
            // A `source` that is none of İYS's words is something else of the vendor's.
            source: field::some_text(fields.get("source")).filter(|text| is_sendable(text)).map(Cow::into_owned),
            consent_date: self.consent_date(fields),
            ..Draft::default()
        };
        let identity = match field::some_text(fields.get("msg-id")) {
            Some(message) => {
                let timestamp = fields.get("timestamp").map(Value::to_string).unwrap_or_default();
                ["message".to_owned(), message.into_owned(), format!("{name} {timestamp}")]
            }
            None => body(fields, ""),
        };
        self.take(index, draft, found, self.brand.insider.source_for(channel), identity)
    }

    /// What an unsubscribe means once it is known whether it is of a group: what the brand says about
    /// leaving a group. Returning to a group is no consent for the channel.
    fn of_a_group(&self, fields: &Fields, name: &str, meaning: EventMeaning) -> EventMeaning {
        let name = name.to_ascii_lowercase();
        match meaning {
            EventMeaning::Ret if name.contains("unsub") && !name.contains("global") && names_a_group(fields) => {
                match self.brand.insider.meaning(GROUP_EVENT) {
                    Some(EventMeaning::Onay) | None => EventMeaning::GroupRet,
                    Some(meaning) => meaning,
                }
            }
            EventMeaning::Onay if names_a_group(fields) => EventMeaning::GroupRet,
            meaning => meaning,
        }
    }

    /// An attribute of which the old and new value are told.
    fn change(&self, index: usize, fields: &Fields, name: &str, old: Flag, new: Flag) -> Told {
        match self.brand.insider.attribute(name) {
            Some(meaning) if old != new || old == Flag::Unusable => self.attribute(index, fields, name, meaning, new),
            _ => Told::NoMeaning,
        }
    }

    /// Every attribute with a meaning that an element without an event carries.
    fn attributes(&self, index: usize, fields: &Fields, tell: &mut dyn FnMut(Told)) {
        let attached = ["attrs", "attributes"].into_iter().find_map(|key| fields.get(key).and_then(Value::as_object));
        let nested = attached.into_iter().flatten().map(|(name, value)| (name.as_str(), value));
        let flattened = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(FLATTENED)?, value)));
        let plain = fields.iter().map(|(name, value)| (name.as_str(), value));
        let mut told: Vec<&str> = Vec::new();
        for (name, value) in nested.chain(flattened).chain(plain) {
            if let Some(meaning) = self.brand.insider.attribute(name)
                && !told.contains(&name)
            {
                told.push(name);
                tell(self.attribute(index, fields, name, meaning, field::flag(Some(value))));
            }
        }
        if told.is_empty() {
            tell(if attached.is_some() { Told::NoMeaning } else { Told::Unknown(UNRECOGNISED.to_owned()) });
        }
    }

    /// One attribute with a meaning and its value.
    fn attribute(&self, index: usize, fields: &Fields, name: &str, meaning: &AttributeMeaning, value: Flag) -> Told {
        let (status, source) = match (value, &meaning.onay_source) {
            (Flag::Is(false), _) => (Status::Ret, self.brand.insider.source_for(meaning.channel)),
            (Flag::Is(true), Some(source)) => (Status::Onay, source),
            (Flag::Is(true), None) => return Told::OnayWithoutSource,
            // A flag that was deleted neither consents nor refuses.
            (Flag::Absent, _) => return Told::NoMeaning,
            (Flag::Unusable, _) => {
                return Told::Invalid(Invalid {
                    index,
                    field: shown(name).into(),
                    code: Invalid::VALUE,
                    message: "the attribute must be true or false".into(),
                });
            }
        };
        let found = address(fields, meaning.channel);
        if matches!(found, Found::Nothing) {
            return Told::NoRecipient;
        }
        let draft = Draft {
            channel: Some(meaning.channel.as_str().to_owned()),
            status: Some(status.as_str().to_owned()),
            consent_date: self.consent_date(fields),
            ..Draft::default()
        };
        self.take(index, draft, found, source, body(fields, name))
    }

    /// A body of the brand's making in the words of the consent API.
    fn own(&self, index: usize, fields: &Fields) -> Told {
        let text = |name: &str| field::some_text(fields.get(name)).map(Cow::into_owned);
        let draft = Draft {
            recipient_type: text("recipientType"),
            channel: text("type"),
            status: text("status"),
            source: text("source"),
            consent_date: text("consentDate"),
            external_id: text("externalId"),
            retailer_code: fields.get("retailerCode").and_then(|value| Option::deserialize(value).ok().flatten()),
            retailer_access: fields
                .get("retailerAccess")
                .filter(|value| !value.is_null())
                .map(|value| Vec::deserialize(value).unwrap_or_default()),
            ..Draft::default()
        };
        let default_source = match draft.channel.as_deref().map(str::parse::<Channel>) {
            Some(Ok(channel)) => self.brand.insider.source_for(channel),
            _ => &self.brand.api.default_source,
        };
        self.take(index, draft, field::text(fields.get(RECIPIENT)), default_source, body(fields, ""))
    }

    /// The date of an element in İYS's form; `None` means the moment of receipt.
    fn consent_date(&self, fields: &Fields) -> Option<String> {
        let parameters = fields.get("event_parameters").and_then(|parameters| parameters.get("timestamp"));
        let stamps = [fields.get("timestamp"), parameters];
        let usable = stamps.into_iter().map(field::when).find(|when| matches!(when, When::At(_)));
        match usable.or_else(|| stamps.into_iter().map(field::when).find(|when| *when != When::Unstated)) {
            // A clock ahead of ours: it has only just happened.
            Some(When::At(moment)) if moment > self.now => None,
            Some(When::At(moment)) => Some(ConsentDate::at(moment).to_string()),
            // Not a date, for the rules to say so.
            Some(When::Unusable) => Some("-".to_owned()),
            Some(When::Unstated) | None => field::some_text(fields.get("consentDate")).map(Cow::into_owned),
        }
    }

    /// What tells an undated refusal from one of another time with the same words.
    fn hour(&self) -> String {
        self.now.as_second().div_euclid(3600).to_string()
    }

    /// Checks İYS's stateless rules, mending what must not cost a refusal, and makes the movement.
    fn take(&self, index: usize, mut draft: Draft, found: Found<'_>, default_source: &Source, identity: Identity) -> Told {
        draft.recipient = match found {
            Found::Text(text) => Some(RawRecipient::new(text.into_owned())),
            Found::Nothing => None,
            Found::Unusable => {
                let error = match draft.channel.as_deref() {
                    Some("EPOSTA") => RecipientError::EmailForm,
                    _ => RecipientError::PhoneForm,
                };
                return Told::Invalid(Invalid { index, field: RECIPIENT.into(), code: error.code(), message: error.to_string() });
            }
        };
        let typed = draft.recipient_type.as_deref().is_some_and(|word| !word.is_empty());
        let mut mended = false;
        let checked = loop {
            match draft.clone().check(default_source, self.now) {
                Ok(checked) => break checked,
                Err(violation) if mend(&mut draft, &violation) => mended = true,
                Err(Violation { field, code, message }) => {
                    return Told::Invalid(Invalid { index, field: field.into(), code, message });
                }
            }
        };
        let hour = if checked.dated || checked.status == Status::Onay { String::new() } else { self.hour() };
        let event_id = EventId::derive("insider", identity.iter().chain([&hour]).map(String::as_str));
        let recipient_id = checked.recipient.id(&self.brand.recipient_id_key, &self.brand.name);
        let movement = Movement {
            key: ConsentKey {
                brand: self.brand.name.clone(),
                recipient_id,
                channel: checked.channel,
                recipient_type: checked.recipient_type,
            },
            recipient: checked.recipient,
            head: Head {
                status: checked.status,
                source: checked.source,
                consent_date: checked.consent_date,
                origin: Origin::Insider,
                event_id,
                received_at: self.now,
                retailers: checked.retailers,
            },
        };
        Told::Movement { movement: Box::new(movement), mended, typed }
    }
}

/// Takes out of the draft what broke the rule, if the statement may stand without it. Each call takes
/// something or says no, so mending ends.
fn mend(draft: &mut Draft, violation: &Violation) -> bool {
    let refusal = draft.status.as_deref() == Some(Status::Ret.as_str());
    match (violation.field, violation.code) {
        // HS_2015 with another date: the date is the likelier truth.
        ("consentDate", "H155") if refusal => draft.source.take().is_some() || draft.consent_date.take().is_some(),
        ("consentDate", "H162") => draft.consent_date.take().is_some(),
        ("consentDate", _) if refusal => draft.consent_date.take().is_some(),
        ("source", _) if refusal => draft.source.take().is_some(),
        ("externalId", _) => draft.external_id.take().is_some(),
        ("retailerCode", _) if refusal => draft.retailer_code.take().is_some(),
        ("retailerAccess", _) if refusal => draft.retailer_access.take().is_some(),
        _ => false,
    }
}

/// Whether an element states recipient and status in the words of the consent API, whatever else it
/// carries.
fn says_it_plainly(fields: &Fields) -> bool {
    let status = fields.get("status").and_then(Value::as_str).map(str::trim);
    fields.contains_key(RECIPIENT) && status.is_some_and(|status| status.parse::<Status>().is_ok())
}

/// The event's name, where there is one. What stands there without being a name is an event all the
/// same, of a name that nobody mapped.
fn event_name(fields: &Fields) -> Option<Cow<'_, str>> {
    ["event_name", "event"].into_iter().find_map(|key| match field::text(fields.get(key)) {
        Found::Nothing => None,
        Found::Text(name) => Some(name),
        Found::Unusable => Some(Cow::Borrowed("")),
    })
}

/// The name of the attribute that changed, its old and its new value, where an element tells them.
fn changed_attribute(fields: &Fields) -> Option<(Cow<'_, str>, Flag, Flag)> {
    let parameters = fields.get("event_parameters").and_then(Value::as_object);
    [Some(fields), parameters].into_iter().flatten().find_map(|place| {
        let name = ["attribute", "attribute_name"].into_iter().find_map(|key| field::some_text(place.get(key)))?;
        let new = ["new_value", "value"].into_iter().find_map(|key| place.get(key))?;
        Some((name, field::flag(place.get("old_value")), field::flag(Some(new))))
    })
}

/// The channels that an event may be for, the likeliest first.
fn channels(fields: &Fields, event: &str) -> &'static [Channel] {
    let event = event.to_ascii_lowercase();
    let about = |word: &str| event.strip_prefix(word).is_some_and(|rest| rest.starts_with(['_', '-', ' ']));
    if about("email") {
        return &[Channel::Eposta];
    }
    if about("sms") || about("whatsapp") {
        return &[Channel::Mesaj];
    }
    match fields.get("type").and_then(Value::as_str).map(str::parse) {
        Some(Ok(Channel::Eposta)) => &[Channel::Eposta],
        Some(Ok(Channel::Mesaj)) => &[Channel::Mesaj],
        Some(Ok(Channel::Arama)) => &[Channel::Arama],
        _ if fields.contains_key("uniqueArgs") => &[Channel::Mesaj, Channel::Eposta],
        _ => &[Channel::Eposta, Channel::Mesaj],
    }
}

/// The address of an element for a channel. A usable one is preferred over what is none.
fn address(fields: &Fields, channel: Channel) -> Found<'_> {
    let names: &[&str] = if channel == Channel::Eposta { &EMAIL } else { &PHONE };
    let places = PLACES.into_iter().filter_map(|place| fields.get(place).and_then(Value::as_object));
    let mut unusable = false;
    for place in std::iter::once(fields).chain(places) {
        for name in names {
            match field::text(place.get(*name)) {
                Found::Text(text) => return Found::Text(text),
                Found::Unusable => unusable = true,
                Found::Nothing => {}
            }
        }
    }
    match field::some_text(fields.get(RECIPIENT)) {
        Some(text) if text.contains('@') == (channel == Channel::Eposta) => Found::Text(text),
        _ if unusable => Found::Unusable,
        _ => Found::Nothing,
    }
}

/// Whether an element is about an unsubscribe group: Insider leaves both fields empty otherwise.
fn names_a_group(fields: &Fields) -> bool {
    let parameters = fields.get("event_parameters").and_then(Value::as_object);
    [Some(fields), parameters].into_iter().flatten().any(|place| {
        field::some_text(place.get("ins_unsub_id")).is_some_and(|id| id != "0") || field::some_text(place.get("unsub_group_name")).is_some()
    })
}

/// What a statement is known by within its key.
type Identity = [String; 3];

/// The identity of a statement that has no message id: all that was sent, without addresses.
fn body(fields: &Fields, attribute: &str) -> Identity {
    let left_out: Vec<&str> = EMAIL.into_iter().chain(PHONE).chain([RECIPIENT]).collect();
    ["body".to_owned(), attribute.to_owned(), field::canonical(fields, &left_out)]
}

fn is_sendable(text: &str) -> bool {
    text.parse::<Source>().is_ok_and(|source| source.is_sendable())
}

/// A name as it may be shown: one that looks like a name and cannot be an address.
fn shown(name: &str) -> String {
    let looks_like_a_name = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'.' | b'-'))
        // Seven digits could be a phone number.
        && name.bytes().filter(u8::is_ascii_digit).count() < 7;
    if looks_like_a_name { name.to_owned() } else { OTHER.to_owned() }
}
