//! Where reading Mysoft's movements stands: the first day of the window, and the id of the last row.
//!
//! A window has seven days at most. Ids grow over all of them, so a window is read from the same id on.

use std::fmt;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::super::fields::Fields;
use super::wire::Movements;
use super::{FAILED, REGISTERED};
use crate::consent::ConsentDate;
use crate::registry::{Feed, Page};

/// Most rows of one page: its own default.
const LIMIT: usize = 1000;
/// From the first day of a window to its last.
const DAYS: i32 = 6;
/// For how many days a row that is on its way keeps what comes after it from being passed.
const PATIENCE: i32 = 2;

/// A place in the movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    from: Date,
    to: Date,
    after: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.after)
    }
}

fn today(now: Timestamp) -> Date {
    ConsentDate::at(now).civil().date()
}

fn plus(date: Date, days: i32) -> Date {
    date.saturating_add(days.days())
}

impl Cursor {
    /// The place that a text names; without one, the seven days that end today.
    pub(super) fn read(text: Option<&str>, now: Timestamp) -> Self {
        let today = today(now);
        let named = text.and_then(|text| text.split_once(':'));
        let place = named.and_then(|(date, id)| Some((date.parse::<Date>().ok()?, id.parse().ok()?)));
        let (from, after) = place.unwrap_or((plus(today, -DAYS), 0));
        let from = from.min(today);
        Self { from, to: plus(from, DAYS).min(today), after }
    }

    pub(super) fn question(&self, feed: Feed) -> Movements {
        Movements {
            start_date: self.from.to_string(),
            end_date: self.to.to_string(),
            source: match feed {
                Feed::People => "IYS",
                Feed::Brand => "HS",
            },
            after_value: self.after,
            limit: LIMIT,
        }
    }

    /// The rows as a page. A row that is still on its way ends the page before it, for some days.
    pub(super) fn page(&self, rows: &[Fields], limit: usize, now: Timestamp) -> Page {
        let today = today(now);
        let mut page = Page::default();
        let mut after = self.after;
        let mut is_waiting = false;
        for (at, row) in rows.iter().enumerate() {
            let date = row.change().ok().and_then(|change| change.holding.consent_date).map(|date| date.civil().date());
            let is_over = matches!(row.text("portalstatus"), None | Some(REGISTERED | FAILED));
            if !is_over && date.is_none_or(|date| date >= plus(today, -PATIENCE)) {
                is_waiting = true;
                break;
            }
            after = row.get::<u64>("id").map_or(after, |id| id.max(after));
            // What İYS did not take, or has not taken after days, happened nowhere.
            if !matches!(row.text("portalstatus"), None | Some(REGISTERED)) {
                continue;
            }
            match row.change() {
                Ok(change) => page.changes.push(change),
                Err(field) => page.unreadable.push(format!("data[{at}].{field}")),
            }
        }
        let is_full = rows.len() >= limit && after > self.after && !is_waiting;
        let is_behind = !is_full && !is_waiting && self.to < today;
        // The last day is read again: rows of a day may come late.
        let from = if is_behind {
            self.to
        } else if is_full || is_waiting {
            self.from
        } else {
            self.from.max(plus(self.to, -1))
        };
        page.cursor = Some(Self { from, to: self.to, after }.to_string());
        page.more = is_full || is_behind;
        page
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn row(id: u64, status: &str, date: &str) -> Fields {
        let text = serde_json::json!({"id": id, "portalStatus": status, "type": "MESAJ", "recipient": format!("+9059920{id:05}"),
            "recipientType": "BIREYSEL", "status": "RET", "source": "IYS_WEB", "consentDate": format!("{date} 10:00:00")});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn reading_begins_seven_days_back_and_goes_on_from_the_last_id() {
        let cursor = Cursor::read(None, now());
        let asked = cursor.question(Feed::People);
        assert_eq!(
            (asked.start_date.as_str(), asked.end_date.as_str(), asked.source, asked.after_value),
            ("2026-11-14", "2026-11-20", "IYS", 0)
        );
        let page = cursor.page(&[row(7, REGISTERED, "2026-11-19"), row(9, REGISTERED, "2026-11-20")], LIMIT, now());
        assert_eq!((page.changes.len(), page.cursor.as_deref(), page.more), (2, Some("2026-11-19:9"), false));
        let next = Cursor::read(page.cursor.as_deref(), now()).question(Feed::Brand);
        assert_eq!((next.start_date.as_str(), next.source, next.after_value), ("2026-11-19", "HS", 9));
        assert_eq!(Cursor::read(Some("nonsense"), now()), cursor);
    }

    #[test]
    fn a_window_that_is_behind_is_followed_by_the_next_and_a_full_page_by_its_rest() {
        let old = Cursor::read(Some("2026-11-01:3"), now());
        assert_eq!(old.question(Feed::People).end_date, "2026-11-07");
        let page = old.page(&[], LIMIT, now());
        assert_eq!((page.cursor.as_deref(), page.more), (Some("2026-11-07:3"), true));
        let page = old.page(&[row(4, REGISTERED, "2026-11-02"), row(5, REGISTERED, "2026-11-02")], 2, now());
        assert_eq!((page.cursor.as_deref(), page.more), (Some("2026-11-01:5"), true));
        // A page that brings nothing new does not go round in a circle.
        let page = Cursor::read(None, now()).page(&[], 0, now());
        assert!(!page.more);
    }

    #[test]
    fn what_is_on_its_way_is_waited_for_and_what_failed_happened_nowhere() {
        let cursor = Cursor::read(None, now());
        let rows = [
            row(1, REGISTERED, "2026-11-20"),
            row(2, FAILED, "2026-11-20"),
            row(3, "IYSYE_GONDERILIYOR", "2026-11-20"),
            row(4, REGISTERED, "2026-11-20"),
        ];
        let page = cursor.page(&rows, LIMIT, now());
        assert_eq!((page.changes.len(), page.cursor.as_deref(), page.more), (1, Some("2026-11-14:2"), false));
        let rows = [row(3, "TASLAK", "2026-11-15"), row(4, REGISTERED, "2026-11-20")];
        let page = cursor.page(&rows, LIMIT, now());
        assert_eq!((page.changes.len(), page.cursor.as_deref()), (1, Some("2026-11-19:4")), "it is waited for no longer");
    }
}
