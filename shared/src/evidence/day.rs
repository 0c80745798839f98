//! A brand's day: the root over what was received in it, chained to the day before.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Digest;
use super::tree::Root;
use crate::consent::TURKISH_TIME;

/// Sets a link of the chain apart from all other digests.
const PREFIX: &str = "iys-insider-sync day 1";

/// The day in Türkiye of a moment.
pub fn day_of(moment: Timestamp) -> Date {
    TURKISH_TIME.to_datetime(moment).date()
}

/// A day, closed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// The day in Türkiye.
    pub day: Date,
    /// How many movements were received in it.
    pub count: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The link of the chain: what binds this day to all days before it.
    pub chained: Digest,
}

impl Day {
    /// The day after one whose link is `previous`; [`Digest::NONE`] where it is the first.
    pub fn after(previous: Digest, brand: &str, day: Date, root: Root) -> Self {
        Self { day, count: root.count, root: root.hash, chained: link(previous, brand, day, root) }
    }

    /// Whether its link follows from `previous` and from what it says itself.
    pub fn follows(&self, previous: Digest, brand: &str) -> bool {
        self.chained == link(previous, brand, self.day, Root { count: self.count, hash: self.root })
    }
}

fn link(previous: Digest, brand: &str, day: Date, root: Root) -> Digest {
    // A brand's name has no line break in it, and the rest has one form each.
    Digest::of([format!("{PREFIX}\n{brand}\n{day}\n{}\n{}\n{previous}\n", root.count, root.hash).as_bytes()])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::evidence::tree::Tree;

    #[test]
    fn a_day_begins_at_midnight_in_turkiye() {
        for (moment, day) in [("2026-11-19T20:59:59.999Z", "2026-11-19"), ("2026-11-19T21:00:00Z", "2026-11-20")] {
            assert_eq!(day_of(moment.parse().unwrap()).to_string(), day);
        }
    }

    #[test]
    fn a_link_depends_on_all_that_a_day_says_and_on_the_day_before() {
        let (empty, _) = Tree::default().finish();
        let date: Date = "2026-11-20".parse().unwrap();
        let day = Day::after(Digest::NONE, "demo", date, empty);
        assert!(day.follows(Digest::NONE, "demo"));
        assert!(!day.follows(day.chained, "demo") && !day.follows(Digest::NONE, "other"));
        assert!(!Day { count: 1, ..day }.follows(Digest::NONE, "demo"));
        assert!(!Day { root: day.chained, ..day }.follows(Digest::NONE, "demo"));
        assert!(!Day { day: date.tomorrow().unwrap(), ..day }.follows(Digest::NONE, "demo"));
    }
}
