//! The HTTP API of the brand's own systems: add consents, check before sending, look an address up.

mod add;
mod check;
mod clock;
mod day_files_view;
mod export_view;
mod lookup;
mod reason;
mod standing;
mod status;

use std::sync::Arc;

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use shared::brand::Brand;
use shared::door::{self, Door};
use shared::http_auth;
use shared::problem::{self, Problem};

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    door::serve(|door, request| async move { route(&door, &request).await }).await
}

async fn route(door: &Door, request: &Request) -> Result<Response<Body>, Problem> {
    let path = request.raw_http_path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["health"] => {
            allow(request, &Method::GET)?;
            Ok(problem::json(StatusCode::OK, &serde_json::json!({ "status": "ok" })))
        }
        ["v1", brand, "consents"] => {
            allow(request, &Method::POST)?;
            let brand = authorise(door, brand, request).await?;
            add::handle(door, &brand, request).await
        }
        ["v1", brand, "consents", "check"] => {
            allow(request, &Method::POST)?;
            let brand = authorise(door, brand, request).await?;
            check::handle(door, &brand, request).await
        }
        ["v1", brand, "consents", "lookup"] => {
            allow(request, &Method::POST)?;
            let brand = authorise(door, brand, request).await?;
            lookup::handle(door, &brand, request).await
        }
        ["v1", brand, "status"] => {
            allow(request, &Method::GET)?;
            let brand = authorise(door, brand, request).await?;
            status::handle(door, &brand).await
        }
        _ => Err(Problem::not_found("There is no such route")),
    }
}

/// The brand, if there is one and the request carries one of its keys.
async fn authorise(door: &Door, name: &str, request: &Request) -> Result<Arc<Brand>, Problem> {
    let brand = door.brand(name).await?;
    let key = http_auth::bearer(request.headers()).unwrap_or_default();
    if brand.api_key_fits(key) { Ok(brand) } else { Err(Problem::unauthorised("Bearer")) }
}

fn allow(request: &Request, method: &Method) -> Result<(), Problem> {
    if request.method() == method {
        return Ok(());
    }
    Err(Problem::method(if *method == Method::GET { "GET" } else { "POST" }))
}

/// The ledger gave no answer: nothing of the request counts.
fn unavailable(error: shared::ledger::LedgerError) -> Problem {
    tracing::error!(%error, "request not answered");
    Problem::unavailable()
}
