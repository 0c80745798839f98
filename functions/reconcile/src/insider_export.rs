//! The job that orders Insider's exports and compares them with the ledger.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::brand::Brand;
use shared::insider;
use shared::sync::insider_export::{InsiderExport, Ran};
use shared::sync::throttle::LedgerThrottle;

use crate::{App, Report};

/// For how long a run begins something new, over all brands. It must end within the function's timeout; the
/// next one goes on where it stopped.
const RUN: SignedDuration = SignedDuration::from_secs(200);

impl App {
    pub(crate) async fn insider_export(&self, brand: &Arc<Brand>, began: Timestamp, by_hand: bool, report: &mut Report) {
        if brand.insider.outbound.export.is_none() {
            return;
        }
        let throttle = LedgerThrottle::new(self.ledger.clone(), self.clock.clone(), brand.insider.partner.clone());
        let insider = insider::Client::new(self.insider.clone(), Arc::new(brand.insider.clone()), Arc::new(throttle));
        let export = InsiderExport {
            ledger: &self.ledger,
            intake: &self.intake,
            brand,
            insider: &insider,
            clock: &self.clock,
            grace: self.grace,
            stop_at: began.saturating_add(RUN).unwrap_or(Timestamp::MAX),
            by_hand,
        };
        match export.run().await {
            Ok(Some(Ran { ordered, rows, retold, refusals, .. })) => {
                report.exports += usize::from(ordered);
                report.rows += rows;
                report.retold += retold;
                report.refusals += refusals;
            }
            Ok(None) => tracing::info!(brand = %brand.name, "Insider's export is being looked after by another worker"),
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "Insider's export came to nothing for now");
                report.failed += 1;
            }
        }
    }
}
