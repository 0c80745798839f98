//! The sample at the simulator of Insider: everything right, each thing wrong in turn, and whatever breaks
//! off in between.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../shared/tests/harness/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod harness;
#[path = "../../../shared/tests/harness/sqs.rs"]
mod sqs;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reconcile::{Addresses, SampleInsider};
use sandbox::insider::{Account, Config};
use serde_json::{Value, json};
use shared::answers::{Check, Outcome};
use shared::brand::Brand;
use shared::clock;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Status, Sync,
};
use shared::insider::{Client, Connection, Flag, Settings};
use shared::ledger::Ledger;
use shared::queue::{KeyRef, Queues, RelayMessage};
use shared::sync::relay::Relay;
use shared::sync::throttle::LedgerThrottle;
use url::Url;

const EMAIL: &str = "ayse.gizli@example.com";
const PHONE: &str = "+905992000001";
const GRACE: SignedDuration = SignedDuration::from_mins(15);
const UPSERT: &str = "/api/user/v1/upsert";
const UNSUBSCRIBE: &str = "/email/v2/unsubscribe";
const RESUBSCRIBE: &str = "/email/v2/subscribe";

/// A brand at a simulated Insider.
struct Setup {
    insider: Url,
    ledger: Ledger,
    queues: Queues,
    sqs: aws_sdk_sqs::Client,
    relay_url: String,
    document: Value,
    timeout: Duration,
}

async fn setup(config: Config) -> Setup {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let insider: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(sandbox::insider::serve(listener, config, std::future::pending()));
    let (sqs, push_url, relay_url) = sqs::queues(|config| config).await;
    let queues = Queues::new(sqs.clone(), push_url, relay_url.clone());
    let document = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    Setup { insider, ledger: harness::ledger().await, queues, sqs, relay_url, document, timeout: Duration::from_secs(10) }
}

impl Setup {
    fn brand(&self) -> Brand {
        Brand::read(&self.document.to_string()).unwrap()
    }

    fn client(&self) -> Client {
        let brand = self.brand();
        let settings = Settings { timeout: self.timeout, ..Settings::new(self.insider.clone(), self.insider.clone()) };
        let throttle = LedgerThrottle::new(self.ledger.clone(), clock::system(), brand.insider.partner.clone());
        Client::new(Connection::new(settings, clock::system()), Arc::new(brand.insider), Arc::new(throttle))
    }

    async fn sample(&self, addresses: Value) -> Vec<Check> {
        self.sample_over(&self.ledger, addresses).await
    }

    async fn sample_over(&self, ledger: &Ledger, addresses: Value) -> Vec<Check> {
        let (brand, client, clock) = (self.brand(), self.client(), clock::system());
        let api = "https://izin.example.com".parse().unwrap();
        let sample =
            SampleInsider { ledger, queues: &self.queues, insider: &client, brand: &brand, api: &api, clock: &clock, grace: GRACE };
        let addresses: Addresses = serde_json::from_value(addresses).unwrap();
        let checks = sample.run(&addresses).await;
        is_explained(&checks);
        let told = serde_json::to_string(&checks).unwrap();
        for personal in ["ayse", "gizli", "992000001"] {
            assert!(!told.contains(personal), "{told}");
        }
        checks
    }

    fn key(&self, recipient: &Recipient, channel: Channel) -> ConsentKey {
        let brand = self.brand();
        let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
        ConsentKey { brand: brand.name, recipient_id, channel, recipient_type: RecipientType::Bireysel }
    }

    /// The registry has told of the e-mail address, and Insider was told of it.
    async fn ledger_knows(&self, status: Status) -> ConsentKey {
        let recipient = Recipient::parse(EMAIL, Channel::Eposta).unwrap();
        let key = self.key(&recipient, Channel::Eposta);
        let now = Timestamp::now();
        let head = Head {
            status,
            source: "IYS_WEB".parse().unwrap(),
            consent_date: ConsentDate::at(now - SignedDuration::from_mins(1)),
            origin: Origin::Registry,
            event_id: EventId::derive("registry", [status.as_str()]),
            received_at: now,
            retailers: Retailers::default(),
        };
        self.ledger.record(&Movement { key: key.clone(), recipient, head }, now, now + GRACE).await.unwrap();
        self.relay(std::slice::from_ref(&key)).await;
        assert!(matches!(self.at_insider(&key).await, Sync::Settled { .. }));
        key
    }

