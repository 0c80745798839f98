//! Reconciliation: the file of a day's movements, read as it arrives.
//!
//! The file may be as large as the brand has movements, so it is never held: whoever reads it takes
//! line after line, and at the end the hashes over its bytes are compared with İYS's
//! ([`DayFileEnd::matches`]). Only what is left of a line that has not arrived whole waits in memory.
//!
//! The columns are those of İYS's documentation, in the order of the first line if that names them.
//! Values are not quoted there, so a line is divided at its commas and a stray quote costs its line
//! only.

use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::civil::Date;
use reqwest::Response;
use sha2::{Digest, Sha256, Sha384};

use super::agreements::Agreement;
use super::{Client, codes};
use crate::brand;
use crate::evidence::Payload;
use crate::iys::call::{Call, Opened};
use crate::iys::tolerant::Text;
use crate::iys::wire::Row;
use crate::iys::{feed, operation};
use crate::registry::{Change, RegistryError};

/// The longest line that is read; İYS's have about 200 bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// The columns, in the order of İYS's documentation.
const COLUMNS: [&str; 8] = ["creationDate", "transactionId", "recipient", "recipientType", "type", "status", "consentDate", "source"];

/// A day's file on its way. No `Debug`: it carries addresses.
pub struct DayFile {
    response: Response,
    /// How long the next piece may take.
    patience: Duration,
    lines: Lines,
    ended: bool,
}

/// One line of a day's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLine {
    /// Its number in the file, counted from 1.
    pub number: u64,
    /// The movement, or the column that could not be read.
    pub change: Result<Change, &'static str>,
    /// The bytes that it was read from, without the line's end.
    pub payload: Payload,
}

/// What a day's file was, known once it has been read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFileEnd {
    /// Movements that could be read.
    pub changes: u64,
    /// Lines that could not.
    pub unreadable: u64,
    /// Bytes.
    pub bytes: u64,
    /// Hash over all bytes, in lower-case hexadecimal digits.
    pub sha384: String,
    /// The same by SHA-256.
    pub sha256: String,
    /// Both hashes, SHA-384 first, without the line that names the columns, if there is one. İYS's
    /// documentation does not say whether it counts.
    pub without_header: Option<[String; 2]>,
}

impl DayFileEnd {
    /// Whether the file is the one that İYS made the hash of; `None` when İYS names none.
    ///
    /// The documentation says SHA-384 and shows a hash as long as SHA-256's, so a hash of either kind
    /// is compared with, whatever the method is said to be.
    pub fn matches(&self, agreement: &Agreement) -> Option<bool> {
        agreement.hash_value.as_deref().map(|hash| self.has_hash(hash))
    }

    /// The same for a hash in hexadecimal digits.
    pub fn has_hash(&self, hash: &str) -> bool {
        let mut ours = [&self.sha384, &self.sha256].into_iter().chain(self.without_header.iter().flatten());
        ours.any(|own| own.eq_ignore_ascii_case(hash))
    }
}

impl Client {
    /// A day's movements (`agreementFile`): all of them, the brand's and people's, not only the last of
    /// each key. `None` when there is no file.
    pub async fn day_file(&self, account: &brand::Iys, day: Date) -> Result<Option<DayFile>, RegistryError> {
        let [sps, brand] = codes(account);
        let day = self.report_date(account, &operation::DAY_FILE, day)?;
        let call = Call::new(&operation::DAY_FILE, &[&sps, &brand, &day])?;
        match self.open(account, &call).await? {
            Opened::Answered(reply) if reply.status.is_success() => Ok(None),
            Opened::Answered(reply) => Err(self.fault(&call, &reply).await),
            Opened::Flowing(response) => {
                Ok(Some(DayFile { response, patience: self.settings().timeout, lines: Lines::default(), ended: false }))
            }
        }
    }
}

