//! The daily file: against the simulated İYS, which writes the files from its own book, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use serde_json::{Value, json};
use shared::consent::check::Check;
use shared::consent::{Answer, ConsentDate, Origin, Outcome, Status, Sync, Target};
use shared::day_files::{DayFiles, DayInfo, DayRow, DayRows, SideCount};
use shared::iys::{Client, IysDayFiles, IysRegistry, Settings};
use shared::ledger::{DayDifference, DayFile, DayFileState};
use shared::registry::{Record, Registry, RegistryError, Verdict};
use shared::sync::daily_file::{ACTS_IN_MEMORY, DailyFile, Kind, Ran};
use shared::sync::push::Push;
use shared::sync::verify::Verify;
use url::Url;

use crate::fuse::Break;
use crate::world::{BIREYSEL, EPOSTA, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const BRAND: u64 = 700_001;

/// The simulated İYS under a world's clock.
struct Iys {
    url: Url,
    http: reqwest::Client,
    client: Client,
}

impl Iys {
    async fn start(world: &World) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let config = sandbox::iys::Config { clock: world.clock.clock(), calls_per_second: usize::MAX, ..sandbox::iys::Config::default() };
        tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
        let mut settings = Settings::new(url.clone());
        settings.timeout = Duration::from_secs(60);
        settings.limits.calls_per_second = 1000;
        settings.limits.quality_minimum_requests = u32::MAX;
        let client = Client::new(settings, world.ledger.clone(), world.clock.clock(), "worker");
        Self { url, http: reqwest::Client::new(), client }
    }

    fn files(&self, world: &World) -> IysDayFiles {
        IysDayFiles::new(self.client.clone(), Arc::new(world.brand.clone()))
    }

    fn registry(&self, world: &World) -> IysRegistry {
        IysRegistry::new(self.client.clone(), Arc::new(world.brand.clone()))
    }

    async fn order(&self, path: &str, body: Value) {
        let answer = self.http.post(self.url.join("_sandbox/").unwrap().join(path).unwrap()).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }

    async fn ask(&self, path: &str) -> Value {
        self.http.get(self.url.join("_sandbox/").unwrap().join(path).unwrap()).send().await.unwrap().json().await.unwrap()
    }

    /// What İYS was asked for, but for tokens.
    async fn calls(&self) -> u64 {
        let stats = self.ask("stats").await;
        let calls = stats["calls"].as_array().unwrap().iter().filter(|call| call["path"] != "/oauth2/token");
        calls.map(|call| call["count"].as_u64().unwrap()).sum()
    }

    async fn confirmed(&self) -> Vec<String> {
        let all = self.ask("agreements").await;
        all.as_array().unwrap().iter().map(|row| row["reportDate"].as_str().unwrap().to_owned()).collect()
    }

    /// A movement that İYS records now, whoever told it, and that no rule is asked of.
    async fn records(&self, world: &World, recipient: &str, status: Status, source: &str, at: ConsentDate) {
        let now = world.ago(0).to_string();
        self.order(
            "consents",
            json!([{ "brandCode": BRAND, "recipient": recipient, "type": "EPOSTA", "status": status, "source": source,
                     "consentDate": at.to_string(), "creationDate": now }]),
        )
        .await;
    }
}

/// The job, by hand.
fn job<'a>(world: &'a World, clock: &'a shared::clock::Clock, files: &'a dyn DayFiles) -> DailyFile<'a> {
    DailyFile {
        ledger: &world.ledger,
        intake: &world.intake,
        brand: &world.brand,
        files,
        clock,
        acts_in_memory: ACTS_IN_MEMORY,
        stop_at: world.clock.now() + SignedDuration::from_mins(3),
        by_hand: false,
    }
}

async fn run(world: &World, iys: &Iys) -> Ran {
    let clock = world.clock.clock();
    job(world, &clock, &iys.files(world)).run(None).await.unwrap().expect("nobody else compares")
}

/// Lets İYS take what is to be pushed, by the single method.
async fn push(world: &World, iys: &Iys, numbers: impl IntoIterator<Item = usize>) {
    let registry = iys.registry(world);
    let report = Push { registry: &registry, ..world.push() }.run(&world.keys(numbers)).await;
    assert!(report.failed.is_empty());
}

