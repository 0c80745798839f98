//! Takes what others tell us over HTTP: Insider's events, its notices of exports, İYS's push notices, and the
//! callbacks of integrators.
//!
//! A 200 means that every movement in the body is durable in the ledger; anything that went wrong on
//! our side is a 503, so that the sender sends the same again, which is harmless.

mod insider_events;
mod insider_export;
mod insider_proof;
mod integrator_events;
mod iys_push;

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response};
use shared::consent::{Merge, Movement};
use shared::door::{self, Door};
use shared::evidence::Payload;
use shared::intake::Told;
use shared::problem::Problem;

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    door::serve(|door, request| async move { route(&door, &request).await }).await
}

/// How many movements did what.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    accepted: usize,
    duplicates: usize,
    superseded: usize,
}

/// Answers one request.
pub async fn route(door: &Door, request: &Request) -> Result<Response<Body>, Problem> {
    let path = request.raw_http_path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["v1", name, rest @ ..] = segments.as_slice() else { return Err(Problem::not_found("There is no such route")) };
    if !matches!(rest, ["insider", "events" | "export"] | ["iys", "push"] | ["integrator", "events"]) {
        return Err(Problem::not_found("There is no such route"));
    }
    if request.method() != Method::POST {
        return Err(Problem::method("POST"));
    }
    let brand = door.brand(name).await?;
    match rest {
        ["insider", "export"] => insider_export::handle(door, &brand, request).await,
        ["integrator", ..] => integrator_events::handle(door, &brand, request).await,
        ["insider", ..] => insider_events::handle(door, &brand, request).await,
        _ => iys_push::handle(door, &brand, request).await,
    }
}

/// Takes movements in, all or nothing as far as the sender is concerned.
async fn take(door: &Door, movements: Vec<Movement>, body: &[u8]) -> Result<Taken, Problem> {
    let payload = Some(Payload::of(body));
    let movements: Vec<Told> = movements.into_iter().map(|movement| Told { movement, payload }).collect();
    let mut taken = Taken::default();
    for recorded in door.intake.take(movements, (door.clock)()).await {
        let recorded = recorded.map_err(|error| {
            tracing::error!(%error, "a movement was not recorded");
            Problem::unavailable()
        })?;
        // An event that was told before and takes effect only now was never answered.
        match (recorded.merge, recorded.is_new) {
            (Merge::Advanced, _) => taken.accepted += 1,
            (Merge::Superseded, true) => taken.superseded += 1,
            (Merge::Superseded | Merge::Repeated, _) => taken.duplicates += 1,
        }
    }
    Ok(taken)
}
