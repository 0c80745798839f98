//! The rules of consent.

pub mod code;
