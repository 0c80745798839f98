//! Business days in Türkiye, and the three of them within which a consent must stand at İYS.
//!
//! Everything here is Turkish civil time (UTC+3 all year) and pure: no clock, no time zone data, no
//! files. `now` is always an argument.
//!
//! # Which days
//!
//! Saturday and Sunday are no business days. The holidays are those of Law 2429 on national and
//! general holidays (<https://www.mevzuat.gov.tr/mevzuat?MevzuatNo=2429&MevzuatTur=1&MevzuatTertip=5>):
//! 1 January, 23 April, 1 May, 19 May, 15 July (first kept in 2017), 30 August, 29 October with the
//! afternoon before it, Ramazan Bayramı (three days and the afternoon before) and Kurban Bayramı
//! (four days and the afternoon before). Administrative leave, which the government may add for
//! public offices, is no holiday by that law and is left out.
//!
//! # How they are counted
//!
//! The law asks for three business days, and İYS refuses with `H467` what lies more than three
//! business days behind the current date and time. Neither says how the days are counted, whether a
//! half day is one, or what happens on a day off (İYS documentation, consent rules,
//! <https://dev.iys.org.tr/api-metotlar/izin-yonetimi/izin-yonetimi/>). The reading here is the
//! conservative one for a sender:
//!
//! - half days count as business days, in full;
//! - the days are counted to the second, not to the end of the third day;
//! - a day off adds no business time: what happens on one counts as having happened in the last
//!   second of the business day before it.
//!
//! [`deadline`] counts forward and [`business_days_before`] counts back, and they are two views of
//! one rule: for whole seconds, `now <= deadline(event)` exactly when `!is_too_late(event, now)`.
//! Counting back from a Sunday to the same time of day would break that: it would call an event too
//! late that Monday morning calls in time again. Should İYS count so, it refuses some events on a
//! day off that it takes again on the next business day.

use jiff::civil::{Date, DateTime, Time, Weekday, date, time};

/// Business days that a sender has to register a consent or a refusal at İYS.
pub const DEADLINE_BUSINESS_DAYS: u8 = 3;

/// What kind of day a date is in Türkiye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Day {
    /// An ordinary working day.
    Business,
    /// A working day until 13:00: the eve of a feast or 28 October, unless it falls on a weekend.
    HalfDay,
    /// A whole official holiday, also when it falls on a weekend.
    Holiday,
    /// A Saturday or Sunday that is no holiday.
    Weekend,
}

/// Where the date of a feast comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// From the yearly list of religious days that Diyanet has announced.
    Announced,
    /// Calculated ahead by Diyanet's method; the announced list may still differ by a day.
    Calculated,
}

/// The two religious feasts that are official holidays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feast {
    /// 1–3 Shawwal.
    Ramazan,
    /// 10–13 Dhu al-Hijjah.
    Kurban,
}

impl Feast {
    /// Whole days of the holiday, the half day of its eve not counted.
    const fn days(self) -> i32 {
        match self {
            Self::Ramazan => 3,
            Self::Kurban => 4,
        }
    }
}

