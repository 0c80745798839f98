//! How many records go together, and how the bad one of a refused list is found.

use shared::consent::Status;
use shared::registry::Rejects;

use super::{Change, SAID, announcing};
use crate::netgsm::{ADD, fixture, settings};
use crate::world::{World, record};

const DATA: &str = "/body/data";

/// Hands in so many consents that are answered so.
async fn carried(change: Change, numbers: usize, answers: &[&str]) -> World {
    let world = announcing(settings(), change).await;
    world.says(1..=numbers, Status::Onay, SAID).await;
    for answer in answers {
        world.office.will_answer(ADD, 200, *answer);
    }
    assert_eq!(world.carry(1..=numbers).await, 0);
    world
}

#[tokio::test]
async fn flag_bulk_records_bounds_how_many_records_a_list_has() {
    let queued = [fixture!("add-queued"); 3];
    assert_eq!(carried(|_| (), 5, &queued).await.sizes(ADD, DATA), [5]);
    assert_eq!(carried(|offered| offered.bulk_records = 2, 5, &queued).await.sizes(ADD, DATA), [2, 2, 1]);
}

#[tokio::test]
async fn flag_bulk_bytes_bounds_how_large_a_list_is() {
    let queued = [fixture!("add-queued"); 3];
    assert_eq!(carried(|offered| offered.bulk_bytes = usize::MAX, 5, &queued).await.sizes(ADD, DATA), [5]);
    let narrow: Change = |offered| offered.bulk_bytes = 2 * record(1, Status::Onay).size();
    assert_eq!(carried(narrow, 5, &queued).await.sizes(ADD, DATA), [2, 2, 1]);
}

#[tokio::test]
async fn flag_rejects_decides_whether_positions_are_believed_or_halves_find_the_record() {
    // The first of the list, whichever that is.
    let named = r#"{"code":"70","erroritem":[{"recipient":"…"}]}"#;
    let queued = fixture!("add-queued");
    let by_position = carried(|offered| offered.rejects = Rejects::PerRecord, 4, &[named, queued]).await;
    let by_halves = carried(|offered| offered.rejects = Rejects::WholeList, 4, &[named, named, named, queued, queued]).await;
    assert_eq!(by_position.sizes(ADD, DATA), [4, 3]);
    assert_eq!(by_halves.sizes(ADD, DATA), [4, 2, 1, 1, 2]);
    for world in [by_position, by_halves] {
        let mut stand = world.all_stand(1..=4).await;
        stand.sort();
        assert_eq!(stand, ["NETGSM-70", "submitted", "submitted", "submitted"]);
    }
}
