//! The JSON of İYS's methods: what is sent, and what is read of the answers.
//!
//! What is sent has exactly the documented fields: İYS refuses unknown ones (`H118`), `null` and empty
//! ones (`H267`), so a field that may be missing is left out. What is read has only the fields that
//! are used, each of them optional and tolerant; names, titles and message texts are never read.
//! Nothing here has a `Debug`, because requests and answers carry addresses and secrets.

pub(in crate::iys) mod account;
pub(in crate::iys) mod agreement;
pub(in crate::iys) mod partner;
pub(in crate::iys) mod place;
pub(in crate::iys) mod retailer;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, Retailers, Status};
use crate::iys::tolerant::{Items, Text};
use crate::registry::Record;

/// `POST /oauth2/token`.
#[derive(Serialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub(in crate::iys) enum TokenRequest<'a> {
    Password { username: &'a str, password: &'a str },
    RefreshToken { refresh_token: &'a str },
}

/// The answer to both grants. `token_type` is not read: it is always `bearer`, and one page of the
/// documentation spells it `tokenType`.
#[derive(Deserialize)]
pub(in crate::iys) struct TokenAnswer {
    #[serde(default)]
    pub(in crate::iys) access_token: Text,
    #[serde(default)]
    pub(in crate::iys) refresh_token: Text,
    /// Seconds.
    #[serde(default)]
    pub(in crate::iys) expires_in: Text,
    /// Seconds.
    #[serde(default)]
    pub(in crate::iys) refresh_expires_in: Text,
}

/// A consent as add and bulk add take it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Consent<'a> {
    #[serde(rename = "type")]
    channel: Channel,
    recipient_type: RecipientType,
    recipient: &'a str,
    status: Status,
    source: &'a str,
    consent_date: ConsentDate,
    #[serde(flatten)]
    retailers: &'a Retailers,
}

impl<'a> Consent<'a> {
    pub(in crate::iys) fn of(record: &'a Record) -> Self {
        Self {
            channel: record.channel,
            recipient_type: record.recipient_type,
            recipient: record.recipient.expose(),
            status: record.status,
            source: record.source.as_str(),
            consent_date: record.consent_date,
            retailers: &record.retailers,
        }
    }
}

/// The answer to add.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Added {
    #[serde(default)]
    pub(in crate::iys) transaction_id: Text,
}

/// The answer to bulk add.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Taken {
    #[serde(default)]
    pub(in crate::iys) request_id: Text,
    #[serde(default)]
    pub(in crate::iys) sub_requests: Items<SubRequest>,
}

/// One record in the answer to bulk add: its id, and the record again.
#[derive(Deserialize)]
pub(in crate::iys) struct SubRequest {
    #[serde(default, rename = "subRequestId")]
    id: Text,
    #[serde(default, rename = "subrequestId")]
    id_misspelt: Text,
    #[serde(default, rename = "type")]
    pub(in crate::iys) channel: Text,
    #[serde(default, rename = "recipientType")]
    pub(in crate::iys) recipient_type: Text,
    #[serde(default)]
    pub(in crate::iys) recipient: Text,
}

impl SubRequest {
    pub(in crate::iys) fn id(&self) -> Option<&str> {
        self.id.get().or(self.id_misspelt.get())
    }
}

/// One line of a bulk result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct ResultRow {
    #[serde(default)]
    pub(in crate::iys) index: Text,
    #[serde(default)]
    pub(in crate::iys) status: Text,
    #[serde(default, rename = "subRequestId")]
    id: Text,
    #[serde(default, rename = "subrequestId")]
    id_misspelt: Text,
    #[serde(default)]
    pub(in crate::iys) transaction_id: Text,
    #[serde(default)]
    pub(in crate::iys) error: Items<ErrorItem>,
    #[serde(default)]
    pub(in crate::iys) errors: Items<ErrorItem>,
}

impl ResultRow {
    pub(in crate::iys) fn id(&self) -> Option<&str> {
        self.id.get().or(self.id_misspelt.get())
    }
}

/// An error, in a list or in a row.
#[derive(Deserialize)]
pub(in crate::iys) struct ErrorItem {
    #[serde(default)]
    code: Text,
    #[serde(default, rename = "code:")]
    code_misspelt: Text,
    #[serde(default)]
    index: Text,
    #[serde(default)]
    location: Location,
}

