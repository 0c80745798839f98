//! Carries the ledger's states to Insider.
