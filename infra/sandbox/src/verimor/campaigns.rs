//! The list of campaigns and the records of one, in pages. Credentials come in the query string.

use std::sync::Arc;

use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::Refusal;
use super::check::at_verimor;
use super::{Campaign, Outcome, Record, Verimor};
use crate::iys::errors::lookup;
use crate::iys::model::{read_date, turkish};
use crate::server::{Peer, json as answer};

/// Rows in one page.
const PAGE_MAXIMUM: usize = 100;
/// Where campaigns can come from.
const SOURCES: [&str; 6] = ["list", "csv", "api", "sms", "web", "iys"];

/// A query string.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    offset: Option<String>,
    limit: Option<String>,
    source: Option<String>,
}

impl Asked {
    /// First row and count of rows.
    fn page(&self, verimor: &Verimor) -> Result<(usize, usize), Refusal> {
        let number = |text: &Option<String>, default: usize| match text.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::bad("INVALID_PARAMETER")),
        };
        let limit = number(&self.limit, PAGE_MAXIMUM)?;
        if limit > PAGE_MAXIMUM {
            verimor.stats.warning("page_too_long");
        }
        Ok((number(&self.offset, 0)?, limit.min(PAGE_MAXIMUM)))
    }
}

/// `GET /v2/iys/campaigns`.
pub(super) async fn list(
    State(verimor): State<Arc<Verimor>>,
    Extension(peer): Extension<Peer>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let username = verimor.query(peer, &asked.username, &asked.password)?;
    let (offset, limit) = asked.page(&verimor)?;
    let source = asked.source.as_deref().filter(|source| !source.is_empty());
    if source.is_some_and(|source| !SOURCES.contains(&source)) {
        return Err(Refusal::bad("INVALID_PARAMETER"));
    }
    verimor.settle();
    let state = verimor.state();
    let of_account = |campaign: &&Campaign| campaign.account == username && source.is_none_or(|wanted| wanted == campaign.source);
    let mut found: Vec<Value> =
        state.campaigns.iter().filter(|(_, campaign)| of_account(campaign)).map(|(id, one)| row(*id, one)).collect();
    if state.switches.newest_first {
        found.reverse();
    }
    let total = found.len();
    let records: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    Ok(answer(200, &json!({ "records": records, "total": total })))
}

fn row(id: u64, campaign: &Campaign) -> Value {
    json!({
        "id": id, "header_name": campaign.header, "iys_code": campaign.iys_code, "iys_brand_code": campaign.brand,
        "source": campaign.source, "created_at": iso(turkish(campaign.created)),
    })
}

/// `GET /v2/iys/campaigns/{id}/consents`.
pub(super) async fn consents(
    State(verimor): State<Arc<Verimor>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let username = verimor.query(peer, &asked.username, &asked.password)?;
    let (offset, limit) = asked.page(&verimor)?;
    verimor.settle();
    let state = verimor.state();
    let found = id.parse().ok().and_then(|id: u64| state.campaigns.get(&id)).filter(|campaign| campaign.account == username);
    let Some(campaign) = found else {
        verimor.stats.violation("unknown_campaign");
        return Err(Refusal::of(404, "NOT_FOUND"));
    };
    let records: Vec<Value> =
        campaign.records.iter().skip(offset).take(limit).map(|record| shown(record, &verimor.config.pending_record)).collect();
    let status = if campaign.finished { "Tamamlandı" } else { verimor.config.pending_status.as_str() };
    Ok(answer(200, &json!({ "total": campaign.records.len(), "source_addr": campaign.header, "status": status, "records": records })))
}

fn shown(record: &Record, pending: &str) -> Value {
    let text = |name: &str| record.fields.get(name).and_then(Value::as_str);
    let mut row = json!({
        "type": text("type"), "source": text("source"), "recipient": text("recipient").map(at_verimor), "status": text("status"),
        "consent_date": text("consentDate").and_then(|date| read_date(date).ok()).map(iso), "recipient_type": text("recipientType"),
    });
    match &record.outcome {
        Outcome::Pending => row["request_status"] = json!(pending),
        Outcome::Recorded => row["request_status"] = json!("Başarılı"),
        Outcome::Failed(code) => {
            row["request_status"] = json!("Başarısız");
            row["request_error"] = json!(format!("{code} {}", lookup(code).1));
        }
    }
    row
}

/// `2026-03-02T14:05:09.000+03:00`.
fn iso(at: DateTime) -> String {
    format!("{}+03:00", at.strftime("%Y-%m-%dT%H:%M:%S.000"))
}
