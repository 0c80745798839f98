//! A memory of what was sent, to notice what a well-behaved client never sends.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::iys::store::digest;
use crate::stats::Stats;

/// Digests of records, never the records themselves.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Whole records that are on their way or recorded.
    sent: HashSet<[u8; 32]>,
    /// Keys that are on their way, with how many records of each.
    under_way: HashMap<[u8; 32], usize>,
}

fn text(item: &Map<String, Value>, names: &[&str]) -> String {
    let parts = names.iter().map(|name| item.get(*name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase());
    parts.collect::<Vec<_>>().join("|")
}

fn key(brand: u64, item: &Map<String, Value>) -> [u8; 32] {
    digest(&format!("{brand}|{}", text(item, &["recipient", "type", "recipientType"])))
}

fn whole(brand: u64, item: &Map<String, Value>) -> [u8; 32] {
    digest(&format!("{brand}|{}", text(item, &["recipient", "type", "recipientType", "status", "consentDate"])))
}

impl Ledger {
    /// Takes note of a record in İYS's words that was queued; a record that was sent before unchanged, or one
    /// whose key is on its way already, is a violation.
    pub(crate) fn queued(&mut self, brand: u64, item: &Map<String, Value>, stats: &Stats) {
        if !self.sent.insert(whole(brand, item)) {
            stats.violation("sent_twice");
        }
        let under_way = self.under_way.entry(key(brand, item)).or_default();
        *under_way += 1;
        if *under_way > 1 {
            stats.violation("key_under_way");
        }
    }

    /// The record has its verdict; one that was refused may come again.
    pub(crate) fn ended(&mut self, brand: u64, item: &Map<String, Value>, recorded: bool) {
        let key = key(brand, item);
        if let Some(under_way) = self.under_way.get_mut(&key) {
            *under_way -= 1;
            if *under_way == 0 {
                self.under_way.remove(&key);
            }
        }
        if !recorded {
            self.sent.remove(&whole(brand, item));
        }
    }
}
