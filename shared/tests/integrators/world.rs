//! One brand at an integrator, with a ledger and queues of its own and a clock that stands until it is moved.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::clock::Clock;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, ConsentState, EventId, Head, Movement, Origin, Outcome, Recipient, RecipientType, Retailers, Source,
    Status, Sync,
};
use shared::intake::Intake;
use shared::integrators::{Integrators, ProbedAccount};
use shared::ledger::Ledger;
use shared::queue::Queues;
use shared::registry::{Record, Registry};
use shared::sync::outcome::Told;
use shared::sync::pull::Pull;
use shared::sync::push::Push;
use shared::sync::standing::{Guard, Keeper, Occasion, Tended};
use shared::sync::verify::{Share, Verified, Verify};

use crate::harness::{self, ManualClock};
use crate::office::Office;
use crate::sqs;

/// A Friday, 13:00 in Türkiye.
pub(crate) const START: &str = "2026-11-20T10:00:00Z";
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(15);
pub(crate) const MESAJ: Channel = Channel::Mesaj;
pub(crate) const BIREYSEL: RecipientType = RecipientType::Bireysel;

pub(crate) struct World {
    pub(crate) office: Office,
    pub(crate) clock: ManualClock,
    now: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) queues: Queues,
    pub(crate) intake: Intake,
    pub(crate) brand: Arc<Brand>,
    pub(crate) registry: Box<dyn Registry>,
}

/// The local brand at an integrator at `url`.
pub(crate) fn brand(registry: &Value) -> Brand {
    let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    document["iys"] = json!({"iysCode": 700_001, "brandCode": 700_001, "channels": ["ARAMA", "MESAJ", "EPOSTA"]});
    document["registry"] = registry.clone();
    Brand::read(&document.to_string()).unwrap()
}

pub(crate) fn phone(number: usize) -> Recipient {
    Recipient::parse(&format!("+9059920{number:05}"), MESAJ).unwrap()
}

pub(crate) fn record(number: usize, status: Status) -> Record {
    Record {
        recipient: phone(number),
        recipient_type: BIREYSEL,
        channel: MESAJ,
        status,
        source: Source::HsWeb,
        consent_date: "2026-11-20 12:59:00".parse().unwrap(),
        retailers: Retailers::default(),
    }
}

impl World {
    /// A brand whose document names its integrator so; the address is filled in.
    pub(crate) async fn at(mut registry: Value) -> Self {
        let office = Office::start().await;
        registry["baseUrl"] = office.url.clone().into();
        let brand = Arc::new(brand(&registry));
        let clock = ManualClock::at(START);
        let ledger = harness::ledger().await;
        let (client, push_url, relay_url) = sqs::queues(|config| config).await;
        let queues = Queues::new(client, push_url, relay_url);
        let registry = Integrators::new(ledger.clone(), clock.clock()).of(&brand).unwrap();
        Self {
            office,
            now: clock.clock(),
            clock,
            intake: Intake::new(ledger.clone(), queues.clone(), GRACE),
            ledger,
            queues,
            brand,
            registry,
        }
    }

