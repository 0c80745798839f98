//! The check of a brand against the simulator of İYS: everything right, and each thing wrong in turn.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../shared/tests/harness/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod harness;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reconcile::{CheckBrand, Egress};
use sandbox::iys::{Authority, Config, Grant, Partner, PushConnection, Subscription};
use serde_json::{Value, json};
use shared::answers::{Check, Outcome};
use shared::brand::Brand;
use shared::clock::{self, Clock};
use shared::iys::{Client, Settings};
use shared::ledger::Ledger;
use url::Url;

/// Where the system is that is checked.
const API: &str = "https://izin.example.com";
const PUSH: &str = "https://izin.example.com/v1/demo/iys/push";
const PARTNER_CODE: u64 = 550_001;

/// A brand at a simulated İYS.
struct Setup {
    iys: Url,
    ledger: Ledger,
    client: Client,
    document: Value,
    egress: Egress,
}

/// The local brand with its three push connections.
fn config() -> Config {
    use sandbox::iys::ConsentType::{Arama, Eposta, Mesaj};
    let connection = |consent_type| PushConnection {
        brand_code: 700_001,
        consent_type,
        url: PUSH.to_owned(),
        username: "iys".to_owned(),
        password: "demo-iys-push".to_owned(),
    };
    let mut config =
        Config { calls_per_second: 1000, push_connections: [Arama, Mesaj, Eposta].map(connection).to_vec(), ..Config::default() };
    let subscription = Subscription { consent_limit: Some(1000), used_consent_limit: Some(10), ..Subscription::default() };
    config.providers[0].subscription = Some(subscription);
    config
}

async fn setup(config: Config) -> Setup {
    setup_at(config, clock::system()).await
}

async fn setup_at(config: Config, clock: Clock) -> Setup {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let iys: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
    let ledger = harness::ledger().await;
    let client = client(&iys, &ledger, clock);
    let document = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    Setup { iys, ledger, client, document, egress: Egress::new(None) }
}

fn client(iys: &Url, ledger: &Ledger, clock: Clock) -> Client {
    let mut settings = Settings::new(iys.clone());
    settings.limits.calls_per_second = 500;
    Client::new(settings, ledger.clone(), clock, "worker")
}

impl Setup {
    async fn check(&self) -> Vec<Check> {
        let brand = Arc::new(Brand::read(&self.document.to_string()).unwrap());
        let (api, clock) = (API.parse().unwrap(), clock::system());
        let check = CheckBrand { ledger: &self.ledger, iys: &self.client, brand: &brand, api: &api, egress: &self.egress, clock: &clock };
        check.run().await
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: Value) {
        let url = self.iys.join(&format!("_sandbox/{path}")).unwrap();
        let request = reqwest::Client::new().request(method, url).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
    }

    async fn account(&self, change: Value) {
        self.control(reqwest::Method::PATCH, "accounts", change).await;
    }

    async fn stats(&self) -> Value {
        let text = reqwest::get(self.iys.join("_sandbox/stats").unwrap()).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn line<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.check == name).unwrap_or_else(|| panic!("no line {name}"))
}

/// A line's outcome and code.
fn says(checks: &[Check], name: &str) -> (Outcome, Option<String>) {
    let line = line(checks, name);
    (line.outcome, line.reason.as_ref().and_then(|reason| reason.code.clone()))
}

fn failed(code: &str) -> (Outcome, Option<String>) {
    (Outcome::Failed, Some(code.to_owned()))
}

/// Whatever is wrong has words in both languages.
fn is_explained(checks: &[Check]) {
    for check in checks {
        let wrong = matches!(check.outcome, Outcome::Warning | Outcome::Failed);
        assert_eq!(check.reason.is_some(), wrong, "{check:?}");
        for words in check.reason.iter().flat_map(|reason| [&reason.cause, &reason.remedy]).chain([&check.detail]) {
            assert!(!words.en.is_empty() && !words.tr.is_empty(), "{check:?}");
            assert!(!words.en.contains('{') && !words.tr.contains('{'), "{check:?}");
        }
    }
}

