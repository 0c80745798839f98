//! Asks the function of jobs: through Lambda's `Invoke`, in AWS or as the local stack serves it.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::Value;
use shared::aws;

use crate::cli::Place;
use crate::failure::{Failure, causes, root};
use crate::language::Language;
use crate::progress::Waiting;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than any function may run (Lambda: 15 minutes), so that the function's end is heard.
const TIMEOUT: Duration = Duration::from_secs(16 * 60);
/// Region of calls that stay on this machine.
const LOCAL_REGION: &str = "eu-central-1";
/// Most characters of a function's error that are shown.
const MESSAGE_CHARACTERS: usize = 1000;

/// The function of jobs.
pub(crate) struct Function {
    client: Client,
    name: String,
    /// Where it is called, for people.
    place: String,
}

/// What a function that failed says (AWS Lambda documentation, "Error handling").
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FunctionError {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl Function {
    /// The function that the command line names.
    pub(crate) async fn of(place: &Place) -> Result<Self, Failure> {
        if place.aws && place.has_local_function() {
            return Err(Failure::Usage("--aws needs --function: the stack's output ReconcileFunctionName".to_owned()));
        }
        if !place.aws && (place.region.is_some() || place.profile.is_some()) {
            return Err(Failure::Usage("--region and --profile need --aws".to_owned()));
        }
        let config = configuration(place).await;
        let Some(region) = config.region() else {
            return Err(Failure::Usage("no AWS region: name one with --region or AWS_REGION".to_owned()));
        };
        let url = place.invoke_url();
        let shown = url.as_ref().map_or_else(|| format!("Lambda, {region}"), |url| url.as_str().trim_end_matches('/').to_owned());
        let mut client = aws_sdk_lambda::config::Builder::from(&config)
            // A job that may be running is not begun a second time.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            // Nothing comes until the function has ended.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = url {
            client = client.endpoint_url(url);
        }
        Ok(Self { client: Client::from_conf(client.build()), name: place.function.clone(), place: shown })
    }

    /// Invokes the function and waits for its end; gives its answer.
    pub(crate) async fn ask(&self, question: &Value, language: Language) -> Result<Vec<u8>, Failure> {
        let waiting = Waiting::on(language.say(format!("{} is working", self.name), format!("{} çalışıyor", self.name)));
        let answer = self.call(question).await;
        drop(waiting);
        answer
    }

    /// Which function it is, and where.
    pub(crate) fn address(&self) -> String {
        format!("{} {}", self.place, self.name)
    }

    /// The same without a word to whoever waits.
    pub(crate) async fn call(&self, question: &Value) -> Result<Vec<u8>, Failure> {
        let invoke = self.client.invoke().function_name(&self.name).payload(Blob::new(question.to_string()));
        let answer = invoke.send().await.map_err(|error| self.failure(&error))?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match answer.function_error {
            None => Ok(payload),
            Some(kind) => {
                let error: FunctionError = serde_json::from_slice(&payload).unwrap_or_default();
                let message = error.error_message.unwrap_or_default().chars().take(MESSAGE_CHARACTERS).collect();
                Err(Failure::FunctionFailed { kind: error.error_type.unwrap_or(kind), message })
            }
        }
    }

    fn failure(&self, error: &SdkError<InvokeError>) -> Failure {
        match error {
            SdkError::ServiceError(refused) if refused.err().is_resource_not_found_exception() => Failure::NoFunction(self.name.clone()),
            SdkError::ServiceError(refused) => {
                let status = refused.raw().status().as_u16();
                let code = refused.err().code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
                Failure::Aws { code, message: refused.err().message().unwrap_or_default().to_owned() }
            }
            SdkError::TimeoutError(_) => Failure::TooLong,
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => Failure::Unreachable {
                place: self.place.clone(),
                why: failure.as_connector_error().map_or_else(String::new, |error| root(error)),
            },
            SdkError::DispatchFailure(failure) => {
                let connector = failure.as_connector_error().and_then(Error::source);
                Failure::NoCredentials(connector.map_or_else(String::new, causes))
            }
            SdkError::ConstructionFailure(_) => Failure::NoCredentials(causes(error)),
            _ => Failure::Unreadable(causes(error)),
        }
    }
}

/// Every limit is named: one that is not stays as it is for the calls of functions, which are short.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(TIMEOUT)
        .operation_attempt_timeout(TIMEOUT)
        .operation_timeout(TIMEOUT)
        .build()
}

async fn configuration(place: &Place) -> SdkConfig {
    let mut loader = aws::loader();
    if place.aws {
        if let Some(region) = &place.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &place.profile {
            loader = loader.profile_name(profile);
        }
    } else {
        // The local stack looks at no signature; nobody's real credentials are sent to it.
        let nobody = Credentials::new("local", "local", None, None, "local");
        loader = loader.region(Region::from_static(LOCAL_REGION)).credentials_provider(nobody);
    }
    loader.load().await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[tokio::test]
    async fn a_job_may_take_as_long_as_a_function_runs_and_is_not_begun_twice() {
        for line in ["iysync job pull", "iysync job pull --aws --function f --region eu-central-1"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let function = Function::of(&cli.place).await.unwrap();
            let config = function.client.config();
            let limits = config.timeout_config().unwrap();
            let limits = [limits.read_timeout(), limits.operation_attempt_timeout(), limits.operation_timeout()];
            assert!(limits.iter().all(|limit| limit.unwrap() > Duration::from_secs(15 * 60)), "{limits:?}");
            assert_eq!(config.retry_config().unwrap().max_attempts(), 1);
        }
    }
}
