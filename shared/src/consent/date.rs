//! The moment of a consent's last change, in Turkish civil time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Türkiye keeps UTC+3 the whole year.
pub const TURKISH_TIME: Offset = Offset::constant(3);

/// İYS's `consentDate`: Turkish civil time with second precision, written `YYYY-MM-DD HH:mm:ss`.
///
/// It is the date of the last change, not of the first, and it is never a UTC instant by accident:
/// only [`ConsentDate::at`] and [`ConsentDate::instant`] cross that border.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentDate(DateTime);

/// Why a text is no consent date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The text does not have the form that İYS asks for.
    #[error("consentDate must have the form YYYY-MM-DD HH:mm:ss")]
    Form,
    /// The form is right, but there is no such day or time.
    #[error("consentDate is not a real date and time")]
    Unreal,
}

impl DateError {
    /// İYS's own code for this mistake.
    pub fn code(self) -> &'static str {
        match self {
            DateError::Form => "H158",
            DateError::Unreal => "H157",
        }
    }
}

impl ConsentDate {
    /// The earliest date that İYS takes, and the only one for `HS_2015`: `2015-05-01 00:00:00`.
    pub const EARLIEST: ConsentDate = ConsentDate(jiff::civil::datetime(2015, 5, 1, 0, 0, 0, 0));

    /// The Turkish civil time of an instant; fractions of a second are dropped.
    pub fn at(instant: Timestamp) -> Self {
        let civil = TimeZone::fixed(TURKISH_TIME).to_datetime(instant);
        Self::from_civil(civil)
    }

    /// A civil time that is already Turkish; fractions of a second are dropped.
    pub fn from_civil(civil: DateTime) -> Self {
        Self(civil.with().subsec_nanosecond(0).build().unwrap_or(civil))
    }

    /// The same moment as an instant.
    pub fn instant(self) -> Timestamp {
        TURKISH_TIME.to_timestamp(self.0).unwrap_or(Timestamp::MAX)
    }

    /// The civil time itself.
    pub fn civil(self) -> DateTime {
        self.0
    }

    /// One second later: what a RET takes that fell into the second of the ONAY it lifts.
    #[must_use]
    pub fn next_second(self) -> Self {
        Self(self.0.saturating_add(1.second()))
    }

    /// Whole seconds from `earlier` to this date; negative when it is the later one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.since((Unit::Second, earlier.0)).map_or(0, |span| span.get_seconds())
    }
}

impl fmt::Display for ConsentDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day(),
            self.0.hour(),
            self.0.minute(),
            self.0.second()
        )
    }
}

impl fmt::Debug for ConsentDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsentDate({self})")
    }
}

impl FromStr for ConsentDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &[u8; 19] = b"dddd-dd-dd dd:dd:dd";
        let bytes: &[u8; 19] = text.as_bytes().try_into().map_err(|_| DateError::Form)?;
        let fits = bytes.iter().zip(FORM).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
        if !fits {
            return Err(DateError::Form);
        }
        let number = |from: usize, to: usize| -> i16 { bytes[from..to].iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')) };
        let small = |from: usize| -> i8 { i8::try_from(number(from, from + 2)).unwrap_or(i8::MAX) };
        DateTime::new(number(0, 4), small(5), small(8), small(11), small(14), small(17), 0).map(Self).map_err(|_| DateError::Unreal)
    }
}

impl Serialize for ConsentDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConsentDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_consent_date_is_turkish_time_whatever_the_instant_was_written_in() {
        let instant: Timestamp = "2026-11-20T22:15:00.987Z".parse().expect("an instant");
        let date = ConsentDate::at(instant);
        assert_eq!(date.to_string(), "2026-11-21 01:15:00");
        assert_eq!(date.instant().to_string(), "2026-11-20T22:15:00Z");
    }

    #[test]
    fn form_and_reality_are_told_apart() {
        for text in ["2026-3-2 14:05:09", "2026-03-02T14:05:09", "2026-03-02 14:05:09Z", "", "x", "2026-03-02 14:05:0९"] {
            assert_eq!(text.parse::<ConsentDate>(), Err(DateError::Form), "{text}");
        }
        for text in ["2026-02-30 10:00:00", "2026-13-01 10:00:00", "2026-01-01 24:00:00", "2026-01-01 23:59:60"] {
            assert_eq!(text.parse::<ConsentDate>(), Err(DateError::Unreal), "{text}");
        }
    }

    #[test]
    fn the_next_second_crosses_midnight_and_new_year() {
        let last: ConsentDate = "2026-12-31 23:59:59".parse().expect("a date");
        assert_eq!(last.next_second().to_string(), "2027-01-01 00:00:00");
        assert_eq!(last.next_second().seconds_since(last), 1);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 1_430_427_600_i64..2_300_000_000) {
            let date = ConsentDate::at(Timestamp::from_second(seconds).expect("in range"));
            prop_assert_eq!(date.to_string().parse::<ConsentDate>(), Ok(date));
            prop_assert_eq!(date.instant().as_second(), seconds);
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in ".{0,32}") {
            let _ = text.parse::<ConsentDate>();
        }
    }
}
