//! A brand's book at the simulator of İYS: every kind of row, in any order and any number of times, broken
//! off anywhere, and no request or message that could have been spared.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../shared/tests/sync/fuse.rs"]
#[expect(dead_code, reason = "nobody counts what is read here")]
mod fuse;
#[path = "../../../shared/tests/harness/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod harness;
#[path = "../../../shared/tests/harness/sqs.rs"]
mod sqs;

use std::collections::BTreeMap;
use std::sync::Arc;

use fuse::{Break, Fuse};
use harness::ManualClock;
use jiff::{SignedDuration, Timestamp};
use sandbox::iys::Config;
use serde_json::{Value, json};
use shared::answers::{ImportAnswer, ImportCounts};
use shared::brand::Brand;
use shared::consent::{Channel, ConsentDate, ConsentKey, ConsentState, Recipient, RecipientType, Status, Sync};
use shared::iys::{Client, IysRegistry, Settings};
use shared::ledger::Ledger;
use shared::queue::{PushMessage, Queues};
use shared::sync::import::Import;
use shared::sync::push::Push;
use shared::sync::standing::Guard;
use url::Url;

/// A Friday, 13:00 in Türkiye.
const START: &str = "2026-11-20T10:00:00Z";
const GRACE: SignedDuration = SignedDuration::from_mins(15);
const OLD: &str = "2022-03-01 12:00:00";
const OLDER: &str = "2020-03-01 12:00:00";
/// In time for İYS.
const RECENT: &str = "2026-11-20 12:00:00";
const DEALER: u64 = 11_111_111;

/// How a key's rows end: at the registry, at Insider.
type End = (&'static str, &'static str);

