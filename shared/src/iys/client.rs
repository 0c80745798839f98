//! One method for every method of İYS that is used.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::Url;

use super::answer::{Problem, decisive, disposition_of};
use super::call::{Call, defect};
use super::feed;
use super::settings::Settings;
use super::token::Tokens;
use super::tolerant::Items;
use super::wire::{
    Added, BrandRow, Consent, Feed as FeedAnswer, MultiAnswer, MultiQuery, PushRegistration, PushRow, PushTarget, ResultRow, Row,
    StatusQuery, SubRequest, Taken,
};
use crate::brand;
use crate::clock::Clock;
use crate::consent::code::{Code, Disposition};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, SourceError, Status};
use crate::http::Http;
use crate::ledger::Ledger;
use crate::registry::{Feed, Holding, Page, Record, RegistryError, ResultLine, Submitted, Verdict};

/// Most records in one bulk add (İYS documentation, `addBatchConsentV2`).
pub(super) const BULK_RECORDS: usize = 1000;
/// Most addresses in one multi status query (`batchConsentStatus`).
pub(super) const ONAYS_RECIPIENTS: usize = 1000;
/// Lines in one page of pull, which is also the most that İYS gives.
const PULL_LINES: usize = 1000;
/// Lines in one answer of history, likewise.
const HISTORY_LINES: usize = 100;

/// İYS for one process. Cloning it is cheap and shares everything.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    worker: String,
    http: Http,
    tokens: Tokens,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("iys::Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A brand as İYS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandInfo {
    /// Its İYS number.
    pub brand_code: u64,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is the service provider's main brand.
    pub master: bool,
    /// Addresses with ONAY.
    pub approvals: Option<u64>,
    /// Addresses with RET.
    pub rejections: Option<u64>,
    /// All of them.
    pub total: Option<u64>,
}

/// A push connection as İYS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushConnection {
    /// Where notices go.
    pub url: String,
    /// What they are about.
    pub channel: Option<Channel>,
    /// When it was registered.
    pub registered_at: Option<ConsentDate>,
    /// İYS's own words for its state, in Turkish.
    pub status: Option<String>,
}

