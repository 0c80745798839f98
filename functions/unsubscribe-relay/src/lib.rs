//! Carries the ledger's states to Insider, in the order of each address: a FIFO group holds whole
//! addresses, and the states are read when they are told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, service_fn};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::consent::{BrandName, ConsentKey};
use shared::insider;
use shared::ledger::Ledger;
use shared::queue::RelayMessage;
use shared::sync::isolate::isolate;
use shared::sync::relay::Relay;
use shared::sync::throttle::LedgerThrottle;
use shared::{aws, clock, environment, telemetry, wiring};

/// What one step at Insider may take: its turn, its limit, and an answer that does not come.
const LAST_STEP: SignedDuration = SignedDuration::from_secs(40);

/// What the handler works with.
pub struct App {
    brands: Brands,
    ledger: Ledger,
    insider: insider::Connection,
    clients: Mutex<HashMap<BrandName, (Arc<Brand>, insider::Client)>>,
    clock: Clock,
    grace: SignedDuration,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let clock = clock::system();
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        ledger: wiring::ledger(&config)?,
        insider: wiring::insider(clock.clone())?,
        clients: Mutex::default(),
        clock,
        grace: environment::work_grace()?,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let app = app.clone();
        async move {
            let deadline = event.context.deadline.try_into().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Ok::<_, lambda_runtime::Error>(app.handle(event.payload, deadline.unwrap_or(Timestamp::MAX)).await)
        }
    }))
    .await
}

impl App {
    /// Handles a batch; answers with the messages that must come again. The runtime ends the run at
    /// `deadline`, so nothing is begun that could not end before it.
    pub async fn handle(&self, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
        let now = (self.clock)();
        let kept = LAST_STEP.min(deadline.duration_since(now) * 2 / 3);
        let stop_at = deadline.checked_sub(kept).unwrap_or(deadline);
        let mut failed = HashSet::new();
        let mut brands = BTreeMap::<BrandName, Vec<(ConsentKey, String)>>::new();
        for message in event.records {
            let id = message.message_id.clone().unwrap_or_default();
            match read(&message) {
                Some(RelayMessage { brand, keys }) => {
                    brands.entry(brand.clone()).or_default().extend(keys.iter().map(|key| (key.key(&brand), id.clone())));
                }
                None => {
                    tracing::error!(message = %id, "a message has no readable form");
                    failed.insert(id);
                }
            }
        }
        for (name, keys) in brands {
            self.brand(&name, keys, stop_at, &mut failed).await;
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        response
    }

    async fn brand(&self, name: &BrandName, keys: Vec<(ConsentKey, String)>, stop_at: Timestamp, failed: &mut HashSet<String>) {
        let Some(brand) = self.brands.of_message(name, (self.clock)()).await else {
            failed.extend(keys.into_iter().map(|(_, message)| message));
            return;
        };
        let insider = self.client(&brand);
        let relay = Relay { ledger: &self.ledger, brand: &brand, insider: &insider, clock: &self.clock, grace: self.grace, stop_at };
        let relay = &relay;
        let again = isolate(keys, |keys| async move {
            let report = Box::pin(relay.run(&keys)).await;
            tracing::info!(brand = %name, keys = keys.len(), finished = report.finished, failed = report.failed.len(), "states carried to Insider");
            report.failed
        });
        failed.extend(again.await);
    }

    /// The brand's client, made once for each reading of its configuration.
    fn client(&self, brand: &Arc<Brand>) -> insider::Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_for, client)) = clients.get(&brand.name)
            && Arc::ptr_eq(made_for, brand)
        {
            return client.clone();
        }
        let throttle = LedgerThrottle::new(self.ledger.clone(), self.clock.clone(), brand.insider.partner.clone());
        let client = insider::Client::new(self.insider.clone(), Arc::new(brand.insider.clone()), Arc::new(throttle));
        clients.insert(brand.name.clone(), (brand.clone(), client.clone()));
        client
    }
}

fn read(message: &SqsMessage) -> Option<RelayMessage> {
    serde_json::from_str(message.body.as_deref()?).ok()
}