impl DayFile {
    /// The next line; `None` at the end. Empty lines and the one that names the columns are passed over.
    ///
    /// # Errors
    ///
    /// When the rest of the file does not arrive. It cannot be gone on with then.
    pub async fn next_line(&mut self) -> Result<Option<DayLine>, RegistryError> {
        loop {
            if let Some(line) = self.lines.next_line(self.ended) {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            let lost = |why| RegistryError::Unanswered { why: format!("{}: {why}", operation::DAY_FILE.name) };
            let piece = tokio::time::timeout(self.patience, self.response.chunk());
            match piece.await.map_err(|_| lost("the rest does not come"))?.map_err(|_| lost("the connection was lost"))? {
                Some(piece) => self.lines.push(&piece),
                None => self.ended = true,
            }
        }
    }

    /// Reads what is left, keeping nothing of it, and tells what the file was.
    ///
    /// # Errors
    ///
    /// As [`DayFile::next_line`].
    pub async fn end(mut self) -> Result<DayFileEnd, RegistryError> {
        while self.next_line().await?.is_some() {}
        Ok(self.lines.end())
    }
}

/// Both hashes over one run of bytes.
#[derive(Default)]
struct Hashes {
    sha384: Sha384,
    sha256: Sha256,
}

impl Hashes {
    fn update(&mut self, bytes: &[u8]) {
        self.sha384.update(bytes);
        self.sha256.update(bytes);
    }

    fn end(self) -> [String; 2] {
        [HEXLOWER.encode(&self.sha384.finalize()), HEXLOWER.encode(&self.sha256.finalize())]
    }
}

/// Lines out of pieces of bytes.
#[derive(Default)]
struct Lines {
    /// What has arrived and not been read.
    buffer: Vec<u8>,
    /// Where the next line begins in it.
    begin: usize,
    /// How much of it after that is known to hold no end of a line.
    searched: usize,
    /// Whether the beginning of this line was thrown away.
    too_long: bool,
    /// Lines read.
    number: u64,
    /// Where each of [`COLUMNS`] stands, when a first line says so.
    order: Option<Order>,
    whole: Hashes,
    headless: Option<Hashes>,
    bytes: u64,
    changes: u64,
    unreadable: u64,
}

impl Lines {
    fn push(&mut self, piece: &[u8]) {
        self.whole.update(piece);
        if let Some(headless) = &mut self.headless {
            headless.update(piece);
        }
        self.bytes += piece.len() as u64;
        self.buffer.drain(..self.begin);
        self.begin = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// The next line that is there whole, or at the end of the file what is left.
    fn next_line(&mut self, ended: bool) -> Option<DayLine> {
        loop {
            let rest = self.buffer.get(self.begin..).unwrap_or_default();
            let found = rest.iter().skip(self.searched).position(|byte| *byte == b'\n').map(|at| at + self.searched);
            let Some(length) = found.or((ended && (self.too_long || !rest.is_empty())).then_some(rest.len())) else {
                if rest.len() > LONGEST_LINE {
                    self.too_long = true;
                    self.begin = self.buffer.len();
                }
                self.searched = self.buffer.len() - self.begin;
                return None;
            };
            self.number += 1;
            let line = rest.get(..length).unwrap_or_default();
            let after = (self.begin + length + usize::from(found.is_some())).min(self.buffer.len());
            let too_long = std::mem::take(&mut self.too_long) || line.len() > LONGEST_LINE;
            let text = std::str::from_utf8(line).map(|line| line.trim_start_matches('\u{feff}').trim());
            if self.number == 1 && !too_long {
                self.order = text.ok().and_then(order);
            }
            let is_header = self.number == 1 && self.order.is_some();
            let payload = Payload::of(line.strip_suffix(b"\r").unwrap_or(line));
            let read = match text {
                _ if too_long => Some(Err("line")),
                Err(_) => Some(Err("line")),
                Ok(text) if is_header || text.is_empty() => None,
                Ok(text) => Some(change(text, self.order.unwrap_or(DOCUMENTED))),
            };
            if is_header {
                let mut headless = Hashes::default();
                headless.update(self.buffer.get(after..).unwrap_or_default());
                self.headless = Some(headless);
            }
            (self.begin, self.searched) = (after, 0);
            if let Some(change) = read {
                let counted = if change.is_ok() { &mut self.changes } else { &mut self.unreadable };
                *counted += 1;
                return Some(DayLine { number: self.number, change, payload });
            }
        }
    }

    fn end(self) -> DayFileEnd {
        let [sha384, sha256] = self.whole.end();
        DayFileEnd {
            changes: self.changes,
            unreadable: self.unreadable,
            bytes: self.bytes,
            sha384,
            sha256,
            without_header: self.headless.map(Hashes::end),
        }
    }
}

/// The columns of a file.
#[derive(Clone, Copy)]
struct Order {
    /// Where each of [`COLUMNS`] stands, counted from 0.
    places: [Option<usize>; 8],
    /// How many there are.
    columns: usize,
}

const DOCUMENTED: Order = Order { places: [Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)], columns: 8 };

/// The order of the columns, when a line names them: it must name the first one.
fn order(line: &str) -> Option<Order> {
    let names: Vec<&str> = values(line).collect();
    let places = COLUMNS.map(|column| names.iter().position(|name| name.eq_ignore_ascii_case(column)));
    places[0].is_some().then_some(Order { places, columns: names.len() })
}

fn values(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|value| value.trim().trim_matches('"'))
}

