//! Every code of İYS's table, provoked in the simulator, met by the functions' handlers, and ended in the
//! ledger as the table says.
//!
//! The table is `shared::consent::code`; each entry names the calls that can meet it. [`walk`] has a way for
//! each group of calls, so that a code, or a group, without one does not go unnoticed. No function calls
//! history and retailer access yet: the client's own tests walk those.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../shared/tests/harness/mod.rs"]
mod harness;
#[path = "../../../shared/tests/harness/parameters.rs"]
mod parameters;
#[path = "../../../shared/tests/harness/sqs.rs"]
mod sqs;

use jiff::SignedDuration;
use serde_json::json;
use shared::answers::{Check, Checks, Outcome as Finding, RetailersAnswer};
use shared::consent::code::{CallGroup, Code, Disposition, Entry, Hold, RetryAfter, entries, token_disposition};
use shared::consent::{Outcome, Recipient, Sync};

use bench::{Bench, GRACE, PARTNER, RESULT_WAIT};

/// Records that are enough for a bulk submission.
const MANY: usize = 21;
/// The longest that anything passing lasts: İYS's hour.
const AN_HOUR: SignedDuration = SignedDuration::from_mins(62);
/// How often work is looked after before it must have ended.
const ROUNDS: usize = 8;

const BRAND: &str = "/sps/700001/brands/700001";

fn met_by(group: CallGroup) -> Vec<&'static Entry> {
    let met: Vec<_> = entries().iter().filter(|entry| entry.met_by.contains(&group)).collect();
    assert!(met.len() > 3, "no codes for {group:?}");
    met
}

/// How a refusal ends that İYS answered with a code once and takes when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Settled(Outcome),
    Rejected(&'static str),
}

fn ending(entry: &Entry) -> Ending {
    match entry.disposition {
        Disposition::NotRegistered => Ending::Settled(Outcome::NotRegistered),
        Disposition::Rejected | Disposition::TooLate => Ending::Rejected(entry.code),
        _ => Ending::Settled(Outcome::Applied),
    }
}

fn ended(sync: &Sync, expected: Ending) -> bool {
    match (sync, expected) {
        (Sync::Settled { outcome, .. }, Ending::Settled(expected)) => *outcome == expected,
        (Sync::Rejected { code, .. }, Ending::Rejected(expected)) => code == expected,
        _ => false,
    }
}

fn held(sync: &Sync, for_what: Hold, by: &str) -> bool {
    matches!(sync, Sync::Held { why, code, .. } if *why == for_what && code.as_deref() == Some(by))
}

impl Bench {
    /// What the first meeting with a code left.
    fn is_met(&self, sync: &Sync, entry: &Entry) -> bool {
        let waits = |least: SignedDuration| matches!(sync, Sync::Pending { due, .. } if due.duration_since(self.now()) >= least);
        match entry.disposition {
            Disposition::Held(why) => held(sync, why, entry.code),
            Disposition::Retry(RetryAfter::Hour) | Disposition::TokenStop => waits(SignedDuration::from_mins(59)),
            Disposition::Retry(_) | Disposition::Defect => waits(SignedDuration::ZERO),
            Disposition::Unauthorised => ended(sync, Ending::Settled(Outcome::Applied)),
            // İYS's newer movement was looked for: there is none, so the record goes again.
            Disposition::Superseded => true,
            // İYS says that it has the refusal, and has just shown a consent: its record tells which, and the
            // refusal goes again.
            Disposition::AlreadyThere => waits(SignedDuration::ZERO) || ended(sync, Ending::Settled(Outcome::Applied)),
            Disposition::NotRegistered | Disposition::TooLate | Disposition::Rejected => ended(sync, ending(entry)),
        }
    }

