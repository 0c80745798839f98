//! A meter in the DynamoDB client that adds up the write units of all writes, index writes included.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// Write units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Units {
    /// Of the table.
    pub(crate) table: f64,
    /// Of the index.
    pub(crate) index: f64,
}

impl Units {
    /// A number of units of the table and of the index.
    pub(crate) const fn of(table: u16, index: u16) -> Self {
        Self { table: table as f64, index: index as f64 }
    }
}

/// The meter. Its clones are the same meter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Units>>);

impl Meter {
    /// What was used since the last reading.
    pub(crate) fn read(&self) -> Units {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, table: f64, index: f64) {
        let mut units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        units.table += table;
        units.index += index;
    }
}

type Nothing = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Nothing {
        let input = context.input_mut();
        let asked = Some(ReturnConsumedCapacity::Indexes);
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = asked;
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = asked;
        } else if let Some(delete) = input.downcast_mut::<DeleteItemInput>() {
            delete.return_consumed_capacity = asked;
        }
        Ok(())
    }

    fn read_after_execution(&self, context: &FinalizerInterceptorContextRef<'_>, _: &RuntimeComponents, _: &mut ConfigBag) -> Nothing {
        match context.output_or_error() {
            Some(Ok(output)) => {
                let consumed = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
                    &put.consumed_capacity
                } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
                    &update.consumed_capacity
                } else if let Some(delete) = output.downcast_ref::<DeleteItemOutput>() {
                    &delete.consumed_capacity
                } else {
                    return Ok(());
                };
                let (table, index) = split(consumed.as_ref().ok_or("a write without its units")?);
                self.add(table, index);
            }
            // A write whose condition does not hold costs as many units as the item has kilobytes
            // ("DynamoDB read and write operations", Amazon DynamoDB Developer Guide); its answer does
            // not say so. The ledger's items with conditions are below one kilobyte.
            Some(Err(error)) => {
                let refused = error.as_operation_error().ok_or("a request without an answer")?;
                let is_condition = refused.downcast_ref::<PutItemError>().is_some_and(PutItemError::is_conditional_check_failed_exception)
                    || refused.downcast_ref::<UpdateItemError>().is_some_and(UpdateItemError::is_conditional_check_failed_exception);
                if !is_condition {
                    return Err("a request that DynamoDB refused".into());
                }
                self.add(1.0, 0.0);
            }
            None => {}
        }
        Ok(())
    }
}

/// Write units as DynamoDB reports them: of the table, and of its indexes together.
pub(crate) fn split(consumed: &ConsumedCapacity) -> (f64, f64) {
    let table = consumed.table.as_ref().and_then(|table| table.capacity_units).unwrap_or_default();
    let indexes = consumed.global_secondary_indexes.iter().flat_map(|indexes| indexes.values());
    (table, indexes.filter_map(|index| index.capacity_units).sum())
}
