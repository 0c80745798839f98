//! What changed in a span of days: the last state of each consent, or every movement.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Unit};
use serde_json::{Map, Value};

use super::Mysoft;
use super::access::BrandCall;
use super::envelope::{Refusal, page};
use super::rows::Row;
use crate::iys::model::turkish;

/// Days from the first to the last of a span.
const DAYS_MAXIMUM: i32 = 7;
/// Rows in a page where the caller does not say.
const LIMIT: usize = 1000;

/// `POST /api/Etk/checkStatusChangedConsentData`.
pub(super) async fn states(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    let asked = Asked::read(&mysoft, &call, true)?;
    mysoft.settle();
    let state = mysoft.state();
    let rows = state.rows.states(call.brand, state.switches.failed_hides_standing);
    let found = rows.into_iter().filter(|(_, row)| asked.covers(row.updated));
    Ok(asked.answer(found, state.switches.after_value_inclusive, |id, row| row.state(Some(id))))
}

/// `POST /api/Etk/consentTransactionList`.
pub(super) async fn movements(State(mysoft): State<Arc<Mysoft>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let call = mysoft.brand_call(&headers, &body)?;
    let asked = Asked::read(&mysoft, &call, false)?;
    let source = call.body.get("source").and_then(Value::as_str).unwrap_or_default().to_owned();
    mysoft.settle();
    let state = mysoft.state();
    let from = |row: &Row| {
        let text = row.fields.get("source").and_then(Value::as_str).unwrap_or_default();
        match source.as_str() {
            "HS" => !text.starts_with("IYS_"),
            "IYS" => text.starts_with("IYS_"),
            "" => true,
            one => text == one,
        }
    };
    let found = state.rows.of_brand(call.brand).filter(|(_, row)| asked.covers(row.at) && from(row));
    Ok(asked.answer(found, state.switches.after_value_inclusive, |id, row| row.movement(Some(id))))
}

/// A span of days and a page of it.
struct Asked {
    first: Date,
    last: Date,
    after: u64,
    limit: usize,
}

impl Asked {
    fn read(mysoft: &Mysoft, call: &BrandCall, needs_dates: bool) -> Result<Self, Refusal> {
        let fields = call.body.as_object().cloned().unwrap_or_default();
        let today = turkish(mysoft.registry.now()).date();
        let refused = |message: &str| {
            mysoft.stats.violation("invalid_query:HM422");
            Refusal::schema(message)
        };
        let date = |name: &str| match fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) if text.len() == 10 => text.parse().map(Some).map_err(|_| refused("Tarih yyyy-MM-dd olmalıdır.")),
            Some(_) => Err(refused("Tarih yyyy-MM-dd olmalıdır.")),
        };
        let (first, last): (Option<Date>, Option<Date>) = (date("startDate")?, date("endDate")?);
        if needs_dates && (first.is_none() || last.is_none()) {
            return Err(refused("startDate ve endDate zorunludur."));
        }
        let week = DAYS_MAXIMUM.days();
        let first = first.unwrap_or_else(|| last.unwrap_or(today).saturating_sub(week));
        let last = last.unwrap_or_else(|| first.saturating_add(week));
        let days = first.until((Unit::Day, last)).map_or(i32::MAX, |span| span.get_days());
        if !(0..=DAYS_MAXIMUM).contains(&days) {
            return Err(refused("Tarih aralığı en fazla 7 gün olabilir."));
        }
        let limit = number(&fields, "limit").and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        Ok(Self { first, last, after: number(&fields, "afterValue").unwrap_or(0), limit: limit.unwrap_or(LIMIT) })
    }

    fn covers(&self, at: Timestamp) -> bool {
        (self.first..=self.last).contains(&turkish(at).date())
    }

    /// A page of rows that come in the order of their ids.
    fn answer<'a>(&self, rows: impl Iterator<Item = (u64, &'a Row)>, inclusive: bool, show: impl Fn(u64, &Row) -> Value) -> Response {
        let rest = rows.filter(|(id, _)| if inclusive && self.after > 0 { *id >= self.after } else { *id > self.after });
        let page_rows: Vec<(u64, &Row)> = rest.take(self.limit).collect();
        let after = page_rows.last().map_or(self.after, |(id, _)| *id);
        page(&Value::Array(page_rows.into_iter().map(|(id, row)| show(id, row)).collect()), after)
    }
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    fields.get(name).and_then(crate::iys::rules::number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mysoft::rows::{Portal, Rows};

    #[test]
    fn a_page_begins_after_the_id_that_was_named() {
        let mut rows = Rows::default();
        for n in 0..5 {
            let fields = Map::from_iter([("recipient".to_owned(), json!(n.to_string()))]);
            rows.add(Row {
                brand: 1,
                fields,
                portal: Portal::Waiting,
                record_source: "MYSOFT_API",
                at: Timestamp::UNIX_EPOCH,
                updated: Timestamp::UNIX_EPOCH,
                request: None,
                verdict: None,
                folder_name: Value::Null,
                note: Value::Null,
            });
        }
        let day = Date::ZERO;
        let page = |after, inclusive| {
            let asked = Asked { first: day, last: day, after, limit: 2 };
            let seen = std::cell::RefCell::new(Vec::new());
            asked.answer(rows.of_brand(1), inclusive, |id, _| {
                seen.borrow_mut().push(id);
                Value::Null
            });
            seen.into_inner()
        };
        assert_eq!((page(0, false), page(2, false), page(2, true)), (vec![1, 2], vec![3, 4], vec![2, 3]));
        assert_eq!((page(0, true), page(5, false)), (vec![1, 2], vec![]));
    }
}
