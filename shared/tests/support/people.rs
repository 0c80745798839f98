//! People and what they say.

use jiff::Timestamp;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientIdKey, RecipientType, Retailers, Source, Status,
};

/// A moment, in seconds after a fixed one (a Wednesday noon in Türkiye).
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_794_992_400 + second).unwrap()
}

/// Somebody on one channel.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The address.
    pub(crate) recipient: Recipient,
    /// What it is about.
    pub(crate) key: ConsentKey,
}

impl Person {
    /// Somebody with an address on a channel.
    pub(crate) fn new(address: &str, channel: Channel) -> Self {
        let brand = "demo".parse().unwrap();
        let recipient = Recipient::parse(address, channel).unwrap();
        let recipient_id = recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand);
        Self { recipient, key: ConsentKey { brand, recipient_id, channel, recipient_type: RecipientType::Bireysel } }
    }

    /// One of many, on e-mail.
    pub(crate) fn nth(number: usize) -> Self {
        Self::new(&format!("person-{number}@example.com"), Channel::Eposta)
    }

    /// A movement: said at `second`, heard of three seconds later. Said alike, it is the same event.
    pub(crate) fn says(&self, status: Status, second: i64, origin: Origin) -> Movement {
        let source = match origin {
            Origin::Registry | Origin::Notice => "IYS_WEB".parse().unwrap(),
            Origin::Insider => Source::HsEposta,
            Origin::Api | Origin::Import | Origin::Correction => Source::HsWeb,
        };
        Movement {
            key: self.key.clone(),
            recipient: self.recipient.clone(),
            head: Head {
                status,
                source,
                consent_date: ConsentDate::at(at(second)),
                origin,
                event_id: EventId::derive(origin.as_str(), [status.as_str(), &second.to_string()]),
                received_at: at(second + 3),
                retailers: Retailers::default(),
            },
        }
    }
}