fn today(world: &World) -> Date {
    world.ago(0).civil().date()
}

/// Seven in the morning of the next day, in Türkiye.
fn next_morning(world: &World) {
    let morning = ConsentDate::from_civil(today(world).tomorrow().unwrap().at(7, 0, 0, 0)).instant();
    world.clock.advance(morning.duration_since(world.clock.now()));
}

async fn of_day(world: &World, day: Date) -> DayFile {
    let days = world.ledger.day_files(&world.brand.name).await.unwrap();
    days.into_iter().find(|(known, _)| *known == day).map(|(_, file)| file).unwrap_or_default()
}

fn differences(of: impl IntoIterator<Item = (Kind, u64, u64)>) -> BTreeMap<String, DayDifference> {
    of.into_iter().map(|(kind, found, left)| (kind.as_str().to_owned(), DayDifference { found, left })).collect()
}

/// What counts here as applied on this day, under an id that İYS need not know.
async fn claims(world: &World, number: usize, status: Status, transaction_id: &str) {
    world.says(number, status, 60).await;
    let state = world.state(number).await;
    let answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: Some(transaction_id.to_owned()) };
    let now = world.clock.now();
    world.ledger.answered(&state.key, Target::Registry, &state.head.sent(), answer, now, now).await.unwrap();
}

#[tokio::test]
async fn a_day_that_both_know_is_equal_and_is_confirmed_only_where_the_brand_wants_that() {
    let mut world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    // Ours, and nobody pulls it; a person's, and it is pulled.
    world.all_say(0..5, ONAY, 60).await;
    push(&world, &iys, 0..5).await;
    world.clock.advance(HOUR);
    world.says(0, RET, 30).await;
    push(&world, &iys, [0]).await;
    iys.order("citizen", json!({ "brandCode": BRAND, "recipient": email(9).expose(), "type": "EPOSTA", "status": "RET" })).await;
    let person = world.movement(world.key(9), email(9), RET, world.ago(0), Origin::Registry);
    let told = iys.ask(&format!("consents?recipient={}", email(9).expose())).await;
    let transaction_id = told["movements"][0]["transactionId"].as_str().unwrap().to_owned();
    let pulled = shared::sync::push::registry_head(
        shared::registry::Holding {
            status: RET,
            source: "IYS_WEB".parse().unwrap(),
            consent_date: Some(world.ago(0)),
            creation_date: None,
            transaction_id: Some(transaction_id),
            misspelt: false,
        },
        world.clock.now(),
    );
    world.take(vec![shared::consent::Movement { head: pulled, ..person }]).await;

    assert_eq!(run(&world, &iys).await.compared, 7, "seven days without any movement");
    next_morning(&world);
    let calls = iys.calls().await;
    let ran = run(&world, &iys).await;
    assert_eq!((ran.compared, ran.confirmed, ran.waiting), (1, 0, 0));
    let file = of_day(&world, day).await;
    assert_eq!((file.state, file.rows, file.why.as_deref(), file.left()), (DayFileState::Equal, 7, None, 0));
    assert!(file.differences.is_empty() && file.progress.is_none() && file.hash.is_some_and(|hash| hash.len() == 96));
    assert_eq!(iys.calls().await - calls, 4, "hash, two summaries, one file");
    let calls = iys.calls().await;
    assert_eq!(run(&world, &iys).await.compared, 0);
    assert_eq!((iys.calls().await, iys.confirmed().await.len()), (calls, 0), "what is done costs no call");

    world.brand.iys.confirm_days = true;
    let ran = run(&world, &iys).await;
    assert_eq!((ran.confirmed, iys.confirmed().await), (1, vec![day.to_string()]));
    assert_eq!(iys.calls().await - calls, 2, "the file is the same: it is confirmed without being read again");
    let calls = iys.calls().await;
    run(&world, &iys).await;
    let clock = world.clock.clock();
    let files = iys.files(&world);
    let by_hand = DailyFile { by_hand: true, ..job(&world, &clock, &files) };
    by_hand.run(Some(day)).await.unwrap().unwrap();
    assert_eq!(iys.calls().await, calls, "a confirmed day is done, whoever asks");
    assert_eq!(of_day(&world, day).await.state, DayFileState::Confirmed);
}

