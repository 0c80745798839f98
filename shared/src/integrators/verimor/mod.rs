//! Verimor: a list is one campaign, its records' verdicts are polled, and what people did comes once a day.
//!
//! Source: Verimor's guide, <https://github.com/verimor/SMS-API/blob/master/user_guide.md> (2025-09), and the
//! limits of the client that is generated from its API description.
//!
//! - A list is taken or refused as a whole, in plain text: the number of its campaign, or a word in capitals.
//! - Numbers go without their plus. The brand is the sender name.
//! - Nothing tells what İYS holds for an address. So nothing is compared, refusals go unasked, and what comes too
//!   late has nothing to stand on.
//! - GET calls carry user and password in their address: no error of the HTTP client is ever shown.

mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use url::Url;

use self::wire::{Campaigns, Consent, Pointer, Posted, Records, in_order};
use super::call::{Reply, Wire, defect, pool, unreadable};
use super::fields::{Fields, leading_code};
use super::identity::identity;
use super::notice::{Notice, NoticeError};
use crate::brand::{Brand, RegistryChoice, Verimor};
use crate::consent::Channel;
use crate::consent::code::{self, Code, Disposition};
use crate::ledger::budget::PerMinute;
use crate::registry::{
    Authority, Callback, Capabilities, Changes, Feed, Outcomes, Page, Proof, Record, Registry, RegistryError, Rejects, ResultLine,
    Submitted, Verdict,
};

const ADD: &str = "verimor add";
const RESULTS: &str = "verimor results";
const LIST: &str = "verimor list";
/// Rows of one page.
const PAGE: usize = 100;
/// A list's word for being done.
const FINISHED: &str = "Tamamlandı";
const RECORDED: &str = "Başarılı";
const FAILED: &str = "Başarısız";
/// The request may have ten megabytes.
const BYTES: usize = 9_000_000;
/// After that long a record without a result is as good as never handed in. How long results are kept is not told.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What Verimor can do with these settings.
pub(super) fn capabilities(settings: &Verimor) -> Capabilities {
    Capabilities {
        single: false,
        bulk_records: settings.records_per_call.into(),
        bulk_bytes: BYTES,
        rejects: Rejects::WholeList,
        outcomes: Outcomes::Poll,
        outcomes_after: SignedDuration::from_secs(settings.results_after_seconds.into()),
        outcomes_kept: KEPT,
        onays_recipients: 0,
        holding: false,
        holding_tells_none: false,
        authority: Authority::Iys,
        questions_per_minute: 0,
        fetches_per_hour: 0,
        changes: Changes::DailyReport,
        own_changes: false,
        callback: Callback::Pointer(Proof::UrlSecret),
        day_files: false,
        account: false,
        dealers: false,
        foreign_numbers: false,
        channels: Channel::ALL,
    }
}

/// Reads a callback's body: a pointer to a day's list, which the pull reads.
pub(super) fn read(body: &[u8], settings: &Verimor) -> Result<Vec<Notice>, NoticeError> {
    let pointer: Pointer = serde_json::from_slice(body).map_err(|_| NoticeError::Form)?;
    let ours = pointer.source_addr.get().is_none_or(|sender| sender == settings.source_addr);
    Ok(vec![match pointer.campaign.number::<u64>() {
        Some(_) if ours => Notice::Pointer,
        Some(_) => Notice::OfAnother,
        None => Notice::Unreadable("iys_campaign_id"),
    }])
}

/// Verimor for one brand.
pub(super) struct VerimorRegistry {
    wire: Arc<Wire>,
    brand: Arc<Brand>,
}

impl VerimorRegistry {
    pub(super) fn new(wire: Arc<Wire>, brand: Arc<Brand>) -> Self {
        Self { wire, brand }
    }

    fn settings(&self) -> Result<&Verimor, RegistryError> {
        match &self.brand.registry {
            RegistryChoice::Verimor(settings) => Ok(settings),
            _ => Err(defect(ADD, "the brand has another registry")),
        }
    }

    /// Asks for one page of a list.
    async fn page<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        offset: usize,
        further: &[(&str, &str)],
    ) -> Result<T, RegistryError> {
        let settings = self.settings()?;
        let mut url: Url = self.wire.url(name, settings.url(), path)?;
        url.query_pairs_mut()
            .append_pair("username", settings.username.expose_secret())
            .append_pair("password", settings.password.expose_secret())
            .append_pair("offset", &offset.to_string())
            .append_pair("limit", &PAGE.to_string())
            .extend_pairs(further);
        let request = self.wire.client(name)?.get(url);
        let reply = self.wire.send(name, &reads(settings), request, false).await?;
        if !reply.status.is_success() {
            return Err(refused_call(name, &reply));
        }
        reply.read().map_err(|why| defect(name, &why))
    }

    /// The records of a list from `offset` on, page by page. What is read before the allowance ends is returned.
    async fn records(&self, campaign: &str) -> Result<(Records, bool), RegistryError> {
        let path = format!("v2/iys/campaigns/{campaign}/consents");
        let mut all: Records = self.page(RESULTS, &path, 0, &[]).await?;
        let total: usize = all.total.number().unwrap_or(all.records.len());
        while all.records.len() < total {
            match self.page::<Records>(RESULTS, &path, all.records.len(), &[]).await {
                Ok(page) if page.records.is_empty() => break,
                Ok(page) => all.records.extend(page.records),
                Err(RegistryError::Busy { .. }) => return Ok((all, false)),
                Err(error) => return Err(error),
            }
        }
        Ok((all, true))
    }
}

