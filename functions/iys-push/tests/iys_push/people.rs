//! Who says what in the crowd, what İYS has of them, and what must become of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Source, Status,
};

use crate::simulator::DEALERS;

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// A dealer that the brand does not have.
const STRANGER: u64 = 44_444_444;

/// At which of İYS's checks a list is refused for a record. Each is an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    /// A refusal that is planted, before any other.
    Planted,
    /// What a record says.
    Rules,
    /// The dealers that it names.
    Dealers,
}

/// What must become of somebody's movements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The last one stands at İYS, sent by us.
    Applied,
    /// Settled without one of ours at İYS.
    Settled(&'static str),
    /// Refused with this code.
    Rejected(&'static str),
}

/// One key's movements.
pub(crate) struct Person {
    pub(crate) recipient: Recipient,
    pub(crate) channel: Channel,
    pub(crate) kind: RecipientType,
    /// What is told, in this order.
    pub(crate) told: Vec<Head>,
    /// What İYS holds before, as a seed of the simulator.
    pub(crate) held: Option<Value>,
    /// A refusal that is planted there.
    pub(crate) planted: Option<Value>,
    pub(crate) end: End,
    /// Whether İYS is asked whether it holds an ONAY before anything is sent.
    pub(crate) asked: bool,
    /// Whether it is asked after its refusal.
    pub(crate) asked_after: bool,
    /// Whether the record goes to İYS.
    pub(crate) sent: bool,
    /// What a list with it is refused at.
    pub(crate) refused_at: Option<Check>,
    /// Whether the question about it is refused.
    pub(crate) spoils_question: bool,
    /// Whether İYS is asked what it holds.
    pub(crate) fetched: bool,
}

/// How somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A consent that İYS has not.
    Consent,
    /// The same, collected or used by dealers.
    ConsentOfDealers,
    /// A refusal of a consent that only İYS has.
    Refusal,
    /// A refusal of a consent that nobody ever gave.
    RefusalOfNothing,
    /// A consent and a later refusal, told in this order or the other.
    RefusalOverConsent(bool),
    /// A refusal and a later consent, likewise.
    ConsentOverRefusal(bool),
    /// A consent given twice.
    ConsentTwice,
    /// One consent told twice.
    ConsentToldTwice,
    /// A consent that İYS has told of, given once more to the brand.
    ConsentKnown,
    /// A refusal of a consent that İYS has told of.
    RefusalOfKnown,
    /// A list is refused for it, with a code that no rule of the simulator gives.
    PlantedAtDoor(&'static str),
    /// The same for being too late.
    PlantedLate,
    /// A consent of a dealer that the brand does not have.
    UnknownDealer,
    /// A consent of a number abroad, which İYS may not take.
    Abroad,
    /// A consent of an address that İYS may find fault with.
    OddAddress,
    /// A refusal of such an address.
    RefusalOfOddAddress,
    /// A refusal of a consent that only İYS has; the question about it is refused, with a planted code.
    PlantedInQuestion,
    /// A row of the results refuses it, with a planted code.
    PlantedInResults(&'static str),
    /// The brand's own decision about a consent that İYS told of and does not have any more.
    DecisionOfNothing,
    /// A refusal of such a consent.
    RefusalOfLost,
    /// A refusal that İYS has already, although it told of a consent last.
    RefusalThere,
    /// A refusal of a consent that has been given anew at İYS since.
    RefusalOutdated,
    /// A single add is refused, with a planted code.
    PlantedAtAdd(&'static str),
}

/// Makes the crowd, one after another. No two movements are of one second.
pub(crate) struct Maker {
    start: Timestamp,
    /// How many movements there are.
    pub(crate) movements: i64,
    people: usize,
}

impl Maker {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, movements: 0, people: 0 }
    }

    fn date(&self, seconds_after_first: i64) -> ConsentDate {
        ConsentDate::at(self.start - SignedDuration::from_hours(3) + SignedDuration::from_secs(seconds_after_first))
    }

    /// The next movement.
    fn head(&mut self, status: Status, origin: Origin) -> Head {
        let consent_date = self.date(self.movements);
        self.movements += 1;
        let source = if origin == Origin::Registry { "IYS_WEB".parse().unwrap() } else { Source::HsWeb };
        let event_id = EventId::derive(origin.as_str(), [status.as_str(), &consent_date.to_string()]);
        Head { status, source, consent_date, origin, event_id, received_at: self.start, retailers: Retailers::default() }
    }

    /// Half of all are consumers' e-mail addresses, the rest is of every other kind.
    fn place(&self, kind: Kind) -> (Channel, RecipientType) {
        use Channel::{Arama, Eposta, Mesaj};
        use RecipientType::{Bireysel, Tacir};
        let of_phone = [(Mesaj, Bireysel), (Mesaj, Tacir), (Arama, Bireysel), (Arama, Tacir)][self.people % 4];
        match kind {
            Kind::Abroad | Kind::PlantedInQuestion => of_phone,
            Kind::OddAddress => (Eposta, Bireysel),
            Kind::RefusalOfOddAddress => (Eposta, Tacir),
            _ => match self.people % 10 {
                0..5 => (Eposta, Bireysel),
                5 => (Eposta, Tacir),
                _ => of_phone,
            },
        }
    }

    pub(crate) fn make(&mut self, kind: Kind) -> Person {
        let (channel, recipient_type) = self.place(kind);
        let number = self.people;
        self.people += 1;
        let address = match (kind, channel) {
            (Kind::Abroad, _) => format!("+49151{number:07}"),
            (Kind::OddAddress | Kind::RefusalOfOddAddress, _) => format!("kisi..{number}@example.com"),
            (_, Channel::Eposta) => format!("kisi{number}@example.com"),
            // Neighbours share a number, on another channel or as another kind of recipient.
            _ => format!("+90599{:07}", number / 4),
        };
        let recipient = Recipient::parse(&address, channel).unwrap();
        let api = Origin::Api;
        let told = match kind {
            Kind::Refusal | Kind::RefusalOfNothing | Kind::RefusalOfOddAddress | Kind::PlantedInQuestion | Kind::RefusalOutdated => {
                vec![self.head(RET, api)]
            }
            Kind::RefusalOverConsent(in_order) => in_either_order([self.head(ONAY, api), self.head(RET, api)], in_order),
            Kind::ConsentOverRefusal(in_order) => in_either_order([self.head(RET, api), self.head(ONAY, api)], in_order),
            Kind::ConsentTwice => vec![self.head(ONAY, api), self.head(ONAY, api)],
            Kind::ConsentToldTwice => {
                let head = self.head(ONAY, api);
                self.movements += 1;
                vec![head.clone(), head]
            }
            Kind::ConsentKnown => vec![self.head(ONAY, Origin::Registry), self.head(ONAY, api)],
            Kind::RefusalOfKnown | Kind::RefusalOfLost | Kind::RefusalThere => {
                vec![self.head(ONAY, Origin::Registry), self.head(RET, api)]
            }
            Kind::DecisionOfNothing => {
                vec![self.head(ONAY, Origin::Registry), Head { source: Source::HsKarar, ..self.head(RET, api) }]
            }
            Kind::UnknownDealer => vec![of_dealers(self.head(ONAY, api), DEALERS[0], vec![STRANGER])],
            Kind::ConsentOfDealers => vec![of_dealers(self.head(ONAY, api), DEALERS[number % 3], DEALERS[..number % 4].to_vec())],
            _ => vec![self.head(ONAY, api)],
        };
        let seed = |status: Status, date: ConsentDate, source: &str| {
            json!({
                "brandCode": 700_001, "recipient": recipient.expose(), "recipientType": recipient_type, "type": channel,
                "status": status, "source": source, "consentDate": date,
            })
        };
        let first = told[0].consent_date;
        let held = match kind {
            // From before anything here.
            Kind::Refusal | Kind::PlantedInQuestion => Some(seed(ONAY, self.date(-60), "HS_WEB")),
            Kind::ConsentKnown | Kind::RefusalOfKnown => Some(seed(ONAY, first, "IYS_WEB")),
            Kind::RefusalThere => Some(seed(RET, self.date(-60), "IYS_WEB")),
            Kind::RefusalOutdated => Some(seed(ONAY, ConsentDate::at(self.start), "IYS_WEB")),
            _ => None,
        };
        let plant = |at: &str, code: &str| {
            let (recipient, channel) = (recipient.expose(), channel.as_str());
            Some(json!({"recipient": recipient, "type": channel, "recipientType": recipient_type, "at": at, "code": code}))
        };
        let planted = match kind {
            Kind::PlantedAtDoor(code) => plant("list", code),
            Kind::PlantedLate => plant("list", "H467"),
            Kind::PlantedInQuestion => plant("multi", "H464"),
            Kind::PlantedInResults(code) => plant("row", code),
            Kind::PlantedAtAdd(code) => plant("add", code),
            _ => None,
        };
        let end = match kind {
            Kind::RefusalOfNothing | Kind::RefusalOverConsent(_) | Kind::RefusalOfLost => End::Settled("not_registered"),
            Kind::ConsentKnown | Kind::RefusalThere => End::Settled("already_there"),
            Kind::RefusalOutdated => End::Settled("not_needed"),
            Kind::PlantedAtDoor(code) | Kind::PlantedInResults(code) | Kind::PlantedAtAdd(code) => End::Rejected(code),
            Kind::PlantedLate => End::Rejected("H467"),
            Kind::UnknownDealer => End::Rejected("H180"),
            Kind::Abroad => End::Rejected("H121"),
            Kind::OddAddress | Kind::RefusalOfOddAddress => End::Rejected("H120"),
            Kind::DecisionOfNothing => End::Rejected("H486"),
            _ => End::Applied,
        };
        let spoils_question = matches!(kind, Kind::RefusalOfOddAddress | Kind::PlantedInQuestion);
        let needs_nothing = matches!(kind, Kind::RefusalOfNothing | Kind::RefusalOverConsent(_) | Kind::ConsentKnown);
        Person {
            recipient: recipient.clone(),
            channel,
            kind: recipient_type,
            told,
            held,
            planted,
            end,
            asked: matches!(kind, Kind::Refusal | Kind::RefusalOfNothing | Kind::RefusalOverConsent(_) | Kind::RefusalOutdated)
                || spoils_question,
            asked_after: kind == Kind::PlantedLate,
            sent: !needs_nothing,
            refused_at: match kind {
                Kind::PlantedAtDoor(_) | Kind::PlantedLate => Some(Check::Planted),
                Kind::Abroad | Kind::OddAddress | Kind::RefusalOfOddAddress => Some(Check::Rules),
                Kind::UnknownDealer => Some(Check::Dealers),
                _ => None,
            },
            spoils_question,
            fetched: matches!(kind, Kind::RefusalOutdated | Kind::RefusalThere),
        }
    }
}

impl Person {
    /// The movement that counts: the latest, whenever it was told.
    pub(crate) fn head(&self) -> &Head {
        self.told.iter().max_by_key(|head| head.consent_date).unwrap()
    }

    pub(crate) fn movements(&self, key: &ConsentKey) -> Vec<Movement> {
        let movement = |head: &Head| Movement { key: key.clone(), recipient: self.recipient.clone(), head: head.clone() };
        self.told.iter().map(movement).collect()
    }

    /// A movement of theirs as the simulator lists it, without what İYS adds.
    pub(crate) fn row(&self) -> Value {
        let head = self.head();
        let mut row = json!({
            "recipient": self.recipient.expose(), "recipientType": self.kind, "type": self.channel, "status": head.status,
            "source": head.source.as_str(), "consentDate": head.consent_date,
        });
        for (name, value) in serde_json::to_value(&head.retailers).unwrap().as_object().unwrap() {
            row[name] = value.clone();
        }
        row
    }
}

fn in_either_order([first, second]: [Head; 2], in_order: bool) -> Vec<Head> {
    if in_order { vec![first, second] } else { vec![second, first] }
}

fn of_dealers(head: Head, collector: u64, access: Vec<u64>) -> Head {
    Head { retailers: Retailers { code: Some(collector), access }, ..head }
}
