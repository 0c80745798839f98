//! Mysoft (its "Etk" API): lists are queued, their records' verdicts are polled, and movements are read by days.
//!
//! Source: the schema of its API as a public client carries it (2026), and a receiver's page about its callback.
//!
//! - Every answer is an envelope; `succeed` is the word, not the HTTP status.
//! - What it holds for an address is its own copy. A row that is not registered at İYS is not İYS's word, so nothing
//!   is concluded from it.
//! - Rows of movements have ids that grow. Whether the id that is asked from is among the answers is not told: what
//!   comes twice is one movement.

mod feed;
mod token;
mod wire;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use self::feed::Cursor;
pub(super) use self::token::Tokens;
use self::wire::{Accepted, Asked, Batch, BatchResult, Called, Consent, Envelope, Rows};
use super::call::{Wire, defect, pool, unreadable};
use super::fields::{Fields, address, leading_code};
use super::identity::identity;
use super::notice::{Notice, NoticeError};
use crate::brand::{Brand, Mysoft, RegistryChoice};
use crate::consent::code::{self, Code, Hold};
use crate::consent::{Channel, Recipient, RecipientType, Status};
use crate::ledger::budget::PerMinute;
use crate::registry::{
    Authority, Callback, Capabilities, Changes, Feed, Holding, Outcomes, Page, Proof, Record, Registry, RegistryError, Rejects, ResultLine,
    Submitted, Verdict,
};

const ADD: &str = "mysoft add";
const RESULTS: &str = "mysoft results";
const STATUS: &str = "mysoft status";
const MOVEMENTS: &str = "mysoft movements";
const BRANDS: &str = "mysoft brands";
/// A row's word for standing at İYS.
const REGISTERED: &str = "IYSDE_KAYITLI";
const FAILED: &str = "HATA";
/// After that long a record without a result is as good as never handed in. How long results are kept is not told.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When a record that is on its way at Mysoft may have arrived.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);

/// What Mysoft can do with these settings.
pub(super) fn capabilities(settings: &Mysoft) -> Capabilities {
    Capabilities {
        single: false,
        bulk_records: settings.records_per_call.into(),
        bulk_bytes: usize::MAX,
        rejects: Rejects::PerRecord,
        outcomes: Outcomes::Poll,
        outcomes_after: SignedDuration::from_secs(settings.results_after_seconds.into()),
        outcomes_kept: KEPT,
        onays_recipients: 1,
        holding: true,
        holding_tells_none: true,
        authority: Authority::Mirror,
        questions_per_minute: settings.calls_per_minute.into(),
        fetches_per_hour: u32::from(settings.calls_per_minute) * 60,
        changes: Changes::Window,
        own_changes: true,
        callback: Callback::Records(Proof::BodyKey),
        day_files: false,
        account: false,
        dealers: false,
        foreign_numbers: true,
        channels: Channel::ALL,
    }
}

/// Reads a callback's body, which carries its proof.
pub(super) fn read(body: &[u8], brand: &Brand, settings: &Mysoft) -> Result<Vec<Notice>, NoticeError> {
    let key = settings.web_hook_key.as_ref().ok_or(NoticeError::NotTaken)?;
    let called: Called = serde_json::from_slice(body).map_err(|_| NoticeError::Form)?;
    let given = called.top.text("webhookkey").unwrap_or_default();
    if !bool::from(key.expose_secret().as_bytes().ct_eq(given.as_bytes())) {
        return Err(NoticeError::Unproved);
    }
    if called.top.get::<u64>("brandcode") != Some(brand.iys.brand_code) {
        return Ok(vec![Notice::OfAnother]);
    }
    // Date and source stand inside by one page, outside by another.
    let consent = called.consent_data.unwrap_or_default().beside(called.top);
    Ok(vec![consent.change().map_or_else(Notice::Unreadable, Notice::Change)])
}

/// Mysoft for one brand.
pub(super) struct MysoftRegistry {
    wire: Arc<Wire>,
    tokens: Arc<Tokens>,
    brand: Arc<Brand>,
}

impl MysoftRegistry {
    pub(super) fn new(wire: Arc<Wire>, tokens: Arc<Tokens>, brand: Arc<Brand>) -> Self {
        Self { wire, tokens, brand }
    }

