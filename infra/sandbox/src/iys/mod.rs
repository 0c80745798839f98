//! The İYS simulator: its state, its router, and how it is served.

mod access;
mod account;
pub(crate) mod address;
mod agreements;
mod book;
mod bulk;
mod calendar;
mod changes;
mod config;
mod control;
mod day_file;
pub(crate) mod errors;
mod gate;
mod hub;
mod info;
mod integrator;
pub(crate) mod model;
mod paging;
mod parties;
mod push;
mod query;
mod refusals;
pub(crate) mod registry;
mod retailer;
mod retailer_access;
mod retailers;
pub(crate) mod rules;
mod single;
pub(crate) mod store;
mod switches;
mod timestamp;
mod token;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post, put};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;

pub use agreements::ProcessStatus;
pub use config::{Config, PushConnection, Seed};
pub use gate::QualityGate;
pub use model::{ConsentType, RecipientType, Status};
pub use parties::{Authority, Brand, Grant, Partner, Provider, Subscription, SubscriptionStatus};
pub use refusals::{Place, Refusal};
pub use registry::Registry;
pub use rules::DayCount;
pub use switches::{
    BadCredentials, BadItem, ChannelRefusal, CheckOrder, EmailForm, FirstKarar, HashMethod, NoRecord, PartnerCodes, StaleCursor,
    SubscriptionId, Switches, TokenLimitBody, Unfinished, V2Refused,
};

use crate::faults::Faults;
use crate::server::{self, Observer};
use crate::stats::Stats;
use crate::window::Window;
use errors::ApiError;

const HOUR_SECONDS: i64 = 3600;

/// The simulator's state.
pub(crate) struct Iys {
    pub(crate) config: Config,
    pub(crate) stats: Arc<Stats>,
    faults: Arc<Faults>,
    store: Mutex<store::Store>,
    tokens: Mutex<token::Tokens>,
    limits: Mutex<Limits>,
    switches: Arc<RwLock<Switches>>,
    book: book::Book,
    door: gate::Door,
    agreements: Mutex<agreements::Agreements>,
    retailers: Mutex<retailers::Register>,
    push: hub::Hub,
    refusals: refusals::Refusals,
}

/// The limits per caller address that apply behind the token endpoint.
struct Limits {
    calls: Window<IpAddr>,
    status: Window<IpAddr>,
    history: Window<IpAddr>,
}

/// Which hourly limit a query counts against.
#[derive(Clone, Copy)]
pub(crate) enum Hourly {
    Status,
    History,
}

impl Iys {
    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    /// The open points as they are switched now.
    pub(crate) fn switches(&self) -> Switches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn switch(&self, switches: Switches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }

    pub(crate) fn agreements(&self) -> MutexGuard<'_, agreements::Agreements> {
        self.agreements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The retailers. Whoever needs the store, too, takes the store first.
    pub(crate) fn retailers(&self) -> MutexGuard<'_, retailers::Register> {
        self.retailers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, brought to `now`; refusals of bulk items are counted on the way.
    pub(crate) fn store(&self, now: Timestamp) -> MutexGuard<'_, store::Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        for code in store.settle(now, &self.switches()) {
            self.stats.rejected(code);
            self.stats.violation(&format!("rejected:{code}"));
        }
        store
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, token::Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a query against its hourly limit.
    pub(crate) fn admit_hourly(&self, peer: IpAddr, which: Hourly) -> Result<(), ApiError> {
        let now = self.now();
        let mut limits = self.limits();
        let (window, code) = match which {
            Hourly::Status => (&mut limits.status, "H086"),
            Hourly::History => (&mut limits.history, "H089"),
        };
        if window.admit(peer, now) {
            return Ok(());
        }
        self.stats.violation(&format!("rate_limited:{code}"));
        Err(ApiError::code(code))
    }

    /// Adds `Retry-After` where the settings ask for it.
    pub(crate) fn add_retry_after(&self, response: &mut Response) {
        if let Some(seconds) = self.switches().retry_after_seconds {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
        }
    }

    /// A call outside of the caller's authority: counted as something a well-behaved client does not do.
    pub(crate) fn refuse_access(&self, error: ApiError) -> ApiError {
        for problem in &error.problems {
            self.stats.violation(&format!("forbidden:{}", problem.code));
        }
        error
    }

    /// A refused add: likewise.
    pub(crate) fn refuse(&self, error: ApiError) -> ApiError {
        for problem in &error.problems {
            self.stats.violation(&format!("rejected:{}", problem.code));
        }
        error
    }

    /// A refused query: likewise.
    pub(crate) fn refuse_query(&self, error: ApiError) -> ApiError {
        for problem in &error.problems {
            self.stats.violation(&format!("invalid_query:{}", problem.code));
        }
        error
    }

    /// Puts what the rules remarked into the counters.
    pub(crate) fn note(&self, remarks: &rules::Remarks) {
        for kind in &remarks.violations {
            self.stats.violation(kind);
        }
        for kind in &remarks.warnings {
            self.stats.warning(kind);
        }
    }
}

