//! The calls that tell Insider what the ledger holds: unsubscribe, resubscribe, opt-in flags, and the
//! one that reads a profile back.
//!
//! Insider keeps two stores that do not follow each other: the global unsubscribe lists
//! ([`Client::unsubscribe`], [`Client::resubscribe`]) and the profile's opt-in flags
//! ([`Client::upsert`]). Whoever tells Insider a state tells both.
//!
//! Four things are never sent: a group (see [`list`]; a call without one is global, and only that is a consent), the
//! flag `gdpr_optin` (it silences every channel), an identifier as an attribute, and an upsert that
//! triggers webhooks (`skip_hook` keeps Insider from telling us what we told it).
//!
//! Every call sets a state, so repeating one is safe; the order of calls about one address is the
//! caller's.

mod batch;
mod http;
mod list;
mod order;
mod policy;
mod profile;
mod quota;
mod upsert;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use jiff::Timestamp;
use url::Url;

use crate::brand;
use crate::consent::code::Hold;
use crate::consent::{Channel, ConsentDate, Recipient, Source};

use batch::{Batch, Row};
pub use http::Connection;
use http::Endpoint;
pub use list::List;
pub(super) use order::ExportOrder;
pub use profile::{Profile, Quota};

/// Where Insider is, how long it may take, and how much of its allowance is used. The allowances are
/// Insider's own, per key, and thus per brand.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Unsubscribe and resubscribe: `https://contact.useinsider.com`.
    pub contact_url: Url,
    /// Upsert and profile read: `https://unification.useinsider.com`.
    pub unification_url: Url,
    /// Until a connection stands. Default 5 s.
    pub connect_timeout: Duration,
    /// Until an answer is complete, the connection included. Default 20 s.
    pub timeout: Duration,
    /// Where links of exports lead: `https://insider-data-export.useinsider.com`. Others are not followed.
    pub export_url: Url,
    /// Until the last byte of an export is there. Default 15 minutes.
    pub export_timeout: Duration,
    /// Unsubscribe and resubscribe calls a minute. Default 600: Insider publishes it for single
    /// resubscribes and nothing for the bulk calls, which are kept within it.
    pub contact_per_minute: u32,
    /// Upserts a minute. Default 25,000.
    pub upsert_per_minute: u32,
    /// Units for profile reads a minute. Default 1,000. What a read costs is told by its answer only; the
    /// last one told counts.
    pub profile_units_per_minute: u32,
}

impl Settings {
    /// The defaults, for the two hosts.
    ///
    /// Links of exports are taken from the unification host where that is not Insider's own, as in a
    /// simulator.
    pub fn new(contact_url: Url, unification_url: Url) -> Self {
        let insiders = unification_url.host_str() == Some("unification.useinsider.com");
        let export_url = if insiders { "https://insider-data-export.useinsider.com".parse().ok() } else { None };
        Self {
            export_url: export_url.unwrap_or_else(|| unification_url.clone()),
            export_timeout: Duration::from_secs(900),
            contact_url,
            unification_url,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            contact_per_minute: 600,
            upsert_per_minute: 25_000,
            profile_units_per_minute: 1_000,
        }
    }
}

/// The allowances of one brand, over all workers together.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Waits for room in a pool of so many a minute. When there is none within reach: the moment from
    /// which asking again is worth it.
    async fn slot(&self, pool: &str, per_minute: u32) -> Result<(), Timestamp>;

    /// Insider wants no call of this pool before `until`. Whether that is kept from here on, so that
    /// asking for room again waits for it.
    async fn pause(&self, _pool: &str, _per_minute: u32, _until: Timestamp) -> bool {
        false
    }
}

/// What became of one item of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Insider took it. It answers when a call is accepted; what it shows may lag behind.
    Applied,
    /// Insider has no place for it, so nothing was sent: a channel without a list or flag there.
    NotNeeded,
    /// Insider refuses it, and will again.
    Refused {
        /// A short code: `insider_` and the HTTP status, or what is wrong with the user.
        code: &'static str,
    },
}

