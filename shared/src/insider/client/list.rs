//! Insider's global unsubscribe lists: where their calls go and what their bodies say.
//!
//! No body has a field for a group. At Insider the same path leaves a group or the whole channel, and a
//! group that is missing or empty means the whole channel; what cannot be named cannot be lost.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::batch::{Rows, joined};
use crate::brand::{self, EmailFlow, ListApi};
use crate::consent::{Channel, Recipient};

/// Most addresses in one call of v2.
const MOST: usize = 500;

/// A global unsubscribe list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// E-mail.
    Email,
    /// SMS.
    Sms,
    /// WhatsApp, which is no channel of İYS.
    Whatsapp,
}

impl List {
    /// The list of a channel; calls have none.
    pub const fn of(channel: Channel) -> Option<Self> {
        match channel {
            Channel::Eposta => Some(List::Email),
            Channel::Mesaj => Some(List::Sms),
            Channel::Arama => None,
        }
    }

    /// Whether an address is of the list's kind.
    pub(super) fn takes(self, recipient: &Recipient) -> bool {
        matches!((self, recipient), (List::Email, Recipient::Email(_)) | (List::Sms | List::Whatsapp, Recipient::Phone(_)))
    }
}

/// One of the twelve calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) list: List,
    pub(super) unsubscribe: bool,
    pub(super) api: ListApi,
}

impl Call {
    pub(super) const fn path(self) -> &'static str {
        match (self.list, self.api, self.unsubscribe) {
            (List::Email, ListApi::V1, true) => "email/v1/unsubscribe",
            (List::Email, ListApi::V1, false) => "email/v1/subscribe",
            (List::Email, ListApi::V2, true) => "email/v2/unsubscribe",
            (List::Email, ListApi::V2, false) => "email/v2/subscribe",
            (List::Sms, ListApi::V1, true) => "sms/v1/unsubscribe",
            (List::Sms, ListApi::V1, false) => "sms/v1/subscribe",
            (List::Sms, ListApi::V2, true) => "sms/v2/unsubscribe",
            (List::Sms, ListApi::V2, false) => "sms/v2/subscribe",
            (List::Whatsapp, ListApi::V1, true) => "whatsapp/v1/unsubscribe",
            (List::Whatsapp, ListApi::V1, false) => "whatsapp/v1/subscribe",
            (List::Whatsapp, ListApi::V2, true) => "whatsapp/v2/unsubscribe",
            (List::Whatsapp, ListApi::V2, false) => "whatsapp/v2/subscribe",
        }
    }

    /// Most addresses of one call.
    pub(super) const fn most(self) -> usize {
        match self.api {
            ListApi::V1 => 1,
            ListApi::V2 => MOST,
        }
    }

    /// Whether people are named by their uuid, which has to be looked up.
    pub(super) fn by_uuid(self, account: &brand::Insider) -> bool {
        self.list == List::Email && self.api == ListApi::V2 && account.outbound.email_flow != EmailFlow::Emails
    }

    /// A body. Addresses and uuids in the rows are JSON already.
    pub(super) fn body(self, account: &brand::Insider, rows: Rows<'_>) -> String {
        let addresses = || joined(rows.each().iter().map(|row| row.text.as_str()));
        let uuids = || joined(rows.each().iter().map(|row| row.uuid.as_deref().unwrap_or("null")));
        let field = match (self.list, self.api) {
            (List::Email, ListApi::V1) => return format!(r#"{{"email":{}}}"#, addresses()),
            (List::Sms | List::Whatsapp, ListApi::V1) => return format!(r#"{{"phone_number":{}}}"#, addresses()),
            (List::Sms | List::Whatsapp, ListApi::V2) => return format!(r#"{{"phone_numbers":[{}]}}"#, addresses()),
            (List::Email, ListApi::V2) => match (account.outbound.email_flow, self.unsubscribe) {
                (EmailFlow::Emails, _) => format!(r#""emails":[{}]"#, addresses()),
                (EmailFlow::Users, true) => {
                    let user =
                        |row: &super::batch::Row| format!(r#"{{"uuid":{},"email":{}}}"#, row.uuid.as_deref().unwrap_or("null"), row.text);
                    format!(r#""users":[{}]"#, joined(rows.each().iter().map(user)))
                }
                (EmailFlow::Users, false) => format!(r#""uuids":[{}],"emails":[{}]"#, uuids(), addresses()),
                (EmailFlow::Uuids, _) => format!(r#""uuids":[{}]"#, uuids()),
            },
        };
        let uploader = account.uploader_email.as_ref().map(|address| Value::from(address.expose_secret()));
        let uploader = uploader.map(|address| format!(r#","uploader_email":{address}"#));
        format!("{{{field}{}}}", uploader.unwrap_or_default())
    }
}

/// How an address stands in a body.
pub(super) fn text(recipient: &Recipient) -> String {
    json!(recipient.expose()).to_string()
}
