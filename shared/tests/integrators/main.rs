//! The adapters of integrators over HTTP, against answers as their pages show them, and the way of a brand's
//! records through them with a real ledger and real queues.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod flags;
#[path = "../harness/mod.rs"]
mod harness;
mod import;
mod matrix;
mod moving;
mod mysoft;
mod netgsm;
mod netgsm_road;
mod office;
#[path = "../harness/sqs.rs"]
mod sqs;
mod verimor;
mod world;
