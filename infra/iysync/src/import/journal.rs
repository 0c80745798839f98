//! How far an import is, in a file beside the book: which chunks are done, and what they came to. It holds no
//! address, and whatever of it is lost is only done once more.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::answers::ImportCounts;

use crate::failure::Failure;

/// Stands behind the book's name.
const ENDING: &str = "iysync-journal";
/// Of another version nothing is known.
const VERSION: u32 = 1;

/// What an import is about: only the same may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    pub(crate) version: u32,
    /// The book's digest.
    pub(crate) book: String,
    pub(crate) brand: String,
    /// The system that it goes into.
    pub(crate) place: String,
    /// Everything on the command line that changes what a row says.
    pub(crate) manner: String,
}

impl About {
    pub(crate) fn new(book: String, brand: String, place: String, manner: String) -> Self {
        Self { version: VERSION, book, brand, place, manner }
    }
}

/// A chunk that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    chunk: u64,
    counts: ImportCounts,
    /// How long the file of refused rows is with those of the chunk.
    rejects: u64,
}

/// The journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    done: BTreeSet<u64>,
    /// What the chunks that are done came to.
    pub(crate) counts: ImportCounts,
    /// How long the file of refused rows was then.
    pub(crate) rejects: u64,
    /// Whether it was there, of the same import.
    pub(crate) is_continued: bool,
}

impl Journal {
    /// Where the journal of a book is.
    pub(crate) fn path_of(book: &Path) -> PathBuf {
        let mut name = book.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ENDING);
        book.with_file_name(name)
    }

    /// Begins a journal anew, or goes on with the one that is there.
    pub(crate) fn open(book: &Path, about: &About, goes_on: bool) -> Result<Self, Failure> {
        let path = Self::path_of(book);
        let failure = |why: String| Failure::File { name: path.to_string_lossy().into_owned(), why };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(!goes_on).open(&path);
        let file = file.map_err(|error| failure(error.to_string()))?;
        let mut journal =
            Self { path: path.clone(), file, done: BTreeSet::new(), counts: ImportCounts::default(), rejects: 0, is_continued: false };
        let (told, end) = journal.read().map_err(|error| failure(error.to_string()))?;
        match told {
            Some(told) if told == *about => journal.is_continued = true,
            Some(_) => {
                return Err(failure("it is of another file, brand, system or reading: import without --resume".to_owned()));
            }
            None => journal = journal.begun(about).map_err(|error| failure(error.to_string()))?,
        }
        if end > 0 {
            // What was written last may not have been written to its end.
            journal.file.set_len(end).map_err(|error| failure(error.to_string()))?;
        }
        journal.file.seek(io::SeekFrom::End(0)).map_err(|error| failure(error.to_string()))?;
        Ok(journal)
    }

    fn begun(mut self, about: &About) -> io::Result<Self> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{}\n", serde_json::to_string(about)?).as_bytes())?;
        self.file.sync_data()?;
        Ok(self)
    }

    /// Reads what is there, up to the last whole line.
    fn read(&mut self) -> io::Result<(Option<About>, u64)> {
        let mut reader = BufReader::new(&self.file);
        let (mut told, mut end, mut text) = (None, 0, String::new());
        loop {
            text.clear();
            let length = match reader.read_line(&mut text) {
                Ok(length) => length as u64,
                // A line that broke off within a letter.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => break,
                Err(error) => return Err(error),
            };
            if !text.ends_with('\n') {
                break;
            }
            if told.is_none() {
                let Ok(about) = serde_json::from_str::<About>(&text) else { break };
                told = Some(about);
            } else {
                let Ok(line) = serde_json::from_str::<Line>(&text) else { break };
                if self.done.insert(line.chunk) {
                    self.counts.add(&line.counts);
                }
                self.rejects = line.rejects;
            }
            end += length;
        }
        Ok((told, end))
    }

    /// The chunks that were done when it was opened.
    pub(crate) fn done(&self) -> impl Iterator<Item = u64> + '_ {
        self.done.iter().copied()
    }

    /// Notes that a chunk is done.
    pub(crate) fn note(&mut self, chunk: u64, counts: &ImportCounts, rejects: u64) -> Result<(), Failure> {
        let line = Line { chunk, counts: counts.clone(), rejects };
        let written = serde_json::to_string(&line).map_err(io::Error::from).and_then(|text| {
            self.file.write_all(format!("{text}\n").as_bytes())?;
            self.file.sync_data()
        });
        written.map_err(|error| Failure::File { name: self.path.to_string_lossy().into_owned(), why: error.to_string() })
    }

    /// All is done: nothing is left to go on with.
    pub(crate) fn end(self) {
        // A journal that stays says of each chunk that it is done.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn about(book: &str) -> About {
        About::new(book.to_owned(), "demo".to_owned(), "reconcile".to_owned(), String::new())
    }

    fn counts(rows: u64) -> ImportCounts {
        ImportCounts { rows, ..ImportCounts::default() }
    }

    fn has_chunk(journal: &Journal, chunk: u64) -> bool {
        journal.done().any(|done| done == chunk)
    }

    #[test]
    fn a_journal_that_broke_off_anywhere_goes_on_with_what_it_has_whole() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("book.csv");
        let mut journal = Journal::open(&book, &about("a"), false).unwrap();
        journal.note(0, &counts(1000), 10).unwrap();
        journal.note(2, &counts(500), 25).unwrap();
        let path = Journal::path_of(&book);
        let whole = std::fs::read(&path).unwrap();
        let lines: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let mut journal = Journal::open(&book, &about("a"), true).unwrap();
            let has = |at: usize| length >= lines[at];
            assert_eq!(
                (has_chunk(&journal, 0), has_chunk(&journal, 1), has_chunk(&journal, 2)),
                (has(1), false, has(2)),
                "after {length} bytes"
            );
            let expected = if has(2) {
                (1500, 25)
            } else if has(1) {
                (1000, 10)
            } else {
                (0, 0)
            };
            assert_eq!((journal.counts.rows, journal.rejects), expected);
            journal.note(1, &counts(1), 30).unwrap();
            let again = Journal::open(&book, &about("a"), true).unwrap();
            assert!(has_chunk(&again, 1) && has_chunk(&again, 0) == has(1));
            assert_eq!(again.rejects, 30);
        }
    }

    #[test]
    fn only_the_same_import_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("book.csv");
        Journal::open(&book, &about("a"), false).unwrap().note(0, &counts(1), 0).unwrap();
        assert!(Journal::open(&book, &about("b"), true).is_err());
        assert!(!has_chunk(&Journal::open(&book, &about("b"), false).unwrap(), 0));
        Journal::open(&book, &about("b"), true).unwrap().end();
        assert!(!Journal::path_of(&book).exists());
    }
}