/// The first whole day of every feast from 2015 to 2035, in order.
///
/// The source is Diyanet, whose calendar is the official one: its yearly lists
/// (<https://vakithesaplama.diyanet.gov.tr/dini_gunler.php>) for the announced years, its conversion
/// from the Hijri calendar (<https://vakithesaplama.diyanet.gov.tr/hicriden_miladiye.php>, as the
/// Python package `holidays` 0.109 carries it) up to 2032, and that package's estimate from 2033.
/// All dates were compared with the npm package `date-holidays` 3.37.0 and with a computation of
/// Diyanet's criterion (a crescent at 8° from the Sun and 5° above the horizon at sunset somewhere
/// on Earth), which no date misses by more than a day. The tests repeat the comparison with the two
/// packages and make one with the tabular calendar.
///
/// Three dates differ between the packages: Kurban 2015 and both feasts of 2016. `date-holidays`
/// computes the Saudi calendar there; the dates below are the ones that Türkiye kept.
const FEASTS: [(Feast, Date, Basis); 43] = {
    use Basis::{Announced, Calculated};
    use Feast::{Kurban, Ramazan};
    [
        (Ramazan, date(2015, 7, 17), Announced),
        (Kurban, date(2015, 9, 24), Announced),
        (Ramazan, date(2016, 7, 5), Announced),
        (Kurban, date(2016, 9, 12), Announced),
        (Ramazan, date(2017, 6, 25), Announced),
        (Kurban, date(2017, 9, 1), Announced),
        (Ramazan, date(2018, 6, 15), Announced),
        (Kurban, date(2018, 8, 21), Announced),
        (Ramazan, date(2019, 6, 4), Announced),
        (Kurban, date(2019, 8, 11), Announced),
        (Ramazan, date(2020, 5, 24), Announced),
        (Kurban, date(2020, 7, 31), Announced),
        (Ramazan, date(2021, 5, 13), Announced),
        (Kurban, date(2021, 7, 20), Announced),
        (Ramazan, date(2022, 5, 2), Announced),
        (Kurban, date(2022, 7, 9), Announced),
        (Ramazan, date(2023, 4, 21), Announced),
        (Kurban, date(2023, 6, 28), Announced),
        (Ramazan, date(2024, 4, 10), Announced),
        (Kurban, date(2024, 6, 16), Announced),
        (Ramazan, date(2025, 3, 30), Announced),
        (Kurban, date(2025, 6, 6), Announced),
        (Ramazan, date(2026, 3, 20), Announced),
        (Kurban, date(2026, 5, 27), Announced),
        (Ramazan, date(2027, 3, 9), Calculated),
        (Kurban, date(2027, 5, 16), Calculated),
        (Ramazan, date(2028, 2, 26), Calculated),
        (Kurban, date(2028, 5, 5), Calculated),
        (Ramazan, date(2029, 2, 14), Calculated),
        (Kurban, date(2029, 4, 24), Calculated),
        (Ramazan, date(2030, 2, 4), Calculated),
        (Kurban, date(2030, 4, 13), Calculated),
        (Ramazan, date(2031, 1, 24), Calculated),
        (Kurban, date(2031, 4, 2), Calculated),
        (Ramazan, date(2032, 1, 14), Calculated),
        (Kurban, date(2032, 3, 22), Calculated),
        (Ramazan, date(2033, 1, 2), Calculated),
        (Kurban, date(2033, 3, 11), Calculated),
        // The lunar year is eleven days shorter, so 2033 keeps Ramazan Bayramı twice.
        (Ramazan, date(2033, 12, 23), Calculated),
        (Kurban, date(2034, 3, 1), Calculated),
        (Ramazan, date(2034, 12, 12), Calculated),
        (Kurban, date(2035, 2, 18), Calculated),
        (Ramazan, date(2035, 12, 1), Calculated),
    ]
};

const FIRST_SECOND: Time = Time::midnight();
const LAST_SECOND: Time = time(23, 59, 59, 0);

/// Says what kind of day `date` is.
///
/// Outside the years of the table (see [`covered`]) only weekends and the fixed holidays are known,
/// so the days of a feast count as business days there and deadlines come out too early rather than
/// too late.
#[must_use]
pub fn day(date: Date) -> Day {
    let feast = feast_day(date);
    if is_fixed_holiday(date) || feast == Some(Day::Holiday) {
        Day::Holiday
    } else if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        Day::Weekend
    } else if feast == Some(Day::HalfDay) || (date.month(), date.day()) == (10, 28) {
        Day::HalfDay
    } else {
        Day::Business
    }
}

/// Whether the feasts of the date's year are in the table: 2015 to 2035.
#[must_use]
pub fn covered(date: Date) -> bool {
    basis(date).is_some()
}

/// Where the feasts of the date's year come from; `None` where the year is not [`covered`].
#[must_use]
pub fn basis(date: Date) -> Option<Basis> {
    let (_, _, basis) = FEASTS.iter().find(|(_, first, _)| first.year() == date.year())?;
    Some(*basis)
}

/// Whether `date` counts as a business day: every ordinary and every half working day.
#[must_use]
pub fn is_business_day(date: Date) -> bool {
    matches!(day(date), Day::Business | Day::HalfDay)
}

