//! A worker dies, or its ledger, queue or line to İYS breaks, at every point of its life in turn, and another
//! one with nothing in its memory goes on. Whatever happens, İYS is told everything exactly once.
//!
//! A point is a write to the ledger or a queue, or a request to İYS. To die after one is to die before the
//! next, so each is tried as the last thing that does not happen; the run that none of them disturbs is the
//! last one, and its worker dies before Lambda hears of its end.

use std::time::{Duration, Instant};

use aws_lambda_events::sqs::SqsEvent;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use sandbox::iys::{Config, V2Refused};
use serde_json::{Value, json};
use shared::consent::{
    Answer, Channel, ConsentDate, ConsentKey, Movement, Origin, Outcome, Recipient, RecipientType, Retailers, Status, Sync, Target,
};
use shared::ledger::DueWork;
use shared::ledger::item::WORK_SHARDS;

use crate::desk::{Desk, GRACE, RESULT_WAIT, START, document};
use crate::fuse::{Break, Fuse};
use crate::harness::{self, ManualClock};
use crate::simulator::{self, DEALERS, Simulator};
use crate::wire;

const BIREYSEL: RecipientType = RecipientType::Bireysel;
const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// How long a message is hidden from others that a worker has not finished (`infra/template.yaml`).
const VISIBILITY: SignedDuration = SignedDuration::from_secs(720);
/// No run takes more steps of the world around it than this.
const STEPS: usize = 60;

/// What becomes of the messages of a worker that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Messages {
    /// They come again.
    Again,
    /// They are gone, as are all others: the sweep has to find the work.
    Lost,
}

/// One key, and how it must end.
struct Case {
    recipient: Recipient,
    channel: Channel,
    key: ConsentKey,
    /// What İYS holds in the end, oldest first.
    rows: Vec<(Status, ConsentDate)>,
    /// How the ledger says it ended: one of these.
    words: &'static [&'static str],
}

/// Ours stands there.
const STANDS: &[&str] = &["applied", "already_there"];

struct World {
    clock: ManualClock,
    fuse: Fuse,
    iys: Simulator,
    /// Where workers find İYS.
    line: url::Url,
    timeout: Duration,
    desk: Desk,
    workers: usize,
    addresses: usize,
}