/// Rows of one key (status, date, source), what İYS holds of it (status, date), and how they end.
type Kind = (&'static str, &'static [(&'static str, &'static str, &'static str)], Option<(&'static str, &'static str)>, End);

/// It counts over an older consent, and is too late to be sent.
const LATE_REFUSAL: &str = "a late refusal of a consent";
/// It is outranked by the consent, which only its record tells.
const LIFTED_REFUSAL: &str = "a late refusal before a consent";

const KINDS: [Kind; 18] = [
    ("a consent that is there", &[("ONAY", OLD, "HS_WEB")], Some(("ONAY", OLD)), ("already_there", "not_needed")),
    ("a recent consent that is there", &[("ONAY", RECENT, "HS_WEB")], Some(("ONAY", OLD)), ("already_there", "not_needed")),
    ("a recent consent that is not there", &[("ONAY", RECENT, "HS_MOBIL")], None, ("pending", "awaiting")),
    ("a recent consent over a refusal", &[("ONAY", RECENT, "HS_WEB")], Some(("RET", OLD)), ("pending", "awaiting")),
    ("a late consent that is not there", &[("ONAY", OLD, "HS_WEB")], None, ("H467", "pending")),
    ("a late consent that was lifted", &[("ONAY", OLDER, "HS_WEB")], Some(("RET", OLD)), ("H467", "pending")),
    ("a consent of before İYS", &[("ONAY", "", "HS_2015")], Some(("ONAY", "2015-05-01 00:00:00")), ("already_there", "not_needed")),
    ("a refusal of nothing", &[("RET", OLD, "HS_WEB")], None, ("not_registered", "pending")),
    ("a recent refusal of nothing", &[("RET", RECENT, "HS_WEB")], None, ("not_registered", "pending")),
    ("a recent refusal of a consent", &[("RET", RECENT, "HS_WEB")], Some(("ONAY", OLD)), ("pending", "pending")),
    (LATE_REFUSAL, &[("RET", OLD, "HS_WEB")], Some(("ONAY", OLDER)), ("pending", "pending")),
    (LIFTED_REFUSAL, &[("RET", OLDER, "HS_WEB")], Some(("ONAY", OLD)), ("pending", "pending")),
    ("a refusal that is there", &[("RET", RECENT, "HS_WEB")], Some(("RET", OLD)), ("not_registered", "pending")),
    ("a person's consent at İYS", &[("ONAY", OLD, "IYS_WEB")], Some(("ONAY", OLD)), ("already_there", "not_needed")),
    ("a person's consent that İYS lost", &[("ONAY", OLD, "IYS_MOBIL")], None, ("H119", "pending")),
    ("a person's refusal at İYS", &[("RET", OLD, "IYS_WEB")], Some(("RET", OLD)), ("already_there", "pending")),
    (
        "a refusal before a consent that is there",
        &[("RET", OLDER, "HS_WEB"), ("ONAY", OLD, "HS_WEB")],
        Some(("ONAY", OLD)),
        ("already_there", "not_needed"),
    ),
    (
        "a consent, twice, and a later refusal",
        &[("ONAY", OLDER, "HS_WEB"), ("ONAY", OLDER, "HS_WEB"), ("RET", RECENT, "HS_ATM")],
        Some(("ONAY", OLDER)),
        ("pending", "pending"),
    ),
];

const CHANNELS: [Channel; 3] = [Channel::Eposta, Channel::Mesaj, Channel::Arama];

/// One key of the book.
struct Person {
    what: String,
    recipient: Recipient,
    channel: Channel,
    rows: Vec<Value>,
    seed: Option<Value>,
    end: End,
}

fn person(number: usize, (what, rows, held, end): Kind) -> Person {
    // Each kind comes on each channel, whatever the number of kinds.
    let channel = CHANNELS[(number + number / KINDS.len()) % CHANNELS.len()];
    let address = match channel {
        Channel::Eposta => format!("kisi{number}@example.com"),
        _ => format!("+90599{number:07}"),
    };
    let row = |(status, date, source): &(&str, &str, &str)| {
        let mut row = json!({"recipient": address, "type": channel, "status": status, "source": source, "consentDate": date});
        row.as_object_mut().unwrap().retain(|_, value| value != "");
        row
    };
    let seed = |(status, date): (&str, &str)| json!({"brandCode": 700_001, "recipient": address, "type": channel, "status": status, "consentDate": date});
    Person {
        what: format!("{what}, {channel}"),
        recipient: Recipient::parse(&address, channel).unwrap(),
        channel,
        rows: rows.iter().map(row).collect(),
        seed: held.map(seed),
        end,
    }
}

/// Everybody, each kind on each channel; and one consent that names a dealer.
fn people() -> Vec<Person> {
    let mut people: Vec<_> = (0..KINDS.len() * CHANNELS.len()).map(|number| person(number, KINDS[number % KINDS.len()])).collect();
    let named: Kind =
        ("a consent of a dealer over one without", &[("ONAY", RECENT, "HS_WEB")], Some(("ONAY", OLD)), ("pending", "not_needed"));
    let mut named = person(people.len(), named);
    named.rows[0]["retailerCode"] = json!(DEALER);
    people.push(named);
    people
}

struct World {
    clock: ManualClock,
    iys: Url,
    brand: Arc<Brand>,
    ledger: Ledger,
    dynamo: aws_sdk_dynamodb::Client,
    table: String,
    fuse: Fuse,
    queues: Queues,
    sqs: aws_sdk_sqs::Client,
    urls: [String; 2],
    client: Client,
    tell_insider: bool,
}

async fn simulator(clock: &ManualClock, people: &[Person]) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let mut config = Config { clock: clock.clock(), calls_per_second: usize::MAX, ..Config::default() };
    config.providers[0].brands[0].retailers = vec![DEALER];
    config.seed = serde_json::from_value(people.iter().filter_map(|person| person.seed.clone()).collect()).unwrap();
    tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
    url
}

fn client(url: &Url, ledger: &Ledger, clock: &ManualClock) -> Client {
    let mut settings = Settings::new(url.clone());
    settings.limits.calls_per_second = 1000;
    settings.limits.quality_minimum_requests = u32::MAX;
    Client::new(settings, ledger.clone(), clock.clock(), "worker")
}

impl World {
    async fn new(people: &[Person]) -> Self {
        let clock = ManualClock::at(START);
        let iys = simulator(&clock, people).await;
        Self::at(clock, iys).await
    }

    /// Another ledger beside the same İYS.
    async fn at(clock: ManualClock, iys: Url) -> Self {
        let fuse = Fuse::default();
        let (dynamo, table) = harness::store(|config| {
            config.interceptor(fuse.clone()).retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        })
        .await;
        let ledger = Ledger::new(dynamo.clone(), table.clone());
        let (sqs, push_url, relay_url) = sqs::queues(|config| config).await;
        Self {
            client: client(&iys, &ledger, &clock),
            brand: Arc::new(Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap()),
            queues: Queues::new(sqs.clone(), push_url.clone(), relay_url.clone()),
            urls: [push_url, relay_url],
            clock,
            iys,
            ledger,
            dynamo,
            table,
            fuse,
            sqs,
            tell_insider: false,
        }
    }

    fn with_channels(&mut self, channels: &[&str]) {
        let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        document["iys"]["channels"] = json!(channels);
        self.brand = Arc::new(Brand::read(&document.to_string()).unwrap());
    }

    async fn import(&self, rows: Vec<Value>) -> ImportAnswer {
        self.run(rows, false).await
    }

    /// Imports and waits as long as it is told to. How many rows were accepted then.
    async fn import_to_its_end(&self, rows: Vec<Value>) -> u64 {
        let mut accepted = 0;
        for _ in 0..20 {
            let answer = self.import(rows.clone()).await;
            accepted += answer.counts.accepted;
            if answer.unfinished.rows.is_empty() {
                return accepted;
            }
            self.clock.advance(SignedDuration::from_secs(answer.unfinished.seconds as i64));
        }
        panic!("the import comes to no end");
    }

    async fn run(&self, rows: Vec<Value>, dry_run: bool) -> ImportAnswer {
        let clock = self.clock.clock();
        let registry = IysRegistry::new(self.client.clone(), self.brand.clone());
        let guard = Guard::new(&registry, &self.ledger, &self.brand, &clock);
        let import = Import {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &guard,
            clock: &clock,
            grace: GRACE,
            tell_insider: self.tell_insider,
            dry_run,
        };
        let answer = import.run(rows).await;
        let told = serde_json::to_string(&answer).unwrap();
        assert!(!told.contains("kisi") && !told.contains("0599"), "{told}");
        answer
    }

    /// What `iys-push` does with these keys.
    async fn push(&self, keys: &[ConsentKey]) {
        let (clock, registry) = (self.clock.clock(), IysRegistry::new(self.client.clone(), self.brand.clone()));
        let push = Push {
            ledger: &self.ledger,
            queues: &self.queues,
            brand: &self.brand,
            registry: &registry,
            former: None,
            clock: &clock,
            grace: GRACE,
            result_wait: SignedDuration::from_mins(5),
            stop_at: Timestamp::MAX,
        };
        assert!(push.run(keys).await.failed.is_empty());
    }

    fn key(&self, person: &Person) -> ConsentKey {
        ConsentKey {
            brand: self.brand.name.clone(),
            recipient_id: person.recipient.id(&self.brand.recipient_id_key, &self.brand.name),
            channel: person.channel,
            recipient_type: RecipientType::Bireysel,
        }
    }

    async fn state(&self, person: &Person) -> ConsentState {
        self.ledger.state(&self.key(person)).await.unwrap().unwrap_or_else(|| panic!("{} has no state", person.what))
    }

    /// What counts of every state, whenever it came to be.
    async fn states(&self, people: &[Person]) -> BTreeMap<String, String> {
        let mut states = BTreeMap::new();
        for person in people {
            let state = self.state(person).await;
            let (head, known) = (&state.head, state.known.map(|known| (known.status, known.consent_date)));
            let told = state.insider_status();
            let shown = format!(
                "{} {} {} {} {known:?} {} {told:?}",
                head.status,
                head.source,
                head.consent_date,
                head.event_id,
                word(&state.registry)
            );
            states.insert(person.what.clone(), shown);
        }
        states
    }

    /// How many items the table has.
    async fn items(&self) -> usize {
        let page = self.dynamo.scan().table_name(&self.table).send().await.unwrap();
        assert!(page.last_evaluated_key.is_none());
        page.items().len()
    }

    /// The keys that the messages to `iys-push` name, and how many messages there are to the relay.
    async fn messages(&self) -> (Vec<ConsentKey>, usize) {
        let (mut keys, mut relayed) = (Vec::new(), 0);
        for (at, url) in self.urls.iter().enumerate() {
            loop {
                let answer = self.sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
                let messages = answer.messages.unwrap_or_default();
                if messages.is_empty() {
                    break;
                }
                for message in messages {
                    self.sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
                    let body = message.body.unwrap();
                    assert!(!body.contains("example.com") && !body.contains("0599"), "{body}");
                    match serde_json::from_str(&body) {
                        Ok(PushMessage::Keys { brand, keys: named }) if at == 0 => keys.extend(named.iter().map(|key| key.key(&brand))),
                        _ if at == 1 => relayed += 1,
                        _ => panic!("an unexpected message"),
                    }
                }
            }
        }
        (keys, relayed)
    }

    async fn ask(&self, path: &str) -> Value {
        let url = self.iys.join("_sandbox/").unwrap().join(path).unwrap();
        serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap()
    }

    /// Requests to İYS but for tokens, by the end of their path.
    async fn requests(&self) -> BTreeMap<String, u64> {
        let mut requests = BTreeMap::new();
        for call in self.ask("stats").await["calls"].as_array().unwrap() {
            let path = call["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            if path != "token" {
                *requests.entry(path).or_default() += call["count"].as_u64().unwrap();
            }
        }
        requests
    }
}

/// How the registry has a state.
fn word(sync: &Sync) -> String {
    match sync {
        Sync::Settled { outcome, .. } => outcome.as_str().to_owned(),
        Sync::Rejected { code, .. } => code.clone(),
        other => other.as_str().to_owned(),
    }
}

/// How a pending row ends once it is sent: a late refusal is looked at first.
fn end_of_sending(person: &Person) -> &'static str {
    match person.what.split(',').next() {
        Some(LATE_REFUSAL) => "H467",
        Some(LIFTED_REFUSAL) => "not_needed",
        _ => "applied",
    }
}

fn rows(people: &[Person]) -> Vec<Value> {
    people.iter().flat_map(|person| person.rows.clone()).collect()
}

/// The rows in another order: steps of a number that has no divisor in common with theirs.
fn shuffled(rows: &[Value], step: usize) -> Vec<Value> {
    let step = (step..).find(|step| (2..=*step).all(|of| !step.is_multiple_of(of) || !rows.len().is_multiple_of(of))).unwrap();
    (0..rows.len()).map(|at| rows[at * step % rows.len()].clone()).collect()
}

#[tokio::test]
async fn only_true_differences_become_work_and_everything_else_ends_by_one_question_a_channel() {
    let people = people();
    let world = World::new(&people).await;
    let before = world.ask("movements").await.as_array().unwrap().len();
    let answer = world.import(rows(&people)).await;
    assert!(answer.unfinished.rows.is_empty() && answer.failed.is_none(), "{answer:?}");
    for person in &people {
        let state = world.state(person).await;
        assert_eq!((word(&state.registry), word(&state.insider)), (person.end.0.to_owned(), person.end.1.to_owned()), "{}", person.what);
    }
    let ended = |word: &str| people.iter().filter(|person| person.end.0 == word).count() as u64;
    let counts = &answer.counts;
    let doubled = 3;
    let expected = ImportCounts {
        rows: rows(&people).len() as u64,
        accepted: people.len() as u64,
        duplicate: doubled,
        superseded: 2 * doubled,
        rejected: BTreeMap::new(),
        asked: people.len() as u64,
        at_iys: ended("already_there"),
        not_registered: ended("not_registered"),
        to_push: ended("pending"),
        held: 0,
        refused_at_iys: BTreeMap::from(["H467", "H119"].map(|code| (code.to_owned(), ended(code)))),
        to_insider: people.iter().filter(|person| person.end.1 == "pending").count() as u64,
    };
    assert_eq!(*counts, expected);
    assert!(answer.refused.iter().all(|row| row.kept && !row.rule.en.is_empty() && !row.rule.tr.is_empty()));
    assert_eq!(world.requests().await, BTreeMap::from([("{type}".to_owned(), 3)]));

    // The messages name what is to be sent, and nothing else.
    let (mut keys, relayed) = world.messages().await;
    let mut wanted: Vec<_> = people.iter().filter(|person| person.end.0 == "pending").map(|person| world.key(person)).collect();
    keys.sort();
    wanted.sort();
    assert_eq!(keys, wanted);
    assert!(relayed > 0);

    // Again, after whatever became of the first answer: nothing is new, asked, or said.
    let states = world.states(&people).await;
    let again = world.import(rows(&people)).await;
    assert_eq!((again.counts.accepted, again.counts.duplicate), (0, rows(&people).len() as u64));
    assert_eq!((again.counts.asked, &again.refused), (0, &answer.refused));
    assert_eq!(world.states(&people).await, states);
    assert_eq!((world.messages().await, world.requests().await["{type}"]), ((Vec::new(), 0), 3));

    // What is sent is what İYS lacks.
    world.push(&keys).await;
    let now = world.ask("movements").await.as_array().unwrap().len();
    let (mut sent, mut looked_at) = (0, 0);
    for person in people.iter().filter(|person| person.end.0 == "pending") {
        let end = end_of_sending(person);
        *if end == "applied" { &mut sent } else { &mut looked_at } += 1;
        assert_eq!(word(&world.state(person).await.registry), end, "{}", person.what);
    }
    assert_eq!((now - before, sent + looked_at), (sent, keys.len()));
    let lifted = people.iter().find(|person| person.what.starts_with(LIFTED_REFUSAL)).unwrap();
    assert_eq!(world.state(lifted).await.head.status, Status::Onay);
}

#[tokio::test]
async fn invariant_3_any_order_chunks_and_repetition_of_a_book_leave_the_same_states() {
    let people = people();
    let mut world = World::new(&people).await;
    world.tell_insider = true;
    world.import(rows(&people)).await;
    let expected = world.states(&people).await;
    for (step, chunk) in [(7, 1000), (11, 10), (23, 3)] {
        let mut other = World::at(world.clock.clone(), world.iys.clone()).await;
        other.tell_insider = true;
        let rows = shuffled(&rows(&people), step);
        for chunk in rows.chunks(chunk).chain(rows.rchunks(chunk)) {
            assert!(other.import(chunk.to_vec()).await.unfinished.rows.is_empty());
        }
        assert_eq!(other.states(&people).await, expected, "in steps of {step}");
    }
    // Told of a consent that İYS holds, Insider hears of it once.
    assert_eq!(word(&world.state(&people[0]).await.insider), "pending");
}

#[tokio::test]
async fn a_dry_run_counts_the_same_rows_and_leaves_table_queues_and_iys_alone() {
    let people = people();
    let world = World::new(&people).await;
    let mut book = rows(&people);
    book.push(json!({"recipient": "kisi@example", "type": "EPOSTA", "status": "RET", "consentDate": OLD}));
    let dry = world.run(book.clone(), true).await;
    assert_eq!((world.items().await, world.messages().await, world.requests().await), (0, (Vec::new(), 0), BTreeMap::new()));
    let real = world.import(book.clone()).await.counts;
    let rows_of =
        |counts: &ImportCounts| (counts.rows, counts.accepted, counts.duplicate, counts.superseded, counts.rejected.clone(), counts.asked);
    assert_eq!(rows_of(&dry.counts), rows_of(&real));
    assert_eq!(dry.counts.rejected, BTreeMap::from([("H120".to_owned(), 1)]));
    let items = world.items().await;
    let dry = world.run(book, true).await.counts;
    assert_eq!((dry.accepted, dry.asked, world.items().await), (0, 0, items));
}

#[tokio::test]
async fn invariant_10_a_bad_row_costs_itself_only_and_is_told_its_rule_and_field() {
    let world = World::new(&[]).await;
    let good = json!({"recipient": "kisi1@example.com", "type": "EPOSTA", "status": "RET", "consentDate": OLD});
    let bad = |change: Value| {
        let mut row = good.clone();
        row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        row
    };
    let cases = [
        (bad(json!({"recipient": ""})), "H114", "recipient"),
        (bad(json!({"type": "FAKS"})), "H117", "type"),
        (bad(json!({"status": "BELKI"})), "H115", "status"),
        (bad(json!({"consentDate": ""})), "H112", "consentDate"),
        (bad(json!({"consentDate": "01.03.2022"})), "H158", "consentDate"),
        (bad(json!({"consentDate": "2027-03-01 00:00:00"})), "H162", "consentDate"),
        (bad(json!({"source": "HS_TACIR"})), "H119", "source"),
        (bad(json!({"retailerCode": "12"})), "H180", "retailerCode"),
        (bad(json!({"externalId": "x".repeat(129)})), "externalId", "externalId"),
        (bad(json!({"adres": "kisi@example.com"})), "H118", ""),
    ];
    let mut rows: Vec<_> = cases.iter().map(|(row, ..)| row.clone()).collect();
    rows.insert(4, good.clone());
    let answer = world.import(rows).await;
    assert_eq!((answer.counts.accepted, answer.counts.rejected.values().sum::<u64>()), (1, cases.len() as u64));
    let places = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10];
    for ((refused, place), (_, code, field)) in answer.refused.iter().zip(places).zip(&cases) {
        assert_eq!((refused.row, refused.code.as_str(), refused.field.as_str(), refused.kept), (place, *code, *field, false));
        assert!(!refused.rule.en.is_empty() && !refused.rule.tr.is_empty() && refused.rule.en != refused.rule.tr, "{refused:?}");
    }
}

