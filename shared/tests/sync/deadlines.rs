//! The deadline clock: the most urgent movements, and what is in their way.

use jiff::SignedDuration;
use shared::consent::code::Hold;
use shared::consent::slack::Slack;
use shared::consent::{Status, Sync};
use shared::sync::deadlines::Watch;

use crate::world::{EPOSTA, START, World};

const ONAY: Status = Status::Onay;

async fn watch(world: &World, most: usize) -> Watch {
    Watch::read(&world.ledger, &world.brand.name, world.clock.now(), most).await.unwrap()
}

#[tokio::test]
async fn the_clock_names_the_most_urgent_and_what_is_in_its_way() {
    let world = World::new().await;
    assert_eq!(watch(&world, 20).await.slack_seconds(), None);
    // On a Friday at 13:00: said on Wednesday, on Thursday, and just now.
    world.says(1, ONAY, 2 * 86_400).await;
    world.all_say(10..40, ONAY, 86_400).await;
    world.says(2, ONAY, 60).await;
    world.clock.advance(SignedDuration::from_secs(10));
    world.push().run(&world.keys(10..40)).await;
    world.book.inner().refuses.insert(EPOSTA, (Hold::Authority, "H355"));
    world.clock.advance(SignedDuration::from_secs(10));
    let guard = world.guard();
    world.push_by(&guard).run(&world.keys([2])).await;
    world.clock.advance(SignedDuration::from_mins(5));

    let shown = watch(&world, 40).await;
    assert_eq!(shown.deadlines.by_slack, [(Slack::Under1, 1), (Slack::Under2, 30), (Slack::Under3, 1)].into());
    assert_eq!((shown.late(), shown.over_two_days(), shown.over_one_day()), (0, 1, 31));
    // Monday 13:00 is as far as three days less five minutes and twenty seconds.
    assert_eq!(shown.slack_seconds(), Some(3 * 86_400 - 320));
    let start: jiff::Timestamp = START.parse().unwrap();
    let since = |seconds| start + SignedDuration::from_secs(seconds);
    let [first, submitted, .., last] = shown.waiting.as_slice() else { panic!("{}", shown.waiting.len()) };
    assert_eq!((&first.key, first.since, first.slack), (&world.key(1), since(0), Slack::Under1));
    assert!(matches!(first.sync, Sync::Pending { .. }));
    assert!(matches!(submitted.sync, Sync::Submitted { .. }));
    assert_eq!(submitted.since, since(10), "since its submission was written");
    assert_eq!((&last.key, last.since, last.sync.held_for()), (&world.key(2), since(20), Some(Hold::Authority)));

    let few = watch(&world, 1).await;
    assert_eq!((few.waiting.len(), few.over_one_day(), few.slack_seconds()), (1, 31, shown.slack_seconds()));
}

#[tokio::test]
async fn a_state_that_cannot_be_read_hides_no_other() {
    let world = World::new().await;
    world.says(1, ONAY, 2 * 86_400 + 60).await;
    world.says(2, ONAY, 60).await;
    world.corrupt(&world.key(1)).await;
    let shown = watch(&world, 20).await;
    assert_eq!(shown.waiting.iter().map(|waiting| waiting.key.clone()).collect::<Vec<_>>(), [world.key(2)]);
    assert_eq!(shown.over_two_days(), 1, "it is counted all the same");
}
