//! One element of a webhook body: which family it is of, and what it says.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::field::{self, Flag, Found};
use super::find::{self, Change, Fields, Finder, RECIPIENT, shown};
use super::take::Statement;
use super::{Invalid, Kind, UNRECOGNISED};
use crate::brand::{Attribute, AttributeMeaning, Brand, Effect, EventMeaning};
use crate::consent::rules::Draft;
use crate::consent::{AsideReason, Channel, Movement, RecipientId, Source, Status};

/// What one statement of an element comes to.
pub(super) enum Told {
    /// A consent or refusal.
    Movement(Box<Taken>),
    /// Something that has no effect, and why; with the consent or refusal that it would be, where that can
    /// be read and is to be kept.
    Aside(AsideReason, Option<Box<Movement>>),
    /// No meaning for consent.
    NoMeaning,
    /// A name that nobody mapped, in a form that is safe to show.
    Unknown(Kind, String),
    /// A meaning, but not usable.
    Invalid(Invalid),
    /// A meaning, but for nobody.
    NoRecipient,
    /// A meaning for whoever has this id.
    Referred(RecipientId),
}

/// A movement, and what is to be known of how it was read.
pub(super) struct Taken {
    pub(super) movement: Movement,
    /// Whether an unusable date or source was replaced.
    pub(super) mended: bool,
    /// Whether the body named the recipient type.
    pub(super) typed: bool,
    /// Whether it is a refusal without a date of its own.
    pub(super) undated: bool,
}

/// Reads elements for a brand at a moment.
pub(super) struct Reader<'a> {
    /// The brand.
    pub(super) brand: &'a Brand,
    /// The moment of receipt.
    pub(super) now: Timestamp,
    find: Finder<'a>,
}

/// The prefix of attributes in a flattened Event Stream.
const FLATTENED: &str = "attr_";

impl<'a> Reader<'a> {
    pub(super) fn new(brand: &'a Brand, now: Timestamp) -> Self {
        Self { brand, now, find: Finder::new(brand) }
    }

    /// Tells everything that the element says; at least one thing.
    pub(super) fn element(&self, index: usize, fields: &Fields, tell: &mut dyn FnMut(Told)) {
        if says_it_plainly(fields) {
            return tell(self.own(index, fields));
        }
        let whatsapp = find::is_whatsapp(fields);
        let event = self.find.event(fields).or_else(|| if whatsapp { find::whatsapp_event(fields) } else { None });
        let meaning = event.as_deref().and_then(|name| self.brand.insider.meaning(name));
        match (event, meaning, self.find.change(fields)) {
            (Some(name), Some(meaning), _) => tell(self.event(index, fields, &name, if whatsapp { of_whatsapp(meaning) } else { meaning })),
            (_, _, Some(change)) => tell(self.change(index, fields, change)),
            (Some(name), None, None) => tell(Told::Unknown(Kind::Event, shown(&name))),
            (None, _, None) if whatsapp => tell(Told::NoMeaning),
            (None, _, None) if fields.contains_key(RECIPIENT) || fields.contains_key("status") => tell(self.own(index, fields)),
            (None, _, None) => self.attributes(index, fields, tell),
        }
    }