#[tokio::test]
async fn a_brand_that_is_right_has_no_line_that_is_wrong_and_nothing_changes_at_iys() {
    let setup = setup(config()).await;
    let checks = setup.check().await;
    is_explained(&checks);
    let shown: Vec<(&str, Outcome)> = checks.iter().map(|check| (check.check.as_str(), check.outcome)).collect();
    assert_eq!(
        shown,
        [
            ("document", Outcome::Ok),
            ("token", Outcome::Ok),
            ("brand", Outcome::Ok),
            ("subscription", Outcome::Ok),
            ("quota", Outcome::Ok),
            ("authority.ARAMA", Outcome::Ok),
            ("authority.MESAJ", Outcome::Ok),
            ("authority.EPOSTA", Outcome::Ok),
            ("mutabakat", Outcome::Ok),
            ("push.ARAMA", Outcome::Ok),
            ("push.MESAJ", Outcome::Ok),
            ("push.EPOSTA", Outcome::Ok),
            ("egress", Outcome::Skipped),
            ("clock", Outcome::Ok),
            ("allowance.tokens", Outcome::Ok),
            ("allowance.single_status", Outcome::Ok),
            ("allowance.history", Outcome::Ok),
            // Fewer answers than are written together.
            ("quality", Outcome::Skipped),
        ]
    );
    let stats = setup.stats().await;
    assert_eq!(stats["violations"], json!({}), "{stats}");
    for call in stats["calls"].as_array().unwrap() {
        let (method, path) = (call["method"].as_str().unwrap(), call["path"].as_str().unwrap());
        let asks = method == "GET" || path.ends_with("/oauth2/token") || path.contains("/status/");
        assert!(asks, "{method} {path}");
    }
}

#[tokio::test]
async fn refused_credentials_cost_one_request_and_what_needs_a_token_is_passed_over() {
    let mut setup = setup(config()).await;
    setup.document["iys"]["password"] = "wrong".into();
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(line(&checks, "token").outcome, Outcome::Failed);
    for name in ["brand", "subscription", "quota", "authority.MESAJ", "mutabakat", "push.EPOSTA"] {
        assert_eq!(line(&checks, name).outcome, Outcome::Skipped, "{name}");
    }
    // Once more, while the refusal is remembered.
    let checks = setup.check().await;
    assert!(line(&checks, "token").reason.as_ref().unwrap().remedy.en.contains("ten minutes"));
    let calls = setup.stats().await["calls"].clone();
    assert_eq!(calls.as_array().unwrap().iter().map(|call| call["count"].as_u64().unwrap()).sum::<u64>(), 1, "{calls}");
}

#[tokio::test]
async fn a_wrong_number_is_told_with_those_that_the_user_has() {
    let mut setup = setup(config()).await;
    setup.document["iys"]["brandCode"] = 700_002.into();
    let checks = setup.check().await;
    is_explained(&checks);
    let brand = line(&checks, "brand");
    assert_eq!((brand.outcome, brand.detail.en.as_str()), (Outcome::Failed, "700002 is not among the brands of 700001: 700001"));
    assert_eq!(says(&checks, "authority.MESAJ"), failed("H353"));

    setup.document["iys"]["iysCode"] = 700_009.into();
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(says(&checks, "brand"), failed("H353"));
}

