//! Carries the ledger's states to İYS: a queue's messages name keys, the states are read when they are
//! sent.

use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use jiff::SignedDuration;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::brands::Brands;
use shared::clock::Clock;
use shared::consent::{BrandName, ConsentKey};
use shared::iys::{self, IysRegistry};
use shared::ledger::Ledger;
use shared::queue::{PushMessage, Queues};
use shared::sync::isolate::isolate;
use shared::sync::push::Push;
use shared::{aws, clock, environment, telemetry, wiring};

/// What the handler works with.
pub struct App {
    brands: Brands,
    ledger: Ledger,
    queues: Queues,
    iys: iys::Client,
    clock: Clock,
    grace: SignedDuration,
    result_wait: SignedDuration,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let ledger = wiring::ledger(&config)?;
    let clock = clock::system();
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        queues: wiring::queues(&config)?,
        iys: wiring::iys(ledger.clone(), clock.clone())?,
        ledger,
        clock,
        grace: environment::work_grace()?,
        result_wait: environment::bulk_result_wait()?,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let app = app.clone();
        async move { Ok::<_, lambda_runtime::Error>(app.handle(event.payload).await) }
    }))
    .await
}

/// One brand's share of a batch, with the messages that each piece came in.
#[derive(Default)]
struct Share {
    keys: Vec<(ConsentKey, String)>,
    submissions: Vec<(String, String)>,
}

impl App {
    /// Handles a batch; answers with the messages that must come again.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        let mut failed = HashSet::new();
        let mut shares = BTreeMap::<BrandName, Share>::new();
        for message in event.records {
            let id = message.message_id.clone().unwrap_or_default();
            match read(&message) {
                Some(PushMessage::Keys { brand, keys }) => {
                    let share = shares.entry(brand.clone()).or_default();
                    share.keys.extend(keys.iter().map(|key| (key.key(&brand), id.clone())));
                }
                Some(PushMessage::Submission { brand, id: submission }) => {
                    shares.entry(brand).or_default().submissions.push((submission, id));
                }
                None => {
                    tracing::error!(message = %id, "a message has no readable form");
                    failed.insert(id);
                }
            }
        }
        for (brand, share) in shares {
            self.share(&brand, share, &mut failed).await;
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        response
    }

    async fn share(&self, name: &BrandName, share: Share, failed: &mut HashSet<String>) {
        let Some(brand) = self.brands.of_message(name, (self.clock)()).await else {
            failed.extend(share.keys.into_iter().map(|(_, id)| id).chain(share.submissions.into_iter().map(|(_, id)| id)));
            return;
        };
        let registry = IysRegistry::new(self.iys.clone(), brand.clone());
        let push = Push {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &brand,
            registry: &registry,
            clock: &self.clock,
            grace: self.grace,
            result_wait: self.result_wait,
            stop_at,
        };
        for (submission, message) in share.submissions {
            // A panic here is this message's alone, too.
            let looked_after = AssertUnwindSafe(Box::pin(push.look_after(&submission))).catch_unwind().await;
            if !looked_after.unwrap_or(false) {
                failed.insert(message);
            }
        }
        let push = &push;
        let again = isolate(share.keys, |keys| async move {
            let report = Box::pin(push.run(&keys)).await;
            tracing::info!(brand = %name, keys = keys.len(), finished = report.finished, failed = report.failed.len(), "states carried to İYS");
            report.failed
        });
        failed.extend(again.await);
    }
}

fn read(message: &SqsMessage) -> Option<PushMessage> {
    serde_json::from_str(message.body.as_deref()?).ok()
}