impl Client {
    /// A client. `worker` names this process among all that share the ledger and must be unique among
    /// them; nothing is connected or read yet.
    pub fn new(settings: Settings, ledger: Ledger, clock: Clock, worker: impl Into<String>) -> Self {
        let http = Http::new(settings.connect_timeout);
        Self(Arc::new(Inner { settings, ledger, clock, worker: worker.into(), http, tokens: Tokens::default() }))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub(super) fn worker(&self) -> &str {
        &self.0.worker
    }

    pub(super) fn http(&self) -> &Http {
        &self.0.http
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Registers one record (`addConsentV2`). An identical record sent again gives the same answer.
    pub async fn add(&self, account: &brand::Iys, record: &Record) -> Result<Verdict, RegistryError> {
        if !record.source.is_sendable() {
            return unsendable().map(Verdict::Refused);
        }
        let [sps, brand] = codes(account);
        let mut call = Call::post("add", ["v2", "sps", &sps, "brands", &brand, "consents"], &Consent::of(record))?;
        call.stores = true;
        let reply = self.exchange(account, &call).await?;
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
        const NAME: &str = "bulk add";
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
        let mut call = Call::post(NAME, ["v2", "sps", &sps, "brands", &brand, "consents", "request"], &list)?;
        call.stores = true;
        let reply = self.exchange(account, &call).await?;
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
        Ok(Submitted::Taken { request_id, record_ids: record_ids(records, &taken.sub_requests) })
    }

    /// What became of a bulk submission (`searchRequestDetailsV2`). Empty while it is not processed,
    /// and 60 days later.
    ///
    /// A line that names neither a code nor success stays without a verdict, whatever its status says:
    /// there is nothing to decide by.
    pub async fn results(&self, account: &brand::Iys, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        let [sps, brand] = codes(account);
        let call = Call::get("bulk status", ["v2", "sps", &sps, "brands", &brand, "consents", "request", request_id]);
        let reply = self.exchange(account, &call).await?;
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

    /// Which of these addresses hold an ONAY (`batchConsentStatus`).
    pub async fn onays(
        &self,
        account: &brand::Iys,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        const NAME: &str = "multi status";
        if recipients.is_empty() {
            return Ok(HashSet::new());
        }
        if recipients.len() > ONAYS_RECIPIENTS {
            return Err(defect(NAME, &format!("{} addresses, where {ONAYS_RECIPIENTS} are allowed", recipients.len())));
        }
        let [sps, brand] = codes(account);
        let query = MultiQuery { recipients: recipients.iter().map(Recipient::expose).collect() };
        let path = ["sps", &sps, "brands", &brand, "consents", recipient_type.as_str(), "status", channel.as_str()];
        let call = Call::post(NAME, path, &query)?;
        let reply = self.exchange(account, &call).await?;
        if !reply.status.is_success() {
            return Err(self.fault(&call, &reply).await);
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
        let mut call = Call::post("single status", ["sps", &sps, "brands", &brand, "consents", "status"], &query)?;
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
        let [sps, brand] = codes(account);
        let query = StatusQuery::of(channel, recipient_type, recipient);
        let mut call = Call::post("history", ["sps", &sps, "brands", &brand, "consents", "history"], &query)?;
        call.query = vec![("limit", HISTORY_LINES.to_string()), ("offset", "0".to_owned())];
        call.hour = Some(self.settings().history());
        let reply = self.exchange(account, &call).await?;
        if !reply.status.is_success() {
            return Err(self.fault(&call, &reply).await);
        }
        if reply.is_empty() {
            return Ok(Page::default());
        }
        let answer: FeedAnswer = reply.read().map_err(|why| defect(call.name, &why))?;
        let mut page = page(&answer);
        page.changes.reverse();
        Ok(page)
    }

    /// The next page of a feed (`PullPerBrandCode`). İYS shows movements from seven days to one hour
    /// back; `cursor` is its own and means nothing to anybody else.
    pub async fn changes(&self, account: &brand::Iys, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        let [sps, brand] = codes(account);
        let source = match feed {
            Feed::People => "IYS",
            Feed::Brand => "HS",
        };
        let mut call = Call::get("pull", ["sps", &sps, "brands", &brand, "consents", "changes"]);
        call.query = vec![("source", source.to_owned()), ("limit", PULL_LINES.to_string())];
        call.query.extend(cursor.map(|cursor| ("after", cursor.to_owned())));
        let reply = self.exchange(account, &call).await?;
        if !reply.status.is_success() {
            return Err(self.fault(&call, &reply).await);
        }
        if reply.is_empty() {
            return Ok(Page::default());
        }
        let answer: FeedAnswer = reply.read().map_err(|why| defect(call.name, &why))?;
        let mut page = page(&answer);
        page.cursor = answer.after.get().map(str::to_owned);
        // A cursor that does not move on would be asked for again and again.
        let moved = page.cursor.is_some() && page.cursor.as_deref() != cursor;
        page.more = moved && answer.list.0.len() >= PULL_LINES;
        Ok(page)
    }

    /// Has push notices of one channel sent to `url` (`pushRegistration`). İYS tries the address at
    /// once: it must be https, answer within five seconds and ask for the credentials.
    pub async fn register_push(
        &self,
        account: &brand::Iys,
        channel: Channel,
        url: &Url,
        credentials: &brand::BasicCredentials,
    ) -> Result<(), RegistryError> {
        let [sps, brand] = codes(account);
        let body = PushRegistration { connection: [push_target(channel, url, credentials)] };
        let call = Call::post("push registration", ["sps", &sps, "brands", &brand, "push", "registration"], &body)?;
        let reply = self.exchange(account, &call).await?;
        if reply.status.is_success() { Ok(()) } else { Err(self.fault(&call, &reply).await) }
    }

    /// Ends the push notices of one channel to `url` (`pushUnregistration`).
    pub async fn unregister_push(
        &self,
        account: &brand::Iys,
        channel: Channel,
        url: &Url,
        credentials: &brand::BasicCredentials,
    ) -> Result<(), RegistryError> {
        let [sps, brand] = codes(account);
        let body = push_target(channel, url, credentials);
        let call = Call::post("push unregistration", ["sps", &sps, "brands", &brand, "push", "unregistration"], &body)?;
        let reply = self.exchange(account, &call).await?;
        if reply.status.is_success() { Ok(()) } else { Err(self.fault(&call, &reply).await) }
    }

    /// The brand's push connections (`getPushRegistration`).
    pub async fn push_connections(&self, account: &brand::Iys) -> Result<Vec<PushConnection>, RegistryError> {
        let [sps, brand] = codes(account);
        let call = Call::get("push connections", ["sps", &sps, "brands", &brand, "push", "registration"]);
        let rows: Vec<PushRow> = self.list(account, &call).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(PushConnection {
                    url: row.url.get()?.to_owned(),
                    channel: row.channel.get().and_then(|word| word.parse().ok()),
                    registered_at: row.register_time.get().and_then(|date| date.parse().ok()),
                    status: row.status.get().map(str::to_owned),
                })
            })
            .collect())
    }

    /// The service provider's brands (`getBrandsDetails`).
    pub async fn brands(&self, account: &brand::Iys) -> Result<Vec<BrandInfo>, RegistryError> {
        let [sps, _] = codes(account);
        let call = Call::get("brands", ["sps", &sps, "brands"]);
        let rows: Vec<BrandRow> = self.list(account, &call).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let consents = row.stats.and_then(|stats| stats.consents);
                Some(BrandInfo {
                    brand_code: row.brand_code.number()?,
                    name: row.name.get().map(str::to_owned),
                    master: row.master.get() == Some("true"),
                    approvals: consents.as_ref().and_then(|counts| counts.approval.number()),
                    rejections: consents.as_ref().and_then(|counts| counts.rejection.number()),
                    total: consents.as_ref().and_then(|counts| counts.total.number()),
                })
            })
            .collect())
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, account: &brand::Iys, call: &Call) -> Result<Vec<T>, RegistryError> {
        let reply = self.exchange(account, call).await?;
        if !reply.status.is_success() {
            return Err(self.fault(call, &reply).await);
        }
        if reply.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Items<T> = reply.read().map_err(|why| defect(call.name, &why))?;
        Ok(rows.0.into_iter().flatten().collect())
    }
}

