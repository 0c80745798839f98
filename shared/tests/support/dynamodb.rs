//! A table of the ledger's shape in an emulator: an embedded one, or the one behind
//! `LEDGER_TEST_ENDPOINT`.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Intercept;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use shared::ledger::Ledger;

use super::meter;
use super::table;
use super::wire::Wire;

/// An item by its attributes' names.
pub(crate) type Item = BTreeMap<String, AttributeValue>;

/// A table of its own.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    endpoint: String,
    table: String,
    client: Client,
}

impl Store {
    /// A new table.
    pub(crate) async fn new() -> Self {
        let endpoint = match std::env::var("LEDGER_TEST_ENDPOINT") {
            Ok(endpoint) => endpoint,
            Err(_) => embedded().await,
        };
        Self::at(endpoint).await
    }

    /// Another new table in the same emulator.
    pub(crate) async fn another(&self) -> Self {
        Self::at(self.endpoint.clone()).await
    }

    async fn at(endpoint: String) -> Self {
        let client = Client::new(&Wire::new().config(&endpoint, 1));
        let table = format!("ledger-{}", uuid::Uuid::new_v4());
        table::create(&client, &table).await;
        Self { endpoint, table, client }
    }

    /// The ledger in this table, which tries each request once.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.client.clone(), &self.table)
    }

    /// The ledger over a wire; each request is tried up to `attempts` times.
    pub(crate) fn ledger_over(&self, wire: &Wire, attempts: u32) -> Ledger {
        Ledger::new(Client::new(&wire.config(&self.endpoint, attempts)), &self.table)
    }

    /// The ledger with an interceptor in its client.
    pub(crate) fn ledger_with(&self, interceptor: impl Intercept + 'static) -> Ledger {
        let config = aws_sdk_dynamodb::config::Builder::from(&Wire::new().config(&self.endpoint, 1)).interceptor(interceptor).build();
        Ledger::new(Client::from_conf(config), &self.table)
    }

    /// Every item, by its key.
    pub(crate) async fn items(&self) -> BTreeMap<(String, String), Item> {
        self.scan(None).await
    }

    /// Every entry of the index `work`, by its item's key.
    pub(crate) async fn work(&self) -> BTreeMap<(String, String), Item> {
        self.scan(Some("work")).await
    }

    /// Every entry of the index `deadline`, likewise.
    pub(crate) async fn deadlines(&self) -> BTreeMap<(String, String), Item> {
        self.scan(Some("deadline")).await
    }

    /// Every entry of the index `day`, by its item's key.
    pub(crate) async fn days(&self) -> BTreeMap<(String, String), Item> {
        self.scan(Some("day")).await
    }

    async fn scan(&self, index: Option<&str>) -> BTreeMap<(String, String), Item> {
        let pages = self.client.scan().table_name(&self.table).set_index_name(index.map(str::to_owned)).into_paginator().items().send();
        let items: Vec<HashMap<String, AttributeValue>> = pages.collect::<Result<_, _>>().await.unwrap();
        let key = |item: &HashMap<String, AttributeValue>, name: &str| item[name].as_s().unwrap().clone();
        items.into_iter().map(|item| ((key(&item, "PK"), key(&item, "SK")), item.into_iter().collect())).collect()
    }

    /// Writes an item past the ledger and tells its write units: of the table, and of the index.
    pub(crate) async fn put(&self, item: Item) -> (f64, f64) {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.into_iter().collect()));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        meter::split(&put.send().await.unwrap().consumed_capacity.unwrap())
    }
}

/// The bytes that DynamoDB counts for an item (Amazon DynamoDB Developer Guide, "DynamoDB item sizes
/// and formats").
pub(crate) fn size(item: &Item) -> usize {
    fn of(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(number) => number.len().div_ceil(2) + 1,
            AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
            AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + of(value)).sum::<usize>(),
            other => panic!("the ledger writes no such value: {other:?}"),
        }
    }
    item.iter().map(|(name, value)| name.len() + of(value)).sum()
}

/// Starts an emulator that lives as long as the test's runtime.
async fn embedded() -> String {
    let database = dynoxide::Database::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    endpoint
}
