//! Which retailers may use a consent.
//!
//! Each list of a call has at most [`LONGEST_LIST`] elements (`H126`, `H127`), one at least, and none
//! twice (`H193`); a call that breaks this is not made.

use std::collections::HashSet;
use std::hash::Hash;

use super::{Answered, Client, codes, unreadable};
use crate::brand;
use crate::consent::{Channel, Recipient, RecipientType};
use crate::iys::call::{Call, defect, written};
use crate::iys::operation::{self, Operation};
use crate::iys::wire::retailer::{AccessChange, AccessRow};
use crate::iys::wire::{Added, StatusQuery};
use crate::registry::RegistryError;

/// Most addresses, and most retailers, in one call about retailer access.
pub const LONGEST_LIST: usize = 100;

impl Client {
    /// Lets retailers use one consent, beside those that may already (`addRetailers`), and tells İYS's
    /// id of the movement. Refused where the consent does not exist (`H401`).
    pub async fn add_retailer_access(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
        retailers: &[u64],
    ) -> Result<Answered<Option<String>>, RegistryError> {
        let operation = &operation::ADD_ACCESS;
        fits(operation, retailers)?;
        let body =
            AccessChange { recipient: Some(recipient.expose()), retailer_access: Some(retailers), ..change(channel, recipient_type) };
        let [sps, brand] = codes(account);
        let call = Call::new(operation, &[&sps, &brand])?.json(&body)?;
        match self.carry_out(account, &call).await? {
            Answered::Refused(code) => Ok(Answered::Refused(code)),
            Answered::Done(reply) if reply.is_empty() => Ok(Answered::Done(None)),
            Answered::Done(reply) => {
                let added: Added = reply.read().map_err(|why| unreadable(call.name, &why))?;
                Ok(Answered::Done(added.transaction_id.get().map(str::to_owned)))
            }
        }
    }

    /// Lets these retailers and no others use the consents of these addresses (`overrideRetailers`);
    /// the retailer that collected a consent loses its access as well, unless it is among them.
    pub async fn replace_retailer_access(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
        retailers: &[u64],
    ) -> Result<Answered<()>, RegistryError> {
        self.change_access(account, &operation::REPLACE_ACCESS, channel, recipient_type, recipients, Some(retailers)).await
    }

    /// Takes the consents of these addresses from these retailers (`removeRelationBetweenRetailer`).
    pub async fn remove_retailer_access(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
        retailers: &[u64],
    ) -> Result<Answered<()>, RegistryError> {
        self.change_access(account, &operation::REMOVE_ACCESS, channel, recipient_type, recipients, Some(retailers)).await
    }

    /// Takes the consents of these addresses from every retailer
    /// (`removeRelationsBetweenRetailersAndConsents`).
    pub async fn remove_all_retailer_access(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<Answered<()>, RegistryError> {
        self.change_access(account, &operation::REMOVE_ALL_ACCESS, channel, recipient_type, recipients, None).await
    }

    /// The numbers of the retailers that may use a consent (`searchRetailersOfOneConsent`), all pages
    /// of them.
    pub async fn retailer_access(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Vec<u64>, RegistryError> {
        let operation = &operation::LIST_ACCESS;
        let [sps, brand] = codes(account);
        let body = written(operation.name, &StatusQuery::of(channel, recipient_type, recipient))?;
        let rows: Vec<AccessRow> = self.all_pages(account, operation, &[&sps, &brand], Some(body)).await?;
        rows.iter().map(|row| row.retailer_code.number().ok_or_else(|| defect(operation.name, "at $.list.retailerCode: missing"))).collect()
    }

    async fn change_access(
        &self,
        account: &brand::Iys,
        operation: &Operation,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
        retailers: Option<&[u64]>,
    ) -> Result<Answered<()>, RegistryError> {
        fits(operation, recipients)?;
        retailers.map_or(Ok(()), |retailers| fits(operation, retailers))?;
        let recipients = recipients.iter().map(Recipient::expose).collect();
        let body = AccessChange { recipients: Some(recipients), retailer_access: retailers, ..change(channel, recipient_type) };
        let [sps, brand] = codes(account);
        let call = Call::new(operation, &[&sps, &brand])?.json(&body)?;
        self.carry_out(account, &call).await.map(Answered::without_body)
    }
}

fn change<'a>(channel: Channel, recipient_type: RecipientType) -> AccessChange<'a> {
    AccessChange { channel, recipient_type, recipient: None, recipients: None, retailer_access: None }
}

fn fits<T: Eq + Hash>(operation: &Operation, list: &[T]) -> Result<(), RegistryError> {
    if list.is_empty() || list.len() > LONGEST_LIST {
        return Err(defect(operation.name, &format!("a list of {}, where 1 to {LONGEST_LIST} are allowed", list.len())));
    }
    if list.iter().collect::<HashSet<_>>().len() < list.len() {
        return Err(defect(operation.name, "a list with an element twice"));
    }
    Ok(())
}
