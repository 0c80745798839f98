//! What Insider's webhooks say, as movements.
//!
//! Insider has several outbound mechanisms, and most of their bodies are documented in part only. So
//! a body is recognised by its shape, and everything that can be understood is taken:
//!
//! | Family | Recognised by | Says |
//! |---|---|---|
//! | "Webhook for Email Events" and transactional e-mail callbacks | `event`, `email`, `msg-id`, `timestamp` | what the brand's event table says; a filled `ins_unsub_id` or `unsub_group_name` makes an unsubscribe a group's |
//! | Event Stream | `event_name`, `attrs`, `event_parameters` (or flattened `attr_…`) | likewise; attached attributes say nothing, they are no change |
//! | Attribute Stream | `attribute` or `attribute_name` with `new_value` or `value`; or, without an event name, mapped attributes in `attrs`, as `attr_…`, or at the top | false is RET, true is ONAY |
//! | transactional SMS callback | `id`, `uniqueArgs`, `event` | no phone number comes with it: the sender's `uniqueArgs` has the recipient id, or the number |
//! | WhatsApp status | `messaging_product` | no meaning, but for an opt-out |
//! | Architect "Call an API", a body of the brand's making | `recipient`, `type`, `status`, and optionally `recipientType`, `source`, `consentDate`, `externalId` as in the consent API; or `event` with `email` or `phone_number` | what it says |
//!
//! The exact body of the Attribute Stream is not published; the forms above are the likely ones, and
//! [`crate::brand::BodyFields`] adds names to all of them. Booleans may be JSON booleans,
//! `"true"`/`"false"`, 1/0, or words that the brand maps.
//!
//! **Which channel an event is for.** An event name that begins with `email` is for EPOSTA, with `sms`
//! or `whatsapp` for MESAJ; otherwise a `type` or `channel` in the body says it, otherwise the address
//! that is there, the e-mail address first (in an SMS callback the phone number first).
//!
//! **A refusal is never lost because of what stands beside it.** A date that is missing, 0, unreadable,
//! in the future or before 2015-05-01 (the first day that İYS knows) counts as the moment of receipt;
//! an unusable source counts as the brand's default.
//!
//! **A consent gets no such mercy**, because it could lift a later refusal. It needs a source of its own or
//! one that the brand maps, and a date of its own unless the brand says otherwise; without them it is kept
//! aside with the reason. A wrong date is invalid, and so is a consent too old for İYS. Only a date up to
//! [`MOST_AHEAD_SECONDS`] ahead of our clock counts as the moment of receipt.
//!
//! Units of `timestamp` are told by magnitude, unless the brand names one: below 1e11 seconds, below 1e14
//! milliseconds, otherwise microseconds; as a number, as digits in a string, or as RFC 3339.
//!
//! **A body delivered twice is one movement**, and no clock has a part in it. Event ids are digests of what
//! was sent, addresses left out (they are in the key, and an unkeyed digest of a phone number would give it
//! away). A refusal without a date ([`Intake::undated`]) is named by its words and by what it refuses:
//! somebody who refuses, consents elsewhere and refuses again may send the same words twice, and the second
//! refusal must not pass for a repetition. A consent without a date is one movement for good: told again
//! late, it must not lift a refusal.

mod element;
mod field;
mod find;
mod sample;
mod take;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::brand::Brand;
use crate::consent::{AsideReason, EventId, Movement, Recipient, RecipientId, Status};

use element::{Reader, Told};
use find::Fields;
pub use take::MOST_AHEAD_SECONDS;

/// Most elements that are taken from one body.
pub const MOST_ELEMENTS: usize = 5_000;

/// What a body said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// What is to be recorded, in the order of the body.
    pub movements: Vec<Movement>,
    /// Positions in `movements` whose recipient type the body itself named. For the others it is
    /// BIREYSEL, because Insider knows no recipient types; whoever knows better may change that.
    pub typed: BTreeSet<usize>,
    /// Positions in `movements` of refusals without a date. Their event ids name the words only: see
    /// [`id_of_undated`].
    pub undated: BTreeSet<usize>,
    /// What is to be kept in the history without any effect, and why.
    pub asides: Vec<(AsideReason, Movement)>,
    /// Elements that name their recipient by its id only; see [`Intake::resolve`]. They are not counted
    /// yet.
    pub referred: Vec<Referred>,
    /// The form of the first body of each name that nobody mapped.
    pub samples: BTreeMap<(Kind, String), String>,
    /// What became of everything in the body.
    pub counts: IntakeCounts,
}

/// What has a name that nobody mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An event.
    Event,
    /// A profile attribute that changed.
    Attribute,
}

