//! Scheduled work: reads İYS's feeds and finds what no message has finished.

use std::sync::Arc;

use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::intake::Intake;
use shared::iys::{self, IysRegistry};
use shared::ledger::Ledger;
use shared::queue::Queues;
use shared::sync::pull::{FEEDS, Pull, feed_name};
use shared::sync::sweep::Sweep;
use shared::{aws, clock, environment, telemetry, wiring};
use url::Url;

/// What the handler works with.
pub struct App {
    brands: Brands,
    ledger: Ledger,
    queues: Queues,
    intake: Intake,
    iys: iys::Client,
    clock: Clock,
    grace: SignedDuration,
}

/// What the schedule asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Read İYS's feeds.
    Pull,
    /// Queue overdue work again.
    Sweep,
    /// Have İYS push what people do there, for one brand; asked for by hand once the API stands.
    RegisterPush {
        /// The brand's name.
        brand: String,
        /// `https://…/v1/{brand}/iys/push`.
        url: Url,
    },
}

/// What a run did, over all brands.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Movements read from the feeds.
    pub movements: usize,
    /// Those that the ledger had not seen.
    pub new: usize,
    /// Overdue keys and submissions that were queued again.
    pub requeued: usize,
    /// Push connections that were registered.
    pub registered: usize,
    /// Brands for which something failed; the log says what.
    pub failed: usize,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let ledger = wiring::ledger(&config)?;
    let queues = wiring::queues(&config)?;
    let clock = clock::system();
    let grace = environment::work_grace()?;
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        intake: Intake::new(ledger.clone(), queues.clone(), grace),
        queues,
        iys: wiring::iys(ledger.clone(), clock.clone())?,
        ledger,
        clock,
        grace,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Job>| {
        let app = app.clone();
        async move { app.handle(event.payload).await }
    }))
    .await
}

impl App {
    /// Does a job for every brand. One brand's failure stops no other; the run as a whole then fails,
    /// so that the function's error metric shows it.
    pub async fn handle(&self, job: Job) -> Result<Report, lambda_runtime::Error> {
        let mut report = Report::default();
        if let Job::RegisterPush { brand, url } = job {
            let brand = self.brands.get(&brand, (self.clock)()).await?.ok_or("there is no such brand")?;
            report.registered = Box::pin(self.register_push(&brand, &url)).await?;
            return Ok(report);
        }
        for brand in self.brands.all((self.clock)()).await? {
            match job {
                Job::Pull => Box::pin(self.pull(&brand, &mut report)).await,
                _ => Box::pin(self.sweep(&brand, &mut report)).await,
            }
        }
        if report.failed > 0 { Err(format!("{job:?} failed for {} of the brands", report.failed).into()) } else { Ok(report) }
    }

    async fn pull(&self, brand: &Arc<Brand>, report: &mut Report) {
        let registry = IysRegistry::new(self.iys.clone(), brand.clone());
        let pull = Pull { ledger: &self.ledger, intake: &self.intake, brand, registry: &registry, clock: &self.clock };
        for feed in FEEDS {
            match pull.run(feed).await {
                Ok(Some(pulled)) => {
                    report.movements += pulled.movements;
                    report.new += pulled.new;
                }
                Ok(None) => tracing::info!(brand = %brand.name, feed = feed_name(feed), "the feed is being read by another worker"),
                Err(error) => {
                    tracing::error!(brand = %brand.name, feed = feed_name(feed), %error, "the feed was not read to its end");
                    report.failed += 1;
                }
            }
        }
    }

    /// Registers a push connection for each authorised channel that does not have it yet. İYS allows
    /// two per channel, and tries the address at once.
    async fn register_push(&self, brand: &Brand, url: &Url) -> Result<usize, lambda_runtime::Error> {
        let standing = self.iys.push_connections(&brand.iys).await?;
        let mut registered = 0;
        for channel in &brand.iys.channels {
            if standing.iter().any(|connection| connection.url == url.as_str() && connection.channel == Some(*channel)) {
                continue;
            }
            self.iys.register_push(&brand.iys, *channel, url, &brand.iys.push).await?;
            tracing::info!(brand = %brand.name, %channel, "push connection registered");
            registered += 1;
        }
        Ok(registered)
    }

    async fn sweep(&self, brand: &Brand, report: &mut Report) {
        let sweep = Sweep { ledger: &self.ledger, queues: &self.queues, clock: &self.clock, grace: self.grace };
        match sweep.run(&brand.name).await {
            Ok(swept) => report.requeued += swept.keys + swept.submissions,
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "overdue work was not queued again");
                report.failed += 1;
            }
        }
    }
}
