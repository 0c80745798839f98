//! The job that compares what the ledger holds with İYS.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::brand::Brand;
use shared::sync::standing::Guard;
use shared::sync::verify::{Share, Verify};

use crate::{App, Report};

/// For how long a run begins something new: a minute less than the function may take
/// (`infra/template.yaml`).
const LENGTH: SignedDuration = SignedDuration::from_secs(240);

/// A brand's turn in a run.
pub(crate) struct Turn {
    /// When the run began.
    pub(crate) started: Timestamp,
    /// How many brands were before.
    pub(crate) position: usize,
    /// How many there are.
    pub(crate) brands: usize,
    /// Whether a person asked.
    pub(crate) at_once: bool,
}

impl Turn {
    /// When the next brand is to begin.
    fn end(&self) -> Timestamp {
        let share = |count: usize| i32::try_from(count).unwrap_or(i32::MAX).max(1);
        let until = LENGTH * share(self.position + 1) / share(self.brands);
        self.started.saturating_add(until).unwrap_or(self.started)
    }
}

impl App {
    pub(crate) async fn verify(&self, brand: &Arc<Brand>, turn: Turn, report: &mut Report) {
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
            at_once: turn.at_once,
            share: Share::of_registry(&offered, self.verify_percent, LENGTH).among(turn.brands),
            stop_at: turn.end(),
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
