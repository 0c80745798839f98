//! The public address that this system's calls come from, as somebody outside sees it.

use std::net::IpAddr;
use std::time::Duration;

use shared::environment::EnvironmentError;
use shared::http::Http;
use url::Url;

/// Until a connection to the service stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Until it has answered.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The service answers with the caller's IP address as text.
const SERVICE: &str = "EGRESS_CHECK_URL";

/// Asks a service that answers with its caller's address.
#[derive(Debug)]
pub struct Egress {
    service: Option<Url>,
    http: Http,
}

/// The service did not answer with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service did not answer with an IP address")]
pub struct NoAddress;

impl Egress {
    /// A service; without one, nobody is asked.
    pub fn new(service: Option<Url>) -> Self {
        Self { service, http: Http::new(CONNECT_TIMEOUT) }
    }

    /// The service in `EGRESS_CHECK_URL`; none where that is empty.
    pub fn from_environment() -> Result<Self, EnvironmentError> {
        let service = std::env::var(SERVICE).unwrap_or_default();
        let service = (!service.is_empty()).then(|| service.parse()).transpose();
        service.map(Self::new).map_err(|_| EnvironmentError::Unusable(SERVICE, "a URL, or empty"))
    }

    /// The address; `None` where there is nobody to ask.
    pub async fn address(&self) -> Result<Option<IpAddr>, NoAddress> {
        let Some(service) = &self.service else { return Ok(None) };
        let ask = async {
            let request = self.http.client()?.get(service.clone()).timeout(TIMEOUT);
            request.send().await?.error_for_status()?.text().await
        };
        // The error's own text says no more, and quotes the service's address.
        let text = ask.await.map_err(|_| NoAddress)?;
        text.trim().parse().map(Some).map_err(|_| NoAddress)
    }
}
