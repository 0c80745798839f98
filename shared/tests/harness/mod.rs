//! What the tests of the ledger and of the clients stand on: a table of their own and a clock that
//! they set.
//!
//! The table is in an embedded DynamoDB, or at the endpoint that `LEDGER_TEST_ENDPOINT` names, so that
//! the same tests can be held against another emulator.

mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::TableStatus;
use aws_smithy_http_client::Builder;
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use shared::ledger::Ledger;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A new, empty ledger.
pub(crate) async fn ledger() -> Ledger {
    let (client, table) = store(|config| config).await;
    Ledger::new(client, table)
}

/// A new, empty table and a client for it, whose configuration a test may add to.
pub(crate) async fn store(
    configure: impl FnOnce(aws_sdk_dynamodb::config::Builder) -> aws_sdk_dynamodb::config::Builder,
) -> (Client, String) {
    let endpoint = match std::env::var("LEDGER_TEST_ENDPOINT") {
        Ok(endpoint) => endpoint,
        Err(_) => embedded().await,
    };
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(Builder::new().build_http())
        .endpoint_url(endpoint);
    let client = Client::from_conf(configure(config).build());
    let table = table_name();
    create(&client, &table).await;
    (client, table)
}

async fn embedded() -> String {
    let database = dynoxide::Database::memory().expect("an embedded database");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    format!("http://{address}")
}

/// Names must differ between tests of several processes over one endpoint.
fn table_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("ledger-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

async fn create(client: &Client, table: &str) {
    table::create(client, table).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let described = client.describe_table().table_name(table).send().await.expect("the table's description");
        if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return;
        }
        assert!(Instant::now() < deadline, "the table does not become active");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at a moment such as `2026-11-20T10:00:00Z`.
    pub(crate) fn at(moment: &str) -> Self {
        let moment: Timestamp = moment.parse().expect("a moment");
        Self(Arc::new(AtomicI64::new(moment.as_millisecond())))
    }

    /// What it shows.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).expect("a moment")
    }

    /// Moves it on.
    pub(crate) fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a duration"), Ordering::SeqCst);
    }

    /// The clock as the code under test takes it.
    pub(crate) fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}