    /// Looks after the work until it has ended as it must, and İYS has what it must have.
    async fn until_ended(&self, person: &Recipient, what: &str, expected: Ending) {
        let mut sync = self.sync(person).await;
        for _ in 0..ROUNDS {
            if ended(&sync, expected) {
                break;
            }
            self.later(AN_HOUR).await;
            sync = self.sync(person).await;
        }
        assert!(ended(&sync, expected), "{what}: {sync:?}");
        let mut at_iys = vec!["ONAY HS_WEB"];
        at_iys.extend((expected == Ending::Settled(Outcome::Applied)).then_some("RET HS_WEB"));
        assert_eq!(self.at_iys(person).await, at_iys, "{what}");
        if let Ending::Rejected(code) = expected {
            let entry = code.parse::<Code>().unwrap().entry().unwrap();
            assert!(!entry.cause().tr.is_empty() && !entry.remedy().tr.is_empty(), "{what}");
        }
    }
}

impl Bench {
    /// Runs a job again and again, as its schedule does, until it does what it is for.
    async fn until_done(&self, job: serde_json::Value, what: &str) {
        for _ in 0..ROUNDS {
            self.later(AN_HOUR).await;
            if self.invoke(job.clone()).await.is_ok() {
                return;
            }
        }
        panic!("{what}: the job fails for good");
    }
}

#[tokio::test]
async fn codes_at_a_single_add() {
    let bench = Bench::start().await;
    for entry in met_by(CallGroup::Add) {
        let (person, what) = (bench.person(), format!("{} at a single add", entry.code));
        bench.seed(std::slice::from_ref(&person)).await;
        bench.plant(&person, "add", entry).await;
        bench.refuse(std::slice::from_ref(&person)).await;
        bench.work().await;
        bench.has_struck(&what).await;
        let met = bench.sync(&person).await;
        assert!(bench.is_met(&met, entry), "{what}: {met:?}");
        bench.until_ended(&person, &what, ending(entry)).await;
        bench.clock.advance(AN_HOUR);
    }
}

/// Whether a code judges one record of a list, and not the list as a whole.
fn is_about_a_record(entry: &Entry) -> bool {
    match entry.disposition {
        Disposition::Retry(_) => (400..=428).contains(&entry.http) && entry.met_by != CallGroup::ANY,
        Disposition::Unauthorised | Disposition::TokenStop | Disposition::Held(_) => false,
        _ => true,
    }
}

impl Bench {
    /// So many people refuse of whom İYS holds a consent, the first of them at a place where İYS answers with
    /// a code each; and enough others that all go as one list.
    async fn refusals(&self, at: &str, entries: &[&'static Entry]) -> (Vec<(Recipient, &'static Entry)>, Vec<Recipient>) {
        let met: Vec<_> = entries.iter().map(|entry| (self.person(), *entry)).collect();
        let good: Vec<_> = (0..MANY).map(|_| self.person()).collect();
        let people: Vec<_> = met.iter().map(|(person, _)| person).chain(&good).cloned().collect();
        self.seed(&people).await;
        for (person, entry) in &met {
            self.plant(person, at, entry).await;
        }
        self.refuse(&people).await;
        (met, good)
    }

    async fn all_ended(&self, people: &[Recipient], what: &str) {
        for person in people {
            self.until_ended(person, what, Ending::Settled(Outcome::Applied)).await;
        }
    }

    /// The results of what was handed in in bulk are asked for.
    async fn results(&self) {
        self.clock.advance(RESULT_WAIT + GRACE);
        self.invoke(json!({ "job": "sweep" })).await.unwrap();
        self.work().await;
    }
}

fn is_submitted(sync: &Sync) -> bool {
    matches!(sync, Sync::Submitted { .. })
}

