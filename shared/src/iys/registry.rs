//! İYS as the place where one brand's consents are registered.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::client::{BULK_BYTES, BULK_RECORDS, Client, ONAYS_RECIPIENTS};
use crate::brand::Brand;
use crate::consent::code::Hold;
use crate::consent::{Channel, Recipient, RecipientType};
use crate::registry::{Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};

/// İYS for one brand. It never calls a method for a channel that the brand has not authorised.
#[derive(Debug, Clone)]
pub struct IysRegistry {
    client: Client,
    brand: Arc<Brand>,
}

impl IysRegistry {
    /// İYS for a brand.
    pub fn new(client: Client, brand: Arc<Brand>) -> Self {
        Self { client, brand }
    }

    fn authorised(&self, channel: Channel) -> Result<(), RegistryError> {
        if self.brand.authorises(channel) {
            return Ok(());
        }
        Err(RegistryError::Held { why: Hold::Authority, code: format!("{channel} is not among the brand's channels") })
    }
}

#[async_trait]
impl Registry for IysRegistry {
    fn capabilities(&self) -> Capabilities {
        let limits = self.client.settings().limits;
        Capabilities {
            bulk_records: BULK_RECORDS,
            bulk_bytes: BULK_BYTES,
            onays_recipients: ONAYS_RECIPIENTS,
            questions_per_minute: limits.calls_per_second.saturating_mul(60),
            fetches_per_hour: limits.single_status_per_hour,
            ..Capabilities::IYS
        }
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.authorised(record.channel)?;
        self.client.add(&self.brand.iys, record).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        records.iter().try_for_each(|record| self.authorised(record.channel))?;
        self.client.submit(&self.brand.iys, records).await
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        self.client.results(&self.brand.iys, request_id).await
    }

    async fn onays(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        self.authorised(channel)?;
        self.client.onays(&self.brand.iys, channel, recipient_type, recipients).await
    }

    async fn holding(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Option<Holding>, RegistryError> {
        self.authorised(channel)?;
        self.client.holding(&self.brand.iys, channel, recipient_type, recipient).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.client.changes(&self.brand.iys, feed, cursor).await
    }
}
