//! What İYS holds: records with their full history, the movements in the order of pull, and bulk
//! lists waiting to be processed. Everything is settled lazily: [`Store::settle`] brings the store
//! to the present before it is read or changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::model::{Consent, ConsentType, Key, Movement, RecipientType, Status, write_date};
use super::rules::{self, Standing};
use super::switches::Switches;

/// Position in pull's order: creation second, transaction.
pub(crate) type Position = (i64, [u8; 32]);

/// Movements of one brand from one side.
type Feed = BTreeMap<Position, Vec<(Key, Arc<Movement>)>>;

/// A movement's public facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) transaction_id: String,
    pub(crate) creation_date: String,
}

impl Stored {
    fn of(movement: &Movement) -> Self {
        Self { transaction_id: movement.transaction_id(), creation_date: movement.creation_date() }
    }
}

/// A consent that came by v2 and was stored: what an identical resend is answered with.
#[derive(Clone)]
struct Original {
    stored: Stored,
    /// Request and sub-request, where it came in a bulk list.
    request: Option<(Arc<str>, Arc<str>)>,
}

/// How a bulk item ended.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// Stored, or found stored already by an earlier v2 request.
    Success { stored: Stored, original: Option<(Arc<str>, Arc<str>)> },
    /// Refused with a code.
    Failure(&'static str),
    /// Refused with a code that a test planted.
    Planted(Arc<str>),
}

/// The retailers that may use a consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The one that collected it.
    pub(crate) collector: Option<u64>,
    /// Those that were listed.
    pub(crate) listed: BTreeSet<u64>,
}

impl Held {
    pub(crate) fn all(&self) -> BTreeSet<u64> {
        self.listed.iter().copied().chain(self.collector).collect()
    }
}

/// One item of a bulk list.
pub(crate) struct Item {
    pub(crate) id: Arc<str>,
    /// None: the item was refused before it was read, and has its outcome.
    consent: Option<Consent>,
    /// How it ended, shown once the list is due.
    pub(crate) outcome: Option<Outcome>,
}

/// One bulk list.
pub(crate) struct Request {
    pub(crate) brand: u64,
    pub(crate) taken: Timestamp,
    pub(crate) due: Timestamp,
    v2: bool,
    pub(crate) items: Vec<Item>,
}

/// Counts for one combination of channel, recipient type and status.
pub(crate) type Counts = BTreeMap<(ConsentType, RecipientType, Status), u64>;

/// The whole store.
#[derive(Default)]
pub(crate) struct Store {
    records: HashMap<Key, Vec<Arc<Movement>>>,
    by_recipients: HashMap<u64, Feed>,
    by_providers: HashMap<u64, Feed>,
    requests: HashMap<Arc<str>, Request>,
    queue: VecDeque<(Timestamp, Arc<str>)>,
    single_v2: HashMap<[u8; 32], Stored>,
    any_v2: HashMap<[u8; 32], Original>,
    record_counts: HashMap<u64, u64>,
    access: HashMap<Key, Held>,
    /// Who is told of every movement as it comes about.
    watchers: Vec<mpsc::UnboundedSender<Change>>,
}

/// A movement that has just come about.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) movement: Arc<Movement>,
    /// The integrator that brought it, if it was one.
    pub(crate) carrier: Option<&'static str>,
}

