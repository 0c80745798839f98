//! What the scenarios start function processes from.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::cli_main(local::functions(), Some(local::Simulators::default().shared()))
}