impl World {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::at(START);
        let fuse = Fuse::default();
        let iys = Simulator::start(&clock, change).await;
        let line = wire::line(iys.url.clone(), fuse.clone()).await;
        let timeout = simulator::PATIENCE;
        let reach = |ledger: &_| Simulator::reach(&line, timeout, ledger, &clock, "worker-0");
        let desk = Desk::with_fuse(clock.clone(), fuse.clone(), vec![document("demo", 700_001, false)], reach).await;
        Self { clock, fuse, iys, line, timeout, desk, workers: 0, addresses: 0 }
    }

    /// The function begins anew, with nothing in its memory.
    fn restart(&mut self) {
        self.workers += 1;
        let name = format!("worker-{}", self.workers);
        self.desk.restart(Simulator::reach(&self.line, self.timeout, &self.desk.ledger, &self.clock, &name));
    }

    fn date(&self, seconds_ago: i64) -> ConsentDate {
        ConsentDate::at(self.clock.now() - SignedDuration::from_secs(seconds_ago))
    }

    /// Somebody new, of whom nothing is known.
    fn somebody(&mut self, channel: Channel) -> (ConsentKey, Recipient) {
        self.addresses += 1;
        let address =
            if channel == Channel::Eposta { format!("kisi{}@example.com", self.addresses) } else { format!("+90599{:07}", self.addresses) };
        let recipient = Recipient::parse(&address, channel).unwrap();
        (self.desk.key(0, &recipient, channel, BIREYSEL), recipient)
    }

    /// İYS holds something from before.
    async fn seed(&self, recipient: &Recipient, channel: Channel, status: Status, date: ConsentDate) {
        let seed = json!([{"brandCode": 700_001, "recipient": recipient.expose(), "type": channel, "status": status,
                           "source": "IYS_WEB", "consentDate": date}]);
        self.iys.order(Method::POST, "consents", seed).await;
    }

    async fn take(&self, movements: Vec<Movement>) {
        assert!(self.desk.intake.take(movements, self.clock.now()).await.iter().all(Result::is_ok));
    }

    /// A consent.
    async fn consent(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        let rows = vec![(ONAY, movement.head.consent_date)];
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A refusal of a consent that only İYS has.
    async fn refusal(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let before = self.date(30 * 86_400);
        self.seed(&recipient, channel, ONAY, before).await;
        let movement = self.desk.movement(key.clone(), recipient.clone(), RET, 50, Origin::Insider);
        let rows = vec![(ONAY, before), (RET, movement.head.consent_date)];
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A refusal in the second of the consent that İYS told of: it goes with the next.
    async fn refusal_of_one_second(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let before = self.date(40);
        self.seed(&recipient, channel, ONAY, before).await;
        let told = self.desk.movement(key.clone(), recipient.clone(), ONAY, 40, Origin::Registry);
        let refused = self.desk.movement(key.clone(), recipient.clone(), RET, 40, Origin::Insider);
        let rows = vec![(ONAY, before), (RET, before.next_second())];
        self.take(vec![told, refused]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A consent that was overtaken at İYS.
    async fn overtaken(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let newer = self.date(5);
        self.seed(&recipient, channel, RET, newer).await;
        let movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows: vec![(RET, newer)], words: &["not_needed"] }
    }

    /// A consent of a dealer that İYS does not know.
    async fn of_a_stranger(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let mut movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        movement.head.retailers = Retailers { code: Some(DEALERS[0] + 1), access: Vec::new() };
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows: Vec::new(), words: &["H180"] }
    }

    /// The sweep brings back what was taken in: it may have been sent, so it goes in bulk.
    async fn bring_back(&self) {
        self.desk.lose_messages().await;
        self.clock.advance(GRACE);
        self.desk.sweep(0).await;
    }

    /// Hands over messages and lets time pass until nothing is open any more. At the first death the fuse
    /// lets everything happen again. Whether something went wrong.
    async fn live(&mut self, cases: &[Case], what: Break, at: usize, messages: Messages) -> bool {
        self.restart();
        self.fuse.set(Some((what, at)));
        let mut again: Option<SqsEvent> = None;
        let mut handled = Vec::new();
        for _ in 0..STEPS {
            let mut event = self.desk.batch().await;
            if event.records.is_empty() {
                if let Some(hidden) = again.take() {
                    self.clock.advance(VISIBILITY);
                    event = hidden;
                } else if let Some(next) = self.desk.later.next() {
                    self.clock.advance(next.duration_since(self.clock.now()).max(SignedDuration::ZERO));
                    continue;
                } else if self.is_open(cases).await {
                    self.clock.advance(GRACE);
                    self.desk.sweep(0).await;
                    continue;
                } else {
                    let struck = self.fuse.trace().len() > at;
                    self.fuse.pause();
                    if what == Break::Crash && !struck {
                        self.restart();
                        for event in handled {
                            assert!(self.desk.handle(event).await.records.is_empty());
                        }
                        assert!(!self.is_open(cases).await, "what was done is done");
                    }
                    return struck;
                }
            }
            handled.push(event.clone());
            let failed = match self.fuse.alive(self.desk.handle(event.clone())).await {
                Some(failed) => failed,
                None => {
                    self.fuse.pause();
                    self.restart();
                    if messages == Messages::Lost {
                        self.desk.lose_messages().await;
                        again = None;
                        continue;
                    }
                    event
                }
            };
            if !failed.records.is_empty() {
                again.get_or_insert_with(SqsEvent::default).records.extend(failed.records);
            }
        }
        panic!("the work never ends: {:?}", self.desk.ledger.backlog(&self.desk.brands[0].name, 10).await);
    }

    /// Whether anything of these, or of any submission, has still to be done at İYS.
    async fn is_open(&self, cases: &[Case]) -> bool {
        let keys: Vec<_> = cases.iter().map(|case| case.key.clone()).collect();
        let mut open = self.desk.ledger.states(&keys).await.unwrap().into_iter().any(|state| state.registry.is_open());
        for shard in 0..WORK_SHARDS {
            let work = self.desk.ledger.due_work(&self.desk.brands[0].name, shard, Timestamp::MAX, 1000).await.unwrap();
            open |= work.iter().any(|work| matches!(work, DueWork::Submission(_)));
        }
        open
    }

    /// What İYS holds of an address, oldest first.
    async fn rows(&self, case: &Case) -> Vec<(String, String)> {
        let address: String = url::form_urlencoded::byte_serialize(case.recipient.expose().as_bytes()).collect();
        let found = self.iys.ask(&format!("consents?recipient={address}")).await;
        let row = |row: &Value| {
            assert_eq!(row["type"], case.channel.as_str());
            (row["status"].as_str().unwrap().to_owned(), row["consentDate"].as_str().unwrap().to_owned())
        };
        found["movements"].as_array().unwrap().iter().map(row).collect()
    }

    async fn check(&self, cases: &[Case], how: &str) {
        for case in cases {
            let expected: Vec<_> = case.rows.iter().map(|(status, date)| (status.to_string(), date.to_string())).collect();
            assert_eq!(self.rows(case).await, expected, "{how}");
            let state = self.desk.ledger.state(&case.key).await.unwrap().unwrap();
            let word = match &state.registry {
                Sync::Settled { outcome, .. } => outcome.as_str(),
                Sync::Rejected { code, .. } => code,
                open => open.as_str(),
            };
            assert!(case.words.contains(&word), "{word}: {how}");
            if let Some((status, date)) = case.rows.last() {
                assert_eq!((state.head.status, state.head.consent_date), (*status, *date), "{how}");
                assert_eq!(state.known.map(|known| known.status), Some(*status), "{how}");
            }
            if state.insider.is_open() {
                // What Insider has to be told is another function's work.
                let told = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
                let (sent, now) = (state.head.sent(), self.clock.now());
                self.desk.ledger.answered(&case.key, Target::Insider, &sent, told, now, now).await.unwrap();
            }
        }
    }
}

/// Takes some people's movements in, and leaves their messages in the queue.
type Setup = for<'a> fn(&'a mut World) -> LocalBoxFuture<'a, Vec<Case>>;

