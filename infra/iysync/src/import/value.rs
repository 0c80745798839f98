//! Values as people write them into tables, brought to İYS's words and form. What is not known stays as it
//! is, for the rules to name.

use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value, json};

use super::columns::{Columns, Field, folded};

/// Words for İYS's words, as [`folded`] writes them.
const WORDS: [(Field, &[(&str, &str)]); 3] = [
    (
        Field::Type,
        &[
            ("eposta", "EPOSTA"),
            ("email", "EPOSTA"),
            ("mail", "EPOSTA"),
            ("mesaj", "MESAJ"),
            ("sms", "MESAJ"),
            ("arama", "ARAMA"),
            ("call", "ARAMA"),
        ],
    ),
    (Field::Status, &[("onay", "ONAY"), ("onayli", "ONAY"), ("ret", "RET"), ("red", "RET")]),
    (Field::RecipientType, &[("bireysel", "BIREYSEL"), ("tacir", "TACIR")]),
];

/// A row as the consent API takes it.
pub(crate) fn item(columns: &Columns, row: &csv::StringRecord) -> Map<String, Value> {
    let mut item = Map::new();
    for field in [Field::Recipient, Field::ExternalId, Field::RetailerCode] {
        if let Some(value) = columns.value(row, field) {
            item.insert(field.name().to_owned(), json!(value));
        }
    }
    for field in [Field::Type, Field::Status, Field::RecipientType] {
        if let Some(value) = columns.value(row, field) {
            item.insert(field.name().to_owned(), json!(word(field, value)));
        }
    }
    if let Some(source) = columns.value(row, Field::Source) {
        item.insert(Field::Source.name().to_owned(), json!(source.to_ascii_uppercase()));
    }
    if let Some(value) = columns.value(row, Field::ConsentDate).or_else(|| columns.value(row, Field::CreationDate)) {
        item.insert(Field::ConsentDate.name().to_owned(), json!(date(value)));
    }
    if let Some(dealers) = columns.value(row, Field::RetailerAccess) {
        let is_between = |letter: char| matches!(letter, ',' | ';' | '|' | '[' | ']') || letter.is_whitespace();
        let dealers: Vec<_> = dealers.split(is_between).filter(|dealer| !dealer.is_empty()).collect();
        item.insert(Field::RetailerAccess.name().to_owned(), json!(dealers));
    }
    item
}

fn word(field: Field, value: &str) -> String {
    let words = WORDS.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, words)| *words);
    let folded = folded(value);
    words.iter().find(|(known, _)| *known == folded).map_or_else(|| value.to_owned(), |(_, word)| (*word).to_owned())
}

/// A date in İYS's form, from that of tables in Turkish (`20.11.2026 11:59`) and from ISO 8601. A date alone
/// is its first moment. With slashes nobody knows which is the month.
fn date(text: &str) -> String {
    match with_points(text).or_else(|| iso(text)) {
        Some(moment) => moment.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => text.to_owned(),
    }
}

fn with_points(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts =
        day.split('.').map(|part| Some(part).filter(|part| (1..=4).contains(&part.len())).and_then(|part| part.parse::<i16>().ok()));
    let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(date.to_datetime(of_day(time.trim())?))
}

fn of_day(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::midnight());
    }
    let parts: Vec<i8> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [hour, minute] => Time::new(hour, minute, 0, 0).ok(),
        [hour, minute, second] => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    }
}

/// With an offset it is brought to Turkish time; without, it is Turkish.
fn iso(text: &str) -> Option<DateTime> {
    if text.contains('T')
        && let Ok(moment) = text.parse::<jiff::Timestamp>()
    {
        let turkish = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(3));
        return turkish.to_datetime(moment).with().subsec_nanosecond(0).build().ok();
    }
    let is_day = |text: &str| text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    if is_day(text) {
        return text.parse::<Date>().ok().map(|date| date.to_datetime(Time::midnight()));
    }
    let (day, time) = text.split_once(['T', ' '])?;
    let date = Some(day).filter(|day| is_day(day))?.parse::<Date>().ok()?;
    Some(date.to_datetime(of_day(time.split('.').next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_tables_come_to_iys_form_and_what_is_unclear_stays() {
        for (written, read) in [
            ("2026-11-20 11:59:00", "2026-11-20 11:59:00"),
            ("20.11.2026 11:59:07", "2026-11-20 11:59:07"),
            ("20.11.2026 11:59", "2026-11-20 11:59:00"),
            ("1.2.2026", "2026-02-01 00:00:00"),
            ("2026-11-20", "2026-11-20 00:00:00"),
            ("2026-11-20T11:59:00", "2026-11-20 11:59:00"),
            ("2026-11-20 11:59", "2026-11-20 11:59:00"),
            ("2026-11-20 11:59:00.000", "2026-11-20 11:59:00"),
            ("2026-11-20T21:59:00Z", "2026-11-21 00:59:00"),
            ("2026-11-20T11:59:00+03:00", "2026-11-20 11:59:00"),
        ] {
            assert_eq!(date(written), read, "{written}");
        }
        for unclear in
            ["11/20/2026", "20/11/2026 11:59", "20.11.26", "30.02.2026", "2026-02-30 10:00:00", "dün", "20.11.2026 25:00", "1.2.3.2026"]
        {
            assert_eq!(date(unclear), unclear);
        }
    }

    #[test]
    fn words_for_the_channels_and_the_statuses_are_understood() {
        for (field, written, read) in [
            (Field::Type, "e-posta", "EPOSTA"),
            (Field::Type, "SMS", "MESAJ"),
            (Field::Type, "Arama", "ARAMA"),
            (Field::Type, "faks", "faks"),
            (Field::Status, "Onay", "ONAY"),
            (Field::Status, "RED", "RET"),
            (Field::Status, "evet", "evet"),
            (Field::RecipientType, "Bireysel", "BIREYSEL"),
            (Field::RecipientType, "TACİR", "TACIR"),
        ] {
            assert_eq!(word(field, written), read);
        }
    }
}
