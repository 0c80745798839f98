//! The function's handler in this process, over an embedded ledger and queues: what becomes of events that
//! depend on what the ledger knows, and that no body whatsoever breaks it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod desk;
mod exports;
#[path = "../../../../shared/tests/harness/mod.rs"]
mod harness;
mod hostile;
mod integrator;
mod maker;
mod meaning;
#[path = "../../../../shared/tests/harness/sqs.rs"]
mod sqs;
