//! `POST /v1/{brand}/insider/export`: Insider tells that an export's file is there.
//!
//! The body is a hint: what is read is the file behind the link that the order's answer named. Only where that
//! answer was lost is the link in the body worth more, and then it must lead to this account's exports.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::door::Door;
use shared::insider::export::Exports;
use shared::problem::{self, Problem};
use shared::sync::insider_export::ExportLog;

use crate::insider_proof;

#[derive(Serialize)]
struct Answer {
    /// Whether an export is waited for that this can be.
    expected: bool,
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body = problem::body(request)?;
    insider_proof::of(brand, request, body)?;
    if brand.insider.outbound.export.is_none() {
        return Err(Problem::not_found("The brand sets up no export"));
    }
    let now = (door.clock)();
    let exports = door.insider_exports.as_ref().map(|url| Exports { url, account: &brand.insider });
    let link = exports.and_then(|exports| exports.link_in(body, now).ok());
    let expected = ExportLog::told(&door.ledger, &brand.name, link.as_ref(), now).await.map_err(|error| {
        tracing::error!(%error, "the notice of an export was not noted");
        Problem::unavailable()
    })?;
    tracing::info!(brand = %brand.name, with_link = link.is_some(), expected, "Insider told of an export");
    Ok(problem::json(StatusCode::OK, &Answer { expected }))
}
