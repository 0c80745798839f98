//! The file of the rows that have no effect: each as it stood, behind its line, code, field and reason. It is
//! the operator's own, can be mended, and imported again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::columns::{Columns, OWN};
use crate::failure::Failure;

/// Before UTF-8, so that Excel reads Turkish letters.
const MARK: &str = "\u{feff}";

/// The file, or none.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    separator: u8,
    length: u64,
}

/// Why a row has no effect.
pub(crate) struct Reason<'a> {
    pub(crate) line: u64,
    pub(crate) code: &'a str,
    pub(crate) field: &'a str,
    pub(crate) rule: &'a str,
}

impl Rejects {
    /// Opens the file: a new one, or the one of the import that goes on, up to where its rows are noted.
    pub(crate) fn open(
        path: Option<&Path>,
        separator: u8,
        columns: &Columns,
        header: &StringRecord,
        goes_on_from: Option<u64>,
    ) -> Result<Self, Failure> {
        let mut rejects = Self { path: path.unwrap_or(Path::new("")).to_owned(), file: None, separator, length: 0 };
        let Some(path) = path else { return Ok(rejects) };
        let begun = rejects.begin(path, columns, header, goes_on_from);
        begun.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::File {
                name: path.to_string_lossy().into_owned(),
                why: "there is one already: name another, or remove it".to_owned(),
            },
            _ => rejects.failure(&error),
        })?;
        Ok(rejects)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::File { name: self.path.to_string_lossy().into_owned(), why: error.to_string() }
    }

    fn begin(&mut self, path: &Path, columns: &Columns, header: &StringRecord, goes_on_from: Option<u64>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true);
        // Nobody else may read it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let Some(length) = goes_on_from else {
            self.file = Some(options.create_new(true).open(path)?);
            return self.put_header(columns, header);
        };
        let mut file = options.create(length == 0).truncate(false).open(path)?;
        file.set_len(length)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        (self.file, self.length) = (Some(file), length);
        if length == 0 { self.put_header(columns, header) } else { Ok(()) }
    }

    fn put_header(&mut self, columns: &Columns, header: &StringRecord) -> io::Result<()> {
        let text = self.text(&OWN, columns.of_others(header))?;
        self.put(format!("{MARK}{text}").as_bytes())
    }

    fn text<'a>(&self, own: &[&'a str], others: impl Iterator<Item = &'a str>) -> io::Result<String> {
        let mut writer =
            csv::WriterBuilder::new().delimiter(self.separator).terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
        writer.write_record(own.iter().copied().chain(others)).map_err(io::Error::other)?;
        let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.length += bytes.len() as u64;
        }
        Ok(())
    }

    /// Adds rows.
    pub(crate) fn add<'a>(
        &mut self,
        columns: &Columns,
        rows: impl IntoIterator<Item = (Reason<'a>, &'a StringRecord)>,
    ) -> Result<(), Failure> {
        if self.file.is_none() {
            return Ok(());
        }
        let mut text = String::new();
        for (Reason { line, code, field, rule }, fields) in rows {
            let row = self.text(&[&line.to_string(), code, field, rule], columns.of_others(fields));
            text.push_str(&row.map_err(|error| self.failure(&error))?);
        }
        self.put(text.as_bytes()).map_err(|error| self.failure(&error))
    }

    /// How long it is.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }
}
