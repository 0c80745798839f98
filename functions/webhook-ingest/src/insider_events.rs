//! `POST /v1/{brand}/insider/events`: any of Insider's payload families.

mod known;
mod noted;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::door::Door;
use shared::insider::webhook::{self, Intake, IntakeCounts, ReadError};
use shared::ledger::LedgerError;
use shared::problem::{self, Problem};

use crate::{insider_proof, take};

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
    let proof = insider_proof::of(brand, request, body)?;
    let now = (door.clock)();
    let mut read = webhook::read(body, brand, now).map_err(|error| match error {
        ReadError::Form => Problem::malformed(error.to_string()),
        ReadError::TooMany => Problem::rule(error.to_string()),
    })?;
    let recipients = known::referred(door, brand, &read.referred).await?;
    read.resolve(brand, now, &recipients);
    let Intake { movements, typed, undated, asides, samples, counts, .. } = read;
    noted::keep(door, asides, body).await?;
    let taken = take(door, known::settled_on_keys(door, brand, movements, &typed, &undated).await?, body).await?;
    noted::unknown(door, brand, &counts, samples, now).await;
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

fn unavailable(error: &LedgerError, what: &'static str) -> Problem {
    tracing::error!(%error, "{what}");
    Problem::unavailable()
}