#[tokio::test]
async fn codes_of_single_records_at_a_bulk_list() {
    let bench = Bench::start().await;
    let entries: Vec<_> = met_by(CallGroup::BulkList).into_iter().filter(|entry| is_about_a_record(entry)).collect();
    let (met, good) = bench.refusals("list", &entries).await;
    bench.work().await;
    bench.has_struck("a code at a bulk list").await;
    for person in &good {
        assert!(is_submitted(&bench.sync(person).await), "those that nothing is wrong with go on at once");
    }
    for (person, entry) in &met {
        let sync = bench.sync(person).await;
        // What judges no record goes by itself, at once.
        let fits = if entry.disposition.judges_a_record() { bench.is_met(&sync, entry) } else { ended(&sync, ending(entry)) };
        assert!(fits, "{} at a bulk list: {sync:?}", entry.code);
    }
    for (person, entry) in &met {
        bench.until_ended(person, &format!("{} at a bulk list", entry.code), ending(entry)).await;
    }
    bench.all_ended(&good, "a good record of a list").await;
}

#[tokio::test]
async fn codes_of_a_bulk_list_as_a_whole() {
    let bench = Bench::start().await;
    for entry in met_by(CallGroup::BulkList).into_iter().filter(|entry| !is_about_a_record(entry)) {
        let what = format!("{} at a bulk list", entry.code);
        bench.order_both(&format!("{BRAND}/consents/request$"), entry).await;
        let (_, people) = bench.refusals("list", &[]).await;
        bench.work().await;
        bench.has_struck(&what).await;
        for person in &people {
            let sync = bench.sync(person).await;
            let fits = match entry.disposition {
                Disposition::Unauthorised => is_submitted(&sync),
                // It may have landed all the same.
                Disposition::Retry(_) if entry.http == 503 => is_submitted(&sync),
                _ => bench.is_met(&sync, entry),
            };
            assert!(fits, "{what}: {sync:?}");
        }
        bench.all_ended(&people, &what).await;
        bench.clock.advance(AN_HOUR);
    }
}

#[tokio::test]
async fn codes_in_rows_of_bulk_results() {
    let bench = Bench::start().await;
    let holds = |entry: &&'static Entry| matches!(entry.disposition, Disposition::Held(_));
    // What holds the brand holds the others, too.
    let (holding, rest): (Vec<_>, Vec<_>) = met_by(CallGroup::BulkRow).into_iter().partition(holds);
    for entries in holding.iter().map(std::slice::from_ref).chain([rest.as_slice()]) {
        let (met, good) = bench.refusals("row", entries).await;
        bench.work().await;
        bench.results().await;
        bench.has_struck("a code in a row").await;
        for (person, entry) in &met {
            let sync = bench.sync(person).await;
            assert!(bench.is_met(&sync, entry), "{} in a row: {sync:?}", entry.code);
        }
        for (person, entry) in &met {
            bench.until_ended(person, &format!("{} in a row", entry.code), ending(entry)).await;
        }
        bench.all_ended(&good, "a good record of a list").await;
        bench.clock.advance(AN_HOUR);
    }
}

#[tokio::test]
async fn codes_at_the_results_of_a_bulk_list() {
    let bench = Bench::start().await;
    for entry in met_by(CallGroup::BulkStatus) {
        let what = format!("{} at bulk results", entry.code);
        let (_, people) = bench.refusals("list", &[]).await;
        bench.work().await;
        bench.order_both(&format!("{BRAND}/consents/request/"), entry).await;
        bench.results().await;
        bench.has_struck(&what).await;
        for person in &people {
            let sync = bench.sync(person).await;
            // No result was told, so none is judged.
            let is_judged = ended(&sync, Ending::Settled(Outcome::Applied));
            assert_eq!(
                (is_judged, is_submitted(&sync)),
                if entry.disposition == Disposition::Unauthorised { (true, false) } else { (false, true) },
                "{what}: {sync:?}"
            );
        }
        bench.all_ended(&people, &what).await;
        bench.clock.advance(AN_HOUR);
    }
}

