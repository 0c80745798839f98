//! Many function processes at once, and İYS's limits as strict as its documentation names them.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp, tz};
use serde_json::{Value, json};
use tests::{Crowd, Setup, Vendor, World, until, until_within};

/// People whose consent goes to İYS by itself, few in a message.
const SINGLES: u32 = 120;
const SINGLES_A_REQUEST: usize = 5;
/// People whose refusals gather into bulk submissions.
const BULK: u32 = 500;
const BULK_A_REQUEST: usize = 50;
/// People who refused at İYS after they had consented in the shop: each one costs a single status query.
const OVERTAKEN: u32 = 12;

/// Workers that carry states to İYS at the same time, and messages that one of them takes at once.
const WORKERS: usize = 10;
const MESSAGES: usize = 2;

/// Single status queries an hour: what İYS allows here, and what we allow ourselves.
const STATUS_QUERIES_AT_IYS: usize = 8;
const STATUS_QUERIES: u64 = 6;

/// Calls a second that we allow ourselves. Well below İYS's ten, so that a machine that stands still
/// for a moment and then sends at once what had waited does not break the test.
const CALLS_PER_SECOND: u32 = 4;

/// Life of an access token: it is renewed while work goes on, and nobody goes on with the old one.
const TOKEN_SECONDS: u64 = 60;

/// Longer than all of it takes; the tokens' renewals stay within the hour's for as long.
const LONGEST: Duration = Duration::from_secs(150);

/// The project's template with more and hungrier workers than it has.
fn template() -> String {
    let text = local::template::TEMPLATE;
    let replaced = [
        ("MaximumConcurrency: 2".to_owned(), format!("MaximumConcurrency: {WORKERS}")),
        ("BatchSize: 1000".to_owned(), format!("BatchSize: {MESSAGES}")),
    ];
    replaced.iter().fold(text.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    })
}

async fn world() -> World {
    let mut setup = Setup::new(env!("CARGO_BIN_EXE_stack"));
    setup.simulators.iys.access_token_seconds = TOKEN_SECONDS;
    setup.simulators.iys.status_limit_per_hour = STATUS_QUERIES_AT_IYS;
    setup.parameters = [("IysCallsPerSecond", u64::from(CALLS_PER_SECOND)), ("IysSingleStatusPerHour", STATUS_QUERIES)]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into();
    let most_processes = u32::try_from(WORKERS).unwrap();
    // What a worker could not get a turn for comes again when others have had theirs. Jobs run when
    // the test says so, and nothing is pushed: who was overtaken is not known before a pull.
    let setup =
        Setup { template: Some(template()), most_processes, visibility_timeout: 8, schedule_speed: 0.0, push_notices: false, ..setup };
    World::start(setup).await
}