/// One key of each kind of difference, from a number on; the transaction of one of them differs.
async fn differing(world: &World, iys: &Iys, first: usize) {
    let at = world.ago(50);
    // İYS has it, and nobody told of it here.
    iys.records(world, email(first).expose(), RET, "IYS_WEB", at).await;
    iys.records(world, email(first + 1).expose(), ONAY, "HS_FIZIKSEL_ORTAM", at).await;
    // Here under another id than there.
    claims(world, first + 2, ONAY, "another").await;
    iys.records(world, email(first + 2).expose(), ONAY, "HS_WEB", world.ago(60)).await;
    // Here it counts as applied, and İYS has nothing of it.
    claims(world, first + 3, ONAY, "nothing").await;
    // İYS itself told of it, and its file does not have it: it holds something else.
    iys.records(world, email(first + 4).expose(), ONAY, "IYS_WEB", world.ago(90)).await;
    let date = world.ago(90);
    let told = world.movement(world.key(first + 4), email(first + 4), ONAY, date, Origin::Registry);
    let told = shared::consent::Movement {
        head: shared::consent::Head { event_id: shared::consent::EventId::derive("iys", ["x"]), ..told.head },
        ..told
    };
    let gone = shared::consent::Head { status: RET, consent_date: world.ago(40), ..told.head.clone() };
    let gone = shared::consent::Head { event_id: shared::consent::EventId::derive("iys", ["y"]), ..gone };
    world.take(vec![told.clone(), shared::consent::Movement { head: gone, ..told }]).await;
    // Nobody can read it.
    iys.records(world, &format!("nobody{first}"), RET, "HS_WEB", at).await;
}

const DIFFERING: usize = 5;

fn found() -> BTreeMap<String, DayDifference> {
    differences([(Kind::Unknown, 2, 0), (Kind::Otherwise, 1, 0), (Kind::Absent, 1, 1), (Kind::Unlisted, 1, 1), (Kind::Unreadable, 1, 1)])
}

#[tokio::test]
async fn every_kind_of_difference_is_found_counted_and_repaired_by_rule() {
    let mut world = World::new().await;
    world.brand.iys.confirm_days = true;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    differing(&world, &iys, 0).await;
    next_morning(&world);
    let ran = run(&world, &iys).await;
    assert_eq!((ran.compared, ran.confirmed, ran.failed), (7, 0, 0));
    let file = of_day(&world, day).await;
    // The act that the registry told of under an id of its own is the same act; only its refusal is in no file.
    assert_eq!((file.state, file.rows, &file.differences), (DayFileState::Differs, 4, &found()));
    // What only the file told is İYS's movement, and Insider is to hear of it.
    for (number, status) in [(0, RET), (1, ONAY)] {
        let state = world.state(number).await;
        assert_eq!((state.head.status, state.head.origin, state.insider.is_open()), (status, Origin::Registry, true));
        assert!(matches!(state.registry, Sync::Settled { .. }));
    }
    for number in [3, 4] {
        assert!(matches!(world.state(number).await.check, Check::Differs(_)), "{number} is looked at again");
    }
    let calls = iys.calls().await;
    assert_eq!(run(&world, &iys).await.compared, 0, "verification gets its time");
    assert_eq!(iys.calls().await, calls);

    let registry = iys.registry(&world);
    let verified = Verify { registry: &registry, ..world.verify() }.run().await.unwrap().unwrap();
    assert_eq!(verified.counts.fetches, 2);
    // A consent that İYS does not have is sent again; a refusal of İYS's own that it does not show counts.
    assert_eq!((world.at_registry(3).await.as_str(), world.state(4).await.head.status), ("pending", RET));
    push(&world, &iys, [3]).await;
    assert_eq!(world.at_registry(3).await, "applied");

    world.clock.advance(SignedDuration::from_hours(5));
    let ran = run(&world, &iys).await;
    assert_eq!((ran.compared, ran.confirmed, ran.unrepaired), (1, 0, 0));
    let file = of_day(&world, day).await;
    let mut expected = found();
    expected.get_mut("absent").unwrap().left = 0;
    assert_eq!((file.state, &file.differences, file.comparisons), (DayFileState::Differs, &expected, 2), "it claims another day now");
    world.clock.advance(SignedDuration::from_hours(9));
    assert_eq!(run(&world, &iys).await.unrepaired, 2, "what nobody could repair is somebody's to look at");
    assert_eq!(iys.confirmed().await, Vec::<String>::new(), "a day that differs is never confirmed");
    // The day on which it was sent again has it in its file.
    next_morning(&world);
    run(&world, &iys).await;
    assert_eq!(of_day(&world, day.tomorrow().unwrap()).await.state, DayFileState::Confirmed);
}

