//! The operator's command, `iysync`: checks a brand, runs jobs, explains an address. It asks the system's
//! function of jobs and its HTTP API, and works alike against the local stack and a deployed one.

mod api;
mod cli;
mod clock;
mod commands;
mod daily;
mod day_files;
mod evidence;
mod exit;
mod failure;
mod import;
mod input;
mod insider_export;
mod invoke;
mod language;
mod page;
mod place;
mod progress;
mod reason;
mod redrive;
mod report;
mod retailers;
mod road;
mod sample;
mod status;
mod story;
mod verdict;
mod verification;
mod words;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value};

use crate::cli::Cli;
use crate::commands::{Told, View};
use crate::failure::Failure;
use crate::language::Language;

/// The whole of the program: reads the command line, does what it says, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let view = View { language: cli.manner.language.unwrap_or_else(Language::of_environment), width: page::terminal_width() };
    let in_json = cli.manner.json;
    match work(cli, view) {
        Ok(told) => {
            let exit = told.exit;
            print(told, in_json);
            exit.into()
        }
        Err(failure) => {
            if let (true, Failure::Refused { answer, .. }) = (in_json, &failure) {
                put(&mut io::stdout().lock(), &line(answer));
            }
            put(&mut anstream::stderr().lock(), failure.text(view.language, page::terminal_width()).as_bytes());
            failure.exit().into()
        }
    }
}

fn work(cli: Cli, view: View) -> Result<Told, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Machine(error.to_string()))?;
    runtime.block_on(commands::run(cli, view))
}

fn print(told: Told, in_json: bool) {
    if !in_json {
        return put(&mut anstream::stdout().lock(), told.text.as_bytes());
    }
    let answer = match told.private {
        Some(field) if io::stdout().is_terminal() => without(field, &told.json),
        _ => told.json,
    };
    put(&mut io::stdout().lock(), &line(&answer));
}

/// An answer without one of its fields.
fn without(field: &str, answer: &[u8]) -> Vec<u8> {
    // What was shown to be an object before is one.
    let mut fields: Map<String, Value> = serde_json::from_slice(answer).unwrap_or_default();
    fields.remove(field);
    Value::Object(fields).to_string().into_bytes()
}

fn line(answer: &[u8]) -> Vec<u8> {
    [answer, b"\n"].concat()
}

/// Writes all of it. A reader that has gone, such as `head`, wants no more: that is no failure of ours.
fn put(to: &mut impl Write, text: &[u8]) {
    let _ = to.write_all(text).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_an_answer_without_the_address() {
        let answer = br#"{"recipient":"kisi@example.com","states":[{"recipientType":"BIREYSEL"}]}"#;
        assert_eq!(without("recipient", answer), br#"{"states":[{"recipientType":"BIREYSEL"}]}"#);
        assert_eq!(without("recipient", b"kisi@example.com"), b"{}");
    }
}
