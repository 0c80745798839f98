//! Metrics, in CloudWatch's embedded metric format: a JSON line in the log that CloudWatch reads values
//! from. No request is made and no permission is needed.
//!
//! The format is that of the Amazon CloudWatch User Guide, "Specification: Embedded metric format". A
//! metric costs money for each combination of its dimensions, so there are few, and units stand in names.

use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A metric's unit, as CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many of something.
    Count,
    /// Seconds.
    Seconds,
    /// Hundredths of a whole.
    Percent,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Percent => "Percent",
        }
    }
}

/// Values of one moment that share their dimensions.
#[derive(Debug, Clone)]
pub struct Metrics {
    dimensions: Vec<(&'static str, String)>,
    also_together: bool,
    values: Vec<(&'static str, Unit, i64)>,
}

impl Metrics {
    /// Values of a thing that has these dimensions. None of them is an address: names of brands, targets
    /// and reasons are.
    pub fn of(dimensions: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { dimensions: dimensions.into_iter().collect(), also_together: false, values: Vec::new() }
    }

    /// Counts the values without any dimension as well: an alarm looks at all brands together, because it
    /// cannot know their names.
    #[must_use]
    pub fn also_together(mut self) -> Self {
        self.also_together = true;
        self
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, unit: Unit, value: i64) -> Self {
        self.values.push((name, unit, value));
        self
    }

    /// Adds a count.
    #[must_use]
    pub fn count(self, name: &'static str, count: u64) -> Self {
        self.with(name, Unit::Count, i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The line, without its end.
    pub fn line(&self, namespace: &str, at: Timestamp) -> String {
        let names: Vec<_> = self.dimensions.iter().map(|(name, _)| *name).collect();
        let sets = if self.also_together { vec![names, Vec::new()] } else { vec![names] };
        let metrics: Vec<_> = self.values.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit.as_str() })).collect();
        let directive = json!({ "Namespace": namespace, "Dimensions": sets, "Metrics": metrics });
        let mut root = Map::new();
        root.insert("_aws".into(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] }));
        root.extend(self.dimensions.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))));
        root.extend(self.values.iter().map(|(name, _, value)| ((*name).to_owned(), Value::from(*value))));
        Value::Object(root).to_string()
    }
}

/// Where metrics go.
#[derive(Debug, Clone)]
pub struct Sink {
    namespace: String,
}

impl Sink {
    /// A sink for a system of this name.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into() }
    }

    /// Writes a line into the log. One that cannot be written is lost: a metric is no promise.
    pub fn write(&self, metrics: &Metrics, at: Timestamp) {
        let line = format!("{}\n", metrics.line(&self.namespace, at));
        if let Err(error) = std::io::stdout().lock().write_all(line.as_bytes()) {
            tracing::warn!(kind = %error.kind(), "a metric was not written");
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What the specification asks of a line, whoever wrote it.
    fn assert_is_embedded_metric(line: &str) {
        assert!(!line.contains('\n') && line.len() <= 1_048_576);
        let root: Value = serde_json::from_str(line).unwrap();
        assert!(root["_aws"]["Timestamp"].is_u64());
        let directives = root["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert!(!directives.is_empty());
        for directive in directives {
            let namespace = directive["Namespace"].as_str().unwrap();
            assert!(
                (1..=1024).contains(&namespace.len()) && namespace.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/#:".contains(&b))
            );
            let sets = directive["Dimensions"].as_array().unwrap();
            assert!(!sets.is_empty());
            let mut targets = HashSet::new();
            for name in sets.iter().flat_map(|set| {
                let set = set.as_array().unwrap();
                assert!(set.len() <= 30);
                set
            }) {
                let (name, value) = (name.as_str().unwrap(), root[name.as_str().unwrap()].as_str().unwrap());
                assert!((1..=250).contains(&name.len()) && (1..=1024).contains(&value.len()) && value.is_ascii());
                targets.insert(name.to_owned());
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                assert!((1..=1024).contains(&name.len()));
                assert!(["Seconds", "Count", "Percent"].contains(&metric["Unit"].as_str().unwrap()));
                assert!(root[name].is_number(), "{name} has no value");
                assert!(targets.insert(name.to_owned()), "{name} is named twice");
            }
        }
    }

    fn metrics() -> Metrics {
        Metrics::of([("brand", "demo".to_owned())]).count("late_count", 3).with("slack_seconds", Unit::Seconds, -60)
    }

    #[test]
    fn a_line_is_what_cloudwatch_asks_for() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let line = metrics().line("iys-insider-sync/prod", at);
        assert_is_embedded_metric(&line);
        // The local runner tells metrics from what people read by their beginning.
        assert!(line.starts_with(r#"{"_aws":"#), "{line}");
        let root: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(root["_aws"]["Timestamp"], 1_795_168_800_000_i64);
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["brand"]]));
        assert_eq!((&root["brand"], &root["late_count"], &root["slack_seconds"]), (&json!("demo"), &json!(3), &json!(-60)));
    }

    #[test]
    fn values_of_all_brands_are_counted_together_where_an_alarm_needs_it() {
        let line = metrics().also_together().line("x", Timestamp::UNIX_EPOCH);
        assert_is_embedded_metric(&line);
        let root: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["brand"], []]));
    }
}
