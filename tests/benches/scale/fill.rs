//! Fills a ledger quickly: its own code makes the items of a few people, those of all others are the same but for
//! what names a person, and the embedded database takes them by thousands.

use std::collections::BTreeMap;

use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use jiff::Timestamp;
use shared::brand::Brand;
use shared::consent::{Answer, Origin, Outcome, Target};

use crate::caught::Caught;
use crate::people::Person;

/// People whose items are loaded together.
const PIECE: usize = 5_000;
/// Over how many partitions an index is spread: as many patterns are made of each kind.
const SHARDS: usize = 4;

/// How the people's consents stand in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Both targets have them.
    AtRest,
    /// Nobody has been told yet.
    Open,
}

/// Writes the states and movements of so many people into the table of the database at `path`.
pub(crate) async fn fill(path: &str, table: &str, brand: &Brand, people: usize, stand: Stand, now: Timestamp) {
    let patterns = Patterns::make(brand, stand, Person::received(now)).await;
    let (database, brand, table) = (Database::new(path).unwrap(), brand.clone(), table.to_owned());
    let load = move || {
        database.enable_bulk_loading().unwrap();
        for from in (0..people).step_by(PIECE) {
            let items = (from..(from + PIECE).min(people)).flat_map(|number| patterns.of(Person(number), &brand)).collect();
            database.import_items(&table, items, ImportOptions::default()).unwrap();
        }
        database.disable_bulk_loading().unwrap();
    };
    tokio::task::spawn_blocking(load).await.unwrap();
}

/// Items as the ledger made them: for each kind of person those of one in each shard of the index `check`.
struct Patterns(BTreeMap<(usize, bool), BTreeMap<String, Vec<Item>>>);

impl Patterns {
    async fn make(brand: &Brand, stand: Stand, at: Timestamp) -> Self {
        let mut patterns = BTreeMap::<_, BTreeMap<String, Vec<Item>>>::new();
        let mut people = (0..).map(Person);
        // The first hundred have every kind.
        while patterns.len() < 6 || patterns.values().any(|shards| shards.len() < SHARDS) {
            let person = people.next().unwrap();
            let items = made(brand, person, stand, at).await;
            let shard = items.iter().find_map(|item| Some(text(item.get("check_pk")?).to_owned())).unwrap();
            patterns.entry(person.kind()).or_default().insert(shard, items);
        }
        Self(patterns)
    }

    /// The items of a person.
    fn of(&self, person: Person, brand: &Brand) -> impl Iterator<Item = Item> {
        let shards = &self.0[&person.kind()];
        let pattern = shards.values().nth(person.0 / 100 % SHARDS).unwrap();
        let id = person.recipient().id(&brand.recipient_id_key, &brand.name);
        let partition = format!("C#{}#{id}", brand.name);
        // Digests spread, and no two are alike.
        let digest = format!("{:016x}{:048x}", (person.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), person.0);
        pattern.clone().into_iter().map(move |mut item| {
            item.insert("PK".into(), AttributeValue::S(partition.clone()));
            item.insert("recipient".into(), AttributeValue::S(person.address()));
            if let Some(day) = item.get("day_pk").map(text) {
                let day = format!("{}{}", &day[..day.len() - 1], &digest[..1]);
                item.insert("day_pk".into(), AttributeValue::S(day));
                item.insert("digest".into(), AttributeValue::S(digest.clone()));
            }
            item
        })
    }
}

/// A person's items as the ledger makes them.
async fn made(brand: &Brand, person: Person, stand: Stand, at: Timestamp) -> Vec<Item> {
    let caught = Caught::default();
    let ledger = caught.ledger();
    let origin = if stand == Stand::AtRest { Origin::Registry } else { Origin::Api };
    let state = ledger.record(&person.movement(brand, at, origin), at, at).await.unwrap().state;
    if stand == Stand::AtRest {
        let answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
        ledger.answered_as_read(&state, Target::Insider, &state.head.sent(), answer, at, at).await.unwrap();
    }
    caught.take()
}

fn text(value: &AttributeValue) -> &str {
    match value {
        AttributeValue::S(text) => text,
        other => panic!("no text: {other:?}"),
    }
}
