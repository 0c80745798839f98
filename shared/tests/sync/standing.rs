//! What a brand may do at the registry: refusals that hold one channel or everything, looks at the
//! account, and the release of what was held.

use jiff::SignedDuration;
use shared::consent::code::Hold;
use shared::consent::standing::{Access, How, Listing, PackageStatus};
use shared::consent::{Channel, ConsentKey, Origin, Status, Sync};
use shared::queue::PushMessage;
use shared::registry::Capabilities;
use shared::registry::Feed;
use shared::sync::standing::{Occasion, Tended};

use crate::book::Op;
use crate::fuse::Break;
use crate::world::{BIREYSEL, EPOSTA, GRACE, PAUSE, RESULT_WAIT, World, email, phone};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    async fn run(&self, keys: &[ConsentKey]) {
        let guard = self.guard();
        let report = self.push_by(&guard).run(keys).await;
        assert!(report.failed.is_empty(), "{:?}", report.failed.len());
    }

    async fn tend(&self, occasion: Occasion) -> Tended {
        self.keeper().tend(occasion).await.unwrap()
    }

    fn calls_made(&self) -> usize {
        self.book.inner().calls.len()
    }

    fn phone_key(&self, number: usize) -> ConsentKey {
        self.key_of(&phone(number), Channel::Mesaj, BIREYSEL)
    }

    async fn phones_say(&self, numbers: std::ops::Range<usize>, status: Status) -> Vec<ConsentKey> {
        let date = self.ago(60);
        let movement = |number| self.movement(self.phone_key(number), phone(number), status, date, Origin::Api);
        self.take(numbers.clone().map(movement).collect()).await;
        numbers.map(|number| self.phone_key(number)).collect()
    }

    /// The subscription is paused, and the registry refuses everything for it.
    pub(crate) fn pause(&self) {
        self.office.becomes(PackageStatus::Paused);
        for channel in Channel::ALL {
            self.book.inner().refuses.insert(*channel, (Hold::Subscription, "H520"));
        }
    }

    /// It is in force again.
    pub(crate) fn resume(&self) {
        self.office.becomes(PackageStatus::Active);
        self.book.inner().refuses.clear();
    }

    /// A brand that has just been looked at, and whose document is known.
    async fn settled() -> Self {
        let world = World::new().await;
        assert!(world.tend(Occasion::Scheduled).await.looked);
        world.office.asked();
        world
    }
}

#[tokio::test]
async fn invariant_8_a_channel_that_is_refused_is_held_alone_and_is_not_called_again() {
    for single in [true, false] {
        let world = World::settled().await;
        world.book.inner().refuses.insert(EPOSTA, (Hold::Authority, "H355"));
        let count = if single { 5 } else { 40 };
        world.all_say(0..count, ONAY, 60).await;
        let phones = world.phones_say(0..count, ONAY).await;
        world.run(&[world.keys(0..count), phones.clone()].concat()).await;
        for number in 0..count {
            assert_eq!(world.at_registry(number).await, "held", "{number}");
        }
        for key in &phones {
            let state = world.ledger.state(key).await.unwrap().unwrap();
            assert!(matches!(state.registry, Sync::Settled { .. } | Sync::Submitted { .. }), "{:?}", state.registry);
        }
        // Whatever comes on the channel is held without a call, and the other goes on.
        let made = world.calls_made();
        world.all_say(count..count + 30, ONAY, 60).await;
        world.run(&world.keys(0..count + 30)).await;
        assert_eq!(world.calls_made(), made);
        let more = world.phones_say(count..count + 2, ONAY).await;
        world.run(&more).await;
        assert_eq!(world.calls_made(), made + 2);
        let grant = &world.ledger.standing(&world.brand.name).await.unwrap().channels[&EPOSTA];
        assert_eq!((grant.access, grant.how, grant.code.as_deref()), (Access::Denied, How::Refused, Some("H355")));
    }
}

