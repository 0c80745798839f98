//! The jobs for a brand that reaches İYS by an integrator: they do what its registry offers, and nothing that it
//! does not.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../shared/tests/harness/mod.rs"]
mod harness;
#[path = "../../../shared/tests/integrators/office.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod office;
#[path = "../../../shared/tests/harness/parameters.rs"]
mod parameters;
#[path = "../../../shared/tests/harness/sqs.rs"]
mod sqs;

use harness::ManualClock;
use jiff::SignedDuration;
use office::Office;
use reconcile::{App, Egress, Job};
use serde_json::{Value, json};
use shared::insider;
use shared::intake::Intake;
use shared::integrators::Integrators;
use shared::iys::{Client, Settings};
use shared::ledger::Ledger;
use shared::queue::Queues;

const START: &str = "2026-11-20T10:00:00Z";
const MYSOFT_LIST: &str = "/api/Etk/consentTransactionList";
const VERIMOR_LIST: &str = "/v2/iys/campaigns";

struct Setup {
    /// The integrator.
    office: Office,
    /// İYS itself, which nobody may call.
    iys: Office,
    ledger: Ledger,
    clock: ManualClock,
    app: App,
}

async fn at(mut registry: Value) -> Setup {
    with(|document, url| {
        if registry["kind"] != "iys" {
            registry["baseUrl"] = url.into();
        }
        document["registry"] = registry;
    })
    .await
}

/// The local brand, changed for an integrator at that address; with its API user where it has none.
async fn with(change: impl FnOnce(&mut Value, &str)) -> Setup {
    let (office, iys) = (Office::start().await, Office::start().await);
    let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    let own = document["iys"].take();
    document["iys"] = json!({"iysCode": 700_001, "brandCode": 700_001, "channels": ["MESAJ"]});
    change(&mut document, &office.url);
    if document["registry"]["kind"] == "iys" {
        for name in ["username", "password", "mutabakat"] {
            document["iys"][name] = own[name].clone();
        }
    }
    let clock = ManualClock::at(START);
    let ledger = harness::ledger().await;
    let (client, push_url, relay_url) = sqs::queues(|config| config).await;
    let queues = Queues::new(client, push_url, relay_url);
    let grace = SignedDuration::from_mins(15);
    let nowhere = iys.url.parse::<url::Url>().unwrap();
    let app = App {
        brands: parameters::brands(vec![document.to_string()]).await,
        intake: Intake::new(ledger.clone(), queues.clone(), grace),
        queues,
        dead_letters: None,
        iys: Client::new(Settings::new(nowhere.clone()), ledger.clone(), clock.clock(), "worker"),
        integrators: Integrators::new(ledger.clone(), clock.clock()),
        insider: insider::Connection::new(insider::Settings::new(nowhere.clone(), nowhere.clone()), clock.clock()),
        ledger: ledger.clone(),
        clock: clock.clock(),
        grace,
        pause: SignedDuration::from_mins(30),
        api: nowhere,
        egress: Egress::new(None),
        metrics: shared::metrics::Sink::new("integrator"),
        verify_percent: 50,
        verify_rest: SignedDuration::from_mins(10),
        archive: None,
    };
    Setup { office, iys, ledger, clock, app }
}

fn netgsm() -> Value {
    json!({"kind": "netgsm", "username": "8500000000", "password": "secret", "callsPerMinute": 60_000})
}

fn verimor() -> Value {
    json!({"kind": "verimor", "username": "908500000000", "password": "secret", "sourceAddr": "MYBRAND", "readsPerMinute": 60_000,
        "callbackSecret": "hook-secret"})
}

/// The checks by name, with their outcome.
async fn checks(setup: &Setup) -> Vec<(String, String)> {
    let answer = setup.app.invoke(json!({"job": "check_brand", "brand": "demo"})).await.unwrap();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    answer["checks"].as_array().unwrap().iter().map(|check| (text(check, "check"), text(check, "outcome"))).collect()
}

#[tokio::test]
async fn a_registry_without_a_feed_is_not_pulled_and_what_it_does_not_offer_is_not_tried() {
    let setup = at(netgsm()).await;
    setup.app.handle(Job::Pull).await.unwrap();
    let brand = Some("demo".to_owned());
    setup.app.handle(Job::PushService { brand: brand.clone(), url: None }).await.unwrap();
    setup.app.handle(Job::DailyFile { brand: brand.clone(), day: None }).await.unwrap();
    setup.app.handle(Job::Verify { brand, full: false }).await.unwrap();
    assert!(setup.office.desk().came.is_empty() && setup.iys.desk().came.is_empty());
    let retailers = setup.app.invoke(json!({"job": "retailers", "brand": "demo", "action": "list"})).await.unwrap();
    assert!(retailers.to_string().contains("own İYS API user"), "{retailers}");
}