#[tokio::test]
async fn a_day_that_was_repaired_is_compared_again_and_then_confirmed() {
    let mut world = World::new().await;
    world.brand.iys.confirm_days = true;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    iys.records(&world, email(0).expose(), RET, "IYS_WEB", world.ago(50)).await;
    next_morning(&world);
    run(&world, &iys).await;
    assert_eq!((of_day(&world, day).await.state, iys.confirmed().await.len()), (DayFileState::Differs, 0));
    world.clock.advance(HOUR * 4);
    let ran = run(&world, &iys).await;
    assert_eq!((ran.compared, ran.confirmed), (1, 1));
    let file = of_day(&world, day).await;
    assert_eq!((file.state, file.differences), (DayFileState::Confirmed, differences([(Kind::Unknown, 1, 0)])));
}

#[tokio::test]
async fn a_hash_or_a_count_that_does_not_agree_confirms_nothing_and_repairs_what_can_be_read() {
    let mut world = World::new().await;
    world.brand.iys.confirm_days = true;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    iys.records(&world, email(0).expose(), RET, "IYS_WEB", world.ago(50)).await;
    claims(&world, 1, ONAY, "nothing").await;
    next_morning(&world);
    let wrong = json!({ "processStatus": "completed", "hashValue": "ab".repeat(48), "hashMethod": "SHA-384", "agreementStatus": false });
    let path = format!("/sps/{BRAND}/brands/{BRAND}/agreements/{day}$");
    iys.order("faults", json!({ "path": path, "kind": "status", "status": 200, "body": wrong })).await;
    run(&world, &iys).await;
    let file = of_day(&world, day).await;
    let expected = differences([(Kind::Unknown, 1, 0), (Kind::Hash, 1, 1)]);
    assert_eq!((file.state, file.differences), (DayFileState::Differs, expected), "what such a file lacks says nothing");
    assert_eq!(world.state(0).await.head.status, RET);

    let stats = json!({ "changeStats": [{ "type": "EPOSTA", "consents": [{ "source": "IYS", "approval": 9, "rejection": 0, "pending": 0, "total": 9 }] }] });
    let path = format!("/sps/{BRAND}/brands/{BRAND}/changes/{day}/recipients/BIREYSEL$");
    iys.order("faults", json!({ "path": path, "kind": "status", "status": 200, "body": stats })).await;
    world.clock.advance(HOUR * 4);
    run(&world, &iys).await;
    let expected = differences([(Kind::Unknown, 1, 0), (Kind::Hash, 1, 0), (Kind::Summary, 1, 1), (Kind::Absent, 1, 1)]);
    assert_eq!(of_day(&world, day).await.differences, expected);
    assert!(iys.confirmed().await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_asked_for_until_the_days_are_over_and_then_missed_in_plain_words() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    iys.records(&world, email(0).expose(), RET, "IYS_WEB", world.ago(50)).await;
    let states = ["queued", "inprogress", "error"];
    for (morning, word) in states.into_iter().cycle().take(7).enumerate() {
        iys.order("agreements", json!({ "brandCode": BRAND, "reportDate": day, "processStatus": word })).await;
        next_morning(&world);
        let ran = run(&world, &iys).await;
        let file = of_day(&world, day).await;
        assert_eq!((file.state, file.why.as_deref(), ran.missed, ran.failed), (DayFileState::Waiting, Some(word), 0, 0));
        assert_eq!(ran.at_risk, u64::from(morning >= 5), "{morning}");
        let calls = iys.calls().await;
        world.clock.advance(HOUR);
        run(&world, &iys).await;
        assert_eq!(iys.calls().await, calls, "an hour later it is left alone");
    }
    next_morning(&world);
    assert_eq!(run(&world, &iys).await.missed, 1);
    assert_eq!(of_day(&world, day).await.state, DayFileState::Missed);
    assert_eq!(run(&world, &iys).await.missed, 0, "it is said once");
    assert!(world.ledger.state(&world.key(0)).await.unwrap().is_none());
}

#[tokio::test]
async fn invariant_8_without_authority_nothing_is_called_and_missed_days_are_caught_up_once_it_is_granted() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    iys.records(&world, email(0).expose(), RET, "IYS_WEB", world.ago(50)).await;
    next_morning(&world);
    let refuse = json!({ "path": "/sps/", "kind": "status", "status": 403, "body": { "errors": [{ "code": "H353", "message": "x" }] } });
    iys.order("faults", refuse).await;
    let ran = run(&world, &iys).await;
    assert_eq!((ran.held, ran.waiting, ran.failed), (1, 6, 0), "it is refused once");
    let suspicion = world.ledger.standing(&world.brand.name).await.unwrap().suspicion;
    assert_eq!(suspicion.as_deref(), Some("H353"), "the account is looked at");
    // What the look finds.
    let deny = |standing: &mut shared::consent::standing::Standing| {
        let now = world.clock.now();
        let closed = shared::consent::standing::Reply::Closed { why: shared::consent::code::Hold::Authority, code: "H353".into() };
        let findings = shared::consent::standing::Findings { mutabakat: Some(closed), ..shared::consent::standing::Findings::begun(now) };
        standing.found(&findings, now);
        true
    };
    world.ledger.change_standing(&world.brand.name, deny).await.unwrap();
    let calls = iys.calls().await;
    for _ in 0..3 {
        next_morning(&world);
        let ran = run(&world, &iys).await;
        assert_eq!((ran.held, ran.compared), (7, 0));
    }
    assert_eq!(iys.calls().await, calls, "nothing is called");
    let file = of_day(&world, day).await;
    assert_eq!((file.state, file.why.as_deref()), (DayFileState::Held, Some("H353")));
    let grant = |standing: &mut shared::consent::standing::Standing| {
        let now = world.clock.now();
        let open = shared::consent::standing::Reply::Open;
        let findings = shared::consent::standing::Findings { mutabakat: Some(open), ..shared::consent::standing::Findings::begun(now) };
        standing.found(&findings, now);
        true
    };
    world.ledger.change_standing(&world.brand.name, grant).await.unwrap();
    let ran = run(&world, &iys).await;
    assert_eq!((ran.compared, ran.held), (7, 0), "all seven days at once");
    assert_eq!(of_day(&world, day).await.differences, differences([(Kind::Unknown, 1, 0)]));
}

