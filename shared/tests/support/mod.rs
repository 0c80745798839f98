//! What the tests of the ledger stand on: an emulator, a wire that fails on demand, answers in parts, a
//! meter of write units, and people who say things.

pub(crate) mod dynamodb;
pub(crate) mod meter;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod wire;

#[path = "../harness/table.rs"]
mod table;