#[tokio::test]
async fn codes_at_questions() {
    let bench = Bench::start().await;
    let newer = "H178".parse::<Code>().unwrap().entry().unwrap();
    for (group, at) in [(CallGroup::Status, "status"), (CallGroup::MultiStatus, "multi")] {
        for entry in met_by(group) {
            let (person, what) = (bench.person(), format!("{} at a question ({at})", entry.code));
            bench.seed(std::slice::from_ref(&person)).await;
            // What İYS holds of one address is asked where it says that it holds something newer.
            if group == CallGroup::Status {
                bench.plant(&person, "add", newer).await;
            }
            bench.plant(&person, at, entry).await;
            bench.refuse(std::slice::from_ref(&person)).await;
            bench.work().await;
            bench.has_struck(&what).await;
            let met = bench.sync(&person).await;
            // The answer to a question judges no record.
            assert!(!matches!(met, Sync::Rejected { .. }), "{what}: {met:?}");
            if let Disposition::Held(why) = entry.disposition {
                assert!(held(&met, why, entry.code), "{what}: {met:?}");
            }
            bench.until_ended(&person, &what, Ending::Settled(Outcome::Applied)).await;
            bench.clock.advance(AN_HOUR);
        }
    }
}

#[tokio::test]
async fn codes_at_pull() {
    let bench = Bench::start().await;
    bench.invoke(json!({ "job": "pull" })).await.unwrap();
    for entry in met_by(CallGroup::Pull) {
        let (person, what) = (bench.person(), format!("{} at pull", entry.code));
        bench.refuses_at_iys(&person).await;
        bench.order(&format!("{BRAND}/consents/changes"), entry).await;
        bench.clock.advance(SignedDuration::from_mins(5));
        let first = bench.invoke(json!({ "job": "pull" })).await;
        bench.has_struck(&what).await;
        let goes_on = entry.disposition == Disposition::Unauthorised;
        assert_eq!(first.is_ok(), goes_on, "{what}: {first:?}");
        bench.until_done(json!({ "job": "pull" }), &what).await;
        let state = bench.ledger.states(&[bench.key(&person)]).await.unwrap().remove(0);
        assert_eq!(state.head.origin, shared::consent::Origin::Registry, "{what}");
    }
}

#[tokio::test]
async fn codes_at_the_sign_in() {
    let bench = Bench::start().await;
    for entry in met_by(CallGroup::Token) {
        let (person, what) = (bench.person(), format!("{} at the sign-in", entry.code));
        // Whatever session there was is over.
        bench.clock.advance(SignedDuration::from_hours(5));
        bench.seed(std::slice::from_ref(&person)).await;
        bench.order("/oauth2/token", entry).await;
        bench.refuse(std::slice::from_ref(&person)).await;
        bench.work().await;
        bench.has_struck(&what).await;
        let sync = bench.sync(&person).await;
        let fits = match token_disposition(Some(entry.code), entry.http) {
            Disposition::Held(why) => held(&sync, why, entry.code),
            _ => bench.is_met(&sync, entry),
        };
        assert!(fits, "{what}: {sync:?}");
        bench.until_ended(&person, &what, Ending::Settled(Outcome::Applied)).await;
    }
}

impl Bench {
    /// The lines of a check of the brand.
    async fn check(&self) -> Vec<Check> {
        let answer = self.invoke(json!({ "job": "check_brand", "brand": "demo" })).await.unwrap();
        serde_json::from_value::<Checks>(answer).unwrap().checks
    }

    /// Has a call of the check answered with a code, and looks at the line that it is for.
    async fn checked(&self, path: &str, entry: &Entry, name: &str) {
        let what = format!("{} at {path}", entry.code);
        self.order_of(Some("GET"), path, entry).await;
        let checks = self.check().await;
        self.has_struck(&what).await;
        let line = checks.iter().find(|line| line.check == name).unwrap_or_else(|| panic!("no line {name}"));
        match entry.disposition {
            Disposition::Unauthorised => assert_eq!(line.outcome, Finding::Ok, "{what}: {line:?}"),
            // Not every API user may ask for it, which is no fault of the brand's.
            _ if name == "subscription" && entry.code == Code::NOT_ENTITLED.to_string() => {
                assert_eq!(line.outcome, Finding::Skipped, "{what}: {line:?}");
            }
            _ => is_explained(line, entry, &what),
        }
        self.clock.advance(AN_HOUR);
    }
}

