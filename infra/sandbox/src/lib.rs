//! Simulators of the outside systems, İYS, Insider and integrators before İYS, over the vendors' own paths.
//!
//! They are written from the vendors' documentation alone and share no code with the clients that
//! talk to them, so that a test over them compares two independent readings of the same rules.
//! Everything is held in memory. Paths below `/_sandbox` are for tests and people (see `README.md`).

pub mod clock;
mod control;
pub mod faults;
pub mod insider;
mod integrator;
pub mod iys;
pub mod mysoft;
pub mod netgsm;
mod outbound;
mod server;
pub mod stats;
pub mod verimor;
mod window;
