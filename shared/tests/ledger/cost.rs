//! The tables of `docs/cost.md`: counted units, named prices and assumptions, and what follows from them.
//!
//! With `UPDATE_DOCS=1` in the environment they are written anew instead.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use shared::consent::check::Check;
use shared::consent::{Answer, Origin, Outcome, Status, Target};
use shared::ledger::Ledger;

use crate::support::dynamodb::Store;
use crate::support::meter::Meter;
use crate::support::people::{Person, at};

const BEGIN: &str = "<!-- cost: written by shared/tests/ledger/cost.rs -->\n";
const END: &str = "<!-- cost: end -->";

/// A price: name, US dollars, for how many, of what. eu-central-1, on demand, arm64.
struct Price(&'static str, f64, f64, &'static str);

const PRICED: &str = "assumed in November 2026 and not verified: check them";
const WRITE: Price = Price("DynamoDB write", 0.7625, 1e6, "units");
const READ: Price = Price("DynamoDB read", 0.1525, 1e6, "units");
const STORED: Price = Price("DynamoDB storage", 0.306, 1.0, "GB and month");
const RECOVERY: Price = Price("DynamoDB point-in-time recovery", 0.2448, 1.0, "GB and month");
const GATEWAY: Price = Price("API Gateway, HTTP API", 1.20, 1e6, "requests");
const INVOKED: Price = Price("Lambda request", 0.20, 1e6, "requests");
const COMPUTED: Price = Price("Lambda time, arm64", 0.000_013_333_4, 1.0, "GB-seconds");
const QUEUED: Price = Price("SQS, dearer of standard and FIFO", 0.50, 1e6, "requests");
const LOGGED: Price = Price("CloudWatch logs, taken in", 0.63, 1.0, "GB");
const MEASURED: Price = Price("CloudWatch metric", 0.30, 1.0, "metrics and month");
const WATCHED: Price = Price("CloudWatch alarm", 0.10, 1.0, "alarms and month");
const NAT: Price = Price("NAT gateway with its address", 0.057, 1.0, "hours");
const PRICES: [&Price; 12] =
    [&WRITE, &READ, &STORED, &RECOVERY, &GATEWAY, &INVOKED, &COMPUTED, &QUEUED, &LOGGED, &MEASURED, &WATCHED, &NAT];

impl Price {
    fn of(&self, many: f64) -> f64 {
        self.1 * many / self.2
    }
}

const HOURS: f64 = 730.0;
/// Runs of all schedules in a month: every minute, four times every five or fifteen minutes, twice every hour, every six hours.
const RUNS: f64 = HOURS * (60.0 + 2.0 * 12.0 + 2.0 * 4.0 + 2.0 + 1.0 / 6.0);
/// How many days pass until a key's next comparison, where `iys.verifyDays` is 7: five and a half to six and a half.
const COMPARED_EVERY_DAYS: f64 = 6.0;
const DAYS: f64 = HOURS / 24.0;

/// Shares of movements in a month, by what they are.
const MIX: [(&str, f64); 4] = [
    ("a consent from the brand's systems, the first of its key", 0.50),
    ("a refusal from Insider after a consent", 0.30),
    ("a refusal from İYS after a consent", 0.15),
    ("a refusal from the brand's systems after a consent", 0.05),
];

/// What was not counted but assumed: value, and what it is.
const BULK_UNITS: f64 = 0.15;
const READS_A_MOVEMENT: f64 = 12.0;
const READS_A_COMPARISON: f64 = 1.0;
const KEY_KB: f64 = 2.0;
const GB_SECONDS_A_MOVEMENT: f64 = 0.05;
const INVOCATIONS_A_MOVEMENT: f64 = 2.2;
const GB_SECONDS_A_RUN: f64 = 0.25;
const QUEUE_REQUESTS_A_MOVEMENT: f64 = 6.0;
/// Two queues, five long polls of twenty seconds each at all times.
const POLLS: f64 = 2.0 * 5.0 * HOURS * 3600.0 / 20.0;
const LOG_KB_A_MOVEMENT: f64 = 1.5;
const LOG_KB_A_RUN: f64 = 1.0;
const METRICS: f64 = 12.0;
const ALARMS: f64 = 7.0;

const ASSUMED: [(&str, f64); 11] = [
    ("write units a movement in bulk submissions (counted: 150 for 1,000)", BULK_UNITS),
    ("read units a movement", READS_A_MOVEMENT),
    ("read units a comparison with İYS", READS_A_COMPARISON),
    ("KB stored for a key, history and indexes included", KEY_KB),
    ("Lambda GB-seconds a movement, all functions", GB_SECONDS_A_MOVEMENT),
    ("Lambda requests a movement", INVOCATIONS_A_MOVEMENT),
    ("Lambda GB-seconds a scheduled run", GB_SECONDS_A_RUN),
    ("SQS requests a movement, besides polling", QUEUE_REQUESTS_A_MOVEMENT),
    ("KB of log a movement", LOG_KB_A_MOVEMENT),
    ("CloudWatch metrics, one brand", METRICS),
    ("CloudWatch alarms", ALARMS),
];

/// Movements a month, and keys (address, channel, recipient type) in the ledger.
const SIZES: [(f64, f64); 3] = [(1e5, 5e5), (1e6, 5e6), (1e7, 2e7)];

const APPLIED: Answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };

