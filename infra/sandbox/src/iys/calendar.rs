//! Turkish business days, as this simulator counts them: Monday to Friday without official holidays.
//!
//! Law 2429: fixed days, Ramazan Bayramı (three days) and Kurban Bayramı (four days). Half-days (the
//! eves and 28 October) count as business days.

use jiff::civil::{Date, DateTime, Weekday};

/// Fixed holidays: month, day.
const FIXED: [(i8, i8); 7] = [(1, 1), (4, 23), (5, 1), (5, 19), (7, 15), (8, 30), (10, 29)];

/// First day of each feast and its length in days; feasts after these come from the settings.
const FEASTS: [(i16, i8, i8, i64); 14] = [
    (2024, 4, 10, 3),
    (2024, 6, 16, 4),
    (2025, 3, 30, 3),
    (2025, 6, 6, 4),
    (2026, 3, 20, 3),
    (2026, 5, 27, 4),
    (2027, 3, 9, 3),
    (2027, 5, 16, 4),
    (2028, 2, 26, 3),
    (2028, 5, 5, 4),
    (2029, 2, 14, 3),
    (2029, 4, 24, 4),
    (2030, 2, 4, 3),
    (2030, 4, 13, 4),
];

/// Whether offices work on `day`; `extra` are further days off.
pub(crate) fn is_business_day(day: Date, extra: &[Date]) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let fixed = FIXED.contains(&(day.month(), day.day()));
    let feast = FEASTS.iter().any(|(year, month, first, length)| {
        Date::new(*year, *month, *first).is_ok_and(|start| {
            let days = start.until(day).map_or(-1, |span| i64::from(span.get_days()));
            (0..*length).contains(&days)
        })
    });
    !(weekend || fixed || feast || extra.contains(&day))
}

/// The same time of day, so many business days earlier.
pub(crate) fn back(from: DateTime, business_days: u32, extra: &[Date]) -> DateTime {
    step(from, business_days, extra, Date::yesterday)
}

/// The same time of day, so many business days later.
pub(crate) fn ahead(from: DateTime, business_days: u32, extra: &[Date]) -> DateTime {
    step(from, business_days, extra, Date::tomorrow)
}

fn step(from: DateTime, business_days: u32, extra: &[Date], next: impl Fn(Date) -> Result<Date, jiff::Error>) -> DateTime {
    let mut day = from.date();
    let mut left = business_days;
    while left > 0 {
        // Only the ends of the calendar have no neighbour; there the walk stops.
        let Ok(neighbour) = next(day) else { break };
        day = neighbour;
        if is_business_day(day, extra) {
            left -= 1;
        }
    }
    day.to_datetime(from.time())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    #[test]
    fn weekends_are_skipped() {
        // 2026-11-23 is a Monday.
        assert_eq!(back(datetime(2026, 11, 23, 10, 0, 0, 0), 3, &[]), datetime(2026, 11, 18, 10, 0, 0, 0));
        assert_eq!(ahead(datetime(2026, 11, 20, 10, 0, 0, 0), 3, &[]), datetime(2026, 11, 25, 10, 0, 0, 0));
    }

    #[test]
    fn a_feast_is_skipped_and_its_eve_is_not() {
        assert!(is_business_day(date(2026, 5, 26), &[]), "the eve of Kurban Bayramı is a half-day");
        assert!(!is_business_day(date(2026, 5, 27), &[]));
        assert!(!is_business_day(date(2026, 5, 29), &[]));
        assert_eq!(back(datetime(2026, 6, 1, 9, 0, 0, 0), 3, &[]), datetime(2026, 5, 22, 9, 0, 0, 0));
    }

    #[test]
    fn fixed_holidays_and_extra_days_off_are_skipped() {
        assert!(!is_business_day(date(2026, 7, 15), &[]));
        assert!(is_business_day(date(2026, 10, 28), &[]));
        assert!(!is_business_day(date(2026, 10, 29), &[]));
        assert!(!is_business_day(date(2026, 11, 24), &[date(2026, 11, 24)]));
    }
}
