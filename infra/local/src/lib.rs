//! Runs `infra/template.yaml` on one machine: embedded DynamoDB and SQS, an HTTP gateway, event
//! source mappings, schedules, and the Lambda Runtime API served to real function processes.
//!
//! [`Stack::start`] is the whole of it for tests; [`cli_main`] is what a program's `main` calls.
//! A program that does so runs a function when called as `<program> function <name>`, which is how
//! the stack starts its function processes.

mod cli;
mod dynamodb;
mod gateway;
mod greeting;
mod insider;
mod integrators;
mod mapping;
mod output;
mod processes;
mod registry;
mod runtime_api;
mod sandboxes;
mod scheduler;
mod shutdown;
mod simulators;
mod sqs;
mod ssm;
mod stack;
pub mod template;

pub use cli::{Functions, cli_main};
pub use dynamodb::DynamoDbError;
pub use output::{LineWriter, Output, OutputOptions};
pub use processes::InvokeError;
pub use sandboxes::{BoxFuture, Integrators, SandboxSetup, Sandboxes, Shutdowns};
pub use simulators::{BULK_DELAY_SECONDS, Simulators};
pub use stack::{Options, Ports, Stack, StackError};

/// The project's own functions.
#[must_use]
pub fn functions() -> Functions {
    Functions::new()
        .with("webhook-ingest", webhook_ingest::run)
        .with("consent-api", consent_api::run)
        .with("iys-push", iys_push::run)
        .with("unsubscribe-relay", unsubscribe_relay::run)
        .with("reconcile", reconcile::run)
}
