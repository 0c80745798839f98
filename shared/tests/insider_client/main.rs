//! Insider's client, against a scripted server and against the simulator.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod export;
mod forms;
mod scripted;
mod server;
mod simulator;
