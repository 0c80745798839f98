//! The ways between the ledger, the registry and Insider: against a real ledger and real queues, a
//! registry in memory that keeps İYS's rules, and the simulated Insider.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod account;
mod book;
mod bulk;
mod crash;
mod daily_file;
mod deadlines;
mod fuse;
#[path = "../harness/mod.rs"]
mod harness;
mod insider_export;
mod meanwhile;
mod odd;
mod offers;
mod pull;
mod push;
mod push_service;
mod relay;
mod report;
#[path = "../harness/sqs.rs"]
mod sqs;
mod standing;
mod sweep;
mod ten_years;
mod throttle;
mod verify;
mod world;
