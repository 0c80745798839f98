//! How İYS takes our calls: good and failed answers of the last 24 hours, counted by all workers.
//!
//! İYS watches the requests of each source address: with 20,000 or more within 24 hours, of which
//! fewer than 70 % succeed for 96 hours, the address loses its listing (İYS documentation,
//! introduction). This is the same count on our side.
//!
//! One item holds two numbers for each hour. They are only ever added to, without a condition, so
//! workers do not disturb each other and no count is lost; the same write answers with the whole
//! item, so whoever counts knows the figure without a read. Twenty-five hours are kept, the running
//! one and the 24 before it, in which any 24 hours lie. A write whose answer was lost may count
//! twice; the figure steers a pace and proves nothing.
//!
//! One write unit for each count, and one more an hour, when the oldest hour is taken off. The item
//! stays below 1 KB.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};

use super::control::{self, Item};
use super::{Ledger, LedgerError};

/// Good and failed answers of the last 24 hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quality {
    /// Successes.
    pub good: u64,
    /// What İYS counts as failed: 400, 401, 403, 404 and 422.
    pub failed: u64,
    /// Whether it has been told that calls are slowed, and not yet that they no longer are.
    pub slowed: bool,
}

impl Quality {
    /// Answers that count.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.good.saturating_add(self.failed)
    }
}

/// First letter of the attributes that count an hour's good answers; the hour since 1970 follows.
const GOOD: &str = "g";
/// First letter of those that count failed ones.
const FAILED: &str = "f";
/// Whether calls are slowed: there while they are.
const SLOWED: &str = "slowed_at_ms";

const SECONDS_PER_HOUR: i64 = 3600;
/// Hours before the running one that the last 24 hours can touch.
const PAST_HOURS: i64 = 24;
/// When nothing is left to count, with an hour for clocks that differ.
const LIFE: SignedDuration = SignedDuration::from_hours(PAST_HOURS + 2);

fn key() -> HashMap<String, AttributeValue> {
    control::key("A#iys", "QUALITY")
}

fn hour_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(SECONDS_PER_HOUR)
}

fn expires(now: Timestamp) -> AttributeValue {
    control::n(now.checked_add(LIFE).unwrap_or(Timestamp::MAX).as_second())
}

/// The hour that an attribute counts, and whether it counts failed answers.
fn hour_in(name: &str) -> Option<(i64, bool)> {
    let failed = name.starts_with(FAILED);
    let hour = name.strip_prefix(FAILED).or_else(|| name.strip_prefix(GOOD))?;
    Some((hour.parse().ok()?, failed))
}

/// What an item says at `now`, and the attributes of hours that no longer count.
fn read(item: &Item, now: Timestamp) -> Result<(Quality, Vec<String>), LedgerError> {
    let oldest = hour_of(now) - PAST_HOURS;
    let mut quality = Quality { slowed: item.contains_key(SLOWED), ..Quality::default() };
    let mut over = Vec::new();
    for (name, value) in item {
        let Some((hour, failed)) = hour_in(name) else { continue };
        if hour < oldest {
            over.push(name.clone());
            continue;
        }
        let count: u64 = value.as_n().ok().and_then(|number| number.parse().ok()).ok_or_else(|| control::unreadable("an hour's count"))?;
        let sum = if failed { &mut quality.failed } else { &mut quality.good };
        *sum = sum.saturating_add(count);
    }
    Ok((quality, over))
}

impl Ledger {
    /// Counts answers of İYS; answers with the figure that includes them.
    pub async fn count_answers(&self, good: u32, failed: u32, now: Timestamp) -> Result<Quality, LedgerError> {
        let hour = hour_of(now);
        let counts = [(GOOD, ":good", good), (FAILED, ":failed", failed)];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key()))
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_values(":expires", expires(now))
            .return_values(ReturnValue::AllNew);
        let mut adds = Vec::new();
        for (letter, value, count) in counts.into_iter().filter(|(.., count)| *count > 0) {
            adds.push(format!("#{letter} {value}"));
            update = update
                .expression_attribute_names(format!("#{letter}"), format!("{letter}{hour}"))
                .expression_attribute_values(value, control::n(count.into()));
        }
        let adds = if adds.is_empty() { String::new() } else { format!(" ADD {}", adds.join(", ")) };
        let output =
            update.update_expression(format!("SET #expires = :expires{adds}")).send().await.map_err(LedgerError::store("UpdateItem"))?;
        let (quality, over) = read(output.attributes().unwrap_or(&Item::new()), now)?;
        // What is not taken off now is passed over until the next count does it.
        if !over.is_empty()
            && let Err(error) = self.take_off(&over).await
        {
            tracing::warn!(%error, "hours that no longer count were not taken off");
        }
        Ok(quality)
    }

    /// Good and failed answers of the last 24 hours.
    pub async fn quality(&self, now: Timestamp) -> Result<Quality, LedgerError> {
        let item = self.control_item(key()).await?.unwrap_or_default();
        Ok(read(&item, now)?.0)
    }

    /// Notes that calls are slowed from `now` on, or no longer are. Whether that is news: of all
    /// workers that find it, one is told so.
    pub async fn note_slowed(&self, slowed: bool, now: Timestamp) -> Result<bool, LedgerError> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key())).expression_attribute_names("#slowed", SLOWED);
        let update = if slowed {
            update
                .update_expression("SET #slowed = :now, #expires = :expires")
                .condition_expression("attribute_not_exists(#slowed)")
                .expression_attribute_names("#expires", control::EXPIRES)
                .expression_attribute_values(":expires", expires(now))
                .expression_attribute_values(":now", control::ms(now))
        } else {
            update.update_expression("REMOVE #slowed").condition_expression("attribute_exists(#slowed)")
        };
        Ok(control::met(update.send().await)?.is_ok())
    }

    /// Removes hours that no longer count. Nobody adds to them any more.
    async fn take_off(&self, hours: &[String]) -> Result<(), LedgerError> {
        let mut update = self.client.update_item().table_name(&self.table).set_key(Some(key()));
        let mut names = Vec::with_capacity(hours.len());
        for (number, hour) in hours.iter().enumerate() {
            names.push(format!("#h{number}"));
            update = update.expression_attribute_names(format!("#h{number}"), hour);
        }
        update.update_expression(format!("REMOVE {}", names.join(", "))).send().await.map_err(LedgerError::store("UpdateItem"))?;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn item(counts: &[(&str, i64)]) -> Item {
        counts.iter().map(|(name, count)| ((*name).to_owned(), control::n(*count))).collect()
    }

    #[test]
    fn an_hour_counts_until_twenty_four_whole_ones_have_followed_it() {
        let now = Timestamp::from_second(500_000 * SECONDS_PER_HOUR + 1800).unwrap();
        let item = item(&[
            ("g500000", 1),
            ("f500000", 2),
            ("g499976", 30),
            ("f499975", 400),
            ("g500001", 5),
            ("expires_at", 9),
            ("slowed_at_ms", 1),
        ]);
        let (quality, over) = read(&item, now).unwrap();
        // An hour ahead belongs to a worker whose clock is.
        assert_eq!(quality, Quality { good: 36, failed: 2, slowed: true });
        assert_eq!(over, ["f499975"]);
    }

    #[test]
    fn a_count_that_is_no_number_is_an_error() {
        let item = Item::from([("g500000".to_owned(), control::s("many"))]);
        assert!(read(&item, Timestamp::UNIX_EPOCH).is_err());
    }
}