/// Serves the simulator on `listener` until `shutdown` ends.
///
/// # Errors
///
/// If no HTTP client for push deliveries can be built, or a seed record cannot be read.
pub async fn serve(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    serve_registry(listener, &Registry::new(config)?, shutdown).await
}

/// As [`serve`], for a registry that integrators' simulators write to as well.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve_registry(
    listener: TcpListener,
    registry: &Registry,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    server::run(listener, router(registry.iys()), shutdown).await
}

/// The state at the start.
fn start(config: Config) -> std::io::Result<Arc<Iys>> {
    let stats = Arc::new(Stats::default());
    let switches = Arc::new(RwLock::new(config.switches));
    let push = hub::Hub::new(&config, Arc::clone(&stats), Arc::clone(&switches))?;
    let iys = Arc::new(Iys {
        stats,
        faults: Arc::new(Faults::default()),
        store: Mutex::default(),
        tokens: Mutex::default(),
        limits: Mutex::new(Limits {
            calls: Window::new(config.calls_per_second, 1),
            status: Window::new(config.status_limit_per_hour, HOUR_SECONDS),
            history: Window::new(config.history_limit_per_hour, HOUR_SECONDS),
        }),
        switches,
        book: book::Book::new(&config.providers, &config.partners),
        door: gate::Door::new(config.listed_addresses.clone()),
        agreements: Mutex::default(),
        retailers: Mutex::new(retailers::Register::new(&config)),
        push,
        refusals: refusals::Refusals::default(),
        config,
    });
    control::seed(&iys, &iys.config.seed).map_err(std::io::Error::other)?;
    Ok(iys)
}

fn router(iys: &Arc<Iys>) -> Router {
    let observer = Observer {
        clock: Arc::clone(&iys.config.clock),
        stats: Arc::clone(&iys.stats),
        faults: Arc::clone(&iys.faults),
        answer: server::json,
        limit_status: 429,
        fault_body: errors::fault_body,
    };
    Router::new()
        .route("/oauth2/token", post(token::create))
        .route("/sps/{iysCode}/brands", get(account::brands))
        .route("/sps/{iysCode}/subscription", get(account::subscription))
        .route("/sps/{iysCode}/brands/{brandCode}/consents", post(single::add_v1))
        .route("/v2/sps/{iysCode}/brands/{brandCode}/consents", post(single::add_v2))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/request", post(bulk::add_v1))
        .route("/v2/sps/{iysCode}/brands/{brandCode}/consents/request", post(bulk::add_v2))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}", get(bulk::result_v1))
        .route("/v2/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}", get(bulk::result_v2))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/status", post(query::status))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/{recipientType}/status/{type}", post(query::multi_status))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/changes", get(query::changes))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/history", post(query::history))
        .route("/sps/{iysCode}/brands/{brandCode}/push/registration", get(push::list).post(push::register))
        .route("/sps/{iysCode}/brands/{brandCode}/push/unregistration", post(push::unregister))
        .route("/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/recipients/{recipientType}", get(agreements::summary))
        .route("/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/file", get(agreements::download))
        .route("/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}", get(agreements::info).put(agreements::confirm))
        .route("/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}/timestamp", get(agreements::stamp))
        .route("/sps/{iysCode}/brands/{brandCode}/retailers", get(retailers::list).post(retailers::create))
        .route("/sps/{iysCode}/brands/{brandCode}/retailers/{retailerCode}", get(retailers::read).delete(retailers::delete))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/retailers/access", put(retailer_access::replace).post(retailer_access::add))
        .route("/sps/{iysCode}/brands/{brandCode}/consent/retailers/access/list", post(retailer_access::list))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove", post(retailer_access::remove))
        .route("/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove/all", post(retailer_access::remove_all))
        .route("/integrator/{integratorCode}/sps", get(integrator::providers))
        .route("/integrator/{integratorCode}/sps/{iysCode}", get(integrator::provider))
        .route("/integrator/{integratorCode}/subscription", get(integrator::subscription))
        .route("/info/city", get(info::cities))
        .route("/info/city/{code}", get(info::city))
        .route("/info/town", get(info::towns))
        .route("/info/town/{code}", get(info::town))
        .layer(from_fn_with_state(Arc::clone(iys), access::limit))
        .merge(control::routes())
        .merge(changes::routes())
        .merge(refusals::routes())
        .merge(crate::control::routes(Arc::clone(&iys.stats), Arc::clone(&iys.faults)).with_state(()))
        .fallback(async || no_such_path())
        .layer(from_fn_with_state(Arc::clone(iys), gate::guard))
        .layer(from_fn_with_state(observer, server::observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(iys))
}

/// The answer to a path that İYS does not have.
pub(crate) fn no_such_path() -> Response {
    server::json(404, &json!({ "error": "no such path" }))
}

/// A count of seconds as a duration.
pub(crate) fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX))
}
