//! What a brand says of Insider's webhooks: the meaning of events and attributes, and how bodies are read
//! where Insider's documentation leaves it open.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::consent::{Channel, Source};

/// What an Insider event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventMeaning {
    /// RET on the channel that the payload's address is for: EPOSTA for e-mail, MESAJ for phone.
    Ret,
    /// ONAY likewise.
    Onay,
    /// Left an unsubscribe group: what [`Meanings::group_unsubscribe`] says.
    GroupRet,
    /// Marked a message as spam: what [`Meanings::spam_complaint`] says.
    SpamComplaint,
    /// An address that does not take messages: what [`Meanings::bounce`] says.
    Bounce,
    /// Opted out of WhatsApp: what [`Meanings::whatsapp_opt_out`] says.
    WhatsappOptOut,
    /// No meaning for consent (delivered, opened, clicked …).
    None,
}

/// What is done about something that is not a plain refusal of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is a RET of the channel.
    Ret,
    /// It is kept in the address's history without any effect.
    Aside,
    /// It is counted and nothing else.
    None,
}

/// What the brand makes of signals that may or may not be a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Meanings {
    /// Somebody left an unsubscribe group, not the channel.
    pub group_unsubscribe: Effect,
    /// Somebody marked a message as spam.
    pub spam_complaint: Effect,
    /// A message could not be delivered for good.
    pub bounce: Effect,
    /// Somebody opted out of WhatsApp, which is no channel of İYS's; as a RET it is one of MESAJ.
    pub whatsapp_opt_out: Effect,
}

impl Default for Meanings {
    fn default() -> Self {
        Self { group_unsubscribe: Effect::Aside, spam_complaint: Effect::Ret, bounce: Effect::None, whatsapp_opt_out: Effect::None }
    }
}

/// What a profile attribute means.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeMeaning {
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Channel,
    /// The source of an ONAY seen as a change to true; without one such an ONAY is kept aside, because
    /// it has no legal source.
    #[serde(default)]
    pub onay_source: Option<Source>,
    /// Words that mean ONAY, besides true and 1; compared without case.
    #[serde(default)]
    pub onay_values: Vec<String>,
    /// Words that mean RET, besides false and 0; compared without case.
    #[serde(default)]
    pub ret_values: Vec<String>,
}

impl AttributeMeaning {
    /// A boolean attribute of a channel.
    pub fn of(channel: Channel) -> Self {
        Self { channel, onay_source: None, onay_values: Vec::new(), ret_values: Vec::new() }
    }
}

/// What becomes of a consent told by Insider that does not say when it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndatedOnay {
    /// It is kept aside: told late, it could lift a refusal that came after it.
    #[default]
    Aside,
    /// The moment of receipt counts as its date.
    Receipt,
}

/// The unit of time stamps that are numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampUnit {
    /// Told by the magnitude, which is unmistakable for every year from 1974 to 5000.
    #[default]
    Auto,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

/// Further names of fields, for bodies that Insider does not publish. They come after the built-in ones
/// and are compared exactly.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BodyFields {
    /// Objects within an element in which the other fields may stand.
    pub places: Vec<String>,
    /// The event's name.
    pub event: Vec<String>,
    /// The time of the event or change.
    pub time: Vec<String>,
    /// The message's id.
    pub message_id: Vec<String>,
    /// The e-mail address.
    pub email: Vec<String>,
    /// The phone number.
    pub phone: Vec<String>,
    /// The name of the attribute that changed.
    pub attribute: Vec<String>,
    /// Its value before.
    pub old_value: Vec<String>,
    /// Its value after.
    pub new_value: Vec<String>,
}

/// Attributes that Insider itself defines and that say nothing of a channel of İYS's. `gdpr_optin` stops
/// everything Insider does; it is no refusal of a channel.
const OTHER_ATTRIBUTES: [&str; 2] = ["whatsapp_optin", "gdpr_optin"];

/// What an attribute is to a brand.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    /// It carries consent.
    Consent(&'a AttributeMeaning),
    /// It is known to mean nothing here.
    NoMeaning,
    /// Nobody mapped it.
    Unknown,
}