/// Where in a request an error is: names of fields and positions, such as `["recipients", 0]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Location {
    Path(Vec<Text>),
    Other(IgnoredAny),
}

impl Default for Location {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl ErrorItem {
    pub(in crate::iys) fn code(&self) -> Option<&str> {
        self.code.get().or(self.code_misspelt.get())
    }

    /// Which record of a list, or which address of a question, it is about, in İYS's own counting.
    pub(in crate::iys) fn position(&self) -> Option<usize> {
        self.index.number().or_else(|| match &self.location {
            Location::Path(path) => match path.as_slice() {
                [field, at, ..] if field.get() == Some("recipients") => at.number(),
                _ => None,
            },
            Location::Other(_) => None,
        })
    }
}

/// The body of an answer that is not a success, in any of its shapes: `errors` as array or object, one
/// error at the top level, and OAuth's `error`, which is a word and is skipped.
#[derive(Deserialize)]
pub(in crate::iys) struct ErrorBody {
    #[serde(default)]
    pub(in crate::iys) errors: Items<ErrorItem>,
    #[serde(default)]
    pub(in crate::iys) error: Items<ErrorItem>,
    #[serde(default)]
    pub(in crate::iys) code: Text,
    #[serde(default, rename = "code:")]
    pub(in crate::iys) code_misspelt: Text,
}

/// Single status and history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct StatusQuery<'a> {
    recipient: &'a str,
    recipient_type: RecipientType,
    #[serde(rename = "type")]
    channel: Channel,
}

impl<'a> StatusQuery<'a> {
    pub(in crate::iys) fn of(channel: Channel, recipient_type: RecipientType, recipient: &'a Recipient) -> Self {
        Self { recipient: recipient.expose(), recipient_type, channel }
    }
}

/// Multi status.
#[derive(Serialize)]
pub(in crate::iys) struct MultiQuery<'a> {
    pub(in crate::iys) recipients: Vec<&'a str>,
}

/// The answer to multi status: the addresses that hold an ONAY.
#[derive(Deserialize)]
pub(in crate::iys) struct MultiAnswer {
    pub(in crate::iys) list: Vec<Text>,
}

/// A push notice. Without a list it is none.
#[derive(Deserialize)]
pub(in crate::iys) struct Notice {
    pub(in crate::iys) list: Items<Row>,
}

/// A page of pull.
#[derive(Deserialize)]
pub(in crate::iys) struct Feed {
    #[serde(default)]
    pub(in crate::iys) after: Text,
    #[serde(default)]
    pub(in crate::iys) list: Items<Row>,
}

/// A movement, or what İYS holds for a key. `citizenName` (a person's) and what is told of retailers are
/// not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct Row {
    #[serde(default)]
    pub(in crate::iys) iys_code: Text,
    #[serde(default)]
    pub(in crate::iys) brand_code: Text,
    #[serde(default)]
    pub(in crate::iys) recipient: Text,
    #[serde(default)]
    pub(in crate::iys) recipient_type: Text,
    #[serde(default, rename = "type")]
    pub(in crate::iys) channel: Text,
    #[serde(default)]
    pub(in crate::iys) status: Text,
    #[serde(default)]
    pub(in crate::iys) source: Text,
    #[serde(default)]
    pub(in crate::iys) consent_date: Text,
    #[serde(default)]
    pub(in crate::iys) creation_date: Text,
    #[serde(default)]
    pub(in crate::iys) transaction_id: Text,
}

/// Push registration.
#[derive(Serialize)]
pub(in crate::iys) struct PushRegistration<'a> {
    pub(in crate::iys) connection: [PushTarget<'a>; 1],
}

/// A push connection, as registration (in a list) and unregistration (by itself) take it.
#[derive(Serialize)]
pub(in crate::iys) struct PushTarget<'a> {
    pub(in crate::iys) url: &'a str,
    #[serde(rename = "type")]
    pub(in crate::iys) channel: Channel,
    pub(in crate::iys) username: &'a str,
    pub(in crate::iys) password: &'a str,
}

/// A registered push connection.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct PushRow {
    #[serde(default)]
    pub(in crate::iys) url: Text,
    #[serde(default, rename = "type")]
    pub(in crate::iys) channel: Text,
    #[serde(default)]
    pub(in crate::iys) register_time: Text,
    #[serde(default)]
    pub(in crate::iys) status: Text,
}
