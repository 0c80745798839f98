//! Reading and writing the small items by which workers agree with each other: allowances and tokens.
//!
//! They hold numbers and texts of our own only, so they are read by hand instead of through serde:
//! every write touches single attributes under a condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{Ledger, LedgerError};

/// An item as DynamoDB gives it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The table's time-to-live attribute, in seconds since 1970: DynamoDB deletes the item some time
/// after it.
pub(super) const EXPIRES: &str = "expires_at";

/// A primary key.
pub(super) fn key(partition: &str, sort: &str) -> Item {
    HashMap::from([("PK".to_owned(), AttributeValue::S(partition.to_owned())), ("SK".to_owned(), AttributeValue::S(sort.to_owned()))])
}

/// A number for an expression.
pub(super) fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A text for an expression.
pub(super) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A moment for an expression, in milliseconds since 1970.
pub(super) fn ms(moment: Timestamp) -> AttributeValue {
    n(moment.as_millisecond())
}

/// The whole number in an attribute.
pub(super) fn number(item: &Item, name: &'static str) -> Result<Option<i64>, LedgerError> {
    item.get(name).map(|value| read_number(value, name)).transpose()
}

/// The whole numbers in a list attribute; none when there is no such attribute.
pub(super) fn numbers(item: &Item, name: &'static str) -> Result<Vec<i64>, LedgerError> {
    match item.get(name) {
        None => Ok(Vec::new()),
        Some(AttributeValue::L(values)) => values.iter().map(|value| read_number(value, name)).collect(),
        Some(_) => Err(unreadable(name)),
    }
}

/// The text in an attribute.
pub(super) fn text<'a>(item: &'a Item, name: &'static str) -> Result<Option<&'a str>, LedgerError> {
    item.get(name).map(|value| value.as_s().map(String::as_str).map_err(|_| unreadable(name))).transpose()
}

/// The moment in an attribute of milliseconds.
pub(super) fn moment(item: &Item, name: &'static str) -> Result<Option<Timestamp>, LedgerError> {
    number(item, name)?.map(|number| from_ms(number).ok_or_else(|| unreadable(name))).transpose()
}

/// The moment that a number of milliseconds stands for.
pub(super) fn from_ms(number: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(number).ok()
}

/// An item that lacks, or has in another form, what this version writes.
pub(super) fn unreadable(name: &'static str) -> LedgerError {
    LedgerError::Item { why: name.to_owned() }
}

fn read_number(value: &AttributeValue, name: &'static str) -> Result<i64, LedgerError> {
    value.as_n().ok().and_then(|number| number.parse().ok()).ok_or_else(|| unreadable(name))
}

/// Tells a condition that was not met, with the item that did not meet it where it was asked for,
/// from a call that failed.
pub(super) fn met<T, R>(result: Result<T, SdkError<UpdateItemError, R>>) -> Result<Result<T, Option<Item>>, LedgerError> {
    match result {
        Ok(output) => Ok(Ok(output)),
        Err(SdkError::ServiceError(service)) if service.err().is_conditional_check_failed_exception() => {
            let found = match service.into_err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => failed.item,
                _ => None,
            };
            Ok(Err(found))
        }
        Err(error) => Err(LedgerError::store("UpdateItem")(error)),
    }
}

impl Ledger {
    /// One item as it stands after every write that was acknowledged.
    pub(super) async fn control_item(&self, key: Item) -> Result<Option<Item>, LedgerError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(LedgerError::store("GetItem"))?;
        Ok(output.item)
    }
}
