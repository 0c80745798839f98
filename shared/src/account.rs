//! The ports "what the registry says of the brand itself" and "where it sends its notices".
//!
//! They are apart from [`crate::registry::Registry`], because nothing that carries consents needs them:
//! the one is asked by the look at the brand's standing, the other by the push service's job.

use async_trait::async_trait;
use url::Url;

use crate::brand::BasicCredentials;
use crate::consent::Channel;
use crate::consent::standing::{Listing, Package};
use crate::registry::RegistryError;

/// What a registry says of a brand's account. No method changes anything there.
#[async_trait]
pub trait Account: Send + Sync {
    /// The subscription; `None` when there is none, or none that this API user may see.
    async fn package(&self) -> Result<Option<Package>, RegistryError>;

    /// What a business partner's API user may do for the brand; `None` where the API user is the
    /// brand's own, for whom nothing is listed.
    async fn listing(&self) -> Result<Option<Listing>, RegistryError>;

    /// A question on a channel that concerns nobody: whether it is answered is all that counts.
    async fn ask(&self, channel: Channel) -> Result<(), RegistryError>;

    /// A question to the reconciliation service, likewise. Made only where the brand authorises it.
    async fn ask_mutabakat(&self) -> Result<(), RegistryError>;
}

/// A connection by which the registry sends notices of what people do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Where notices go.
    pub url: String,
    /// What they are about.
    pub channel: Option<Channel>,
    /// Whether the registry says that it does not stand.
    pub has_failed: bool,
}

/// Where a registry sends its notices.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Most connections of one channel.
    fn most(&self) -> usize;

    /// The connections of the brand, whoever set them up.
    async fn list(&self) -> Result<Vec<Connection>, RegistryError>;

    /// Has a channel's notices sent to `url` with these credentials. The registry tries the address at
    /// once.
    async fn connect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError>;

    /// Ends that.
    async fn disconnect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError>;
}
