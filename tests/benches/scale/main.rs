//! What the function `reconcile` takes over ledgers of different sizes: time, and the most memory that its process
//! ever held; and how many requests İYS had for a comparison, beside the fewest that are possible.
//!
//! `cargo bench --workspace --locked --bench scale -- 10000 100000` (docs/benchmarks.md). What it prints is the table.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed benchmark")]

mod caught;
mod doors;
mod fill;
mod people;
mod system;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::consent::Status;
use tokio::process::Command;

use fill::{Stand, fill};
use people::{Held, Person};
use system::{OPEN, RESTING, Ran, System, peak};

/// What İYS takes at once (İYS documentation, `batchConsentStatus`).
const AT_ONCE: usize = 1000;
/// The sizes, where none are named.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// What is measured, where nothing is named.
const JOBS: [&str; 6] = ["evidence", "verify", "insider_export", "clock", "sweep", "import"];

/// A job's peaks by size.
type Peaks = BTreeMap<&'static str, Vec<u64>>;

fn main() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` starts benchmarks, too.
    if !arguments.iter().any(|argument| argument == "--bench") {
        say("a benchmark: cargo bench --workspace --locked --bench scale");
        return;
    }
    let named: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let is_asked = |what: &str| arguments.iter().any(|argument| argument == what);
    let jobs = JOBS.into_iter().filter(|job| is_asked(job)).collect::<Vec<_>>();
    let jobs = if jobs.is_empty() { JOBS.to_vec() } else { jobs };
    let sizes = if named.is_empty() { SIZES.to_vec() } else { named };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if is_asked("doors") {
        return runtime.block_on(doors::measure());
    }
    let mut peaks = Peaks::new();
    say("| job | keys | seconds | a second | peak, MB |\n|---|---|---|---|---|");
    for keys in &sizes {
        runtime.block_on(rest(*keys, &jobs, &mut peaks));
        runtime.block_on(wait(*keys, &jobs, &mut peaks));
        if jobs.contains(&"import") {
            runtime.block_on(import(*keys, &mut peaks));
        }
    }
    say(&format!("\npeak memory, of the largest to the smallest of {sizes:?}:"));
    for (job, peaks) in &peaks {
        if let (Some(first), Some(last)) = (peaks.first(), peaks.last()) {
            say(&format!("{job}: {:.2}", ratio(*last, *first)));
        }
    }
}

fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn say(line: &str) {
    println!("{line}");
}

fn note(peaks: &mut Peaks, job: &'static str, keys: usize, took: Duration, peak: u64) {
    let rate = ratio(keys as u64 * 1000, u64::try_from(took.as_millis()).unwrap().max(1));
    say(&format!("| {job} | {keys} | {:.1} | {rate:.0} | {:.1} |", took.as_secs_f64(), ratio(peak, 1024)));
    peaks.entry(job).or_default().push(peak);
}

/// Jobs over consents that are at rest.
async fn rest(keys: usize, jobs: &[&str], peaks: &mut Peaks) {
    let compares = jobs.iter().any(|job| ["verify", "insider_export"].contains(job));
    if !compares && !jobs.contains(&"evidence") {
        return;
    }
    let system = System::start().await;
    let now = Timestamp::now();
    let (path, table) = system.table();
    fill(&path, table, &system.brand(RESTING), keys, Stand::AtRest, now).await;
    if compares {
        hold(&system, keys, now).await;
    }
    let idle = system.job(&json!({ "job": "push_service" })).await;
    note(peaks, "nothing", keys, idle.took, idle.peak);
    if jobs.contains(&"evidence") {
        let closed = system.job(&json!({ "job": "evidence" })).await;
        assert!(closed.report["closed"].as_u64().unwrap() > 0, "{}", closed.report);
        note(peaks, "evidence: a day closed", keys, closed.took, closed.peak);
    }
    if jobs.contains(&"verify") {
        verify(&system, keys, peaks).await;
    }
    if jobs.contains(&"insider_export") {
        export(&system, keys, peaks).await;
    }
    system.end().await;
}

/// The comparison with İYS, all keys due.
async fn verify(system: &System, keys: usize, peaks: &mut Peaks) {
    let verify = json!({ "job": "verify", "brand": RESTING });
    let (verified, counts) = until_done(system, &verify, &["compared", "differing", "repaired"], "compared").await;
    note(peaks, "verify: all keys due", keys, verified.took, verified.peak);
    let people = || (0..keys).map(Person);
    let differing = people().filter(|person| person.at_iys() != Held::Same).count() as u64;
    let mut groups = BTreeMap::<_, usize>::new();
    people().for_each(|person| *groups.entry(person.place()).or_default() += 1);
    let fewest = groups.values().map(|keys| keys.div_ceil(AT_ONCE)).sum::<usize>() as u64;
    let status = system.status(RESTING).await;
    let asked = |what: &str| status["verification"][what].as_u64().unwrap();
    say(&format!(
        "\nİYS, {keys} keys: compared {}, differing {} of {differing}, repaired {}; questions {} of at least {fewest} ({:+.1} %), \
         single ones {} of at least {differing} ({:+.1} %)\n",
        counts["compared"],
        counts["differing"],
        counts["repaired"],
        asked("questions"),
        (ratio(asked("questions"), fewest) - 1.0) * 100.0,
        asked("fetches"),
        (ratio(asked("fetches"), differing) - 1.0) * 100.0,
    ));
    assert_eq!((counts["compared"], counts["differing"], counts["repaired"]), (keys as u64, differing, differing));
}

/// The comparison with an export of Insider's.
async fn export(system: &System, keys: usize, peaks: &mut Peaks) {
    let export = json!({ "job": "insider_export", "brand": RESTING });
    let (exported, counts) = until_done(system, &export, &["exports", "rows", "retold"], "rows").await;
    note(peaks, "insider_export: compared and repaired", keys, exported.took, exported.peak);
    let last = &system.status(RESTING).await["insiderExport"]["last"];
    let differing = (0..keys).map(Person).filter(|person| person.differs_at_insider()).count();
    say(&format!("\nInsider, {keys} keys: {differing} differ; {last}; retold {}, rows read {}\n", counts["retold"], counts["rows"]));
    assert_eq!(counts["retold"], differing as u64);
}

/// Fills İYS and Insider.
async fn hold(system: &System, keys: usize, now: Timestamp) {
    let brand_code = system.brand(RESTING).iys.brand_code;
    let people: Vec<_> = (0..keys).map(Person).collect();
    for some in people.chunks(AT_ONCE) {
        let records: Vec<_> = some.iter().filter_map(|person| person.record(brand_code, now)).collect();
        system.iys_holds(&records).await;
        system.insider_holds(&some.iter().map(|person| person.profile()).collect::<Vec<_>>()).await;
    }
}

/// Runs a job in one process until it finds nothing more; what it took and counted together.
async fn until_done<'a>(system: &System, payload: &Value, names: &[&'a str], ends: &str) -> (Ran, BTreeMap<&'a str, u64>) {
    let mut ran = system.job(payload).await;
    let mut counts = BTreeMap::<&str, u64>::new();
    loop {
        names.iter().for_each(|name| *counts.entry(name).or_default() += ran.report[*name].as_u64().unwrap());
        if ran.report[ends] == 0 {
            return (ran, counts);
        }
        let next = system.job_again(payload).await;
        ran = Ran { took: ran.took + next.took, ..next };
    }
}

/// The clock and the sweep over consents that nobody was told of yet.
async fn wait(keys: usize, jobs: &[&str], peaks: &mut Peaks) {
    let waits = |job: &str| jobs.contains(&job);
    if !waits("clock") && !waits("sweep") {
        return;
    }
    let system = System::start().await;
    let (path, table) = system.table();
    fill(&path, table, &system.brand(OPEN), keys, Stand::Open, Timestamp::now()).await;
    if waits("clock") {
        let clock = system.job(&json!({ "job": "clock" })).await;
        assert_eq!(clock.report["waiting"], keys, "{}", clock.report);
        note(peaks, "clock: all keys open", keys, clock.took, clock.peak);
    }
    if waits("sweep") {
        let swept = system.job(&json!({ "job": "sweep" })).await;
        note(peaks, "sweep: all keys overdue", keys, swept.took, swept.peak);
    }
    system.end().await;
}

/// The operator's import of a book.
async fn import(keys: usize, peaks: &mut Peaks) {
    let system = System::start().await;
    let now = Timestamp::now();
    hold(&system, keys, now).await;
    let book = system.folder().join("book.csv");
    {
        let mut file = std::io::BufWriter::new(std::fs::File::create(&book).unwrap());
        file.write_all(Person::HEADER.as_bytes()).unwrap();
        (0..keys).for_each(|number| file.write_all(Person(number).row(now).as_bytes()).unwrap());
        file.flush().unwrap();
    }
    let begun = Instant::now();
    let mut operator = Command::new(env!("CARGO_BIN_EXE_operator"));
    operator.env_clear().env("IYSYNC_API_URL", system.gateway_url()).env("IYSYNC_INVOKE_URL", system.lambda_url());
    operator.arg("import").arg(&book).args(["--json"]).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped());
    let child = operator.stderr(Stdio::null()).spawn().expect("the command starts");
    let pid = child.id().unwrap();
    let ended = child.wait_with_output();
    tokio::pin!(ended);
    let (mut command, mut function) = (0, 0);
    let output = loop {
        // A process's own peak only grows: the last look before its end is what counts.
        tokio::select! {
            output = &mut ended => break output.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        command = command.max(peak(pid).unwrap_or_default());
        function = system.processes("reconcile").into_iter().filter_map(peak).fold(function, u64::max);
    };
    let took = begun.elapsed();
    let counts: Value = serde_json::from_slice(&output.stdout).expect("what an import says");
    assert_eq!(counts["rows"], keys, "{counts}");
    note(peaks, "import: iysync", keys, took, command);
    note(peaks, "import: reconcile", keys, took, function);
    let refusals = (0..keys).filter(|number| Person(*number).status() == Status::Ret).count();
    say(&format!("\nimport, {keys} rows ({refusals} refusals): {counts}\n"));
    system.end().await;
}
