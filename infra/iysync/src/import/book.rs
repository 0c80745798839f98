//! Reads a book as a stream, and gathers its rows into chunks: each of one channel and recipient type where
//! that can be told, so that İYS's questions, a thousand addresses of one kind each, are full. The same file
//! has the same chunks each time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};
use encoding_rs_io::DecodeReaderBytes;
use serde_json::{Map, Value};

use super::columns::{Columns, Field};
use super::lines::Lines;
use super::options::Options;
use super::scan::{Scan, Watch, Watched, decoded};
use super::value;
use crate::failure::Failure;

/// Most rows in a chunk: İYS's question takes as many addresses.
pub(crate) const ROWS: usize = 1000;
/// Most bytes in a chunk: Lambda takes six megabytes, and the rows are not all that it gets.
const BYTES: usize = 4_000_000;
/// Kinds that have chunks of their own; whatever else there is goes together.
const CHANNELS: [&str; 3] = ["ARAMA", "EPOSTA", "MESAJ"];
const TYPES: [&str; 2] = ["BIREYSEL", "TACIR"];

/// A row of the book.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its line in the file.
    pub(crate) line: u64,
    /// As it stands there.
    pub(crate) fields: StringRecord,
    /// As the consent API takes it; nothing for a row that has more columns than the first.
    pub(crate) item: Option<Map<String, Value>>,
}

/// Rows that go together.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Its place in the book.
    pub(crate) number: u64,
    pub(crate) rows: Vec<Row>,
    /// How many bytes of the file were read by then.
    pub(crate) seen: u64,
}

#[derive(Default)]
struct Bucket {
    rows: Vec<Row>,
    bytes: usize,
}

/// A book's chunks, one after the other.
pub(crate) struct Book {
    reader: Reader<Watched<Lines<Text>>>,
    rows: Watch,
    bytes: Watch,
    pub(crate) columns: Columns,
    /// The first row.
    pub(crate) header: StringRecord,
    buckets: BTreeMap<(&'static str, &'static str), Bucket>,
    number: u64,
    name: String,
    is_over: bool,
}

/// The file's text, and how much of the file was read for it.
type Text = DecodeReaderBytes<Watched<BufReader<File>>, Vec<u8>>;

impl Book {
    /// Opens a book that was looked through.
    pub(crate) fn open(path: &Path, scan: &Scan, options: &Options) -> Result<Self, Failure> {
        let name = path.to_string_lossy().into_owned();
        let unusable = |why: String| Failure::File { name: name.clone(), why };
        let file = File::open(path).map_err(|error| unusable(error.to_string()))?;
        let (counted, bytes) = Watched::new(BufReader::new(file));
        // A row is watched as it comes out of the decoder; the file itself has no row.
        let (text, rows) = Watched::new(Lines::of(decoded(counted, scan.encoding)));
        let mut reader = ReaderBuilder::new().delimiter(scan.separator).flexible(true).has_headers(false).from_reader(text);
        let mut header = StringRecord::new();
        for _ in 0..=u8::from(scan.has_preface) {
            reader.read_record(&mut header).map_err(|error| unusable(said(&error)))?;
            rows.row_ended();
            bytes.row_ended();
        }
        if header.is_empty() {
            return Err(unusable("it has no first row that names its columns".to_owned()));
        }
        let columns = Columns::find(&header, &options.columns, &options.set)?;
        Ok(Self { reader, rows, bytes, columns, header, buckets: BTreeMap::new(), number: 0, name, is_over: false })
    }

    fn chunk(&mut self, kind: (&'static str, &'static str)) -> Chunk {
        let Bucket { rows, .. } = self.buckets.remove(&kind).unwrap_or_default();
        self.number += 1;
        Chunk { number: self.number - 1, rows, seen: self.bytes.seen() }
    }

    /// Reads on until a chunk is full; the last ones are not.
    fn read_on(&mut self) -> Result<Option<Chunk>, Failure> {
        while !self.is_over {
            let mut fields = StringRecord::new();
            let line = self.reader.position().line();
            let read = self.reader.read_record(&mut fields);
            let more =
                read.map_err(|error| Failure::File { name: self.name.clone(), why: format!("behind line {line}: {}", said(&error)) })?;
            self.rows.row_ended();
            self.bytes.row_ended();
            if !more {
                self.is_over = true;
                break;
            }
            if fields.iter().all(str::is_empty) {
                continue;
            }
            // The reader stands behind the row's end; what it says of its beginning leaves out empty lines.
            let within = fields.iter().map(|field| field.bytes().filter(|byte| *byte == b'\n').count() as u64).sum::<u64>();
            let line = self.reader.position().line().saturating_sub(1 + within);
            let fits = fields.iter().skip(self.columns.count).all(str::is_empty);
            let item = fits.then(|| value::item(&self.columns, &fields));
            let kind = kind(item.as_ref());
            let size = item.as_ref().map_or(0, size);
            if self.buckets.get(&kind).is_some_and(|bucket| bucket.bytes + size > BYTES) {
                let chunk = self.chunk(kind);
                self.put(kind, size, Row { line, fields, item });
                return Ok(Some(chunk));
            }
            if self.put(kind, size, Row { line, fields, item }) == ROWS {
                return Ok(Some(self.chunk(kind)));
            }
        }
        let next = self.buckets.keys().next().copied();
        Ok(next.map(|kind| self.chunk(kind)))
    }

