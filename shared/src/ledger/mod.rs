//! The ledger: one DynamoDB table that holds every consent state, its history and the work to do.
//!
//! A movement is recorded in three repeatable steps: the history item first (a conditional put, which
//! also tells whether the event is new), then the state (a conditional write over the revision that
//! was read), then a queue message by the caller. A crash between any two of them and a repetition
//! end in the same place, and what is left pending without a message is found by the sweep through
//! the sparse index `work`. No step needs a transaction. The index `check` says when each key is compared with
//! what the registry holds.
//!
//! Write units (each item is below 1 KB unless it names more than fifty dealers or an address of more than 160
//! characters, so a write to the table is one unit; an index write is one more, and two when an entry moves).
//! Four indexes are written: `work`, `deadline` for what is bound for the registry, `check`, and `day`, in which
//! a new movement has one entry:
//!
//! | Write | Table | Indexes | Units |
//! |---|---|---|---|
//! | a key's first movement, which opens work at the registry, alone or with Insider's | 2 | 4 | 6 |
//! | the same at Insider only | 2 | 3 | 5 |
//! | a movement that opens work in place of one that has ended, whose endings go into the history | 3 | 5, at Insider only 4 | 8 or 7 |
//! | a movement over work that is still open at the registry | 2 | 7 | 9 |
//! | a movement that becomes the state and opens nothing, in place of one that has ended and was compared | 3 | 3 | 6 |
//! | a key compared with the registry | 1 | 2 | 3 |
//! | a movement that is superseded | 1 | 1 | 2 |
//! | a movement that is repeated | 1 | 0 | 1 |
//! | a row of a book that İYS holds already and Insider needs not hear of | 2 | 2 | 4 |
//! | Insider settled or refused | 1 | 1 | 2 |
//! | the registry settled or refused | 1 | 2 | 3 |
//! | either as the last one beside a refusal; an ONAY settled at the registry that Insider waits for | 1 | one more | one more |
//! | a mark as submitted while Insider's work keeps the due time | 1 | 1 | 2 |
//! | a mark as submitted otherwise; work held or re-opened | 1 | 2 | 3 |
//! | a bulk submission of 1,000 members, written ahead | 104 | 1 | 105 |
//! | … taken, with the registry's ids | 40 | 2 | 42 |
//! | … looked after in vain, or called for by the sweep | 1 | 2 | 3 |
//! | … finished | 1 | 1 | 2 |
//! | a count of İYS's answers: for each failed one, and for every ten good ones of a process | 1 | 0 | 1 |
//!
//! So a key's first refusal from the API costs 11 until both targets have it, one from Insider 9, one from
//! İYS 7, and a consent from the API 12; a movement that follows one that has ended costs two more. (A change of
//! the same status to a key that is still to be compared moves nothing in the index `check` and costs two less.)

mod batch;
mod book;
pub mod budget;
mod check;
mod control;
mod cursor;
mod day;
mod day_file;
mod day_movements;
mod deadlines;
mod document;
mod evidence;
mod insider_export;
pub mod item;
mod pages;
mod push_keys;
pub mod quality;
mod report;
mod standing;
mod store;
mod submission;
pub mod token;
mod unknown;
mod verification;
mod work;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

pub use book::Booked;
pub use check::{CheckClass, CheckDue, CheckGroup, CheckPage};
pub use cursor::Trail;
pub use day::{Current, OfDay};
pub use day_file::{DayDifference, DayFile, DayFileState, DayProgress, DayStep, Kept as KeptDayFile};
pub use day_movements::{Received, ReceivedPage};
pub use deadlines::{Bound, Deadlines};
pub use evidence::{Kept, Shown};
pub use item::{Ending, Entry};
pub use push_keys::{PushKey, PushKeys};
pub use standing::{HeldPage, HeldWork};
pub use store::{Recorded, Story};
pub use submission::{Member, RESULTS_KEPT, Submission, SubmissionHead};
pub use unknown::{UnknownKind, UnknownName};
pub use verification::{DifferenceCount, Verification};
pub use work::{Backlog, Due, DueWork};

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