/// Files between whose opening and reading something else happens.
struct Between<'a, F> {
    files: &'a dyn DayFiles,
    happened: AtomicBool,
    each_time: bool,
    act: F,
}

#[async_trait]
impl<'a, F: Fn() -> BoxFuture<'a, ()> + Send + std::marker::Sync> DayFiles for Between<'a, F> {
    fn days_back(&self) -> u8 {
        self.files.days_back()
    }

    async fn info(&self, day: Date) -> Result<Option<DayInfo>, RegistryError> {
        self.files.info(day).await
    }

    async fn counts(&self, day: Date) -> Result<Vec<SideCount>, RegistryError> {
        self.files.counts(day).await
    }

    async fn open(&self, day: Date) -> Result<Option<Box<dyn DayRows>>, RegistryError> {
        let file = self.files.open(day).await?;
        if !self.happened.swap(true, Ordering::SeqCst) || self.each_time {
            (self.act)().await;
        }
        Ok(file)
    }

    async fn confirm(&self, day: Date) -> Result<bool, RegistryError> {
        self.files.confirm(day).await
    }
}

#[tokio::test]
async fn two_runs_at_once_are_one_and_one_that_comes_in_between_all_the_same_counts_nothing_twice() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    differing(&world, &iys, 0).await;
    next_morning(&world);
    let clock = world.clock.clock();
    let files = iys.files(&world);
    let (one, two) = (job(&world, &clock, &files), job(&world, &clock, &files));
    let (one, two) = futures::join!(one.run(Some(day)), two.run(Some(day)));
    let ran: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(ran.iter().map(|ran| ran.compared).collect::<Vec<_>>(), [1], "a lease keeps the second away");
    assert_eq!(of_day(&world, day).await.differences, found());

    // A run that sleeps until its lease has ended, while another one does the work.
    let day = today(&world);
    differing(&world, &iys, 10).await;
    next_morning(&world);
    let other = || {
        async {
            world.clock.advance(HOUR);
            job(&world, &clock, &files).run(Some(day)).await.unwrap().unwrap();
        }
        .boxed()
    };
    let between = Between { files: &files, happened: AtomicBool::new(false), each_time: false, act: other };
    let ran = job(&world, &clock, &between).run(Some(day)).await.unwrap();
    assert!(ran.is_some_and(|ran| ran.compared == 0), "it sees that another worker has the day");
    let file = of_day(&world, day).await;
    assert_eq!((file.differences, file.comparisons), (found(), 1));
}

