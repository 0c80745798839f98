//! The credentials that the registry's push notices carry, where this system made them itself.
//!
//! Item: PK `B#{brand}`, SK `PUSH`: one pair for each channel. They are written before the registry
//! hears of them, because it tries them during its very first call. Whoever may read the table may send
//! notices, as whoever may read it may use the access token.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::item::Item;
use super::{Ledger, LedgerError, control};
use crate::brand::BasicCredentials;
use crate::consent::{BrandName, Channel};

/// One channel's credentials, and the address that they were made for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushKey {
    /// User name.
    #[serde(serialize_with = "exposed")]
    pub username: SecretString,
    /// Password.
    #[serde(serialize_with = "exposed")]
    pub password: SecretString,
    /// Where notices are sent.
    pub url: String,
    /// When the credentials were made.
    pub made_at: Timestamp,
}

impl PushKey {
    /// The pair that notices carry.
    pub fn credentials(&self) -> BasicCredentials {
        BasicCredentials { username: self.username.clone(), password: self.password.clone() }
    }
}

/// The credentials of a brand, by channel.
pub type PushKeys = BTreeMap<Channel, PushKey>;

impl Ledger {
    /// The credentials of a brand.
    pub async fn push_keys(&self, brand: &BrandName) -> Result<PushKeys, LedgerError> {
        self.document(key(brand)).await
    }

    /// Changes the credentials of a brand. `change` says whether there is anything to change, and is
    /// asked again over whatever others have written meanwhile. What stands then.
    pub async fn change_push_keys(&self, brand: &BrandName, change: impl FnMut(&mut PushKeys) -> bool) -> Result<PushKeys, LedgerError> {
        Ok(self.change_document(key(brand), change).await?.0)
    }
}

fn key(brand: &BrandName) -> Item {
    control::key(&format!("B#{brand}"), "PUSH")
}

/// The ledger is the one place where the pair stands readable.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
