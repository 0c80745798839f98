//! What comes in beside the command line: files, and standard input. Nothing of it is shown again.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::language::Language;

/// Stands for standard input where a file is expected.
const STANDARD_INPUT: &str = "-";

fn unusable(path: &Path, why: impl ToString) -> Failure {
    let name = if is_standard_input(path) { "standard input".into() } else { path.to_string_lossy() };
    Failure::File { name: name.into_owned(), why: why.to_string() }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// A whole file.
pub(crate) fn file(path: &Path) -> Result<String, Failure> {
    let text = if is_standard_input(path) { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    text.map_err(|error| unusable(path, error))
}

/// A whole file of any bytes.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = if is_standard_input(path) { read() } else { std::fs::read(path) };
    bytes.map_err(|error| unusable(path, error))
}

/// A file of JSON. An error tells the place, not what stands there.
pub(crate) fn json(path: &Path) -> Result<Value, Failure> {
    let text = file(path)?;
    let place = |error: serde_json::Error| format!("line {}, column {}: no JSON", error.line(), error.column());
    serde_json::from_str(&text).map_err(|error| unusable(path, place(error)))
}

/// An address. It is nowhere shown but on the terminal where it was typed.
pub(crate) struct Address {
    text: String,
    /// Whether it stands on the command line.
    is_argument: bool,
}

impl Address {
    /// The argument; without one, a person is asked for it, or the first line of standard input is taken.
    pub(crate) fn read(argument: Option<String>, language: Language) -> Result<Self, Failure> {
        if let Some(text) = argument {
            return Ok(Self { text, is_argument: true });
        }
        let mut input = io::stdin().lock();
        if input.is_terminal() {
            let question = language.say("Address: ", "Adres: ");
            // Without the question the answer counts as well.
            let _ = write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush());
        }
        let mut line = String::new();
        input.read_line(&mut line).map_err(|error| unusable(Path::new(STANDARD_INPUT), error))?;
        let text = line.trim().to_owned();
        if text.is_empty() {
            return Err(Failure::Usage("which address? Type it, hand it over by standard input, or as the argument".to_owned()));
        }
        Ok(Self { text, is_argument: false })
    }

    /// The address itself, for the question.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// What an answer may show: the address as it was typed into the command line. One that was typed
    /// into the question stands there already; one that came from a file was not typed at all.
    pub(crate) fn shown(&self) -> Option<&str> {
        self.is_argument.then_some(&self.text)
    }
}