#[tokio::test]
async fn a_subscription_that_is_not_in_force_or_ends_soon_is_told() {
    let setup = setup(config()).await;
    for (status, code) in [("PAUSED", "H520"), ("EXPIRED", "H520"), ("CLOSED", "H521")] {
        setup.account(json!({"iysCode": 700_001, "subscription": {"status": status}})).await;
        let checks = setup.check().await;
        is_explained(&checks);
        assert_eq!(says(&checks, "subscription"), failed(code), "{status}");
        // The others are asked all the same, and İYS says why it does not answer.
        assert_eq!(says(&checks, "authority.ARAMA"), failed(code), "{status}");
    }
    let soon = shared::consent::ConsentDate::at(Timestamp::now() + SignedDuration::from_hours(10 * 24 + 1));
    let soon = soon.to_string().replace(' ', "T");
    setup.account(json!({"iysCode": 700_001, "subscription": {"status": "ACTIVE", "expirationDate": soon}})).await;
    let checks = setup.check().await;
    let subscription = line(&checks, "subscription");
    assert_eq!(subscription.outcome, Outcome::Warning);
    assert!(subscription.detail.en.ends_with("in 10 days"), "{}", subscription.detail.en);
    setup.account(json!({"iysCode": 700_001, "subscription": null})).await;
    assert_eq!(line(&setup.check().await, "subscription").outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_quota_is_told_by_how_much_of_it_is_used() {
    let setup = setup(config()).await;
    for (used, exceed, expected) in [
        (900, false, (Outcome::Ok, None)),
        (901, false, (Outcome::Warning, None)),
        (1000, false, failed("H525")),
        (1000, true, (Outcome::Warning, None)),
    ] {
        let change = json!({"usedConsentLimit": used, "consentLimitExceed": exceed});
        setup.account(json!({"iysCode": 700_001, "subscription": change})).await;
        let checks = setup.check().await;
        is_explained(&checks);
        assert_eq!(says(&checks, "quota"), expected, "{used}, exceeding {exceed}");
    }
}

#[tokio::test]
async fn a_channel_that_iys_does_not_answer_for_is_told_alone() {
    let setup = setup(config()).await;
    let refusal = json!({"recipient": "+905992000000", "type": "MESAJ", "at": "multi", "code": "H355", "http": 404});
    setup.control(reqwest::Method::POST, "refusals", refusal).await;
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(says(&checks, "authority.MESAJ"), failed("H355"));
    assert_eq!(line(&checks, "authority.ARAMA").outcome, Outcome::Ok);
    assert_eq!(line(&checks, "push.MESAJ").outcome, Outcome::Ok, "it stands all the same");
}

#[tokio::test]
async fn no_push_connection_is_missed_on_a_channel_without_authority() {
    let setup = setup(Config { push_connections: Vec::new(), ..config() }).await;
    let refusal = json!({ "recipient": "+905992000000", "type": "ARAMA", "at": "multi", "code": "H355", "http": 404 });
    setup.control(reqwest::Method::POST, "refusals", refusal).await;
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(line(&checks, "authority.ARAMA").outcome, Outcome::Failed);
    assert_eq!(line(&checks, "push.ARAMA").outcome, Outcome::Skipped);
    assert_eq!(line(&checks, "push.MESAJ").outcome, Outcome::Warning);
}

#[tokio::test]
async fn a_channel_whose_records_were_refused_is_not_called_right_because_a_question_is_answered() {
    let setup = setup(config()).await;
    let brand = Brand::read(&setup.document.to_string()).unwrap();
    setup
        .ledger
        .change_standing(&brand.name, |standing| {
            let about = shared::consent::standing::About {
                channel: Some(shared::consent::Channel::Eposta),
                record: Some(shared::consent::Status::Onay),
            };
            standing.refused(about, shared::consent::code::Hold::Authority, "H355", Timestamp::now())
        })
        .await
        .unwrap();
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(says(&checks, "authority.EPOSTA"), failed("H355"));
    assert_eq!(line(&checks, "authority.MESAJ").outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_business_partner_is_told_what_it_may_do_for_the_brand() {
    let mut config = config();
    let other = sandbox::iys::Brand { brand_code: 700_002, name: "Other".to_owned(), ..sandbox::iys::Brand::default() };
    config.providers[0].brands.push(other);
    config.partners.push(Partner {
        integrator_code: PARTNER_CODE,
        title: "Ortak A.S.".to_owned(),
        username: "partner-user@example.com".to_owned(),
        password: "partner-password".to_owned(),
        subscription: Some(Subscription::default()),
        grants: vec![Grant {
            brand_code: 700_001,
            arama: Some(Authority::Write),
            mesaj: Some(Authority::Read),
            agreement_control: false,
            ..Grant::default()
        }],
    });
    let mut setup = setup(config).await;
    setup.document["iys"]["username"] = "partner-user@example.com".into();
    setup.document["iys"]["password"] = "partner-password".into();
    setup.document["iys"]["integratorCode"] = PARTNER_CODE.into();
    let checks = setup.check().await;
    is_explained(&checks);
    let outcome = |name: &str| line(&checks, name).outcome;
    assert_eq!(outcome("authority.ARAMA"), Outcome::Ok);
    assert_eq!(
        (outcome("authority.MESAJ"), outcome("authority.EPOSTA"), outcome("mutabakat")),
        (Outcome::Failed, Outcome::Failed, Outcome::Failed)
    );
    assert_eq!((outcome("subscription.partner"), outcome("quota")), (Outcome::Ok, Outcome::Skipped));

    // Another brand of the provider has authorised the partner, this one no longer.
    setup.account(json!({"integratorCode": PARTNER_CODE, "grants": [{"brandCode": 700_002, "MESAJ": "write"}]})).await;
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(line(&checks, "authority").outcome, Outcome::Failed);
    setup.account(json!({"integratorCode": PARTNER_CODE, "grants": []})).await;
    assert_eq!(says(&setup.check().await, "authority.ARAMA"), failed("H268"));
}

#[tokio::test]
async fn push_connections_are_told_as_they_stand_at_iys() {
    let mut setup = setup(config()).await;
    setup.control(reqwest::Method::POST, "push/drop", json!({"brandCode": 700_001, "type": "MESAJ", "how": "failed"})).await;
    setup.control(reqwest::Method::POST, "push/drop", json!({"brandCode": 700_001, "type": "EPOSTA"})).await;
    let checks = setup.check().await;
    is_explained(&checks);
    let outcomes = ["ARAMA", "MESAJ", "EPOSTA"].map(|channel| line(&checks, &format!("push.{channel}")).outcome);
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Failed, Outcome::Warning]);

    // The same connections, looked at by another system.
    setup.document["name"] = "other".into();
    let checks = setup.check().await;
    assert!(line(&checks, "push.ARAMA").detail.en.contains("none of which leads to this system"));

    let account = setup.document["iys"].as_object_mut().unwrap();
    account.remove("push");
    account.remove("pushService");
    let checks = setup.check().await;
    assert_eq!(line(&checks, "push").outcome, Outcome::Skipped);
}

#[tokio::test]
async fn a_clock_that_differs_is_told_by_how_much() {
    for (ahead, expected) in [(0, Outcome::Ok), (20, Outcome::Warning), (-20, Outcome::Warning), (300, Outcome::Failed)] {
        let ours: Clock = Arc::new(move || Timestamp::now() + SignedDuration::from_secs(ahead));
        let setup = setup_at(config(), ours).await;
        let checks = setup.check().await;
        is_explained(&checks);
        let clock = line(&checks, "clock");
        assert_eq!(clock.outcome, expected, "{ahead}");
        let told: i64 = clock.detail.en.split(' ').next().unwrap().parse().unwrap();
        assert!((told - ahead).abs() <= 3, "{told} instead of {ahead}");
    }
}

#[tokio::test]
async fn an_address_that_iys_does_not_list_is_named_as_such() {
    let mut setup = setup(Config { listed_addresses: Some(vec!["203.0.113.7".parse().unwrap()]), ..config() }).await;
    setup.egress = Egress::new(Some(telling("198.51.100.4\n").await));
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(line(&checks, "token").outcome, Outcome::Failed);
    let egress = line(&checks, "egress");
    assert_eq!((egress.outcome, egress.detail.en.as_str()), (Outcome::Failed, "İYS answered 403 without a code (198.51.100.4)"));
}

#[tokio::test]
async fn the_address_that_calls_come_from_is_compared_with_the_brands() {
    let mut setup = setup(config()).await;
    setup.egress = Egress::new(Some(telling("198.51.100.4\n").await));
    assert_eq!(line(&setup.check().await, "egress").outcome, Outcome::Skipped);
    setup.document["iys"]["egressAddresses"] = json!(["198.51.100.4", "2001:db8::1"]);
    assert_eq!(line(&setup.check().await, "egress").outcome, Outcome::Ok);
    setup.document["iys"]["egressAddresses"] = json!(["203.0.113.7"]);
    assert_eq!(line(&setup.check().await, "egress").outcome, Outcome::Failed);
    setup.egress = Egress::new(Some(telling("<html>").await));
    assert_eq!(line(&setup.check().await, "egress").outcome, Outcome::Warning);
}

#[tokio::test]
async fn a_stop_of_token_requests_is_told_while_the_present_token_still_serves() {
    let setup = setup(config()).await;
    setup.check().await;
    setup.ledger.stop_token_requests(Timestamp::now() + SignedDuration::from_hours(1)).await.unwrap();
    let checks = setup.check().await;
    is_explained(&checks);
    assert_eq!(says(&checks, "token"), (Outcome::Warning, Some("H084".to_owned())));
    assert_eq!(line(&checks, "brand").outcome, Outcome::Ok);
}

#[tokio::test]
async fn an_iys_that_fails_is_a_failed_check_and_not_a_brand_that_is_right() {
    let setup = setup(config()).await;
    setup.check().await;
    setup.control(reqwest::Method::POST, "faults", json!({"path": "/sps/", "kind": "status", "status": 500, "count": 100})).await;
    let checks = setup.check().await;
    is_explained(&checks);
    for name in ["brand", "subscription", "quota", "authority.EPOSTA", "mutabakat", "push.EPOSTA"] {
        assert_eq!(line(&checks, name).outcome, Outcome::Failed, "{name}");
    }
}

/// A service that answers every caller with the same text.
async fn telling(text: &'static str) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let router = axum::Router::new().fallback(move || async move { text });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
