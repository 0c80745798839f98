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
/// How old a reading must be before credentials that do not fit cause another one; they wait until then.
/// New ones are known at once, also where several are made in one moment, and a stranger's guesses, one
/// after the other, cost five readings a second.
const PATIENCE: SignedDuration = SignedDuration::from_millis(200);

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
        let (read_at, keys) = self.keys(brand, now).await?;
        if fits(&keys) || read_at == now {
            return Ok(fits(&keys));
        }
        let left = PATIENCE.saturating_sub(now.duration_since(read_at).abs());
        tokio::time::sleep(left.try_into().unwrap_or_default()).await;
        Ok(fits(&*self.read(brand, now).await?))
    }

    /// The credentials and when they were read, a while ago at most.
    async fn keys(&self, brand: &Brand, now: Timestamp) -> Result<(Timestamp, Arc<PushKeys>), LedgerError> {
        let known = self.readings.lock().await.get(&brand.name).cloned();
        match known.filter(|(at, _)| now.duration_since(*at).abs() < FRESH) {
            Some(known) => Ok(known),
            None => Ok((now, self.read(brand, now).await?)),
        }
    }

    async fn read(&self, brand: &Brand, now: Timestamp) -> Result<Arc<PushKeys>, LedgerError> {
        let keys = Arc::new(self.ledger.push_keys(&brand.name).await?);
        self.readings.lock().await.insert(brand.name.clone(), (now, keys.clone()));
        Ok(keys)
    }
}