/// The answer about one item of a call.
pub type Answer = Result<Outcome, InsiderError>;

/// Why a call gave no answer about its items. No variant carries an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsiderError {
    /// A passing fault or a limit; worth another try from then on. What was sent is safe to repeat.
    #[error("Insider is not available until {until}: {why}")]
    Busy {
        /// When to try again.
        until: Timestamp,
        /// What it was.
        why: String,
    },
    /// The request went out and no answer came back: it may have been applied or not.
    #[error("Insider gave no answer: {why}")]
    Unanswered {
        /// What it was.
        why: String,
    },
    /// The brand's work waits for a person.
    #[error("Insider refuses the brand ({code}): {why:?}")]
    Held {
        /// For what.
        why: Hold,
        /// A short code.
        code: String,
    },
    /// A request or answer of a form that one side does not understand.
    #[error("Insider's answer could not be used: {why}")]
    Defect {
        /// What it was, with the JSON path where there is one.
        why: String,
    },
}

/// When and how a state came about, for a profile to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentTold {
    /// Its date.
    pub date: ConsentDate,
    /// Its source.
    pub source: Source,
}

/// One opt-in flag to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The address, by which Insider finds the profile.
    pub recipient: Recipient,
    /// The channel.
    pub channel: Channel,
    /// Whether messages are allowed.
    pub allowed: bool,
    /// What else the profile shows of it, where the brand names attributes for that.
    pub told: Option<ConsentTold>,
}

/// Insider, for one brand.
#[derive(Clone)]
pub struct Client {
    connection: Connection,
    account: Arc<brand::Insider>,
    throttle: Arc<dyn Throttle>,
    quota: Arc<quota::Cost>,
}

/// How many profiles are read at once for their uuid.
const LOOK_UPS: usize = 8;

impl Client {
    /// A client for a brand. `throttle` holds the brand's allowances.
    pub fn new(connection: Connection, account: Arc<brand::Insider>, throttle: Arc<dyn Throttle>) -> Self {
        Self { connection, account, throttle, quota: Arc::default() }
    }

    /// Puts addresses on a global unsubscribe list. Any number: they are sent by the hundreds. One answer
    /// each, in their order; once a call fails, the rest is not sent and has the same error.
    pub async fn unsubscribe(&self, list: List, recipients: &[Recipient]) -> Vec<Answer> {
        self.list(list, true, recipients).await
    }

    /// Takes addresses off a global unsubscribe list; see [`Client::unsubscribe`].
    pub async fn resubscribe(&self, list: List, recipients: &[Recipient]) -> Vec<Answer> {
        self.list(list, false, recipients).await
    }

    async fn list(&self, list: List, unsubscribe: bool, recipients: &[Recipient]) -> Vec<Answer> {
        let call = list::Call { list, unsubscribe, api: self.account.outbound.list_api };
        let uuids = if call.by_uuid(&self.account) { Some(self.uuids(recipients).await) } else { None };
        let mut batch = Batch::default();
        for recipient in recipients {
            if !list.takes(recipient) {
                batch.answer(Ok(Outcome::Refused { code: policy::WRONG_CHANNEL }));
                continue;
            }
            match uuids.as_ref().map(|uuids| uuid_of(uuids, recipient)).transpose() {
                Ok(uuid) => {
                    let row = batch.row_of(recipient);
                    batch.set(row, || Row { text: list::text(recipient), uuid: uuid.map(|uuid| uuid.to_string()) });
                }
                Err(answer) => batch.answer(answer),
            }
        }
        self.send_in_batches(Endpoint::List(call), batch).await
    }