/// A person is told of the code, what happened, and what to do.
fn is_explained(line: &Check, entry: &Entry, what: &str) {
    let reason = line.reason.as_ref().unwrap_or_else(|| panic!("{what}: {line:?}"));
    // What passes by itself is explained as such, and names the code beside it.
    let named = reason.code.as_deref() == Some(entry.code) || line.detail.en.contains(entry.code);
    assert!(named && line.outcome == Finding::Failed, "{what}: {line:?}");
    for words in [&reason.cause, &reason.remedy] {
        assert!(words.en.len() > 5 && words.tr.len() > 5 && words.en != words.tr, "{what}: {words:?}");
    }
}

#[tokio::test]
async fn codes_at_the_account() {
    let bench = Bench::start().await;
    bench.check().await;
    for entry in met_by(CallGroup::Account) {
        bench.checked("/sps/700001/brands$", entry, "brand").await;
        bench.checked("/sps/700001/subscription", entry, "subscription").await;
    }
}

#[tokio::test]
async fn codes_at_a_business_partners_account() {
    let bench = Bench::of_a_partner().await;
    bench.check().await;
    for entry in met_by(CallGroup::Partner) {
        bench.checked(&format!("/integrator/{PARTNER}/sps/700001"), entry, "authority.EPOSTA").await;
        bench.checked(&format!("/integrator/{PARTNER}/subscription"), entry, "subscription.partner").await;
    }
}

/// What a look at the account finds is kept in the ledger: what stops the brand, until it does not any more.
#[tokio::test]
async fn codes_at_a_look_at_the_account() {
    let bench = Bench::start().await;
    for entry in met_by(CallGroup::Account) {
        let (person, what) = (bench.person(), format!("{} at a look at the account", entry.code));
        bench.order("/sps/700001/subscription", entry).await;
        bench.invoke(json!({ "job": "standing", "brand": "demo" })).await.unwrap();
        bench.has_struck(&what).await;
        bench.seed(std::slice::from_ref(&person)).await;
        bench.refuse(std::slice::from_ref(&person)).await;
        bench.work().await;
        let sync = bench.sync(&person).await;
        let stop = bench.ledger.standing(&bench.brand.name).await.unwrap().stop;
        match entry.disposition {
            // Not every API user may ask, and İYS may know of no subscription that it would show: neither says
            // that records are refused.
            Disposition::Held(Hold::Authority) => assert_eq!(stop, None, "{what}"),
            Disposition::Held(why) if entry.code != Code::NO_SUBSCRIPTION.to_string() => {
                let stop = stop.unwrap_or_else(|| panic!("{what} stops nothing"));
                assert_eq!((stop.why, stop.code.as_str()), (why, entry.code), "{what}");
                assert!(held(&sync, why, entry.code), "{what}: {sync:?}");
            }
            _ => assert_eq!(stop, None, "{what}"),
        }
        bench.until_ended(&person, &what, Ending::Settled(Outcome::Applied)).await;
        bench.clock.advance(AN_HOUR);
    }
}

