//! A brand's account at the registry in memory: what it says of itself, and its push connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use shared::account::{Account, Connection, Connections};
use shared::brand::BasicCredentials;
use shared::consent::Channel;
use shared::consent::code::Hold;
use shared::consent::standing::{Listing, Package, PackageStatus};
use shared::registry::RegistryError;
use url::Url;

use crate::fuse::{Fate, Fuse};

/// A connection as the registry keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) channel: Channel,
    pub(crate) url: String,
    pub(crate) credentials: (String, String),
    pub(crate) has_failed: bool,
}

/// What the account says, and what was asked of it.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) package: Option<Package>,
    pub(crate) listing: Option<Listing>,
    /// What questions are refused with: everything, one channel, the reconciliation service.
    pub(crate) refuses: Option<(Hold, &'static str)>,
    pub(crate) refuses_channel: HashMap<Channel, (Hold, &'static str)>,
    pub(crate) refuses_mutabakat: bool,
    /// Every question, in order.
    pub(crate) asked: Vec<String>,
    pub(crate) connections: Vec<Held>,
    /// Channels whose address the registry does not reach.
    pub(crate) unreachable: Vec<Channel>,
}

/// The account.
#[derive(Clone)]
pub(crate) struct Office {
    inner: Arc<Mutex<Inner>>,
    fuse: Fuse,
}

fn held((why, code): (Hold, &'static str)) -> RegistryError {
    RegistryError::Held { why, code: code.into() }
}

impl Office {
    /// An account in force that allows everything.
    pub(crate) fn new(fuse: Fuse) -> Self {
        let package = Some(Package { status: PackageStatus::Active, expiration_date: None, full: Some(false) });
        Self { inner: Arc::new(Mutex::new(Inner { package, ..Inner::default() })), fuse }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The subscription is in this state from now on.
    pub(crate) fn becomes(&self, status: PackageStatus) {
        let mut inner = self.inner();
        inner.package = Some(Package { status, expiration_date: None, full: Some(false) });
        inner.refuses = (status != PackageStatus::Active).then_some((Hold::Subscription, "H520"));
    }

    /// What was asked since this was last called.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().asked)
    }

    /// Connections as channel and address, in order.
    pub(crate) fn connected(&self) -> Vec<(Channel, String)> {
        let mut connected: Vec<_> = self.inner().connections.iter().map(|held| (held.channel, held.url.clone())).collect();
        connected.sort();
        connected
    }

    fn change<T>(&self, effect: &str, change: impl FnOnce(&mut Inner) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let lost = || RegistryError::Unanswered { why: "broken on purpose".into() };
        match self.fuse.next(effect) {
            Fate::Happens => change(&mut self.inner()),
            Fate::HappensUnheard => {
                change(&mut self.inner())?;
                Err(lost())
            }
            Fate::DoesNotHappen => Err(lost()),
        }
    }
}

#[async_trait]
impl Account for Office {
    async fn package(&self) -> Result<Option<Package>, RegistryError> {
        let mut inner = self.inner();
        inner.asked.push("package".into());
        Ok(inner.package)
    }

    async fn listing(&self) -> Result<Option<Listing>, RegistryError> {
        let mut inner = self.inner();
        if inner.listing.is_some() {
            inner.asked.push("listing".into());
        }
        Ok(inner.listing.clone())
    }

    async fn ask(&self, channel: Channel) -> Result<(), RegistryError> {
        let mut inner = self.inner();
        inner.asked.push(channel.to_string());
        let refusal = inner.refuses.or_else(|| inner.refuses_channel.get(&channel).copied());
        refusal.map_or(Ok(()), |refusal| Err(held(refusal)))
    }

    async fn ask_mutabakat(&self) -> Result<(), RegistryError> {
        let mut inner = self.inner();
        inner.asked.push("mutabakat".into());
        if inner.refuses_mutabakat { Err(held((Hold::Authority, "H355"))) } else { Ok(()) }
    }
}

#[async_trait]
impl Connections for Office {
    fn most(&self) -> usize {
        2
    }

    async fn list(&self) -> Result<Vec<Connection>, RegistryError> {
        let read = |held: &Held| Connection { url: held.url.clone(), channel: Some(held.channel), has_failed: held.has_failed };
        Ok(self.inner().connections.iter().map(read).collect())
    }

    async fn connect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError> {
        self.change("Connect", |inner| {
            let there = inner.connections.iter().filter(|held| held.channel == channel).count();
            if there >= 2 || inner.unreachable.contains(&channel) {
                return Err(held((Hold::Configuration, "H530")));
            }
            let credentials = (credentials.username.expose_secret().to_owned(), credentials.password.expose_secret().to_owned());
            inner.connections.push(Held { channel, url: url.to_string(), credentials, has_failed: false });
            Ok(())
        })
    }

    async fn disconnect(&self, channel: Channel, url: &Url, credentials: &BasicCredentials) -> Result<(), RegistryError> {
        self.change("Disconnect", |inner| {
            let credentials = (credentials.username.expose_secret().to_owned(), credentials.password.expose_secret().to_owned());
            let found = inner
                .connections
                .iter()
                .position(|held| held.channel == channel && held.url == url.as_str() && held.credentials == credentials);
            match found {
                Some(at) => {
                    inner.connections.remove(at);
                    Ok(())
                }
                None => Err(held((Hold::Configuration, "H530"))),
            }
        })
    }
}
