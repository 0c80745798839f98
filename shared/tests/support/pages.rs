//! Answers that come in parts, as those of a large or busy table do.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextMut};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::types::KeysAndAttributes;

/// Makes the pages of every query small, as those of a large table are: so many items each.
#[derive(Debug)]
pub(crate) struct SmallPages(pub(crate) i32);

impl Intercept for SmallPages {
    fn name(&self) -> &'static str {
        "SmallPages"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some(query) = context.input_mut().downcast_mut::<QueryInput>() {
            query.limit = Some(self.0);
        }
        Ok(())
    }
}

/// Answers only the first three keys of a batch, as DynamoDB does under load.
#[derive(Debug, Default)]
pub(crate) struct Unprocessed(Mutex<Option<KeysAndAttributes>>);

impl Intercept for Unprocessed {
    fn name(&self) -> &'static str {
        "Unprocessed"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let input = context.input_mut().downcast_mut::<BatchGetItemInput>();
        for asked in input.and_then(|input| input.request_items.as_mut()).into_iter().flat_map(|tables| tables.values_mut()) {
            let mut rest = asked.clone();
            rest.keys = asked.keys.split_off(asked.keys.len().min(3));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest).filter(|rest| !rest.keys.is_empty());
        }
        Ok(())
    }

    fn modify_before_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let output = context.output_or_error_mut().and_then(|output| output.as_mut().ok());
        if let (Some(output), Some(rest)) = (
            output.and_then(|output| output.downcast_mut::<BatchGetItemOutput>()),
            self.0.lock().unwrap_or_else(PoisonError::into_inner).take(),
        ) {
            let table = output.responses.iter().flat_map(|tables| tables.keys()).next().unwrap().clone();
            output.unprocessed_keys = Some([(table, rest)].into());
        }
        Ok(())
    }
}
