//! Push connections: where İYS sends the movements that people make there.

use secrecy::ExposeSecret;
use url::Url;

use super::{Client, codes};
use crate::brand;
use crate::consent::{Channel, ConsentDate};
use crate::iys::call::Call;
use crate::iys::operation;
use crate::iys::wire::{PushRegistration, PushRow, PushTarget};
use crate::registry::RegistryError;

/// A push connection as İYS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushConnection {
    /// Where notices go.
    pub url: String,
    /// What they are about.
    pub channel: Option<Channel>,
    /// When it was registered.
    pub registered_at: Option<ConsentDate>,
    /// İYS's own words for its state, in Turkish.
    pub status: Option<String>,
}

impl Client {
    /// Has push notices of one channel sent to `url` (`pushRegistration`). İYS tries the address at
    /// once: it must be https, answer within five seconds and ask for the credentials.
    pub async fn register_push(
        &self,
        account: &brand::Iys,
        channel: Channel,
        url: &Url,
        credentials: &brand::BasicCredentials,
    ) -> Result<(), RegistryError> {
        let [sps, brand] = codes(account);
        let body = PushRegistration { connection: [push_target(channel, url, credentials)] };
        let call = Call::new(&operation::PUSH_REGISTRATION, &[&sps, &brand])?.json(&body)?;
        self.read(account, &call).await.map(drop)
    }

    /// Ends the push notices of one channel to `url` (`pushUnregistration`).
    pub async fn unregister_push(
        &self,
        account: &brand::Iys,
        channel: Channel,
        url: &Url,
        credentials: &brand::BasicCredentials,
    ) -> Result<(), RegistryError> {
        let [sps, brand] = codes(account);
        let body = push_target(channel, url, credentials);
        let call = Call::new(&operation::PUSH_UNREGISTRATION, &[&sps, &brand])?.json(&body)?;
        self.read(account, &call).await.map(drop)
    }

    /// The brand's push connections (`getPushRegistration`).
    pub async fn push_connections(&self, account: &brand::Iys) -> Result<Vec<PushConnection>, RegistryError> {
        let [sps, brand] = codes(account);
        let call = Call::new(&operation::PUSH_CONNECTIONS, &[&sps, &brand])?;
        let rows: Vec<PushRow> = self.list(account, &call).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(PushConnection {
                    url: row.url.get()?.to_owned(),
                    channel: row.channel.get().and_then(|word| word.parse().ok()),
                    registered_at: row.register_time.get().and_then(|date| date.parse().ok()),
                    status: row.status.get().map(str::to_owned),
                })
            })
            .collect())
    }
}

fn push_target<'a>(channel: Channel, url: &'a Url, credentials: &'a brand::BasicCredentials) -> PushTarget<'a> {
    PushTarget {
        url: url.as_str(),
        channel,
        username: credentials.username.expose_secret(),
        password: credentials.password.expose_secret(),
    }
}