/// Lets something go wrong at every point in turn.
async fn everywhere(world: &mut World, setup: Setup, ways: &[(Break, Messages)]) {
    for (what, messages) in ways {
        for at in 0.. {
            let cases = setup(world).await;
            let struck = world.live(&cases, *what, at, *messages).await;
            world.check(&cases, &format!("{what:?} at {at}, messages {messages:?}")).await;
            if !struck {
                assert!(at > 3, "there is more than this to a life");
                break;
            }
        }
    }
}

const ALL_WAYS: [(Break, Messages); 4] = [
    (Break::Crash, Messages::Again),
    (Break::Crash, Messages::Lost),
    (Break::Failure, Messages::Again),
    (Break::LostAnswer, Messages::Again),
];

const SINGLE: [Setup; 5] = [
    |world| one(world, 0).boxed_local(),
    |world| one(world, 1).boxed_local(),
    |world| one(world, 2).boxed_local(),
    |world| one(world, 3).boxed_local(),
    |world| one(world, 4).boxed_local(),
];

/// A single add, for which the worker has to sign in first.
async fn one(world: &mut World, situation: usize) -> Vec<Case> {
    world.clock.advance(SignedDuration::from_hours(5));
    vec![match situation {
        0 => world.consent(Channel::Eposta).await,
        1 => world.refusal(Channel::Mesaj).await,
        2 => world.refusal_of_one_second(Channel::Eposta).await,
        3 => world.overtaken(Channel::Arama).await,
        _ => world.of_a_stranger(Channel::Eposta).await,
    }]
}

/// A few of every kind, which go in bulk because they were brought back.
async fn few(world: &mut World) -> Vec<Case> {
    let cases = vec![
        world.consent(Channel::Eposta).await,
        world.refusal(Channel::Eposta).await,
        world.consent(Channel::Mesaj).await,
        world.of_a_stranger(Channel::Arama).await,
        world.overtaken(Channel::Eposta).await,
    ];
    world.bring_back().await;
    cases
}

