//! A chunk of a brand's book of consents, as the operator's import hands it over.

use serde_json::Value;
use shared::answers::{Check, ImportAnswer};
use shared::sync::import::Import;
use shared::sync::standing::Guard;

use crate::App;
use crate::findings::Finding;

impl App {
    /// Takes the rows in. Whatever cannot be done now is named in the answer: a failed invocation would be
    /// work for whoever watches the schedule.
    pub(crate) async fn import(&self, name: &str, rows: Vec<Value>, dry_run: bool, tell_insider: bool) -> ImportAnswer {
        let failed = |check: Check| ImportAnswer { failed: Some(check), ..ImportAnswer::default() };
        let brand = match self.brands.get(name, (self.clock)()).await {
            Ok(Some(brand)) => brand,
            Ok(None) => return failed(Finding::DocumentMissing.of("document", &[])),
            Err(error) => return failed(Finding::DocumentsAway.of("document", &[&error.to_string()])),
        };
        let registry = self.registry(&brand);
        let guard = Guard::new(&*registry, &self.ledger, &brand, &self.clock);
        let import = Import {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &brand,
            registry: &guard,
            clock: &self.clock,
            grace: self.grace,
            tell_insider,
            dry_run,
        };
        let answer = Box::pin(import.run(rows)).await;
        tracing::info!(
            brand = %name, dry_run, rows = answer.counts.rows, accepted = answer.counts.accepted,
            refused = answer.refused.len(), unfinished = answer.unfinished.rows.len(), "rows of a book taken"
        );
        answer
    }
}
