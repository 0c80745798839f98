//! The credentials by which the registry's push notices are known, with those that this system made.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::brand::Brand;
use crate::consent::BrandName;
use crate::ledger::{Ledger, LedgerError, PushKeys};

/// How long a reading of the ledger is used.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How soon credentials that do not fit may cause another reading: new ones are known at once, a
/// stranger's guesses cost one reading a second.
const PATIENCE: SignedDuration = SignedDuration::from_secs(1);

/// The credentials of all brands, cached.
#[derive(Debug)]
pub struct Keyring {
    ledger: Ledger,
    readings: Mutex<HashMap<BrandName, (Timestamp, Arc<PushKeys>)>>,
}

impl Keyring {
    /// A keyring over a ledger; nothing is read yet.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, readings: Mutex::default() }
    }

    /// Whether a notice for a brand may carry these credentials: those of its document, or any that were
    /// made for it. Comparing takes the same time wherever they differ.
    pub async fn fits(&self, brand: &Brand, username: &str, password: &str, now: Timestamp) -> Result<bool, LedgerError> {
        if username.is_empty() && password.is_empty() {
            return Ok(false);
        }
        if brand.iys.push.as_ref().is_some_and(|own| own.fit(username, password)) {
            return Ok(true);
        }
        let fits = |keys: &PushKeys| keys.values().fold(false, |fits, key| fits | key.credentials().fit(username, password));
        Ok(fits(&*self.keys(brand, now, FRESH).await?) || fits(&*self.keys(brand, now, PATIENCE).await?))
    }

    async fn keys(&self, brand: &Brand, now: Timestamp, fresh: SignedDuration) -> Result<Arc<PushKeys>, LedgerError> {
        let mut readings = self.readings.lock().await;
        if let Some((at, keys)) = readings.get(&brand.name)
            && now.duration_since(*at).abs() < fresh
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(self.ledger.push_keys(&brand.name).await?);
        readings.insert(brand.name.clone(), (now, keys.clone()));
        Ok(keys)
    }
}
