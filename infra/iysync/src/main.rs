//! The operator's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    iysync::main()
}
