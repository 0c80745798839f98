//! Netgsm (NetİYS): everything is queued, İYS's verdict comes by a callback, and what is held there can be asked.
//!
//! Sources: Netgsm's library and its description, <https://github.com/netgsm/netiys>; its own node for n8n,
//! <https://github.com/netgsm/n8n-nodes-netgsm>; measurements that a customer published (2026-09).
//!
//! - Every answer is HTTP 200; the word is `code`. `0` means that the list is queued and nothing more.
//! - `erroritem` names what its first check refused, by the position from zero: an array where the positions begin
//!   at 0 without a gap, an object otherwise.
//! - Asked about several addresses it answers RET also for one without any record, without a date. Asked about
//!   one it says code 50 then. So only consents are believed of an answer about several.
//! - User and password go in the body, and as HTTP Basic where the brand leaves that on.

mod callback;
mod wire;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use self::wire::{Answer, Body, Header, Item, Query, Request, positions};
use super::account::nobody;
use super::call::{Wire, defect, pool, unreadable};
use crate::brand::{Brand, Netgsm, RegistryChoice};
use crate::consent::code::{self, Code, Disposition};
use crate::consent::{Channel, Recipient, RecipientType, Status};
use crate::ledger::budget::PerMinute;
use crate::registry::{
    Authority, Callback, Capabilities, Changes, Holding, Outcomes, Proof, Record, Registry, RegistryError, Rejects, Submitted,
};

pub(super) use callback::read;

const ADD: &str = "netgsm add";
const SEARCH: &str = "netgsm search";
/// After that long a record that is not there is as good as never handed in: Netgsm drops what İYS refuses.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);
/// The code of an answer that found nothing.
const NOT_FOUND: &str = "50";

/// What Netgsm can do with these settings.
pub(super) fn capabilities(settings: &Netgsm) -> Capabilities {
    Capabilities {
        single: false,
        bulk_records: settings.records_per_call.into(),
        bulk_bytes: usize::MAX,
        rejects: Rejects::PerRecord,
        outcomes: Outcomes::Callback,
        outcomes_after: SignedDuration::from_secs(settings.results_after_seconds.into()),
        outcomes_kept: GIVEN_UP,
        onays_recipients: settings.addresses_per_question.into(),
        holding: true,
        holding_tells_none: true,
        authority: Authority::Iys,
        questions_per_minute: settings.calls_per_minute.into(),
        fetches_per_hour: u32::from(settings.calls_per_minute) * 60,
        changes: Changes::None,
        own_changes: false,
        callback: Callback::RecordsAndOutcomes(Proof::UrlSecret),
        day_files: false,
        account: false,
        dealers: true,
        foreign_numbers: settings.foreign_numbers,
        channels: Channel::ALL,
    }
}

/// Netgsm for one brand.
pub(super) struct NetgsmRegistry {
    wire: Arc<Wire>,
    brand: Arc<Brand>,
}

impl NetgsmRegistry {
    pub(super) fn new(wire: Arc<Wire>, brand: Arc<Brand>) -> Self {
        Self { wire, brand }
    }

    fn settings(&self) -> Result<&Netgsm, RegistryError> {
        match &self.brand.registry {
            RegistryChoice::Netgsm(settings) => Ok(settings),
            _ => Err(defect(ADD, "the brand has another registry")),
        }
    }

