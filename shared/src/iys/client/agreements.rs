//! Reconciliation (mutabakat): what İYS counted on a day, its hash and time stamp, and our confirmation.
//!
//! It is a service of its own, which a brand has to authorise; without that nothing here makes a
//! request. Only the seven days before today can be asked about.

use jiff::ToSpan;
use jiff::civil::Date;

use super::feeds::side;
use super::{Answered, Client, codes, unreadable};
use crate::brand;
use crate::consent::code::Hold;
use crate::consent::{Channel, ConsentDate, RecipientType};
use crate::iys::answer::Reply;
use crate::iys::call::{Call, defect};
use crate::iys::operation::{self, Operation};
use crate::iys::tolerant::Text;
use crate::iys::wire::agreement::{AgreementRow, Confirmed, Confirming, DayStats};
use crate::registry::{Feed, RegistryError};

/// How many days back may be asked about (`H502`).
pub(in crate::iys) const DAYS_BACK: u8 = 7;

/// One line of a day's summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The channel.
    pub channel: Channel,
    /// Who made the movements.
    pub feed: Feed,
    /// First consents, and refusals that were lifted.
    pub approval: Option<u64>,
    /// Consents that were withdrawn.
    pub rejection: Option<u64>,
    /// Records of lists that are not written yet, and approvals that people have not completed.
    pub pending: Option<u64>,
    /// All movements.
    pub total: Option<u64>,
}

/// What İYS says about a day's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Whether the file is there.
    pub process: AgreementProcess,
    /// The file's hash in hexadecimal digits, in lower case.
    pub hash_value: Option<String>,
    /// How it was made, such as `SHA-384`.
    pub hash_method: Option<String>,
    /// Whether the day has been confirmed.
    pub confirmed: bool,
}

/// How far İYS is with a day's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementProcess {
    /// Not begun.
    Queued,
    /// Being written.
    InProgress,
    /// There.
    Completed,
    /// It failed.
    Error,
    /// Not stated, or by a word that is not documented.
    Unknown,
}

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// İYS has it.
    Captured,
    /// The day has no movements, so there is nothing to confirm.
    NoMovements,
}

impl Agreement {
    fn of(row: &AgreementRow) -> Self {
        let word = row.process_status.get().map(str::to_ascii_lowercase);
        Self {
            process: match word.as_deref() {
                Some("queued") => AgreementProcess::Queued,
                Some("inprogress" | "in_progress" | "in progress") => AgreementProcess::InProgress,
                Some("completed") => AgreementProcess::Completed,
                Some("error") => AgreementProcess::Error,
                _ => AgreementProcess::Unknown,
            },
            hash_value: row.hash_value.get().map(str::to_ascii_lowercase),
            hash_method: row.hash_method.get().map(str::to_owned),
            confirmed: row.agreement_status.flag() == Some(true),
        }
    }
}

impl Client {
    /// How many movements İYS counted on a day (`changeSummary`), by channel and by who made them.
    pub async fn day_summary(
        &self,
        account: &brand::Iys,
        day: Date,
        recipient_type: RecipientType,
    ) -> Result<Vec<DayCount>, RegistryError> {
        let [sps, brand] = codes(account);
        let day = self.report_date(account, &operation::DAY_SUMMARY, day)?;
        let call = Call::new(&operation::DAY_SUMMARY, &[&sps, &brand, &day, recipient_type.as_str()])?;
        let stats: Option<DayStats> = self.one(account, &call).await?;
        let channels = stats.map(|stats| stats.change_stats.0).unwrap_or_default();
        let mut counts = Vec::new();
        for row in channels.iter().flatten() {
            let Some(channel) = row.channel.get().and_then(|word| word.parse::<Channel>().ok()) else { continue };
            for count in row.consents.0.iter().flatten() {
                let Some(feed) = feed_of(&count.source) else { continue };
                counts.push(DayCount {
                    channel,
                    feed,
                    approval: count.approval.number(),
                    rejection: count.rejection.number(),
                    pending: count.pending.number(),
                    total: count.total.number(),
                });
            }
        }
        Ok(counts)
    }

    /// The hash of a day's file, and whether the day is confirmed (`agreementsDate`); `None` when there
    /// is nothing about the day.
    pub async fn agreement(&self, account: &brand::Iys, day: Date) -> Result<Option<Agreement>, RegistryError> {
        let [sps, brand] = codes(account);
        let day = self.report_date(account, &operation::AGREEMENT, day)?;
        let call = Call::new(&operation::AGREEMENT, &[&sps, &brand, &day])?;
        Ok(self.one(account, &call).await?.as_ref().map(Agreement::of))
    }

    /// The answer of the time stamp authority about a day's file (`agreementTimeStamp`), as RFC 3161
    /// has it (`.tsr`); `None` when there is none.
    pub async fn day_timestamp(&self, account: &brand::Iys, day: Date) -> Result<Option<Vec<u8>>, RegistryError> {
        let [sps, brand] = codes(account);
        let day = self.report_date(account, &operation::DAY_TIMESTAMP, day)?;
        let call = Call::new(&operation::DAY_TIMESTAMP, &[&sps, &brand, &day])?;
        let Reply { status, body, .. } = self.read(account, &call).await?;
        Ok((status != reqwest::StatusCode::NO_CONTENT && !body.is_empty()).then_some(body))
    }

    /// Confirms that a day's movements are ours (`agreementDatePut`).
    pub async fn confirm_day(&self, account: &brand::Iys, day: Date) -> Result<Answered<Confirmation>, RegistryError> {
        let [sps, brand] = codes(account);
        let day = self.report_date(account, &operation::CONFIRM_DAY, day)?;
        let call = Call::new(&operation::CONFIRM_DAY, &[&sps, &brand, &day])?.json(&Confirming { agreement_status: true })?;
        let reply = match self.carry_out(account, &call).await? {
            Answered::Refused(code) => return Ok(Answered::Refused(code)),
            Answered::Done(reply) => reply,
        };
        if reply.is_empty() {
            return Ok(Answered::Done(Confirmation::NoMovements));
        }
        let confirmed: Confirmed = reply.read().map_err(|why| unreadable(call.name, &why))?;
        match confirmed.captured() {
            Some(true) => Ok(Answered::Done(Confirmation::Captured)),
            _ => Err(defect(call.name, "at $.agreementCaptured: not true")),
        }
    }

    /// A day as İYS writes it, when the brand has authorised the service and İYS can know the day.
    pub(super) fn report_date(&self, account: &brand::Iys, operation: &Operation, day: Date) -> Result<String, RegistryError> {
        if !account.mutabakat {
            return Err(RegistryError::Held { why: Hold::Authority, code: "mutabakat is not authorised".into() });
        }
        let today = ConsentDate::at(self.now()).civil().date();
        if day >= today || day < today.saturating_sub(i64::from(DAYS_BACK).days()) {
            return Err(defect(operation.name, "the day is not one of the seven before today"));
        }
        Ok(day.to_string())
    }
}

fn feed_of(word: &Text) -> Option<Feed> {
    [Feed::People, Feed::Brand].into_iter().find(|feed| word.get() == Some(side(*feed)))
}
