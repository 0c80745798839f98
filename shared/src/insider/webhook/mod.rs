//! What Insider's webhooks say, as movements.
//!
//! Insider has several outbound mechanisms, and most of their bodies are documented in part only. So
//! a body is recognised by its shape, never by configuration, and everything that can be understood
//! is taken:
//!
//! | Family | Recognised by | Says |
//! |---|---|---|
//! | "Webhook for Email Events" and transactional e-mail callbacks | `event`, `email`, `msg-id`, `timestamp` | what the brand's event table says; a filled `ins_unsub_id` or `unsub_group_name` makes an unsubscribe a group's |
//! | Event Stream | `event_name`, `attrs`, `event_parameters` (or flattened `attr_…`) | likewise; attached attributes say nothing, they are no change |
//! | Attribute Stream | `attribute` or `attribute_name` with `new_value` or `value`; or, without an event name, mapped attributes in `attrs`, as `attr_…`, or at the top | false is RET, true is ONAY if the brand maps a source |
//! | transactional SMS callback | `id`, `uniqueArgs`, `event` | no phone number comes with it, unless the sender put one into `uniqueArgs` |
//! | Architect "Call an API", a body of the brand's making | `recipient`, `type`, `status`, and optionally `recipientType`, `source`, `consentDate`, `externalId` as in the consent API; or `event` with `email` or `phone_number` | what it says |
//!
//! The exact body of the Attribute Stream is not published; the forms above are the likely ones.
//! Booleans may be JSON booleans, `"true"`/`"false"` or 1/0.
//!
//! **Which channel an event is for.** An event name that begins with `email` is for EPOSTA, with `sms`
//! or `whatsapp` for MESAJ; otherwise a `type` in the body says it, otherwise the address that is
//! there, the e-mail address first (in an SMS callback the phone number first).
//!
//! **A refusal is never lost because of what stands beside it.** A date that is missing, 0, unreadable,
//! in the future or before 2015-05-01 (the first day that İYS knows) counts as the moment of receipt;
//! an unusable source counts as the brand's default. An ONAY gets no such mercy, because a wrong date
//! could lift a later RET: only a missing date or one in the future (a clock ahead of ours) becomes
//! the moment of receipt, any other wrong one is invalid, and so is an ONAY too old for İYS.
//!
//! Units of `timestamp` are told by magnitude: below 1e11 seconds, below 1e14 milliseconds, otherwise
//! microseconds; as a number, as digits in a string, or as RFC 3339.
//!
//! **A body delivered twice is one movement.** Event ids are digests of what was sent, addresses left
//! out (they are in the key, and an unkeyed digest of a phone number would give it away). A refusal
//! without a date is one movement an hour: somebody who refuses, consents elsewhere and refuses again
//! may send the same words twice, and the second refusal must not pass for a repetition. A consent
//! without a date is one movement for good: told again late, it must not lift a refusal.

mod element;
mod field;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::brand::Brand;
use crate::consent::Movement;

use element::{Reader, Told};

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
    /// What is to be kept in the history without any effect: the refusals that leaving an unsubscribe
    /// group would be, if the brand took it for one.
    pub asides: Vec<Movement>,
    /// What became of everything in the body.
    pub counts: IntakeCounts,
}

/// What became of everything in a body. It carries no address and no value, so it may be logged and
/// answered.
///
/// `received` is the sum of `taken`, `no_meaning`, `group`, `unknown`, `invalid`, `no_recipient` and
/// `onay_without_source`. It counts statements: an element is one, except where it carries several
/// consent attributes, each of which is one.
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
    /// Events whose name nobody mapped, by name. A name that does not look like one counts as
    /// [`OTHER`], an element of no known shape as [`UNRECOGNISED`].
    pub unknown: BTreeMap<String, u32>,
    /// Statements with a meaning that could not be taken.
    pub invalid: Vec<Invalid>,
    /// Statements with a meaning that name no address of their channel.
    pub no_recipient: u32,
    /// Attributes that became true although the brand maps no source for such an ONAY.
    pub onay_without_source: u32,
    /// Those of `taken` whose date or source was unusable and was replaced.
    pub mended: u32,
}

/// Most different names of unknown events that are told apart in one body; the others count as [`OTHER`].
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
        _ => return Err(ReadError::Form),
    };
    let reader = Reader { brand, now };
    let mut intake = Intake::default();
    for (index, element) in elements.into_iter().enumerate() {
        match serde_json::from_str::<Value>(element.get()) {
            Ok(Value::Object(fields)) => reader.element(index, &fields, &mut |told| intake.add(told)),
            Ok(_) => intake.add(Told::Invalid(Invalid {
                index,
                field: "".into(),
                code: Invalid::ELEMENT,
                message: "the element must be a JSON object".into(),
            })),
            Err(_) => intake.add(Told::Invalid(Invalid {
                index,
                field: "".into(),
                code: Invalid::ELEMENT,
                message: "the element holds a value that cannot be read".into(),
            })),
        }
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
    fn add(&mut self, told: Told) {
        let counts = &mut self.counts;
        counts.received += 1;
        match told {
            Told::Movement { movement, mended, typed } => {
                counts.taken += 1;
                counts.mended += u32::from(mended);
                if typed {
                    self.typed.insert(self.movements.len());
                }
                self.movements.push(*movement);
            }
            Told::NoMeaning => counts.no_meaning += 1,
            Told::Group(aside) => {
                counts.group += 1;
                self.asides.extend(aside.map(|movement| *movement));
            }
            Told::Unknown(name) => {
                // Callers note each name by itself: a body of nothing but names must not keep them busy.
                let room = counts.unknown.len() < MOST_NAMES || counts.unknown.contains_key(&name);
                *counts.unknown.entry(if room { name } else { OTHER.to_owned() }).or_default() += 1;
            }
            Told::Invalid(invalid) => counts.invalid.push(invalid),
            Told::NoRecipient => counts.no_recipient += 1,
            Told::OnayWithoutSource => counts.onay_without_source += 1,
        }
    }
}
