//! The JSON of İYS's methods: what is sent, and what is read of the answers.
//!
//! What is sent has exactly the documented fields: İYS refuses unknown ones (`H118`), `null` and empty
//! ones (`H267`), so a field that may be missing is left out. What is read has only the fields that
//! are used, each of them optional and tolerant; names, titles and message texts are never read.
//! Nothing here has a `Debug`, because requests and answers carry addresses and secrets.

use serde::{Deserialize, Serialize};

use super::tolerant::{Items, Text};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, Retailers, Status};
use crate::registry::Record;

/// `POST /oauth2/token`.
#[derive(Serialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub(super) enum TokenRequest<'a> {
    Password { username: &'a str, password: &'a str },
    RefreshToken { refresh_token: &'a str },
}

/// The answer to both grants. `token_type` is not read: it is always `bearer`, and one page of the
/// documentation spells it `tokenType`.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(default)]
    pub(super) access_token: Text,
    #[serde(default)]
    pub(super) refresh_token: Text,
    /// Seconds.
    #[serde(default)]
    pub(super) expires_in: Text,
    /// Seconds.
    #[serde(default)]
    pub(super) refresh_expires_in: Text,
}

/// A consent as add and bulk add take it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consent<'a> {
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
    pub(super) fn of(record: &'a Record) -> Self {
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
pub(super) struct Added {
    #[serde(default)]
    pub(super) transaction_id: Text,
}

/// The answer to bulk add.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    #[serde(default)]
    pub(super) request_id: Text,
    #[serde(default)]
    pub(super) sub_requests: Items<SubRequest>,
}

/// One record in the answer to bulk add: its id, and the record again.
#[derive(Deserialize)]
pub(super) struct SubRequest {
    #[serde(default, rename = "subRequestId")]
    id: Text,
    #[serde(default, rename = "subrequestId")]
    id_misspelt: Text,
    #[serde(default, rename = "type")]
    pub(super) channel: Text,
    #[serde(default, rename = "recipientType")]
    pub(super) recipient_type: Text,
    #[serde(default)]
    pub(super) recipient: Text,
}

impl SubRequest {
    pub(super) fn id(&self) -> Option<&str> {
        self.id.get().or(self.id_misspelt.get())
    }
}

/// One line of a bulk result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultRow {
    #[serde(default)]
    pub(super) index: Text,
    #[serde(default)]
    pub(super) status: Text,
    #[serde(default, rename = "subRequestId")]
    id: Text,
    #[serde(default, rename = "subrequestId")]
    id_misspelt: Text,
    #[serde(default)]
    pub(super) transaction_id: Text,
    #[serde(default)]
    pub(super) error: Items<ErrorItem>,
    #[serde(default)]
    pub(super) errors: Items<ErrorItem>,
}

impl ResultRow {
    pub(super) fn id(&self) -> Option<&str> {
        self.id.get().or(self.id_misspelt.get())
    }
}

/// An error, in a list or in a row.
#[derive(Deserialize)]
pub(super) struct ErrorItem {
    #[serde(default)]
    code: Text,
    #[serde(default, rename = "code:")]
    code_misspelt: Text,
    #[serde(default)]
    pub(super) index: Text,
}

impl ErrorItem {
    pub(super) fn code(&self) -> Option<&str> {
        self.code.get().or(self.code_misspelt.get())
    }
}

/// The body of an answer that is not a success, in any of its shapes: `errors` as array or object, one
/// error at the top level, and OAuth's `error`, which is a word and is skipped.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) errors: Items<ErrorItem>,
    #[serde(default)]
    pub(super) error: Items<ErrorItem>,
    #[serde(default)]
    pub(super) code: Text,
    #[serde(default, rename = "code:")]
    pub(super) code_misspelt: Text,
}

/// Single status and history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusQuery<'a> {
    recipient: &'a str,
    recipient_type: RecipientType,
    #[serde(rename = "type")]
    channel: Channel,
}

impl<'a> StatusQuery<'a> {
    pub(super) fn of(channel: Channel, recipient_type: RecipientType, recipient: &'a Recipient) -> Self {
        Self { recipient: recipient.expose(), recipient_type, channel }
    }
}

/// Multi status.
#[derive(Serialize)]
pub(super) struct MultiQuery<'a> {
    pub(super) recipients: Vec<&'a str>,
}

/// The answer to multi status: the addresses that hold an ONAY.
#[derive(Deserialize)]
pub(super) struct MultiAnswer {
    pub(super) list: Vec<Text>,
}

/// A page of pull, history or a push notice.
#[derive(Deserialize)]
pub(super) struct Feed {
    #[serde(default)]
    pub(super) after: Text,
    #[serde(default)]
    pub(super) list: Items<Row>,
}

/// A movement, or what İYS holds for a key. `citizenName` (a person's) and what is told of retailers are
/// not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    #[serde(default)]
    pub(super) iys_code: Text,
    #[serde(default)]
    pub(super) brand_code: Text,
    #[serde(default)]
    pub(super) recipient: Text,
    #[serde(default)]
    pub(super) recipient_type: Text,
    #[serde(default, rename = "type")]
    pub(super) channel: Text,
    #[serde(default)]
    pub(super) status: Text,
    #[serde(default)]
    pub(super) source: Text,
    #[serde(default)]
    pub(super) consent_date: Text,
    #[serde(default)]
    pub(super) creation_date: Text,
    #[serde(default)]
    pub(super) transaction_id: Text,
}

/// Push registration.
#[derive(Serialize)]
pub(super) struct PushRegistration<'a> {
    pub(super) connection: [PushTarget<'a>; 1],
}

/// A push connection, as registration (in a list) and unregistration (by itself) take it.
#[derive(Serialize)]
pub(super) struct PushTarget<'a> {
    pub(super) url: &'a str,
    #[serde(rename = "type")]
    pub(super) channel: Channel,
    pub(super) username: &'a str,
    pub(super) password: &'a str,
}

/// A registered push connection.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PushRow {
    #[serde(default)]
    pub(super) url: Text,
    #[serde(default, rename = "type")]
    pub(super) channel: Text,
    #[serde(default)]
    pub(super) register_time: Text,
    #[serde(default)]
    pub(super) status: Text,
}

/// A brand of the service provider.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BrandRow {
    #[serde(default)]
    pub(super) brand_code: Text,
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) master: Text,
    #[serde(default)]
    pub(super) stats: Option<BrandStats>,
}

/// What a brand holds.
#[derive(Deserialize)]
pub(super) struct BrandStats {
    #[serde(default)]
    pub(super) consents: Option<ConsentCounts>,
}

/// How many consents a brand holds.
#[derive(Deserialize)]
pub(super) struct ConsentCounts {
    #[serde(default)]
    pub(super) approval: Text,
    #[serde(default)]
    pub(super) rejection: Text,
    #[serde(default)]
    pub(super) total: Text,
}
