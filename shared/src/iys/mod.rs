//! İYS's own API as a place where consents are registered.
//!
//! [`Client`] is one per process: it shares the HTTP client, the access token and the allowances over
//! all brands, because İYS counts calls per source address. [`IysRegistry`] is the same for one brand
//! and implements the port [`crate::registry::Registry`].
//!
//! | File | What it decides |
//! |---|---|
//! | `settings` | addresses, limits, timeouts, and the pace |
//! | `wire` | the JSON that is sent and read |
//! | `tolerant` | which odd spellings of JSON are read as well |
//! | `answer` | what an answer's errors are, and which of several counts |
//! | `call` | allowance, token, sending, and what a failure means |
//! | `http` | when the HTTP client is built |
//! | `token` | when and how the access token is renewed |
//! | `gauge` | how İYS takes the calls, counted for all workers |
//! | `operation` | İYS's methods: names and paths |
//! | `client` | one method for every İYS method, by subject |
//! | `feed` | lines of pull, history and push notices |
//! | `registry` | the port, for one brand |
//! | `day_files` | the port of the days' files, for one brand |
//! | `account` | what İYS says of the brand itself, and its push connections |
//!
//! The facts are those of İYS's documentation (<https://apidocs.iys.org.tr/>); where it contradicts
//! itself, both readings are accepted from İYS and the narrower one is sent.

mod account;
mod answer;
mod call;
mod client;
mod day_files;
mod feed;
mod gauge;
mod operation;
mod registry;
mod settings;
mod token;
pub(crate) mod tolerant;
mod wire;

pub use account::IysAccount;
pub use client::{
    Agreement, AgreementProcess, Answered, BrandInfo, ChannelAccess, City, Client, Confirmation, DayCount, DayFile, DayFileEnd, DayLine,
    HistoryPage, LONGEST_LIST, NewRetailer, PartnerBrand, Place, PushConnection, Retailer, RetailerStatus, Subscription,
    SubscriptionStatus, Town,
};
pub use day_files::IysDayFiles;
pub use feed::{NoticeError, PushLine, read_notice};
pub use operation::{OPERATIONS, Operation};
pub use registry::IysRegistry;
pub use settings::{AllowanceUse, Limits, QualityUse, Settings, Used};