    async fn ask<'a>(&self, name: &'static str, path: &str, data: Vec<Item<'a>>, stores: bool) -> Result<Answer, RegistryError> {
        let settings = self.settings()?;
        let turns = turns(settings);
        let header = Header {
            username: settings.username.expose_secret(),
            password: settings.password.expose_secret(),
            brand_code: self.brand.iys.brand_code.to_string(),
            appkey: settings.app_key.as_ref().map(ExposeSecret::expose_secret),
        };
        let url = self.wire.url(name, settings.url(), path)?;
        let mut request = self.wire.client(name)?.post(url).json(&Request { header, body: Body { data } });
        if settings.basic {
            request = request.basic_auth(settings.username.expose_secret(), Some(settings.password.expose_secret()));
        }
        let reply = self.wire.send(name, &turns, request, stores).await?;
        let answer: Answer =
            reply.read().map_err(|why| if stores && reply.status.is_success() { unreadable(name, &why) } else { defect(name, &why) })?;
        if let Some(code) = answer.code()
            && let Disposition::Held(why) = code::disposition(Some(&code.to_string()), 200)
        {
            return Err(RegistryError::Held { why, code: code.to_string() });
        }
        if answer.word() == Some("80") {
            return Err(self.wire.limited(name, &turns, "code 80").await);
        }
        Ok(answer)
    }

    /// What is held for some addresses of one channel and type: one row for each that was found.
    async fn search(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<Option<Query>, RegistryError> {
        let items = recipients.iter().map(|recipient| Item::question(channel, kind, recipient)).collect();
        let answer = self.ask(SEARCH, "iys/search", items, false).await?;
        match answer.word() {
            Some(NOT_FOUND) => Ok(None),
            Some("0" | "00") => answer.query.map(Some).ok_or_else(|| defect(SEARCH, "an answer without what it found")),
            Some("70") => Err(defect(SEARCH, "the question was not understood")),
            _ => Err(defect(SEARCH, "a code that is not known")),
        }
    }
}

fn turns(settings: &Netgsm) -> PerMinute {
    pool("netgsm", &settings.username, settings.calls_per_minute)
}

#[async_trait]
impl Registry for NetgsmRegistry {
    fn capabilities(&self) -> Capabilities {
        self.settings().map_or(Capabilities::IYS, capabilities)
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        let answer = self.ask(ADD, "iys/add", records.iter().map(Item::record).collect(), true).await?;
        let bad_value: Code = code::NETGSM_BAD_VALUE;
        let named = answer.erroritem.as_ref().map(positions).transpose().map_err(|()| unreadable(ADD, "at erroritem: not as expected"))?;
        let refused: Vec<(usize, Code)> = named.unwrap_or_default().into_iter().map(|at| (at, bad_value)).collect();
        if refused.iter().any(|(at, _)| *at >= records.len()) {
            return Err(unreadable(ADD, "at erroritem: a position that the list does not have"));
        }
        match answer.word() {
            Some("0" | "00") => {
                let request_id = answer.uid.get().unwrap_or("-").to_owned();
                Ok(Submitted::Taken { request_id, record_ids: vec![None; records.len()], refused })
            }
            Some("70") if refused.is_empty() => Ok(Submitted::RefusedForSome(bad_value)),
            Some("70") => Ok(Submitted::Refused(refused)),
            _ => Err(defect(ADD, "a code that is not known")),
        }
    }

    async fn probe(&self, channel: Channel) -> Result<(), RegistryError> {
        let nobody = nobody(channel).ok_or_else(|| defect(SEARCH, "nobody's address cannot be written"))?;
        self.search(channel, RecipientType::Bireysel, &[nobody]).await.map(|_| ())
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        let Some(found) = self.search(channel, kind, recipients).await? else { return Ok(HashSet::new()) };
        let mut statuses = HashMap::new();
        for row in found.into_rows() {
            let change = row.change().map_err(|field| defect(SEARCH, &format!("a row's {field} cannot be read")))?;
            if (change.channel, change.recipient_type) == (channel, kind) {
                statuses.insert(change.recipient, change.holding.status);
            }
        }
        // A row that is missing says nothing; taken for a refusal it would.
        if !recipients.iter().all(|recipient| statuses.contains_key(recipient)) && recipients.len() > 1 {
            return Err(defect(SEARCH, "the answer leaves out some of the addresses"));
        }
        Ok(statuses.into_iter().filter(|(_, status)| *status == Status::Onay).map(|(recipient, _)| recipient).collect())
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        let found = self.search(channel, kind, std::slice::from_ref(recipient)).await?;
        let Some(row) = found.and_then(|found| found.into_rows().into_iter().next()) else { return Ok(None) };
        let holding = row.holding().map_err(|field| defect(SEARCH, &format!("its {field} cannot be read")))?;
        match holding {
            // The form of an answer about several, where no record reads as a refusal, too.
            Some(Holding { status: Status::Ret, consent_date: None, .. }) => Err(defect(SEARCH, "a refusal without a date")),
            holding => Ok(holding),
        }
    }
}
