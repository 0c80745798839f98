//! What İYS holds: for one key now, for many addresses at once, and for one key over time.

use std::collections::HashSet;

use super::consents::refused_records;
use super::paging::{Paged, page_query};
use super::{Client, codes};
use crate::brand;
use crate::consent::code::{Code, Disposition};
use crate::consent::{Channel, Recipient, RecipientType, Status};
use crate::iys::answer::{Problem, Reply, disposition_of};
use crate::iys::call::{Call, defect};
use crate::iys::wire::{MultiAnswer, MultiQuery, Row, StatusQuery};
use crate::iys::{feed, operation};
use crate::registry::{Holding, Page, RegistryError};

/// Most addresses in one multi status query (`batchConsentStatus`).
pub(crate) const ONAYS_RECIPIENTS: usize = 1000;

impl Client {
    /// Which of these addresses hold an ONAY (`batchConsentStatus`). İYS answers for none of them where one
    /// does not fit the channel (`H464`): then it is named.
    pub async fn onays(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        const NAME: &str = operation::MULTI_STATUS.name;
        if recipients.is_empty() {
            return Ok(HashSet::new());
        }
        if recipients.len() > ONAYS_RECIPIENTS {
            return Err(defect(NAME, &format!("{} addresses, where {ONAYS_RECIPIENTS} are allowed", recipients.len())));
        }
        let [sps, brand] = codes(account);
        let query = MultiQuery { recipients: recipients.iter().map(Recipient::expose).collect() };
        let values = [sps.as_str(), &brand, recipient_type.as_str(), channel.as_str()];
        let call = Call::new(&operation::MULTI_STATUS, &values)?.json(&query)?;
        let reply = self.exchange(account, &call).await?;
        if !reply.status.is_success() {
            return Err(match refused_addresses(&reply, recipients.len()) {
                Some(refused) => RegistryError::RefusedFor(refused),
                None => self.fault(&call, &reply).await,
            });
        }
        let answer: MultiAnswer = reply.read().map_err(|why| defect(NAME, &why))?;
        let asked: HashSet<&Recipient> = recipients.iter().collect();
        answer
            .list
            .iter()
            .map(|text| {
                // What stands under another spelling of the number is no proof for the one that was asked for.
                let text = text.get().filter(|text| !Recipient::is_misspelt(text));
                let recipient = text.and_then(|text| Recipient::parse(text, channel).ok());
                // Passing over an address that cannot be matched would read as "holds no ONAY".
                recipient
                    .filter(|recipient| asked.contains(recipient))
                    .ok_or_else(|| defect(NAME, "at $.list: an address that was not asked for"))
            })
            .collect()
    }

    /// What İYS holds for one key (`consentDetail`); counts against the hour's single status queries.
    ///
    /// How İYS answers for a key without a record is not documented: 404, 204, an empty body and an
    /// answer without a status are all taken for it, unless a code says that the brand itself is
    /// unknown or not allowed. An ONAY under another spelling of the number is none of this key's.
    pub async fn holding(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Option<Holding>, RegistryError> {
        let [sps, brand] = codes(account);
        let query = StatusQuery::of(channel, recipient_type, recipient);
        let mut call = Call::new(&operation::SINGLE_STATUS, &[&sps, &brand])?.json(&query)?;
        call.hour = Some(self.settings().single_status());
        let reply = self.exchange(account, &call).await?;
        if reply.status.as_u16() == 404 && !reply.problems().iter().any(|problem| names_a_hold(problem.code)) {
            return Ok(None);
        }
        if !reply.status.is_success() {
            return Err(self.fault(&call, &reply).await);
        }
        if reply.is_empty() {
            return Ok(None);
        }
        let row: Row = reply.read().map_err(|why| defect(call.name, &why))?;
        let holding = feed::holding(&row).map_err(|field| defect(call.name, &format!("at $.{field}: the value does not fit")))?;
        Ok(holding.filter(|holding| !holding.misspelt || holding.status == Status::Ret))
    }

    /// The movements of one key, oldest first, at most the latest hundred (`consentsHistory`); counts
    /// against the hour's history queries.
    pub async fn history(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Page, RegistryError> {
        Ok(self.history_page(account, channel, recipient_type, recipient, 0).await?.page)
    }

    /// The same without the latest `offset` movements.
    pub async fn history_page(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
        offset: usize,
    ) -> Result<HistoryPage, RegistryError> {
        let [sps, brand] = codes(account);
        let query = StatusQuery::of(channel, recipient_type, recipient);
        let mut call = Call::new(&operation::HISTORY, &[&sps, &brand])?.json(&query)?;
        call.query = page_query(offset);
        call.hour = Some(self.settings().history());
        let reply = self.read(account, &call).await?;
        if reply.is_empty() {
            return Ok(HistoryPage { page: Page::default(), next: None });
        }
        let answer: Paged<Row> = reply.read().map_err(|why| defect(call.name, &why))?;
        let mut page = feed::page(&answer.rows);
        page.changes.reverse();
        Ok(HistoryPage { page, next: answer.next(offset) })
    }
}

/// A part of a key's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The movements, oldest first.
    pub page: Page,
    /// The offset of the part before it, when there is one.
    pub next: Option<usize>,
}

/// The addresses that a question was refused for, if that is all that it was refused for.
fn refused_addresses(reply: &Reply, addresses: usize) -> Option<Vec<(usize, Code)>> {
    let status = reply.status.as_u16();
    let mut problems = reply.problems();
    // An address that was asked for twice is our own defect and spoils no address.
    let about_address = |problem: &Problem| problem.disposition(status) == Disposition::Rejected && problem.code != Some(Code::TWICE);
    if problems.is_empty() || !problems.iter().all(about_address) {
        return None;
    }
    if addresses == 1 {
        // There is no other that it could be.
        problems.iter_mut().for_each(|problem| problem.index = Some(0));
    }
    refused_records(&problems, status, addresses)
}

/// Whether a code by itself, whatever status it came with, says that the brand's work has to wait.
fn names_a_hold(code: Option<Code>) -> bool {
    // By this status alone nothing is held, so it is the code that decides.
    code.is_some_and(|code| matches!(disposition_of(Some(code), 400), Disposition::Held(_)))
}