/// A success that stored something and cannot be read: whether everything was stored is unknown.
fn unreadable(name: &str, why: &str) -> RegistryError {
    RegistryError::Unanswered { why: format!("{name}: a success that cannot be read, {why}") }
}

/// The numbers in a path: service provider and brand.
fn codes(account: &brand::Iys) -> [String; 2] {
    [account.iys_code.to_string(), account.brand_code.to_string()]
}

/// İYS's own code for a source that a brand may not send: such a record is not worth a request.
fn unsendable() -> Result<Code, RegistryError> {
    SourceError::CODE.parse().map_err(|_| defect("source", "the code of a wrong source is no code"))
}

fn push_target<'a>(channel: Channel, url: &'a Url, credentials: &'a brand::BasicCredentials) -> PushTarget<'a> {
    PushTarget {
        url: url.as_str(),
        channel,
        username: credentials.username.expose_secret(),
        password: credentials.password.expose_secret(),
    }
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

/// Whether a code by itself, whatever status it came with, says that the brand's work has to wait.
fn names_a_hold(code: Option<Code>) -> bool {
    // By this status alone nothing is held, so it is the code that decides.
    code.is_some_and(|code| matches!(disposition_of(Some(code), 400), Disposition::Held(_)))
}

/// The refused records of a list by position, each with the error that counts. İYS's newer samples
/// count from 0; a position that equals the number of records proves that it counted from 1.
fn refused_records(problems: &[Problem], status: u16, records: usize) -> Option<Vec<(usize, Code)>> {
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
    let mut by_record = std::collections::HashMap::new();
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

fn page(answer: &FeedAnswer) -> Page {
    let mut page = Page::default();
    for (at, row) in answer.list.0.iter().enumerate() {
        match row.as_ref().map_or(Err("row"), feed::change) {
            Ok(change) => page.changes.push(change),
            Err(field) => page.unreadable.push(format!("list[{at}].{field}")),
        }
    }
    page
}
