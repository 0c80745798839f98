//! The port "where consents are registered": what the functions need of İYS, or of an integrator in
//! its place.
//!
//! İYS's own API is the first implementation ([`crate::iys`]). An implementation speaks İYS's field
//! names, enum values, `+E.164` and Turkish time, whatever its own wire looks like, and announces
//! what it can do by [`Capabilities`], never by failing at run time.

mod capabilities;

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::consent::code::{Code, Hold};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, Retailers, Source, Status};
use crate::evidence::Payload;

pub use capabilities::{Authority, Callback, Capabilities, Changes, Outcomes, Proof, Rejects};

/// One consent or refusal to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The address.
    pub recipient: Recipient,
    /// Consumer or merchant.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: Status,
    /// The medium.
    pub source: Source,
    /// The date of the change.
    pub consent_date: ConsentDate,
    /// The dealers that collected it or may use it.
    pub retailers: Retailers,
}

impl Record {
    /// How many bytes it has at most as İYS's JSON, whatever the names of its fields are in another's.
    pub const fn size(&self) -> usize {
        /// Names, words, dates and numbers of eight digits, with what stands around them.
        const FIXED: usize = 256;
        const DEALER: usize = "12345678,".len();
        FIXED + self.recipient.length() + self.retailers.access.len() * DEALER
    }
}

/// What the registry made of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stands there now.
    Recorded {
        /// The registry's id of the movement.
        transaction_id: Option<String>,
    },
    /// It was refused; [`crate::consent::code::disposition`] says what that means.
    Refused(Code),
}

/// What became of a bulk submission at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Taken for processing. Nothing is registered yet.
    Taken {
        /// What to ask results by.
        request_id: String,
        /// The registry's own ids of the records, in their order, where it gave them.
        record_ids: Vec<Option<String>>,
        /// Records (position and code) that were refused at once; the others were taken all the same.
        refused: Vec<(usize, Code)>,
    },
    /// Refused as a whole because of these records (position and code); the others were not judged.
    Refused(Vec<(usize, Code)>),
    /// Refused as a whole because of some of the records, which it does not name.
    RefusedForSome(Code),
}

/// One line of a bulk result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLine {
    /// The registry's own id of the record.
    pub record_id: Option<String>,
    /// Position in the submission, counted from 0, where it can be told.
    pub position: Option<usize>,
    /// `None` while it is not processed yet.
    pub verdict: Option<Verdict>,
}

/// What the registry holds for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// ONAY or RET.
    pub status: Status,
    /// The medium; unstated when the answer names none.
    pub source: Source,
    /// The date of the change, where the answer has one.
    pub consent_date: Option<ConsentDate>,
    /// When the registry recorded it.
    pub creation_date: Option<ConsentDate>,
    /// The registry's id of the movement. Movements of one second share it.
    pub transaction_id: Option<String>,
    /// Whether it stands there under a wrong spelling of the number ([`Recipient::is_misspelt`]), where
    /// nobody finds it. It says nothing about what stands under the right one.
    pub misspelt: bool,
}

/// Whose movements a feed lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// Movements that people made at the registry itself (İYS `source=IYS`).
    People,
    /// Movements that the brand sent (İYS `source=HS`).
    Brand,
}

/// A movement as a feed or a push notice tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The address.
    pub recipient: Recipient,
    /// Consumer or merchant.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// What it says.
    pub holding: Holding,
}

/// One page of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The movements, oldest first.
    pub changes: Vec<Change>,
    /// Lines that could not be read, by the field that was wrong.
    pub unreadable: Vec<String>,
    /// Where the next page begins; `None` keeps the old cursor.
    pub cursor: Option<String>,
    /// Whether there may be more right now.
    pub more: bool,
    /// The answer that all of this was read from.
    pub payload: Option<Payload>,
}

/// Why work is held without a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barred {
    /// What a person has to change.
    pub why: Hold,
    /// The registry's code, where it refused with one.
    pub code: Option<String>,
    /// When the work is looked at again, should nobody release it before.
    pub due: Timestamp,
}

