//! How İYS takes the calls and the brands, as metrics: whether it still gives tokens, how many of the calls it
//! answers well, and whether it refuses a brand as a whole. Read with the clock, for the template's alarms.

use shared::brand::Brand;
use shared::iys::AllowanceUse;
use shared::ledger::LedgerError;
use shared::metrics::{Metrics, Unit};

use crate::{App, Report};

impl App {
    /// Of the address that all brands call from.
    pub(crate) async fn measure_allowance(&self, report: &mut Report) {
        let limits = &self.iys.settings().limits;
        match AllowanceUse::read(&self.ledger, limits, (self.clock)()).await {
            Ok(used) => self.metrics.write(&allowance(&used, limits.calls_per_second), (self.clock)()),
            Err(error) => {
                tracing::error!(%error, "the use of İYS's allowance was not read");
                report.failed += 1;
            }
        }
    }

    /// Of one brand.
    pub(crate) async fn measure_standing(&self, brand: &Brand) -> Result<(), LedgerError> {
        let standing = self.ledger.standing(&brand.name).await?;
        self.metrics.write(&stopped(brand.name.as_str(), standing.stop.is_some()), (self.clock)());
        Ok(())
    }
}

fn allowance(used: &AllowanceUse, calls_per_second: u32) -> Metrics {
    let metrics = Metrics::of([])
        .count("token_requests_count", used.token_requests.used.into())
        .count("token_stopped_count", used.tokens_stopped_until.is_some().into())
        .count("slowed_count", (used.quality.calls_per_second < calls_per_second).into());
    match used.quality.requests {
        0 => metrics,
        requests => {
            let percent = requests.saturating_sub(used.quality.failed).saturating_mul(100) / requests;
            metrics.with("success_percent", Unit::Percent, i64::try_from(percent).unwrap_or(100))
        }
    }
}

fn stopped(brand: &str, stopped: bool) -> Metrics {
    Metrics::of([("brand", brand.to_owned())]).also_together().count("stopped_count", stopped.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};
    use shared::iys::{QualityUse, Used};

    use super::*;

    fn line(metrics: &Metrics) -> Value {
        serde_json::from_str(&metrics.line("x", Timestamp::UNIX_EPOCH)).unwrap()
    }

    fn used(requests: u64, failed: u64, calls_per_second: u32, stopped: Option<Timestamp>) -> AllowanceUse {
        let none = Used { used: 0, limit: 9 };
        AllowanceUse {
            token_requests: Used { used: 3, limit: 9 },
            single_status: none,
            history: none,
            quality: QualityUse { requests, failed, ratio: None, calls_per_second },
            tokens_stopped_until: stopped,
        }
    }

    #[test]
    fn a_stop_of_tokens_and_a_slow_pace_count_one_while_they_last() {
        let quiet = line(&allowance(&used(0, 0, 7, None), 7));
        assert_eq!([&quiet["token_requests_count"], &quiet["token_stopped_count"], &quiet["slowed_count"]], [3, 0, 0]);
        assert!(quiet.get("success_percent").is_none(), "nothing was called");
        assert_eq!(quiet["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        let refused = line(&allowance(&used(1000, 255, 4, Some(Timestamp::UNIX_EPOCH)), 7));
        assert_eq!([&refused["token_stopped_count"], &refused["slowed_count"], &refused["success_percent"]], [1, 1, 74]);
    }

    #[test]
    fn a_stopped_brand_is_counted_by_name_and_among_all() {
        for (is_stopped, count) in [(true, 1), (false, 0)] {
            let line = line(&stopped("demo", is_stopped));
            assert_eq!((&line["brand"], &line["stopped_count"]), (&json!("demo"), &json!(count)));
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["brand"], []]));
        }
    }
}
