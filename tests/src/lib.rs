//! What the scenarios share: a running system, the people in it, and ways to act and to look.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod api;
mod crowd;
mod documents;
mod emulators;
mod leaks;
mod operator;
pub mod storm;
mod tap;
mod vendors;
mod waiting;
mod world;

pub use api::{Answer, moment};
pub use crowd::Crowd;
pub use documents::PARTIAL_BRAND;
pub use leaks::Search;
pub use operator::{Operator, Said};
pub use vendors::Vendor;
pub use waiting::{DEADLINE, until, until_next_second, until_within};
pub use world::{Setup, World};
