//! The common crate: what every function of the consent loop builds on.
//!
//! Dependencies point inward only: [`consent`] and [`calendar`] are pure (no AWS, no HTTP, no async,
//! no clock); everything else may use them.

pub mod account;
pub mod answers;
pub mod archive;
pub mod aws;
pub mod brand;
pub mod brands;
pub mod calendar;
pub mod clock;
pub mod consent;
pub mod day_files;
pub mod door;
pub mod environment;
pub mod evidence;
pub mod http;
pub mod http_auth;
pub mod insider;
pub mod intake;
pub mod integrators;
pub mod iys;
pub mod keyring;
pub mod ledger;
pub mod metrics;
pub mod problem;
pub mod queue;
pub mod registries;
pub mod registry;
pub mod report;
pub mod sync;
pub mod telemetry;
pub mod telling;
pub mod wiring;
