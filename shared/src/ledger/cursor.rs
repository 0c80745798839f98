//! Where reading a feed goes on, and short leases that keep two workers from doing the same job.
//!
//! Items: PK `B#{brand}`, SK `CURSOR#{feed}` and `LEASE#{job}`.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::Item;
use super::{Ledger, LedgerError};
use crate::consent::BrandName;

/// The cursors of a feed over the last runs, oldest first. Reading starts some time back, because a
/// movement may become visible after later ones were read; what is read twice is one movement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// When each cursor was noted, and the cursor.
    pub steps: Vec<(Timestamp, String)>,
    /// When the feed was last read to its end.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// When reading last began at the start of what the registry shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
}

impl Trail {
    /// Whether movements may have left the feed unread, which shows them for no longer than `window`: it was
    /// not read to its end for so long, or nobody knows when it was.
    pub fn has_gap(&self, now: Timestamp, window: SignedDuration) -> bool {
        let first_step = self.steps.first().map(|(at, _)| *at);
        self.read_at.max(self.begun_at).or(first_step).is_none_or(|read| now.duration_since(read) > window)
    }

    /// The trail of a feed that is read from the start of what the registry shows.
    pub fn anew(self, now: Timestamp) -> Self {
        Self { steps: Vec::new(), begun_at: Some(now), ..self }
    }

    /// The cursor to start from: the newest that is at least `overlap` old, or the oldest known.
    pub fn start(&self, now: Timestamp, overlap: SignedDuration) -> Option<&str> {
        let old_enough = |at: &Timestamp| now.duration_since(*at) >= overlap;
        let newest_old = self.steps.iter().rev().find(|(at, _)| old_enough(at));
        newest_old.or(self.steps.first()).map(|(_, cursor)| cursor.as_str())
    }

    /// Notes a cursor and forgets those that no run will start from any more.
    pub fn note(&mut self, cursor: String, now: Timestamp, overlap: SignedDuration) {
        if self.steps.last().is_none_or(|(_, last)| *last != cursor) {
            self.steps.push((now, cursor));
        }
        let needed = self.steps.iter().rposition(|(at, _)| now.duration_since(*at) >= overlap).unwrap_or(0);
        self.steps.drain(..needed);
    }
}

fn partition(brand: &BrandName) -> AttributeValue {
    AttributeValue::S(format!("B#{brand}"))
}

impl Ledger {
    /// The trail of a feed; empty before the first run.
    pub async fn trail(&self, brand: &BrandName, feed: &str) -> Result<Trail, LedgerError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", partition(brand))
            .key("SK", AttributeValue::S(format!("CURSOR#{feed}")))
            .consistent_read(true)
            .send()
            .await
            .map_err(LedgerError::store("GetItem"))?;
        let trail = answer.item.as_ref().and_then(|item| item.get("trail")).and_then(|value| value.as_s().ok());
        trail.map_or_else(
            || Ok(Trail::default()),
            |text| serde_json::from_str(text).map_err(|_| LedgerError::Item { why: "a cursor has no usable form".into() }),
        )
    }

    /// Stores the trail of a feed.
    pub async fn put_trail(&self, brand: &BrandName, feed: &str, trail: &Trail) -> Result<(), LedgerError> {
        let text = serde_json::to_string(trail).map_err(|_| LedgerError::Item { why: "a cursor cannot be written".into() })?;
        let item = Item::from([
            ("PK".to_owned(), partition(brand)),
            ("SK".to_owned(), AttributeValue::S(format!("CURSOR#{feed}"))),
            ("trail".to_owned(), AttributeValue::S(text)),
        ]);
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(LedgerError::store("PutItem"))?;
        Ok(())
    }

    /// Takes a job's lease until `until`, unless somebody else holds it. A holder that died loses it
    /// by time.
    pub async fn try_lease(&self, brand: &BrandName, job: &str, now: Timestamp, until: Timestamp) -> Result<bool, LedgerError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("PK", partition(brand))
            .item("SK", AttributeValue::S(format!("LEASE#{job}")))
            .item("until_ms", AttributeValue::N(until.as_millisecond().to_string()))
            .condition_expression("attribute_not_exists(PK) OR until_ms < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(LedgerError::store("PutItem")(error)),
        }
    }

    /// Gives back the lease that was taken until `until`; one that somebody else took since stays.
    pub async fn release(&self, brand: &BrandName, job: &str, until: Timestamp) -> Result<(), LedgerError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("PK", partition(brand))
            .key("SK", AttributeValue::S(format!("LEASE#{job}")))
            .condition_expression("until_ms = :until")
            .expression_attribute_values(":until", AttributeValue::N(until.as_millisecond().to_string()));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(LedgerError::store("DeleteItem")(error)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minute * 60).expect("in range")
    }

    #[test]
    fn reading_starts_from_the_newest_cursor_that_is_old_enough() {
        let overlap = SignedDuration::from_mins(10);
        let mut trail = Trail::default();
        assert_eq!(trail.start(at(0), overlap), None);
        for minute in [0, 5, 10, 15, 20] {
            trail.note(format!("c{minute}"), at(minute), overlap);
        }
        assert_eq!(trail.start(at(20), overlap), Some("c10"));
        assert_eq!(trail.steps.len(), 3, "older cursors are forgotten");
        trail.note("c20".into(), at(40), overlap);
        assert_eq!(trail.start(at(40), overlap), Some("c20"));
    }

    #[test]
    fn a_feed_has_a_gap_that_was_not_read_to_its_end_or_begun_anew_within_the_window() {
        let (window, read_at) = (SignedDuration::from_mins(60), Some(at(0)));
        assert!(Trail::default().has_gap(at(0), window), "nobody knows what was read");
        let read = Trail { read_at, ..Trail::default() };
        assert!(!read.has_gap(at(60), window) && read.has_gap(at(61), window));
        let mut begun = read.anew(at(61));
        assert!(!begun.has_gap(at(121), window) && begun.has_gap(at(122), window), "it has to come to its end, too");
        begun.read_at = Some(at(100));
        assert!(!begun.has_gap(at(160), window));
        let mut earlier_version = Trail::default();
        earlier_version.note("c".into(), at(5), window);
        assert!(!earlier_version.has_gap(at(65), window) && earlier_version.has_gap(at(66), window));
    }
}
