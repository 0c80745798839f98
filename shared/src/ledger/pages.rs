//! Reading what an index holds of one partition, page by page.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{self, Item};
use super::{Ledger, LedgerError};
use crate::consent::BrandName;

/// Entries of an index that are read at once: what a page takes in memory is the same however long the index is.
pub(super) const PAGE: i32 = 2000;

impl Ledger {
    /// A query for what one shard of a brand's open work is in an index.
    pub(super) fn query_work(&self, index: &str, brand: &BrandName, shard: u8, projection: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("work_pk = :pk")
            .projection_expression(projection)
            .limit(PAGE)
            .expression_attribute_values(":pk", AttributeValue::S(item::work_partition(brand, shard)))
    }
}

/// Hands on every entry of at most so many pages ([`PAGE`]); whether there is more.
pub(super) async fn read_pages(query: QueryFluentBuilder, pages: usize, mut each: impl FnMut(Item)) -> Result<bool, LedgerError> {
    let mut answers = query.into_paginator().send();
    let mut read = 0;
    while let Some(page) = answers.next().await {
        let page = page.map_err(LedgerError::store("Query"))?;
        // A last page may promise more where there is none.
        if read == pages {
            return Ok(page.count > 0);
        }
        page.items.unwrap_or_default().into_iter().for_each(&mut each);
        read += 1;
    }
    Ok(false)
}