/// A person's movement until both targets have it.
async fn live(ledger: &Ledger, person: &Person, status: Status, second: i64, origin: Origin) {
    ledger.record(&person.says(status, second, origin), at(second + 5), at(second + 65)).await.unwrap();
    for target in Target::ALL {
        let state = ledger.state(&person.key).await.unwrap().unwrap();
        if state.sync(target).is_open() {
            ledger.answered(&person.key, target, &state.head.sent(), APPLIED, at(second + 20), at(second + 80)).await.unwrap();
        }
    }
}

/// Write units of the movements of the mix and of a comparison, counted.
async fn counted() -> ([f64; 4], f64) {
    let meter = Meter::default();
    let ledger = Store::new().await.ledger_with(meter.clone());
    let read = || {
        let units = meter.read();
        units.table + units.index
    };
    let mut all = [0.0; 4];
    let origins = [None, Some(Origin::Insider), Some(Origin::Registry), Some(Origin::Api)];
    for (number, (units, origin)) in all.iter_mut().zip(origins).enumerate() {
        let person = Person::nth(number);
        live(&ledger, &person, Status::Onay, 0, Origin::Api).await;
        *units = read();
        if let Some(origin) = origin {
            live(&ledger, &person, Status::Ret, 1000, origin).await;
            *units = read();
        }
    }
    let person = Person::nth(all.len());
    live(&ledger, &person, Status::Onay, 0, Origin::Api).await;
    read();
    let state = ledger.state(&person.key).await.unwrap().unwrap();
    assert!(ledger.note_check(&state, Check::Done(at(100))).await.unwrap());
    (all, read())
}

fn dollars(amount: f64) -> String {
    if amount < 10.0 { format!("{amount:.2}") } else { format!("{amount:.0}") }
}

fn number(many: f64) -> String {
    let digits = format!("{many:.0}");
    let grouped = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
    grouped.collect::<Vec<_>>().join(",")
}

fn tables(units: &[f64; 4], comparison: f64) -> String {
    let mut text = String::from(
        "\n## Each month, in US dollars\n\n| Movements | Keys kept | Ledger: writes | reads | storage | Functions and API | Queues | CloudWatch | **Together** | a 1,000 movements |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let a_movement = MIX.iter().zip(units).map(|((_, share), units)| share * units).sum::<f64>() + BULK_UNITS;
    for (movements, keys) in SIZES {
        let comparisons = keys * DAYS / COMPARED_EVERY_DAYS;
        let gigabytes = keys * KEY_KB / 1e6;
        let columns = [
            WRITE.of(movements * a_movement + comparisons * comparison),
            READ.of(movements * READS_A_MOVEMENT + comparisons * READS_A_COMPARISON),
            STORED.of(gigabytes) + RECOVERY.of(gigabytes),
            GATEWAY.of(movements)
                + INVOKED.of(movements * INVOCATIONS_A_MOVEMENT + RUNS)
                + COMPUTED.of(movements * GB_SECONDS_A_MOVEMENT + RUNS * GB_SECONDS_A_RUN),
            QUEUED.of(movements * QUEUE_REQUESTS_A_MOVEMENT + POLLS),
            LOGGED.of((movements * LOG_KB_A_MOVEMENT + RUNS * LOG_KB_A_RUN) / 1e6) + MEASURED.of(METRICS) + WATCHED.of(ALARMS),
        ];
        let together: f64 = columns.iter().sum();
        let cells = columns.map(dollars).join(" | ");
        writeln!(
            text,
            "| {} | {} | {cells} | **{}** | {} |",
            number(movements),
            number(keys),
            dollars(together),
            dollars(together * 1000.0 / movements)
        )
        .unwrap();
    }
    writeln!(text, "\nA fixed address through one NAT gateway adds {} a month, and its traffic.", dollars(NAT.of(HOURS))).unwrap();
    text.push_str("\n## Write units, as counted\n\n| Of | Share | Units until both targets have it |\n|---|---|---|\n");
    for ((what, share), units) in MIX.iter().zip(units) {
        writeln!(text, "| {what} | {:.0} % | {units} |", share * 100.0).unwrap();
    }
    writeln!(text, "| a key compared with İYS, every {COMPARED_EVERY_DAYS} days | | {comparison} |").unwrap();
    writeln!(text, "\n## Prices\n\neu-central-1, {PRICED}.\n\n| What | US dollars | for |\n|---|---|---|").unwrap();
    for Price(what, amount, many, of) in PRICES {
        let many = if *many > 1.0 { format!("{} {of}", number(*many)) } else { (*of).to_owned() };
        writeln!(text, "| {what} | {amount} | {many} |").unwrap();
    }
    text.push_str("\n## Assumptions\n\nNot counted; replace them by what your own account shows.\n\n| What | Value |\n|---|---|\n");
    for (what, value) in ASSUMED {
        writeln!(text, "| {what} | {value} |").unwrap();
    }
    writeln!(text, "| scheduled runs a month | {} |\n", number(RUNS)).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_costs_follows_from_the_counted_units() {
    let (units, comparison) = counted().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cost.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let tables = tables(&units, comparison);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{before}{BEGIN}{tables}{END}{after}")).unwrap();
        return;
    }
    for (line, expected) in shown.lines().zip(tables.lines()) {
        assert_eq!(line, expected, "docs/cost.md is out of date: UPDATE_DOCS=1 cargo test --workspace --test ledger cost");
    }
    assert_eq!(shown.lines().count(), tables.lines().count(), "docs/cost.md is out of date");
}
