//! Embedded DynamoDB: its tables, its HTTP endpoint, and the clock that lets items expire.

use std::{path::Path, time::Duration};

use dynoxide::{
    Database, DynoxideError,
    actions::{
        create_table::CreateTableRequest,
        describe_table::DescribeTableRequest,
        update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest},
    },
};
use tokio::{net::TcpListener, time::MissedTickBehavior};

use crate::{shutdown::Shutdown, template::Table};

/// File under the data folder that holds all tables.
const FILE: &str = "dynamodb.sqlite";

/// How often expired items are removed. DynamoDB itself promises "within a few days".
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Why the embedded database does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DynamoDbError {
    /// The data folder cannot be made, or its path is not Unicode.
    #[error("the data folder {folder} cannot be used: {why}")]
    Folder {
        /// The folder as given.
        folder: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database refused an operation.
    #[error("embedded DynamoDB: {0}")]
    Database(#[from] DynoxideError),
    /// The template's definition of a table is not what the API takes.
    #[error("table {table}: {source}")]
    Definition {
        /// The table's name.
        table: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Opens the database in `folder`, or in memory, and creates the tables that it does not hold yet.
///
/// # Errors
///
/// If the folder cannot be used, or the database refuses a table.
pub(crate) fn open(folder: Option<&Path>, tables: &[Table]) -> Result<Database, DynamoDbError> {
    let database = match folder {
        None => Database::memory()?,
        Some(folder) => Database::new(&file_in(folder)?)?,
    };
    for table in tables {
        create(&database, table)?;
    }
    Ok(database)
}

fn file_in(folder: &Path) -> Result<String, DynamoDbError> {
    let unusable = |why: String| DynamoDbError::Folder { folder: folder.display().to_string(), why };
    std::fs::create_dir_all(folder).map_err(|error| unusable(error.to_string()))?;
    let file = folder.join(FILE);
    file.to_str().map(str::to_owned).ok_or_else(|| unusable("its path is not Unicode".to_owned()))
}

fn create(database: &Database, table: &Table) -> Result<(), DynamoDbError> {
    let there = database.describe_table(DescribeTableRequest { table_name: table.name.clone() });
    match there {
        Ok(_) => return Ok(()),
        Err(DynoxideError::ResourceNotFoundException(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let request: CreateTableRequest = serde_json::from_value(table.definition.clone())
        .map_err(|source| DynamoDbError::Definition { table: table.name.clone(), source })?;
    database.create_table(request)?;
    if let Some(attribute) = &table.ttl_attribute {
        database.update_time_to_live(UpdateTimeToLiveRequest {
            table_name: table.name.clone(),
            time_to_live_specification: TimeToLiveSpecification { attribute_name: attribute.clone(), enabled: true },
        })?;
    }
    Ok(())
}

/// Serves DynamoDB's API until shutdown, and removes expired items now and then.
pub(crate) async fn serve(listener: TcpListener, database: Database, shutdown: Shutdown) {
    let sweeper = tokio::spawn(sweep(database.clone(), shutdown.clone()));
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, shutdown.begun()).await {
        tracing::error!(%error, "embedded DynamoDB ended");
    }
    // The sweeper ends by the same signal; that it panicked would change nothing here.
    let _ = sweeper.await;
}

async fn sweep(database: Database, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = ticks.tick() => {}
        }
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(items)) => tracing::debug!(items, "expired items removed"),
            Ok(Err(error)) => tracing::warn!(%error, "expired items could not be removed"),
            Err(error) => tracing::warn!(%error, "the removal of expired items broke off"),
        }
    }
}
