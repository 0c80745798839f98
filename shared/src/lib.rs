//! The common crate.

pub mod calendar;
pub mod consent;