impl super::Insider {
    /// What an event name means: the brand's own table first, then ours, both without regard to case
    /// and to the difference of space, hyphen and underscore. `None` for a name that nobody mapped.
    pub fn meaning(&self, event: &str) -> Option<EventMeaning> {
        let name = plain_name(event);
        self.own_meaning(&name).or_else(|| default_meaning(&name))
    }

    /// What the brand's own table says of a name.
    fn own_meaning(&self, name: &str) -> Option<EventMeaning> {
        self.events.iter().find(|(key, _)| plain_name(key) == name).map(|(_, meaning)| *meaning)
    }

    /// What leaving a group comes to. A brand that maps the name `group_unsubscribe` says it there.
    pub fn group_effect(&self) -> Effect {
        match self.own_meaning("group_unsubscribe") {
            Some(EventMeaning::Ret) => Effect::Ret,
            Some(EventMeaning::None) => Effect::None,
            _ => self.meanings.group_unsubscribe,
        }
    }

    /// What a profile attribute means. A custom attribute may be named with Insider's prefix `c_`.
    pub fn attribute(&self, name: &str) -> Attribute<'_> {
        let name = plain_name(name);
        let named = |wanted: &str| self.attributes.iter().find(|(key, _)| plain_name(key) == wanted).map(|(_, meaning)| meaning);
        match named(&name).or_else(|| named(name.strip_prefix("c_")?)) {
            Some(Some(meaning)) => Attribute::Consent(meaning),
            Some(None) => Attribute::NoMeaning,
            None if OTHER_ATTRIBUTES.contains(&name.as_str()) => Attribute::NoMeaning,
            None => Attribute::Unknown,
        }
    }

    /// The source of a refusal that names none.
    pub fn source_for(&self, channel: Channel) -> &Source {
        match channel {
            Channel::Eposta => &self.email_source,
            Channel::Mesaj | Channel::Arama => &self.sms_source,
        }
    }
}

/// Our own table. Insider's pages name these events in prose and connectors, not all of them as
/// literal keys, so every likely spelling stands here.
fn default_meaning(name: &str) -> Option<EventMeaning> {
    Some(match name {
        "unsubscribe" | "unsubscribed" | "email_unsubscribe" | "email_unsubscribed" | "sms_unsubscribe" | "sms_unsubscribed"
        | "global_unsubscribe" => EventMeaning::Ret,
        "resubscribe" | "subscribe" | "email_subscribe" | "email_resubscribe" | "sms_subscribe" | "sms_resubscribe" => EventMeaning::Onay,
        "group_unsubscribe" | "email_group_unsubscribe" => EventMeaning::GroupRet,
        "spam" | "spamreport" | "spam_report" | "spam_reports" | "complaint" | "marked_as_spam" | "email_spam" | "email_spam_report" => {
            EventMeaning::SpamComplaint
        }
        "bounce" | "bounced" | "hard_bounce" | "email_bounce" | "email_bounced" => EventMeaning::Bounce,
        "whatsapp_opt_out" | "whatsapp_unsubscribe" | "whatsapp_preference_stop" => EventMeaning::WhatsappOptOut,
        "delivered"
        | "open"
        | "opened"
        | "click"
        | "clicked"
        | "soft_bounce"
        | "blocked"
        | "drop"
        | "dropped"
        | "deferred"
        | "processed"
        | "sent"
        | "scheduled"
        | "undelivered"
        | "failed"
        | "carrier_violation"
        | "unknown_delivery"
        | "read"
        | "reply"
        | "email_delivered"
        | "email_open"
        | "email_click"
        | "email_clicked"
        | "sms_delivered"
        | "sms_click"
        | "whatsapp_reply"
        | "whatsapp_preference_resume" => EventMeaning::None,
        _ => return None,
    })
}

/// The attributes that carry consent unless a brand says otherwise.
pub(super) fn default_attributes() -> BTreeMap<String, Option<AttributeMeaning>> {
    [("email_optin", Channel::Eposta), ("sms_optin", Channel::Mesaj)]
        .into_iter()
        .map(|(name, channel)| (name.to_owned(), Some(AttributeMeaning::of(channel))))
        .collect()
}

/// The name of the field of `uniqueArgs` in which a recipient id is looked for, unless a brand says otherwise.
pub(super) fn default_reference() -> Option<String> {
    Some("iysRef".to_owned())
}

fn plain_name(name: &str) -> String {
    name.trim().chars().map(|c| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() }).collect()
}
