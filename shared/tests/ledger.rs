//! The ledger over a real store: what is stored, what survives faults, and what it costs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

mod ledger {
    mod cost;
    mod deadlines;
    mod evidence;
    mod faults;
    mod feeds;
    mod notary;
    mod order;
    mod privacy;
    mod reading;
    mod record;
    mod standing;
    mod submission;
    mod units;
    mod work;
}
