//! The job that compares what the ledger holds with İYS.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::brand::Brand;
use shared::sync::standing::Guard;
use shared::sync::verify::{Share, Verify};

use crate::turn::Turn;
use crate::{App, Report};

/// For how long a run begins something new: a minute less than the function may take
/// (`infra/template.yaml`).
const LENGTH: SignedDuration = SignedDuration::from_secs(240);

impl App {
    /// Has this run and those after it compare everything that was at rest by now, until all is done.
    pub(crate) async fn compare_everything(&self, brand: &Arc<Brand>, report: &mut Report) {
        // What is compared in this very second carries the second's beginning, and is not due once more.
        let now = (self.clock)();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let asked = self.ledger.change_verification(&brand.name, |verification| {
            verification.full_since = verification.full_since.max(Some(now));
            true
        });
        if let Err(error) = asked.await {
            tracing::error!(brand = %brand.name, %error, "that everything is to be compared was not noted");
            report.failed += 1;
        }
    }

    pub(crate) async fn verify(&self, brand: &Arc<Brand>, turn: Turn, at_once: bool, report: &mut Report) {
        let registry = self.registry(brand);
        let offered = registry.capabilities();
        let guard = Guard::new(&*registry, &self.ledger, brand, &self.clock);
        let verify = Verify {
            ledger: &self.ledger,
            queues: &self.queues,
            brand,
            registry: &guard,
            clock: &self.clock,
            grace: self.grace,
            rest: self.verify_rest,
            at_once,
            share: Share::of(&offered, self.verify_percent, LENGTH).among(turn.brands),
            stop_at: turn.end(LENGTH),
        };
        match verify.run().await {
            Ok(Some(verified)) => {
                report.compared += verified.counts.compared;
                for count in verified.counts.differences.values() {
                    report.differing += count.found;
                    report.repaired += count.repaired();
                }
            }
            Ok(None) => tracing::info!(brand = %brand.name, "another worker compares the brand's keys"),
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the brand's keys were not compared");
                report.failed += 1;
            }
        }
    }
}