/// The moment `n` business days after `from`, at the same time of day.
///
/// A `from` on a day off counts as the last second (23:59:59) of the business day before it, so the
/// result is then the last second of a business day. `n = 0` gives `from` back. Later moments never
/// give an earlier result, and `n + m` days are `n` days and then `m`. At the end of representable
/// time (year 9999) the result stops there.
#[must_use]
pub fn add_business_days(from: DateTime, n: u8) -> DateTime {
    if n == 0 {
        return from;
    }
    let (mut date, time) =
        if is_business_day(from.date()) { (from.date(), from.time()) } else { (previous_business_day(from.date()), LAST_SECOND) };
    for _ in 0..n {
        date = next_business_day(date);
    }
    date.to_datetime(time)
}

/// The moment by which a consent or refusal given at `event` must stand at İYS: three business days
/// later, the moment itself still in time.
#[must_use]
pub fn deadline(event: DateTime) -> DateTime {
    add_business_days(event, DEADLINE_BUSINESS_DAYS)
}

/// The moment `n` business days before `now`: the oldest event whose `n` business days have not run
/// out at `now`.
///
/// On a business day that is the same time of day `n` business days back. A `now` on a day off
/// counts as the first second of the next business day, because no business time passes until then.
/// `n = 0` gives `now` back. At the beginning of representable time (year −9999) the result stops
/// there.
#[must_use]
pub fn business_days_before(now: DateTime, n: u8) -> DateTime {
    if n == 0 {
        return now;
    }
    let (mut date, time) =
        if is_business_day(now.date()) { (now.date(), now.time()) } else { (next_business_day(now.date()), FIRST_SECOND) };
    for _ in 0..n {
        date = previous_business_day(date);
    }
    date.to_datetime(time)
}

/// Whether İYS is to be expected to refuse `consent_date` as too old at `now` (`H467`): it lies more
/// than three business days back, to the second.
#[must_use]
pub fn is_too_late(consent_date: DateTime, now: DateTime) -> bool {
    consent_date < business_days_before(now, DEADLINE_BUSINESS_DAYS)
}

/// Whether the date is one of the whole holidays that fall on the same date every year.
fn is_fixed_holiday(date: Date) -> bool {
    match (date.month(), date.day()) {
        (1, 1) | (4, 23) | (5, 19) | (8, 30) | (10, 29) => true,
        // Law 5892 of 2009 and law 6752 of 2016, which came too late for that year's 15 July.
        (5, 1) => date.year() >= 2009,
        (7, 15) => date.year() >= 2017,
        _ => false,
    }
}

/// `HalfDay` on the eve of a feast, `Holiday` on its days, otherwise nothing.
fn feast_day(date: Date) -> Option<Day> {
    let tomorrow = date.tomorrow().ok()?;
    let started = FEASTS.partition_point(|(_, first, _)| *first <= tomorrow);
    let (feast, first, _) = FEASTS.get(started.checked_sub(1)?)?;
    match (date - *first).get_days() {
        -1 => Some(Day::HalfDay),
        since if since < feast.days() => Some(Day::Holiday),
        _ => None,
    }
}

/// The first business day after `date`, or the last date there is.
#[must_use]
pub fn next_business_day(date: Date) -> Date {
    let mut day = date;
    while let Ok(next) = day.tomorrow() {
        day = next;
        if is_business_day(day) {
            break;
        }
    }
    day
}

