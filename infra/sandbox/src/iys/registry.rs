//! İYS as the simulators of integrators reach it: in process, past the limits and tokens of its own API, but
//! under the same rules, over the same store.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::config::Config;
use super::model::{Consent, ConsentType, Key, Movement, RecipientType};
use super::parties::SubscriptionStatus;
use super::refusals::{Asked, Place};
use super::rules::{self, Remarks};
use super::single::{has_room, moment, strangers};
use super::store::{Change, Stored};
use super::{Iys, start};

/// One İYS, which its own server and any number of integrators' servers share.
#[derive(Clone)]
pub struct Registry(Arc<Iys>);

/// How a consent that an integrator brought ended.
pub(crate) type Verdict = Result<Stored, Arc<str>>;

impl Registry {
    /// An İYS of these settings, with its seed records.
    ///
    /// # Errors
    ///
    /// If no HTTP client for push deliveries can be built, or a seed record cannot be read.
    pub fn new(config: Config) -> std::io::Result<Self> {
        start(config).map(Self)
    }

    pub(super) fn iys(&self) -> &Arc<Iys> {
        &self.0
    }

    /// The injected clock's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// The injected clock.
    pub(crate) fn clock(&self) -> crate::clock::Clock {
        Arc::clone(&self.0.config.clock)
    }

    /// Brings the store to the present, so that watchers are told of what is due.
    pub(crate) fn settle(&self) {
        drop(self.0.store(self.now()));
    }

    /// The provider that a brand belongs to.
    pub(crate) fn owner_of(&self, brand: u64) -> Option<u64> {
        self.0.book.owner_of(brand).map(|owner| owner.iys_code)
    }
    /// The name of a brand.
    pub(crate) fn brand_name(&self, brand: u64) -> Option<String> {
        self.0.book.owner_of(brand)?.brand(brand).map(|one| one.name.clone())
    }

    /// Puts a consent object, in İYS's own words, before İYS's rules.
    pub(crate) fn submit(&self, brand_code: u64, item: &Map<String, Value>, carrier: &'static str) -> Verdict {
        let now = self.now();
        let switches = self.0.switches();
        if let Some(planted) = Asked::of(item).and_then(|asked| self.0.planted(Place::Row, &asked)) {
            return Err(Arc::from(planted.code));
        }
        let account = self.0.book.owner_of(brand_code).ok_or("H018")?;
        let brand = account.brand(brand_code).ok_or("H018")?;
        match account.subscription.as_ref().map(|subscription| subscription.status_at(now)) {
            Some(SubscriptionStatus::Active) => {}
            Some(SubscriptionStatus::Closed) => return Err(Arc::from("H521")),
            Some(_) => return Err(Arc::from("H520")),
            None => return Err(Arc::from("H524")),
        }
        let moment = moment(&self.0, brand, &switches, now);
        let checked = rules::check(item, &moment, &mut Remarks::default());
        let consent: Consent = checked.result().map_err(|problems| problems.first().map_or("H015", |first| first.code))?;
        if let Some(stranger) = strangers(&self.0, brand, &consent).first() {
            return Err(Arc::from(stranger.code));
        }
        let mut store = self.0.store(now);
        if !has_room(&store, &account, std::iter::once(consent.key(brand_code))) {
            return Err(Arc::from("H525"));
        }
        let stored = store.carried(&consent, brand_code, now, &switches, Some(carrier));
        stored.map_err(|codes| Arc::from(codes.first().copied().unwrap_or("H015")))
    }

    /// What stands for a key; e-mail addresses in any case of letters.
    pub(crate) fn current(
        &self,
        brand: u64,
        recipient: &str,
        recipient_type: RecipientType,
        consent_type: ConsentType,
    ) -> Option<(Arc<Movement>, usize)> {
        let key = Key { brand, recipient: Arc::from(recipient.to_ascii_lowercase()), recipient_type, consent_type };
        let store = self.0.store(self.now());
        let current = Arc::clone(store.current(&key)?);
        Some((current, store.access(&key).listed.len()))
    }

    /// What stands for a brand, ordered by address, recipient type and channel.
    pub(crate) fn standing(&self, brand: u64) -> Vec<(Key, Arc<Movement>)> {
        let store = self.0.store(self.now());
        let mut rows: Vec<_> = store.standing_of(brand).map(|(key, movement)| (key.clone(), Arc::clone(movement))).collect();
        rows.sort_by(|(one, _), (other, _)| {
            let order = |key: &Key| (Arc::clone(&key.recipient), key.recipient_type, key.consent_type);
            order(one).cmp(&order(other))
        });
        rows
    }

    /// From now on tells of every movement that comes about, of every brand.
    pub(crate) fn watch(&self) -> mpsc::UnboundedReceiver<Change> {
        self.0.store(self.now()).watch()
    }
}
