//! The Netgsm simulator (NetİYS): a queue before İYS, and a webhook that tells how it ended and what people changed.
//! I-numbers are names of points that the sources leave open; each has a switch or a setting.

mod answers;
mod calls;
mod check;
mod config;
mod control;
mod webhook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub use config::{Account, Config, Switches};

use crate::faults::Faults;
use crate::integrator::callbacks::{self, Callbacks};
use crate::integrator::ledger::Ledger;
use crate::integrator::planted::{self, Place, Planted};
use crate::integrator::queue::Queue;
use crate::iys::Registry;
use crate::iys::registry::Verdict;
use crate::iys::store::Change;
use crate::server::{self, Observer};
use crate::stats::Stats;
use crate::window::Window;

/// The name under which records reach İYS.
const CARRIER: &str = "netgsm";
const MINUTE_SECONDS: i64 = 60;

/// A record of a package, in İYS's words.
struct Sent {
    record: Map<String, Value>,
    verdict: Option<Verdict>,
}

/// What one add brought.
struct Package {
    account: String,
    brand: u64,
    uid: String,
    submit_id: String,
    sent: Vec<Sent>,
}

struct State {
    switches: Switches,
    accounts: Vec<Account>,
    limit: Window<String>,
    packages: Vec<Package>,
    /// Packages, by their place in the list, that İYS does not have yet.
    queue: Queue<usize>,
    ledger: Ledger,
    changes: mpsc::UnboundedReceiver<Change>,
}

/// The simulator's state.
struct Netgsm {
    config: Config,
    registry: Registry,
    stats: Arc<Stats>,
    callbacks: Arc<Callbacks>,
    planted: Arc<Planted>,
    state: Mutex<State>,
}

impl Netgsm {
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

    /// Counts a call against the account's limit.
    fn admit(&self, username: &str) -> bool {
        let now = self.registry.now();
        self.state().limit.admit(username.to_owned(), now)
    }

    /// Hands İYS what is due, and tells by webhook what became of it and what else changed.
    fn settle(&self) {
        self.registry.settle();
        let mut state = self.state();
        self.tell(&mut state);
        while let Some(number) = state.queue.pop(self.registry.now()) {
            self.hand_over(&mut state, number);
        }
        self.tell(&mut state);
    }

    fn hand_over(&self, state: &mut State, number: usize) {
        let switches = state.switches;
        let State { packages, accounts, ledger, .. } = state;
        let Some(package) = packages.get_mut(number) else { return };
        let hook = accounts.iter().find(|account| account.username == package.account).and_then(|account| account.webhook.as_ref());
        for sent in &mut package.sent {
            let verdict = match self.planted.take(Place::Verdict, &sent.record, &self.stats) {
                Some(code) => Err(Arc::from(code)),
                None => self.registry.submit(package.brand, &sent.record, CARRIER),
            };
            if let Err(code) = &verdict {
                self.stats.rejected(code);
                self.stats.violation(&format!("rejected:{code}"));
            }
            ledger.ended(package.brand, &sent.record, verdict.is_ok());
            if let Some(url) = hook {
                let brand = self.brand(package.brand);
                self.callbacks.send(url, webhook::verdict(&brand, &sent.record, &package.submit_id, &verdict, &switches));
            }
            sent.verdict = Some(verdict);
        }
    }

    /// Tells every account of its brands' changes that did not come by itself.
    fn tell(&self, state: &mut State) {
        while let Ok(change) = state.changes.try_recv() {
            if change.carrier == Some(CARRIER) || !state.switches.webhook_tells_all {
                continue;
            }
            let brand = self.brand(change.key.brand);
            for account in state.accounts.iter().filter(|account| account.brands.contains(&brand.brand_code)) {
                if let Some(url) = &account.webhook {
                    self.callbacks.send(url, webhook::change(&brand, &change, &state.switches));
                }
            }
        }
    }

    fn brand(&self, brand_code: u64) -> webhook::Brand {
        webhook::Brand { iys_code: self.registry.owner_of(brand_code).unwrap_or(brand_code), brand_code }
    }
}

/// Serves the simulator on `listener` until `shutdown` ends. `registry` is the İYS behind it.
///
/// # Errors
///
/// If no HTTP client for webhooks can be built.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    registry: Registry,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let stats = Arc::new(Stats::default());
    let callbacks = Callbacks::new(Arc::clone(&stats), &config.webhook_retry_ms)?;
    let state = State {
        switches: config.switches,
        accounts: config.accounts.clone(),
        limit: Window::new(config.calls_per_minute, MINUTE_SECONDS),
        packages: Vec::new(),
        queue: Queue::new(config.queue_delay_seconds),
        ledger: Ledger::default(),
        changes: registry.watch(),
    };
    let netgsm = Arc::new(Netgsm { config, registry, stats, callbacks, planted: Arc::default(), state: Mutex::new(state) });
    let settled = Arc::clone(&netgsm);
    crate::integrator::run(listener, router(&netgsm), shutdown, move || settled.settle()).await
}

fn router(netgsm: &Arc<Netgsm>) -> Router {
    let faults = Arc::new(Faults::default());
    let observer = Observer {
        clock: netgsm.registry.clock(),
        stats: Arc::clone(&netgsm.stats),
        faults: Arc::clone(&faults),
        answer: server::json,
        // Netgsm says everything under 200.
        limit_status: 200,
        fault_body: answers::fault_body,
    };
    Router::new()
        .route("/iys/add", post(calls::add))
        .route("/iys/search", post(calls::search))
        .merge(control::routes())
        .merge(crate::control::routes(Arc::clone(&netgsm.stats), faults).with_state(()))
        .merge(callbacks::routes(Arc::clone(&netgsm.callbacks)).with_state(()))
        .merge(planted::routes(Arc::clone(&netgsm.planted)).with_state(()))
        .fallback(async || crate::iys::no_such_path())
        .layer(from_fn_with_state(observer, server::observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(netgsm))
}
