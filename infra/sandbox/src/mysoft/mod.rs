//! The Mysoft simulator (Etk API): a table of its own before İYS, whose rows tell how far each record has come and
//! what came from İYS. I-numbers are names of points that the sources leave open; each has a switch or a setting.

mod access;
mod callback;
mod changes;
mod config;
mod control;
mod envelope;
mod outcome;
mod rows;
mod send;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub use config::{Account, Config, Switches, Tenant, Webhook};

use crate::faults::Faults;
use crate::integrator::callbacks::{self, Callbacks};
use crate::integrator::ledger::Ledger;
use crate::integrator::planted::{self, Place, Planted};
use crate::integrator::queue::Queue;
use crate::iys::Registry;
use crate::iys::model::{ConsentType, Key, Movement, RecipientType, write_date};
use crate::iys::store::{Change, Stored};
use crate::server::{self, Observer};
use crate::stats::Stats;
use rows::{Portal, Row, Rows};

/// The name under which records reach İYS.
const CARRIER: &str = "mysoft";

/// What is to be done next with an add.
#[derive(Clone, Copy)]
enum Stage {
    Send,
    HandOver,
    Ask,
}

/// One add, single or bulk.
struct Sending {
    tenant: String,
    brand: u64,
    reference: String,
    service_key: Option<String>,
    note: Value,
    batch: bool,
    rows: Vec<usize>,
    begun: Option<Timestamp>,
    ended: Option<Timestamp>,
    failed: bool,
}

struct State {
    switches: Switches,
    accounts: Vec<Account>,
    tokens: access::Tokens,
    rows: Rows,
    sendings: Vec<Sending>,
    /// Adds, by their place in the list, that are not at their end.
    queue: Queue<(usize, Stage)>,
    ledger: Ledger,
    changes: mpsc::UnboundedReceiver<Change>,
    /// Changes at İYS that Mysoft does not know yet.
    incoming: Queue<(Change, &'static str)>,
    batches_to_fail: u64,
}

/// The simulator's state.
struct Mysoft {
    config: Config,
    registry: Registry,
    stats: Arc<Stats>,
    callbacks: Arc<Callbacks>,
    planted: Arc<Planted>,
    state: Mutex<State>,
}

impl Mysoft {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> Switches {
        self.state().switches
    }

    /// Does what is due: takes records from one state to the next, and takes over what changed at İYS.
    fn settle(&self) {
        self.registry.settle();
        let mut state = self.state();
        self.listen(&mut state);
        let now = self.registry.now();
        while let Some((due, (number, stage))) = state.queue.pop_due(now) {
            self.advance(&mut state, number, stage, due);
        }
        self.listen(&mut state);
        while let Some((change, record_source)) = state.incoming.pop(now) {
            self.take_over(&mut state, &change.key, &change.movement, record_source);
            let tells = record_source == "IYS_WEBHOOK" || change.movement.by_recipient() || state.switches.callback_tells_all;
            if tells {
                self.tell(&state, change.key.brand, &fields(&change.key, &change.movement));
            }
        }
    }

    /// Notes what changed at İYS by other ways.
    fn listen(&self, state: &mut State) {
        while let Ok(change) = state.changes.try_recv() {
            let brand = change.key.brand;
            let known = state.accounts.iter().flat_map(|account| &account.tenants).any(|tenant| tenant.brands.contains(&brand));
            if !known || change.carrier == Some(CARRIER) {
                continue;
            }
            let pushed = change.movement.by_recipient() && !state.switches.citizen_by_pull;
            let (delay, record_source) =
                if pushed { (self.config.webhook_delay_seconds, "IYS_WEBHOOK") } else { (self.config.pull_delay_seconds, "PULL_SERVIS") };
            state.incoming.push_at(change.movement.creation + crate::iys::seconds(delay), (change, record_source));
        }
    }

