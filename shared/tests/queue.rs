//! The queues over a real service: how work is cut into messages, and what the messages carry.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support {
    pub(crate) mod people;
    pub(crate) mod sqs;
    pub(crate) mod wire;
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use shared::answers::Redriven;
use shared::consent::{Answer, Channel, ConsentKey, ConsentState, Origin, Outcome, RecipientType, Status, Target};
use shared::queue::{PushMessage, Redrive, RelayMessage};
use support::people::{Person, at};
use support::sqs::Desk;
use support::wire::{Loss, Request, Wire};

fn keys(count: usize) -> Vec<ConsentKey> {
    (0..count).map(|number| Person::nth(number).key).collect()
}

fn sorted(mut keys: Vec<ConsentKey>) -> Vec<ConsentKey> {
    keys.sort();
    keys
}

fn pushed(message: &Message) -> Vec<ConsentKey> {
    match serde_json::from_str(message.body().unwrap()).unwrap() {
        PushMessage::Keys { brand, keys } => keys.iter().map(|key| key.key(&brand)).collect(),
        PushMessage::Submission { id, .. } => panic!("nobody sent the submission {id}"),
        PushMessage::Verdict { .. } => panic!("nobody called back"),
    }
}

fn relayed(message: &Message) -> Vec<ConsentKey> {
    let RelayMessage { brand, keys } = serde_json::from_str(message.body().unwrap()).unwrap();
    keys.iter().map(|key| key.key(&brand)).collect()
}

fn group(message: &Message) -> String {
    message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId].clone()
}

