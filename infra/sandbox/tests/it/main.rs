//! Both simulators over real HTTP.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod insider;
mod iys;
mod receiver;
mod rig;
