//! The files of one brand's days, as İYS's reconciliation (mutabakat) has them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;

use super::client::{AgreementProcess, Answered, Client, Confirmation, DAYS_BACK, DayFile};
use crate::brand::Brand;
use crate::consent::RecipientType;
use crate::day_files::{DayFiles, DayInfo, DayRow, DayRows, SideCount};
use crate::registry::RegistryError;

/// İYS's files of a brand's days.
#[derive(Debug, Clone)]
pub struct IysDayFiles {
    client: Client,
    brand: Arc<Brand>,
}

impl IysDayFiles {
    /// The files of a brand.
    pub fn new(client: Client, brand: Arc<Brand>) -> Self {
        Self { client, brand }
    }
}

#[async_trait]
impl DayFiles for IysDayFiles {
    fn days_back(&self) -> u8 {
        DAYS_BACK
    }

    async fn info(&self, day: Date) -> Result<Option<DayInfo>, RegistryError> {
        let agreement = self.client.agreement(&self.brand.iys, day).await?;
        Ok(agreement.map(|agreement| DayInfo {
            not_ready: match agreement.process {
                AgreementProcess::Completed => None,
                AgreementProcess::Queued => Some("queued"),
                AgreementProcess::InProgress => Some("inprogress"),
                AgreementProcess::Error => Some("error"),
                // A word that we do not know: the hash says whether the file is there.
                AgreementProcess::Unknown => agreement.hash_value.is_none().then_some("unknown"),
            },
            hash: agreement.hash_value,
            is_confirmed: agreement.confirmed,
        }))
    }

    async fn counts(&self, day: Date) -> Result<Vec<SideCount>, RegistryError> {
        let mut counts = Vec::new();
        for recipient_type in RecipientType::ALL {
            let summary = self.client.day_summary(&self.brand.iys, day, *recipient_type).await?;
            counts.extend(summary.into_iter().map(|count| SideCount {
                channel: count.channel,
                recipient_type: *recipient_type,
                feed: count.feed,
                total: count.total,
                pending: count.pending.unwrap_or_default(),
            }));
        }
        Ok(counts)
    }

    async fn open(&self, day: Date) -> Result<Option<Box<dyn DayRows>>, RegistryError> {
        let file = self.client.day_file(&self.brand.iys, day).await?;
        Ok(file.map(|file| Box::new(Rows(file)) as Box<dyn DayRows>))
    }

    async fn confirm(&self, day: Date) -> Result<bool, RegistryError> {
        match self.client.confirm_day(&self.brand.iys, day).await? {
            Answered::Done(Confirmation::Captured) => Ok(true),
            Answered::Done(Confirmation::NoMovements) => Ok(false),
            Answered::Refused(code) => Err(RegistryError::Defect { why: format!("the confirmation was refused: {code}") }),
        }
    }
}

struct Rows(DayFile);

#[async_trait]
impl DayRows for Rows {
    async fn next(&mut self) -> Result<Option<DayRow>, RegistryError> {
        let line = self.0.next_line().await?;
        Ok(line.map(|line| DayRow { number: line.number, change: line.change, payload: line.payload }))
    }

    async fn has_hash(self: Box<Self>, hash: &str) -> Result<bool, RegistryError> {
        Ok(self.0.end().await?.has_hash(hash))
    }
}
