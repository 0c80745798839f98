//! The rows of an export, one at a time: CSV with a head, or JSON as one array or a line for each profile.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Column, ExportError, Shown};
use crate::brand::ExportFormat;
use crate::consent::{Channel, Recipient};

const EMAIL: [&str; 2] = ["a_email", "email"];
const PHONE: [&str; 2] = ["a_phone_number", "phone_number"];

/// Reads every row and hands it on, until the other side wants no more. The memory that it takes does not
/// depend on the number of rows.
pub(super) fn read(
    format: ExportFormat,
    reader: impl Read,
    columns: &[Column],
    each: &mut dyn FnMut(Shown) -> bool,
) -> Result<(), ExportError> {
    match format {
        ExportFormat::Csv => read_csv(reader, columns, each),
        ExportFormat::Json => read_json(reader, columns, each),
    }
}

fn read_csv(reader: impl Read, columns: &[Column], each: &mut dyn FnMut(Shown) -> bool) -> Result<(), ExportError> {
    let mut reader = csv::Reader::from_reader(reader);
    let form = |row, error: &csv::Error| match error.kind() {
        csv::ErrorKind::Io(_) => lost(),
        csv::ErrorKind::Utf8 { .. } => ExportError::Form { row, why: "it is not UTF-8" },
        _ => ExportError::Form { row, why: "it has another number of fields than the head" },
    };
    let head = reader.headers().map_err(|error| form(0, &error))?.clone();
    let place = |names: &[&str]| head.iter().position(|field| names.contains(&field.trim().trim_start_matches('\u{feff}')));
    let (email, phone) = (place(&EMAIL), place(&PHONE));
    if email.is_none() && phone.is_none() {
        return Err(ExportError::Form { row: 0, why: "the head names no address" });
    }
    let flags: Vec<_> =
        columns.iter().filter_map(|column| Some((column.channel, place(&column.names.each_ref().map(String::as_str))?))).collect();
    let mut record = csv::StringRecord::new();
    let mut row = 0;
    loop {
        row += 1;
        if !reader.read_record(&mut record).map_err(|error| form(row, &error))? {
            return Ok(());
        }
        let field = |place: Option<usize>| place.and_then(|place| record.get(place)).map(Cow::Borrowed);
        let flags = flags.iter().map(|(channel, place)| (*channel, field(Some(*place))));
        if !each(shown(field(email), field(phone), flags)) {
            return Ok(());
        }
    }
}

fn read_json(reader: impl Read, columns: &[Column], each: &mut dyn FnMut(Shown) -> bool) -> Result<(), ExportError> {
    let mut reader = std::io::BufReader::new(reader);
    let is_array = loop {
        let Some(first) = reader.fill_buf().map_err(|_| lost())?.first().copied() else { return Ok(()) };
        if !first.is_ascii_whitespace() {
            break first == b'[';
        }
        reader.consume(1);
    };
    let mut rows = Rows { columns, each, row: 0, over: false };
    let mut json = serde_json::Deserializer::from_reader(reader);
    let error = if is_array {
        json.deserialize_seq(&mut rows).and_then(|()| json.end()).err()
    } else {
        let mut objects = json.into_iter::<Map<String, Value>>();
        loop {
            match objects.next() {
                Some(Ok(object)) => {
                    if !rows.take(&object) {
                        break None;
                    }
                }
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        }
    };
    match error {
        None => Ok(()),
        Some(_) if rows.over => Ok(()),
        Some(error) if error.is_io() => Err(lost()),
        Some(_) => Err(ExportError::Form { row: rows.row + 1, why: "it is no JSON object" }),
    }
}

/// Takes the objects of one array as they come.
struct Rows<'a> {
    columns: &'a [Column],
    each: &'a mut dyn FnMut(Shown) -> bool,
    row: u64,
    over: bool,
}

