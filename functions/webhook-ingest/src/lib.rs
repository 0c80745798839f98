//! Takes Insider events and İYS push notices into the ledger.