#[tokio::test]
async fn invariant_8_a_stopped_brand_is_not_called_however_much_waits_and_is_looked_at_once_a_pause() {
    let world = World::settled().await;
    world.pause();
    world.all_say(0..60, ONAY, 60).await;
    world.run(&world.keys(0..60)).await;
    world.run(&world.phones_say(0..60, ONAY).await).await;
    assert_eq!(world.calls_made(), 1, "one list was refused, and nothing was sent after it");
    // Three hours of sweeps, late messages, pulls and schedules.
    let mut looks = 0;
    for minute in 0..180 {
        world.sweep().await;
        for message in world.push_messages().await {
            assert!(world.handle(&message).await);
        }
        world.all_say([100 + minute], ONAY, 60).await;
        let guard = world.guard();
        let pull = shared::sync::pull::Pull { registry: &guard, ..world.pull() };
        pull.run(Feed::People).await.unwrap_err();
        looks += usize::from(world.tend(Occasion::Passing).await.looked);
        if minute % 15 == 0 {
            looks += usize::from(world.tend(Occasion::Scheduled).await.looked);
        }
        world.clock.advance(MINUTE);
    }
    assert_eq!((world.calls_made(), looks), (1, 6));
    assert_eq!(world.office.asked(), ["package"; 6]);
    let standing = world.ledger.standing(&world.brand.name).await.unwrap();
    let stop = standing.stop.unwrap();
    assert_eq!((stop.why, stop.code.as_str()), (Hold::Subscription, "H520"));
    assert_eq!(world.ledger.backlog(&world.brand.name, 10).await.unwrap().registry["held"], 299, "the last has not come up yet");
}

#[tokio::test]
async fn what_was_held_goes_on_at_once_when_the_stop_ends() {
    let world = World::settled().await;
    world.pause();
    world.all_say(0..45, ONAY, 60).await;
    world.run(&world.keys(0..45)).await;
    world.tend(Occasion::Passing).await;
    world.lose_messages().await;
    world.resume();
    world.clock.advance(PAUSE);
    assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: true, released: 45 });
    let messages = world.push_messages().await;
    assert_eq!(messages.len(), 2, "up to 25 keys in each");
    for message in &messages {
        assert!(world.handle(message).await);
    }
    world.clock.advance(RESULT_WAIT);
    world.drain().await;
    for number in 0..45 {
        assert_eq!(world.at_registry(number).await, "applied", "{number}");
    }
    // The order is kept until the index has shown everything, and ends then.
    assert!(world.ledger.standing(&world.brand.name).await.unwrap().release.is_some());
    world.clock.advance(MINUTE + MINUTE);
    assert_eq!(world.tend(Occasion::Passing).await, Tended::default());
    assert_eq!(world.ledger.standing(&world.brand.name).await.unwrap().release, None);
}

#[tokio::test]
async fn what_is_nearest_to_its_deadline_is_released_first() {
    let world = World::settled().await;
    world.pause();
    // In no order, and held in this one.
    let hours = |number: usize| [30, 2, 44, 9, 17, 51, 26, 5][number];
    for number in 0..8 {
        world.says(number, ONAY, 3_600 * hours(number)).await;
        world.run(&world.keys([number])).await;
    }
    world.held_before([9]);
    world.says(9, RET, 60).await;
    world.run(&world.keys([9])).await;
    world.resume();
    world.lose_messages().await;
    world.clock.advance(PAUSE);
    assert_eq!(world.tend(Occasion::Passing).await.released, 9);
    let mut released = Vec::new();
    for message in world.push_messages().await {
        if let PushMessage::Keys { brand, keys } = message {
            released.extend(keys.iter().map(|key| key.key(&brand)));
        }
    }
    let mut numbers: Vec<_> = (0..8).collect();
    numbers.sort_by_key(|number| std::cmp::Reverse(hours(*number)));
    assert_eq!(released, [world.keys([9]), world.keys(numbers)].concat(), "refusals, and then what is oldest");
}

#[tokio::test]
async fn invariant_1_a_look_and_a_release_that_break_anywhere_are_carried_on_by_the_next() {
    let resumed = async || {
        let world = World::settled().await;
        world.pause();
        world.all_say(0..3, ONAY, 60).await;
        world.run(&world.keys(0..3)).await;
        world.tend(Occasion::Passing).await;
        world.lose_messages().await;
        world.resume();
        world.clock.advance(PAUSE);
        world.fuse.set(None);
        world
    };
    let world = resumed().await;
    world.tend(Occasion::Passing).await;
    let effects = world.fuse.trace().len();
    for what in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in 0..effects {
            let world = resumed().await;
            world.fuse.set(Some((what, at)));
            let _ = world.keeper().tend(Occasion::Passing).await;
            world.fuse.set(None);
            // A claim whose owner died, or a lease, ends by time.
            for _ in 0..3 {
                world.clock.advance(PAUSE);
                world.tend(Occasion::Passing).await;
                world.sweep().await;
            }
            world.drain().await;
            for number in 0..3 {
                assert_eq!(world.at_registry(number).await, "applied", "{what:?} at {at}");
            }
            let standing = world.ledger.standing(&world.brand.name).await.unwrap();
            assert!(standing.stop.is_none() && standing.release.is_none(), "{what:?} at {at}: {standing:?}");
        }
    }
    assert!(effects > 5, "{effects}");
}