    async fn at_insider(&self, key: &ConsentKey) -> Sync {
        self.ledger.state(key).await.unwrap().unwrap().insider
    }

    async fn relay(&self, keys: &[ConsentKey]) {
        let (brand, client, clock) = (self.brand(), self.client(), clock::system());
        let relay = Relay { ledger: &self.ledger, brand: &brand, insider: &client, clock: &clock, grace: GRACE, stop_at: Timestamp::MAX };
        assert!(relay.run(keys).await.failed.is_empty());
    }

    /// The keys that the relay was asked to tell Insider of.
    async fn asked_of_relay(&self) -> Vec<ConsentKey> {
        let answer = self.sqs.receive_message().queue_url(&self.relay_url).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default();
        let read = |body: &str| serde_json::from_str::<RelayMessage>(body).unwrap();
        let messages = messages.iter().map(|message| read(message.body.as_deref().unwrap()));
        messages.flat_map(|RelayMessage { brand, keys }| keys.iter().map(|key| KeyRef::key(key, &brand)).collect::<Vec<_>>()).collect()
    }

    async fn control(&self, path: &str, body: Value) {
        let url = self.insider.join(&format!("_sandbox/{path}")).unwrap();
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        assert!(request.body(body.to_string()).send().await.unwrap().status().is_success());
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = self.insider.join(&format!("_sandbox/{path}")).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn held(&self) -> Value {
        self.get("profiles", &[("email", EMAIL)]).await
    }

    /// Whether the e-mail address is on the list, and its flag.
    async fn stores(&self) -> (Value, Value) {
        let held = self.held().await;
        (held["suppressed"]["email"].clone(), held["profile"]["email_optin"].clone())
    }

    /// The e-mail address has a profile with this flag.
    async fn flagged(&self, allowed: bool) {
        let recipient = Recipient::parse(EMAIL, Channel::Eposta).unwrap();
        let flag = Flag { recipient, channel: Channel::Eposta, allowed, told: None };
        assert!(self.client().upsert(&[flag]).await[0].is_ok());
    }

    /// What was called for the e-mail address.
    async fn calls(&self) -> Vec<String> {
        let calls = self.held().await["calls"].clone();
        calls.as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap().to_owned()).collect()
    }
}

fn line<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.check == name).unwrap_or_else(|| panic!("no line {name} in {checks:?}"))
}

