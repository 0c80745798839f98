//! What every AWS client of a process shares: one HTTP client with one TLS configuration.
//!
//! Reading the system's CA certificates dominates a function's start, so it happens once. Endpoints,
//! region and credentials come from the standard environment (`AWS_ENDPOINT_URL_DYNAMODB`,
//! `AWS_REGION` …), so a local run and the cloud take the same way.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

/// The configuration that every AWS client of this process is built from.
pub async fn config() -> SdkConfig {
    loader().load().await
}

/// The same before it is read from the environment, for a process that knows some of it better.
pub fn loader() -> ConfigLoader {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(timeouts)
}