#[tokio::test]
async fn results_that_could_not_be_asked_for_are_asked_for_with_the_release_and_not_later() {
    let world = World::settled().await;
    world.all_say(0..25, ONAY, 60).await;
    world.run(&world.keys(0..25)).await;
    let id = world.submission_of(0).await;
    world.pause();
    world.all_say(100..101, ONAY, 60).await;
    world.run(&world.keys([100])).await;
    assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: true, released: 0 });
    world.clock.advance(RESULT_WAIT);
    assert!(world.push_by(&world.guard()).look_after(&id).await);
    let backlog = world.ledger.backlog(&world.brand.name, 10).await.unwrap();
    assert_eq!((backlog.registry["held"], backlog.registry.get("held_results")), (1, None), "a submission is no key");
    assert_eq!(world.submission_due(&id).await, world.clock.now() + SignedDuration::from_mins(30));
    world.lose_messages().await;
    assert_eq!(world.tend(Occasion::Passing).await.released, 0);
    assert!(world.push_messages().await.is_empty(), "while it is paused nothing is asked for");
    world.resume();
    // The pause is over, and half an hour since the results were looked at is not.
    world.clock.advance(PAUSE - RESULT_WAIT);
    assert_eq!(world.tend(Occasion::Passing).await.released, 1);
    let now = world.clock.now();
    assert_eq!(world.submission_due(&id).await, now + GRACE);
    let messages = world.push_messages().await;
    assert!(messages.contains(&PushMessage::Submission { brand: world.brand.name.clone(), id: id.clone() }), "{messages:?}");
    for message in &messages {
        assert!(world.handle(message).await);
    }
    assert_eq!(world.clock.now(), now);
    for number in (0..25).chain([100]) {
        assert_eq!(world.at_registry(number).await, "applied", "{number}");
    }
    assert_eq!(world.book.calls(Op::Results).len(), 1);
    // What is released once is not called again.
    assert_eq!(world.tend(Occasion::Passing).await.released, 0);
    assert!(world.push_messages().await.is_empty());
}

#[tokio::test]
async fn work_that_is_held_while_a_release_goes_by_is_not_left_behind() {
    let world = World::settled().await;
    world.pause();
    world.says(1, ONAY, 60).await;
    world.run(&world.keys([1])).await;
    // A run that has read of the stop, and is slow.
    let guard = world.guard();
    world.says(2, ONAY, 60).await;
    world.push_by(&guard).run(&world.keys([2])).await;
    world.resume();
    assert_eq!(world.tend(Occasion::Passing).await.released, 2);
    world.lose_messages().await;
    world.says(3, ONAY, 60).await;
    world.lose_messages().await;
    world.push_by(&guard).run(&world.keys([3])).await;
    assert_eq!(world.at_registry(3).await, "held");
    let messages = world.push_messages().await;
    assert_eq!(messages.len(), 1, "it was let go again");
    assert!(world.handle(&messages[0]).await);
    assert_eq!(world.at_registry(3).await, "applied");
}

#[tokio::test]
async fn six_workers_take_one_look_together() {
    let world = World::settled().await;
    world.pause();
    world.says(1, ONAY, 60).await;
    world.run(&world.keys([1])).await;
    let keepers: Vec<_> = (0..6).map(|_| world.keeper()).collect();
    let tended = futures::future::join_all(keepers.iter().map(|keeper| keeper.tend(Occasion::Passing))).await;
    assert_eq!(tended.into_iter().filter(|tended| tended.as_ref().unwrap().looked).count(), 1);
    assert_eq!(world.office.asked(), ["package"]);
}

#[tokio::test]
async fn authority_that_only_adding_lacks_is_tried_with_one_record_a_pause() {
    let world = World::settled().await;
    world.book.inner().refuses.insert(EPOSTA, (Hold::Authority, "H355"));
    world.all_say(0..10, ONAY, 60).await;
    world.run(&world.keys([0])).await;
    world.run(&world.keys(1..10)).await;
    assert_eq!(world.book.calls(Op::Add).len(), 1);
    // Questions are answered, records are not.
    for round in 1..4 {
        assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: true, released: 0 });
        assert_eq!(world.tend(Occasion::Passing).await, Tended::default());
        assert_eq!(world.book.calls(Op::Add).len(), 1 + round);
        world.clock.advance(PAUSE);
    }
    assert_eq!(world.office.asked(), ["package", "EPOSTA"].repeat(3));
    world.book.inner().refuses.clear();
    world.lose_messages().await;
    let tended = world.tend(Occasion::Passing).await;
    assert_eq!(tended, Tended { looked: true, released: 9 }, "the tenth was the trial");
    world.drain().await;
    for number in 0..10 {
        assert_eq!(world.at_registry(number).await, "applied", "{number}");
    }
}