    /// Sets opt-in flags, each in the profile of its address. Any number: they are sent by the
    /// thousand. One answer each, in their order; once a call fails, the rest is not sent and has the
    /// same error. Of two flags for one address and channel the later one counts.
    pub async fn upsert(&self, flags: &[Flag]) -> Vec<Answer> {
        let mails: Vec<_> = flags.iter().map(|flag| &flag.recipient).filter(|recipient| List::Email.takes(recipient)).cloned().collect();
        let profile_based = self.account.outbound.email_flow != brand::EmailFlow::Emails;
        let uuids = if profile_based { self.uuids(&mails).await } else { HashMap::new() };
        let identifiers = |recipient: &Recipient| match recipient {
            Recipient::Email(_) if profile_based => uuid_of(&uuids, recipient).map(|uuid| serde_json::json!({ "uuid": uuid })),
            _ => Ok(upsert::identifiers(recipient)),
        };
        let answers = self.send_in_batches(Endpoint::Upsert, upsert::batch(flags, &self.account, identifiers)).await;
        self.once_more(flags, answers, identifiers).await
    }

    /// Some users go once more, by themselves. Those that were refused among others without a reason that we
    /// know: what was wrong may have passed, and what is told of a thousand users is told of few more
    /// surely. And those that were refused for their attributes while they showed date and source: a flag
    /// must not fail for what is only shown beside it, so it goes alone.
    async fn once_more(
        &self,
        flags: &[Flag],
        mut answers: Vec<Answer>,
        identifiers: impl Fn(&Recipient) -> Result<serde_json::Value, Answer>,
    ) -> Vec<Answer> {
        let (mut places, mut again) = (Vec::new(), Vec::new());
        for (place, (flag, answer)) in flags.iter().zip(&answers).enumerate() {
            let shows = flag.told.is_some() && self.account.outbound.consent_attributes.contains_key(&flag.channel);
            let told = match answer {
                Ok(Outcome::Refused { code: policy::REFUSED }) if flags.len() > 1 => flag.told.clone(),
                Ok(Outcome::Refused { code: policy::INVALID_ATTRIBUTE }) if shows => None,
                _ => continue,
            };
            places.push(place);
            again.push(Flag { told, ..flag.clone() });
        }
        if again.is_empty() {
            return answers;
        }
        tracing::warn!(users = again.len(), "users that Insider refused go once more");
        let second = self.send_in_batches(Endpoint::Upsert, upsert::batch(&again, &self.account, identifiers)).await;
        for (place, answer) in places.into_iter().zip(second) {
            if let Some(first) = answers.get_mut(place) {
                *first = answer;
            }
        }
        answers
    }

    /// The uuids of profiles, by address.
    async fn uuids<'a>(&self, recipients: &'a [Recipient]) -> HashMap<&'a Recipient, Result<Option<String>, InsiderError>> {
        let distinct: std::collections::HashSet<&Recipient> = recipients.iter().collect();
        let read = async |recipient: &'a Recipient| (recipient, profile::uuid(self, recipient).await);
        futures::stream::iter(distinct).map(read).buffer_unordered(LOOK_UPS).collect().await
    }

    /// Reads the flags of one profile; `None` when Insider knows nobody by the address. It tells
    /// nothing of the unsubscribe lists, which cannot be read.
    pub async fn profile(&self, recipient: &Recipient) -> Result<Option<Profile>, InsiderError> {
        profile::flags(self, recipient).await
    }
}

/// A profile's uuid, or the answer about a person whose profile has none to be found.
fn uuid_of(uuids: &HashMap<&Recipient, Result<Option<String>, InsiderError>>, recipient: &Recipient) -> Result<serde_json::Value, Answer> {
    match uuids.get(recipient) {
        Some(Ok(Some(uuid))) => Ok(serde_json::Value::from(uuid.as_str())),
        Some(Err(error)) => Err(Err(error.clone())),
        Some(Ok(None)) | None => Err(Ok(Outcome::Refused { code: policy::NO_UUID })),
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("partner", &self.account.partner).finish_non_exhaustive()
    }
}
