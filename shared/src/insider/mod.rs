//! Insider: what its webhooks say, how they prove where they come from, and the calls that tell it
//! what the ledger holds.
//!
//! Insider documents little of its outbound side. Whatever its pages leave open is decided here in
//! favour of the refusal and documented where it is decided.

pub mod auth;
mod client;
pub mod export;
pub mod webhook;

pub use client::{Answer, Client, Connection, ConsentTold, Flag, InsiderError, List, Outcome, Profile, Quota, Settings, Throttle};