#[tokio::test]
async fn a_day_that_takes_many_runs_and_many_parts_comes_to_the_same() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    differing(&world, &iys, 0).await;
    for number in 10..30 {
        iys.records(&world, email(number).expose(), ONAY, "HS_WEB", world.ago(50)).await;
        claims(&world, 100 + number, ONAY, "nothing").await;
    }
    next_morning(&world);
    let clock = world.clock.clock();
    let files = iys.files(&world);
    // The time of each run is over once it has the file: it does one page and goes on in the next.
    let past = || async { world.clock.advance(SignedDuration::from_secs(2)) }.boxed();
    let short = Between { files: &files, happened: AtomicBool::new(false), each_time: true, act: past };
    let mut runs = 0;
    loop {
        // For most of the way one page a run, to the end in longer ones.
        let stop_at = world.clock.now() + SignedDuration::from_secs(if runs < 12 { 1 } else { 100 });
        let job = DailyFile { acts_in_memory: 8, stop_at, ..job(&world, &clock, &short) };
        runs += 1;
        let ran = job.run(Some(day)).await.unwrap().unwrap();
        if ran.compared > 0 {
            break;
        }
        assert!(of_day(&world, day).await.progress.is_some() && runs < 50, "it goes on where it stopped");
    }
    assert!(runs > 12, "{runs}");
    let mut expected = found();
    expected.get_mut("unknown").unwrap().found += 20;
    *expected.get_mut("absent").unwrap() = DayDifference { found: 21, left: 21 };
    assert_eq!(of_day(&world, day).await.differences, expected);
}

/// What must be the same at the end of a trial.
type End = (DayFileState, BTreeMap<String, DayDifference>, Vec<(Status, String, bool)>);

async fn end(world: &World, day: Date, first: usize) -> End {
    let mut keys = Vec::new();
    for number in first..first + DIFFERING {
        let state = world.state(number).await;
        keys.push((state.head.status, crate::world::word(&state.registry), matches!(state.check, Check::Differs(_))));
    }
    let file = of_day(world, day).await;
    (file.state, file.differences, keys)
}

/// One more day that differs, and the run in the morning after it, in which something breaks; then one more run.
async fn trial(world: &World, iys: &Iys, first: usize, what: Option<(Break, usize)>) -> (End, Vec<String>) {
    let day = today(world);
    differing(world, iys, first).await;
    world.lose_messages().await;
    next_morning(world);
    // The token is not part of the run.
    iys.files(world).info(day).await.unwrap();
    let clock = world.clock.clock();
    let files = iys.files(world);
    world.fuse.set(what);
    let ran = world.fuse.alive(job(world, &clock, &files).run(Some(day))).await;
    let trace = world.fuse.trace();
    world.fuse.pause();
    drop(ran);
    // What a run that died leaves of its lease ends by itself.
    world.clock.advance(SignedDuration::from_mins(6));
    if of_day(world, day).await.comparisons == 0 {
        job(world, &clock, &files).run(Some(day)).await.unwrap().unwrap();
    }
    (end(world, day, first).await, trace)
}

