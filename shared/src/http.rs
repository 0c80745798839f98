//! The HTTP client that everything outside of AWS is called by, built when the first call needs it.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;

/// An HTTP client that is built on first use: reading the system's CA certificates takes most of a
/// function's start, and a function that finds nothing to send needs none.
#[derive(Debug)]
pub struct Http {
    connect_timeout: Duration,
    client: OnceLock<reqwest::Client>,
}

impl Http {
    /// A client that waits so long for a connection; nothing is built yet.
    pub fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, client: OnceLock::new() }
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When the system's TLS roots cannot be used; a later call tries again.
    pub fn client(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the process may have installed it already, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            // The vendors redirect nowhere; following would carry keys and addresses to another host.
            .redirect(Policy::none())
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}
