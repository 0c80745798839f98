//! What the functions behind the HTTP API share: their parts, the brand of a request, and the loop.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use lambda_http::{Body, Request, Response, service_fn};
use url::Url;

use crate::brand::Brand;
use crate::brands::Brands;
use crate::clock::{self, Clock};
use crate::environment;
use crate::intake::Intake;
use crate::iys::Limits;
use crate::keyring::Keyring;
use crate::ledger::Ledger;
use crate::problem::Problem;
use crate::{aws, telemetry, wiring};

/// What a handler of HTTP requests works with.
pub struct Door {
    /// The brands.
    pub brands: Brands,
    /// The ledger.
    pub ledger: Ledger,
    /// Where movements go.
    pub intake: Intake,
    /// What push notices are known by.
    pub keyring: Keyring,
    /// The clock.
    pub clock: Clock,
    /// How much of İYS's allowance may be used.
    pub limits: Limits,
    /// Where links of Insider's exports lead; missing where nobody tells of them.
    pub insider_exports: Option<Url>,
}

impl Door {
    /// The parts of a process, from its environment.
    pub async fn from_environment() -> Result<Self, environment::EnvironmentError> {
        let config = aws::config().await;
        let ledger = wiring::ledger(&config)?;
        Ok(Self {
            brands: wiring::brands(&config)?,
            intake: Intake::new(ledger.clone(), wiring::queues(&config)?, environment::work_grace()?),
            keyring: Keyring::new(ledger.clone()),
            ledger,
            clock: clock::system(),
            limits: environment::iys_limits()?,
            insider_exports: environment::told_insider_export_url()?,
        })
    }

    /// The brand of a name in a path.
    pub async fn brand(&self, name: &str) -> Result<Arc<Brand>, Problem> {
        let brand = self.brands.get(name, (self.clock)()).await.map_err(|error| {
            tracing::error!(%error, "request refused");
            Problem::unavailable()
        })?;
        brand.ok_or_else(|| Problem::not_found("There is no such brand"))
    }
}

/// Runs a function that answers HTTP requests, until the runtime ends it.
pub async fn serve<R, A>(route: R) -> Result<(), lambda_runtime::Error>
where
    R: Fn(Arc<Door>, Request) -> A + Clone,
    A: Future<Output = Result<Response<Body>, Problem>> + Send + 'static,
{
    telemetry::start();
    let door = Arc::new(Door::from_environment().await?);
    lambda_http::run(service_fn(move |request: Request| {
        let answer = route(door.clone(), request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(Problem::into_response)) }
    }))
    .await
}
