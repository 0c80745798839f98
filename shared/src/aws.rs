//! The AWS configuration that every SDK client of a process shares.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// A connection inside a region stands within milliseconds; more means that the packet was lost.
const CONNECT: Duration = Duration::from_secs(2);
/// One attempt. DynamoDB, SQS and SSM answer in tens of milliseconds, so a silent attempt is dead.
const ATTEMPT: Duration = Duration::from_secs(5);
/// All attempts of one operation together.
const OPERATION: Duration = Duration::from_secs(15);
/// Attempts of one operation, the first included.
const ATTEMPTS: u32 = 4;

/// Builds the configuration from the environment (`AWS_REGION`, credentials, `AWS_ENDPOINT_URL_*`).
///
/// Call it once per process and build every SDK client from the result: they then share one HTTP
/// client, and the system's CA roots, whose reading is most of a function's start, are read once.
pub async fn config() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}
