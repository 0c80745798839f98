//! What depends on what the ledger knows of an address: who is meant, as which recipient type, and whether a
//! refusal is a new one.

use std::collections::{BTreeSet, HashMap};

use futures::StreamExt;
use shared::brand::Brand;
use shared::consent::{Movement, Recipient, RecipientId, RecipientType, Status};
use shared::door::Door;
use shared::insider::webhook::{self, Referred};
use shared::problem::Problem;

use super::unavailable;

/// How many addresses are looked up at once.
const AT_ONCE: usize = 16;

/// The addresses behind the ids by which elements name their recipients, as far as the ledger knows them.
pub(super) async fn referred(door: &Door, brand: &Brand, elements: &[Referred]) -> Result<HashMap<RecipientId, Recipient>, Problem> {
    let ids: BTreeSet<RecipientId> = elements.iter().map(|element| element.recipient_id.clone()).collect();
    let readings = futures::stream::iter(ids).map(|id| async move {
        let states = door.ledger.states_of(&brand.name, &id).await;
        (id, states)
    });
    let mut readings = readings.buffer_unordered(AT_ONCE);
    let mut recipients = HashMap::new();
    while let Some((id, states)) = readings.next().await {
        // All states of an id are of one address.
        if let Some(state) = states.map_err(|error| unavailable(&error, "an id was not looked up"))?.into_iter().next() {
            recipients.insert(id, state.recipient);
        }
    }
    Ok(recipients)
}

/// Gives movements the keys and ids that depend on what the ledger knows of their addresses.
///
/// Insider does not know consumers from merchants. A refusal counts for every recipient type that the
/// address is known as, a consent for one: the type that it is known as, if that is a single one. And a
/// refusal without a date is named by what it refuses.
pub(super) async fn settled_on_keys(
    door: &Door,
    brand: &Brand,
    movements: Vec<Movement>,
    typed: &BTreeSet<usize>,
    undated: &BTreeSet<usize>,
) -> Result<Vec<Movement>, Problem> {
    let readings = futures::stream::iter(movements.into_iter().enumerate()).map(|(position, movement)| async move {
        // What the body itself says with a date, needs no looking up.
        let states = match typed.contains(&position) && !undated.contains(&position) {
            true => Ok(Vec::new()),
            false => door.ledger.states_of(&brand.name, &movement.key.recipient_id).await,
        };
        (position, movement, states)
    });
    let mut readings = readings.buffered(AT_ONCE);
    let mut settled = Vec::new();
    while let Some((position, movement, states)) = readings.next().await {
        let states = states.map_err(|error| unavailable(&error, "an address was not looked up"))?;
        let known: BTreeSet<RecipientType> =
            states.iter().filter(|state| state.key.channel == movement.key.channel).map(|state| state.key.recipient_type).collect();
        let types = match typed.contains(&position) {
            true => vec![movement.key.recipient_type],
            false => recipient_types(movement.head.status, &known, &brand.insider.recipient_types),
        };
        for recipient_type in types {
            let mut movement = movement.clone();
            movement.key.recipient_type = recipient_type;
            if undated.contains(&position) {
                let last = states.iter().find(|state| state.key == movement.key).map(|state| (&state.head.event_id, state.head.status));
                movement.head.event_id = webhook::id_of_undated(&movement.head.event_id, last);
            }
            settled.push(movement);
        }
    }
    Ok(settled)
}

fn recipient_types(status: Status, known: &BTreeSet<RecipientType>, assumed: &BTreeSet<RecipientType>) -> Vec<RecipientType> {
    let types = if known.is_empty() { assumed } else { known };
    match (status, types.len()) {
        (Status::Onay, 2..) => vec![RecipientType::Bireysel],
        _ => types.iter().copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_for_every_type_that_the_address_is_known_as() {
        use RecipientType::{Bireysel, Tacir};
        let assumed = BTreeSet::from([Bireysel]);
        let types = |status, known: &[RecipientType]| recipient_types(status, &known.iter().copied().collect(), &assumed);
        assert_eq!(types(Status::Ret, &[]), [Bireysel]);
        assert_eq!(types(Status::Ret, &[Tacir]), [Tacir]);
        assert_eq!(types(Status::Ret, &[Tacir, Bireysel]), [Bireysel, Tacir]);
        assert_eq!(types(Status::Onay, &[Tacir]), [Tacir]);
        assert_eq!(types(Status::Onay, &[Tacir, Bireysel]), [Bireysel]);
    }
}