impl Store {
    /// Processes every bulk list that is due at `now`; returns the codes of refused items.
    pub(crate) fn settle(&mut self, now: Timestamp, switches: &Switches) -> Vec<&'static str> {
        let mut refused = Vec::new();
        while let Some((due, id)) = self.queue.pop_front_if(|(due, _)| *due <= now) {
            let Some(mut request) = self.requests.remove(&id) else {
                continue;
            };
            for item in request.items.iter_mut().filter(|item| item.outcome.is_none()) {
                let outcome = self.process(request.brand, request.v2, &id, item, due, switches);
                if let Outcome::Failure(code) = &outcome {
                    refused.push(*code);
                }
                item.outcome = Some(outcome);
            }
            self.requests.insert(id, request);
        }
        refused
    }

    fn process(&mut self, brand: u64, v2: bool, request: &Arc<str>, item: &Item, due: Timestamp, switches: &Switches) -> Outcome {
        let Some(consent) = &item.consent else {
            return Outcome::Failure("H015");
        };
        let print = digest(&consent.fingerprint(brand));
        if v2 && let Some(original) = self.any_v2.get(&print) {
            return Outcome::Success { stored: original.stored.clone(), original: original.request.clone() };
        }
        match self.add(consent, brand, due, switches) {
            Ok(stored) => {
                if v2 {
                    let request = Some((Arc::clone(request), Arc::clone(&item.id)));
                    self.any_v2.insert(print, Original { stored: stored.clone(), request });
                }
                Outcome::Success { stored, original: None }
            }
            Err(codes) => Outcome::Failure(codes.first().copied().unwrap_or("H015")),
        }
    }

    /// The codes with which the stateful rules refuse a consent.
    pub(crate) fn refusals(&self, consent: &Consent, key: &Key, switches: &Switches) -> Vec<&'static str> {
        let standing = self.current(key).map(|current| Standing { status: current.status, consent_date: current.consent_date });
        rules::against(consent, standing, switches)
    }

    /// Applies the stateful rules and stores the consent.
    pub(crate) fn add(&mut self, consent: &Consent, brand: u64, now: Timestamp, switches: &Switches) -> Result<Stored, Vec<&'static str>> {
        self.carried(consent, brand, now, switches, None)
    }

    /// As [`Store::add`], for an integrator that is told by the answer and not again as a watcher.
    pub(crate) fn carried(
        &mut self,
        consent: &Consent,
        brand: u64,
        now: Timestamp,
        switches: &Switches,
        carrier: Option<&'static str>,
    ) -> Result<Stored, Vec<&'static str>> {
        let key = consent.key(brand);
        let codes = self.refusals(consent, &key, switches);
        if !codes.is_empty() {
            return Err(codes);
        }
        let movement = Movement {
            status: consent.status,
            source: consent.source.clone(),
            consent_date: consent.consent_date,
            creation: now,
            transaction: transaction(&key, now),
            citizen_name: None,
            retailer_code: consent.retailer_code,
            retailer_access: consent.retailer_access.clone(),
        };
        let movement = self.record(key.clone(), movement);
        self.announce(&key, &movement, carrier);
        Ok(Stored::of(&movement))
    }

    /// From now on tells of every movement that comes about.
    pub(crate) fn watch(&mut self) -> mpsc::UnboundedReceiver<Change> {
        let (told, changes) = mpsc::unbounded_channel();
        self.watchers.push(told);
        changes
    }

    /// Tells the watchers of a movement; those that are gone are forgotten.
    pub(crate) fn announce(&mut self, key: &Key, movement: &Arc<Movement>, carrier: Option<&'static str>) {
        self.watchers.retain(|told| told.send(Change { key: key.clone(), movement: Arc::clone(movement), carrier }).is_ok());
    }

    /// What stands for a brand, in no order.
    pub(crate) fn standing_of(&self, brand: u64) -> impl Iterator<Item = (&Key, &Arc<Movement>)> {
        self.records.iter().filter(move |(key, _)| key.brand == brand).filter_map(|(key, history)| Some((key, history.last()?)))
    }

    /// Stores a movement without asking any rule.
    pub(crate) fn record(&mut self, key: Key, movement: Movement) -> Arc<Movement> {
        let movement = Arc::new(movement);
        let feeds = if movement.by_recipient() { &mut self.by_recipients } else { &mut self.by_providers };
        feeds
            .entry(key.brand)
            .or_default()
            .entry((movement.creation.as_second(), movement.transaction))
            .or_default()
            .push((key.clone(), Arc::clone(&movement)));
        if !movement.by_recipient() {
            // What the provider sends replaces the record; what a person does leaves the retailers as they are.
            let held = Held { collector: movement.retailer_code, listed: movement.retailer_access.iter().copied().collect() };
            if held == Held::default() {
                self.access.remove(&key);
            } else {
                self.access.insert(key.clone(), held);
            }
        }
        let brand = key.brand;
        let history = self.records.entry(key).or_default();
        if history.is_empty() {
            *self.record_counts.entry(brand).or_default() += 1;
        }
        history.push(Arc::clone(&movement));
        movement
    }

    /// İYS loses the newest movement of a key: what stood before stands again, and nobody is told.
    pub(crate) fn forget(&mut self, key: &Key) -> Option<Arc<Movement>> {
        let history = self.records.get_mut(key)?;
        let lost = history.pop()?;
        if history.is_empty() {
            self.records.remove(key);
            self.access.remove(key);
            if let Some(count) = self.record_counts.get_mut(&key.brand) {
                *count = count.saturating_sub(1);
            }
        }
        for feeds in [&mut self.by_recipients, &mut self.by_providers] {
            if let Some(together) = feeds.get_mut(&key.brand).and_then(|feed| feed.get_mut(&(lost.creation.as_second(), lost.transaction)))
            {
                together.retain(|(_, movement)| !Arc::ptr_eq(movement, &lost));
            }
        }
        let stored = Stored::of(&lost);
        self.single_v2.retain(|_, answer| *answer != stored);
        self.any_v2.retain(|_, original| original.stored != stored);
        Some(lost)
    }

    /// Records of the given brands.
    pub(crate) fn record_count(&self, brands: impl Iterator<Item = u64>) -> u64 {
        brands.filter_map(|brand| self.record_counts.get(&brand)).sum()
    }

    /// The retailers that may use a consent.
    pub(crate) fn access(&self, key: &Key) -> Held {
        self.access.get(key).cloned().unwrap_or_default()
    }

    /// Changes which retailers may use a consent, if there is one.
    pub(crate) fn change_access(&mut self, key: &Key, change: impl FnOnce(&mut Held)) {
        if self.current(key).is_some() {
            change(self.access.entry(key.clone()).or_default());
        }
    }

    /// How many consents of a brand a retailer may use.
    pub(crate) fn consents_of(&self, brand: u64, retailer: u64) -> usize {
        let holds = |held: &Held| held.collector == Some(retailer) || held.listed.contains(&retailer);
        self.access.iter().filter(|(key, held)| key.brand == brand && holds(held)).count()
    }

    /// Whether a retailer collected what stands for any key of a brand.
    pub(crate) fn collected_by(&self, brand: u64, retailer: u64) -> bool {
        let of_brand = self.records.iter().filter(|(key, _)| key.brand == brand);
        of_brand.filter_map(|(_, history)| history.last()).any(|current| current.retailer_code == Some(retailer))
    }

    /// What stands for a key: the movement recorded last.
    pub(crate) fn current(&self, key: &Key) -> Option<&Arc<Movement>> {
        self.records.get(key).and_then(|history| history.last())
    }

    /// All movements of a key, oldest recording first.
    pub(crate) fn history(&self, key: &Key) -> &[Arc<Movement>] {
        self.records.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The answer to an identical single add by v2, if there was one.
    pub(crate) fn repeated(&self, print: &[u8; 32]) -> Option<&Stored> {
        self.single_v2.get(print)
    }

    /// Remembers a single add by v2 under its path and body.
    pub(crate) fn remember(&mut self, print: [u8; 32], consent: &Consent, brand: u64, stored: &Stored) {
        self.single_v2.insert(print, stored.clone());
        self.any_v2.insert(digest(&consent.fingerprint(brand)), Original { stored: stored.clone(), request: None });
    }

    /// Takes a bulk list, each item with the outcome that it has already, if any; returns its id and the ids
    /// of its items.
    pub(crate) fn enqueue(
        &mut self,
        brand: u64,
        consents: Vec<(Option<Consent>, Option<Outcome>)>,
        v2: bool,
        taken: Timestamp,
        delay: SignedDuration,
    ) -> (Arc<str>, Vec<Arc<str>>) {
        let id = fresh_id();
        let items: Vec<Item> = consents.into_iter().map(|(consent, outcome)| Item { id: fresh_id(), consent, outcome }).collect();
        let ids = items.iter().map(|item| Arc::clone(&item.id)).collect();
        let due = taken + delay;
        self.queue.push_back((due, Arc::clone(&id)));
        self.requests.insert(Arc::clone(&id), Request { brand, taken, due, v2, items });
        (id, ids)
    }

    /// A bulk list of the brand.
    pub(crate) fn request(&self, id: &str, brand: u64) -> Option<&Request> {
        self.requests.get(id).filter(|request| request.brand == brand)
    }

    /// Bulk items not yet processed.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.iter().filter_map(|(_, id)| self.requests.get(id)).map(|request| request.items.len()).sum()
    }

    /// Bulk items of a brand, taken from `from` to `to`, that are not processed.
    pub(crate) fn waiting_of(
        &self,
        brand: u64,
        (from, to): (Timestamp, Timestamp),
        recipient_type: RecipientType,
        channel: ConsentType,
    ) -> u64 {
        let requests = self.queue.iter().filter_map(|(_, id)| self.requests.get(id));
        let taken =
            requests.filter(|request| request.brand == brand && (from.as_second()..=to.as_second()).contains(&request.taken.as_second()));
        let items = taken.flat_map(|request| &request.items).filter(|item| item.outcome.is_none());
        let wanted = |consent: &&Consent| consent.recipient_type == recipient_type && consent.consent_type == channel;
        u64::try_from(items.filter_map(|item| item.consent.as_ref()).filter(wanted).count()).unwrap_or(u64::MAX)
    }

    /// Movements of a brand from one side between `from` (inclusive) and `to` (inclusive), after the
    /// cursor, of the wanted keys, at most `limit`. Movements that share one position are never torn apart.
    pub(crate) fn movements(
        &self,
        brand: u64,
        by_recipients: bool,
        (from, to): (Timestamp, Timestamp),
        after: Option<Bound<Position>>,
        limit: usize,
        wanted: impl Fn(&Key) -> bool,
    ) -> Vec<(Position, &Key, &Arc<Movement>)> {
        let feeds = if by_recipients { &self.by_recipients } else { &self.by_providers };
        let Some(feed) = feeds.get(&brand) else {
            return Vec::new();
        };
        let start = (from.as_second(), [0; 32]);
        let end = (to.as_second(), [u8::MAX; 32]);
        let lower = match after {
            Some(Bound::Excluded(after)) if after >= start => Bound::Excluded(after),
            Some(Bound::Included(after)) if after >= start => Bound::Included(after),
            _ => Bound::Included(start),
        };
        let below_end = match lower {
            Bound::Excluded(position) | Bound::Included(position) => position < end,
            Bound::Unbounded => true,
        };
        if !below_end {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for (position, together) in feed.range((lower, Bound::Included(end))) {
            let together: Vec<_> = together.iter().filter(|(key, _)| wanted(key)).collect();
            if !rows.is_empty() && rows.len().saturating_add(together.len()) > limit {
                break;
            }
            rows.extend(together.into_iter().map(|(key, movement)| (*position, key, movement)));
        }
        rows
    }

    /// Records of the given brands, counted by current state.
    pub(crate) fn counts(&self, brands: &[u64]) -> Counts {
        let mut counts = Counts::new();
        for (key, history) in &self.records {
            if let Some(current) = history.last().filter(|_| brands.contains(&key.brand)) {
                *counts.entry((key.consent_type, key.recipient_type, current.status)).or_default() += 1;
            }
        }
        counts
    }

    /// All movements of the given brands.
    pub(crate) fn movement_count(&self, brands: &[u64]) -> usize {
        [&self.by_recipients, &self.by_providers]
            .into_iter()
            .flat_map(|feeds| brands.iter().filter_map(|brand| feeds.get(brand)))
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum()
    }
}