/// Calls that hand in, and calls that ask, have an allowance each.
fn adds(settings: &Verimor) -> PerMinute {
    pool("verimor-add", &settings.username, settings.adds_per_minute)
}

fn reads(settings: &Verimor) -> PerMinute {
    pool("verimor-read", &settings.username, settings.reads_per_minute)
}

/// The first word of an answer that is known.
fn word(reply: &Reply) -> Option<Code> {
    let text = reply.text();
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .find_map(|word| format!("VERIMOR-{word}").parse().ok())
}

/// What it means that a call was refused that carries no record.
fn refused_call(name: &str, reply: &Reply) -> RegistryError {
    let code = word(reply);
    match code.map(|code| (code, code::disposition(Some(&code.to_string()), reply.status.as_u16()))) {
        Some((code, Disposition::Held(why))) => RegistryError::Held { why, code: code.to_string() },
        Some((code, _)) => defect(name, &code.to_string()),
        // Their texts are not repeated: they may hold what was sent.
        None => defect(name, &format!("HTTP {} with a word that is not known", reply.status.as_u16())),
    }
}

#[async_trait]
impl Registry for VerimorRegistry {
    fn capabilities(&self) -> Capabilities {
        self.settings().map_or(Capabilities::IYS, capabilities)
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        let settings = self.settings()?;
        let posted = Posted {
            username: settings.username.expose_secret(),
            password: settings.password.expose_secret(),
            source_addr: &settings.source_addr,
            consents: records.iter().map(Consent::of).collect(),
        };
        let url = self.wire.url(ADD, settings.url(), "v2/iys_consents.json")?;
        let request = self.wire.client(ADD)?.post(url).json(&posted);
        let reply = self.wire.send(ADD, &adds(settings), request, true).await?;
        if reply.status.is_success() {
            let campaign: u64 = reply.text().parse().map_err(|_| unreadable(ADD, "not the number of a list"))?;
            let id = |record: &Record| Some(identity(&self.brand, &record.recipient, record.channel, record.recipient_type));
            let record_ids = records.iter().map(id).collect();
            return Ok(Submitted::Taken { request_id: campaign.to_string(), record_ids, refused: Vec::new() });
        }
        match word(&reply).map(|code| (code, code::disposition(Some(&code.to_string()), reply.status.as_u16()))) {
            Some((code, Disposition::Rejected | Disposition::TooLate)) => Ok(Submitted::RefusedForSome(code)),
            _ => Err(refused_call(ADD, &reply)),
        }
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        let (list, _) = self.records(request_id).await?;
        Ok(list.records.iter().filter_map(|row| line(&self.brand, row)).collect())
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        if feed == Feed::Brand {
            return Err(defect(LIST, "only what people did is listed"));
        }
        let after: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let mut campaigns = Vec::new();
        let mut seen = 0;
        loop {
            let page: Campaigns = self.page(LIST, "v2/iys/campaigns", seen, &[("source", "iys")]).await?;
            seen += page.records.len();
            let is_last = page.records.is_empty() || seen >= page.total.number().unwrap_or(seen);
            campaigns.extend(page.records);
            if is_last {
                break;
            }
        }
        let mut waiting = in_order(&campaigns, after, self.brand.iys.brand_code).into_iter();
        let Some(next) = waiting.next() else { return Ok(Page::default()) };
        let (list, is_whole) = self.records(&next.to_string()).await?;
        // A day whose list is not finished yet, or that the allowance cut short, is read from its beginning again.
        if !is_whole || list.status.get() != Some(FINISHED) {
            return Ok(Page::default());
        }
        let mut page = Page { cursor: Some(next.to_string()), more: waiting.next().is_some(), ..Page::default() };
        for (at, row) in list.records.iter().enumerate() {
            match row.change() {
                Ok(change) => page.changes.push(change),
                Err(field) => page.unreadable.push(format!("records[{at}].{field}")),
            }
        }
        Ok(page)
    }

    async fn probe(&self, _channel: Channel) -> Result<(), RegistryError> {
        self.page::<Campaigns>(LIST, "v2/iys/campaigns", 0, &[("source", "iys")]).await.map(|_| ())
    }
}

fn line(brand: &Brand, row: &Fields) -> Option<ResultLine> {
    let change = row.change().ok()?;
    let verdict = match row.text("requeststatus") {
        Some(RECORDED) => Some(Verdict::Recorded { transaction_id: None }),
        Some(FAILED) => Some(Verdict::Refused(row.text("requesterror").and_then(leading_code).unwrap_or(code::VERIMOR_FAILED))),
        // Whatever else it is called, it is not over.
        _ => None,
    };
    let record_id = Some(identity(brand, &change.recipient, change.channel, change.recipient_type));
    Some(ResultLine { record_id, position: None, verdict })
}
