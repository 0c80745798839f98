//! `cargo run`: the whole system on this machine.

use std::process::ExitCode;

use local::{Functions, cli_main};

fn main() -> ExitCode {
    cli_main(Functions::new(), None)
}
