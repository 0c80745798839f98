//! Consents in: one at once, or many to be asked about later.

use std::collections::{BTreeMap, HashMap};

use super::versions::{ADD, Answer, BULK_ADD, BULK_STATUS};
use super::{Client, codes, unreadable};
use crate::brand;
use crate::consent::code::{Code, Disposition};
use crate::consent::{Channel, Recipient, RecipientType, SourceError};
use crate::iys::answer::{Problem, decisive};
use crate::iys::call::{defect, written};
use crate::iys::operation;
use crate::iys::tolerant::Items;
use crate::iys::wire::{Added, Consent, ResultRow, SubRequest, Taken};
use crate::registry::{Record, RegistryError, ResultLine, Submitted, Verdict};

/// Most records in one bulk add (İYS documentation, `addBatchConsentV2`).
pub(crate) const BULK_RECORDS: usize = 1000;
/// Most bytes in one bulk add. İYS names no limit of its own, and common web servers and gateways take a
/// million bytes unless they are told otherwise. A thousand plain records are a fifth of that, and only
/// dealers make more: a thousand records of 3,000 dealers each would be 27 million bytes.
pub(crate) const BULK_BYTES: usize = 1_000_000;

impl Client {
    /// Registers one record (`addConsentV2`). An identical record sent again gives the same answer,
    /// unless İYS offers the first version only ([`Client::recognises_resends`]).
    pub async fn add(&self, account: &brand::Iys, record: &Record) -> Result<Verdict, RegistryError> {
        if !record.source.is_sendable() {
            return unsendable().map(Verdict::Refused);
        }
        let [sps, brand] = codes(account);
        let body = written(operation::ADD.name, &Consent::of(record))?;
        let Answer { call, reply } = self.versioned(account, &ADD, &[&sps, &brand], Some(body)).await?;
        let problems = reply.problems();
        if !reply.status.is_success() {
            let problem = decisive(&problems, reply.status.as_u16());
            return self.judge(&call, &reply, problem).await.map(Verdict::Refused);
        }
        let added: Added = reply.read().map_err(|why| unreadable(call.name, &why))?;
        let id = added.transaction_id.get().ok_or_else(|| unreadable(call.name, "at $.transactionId: missing"))?;
        Ok(Verdict::Recorded { transaction_id: Some(id.to_owned()) })
    }

    /// Hands in many records (`addBatchConsentV2`).
    pub async fn submit(&self, account: &brand::Iys, records: &[Record]) -> Result<Submitted, RegistryError> {
        const NAME: &str = operation::BULK_ADD.name;
        if records.is_empty() || records.len() > BULK_RECORDS {
            return Err(defect(NAME, &format!("{} records, where 1 to {BULK_RECORDS} are allowed", records.len())));
        }
        let unsent: Vec<usize> =
            (0..records.len()).filter(|at| records.get(*at).is_some_and(|record| !record.source.is_sendable())).collect();
        if !unsent.is_empty() {
            let code = unsendable()?;
            return Ok(Submitted::Refused(unsent.into_iter().map(|at| (at, code)).collect()));
        }
        let [sps, brand] = codes(account);
        let list: Vec<Consent<'_>> = records.iter().map(Consent::of).collect();
        let Answer { call, reply } = self.versioned(account, &BULK_ADD, &[&sps, &brand], Some(written(NAME, &list)?)).await?;
        let problems = reply.problems();
        if !reply.status.is_success() {
            let status = reply.status.as_u16();
            let (about_records, about_all): (Vec<Problem>, Vec<Problem>) =
                problems.into_iter().partition(|problem| problem.index.is_some());
            // An error about the list as a whole counts only where nothing of it was judged.
            let whole = decisive(&about_all, status).filter(|problem| about_records.is_empty() || !is_final(problem.disposition(status)));
            if about_records.is_empty() || whole.is_some() {
                let code = self.judge(&call, &reply, whole).await?;
                return Err(defect(NAME, &format!("{code} without the position of a record")));
            }
            let refused = refused_records(&about_records, status, records.len());
            return refused.map(Submitted::Refused).ok_or_else(|| defect(NAME, "errors at positions that the list does not have"));
        }
        let taken: Taken = reply.read().map_err(|why| unreadable(NAME, &why))?;
        let request_id = taken.request_id.get().ok_or_else(|| unreadable(NAME, "at $.requestId: missing"))?.to_owned();
        Ok(Submitted::Taken { request_id, record_ids: record_ids(records, &taken.sub_requests), refused: Vec::new() })
    }

