//! Carries the ledger's states to İYS.
