//! `POST /v1/{brand}/insider/events`: any of Insider's payload families.

use std::collections::BTreeSet;

use futures::StreamExt;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::{Movement, RecipientType, Status};
use shared::door::Door;
use shared::insider::auth;
use shared::insider::webhook::{self, IntakeCounts, ReadError};
use shared::problem::{self, Problem};

use crate::take;

/// How many addresses are looked up at once.
const READS_AT_ONCE: usize = 16;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(flatten)]
    counts: IntakeCounts,
    accepted: usize,
    duplicates: usize,
    superseded: usize,
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body = problem::body(request)?;
    if !auth::authenticate(&brand.insider.webhook_auth, request.headers(), body) {
        return Err(Problem::unauthorised("Insider"));
    }
    let read = webhook::read(body, brand, (door.clock)()).map_err(|error| match error {
        ReadError::Form => Problem::malformed(error.to_string()),
        ReadError::TooMany => Problem::rule(error.to_string()),
    })?;
    let counts = read.counts;
    for aside in &read.asides {
        door.ledger.keep_aside(aside).await.map_err(|error| {
            tracing::error!(%error, "an aside was not kept");
            Problem::unavailable()
        })?;
    }
    let taken = take(door, for_known_types(door, brand, read.movements, &read.typed).await?).await?;
    for (name, times) in &counts.unknown {
        // A count is worth less than the events: without it, they are taken all the same.
        if let Err(error) = door.ledger.count_unknown_event(&brand.name, name, *times).await {
            tracing::warn!(%error, "an unknown event was not counted");
        }
    }
    tracing::info!(
        brand = %brand.name,
        received = counts.received,
        accepted = taken.accepted,
        duplicates = taken.duplicates,
        invalid = counts.invalid.len(),
        unknown = counts.unknown.values().sum::<u32>(),
        "Insider's events taken"
    );
    let answer = Answer { counts, accepted: taken.accepted, duplicates: taken.duplicates, superseded: taken.superseded };
    Ok(problem::json(StatusCode::OK, &answer))
}

/// Insider does not know consumers from merchants. A refusal counts for every recipient type that the
/// address is known as, a consent for one: the type that it is known as, if that is a single one.
async fn for_known_types(door: &Door, brand: &Brand, movements: Vec<Movement>, typed: &BTreeSet<usize>) -> Result<Vec<Movement>, Problem> {
    let readings = futures::stream::iter(movements.into_iter().enumerate()).map(|(position, movement)| async move {
        let states = match typed.contains(&position) {
            true => Ok(None),
            false => door.ledger.states_of(&brand.name, &movement.key.recipient_id).await.map(Some),
        };
        (movement, states)
    });
    let mut readings = readings.buffered(READS_AT_ONCE);
    let mut spread = Vec::new();
    while let Some((movement, states)) = readings.next().await {
        let states = states.map_err(|error| {
            tracing::error!(%error, "an address was not looked up");
            Problem::unavailable()
        })?;
        // What the body itself says, it says.
        let Some(states) = states else {
            spread.push(movement);
            continue;
        };
        let known: BTreeSet<RecipientType> =
            states.iter().filter(|state| state.key.channel == movement.key.channel).map(|state| state.key.recipient_type).collect();
        for recipient_type in recipient_types(movement.head.status, &known, &brand.insider.recipient_types) {
            let mut movement = movement.clone();
            movement.key.recipient_type = recipient_type;
            spread.push(movement);
        }
    }
    Ok(spread)
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
