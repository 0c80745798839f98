//! `POST /v1/{brand}/insider/events`: any of Insider's payload families.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::insider::auth;
use shared::insider::webhook::{self, IntakeCounts, ReadError};
use shared::problem::{self, Problem};

use crate::App;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(flatten)]
    counts: IntakeCounts,
    accepted: usize,
    duplicates: usize,
    superseded: usize,
}

pub(crate) async fn handle(app: &App, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body = problem::body(request)?;
    if !auth::authenticate(&brand.insider.webhook_auth, request.headers(), body) {
        return Err(Problem::unauthorised("Insider"));
    }
    let read = webhook::read(body, brand, (app.clock)()).map_err(|error| match error {
        ReadError::Form => Problem::malformed(error.to_string()),
        ReadError::TooMany => Problem::rule(error.to_string()),
    })?;
    let counts = read.counts;
    for aside in &read.asides {
        app.ledger.keep_aside(aside).await.map_err(|error| {
            tracing::error!(%error, "an aside was not kept");
            Problem::unavailable()
        })?;
    }
    let taken = app.take(read.movements).await?;
    for (name, times) in &counts.unknown {
        // A count is worth less than the events: without it, they are taken all the same.
        if let Err(error) = app.ledger.count_unknown_event(&brand.name, name, *times).await {
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
