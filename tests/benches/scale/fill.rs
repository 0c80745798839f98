//! Fills a ledger quickly: its own code makes every item, and the embedded database takes them by thousands.

use dynoxide::{Database, ImportOptions, Item};
use jiff::Timestamp;
use shared::brand::Brand;
use shared::consent::{Answer, Origin, Outcome, Target};
use tokio::sync::mpsc;

use crate::caught::Caught;
use crate::people::Person;

/// People whose items are loaded together.
const PIECE: usize = 5_000;

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
    let (full, mut pieces) = mpsc::channel::<Vec<Item>>(2);
    let database = Database::new(path).unwrap();
    let table = table.to_owned();
    let loading = tokio::task::spawn_blocking(move || {
        database.enable_bulk_loading().unwrap();
        while let Some(items) = pieces.blocking_recv() {
            database.import_items(&table, items, ImportOptions::default()).unwrap();
        }
        database.disable_bulk_loading().unwrap();
    });
    for from in (0..people).step_by(PIECE) {
        full.send(items(brand, from..(from + PIECE).min(people), stand, now).await).await.unwrap();
    }
    drop(full);
    loading.await.unwrap();
}

async fn items(brand: &Brand, numbers: std::ops::Range<usize>, stand: Stand, now: Timestamp) -> Vec<Item> {
    let caught = Caught::default();
    let ledger = caught.ledger();
    let at = Person::received(now);
    for number in numbers {
        let origin = if stand == Stand::AtRest { Origin::Registry } else { Origin::Api };
        let recorded = ledger.record(&Person(number).movement(brand, at, origin), at, at).await.unwrap();
        if stand == Stand::AtRest {
            let answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
            let state = recorded.state;
            ledger.answered_as_read(&state, Target::Insider, &state.head.sent(), answer, at, at).await.unwrap();
        }
    }
    caught.take()
}