/// The last business day before `date`, or the first date there is.
fn previous_business_day(date: Date) -> Date {
    let mut day = date;
    while let Ok(previous) = day.yesterday() {
        day = previous;
        if is_business_day(day) {
            break;
        }
    }
    day
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, at the line that failed")]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{Span, ToSpan, civil::datetime};
    use proptest::prelude::*;

    use super::*;

    /// Every official holiday 2015–2035 by another hand; the file says whose.
    const PYTHON_HOLIDAYS: &str = include_str!("calendar/python-holidays.csv");
    /// The first days of the feasts by a third hand; the file says whose.
    const DATE_HOLIDAYS: &str = include_str!("calendar/date-holidays.csv");

    fn rows(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
        csv.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect())
    }

    fn feast(name: &str) -> Option<Feast> {
        match name {
            "ramazan" => Some(Feast::Ramazan),
            "kurban" => Some(Feast::Kurban),
            _ => None,
        }
    }

    fn every_day(from: Date, to: Date) -> impl Iterator<Item = Date> {
        from.series(1.day()).take_while(move |day| *day <= to)
    }

    fn table_days() -> impl Iterator<Item = Date> {
        every_day(date(2015, 1, 1), date(2035, 12, 31))
    }

    /// First day, feast and whether the package calls it estimated, as `holidays` has them.
    fn python_feasts() -> Vec<(Date, Feast, bool)> {
        let days: BTreeMap<Date, (Option<Feast>, bool)> =
            rows(PYTHON_HOLIDAYS).map(|row| (row[0].parse().unwrap(), (feast(row[2]), row[3] == "yes"))).collect();
        days.iter()
            .filter_map(|(day, (feast, estimated))| {
                let before = days.get(&day.yesterday().unwrap()).and_then(|day| day.0);
                (before != *feast).then_some((*day, (*feast)?, *estimated))
            })
            .collect()
    }

    /// First day and feast, as `date-holidays` has them.
    fn date_holidays_feasts() -> Vec<(Date, Feast)> {
        rows(DATE_HOLIDAYS).map(|row| (row[1].parse().unwrap(), feast(row[0]).unwrap())).collect()
    }

    /// The tabular Islamic calendar: thirty-year cycle with leap years 2, 5, 7, 10, 13, 16, 18, 21,
    /// 24, 26 and 29, and the Thursday epoch.
    fn tabular(year: i64, month: i64, day: i64) -> Date {
        let months = month - 1;
        let since_epoch = day - 1 + 29 * months + (months + 1) / 2 + 354 * (year - 1) + (11 * year + 3) / 30;
        // 1 Muharram of year 1 is 15 July 622 of the Julian calendar, 18 July of the Gregorian.
        date(622, 7, 18) + Span::new().days(since_epoch)
    }

    #[test]
    fn every_feast_is_where_the_diyanet_table_of_another_library_has_it() {
        let ours: Vec<_> = FEASTS.iter().map(|(feast, first, _)| (*first, *feast)).collect();
        let theirs: Vec<_> = python_feasts().iter().map(|(first, feast, _)| (*first, *feast)).collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn an_announced_feast_is_estimated_by_nobody() {
        for ((_, first, basis), (_, _, estimated)) in FEASTS.iter().zip(python_feasts()) {
            assert!(*basis == Basis::Calculated || !estimated, "{first}");
            assert_eq!(*basis == Basis::Announced, first.year() <= 2026, "{first}");
        }
    }

    #[test]
    fn the_second_source_differs_only_where_saudi_arabia_kept_the_feast_on_another_day() {
        let differing: Vec<_> = FEASTS
            .iter()
            .zip(date_holidays_feasts())
            .filter(|((_, ours, _), (theirs, _))| ours != theirs)
            .map(|((feast, ours, _), (theirs, their_feast))| {
                assert_eq!(*feast, their_feast);
                (*ours, theirs)
            })
            .collect();
        assert_eq!(
            differing,
            [(date(2015, 9, 24), date(2015, 9, 23)), (date(2016, 7, 5), date(2016, 7, 6)), (date(2016, 9, 12), date(2016, 9, 11)),]
        );
    }

    #[test]
    fn every_feast_is_within_a_day_of_the_tabular_calendar() {
        let mut hijri_year = 1436;
        for (feast, first, _) in FEASTS {
            let computed = match feast {
                Feast::Ramazan => tabular(hijri_year, 10, 1),
                Feast::Kurban => tabular(hijri_year, 12, 10),
            };
            assert!((computed - first).get_days().abs() <= 1, "{first}: {computed}");
            if feast == Feast::Kurban {
                hijri_year += 1;
            }
        }
    }

    #[test]
    fn every_year_of_the_table_has_both_feasts_and_no_other_year_is_covered() {
        for year in 2015..=2035 {
            for wanted in [Feast::Ramazan, Feast::Kurban] {
                assert!(FEASTS.iter().any(|(feast, first, _)| *feast == wanted && first.year() == year), "{year}");
            }
            assert!(covered(date(year, 1, 1)) && covered(date(year, 12, 31)), "{year}");
        }
        assert!(!covered(date(2014, 12, 31)));
        assert!(!covered(date(2036, 1, 1)));
        assert_eq!(basis(date(2026, 6, 1)), Some(Basis::Announced));
        assert_eq!(basis(date(2027, 6, 1)), Some(Basis::Calculated));
        assert_eq!(basis(date(2036, 6, 1)), None);
    }

    #[test]
    fn every_day_of_the_table_is_what_another_library_says() {
        let theirs: BTreeMap<Date, &str> = rows(PYTHON_HOLIDAYS).map(|row| (row[0].parse().unwrap(), row[1])).collect();
        for date in table_days() {
            let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            let expected = match theirs.get(&date) {
                Some(&"full") => Day::Holiday,
                _ if weekend => Day::Weekend,
                Some(&"half") => Day::HalfDay,
                _ => Day::Business,
            };
            assert_eq!(day(date), expected, "{date}");
        }
    }

    #[test]
    fn days_of_every_kind_are_told_apart() {
        for (date, expected) in [
            (date(2016, 7, 15), Day::Business),
            (date(2020, 7, 15), Day::Holiday),
            (date(2024, 4, 8), Day::Business),
            (date(2024, 4, 9), Day::HalfDay),
            (date(2024, 4, 12), Day::Holiday),
            (date(2024, 4, 13), Day::Weekend),
            (date(2024, 6, 15), Day::Weekend),
            (date(2024, 6, 19), Day::Holiday),
            (date(2024, 6, 20), Day::Business),
            // The eve of a feast that is itself a holiday stays a whole one.
            (date(2022, 5, 1), Day::Holiday),
            (date(2026, 10, 28), Day::HalfDay),
            (date(2023, 10, 28), Day::Weekend),
            (date(2033, 1, 1), Day::Holiday),
            (date(2033, 12, 22), Day::HalfDay),
        ] {
            assert_eq!(day(date), expected, "{date}");
        }
    }

    #[test]
    fn outside_the_table_weekends_and_fixed_holidays_are_still_known() {
        assert_eq!(day(date(2040, 10, 29)), Day::Holiday);
        assert_eq!(day(date(2040, 10, 28)), Day::Weekend);
        assert_eq!(day(date(2041, 10, 28)), Day::HalfDay);
        assert_eq!(day(date(2008, 5, 1)), Day::Business);
        // Kurban Bayramı 2036 begins on 7 February, a Thursday.
        assert_eq!(day(date(2036, 2, 7)), Day::Business);
    }

    #[test]
    fn the_deadline_is_the_same_time_of_day_three_business_days_later() {
        for (event, expected) in [
            // Monday to Thursday; Wednesday over the weekend to Monday.
            (datetime(2026, 11, 23, 10, 30, 5, 0), datetime(2026, 11, 26, 10, 30, 5, 0)),
            (datetime(2026, 11, 25, 10, 30, 5, 0), datetime(2026, 11, 30, 10, 30, 5, 0)),
            // The half day of 28 October counts, the 29th does not.
            (datetime(2026, 10, 27, 9, 0, 0, 0), datetime(2026, 11, 2, 9, 0, 0, 0)),
            // Over Kurban Bayramı 2025: Thursday the eve counts, Friday to Monday do not.
            (datetime(2025, 6, 4, 9, 0, 0, 0), datetime(2025, 6, 11, 9, 0, 0, 0)),
        ] {
            assert_eq!(deadline(event), expected, "{event}");
        }
    }

    #[test]
    fn an_event_on_a_day_off_counts_from_the_end_of_the_business_day_before() {
        let wednesday = datetime(2026, 11, 25, 23, 59, 59, 0);
        assert_eq!(deadline(datetime(2026, 11, 20, 23, 59, 59, 0)), wednesday);
        assert_eq!(deadline(datetime(2026, 11, 21, 0, 0, 0, 0)), wednesday);
        assert_eq!(deadline(datetime(2026, 11, 22, 15, 0, 0, 0)), wednesday);
        assert_eq!(deadline(datetime(2026, 11, 23, 0, 0, 0, 0)), datetime(2026, 11, 26, 0, 0, 0, 0));
    }

    #[test]
    fn counting_back_stands_still_over_a_day_off() {
        let wednesday = datetime(2026, 11, 18, 0, 0, 0, 0);
        assert_eq!(business_days_before(datetime(2026, 11, 21, 15, 0, 0, 0), 3), wednesday);
        assert_eq!(business_days_before(datetime(2026, 11, 22, 23, 59, 59, 0), 3), wednesday);
        assert_eq!(business_days_before(datetime(2026, 11, 23, 0, 0, 0, 0), 3), wednesday);
    }

    #[test]
    fn a_consent_is_too_late_one_second_after_its_deadline_and_not_at_it() {
        let event = datetime(2026, 11, 25, 10, 30, 5, 0);
        assert!(!is_too_late(event, datetime(2026, 11, 30, 10, 30, 5, 0)));
        assert!(is_too_late(event, datetime(2026, 11, 30, 10, 30, 6, 0)));
    }

    #[test]
    fn the_ends_of_time_are_reached_without_a_panic() {
        assert_eq!(deadline(DateTime::MAX).date(), Date::MAX);
        assert_eq!(business_days_before(DateTime::MIN, u8::MAX).date(), Date::MIN);
        assert!(!is_too_late(DateTime::MAX, DateTime::MIN));
    }

    #[test]
    fn no_day_of_the_table_breaks_the_agreement_of_deadline_and_lateness() {
        for day in every_day(date(2015, 1, 1), date(2036, 1, 31)) {
            for time in [FIRST_SECOND, time(0, 0, 1, 0), time(13, 0, 0, 0), LAST_SECOND] {
                let event = day.to_datetime(time);
                let deadline = deadline(event);
                assert!(deadline > event, "{event}");
                assert!(is_business_day(deadline.date()), "{event}");
                assert!(!is_too_late(event, deadline), "{event}");
                assert!(is_too_late(event, deadline + 1.second()), "{event}");
            }
        }
    }

    prop_compose! {
        /// A whole second from 2024 to 2035, days off as likely as in the calendar.
        fn a_second()(day in 0_i64..4383, second in 0_i64..86_400) -> DateTime {
            datetime(2024, 1, 1, 0, 0, 0, 0) + Span::new().days(day).seconds(second)
        }
    }

    prop_compose! {
        /// An event and a moment within two weeks of it, on either side.
        fn a_pair()(event in a_second(), apart in -1_209_600_i64..1_209_600) -> (DateTime, DateTime) {
            (event, event + Span::new().seconds(apart))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn what_is_submitted_by_its_deadline_is_never_too_late((event, now) in a_pair()) {
            prop_assert_eq!(now <= deadline(event), !is_too_late(event, now));
        }

        #[test]
        fn an_event_cannot_be_too_late_before_or_when_it_happens(
            (event, later) in a_pair(),
        ) {
            let (event, later) = (event.min(later), event.max(later));
            prop_assert!(!is_too_late(later, event));
            prop_assert!(!is_too_late(event, event));
        }

        #[test]
        fn counting_is_monotonic((a, b) in a_pair(), n in 0_u8..8) {
            let (earlier, later) = (a.min(b), a.max(b));
            prop_assert!(add_business_days(earlier, n) <= add_business_days(later, n));
            prop_assert!(business_days_before(earlier, n) <= business_days_before(later, n));
            prop_assert!(add_business_days(a, n) < add_business_days(a, n + 1));
            prop_assert!(business_days_before(a, n) > business_days_before(a, n + 1));
        }

        #[test]
        fn counting_in_two_steps_is_counting_once(event in a_second(), n in 0_u8..6, m in 0_u8..6) {
            prop_assert_eq!(
                add_business_days(add_business_days(event, n), m),
                add_business_days(event, n + m)
            );
            prop_assert_eq!(
                business_days_before(business_days_before(event, n), m),
                business_days_before(event, n + m)
            );
        }

        #[test]
        fn on_business_days_counting_forward_and_back_are_inverse(event in a_second(), n in 0_u8..8) {
            prop_assume!(is_business_day(event.date()));
            prop_assert_eq!(business_days_before(add_business_days(event, n), n), event);
            prop_assert_eq!(add_business_days(business_days_before(event, n), n), event);
        }
    }
}
