//! Evidence: what proves, to somebody who trusts nobody here, that a movement stood in the ledger on the day
//! of its receipt and has not changed since. `docs/evidence.md` describes the formats byte by byte.
//!
//! - [`Form`]: a movement's canonical form, whose digest is the leaf of a tree;
//! - [`tree`]: the Merkle tree (RFC 6962) over the digests of a brand's day, and the paths in it;
//! - [`Day`]: a day's root, chained to that of the day before;
//! - [`Export`]: the evidence of one address as a file; [`verify`] checks it, from the file alone.
//!
//! Pure: no AWS, no HTTP, no clock, no randomness, no secret. A digest is of no use to anybody who guesses
//! addresses, because 128 random bits of the movement's own go into it.

mod day;
mod digest;
mod export;
mod form;
mod payload;
pub mod tree;
mod verify;

pub use day::{Day, day_of};
pub use digest::{Digest, DigestError};
pub use export::{Because, Ended, Export, FORMAT, Proven, Unproven};
pub use form::{Form, FormError, Seed};
pub use payload::{Payload, payload_digest};
pub use verify::{Fact, Finding, Flaw, Mark, Published, Said, Verdict, verify};
