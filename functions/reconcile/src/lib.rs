//! Scheduled work: pull from İYS and sweep what waits too long.
