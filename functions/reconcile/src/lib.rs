//! Scheduled work: reads İYS's feeds, finds what no message has finished, keeps the brands' standing at
//! İYS and their push connections, watches the deadlines, compares what İYS and Insider show, and answers what the
//! operator's command asks.

mod allowance;
mod check_brand;
mod check_integrator;
mod clock;
mod daily_file;
mod egress;
mod evidence;
mod findings;
mod import;
mod insider_export;
mod push_service;
mod questions;
mod redrive;
mod report;
mod retailers;
mod sample_insider;
mod standing;
mod sweep;
mod turn;
mod verify;

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::archive::Archive;
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::intake::Intake;
use shared::integrators::{Integrators, capabilities};
use shared::iys;
use shared::ledger::Ledger;
use shared::metrics::Sink;
use shared::queue::{DeadLetters, Queues};
use shared::registries::Registries;
use shared::registry::{Changes, Feed, Registry};
use shared::sync::pull::{FEEDS, Pull, feed_name};
use shared::sync::standing::{Guard, Occasion};
use shared::{aws, environment, insider, telemetry, wiring};
use url::Url;

pub use check_brand::CheckBrand;
pub use egress::Egress;
use questions::Invocation;
pub use sample_insider::{Addresses, SampleInsider};
use turn::Turn;

/// What the handler works with.
pub struct App {
    /// The brands.
    pub brands: Brands,
    /// The ledger.
    pub ledger: Ledger,
    /// The queues.
    pub queues: Queues,
    /// Where their messages end that fail time and again; missing where nobody asks for a redrive.
    pub dead_letters: Option<DeadLetters>,
    /// Where movements that the feeds bring come in.
    pub intake: Intake,
    /// İYS.
    pub iys: iys::Client,
    /// The integrators of brands that reach İYS by one.
    pub integrators: Integrators,
    /// Insider.
    pub insider: insider::Connection,
    /// The clock.
    pub clock: Clock,
    /// When the sweep looks after work that a run leaves open.
    pub grace: SignedDuration,
    /// How long a barred brand is left alone between two looks at its account.
    pub pause: SignedDuration,
    /// Base address of the HTTP API.
    pub api: Url,
    /// Who tells the address that calls come from.
    pub egress: Egress,
    /// Where metrics go.
    pub metrics: Sink,
    /// The share of İYS's allowance, in percent, that verification may use.
    pub verify_percent: u32,
    /// How old the registry's last answer about a key must be before verification compares it.
    pub verify_rest: SignedDuration,
    /// Where the roots of closed days are kept besides the ledger, if anywhere.
    pub archive: Option<Box<dyn Archive>>,
}

