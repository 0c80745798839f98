//! The function as the queue calls it: batches with poison in them, more work than time, and ten thousand
//! movements at the simulated İYS, and a death at every point of its life.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../../shared/tests/sync/book.rs"]
#[expect(dead_code, reason = "the registry in memory can do more than is tried here")]
mod book;
mod crowd;
mod deaths;
mod desk;
#[path = "../../../../shared/tests/sync/fuse.rs"]
#[expect(dead_code, reason = "nobody counts what is read here")]
mod fuse;
mod handler;
#[path = "../../../../shared/tests/harness/mod.rs"]
#[expect(dead_code, reason = "every ledger here may break")]
mod harness;
mod mortal;
#[path = "../../../../shared/tests/harness/parameters.rs"]
#[expect(dead_code, reason = "every process here reads its brands anew")]
mod parameters;
mod people;
mod simulator;
#[path = "../../../../shared/tests/harness/sqs.rs"]
mod sqs;
mod verify;
mod wire;
