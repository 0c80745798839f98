//! The HTTP API of the brand's own systems: add consents, check before sending, look an address up.

mod add;
mod check;
mod lookup;
mod status;

use std::sync::Arc;

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::intake::Intake;
use shared::ledger::Ledger;
use shared::problem::{self, Problem};
use shared::{aws, clock, environment, http_auth, telemetry, wiring};

/// What the handlers work with.
pub struct App {
    brands: Brands,
    ledger: Ledger,
    intake: Intake,
    clock: Clock,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let ledger = wiring::ledger(&config)?;
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        intake: Intake::new(ledger.clone(), wiring::queues(&config)?, environment::work_grace()?),
        ledger,
        clock: clock::system(),
    });
    lambda_http::run(service_fn(move |request: Request| {
        let app = app.clone();
        async move { Ok::<_, std::convert::Infallible>(app.handle(request).await) }
    }))
    .await
}

impl App {
    /// Answers one request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.route(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn route(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let path = request.raw_http_path();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match segments.as_slice() {
            ["health"] => {
                allow(request, &Method::GET)?;
                Ok(problem::json(StatusCode::OK, &serde_json::json!({ "status": "ok" })))
            }
            ["v1", brand, "consents"] => {
                allow(request, &Method::POST)?;
                let brand = self.authorise(brand, request).await?;
                add::handle(self, &brand, request).await
            }
            ["v1", brand, "consents", "check"] => {
                allow(request, &Method::POST)?;
                let brand = self.authorise(brand, request).await?;
                check::handle(self, &brand, request).await
            }
            ["v1", brand, "consents", "lookup"] => {
                allow(request, &Method::POST)?;
                let brand = self.authorise(brand, request).await?;
                lookup::handle(self, &brand, request).await
            }
            ["v1", brand, "status"] => {
                allow(request, &Method::GET)?;
                let brand = self.authorise(brand, request).await?;
                status::handle(self, &brand).await
            }
            _ => Err(Problem::not_found("There is no such route")),
        }
    }

    /// The brand, if there is one and the request carries one of its keys.
    async fn authorise(&self, name: &str, request: &Request) -> Result<Arc<Brand>, Problem> {
        let brand = self.brands.get(name, (self.clock)()).await.map_err(|error| {
            tracing::error!(%error, "request refused");
            Problem::unavailable()
        })?;
        let brand = brand.ok_or_else(|| Problem::not_found("There is no such brand"))?;
        let key = http_auth::bearer(request.headers()).unwrap_or_default();
        if brand.api_key_fits(key) { Ok(brand) } else { Err(Problem::unauthorised("Bearer")) }
    }
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
