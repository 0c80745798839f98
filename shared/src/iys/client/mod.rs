//! One method for every method of İYS that is called, by subject.
//!
//! | File | What is asked there |
//! |---|---|
//! | `consents` | add, bulk add and its results |
//! | `versions` | whether İYS offers the second version of those, and what is used when it does not |
//! | `queries` | single status, multi status, history |
//! | `feeds` | pull |
//! | `push` | push connections |
//! | `account` | the service provider's brands and subscription |
//! | `partner` | what a business partner may do |
//! | `agreements` | reconciliation: summary, hash, time stamp, confirmation |
//! | `day_file` | reconciliation: a day's movements, as a stream |
//! | `retailers` | retailers of a brand |
//! | `retailer_access` | which retailers may use a consent |
//! | `places` | cities and towns |
//! | `paging` | lists that come in pages |

mod account;
mod agreements;
mod consents;
mod day_file;
mod feeds;
mod paging;
mod partner;
mod places;
mod push;
mod queries;
mod retailer_access;
mod retailers;
mod versions;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::answer::{Reply, decisive};
use super::call::{Call, defect};
use super::gauge::Gauge;
use super::settings::Settings;
use super::token::Tokens;
use super::tolerant::Items;
use crate::brand;
use crate::clock::Clock;
use crate::consent::code::Code;
use crate::http::Http;
use crate::ledger::Ledger;
use crate::registry::RegistryError;

pub use account::{BrandInfo, Subscription, SubscriptionStatus};
pub use agreements::{Agreement, AgreementProcess, Confirmation, DayCount};
pub use day_file::{DayFile, DayFileEnd, DayLine};
pub use partner::{ChannelAccess, PartnerBrand};
pub use places::{City, Town};
pub use push::PushConnection;
pub use queries::HistoryPage;
pub use retailer_access::LONGEST_LIST;
pub use retailers::{NewRetailer, Place, Retailer, RetailerStatus};
use versions::Versions;

pub(super) use agreements::DAYS_BACK;
pub(super) use consents::{BULK_BYTES, BULK_RECORDS};
pub(super) use queries::ONAYS_RECIPIENTS;

/// İYS for one process. Cloning it is cheap and shares everything.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    worker: String,
    http: Http,
    tokens: Tokens,
    gauge: Gauge,
    versions: Versions,
    clock_offset: Mutex<Option<SignedDuration>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("iys::Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What became of a call that İYS may refuse for what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered<T> {
    /// İYS did it.
    Done(T),
    /// İYS refused it; [`Code::entry`] says why and what to do.
    Refused(Code),
}

impl Answered<Reply> {
    /// The same where the answer's body says nothing.
    fn without_body(self) -> Answered<()> {
        match self {
            Answered::Done(_) => Answered::Done(()),
            Answered::Refused(code) => Answered::Refused(code),
        }
    }
}

impl Client {
    /// A client. `worker` names this process among all that share the ledger and must be unique among
    /// them; nothing is connected or read yet.
    pub fn new(settings: Settings, ledger: Ledger, clock: Clock, worker: impl Into<String>) -> Self {
        let http = Http::new(settings.connect_timeout);
        let (tokens, gauge, versions) = (Tokens::default(), Gauge::default(), Versions::default());
        Self(Arc::new(Inner {
            settings,
            ledger,
            clock,
            worker: worker.into(),
            http,
            tokens,
            gauge,
            versions,
            clock_offset: Mutex::default(),
        }))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How far İYS's clock was ahead of ours at its latest answer, negative when it was behind; `None`
    /// before any. It is read from the header `Date`, which has whole seconds, so a second or two mean
    /// nothing.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        *self.0.clock_offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_clock_offset(&self, offset: SignedDuration) {
        *self.0.clock_offset.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub(super) fn worker(&self) -> &str {
        &self.0.worker
    }

    pub(super) fn http(&self) -> &Http {
        &self.0.http
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(super) fn gauge(&self) -> &Gauge {
        &self.0.gauge
    }

    fn versions(&self) -> &Versions {
        &self.0.versions
    }

    /// The answer to a call that carries nothing that İYS could refuse.
    async fn read(&self, account: &brand::Iys, call: &Call) -> Result<Reply, RegistryError> {
        let reply = self.exchange(account, call).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(self.fault(call, &reply).await) }
    }

    /// The answer to a call that İYS may refuse for what it carries.
    async fn carry_out(&self, account: &brand::Iys, call: &Call) -> Result<Answered<Reply>, RegistryError> {
        let reply = self.exchange(account, call).await?;
        if reply.status.is_success() {
            return Ok(Answered::Done(reply));
        }
        let problem = decisive(&reply.problems(), reply.status.as_u16());
        self.judge(call, &reply, problem).await.map(Answered::Refused)
    }

    /// The elements of an answer that is an array. Elements that are no objects are left out.
    async fn list<T: DeserializeOwned>(&self, account: &brand::Iys, call: &Call) -> Result<Vec<T>, RegistryError> {
        let reply = self.read(account, call).await?;
        if reply.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Items<T> = reply.read().map_err(|why| defect(call.name, &why))?;
        Ok(rows.0.into_iter().flatten().collect())
    }

    /// The one object of an answer; `None` when it is empty.
    async fn one<T: DeserializeOwned>(&self, account: &brand::Iys, call: &Call) -> Result<Option<T>, RegistryError> {
        Ok(self.list(account, call).await?.into_iter().next())
    }
}

/// A success that stored something and cannot be read: whether everything was stored is unknown.
fn unreadable(name: &str, why: &str) -> RegistryError {
    RegistryError::Unanswered { why: format!("{name}: a success that cannot be read, {why}") }
}

/// The numbers in a path: service provider and brand.
fn codes(account: &brand::Iys) -> [String; 2] {
    [account.iys_code.to_string(), account.brand_code.to_string()]
}
