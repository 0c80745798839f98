//! Single add, v1 and v2.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Iys;
use super::access::BrandAccess;
use super::book::Account;
use super::errors::{ApiError, Problem};
use super::model::{Consent, Key, turkish};
use super::parties::Brand;
use super::refusals::Place;
use super::rules::{self, Checked, Moment, Remarks};
use super::store::{Store, Stored, digest};
use super::switches::{CheckOrder, Switches};
use crate::server::json as answer;

/// `POST /sps/{iysCode}/brands/{brandCode}/consents`.
pub(super) async fn add_v1(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    add(&iys, &access, &body, false).map_err(|error| iys.refuse(error))
}

/// `POST /v2/sps/{iysCode}/brands/{brandCode}/consents`: an unchanged resend is answered as before.
pub(super) async fn add_v2(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    add(&iys, &access, &body, true).map_err(|error| iys.refuse(error))
}

fn add(iys: &Iys, access: &BrandAccess, body: &[u8], v2: bool) -> Result<Response, ApiError> {
    let now = iys.now();
    let (account, brand, switches) = (&access.account, &access.brand, iys.switches());
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    let item = value.as_object().ok_or_else(|| ApiError::code("H085"))?;
    if let Some(planted) = iys.planted_answer(Place::Add, item) {
        return Ok(planted);
    }
    // Value keeps its keys sorted, so its text is the same for every order of fields.
    let print = digest(&format!("{}/{}/{value}", account.iys_code, brand.brand_code));
    if v2 && let Some(stored) = iys.store(now).repeated(&print) {
        return Ok(stored_answer(stored));
    }
    let mut remarks = Remarks::default();
    let moment = moment(iys, brand, &switches, now);
    let checked = rules::check(item, &moment, &mut remarks);
    iys.note(&remarks);
    let consent = in_order(iys, brand, checked, &switches, now)?;
    access.may_write(iys, consent.consent_type)?;
    let strangers = strangers(iys, brand, &consent);
    if !strangers.is_empty() {
        return Err(ApiError::all(403, strangers));
    }
    let mut store = iys.store(now);
    if !has_room(&store, account, std::iter::once(consent.key(brand.brand_code))) {
        return Err(ApiError::code("H525"));
    }
    match store.add(&consent, brand.brand_code, now, &switches) {
        Ok(stored) => {
            if v2 {
                store.remember(print, &consent, brand.brand_code, &stored);
            }
            Ok(stored_answer(&stored))
        }
        Err(codes) => Err(ApiError::all(400, codes.into_iter().map(|code| stateful(code, &consent)).collect())),
    }
}

/// The consent if the stateless rules pass it; otherwise what the caller is told (U31).
fn in_order(iys: &Iys, brand: &Brand, checked: Checked, switches: &Switches, now: Timestamp) -> Result<Consent, ApiError> {
    let unread = checked.problems.is_empty() || switches.check_order == CheckOrder::StatelessFirst;
    let stateful: Vec<Problem> = match checked.consent.as_ref().filter(|_| !unread) {
        None => Vec::new(),
        Some(consent) => {
            let codes = iys.store(now).refusals(consent, &consent.key(brand.brand_code), switches);
            codes.into_iter().map(|code| stateful(code, consent)).collect()
        }
    };
    checked.result().map_err(|problems| match switches.check_order {
        _ if stateful.is_empty() => stateless(problems, switches.late_status),
        CheckOrder::Together => ApiError::all(400, [stateful, problems].concat()),
        CheckOrder::StatelessFirst | CheckOrder::StatefulFirst => ApiError::all(400, stateful),
    })
}

/// Retailers of a consent that the brand does not have.
pub(super) fn strangers(iys: &Iys, brand: &Brand, consent: &Consent) -> Vec<Problem> {
    let register = iys.retailers();
    rules::unknown_retailers(consent.retailer_code, &consent.retailer_access, |code| register.has(brand.brand_code, code))
}

fn stored_answer(stored: &Stored) -> Response {
    answer(200, &json!({ "transactionId": stored.transaction_id, "creationDate": stored.creation_date }))
}

fn stateful(code: &'static str, consent: &Consent) -> Problem {
    match code {
        "H174" | "H175" => Problem::at(code, "status", Some(&json!(consent.status))),
        "H178" | "H462" => Problem::at(code, "consentDate", None),
        "H463" | "H486" => Problem::at(code, "source", None),
        _ => Problem::new(code),
    }
}

/// The facts for the stateless rules.
pub(super) fn moment<'a>(iys: &'a Iys, brand: &Brand, switches: &'a Switches, now: Timestamp) -> Moment<'a> {
    Moment::new(turkish(now), brand.activation_date, &iys.config.extra_holidays, switches)
}

/// The answer to stateless problems: empty values make the request malformed (400), anything else
/// makes it invalid (422); `late_status` is for a lone H467 (U10).
pub(super) fn stateless(problems: Vec<Problem>, late_status: u16) -> ApiError {
    let (empty, other): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.code == "H267");
    if !empty.is_empty() {
        return ApiError::all(400, empty);
    }
    let only_late = other.iter().all(|problem| problem.code == "H467");
    ApiError::all(if only_late { late_status } else { 422 }, other)
}

/// Whether the package has room for the keys that are not stored yet.
pub(super) fn has_room(store: &Store, account: &Account, keys: impl Iterator<Item = Key>) -> bool {
    let limit = account
        .subscription
        .as_ref()
        .filter(|subscription| !subscription.consent_limit_exceed)
        .and_then(|subscription| subscription.consent_limit);
    let Some(limit) = limit else { return true };
    let new = keys.filter(|key| store.current(key).is_none()).count();
    let used = account.used(store.record_count(account.brand_codes()));
    new == 0 || used.saturating_add(u64::try_from(new).unwrap_or(u64::MAX)) <= limit
}
