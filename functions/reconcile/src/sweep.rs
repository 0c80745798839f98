//! The job that queues again what is overdue.

use jiff::SignedDuration;
use shared::brand::Brand;
use shared::sync::road::note_road;
use shared::sync::sweep::{QUEUED, Sweep};

use crate::turn::Turn;
use crate::{App, Report};

/// For how long a run begins something new: a minute less than the function may take
/// (`infra/template.yaml`).
const LENGTH: SignedDuration = SignedDuration::from_secs(240);

impl App {
    pub(crate) async fn sweep(&self, brand: &Brand, turn: Turn, report: &mut Report) {
        let sweep = Sweep {
            ledger: &self.ledger,
            queues: &self.queues,
            clock: &self.clock,
            grace: self.grace,
            most: QUEUED,
            stop_at: turn.end(LENGTH),
        };
        if let Err(error) = note_road(&self.ledger, brand, (self.clock)()).await {
            tracing::error!(brand = %brand.name, %error, "whether the brand changed its registry was not noted");
            report.failed += 1;
        }
        match sweep.run(&brand.name).await {
            Ok(swept) => report.requeued += swept.keys + swept.submissions,
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "overdue work was not queued again");
                report.failed += 1;
            }
        }
    }
}
