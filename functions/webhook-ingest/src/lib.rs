//! Takes what others tell us over HTTP: Insider's events and İYS's push notices.
//!
//! A 200 means that every movement in the body is durable in the ledger; anything that went wrong on
//! our side is a 503, so that the sender sends the same again, which is harmless.

mod insider_events;
mod iys_push;

use std::sync::Arc;

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::consent::{Merge, Movement};
use shared::intake::Intake;
use shared::ledger::Ledger;
use shared::problem::Problem;
use shared::{aws, clock, environment, telemetry, wiring};

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

/// How many movements did what.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    accepted: usize,
    duplicates: usize,
    superseded: usize,
}

impl App {
    /// Answers one request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.route(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn route(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let path = request.raw_http_path();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let ["v1", name, rest @ ..] = segments.as_slice() else { return Err(Problem::not_found("There is no such route")) };
        if !matches!(rest, ["insider", "events"] | ["iys", "push"]) {
            return Err(Problem::not_found("There is no such route"));
        }
        if request.method() != Method::POST {
            return Err(Problem::method("POST"));
        }
        let brand = self.brand(name).await?;
        match rest {
            ["insider", ..] => insider_events::handle(self, &brand, request).await,
            _ => iys_push::handle(self, &brand, request).await,
        }
    }

    async fn brand(&self, name: &str) -> Result<Arc<Brand>, Problem> {
        let brand = self.brands.get(name, (self.clock)()).await.map_err(|error| {
            tracing::error!(%error, "request refused");
            Problem::unavailable()
        })?;
        brand.ok_or_else(|| Problem::not_found("There is no such brand"))
    }

    /// Takes movements in, all or nothing as far as the sender is concerned.
    async fn take(&self, movements: Vec<Movement>) -> Result<Taken, Problem> {
        let mut taken = Taken::default();
        for recorded in self.intake.take(movements, (self.clock)()).await {
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
}