/// As many as go in bulk at once.
async fn many(world: &mut World) -> Vec<Case> {
    let mut cases = vec![world.refusal(Channel::Eposta).await, world.of_a_stranger(Channel::Eposta).await];
    for _ in 0..20 {
        cases.push(world.consent(Channel::Eposta).await);
    }
    cases
}

fn second_version(_: &mut Config) {}

/// An account that lacks the second version, so that İYS does not recognise what is sent again.
fn first_version(config: &mut Config) {
    config.switches.v2_refused = V2Refused::NotFound;
}

/// One sign-in for all runs, so that they have the same points.
fn signed_in_for_ever(config: &mut Config) {
    config.access_token_seconds = 1_000_000_000;
}

#[tokio::test]
async fn invariant_1_single_adds_at_iys_survive_a_break_at_every_point() {
    let mut world = World::new(second_version).await;
    for setup in SINGLE {
        everywhere(&mut world, setup, &ALL_WAYS).await;
    }
}

#[tokio::test]
async fn invariant_1_single_adds_at_an_iys_that_recognises_nothing_survive_a_break_at_every_point() {
    let mut world = World::new(first_version).await;
    // What is sent twice; the others never are.
    for setup in SINGLE.into_iter().take(3) {
        everywhere(&mut world, setup, &ALL_WAYS).await;
    }
}

#[tokio::test]
async fn invariant_1_a_bulk_submission_at_iys_survives_a_break_at_every_point() {
    let mut world = World::new(signed_in_for_ever).await;
    everywhere(&mut world, |world| few(world).boxed_local(), &ALL_WAYS).await;
}

#[tokio::test]
async fn invariant_1_a_bulk_submission_at_an_iys_that_recognises_nothing_survives_a_break_at_every_point() {
    let change = |config: &mut Config| {
        signed_in_for_ever(config);
        first_version(config);
    };
    let mut world = World::new(change).await;
    everywhere(&mut world, |world| few(world).boxed_local(), &ALL_WAYS).await;
}

#[tokio::test]
async fn invariant_1_a_first_bulk_submission_survives_a_death_at_every_point() {
    let mut world = World::new(signed_in_for_ever).await;
    everywhere(&mut world, |world| many(world).boxed_local(), &[(Break::Crash, Messages::Again)]).await;
}

#[tokio::test]
async fn invariant_1_a_request_that_lands_without_an_answer_in_time_or_later_than_its_repetition_is_stored_once() {
    for version in [second_version, first_version] {
        for (path, setup) in
            [("consents$", (|world| one(world, 0).boxed_local()) as Setup), ("consents/request$", |world| few(world).boxed_local())]
        {
            for kind in ["timeout_after_apply", "latency"] {
                let mut world = World::new(version).await;
                world.timeout = Duration::from_millis(700);
                let cases = setup(&mut world).await;
                for root in ["/v2/sps", "/sps"] {
                    // Where there is no second version, nothing of it lands either way.
                    let path = format!("{root}/700001/brands/700001/{path}");
                    let fault = json!({"path": path, "kind": kind, "latency_ms": 2000});
                    world.iys.order(Method::POST, "faults", fault).await;
                }
                world.live(&cases, Break::Failure, usize::MAX, Messages::Again).await;
                assert_ne!(world.iys.ask("stats").await["faults"][kind], Value::Null, "it struck");
                // What is late lands now, if it did not before.
                let sent = world.fuse.trace().iter().filter(|effect| ["POST consents", "POST request"].contains(&effect.as_str())).count();
                let deadline = Instant::now() + harness::PATIENCE;
                loop {
                    let requests = world.iys.requests().await;
                    let landed = [simulator::Kind::Add, simulator::Kind::BulkAdd].iter().filter_map(|kind| requests.get(kind)).sum::<u64>();
                    if landed == sent as u64 {
                        break;
                    }
                    assert!(Instant::now() < deadline, "{landed} of {sent} requests have landed");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                world.clock.advance(RESULT_WAIT);
                world.check(&cases, &format!("{kind} of {path}")).await;
            }
        }
    }
}
