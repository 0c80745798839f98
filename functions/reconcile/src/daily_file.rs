//! The job that compares İYS's file of each finished day with the ledger.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use shared::brand::Brand;
use shared::integrators::capabilities;
use shared::iys::IysDayFiles;
use shared::metrics::Metrics;
use shared::sync::daily_file::{ACTS_IN_MEMORY, DailyFile, Ran};

use crate::turn::Turn;
use crate::{App, Report};

/// For how long a run begins something new: a minute and a half less than the function may take
/// (`infra/template.yaml`).
const LENGTH: SignedDuration = SignedDuration::from_secs(210);

impl App {
    pub(crate) async fn daily_file(&self, brand: &Arc<Brand>, turn: Turn, by_hand: bool, day: Option<Date>, report: &mut Report) {
        // Without it in the brand's document there is nothing to hold, and not every registry has such a file.
        if !capabilities(&brand.registry).day_files || (!brand.iys.mutabakat && !by_hand) {
            return;
        }
        let files = IysDayFiles::new(self.iys.clone(), brand.clone());
        let job = DailyFile {
            ledger: &self.ledger,
            intake: &self.intake,
            brand,
            files: &files,
            clock: &self.clock,
            acts_in_memory: ACTS_IN_MEMORY,
            stop_at: turn.end(LENGTH),
            by_hand,
        };
        match job.run(day).await {
            Ok(Some(ran)) => {
                report.days += ran.compared;
                report.confirmed += ran.confirmed;
                report.days_waiting += ran.waiting + ran.held;
                report.days_missed += ran.missed;
                report.failed += usize::from(ran.failed > 0);
                self.metrics.write(&metrics(brand.name.as_str(), &ran), (self.clock)());
            }
            Ok(None) => tracing::info!(brand = %brand.name, "another worker compares the brand's days"),
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the brand's days were not compared");
                report.failed += 1;
            }
        }
    }
}

/// What a person should act upon. A brand at rest is measured too, so that an alarm ends.
fn metrics(brand: &str, ran: &Ran) -> Metrics {
    Metrics::of([("brand", brand.to_owned())])
        .also_together()
        .count("day_files_at_risk_count", ran.at_risk + ran.missed)
        .count("day_file_differences_left_count", ran.unrepaired)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_missed_day_and_one_about_to_be_missed_are_measured_alike() {
        let ran = Ran { missed: 1, at_risk: 2, unrepaired: 5, ..Ran::default() };
        let line: Value = serde_json::from_str(&metrics("demo", &ran).line("x", Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!((line["day_files_at_risk_count"].as_u64(), line["day_file_differences_left_count"].as_u64()), (Some(3), Some(5)));
    }
}
