//! Thousands of keys over the real ledger and the simulated İYS, one in a hundred of which İYS holds otherwise
//! without a word: all are found and repaired, with the fewest requests. `VERIFY_KEYS` sets how many keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::consent::{Channel, ConsentDate, ConsentState, Movement, Origin, Recipient, RecipientType, Source, Status};
use shared::sync::verify::{Share, Verified, Verify};

use crate::desk::{Desk, GRACE, RESULT_WAIT, START, document};
use crate::harness::ManualClock;
use crate::simulator::{self, Simulator};

const KEYS: usize = 4000;
const BRAND: u64 = 700_001;
/// What İYS takes at once (İYS documentation, `batchConsentStatus`).
const AT_ONCE: usize = 1000;
/// How long a run of the function begins something new.
const LENGTH: SignedDuration = SignedDuration::from_secs(240);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// No verification of these takes more hourly runs than this.
const RUNS: usize = 100;
const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;

/// What İYS holds of a key, silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// The same as the ledger.
    Same,
    /// Nothing of it, or the ONAY from before the refusal.
    Lost,
    /// The opposite, and later.
    Newer,
}

struct Key {
    movement: Movement,
    held: Held,
}

impl Key {
    fn status(&self) -> Status {
        self.movement.head.status
    }

    /// What has to stand everywhere in the end.
    fn end(&self) -> Status {
        match (self.held, self.status()) {
            (Held::Newer, ONAY) => RET,
            (Held::Newer, RET) => ONAY,
            (_, status) => status,
        }
    }

    /// What the simulator is told to hold.
    fn seed(&self, later: ConsentDate, before: ConsentDate) -> Option<Value> {
        let (status, date) = match (self.held, self.status()) {
            (Held::Same, status) => (status, self.movement.head.consent_date),
            (Held::Lost, ONAY) => return None,
            (Held::Lost, RET) => (ONAY, before),
            (Held::Newer, _) => (self.end(), later),
        };
        let key = &self.movement.key;
        Some(json!({"brandCode": BRAND, "recipient": self.movement.recipient.expose(), "type": key.channel,
                    "recipientType": key.recipient_type, "status": status, "consentDate": date}))
    }
}

/// Keys of three groups, three in ten of them refusals, one in a hundred different at İYS.
fn keys(desk: &Desk, count: usize) -> Vec<Key> {
    let mut keys = Vec::with_capacity(count);
    for number in 0..count {
        let (channel, kind) = match number % 10 {
            0..5 => (Channel::Eposta, RecipientType::Bireysel),
            5..8 => (Channel::Mesaj, RecipientType::Bireysel),
            _ => (Channel::Eposta, RecipientType::Tacir),
        };
        let address = if channel == Channel::Eposta { format!("kisi{number}@example.com") } else { format!("+90599{number:07}") };
        let recipient = Recipient::parse(&address, channel).unwrap();
        let status = if number / 10 % 10 < 3 { RET } else { ONAY };
        let held = match (number % 101 == 7, number / 101 % 2) {
            (false, _) => Held::Same,
            (true, 0) => Held::Lost,
            (true, _) => Held::Newer,
        };
        let key = desk.key(0, &recipient, channel, kind);
        let mut movement = desk.movement(key, recipient, status, 3600, Origin::Registry);
        // The brand's own, as the feed tells of it: it can be sent again.
        movement.head.source = Source::HsWeb;
        keys.push(Key { movement, held });
    }
    keys
}

