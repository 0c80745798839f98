//! The İYS client over HTTP: against written answers in every odd spelling, and against the simulator.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod account;
mod agreements;
mod allowance;
mod answers;
mod calls;
mod failures;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/iys.rs"]
mod iys;
mod parties;
mod retailers;
mod simulator;
mod token;
mod versions;

use std::sync::Arc;

use harness::ManualClock;
use iys::Iys;
use shared::brand::Brand;
use shared::clock::Clock;
use shared::consent::{Channel, Recipient, RecipientType, Retailers, Source, Status};
use shared::iys::{Client, IysRegistry, Settings};
use shared::ledger::Ledger;
use shared::registry::{Record, RegistryError};
use url::Url;

const START: &str = "2026-11-20T10:00:00Z";
const EMAIL: &str = "a.yilmaz@example.com";
const PHONE: &str = "+905992000001";

/// Settings under which tests are quick: turns are close to each other.
fn settings(url: Url) -> Settings {
    let mut settings = Settings::new(url);
    settings.limits.calls_per_second = 1000;
    settings
}

fn client(url: Url, ledger: &Ledger, clock: Clock, worker: &str) -> Client {
    Client::new(settings(url), ledger.clone(), clock, worker)
}

fn brand() -> Brand {
    Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap()
}

/// A brand at a server of written answers, with a ledger of its own and a clock that stands.
struct Setup {
    iys: Iys,
    clock: ManualClock,
    ledger: Ledger,
    client: Client,
    registry: IysRegistry,
}

async fn setup() -> Setup {
    let iys = Iys::start().await;
    let clock = ManualClock::at(START);
    let ledger = harness::ledger().await;
    let client = client(iys.url.clone(), &ledger, clock.clock(), "worker");
    let registry = IysRegistry::new(client.clone(), Arc::new(brand()));
    Setup { iys, clock, ledger, client, registry }
}

fn email() -> Recipient {
    Recipient::parse(EMAIL, Channel::Eposta).unwrap()
}

fn phone() -> Recipient {
    Recipient::parse(PHONE, Channel::Mesaj).unwrap()
}

fn record(recipient: Recipient, channel: Channel, status: Status) -> Record {
    Record {
        recipient,
        recipient_type: RecipientType::Bireysel,
        channel,
        status,
        source: Source::HsWeb,
        consent_date: "2026-11-20 12:59:00".parse().unwrap(),
        retailers: Retailers::default(),
    }
}

/// The kind of an error, and what it says.
fn kind(error: &RegistryError) -> &'static str {
    // Whatever went wrong, no address is told.
    for text in [format!("{error}"), format!("{error:?}")] {
        assert!(!text.contains("yilmaz") && !text.contains("5992000001"), "{text}");
    }
    match error {
        RegistryError::Busy { .. } => "busy",
        RegistryError::Unanswered { .. } => "unanswered",
        RegistryError::Held { .. } => "held",
        RegistryError::Defect { .. } => "defect",
        RegistryError::RefusedFor(_) => "refused for some",
        RegistryError::Ledger(_) => "ledger",
    }
}
