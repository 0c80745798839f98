//! The connections by which the registry sends notices: set up, kept and ended.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use shared::consent::Channel;
use shared::consent::code::Hold;
use shared::consent::standing::About;
use shared::keyring::Keyring;
use shared::sync::push_service::Served;
use url::Url;

use crate::account::Held;
use crate::fuse::Break;
use crate::world::World;

fn url() -> Url {
    "https://api.example.com/v1/demo/iys/push".parse().unwrap()
}

fn counting() -> impl Fn() -> String + Send + Sync {
    let count = AtomicUsize::new(0);
    move || format!("secret-{}", count.fetch_add(1, Ordering::Relaxed))
}

impl World {
    /// A brand whose connections nobody set up by hand.
    async fn without_hands() -> Self {
        let mut world = World::new().await;
        world.brand.iys.push = None;
        world
    }

    async fn serve(&self) -> Served {
        self.serve_at(&url()).await
    }

    async fn serve_at(&self, url: &Url) -> Served {
        let secret = counting();
        self.push_service(url, &secret).run().await.unwrap().expect("nobody else is at it")
    }

    fn all_connected(&self) {
        let expected: Vec<_> = Channel::ALL.iter().map(|channel| (*channel, url().to_string())).collect();
        assert_eq!(self.office.connected(), expected);
    }

    /// Whether our door takes what the registry sends with each of its connections.
    async fn all_known(&self) {
        let keyring = Keyring::new(self.ledger.clone());
        let connections = self.office.inner().connections.clone();
        for held in connections {
            let (username, password) = &held.credentials;
            assert!(keyring.fits(&self.brand, username, password, self.clock.now()).await.unwrap(), "{held:?}");
        }
    }
}

#[tokio::test]
async fn every_channel_gets_a_connection_with_a_pair_of_its_own_and_keeps_it() {
    let world = World::without_hands().await;
    assert_eq!(world.serve().await, Served { registered: 3, ..Served::default() });
    world.all_connected();
    world.all_known().await;
    let pairs: BTreeSet<_> = world.office.inner().connections.iter().map(|held| held.credentials.clone()).collect();
    assert_eq!(pairs.len(), 3);
    assert_eq!(world.serve().await, Served::default());
}

#[tokio::test]
async fn what_was_set_up_by_hand_is_left_alone_until_it_is_gone() {
    let world = World::new().await;
    for channel in Channel::ALL {
        let credentials = ("iys".to_owned(), "demo-iys-push".to_owned());
        world.office.inner().connections.push(Held { channel: *channel, url: url().to_string(), credentials, has_failed: false });
    }
    assert_eq!(world.serve().await, Served::default());
    world.office.inner().connections.retain(|held| held.channel != Channel::Mesaj);
    world.office.inner().connections[0].has_failed = true;
    assert_eq!(world.serve().await, Served { registered: 2, unregistered: 1, failed: 0 });
    world.all_connected();
    world.all_known().await;
}

#[tokio::test]
async fn invariant_8_a_channel_without_authority_has_no_connection() {
    let mut world = World::without_hands().await;
    world.serve().await;
    world.brand.iys.channels.remove(&Channel::Arama);
    let now = world.clock.now();
    let about = About { channel: Some(Channel::Mesaj), record: None };
    world.ledger.change_standing(&world.brand.name, |standing| standing.refused(about, Hold::Authority, "H355", now)).await.unwrap();
    assert_eq!(world.serve().await, Served { unregistered: 2, ..Served::default() });
    assert_eq!(world.office.connected(), [(Channel::Eposta, url().to_string())]);
    assert_eq!(world.ledger.push_keys(&world.brand.name).await.unwrap().len(), 3, "the registry may still send for a moment");
    world.serve().await;
    assert_eq!(world.ledger.push_keys(&world.brand.name).await.unwrap().into_keys().collect::<Vec<_>>(), [Channel::Eposta]);
    // A stopped brand is not called at all.
    world.ledger.change_standing(&world.brand.name, |standing| standing.refused(about, Hold::Subscription, "H520", now)).await.unwrap();
    world.office.inner().connections.clear();
    assert_eq!(world.serve().await, Served::default());
}

#[tokio::test]
async fn a_new_address_takes_the_place_of_the_former() {
    let world = World::without_hands().await;
    world.serve().await;
    let moved: Url = "https://moved.example.com/v1/demo/iys/push".parse().unwrap();
    assert_eq!(world.serve_at(&moved).await, Served { registered: 3, unregistered: 3, failed: 0 });
    assert!(world.office.connected().iter().all(|(_, url)| *url == moved.to_string()));
    world.all_known().await;
    assert_eq!(world.serve_at(&moved).await, Served::default());
}

#[tokio::test]
async fn a_channel_that_cannot_be_connected_costs_itself_only() {
    let world = World::without_hands().await;
    world.office.inner().unreachable.push(Channel::Mesaj);
    assert_eq!(world.serve().await, Served { registered: 2, unregistered: 0, failed: 1 });
    world.office.inner().unreachable.clear();
    assert_eq!(world.serve().await, Served { registered: 1, ..Served::default() });
    world.all_connected();
    world.all_known().await;
}