#[tokio::test]
async fn the_sweep_of_each_minute_notes_that_a_brand_has_moved_and_everything_is_compared() {
    let setup = at(netgsm()).await;
    let verification = async || setup.ledger.verification(&"demo".parse().unwrap()).await.unwrap();
    setup.app.handle(Job::Sweep).await.unwrap();
    assert!(verification().await.full_since.is_some());
    setup.app.handle(Job::Verify { brand: Some("demo".to_owned()), full: false }).await.unwrap();
    assert!(verification().await.full_at.is_some(), "the brand has just come here, so all of nothing was compared");
}

/// The document of a brand that has left an integrator for another.
fn with_former(registry: Value, former: Value) -> impl FnOnce(&mut Value, &str) {
    |document, url| {
        for (name, mut choice) in [("registry", registry), ("formerRegistry", former)] {
            choice["baseUrl"] = url.into();
            document[name] = choice;
        }
    }
}

#[tokio::test]
async fn the_feed_of_the_registry_that_a_brand_has_left_is_read_as_long_as_the_document_names_it() {
    let setup = with(with_former(netgsm(), verimor())).await;
    let list = json!({"total": 1, "records": [{"id": 7, "iys_brand_code": 700_001, "source": "iys"}]});
    let records = json!({"total": 1, "status": "Tamamlandı", "records": [{"type": "MESAJ", "source": "IYS_MOBIL", "recipient": "905992000001",
        "status": "RET", "consent_date": "2026-11-18T09:10:11.000+03:00", "recipient_type": "BIREYSEL"}]});
    setup.office.will_answer(VERIMOR_LIST, 200, list.to_string());
    setup.office.will_answer(&format!("{VERIMOR_LIST}/7/consents"), 200, records.to_string());
    let report = setup.app.handle(Job::Pull).await.unwrap();
    assert_eq!((report.movements, report.new), (1, 1));
    // Another account at the same registry is not read by this one's place in the feed.
    let two_accounts = with(with_former(verimor(), verimor())).await;
    two_accounts.office.will_answer(VERIMOR_LIST, 200, r#"{"total":0,"records":[]}"#);
    two_accounts.app.handle(Job::Pull).await.unwrap();
    assert_eq!(two_accounts.office.desk().came.len(), 1);
    // That its account ends one day is no failure of the job.
    for _ in 0..3 {
        setup.office.will_answer(VERIMOR_LIST, 401, "no");
    }
    assert_eq!(setup.app.handle(Job::Pull).await.unwrap().failed, 0);
}

#[tokio::test]
async fn the_check_of_a_brand_says_how_long_the_registry_that_it_has_left_is_needed() {
    let setup = with(with_former(netgsm(), verimor())).await;
    let of_former = async || {
        setup.office.will_answer("/iys/search", 200, r#"{"code":"50"}"#);
        checks(&setup).await.into_iter().find(|(check, _)| check == "formerRegistry").unwrap().1
    };
    setup.app.handle(Job::Sweep).await.unwrap();
    setup.clock.advance(SignedDuration::from_hours(47));
    assert_eq!(of_former().await, "ok");
    setup.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(of_former().await, "warning");
}

#[tokio::test]
async fn a_comparison_of_everything_that_is_asked_for_is_noted_and_over_when_all_is_done() {
    let setup = at(netgsm()).await;
    let everything = json!({"job": "verify", "brand": "demo", "full": true});
    setup.app.invoke(everything.clone()).await.unwrap();
    let first = setup.ledger.verification(&"demo".parse().unwrap()).await.unwrap();
    assert_eq!((first.full_since, first.full_at.is_some(), first.gap_in), (None, true, None));
    // Another run is at it: the note waits for the next one.
    let until = (setup.app.clock)() + SignedDuration::from_mins(5);
    assert!(setup.ledger.try_lease(&"demo".parse().unwrap(), "verify", (setup.app.clock)(), until).await.unwrap());
    setup.app.invoke(everything).await.unwrap();
    let asked = setup.ledger.verification(&"demo".parse().unwrap()).await.unwrap();
    assert_eq!((asked.full_since, asked.full_at), (Some((setup.app.clock)()), first.full_at));
}

#[tokio::test]
async fn a_daily_report_is_pulled_for_what_people_did_only() {
    let setup = at(verimor()).await;
    let list = json!({"total": 1, "records": [{"id": 7, "iys_brand_code": 700_001, "source": "iys"}]});
    let records = json!({"total": 1, "status": "Tamamlandı", "records": [{"type": "MESAJ", "source": "IYS_MOBIL", "recipient": "905992000001",
        "status": "RET", "consent_date": "2026-11-18T09:10:11.000+03:00", "recipient_type": "BIREYSEL"}]});
    setup.office.will_answer(VERIMOR_LIST, 200, list.to_string());
    setup.office.will_answer(&format!("{VERIMOR_LIST}/7/consents"), 200, records.to_string());
    let report = setup.app.handle(Job::Pull).await.unwrap();
    assert_eq!((report.movements, report.new, setup.office.desk().came.len()), (1, 1, 2));
}

fn mysoft() -> Value {
    json!({"kind": "mysoft", "clientId": "client", "clientSecret": "secret", "tenant": "1234567890", "callsPerMinute": 60_000})
}

/// The brand with an API user of its own.
async fn at_iys() -> Setup {
    at(json!({"kind": "iys"})).await
}

/// How often its integrator was called, and how often İYS.
fn called(setup: &Setup) -> (usize, usize) {
    (setup.office.desk().came.len(), setup.iys.desk().came.len())
}

#[tokio::test]
async fn flag_changes_decides_whether_a_brands_feed_is_read() {
    let none = at(netgsm()).await;
    none.app.handle(Job::Pull).await.unwrap();
    assert_eq!(called(&none), (0, 0));
    let by_day = at(verimor()).await;
    by_day.office.will_answer(VERIMOR_LIST, 200, r#"{"total":0,"records":[]}"#);
    by_day.app.handle(Job::Pull).await.unwrap();
    assert_eq!(called(&by_day), (1, 0));
    assert!(by_day.ledger.trail(&"demo".parse().unwrap(), "verimor-people").await.unwrap().read_at.is_some());
}

#[tokio::test]
async fn flag_own_changes_decides_whether_the_brands_own_movements_are_read_too() {
    let with_own = at(mysoft()).await;
    with_own.office.will_answer("/oauth/token", 200, r#"{"access_token":"t","expires_in":"999999"}"#);
    for _ in 0..2 {
        with_own.office.will_answer(MYSOFT_LIST, 200, r#"{"succeed":true,"data":[]}"#);
    }
    with_own.app.handle(Job::Pull).await.unwrap();
    let asked: Vec<_> = with_own.office.came_to(MYSOFT_LIST).iter().map(|came| came.json()["source"].clone()).collect();
    assert_eq!(asked, ["IYS", "HS"]);
    let without = at(verimor()).await;
    without.office.will_answer(VERIMOR_LIST, 200, r#"{"total":0,"records":[]}"#);
    without.app.handle(Job::Pull).await.unwrap();
    let asked: Vec<_> = without.office.came_to(VERIMOR_LIST).into_iter().map(|came| came.query).collect();
    assert!(asked.len() == 1 && asked[0].ends_with("source=iys"), "{asked:?}");
}

#[tokio::test]
async fn flag_day_files_decides_whether_a_days_file_is_asked_for() {
    // İYS answers nothing here: it is only seen whether it was asked.
    let job = || Job::DailyFile { brand: Some("demo".to_owned()), day: None };
    let own = at_iys().await;
    let _ = own.app.handle(job()).await;
    let days = async |setup: &Setup| setup.ledger.day_files(&"demo".parse().unwrap()).await.unwrap().len();
    assert!(called(&own).1 > 0 && days(&own).await > 0);
    let without = at(netgsm()).await;
    without.app.handle(job()).await.unwrap();
    assert_eq!((called(&without), days(&without).await), ((0, 0), 0), "no day of it waits for a file that will never be");
}

#[tokio::test]
async fn flag_account_decides_whether_the_account_is_listed_or_a_harmless_question_asked() {
    let job = || Job::Standing { brand: Some("demo".to_owned()) };
    let own = at_iys().await;
    let _ = own.app.handle(job()).await;
    assert!(called(&own).0 == 0 && called(&own).1 > 0);
    let probed = at(netgsm()).await;
    probed.office.will_answer("/iys/search", 200, r#"{"code":"50"}"#);
    assert_eq!(probed.app.handle(job()).await.unwrap().looked, 1);
    let asked = probed.office.came_to("/iys/search");
    assert!(called(&probed) == (1, 0) && asked[0].body.contains("+905000000000"), "nobody's address");
}

#[tokio::test]
async fn the_check_of_a_brand_asks_about_nobody_and_names_what_cannot_be_known() {
    let setup = at(netgsm()).await;
    setup.office.will_answer("/iys/search", 200, r#"{"code":"50"}"#);
    let expected = [
        ("document", "ok"),
        ("authority.MESAJ", "ok"),
        ("callbacks", "warning"),
        ("changes", "skipped"),
        ("outcomes", "skipped"),
        ("mutabakat", "skipped"),
    ];
    assert_eq!(checks(&setup).await, expected.map(|(check, outcome)| (check.to_owned(), outcome.to_owned())));
    setup.office.will_answer("/iys/search", 200, r#"{"code":"60"}"#);
    assert_eq!(checks(&setup).await[1], ("authority.MESAJ".to_owned(), "failed".to_owned()));
    let setup = at(verimor()).await;
    setup.office.will_answer(VERIMOR_LIST, 200, r#"{"total":0,"records":[]}"#);
    let found = checks(&setup).await;
    for check in [("callbacks", "ok"), ("changes", "skipped"), ("status", "skipped"), ("dealers", "skipped")] {
        assert!(found.contains(&(check.0.to_owned(), check.1.to_owned())), "{check:?} is not in {found:?}");
    }
}