    /// An event whose name has a meaning.
    fn event(&self, index: usize, fields: &Fields, name: &str, meaning: EventMeaning) -> Told {
        let meanings = &self.brand.insider.meanings;
        let is_group = find::names_a_group(fields);
        let lower = name.to_ascii_lowercase();
        let (effect, why) = match meaning {
            EventMeaning::None => return Told::NoMeaning,
            // Returning to a group is no consent for the channel, and leaves nothing to keep.
            EventMeaning::Onay if is_group => return Told::Aside(AsideReason::LeftGroup, None),
            EventMeaning::Onay => return self.statement(index, fields, name, Status::Onay),
            EventMeaning::Ret if is_group && lower.contains("unsub") && !lower.contains("global") => {
                (self.brand.insider.group_effect(), AsideReason::LeftGroup)
            }
            EventMeaning::Ret => return self.statement(index, fields, name, Status::Ret),
            EventMeaning::GroupRet => (self.brand.insider.group_effect(), AsideReason::LeftGroup),
            EventMeaning::SpamComplaint => (meanings.spam_complaint, AsideReason::SpamComplaint),
            EventMeaning::Bounce => (meanings.bounce, AsideReason::Bounce),
            EventMeaning::WhatsappOptOut => (meanings.whatsapp_opt_out, AsideReason::WhatsappOptOut),
        };
        match effect {
            Effect::Ret => self.statement(index, fields, name, Status::Ret),
            Effect::Aside => match self.statement(index, fields, name, Status::Ret) {
                Told::Movement(taken) => Told::Aside(why, Some(Box::new(taken.movement))),
                referred @ Told::Referred(_) => referred,
                _ => Told::Aside(why, None),
            },
            Effect::None if why == AsideReason::LeftGroup => Told::Aside(why, None),
            Effect::None => Told::NoMeaning,
        }
    }

    /// An event as a consent or refusal of the channel that it is for.
    fn statement(&self, index: usize, fields: &Fields, name: &str, status: Status) -> Told {
        let addressed = find::channels(fields, name).iter().find_map(|channel| match self.find.address(fields, *channel) {
            Found::Nothing => None,
            found => Some((*channel, found)),
        });
        let Some((channel, found)) = addressed else {
            return self.find.reference(fields).map_or(Told::NoRecipient, Told::Referred);
        };
        let draft = Draft {
            channel: Some(channel.as_str().to_owned()),
            status: Some(status.as_str().to_owned()),
            // A `source` that is none of İYS's words is something else of the vendor's.
            source: field::some_text(fields.get("source")).filter(|text| is_sendable(text)).map(Cow::into_owned),
            consent_date: self.date(fields),
            ..Draft::default()
        };
        let onay_source = self.brand.insider.onay_sources.get(&channel);
        self.take(Statement { index, draft, found, onay_source, identity: self.find.identity(fields, name, status) })
    }

    /// An attribute of which the new value is told, and perhaps the old one.
    fn change(&self, index: usize, fields: &Fields, (name, old, new): Change<'_>) -> Told {
        let meaning = match self.brand.insider.attribute(&name) {
            Attribute::Consent(meaning) => meaning,
            Attribute::NoMeaning => return Told::NoMeaning,
            Attribute::Unknown => return Told::Unknown(Kind::Attribute, shown(&name)),
        };
        match (field::flag(old, meaning), field::flag(Some(new), meaning)) {
            (old, new) if old == new && old != Flag::Unusable => Told::NoMeaning,
            (_, new) => self.attribute(index, fields, &name, meaning, new),
        }
    }

