//! What a request must show before anything in it counts as Insider's.

use lambda_http::Request;
use shared::brand::Brand;
use shared::insider::auth::{self, Presented, Proof};
use shared::problem::Problem;

/// How the request proves that it comes from Insider, in a way that the brand names.
pub(crate) fn of(brand: &Brand, request: &Request, body: &[u8]) -> Result<Proof, Problem> {
    let auth = &brand.insider.webhook_auth;
    let presented = Presented { headers: request.headers(), query: request.uri().query().unwrap_or_default(), raw_body: body };
    auth::authenticate(auth, presented).ok_or_else(|| {
        let names = auth::names_presented(auth, request.headers());
        tracing::warn!(brand = %brand.name, presented = names, "a webhook did not prove that it comes from Insider");
        Problem::unauthorised("Insider")
    })
}
