//! Ten thousand movements of every kind at once, three in a hundred of which İYS refuses: each ends as it
//! must, and no request is made that could have been spared.

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::sqs::SqsEvent;
use reqwest::Method;
use sandbox::iys::{EmailForm, FirstKarar, Switches};
use serde_json::{Value, json};
use shared::consent::{Channel, ConsentKey, ConsentState, RecipientType, Status, Sync};
use shared::queue::PushMessage;

use crate::desk::{Desk, RESULT_WAIT, START, document};
use crate::harness::ManualClock;
use crate::people::{Check, End, Kind, Maker, Person};
use crate::simulator::{self, Simulator};

const MOVEMENTS: i64 = 10_000;
/// Those that come last and by themselves: few enough to go one by one.
const LAST: i64 = 20;
/// What İYS takes at once, of records and of addresses (İYS documentation, `addBatchConsentV2`,
/// `batchConsentStatus`).
const AT_ONCE: usize = 1000;
/// Most messages that Lambda hands over together (`infra/template.yaml`).
const BATCH: usize = 1000;
/// Most keys of a message.
const KEYS: usize = 25;
/// What the consent API takes at once.
const TAKEN: usize = 500;

/// How many there are of each kind, beside the plain consents that fill up the crowd.
const KINDS: [(Kind, usize); 26] = [
    (Kind::ConsentOfDealers, 600),
    (Kind::Refusal, 2500),
    (Kind::RefusalOfNothing, 500),
    (Kind::RefusalOverConsent(true), 100),
    (Kind::RefusalOverConsent(false), 100),
    (Kind::ConsentOverRefusal(true), 100),
    (Kind::ConsentOverRefusal(false), 100),
    (Kind::ConsentTwice, 200),
    (Kind::ConsentToldTwice, 200),
    (Kind::ConsentKnown, 200),
    (Kind::RefusalOfKnown, 200),
    // Refused at the door.
    (Kind::PlantedAtDoor("H122"), 30),
    (Kind::PlantedAtDoor("H459"), 30),
    (Kind::PlantedAtDoor("H460"), 30),
    (Kind::PlantedLate, 15),
    (Kind::UnknownDealer, 60),
    (Kind::Abroad, 25),
    (Kind::OddAddress, 35),
    // Refused in the results.
    (Kind::PlantedInResults("H155"), 20),
    (Kind::PlantedInResults("H463"), 20),
    (Kind::DecisionOfNothing, 20),
    // Refused as a question, and then at the door or not at all.
    (Kind::RefusalOfOddAddress, 10),
    (Kind::PlantedInQuestion, 10),
    // Refused, and no harm: what is wanted stands there, or İYS's own movement counts.
    (Kind::RefusalOfLost, 20),
    (Kind::RefusalThere, 10),
    (Kind::RefusalOutdated, 10),
];
/// Of the last ones, those that İYS refuses.
const BAD_LAST: [Kind; 5] =
    [Kind::PlantedAtAdd("H122"), Kind::PlantedAtAdd("H460"), Kind::UnknownDealer, Kind::UnknownDealer, Kind::Abroad];

/// The crowd, mixed, and those who come last.
fn crowd(maker: &mut Maker) -> (Vec<Person>, Vec<Person>) {
    let mut kinds: Vec<_> = KINDS.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count)).collect();
    let told = |kind: Kind| Maker::new(START.parse().unwrap()).make(kind).told.len();
    let doubled: usize = KINDS.iter().filter(|(kind, _)| told(*kind) == 2).map(|(_, count)| count).sum();
    let plain = usize::try_from(MOVEMENTS - LAST).unwrap() - kinds.len() - doubled;
    kinds.extend(std::iter::repeat_n(Kind::Consent, plain));
    // A prime that does not divide their number: every place comes once.
    let count = kinds.len();
    assert!(!count.is_multiple_of(7919));
    let people = (0..count).map(|at| maker.make(kinds[at * 7919 % count])).collect();
    assert_eq!(maker.movements, MOVEMENTS - LAST);
    let last = usize::try_from(LAST).unwrap();
    let last = (0..last).map(|at| maker.make(*BAD_LAST.get(at).unwrap_or(&Kind::Consent))).collect();
    assert_eq!(maker.movements, MOVEMENTS);
    (people, last)
}