    /// Puts a row to its kind, and tells how many that has now.
    fn put(&mut self, kind: (&'static str, &'static str), size: usize, row: Row) -> usize {
        let bucket = self.buckets.entry(kind).or_default();
        bucket.rows.push(row);
        bucket.bytes += size;
        bucket.rows.len()
    }
}

impl Iterator for Book {
    type Item = Result<Chunk, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read_on().transpose();
        // After a failure nothing more is to be had.
        if matches!(next, Some(Err(_))) {
            self.is_over = true;
            self.buckets.clear();
        }
        next
    }
}

fn kind(item: Option<&Map<String, Value>>) -> (&'static str, &'static str) {
    let word = |field: Field, known: &[&'static str]| {
        let said = item.and_then(|item| item.get(field.name())).and_then(Value::as_str).unwrap_or_default();
        known.iter().find(|word| **word == said).copied().unwrap_or_default()
    };
    match (word(Field::Type, &CHANNELS), word(Field::RecipientType, &TYPES)) {
        ("", _) => ("", ""),
        (channel, "") => (channel, TYPES[0]),
        kind => kind,
    }
}

/// At least as many bytes as the row has as JSON: each letter may be written as six.
fn size(item: &Map<String, Value>) -> usize {
    let of = |value: &Value| match value {
        Value::String(text) => text.len() * 6,
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(|text| text.len() * 6 + 4).sum(),
        _ => 0,
    };
    item.iter().map(|(name, value)| name.len() + of(value) + 8).sum::<usize>() + 2
}