#[tokio::test]
async fn invariant_1_a_daily_file_survives_a_break_wherever_one_kind_of_effect_follows_another() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    // Days of receipt that have ended are noted by the first run.
    trial(&world, &iys, 0, None).await;
    let (expected, trace) = trial(&world, &iys, 10, None).await;
    assert_eq!(expected.1, found());
    // The first time that one kind follows another for a crash, the first of each kind else, and the end.
    let pair = |at: usize| (at.checked_sub(1).map(|before| trace[before].clone()), trace[at].clone());
    let is_first = |at: usize| (0..at).all(|other| pair(other) != pair(at));
    let is_first_of_kind = |at: usize| (0..at).all(|other| trace[other] != trace[at]);
    let mut first = 20;
    for what in [Break::Crash, Break::Failure, Break::LostAnswer] {
        for at in 0..trace.len() {
            let is_chosen = if what == Break::Crash { is_first(at) } else { is_first_of_kind(at) };
            if is_chosen || at + 3 >= trace.len() {
                let (end, _) = trial(&world, &iys, first, Some((what, at))).await;
                assert_eq!(end, expected, "{what:?} at {at} of {trace:?}");
                first += 10;
            }
        }
    }
    assert!(first > 100, "{trace:?}");
}

#[tokio::test]
async fn what_was_received_on_earlier_days_and_applied_on_this_one_is_looked_for_and_another_days_is_not() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    // Received on a Friday, taken on the Monday.
    world.all_say(0..3, ONAY, 60).await;
    next_morning(&world);
    next_morning(&world);
    next_morning(&world);
    let monday = today(&world);
    push(&world, &iys, [0, 1]).await;
    let state = world.state(2).await;
    let nothing = Answer::Settled { outcome: Outcome::Applied, transaction_id: Some("nothing".into()) };
    let now = world.clock.now();
    world.ledger.answered(&state.key, Target::Registry, &state.head.sent(), nothing, now, now).await.unwrap();
    next_morning(&world);
    let ran = run(&world, &iys).await;
    assert_eq!(ran.compared, 7);
    assert_eq!(of_day(&world, monday).await.differences, differences([(Kind::Absent, 1, 1)]));
    for back in 1..=3_i64 {
        let file = of_day(&world, monday.saturating_sub(back.days())).await;
        assert_eq!((file.state, file.why.as_deref()), (DayFileState::Equal, Some("no_movements")));
    }
    // Applied on the next day, as far as we know; İYS took it the day before, and its file of that day told.
    let tuesday = today(&world);
    world.says(5, ONAY, 60).await;
    let state = world.state(5).await;
    let record = Record {
        recipient: email(5),
        recipient_type: BIREYSEL,
        channel: EPOSTA,
        status: ONAY,
        source: state.head.source.clone(),
        consent_date: state.head.consent_date,
        retailers: state.head.retailers.clone(),
    };
    let Verdict::Recorded { transaction_id } = iys.registry(&world).add(&record).await.unwrap() else { panic!("it was taken") };
    next_morning(&world);
    let wednesday = today(&world);
    let now = world.clock.now();
    let late = Answer::Settled { outcome: Outcome::Applied, transaction_id };
    world.ledger.answered(&state.key, Target::Registry, &state.head.sent(), late, now, now).await.unwrap();
    run(&world, &iys).await;
    assert_eq!(of_day(&world, tuesday).await.state, DayFileState::Equal);
    next_morning(&world);
    run(&world, &iys).await;
    let file = of_day(&world, wednesday).await;
    assert_eq!((file.state, file.differences), (DayFileState::Equal, BTreeMap::new()));
    let known = world.ledger.ended_days(&world.brand.name).await.unwrap();
    assert_eq!(known.get(&monday.saturating_sub(3.days())), Some(&monday), "Friday's need not be read again");
    assert_eq!(known.get(&tuesday), Some(&wednesday));
}

