//! How often Insider named events and attributes that nobody mapped, with one masked body each: kept so
//! that a brand finds them.
//!
//! Items: PK `B#{brand}`, SK `EVENT#{name}` or `ATTR#{name}`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::Item;
use super::{Ledger, LedgerError};
use crate::consent::BrandName;

/// Most names of a kind that are listed.
const LISTED: i32 = 100;

/// What has a name that nobody mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownKind {
    /// An event.
    Event,
    /// A profile attribute that changed.
    Attribute,
}

impl UnknownKind {
    const fn prefix(self) -> &'static str {
        match self {
            UnknownKind::Event => "EVENT#",
            UnknownKind::Attribute => "ATTR#",
        }
    }
}

/// What is known of an unmapped name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownName {
    /// How often it came.
    pub times: u64,
    /// When it came last.
    pub last_seen: Option<Timestamp>,
    /// The form of the first body that had it: JSON of names and kinds of values, no value.
    pub sample: Option<String>,
}

impl Ledger {
    /// Adds to the count of a name, and keeps the sample if it is the first. Callers pass names that look
    /// like names, never free text, and samples without any value.
    pub async fn note_unknown(
        &self,
        brand: &BrandName,
        kind: UnknownKind,
        name: &str,
        times: u32,
        sample: Option<&str>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", AttributeValue::S(format!("B#{brand}")))
            .key("SK", AttributeValue::S(format!("{}{name}", kind.prefix())))
            .expression_attribute_values(":times", AttributeValue::N(times.to_string()))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()));
        let mut expression = "ADD times :times SET last_seen = :now".to_owned();
        if let Some(sample) = sample {
            expression.push_str(", masked_body = if_not_exists(masked_body, :sample)");
            update = update.expression_attribute_values(":sample", AttributeValue::S(sample.to_owned()));
        }
        update.update_expression(expression).send().await.map_err(LedgerError::store("UpdateItem"))?;
        Ok(())
    }

    /// The names of a kind.
    pub async fn unknown_names(&self, brand: &BrandName, kind: UnknownKind) -> Result<BTreeMap<String, UnknownName>, LedgerError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(format!("B#{brand}")))
            .expression_attribute_values(":prefix", AttributeValue::S(kind.prefix().into()))
            .limit(LISTED)
            .send()
            .await
            .map_err(LedgerError::store("Query"))?;
        let read = |item: &Item| {
            let name = item.get("SK")?.as_s().ok()?.strip_prefix(kind.prefix())?.to_owned();
            let times = item.get("times")?.as_n().ok()?.parse().ok()?;
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
            let last_seen = text("last_seen").and_then(|text| text.parse().ok());
            Some((name, UnknownName { times, last_seen, sample: text("masked_body").cloned() }))
        };
        Ok(answer.items.unwrap_or_default().iter().filter_map(read).collect())
    }
}