/// What the schedule asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Read İYS's feeds, or those of the brands' integrators that have any.
    Pull,
    /// Queue overdue work again.
    Sweep,
    /// Read the deadline clock: measure, and warn.
    Clock,
    /// See what the brands may do at İYS, and release what was held once it may go on. By the schedule
    /// only where that is due; for one brand that is named, at once.
    Standing {
        /// The brand's name.
        #[serde(default)]
        brand: Option<String>,
    },
    /// Keep İYS's push connections: for all brands that leave it to the system, or for one that is named,
    /// whatever its document says. Those of a brand that leaves it to the system no more are ended.
    #[serde(alias = "register_push")]
    PushService {
        /// The brand's name.
        #[serde(default)]
        brand: Option<String>,
        /// Where its notices go, instead of the address of the API.
        #[serde(default)]
        url: Option<Url>,
    },
    /// Order an export at Insider where today's is still to be ordered, or go on with it: for all brands that
    /// set one up, or by hand for one that is named.
    InsiderExport {
        /// The brand's name.
        #[serde(default)]
        brand: Option<String>,
    },
    /// Compare what is due with what İYS holds, and repair what differs: for all brands, or for one that is
    /// named, at once.
    Verify {
        /// The brand's name.
        #[serde(default)]
        brand: Option<String>,
        /// Whether everything is due that was at rest when this was asked.
        #[serde(default)]
        full: bool,
    },
    /// Compare İYS's file of each finished day with the ledger (mutabakat): what is due for all brands, or for
    /// one that is named, without waiting for its hour; of that one, a day that is named once more.
    DailyFile {
        /// The brand's name.
        #[serde(default)]
        brand: Option<String>,
        /// The day, in Türkiye.
        #[serde(default)]
        day: Option<Date>,
    },
    /// Close the days that are over: a root over what each brand received, chained to the day before.
    Evidence,
    /// Close the days that are over, and make the reports that are due.
    Report,
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
    /// Movements that wait for İYS.
    pub waiting: usize,
    /// Those of them whose three business days are over.
    pub late: usize,
    /// Accounts that were looked at.
    pub looked: usize,
    /// Keys whose held work was released.
    pub released: usize,
    /// Push connections that were registered.
    pub registered: usize,
    /// Push connections that were ended.
    pub unregistered: usize,
    /// Exports that were ordered at Insider.
    pub exports: usize,
    /// Rows of exports that were read.
    pub rows: u64,
    /// States that Insider is told again, because an export contradicts them.
    pub retold: usize,
    /// Refusals that an export showed.
    pub refusals: usize,
    /// Keys that were compared with İYS.
    pub compared: u64,
    /// Those that differed.
    pub differing: u64,
    /// Differences that were repaired, those of earlier runs among them.
    pub repaired: u64,
    /// Days whose file was compared to its end.
    pub days: u64,
    /// Days that were confirmed at İYS.
    pub confirmed: u64,
    /// Days whose file is not there yet, or that are held for want of authority.
    pub days_waiting: u64,
    /// Days that were missed since the last run: İYS shows them no more.
    pub days_missed: u64,
    /// Days that were closed.
    pub closed: usize,
    /// Reports that were made.
    pub reports: usize,
    /// Brands for which something failed; the log says what.
    pub failed: usize,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let ledger = wiring::ledger(&config)?;
    let queues = wiring::queues(&config)?;
    let clock = shared::clock::system();
    let grace = environment::work_grace()?;
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        intake: Intake::new(ledger.clone(), queues.clone(), grace),
        dead_letters: Some(wiring::dead_letters(&config, queues.clone())?),
        queues,
        iys: wiring::iys(ledger.clone(), clock.clone())?,
        integrators: Integrators::new(ledger.clone(), clock.clone()),
        insider: wiring::insider_with_exports(clock.clone())?,
        ledger,
        clock,
        grace,
        pause: environment::standing_pause()?,
        api: environment::api_url()?,
        egress: Egress::from_environment()?,
        metrics: Sink::new(environment::required("METRICS_NAMESPACE")?),
        verify_percent: environment::verify_percent()?,
        verify_rest: environment::verify_rest()?,
        archive: wiring::archive(&config),
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let app = app.clone();
        async move { app.invoke(event.payload).await }
    }))
    .await
}

impl App {
    /// What the function is invoked with: scheduled work, or a question; and its answer.
    pub async fn invoke(&self, payload: Value) -> Result<Value, lambda_runtime::Error> {
        let answer = self.invoked(serde_json::from_value::<Invocation>(payload)?).await?;
        Ok(serde_json::to_value(answer)?)
    }