#[tokio::test]
async fn flag_single_decides_whether_a_trial_goes_alone_or_as_a_list_of_one_that_was_taken() {
    for single in [true, false] {
        let world = World::settled().await;
        world.book.inner().offers = Some(Capabilities { single, ..Capabilities::IYS });
        world.book.inner().refuses.insert(EPOSTA, (Hold::Authority, "H355"));
        world.all_say(0..5, ONAY, 60).await;
        world.run(&world.keys([0])).await;
        world.run(&world.keys(1..5)).await;
        assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: true, released: 0 });
        world.clock.advance(PAUSE);
        world.book.inner().refuses.clear();
        assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: true, released: 4 });
        let tries = (world.book.calls(Op::Add).len(), world.book.calls(Op::Submit));
        assert_eq!(tries, if single { (3, vec![]) } else { (0, vec![1, 1, 1]) });
    }
}

#[tokio::test]
async fn a_full_package_holds_consents_while_refusals_go_on() {
    for shown in [Some(()), None] {
        let world = World::settled().await;
        let shows = |full| {
            let mut inner = world.office.inner();
            inner.package.as_mut().unwrap().full = shown.map(|()| full);
        };
        shows(true);
        world.held_before(100..130);
        world.book.inner().is_full = true;
        world.all_say(0..40, ONAY, 60).await;
        world.all_say(100..130, RET, 30).await;
        world.run(&[world.keys(0..40), world.keys(100..130)].concat()).await;
        assert_eq!((world.at_registry(0).await.as_str(), world.at_registry(110).await.as_str()), ("held", "submitted"));
        let made = world.book.calls(Op::Add).len() + world.book.calls(Op::Submit).len();
        world.says(41, ONAY, 60).await;
        world.held_before([140]);
        world.says(140, RET, 30).await;
        world.run(&world.keys([41, 140])).await;
        assert_eq!((world.at_registry(41).await.as_str(), world.at_registry(140).await.as_str()), ("held", "applied"));
        assert_eq!(world.book.calls(Op::Add).len() + world.book.calls(Op::Submit).len(), made + 1);
        // Still full, by what is shown or by a record.
        assert_eq!(world.tend(Occasion::Passing).await.released, 0);
        assert!(world.ledger.standing(&world.brand.name).await.unwrap().stop.is_some());
        world.book.inner().is_full = false;
        shows(false);
        world.clock.advance(PAUSE);
        assert_eq!(world.tend(Occasion::Passing).await.released, if shown.is_some() { 41 } else { 40 });
        world.drain().await;
        for number in (0..42).filter(|number| *number != 40) {
            assert_eq!(world.at_registry(number).await, "applied", "{number}");
        }
    }
}

#[tokio::test]
async fn a_channel_that_the_document_adds_is_released_and_one_that_it_loses_is_held() {
    let mut world = World::new().await;
    world.brand.iys.channels.remove(&EPOSTA);
    world.tend(Occasion::Scheduled).await;
    world.all_say(0..3, ONAY, 60).await;
    world.run(&world.keys(0..3)).await;
    world.lose_messages().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.calls_made()), ("held", 0));
    let old = world.brand.clone();
    world.brand.iys.channels.insert(EPOSTA);
    assert_eq!(world.tend(Occasion::Passing).await, Tended { looked: false, released: 3 });
    // A process that still reads the document from before holds what comes for a short while only.
    let new = std::mem::replace(&mut world.brand, old);
    world.run(&world.keys([1])).await;
    let Sync::Held { due, .. } = world.state(1).await.registry else { panic!("not held") };
    assert!(due <= world.clock.now() + GRACE, "{due}");
    world.brand = new;
    world.drain().await;
    for number in 0..3 {
        assert_eq!(world.at_registry(number).await, "applied", "{number}");
    }
    world.brand.iys.channels.remove(&EPOSTA);
    world.says(4, ONAY, 60).await;
    let made = world.calls_made();
    world.run(&world.keys([4])).await;
    assert_eq!((world.at_registry(4).await.as_str(), world.calls_made()), ("held", made));
}