    fn take_over(&self, state: &mut State, key: &Key, movement: &Movement, record_source: &'static str) {
        let now = self.registry.now();
        let stored = Stored { transaction_id: movement.transaction_id(), creation_date: movement.creation_date() };
        state.rows.add(Row {
            brand: key.brand,
            fields: fields(key, movement),
            portal: Portal::Recorded,
            record_source,
            at: now,
            updated: now,
            request: None,
            verdict: Some(Ok(stored)),
            folder_name: Value::Null,
            note: Value::Null,
        });
    }

    /// Takes over everything that stands at İYS for a brand; returns how many rows that made.
    fn mirror(&self, state: &mut State, brand: u64) -> usize {
        let standing = self.registry.standing(brand);
        for (key, movement) in &standing {
            self.take_over(state, key, movement, "MUTABAKAT_ESITLEME");
        }
        standing.len()
    }

    /// Calls the receiver of the brand's tenants.
    fn tell(&self, state: &State, brand: u64, fields: &Map<String, Value>) {
        let tenants = state.accounts.iter().flat_map(|account| &account.tenants).filter(|tenant| tenant.brands.contains(&brand));
        for webhook in tenants.filter_map(|tenant| tenant.webhook.as_ref()) {
            self.callbacks.send(&webhook.url, callback::body(webhook, brand, fields, &state.switches));
        }
    }

    /// Takes an add to its next state.
    fn advance(&self, state: &mut State, number: usize, stage: Stage, due: Timestamp) {
        let now = self.registry.now();
        let Some(sending) = state.sendings.get_mut(number) else { return };
        let (brand, places) = (sending.brand, sending.rows.clone());
        let next = due + crate::iys::seconds(self.config.step_seconds);
        match stage {
            Stage::Send => {
                sending.begun = Some(now);
                if sending.batch && state.batches_to_fail > 0 {
                    state.batches_to_fail -= 1;
                    (sending.failed, sending.ended) = (true, Some(now));
                    self.stats.fault("batch_failed");
                    return;
                }
                for at in places {
                    state.rows.change(at, |row| (row.portal, row.updated) = (Portal::Sending, now));
                }
                state.queue.push_at(next, (number, Stage::HandOver));
            }
            Stage::HandOver => {
                let request = uuid::Uuid::new_v4().to_string();
                for at in places {
                    state.rows.change(at, |row| {
                        let verdict = match self.planted.take(Place::Verdict, &row.fields, &self.stats) {
                            Some(code) => Err(Arc::from(code)),
                            None => self.registry.submit(brand, &row.fields, CARRIER),
                        };
                        row.verdict = Some(verdict);
                        row.request = Some((request.clone(), uuid::Uuid::new_v4().to_string()));
                        (row.portal, row.updated) = (Portal::Asking, now);
                    });
                }
                state.queue.push_at(next, (number, Stage::Ask));
            }
            Stage::Ask => {
                sending.ended = Some(now);
                for at in places {
                    self.end(state, at, now);
                }
            }
        }
    }

    /// Shows what became of a record.
    fn end(&self, state: &mut State, at: usize, now: Timestamp) {
        let Some(row) = state.rows.get(at) else { return };
        let (brand, fields, verdict) = (row.brand, row.fields.clone(), row.verdict.clone());
        let recorded = match &verdict {
            Some(Ok(_)) => true,
            Some(Err(code)) => {
                self.stats.rejected(code);
                self.stats.violation(&format!("rejected:{code}"));
                false
            }
            None => false,
        };
        let stands = match verdict {
            Some(Ok(stored)) => self.stands(brand, &fields, &stored),
            _ => false,
        };
        state.ledger.ended(brand, &fields, recorded);
        state.rows.end(at, if recorded { Portal::Recorded } else { Portal::Failed }, now, stands);
        if recorded && state.switches.callback_tells_all {
            self.tell(state, brand, &fields);
        }
    }

