//! Ledger → Insider.
