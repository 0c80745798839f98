//! The operator's command, as the scenarios run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    iysync::main()
}
