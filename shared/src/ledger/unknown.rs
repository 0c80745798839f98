//! How often Insider's events came whose names nobody mapped: kept so that a brand finds them.
//!
//! Item: PK `B#{brand}`, SK `EVENT#{name}`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Ledger, LedgerError};
use crate::consent::BrandName;

/// Most names that are listed.
const LISTED: i32 = 100;

impl Ledger {
    /// Adds to the count of a name. Callers pass names that look like names, never free text.
    pub async fn count_unknown_event(&self, brand: &BrandName, name: &str, times: u32) -> Result<(), LedgerError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("PK", AttributeValue::S(format!("B#{brand}")))
            .key("SK", AttributeValue::S(format!("EVENT#{name}")))
            .update_expression("ADD times :times")
            .expression_attribute_values(":times", AttributeValue::N(times.to_string()))
            .send()
            .await
            .map_err(LedgerError::store("UpdateItem"))?;
        Ok(())
    }

    /// The names and their counts.
    pub async fn unknown_events(&self, brand: &BrandName) -> Result<BTreeMap<String, u64>, LedgerError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(format!("B#{brand}")))
            .expression_attribute_values(":prefix", AttributeValue::S("EVENT#".into()))
            .limit(LISTED)
            .send()
            .await
            .map_err(LedgerError::store("Query"))?;
        let read = |item: &super::item::Item| {
            let name = item.get("SK")?.as_s().ok()?.strip_prefix("EVENT#")?.to_owned();
            let times = item.get("times")?.as_n().ok()?.parse().ok()?;
            Some((name, times))
        };
        Ok(answer.items.unwrap_or_default().iter().filter_map(read).collect())
    }
}