/// The entries of each SendMessageBatch.
fn batches(requests: &[Request]) -> Vec<Vec<serde_json::Value>> {
    assert!(requests.iter().all(|request| request.operation == "SendMessageBatch"));
    requests.iter().map(|request| request.body["Entries"].as_array().unwrap().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_message_carries_at_most_25_keys_and_every_key_comes_once() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let asked: Vec<_> = keys(60).into_iter().chain(keys(60)).collect();
    desk.queues(&wire, 1).push(asked).await.unwrap();
    let messages = desk.take(&desk.push, 3).await;
    let mut sizes: Vec<_> = messages.iter().map(|message| pushed(message).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [10, 25, 25]);
    assert_eq!(sorted(messages.iter().flat_map(pushed).collect()), sorted(keys(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_messages_than_one_request_takes_are_sent_in_several() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    desk.queues(&wire, 1).push(keys(25 * 23)).await.unwrap();
    let mut sizes = Vec::new();
    for batch in batches(&wire.requests()) {
        let ids: BTreeSet<_> = batch.iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), batch.len(), "ids are unique within a request");
        sizes.push(batch.len());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [3, 10, 10]);
    let messages = desk.take(&desk.push, 23).await;
    assert_eq!(sorted(messages.iter().flat_map(pushed).collect()), sorted(keys(25 * 23)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_about_one_brand() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let mut asked = keys(30);
    for key in asked.iter_mut().step_by(2) {
        key.brand = "other".parse().unwrap();
    }
    desk.queues(&wire, 1).push(asked.clone()).await.unwrap();
    let messages = desk.take(&desk.push, 2).await;
    assert_eq!(messages.iter().map(|message| pushed(message).len()).collect::<Vec<_>>(), [15, 15]);
    assert_eq!(sorted(messages.iter().flat_map(pushed).collect()), sorted(asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_tell_is_not_told() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let queues = desk.queues(&wire, 1);
    queues.push(Vec::new()).await.unwrap();
    queues.relay(Vec::new()).await.unwrap();
    queues.notify([]).await.unwrap();
    assert!(wire.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_always_falls_into_the_same_group_on_every_channel_and_groups_are_few_and_the_brands_own() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let mut asked = Vec::new();
    for number in 0..100 {
        for channel in [Channel::Mesaj, Channel::Arama] {
            for recipient_type in [RecipientType::Bireysel, RecipientType::Tacir] {
                let mut key = Person::new(&format!("+90532{number:07}"), channel).key;
                key.recipient_type = recipient_type;
                asked.push(key);
            }
        }
    }
    // Told together, and told one by one in another order.
    desk.queues(&wire, 1).relay(asked.clone()).await.unwrap();
    for key in asked.iter().rev().step_by(40) {
        desk.queues(&wire, 1).relay(vec![key.clone()]).await.unwrap();
    }
    let entries = batches(&wire.requests()).concat();
    let mut groups = BTreeMap::new();
    for entry in &entries {
        let message: RelayMessage = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        assert!(message.keys.len() <= 25);
        for key in &message.keys {
            let group = entry["MessageGroupId"].as_str().unwrap();
            let first = groups.entry(key.key(&message.brand).recipient_id).or_insert(group);
            assert_eq!(*first, group, "one address, two groups");
        }
    }
    assert_eq!(groups.len(), 100);
    let names: BTreeSet<_> = groups.into_values().collect();
    assert!((8..=16).contains(&names.len()), "100 addresses over {} groups", names.len());
    assert!(names.iter().all(|name| name.starts_with("demo-")));
    let messages = desk.take(&desk.relay, entries.len()).await;
    assert_eq!(messages.iter().flat_map(relayed).collect::<BTreeSet<_>>(), asked.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_address_gets_comes_in_the_order_it_was_told_also_between_others() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let queues = desk.queues(&wire, 1);
    let of = |channel| Person::new("+905321112233", channel).key;
    let (mesaj, arama) = (of(Channel::Mesaj), of(Channel::Arama));
    let told = [mesaj.clone(), arama.clone(), mesaj.clone(), mesaj.clone(), arama.clone()];
    for (number, key) in told.iter().enumerate() {
        queues.relay(vec![Person::nth(2 * number).key, key.clone(), Person::nth(2 * number + 1).key]).await.unwrap();
    }
    queues.relay(vec![arama.clone(), mesaj.clone()]).await.unwrap();
    let count = batches(&wire.requests()).concat().len();
    let messages = desk.take(&desk.relay, count).await;
    let mine: Vec<_> = messages.iter().flat_map(relayed).filter(|key| key.recipient_id == mesaj.recipient_id).collect();
    assert_eq!(mine, [told.as_slice(), &[arama, mesaj]].concat());
    let groups: BTreeSet<_> = messages.iter().filter(|message| relayed(message).iter().any(|key| mine.contains(key))).map(group).collect();
    assert_eq!(groups.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_requests_go_one_after_the_other_so_that_none_overtakes_another() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    desk.queues(&wire, 1).relay(keys(1_000)).await.unwrap();
    let batches = batches(&wire.requests());
    assert!(batches.len() > 3 && batches.iter().all(|batch| batch.len() <= 10));
    assert_eq!(wire.most_in_flight(), 1);
    let messages = desk.take(&desk.relay, batches.concat().len()).await;
    let mut by_group = BTreeMap::<String, Vec<ConsentKey>>::new();
    for message in &messages {
        by_group.entry(group(message)).or_default().extend(relayed(message));
    }
    let place: BTreeMap<_, _> = keys(1_000).into_iter().zip(0..).collect();
    assert!(by_group.values().all(|keys| keys.is_sorted_by_key(|key| place[key])), "a group's keys come as they were told");
    assert_eq!(by_group.into_values().flatten().count(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_keys_told_twice_are_two_reasons_to_look() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let queues = desk.queues(&wire, 1);
    for _ in 0..3 {
        queues.relay(keys(1)).await.unwrap();
        queues.push(keys(1)).await.unwrap();
    }
    desk.take(&desk.relay, 3).await;
    desk.take(&desk.push, 3).await;
    let ids: BTreeSet<_> =
        batches(&wire.requests()).concat().iter().filter_map(|entry| entry["MessageDeduplicationId"].as_str().map(str::to_owned)).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_message_whose_answer_was_lost_and_that_is_sent_again_comes_once() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    wire.lose(0, Loss::Answer);
    desk.queues(&wire, 3).relay(keys(1)).await.unwrap();
    assert_eq!(wire.requests().len(), 2);
    desk.take(&desk.relay, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_after_a_submission_is_delayed_as_asked_and_no_longer_than_the_service_can() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let queues = desk.queues(&wire, 1);
    let brand = Person::nth(0).key.brand;
    for (asked, _) in DELAYS {
        queues.push_submission(&brand, "s-1", asked).await.unwrap();
    }
    let delays: Vec<_> = batches(&wire.requests()).concat().iter().map(|entry| entry["DelaySeconds"].as_i64().unwrap()).collect();
    assert_eq!(delays, DELAYS.map(|(_, sent)| sent));
}

const DELAYS: [(u32, i64); 5] = [(0, 0), (5, 5), (300, 300), (900, 900), (u32::MAX, 900)];

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_look_comes_no_sooner_than_asked_for_and_one_without_delay_at_once() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let queues = desk.queues(&wire, 1);
    let brand = Person::nth(0).key.brand;
    let sent = Instant::now();
    queues.push_submission(&brand, "later", 2).await.unwrap();
    queues.push_submission(&brand, "now", 0).await.unwrap();
    let mut ids = Vec::new();
    while ids.len() < 2 {
        assert!(sent.elapsed() < Duration::from_secs(20), "only {ids:?} came");
        for message in desk.receive(&desk.push, 1).await {
            let PushMessage::Submission { brand: of, id } = serde_json::from_str(message.body().unwrap()).unwrap() else {
                panic!("a message of another kind")
            };
            assert_eq!(of, brand);
            // The service counts whole seconds, so a second may be short.
            assert!(id == "now" || sent.elapsed() > Duration::from_secs(1), "{id} came after {:?}", sent.elapsed());
            ids.push(id);
        }
    }
    assert_eq!(ids, ["now", "later"]);
}

/// States by what is open: at the registry, at Insider.
fn states() -> [(ConsentState, bool, bool); 5] {
    let first = |number: usize, status, origin| ConsentState::first(&Person::nth(number).says(status, 0, origin), at(5), at(60));
    let mut settled = first(4, Status::Ret, Origin::Registry);
    let applied = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
    settled.answered(Target::Insider, &settled.head.sent(), applied, at(6), at(60));
    [
        (first(0, Status::Ret, Origin::Api), true, true),
        (first(1, Status::Ret, Origin::Insider), true, false),
        (first(2, Status::Ret, Origin::Registry), false, true),
        // Insider waits for the registry.
        (first(3, Status::Onay, Origin::Api), true, false),
        (settled, false, false),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_each_queue_hears_of_what_is_open_at_its_target_and_of_nothing_else() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let states = states();
    desk.queues(&wire, 1).notify(states.iter().map(|(state, ..)| state)).await.unwrap();
    let open = |at: fn(&(ConsentState, bool, bool)) -> bool| {
        sorted(states.iter().filter(|state| at(state)).map(|state| state.0.key.clone()).collect())
    };
    let push = desk.take(&desk.push, 1).await;
    assert_eq!(sorted(push.iter().flat_map(pushed).collect()), open(|state| state.1));
    let messages = batches(&wire.requests()).concat().len() - 1;
    let relay = desk.take(&desk.relay, messages).await;
    assert_eq!(sorted(relay.iter().flat_map(relayed).collect()), open(|state| state.2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_fails_does_not_keep_the_other_from_hearing() {
    let desk = Desk::new().await;
    let (state, ..) = &states()[0];
    let error = desk.queues_without_push().notify([state]).await.unwrap_err();
    assert!(!error.to_string().is_empty());
    let relay = desk.take(&desk.relay, 1).await;
    assert_eq!(relayed(&relay[0]), std::slice::from_ref(&state.key));
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_6_no_message_and_no_error_carries_an_address() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let people = [Person::new("Ayse.Yilmaz@example.com", Channel::Eposta), Person::new("0532 111 22 33", Channel::Mesaj)];
    let states = people.map(|person| ConsentState::first(&person.says(Status::Ret, 0, Origin::Api), at(5), at(60)));
    desk.queues(&wire, 1).notify(&states).await.unwrap();
    desk.queues(&wire, 1).push_submission(&states[0].key.brand, "s-1", 1).await.unwrap();
    wire.lose(0, Loss::Request);
    let error = desk.queues(&wire, 1).push(states.iter().map(|state| state.key.clone()).collect()).await.unwrap_err();
    let sent = wire.requests();
    assert!(sent.len() >= 4);
    let told = format!("{error} {error:?} {sent:?}").to_lowercase();
    for trace in ["@", "ayse.yilmaz", "example", "5321112233", "532 111"] {
        assert!(!told.contains(trace), "{trace} is in {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrys_verdict_that_ended_among_the_dead_letters_goes_back_as_it_was() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let dead = desk.of_dead_letters().await;
    let verdict = |brand: &str| {
        serde_json::json!({"kind": "verdict", "brand": brand, "key": ["AAAAAAAAAAAAAAAAAAAAAA", "EPOSTA", "BIREYSEL"], "status": "ONAY",
            "consentDate": "2026-11-20 12:59:00", "reference": "59a3ec87", "code": "NETGSM-FAILED"})
        .to_string()
    };
    dead.put(&verdict("demo")).await;
    dead.put(&verdict("nobody")).await;
    let redrive = Redrive { brands: BTreeSet::from(["demo".parse().unwrap()]), discard: false, patience: Duration::from_secs(600) };
    let redriven = desk.dead_letters(&dead, &wire).redrive(&redrive).await.unwrap();
    assert_eq!((redriven.redriven, redriven.unusable), (1, 1));
    let messages = desk.take(&desk.push, 1).await;
    let read = |text: &str| serde_json::from_str::<PushMessage>(text).unwrap();
    assert_eq!(read(messages[0].body().unwrap()), read(&verdict("demo")));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_to_their_queues_and_what_nobody_can_use_stays_until_it_is_discarded() {
    let (desk, wire) = (Desk::new().await, Wire::new());
    let dead = desk.of_dead_letters().await;
    let lost = dead.queues(&Wire::new(), 1);
    lost.push(keys(60)).await.unwrap();
    lost.relay(keys(60)).await.unwrap();
    let unusable = ["not json", r#"{"kind":"keys","brand":"nobody","keys":[["AAAAAAAAAAAAAAAAAAAAAA","EPOSTA","BIREYSEL"]]}"#];
    for body in unusable {
        dead.put(body).await;
    }
    let letters = desk.dead_letters(&dead, &wire);
    let mut redrive = Redrive { brands: BTreeSet::from(["demo".parse().unwrap()]), discard: false, patience: Duration::from_secs(600) };

    let redriven = letters.redrive(&redrive).await.unwrap();
    // A message for each of the groups that the addresses fall into.
    let relays = usize::try_from(redriven.redriven - 3).unwrap();
    assert_eq!(redriven, Redriven { redriven: redriven.redriven, unusable: 2, discarded: 0, more: false });
    let messages = desk.take(&desk.push, 3).await;
    assert_eq!(sorted(messages.iter().flat_map(pushed).collect()), sorted(keys(60)));
    let messages = desk.take(&desk.relay, relays).await;
    assert_eq!(sorted(messages.iter().flat_map(relayed).collect()), sorted(keys(60)));

    // What was left is to be seen at once, and only then deleted.
    redrive.discard = true;
    let redriven = letters.redrive(&redrive).await.unwrap();
    assert_eq!(redriven, Redriven { redriven: 0, unusable: 2, discarded: 2, more: false });
    assert_eq!((dead.receive(&dead.push, 0).await.len(), dead.receive(&dead.relay, 0).await.len()), (0, 0));

    lost.push(keys(1)).await.unwrap();
    redrive.patience = Duration::ZERO;
    assert!(letters.redrive(&redrive).await.unwrap().more, "a run without time touches nothing and says so");
    assert_eq!(dead.take(&dead.push, 1).await.len(), 1);
}
