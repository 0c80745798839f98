//! What follows from each flag of a registry: one situation, the flag one way and the other, and what differs.
//!
//! The registry is an integrator's adapter, of which a test changes nothing but what it announces. Flags whose
//! consequence lies in a function are provoked by that function's tests; `matrix` holds that each flag is.

mod asking;
mod carried;
mod lists;
mod outcomes;
mod pace;
mod told;

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;
use shared::consent::{Channel, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Status};
use shared::registry::{Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};
use shared::sync::outcome::Told;

use crate::netgsm;
use crate::world::{BIREYSEL, World};

pub(crate) const SAID: &str = "2026-11-20 12:59:00";

/// Changes what a registry announces.
type Change = fn(&mut Capabilities);

/// A registry that announces something else.
struct Announcing {
    registry: Box<dyn Registry>,
    change: Change,
}

/// A brand whose document names its integrator so, with this change of what that announces.
async fn announcing(registry: Value, change: Change) -> World {
    let mut world = World::at(registry).await;
    world.registry = Box::new(Announcing { registry: world.registry, change });
    world
}

/// So many consents that Netgsm once took, and does not show two days later.
async fn registered(change: Change, numbers: usize) -> World {
    let world = announcing(netgsm::settings(), change).await;
    world.says(1..=numbers, Status::Onay, SAID).await;
    world.office.will_answer(netgsm::ADD, 200, netgsm::fixture!("add-queued"));
    assert_eq!(world.carry(1..=numbers).await, 0);
    for number in 1..=numbers {
        let told = Told {
            key: world.key(number),
            status: Status::Onay,
            consent_date: SAID.parse().unwrap(),
            reference: None,
            verdict: Verdict::Recorded { transaction_id: None },
        };
        assert!(world.hear(&told).await);
        assert!(world.state(number).await.registry_holds_onay());
        for _ in 0..2 {
            world.office.will_answer(netgsm::SEARCH, 200, netgsm::fixture!("search-none"));
        }
    }
    world.clock.advance(SignedDuration::from_hours(48));
    world
}

impl World {
    /// A movement of any address on the channel of its kind.
    pub(crate) fn movement(&self, recipient: Recipient, channel: Channel, (status, date): (Status, &str), origin: Origin) -> Movement {
        let key = ConsentKey {
            brand: self.brand.name.clone(),
            recipient_id: recipient.id(&self.brand.recipient_id_key, &self.brand.name),
            channel,
            recipient_type: BIREYSEL,
        };
        let source = if origin == Origin::Notice { "IYS_WEB" } else { "HS_WEB" };
        let head = Head {
            status,
            source: source.parse().unwrap(),
            consent_date: date.parse().unwrap(),
            origin,
            event_id: EventId::derive(origin.as_str(), [status.as_str(), date]),
            received_at: self.clock.now(),
            retailers: Retailers::default(),
        };
        Movement { key, recipient, head }
    }

    /// How many items each call to a path had in a list of its body.
    fn sizes(&self, path: &str, list: &str) -> Vec<usize> {
        self.office.came_to(path).iter().map(|came| came.json().pointer(list).unwrap().as_array().unwrap().len()).collect()
    }

    /// What the registry's side of these keys ended as.
    async fn all_stand(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut words = Vec::new();
        for number in numbers {
            words.push(self.stands(number).await);
        }
        words
    }
}

#[async_trait]
impl Registry for Announcing {
    fn capabilities(&self) -> Capabilities {
        let mut offered = self.registry.capabilities();
        (self.change)(&mut offered);
        offered
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.registry.add(record).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        self.registry.submit(records).await
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        self.registry.results(request_id).await
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        self.registry.onays(channel, kind, recipients).await
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        self.registry.holding(channel, kind, recipient).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.registry.changes(feed, cursor).await
    }

    async fn probe(&self, channel: Channel) -> Result<(), RegistryError> {
        self.registry.probe(channel).await
    }
}