fn turkish_time(moment: Timestamp) -> String {
    moment.to_zoned(tz::TimeZone::fixed(tz::offset(3))).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Runs a job several times at once, again until one of the runs has nothing to complain of: a run
/// that got no turn among so many callers fails, and the next one makes up for it.
async fn jobs(world: &World, job: &str) {
    until_within(LONGEST, job, async || {
        let runs = join_all((0..4).map(|_| world.try_job(job))).await;
        let failed = runs.iter().find_map(|run| run.as_ref().err().cloned());
        if runs.iter().any(Result::is_ok) { Ok(()) } else { Err(failed.unwrap_or_default()) }
    })
    .await;
}

/// Waits until no work is left, while several sweeps at a time look for what nobody finished.
async fn until_done(world: &World) {
    let mut finished = std::pin::pin!(world.until_nothing_waits(LONGEST));
    loop {
        tokio::select! {
            () = &mut finished => return,
            () = async {
                jobs(world, "sweep").await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            } => {}
        }
    }
}

/// The path of token requests.
const TOKENS: &str = "/oauth2/token";

/// How many calls had a path that ends so.
fn calls(stats: &Value, end: &str) -> u64 {
    let calls = stats["calls"].as_array().into_iter().flatten();
    calls.filter(|calls| calls["path"].as_str().is_some_and(|path| path.ends_with(end))).filter_map(|calls| calls["count"].as_u64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_ten_workers_and_four_jobs_at_once_never_pass_a_limit_and_finish_everything() {
    let world = world().await;
    let crowd = Crowd::new(90);
    let (consenting, refusing, overtaken): (Vec<_>, Vec<_>, Vec<_>) = (
        (0..SINGLES).map(|person| crowd.email(person)).collect(),
        (0..BULK).map(|person| crowd.phone(person)).collect(),
        (1000..1000 + OVERTAKEN).map(|person| crowd.email(person)).collect(),
    );
    let seeds: Vec<_> = refusing.iter().map(|phone| (phone.as_str(), "MESAJ", "ONAY")).collect();
    world.seed(&seeds).await;
    let before = turkish_time(Timestamp::now() - SignedDuration::from_mins(10));
    for address in &overtaken {
        world.citizen(address, "BIREYSEL", "EPOSTA", "RET").await;
    }

    let old: Vec<_> =
        overtaken.iter().map(|email| json!({ "recipient": email, "type": "EPOSTA", "status": "ONAY", "consentDate": before })).collect();
    let onays: Vec<_> = consenting.iter().map(|email| json!({ "recipient": email, "type": "EPOSTA", "status": "ONAY" })).collect();
    let rets: Vec<_> = refusing.iter().map(|phone| json!({ "recipient": phone, "type": "MESAJ", "status": "RET" })).collect();
    let requests = old.chunks(SINGLES_A_REQUEST).chain(onays.chunks(SINGLES_A_REQUEST)).chain(rets.chunks(BULK_A_REQUEST));
    join_all(requests.map(|consents| world.add_patiently(consents))).await;

    until("many workers call İYS at once", async || {
        let workers = world.processes().iter().filter(|(name, _)| name == "iys-push").count();
        if workers >= 8 { Ok(()) } else { Err(format!("{workers}")) }
    })
    .await;
    until("the hour's single status queries are used up", async || {
        let used = world.status("demo").await["budget"]["singleStatus"].clone();
        if used == json!({ "used": STATUS_QUERIES, "limit": STATUS_QUERIES }) { Ok(()) } else { Err(used.to_string()) }
    })
    .await;
    // Those who are left would wait for an hour; the pull knows of them without asking one by one.
    jobs(&world, "pull").await;
    until_done(&world).await;
    // Two brands have a token each; one of them was renewed while all of them worked, or is now.
    until("a token is renewed", async || {
        jobs(&world, "pull").await;
        match calls(&world.stats(Vendor::Iys).await, TOKENS) {
            3.. => Ok(()),
            given => Err(format!("{given} tokens")),
        }
    })
    .await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "allowance.log");

    let stats = world.stats(Vendor::Iys).await;
    let refused = stats["violations"].as_object().unwrap().keys().filter(|kind| kind.starts_with("rate_limited")).count();
    assert_eq!(refused, 0, "{stats}");
    assert!(stats["peak_per_second"].as_u64().unwrap() <= 10, "{stats}");
    assert!((1..=STATUS_QUERIES).contains(&calls(&stats, "/consents/status")), "{stats}");
    assert!((3..=9).contains(&calls(&stats, TOKENS)), "{stats}");
    // Both ways of sending were used: one by one, and in bulk with several workers' submissions.
    assert!(calls(&stats, "/consents") > 20 && calls(&stats, "/consents/request") > 1, "{stats}");

    // What failed is known to the last one; of good answers each process may have gathered some.
    let budget = world.status("demo").await["budget"].clone();
    assert_eq!(budget["quality"]["failed"], stats["quality"]["failed"], "{budget} {stats}");
    let (known, made) = (budget["quality"]["requests"].as_u64().unwrap(), stats["quality"]["total"].as_u64().unwrap());
    assert!(known <= made && known + 9 * world.processes().len() as u64 >= made, "{budget} {stats}");
    assert_eq!(budget["quality"]["callsPerSecond"], CALLS_PER_SECOND);
    assert_eq!(budget["tokenRequests"]["used"], calls(&stats, TOKENS), "{budget} {stats}");

    let mut records = world.summary(Vendor::Iys).await["records"].as_array().cloned().unwrap();
    records.sort_by_key(Value::to_string);
    let held =
        |channel: &str, status: &str, count: u32| json!({ "type": channel, "recipientType": "BIREYSEL", "status": status, "count": count });
    assert_eq!(records.len(), 3);
    for expected in [held("EPOSTA", "ONAY", SINGLES), held("EPOSTA", "RET", OVERTAKEN), held("MESAJ", "RET", BULK)] {
        assert!(records.contains(&expected), "{expected} {records:?}");
    }
    for address in &overtaken {
        assert_eq!(world.check("demo", "EPOSTA", "BIREYSEL", address).await, "refused");
    }
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