fn outcome(checks: &[Check], name: &str) -> Outcome {
    line(checks, name).outcome
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
async fn an_account_that_is_right_has_no_line_that_is_wrong_and_a_new_address_ends_suppressed() {
    let mut setup = setup(Config::default()).await;
    setup.document["insider"]["aramaAttribute"] = "iys_call_optin".into();
    let checks = setup.sample(json!({ "email": EMAIL, "phone": "0599 200 00 01" })).await;
    let shown: Vec<(&str, Outcome)> = checks.iter().map(|check| (check.check.as_str(), check.outcome)).collect();
    use Outcome::{Ok, Skipped};
    let expected = [
        ("key.ucd.read.email", Ok),
        ("attribute.email_optin", Skipped),
        ("key.unsubscribe.EPOSTA", Ok),
        ("key.ucd.write.EPOSTA", Ok),
        ("key.resubscribe.EPOSTA", Ok),
        ("key.ucd.read.phone", Ok),
        ("attribute.iys_call_optin", Skipped),
        ("attribute.sms_optin", Skipped),
        ("key.ucd.write.ARAMA", Ok),
        ("key.unsubscribe.MESAJ", Ok),
        ("key.ucd.write.MESAJ", Ok),
        ("key.resubscribe.MESAJ", Ok),
        ("partner", Ok),
        ("webhook", Ok),
        ("left.EPOSTA", Ok),
        ("left.ARAMA", Ok),
        ("left.MESAJ", Ok),
    ];
    assert_eq!(shown, expected);
    let webhook = &line(&checks, "webhook").detail.en;
    assert!(
        webhook.contains("https://izin.example.com/v1/demo/insider/events") && webhook.contains("header X-Insider-Secret"),
        "{webhook}"
    );
    assert!(!webhook.contains("demo-insider-secret"));
    assert_eq!(setup.stores().await, (true.into(), false.into()));
    let phone = setup.get("profiles", &[("phone_number", PHONE)]).await;
    assert_eq!((&phone["suppressed"]["sms"], &phone["profile"]["sms_optin"]), (&json!(true), &json!(false)));
    assert_eq!(phone["profile"]["custom"]["iys_call_optin"], false);
    // The consent's own word is never written for somebody of whom nothing says that they gave it.
    let calls = setup.held().await["calls"].clone();
    assert!(calls.as_array().unwrap().iter().all(|call| call["attributes"]["email_optin"] != json!(true)), "{calls}");
    assert_eq!(setup.get("stats", &[]).await["violations"], json!({}));
    assert_eq!(setup.asked_of_relay().await, []);
}

#[tokio::test]
async fn an_address_of_which_the_ledger_knows_nothing_keeps_its_flag() {
    let setup = setup(Config::default()).await;
    setup.flagged(true).await;
    let checks = setup.sample(json!({ "email": EMAIL })).await;
    assert_eq!(line(&checks, "key.ucd.read.email").detail.en, "there is a profile: email_optin=true");
    assert_eq!(outcome(&checks, "attribute.email_optin"), Outcome::Ok);
    assert!(line(&checks, "left.EPOSTA").detail.en.contains("email_optin was true"), "{checks:?}");
    assert_eq!(setup.stores().await, (false.into(), true.into()));
    assert_eq!(setup.calls().await, [UPSERT, UNSUBSCRIBE, UPSERT, UPSERT, RESUBSCRIBE]);
    setup.flagged(false).await;
    setup.sample(json!({ "email": EMAIL })).await;
    assert_eq!(setup.stores().await, (true.into(), false.into()));
}

#[tokio::test]
async fn each_wrong_key_is_told_by_its_own_line_and_stops_only_what_it_opens() {
    for (key, wrong, right, kind) in [
        ("unsubscribe", vec!["key.unsubscribe.EPOSTA"], vec!["key.ucd.write.EPOSTA", "key.ucd.read.email"], "Global Unsubscribe"),
        ("resubscribe", vec!["key.resubscribe.EPOSTA"], vec!["key.unsubscribe.EPOSTA", "key.ucd.write.EPOSTA"], "Resubscribe"),
        ("ucd", vec!["key.ucd.read.email", "key.ucd.write.EPOSTA"], vec!["key.unsubscribe.EPOSTA"], "Unified Customer Database"),
    ] {
        let mut setup = setup(Config::default()).await;
        setup.document["insider"]["keys"][key] = "wrong".into();
        let checks = setup.sample(json!({ "email": EMAIL })).await;
        for name in wrong {
            let line = line(&checks, name);
            let remedy = &line.reason.as_ref().unwrap().remedy.en;
            assert_eq!(line.outcome, Outcome::Failed, "{name}");
            assert!(remedy.contains(&format!("insider.keys.{key}")) && remedy.contains(kind), "{remedy}");
        }
        for name in right.into_iter().chain(["partner"]) {
            assert_eq!(outcome(&checks, name), Outcome::Ok, "{key}: {name}");
        }
        if key != "resubscribe" {
            assert_eq!(outcome(&checks, "key.resubscribe.EPOSTA"), Outcome::Skipped, "what could not be taken back is not tried");
        }
        // Refused once, a key is not tried again.
        let refusals = setup.get("stats", &[]).await["violations"].clone();
        let refused: u64 = refusals.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(refused, if key == "ucd" { 2 } else { 1 }, "{refusals}");
    }
}

#[tokio::test]
async fn a_wrong_partner_is_told_apart_from_a_wrong_key_and_changes_nothing() {
    let mut setup = setup(Config::default()).await;
    let key = setup.ledger_knows(Status::Onay).await;
    setup.document["insider"]["partner"] = "other".into();
    let checks = setup.sample(json!({ "email": EMAIL })).await;
    let partner = line(&checks, "partner");
    assert_eq!((partner.outcome, partner.detail.en.as_str()), (Outcome::Failed, "no call was let in for the partner other"));
    assert_eq!(outcome(&checks, "left.EPOSTA"), Outcome::Skipped);
    assert_eq!(setup.stores().await, (false.into(), true.into()));
    assert_eq!(setup.asked_of_relay().await, [key]);
}

#[tokio::test]
async fn a_limit_a_silence_and_a_refusal_are_told_apart() {
    for (fault, texts) in [
        // One alone is waited out.
        (json!({ "kind": "rate_limit", "count": 50 }), "429: not before"),
        (json!({ "kind": "status", "status": 500 }), "status 500"),
        (json!({ "kind": "drop" }), "Insider gave no answer"),
        (json!({ "kind": "status", "status": 400 }), "Insider refuses the content: insider_400"),
        (json!({ "kind": "status", "status": 403 }), "Insider answered 403"),
        (json!({ "kind": "status", "status": 405 }), "the answer cannot be used"),
    ] {
        let setup = setup(Config::default()).await;
        let mut fault = fault;
        fault["path"] = UNSUBSCRIBE.into();
        setup.control("faults", fault).await;
        let checks = setup.sample(json!({ "email": EMAIL })).await;
        let line = line(&checks, "key.unsubscribe.EPOSTA");
        assert!(line.outcome == Outcome::Failed && line.detail.en.contains(texts), "{line:?}");
    }
}

#[tokio::test]
async fn an_attribute_that_is_mapped_and_missing_or_of_another_type_or_channel_is_named() {
    let mut setup = setup(Config::default()).await;
    setup.document["insider"]["aramaAttribute"] = "iys_call_optin".into();
    setup.document["insider"]["attributes"] = json!({
        "sms_optin": { "type": "EPOSTA" }, "iys_call_optin": { "type": "ARAMA" }, "sms_allowed": { "type": "MESAJ" },
    });
    let profile = json!({
        "skip_hook": true,
        "users": [{ "identifiers": { "phone_number": PHONE }, "attributes": { "sms_optin": true, "custom": { "iys_call_optin": "evet" } } }],
    });
    let url = setup.insider.join(UPSERT).unwrap();
    let request = reqwest::Client::new().post(url).header("content-type", "application/json");
    let request = request.header("x-partner-name", "demo").header("x-request-token", "demo-ucd-key");
    assert!(request.body(profile.to_string()).send().await.unwrap().status().is_success());
    let checks = setup.sample(json!({ "phone": PHONE })).await;
    let odd = line(&checks, "attribute.iys_call_optin");
    assert_eq!((odd.outcome, odd.detail.en.as_str()), (Outcome::Warning, "iys_call_optin is neither true nor false"));
    let other = line(&checks, "attribute.sms_optin");
    assert_eq!((other.outcome, other.detail.en.as_str()), (Outcome::Warning, "sms_optin counts for EPOSTA here, and is written for MESAJ"));
    assert_eq!(outcome(&checks, "attribute.sms_allowed"), Outcome::Skipped);
    // Read by a name that the profile does not have.
    setup.document["insider"]["aramaAttribute"] = "call_optin".into();
    setup.document["insider"]["attributes"] = json!({ "call_optin": { "type": "ARAMA" } });
    let checks = setup.sample(json!({ "phone": PHONE })).await;
    let missing = line(&checks, "attribute.call_optin");
    assert_eq!((missing.outcome, missing.detail.en.as_str()), (Outcome::Warning, "call_optin is absent"));
    // Unmapped: nothing is wrong with it.
    let checks = setup.sample(json!({ "email": EMAIL })).await;
    assert_eq!(outcome(&checks, "attribute.email_optin"), Outcome::Skipped);
}

#[tokio::test]
async fn an_address_ends_as_the_ledger_says_and_the_relay_is_asked_to_see_to_it() {
    for (status, ends) in [(Status::Ret, (true, false)), (Status::Onay, (false, true))] {
        let setup = setup(Config::default()).await;
        let key = setup.ledger_knows(status).await;
        let checks = setup.sample(json!({ "email": EMAIL })).await;
        assert_eq!(outcome(&checks, "left.EPOSTA"), Outcome::Ok, "{checks:?}");
        assert_eq!(setup.stores().await, (ends.0.into(), ends.1.into()), "{status}");
        let calls = setup.calls().await;
        assert!(calls.iter().any(|call| call == RESUBSCRIBE) && calls.iter().any(|call| call == UNSUBSCRIBE), "{calls:?}");
        assert_eq!(setup.asked_of_relay().await, std::slice::from_ref(&key));
        assert!(matches!(setup.at_insider(&key).await, Sync::Pending { .. }), "open until the relay has told it");
    }
}

/// One request of a path goes well, the next does not.
async fn second(setup: &Setup, path: &str, fault: &Value) {
    setup.control("faults", json!({ "path": path, "kind": "latency" })).await;
    let mut fault = fault.clone();
    fault["path"] = path.into();
    setup.control("faults", fault).await;
}

#[tokio::test]
async fn a_refusal_of_the_ledger_stays_one_at_insider_wherever_a_call_breaks_off() {
    let kinds = [
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "rate_limit" }),
        json!({ "kind": "drop" }),
        json!({ "kind": "timeout_after_apply", "latency_ms": 2000 }),
    ];
    for kind in &kinds {
        for (path, is_second) in [(UNSUBSCRIBE, false), (UPSERT, false), (RESUBSCRIBE, false), (UNSUBSCRIBE, true), (UPSERT, true)] {
            // The account that is hardest to bring back.
            let account = Account { resubscribe_sets_flag: true, ..Account::default() };
            let mut setup = setup(Config { account, ..Config::default() }).await;
            let key = setup.ledger_knows(Status::Ret).await;
            setup.timeout = Duration::from_millis(400);
            if is_second {
                second(&setup, path, kind).await;
            } else {
                let mut fault = kind.clone();
                fault["path"] = path.into();
                setup.control("faults", fault).await;
            }
            let checks = setup.sample(json!({ "email": EMAIL })).await;
            let case = format!("{path} {is_second} {kind}: {checks:?}");
            let (suppressed, flag) = setup.stores().await;
            assert!(suppressed == json!(true) || flag == json!(false), "{case}");
            // By itself it is then brought back wholly.
            setup.timeout = Duration::from_secs(10);
            let asked = setup.asked_of_relay().await;
            assert_eq!(asked, [key], "{case}");
            setup.relay(&asked).await;
            assert_eq!(setup.stores().await, (true.into(), false.into()), "{case}");
        }
    }
}