#[tokio::test]
async fn invariant_8_a_channel_without_authority_is_not_asked_and_its_rows_are_held() {
    let people = people();
    let mut world = World::new(&people).await;
    world.with_channels(&["MESAJ", "EPOSTA"]);
    let answer = world.import(rows(&people)).await;
    let of_calls: Vec<_> = people.iter().filter(|person| person.channel == Channel::Arama).collect();
    assert_eq!(answer.counts.held, of_calls.len() as u64);
    for person in &of_calls {
        let state = world.state(person).await;
        assert_eq!(word(&state.registry), "held", "{}", person.what);
    }
    assert_eq!(world.requests().await, BTreeMap::from([("{type}".to_owned(), 2)]));
    let (keys, _) = world.messages().await;
    assert!(keys.iter().all(|key| key.channel != Channel::Arama));

    // With authority they end as the others do: by what İYS says of each.
    world.with_channels(&["ARAMA", "MESAJ", "EPOSTA"]);
    world.push(&of_calls.iter().map(|person| world.key(person)).collect::<Vec<_>>()).await;
    for person in &of_calls {
        let word = word(&world.state(person).await.registry);
        let is_sent = person.end.0 == "pending";
        assert!(!matches!(word.as_str(), "pending" | "held"), "{}: {word}", person.what);
        assert!(!is_sent || word == end_of_sending(person), "{}: {word}", person.what);
        assert!(!person.end.0.starts_with('H') || word == person.end.0, "{}: {word}", person.what);
    }
}

