//! The operator's command, `iysync`: checks a brand, runs jobs, explains an address. It asks the system's
//! function of jobs and its HTTP API, and works alike against the local stack and a deployed one.

mod api;
mod cli;
mod commands;
mod exit;
mod failure;
mod input;
mod invoke;
mod language;
mod page;
mod place;
mod progress;
mod reason;
mod report;
mod retailers;
mod status;
mod story;
mod verdict;
mod words;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

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
                put(&mut io::stdout().lock(), answer);
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
    let mut answer = told.json;
    let is_terminal = io::stdout().is_terminal();
    if let (true, Some(field), Ok(Value::Object(mut fields))) = (is_terminal, told.private, serde_json::from_slice(&answer)) {
        fields.remove(field);
        answer = Value::Object(fields).to_string().into_bytes();
    }
    answer.push(b'\n');
    put(&mut io::stdout().lock(), &answer);
}

/// Writes all of it. A reader that has gone, such as `head`, wants no more: that is no failure of ours.
fn put(to: &mut impl Write, text: &[u8]) {
    let _ = to.write_all(text).and_then(|()| to.flush());
}
