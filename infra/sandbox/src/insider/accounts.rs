//! Several accounts at one address. Each has a router, and so a state, of its own; a request is the account's whose
//! partner it names: calls in `X-PARTNER-NAME`, links to files in their path, control paths in `?partner=`.

use axum::Router;
use axum::extract::{Query, Request};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tower::ServiceExt;

use super::export;
use crate::server::{CONTROL_PREFIX, json as answer};

/// The accounts' routers by partner, the first of the settings first.
#[derive(Clone)]
pub(super) struct Accounts(pub(super) Vec<(String, Router)>);

/// What the query of a control path says of whose it is.
#[derive(Deserialize)]
struct Named {
    partner: Option<String>,
}

impl Accounts {
    /// All of them as one router.
    pub(super) fn router(self) -> Router {
        Router::new().fallback(move |request: Request| self.clone().serve(request))
    }

    async fn serve(self, request: Request) -> Response {
        match self.of(&request).cloned() {
            Some(router) => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
            None => answer(404, &json!({ "error": "no such account" })),
        }
    }

    /// The account that a request is for. A control path that names none is the first one's; so is a call that no
    /// account knows, which is refused there.
    fn of(&self, request: &Request) -> Option<&Router> {
        let path = request.uri().path();
        if path.starts_with(CONTROL_PREFIX) {
            let named = Query::<Named>::try_from_uri(request.uri()).ok().and_then(|query| query.0.partner);
            return named.map_or_else(|| self.first(), |partner| self.named(&partner));
        }
        let header = request.headers().get("x-partner-name").and_then(|partner| partner.to_str().ok());
        export::partner_of(path).or(header).and_then(|partner| self.named(partner)).or_else(|| self.first())
    }

    fn named(&self, partner: &str) -> Option<&Router> {
        self.0.iter().find(|(name, _)| name == partner).map(|(_, router)| router)
    }

    fn first(&self) -> Option<&Router> {
        self.0.first().map(|(_, router)| router)
    }
}
