//! How the command ends, for scripts. The numbers are promised: one keeps its meaning for good.

use std::process::ExitCode;

/// An exit code. Where it is `Fine` or `Wrong`, standard output holds the answer; otherwise nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Asked and answered; nothing is wrong.
    Fine,
    /// Asked and answered; something is wrong, or what was wished was refused.
    Wrong,
    /// The command line, or a file that it names, cannot be used. (Also clap's own code.)
    Usage,
    /// There is no answer that says anything: the system was not reached, refused the caller, or failed.
    Unanswered,
}

impl Exit {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Wrong => 1,
            Self::Usage => 2,
            Self::Unanswered => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_scripts_know() {
        assert_eq!([Exit::Fine, Exit::Wrong, Exit::Usage, Exit::Unanswered].map(Exit::number), [0, 1, 2, 3]);
    }
}
