//! Carries the ledger's states to İYS: a queue's messages name keys, the states are read when they are
//! sent.
//!
//! A batch may name more than fits into one invocation. Some time before its end nothing new is begun,
//! and the messages whose work is left come again; what is done by then stays done.

use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, service_fn};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::clock::Clock;
use shared::consent::{BrandName, ConsentKey};
use shared::ledger::Ledger;
use shared::queue::{PushMessage, Queues};
use shared::registry::{Registry, Verdict};
use shared::sync::isolate::isolate;
use shared::sync::outcome::Told;
use shared::sync::push::Push;
use shared::sync::road::Former;
use shared::sync::standing::Guard;
use shared::{aws, clock, environment, telemetry, wiring};

/// How much of an invocation is kept for what is under way when nothing new is begun any more: a list
/// with its writes (some seconds), its turn (10 s) and its answer (20 s).
const LAST_STEP: SignedDuration = SignedDuration::from_secs(40);
/// How many brands are served at once. They share one allowance, so more would only wait for it.
const BRANDS_AT_ONCE: usize = 4;

/// How a brand's registry is reached.
pub type Reach = Arc<dyn Fn(&Arc<Brand>) -> Box<dyn Registry> + Send + Sync>;

/// What the handler works with.
pub struct App {
    /// The brands.
    pub brands: Brands,
    /// The ledger.
    pub ledger: Ledger,
    /// The queues.
    pub queues: Queues,
    /// The registries.
    pub registry: Reach,
    /// The clock.
    pub clock: Clock,
    /// When the sweep looks after work that a run leaves open.
    pub grace: SignedDuration,
    /// How long to wait before asking for bulk results.
    pub result_wait: SignedDuration,
}

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = aws::config().await;
    let ledger = wiring::ledger(&config)?;
    let clock = clock::system();
    let registries = wiring::registries(wiring::iys(ledger.clone(), clock.clone())?, ledger.clone(), clock.clone());
    let app = Arc::new(App {
        brands: wiring::brands(&config)?,
        queues: wiring::queues(&config)?,
        registry: Arc::new(move |brand| registries.of(brand)),
        ledger,
        clock,
        grace: environment::work_grace()?,
        result_wait: environment::bulk_result_wait()?,
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

/// One brand's share of a batch, with the messages that each piece came in.
#[derive(Default)]
struct Share {
    keys: Vec<(ConsentKey, String)>,
    submissions: Vec<(String, String)>,
    verdicts: Vec<(Told, String)>,
}

impl Share {
    fn messages(&self) -> HashSet<String> {
        let (keys, submissions) = (self.keys.iter().map(|(_, id)| id), self.submissions.iter().map(|(_, id)| id));
        keys.chain(submissions).chain(self.verdicts.iter().map(|(_, id)| id)).cloned().collect()
    }
}

impl App {
    /// Handles a batch; answers with the messages that must come again. The runtime ends the invocation
    /// at `deadline`.
    pub async fn handle(&self, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
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
                Some(PushMessage::Verdict { brand, key, status, consent_date, reference, code }) => {
                    let verdict = code.map_or(Verdict::Recorded { transaction_id: None }, Verdict::Refused);
                    let told = Told { key: key.key(&brand), status, consent_date, reference, verdict };
                    shares.entry(brand).or_default().verdicts.push((told, id));
                }
                None => {
                    tracing::error!(message = %id, "a message has no readable form");
                    failed.insert(id);
                }
            }
        }
        let now = (self.clock)();
        // Of a short time half is kept, or it would never be enough.
        let kept = LAST_STEP.min(deadline.duration_since(now) / 2);
        let stop_at = deadline.checked_sub(kept).unwrap_or(deadline);
        let mut answers = futures::stream::iter(shares)
            .map(|(brand, share)| async move {
                let all = share.messages();
                // What panics outside of the messages' own handling harms the other brands' no more.
                AssertUnwindSafe(self.share(&brand, share, stop_at)).catch_unwind().await.unwrap_or(all)
            })
            .buffer_unordered(BRANDS_AT_ONCE);
        while let Some(again) = answers.next().await {
            failed.extend(again);
        }
        drop(answers);
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        response
    }

    /// One brand's share: the messages that must come again.
    async fn share(&self, name: &BrandName, share: Share, stop_at: Timestamp) -> HashSet<String> {
        let Some(brand) = self.brands.of_message(name, (self.clock)()).await else { return share.messages() };
        let registry = (self.registry)(&brand);
        let registry = Guard::new(&*registry, &self.ledger, &brand, &self.clock);
        let former = brand.former().map(Arc::new);
        let former = former.as_ref().map(|former| (former, (self.registry)(former)));
        let former = former.as_ref().map(|(brand, registry)| Former { brand, registry: &**registry });
        let push = Push {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &brand,
            registry: &registry,
            former,
            clock: &self.clock,
            grace: self.grace,
            result_wait: self.result_wait,
            stop_at,
        };
        let mut failed = HashSet::new();
        for (submission, message) in share.submissions {
            // A panic here is this message's alone, too.
            let looked_after = AssertUnwindSafe(Box::pin(push.look_after(&submission))).catch_unwind().await;
            if looked_after.is_err() {
                tracing::error!(%message, "handling a message panicked");
            }
            if !looked_after.unwrap_or(false) {
                failed.insert(message);
            }
        }
        for (told, message) in share.verdicts {
            let heard = AssertUnwindSafe(Box::pin(push.hear(&told))).catch_unwind().await;
            if !heard.unwrap_or(false) {
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
        failed
    }
}

fn read(message: &SqsMessage) -> Option<PushMessage> {
    serde_json::from_str(message.body.as_deref()?).ok()
}
