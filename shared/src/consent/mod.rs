//! The consent rules: pure, so that they can be tested over any order of events and any moment.
//!
//! Nothing here knows AWS, HTTP, async or a clock; `now` is always an argument.

mod aside;
pub mod book;
pub mod check;
pub mod code;
mod date;
mod key;
mod movement;
pub mod plan;
mod recipient;
mod refused;
mod retailers;
pub mod rules;
pub mod slack;
mod source;
pub mod standing;
mod state;
mod vocabulary;

pub use aside::AsideReason;
pub use date::{ConsentDate, DateError, TURKISH_TIME};
pub use key::{BrandName, BrandNameError, ConsentKey};
pub use movement::{EventId, EventIdError, Head, Movement, Origin, Sent};
pub use recipient::{RawRecipient, Recipient, RecipientError, RecipientId, RecipientIdError, RecipientIdKey};
pub use refused::Refused;
pub use retailers::{RETAILER_ACCESS, RawRetailer, Retailers};
pub use source::{Source, SourceError};
pub use state::{Answer, ConsentState, Known, Merge, Outcome, Sync, Target};
pub use vocabulary::{Channel, RecipientType, Status, UnknownWord};
