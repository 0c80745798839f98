//! The people of a benchmark: what the ledger has of each, and what İYS and Insider hold instead of some.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Source, Status,
};

/// How long ago the ledger had everything: longer than a change waits for its first comparison.
const AGE: SignedDuration = SignedDuration::from_hours(50);

/// What a target holds of somebody, without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// What the ledger has.
    Same,
    /// Nothing, or the consent from before the refusal.
    Lost,
    /// The opposite, and later.
    Newer,
}

/// Somebody, by number: of ten five are consumers with an e-mail address, three with a phone, two are merchants;
/// three in ten refused; one in a hundred differs at İYS, and another one at Insider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person(pub(crate) usize);

impl Person {
    pub(crate) fn place(self) -> (Channel, RecipientType) {
        match self.0 % 10 {
            0..5 => (Channel::Eposta, RecipientType::Bireysel),
            5..8 => (Channel::Mesaj, RecipientType::Bireysel),
            _ => (Channel::Eposta, RecipientType::Tacir),
        }
    }

    pub(crate) fn status(self) -> Status {
        if self.0 / 10 % 10 < 3 { Status::Ret } else { Status::Onay }
    }

    pub(crate) fn at_iys(self) -> Held {
        match (self.0 % 101 == 7, self.0 / 101 % 2) {
            (false, _) => Held::Same,
            (true, 0) => Held::Lost,
            (true, _) => Held::Newer,
        }
    }

    /// Whether Insider's flag says the opposite. Nobody differs at both.
    pub(crate) fn differs_at_insider(self) -> bool {
        self.0 % 103 == 11 && self.at_iys() == Held::Same
    }

    pub(crate) fn is_consumer_with_email(self) -> bool {
        self.place() == (Channel::Eposta, RecipientType::Bireysel)
    }

    pub(crate) fn address(self) -> String {
        let number = self.0;
        if self.place().0 == Channel::Eposta { format!("kisi{number}@example.com") } else { format!("+90599{number:07}") }
    }

    pub(crate) fn recipient(self) -> Recipient {
        Recipient::parse(&self.address(), self.place().0).unwrap()
    }

    /// What tells one kind of person from another: the place by number, and whether it refused.
    pub(crate) fn kind(self) -> (usize, bool) {
        let place = match self.0 % 10 {
            0..5 => 0,
            5..8 => 1,
            _ => 2,
        };
        (place, self.status() == Status::Ret)
    }

    /// When the ledger had it.
    pub(crate) fn received(now: Timestamp) -> Timestamp {
        now - AGE
    }

    /// What the ledger has: told by `origin`, an hour before it was received.
    pub(crate) fn movement(self, brand: &Brand, received_at: Timestamp, origin: Origin) -> Movement {
        let (channel, recipient_type) = self.place();
        let recipient = self.recipient();
        let consent_date = ConsentDate::at(received_at - SignedDuration::from_hours(1));
        let status = self.status();
        let head = Head {
            status,
            source: Source::HsWeb,
            consent_date,
            origin,
            event_id: EventId::derive(origin.as_str(), [status.as_str(), &consent_date.to_string()]),
            received_at,
            retailers: Retailers::default(),
        };
        let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
        Movement { key: ConsentKey { brand: brand.name.clone(), recipient_id, channel, recipient_type }, recipient, head }
    }

    /// What İYS's simulator is told to hold.
    pub(crate) fn record(self, brand_code: u64, now: Timestamp) -> Option<Value> {
        let received = Self::received(now);
        let same = ConsentDate::at(received - SignedDuration::from_hours(1));
        let before = ConsentDate::at(received - SignedDuration::from_hours(30 * 24));
        let (status, date) = match (self.at_iys(), self.status()) {
            (Held::Same, status) => (status, same),
            (Held::Lost, Status::Onay) => return None,
            (Held::Lost, Status::Ret) => (Status::Onay, before),
            (Held::Newer, status) => (opposite(status), ConsentDate::at(received)),
        };
        let (channel, recipient_type) = self.place();
        Some(json!({"brandCode": brand_code, "recipient": self.address(), "type": channel, "recipientType": recipient_type,
                    "status": status, "consentDate": date}))
    }

    /// What Insider's simulator is told to hold.
    pub(crate) fn profile(self) -> Value {
        let allowed = (self.status() == Status::Onay) != self.differs_at_insider();
        let (identifier, flag) = if self.place().0 == Channel::Eposta { ("email", "email_optin") } else { ("phone_number", "sms_optin") };
        json!({ "identifiers": { identifier: self.address() }, "attributes": { flag: allowed } })
    }

    /// Its row of the brand's book.
    pub(crate) fn row(self, now: Timestamp) -> String {
        let (channel, recipient_type) = self.place();
        let date = ConsentDate::at(Self::received(now) - SignedDuration::from_hours(1));
        format!("{},{channel},{recipient_type},{},{date}\n", self.address(), self.status())
    }

    /// The first line of that book.
    pub(crate) const HEADER: &str = "recipient,type,recipientType,status,consentDate\n";
}

fn opposite(status: Status) -> Status {
    if status == Status::Onay { Status::Ret } else { Status::Onay }
}
