//! What a business partner (iş ortağı, integrator) may do, and for whom. İYS's sandbox has none.
//!
//! A partner's API user calls the methods of a brand with its own token; these methods tell which
//! brands and channels it may call them for.

use std::collections::BTreeMap;

use super::account::Subscription;
use super::{Client, codes};
use crate::brand;
use crate::consent::Channel;
use crate::iys::call::Call;
use crate::iys::operation;
use crate::iys::tolerant::Text;
use crate::iys::wire::partner::PartnerRow;
use crate::registry::RegistryError;

/// A brand that has authorised a business partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerBrand {
    /// İYS number of the service provider.
    pub iys_code: u64,
    /// İYS number of the brand.
    pub brand_code: u64,
    /// Its name.
    pub name: Option<String>,
    /// What the partner may do on each channel; a channel that is missing may not be touched.
    pub channels: BTreeMap<Channel, ChannelAccess>,
    /// Whether the partner may call the reconciliation service.
    pub agreement_control: bool,
}

/// What a partner may do on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelAccess {
    /// Ask only.
    Read,
    /// Ask and add.
    Write,
}

impl ChannelAccess {
    /// İYS's samples show `write` alone; what else there is, is not documented.
    fn of(word: &Text) -> Option<Self> {
        let word = word.get()?.to_ascii_lowercase();
        if word.contains("write") {
            return Some(ChannelAccess::Write);
        }
        (word == "read").then_some(ChannelAccess::Read)
    }
}

impl PartnerBrand {
    /// `provider` is the number that was asked for, if one was.
    fn of(row: &PartnerRow, provider: Option<u64>) -> Option<Self> {
        let words = [(Channel::Arama, &row.arama), (Channel::Mesaj, &row.mesaj), (Channel::Eposta, &row.eposta)];
        Some(Self {
            iys_code: row.iys_code.number().or(provider)?,
            brand_code: row.brand_code.number()?,
            name: row.name.get().map(str::to_owned),
            channels: words.into_iter().filter_map(|(channel, word)| Some((channel, ChannelAccess::of(word)?))).collect(),
            agreement_control: row.agreement_control.flag() == Some(true),
        })
    }
}

impl Client {
    /// Every brand that has authorised the partner (`integratorList`), all pages of it.
    pub async fn partner_providers(&self, account: &brand::Iys, integrator_code: u64) -> Result<Vec<PartnerBrand>, RegistryError> {
        let values = [integrator_code.to_string()];
        let rows: Vec<PartnerRow> = self.all_pages(account, &operation::PARTNER_PROVIDERS, &[&values[0]], None).await?;
        Ok(rows.iter().filter_map(|row| PartnerBrand::of(row, None)).collect())
    }

    /// The brands of the account's service provider that have authorised the partner
    /// (`integratorListByiysCode`), all pages of it.
    pub async fn partner_brands(&self, account: &brand::Iys, integrator_code: u64) -> Result<Vec<PartnerBrand>, RegistryError> {
        let ([sps, _], integrator) = (codes(account), integrator_code.to_string());
        let rows: Vec<PartnerRow> = self.all_pages(account, &operation::PARTNER_BRANDS, &[&integrator, &sps], None).await?;
        Ok(rows.iter().filter_map(|row| PartnerBrand::of(row, Some(account.iys_code))).collect())
    }

    /// The partner's own subscription (`getIntegratorSubscription`); `None` when it has none.
    pub async fn partner_subscription(&self, account: &brand::Iys, integrator_code: u64) -> Result<Option<Subscription>, RegistryError> {
        let integrator = integrator_code.to_string();
        self.subscription_by(account, &Call::new(&operation::PARTNER_SUBSCRIPTION, &[&integrator])?).await
    }
}
