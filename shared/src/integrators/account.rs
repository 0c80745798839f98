//! What the brand may do at a registry that lists nothing about it: whether a harmless question is answered.

use async_trait::async_trait;

use crate::account::Account;
use crate::consent::standing::{Listing, Package};
use crate::consent::{Channel, Recipient};
use crate::registry::{Registry, RegistryError};

/// An address that nobody can have: `example.com` is reserved (RFC 2606), and no Turkish number begins so.
pub(super) fn nobody(channel: Channel) -> Option<Recipient> {
    let text = if channel == Channel::Eposta { "nobody@example.com" } else { "+905000000000" };
    Recipient::parse(text, channel).ok()
}

/// An account that is known by what it answers.
pub struct ProbedAccount(Box<dyn Registry>);

impl ProbedAccount {
    /// The account behind a registry.
    pub fn new(registry: Box<dyn Registry>) -> Self {
        Self(registry)
    }
}

#[async_trait]
impl Account for ProbedAccount {
    async fn package(&self) -> Result<Option<Package>, RegistryError> {
        Ok(None)
    }

    async fn listing(&self) -> Result<Option<Listing>, RegistryError> {
        Ok(None)
    }

    async fn ask(&self, channel: Channel) -> Result<(), RegistryError> {
        self.0.probe(channel).await
    }

    async fn ask_mutabakat(&self) -> Result<(), RegistryError> {
        Err(RegistryError::Defect { why: "an integrator has no reconciliation service".into() })
    }
}
