//! Reconciliation (mutabakat): per brand and finished day a summary, the day file with its digest and time
//! stamp, and the provider's confirmation.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::BrandAccess;
use super::day_file::DayFile;
use super::errors::{ApiError, Problem};
use super::model::{ConsentType, RecipientType, Status, turkish};
use super::store::Store;
use super::timestamp;
use crate::server::json as answer;

/// Days back that can be asked for.
const DAYS_MAXIMUM: i32 = 7;

/// How far İYS has come with a day file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessStatus {
    /// Waiting, or could not be queued.
    Queued,
    /// Being written.
    Inprogress,
    /// There is a file.
    #[default]
    Completed,
    /// There will be no file.
    Error,
}

/// What providers confirmed, and which files a test holds back.
#[derive(Default)]
pub(crate) struct Agreements {
    confirmed: BTreeSet<(u64, Date)>,
    status: HashMap<(u64, Date), ProcessStatus>,
}

impl Agreements {
    /// Confirmed days, by brand.
    pub(crate) fn confirmed(&self) -> impl Iterator<Item = &(u64, Date)> {
        self.confirmed.iter()
    }

    /// Sets how far a file has come.
    pub(crate) fn hold(&mut self, brand: u64, day: Date, status: ProcessStatus) {
        self.status.insert((brand, day), status);
    }

    fn status(&self, brand: u64, day: Date) -> ProcessStatus {
        self.status.get(&(brand, day)).copied().unwrap_or_default()
    }
}

/// The moments at which a Turkish day begins and ends (the last second).
pub(crate) fn span(day: Date) -> (Timestamp, Timestamp) {
    let at = |hour, minute, second| Offset::constant(3).to_timestamp(day.at(hour, minute, second, 0)).unwrap_or(Timestamp::MAX);
    (at(0, 0, 0), at(23, 59, 59))
}

/// The day in the path: finished, and at most seven days ago.
fn day(iys: &Iys, access: &BrandAccess, text: &str) -> Result<Date, ApiError> {
    access.may_reconcile(iys)?;
    let wrong = |code| iys.refuse_query(ApiError::from_problem(Problem::at(code, "reportDate", Some(&json!(text)))));
    let day: Date = text.parse().map_err(|_| wrong("H501"))?;
    if text != day.to_string() {
        return Err(wrong("H501"));
    }
    let age = turkish(iys.now()).date().since(day).map_or(i32::MAX, |span| span.get_days());
    if (1..=DAYS_MAXIMUM).contains(&age) { Ok(day) } else { Err(wrong("H502")) }
}

/// Movements of one channel and side.
#[derive(Clone, Copy, Default)]
struct Tally {
    approval: u64,
    rejection: u64,
    pending: u64,
    repeated: u64,
}

impl Tally {
    /// İYS's samples count what is pending into the total.
    fn total(&self) -> u64 {
        self.approval + self.rejection + self.pending + self.repeated
    }
}

/// `GET …/changes/{reportDate}/recipients/{recipientType}`.
pub(super) async fn summary(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, date, recipient_type)): Path<(String, String, String, String)>,
) -> Result<Response, ApiError> {
    let day = day(&iys, &access, &date)?;
    let recipient_type = RecipientType::parse(&recipient_type)
        .ok_or_else(|| iys.refuse_query(ApiError::from_problem(Problem::at("H116", "recipientType", Some(&json!(recipient_type))))))?;
    let store = iys.store(iys.now());
    let stats: Vec<Value> = ConsentType::ALL
        .into_iter()
        .map(|channel| {
            let sides = [(false, "HS"), (true, "IYS")].map(|(by_recipients, name)| {
                let tally = tally(&store, access.brand_code(), day, recipient_type, channel, by_recipients);
                (tally.total() > 0).then(|| {
                    json!({
                        "source": name, "approval": tally.approval, "rejection": tally.rejection,
                        "pending": tally.pending, "total": tally.total(),
                    })
                })
            });
            json!({ "type": channel, "consents": sides.into_iter().flatten().collect::<Vec<Value>>() })
        })
        .collect();
    Ok(answer(200, &json!({ "changeStats": stats })))
}

