//! The operator's command, run as a program of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::world::World;

/// The command, and where it finds the system.
#[derive(Clone, Debug)]
pub struct Operator {
    program: PathBuf,
    environment: Vec<(String, String)>,
}

/// What the command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Operator {
    /// The command in an empty environment, which finds nothing but what runs at the usual places.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self { program: program.into(), environment: Vec::new() }
    }

    /// The command with a variable of its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command for a world.
    #[must_use]
    pub fn of(program: &str, world: &World) -> Self {
        Self::new(program).with("IYSYNC_API_URL", world.stack.gateway_url()).with("IYSYNC_INVOKE_URL", world.stack.lambda_url())
    }

    /// Runs the command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "").await
    }

    /// Starts the command, which ends when it is dropped.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(self.environment.iter().cloned()).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs the command with something on its standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(self.environment.iter().cloned()).args(arguments).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads nothing may have ended.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
