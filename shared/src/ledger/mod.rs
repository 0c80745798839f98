//! The ledger: one DynamoDB table that holds every consent state, its history and the work to do.
//!
//! A movement is recorded in three repeatable steps: the history item first (a conditional put, which
//! also tells whether the event is new), then the state (a conditional write over the revision that
//! was read), then a queue message by the caller. A crash between any two of them and a repetition
//! end in the same place, and what is left pending without a message is found by the sweep through
//! the sparse index `work`. No step needs a transaction.
//!
//! Write units, index writes counted: a new movement costs 3 when it opens work and 2 when it does
//! not; settling one target costs 3 while the other is open, and the same when it is the last.

pub mod budget;
mod control;
mod cursor;
pub mod item;
mod store;
mod submission;
pub mod token;
mod unknown;
mod work;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

pub use cursor::Trail;
pub use item::{Ending, Entry};
pub use store::{Recorded, Story};
pub use submission::{Member, Submission};
pub use work::{Backlog, DueWork};

/// The ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Why the ledger gave no answer. Never carries an item's content.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// DynamoDB refused or did not answer.
    #[error("DynamoDB {operation}: {why}")]
    Store {
        /// The operation.
        operation: &'static str,
        /// The error's code, or what kind of fault it was.
        why: String,
    },
    /// An item does not have the form that this version writes.
    #[error("an item of the ledger cannot be read: {why}")]
    Item {
        /// What is wrong, naming the attribute only.
        why: String,
    },
    /// Others kept changing the same item.
    #[error("too much contention on one item of the ledger")]
    Contention,
}

impl LedgerError {
    /// An SDK error without anything that could quote an item.
    pub(crate) fn store<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        move |error| {
            let why = match &error {
                SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown service error").to_owned(),
                SdkError::TimeoutError(_) => "timed out".to_owned(),
                SdkError::DispatchFailure(_) => "no connection".to_owned(),
                _ => "no usable answer".to_owned(),
            };
            Self::Store { operation, why }
        }
    }
}

impl Ledger {
    /// A ledger over a table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}