    /// The brand's document names another integrator from now on.
    pub(crate) fn moves_to(&mut self, mut registry: Value) {
        registry["baseUrl"] = self.office.url.clone().into();
        self.brand = Arc::new(brand(&registry));
        self.registry = Integrators::new(self.ledger.clone(), self.clock.clock()).of(&self.brand).unwrap();
    }

    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard::new(&*self.registry, &self.ledger, &self.brand, &self.now)
    }

    fn push<'a>(&'a self, guard: &'a Guard<'a>) -> Push<'a> {
        Push {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: guard,
            clock: &self.now,
            grace: GRACE,
            result_wait: SignedDuration::from_secs(300),
            stop_at: Timestamp::MAX,
        }
    }

    pub(crate) fn key(&self, number: usize) -> ConsentKey {
        let recipient_id = phone(number).id(&self.brand.recipient_id_key, &self.brand.name);
        ConsentKey { brand: self.brand.name.clone(), recipient_id, channel: MESAJ, recipient_type: BIREYSEL }
    }

    /// Takes in what the brand's own systems tell.
    pub(crate) async fn says(&self, numbers: impl IntoIterator<Item = usize>, status: Status, date: &str) {
        let date: ConsentDate = date.parse().unwrap();
        let movement = |number| Movement {
            key: self.key(number),
            recipient: phone(number),
            head: Head {
                status,
                source: Source::HsWeb,
                consent_date: date,
                origin: Origin::Api,
                event_id: EventId::derive("api", [status.as_str(), &date.to_string()]),
                received_at: self.clock.now(),
                retailers: Retailers::default(),
            },
        };
        self.take(numbers.into_iter().map(movement).collect()).await;
    }

    pub(crate) async fn take(&self, movements: Vec<Movement>) {
        for taken in self.intake.take(movements, self.clock.now()).await {
            taken.unwrap();
        }
    }

    /// Carries keys to the registry. How many failed.
    pub(crate) async fn carry(&self, numbers: impl IntoIterator<Item = usize>) -> usize {
        self.carry_keys(&numbers.into_iter().map(|number| self.key(number)).collect::<Vec<_>>()).await
    }

    /// The same of any keys.
    pub(crate) async fn carry_keys(&self, keys: &[ConsentKey]) -> usize {
        let guard = self.guard();
        self.push(&guard).run(keys).await.failed.len()
    }

    pub(crate) async fn state(&self, number: usize) -> ConsentState {
        self.ledger.state(&self.key(number)).await.unwrap().unwrap()
    }

    /// How the registry's side of a key stands, in a word: the outcome or code, where it is final.
    pub(crate) async fn stands(&self, number: usize) -> String {
        match self.state(number).await.registry {
            Sync::Settled { outcome, .. } => Outcome::as_str(outcome).to_owned(),
            Sync::Rejected { code, .. } => code,
            other => other.as_str().to_owned(),
        }
    }

    pub(crate) async fn submission_of(&self, number: usize) -> String {
        match self.state(number).await.registry {
            Sync::Submitted { submission, .. } => submission,
            other => panic!("not submitted but {other:?}"),
        }
    }

    pub(crate) async fn look_after(&self, submission: &str) -> bool {
        let guard = self.guard();
        self.push(&guard).look_after(submission).await
    }

    pub(crate) async fn hear(&self, told: &Told) -> bool {
        let guard = self.guard();
        self.push(&guard).hear(told).await
    }

    /// What the pull does before it reads.
    pub(crate) async fn note_registry(&self) {
        let guard = self.guard();
        let pull = Pull { ledger: &self.ledger, intake: &self.intake, brand: &self.brand, registry: &guard, clock: &self.now };
        pull.note_registry().await.unwrap();
    }

    /// Looks at the account, as when a person asks, and releases what may go on.
    pub(crate) async fn look_at_the_account(&self) -> Tended {
        let account = ProbedAccount::new(Integrators::new(self.ledger.clone(), self.clock.clock()).of(&self.brand).unwrap());
        let keeper = Keeper {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            account: &account,
            registry: &*self.registry,
            clock: &self.now,
            grace: GRACE,
            pause: SignedDuration::from_mins(30),
        };
        keeper.tend(Occasion::Asked).await.unwrap()
    }

    /// Compares everything with the registry.
    pub(crate) async fn verify(&self) -> Verified {
        let guard = self.guard();
        let verify = Verify {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &guard,
            clock: &self.now,
            grace: GRACE,
            at_once: true,
            share: Share::of(&self.registry.capabilities(), 50, SignedDuration::from_mins(4)),
            stop_at: self.clock.now() + SignedDuration::from_mins(4),
        };
        verify.run().await.unwrap().unwrap()
    }
}
