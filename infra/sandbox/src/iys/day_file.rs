//! The file of one day's movements of a brand, and its digest.

use jiff::Timestamp;
use sha2::{Digest, Sha256, Sha384};

use super::model::{Key, Movement, write_date};
use super::store::Store;
use super::switches::{HashMethod, Switches};

/// The columns, in their order (İYS API documentation, “Mutabakat Yönetimi”).
const COLUMNS: [&str; 8] = ["creationDate", "transactionId", "recipient", "recipientType", "type", "status", "consentDate", "source"];

/// All movements of a day, the provider's and the recipients', as CSV.
pub(crate) struct DayFile {
    pub(crate) text: String,
    pub(crate) digest: Vec<u8>,
}

impl DayFile {
    /// The movements recorded within `span`, both ends included, sorted by creation date and transaction; `None` if there are none.
    pub(crate) fn write(store: &Store, brand: u64, span: (Timestamp, Timestamp), switches: &Switches) -> Option<Self> {
        let side = |by_recipients| store.movements(brand, by_recipients, span, None, usize::MAX, |_| true);
        let mut rows = [side(false), side(true)].concat();
        rows.sort_by_key(|(position, _, _)| *position);
        if switches.one_row_per_transaction {
            // Of movements that share a transaction the last one stands.
            rows.reverse();
            rows.dedup_by_key(|(position, _, _)| *position);
            rows.reverse();
        }
        if rows.is_empty() {
            return None;
        }
        let end = if switches.day_file_crlf { "\r\n" } else { "\n" };
        let body: String = rows.iter().map(|(_, key, movement)| line(key, movement) + end).collect();
        let header = if switches.day_file_header { COLUMNS.join(",") + end } else { String::new() };
        let hashed = if switches.hash_without_header { body.clone() } else { format!("{header}{body}") };
        let digest = match switches.hash_method {
            HashMethod::Sha384 => Sha384::digest(&hashed).to_vec(),
            HashMethod::Sha256 => Sha256::digest(&hashed).to_vec(),
        };
        Some(Self { text: header + &body, digest })
    }
}

fn line(key: &Key, movement: &Movement) -> String {
    [
        movement.creation_date().as_str(),
        &movement.transaction_id(),
        &key.recipient,
        key.recipient_type.name(),
        key.consent_type.name(),
        movement.status.name(),
        &movement.consent_date.map(write_date).unwrap_or_default(),
        movement.source.as_deref().unwrap_or_default(),
    ]
    .join(",")
}
