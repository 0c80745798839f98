//! The ledger: one DynamoDB table that holds every consent state, its history and the work to do.

use aws_sdk_dynamodb::Client;

/// The ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Why the ledger gave no answer. Never carries an item's content.
#[derive(Debug, thiserror::Error)]
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
    pub(crate) fn store<E, R>(operation: &'static str) -> impl FnOnce(aws_sdk_dynamodb::error::SdkError<E, R>) -> Self
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
    {
        move |error| {
            let why = match &error {
                aws_sdk_dynamodb::error::SdkError::ServiceError(service) => {
                    service.err().code().unwrap_or("unknown service error").to_owned()
                }
                aws_sdk_dynamodb::error::SdkError::TimeoutError(_) => "timed out".to_owned(),
                aws_sdk_dynamodb::error::SdkError::DispatchFailure(_) => "no connection".to_owned(),
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