    /// Every attribute with a meaning that an element without an event carries.
    fn attributes(&self, index: usize, fields: &Fields, tell: &mut dyn FnMut(Told)) {
        let attached: Vec<&Fields> = self.find.attached(fields).collect();
        let nested = attached.iter().flat_map(|place| place.iter()).map(|(name, value)| (name.as_str(), value));
        let flattened = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(FLATTENED)?, value)));
        let plain = fields.iter().map(|(name, value)| (name.as_str(), value));
        let mut told: Vec<&str> = Vec::new();
        for (name, value) in nested.chain(flattened).chain(plain) {
            if let Attribute::Consent(meaning) = self.brand.insider.attribute(name)
                && !told.contains(&name)
            {
                told.push(name);
                tell(self.attribute(index, fields, name, meaning, field::flag(Some(value), meaning)));
            }
        }
        if told.is_empty() {
            tell(if attached.is_empty() { Told::Unknown(Kind::Event, UNRECOGNISED.to_owned()) } else { Told::NoMeaning });
        }
    }

    /// One attribute with a meaning and its value.
    fn attribute(&self, index: usize, fields: &Fields, name: &str, meaning: &AttributeMeaning, value: Flag) -> Told {
        let status = match value {
            Flag::Is(false) => Status::Ret,
            Flag::Is(true) => Status::Onay,
            // A flag that was deleted neither consents nor refuses.
            Flag::Absent => return Told::NoMeaning,
            Flag::Unusable => {
                return Told::Invalid(Invalid {
                    index,
                    field: shown(name).into(),
                    code: Invalid::VALUE,
                    message: "the attribute must be true or false, or a word that the brand maps".into(),
                });
            }
        };
        let found = self.find.address(fields, meaning.channel);
        if matches!(found, Found::Nothing) {
            return Told::NoRecipient;
        }
        let draft = Draft {
            channel: Some(meaning.channel.as_str().to_owned()),
            status: Some(status.as_str().to_owned()),
            consent_date: self.date(fields),
            ..Draft::default()
        };
        let identity = self.find.body(fields, name);
        self.take(Statement { index, draft, found, onay_source: meaning.onay_source.as_ref(), identity })
    }

    /// A body of the brand's making in the words of the consent API.
    fn own(&self, index: usize, fields: &Fields) -> Told {
        let text = |name: &str| field::some_text(fields.get(name)).map(Cow::into_owned);
        let draft = Draft {
            recipient_type: text("recipientType"),
            channel: text("type"),
            status: text("status"),
            source: text("source"),
            consent_date: self.own_date(fields),
            external_id: text("externalId"),
            retailer_code: fields.get("retailerCode").and_then(|value| Option::deserialize(value).ok().flatten()),
            retailer_access: fields
                .get("retailerAccess")
                .filter(|value| !value.is_null())
                .map(|value| Vec::deserialize(value).unwrap_or_default()),
            ..Draft::default()
        };
        let channel: Option<Channel> = draft.channel.as_deref().and_then(|word| word.parse().ok());
        let onay_source = channel.and_then(|channel| self.brand.insider.onay_sources.get(&channel));
        let identity = self.find.body(fields, "");
        self.take(Statement { index, draft, found: field::text(fields.get(RECIPIENT)), onay_source, identity })
    }

    /// The date of an element, in İYS's form where it can be read; `None` where nothing is said of it.
    fn date(&self, fields: &Fields) -> Option<String> {
        super::take::date_text(self.find.time(fields)).or_else(|| self.consent_date(fields))
    }

    /// The same, where the brand's own word comes first.
    fn own_date(&self, fields: &Fields) -> Option<String> {
        self.consent_date(fields).or_else(|| super::take::date_text(self.find.time(fields)))
    }

    /// The field of the consent API, in its own form or as a time stamp.
    fn consent_date(&self, fields: &Fields) -> Option<String> {
        let text = field::some_text(fields.get("consentDate"))?;
        match field::when(fields.get("consentDate"), self.brand.insider.timestamp_unit) {
            when @ field::When::At(_) => super::take::date_text(when),
            _ => Some(text.into_owned()),
        }
    }
}

/// What an event in a body about WhatsApp is: unsubscribing there is none of a channel of İYS's.
fn of_whatsapp(meaning: EventMeaning) -> EventMeaning {
    match meaning {
        EventMeaning::Ret => EventMeaning::WhatsappOptOut,
        EventMeaning::Onay => EventMeaning::None,
        other => other,
    }
}

/// Whether an element states recipient and status in the words of the consent API, whatever else it
/// carries.
fn says_it_plainly(fields: &Fields) -> bool {
    let status = fields.get("status").and_then(Value::as_str).map(str::trim);
    fields.contains_key(RECIPIENT) && status.is_some_and(|status| status.parse::<Status>().is_ok())
}

fn is_sendable(text: &str) -> bool {
    text.parse::<Source>().is_ok_and(|source| source.is_sendable())
}