/// An element whose recipient is known by its id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Referred {
    /// The id.
    pub recipient_id: RecipientId,
    index: usize,
    fields: Fields,
}

impl fmt::Debug for Referred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Referred").field("recipient_id", &self.recipient_id).field("index", &self.index).finish_non_exhaustive()
    }
}

/// The event id of a refusal without a date, told while this was the key's last movement.
///
/// The same words again are the same event as long as they count; after something else they are a new
/// one. So a delivery that is repeated is one movement, and a second refusal after a new consent is never
/// taken for a repetition, whatever any clock says.
pub fn id_of_undated(words: &EventId, last: Option<(&EventId, Status)>) -> EventId {
    match last {
        None => words.clone(),
        Some((last, Status::Ret)) if last.is_of(words) => last.clone(),
        Some((last, _)) => words.after(last),
    }
}

/// What became of everything in a body. It carries no address and no value, so it may be logged and
/// answered.
///
/// `received` is the sum of `taken`, `no_meaning`, `group`, `aside`, `unknown`, `unknown_attributes`,
/// `invalid`, `no_recipient`, `onay_without_source` and `onay_without_date`. It counts statements: an
/// element is one, except where it carries several consent attributes, each of which is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntakeCounts {
    /// Statements in the body.
    pub received: u32,
    /// Those that became movements.
    pub taken: u32,
    /// Events and changes without a meaning for consent.
    pub no_meaning: u32,
    /// Changes of an unsubscribe group, which are no change of the channel.
    pub group: u32,
    /// Other signals that the brand keeps in the history without effect.
    pub aside: u32,
    /// Events whose name nobody mapped, by name. A name that does not look like one counts as
    /// [`OTHER`], an element of no known shape as [`UNRECOGNISED`].
    pub unknown: BTreeMap<String, u32>,
    /// Changes of attributes that nobody mapped, likewise.
    pub unknown_attributes: BTreeMap<String, u32>,
    /// Statements with a meaning that could not be taken.
    pub invalid: Vec<Invalid>,
    /// Statements with a meaning that name no address of their channel, and no id that the ledger knows.
    pub no_recipient: u32,
    /// Consents kept aside because neither they nor the brand name a source.
    pub onay_without_source: u32,
    /// Consents kept aside because they do not say when they were given.
    pub onay_without_date: u32,
    /// Those of `taken` whose date or source was unusable and was replaced.
    pub mended: u32,
}

/// Most different unknown names of a kind that are told apart in one body; the others count as [`OTHER`].
pub const MOST_NAMES: usize = 50;

/// How an event whose name does not look like a name is counted.
pub const OTHER: &str = "other";

/// How an element of no known shape is counted.
pub const UNRECOGNISED: &str = "unrecognised-shape";

/// A statement that could not be taken. The offending value is never part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// Position of the element in the body, counted from 0.
    pub index: usize,
    /// The field, empty for the element as a whole.
    pub field: Cow<'static, str>,
    /// İYS's code of the broken rule, or [`Invalid::ELEMENT`] or [`Invalid::VALUE`].
    pub code: &'static str,
    /// The rule.
    pub message: String,
}

impl Invalid {
    /// The element is no JSON object, or holds something that cannot be read (a number out of range,
    /// too deep a nesting).
    pub const ELEMENT: &'static str = "insider_element";
    /// The field has no value of the expected kind.
    pub const VALUE: &'static str = "insider_value";
}

/// Why a body says nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or JSON of another kind.
    #[error("the body must be a JSON object or an array of JSON objects")]
    Form,
    /// It holds more elements than are taken at once.
    #[error("the body must hold at most {MOST_ELEMENTS} elements")]
    TooMany,
}

/// Reads a webhook's body. `now` is the moment of receipt.
///
/// A body in another encoding than UTF-8 is read as far as it goes: an event must not be lost because
/// of a campaign's name. What is wrong with one element costs that element only.
pub fn read(body: &[u8], brand: &Brand, now: Timestamp) -> Result<Intake, ReadError> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    let elements = match text.as_bytes().first() {
        Some(b'{') => vec![serde_json::from_str::<&RawValue>(text).map_err(|_| ReadError::Form)?],
        Some(b'[') => elements(text)?,
        // Insider tries an address before it takes it, and does not say with what.
        None => Vec::new(),
        _ => return Err(ReadError::Form),
    };
    let reader = Reader::new(brand, now);
    let mut intake = Intake::default();
    for (index, element) in elements.into_iter().enumerate() {
        let wrong = match serde_json::from_str::<Value>(element.get()) {
            Ok(Value::Object(fields)) => {
                reader.element(index, &fields, &mut |told| intake.add(index, told, &fields));
                continue;
            }
            Ok(_) => "the element must be a JSON object",
            Err(_) => "the element holds a value that cannot be read",
        };
        let invalid = Invalid { index, field: "".into(), code: Invalid::ELEMENT, message: wrong.into() };
        intake.add(index, Told::Invalid(invalid), &Fields::new());
    }
    Ok(intake)
}