fn place(person: &Person) -> (Channel, RecipientType) {
    (person.channel, person.kind)
}

/// The fewest requests that this crowd can be brought to İYS with.
fn fewest(people: &[Person], last: &[Person]) -> BTreeMap<simulator::Kind, u64> {
    // Refusals go first, then the oldest: all are due in the order of their dates.
    let mut sent: Vec<_> = people.iter().filter(|person| person.sent).collect();
    sent.sort_by_key(|person| (person.head().status != Status::Ret, person.head().consent_date));
    // One request for each list, and one more for each kind of check that it does not pass.
    let checks = |list: &[&Person]| list.iter().filter_map(|person| person.refused_at).collect::<BTreeSet<Check>>().len();
    let bulk_adds: usize = sent.chunks(AT_ONCE).map(|list| 1 + checks(list)).sum();
    // Nothing of a list that was refused as a whole has results.
    let lists = sent.chunks(AT_ONCE).filter(|list| list.iter().any(|person| person.refused_at.is_none())).count();
    // One question for a thousand addresses of a kind, and one more where it is refused for some of them.
    let mut questions = BTreeMap::<_, (usize, usize)>::new();
    for person in people.iter().filter(|person| person.asked) {
        let (asked, spoiling) = questions.entry(place(person)).or_default();
        *asked += 1;
        *spoiling += usize::from(person.spoils_question);
    }
    let is_one = |(asked, spoiling): &(usize, usize)| *spoiling == 0 || *asked <= AT_ONCE;
    assert!(questions.values().all(is_one), "how many questions are refused is not known from the input");
    let before: usize = questions.values().map(|(asked, spoiling)| asked.div_ceil(AT_ONCE) + usize::from(*spoiling > 0)).sum();
    let after = people.iter().filter(|person| person.asked_after).map(place).collect::<BTreeSet<_>>().len();
    assert!(questions.values().any(|(asked, _)| *asked > AT_ONCE) && before > questions.len() && after > 0);
    let fetched = people.iter().filter(|person| person.fetched).count();
    let counts = [
        (simulator::Kind::Token, 1),
        (simulator::Kind::Add, last.iter().filter(|person| person.sent).count()),
        (simulator::Kind::BulkAdd, bulk_adds),
        (simulator::Kind::BulkResults, lists),
        (simulator::Kind::Status, fetched),
        (simulator::Kind::MultiStatus, before + after),
    ];
    counts.map(|(kind, count)| (kind, u64::try_from(count).unwrap())).into()
}

/// What the simulator must have found fault with, beside what is planted.
fn violations(everybody: &[&Person]) -> Value {
    let mut expected = BTreeMap::<String, usize>::new();
    for person in everybody.iter().filter(|person| person.planted.is_none()) {
        if person.spoils_question {
            *expected.entry("invalid_query:H464".to_owned()).or_default() += 1;
        }
        let kind = match &person.end {
            End::Rejected(code) => format!("rejected:{code}"),
            End::Settled("not_registered") if person.sent => "rejected:H175".to_owned(),
            End::Settled("already_there") if person.sent => "rejected:H174".to_owned(),
            End::Settled("not_needed") => "rejected:H178".to_owned(),
            End::Applied | End::Settled(_) => continue,
        };
        *expected.entry(kind).or_default() += 1;
    }
    json!(expected)
}

impl Desk {
    fn key_of(&self, person: &Person) -> ConsentKey {
        self.key(0, &person.recipient, person.channel, person.kind)
    }

    /// Takes people's movements in, as many at once as the API does, and in the order of their telling.
    async fn listen(&self, people: &[Person]) {
        let movements: Vec<_> = people.iter().flat_map(|person| person.movements(&self.key_of(person))).collect();
        for some in movements.chunks(TAKEN) {
            assert!(self.intake.take(some.to_vec(), self.clock.now()).await.iter().all(Result::is_ok));
        }
    }

    /// Hands over everything that waits, as Lambda does. How many messages.
    async fn deliver(&self) -> usize {
        let all = self.batch().await.records;
        for some in all.chunks(BATCH) {
            let mut event = SqsEvent::default();
            event.records = some.to_vec();
            for message in some {
                let body = message.body.as_deref().unwrap();
                if let PushMessage::Keys { keys, .. } = serde_json::from_str(body).unwrap() {
                    assert!(keys.len() <= KEYS);
                }
            }
            let again = self.handle(event).await;
            assert!(again.records.is_empty(), "{} messages come again", again.records.len());
        }
        all.len()
    }
}