    fn settings(&self) -> Result<&Mysoft, RegistryError> {
        match &self.brand.registry {
            RegistryChoice::Mysoft(settings) => Ok(settings),
            _ => Err(defect(ADD, "the brand has another registry")),
        }
    }

    /// One call: its envelope, whatever that says. A token that is refused is renewed once.
    async fn call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        body: B,
        stores: bool,
    ) -> Result<Envelope<T>, RegistryError> {
        let settings = self.settings()?;
        let turns = turns(settings);
        let url = self.wire.url(name, settings.url(), path)?;
        let asked = Asked { tenant: settings.tenant.expose_secret(), brand_code: self.brand.iys.brand_code, body };
        let mut token = self.tokens.get(&self.wire, settings, &turns, None).await?;
        let mut reply = None;
        for renewed in [false, true] {
            let request = self.wire.client(name)?.post(url.clone()).bearer_auth(token.expose_secret()).json(&asked);
            let answer = self.wire.exchange(name, &turns, request).await?;
            if answer.status.as_u16() != 401 || renewed {
                reply = Some(self.wire.checked(name, &turns, answer, stores).await?);
                break;
            }
            token = self.tokens.get(&self.wire, settings, &turns, Some(&token)).await?;
        }
        let reply = reply.ok_or_else(|| defect(name, "no answer was kept"))?;
        reply.read().map_err(|why| if stores && reply.status.is_success() { unreadable(name, &why) } else { defect(name, &why) })
    }

    /// The data of an envelope; `None` where Mysoft has no record.
    async fn data<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        body: B,
    ) -> Result<Option<T>, RegistryError> {
        let envelope: Envelope<T> = self.call(name, path, body, false).await?;
        if envelope.has_succeeded() {
            return Ok(envelope.data);
        }
        match envelope.error_code.get() {
            Some("HM404") => Ok(None),
            error => Err(self.fault(name, error)),
        }
    }

    /// What it means that a call was refused. Mysoft's message is not repeated.
    fn fault(&self, name: &str, error: Option<&str>) -> RegistryError {
        match error {
            Some("HM400") => self.wire.busy(SignedDuration::from_mins(1), name, "HM400"),
            Some("HM404") => RegistryError::Held { why: Hold::Configuration, code: "HM404".into() },
            Some("HM422") => defect(name, "HM422"),
            _ => defect(name, "a refusal whose code is not known"),
        }
    }

    /// The rows about one address, as far as they stand at İYS.
    async fn rows(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Vec<Fields>, RegistryError> {
        let asked = wire::Recipient { recipient: recipient.expose() };
        let Some(rows) = self.data::<_, Rows>(STATUS, "api/Etk/checkRecipientStatus", asked).await? else { return Ok(Vec::new()) };
        let about =
            |row: &Fields| row.get("type") == Some(channel) && row.get::<RecipientType>("recipienttype").is_none_or(|of| of == kind);
        let (settled, under_way): (Vec<_>, Vec<_>) =
            rows.into_rows().into_iter().filter(about).partition(|row| row.text("portalstatus") == Some(REGISTERED));
        // What is refused there stands nowhere; what is on its way is not known yet.
        if settled.is_empty() && under_way.iter().any(|row| row.text("portalstatus") != Some(FAILED)) {
            return Err(self.wire.busy(UNDER_WAY, STATUS, "a record of the address is on its way to İYS"));
        }
        Ok(settled)
    }
}

fn turns(settings: &Mysoft) -> PerMinute {
    pool("mysoft", &settings.client_id, settings.calls_per_minute)
}

/// A record's code: İYS's, or Mysoft's own.
fn code_of(text: Option<&str>, otherwise: Code) -> Code {
    let Some(text) = text else { return otherwise };
    format!("MYSOFT-{text}").parse().ok().or_else(|| leading_code(text)).unwrap_or(otherwise)
}

