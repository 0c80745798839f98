//! Recording the rows of a brand's book: a key's history first, then its state in one write, with what was
//! found out about it before.

use jiff::Timestamp;

use super::item::MovementItem;
use super::store::{WRITE_TRIES, back_off};
use super::{Ledger, LedgerError};
use crate::consent::book::{Findings, Terms, merged, settle};
use crate::consent::{ConsentState, Merge, Movement};
use crate::evidence::Payload;

/// What recording the rows of one key did.
#[derive(Debug, Clone)]
pub struct Booked {
    /// For each row: what it did to the state, and whether the history had not seen it before.
    pub rows: Vec<(Merge, bool)>,
    /// The state now.
    pub state: ConsentState,
    /// Whether the state was written.
    pub is_written: bool,
}

impl Ledger {
    /// Records movements of one key, at least one and the largest first, each with what it was made from. What was found out counts only if
    /// the state is still the one that was `read` before the question. Repeating it is safe at any point.
    pub async fn record_book(
        &self,
        movements: &[(Movement, Payload)],
        read: Option<&ConsentState>,
        findings: &Findings,
        terms: Terms,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Booked, LedgerError> {
        let Some((first, _)) = movements.first() else { return Err(LedgerError::Item { why: "there is no movement to record".into() }) };
        let mut told = Vec::with_capacity(movements.len());
        let mut is_new = Vec::with_capacity(movements.len());
        for (movement, payload) in movements {
            let before = self.put_new(MovementItem::of(movement), Some(*payload)).await?;
            is_new.push(before.is_none());
            told.push(before.unwrap_or_else(|| movement.clone()));
        }
        for attempt in 0..WRITE_TRIES {
            let is_as_read = attempt == 0;
            let before = if is_as_read { read.cloned() } else { self.state(&first.key).await? };
            let Some((mut state, merges)) = merged(before.as_ref(), &told, now, due) else { break };
            let is_changed = before.as_ref() != Some(&state);
            if is_as_read && is_changed {
                settle(&mut state, before.is_none(), findings, terms, now, due);
            }
            if let Some(before) = before.as_ref().filter(|before| before.head.event_id != state.head.event_id) {
                self.note_endings(before).await?;
            }
            if !is_changed || self.put_state(&mut state).await? {
                let rows = merges.into_iter().zip(is_new).collect();
                return Ok(Booked { rows, state, is_written: is_changed });
            }
            back_off(attempt).await;
        }
        Err(LedgerError::Contention)
    }
}
