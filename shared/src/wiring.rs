//! Builds a function's parts from its environment, once, at start.

use aws_config::SdkConfig;

use crate::brands::Brands;
use crate::environment::{EnvironmentError, required};
use crate::ledger::Ledger;
use crate::queue::Queues;

/// The ledger in `TABLE_NAME`.
pub fn ledger(config: &SdkConfig) -> Result<Ledger, EnvironmentError> {
    Ok(Ledger::new(aws_sdk_dynamodb::Client::new(config), required("TABLE_NAME")?))
}

/// The queues in `IYS_PUSH_QUEUE_URL` and `UNSUBSCRIBE_RELAY_QUEUE_URL`.
pub fn queues(config: &SdkConfig) -> Result<Queues, EnvironmentError> {
    let client = aws_sdk_sqs::Client::new(config);
    Ok(Queues::new(client, required("IYS_PUSH_QUEUE_URL")?, required("UNSUBSCRIBE_RELAY_QUEUE_URL")?))
}

/// The brands under `BRANDS_PATH`.
pub fn brands(config: &SdkConfig) -> Result<Brands, EnvironmentError> {
    Ok(Brands::new(aws_sdk_ssm::Client::new(config), required("BRANDS_PATH")?))
}