    /// What became of a bulk submission (`searchRequestDetailsV2`). Empty while it is not processed,
    /// and 60 days later.
    ///
    /// A line that names neither a code nor success stays without a verdict, whatever its status says:
    /// there is nothing to decide by.
    pub async fn results(&self, account: &brand::Iys, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        let [sps, brand] = codes(account);
        let Answer { call, reply } = self.versioned(account, &BULK_STATUS, &[&sps, &brand, request_id], None).await?;
        if !reply.status.is_success() {
            return Err(self.fault(&call, &reply).await);
        }
        if reply.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Items<ResultRow> = reply.read().map_err(|why| defect(call.name, &why))?;
        let rows: Vec<ResultRow> = rows.0.into_iter().flatten().collect();
        let index = |row: &ResultRow| row.index.number::<usize>();
        // İYS's documentation counts from 0 in one place and from 1 in another. Only a line 0 proves
        // which it is; without that, lines are told apart by their ids.
        let from_zero = rows.iter().any(|row| index(row) == Some(0));
        Ok(rows
            .iter()
            .map(|row| ResultLine {
                record_id: row.id().map(str::to_owned),
                position: index(row).filter(|_| from_zero),
                verdict: verdict(row),
            })
            .collect())
    }
}

/// İYS's own code for a source that a brand may not send: such a record is not worth a request.
fn unsendable() -> Result<Code, RegistryError> {
    SourceError::CODE.parse().map_err(|_| defect("source", "the code of a wrong source is no code"))
}

fn is_final(disposition: Disposition) -> bool {
    matches!(
        disposition,
        Disposition::AlreadyThere
            | Disposition::NotRegistered
            | Disposition::Superseded
            | Disposition::TooLate
            | Disposition::Rejected
            | Disposition::Defect
    )
}

/// The refused records of a list (or addresses of a question) by position, each with the error that counts. İYS's newer samples
/// count from 0; a position that equals the number of records proves that it counted from 1.
pub(super) fn refused_records(problems: &[Problem], status: u16, records: usize) -> Option<Vec<(usize, Code)>> {
    let from_one = problems.iter().any(|problem| problem.index == Some(records)) && problems.iter().all(|problem| problem.index != Some(0));
    let mut by_position: BTreeMap<usize, Vec<Problem>> = BTreeMap::new();
    for problem in problems {
        let position = problem.index?.checked_sub(usize::from(from_one))?;
        if position >= records {
            return None;
        }
        by_position.entry(position).or_default().push(*problem);
    }
    by_position.into_iter().map(|(position, problems)| Some((position, decisive(&problems, status)?.code?))).collect()
}

/// The ids of the records in their order. The answer repeats each record, so an id is matched by its
/// record; an answer that repeats none is taken to be in order if it is complete.
fn record_ids(records: &[Record], rows: &Items<SubRequest>) -> Vec<Option<String>> {
    let key = |row: &SubRequest| -> Option<(Channel, RecipientType, Recipient)> {
        let channel: Channel = row.channel.get()?.parse().ok()?;
        let recipient_type = row.recipient_type.get().map_or(Ok(RecipientType::Bireysel), str::parse).ok()?;
        Some((channel, recipient_type, Recipient::parse(row.recipient.get()?, channel).ok()?))
    };
    let mut by_record = HashMap::new();
    for row in rows.0.iter().flatten() {
        if let (Some(key), Some(id)) = (key(row), row.id()) {
            by_record.insert(key, id.to_owned());
        }
    }
    let in_order = by_record.is_empty() && rows.0.len() == records.len();
    records
        .iter()
        .enumerate()
        .map(|(at, record)| {
            if in_order {
                return rows.0.get(at)?.as_ref()?.id().map(str::to_owned);
            }
            by_record.get(&(record.channel, record.recipient_type, record.recipient.clone())).cloned()
        })
        .collect()
}

fn verdict(row: &ResultRow) -> Option<Verdict> {
    let problems: Vec<Problem> = row.error.0.iter().chain(&row.errors.0).flatten().map(Problem::of).collect();
    if let Some(code) = decisive(&problems, 200).and_then(|problem| problem.code) {
        return Some(Verdict::Refused(code));
    }
    let stored = row.status.get().is_some_and(|status| status.eq_ignore_ascii_case("success"));
    stored.then(|| Verdict::Recorded { transaction_id: row.transaction_id.get().map(str::to_owned) })
}
