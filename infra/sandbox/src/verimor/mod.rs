//! The Verimor simulator: lists become campaigns, whose records tell how they ended; what people change comes once a
//! day. I-numbers are names of points that the sources leave open; each has a switch or a setting.

mod answers;
mod campaigns;
mod check;
mod config;
mod consents;
mod control;
mod daily;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub use config::{Account, Config, Header, Switches};

use crate::faults::Faults;
use crate::integrator::bucket::Bucket;
use crate::integrator::callbacks::{self, Callbacks};
use crate::integrator::ledger::Ledger;
use crate::integrator::planted::{self, Place, Planted};
use crate::integrator::queue::Queue;
use crate::iys::Registry;
use crate::iys::store::Change;
use crate::server::{self, Observer, Peer};
use crate::stats::Stats;
use answers::Refusal;

/// The name under which records reach İYS.
const CARRIER: &str = "verimor";
/// The number of the first campaign.
const FIRST_CAMPAIGN: u64 = 20_212;

/// How a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Pending,
    Recorded,
    /// By İYS's code, or Verimor's.
    Failed(String),
}

/// A record of a campaign, in İYS's words.
struct Record {
    fields: Map<String, Value>,
    outcome: Outcome,
}

struct Campaign {
    account: String,
    header: String,
    iys_code: u64,
    brand: u64,
    source: &'static str,
    created: Timestamp,
    records: Vec<Record>,
    finished: bool,
}

struct State {
    switches: Switches,
    accounts: Vec<Account>,
    adds: Bucket,
    queries: Bucket,
    campaigns: BTreeMap<u64, Campaign>,
    /// Campaigns that İYS does not have yet.
    queue: Queue<u64>,
    ledger: Ledger,
    changes: mpsc::UnboundedReceiver<Change>,
    /// What people changed on days that are not over.
    waiting: Vec<daily::Waiting>,
}

impl State {
    /// Takes a campaign; returns its number.
    fn add(&mut self, campaign: Campaign) -> u64 {
        let id = self.campaigns.last_key_value().map_or(FIRST_CAMPAIGN, |(last, _)| last + 1);
        self.campaigns.insert(id, campaign);
        id
    }
}

/// The simulator's state.
struct Verimor {
    config: Config,
    registry: Registry,
    stats: Arc<Stats>,
    callbacks: Arc<Callbacks>,
    planted: Arc<Planted>,
    state: Mutex<State>,
}

impl Verimor {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> Switches {
        self.state().switches
    }

    fn account(&self, username: &str) -> Option<Account> {
        self.state().accounts.iter().find(|account| account.username == username).cloned()
    }

    fn put(&self, changed: Account) {
        for account in &mut self.state().accounts {
            if account.username == changed.username {
                account.clone_from(&changed);
            }
        }
    }

    /// The account of these credentials, if the caller's address is on its list.
    fn enter(&self, peer: Peer, username: &str, password: &str) -> Result<Account, Refusal> {
        let Some(account) = self.account(username).filter(|account| account.password == password) else {
            self.stats.violation("bad_credentials");
            return Err(Refusal::of(401, "invalid username or password"));
        };
        if account.allowed_addresses.is_empty() {
            self.stats.violation("address_not_listed");
            return Err(Refusal::of(401, "no allowed IP configured"));
        }
        if !account.allowed_addresses.contains(&peer.0) {
            self.stats.violation("address_not_listed");
            return Err(Refusal::of(401, "IP not allowed"));
        }
        Ok(account)
    }

    /// As [`Verimor::enter`], for a query; counts it against the limit.
    fn query(&self, peer: Peer, username: &str, password: &str) -> Result<String, Refusal> {
        let account = self.enter(peer, username, password)?;
        let now = self.registry.now();
        if !self.state().queries.admit(&account.username, now) {
            self.stats.violation("rate_limited:queries");
            return Err(Refusal::of(429, "Too Many Requests"));
        }
        Ok(account.username)
    }

    /// Hands İYS what is due, and ends the days that are over.
    fn settle(&self) {
        self.registry.settle();
        let mut state = self.state();
        while let Some(id) = state.queue.pop(self.registry.now()) {
            self.hand_over(&mut state, id);
        }
        while let Ok(change) = state.changes.try_recv() {
            state.waiting.extend(daily::Waiting::of(change));
        }
        let running = daily::running_day(self.registry.now(), self.config.daily_after_seconds);
        daily::close(self, &mut state, running);
    }

    fn hand_over(&self, state: &mut State, id: u64) {
        let State { campaigns, ledger, .. } = state;
        let Some(campaign) = campaigns.get_mut(&id) else { return };
        for record in campaign.records.iter_mut().filter(|record| record.outcome == Outcome::Pending) {
            let verdict = match self.planted.take(Place::Verdict, &record.fields, &self.stats) {
                Some(code) => Err(Arc::from(code)),
                None => self.registry.submit(campaign.brand, &record.fields, CARRIER),
            };
            ledger.ended(campaign.brand, &record.fields, verdict.is_ok());
            record.outcome = match verdict {
                Ok(_) => Outcome::Recorded,
                Err(code) => {
                    self.stats.rejected(&code);
                    self.stats.violation(&format!("rejected:{code}"));
                    Outcome::Failed(code.as_ref().to_owned())
                }
            };
        }
        campaign.finished = true;
    }
}

/// Serves the simulator on `listener` until `shutdown` ends. `registry` is the İYS behind it.
///
/// # Errors
///
/// If no HTTP client for pushes can be built.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    registry: Registry,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let stats = Arc::new(Stats::default());
    let callbacks = Callbacks::new(Arc::clone(&stats), &config.push_retry_ms)?;
    let state = State {
        switches: config.switches,
        accounts: config.accounts.clone(),
        adds: Bucket::new(config.adds_per_minute, config.adds_burst),
        queries: Bucket::new(config.queries_per_minute, config.queries_burst),
        campaigns: BTreeMap::new(),
        queue: Queue::new(config.queue_delay_seconds),
        ledger: Ledger::default(),
        changes: registry.watch(),
        waiting: Vec::new(),
    };
    let verimor = Arc::new(Verimor { config, registry, stats, callbacks, planted: Arc::default(), state: Mutex::new(state) });
    let settled = Arc::clone(&verimor);
    crate::integrator::run(listener, router(&verimor), shutdown, move || settled.settle()).await
}

fn router(verimor: &Arc<Verimor>) -> Router {
    let faults = Arc::new(Faults::default());
    let observer = Observer {
        clock: verimor.registry.clock(),
        stats: Arc::clone(&verimor.stats),
        faults: Arc::clone(&faults),
        answer: answers::text,
        limit_status: 429,
        fault_body: answers::fault_body,
    };
    Router::new()
        .route("/v2/iys_consents.json", post(consents::add))
        .route("/v2/iys/campaigns", get(campaigns::list))
        .route("/v2/iys/campaigns/{id}/consents", get(campaigns::consents))
        .merge(control::routes())
        .merge(crate::control::routes(Arc::clone(&verimor.stats), faults).with_state(()))
        .merge(callbacks::routes(Arc::clone(&verimor.callbacks)).with_state(()))
        .merge(planted::routes(Arc::clone(&verimor.planted)).with_state(()))
        .fallback(async || Refusal::of(404, "NOT_FOUND").into_response())
        .layer(from_fn_with_state(observer, server::observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(verimor))
}
