//! What a brand's status tells of İYS's files of its last days (mutabakat).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use shared::ledger::{DayDifference, DayFile, DayFileState};

/// How many days are shown: those that İYS shows, and as many before them.
const SHOWN: usize = 14;

/// One day.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DayFileView {
    day: Date,
    state: DayFileState,
    /// What it waits for or is held for.
    why: Option<String>,
    rows: u64,
    /// Differences by kind: found, and left.
    differences: BTreeMap<String, DayDifference>,
    comparisons: u32,
    compared_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    /// Before when the schedule leaves it alone.
    next_at: Option<Timestamp>,
}

/// The last days, the newest first.
pub(crate) fn last(days: Vec<(Date, DayFile)>) -> Vec<DayFileView> {
    let view = |(day, file): (Date, DayFile)| DayFileView {
        day,
        state: file.state,
        why: file.why,
        rows: file.rows,
        differences: file.differences,
        comparisons: file.comparisons,
        compared_at: file.compared_at,
        confirmed_at: file.confirmed_at,
        next_at: file.next_at,
    };
    days.into_iter().rev().take(SHOWN).map(view).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_are_shown_the_newest_first_and_nothing_of_how_far_a_comparison_is() {
        let first: Date = "2026-11-01".parse().unwrap();
        let days = first.series(jiff::Span::new().days(1)).take(20).map(|day| (day, DayFile::default())).collect();
        let shown = serde_json::to_value(last(days)).unwrap();
        let shown = shown.as_array().unwrap();
        assert_eq!((shown.len(), shown[0]["day"].as_str(), shown[0]["state"].as_str()), (14, Some("2026-11-20"), Some("waiting")));
        assert!(shown[0].get("progress").is_none());
    }
}