/// What is wrong with a file, without anything that stands in it.
fn said(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "it cannot be read as text".to_owned(),
        _ => "it is no table".to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use clap::Parser;
    use encoding_rs::{UTF_8, WINDOWS_1254};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(line: &str) -> Options {
        match Cli::try_parse_from(format!("iysync import book.csv {line}").split_whitespace()).unwrap().command {
            Command::Import(options) => *options,
            _ => panic!("another command"),
        }
    }

    fn read(bytes: &[u8], line: &str) -> Result<Vec<Chunk>, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let options = options(line);
        let scan = Scan::of(file.path(), options.encoding.map(super::super::options::Letters::encoding), options.separator).unwrap();
        Book::open(file.path(), &scan, &options)?.collect()
    }

    fn items(bytes: &[u8]) -> Vec<Value> {
        let mut rows: Vec<_> = read(bytes, "").unwrap().into_iter().flat_map(|chunk| chunk.rows).collect();
        rows.sort_by_key(|row| row.line);
        rows.into_iter().map(|row| Value::Object(row.item.unwrap())).collect()
    }

    #[test]
    fn a_table_is_read_whatever_ends_its_lines_and_surrounds_its_fields() {
        let expected = json!([{"recipient": "a@example.com", "type": "EPOSTA", "status": "ONAY", "consentDate": "2026-11-20 10:00:00"}]);
        for text in [
            "recipient;type;status;consentDate\r\na@example.com;EPOSTA;ONAY;20.11.2026 10:00\r\n",
            "recipient,type,status,consentDate\n\"a@example.com\",eposta,\"ONAY\",2026-11-20 10:00:00",
            "\u{feff}Alıcı\tKanal\tDurum\tTarih\n\n  a@example.com \tE-Posta\tOnay\t2026-11-20 10:00:00\n\t\t\t\n",
            "sep=;\nrecipient;type;status;consentDate;;\na@example.com;EPOSTA;ONAY;20.11.2026 10:00;;\n",
        ] {
            assert_eq!(Value::Array(items(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn a_row_is_named_by_the_line_on_which_it_begins() {
        for end in ["\n", "\r\n"] {
            let rows = ["recipient;type;status", "a;MESAJ;RET", "", "\"b\nc\";MESAJ;RET", "d;MESAJ;RET", "", "e;MESAJ;RET"];
            let chunks = read(rows.join("\n").replace('\n', end).as_bytes(), "").unwrap();
            let lines: Vec<u64> = chunks.iter().flat_map(|chunk| &chunk.rows).map(|row| row.line).collect();
            assert_eq!(lines, [2, 4, 6, 8], "{end:?}");
        }
    }

    #[test]
    fn a_row_with_more_columns_than_the_first_is_none_and_one_with_fewer_lacks_the_last() {
        let chunks = read(b"recipient;type;status;source\nx;EPOSTA;RET;HS_WEB;more\ny;EPOSTA;RET\n", "").unwrap();
        let rows: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.rows).collect();
        let none: Vec<_> = rows.iter().filter(|row| row.item.is_none()).map(|row| row.line).collect();
        assert_eq!((rows.len(), none), (2, vec![2]));
    }

    #[test]
    fn chunks_are_of_one_kind_full_and_the_same_each_time() {
        let mut text = "recipient;type;status;recipientType\n".to_owned();
        for number in 0..5500 {
            let (channel, kind) = [("MESAJ", "BIREYSEL"), ("EPOSTA", ""), ("MESAJ", "TACIR"), ("?", "")][number % 4];
            text.push_str(&format!("{number};{channel};RET;{kind}\n"));
        }
        let shape = || -> Vec<(u64, usize, u64)> {
            let chunks = read(text.as_bytes(), "").unwrap();
            chunks.iter().map(|chunk| (chunk.number, chunk.rows.len(), chunk.rows[0].line)).collect()
        };
        let chunks = shape();
        assert_eq!(chunks.iter().map(|(_, rows, _)| rows).sum::<usize>(), 5500);
        assert_eq!(chunks.iter().filter(|(_, rows, _)| *rows == ROWS).count(), 4);
        assert_eq!(chunks, shape());
        assert!(chunks.iter().enumerate().all(|(at, (number, ..))| *number == at as u64));
    }

    #[test]
    fn a_chunk_keeps_within_what_lambda_takes() {
        let dealers = (0..3000).map(|at| (10_000_000 + at).to_string()).collect::<Vec<_>>().join(" ");
        let mut text = "recipient;type;status;retailerAccess\n".to_owned();
        (0..300).for_each(|number| text.push_str(&format!("{number};MESAJ;RET;{dealers}\n")));
        let chunks = read(text.as_bytes(), "").unwrap();
        assert!(chunks.len() > 1);
        for chunk in &chunks {
            let items: Vec<_> = chunk.rows.iter().map(|row| row.item.clone().unwrap()).collect();
            assert!(serde_json::to_string(&items).unwrap().len() < BYTES);
        }
    }

    #[test]
    fn a_quotation_mark_that_nothing_closes_does_not_swallow_the_rest() {
        let mut text = b"recipient;type;status\n\"x;MESAJ;RET\n".to_vec();
        text.extend(std::iter::repeat_n(b"905320000000;MESAJ;RET\n", 400_000).flatten());
        let error = read(&text, "").unwrap_err().to_string();
        assert!(error.contains("quotation mark") && error.contains("line 2"), "{error}");
    }

    fn cell() -> impl Strategy<Value = String> {
        // Windows-1254 has these letters, too.
        prop_oneof!["[a-zA-ZçğıİöşüÇĞÖŞÜ0-9;,\"@. ]{0,12}", Just("line\nbreak".to_owned())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_order_of_columns_separator_and_letters_reads_the_same(
            rows in prop::collection::vec((cell(), cell()), 1..8),
            order in Just([0usize, 1, 2, 3]).prop_shuffle(),
            separator in prop::sample::select(&b";,\t"[..]),
            letters in 0..3,
            crlf in any::<bool>(),
        ) {
            let names = ["Alıcı", "Kanal", "Durum", "Harici Kimlik"];
            let table = rows.iter().map(|(recipient, id)| [format!("x{recipient}"), "MESAJ".to_owned(), "RET".to_owned(), format!("y{id}")]);
            let table: Vec<[String; 4]> = table.collect();
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(terminator).from_writer(Vec::new());
            writer.write_record(order.map(|at| names[at])).unwrap();
            for row in &table {
                writer.write_record(order.map(|at| &row[at])).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let (bytes, encoding) = match letters {
                0 => (text.into_bytes(), UTF_8),
                1 => ([&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(), UTF_8),
                _ => (WINDOWS_1254.encode(&text).0.into_owned(), WINDOWS_1254),
            };
            let has_no_letters = bytes.is_ascii();
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            let scan = Scan::of(file.path(), None, None).unwrap();
            prop_assert!((scan.encoding == encoding || has_no_letters) && scan.separator == separator);
            let expected: Vec<_> = table.iter().map(|row| json!({"recipient": row[0].trim(), "type": "MESAJ", "status": "RET", "externalId": row[3].trim()})).collect();
            prop_assert_eq!(items(&bytes), expected);
        }
    }
}