/// A line as a movement, or the column that is wrong.
fn change(line: &str, order: Order) -> Result<Change, &'static str> {
    let values: Vec<&str> = values(line).collect();
    if values.len() < order.columns {
        return Err("columns");
    }
    let [creation_date, transaction_id, recipient, recipient_type, channel, status, consent_date, source] =
        order.places.map(|at| at.and_then(|at| values.get(at)).map_or(Text::Missing, |value| Text::of(value)));
    let (iys_code, brand_code) = (Text::Missing, Text::Missing);
    let row = Row { iys_code, brand_code, recipient, recipient_type, channel, status, source, consent_date, creation_date, transaction_id };
    feed::change(&row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = "2026-11-19 10:00:05,9b0c,+905992000001,BIREYSEL,MESAJ,ONAY,2026-11-19 10:00:00,HS_WEB\n";

    fn read(pieces: &[&[u8]]) -> (Vec<DayLine>, DayFileEnd) {
        let (mut lines, mut read) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece);
            read.extend(std::iter::from_fn(|| lines.next_line(false)));
        }
        read.extend(std::iter::from_fn(|| lines.next_line(true)));
        (read, lines.end())
    }

    proptest! {
        #[test]
        fn a_file_is_read_alike_however_it_is_cut(
            kinds in prop::collection::vec(0..5_usize, 0..12),
            header: bool,
            cuts in prop::collection::vec(0..2000_usize, 0..8),
            ended: bool,
        ) {
            let line = |kind: &usize| [ROW, "\n", "x,y\n", &ROW.replace('\n', "\r\n"), &ROW.replace("ONAY", "RED")][*kind].to_owned();
            let mut file: String = header.then(|| COLUMNS.join(",") + "\n").into_iter().chain(kinds.iter().map(line)).collect();
            if !ended {
                file.truncate(file.trim_end().len());
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(file.len())).chain([0, file.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &file.as_bytes()[cut[0]..cut[1]]).collect();
            let (lines, end) = read(&pieces);
            prop_assert_eq!(&(lines.clone(), end.clone()), &read(&[file.as_bytes()]));
            let expected: Vec<u64> = (1 + u64::from(header)..).zip(&kinds).filter(|(_, kind)| **kind != 1).map(|(at, _)| at).collect();
            prop_assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), expected);
            prop_assert_eq!(end.changes, kinds.iter().filter(|kind| matches!(kind, 0 | 3)).count() as u64);
            prop_assert_eq!(end.changes + end.unreadable, lines.len() as u64);
            prop_assert_eq!(end.without_header.is_some(), header);
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_file_nor_with_a_line() {
        let mut lines = Lines::default();
        let rows = ROW.repeat(100);
        for _ in 0..200 {
            lines.push(rows.as_bytes());
            while lines.next_line(false).is_some() {}
        }
        for _ in 0..500 {
            lines.push(&[b'x'; 8192]);
            assert_eq!(lines.next_line(false), None);
        }
        lines.push(format!("\n{ROW}").as_bytes());
        assert_eq!(lines.next_line(false).map(|line| (line.number, line.change.is_ok())), Some((20_001, false)));
        assert_eq!(lines.next_line(false).map(|line| (line.number, line.change.is_ok())), Some((20_002, true)));
        assert!(lines.buffer.capacity() < 8 * LONGEST_LINE, "{}", lines.buffer.capacity());
    }
}