fn fresh_id() -> Arc<str> {
    Arc::from(uuid::Uuid::new_v4().to_string())
}

/// SHA-256 of a text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The transaction of a movement: the same for every movement of a key within one second, as İYS
/// warns of in its description of the bulk add.
pub(crate) fn transaction(key: &Key, creation: Timestamp) -> [u8; 32] {
    digest(&format!(
        "{}|{}|{}|{}|{}",
        key.brand,
        key.recipient,
        key.recipient_type.name(),
        key.consent_type.name(),
        write_date(super::model::turkish(creation)),
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::iys::model::read_date;

    fn consent(recipient: &str, status: Status, date: &str) -> Consent {
        Consent {
            recipient: Arc::from(recipient),
            recipient_type: RecipientType::Bireysel,
            consent_type: ConsentType::Mesaj,
            status,
            source: Some(Arc::from("HS_WEB")),
            consent_date: read_date(date).ok(),
            retailer_code: None,
            retailer_access: Vec::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    #[test]
    fn a_bulk_list_is_stored_at_its_due_second_and_not_before() {
        let switches = Switches::default();
        let mut store = Store::default();
        let consent = consent("+905992000001", Status::Onay, "2026-05-01 00:00:00");
        let (id, _) = store.enqueue(1, vec![(Some(consent.clone()), None)], true, at(0), SignedDuration::from_secs(300));
        store.settle(at(299), &switches);
        assert!(store.current(&consent.key(1)).is_none());
        store.settle(at(1000), &switches);
        assert_eq!(store.current(&consent.key(1)).map(|movement| movement.creation), Some(at(300)));
        assert!(store.request(&id, 1).unwrap().items[0].outcome.is_some());
        assert!(store.request(&id, 2).is_none(), "another brand does not see it");
    }

    #[test]
    fn a_v2_resend_succeeds_and_names_the_first_request() {
        let switches = Switches::default();
        let mut store = Store::default();
        let list = || vec![(Some(consent("+905992000001", Status::Onay, "2026-05-01 00:00:00")), None)];
        let (first, _) = store.enqueue(1, list(), true, at(0), SignedDuration::ZERO);
        let (second, _) = store.enqueue(1, list(), true, at(5), SignedDuration::ZERO);
        let (old, _) = store.enqueue(1, list(), false, at(6), SignedDuration::ZERO);
        assert_eq!(store.settle(at(10), &switches), ["H178"], "only v1 refuses an identical resend");
        match store.request(&second, 1).unwrap().items[0].outcome.as_ref().unwrap() {
            Outcome::Success { original: Some((request, _)), .. } => assert_eq!(*request, first),
            _ => panic!("the resend succeeds with a reference"),
        }
        assert!(matches!(store.request(&old, 1).unwrap().items[0].outcome, Some(Outcome::Failure("H178"))));
    }

    #[test]
    fn movements_of_one_key_in_one_second_share_a_transaction() {
        let key = consent("+905992000001", Status::Onay, "2026-05-01 00:00:00").key(1);
        let half = at(0) + SignedDuration::from_millis(500);
        assert_eq!(transaction(&key, at(0)), transaction(&key, half));
        assert_ne!(transaction(&key, at(0)), transaction(&key, at(1)));
    }

    #[test]
    fn paging_by_cursor_sees_every_movement_once() {
        let switches = Switches::default();
        let mut store = Store::default();
        for number in 0..25 {
            let consent = consent(&format!("+9059920000{number:02}"), Status::Onay, "2026-05-01 00:00:00");
            store.add(&consent, 1, at(number / 5), &switches).unwrap();
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = store.movements(1, false, (at(0), at(100)), after.map(Bound::Excluded), 4, |_| true);
            let Some((position, _, _)) = page.last() else {
                break;
            };
            after = Some(*position);
            seen.extend(page.iter().map(|(_, key, _)| Arc::clone(&key.recipient)));
        }
        assert_eq!(seen.len(), 25);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25);
        assert_eq!(store.movements(1, false, (at(1), at(2)), None, 1000, |_| true).len(), 10, "the window is inclusive");
        assert!(store.movements(1, false, (at(10), at(2)), None, 1000, |_| true).is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_a_history_begins_with_an_approval_and_its_dates_rise(
            sent in prop::collection::vec((any::<bool>(), 0..20_i8), 1..40),
        ) {
            let mut store = Store::default();
            for (second, (approval, day)) in sent.iter().enumerate() {
                let status = if *approval { Status::Onay } else { Status::Ret };
                let consent = consent("+905992000001", status, &format!("2026-05-{:02} 00:00:00", day + 1));
                let second = i64::try_from(second).unwrap();
                // Refusals are part of the game: only what was stored is looked at.
                let _stored = store.add(&consent, 1, at(second), &Switches::default());
            }
            let key = consent("+905992000001", Status::Onay, "2026-05-01 00:00:00").key(1);
            let history = store.history(&key);
            prop_assert!(history.first().is_none_or(|first| first.status == Status::Onay));
            for pair in history.windows(2) {
                prop_assert!(pair[0].consent_date < pair[1].consent_date);
                prop_assert!(pair[1].status == Status::Onay || pair[0].status == Status::Onay);
            }
        }
    }
}
