//! Bringing the targets to the ledger's state: each file is one way, each works on ids and reads the
//! state at the moment of sending.

mod bulk;
pub mod daily_file;
pub mod deadlines;
pub mod evidence;
pub mod import;
pub mod insider_export;
pub mod isolate;
pub mod outcome;
mod patience;
pub mod pull;
pub mod push;
pub mod push_service;
mod question;
mod reading;
pub mod relay;
pub mod report;
pub mod road;
mod sift;
pub mod standing;
pub mod sweep;
pub mod throttle;
pub mod verify;