#[tokio::test]
async fn rows_that_iys_does_not_answer_about_are_named_and_nothing_of_them_is_written() {
    let people = people();
    let mut world = World::new(&people).await;
    let good = world.client.clone();
    let nowhere: Url = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap()
    };
    world.client = client(&nowhere, &world.ledger, &world.clock);
    let answer = world.import(rows(&people)).await;
    assert_eq!(answer.unfinished.rows, (0..rows(&people).len()).collect::<Vec<_>>());
    assert!(answer.unfinished.seconds > 0 && answer.counts == ImportCounts::default(), "{answer:?}");
    for person in &people {
        assert!(world.ledger.state(&world.key(person)).await.unwrap().is_none(), "{}", person.what);
    }
    world.client = good;
    world.clock.advance(SignedDuration::from_secs(answer.unfinished.seconds as i64));
    assert_eq!(world.import_to_its_end(rows(&people)).await, people.len() as u64);
}

#[tokio::test]
async fn invariant_1_a_book_survives_a_break_at_every_point() {
    let people: Vec<_> = people().into_iter().step_by(5).collect();
    // The token is there already: what becomes of that is tried elsewhere.
    let first = person(999, KINDS[7]);
    let world = World::new(&people).await;
    world.import(first.rows.clone()).await;
    world.fuse.set(None);
    world.import(rows(&people)).await;
    let (expected, effects) = (world.states(&people).await, world.fuse.trace().len());
    assert!(effects > people.len() * 2);
    for how in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in (0..effects).step_by(5) {
            let other = World::at(world.clock.clone(), world.iys.clone()).await;
            other.import(first.rows.clone()).await;
            other.fuse.set(Some((how, at)));
            other.fuse.alive(other.import(rows(&people))).await;
            other.fuse.pause();
            other.import_to_its_end(rows(&people)).await;
            assert_eq!(other.states(&people).await, expected, "{how:?} at {at}");
        }
    }
}

#[test]
fn the_kinds_are_dated_as_they_say() {
    let today = ConsentDate::at(START.parse().unwrap());
    let is_late = |date: &str| shared::calendar::is_too_late(date.parse::<ConsentDate>().unwrap().civil(), today.civil());
    assert!(is_late(OLD) && is_late(OLDER) && !is_late(RECENT));
}