/// The elements of an array, each still unread, so that one of them cannot spoil the others.
fn elements(text: &str) -> Result<Vec<&RawValue>, ReadError> {
    struct Bounded;
    impl<'de> Visitor<'de> for Bounded {
        // `None`: more than are taken.
        type Value = Option<Vec<&'de RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = array.next_element()? {
                if elements.len() == MOST_ELEMENTS {
                    while array.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                    return Ok(None);
                }
                elements.push(element);
            }
            Ok(Some(elements))
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde::Deserializer::deserialize_seq(&mut reader, Bounded)
        .and_then(|elements| reader.end().map(|()| elements))
        .map_err(|_: serde_json::Error| ReadError::Form)?
        .ok_or(ReadError::TooMany)
}

impl Intake {
    /// Reads the elements that name their recipient by its id, now that the addresses behind the ids are
    /// known. Whatever is not among `recipients` is for nobody. A callback of an SMS is about a number, so
    /// an id of an e-mail address is nobody's, too.
    pub fn resolve(&mut self, brand: &Brand, now: Timestamp, recipients: &HashMap<RecipientId, Recipient>) {
        let reader = Reader::new(brand, now);
        for Referred { recipient_id, index, mut fields } in std::mem::take(&mut self.referred) {
            let Some(number @ Recipient::Phone(_)) = recipients.get(&recipient_id) else {
                self.add(index, Told::NoRecipient, &fields);
                continue;
            };
            // Addresses have no part in what identifies an event, so this one changes nothing of it.
            fields.insert("phone_number".to_owned(), number.expose().into());
            reader.element(index, &fields, &mut |told| {
                let told = if matches!(told, Told::Referred(_)) { Told::NoRecipient } else { told };
                self.add(index, told, &fields);
            });
        }
    }

    fn add(&mut self, index: usize, told: Told, fields: &Fields) {
        if let Told::Referred(recipient_id) = told {
            return self.referred.push(Referred { recipient_id, index, fields: fields.clone() });
        }
        let counts = &mut self.counts;
        counts.received += 1;
        match told {
            Told::Movement(taken) => {
                counts.taken += 1;
                counts.mended += u32::from(taken.mended);
                if taken.typed {
                    self.typed.insert(self.movements.len());
                }
                if taken.undated {
                    self.undated.insert(self.movements.len());
                }
                self.movements.push(taken.movement);
            }
            Told::Aside(why, movement) => {
                *match why {
                    AsideReason::LeftGroup => &mut counts.group,
                    AsideReason::OnayWithoutSource => &mut counts.onay_without_source,
                    AsideReason::OnayWithoutDate => &mut counts.onay_without_date,
                    AsideReason::SpamComplaint | AsideReason::Bounce | AsideReason::WhatsappOptOut => &mut counts.aside,
                } += 1;
                self.asides.extend(movement.map(|movement| (why, *movement)));
            }
            Told::NoMeaning => counts.no_meaning += 1,
            Told::Unknown(kind, name) => {
                let names = match kind {
                    Kind::Event => &mut counts.unknown,
                    Kind::Attribute => &mut counts.unknown_attributes,
                };
                // Callers note each name by itself: a body of nothing but names must not keep them busy.
                let name = if names.len() < MOST_NAMES || names.contains_key(&name) { name } else { OTHER.to_owned() };
                self.samples.entry((kind, name.clone())).or_insert_with(|| sample::form(fields));
                *names.entry(name).or_default() += 1;
            }
            Told::Invalid(invalid) => counts.invalid.push(invalid),
            Told::NoRecipient => counts.no_recipient += 1,
            Told::Referred(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_date_is_known_by_its_words_and_by_what_it_refuses() {
        let words = EventId::derive("insider", ["unsubscribe"]);
        let (first, second) = (EventId::derive("api", ["1"]), EventId::derive("api", ["2"]));
        let told = |last: Option<(&EventId, Status)>| id_of_undated(&words, last);
        let refusal = told(Some((&first, Status::Onay)));
        assert_eq!(told(Some((&first, Status::Onay))), refusal, "told twice at once");
        assert_eq!(told(Some((&refusal, Status::Ret))), refusal, "told again while it counts");
        assert_ne!(told(Some((&second, Status::Onay))), refusal, "told after a new consent");
        assert_eq!(told(None), words);
        assert_eq!(told(Some((&words, Status::Ret))), words);
    }
}
