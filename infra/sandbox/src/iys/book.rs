//! The accounts as they are now: tests change subscriptions, channels and grants while the simulator runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::model::{ConsentType, turkish};
use super::parties::{Brand, Grant, Partner, Provider, Subscription, SubscriptionStatus};

/// Whom a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A provider, by `iysCode`.
    Provider(u64),
    /// A business partner, by `integratorCode`.
    Partner(u64),
}

/// A provider at one moment.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) iys_code: u64,
    pub(crate) title: String,
    pub(crate) username: String,
    password: String,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) brands: Vec<Arc<Brand>>,
    /// What counts as used beyond the consents that stand here.
    quota_offset: i64,
}

impl Account {
    fn of(provider: &Provider) -> Self {
        let mut account = Self {
            iys_code: provider.iys_code,
            title: provider.title.clone(),
            username: provider.username.clone(),
            password: provider.password.clone(),
            subscription: None,
            brands: provider.brands.iter().cloned().map(Arc::new).collect(),
            quota_offset: 0,
        };
        account.subscribe(provider.subscription.clone(), 0);
        account
    }

    /// Takes a subscription, under which `stored` consents stand already.
    fn subscribe(&mut self, subscription: Option<Subscription>, stored: u64) {
        if let Some(used) = subscription.as_ref().and_then(|subscription| subscription.used_consent_limit) {
            self.quota_offset = signed(used).saturating_sub(signed(stored));
        }
        self.subscription = subscription;
    }

    /// What counts as used when `stored` consents stand here.
    pub(crate) fn used(&self, stored: u64) -> u64 {
        u64::try_from(self.quota_offset.saturating_add(signed(stored))).unwrap_or(0)
    }

    pub(crate) fn brand(&self, brand_code: u64) -> Option<&Arc<Brand>> {
        self.brands.iter().find(|brand| brand.brand_code == brand_code)
    }

    pub(crate) fn brand_codes(&self) -> impl Iterator<Item = u64> + '_ {
        self.brands.iter().map(|brand| brand.brand_code)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Subscription {
    /// The state at `now`: an active subscription ends by itself.
    pub(crate) fn status_at(&self, now: Timestamp) -> SubscriptionStatus {
        if self.status == SubscriptionStatus::Active && turkish(now) > self.expiration_date {
            return SubscriptionStatus::Expired;
        }
        self.status
    }
}

/// A code that no account has.
#[derive(Debug, thiserror::Error)]
#[error("no such account")]
pub(crate) struct Unknown;

/// All accounts. What is read is a copy of the moment, so that no call sees half a change.
pub(crate) struct Book(Mutex<Inner>);

struct Inner {
    providers: Vec<Arc<Account>>,
    partners: Vec<Arc<Partner>>,
}

impl Book {
    pub(crate) fn new(providers: &[Provider], partners: &[Partner]) -> Self {
        Self(Mutex::new(Inner {
            providers: providers.iter().map(|provider| Arc::new(Account::of(provider))).collect(),
            partners: partners.iter().cloned().map(Arc::new).collect(),
        }))
    }

    /// Whose credentials these are.
    pub(crate) fn login(&self, username: &str, password: &str) -> Option<Owner> {
        let inner = self.lock();
        let provider = inner.providers.iter().find(|one| one.username == username && one.password == password);
        let partner = || inner.partners.iter().find(|one| one.username == username && one.password == password);
        provider.map(|one| Owner::Provider(one.iys_code)).or_else(|| partner().map(|one| Owner::Partner(one.integrator_code)))
    }

    pub(crate) fn provider(&self, iys_code: u64) -> Option<Arc<Account>> {
        self.lock().providers.iter().find(|one| one.iys_code == iys_code).cloned()
    }

    pub(crate) fn providers(&self) -> Vec<Arc<Account>> {
        self.lock().providers.clone()
    }

    pub(crate) fn partner(&self, integrator_code: u64) -> Option<Arc<Partner>> {
        self.lock().partners.iter().find(|one| one.integrator_code == integrator_code).cloned()
    }

    pub(crate) fn partners(&self) -> Vec<Arc<Partner>> {
        self.lock().partners.clone()
    }

    /// The provider that a brand belongs to.
    pub(crate) fn owner_of(&self, brand_code: u64) -> Option<Arc<Account>> {
        self.lock().providers.iter().find(|one| one.brand(brand_code).is_some()).cloned()
    }

    /// Gives a provider another subscription, or none; `stored` is how many of its consents stand here.
    pub(crate) fn subscribe(&self, iys_code: u64, subscription: Option<Subscription>, stored: u64) -> Result<(), Unknown> {
        let mut inner = self.lock();
        let account = inner.providers.iter_mut().find(|one| one.iys_code == iys_code).ok_or(Unknown)?;
        Arc::make_mut(account).subscribe(subscription, stored);
        Ok(())
    }

    /// Changes which channels a provider's API user may write.
    pub(crate) fn authorise(&self, brand_code: u64, channels: Option<Vec<ConsentType>>) -> Result<(), Unknown> {
        let mut inner = self.lock();
        let account = inner.providers.iter_mut().find(|one| one.brand(brand_code).is_some()).ok_or(Unknown)?;
        let brands = &mut Arc::make_mut(account).brands;
        let brand = brands.iter_mut().find(|brand| brand.brand_code == brand_code).ok_or(Unknown)?;
        Arc::make_mut(brand).channels = channels;
        Ok(())
    }

    /// Changes a partner.
    pub(crate) fn change_partner(&self, integrator_code: u64, change: impl FnOnce(&mut Partner)) -> Result<(), Unknown> {
        let mut inner = self.lock();
        let partner = inner.partners.iter_mut().find(|one| one.integrator_code == integrator_code).ok_or(Unknown)?;
        change(Arc::make_mut(partner));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The brands of a provider that a partner has grants for, in the provider's order.
pub(crate) fn granted<'a>(account: &'a Account, partner: &'a Partner) -> impl Iterator<Item = (&'a Arc<Brand>, &'a Grant)> {
    account.brands.iter().filter_map(|brand| partner.grant(brand.brand_code).map(|grant| (brand, grant)))
}
