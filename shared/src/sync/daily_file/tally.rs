//! A file's rows counted as the registry's summary counts them.

use std::collections::HashMap;

use crate::consent::{Channel, RecipientType, Source};
use crate::day_files::SideCount;
use crate::registry::{Change, Feed};

/// Rows by channel, recipient type and side.
#[derive(Default)]
pub(super) struct Tally {
    rows: HashMap<(Channel, RecipientType, bool), u64>,
    /// Rows that could not be read.
    pub(super) unreadable: u64,
    /// Rows that could.
    pub(super) readable: u64,
}

impl Tally {
    pub(super) fn add(&mut self, change: &Change) {
        let by_people = matches!(change.holding.source, Source::Iys(_));
        *self.rows.entry((change.channel, change.recipient_type, by_people)).or_default() += 1;
        self.readable += 1;
    }

    /// Whether a summary counts the same. Whether its totals have what is pending in them is not documented, so
    /// either will do; a side whose total it does not tell is not compared.
    pub(super) fn agrees_with(&self, counts: &[SideCount]) -> bool {
        let of = |count: &SideCount| (count.channel, count.recipient_type, count.feed == Feed::People);
        let told = counts.iter().all(|count| {
            let rows = self.rows.get(&of(count)).copied().unwrap_or_default();
            count.total.is_none_or(|total| rows == total || rows == total.saturating_sub(count.pending))
        });
        told && self.rows.keys().all(|side| counts.iter().any(|count| of(count) == *side))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::consent::{Recipient, Status};
    use crate::registry::Holding;

    fn row(source: &str) -> Change {
        Change {
            recipient: Recipient::parse("kisi@example.com", Channel::Eposta).unwrap(),
            recipient_type: RecipientType::Bireysel,
            channel: Channel::Eposta,
            holding: Holding {
                status: Status::Ret,
                source: source.parse().unwrap(),
                consent_date: None,
                creation_date: None,
                transaction_id: None,
                misspelt: false,
            },
        }
    }

    fn side(feed: Feed, total: Option<u64>, pending: u64) -> SideCount {
        SideCount { channel: Channel::Eposta, recipient_type: RecipientType::Bireysel, feed, total, pending }
    }

    #[test]
    fn a_summary_agrees_whether_or_not_it_counts_what_is_pending() {
        let mut tally = Tally::default();
        for source in ["HS_WEB", "HS_WEB", "IYS_WEB"] {
            tally.add(&row(source));
        }
        let with = |total, pending| tally.agrees_with(&[side(Feed::Brand, total, pending), side(Feed::People, Some(1), 0)]);
        assert!(with(Some(2), 0) && with(Some(5), 3) && with(Some(2), 3) && with(None, 0));
        assert!(!with(Some(3), 0) && !with(Some(1), 0) && !with(Some(5), 2));
        assert!(!tally.agrees_with(&[side(Feed::Brand, Some(2), 0)]), "a side is missing");
        assert!(Tally::default().agrees_with(&[]) && !Tally::default().agrees_with(&[side(Feed::Brand, Some(1), 0)]));
    }
}