    /// Does a job for every brand. One brand's failure stops no other; the run as a whole then fails,
    /// so that the function's error metric shows it.
    pub async fn handle(&self, job: Job) -> Result<Report, lambda_runtime::Error> {
        let mut report = Report::default();
        let named = match &job {
            Job::Standing { brand }
            | Job::PushService { brand, .. }
            | Job::InsiderExport { brand }
            | Job::Verify { brand, .. }
            | Job::DailyFile { brand, .. } => brand.as_deref(),
            Job::Pull | Job::Sweep | Job::Clock | Job::Evidence | Job::Report => None,
        };
        let brands = match named {
            Some(name) => vec![self.brands.get(name, (self.clock)()).await?.ok_or("there is no such brand")?],
            None => self.brands.all((self.clock)()).await?,
        };
        let by_hand = named.is_some();
        let began = (self.clock)();
        for (position, brand) in brands.iter().enumerate() {
            let turn = Turn { began, position, brands: brands.len() };
            match &job {
                Job::Pull => Box::pin(self.pull(brand, &mut report)).await,
                Job::Evidence => Box::pin(self.close_days(brand, &mut report)).await,
                Job::Report => {
                    Box::pin(self.close_days(brand, &mut report)).await;
                    Box::pin(self.make_reports(brand, &mut report)).await;
                }
                Job::Sweep => {
                    Box::pin(self.tend(brand, Occasion::Passing, &mut report)).await;
                    Box::pin(self.sweep(brand, turn, &mut report)).await;
                }
                Job::Clock => Box::pin(self.clock(brand, &mut report)).await,
                Job::Standing { .. } => {
                    let occasion = if by_hand { Occasion::Asked } else { Occasion::Scheduled };
                    Box::pin(self.tend(brand, occasion, &mut report)).await;
                }
                Job::PushService { url, .. } => {
                    let wanted = by_hand || brand.iys.push_service;
                    Box::pin(self.push_service(brand, url.as_ref(), wanted, &mut report)).await;
                }
                Job::InsiderExport { .. } => Box::pin(self.insider_export(brand, began, by_hand, &mut report)).await,
                Job::DailyFile { day, .. } => Box::pin(self.daily_file(brand, turn, by_hand, *day, &mut report)).await,
                Job::Verify { full, .. } => {
                    if *full {
                        Box::pin(self.compare_everything(brand, &mut report)).await;
                    }
                    Box::pin(self.verify(brand, turn, by_hand, &mut report)).await;
                }
            }
        }
        if matches!(job, Job::Clock) {
            Box::pin(self.measure_allowance(&mut report)).await;
        }
        if report.failed > 0 { Err(format!("{job:?} failed for {} of the brands", report.failed).into()) } else { Ok(report) }
    }

    /// The brand's registry.
    fn registry(&self, brand: &Arc<Brand>) -> Box<dyn Registry> {
        Registries::new(self.iys.clone(), self.integrators.clone()).of(brand)
    }

    async fn pull(&self, brand: &Arc<Brand>, report: &mut Report) {
        let registry = self.registry(brand);
        let guard = Guard::new(&*registry, &self.ledger, brand, &self.clock);
        report.failed += self.read_feeds(brand, &guard, report).await;
        // What people did while the brand left it may be told there alone. Its end is no failure.
        // Two accounts at one registry have one place in its feed, which is the new account's.
        let another = brand.former().filter(|former| former.registry.name() != brand.registry.name());
        if let Some(former) = another.map(Arc::new) {
            self.read_feeds(&former, &*self.registry(&former), report).await;
        }
    }

    /// Reads the feeds that a registry has; how many failed.
    async fn read_feeds(&self, brand: &Brand, registry: &dyn Registry, report: &mut Report) -> usize {
        let offered = capabilities(&brand.registry);
        if offered.changes == Changes::None {
            tracing::debug!(brand = %brand.name, registry = brand.registry.name(), "the registry has no feed: callbacks and verification stand in for it");
            return 0;
        }
        let pull = Pull { ledger: &self.ledger, intake: &self.intake, brand, registry, clock: &self.clock };
        let mut failed = 0;
        for feed in FEEDS.into_iter().filter(|feed| *feed == Feed::People || offered.own_changes) {
            match pull.run(feed).await {
                Ok(Some(pulled)) => {
                    report.movements += pulled.movements;
                    report.new += pulled.new;
                }
                Ok(None) => tracing::info!(brand = %brand.name, feed = feed_name(feed), "the feed is being read by another worker"),
                Err(error) => {
                    tracing::error!(brand = %brand.name, registry = brand.registry.name(), feed = feed_name(feed), %error, "the feed was not read to its end");
                    failed += 1;
                }
            }
        }
        failed
    }
}