#[tokio::test]
async fn invariant_1_a_run_that_breaks_anywhere_is_carried_on_by_the_next() {
    // One is gone, one has failed, one is not authorised any more.
    let in_disorder = async || {
        let mut world = World::without_hands().await;
        world.serve().await;
        world.brand.iys.channels.remove(&Channel::Arama);
        {
            let mut inner = world.office.inner();
            inner.connections.retain(|held| held.channel != Channel::Mesaj);
            inner.connections.iter_mut().filter(|held| held.channel == Channel::Eposta).for_each(|held| held.has_failed = true);
        }
        world.ledger.change_push_keys(&world.brand.name, |keys| keys.remove(&Channel::Mesaj).is_some()).await.unwrap();
        world.fuse.set(None);
        world
    };
    let world = in_disorder().await;
    world.serve().await;
    let effects = world.fuse.trace().len();
    for what in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in 0..effects {
            let world = in_disorder().await;
            world.fuse.set(Some((what, at)));
            let secret = counting();
            let _ = world.push_service(&url(), &secret).run().await;
            world.fuse.set(None);
            world.clock.advance(SignedDuration::from_mins(60));
            for _ in 0..2 {
                world.serve().await;
            }
            let expected = [Channel::Mesaj, Channel::Eposta].map(|channel| (channel, url().to_string()));
            assert_eq!(world.office.connected(), expected, "{what:?} at {at}");
            world.all_known().await;
            assert_eq!(world.ledger.push_keys(&world.brand.name).await.unwrap().len(), 2);
        }
    }
    assert!(effects > 5, "{effects}");
}

#[tokio::test]
async fn runs_at_one_time_set_each_connection_up_once() {
    let world = World::without_hands().await;
    let (url, secret) = (url(), counting());
    let services: Vec<_> = (0..5).map(|_| world.push_service(&url, &secret)).collect();
    let served = futures::future::join_all(services.iter().map(|service| service.run())).await;
    assert!(served.into_iter().filter_map(Result::unwrap).map(|served| served.registered).sum::<usize>() == 3);
    world.all_connected();
    world.all_known().await;
}

#[tokio::test]
async fn credentials_are_known_as_soon_as_they_are_made_and_guesses_cost_few_reads() {
    let world = World::without_hands().await;
    let keyring = Keyring::new(world.ledger.clone());
    let fits = async |username: &str, password: &str| keyring.fits(&world.brand, username, password, world.clock.now()).await.unwrap();
    let reads = world.fuse.reads();
    assert!(!fits("", "").await, "nothing is read for a request without credentials");
    assert_eq!(world.fuse.reads(), reads);
    for _ in 0..50 {
        assert!(!fits("iys", "guess").await);
    }
    assert_eq!(world.fuse.reads(), reads + 1);
    world.clock.advance(SignedDuration::from_secs(1));
    world.serve().await;
    let (username, password) = world.office.inner().connections[0].credentials.clone();
    assert!(fits(&username, &password).await);
    assert!(!fits(&username, "guess").await && !fits("guess", &password).await);
    let reads = world.fuse.reads();
    for _ in 0..50 {
        assert!(fits(&username, &password).await);
    }
    assert_eq!(world.fuse.reads(), reads);
}

#[tokio::test]
async fn credentials_that_are_made_a_moment_after_a_reading_are_known_too() {
    let world = World::without_hands().await;
    let keyring = Keyring::new(world.ledger.clone());
    assert!(!keyring.fits(&world.brand, "iys", "guess", world.clock.now()).await.unwrap());
    world.clock.advance(SignedDuration::from_millis(10));
    world.serve().await;
    let connections = world.office.inner().connections.clone();
    for held in connections {
        let (username, password) = &held.credentials;
        assert!(keyring.fits(&world.brand, username, password, world.clock.now()).await.unwrap(), "{held:?}");
    }
}

#[tokio::test]
async fn a_brand_that_wants_no_notices_any_more_loses_what_was_set_up_for_it_and_nothing_else() {
    let world = World::without_hands().await;
    let (url, secret) = (url(), counting());
    let unwanted = async || {
        let mut service = world.push_service(&url, &secret);
        service.wanted = false;
        service.run().await.unwrap().expect("nobody else is at it")
    };
    assert_eq!(unwanted().await, Served::default(), "nothing was set up");
    world.serve().await;
    let theirs: Url = "https://crm.example.com/iys".parse().unwrap();
    world.office.inner().connections.push(Held {
        channel: Channel::Mesaj,
        url: theirs.to_string(),
        credentials: ("their".to_owned(), "own".to_owned()),
        has_failed: false,
    });
    assert_eq!(unwanted().await, Served { unregistered: 3, ..Served::default() });
    assert_eq!(world.office.connected(), [(Channel::Mesaj, theirs.to_string())]);
    unwanted().await;
    assert!(world.ledger.push_keys(&world.brand.name).await.unwrap().is_empty(), "the credentials go once nothing uses them");
    assert_eq!(unwanted().await, Served::default());
}
