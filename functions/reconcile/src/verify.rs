//! The job that compares what the ledger holds with İYS.

use std::sync::Arc;

use jiff::SignedDuration;
use shared::brand::Brand;
use shared::sync::standing::Guard;
use shared::sync::verify::{Share, Verify};

use crate::turn::Turn;
use crate::{App, Report};

/// For how long a run begins something new: a minute less than the function may take
/// (`infra/template.yaml`).
const LENGTH: SignedDuration = SignedDuration::from_secs(240);

impl App {
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
