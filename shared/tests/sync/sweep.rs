//! The sweep: what it queues again, when, and what it leaves alone.

use jiff::SignedDuration;
use shared::consent::{Origin, Status, Sync};
use shared::queue::{KeyRef, PushMessage};
use shared::sync::sweep::QUEUED;

use crate::world::{EPOSTA, GRACE, World, email};

#[tokio::test]
async fn only_what_is_overdue_is_queued_again_and_each_time_more_rarely() {
    let world = World::new().await;
    world.says(1, Status::Onay, 60).await;
    world.clock.advance(SignedDuration::from_mins(5));
    world.says(2, Status::Onay, 60).await;
    world.lose_messages().await;
    assert_eq!(world.sweep().await.keys, 0);
    world.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(world.sweep().await.keys, 1);
    let message = PushMessage::Keys { brand: world.brand.name.clone(), keys: vec![KeyRef::of(&world.key(1))] };
    assert_eq!(world.push_messages().await, [message]);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Sync::Pending { due, .. } = world.state(1).await.registry else { panic!("not pending") };
        let wait = due.duration_since(world.clock.now());
        waits.push(wait.as_mins());
        world.clock.advance(wait);
        world.sweep().await;
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 360]);
    assert!(world.relay_messages().await.is_empty(), "Insider's side waits for the registry");
}

#[tokio::test]
async fn where_there_is_more_than_fits_what_is_nearest_to_its_deadline_is_queued_first() {
    let world = World::new().await;
    // The oldest fall due last.
    for number in 0..12 {
        world.says(number, Status::Onay, 3_600 * number as i64).await;
        world.clock.advance(SignedDuration::from_secs(10));
    }
    world.lose_messages().await;
    world.clock.advance(GRACE);
    for expected in [[11, 10, 9, 8], [7, 6, 5, 4], [3, 2, 1, 0]] {
        assert_eq!(world.sweep_up_to(4).await.keys, 4);
        let keys = expected.map(|number| KeyRef::of(&world.key(number))).to_vec();
        assert_eq!(world.push_messages().await, [PushMessage::Keys { brand: world.brand.name.clone(), keys }]);
    }
    assert_eq!(world.sweep().await.keys, 0);
}

#[tokio::test]
async fn near_its_deadline_work_is_looked_after_more_often_and_it_is_said_to_be_stuck() {
    let world = World::new().await;
    world.says(1, Status::Onay, 60).await;
    let deadline = shared::consent::slack::deadline(world.state(1).await.head.consent_date).instant();
    let (mut looks, mut stuck) = (Vec::new(), 0);
    while world.clock.now() < deadline {
        let due = world.state(1).await.registry.due().unwrap();
        world.clock.advance(due.duration_since(world.clock.now()));
        stuck += world.sweep().await.stuck;
        world.lose_messages().await;
        looks.push(deadline.duration_since(world.clock.now()).as_mins());
    }
    let far = looks.iter().filter(|left| **left > 12 * 60).count();
    assert_eq!(far, 6 + 16, "six that come twice as late each time, and then every six hours: {looks:?}");
    let near: Vec<_> = looks.iter().filter(|left| (0..60).contains(*left)).collect();
    assert!(near.len() >= 2, "more often in the last hour: {looks:?}");
    assert_eq!(stuck, looks.len() - 6);
}

#[tokio::test]
async fn a_target_that_is_not_overdue_gets_no_message() {
    let mut world = World::new().await;
    world.brand.iys.channels.remove(&EPOSTA);
    world.says(1, Status::Ret, 60).await;
    world.push().run(&world.keys([1])).await;
    world.lose_messages().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.at_insider(1).await.as_str()), ("held", "pending"));
    // Insider's side falls due after fifteen minutes, what is held after thirty.
    world.clock.advance(GRACE);
    assert_eq!(world.sweep().await.keys, 1);
    assert_eq!((world.push_messages().await.len(), world.relay_messages().await.len()), (0, 1));
    world.clock.advance(GRACE);
    assert_eq!(world.sweep().await.keys, 1);
    assert_eq!((world.push_messages().await.len(), world.relay_messages().await.len()), (1, 1));
}

#[tokio::test]
async fn invariant_10_work_that_cannot_be_read_stops_no_other() {
    let world = World::new().await;
    world.all_say(0..10, Status::Onay, 60).await;
    world.lose_messages().await;
    world.corrupt(&world.key(4)).await;
    world.clock.advance(GRACE);
    assert_eq!(world.sweep().await.keys, 9);
    let named: usize =
        world.push_messages().await.iter().map(|message| if let PushMessage::Keys { keys, .. } = message { keys.len() } else { 0 }).sum();
    assert_eq!(named, 9);
}

#[tokio::test]
async fn a_sweep_reads_as_much_as_is_overdue_and_not_what_is_settled() {
    let world = World::new().await;
    let queries = async || {
        let before = world.fuse.reads();
        world.sweep().await;
        world.fuse.reads() - before
    };
    let empty = queries().await;
    let date = world.ago(60);
    let settled = |number| {
        let mut movement = world.movement(world.key(number), email(number), Status::Ret, date, Origin::Insider);
        movement.head.origin = Origin::Registry;
        movement
    };
    world.take((0..40).map(settled).collect()).await;
    let keys = world.keys(0..40);
    assert!(world.relay(&keys).await.failed.is_empty());
    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(queries().await, empty, "nothing is open");
    world.says(50, Status::Onay, 60).await;
    world.clock.advance(GRACE);
    assert_eq!(queries().await, empty + 2, "the key, and its state before it is written");
}

#[tokio::test]
async fn a_sweep_whose_time_is_over_ends_in_good_order_and_the_next_one_goes_on() {
    let world = World::new().await;
    world.all_say(0..300, Status::Onay, 60).await;
    world.lose_messages().await;
    world.clock.advance(GRACE);
    let swept = world.sweep_until(QUEUED, world.clock.now()).await;
    assert!(swept.keys > 0 && swept.left > 0, "{swept:?}");
    assert_eq!(swept.keys + swept.left, 300);
    assert_eq!((world.sweep().await.keys, world.sweep().await.keys), (swept.left, 0));
}
