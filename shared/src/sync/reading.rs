//! Reads many states where one may have no readable form: that one harms no other.

use crate::consent::{ConsentKey, ConsentState};
use crate::ledger::{Ledger, LedgerError};

/// What was read.
#[derive(Default)]
pub(super) struct Reading {
    /// The states, in no order; keys without a state are left out.
    pub(super) states: Vec<ConsentState>,
    /// The keys whose states have no readable form.
    pub(super) unreadable: Vec<ConsentKey>,
}

/// Reads the states of keys. One that cannot be read is found by halving, so it costs a few more
/// requests and nothing while all is well.
pub(super) async fn states(ledger: &Ledger, keys: &[ConsentKey]) -> Result<Reading, LedgerError> {
    let mut reading = Reading::default();
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut open = vec![keys];
    while let Some(mut keys) = open.pop() {
        match ledger.states(&keys).await {
            Ok(states) => reading.states.extend(states),
            Err(LedgerError::Item { .. }) if keys.len() > 1 => {
                open.push(keys.split_off(keys.len() / 2));
                open.push(keys);
            }
            Err(LedgerError::Item { why }) => {
                for key in &keys {
                    tracing::error!(why, recipient = %key.recipient_id, channel = %key.channel, "a state cannot be read");
                }
                reading.unreadable.extend(keys);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(reading)
}