#[tokio::test]
async fn codes_at_mutabakat() {
    let bench = Bench::start().await;
    let look = json!({ "job": "standing", "brand": "demo" });
    for entry in met_by(CallGroup::Agreements) {
        let what = format!("{} at mutabakat", entry.code);
        // What is granted is asked about once a day.
        bench.clock.advance(SignedDuration::from_hours(25));
        bench.order(&format!("{BRAND}/agreements/"), entry).await;
        bench.invoke(look.clone()).await.unwrap();
        bench.has_struck(&what).await;
        let standing = bench.ledger.standing(&bench.brand.name).await.unwrap();
        // Whatever else is refused shows on the channels, too.
        let denied = entry.disposition == Disposition::Held(Hold::Authority);
        assert_eq!(!standing.may_reconcile(true), denied, "{what}: {standing:?}");
        let code = standing.mutabakat.as_ref().and_then(|grant| grant.code.clone());
        assert_eq!(code.as_deref(), denied.then_some(entry.code), "{what}");
        bench.clock.advance(AN_HOUR);
        bench.invoke(look.clone()).await.unwrap();
        assert!(bench.ledger.standing(&bench.brand.name).await.unwrap().may_reconcile(true), "{what}: it is granted again");
        bench.clock.advance(AN_HOUR);
        bench.checked(&format!("{BRAND}/agreements/"), entry, "mutabakat").await;
    }
}

#[tokio::test]
async fn codes_at_push_connections() {
    for entry in met_by(CallGroup::Push) {
        let (bench, what) = (Bench::start().await, format!("{} at push registration", entry.code));
        bench.order_of(Some("POST"), &format!("{BRAND}/push/registration"), entry).await;
        let first = bench.invoke(json!({ "job": "push_service" })).await;
        bench.has_struck(&what).await;
        let renewed = entry.disposition == Disposition::Unauthorised;
        assert_eq!(first.is_ok(), renewed, "{what}: {first:?}");
        bench.until_done(json!({ "job": "push_service" }), &what).await;
        let keys = bench.ledger.push_keys(&bench.brand.name).await.unwrap();
        assert_eq!(keys.len(), 3, "{what}: each channel has its credentials");
        let checks = bench.check().await;
        for channel in ["ARAMA", "MESAJ", "EPOSTA"] {
            let line = checks.iter().find(|line| line.check == format!("push.{channel}")).unwrap();
            assert_eq!(line.outcome, Finding::Ok, "{what}: {line:?}");
        }
    }
}

#[tokio::test]
async fn codes_at_retailers_and_places() {
    let bench = Bench::start().await;
    let create = json!({ "job": "retailers", "brand": "demo", "action": "create", "retailer": {
        "title": "Bir Bayi", "name": "Deniz Deniz", "tckn": "10000000146", "tin": "1234567890",
        "city": { "code": 34 }, "town": { "code": 421 } } });
    for (group, path) in [(CallGroup::Retailers, format!("{BRAND}/retailers")), (CallGroup::Info, "/info/city".to_owned())] {
        for entry in met_by(group) {
            let what = format!("{} at {path}", entry.code);
            bench.order(&path, entry).await;
            let answer = bench.invoke(create.clone()).await.unwrap();
            bench.has_struck(&what).await;
            match (serde_json::from_value(answer).unwrap(), entry.disposition) {
                (RetailersAnswer::Created(retailer), Disposition::Unauthorised) => {
                    let delete = json!({ "job": "retailers", "brand": "demo", "action": "delete", "retailerCode": retailer });
                    assert_eq!(bench.invoke(delete).await.unwrap(), json!({ "deleted": retailer }), "{what}");
                }
                (RetailersAnswer::Refused(line), _) => is_explained(&line, entry, &what),
                (answer, _) => panic!("{what}: {answer:?}"),
            }
            bench.clock.advance(AN_HOUR);
        }
    }
}

/// Groups of calls that no function makes yet: the client's own tests meet their codes.
const OF_THE_CLIENT_ALONE: [CallGroup; 2] = [CallGroup::History, CallGroup::RetailerAccess];

#[test]
fn every_code_but_these_is_walked() {
    let walked = |group: &CallGroup| !OF_THE_CLIENT_ALONE.contains(group);
    let others: Vec<_> = entries().iter().filter(|entry| !entry.met_by.iter().any(walked)).map(|entry| entry.code).collect();
    assert_eq!(others, ["H089", "H095", "H127", "H169", "H171", "H172", "H173", "H197", "H401", "H404"]);
}
