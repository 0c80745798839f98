//! How much of the three business days is left to a movement that is bound for the registry.

use serde::Serialize;

use super::ConsentDate;
use crate::calendar::{self, DEADLINE_BUSINESS_DAYS};

/// What is left until a deadline, in business days.
///
/// A movement that has waited for more than one business day has less than two left
/// ([`Slack::Under2`]), after two it has less than one ([`Slack::Under1`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Slack {
    /// The deadline has passed.
    Late,
    /// Less than one business day.
    Under1,
    /// One, and less than two.
    Under2,
    /// Two, and less than three.
    Under3,
    /// Three: what happened on a day off has all of them until the next business day begins.
    More,
}

impl Slack {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 5] = [Self::Late, Self::Under1, Self::Under2, Self::Under3, Self::More];

    /// Whether more than one business day has gone, so that a person is warned.
    pub const fn is_warned_of(self) -> bool {
        matches!(self, Self::Late | Self::Under1 | Self::Under2)
    }
}

/// The moments, seen from one, at which so many business days are left.
///
/// Counting them once makes telling the slack of a hundred thousand movements a few comparisons each.
#[derive(Debug, Clone, Copy)]
pub struct Scale([ConsentDate; 4]);

impl Scale {
    /// The scale at a moment.
    pub fn at(now: ConsentDate) -> Self {
        Self([0, 1, 2, DEADLINE_BUSINESS_DAYS].map(|days| ConsentDate::from_civil(calendar::add_business_days(now.civil(), days))))
    }

    /// What is left until a deadline. The moment of the deadline itself is still in time.
    pub fn slack(&self, deadline: ConsentDate) -> Slack {
        // A deadline is past as many of the moments as business days are left, and of `now` itself.
        let passed = self.0.iter().take_while(|moment| **moment <= deadline).count();
        Slack::ALL.get(passed).copied().unwrap_or(Slack::More)
    }
}

/// By when a movement of this date has to stand at the registry.
pub fn deadline(consent_date: ConsentDate) -> ConsentDate {
    ConsentDate::from_civil(calendar::deadline(consent_date.civil()))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::datetime;
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> ConsentDate {
        text.parse().expect("a date")
    }

    fn slack(event: &str, now: &str) -> Slack {
        Scale::at(date(now)).slack(deadline(date(event)))
    }

    #[test]
    fn what_is_left_is_counted_in_business_days_to_the_second() {
        // A Tuesday; its deadline is Friday noon.
        let event = "2026-11-24 12:00:00";
        for (now, left) in [
            ("2026-11-24 12:00:00", Slack::More),
            ("2026-11-24 12:00:01", Slack::Under3),
            ("2026-11-25 12:00:00", Slack::Under3),
            ("2026-11-25 12:00:01", Slack::Under2),
            ("2026-11-26 12:00:00", Slack::Under2),
            ("2026-11-26 12:00:01", Slack::Under1),
            ("2026-11-27 12:00:00", Slack::Under1),
            ("2026-11-27 12:00:01", Slack::Late),
        ] {
            assert_eq!(slack(event, now), left, "{now}");
        }
    }

    #[test]
    fn days_off_take_nothing_away() {
        // A Friday, and the weekend after it.
        for now in ["2026-11-20 18:00:01", "2026-11-21 00:00:00", "2026-11-22 23:59:59", "2026-11-23 18:00:00"] {
            assert_eq!(slack("2026-11-20 18:00:00", now), Slack::Under3, "{now}");
        }
        assert_eq!(slack("2026-11-20 18:00:00", "2026-11-23 18:00:01"), Slack::Under2);
        // On the weekend itself, and on Kurban Bayramı with the weekend after it.
        assert_eq!(slack("2026-11-21 10:00:00", "2026-11-22 10:00:00"), Slack::More);
        assert_eq!(slack("2026-05-26 12:00:00", "2026-05-31 12:00:00"), Slack::Under3);
        assert_eq!(slack("2026-05-26 12:00:00", "2026-06-01 12:00:01"), Slack::Under2);
    }

    proptest! {
        #[test]
        fn less_than_so_many_days_are_left_exactly_when_the_others_have_gone(event in 0i64..630_000_000, after in 0i64..900_000) {
            let event = datetime(2015, 5, 1, 0, 0, 0, 0).checked_add(event.seconds()).expect("a date");
            let now = event.checked_add(after.seconds()).expect("a date");
            let slack = Scale::at(ConsentDate::from_civil(now)).slack(deadline(ConsentDate::from_civil(event)));
            prop_assert_eq!(slack == Slack::Late, calendar::is_too_late(event, now));
            for (days, then) in [(1u8, Slack::Under2), (2, Slack::Under1)] {
                // A day off is counted as the last second before it, and back as the first one after it.
                let gone = event < calendar::business_days_before(now, days);
                prop_assert!(!calendar::is_business_day(now.date()) || (slack <= then) == gone, "{} {}", event, now);
            }
        }
    }
}
