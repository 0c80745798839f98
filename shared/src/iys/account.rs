//! What İYS says of one brand itself, and where it sends the brand's push notices.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::ToSpan;
use url::Url;

use super::client::{ChannelAccess, Client, PushConnection, Subscription, SubscriptionStatus};
use crate::account::{Account, Connection, Connections};
use crate::brand::{BasicCredentials, Brand};
use crate::consent::standing::{Listing, Package, PackageStatus};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType};
use crate::registry::RegistryError;

/// Nobody's address: a question about it is answered, and tells nothing (RFC 2606).
const NOBODY: &str = "izin-sorgusu@example.com";
/// The number of İYS's own error texts, likewise nobody's.
const NO_NUMBER: &str = "+905992000000";
/// Most active push connections of one channel (İYS documentation, `pushRegistration`).
const CONNECTIONS: usize = 2;
/// İYS's words for a connection that it could not set up, without the letters whose case differs
/// between languages (İYS documentation, `getPushRegistration`).
const NOT_CREATED: &str = "oluşturulamad";

/// İYS for one brand: the account, and its push connections.
#[derive(Debug, Clone)]
pub struct IysAccount {
    client: Client,
    brand: Arc<Brand>,
}

impl IysAccount {
    /// İYS's word on a brand.
    pub fn new(client: Client, brand: Arc<Brand>) -> Self {
        Self { client, brand }
    }
}

#[async_trait]
impl Account for IysAccount {
    async fn package(&self) -> Result<Option<Package>, RegistryError> {
        Ok(self.client.subscription(&self.brand.iys).await?.as_ref().map(package))
    }

    async fn listing(&self) -> Result<Option<Listing>, RegistryError> {
        let Some(integrator_code) = self.brand.iys.integrator_code else { return Ok(None) };
        let brands = self.client.partner_brands(&self.brand.iys, integrator_code).await?;
        // A brand that is not listed has authorised nothing.
        let ours = brands.into_iter().find(|listed| listed.brand_code == self.brand.iys.brand_code);
        Ok(Some(ours.map_or_else(Listing::default, |ours| Listing {
            channels: ours.channels.into_iter().filter(|(_, access)| *access == ChannelAccess::Write).map(|(channel, _)| channel).collect(),
            mutabakat: ours.agreement_control,
        })))
    }

    async fn ask(&self, channel: Channel) -> Result<(), RegistryError> {
        let nobody = if channel == Channel::Eposta { NOBODY } else { NO_NUMBER };
        let nobody = Recipient::parse(nobody, channel).map_err(|error| RegistryError::Defect { why: error.to_string() })?;
        self.client.onays(&self.brand.iys, channel, RecipientType::Bireysel, &[nobody]).await.map(drop)
    }

    async fn ask_mutabakat(&self) -> Result<(), RegistryError> {
        let today = ConsentDate::at(self.client.now()).civil().date();
        self.client.agreement(&self.brand.iys, today.saturating_sub(1.day())).await.map(drop)
    }
}

#[async_trait]
impl Connections for IysAccount {
    fn most(&self) -> usize {
        CONNECTIONS
    }

    async fn list(&self) -> Result<Vec<Connection>, RegistryError> {
        let connections = self.client.push_connections(&self.brand.iys).await?;
        let read = |found: PushConnection| Connection {
            has_failed: found.status.as_deref().is_some_and(has_failed),
            url: found.url,
            channel: found.channel,
        };
        Ok(connections.into_iter().map(read).collect())
    }

    async fn connect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError> {
        self.client.register_push(&self.brand.iys, channel, url, credentials).await
    }

    async fn disconnect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError> {
        self.client.unregister_push(&self.brand.iys, channel, url, credentials).await
    }
}

fn package(subscription: &Subscription) -> Package {
    let status = match subscription.status {
        SubscriptionStatus::Active => PackageStatus::Active,
        SubscriptionStatus::Paused => PackageStatus::Paused,
        SubscriptionStatus::Expired => PackageStatus::Expired,
        SubscriptionStatus::Closed => PackageStatus::Closed,
        SubscriptionStatus::Unknown => PackageStatus::Unknown,
    };
    // Business partners do not see the limit: then nothing is known.
    let full = subscription.consent_limit.zip(subscription.used_consent_limit).map(|_| subscription.is_full());
    Package { status, expiration_date: subscription.expiration_date, full }
}

/// What is said in words that we do not know counts as standing: registering it again would leave two.
fn has_failed(status: &str) -> bool {
    status.to_lowercase().contains(NOT_CREATED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_failed_where_iys_says_so() {
        for (status, failed) in [
            ("Bağlantı Oluşturuldu", false),
            ("Bağlantı Oluşturulamadı", true),
            ("BAĞLANTI OLUŞTURULAMADI", true),
            ("bağlantı oluşturulamadı.", true),
            ("Aktif", false),
            ("", false),
        ] {
            assert_eq!(has_failed(status), failed, "{status}");
        }
    }

    #[test]
    fn a_package_without_a_shown_limit_is_neither_full_nor_not() {
        let shown = |limit, used, exceed| {
            let subscription = Subscription {
                status: SubscriptionStatus::Active,
                expiration_date: None,
                package: None,
                consent_limit: limit,
                consent_limit_exceed: exceed,
                used_consent_limit: used,
            };
            package(&subscription).full
        };
        assert_eq!(shown(None, Some(5), Some(false)), None);
        assert_eq!(shown(Some(5), None, Some(false)), None);
        assert_eq!(shown(Some(5), Some(5), Some(false)), Some(true));
        assert_eq!(shown(Some(5), Some(4), Some(false)), Some(false));
        assert_eq!(shown(Some(5), Some(5), Some(true)), Some(false));
    }
}