fn tally(store: &Store, brand: u64, day: Date, recipient_type: RecipientType, channel: ConsentType, by_recipients: bool) -> Tally {
    let mut tally = Tally::default();
    for (_, key, movement) in store.movements(brand, by_recipients, span(day), None, usize::MAX, |_| true) {
        if key.recipient_type != recipient_type || key.consent_type != channel {
            continue;
        }
        let history = store.history(key);
        let before = history.iter().position(|one| Arc::ptr_eq(one, movement)).and_then(|at| at.checked_sub(1));
        let before = before.and_then(|at| history.get(at)).map(|one| one.status);
        match (before, movement.status) {
            (None | Some(Status::Ret), Status::Onay) => tally.approval += 1,
            (Some(Status::Onay), Status::Ret) => tally.rejection += 1,
            _ => tally.repeated += 1,
        }
    }
    if !by_recipients {
        tally.pending = store.waiting_of(brand, span(day), recipient_type, channel);
    }
    tally
}

/// The day file, if İYS has one: a day without movements has none, nor has one that is not completed.
fn file(iys: &Iys, access: &BrandAccess, day: Date) -> Option<DayFile> {
    let brand = access.brand_code();
    if iys.agreements().status(brand, day) != ProcessStatus::Completed {
        return None;
    }
    let store = iys.store(iys.now());
    DayFile::write(&store, brand, span(day), &iys.switches())
}

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `GET …/agreements/{reportDate}`: the digest.
pub(super) async fn info(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, date)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let day = day(&iys, &access, &date)?;
    let brand = access.brand_code();
    let status = iys.agreements().status(brand, day);
    let confirmed = iys.agreements().confirmed.contains(&(brand, day));
    let mut shown = Map::from_iter([("processStatus".to_owned(), json!(status)), ("agreementStatus".to_owned(), json!(confirmed))]);
    match file(&iys, &access, day) {
        Some(file) => {
            shown.insert("hashValue".to_owned(), json!(data_encoding::HEXLOWER.encode(&file.digest)));
            shown.insert("hashMethod".to_owned(), json!(iys.switches().hash_method));
        }
        None if status == ProcessStatus::Completed => return Ok(nothing()),
        None => {}
    }
    Ok(answer(200, &Value::Object(shown)))
}

/// `GET …/changes/{reportDate}/file`.
pub(super) async fn download(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, date)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let day = day(&iys, &access, &date)?;
    Ok(match file(&iys, &access, day) {
        Some(file) => ([(header::CONTENT_TYPE, "text/csv")], file.text).into_response(),
        None => nothing(),
    })
}

/// `GET …/agreements/{reportDate}/timestamp`: a time-stamp response (RFC 3161) over the digest.
pub(super) async fn stamp(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, date)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let day = day(&iys, &access, &date)?;
    Ok(match file(&iys, &access, day) {
        Some(file) => {
            let response = timestamp::response(&file.digest, iys.switches().hash_method, span(day).1);
            ([(header::CONTENT_TYPE, "text/plain")], response).into_response()
        }
        None => nothing(),
    })
}

/// `PUT …/agreements/{reportDate}`: the provider confirms the file.
pub(super) async fn confirm(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, date)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let day = day(&iys, &access, &date)?;
    let value: Value = serde_json::from_slice(&body).map_err(|_| iys.refuse_query(ApiError::code("H014")))?;
    if value.get("agreementStatus") != Some(&json!(true)) {
        return Err(iys.refuse_query(ApiError::from_problem(Problem::at("H512", "agreementStatus", value.get("agreementStatus")))));
    }
    if file(&iys, &access, day).is_none() {
        return Ok(nothing());
    }
    iys.agreements().confirmed.insert((access.brand_code(), day));
    Ok(answer(200, &json!({ "agreementCaptured": true })))
}
