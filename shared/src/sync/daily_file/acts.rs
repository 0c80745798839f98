//! What a day's file holds, remembered in bounded memory.
//!
//! An act is remembered by 16 bytes of a digest over keyed ids. A file of more acts than may be remembered is
//! read once for each part of the recipients, so memory has one bound whatever the day's size, and nothing is
//! written to any disk.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::consent::{ConsentKey, Head, RecipientId};

/// The acts of one part of a file.
pub(super) struct Acts {
    parts: u64,
    part: u64,
    most: usize,
    acts: HashSet<u128>,
}

impl Acts {
    /// The acts of a part, counted from 0, of so many; not many more than `most` of them.
    pub(super) fn new(parts: u64, part: u64, most: usize) -> Self {
        Self { parts: parts.max(1), part, most, acts: HashSet::new() }
    }

    /// Whether a recipient's acts belong to this part.
    pub(super) fn is_of_part(&self, recipient: &RecipientId) -> bool {
        let number = recipient.as_str().bytes().fold(0_u64, |number, byte| number.wrapping_mul(31).wrapping_add(u64::from(byte)));
        // The lowest digits of such a sum are not spread well.
        (number ^ (number >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15) % self.parts == self.part
    }

    /// Remembers an act if it belongs to this part. `false` when there are far more than may be remembered.
    pub(super) fn insert(&mut self, key: &ConsentKey, head: &Head) -> bool {
        if self.is_of_part(&key.recipient_id) {
            if self.acts.len() >= self.most.saturating_mul(2) {
                return false;
            }
            self.acts.insert(digest(key, head));
        }
        true
    }

    /// Whether the file holds an act of this part.
    pub(super) fn holds(&self, key: &ConsentKey, head: &Head) -> bool {
        self.acts.contains(&digest(key, head))
    }
}

fn digest(key: &ConsentKey, head: &Head) -> u128 {
    let text = format!("{}#{}#{}#{}#{}", key.recipient_id, key.channel, key.recipient_type, head.status, head.consent_date);
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    u128::from_be_bytes(first)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::consent::{Channel, ConsentDate, EventId, Origin, Recipient, RecipientIdKey, RecipientType, Retailers, Source, Status};

    fn act(number: usize, status: Status) -> (ConsentKey, Head) {
        let brand = "demo".parse().unwrap();
        let recipient = Recipient::parse(&format!("kisi{number}@example.com"), Channel::Eposta).unwrap();
        let key = ConsentKey {
            recipient_id: recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand),
            brand,
            channel: Channel::Eposta,
            recipient_type: RecipientType::Bireysel,
        };
        let head = Head {
            status,
            source: Source::HsWeb,
            consent_date: ConsentDate::EARLIEST,
            origin: Origin::Api,
            event_id: EventId::derive("api", ["a"]),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            retailers: Retailers::default(),
        };
        (key, head)
    }

    #[test]
    fn every_act_is_in_one_part_and_the_parts_are_of_one_size() {
        let mut sizes = Vec::new();
        for part in 0..7 {
            let mut acts = Acts::new(7, part, 1000);
            for number in 0..3500 {
                let (key, head) = act(number, Status::Ret);
                assert!(acts.insert(&key, &head));
                assert_eq!(acts.holds(&key, &head), acts.is_of_part(&key.recipient_id));
                assert!(!acts.holds(&key, &Head { status: Status::Onay, ..head }));
            }
            sizes.push(acts.acts.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), 3500);
        assert!(sizes.iter().all(|size| (400..600).contains(size)), "{sizes:?}");
    }

    #[test]
    fn what_is_too_much_to_remember_is_said_and_not_remembered() {
        let mut acts = Acts::new(1, 0, 10);
        let taken = (0..100)
            .filter(|number| {
                let (key, head) = act(*number, Status::Onay);
                acts.insert(&key, &head)
            })
            .count();
        assert_eq!((taken, acts.acts.len()), (20, 20));
    }
}