impl Rows<'_> {
    fn take(&mut self, object: &Map<String, Value>) -> bool {
        self.row += 1;
        let field = |names: &[&str]| names.iter().find_map(|name| text(object.get(*name)?));
        let flags = self.columns.iter().map(|column| (column.channel, field(&column.names.each_ref().map(String::as_str))));
        self.over = !(self.each)(shown(field(&EMAIL), field(&PHONE), flags));
        !self.over
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("profiles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(object) = rows.next_element::<Map<String, Value>>()? {
            if !self.take(&object) {
                // The rest of the array is not read any more.
                return Err(serde::de::Error::custom("over"));
            }
        }
        Ok(())
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// One profile. An address that is none, and a flag of no known spelling, are taken for missing.
fn shown<'a>(
    email: Option<Cow<'a, str>>,
    phone: Option<Cow<'a, str>>,
    flags: impl Iterator<Item = (Channel, Option<Cow<'a, str>>)>,
) -> Shown {
    let address = |text: Option<Cow<'_, str>>, channel| Recipient::parse(text?.trim(), channel).ok();
    let flag = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    Shown {
        email: address(email, Channel::Eposta),
        phone: address(phone, Channel::Mesaj),
        flags: flags.filter_map(|(channel, text)| Some((channel, flag(&text?)?))).collect(),
    }
}

/// The download broke off.
fn lost() -> ExportError {
    ExportError::Insider(super::InsiderError::Unanswered { why: "export: the download broke off".into() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        [(Channel::Eposta, "email_optin"), (Channel::Mesaj, "sms_optin"), (Channel::Arama, "c_iys_call_optin")]
            .map(|(channel, name)| Column { channel, wanted: name.into(), names: [format!("a_{name}"), name.into()] })
            .into()
    }

    fn all(format: ExportFormat, file: &str) -> Result<Vec<Shown>, ExportError> {
        let mut rows = Vec::new();
        read(format, file.as_bytes(), &columns(), &mut |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    fn two() -> Vec<Shown> {
        vec![
            Shown {
                email: Some(Recipient::parse("ayse@example.com", Channel::Eposta).unwrap()),
                phone: Some(Recipient::parse("+905321112233", Channel::Mesaj).unwrap()),
                flags: [(Channel::Eposta, false), (Channel::Mesaj, true), (Channel::Arama, true)].into(),
            },
            Shown { email: Some(Recipient::parse("mehmet@example.com", Channel::Eposta).unwrap()), phone: None, flags: [].into() },
        ]
    }

    #[test]
    fn the_same_profiles_are_read_from_every_form() {
        let csv = "iid,a_email,a_phone_number,a_email_optin,a_sms_optin,a_c_iys_call_optin\n\
                   a,ayse@example.com,+905321112233,false,TRUE,1\n\"b,\"\"c\"\"\nd\",mehmet@example.com,,,,\n";
        let one = r#"{"iid":"a","a_email":"ayse@example.com","a_phone_number":"+905321112233","a_email_optin":false,"a_sms_optin":true,"a_c_iys_call_optin":1}"#;
        let other = r#"{"email":"mehmet@example.com","a_phone_number":null,"a_email_optin":"maybe","a_list":[1]}"#;
        assert_eq!(all(ExportFormat::Csv, csv).unwrap(), two());
        for json in [format!("[{one},{other}]"), format!(" \n[\n{one}\n,{other} ]\n"), format!("{one}\n{other}\n"), format!("{one}{other}")]
        {
            assert_eq!(all(ExportFormat::Json, &json).unwrap(), two(), "{json}");
        }
        for (format, nobody) in [(ExportFormat::Csv, "iid,a_email\n"), (ExportFormat::Json, "[]"), (ExportFormat::Json, " \n")] {
            assert_eq!(all(format, nobody).unwrap(), []);
        }
    }

    #[test]
    fn a_file_of_another_form_is_told_by_its_row_without_its_content() {
        for (format, file, row) in [
            (ExportFormat::Csv, "a,b\nayse@example.com,1\n", 0),
            (ExportFormat::Csv, "a_email,b\nayse@example.com,1\nayse@example.com\n", 2),
            (ExportFormat::Json, r#"[{"a_email":"ayse@example.com"},"ayse@example.com"]"#, 2),
            (ExportFormat::Json, r#"[{"a_email":"ayse@example.com"}"#, 2),
            (ExportFormat::Json, "{\"a_email\":\"ayse@example.com\"}\n<html>", 2),
        ] {
            let error = all(format, file).unwrap_err();
            assert!(matches!(error, ExportError::Form { row: at, .. } if at == row), "{file}: {error}");
            assert!(!format!("{error} {error:?}").contains("ayse"), "{error}");
        }
    }

    /// An endless file, of which every byte that was read is counted.
    struct Endless {
        head: &'static [u8],
        row: &'static [u8],
        read: usize,
    }

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            for byte in into.iter_mut() {
                *byte = match self.head.get(self.read) {
                    Some(byte) => *byte,
                    None => self.row[(self.read - self.head.len()) % self.row.len()],
                };
                self.read += 1;
            }
            Ok(into.len())
        }
    }

    #[test]
    fn rows_are_handed_on_as_they_come_and_nothing_is_read_after_the_last_one_wanted() {
        for (format, head, row) in [
            (ExportFormat::Csv, "a_email\n", "ayse@example.com\n"),
            (ExportFormat::Json, "[", "{\"a_email\":\"ayse@example.com\"},"),
            (ExportFormat::Json, "", "{\"a_email\":\"ayse@example.com\"}\n"),
        ] {
            let mut file = Endless { head: head.as_bytes(), row: row.as_bytes(), read: 0 };
            let mut count = 0;
            let ended = read(format, &mut file, &columns(), &mut |_| {
                count += 1;
                count < 50_000
            });
            assert_eq!((ended, count), (Ok(()), 50_000));
            // No more than what was wanted and one buffer.
            assert!(file.read <= 50_000 * row.len() + 70_000, "{}", file.read);
        }
    }
}
