//! The port "the registry's own list of a day": what it counted, its file and the file's hash, and our
//! confirmation.
//!
//! It is apart from [`crate::registry::Registry`], because not every place where consents are registered has
//! such files: İYS has ([`crate::iys`]), under the name of mutabakat, for brands that have authorised it.

use async_trait::async_trait;
use jiff::civil::Date;

use crate::consent::{Channel, RecipientType};
use crate::evidence::Payload;
use crate::registry::{Change, Feed, RegistryError};

/// What a registry says of a day's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayInfo {
    /// Why it is not there yet, in the registry's word; `None` when it is there.
    pub not_ready: Option<&'static str>,
    /// Its hash in hexadecimal digits.
    pub hash: Option<String>,
    /// Whether somebody has confirmed the day already.
    pub is_confirmed: bool,
}

/// How many movements the registry counted on a day, on one channel and from one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideCount {
    /// The channel.
    pub channel: Channel,
    /// Consumers or merchants.
    pub recipient_type: RecipientType,
    /// Who made the movements.
    pub feed: Feed,
    /// All of them, where it says so.
    pub total: Option<u64>,
    /// Those that are not written yet, and therefore in no file.
    pub pending: u64,
}

/// One row of a day's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// Its number in the file.
    pub number: u64,
    /// The movement, or the column that could not be read.
    pub change: Result<Change, &'static str>,
    /// The bytes that it was read from.
    pub payload: Payload,
}

/// A day's file on its way: it may be as large as the brand has movements, so it is never held.
#[async_trait]
pub trait DayRows: Send {
    /// The next row; `None` at the end.
    async fn next(&mut self) -> Result<Option<DayRow>, RegistryError>;

    /// Reads what is left, and tells whether this is the file that has this hash.
    async fn has_hash(self: Box<Self>, hash: &str) -> Result<bool, RegistryError>;
}

/// The files of a brand's days, as a registry writes them when a day is over. A day is one of Türkiye's.
#[async_trait]
pub trait DayFiles: Send + Sync {
    /// How many days back can be asked about, beginning with yesterday.
    fn days_back(&self) -> u8;

    /// What there is about a day; `None` when there is nothing, be it that nothing happened, be it that it is
    /// not written yet.
    async fn info(&self, day: Date) -> Result<Option<DayInfo>, RegistryError>;

    /// What the registry counted on a day. Sides without movements may be missing.
    async fn counts(&self, day: Date) -> Result<Vec<SideCount>, RegistryError>;

    /// A day's file; `None` when there is none.
    async fn open(&self, day: Date) -> Result<Option<Box<dyn DayRows>>, RegistryError>;

    /// Confirms that a day's file is right. Doing it twice is once. `false` when there is nothing to confirm.
    async fn confirm(&self, day: Date) -> Result<bool, RegistryError>;
}
