//! The archive in S3, over the HTTP client that everything outside of AWS is called by: two calls are too few for
//! an SDK of its own. Signed as AWS's clients sign (`aws-sigv4`).
//!
//! An object is put under the condition that there is none of its name (Amazon S3 User Guide, "How to prevent
//! object overwrites with conditional writes"). The bucket locks it from then on; such a bucket takes only what
//! comes with a checksum.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, Response, StatusCode};

use super::{Archive, ArchiveError, content_type};
use crate::clock::Clock;
use crate::evidence::Digest;
use crate::http::Http;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(20);

/// A bucket.
pub(super) struct Bucket {
    /// Its address, with a slash at its end.
    address: String,
    region: String,
    credentials: Option<SharedCredentialsProvider>,
    http: Http,
    clock: Clock,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, name: &str, clock: Clock) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let address = match config.endpoint_url() {
            Some(endpoint) => format!("{}/{name}/", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.amazonaws.com/"),
        };
        Self { address, region, credentials: config.credentials_provider(), http: Http::new(CONNECT_TIMEOUT), clock }
    }

    /// Sends a signed request; what failed, without any text of others.
    async fn send(&self, method: Method, name: &str, headers: &[(&str, &str)], content: &[u8]) -> Result<Response, String> {
        let url = format!("{}{name}", self.address);
        let credentials = self.credentials.as_ref().ok_or("no credentials")?.provide_credentials().await;
        let identity = credentials.map_err(|_| "no credentials")?.into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time((self.clock)().into())
            .settings(settings)
            .build()
            .map_err(|_| "the request could not be signed")?
            .into();
        let signable = SignableRequest::new(method.as_str(), &url, headers.iter().copied(), SignableBody::Bytes(content));
        let signed = signable.and_then(|request| sign(request, &parameters)).map_err(|_| "the request could not be signed")?;
        let (signed, _) = signed.into_parts();
        let client = self.http.client().map_err(|_| "no TLS roots")?;
        let mut request = client.request(method, &url).timeout(TIMEOUT).body(content.to_vec());
        for (name, value) in headers.iter().copied().chain(signed.headers()) {
            request = request.header(name, value);
        }
        request.send().await.map_err(|error| if error.is_timeout() { "no answer in time" } else { "no connection" }.to_owned())
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<StatusCode, String> {
        let checksum = STANDARD.encode(Digest::of([content]).bytes());
        let headers = [("content-type", content_type(name)), ("if-none-match", "*"), ("x-amz-checksum-sha256", checksum.as_str())];
        self.send(Method::PUT, name, &headers, content).await.map(|answer| answer.status())
    }

    /// `None` where there is nothing of that name. Whoever may not list a bucket is told so by a 403 (Amazon S3
    /// API Reference, "GetObject"), and nobody here may.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let answer = self.send(Method::GET, name, &[], b"").await?;
        match answer.status() {
            StatusCode::OK => answer.bytes().await.map(|bytes| Some(bytes.into())).map_err(|_| "the connection was lost".to_owned()),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(None),
            status => Err(status.to_string()),
        }
    }
}

#[async_trait]
impl Archive for Bucket {
    async fn keep(&self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let refused = |why: String| ArchiveError::Refused { name: name.to_owned(), why };
        match self.put(name, content).await.map_err(refused)? {
            status if status.is_success() => Ok(()),
            // It is there already.
            StatusCode::PRECONDITION_FAILED => match self.get(name).await.map_err(refused)? {
                Some(kept) if kept == content => Ok(()),
                Some(_) => Err(ArchiveError::Differs(name.to_owned())),
                // It is there, and not to be seen.
                None => Err(refused(StatusCode::FORBIDDEN.to_string())),
            },
            status => Err(refused(status.to_string())),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.get(name).await.map_err(|why| ArchiveError::Refused { name: name.to_owned(), why })
    }
}

#[cfg(test)]
#[path = "s3_tests.rs"]
mod tests;
