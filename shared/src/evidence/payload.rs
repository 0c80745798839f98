//! What a movement was made from: the bytes that came in, as a digest.

use sha2::{Digest as _, Sha256};

use super::{Digest, Seed};

/// Sets this digest apart from all others.
const PREFIX: &[u8] = b"iys-insider-sync payload 1\n";

/// The bytes that a movement was made from, as their plain digest. It is held in memory only and shown
/// nowhere: a payload may be little more than a phone number, which could be guessed from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payload([u8; 32]);

impl Payload {
    /// The payload of these bytes, exactly as they came.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What is kept of it beside a movement of this seed.
    pub fn sealed(&self, seed: &Seed) -> Digest {
        digest(&seed.payload_salt(), self)
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payload(***)")
    }
}

fn digest(salt: &Digest, payload: &Payload) -> Digest {
    Digest::of([PREFIX, salt.bytes(), payload.0.as_slice()])
}

/// The digest that a movement names, from the payload itself and the movement's payload salt.
pub fn payload_digest(salt: &Digest, payload: &[u8]) -> Digest {
    digest(salt, &Payload::of(payload))
}