#[tokio::test]
async fn no_address_stands_in_what_is_kept_of_a_day() {
    let world = World::new().await;
    let iys = Iys::start(&world).await;
    let day = today(&world);
    differing(&world, &iys, 0).await;
    next_morning(&world);
    run(&world, &iys).await;
    let item = world.item(&format!("B#{}", world.brand.name), &format!("DAYFILE#{day}")).await.unwrap();
    let text = format!("{item:?}");
    assert!(text.contains("differs") && !text.contains("kisi") && !text.contains('@') && !text.contains("nobody0"), "{text}");
    assert!(item.contains_key("expires_at"));
    let key = world.key_of(&email(0), EPOSTA, BIREYSEL);
    let history = world.ledger.history_of(&key).await.unwrap();
    assert_eq!(history.len(), 1, "a row is one movement, as if it had been pulled");
}

/// A registry whose file has so many rows, made as they are read; all are of one second, and of different people.
struct Many(u64);

struct ManyRows {
    at: u64,
    end: u64,
}

#[async_trait]
impl DayRows for ManyRows {
    async fn next(&mut self) -> Result<Option<DayRow>, RegistryError> {
        if self.at == self.end {
            return Ok(None);
        }
        self.at += 1;
        let number = self.at;
        let change = shared::registry::Change {
            recipient: email(usize::try_from(number).unwrap()),
            recipient_type: BIREYSEL,
            channel: EPOSTA,
            holding: shared::registry::Holding {
                status: ONAY,
                source: "IYS_WEB".parse().unwrap(),
                consent_date: Some("2026-11-19 12:00:00".parse().unwrap()),
                creation_date: None,
                transaction_id: Some(format!("{number:064x}")),
                misspelt: false,
            },
        };
        Ok(Some(DayRow { number, change: Ok(change), payload: shared::evidence::Payload::of(&number.to_be_bytes()) }))
    }

    async fn has_hash(self: Box<Self>, _: &str) -> Result<bool, RegistryError> {
        Ok(self.at == self.end)
    }
}

#[async_trait]
impl DayFiles for Many {
    fn days_back(&self) -> u8 {
        1
    }

    async fn info(&self, _: Date) -> Result<Option<DayInfo>, RegistryError> {
        Ok(Some(DayInfo { not_ready: None, hash: Some("ab".into()), is_confirmed: false }))
    }

    async fn counts(&self, _: Date) -> Result<Vec<SideCount>, RegistryError> {
        let feed = shared::registry::Feed::People;
        Ok(vec![SideCount { channel: EPOSTA, recipient_type: BIREYSEL, feed, total: Some(self.0), pending: 0 }])
    }

    async fn open(&self, _: Date) -> Result<Option<Box<dyn DayRows>>, RegistryError> {
        Ok(Some(Box::new(ManyRows { at: 0, end: self.0 })))
    }

    async fn confirm(&self, _: Date) -> Result<bool, RegistryError> {
        Ok(false)
    }
}

/// A line of the process's own account, in kilobytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Takes a day of so many rows in, and compares it once more; by how many kilobytes the process grew at most in
/// the second comparison, and how long both took.
async fn measured(rows: u64) -> (u64, Duration, Duration) {
    let world = World::new().await;
    let files = Many(rows);
    let clock = world.clock.clock();
    let whole = || DailyFile { stop_at: jiff::Timestamp::MAX, by_hand: true, ..job(&world, &clock, &files) };
    let day = today(&world).yesterday().unwrap();
    let began = std::time::Instant::now();
    whole().run(Some(day)).await.unwrap().unwrap();
    let first = began.elapsed();
    assert_eq!(of_day(&world, day).await.differences, differences([(Kind::Unknown, rows, 0)]));
    // Forgets the peak so far (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let began = std::time::Instant::now();
    whole().run(Some(day)).await.unwrap().unwrap();
    let grown = memory("VmHWM:").saturating_sub(before);
    assert_eq!(of_day(&world, day).await.state, DayFileState::Equal);
    (grown, first, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: DAY_ROWS=200000 for as many rows"]
#[expect(clippy::print_stdout, reason = "a measurement tells what it measured")]
async fn comparing_a_large_day_takes_no_more_memory_than_a_small_one() {
    let rows = std::env::var("DAY_ROWS").map_or(20_000, |rows| rows.parse().unwrap());
    for rows in [1_000, rows] {
        let (grown, first, second) = measured(rows).await;
        println!("{rows} rows: {grown} kB more; taken in in {first:?}, compared again in {second:?}");
        assert!(grown < 40_000, "{grown} kB");
    }
}
