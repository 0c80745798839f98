//! `POST /v1/{brand}/iys/push`: İYS's push notices of what people did there.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::door::Door;
use shared::iys;
use shared::problem::{self, Problem};
use shared::{http_auth, sync};

use crate::take;

#[derive(Default, Serialize)]
struct Answer {
    received: usize,
    accepted: usize,
    duplicates: usize,
    superseded: usize,
    /// Lines about another brand, and İYS's test record.
    ignored: usize,
    /// Lines that could not be read; the pull brings what can.
    unreadable: usize,
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let (username, password) = http_auth::basic_credentials(request.headers()).unwrap_or_default();
    let known = door.keyring.fits(brand, &username, &password, (door.clock)()).await.map_err(|error| {
        tracing::error!(%error, "a push notice's credentials were not looked up");
        Problem::unavailable()
    })?;
    if !known {
        return Err(Problem::unauthorised("Basic realm=\"iys\", charset=\"UTF-8\""));
    }
    let body = problem::body(request)?;
    let lines = iys::read_notice(body).map_err(|error| Problem::malformed(error.to_string()))?;
    let now = (door.clock)();
    let mut answer = Answer { received: lines.len(), ..Answer::default() };
    let mut movements = Vec::new();
    for line in lines {
        let ours =
            line.brand_code.is_none_or(|code| code == brand.iys.brand_code) && line.iys_code.is_none_or(|code| code == brand.iys.iys_code);
        if line.is_test || !ours {
            answer.ignored += 1;
            continue;
        }
        match line.change {
            Ok(change) => movements.push(sync::pull::movement(brand, change, now)),
            Err(field) => {
                tracing::warn!(brand = %brand.name, field, "a line of a push notice could not be read");
                answer.unreadable += 1;
            }
        }
    }
    let taken = take(door, movements, body).await?;
    answer.accepted = taken.accepted;
    answer.duplicates = taken.duplicates;
    answer.superseded = taken.superseded;
    tracing::info!(brand = %brand.name, received = answer.received, accepted = answer.accepted, ignored = answer.ignored, "push notice taken");
    Ok(problem::json(StatusCode::OK, &answer))
}
