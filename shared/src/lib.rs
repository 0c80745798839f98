//! The common crate: what every function of the consent loop builds on.
//!
//! Dependencies point inward only: [`consent`] and [`calendar`] are pure (no AWS, no HTTP, no async,
//! no clock); everything else may use them.

pub mod brand;
pub mod calendar;
pub mod consent;
pub mod http_auth;
pub mod insider;
pub mod ledger;
pub mod registry;
