//! `POST /v1/{brand}/insider/events`: any of Insider's payload families.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::{AsideReason, Movement, Recipient, RecipientId, RecipientType, Status};
use shared::door::Door;
use shared::insider::auth::{self, Presented};
use shared::insider::webhook::{self, Intake, IntakeCounts, Kind, ReadError, Referred};
use shared::ledger::{LedgerError, UnknownKind};
use shared::problem::{self, Problem};

use crate::take;

/// How many addresses are looked up at once.
const READS_AT_ONCE: usize = 16;
/// How many things are written at once that are no movements.
const WRITES_AT_ONCE: usize = 16;

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
    let auth = &brand.insider.webhook_auth;
    let presented = Presented { headers: request.headers(), query: request.uri().query().unwrap_or_default(), raw_body: body };
    let Some(proof) = auth::authenticate(auth, presented) else {
        let names = auth::names_presented(auth, request.headers());
        tracing::warn!(brand = %brand.name, presented = names, "a webhook did not prove that it comes from Insider");
        return Err(Problem::unauthorised("Insider"));
    };
    let now = (door.clock)();
    let mut read = webhook::read(body, brand, now).map_err(|error| match error {
        ReadError::Form => Problem::malformed(error.to_string()),
        ReadError::TooMany => Problem::rule(error.to_string()),
    })?;
    let recipients = referred(door, brand, &read.referred).await?;
    read.resolve(brand, now, &recipients);
    let Intake { movements, typed, undated, asides, samples, counts, .. } = read;
    keep(door, asides).await?;
    let taken = take(door, settled_on_keys(door, brand, movements, &typed, &undated).await?).await?;
    note_unknown(door, brand, &counts, samples, now).await;
    tracing::info!(
        brand = %brand.name,
        proof = proof.mode,
        proof_entry = proof.entry,
        received = counts.received,
        accepted = taken.accepted,
        duplicates = taken.duplicates,
        invalid = counts.invalid.len(),
        unknown = counts.unknown.values().chain(counts.unknown_attributes.values()).sum::<u32>(),
        "Insider's events taken"
    );
    let answer = Answer { counts, accepted: taken.accepted, duplicates: taken.duplicates, superseded: taken.superseded };
    Ok(problem::json(StatusCode::OK, &answer))
}

/// The addresses behind the ids by which elements name their recipients, as far as the ledger knows them.
async fn referred(door: &Door, brand: &Brand, elements: &[Referred]) -> Result<HashMap<RecipientId, Recipient>, Problem> {
    let ids: BTreeSet<RecipientId> = elements.iter().map(|element| element.recipient_id.clone()).collect();
    let readings = futures::stream::iter(ids).map(|id| async move {
        let states = door.ledger.states_of(&brand.name, &id).await;
        (id, states)
    });
    let mut readings = readings.buffer_unordered(READS_AT_ONCE);
    let mut recipients = HashMap::new();
    while let Some((id, states)) = readings.next().await {
        // All states of an id are of one address.
        if let Some(state) = states.map_err(|error| unavailable(&error, "an id was not looked up"))?.into_iter().next() {
            recipients.insert(id, state.recipient);
        }
    }
    Ok(recipients)
}

/// Keeps what has no effect in the history.
async fn keep(door: &Door, asides: Vec<(AsideReason, Movement)>) -> Result<(), Problem> {
    let kept = futures::stream::iter(asides).map(|(why, aside)| async move { door.ledger.keep_aside(&aside, why).await });
    let mut kept = kept.buffer_unordered(WRITES_AT_ONCE);
    while let Some(kept) = kept.next().await {
        kept.map_err(|error| unavailable(&error, "an aside was not kept"))?;
    }
    Ok(())
}

/// Counts what nobody mapped. A count is worth less than the events: without it, they are taken all the
/// same.
async fn note_unknown(door: &Door, brand: &Brand, counts: &IntakeCounts, mut samples: BTreeMap<(Kind, String), String>, now: Timestamp) {
    let mut names = Vec::new();
    for (kind, stored, counted) in
        [(Kind::Event, UnknownKind::Event, &counts.unknown), (Kind::Attribute, UnknownKind::Attribute, &counts.unknown_attributes)]
    {
        for (name, times) in counted {
            let sample = samples.remove(&(kind, name.clone()));
            names.push((stored, name.clone(), *times, sample));
        }
    }
    let noted = futures::stream::iter(names).map(|(kind, name, times, sample)| async move {
        door.ledger.note_unknown(&brand.name, kind, &name, times, sample.as_deref(), now).await
    });
    let mut noted = noted.buffer_unordered(WRITES_AT_ONCE);
    while let Some(noted) = noted.next().await {
        if let Err(error) = noted {
            tracing::warn!(%error, "an unknown name was not counted");
        }
    }
}

/// Gives movements the keys and ids that depend on what the ledger knows of their addresses.
///
/// Insider does not know consumers from merchants. A refusal counts for every recipient type that the
/// address is known as, a consent for one: the type that it is known as, if that is a single one. And a
/// refusal without a date is named by what it refuses.
async fn settled_on_keys(
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
    let mut readings = readings.buffered(READS_AT_ONCE);
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

fn unavailable(error: &LedgerError, what: &'static str) -> Problem {
    tracing::error!(%error, "{what}");
    Problem::unavailable()
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
