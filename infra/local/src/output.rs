//! Where everything that is said goes: the terminal, for people, and a memory, for tests.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};
use tracing_subscriber::fmt::MakeWriter;

/// Longest line that is shown on the terminal, in characters. The memory keeps lines whole.
const SHOWN_CHARACTERS: usize = 320;

/// Width of the column that says who speaks.
const NAME_WIDTH: usize = 17;

/// Foreground colours of the names, in ANSI codes; red is kept for trouble.
const NAME_COLOURS: [u8; 5] = [36, 33, 35, 32, 34];

/// Metric lines in CloudWatch's embedded format begin so; they are for machines.
const METRIC_PREFIX: &str = "{\"_aws\"";

/// What to do with what is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// Show it on the terminal.
    pub terminal: bool,
    /// Keep all of it in memory, for [`Output::captured`].
    pub capture: bool,
}

/// Takes what functions and the stack itself say. Clones share the memory.
#[derive(Clone, Debug)]
pub struct Output(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: OutputOptions,
    colour: bool,
    captured: Mutex<String>,
}

impl Output {
    /// Colours are used on a terminal unless `NO_COLOR` is set.
    #[must_use]
    pub fn new(options: OutputOptions) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(Arc::new(Inner { options, colour: io::stdout().is_terminal() && !no_colour, captured: Mutex::new(String::new()) }))
    }

    /// Whether colours are used.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.0.colour
    }

    /// Everything said so far, if it is kept.
    #[must_use]
    pub fn captured(&self) -> String {
        self.memory().clone()
    }

    /// A line that a function's process wrote.
    pub(crate) fn function_line(&self, function: &str, line: &str) {
        self.keep(&format!("{function}: {line}"));
        if !line.starts_with(METRIC_PREFIX) && !line.trim().is_empty() {
            self.show(function, &readable(line).unwrap_or_else(|| line.to_owned()));
        }
    }

    /// Something that the stack itself has to say.
    pub(crate) fn notice(&self, line: &str) {
        self.keep(line);
        self.show("local", line);
    }

    /// Text as it is, for the greeting.
    pub(crate) fn plain(&self, text: &str) {
        self.keep(text);
        if self.0.options.terminal {
            to_terminal(text);
        }
    }

    fn keep(&self, line: &str) {
        if self.0.options.capture {
            let mut memory = self.memory();
            memory.push_str(line);
            memory.push('\n');
        }
    }

    fn show(&self, name: &str, line: &str) {
        if !self.0.options.terminal {
            return;
        }
        let shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
        let cut = if shown.len() < line.len() { " …" } else { "" };
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = if self.0.colour {
            let colour = NAME_COLOURS[usize::from(name.bytes().fold(0u8, u8::wrapping_add)) % NAME_COLOURS.len()];
            write!(text, "\u{1b}[{colour}m{name:>NAME_WIDTH$}\u{1b}[0m {shown}{cut}")
        } else {
            write!(text, "{name:>NAME_WIDTH$} {shown}{cut}")
        };
        to_terminal(&text);
    }

    fn memory(&self) -> MutexGuard<'_, String> {
        // The text is whole after every operation, also after one that panicked.
        self.0.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A JSON log line as a person reads it: level, message, fields. `None` if it is not one.
fn readable(line: &str) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let level = text(fields.remove("level")?);
    let message = text(fields.remove("message")?);
    // Lines come as they are written, and the name in front says from where.
    fields.remove("timestamp");
    fields.remove("target");
    let fields = fields.into_iter().map(|(name, value)| format!(" {name}={}", text(value)));
    Some(format!("{level:>5} {message}{}", fields.collect::<String>()))
}

/// A terminal that has gone away is no reason to stop.
fn to_terminal(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Lets a `tracing` subscriber write here.
impl<'a> MakeWriter<'a> for Output {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter { output: self.clone(), buffer: Vec::new() }
    }
}

/// Collects one event of a `tracing` subscriber and says it when dropped.
#[derive(Debug)]
pub struct LineWriter {
    output: Output,
    buffer: Vec<u8>,
}

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        for line in String::from_utf8_lossy(&self.buffer).lines() {
            self.output.notice(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_log_line_is_shown_as_a_person_reads_it() {
        let line = r#"{"timestamp":"2026","level":"INFO","message":"taken","brand":"demo","count":2,"target":"x"}"#;
        assert_eq!(readable(line).as_deref(), Some(" INFO taken brand=demo count=2"));
        for other in ["taken", "{}", "[1]", r#"{"level":"INFO"}"#] {
            assert_eq!(readable(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_said_is_kept_whole_only_when_asked() {
        let long = "x".repeat(SHOWN_CHARACTERS * 2);
        let keeps = Output::new(OutputOptions { terminal: false, capture: true });
        keeps.function_line("echo", &long);
        keeps.function_line("echo", "{\"_aws\":{}}");
        assert_eq!(keeps.captured(), format!("echo: {long}\necho: {{\"_aws\":{{}}}}\n"));

        let forgets = Output::new(OutputOptions::default());
        forgets.notice("said");
        assert_eq!(forgets.captured(), "");
    }
}