    /// Whether a record is still what stands at İYS.
    fn stands(&self, brand: u64, fields: &Map<String, Value>, stored: &Stored) -> bool {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let (recipient_type, consent_type) = (RecipientType::parse(text("recipientType")), ConsentType::parse(text("type")));
        let (Some(recipient_type), Some(consent_type)) = (recipient_type, consent_type) else { return false };
        let current = self.registry.current(brand, text("recipient"), recipient_type, consent_type);
        current.is_some_and(|(movement, _)| movement.transaction_id() == stored.transaction_id)
    }
}

/// A movement's consent in İYS's words.
fn fields(key: &Key, movement: &Movement) -> Map<String, Value> {
    let mut fields = Map::from_iter([
        ("recipient".to_owned(), json!(key.recipient)),
        ("recipientType".to_owned(), json!(key.recipient_type)),
        ("type".to_owned(), json!(key.consent_type)),
        ("status".to_owned(), json!(movement.status)),
    ]);
    if let Some(source) = &movement.source {
        fields.insert("source".to_owned(), json!(source));
    }
    if let Some(date) = movement.consent_date {
        fields.insert("consentDate".to_owned(), json!(write_date(date)));
    }
    if let Some(code) = movement.retailer_code {
        fields.insert("retailerCode".to_owned(), json!(code));
    }
    if !movement.retailer_access.is_empty() {
        fields.insert("retailerAccess".to_owned(), json!(movement.retailer_access));
    }
    fields
}

/// Serves the simulator on `listener` until `shutdown` ends. `registry` is the İYS behind it.
///
/// # Errors
///
/// If no HTTP client for callbacks can be built.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    registry: Registry,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let stats = Arc::new(Stats::default());
    let callbacks = Callbacks::new(Arc::clone(&stats), &config.callback_retry_ms)?;
    let state = State {
        switches: config.switches,
        accounts: config.accounts.clone(),
        tokens: access::Tokens::default(),
        rows: Rows::default(),
        sendings: Vec::new(),
        queue: Queue::new(config.queue_delay_seconds),
        ledger: Ledger::default(),
        changes: registry.watch(),
        incoming: Queue::new(0),
        batches_to_fail: 0,
    };
    let mysoft = Arc::new(Mysoft { config, registry, stats, callbacks, planted: Arc::default(), state: Mutex::new(state) });
    if mysoft.config.mirror_at_start {
        for brand in mysoft.config.accounts.iter().flat_map(|account| &account.tenants).flat_map(|tenant| &tenant.brands) {
            mysoft.mirror(&mut mysoft.state(), *brand);
        }
    }
    let settled = Arc::clone(&mysoft);
    crate::integrator::run(listener, router(&mysoft), shutdown, move || settled.settle()).await
}

fn router(mysoft: &Arc<Mysoft>) -> Router {
    let faults = Arc::new(Faults::default());
    let observer = Observer {
        clock: mysoft.registry.clock(),
        stats: Arc::clone(&mysoft.stats),
        faults: Arc::clone(&faults),
        answer: server::json,
        limit_status: 429,
        fault_body: envelope::fault_body,
    };
    Router::new()
        .route("/oauth/token", post(access::token))
        .route("/api/Etk/checkTenantBrandsByTenantIdentifier", post(outcome::brands))
        .route("/api/Etk/sendConsent", post(send::single))
        .route("/api/Etk/sendConsentBatch", post(send::batch))
        .route("/api/Etk/checkConsentStatus", post(outcome::single))
        .route("/api/Etk/checkBatchConsentStatus", post(outcome::batch))
        .route("/api/Etk/checkRecipientStatus", post(outcome::recipient))
        .route("/api/Etk/checkStatusChangedConsentData", post(changes::states))
        .route("/api/Etk/consentTransactionList", post(changes::movements))
        .merge(control::routes())
        .merge(crate::control::routes(Arc::clone(&mysoft.stats), faults).with_state(()))
        .merge(callbacks::routes(Arc::clone(&mysoft.callbacks)).with_state(()))
        .merge(planted::routes(Arc::clone(&mysoft.planted)).with_state(()))
        .fallback(async || crate::iys::no_such_path())
        .layer(from_fn_with_state(observer, server::observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(mysoft))
}
