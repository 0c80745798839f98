//! The people of a scenario: addresses that are the same in every run and nobody else's.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Every address of this process's scenarios.
static USED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// People of one scenario. Two crowds of different numbers share nobody.
#[derive(Clone, Copy, Debug)]
pub struct Crowd(u8);

impl Crowd {
    /// The crowd of this number, below 100.
    #[must_use]
    pub fn new(number: u8) -> Self {
        assert!(number < 100, "a crowd's number has two digits");
        Self(number)
    }

    /// Somebody's e-mail address.
    #[must_use]
    pub fn email(self, person: u32) -> String {
        remember(format!("kisi{:02}x{person:05}.deneme@example.com", self.0))
    }

    /// Somebody's phone number.
    #[must_use]
    pub fn phone(self, person: u32) -> String {
        assert!(person < 100_000, "a person's number has five digits");
        remember(format!("+90532{:02}{person:05}", self.0))
    }

    /// Something that is no address but must stay as private as one.
    #[must_use]
    pub fn invalid(self, text: &str) -> String {
        remember(format!("gizli{:02}{text}", self.0))
    }
}

fn remember(address: String) -> String {
    USED.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone());
    address
}

/// Every address that this process's scenarios used.
pub(crate) fn used() -> Vec<String> {
    USED.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}
