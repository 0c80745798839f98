//! `POST /v1/{brand}/consents`: records up to 500 consents and refusals.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::brand::Brand;
use shared::consent::Merge;
use shared::consent::rules::Teller;
use shared::door::Door;
use shared::evidence::Payload;
use shared::intake::Told;
use shared::problem::{self, Problem};
use shared::telling;

/// Most consents in one request.
const LIMIT: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body_ {
    consents: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Answer {
    results: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    index: usize,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Line {
    fn rejected(index: usize, code: &'static str, message: String) -> Self {
        Self { index, result: "rejected", id: None, code: Some(code), message: Some(message) }
    }
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body: Body_ = problem::read(request)?;
    if body.consents.is_empty() || body.consents.len() > LIMIT {
        return Err(Problem::rule(format!("consents must have 1 to {LIMIT} items")));
    }
    let now = (door.clock)();
    let mut lines: Vec<Option<Line>> = Vec::with_capacity(body.consents.len());
    let mut movements = Vec::new();
    let mut positions = Vec::new();
    for (index, item) in body.consents.into_iter().enumerate() {
        match telling::read_text(item.get(), brand, Teller::Caller, now) {
            Ok(movement) => {
                positions.push(index);
                movements.push(Told { movement, payload: Some(Payload::of(item.get().as_bytes())) });
                lines.push(None);
            }
            Err(violation) => lines.push(Some(Line::rejected(index, violation.code, violation.message))),
        }
    }
    let ids: Vec<_> = movements.iter().map(|told| told.movement.head.event_id.to_string()).collect();
    let recorded = door.intake.take(movements, now).await;
    let failures = recorded.iter().filter(|result| result.is_err()).count();
    for ((result, id), index) in recorded.into_iter().zip(ids).zip(positions) {
        lines[index] = Some(match result {
            Ok(recorded) => {
                // An event that was told before and takes effect only now was never answered.
                let result = match (recorded.merge, recorded.is_new) {
                    (Merge::Advanced, _) => "accepted",
                    (Merge::Superseded, true) => "superseded",
                    (Merge::Superseded | Merge::Repeated, _) => "duplicate",
                };
                Line { index, result, id: Some(id), code: None, message: None }
            }
            Err(error) => {
                tracing::error!(%error, "a consent was not recorded");
                Line::rejected(index, "unavailable", "the ledger did not take it: send it again".to_owned())
            }
        });
    }
    let results: Vec<_> = lines.into_iter().flatten().collect();
    let rejected = results.iter().filter(|line| line.result == "rejected").count();
    tracing::info!(brand = %brand.name, consents = results.len(), rejected, "consents taken");
    if failures == results.len() {
        return Err(Problem::unavailable());
    }
    Ok(problem::json(StatusCode::OK, &Answer { results }))
}
