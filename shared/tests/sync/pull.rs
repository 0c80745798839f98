//! The registry's feeds into the ledger: pages, cursors, repetition, and no echo.

use jiff::SignedDuration;
use shared::consent::{Channel, Origin, Status};
use shared::registry::{Feed, RegistryError};
use shared::sync::pull::{FEEDS, OVERLAP, PullError, Pulled};

use crate::book::{Fault, Op};
use crate::fuse::Break;
use crate::world::{BIREYSEL, EPOSTA, TACIR, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;

fn people(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        world.book.person(&email(number), EPOSTA, BIREYSEL, RET, world.ago(60));
    }
}

async fn cursor(world: &World, feed: &str) -> Option<String> {
    let trail = world.ledger.trail(&world.brand.name, feed).await.unwrap();
    trail.steps.last().map(|(_, cursor)| cursor.clone())
}

async fn read(world: &World, feed: Feed) -> Pulled {
    world.pull().run(feed).await.unwrap().expect("nobody else reads it")
}

#[tokio::test]
async fn a_feed_is_read_page_by_page_to_its_end_and_read_on_from_there() {
    let world = World::new().await;
    world.book.inner().page = 4;
    people(&world, 0..10);
    assert_eq!(read(&world, Feed::People).await, Pulled { movements: 10, new: 10, unreadable: 0 });
    assert_eq!((world.book.calls(Op::Changes).len(), cursor(&world, "people").await.as_deref()), (3, Some("10")));
    let trail = world.ledger.trail(&world.brand.name, "people").await.unwrap();
    assert_eq!(trail.read_at, Some(world.clock.now()));
    // The last ten minutes are read again; what is read twice is one movement.
    people(&world, 10..12);
    assert_eq!(read(&world, Feed::People).await.new, 2);
    world.clock.advance(OVERLAP);
    assert_eq!(read(&world, Feed::People).await, Pulled::default());
    assert_eq!((world.at_registry(3).await.as_str(), world.at_insider(3).await.as_str()), ("not_needed", "pending"));
    world.drain().await;
    assert_eq!(world.reachable(&email(11)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn both_feeds_are_read_each_with_its_own_cursor() {
    let world = World::new().await;
    people(&world, 0..3);
    world.says(5, ONAY, 60).await;
    world.push().run(&world.keys([5])).await;
    for feed in FEEDS {
        read(&world, feed).await;
    }
    assert_eq!((cursor(&world, "people").await.as_deref(), cursor(&world, "brand").await.as_deref()), (Some("3"), Some("1")));
}

#[tokio::test]
async fn invariant_1_a_pull_that_breaks_anywhere_is_repeated_without_loss_or_harm() {
    let world = World::new().await;
    world.book.inner().page = 2;
    people(&world, 0..3);
    world.fuse.set(None);
    read(&world, Feed::People).await;
    let effects = world.fuse.trace().len();
    let mut known = 3;
    for what in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in 0..effects {
            // By then nothing is read again that was read before.
            world.clock.advance(OVERLAP);
            people(&world, known..known + 3);
            world.fuse.set(Some((what, at)));
            let _ = world.pull().run(Feed::People).await;
            world.fuse.set(None);
            // What the cursor has passed is durable.
            let passed: usize = cursor(&world, "people").await.map_or(0, |cursor| cursor.parse().unwrap());
            for number in known..passed {
                assert_eq!(world.state(number).await.head.status, RET, "{what:?} at {at}");
            }
            // A lease that a dead worker holds ends by itself.
            world.clock.advance(SignedDuration::from_mins(6));
            read(&world, Feed::People).await;
            assert_eq!(cursor(&world, "people").await, Some((known + 3).to_string()));
            for number in known..known + 3 {
                let state = world.state(number).await;
                assert_eq!((state.head.status, state.registry.as_str(), state.insider.as_str()), (RET, "settled", "pending"));
                let story = world.ledger.story(&world.brand.name, &state.key.recipient_id).await.unwrap();
                assert_eq!(story.history.len(), 1, "{what:?} at {at}");
            }
            known += 3;
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_had_ends_the_run_and_the_next_goes_on_behind_the_last_one() {
    let world = World::new().await;
    world.book.inner().page = 2;
    people(&world, 0..4);
    let until = world.clock.now() + SignedDuration::from_hours(1);
    world.book.fault(Op::Changes, Fault::Fails(Box::new(move || RegistryError::Busy { until, why: "on purpose".into() })));
    assert!(matches!(world.pull().run(Feed::People).await, Err(PullError::Registry(RegistryError::Busy { .. }))));
    assert_eq!(cursor(&world, "people").await, None);
    // The lease was given back.
    assert_eq!(read(&world, Feed::People).await.new, 4);
}

#[tokio::test]
async fn invariant_5_our_own_movements_in_the_feed_open_nothing() {
    let world = World::new().await;
    world.held_before([1]);
    world.says(1, RET, 60).await;
    world.says(2, ONAY, 60).await;
    world.drain().await;
    let before = [world.state(1).await, world.state(2).await];
    let calls = world.book.calls(Op::Add).len();
    world.fuse.set(None);
    assert_eq!(read(&world, Feed::Brand).await.movements, 2);
    assert!(!world.fuse.trace().contains(&"SendMessageBatch".to_owned()), "no message");
    for (number, before) in [1, 2].into_iter().zip(before) {
        let state = world.state(number).await;
        assert_eq!((state.registry, state.insider), (before.registry, before.insider));
    }
    world.drain().await;
    assert_eq!(world.book.calls(Op::Add).len(), calls);
}

#[tokio::test]
async fn invariant_5_a_movement_that_we_sent_and_that_is_still_open_is_settled_by_the_feed() {
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    world.book.fault(Op::Add, Fault::Unanswered);
    world.push().run(&world.keys([1])).await;
    read(&world, Feed::Brand).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.at_insider(1).await.as_str()), ("already_there", "pending"));
    world.drain().await;
    assert_eq!((world.book.calls(Op::Add).len(), world.reachable(&email(1)).await), (1, (false.into(), true.into())));
}

#[tokio::test]
async fn what_another_road_of_the_brand_registered_is_learnt_by_the_feed() {
    let world = World::new().await;
    // A refusal that was not needed, and a consent that another system of the brand then registers.
    world.says(1, RET, 30).await;
    world.drain().await;
    assert_eq!(world.at_registry(1).await, "not_registered");
    let date = world.ago(3600);
    let holding = shared::registry::Holding {
        status: ONAY,
        source: shared::consent::Source::HsWeb,
        consent_date: Some(date),
        creation_date: None,
        transaction_id: Some("t".into()),
        misspelt: false,
    };
    let change = shared::registry::Change { recipient: email(1), recipient_type: BIREYSEL, channel: EPOSTA, holding };
    world.take(vec![shared::sync::pull::movement(&world.brand, change, world.clock.now())]).await;
    let state = world.state(1).await;
    assert_eq!((state.head.status, state.registry.as_str()), (RET, "pending"), "the refusal has something to lift now");
}

#[tokio::test]
async fn two_workers_do_not_read_one_feed_at_a_time() {
    let world = World::new().await;
    let now = world.clock.now();
    assert!(world.ledger.try_lease(&world.brand.name, "pull-people", now, now + SignedDuration::from_mins(5)).await.unwrap());
    assert!(world.pull().run(Feed::People).await.unwrap().is_none());
    assert!(world.pull().run(Feed::Brand).await.unwrap().is_some(), "the other feed is free");
    assert_eq!(world.book.calls(Op::Changes).len(), 1);
    world.clock.advance(SignedDuration::from_mins(6));
    assert!(world.pull().run(Feed::People).await.unwrap().is_some());
}

#[tokio::test]
async fn invariant_10_a_key_that_cannot_be_read_does_not_stop_the_feed() {
    let world = World::new().await;
    world.says(1, ONAY, 90).await;
    world.corrupt(&world.key(1)).await;
    people(&world, 0..4);
    assert_eq!(read(&world, Feed::People).await, Pulled { movements: 4, new: 3, unreadable: 1 });
    assert_eq!(cursor(&world, "people").await.as_deref(), Some("4"));
    assert_eq!(world.state(3).await.head.status, RET);
}

#[tokio::test]
async fn channels_and_recipient_types_of_one_address_are_keys_of_their_own() {
    let world = World::new().await;
    world.book.person(&email(1), EPOSTA, BIREYSEL, ONAY, world.ago(90));
    world.book.person(&email(1), EPOSTA, TACIR, RET, world.ago(60));
    read(&world, Feed::People).await;
    let states = world.ledger.states_of(&world.brand.name, &world.key(1).recipient_id).await.unwrap();
    let told: Vec<_> = states.iter().map(|state| (state.key.recipient_type, state.head.status, state.head.origin)).collect();
    assert!(told.contains(&(BIREYSEL, ONAY, Origin::Registry)) && told.contains(&(TACIR, RET, Origin::Registry)), "{told:?}");
    assert!(states.iter().all(|state| state.key.channel == Channel::Eposta));
}