#[async_trait]
impl Registry for MysoftRegistry {
    fn capabilities(&self) -> Capabilities {
        self.settings().map_or(Capabilities::IYS, capabilities)
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        let batch = Batch { reference: uuid::Uuid::new_v4().to_string(), consents: records.iter().map(Consent::of).collect() };
        let envelope: Envelope<Accepted> = self.call(ADD, "api/Etk/sendConsentBatch", batch, true).await?;
        let mut positions = HashMap::<&Recipient, Vec<usize>>::new();
        for (at, record) in records.iter().enumerate() {
            positions.entry(&record.recipient).or_default().push(at);
        }
        let mut refused = Vec::new();
        for row in envelope.data.iter().flat_map(|data| &data.refused) {
            let named = records
                .iter()
                .find(|record| row.text("recipient").and_then(|text| address(text, record.channel)).as_ref() == Some(&record.recipient));
            // An address that is in the list on two channels is not told apart: its results will tell.
            if let Some([at]) = named.and_then(|record| positions.get(&record.recipient)).map(Vec::as_slice) {
                refused.push((*at, code_of(row.text("errorcode"), code::MYSOFT_BAD_FORM)));
            }
        }
        if envelope.has_succeeded() {
            let data = envelope.data.ok_or_else(|| unreadable(ADD, "at $.data: missing"))?;
            let request_id = data.reference.get().ok_or_else(|| unreadable(ADD, "at $.data.referanceKey: missing"))?.to_owned();
            let id = |record: &Record| Some(identity(&self.brand, &record.recipient, record.channel, record.recipient_type));
            return Ok(Submitted::Taken { request_id, record_ids: records.iter().map(id).collect(), refused });
        }
        match envelope.error_code.get() {
            _ if !refused.is_empty() => Ok(Submitted::Refused(refused)),
            Some("HM422") => Ok(Submitted::RefusedForSome(code::MYSOFT_BAD_FORM)),
            error => Err(self.fault(ADD, error)),
        }
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        let asked = wire::Reference { reference: request_id };
        let Some(result) = self.data::<_, BatchResult>(RESULTS, "api/Etk/checkBatchConsentStatus", asked).await? else {
            return Ok(Vec::new());
        };
        Ok(result.into_rows().iter().filter_map(|row| line(&self.brand, row)).collect())
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        let mut onays = HashSet::new();
        for recipient in recipients {
            let rows = self.rows(channel, kind, recipient).await?;
            if rows.iter().any(|row| row.get("status") == Some(Status::Onay)) {
                onays.insert(recipient.clone());
            }
        }
        Ok(onays)
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        let Some(row) = self.rows(channel, kind, recipient).await?.into_iter().next() else { return Ok(None) };
        row.holding().map_err(|field| defect(STATUS, &format!("its {field} cannot be read")))
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        let cursor = Cursor::read(cursor, self.wire.now());
        let asked = cursor.question(feed);
        let limit = asked.limit;
        let rows = self.data::<_, Rows>(MOVEMENTS, "api/Etk/consentTransactionList", asked).await?.map_or_else(Vec::new, Rows::into_rows);
        Ok(cursor.page(&rows, limit, self.wire.now()))
    }

    async fn probe(&self, _channel: Channel) -> Result<(), RegistryError> {
        let rows = self.data::<_, Rows>(BRANDS, "api/Etk/checkTenantBrandsByTenantIdentifier", wire::Nothing {}).await?;
        let rows = rows.map_or_else(Vec::new, Rows::into_rows);
        let is_listed = rows.iter().any(|row| row.get("iysbrandcode") == Some(self.brand.iys.brand_code));
        if is_listed { Ok(()) } else { Err(RegistryError::Held { why: Hold::Configuration, code: "the brand is not listed".into() }) }
    }
}

fn line(brand: &Brand, row: &Fields) -> Option<ResultLine> {
    let change = row.change().ok()?;
    let verdict = match row.text("portalstatus") {
        Some(REGISTERED) => Some(Verdict::Recorded { transaction_id: row.text("transactionid").map(str::to_owned) }),
        Some(FAILED) => Some(Verdict::Refused(code_of(row.text("errorcode"), code::MYSOFT_FAILED))),
        // Whatever else it is called, it is not over.
        _ => None,
    };
    let record_id = Some(identity(brand, &change.recipient, change.channel, change.recipient_type));
    Some(ResultLine { record_id, position: None, verdict })
}