/// Why a call gave no answer about the records in it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A passing fault or a limit: nothing was stored; worth another try from then on.
    #[error("the registry is not available until {until}: {why}")]
    Busy {
        /// When to try again.
        until: Timestamp,
        /// What it was, without addresses.
        why: String,
    },
    /// The request went out and no answer came back: it may have been stored or not.
    #[error("the registry gave no answer: {why}")]
    Unanswered {
        /// What it was, without addresses.
        why: String,
    },
    /// The brand's work waits for a person.
    #[error("the registry refuses the brand ({code}): {why:?}")]
    Held {
        /// For what.
        why: Hold,
        /// The registry's code or HTTP status.
        code: String,
    },
    /// The answer or request has a form that we do not understand: a defect of ours or theirs.
    #[error("the registry's answer could not be used: {why}")]
    Defect {
        /// What it was, with the JSON path where there is one, without addresses.
        why: String,
    },
    /// A question was refused for these addresses' sake (position and code); the others were not looked at.
    #[error("the registry does not answer because of {} of the addresses", .0.len())]
    RefusedFor(Vec<(usize, Code)>),
    /// The ledger, which keeps token and allowance, gave no answer.
    #[error("the ledger gave no answer")]
    Ledger(#[from] crate::ledger::LedgerError),
}

/// A method that the flags do not announce was called: a defect of ours.
fn not_offered<T>(what: &str) -> Result<T, RegistryError> {
    Err(RegistryError::Defect { why: format!("the registry does not offer {what}") })
}

/// What the functions need of the place where consents are registered, for one brand. What the flags of
/// [`Capabilities`] do not announce is never called.
///
/// No method takes the time: a call may wait for its turn first, so an implementation has a clock of
/// its own.
#[async_trait]
pub trait Registry: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Registers one record and waits for the verdict. Sending the identical record again is safe: it is answered as
    /// it was the first time, or refused as already there or as not newer, and nothing is stored twice. Only where
    /// [`Capabilities::single`].
    async fn add(&self, _record: &Record) -> Result<Verdict, RegistryError> {
        not_offered("one record with its verdict")
    }

    /// Hands in many records, at most [`Capabilities::bulk_records`], no key twice.
    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError>;

    /// What became of a bulk submission. Empty while it is not processed. Only where
    /// [`Capabilities::outcomes`] are polled.
    async fn results(&self, _request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        not_offered("results")
    }

    /// Which of these addresses hold an ONAY, at most [`Capabilities::onays_recipients`], none twice. What it
    /// cannot be asked about spoils the question for all ([`RegistryError::RefusedFor`]).
    async fn onays(
        &self,
        _channel: Channel,
        _recipient_type: RecipientType,
        _recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        not_offered("a question about many addresses")
    }

    /// What the registry holds for one key; `None` when it holds nothing.
    async fn holding(
        &self,
        _channel: Channel,
        _recipient_type: RecipientType,
        _recipient: &Recipient,
    ) -> Result<Option<Holding>, RegistryError> {
        not_offered("a question about one address")
    }

    /// The next page of a feed after `cursor`, or from its beginning.
    async fn changes(&self, _feed: Feed, _cursor: Option<&str>) -> Result<Page, RegistryError> {
        not_offered("movements")
    }

    /// A question that concerns nobody and changes nothing: whether credentials and brand are taken. Only where
    /// not [`Capabilities::account`].
    async fn probe(&self, _channel: Channel) -> Result<(), RegistryError> {
        not_offered("a harmless question")
    }

    /// Why records of a channel and status are not to be sent now, where that is known without a call.
    async fn barred(&self, _channel: Channel, _status: Status) -> Result<Option<Barred>, RegistryError> {
        Ok(None)
    }

    /// Whether something that was barred has been opened since this was last asked: then what was held
    /// meanwhile may have been held in vain.
    async fn has_reopened(&self) -> Result<bool, RegistryError> {
        Ok(false)
    }
}