/// Hourly runs until nothing is left. What they did together, and how many they were.
async fn verify(desk: &Desk) -> (Verified, usize) {
    let brand = Arc::new(desk.brands[0].clone());
    let registry = (desk.app.registry)(&brand);
    let mut all = Verified::default();
    for runs in 1..=RUNS {
        let verify = Verify {
            ledger: &desk.ledger,
            queues: &desk.app.queues,
            brand: &brand,
            registry: registry.as_ref(),
            clock: &desk.clock.clock(),
            grace: GRACE,
            rest: SignedDuration::from_mins(10),
            at_once: true,
            share: Share::of(&registry.capabilities(), 50, LENGTH),
            stop_at: desk.clock.now() + LENGTH,
        };
        let run = verify.run().await.unwrap().unwrap();
        all.counts.add(&run.counts);
        if run.is_complete {
            return (all, runs);
        }
        desk.clock.advance(HOUR);
    }
    panic!("verification never ends: {:?}", all.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_1_of_thousands_of_keys_one_in_a_hundred_that_silently_differs_at_iys_is_repaired_with_the_fewest_requests() {
    let count = std::env::var("VERIFY_KEYS").ok().map_or(KEYS, |text| text.parse().unwrap());
    let clock = ManualClock::at(START);
    let iys = Simulator::start(&clock, |_| {}).await;
    let reach = |ledger: &_| Simulator::reach(&iys.url, simulator::PATIENCE, ledger, &clock, "worker");
    let desk = Desk::new(clock.clone(), vec![document("demo", BRAND, false)], reach).await;
    let keys = keys(&desk, count);
    let now = clock.now();
    let mut recorded = futures::stream::iter(&keys).map(|key| desk.ledger.record(&key.movement, now, now)).buffer_unordered(32);
    while let Some(recorded) = recorded.next().await {
        recorded.unwrap();
    }
    drop(recorded);
    let (later, before) = (ConsentDate::at(now), ConsentDate::at(now - HOUR * (24 * 30)));
    let seeds: Vec<_> = keys.iter().filter_map(|key| key.seed(later, before)).collect();
    for some in seeds.chunks(5000) {
        iys.order(Method::POST, "consents", json!(some)).await;
    }
    clock.advance(HOUR * 25);

    let (verified, _) = verify(&desk).await;
    let differing: Vec<_> = keys.iter().filter(|key| key.held != Held::Same).collect();
    let found: u64 = verified.counts.differences.values().map(|count| count.found).sum();
    let repaired: u64 = verified.counts.differences.values().map(|count| count.repaired()).sum();
    assert_eq!((found, repaired), (differing.len() as u64, differing.len() as u64), "{:?}", verified.counts);
    assert_eq!(verified.counts.compared, count as u64);
    // One question for every thousand of a group, and one for each record that differs.
    let mut groups = BTreeMap::<_, usize>::new();
    for key in &keys {
        *groups.entry((key.movement.key.channel, key.movement.key.recipient_type)).or_default() += 1;
    }
    let fewest: usize = groups.values().map(|keys| keys.div_ceil(AT_ONCE)).sum();
    let requests = iys.requests().await;
    assert_eq!(requests[&simulator::Kind::MultiStatus], fewest as u64);
    assert_eq!(requests[&simulator::Kind::Status], differing.len() as u64);

    // What is to be sent goes its usual way.
    loop {
        let event = desk.batch().await;
        if event.records.is_empty() {
            match desk.later.next() {
                Some(_) => clock.advance(RESULT_WAIT),
                None => break,
            }
            continue;
        }
        assert!(desk.handle(event).await.records.is_empty());
    }
    let wanted: Vec<_> = differing.iter().map(|key| key.movement.key.clone()).collect();
    let states: BTreeMap<_, ConsentState> =
        desk.ledger.states(&wanted).await.unwrap().into_iter().map(|state| (state.key.clone(), state)).collect();
    for key in &differing {
        let state = &states[&key.movement.key];
        assert_eq!(state.head.status, key.end(), "{:?}", key.held);
        assert_eq!(state.registry_holds_onay(), key.end() == ONAY, "{:?}", key.held);
        assert!(!state.registry.is_open());
    }
    // A week later all agree.
    clock.advance(HOUR * (24 * 7));
    let (again, runs) = verify(&desk).await;
    assert_eq!((again.counts.compared, again.counts.differences.len(), runs), (count as u64, 0, 1));
    assert_eq!(again.counts.questions, fewest as u64);
}