fn end(state: &ConsentState) -> String {
    match &state.registry {
        Sync::Settled { outcome, .. } => outcome.as_str().to_owned(),
        Sync::Rejected { code, .. } => code.clone(),
        open => panic!("still {}", open.as_str()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_1_ten_thousand_mixed_movements_end_as_they_must_with_the_fewest_requests() {
    let clock = ManualClock::at(START);
    let switches = Switches { foreign_numbers: false, email_form: EmailForm::Strict, first_karar: FirstKarar::H486, ..Switches::default() };
    let iys = Simulator::start(&clock, |config| config.switches = switches).await;
    let reach = |ledger: &_| Simulator::reach(&iys.url, simulator::PATIENCE, ledger, &clock, "worker");
    let desk = Desk::new(clock.clone(), vec![document("demo", 700_001, false)], reach).await;
    let mut maker = Maker::new(clock.now());
    let (people, last) = crowd(&mut maker);
    let everybody: Vec<_> = people.iter().chain(&last).collect();
    let refused = everybody.iter().filter(|person| matches!(person.end, End::Rejected(_))).count();
    assert_eq!(refused, 300, "three in a hundred");
    let seeds: Vec<_> = everybody.iter().filter_map(|person| person.held.clone()).collect();
    iys.order(Method::POST, "consents", json!(seeds)).await;
    for planted in everybody.iter().filter_map(|person| person.planted.clone()) {
        iys.order(Method::POST, "refusals", planted).await;
    }
    desk.listen(&people).await;
    assert!(desk.deliver().await > MOVEMENTS as usize / KEYS / 2);
    desk.listen(&last).await;
    assert!(desk.deliver().await <= LAST as usize);
    // The results.
    assert_eq!(desk.later.next(), Some(clock.now() + RESULT_WAIT));
    clock.advance(RESULT_WAIT);
    assert!(desk.deliver().await > 0);
    assert_eq!((desk.deliver().await, desk.later.next()), (0, None), "nothing is left");
    let backlog = desk.ledger.backlog(&desk.brands[0].name, 100).await.unwrap();
    let open: Vec<_> = backlog.registry.keys().filter(|word| *word != "rejected" && *word != "settled").collect();
    assert!(open.is_empty() && !backlog.truncated, "{backlog:?}");

    let keys: Vec<_> = everybody.iter().map(|person| desk.key_of(person)).collect();
    let states: BTreeMap<_, _> = desk.ledger.states(&keys).await.unwrap().into_iter().map(|state| (state.key.clone(), state)).collect();
    assert_eq!(states.len(), keys.len());
    for (person, key) in everybody.iter().zip(&keys) {
        let expected = match person.end {
            End::Applied => "applied",
            End::Settled(word) | End::Rejected(word) => word,
        };
        assert_eq!(end(&states[key]), expected, "{:?} {:?} {:?}", person.channel, person.kind, person.told);
    }

    let mut stored = iys.ask("movements").await;
    for row in stored.as_array_mut().unwrap() {
        for added in ["brandCode", "creationDate", "transactionId"] {
            row.as_object_mut().unwrap().remove(added);
        }
    }
    let text = |row: &Value| row.to_string();
    let mut stored: Vec<_> = stored.as_array().unwrap().iter().map(text).collect();
    let sent = everybody.iter().filter(|person| person.end == End::Applied).map(|person| person.row());
    let mut expected: Vec<_> = sent
        .chain(seeds)
        .map(|mut row| {
            row.as_object_mut().unwrap().remove("brandCode");
            text(&row)
        })
        .collect();
    stored.sort_unstable();
    expected.sort_unstable();
    assert_eq!(stored.len(), expected.len());
    assert!(stored == expected, "İYS holds exactly what was there and what is good, once each");

    let stats = iys.ask("stats").await;
    assert_eq!(stats["violations"], violations(&everybody));
    let planted = everybody.iter().filter(|person| person.planted.is_some()).count();
    assert_eq!(stats["faults"], json!({"refusal": planted}));
    assert_eq!(iys.ask("refusals").await, json!([]), "every planted refusal was met");
    assert_eq!(iys.requests().await, fewest(&people, &last));
}
