//! Reading back in bulk: Insider's raw export of a segment, as a stream of what each profile shows.
//!
//! 1. [`Client::order_export`] orders one (once a day) and has its link at once; the file follows hours later.
//! 2. Insider tells the brand's hook when it is there. [`Exports::link_in`] finds the link in whatever
//!    it says; a hook is not needed for more, because the link is known already.
//! 3. [`Client::export`] reads the file within the link's day, in constant memory.
//!
//! It shows flags. The unsubscribe lists cannot be read; a segment of the panel that holds those who are
//! on one is the nearest to it (`insider-api.md §5`).

mod download;
mod rows;

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::client::{Client, ExportOrder, InsiderError};
use crate::brand::{self, ExportFormat};
use crate::consent::{Channel, Recipient};

/// How long a link lives.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Where an export is, and until when. Whoever has it can read the file, so `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    url: String,
    until: Timestamp,
    format: ExportFormat,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("until", &self.until).field("format", &self.format).finish_non_exhaustive()
    }
}

impl Link {
    /// From when on it leads nowhere.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether both lead to one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

/// What Insider shows of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its e-mail address, where it has a valid one.
    pub email: Option<Recipient>,
    /// Its phone number, where it has a valid one.
    pub phone: Option<Recipient>,
    /// The flags that are set, by channel.
    pub flags: BTreeMap<Channel, bool>,
}

impl Shown {
    /// The channel states: an address with its flag, where the profile has both.
    pub fn states(&self) -> impl Iterator<Item = (&Recipient, Channel, bool)> {
        self.flags.iter().filter_map(|(channel, allowed)| {
            let address = if *channel == Channel::Eposta { &self.email } else { &self.phone };
            Some((address.as_ref()?, *channel, *allowed))
        })
    }
}

/// Why an export could not be had. No variant carries an address or a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The brand's document names no segment to export.
    #[error("the brand's document sets up no export (insider.outbound.export)")]
    NotSetUp,
    /// Insider gives one export a day.
    #[error("today's export is used up; the next one is given after {until}")]
    UsedUp {
        /// Midnight, UTC.
        until: Timestamp,
    },
    /// The body that came to the hook holds no link of this account.
    #[error("the body holds no link to an export of this account")]
    NoLink,
    /// The file is not there yet.
    #[error("the export is not ready yet")]
    NotReady,
    /// The link's day is over.
    #[error("the export's link has expired")]
    Expired,
    /// The file does not have the form that was ordered.
    #[error("the export's row {row} could not be read: {why}")]
    Form {
        /// Its number, the first one after the head being 1.
        row: u64,
        /// What it was, without any content.
        why: &'static str,
    },
    /// The request or the download failed.
    #[error(transparent)]
    Insider(#[from] InsiderError),
}

/// An attribute's names: as a profile read asks for it, and as an export's columns are called.
struct Column {
    channel: Channel,
    wanted: String,
    names: [String; 2],
}

fn columns(client: &Client) -> Vec<Column> {
    let account = client.account();
    let column = |channel: &Channel| {
        let name = account.flag_for(*channel)?;
        let wanted = if *channel == Channel::Arama { format!("c_{name}") } else { name.to_owned() };
        Some(Column { channel: *channel, names: [format!("a_{wanted}"), wanted.clone()], wanted })
    };
    Channel::ALL.iter().filter_map(column).collect()
}

#[derive(Deserialize)]
struct Ordered {
    url: String,
}

impl Client {
    /// Orders an export of the brand's segment. Its file follows hours later.
    pub async fn order_export(&self) -> Result<Link, ExportError> {
        let export = self.account().outbound.export.as_ref().ok_or(ExportError::NotSetUp)?;
        let names: Vec<String> =
            ["email", "phone_number"].map(str::to_owned).into_iter().chain(columns(self).into_iter().map(|column| column.wanted)).collect();
        let body = json!({
            "segment": { "segment_id": export.segment_id },
            "attributes": names,
            "format": export.format,
            "hook": export.hook.expose_secret(),
        });
        match self.order(body.to_string()).await? {
            ExportOrder::Taken(body) => {
                let defect = || InsiderError::Defect { why: "export: the answer has another form".into() };
                let Ordered { url } = serde_json::from_slice(&body).map_err(|_| defect())?;
                Ok(self
                    .exports()
                    .link(&url, self.now())
                    .ok_or_else(|| InsiderError::Defect { why: "export: the answer's link leads elsewhere".into() })?)
            }
            ExportOrder::UsedUp => Err(ExportError::UsedUp { until: next_midnight(self.now()) }),
        }
    }

    /// Finds the link in what came to the hook, see [`Exports::link_in`].
    pub fn export_link(&self, body: &[u8]) -> Result<Link, ExportError> {
        self.exports().link_in(body, self.now())
    }

    fn exports(&self) -> Exports<'_> {
        Exports { url: self.export_url(), account: self.account() }
    }
}

/// Where links of one account's exports lead.
#[derive(Clone, Copy)]
pub struct Exports<'a> {
    /// What is above the accounts' folders.
    pub url: &'a Url,
    /// The account.
    pub account: &'a brand::Insider,
}

impl Exports<'_> {
    /// Finds the link in what came to the hook. Insider publishes no body for it, so the first text that
    /// is a link of this account counts, wherever it stands; a link to anywhere else never does.
    pub fn link_in(&self, body: &[u8], now: Timestamp) -> Result<Link, ExportError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| ExportError::NoLink)?;
        let mut open = vec![&body];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => {
                    if let Some(link) = self.link(text, now) {
                        return Ok(link);
                    }
                }
                Value::Array(values) => open.extend(values),
                Value::Object(fields) => open.extend(fields.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        Err(ExportError::NoLink)
    }

    /// A link, if it leads to this account's exports.
    fn link(&self, text: &str, now: Timestamp) -> Option<Link> {
        let url: Url = text.parse().ok()?;
        let folder = format!("{}/{}/", self.url.path().trim_end_matches('/'), self.account.partner);
        let ours =
            url.origin() == self.url.origin() && url.username().is_empty() && url.password().is_none() && url.path().starts_with(&folder);
        let format = self.account.outbound.export.as_ref().map(|export| export.format).unwrap_or_default();
        let until = now.saturating_add(LINK_LIFE).unwrap_or(Timestamp::MAX);
        ours.then(|| Link { url: url.into(), until, format })
    }
}

/// When Insider's day ends.
fn next_midnight(now: Timestamp) -> Timestamp {
    let tomorrow = now.to_zoned(TimeZone::UTC).date().checked_add(1.day());
    tomorrow.and_then(|day| day.to_zoned(TimeZone::UTC)).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}
