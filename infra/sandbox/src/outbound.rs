//! Requests that a simulator makes by itself: one POST, repeated until the receiver takes it.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::stats::Stats;

/// How long a receiver may take to answer (İYS documents 5 s for the registration handshake).
const TIMEOUT: Duration = Duration::from_secs(5);

/// An HTTP client that follows no redirects and gives up after [`TIMEOUT`].
pub(crate) fn client() -> std::io::Result<Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another part of the process may have chosen a provider already; theirs serves as well.
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was already installed");
        }
    });
    Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build().map_err(std::io::Error::other)
}

/// A JSON POST to `url`.
pub(crate) fn post(client: &Client, url: &str, body: &Value) -> RequestBuilder {
    client.request(Method::POST, url).header("content-type", "application/json").body(body.to_string())
}

/// Sends what `request` builds until a 2xx answer comes, with the given pauses (milliseconds)
/// between attempts; `records` is how many records the body carries.
pub(crate) async fn deliver(stats: &Arc<Stats>, records: u64, pauses_ms: &[u64], request: impl Fn() -> RequestBuilder) -> bool {
    let mut pauses = pauses_ms.iter();
    loop {
        let outcome = request().send().await.map(|response| response.status());
        let taken = outcome.as_ref().is_ok_and(reqwest::StatusCode::is_success);
        stats.deliveries(|counts| {
            counts.attempts += 1;
            if taken {
                counts.delivered += records;
            } else {
                counts.failed_attempts += 1;
            }
        });
        if taken {
            return true;
        }
        // The URL stays out of the log: it is the receiver's, and may carry a secret.
        let status = outcome.map_or(0, |status| status.as_u16());
        match pauses.next() {
            Some(pause) => {
                tracing::info!(status, records, retry_in_ms = pause, "a delivery was not taken");
                tokio::time::sleep(Duration::from_millis(*pause)).await;
            }
            None => {
                tracing::warn!(status, records, "a delivery was given up");
                stats.deliveries(|counts| counts.abandoned += records);
                return false;
            }
        }
    }
}
