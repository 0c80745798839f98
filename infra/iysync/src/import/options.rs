//! The command line of an import.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1254};

use crate::cli::BrandName;

/// How a book is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Letters {
    /// UTF-8.
    #[value(name = "utf-8")]
    Utf8,
    /// What Windows in Turkish writes.
    #[value(name = "windows-1254")]
    Windows1254,
}

impl Letters {
    pub(crate) fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Windows1254 => WINDOWS_1254,
        }
    }
}

/// A field and what the command line says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
}

fn assignment(text: &str) -> Result<Assignment, String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=TEXT")?;
    Ok(Assignment { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one @ (b';' | b',' | b'\t' | b'|')] => Ok(*one),
        _ => Err("it is one of ; , | tab".to_owned()),
    }
}

/// What is imported, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The book: a CSV file whose first row names its columns
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) brand: BrandName,
    /// Only count what would be done; nothing is written, İYS is not asked
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// File for the rows that have no effect, with the reason of each. It holds addresses
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Go on where an import of the same file broke off
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) resume: bool,
    /// Column of a field: recipient, type, status, source, consentDate, recipientType, externalId, retailerCode, retailerAccess
    #[arg(long, value_name = "NAME=HEADER", value_parser = assignment, value_delimiter = ',')]
    pub(crate) columns: Vec<Assignment>,
    /// Value of a field where a row has none
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<Assignment>,
    /// How the file is written [default: found out]
    #[arg(long, value_enum)]
    pub(crate) encoding: Option<Letters>,
    /// What stands between two columns [default: found out]
    #[arg(long, value_name = ";|,|tab", value_parser = separator)]
    pub(crate) separator: Option<u8>,
    /// Tell Insider of the consents that İYS holds already, too. It would forget refusals that only it knows of
    #[arg(long)]
    pub(crate) tell_insider: bool,
    /// How many chunks are under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) at_once: u8,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_keeps_what_stands_behind_its_first_sign() {
        let read = assignment("consentDate=Onay Tarihi=1").unwrap();
        assert_eq!((read.name.as_str(), read.value.as_str()), ("consentDate", "Onay Tarihi=1"));
        assert!(assignment("consentDate").is_err());
    }

    #[test]
    fn a_separator_is_one_of_those_that_tables_have() {
        assert_eq!(["tab", ";", ",", "|"].map(|text| separator(text).unwrap()), [b'\t', b';', b',', b'|']);
        assert!(separator("a").is_err() && separator("").is_err() && separator(";;").is_err());
    }
}