#[tokio::test]
async fn an_address_that_the_ledger_cannot_be_asked_about_is_left_alone() {
    let setup = setup(Config::default()).await;
    setup.flagged(true).await;
    let (client, _) = harness::store(|config| config).await;
    let nowhere = Ledger::new(client, "no-such-table");
    let checks = setup.sample_over(&nowhere, json!({ "email": EMAIL })).await;
    assert_eq!(outcome(&checks, "left.EPOSTA"), Outcome::Failed);
    assert_eq!((setup.stores().await, setup.calls().await), ((false.into(), true.into()), vec![UPSERT.to_owned()]));
}

#[tokio::test]
async fn an_address_that_is_none_is_told_by_its_field_and_nothing_is_called() {
    let setup = setup(Config::default()).await;
    for (addresses, expected) in [
        (json!({}), vec!["address"]),
        (json!({ "email": "ayse gizli@example.com" }), vec!["email"]),
        (json!({ "email": EMAIL, "phone": "992000001x" }), vec!["phone"]),
        (json!({ "email": "", "phone": "992000001992000001" }), vec!["email", "phone"]),
    ] {
        let checks = setup.sample(addresses).await;
        let shown: Vec<&str> = checks.iter().map(|check| check.check.as_str()).collect();
        assert_eq!(shown, expected);
        assert!(checks.iter().all(|check| check.outcome == Outcome::Failed));
    }
    assert_eq!(setup.get("stats", &[]).await["calls"], json!([]));
}
