//! The stack over a small template, with real function processes.
//!
//! The executable is both the tests and the function processes: the stack starts it as
//! `<exe> function <name>`, and one test starts it as `<exe> run` to see what becomes of the processes
//! when a stack is killed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod functions;
mod gateway;
mod processes;
mod queues;
mod services;
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let first = std::env::args().nth(1);
    if matches!(first.as_deref(), Some("function" | "run")) {
        return local::cli_main(functions::all(), None);
    }
    let trials: Vec<Trial> = [gateway::trials(), processes::trials(), queues::trials(), services::trials()].into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
