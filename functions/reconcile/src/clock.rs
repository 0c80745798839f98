//! The deadline clock: how much waits for İYS with how little time left, as metrics and, where a person
//! should know, in the log. The alarms in the template look at these metrics.

use std::collections::BTreeMap;

use shared::brand::Brand;
use shared::consent::slack::Slack;
use shared::ledger::{Backlog, LedgerError};
use shared::metrics::{Metrics, Unit};
use shared::sync::deadlines::Watch;

use crate::{App, Report};

/// Most pages (two thousand keys each) of the work index that are counted per shard.
const PAGES: usize = 140;

impl App {
    pub(crate) async fn clock(&self, brand: &Brand, report: &mut Report) {
        match self.read_clock(brand).await {
            Ok((watch, backlog)) => {
                report.waiting += usize::try_from(watch.deadlines.at_most(Slack::More)).unwrap_or(usize::MAX);
                report.late += usize::try_from(watch.late()).unwrap_or(usize::MAX);
                tell(brand.name.as_str(), &watch);
                for metrics in metrics(brand.name.as_str(), &watch, &backlog) {
                    self.metrics.write(&metrics, (self.clock)());
                }
            }
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the deadline clock was not read");
                report.failed += 1;
            }
        }
        if let Err(error) = self.measure_standing(brand).await {
            tracing::error!(brand = %brand.name, %error, "the brand's standing was not read");
            report.failed += 1;
        }
    }

    async fn read_clock(&self, brand: &Brand) -> Result<(Watch, Backlog), LedgerError> {
        let watch = Watch::read(&self.ledger, &brand.name, (self.clock)(), 1).await?;
        Ok((watch, self.ledger.backlog(&brand.name, PAGES).await?))
    }
}

/// Says in the log what a person should know. A line names counts and the first deadline only; the status
/// tells which movements they are and what is in the way.
fn tell(brand: &str, watch: &Watch) {
    let (late, over_two_days, over_one_day) = (watch.late(), watch.over_two_days(), watch.over_one_day());
    let first_deadline = watch.deadlines.first.first().map(|bound| bound.deadline.to_string());
    let slack_seconds = watch.slack_seconds();
    if over_two_days > 0 {
        let what = "movements wait for İYS for more than two of their three business days";
        tracing::error!(brand, late, over_two_days, over_one_day, first_deadline, slack_seconds, "{what}");
    } else if over_one_day > 0 {
        tracing::warn!(brand, over_one_day, first_deadline, slack_seconds, "movements wait for İYS for more than one business day");
    }
    if watch.deadlines.truncated {
        tracing::warn!(brand, "more waits for İYS than can be counted: the least urgent is not");
    }
}

/// What is measured. Counts of what waits are those of all that have at most so much time left, so a late
/// movement is in each of them.
fn metrics(brand: &str, watch: &Watch, backlog: &Backlog) -> Vec<Metrics> {
    let mut clock = Metrics::of([("brand", brand.to_owned())])
        .also_together()
        .count("waiting_count", watch.deadlines.at_most(Slack::More))
        .count("waiting_over_1_business_day_count", watch.over_one_day())
        .count("waiting_over_2_business_days_count", watch.over_two_days())
        .count("late_count", watch.late());
    if let Some(slack) = watch.slack_seconds() {
        clock = clock.with("first_deadline_slack_seconds", Unit::Seconds, slack);
    }
    let mut all = vec![clock];
    for (target, counts, held) in [("iys", &backlog.registry, &backlog.registry_held), ("insider", &backlog.insider, &backlog.insider_held)]
    {
        let dimensions = || [("brand", brand.to_owned()), ("target", target.to_owned())];
        let rejected = counts.get("rejected").copied().unwrap_or_default();
        let open = counts.values().sum::<u64>().saturating_sub(rejected);
        all.push(Metrics::of(dimensions()).count("open_count", open).count("rejected_count", rejected));
        all.extend(held_by_reason(held, dimensions));
    }
    all
}

fn held_by_reason(held: &BTreeMap<String, u64>, dimensions: impl Fn() -> [(&'static str, String); 2]) -> impl Iterator<Item = Metrics> {
    held.iter().map(move |(why, count)| {
        let dimensions = dimensions().into_iter().chain([("held_for", why.clone())]);
        Metrics::of(dimensions).count("held_count", *count)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};
    use shared::ledger::Deadlines;

    use super::*;

    fn lines(by_slack: &[(Slack, u64)], backlog: &Backlog) -> Vec<Value> {
        let deadlines = Deadlines { by_slack: by_slack.iter().copied().collect(), ..Deadlines::default() };
        let watch = Watch { at: "2026-11-26 12:00:00".parse().unwrap(), deadlines, waiting: Vec::new() };
        let lines = metrics("demo", &watch, backlog).into_iter().map(|metrics| metrics.line("x", Timestamp::UNIX_EPOCH));
        lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
    }

    #[test]
    fn what_is_late_counts_among_all_that_has_waited_for_long() {
        let lines =
            lines(&[(Slack::Late, 1), (Slack::Under1, 2), (Slack::Under2, 4), (Slack::Under3, 8), (Slack::More, 16)], &Backlog::default());
        let counts = ["waiting_count", "waiting_over_1_business_day_count", "waiting_over_2_business_days_count", "late_count"];
        assert_eq!(counts.map(|name| lines[0][name].as_u64().unwrap()), [31, 7, 3, 1]);
        assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["brand"], []]));
    }

    #[test]
    fn a_quiet_brand_is_measured_too_so_that_an_alarm_ends() {
        let lines = lines(&[], &Backlog::default());
        assert_eq!((&lines[0]["waiting_count"], &lines[0]["late_count"]), (&json!(0), &json!(0)));
        assert!(lines[0].get("first_deadline_slack_seconds").is_none(), "nothing waits");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn the_backlog_is_measured_by_target_and_what_is_held_by_reason() {
        let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let backlog = Backlog {
            registry: counts(&[("pending", 2), ("held", 5), ("rejected", 7)]),
            registry_held: counts(&[("quota", 4), ("authority", 1)]),
            insider: counts(&[("awaiting", 3)]),
            ..Backlog::default()
        };
        let lines = lines(&[(Slack::Under3, 7)], &backlog);
        let told: Vec<_> = lines[1..]
            .iter()
            .map(|line| json!([line["target"], line["open_count"], line["rejected_count"], line["held_for"], line["held_count"]]))
            .collect();
        let expected = [
            json!(["iys", 7, 7, null, null]),
            json!(["iys", null, null, "authority", 1]),
            json!(["iys", null, null, "quota", 4]),
            json!(["insider", 3, 0, null, null]),
        ];
        assert_eq!(told, expected);
    }
}