#[tokio::test]
async fn results_of_a_stopped_brand_are_asked_for_when_it_goes_on() {
    let world = World::settled().await;
    world.all_say(0..30, ONAY, 60).await;
    world.run(&world.keys(0..30)).await;
    let submission = world.submission_of(0).await;
    world.lose_messages().await;
    world.pause();
    world.says(40, ONAY, 60).await;
    world.run(&world.keys([40])).await;
    world.clock.advance(RESULT_WAIT);
    let made = world.calls_made();
    for _ in 0..8 {
        let guard = world.guard();
        assert!(world.push_by(&guard).look_after(&submission).await, "its message is done with");
        world.clock.advance(GRACE);
        world.sweep().await;
        world.lose_messages().await;
    }
    assert_eq!((world.calls_made(), world.at_registry(0).await.as_str()), (made, "submitted"));
    world.resume();
    world.tend(Occasion::Asked).await;
    world.drain().await;
    for number in (0..30).chain([40]) {
        assert_eq!(world.at_registry(number).await, "applied", "{number}");
    }
}

#[tokio::test]
async fn a_partner_is_held_to_what_it_is_listed_for() {
    let world = World::new().await;
    let listing = |channels: &[Channel], mutabakat| Some(Listing { channels: channels.iter().copied().collect(), mutabakat });
    world.office.inner().listing = listing(&[Channel::Mesaj], false);
    world.tend(Occasion::Scheduled).await;
    assert_eq!(world.office.asked(), ["package", "listing"]);
    world.says(1, ONAY, 60).await;
    world.run(&[world.keys([1]), world.phones_say(1..2, ONAY).await].concat()).await;
    assert_eq!((world.at_registry(1).await.as_str(), world.book.calls(Op::Add).len()), ("held", 1));
    assert!(!world.ledger.standing(&world.brand.name).await.unwrap().may_reconcile(true));
    world.office.inner().listing = listing(Channel::ALL, true);
    world.clock.advance(PAUSE);
    assert_eq!(world.tend(Occasion::Scheduled).await, Tended { looked: true, released: 1 });
    assert!(world.ledger.standing(&world.brand.name).await.unwrap().may_reconcile(true));
}

#[tokio::test]
async fn where_all_is_well_a_brand_is_asked_about_each_hour_and_its_channels_each_day() {
    let world = World::new().await;
    let mut asked = Vec::new();
    for _ in 0..(25 * 4) {
        world.tend(Occasion::Scheduled).await;
        world.tend(Occasion::Passing).await;
        asked.extend(world.office.asked());
        world.clock.advance(SignedDuration::from_mins(15));
    }
    let times = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    assert_eq!((times("package"), times("EPOSTA"), times("MESAJ"), times("ARAMA"), times("mutabakat")), (25, 2, 2, 2, 2));
    assert_eq!(world.calls_made(), 0);
}

#[tokio::test]
async fn the_reconciliation_service_is_denied_by_itself_and_asked_for_again() {
    let world = World::new().await;
    world.office.inner().refuses_mutabakat = true;
    world.tend(Occasion::Scheduled).await;
    let standing = world.ledger.standing(&world.brand.name).await.unwrap();
    assert!(!standing.may_reconcile(true) && standing.bar(EPOSTA, ONAY, true).is_none());
    world.office.asked();
    world.office.inner().refuses_mutabakat = false;
    world.clock.advance(PAUSE);
    world.tend(Occasion::Passing).await;
    assert_eq!(world.office.asked(), ["package", "mutabakat"]);
    assert!(world.ledger.standing(&world.brand.name).await.unwrap().may_reconcile(true));
}

#[tokio::test]
async fn a_guard_costs_a_run_one_read_of_the_ledger() {
    let world = World::settled().await;
    world.all_say(0..20, ONAY, 60).await;
    world.all_say(20..40, ONAY, 60).await;
    let before = world.fuse.reads();
    world.push().run(&world.keys(0..20)).await;
    let bare = world.fuse.reads() - before;
    world.run(&world.keys(20..40)).await;
    assert_eq!(world.fuse.reads() - before - bare, bare + 1);
    // Held again and again, it is written once.
    world.pause();
    world.says(50, ONAY, 60).await;
    world.run(&world.keys([50])).await;
    world.says(51, ONAY, 60).await;
    world.run(&world.keys([51])).await;
    world.fuse.set(None);
    world.run(&world.keys([51])).await;
    assert_eq!(world.fuse.trace(), Vec::<String>::new());
    assert_eq!(world.book.rows(&email(51), EPOSTA, BIREYSEL), []);
}
