//! A first look through a book: its digest, how its letters are written, and what stands between its columns.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use data_encoding::HEXLOWER;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1254};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use sha2::{Digest, Sha256};

/// How much is read at once.
const PIECE: usize = 1 << 16;
/// In how much of the file's beginning the separator is looked for.
const BEGINNING: u64 = 1 << 16;
/// What may stand between two columns. Where the first row tells nothing, the first of them is taken.
const SEPARATORS: [u8; 4] = [b';', b',', b'\t', b'|'];

/// What is known of a book before its rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// SHA-256 of the file.
    pub(crate) digest: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) encoding: &'static Encoding,
    pub(crate) separator: u8,
    /// Whether a first line names the separator, as Excel writes it.
    pub(crate) has_preface: bool,
}

impl Scan {
    /// Reads a file through. What is no UTF-8 is taken for Windows-1254; a byte order mark counts before
    /// either.
    pub(crate) fn of(path: &Path, encoding: Option<&'static Encoding>, separator: Option<u8>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut digest, mut size, mut utf8, mut piece) = (Sha256::new(), 0u64, Utf8::default(), vec![0; PIECE]);
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            digest.update(&piece[..read]);
            size += read as u64;
            utf8.see(&piece[..read]);
        }
        let encoding = encoding.unwrap_or(if utf8.is_valid() { UTF_8 } else { WINDOWS_1254 });
        let mut beginning = String::new();
        let mut lossy = Vec::new();
        decoded(File::open(path)?, encoding).take(BEGINNING).read_to_end(&mut lossy)?;
        beginning.push_str(&String::from_utf8_lossy(&lossy));
        let preface = beginning.lines().next().and_then(|line| line.strip_prefix("sep=")).map(str::as_bytes);
        let named = match preface {
            Some([one]) => Some(*one),
            _ => None,
        };
        let separator = separator.or(named).unwrap_or_else(|| likeliest(&beginning));
        Ok(Self { digest: HEXLOWER.encode(&digest.finalize()), size, encoding, separator, has_preface: named.is_some() })
    }
}

/// The file's text as UTF-8, without a byte order mark.
pub(crate) fn decoded<R: Read>(file: R, encoding: &'static Encoding) -> DecodeReaderBytes<R, Vec<u8>> {
    DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).strip_bom(true).build(file)
}

/// Of the separators the one that the first row has most of, outside of quotation marks.
fn likeliest(text: &str) -> u8 {
    let (mut counts, mut quoted) = ([0usize; SEPARATORS.len()], false);
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            other if !quoted => {
                if let Some(at) = SEPARATORS.iter().position(|separator| *separator == other) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    // Of equal ones the first.
    let most = counts.iter().enumerate().max_by_key(|(at, count)| (**count, std::cmp::Reverse(*at)));
    most.map_or(SEPARATORS[0], |(at, _)| SEPARATORS[at])
}

/// Whether bytes that come in pieces are UTF-8.
#[derive(Default)]
struct Utf8 {
    is_broken: bool,
    /// A letter whose end has not come yet.
    open: Vec<u8>,
}

impl Utf8 {
    fn see(&mut self, piece: &[u8]) {
        if self.is_broken {
            return;
        }
        let mut rest = piece;
        // A letter that began in the piece before ends within three bytes.
        while !self.open.is_empty() {
            let Some((byte, after)) = rest.split_first() else { return };
            self.open.push(*byte);
            rest = after;
            match std::str::from_utf8(&self.open) {
                Ok(_) => self.open.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.is_broken = true;
                    return;
                }
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            match error.error_len() {
                Some(_) => self.is_broken = true,
                None => self.open = rest[error.valid_up_to()..].to_vec(),
            }
        }
    }

    fn is_valid(&self) -> bool {
        !self.is_broken && self.open.is_empty()
    }
}

/// Counts what is read of a file, and ends it where a row does not end: a quotation mark that nothing closes
/// would make one row of all the rest.
pub(crate) struct Watched<R> {
    inner: R,
    watch: Watch,
}

/// What a [`Watched`] reader shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    seen: Rc<Cell<u64>>,
    open: Rc<Cell<u64>>,
}

impl Watch {
    /// Longest row, in bytes, with what is read ahead.
    const LONGEST: u64 = 4 << 20;

    /// How many bytes were read.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.get()
    }

    /// A row has ended.
    pub(crate) fn row_ended(&self) {
        self.open.set(0);
    }
}

impl<R> Watched<R> {
    pub(crate) fn new(inner: R) -> (Self, Watch) {
        let watch = Watch::default();
        (Self { inner, watch: watch.clone() }, watch)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.open.get() > Watch::LONGEST {
            return Err(io::Error::other("a row does not end: is a quotation mark not closed?"));
        }
        let read = self.inner.read(buffer)?;
        self.watch.seen.set(self.watch.seen.get() + read as u64);
        self.watch.open.set(self.watch.open.get() + read as u64);
        Ok(read)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(bytes: &[u8]) -> Scan {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Scan::of(file.path(), None, None).unwrap()
    }

    #[test]
    fn the_separator_is_what_the_first_row_has_most_of() {
        for (text, separator, has_preface) in [
            ("a;b;c\n1,2,3,4,5", b';', false),
            ("a,b;c,d\n", b',', false),
            ("a\tb\n", b'\t', false),
            ("\"a;b;c\",d\n", b',', false),
            ("a\n1;2;3\n", b';', false),
            ("", b';', false),
            ("sep=,\r\na;b\n", b',', true),
        ] {
            let scan = scan(text.as_bytes());
            assert_eq!((scan.separator, scan.has_preface), (separator, has_preface), "{text}");
        }
    }

    #[test]
    fn letters_that_are_no_utf_8_are_those_of_windows_in_turkish() {
        assert_eq!(scan("İzin Türü;Durum\n".as_bytes()).encoding, UTF_8);
        assert_eq!(scan(b"\xddzin T\xfcr\xfc;Durum\n").encoding, WINDOWS_1254);
        assert_eq!(scan(b"").digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    proptest! {
        #[test]
        fn text_in_pieces_is_utf_8_if_it_is_as_a_whole(bytes in prop_oneof![".{0,40}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..12)], size in 1usize..5) {
            let mut utf8 = Utf8::default();
            bytes.chunks(size).for_each(|piece| utf8.see(piece));
            prop_assert_eq!(utf8.is_valid(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
