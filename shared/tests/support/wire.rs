//! The HTTP client under an AWS client, which sees every request and can lose one, or its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It never reaches the server.
    Request,
    /// It takes effect, but nobody hears so.
    Answer,
}

/// A request as it went out.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The operation, such as `PutItem`.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: serde_json::Value,
}

#[derive(Debug, Default)]
struct Traffic {
    requests: Vec<Request>,
    loss: Option<(usize, Loss)>,
    in_flight: usize,
    most_in_flight: usize,
}

/// A wire. Its clones are the same wire.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    client: SharedHttpClient,
    traffic: Arc<Mutex<Traffic>>,
}

impl Wire {
    /// A wire that loses nothing.
    pub(crate) fn new() -> Self {
        // Emulators speak plain HTTP, so no certificate is ever looked at: none is loaded.
        let trust = tls::TlsContext::builder().with_trust_store(tls::TrustStore::empty()).build().unwrap();
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let client = Builder::new().tls_provider(ring).tls_context(trust).build_https();
        Self { client, traffic: Arc::default() }
    }

    /// From now on, the `nth` request (from 0) of those to come is lost, or its answer.
    pub(crate) fn lose(&self, nth: usize, loss: Loss) {
        let mut traffic = self.traffic();
        let nth = traffic.requests.len() + nth;
        traffic.loss = Some((nth, loss));
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.traffic().requests.clone()
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.traffic().most_in_flight
    }

    /// An AWS configuration over this wire that makes up to `attempts` attempts.
    pub(crate) fn config(&self, endpoint: &str, attempts: u32) -> SdkConfig {
        let retries = if attempts > 1 {
            RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(std::time::Duration::from_millis(1))
        } else {
            RetryConfig::disabled()
        };
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "static")))
            .endpoint_url(endpoint)
            .http_client(self.clone())
            .retry_config(retries)
            .build()
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Line { connector: self.client.http_connector(settings, components), wire: self.clone() })
    }
}

#[derive(Debug)]
struct Line {
    connector: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let loss = self.wire.note(&request);
        let lost = || Err(ConnectorError::io("the test cut the wire".into()));
        if loss == Some(Loss::Request) {
            return HttpConnectorFuture::ready(lost());
        }
        self.wire.under_way(1);
        let (wire, answer) = (self.wire.clone(), self.connector.call(request));
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            wire.under_way(-1);
            if loss == Some(Loss::Answer) { lost() } else { answer }
        })
    }
}

impl Wire {
    fn note(&self, request: &HttpRequest) -> Option<Loss> {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let body = request.body().bytes().map(serde_json::from_slice).transpose().unwrap().unwrap_or_default();
        let mut traffic = self.traffic();
        let nth = traffic.requests.len();
        traffic.requests.push(Request { operation: operation.to_owned(), body });
        traffic.loss.filter(|(lost, _)| *lost == nth).map(|(_, loss)| loss)
    }

    fn under_way(&self, change: isize) {
        let mut traffic = self.traffic();
        traffic.in_flight = traffic.in_flight.saturating_add_signed(change);
        traffic.most_in_flight = traffic.most_in_flight.max(traffic.in_flight);
    }
}
