//! The brand's own systems record, check and look up consents.
