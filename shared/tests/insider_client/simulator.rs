//! Insider's client and webhook families against the simulator, which keeps Insider's own rules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::server::{Reply, Server};
use async_trait::async_trait;
use jiff::Timestamp;
use sandbox::insider::{Account, Config, Family, Webhook, Webhooks};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::{Channel, Recipient, Source, Status};
use shared::insider::webhook::{self, Intake};
use shared::insider::{Client, Connection, ConsentTold, Flag, InsiderError, List, Outcome, Settings, Throttle, auth};
use url::Url;

const AYSE: &str = "ayse@example.com";
const PHONE: &str = "+905321112233";

/// No limit of ours: the simulator's own limits are what is tested.
struct Unlimited;

#[async_trait]
impl Throttle for Unlimited {
    async fn slot(&self, _: &str, _: u32) -> Result<(), Timestamp> {
        Ok(())
    }
}

fn brand() -> Brand {
    Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap()
}

struct Insider {
    url: Url,
    http: reqwest::Client,
}

impl Insider {
    async fn start(config: Config) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(sandbox::insider::serve(listener, config, std::future::pending()));
        Self { url, http: reqwest::Client::new() }
    }

    fn client(&self) -> Client {
        self.client_of(brand())
    }

    fn client_of(&self, brand: Brand) -> Client {
        let mut settings = Settings::new(self.url.clone(), self.url.clone());
        settings.timeout = Duration::from_secs(2);
        Client::new(Connection::new(settings, Arc::new(Timestamp::now)), Arc::new(brand.insider), Arc::new(Unlimited))
    }

    async fn post(&self, path: &str, body: Value) {
        let response = self.http.post(self.url.join(path).unwrap()).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
    }

    /// What the simulator holds for an address.
    async fn held(&self, kind: &str, address: &str) -> Value {
        let url = self.url.join("/_sandbox/profiles").unwrap();
        self.http.get(url).query(&[(kind, address)]).send().await.unwrap().json().await.unwrap()
    }

    /// How often one of Insider's rules was broken.
    async fn violations(&self) -> Value {
        let stats: Value = self.http.get(self.url.join("/_sandbox/stats").unwrap()).send().await.unwrap().json().await.unwrap();
        stats["violations"].clone()
    }
}

fn email(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Eposta).unwrap()
}

fn phone(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Mesaj).unwrap()
}

#[tokio::test]
async fn a_refusal_and_a_consent_reach_lists_and_flags_and_break_no_rule() {
    let insider = Insider::start(Config::default()).await;
    let mut brand = brand();
    brand.insider.arama_attribute = Some("iys_call_optin".into());
    let client = insider.client_of(brand);
    let flags = |allowed| {
        [
            Flag { recipient: email(AYSE), channel: Channel::Eposta, allowed, told: None },
            Flag { recipient: phone(PHONE), channel: Channel::Mesaj, allowed, told: None },
            Flag { recipient: phone(PHONE), channel: Channel::Arama, allowed, told: None },
        ]
    };
    for allowed in [false, true] {
        let (listed, texted) = if allowed {
            (client.resubscribe(List::Email, &[email(AYSE)]).await, client.resubscribe(List::Sms, &[phone(PHONE)]).await)
        } else {
            (client.unsubscribe(List::Email, &[email(AYSE)]).await, client.unsubscribe(List::Sms, &[phone(PHONE)]).await)
        };
        assert_eq!((listed, texted), (vec![Ok(Outcome::Applied)], vec![Ok(Outcome::Applied)]));
        assert_eq!(client.upsert(&flags(allowed)).await, vec![Ok(Outcome::Applied); 3]);
        let (mail, text) = (insider.held("email", AYSE).await, insider.held("phone_number", PHONE).await);
        assert_eq!((&mail["suppressed"]["email"], &mail["profile"]["email_optin"]), (&json!(!allowed), &json!(allowed)));
        assert_eq!((&text["suppressed"]["sms"], &text["profile"]["sms_optin"]), (&json!(!allowed), &json!(allowed)));
        assert_eq!(text["profile"]["custom"]["iys_call_optin"], allowed);
        let profile = client.profile(&phone(PHONE)).await.unwrap().unwrap();
        assert_eq!(profile.flags, [(Channel::Mesaj, allowed), (Channel::Arama, allowed)].into());
        assert!(profile.quota.is_some());
    }
    assert_eq!(client.profile(&email("kimse@example.com")).await, Ok(None));
    assert_eq!(insider.violations().await, json!({}));
}

#[tokio::test]
async fn an_account_that_asks_for_an_uploader_is_served_once_the_brand_names_one() {
    let config = Config { account: Account { require_uploader_email: true, ..Account::default() }, ..Config::default() };
    let insider = Insider::start(config).await;
    let refused = insider.client().unsubscribe(List::Email, &[email(AYSE)]).await;
    assert_eq!(refused, [Ok(Outcome::Refused { code: "insider_400" })]);
    let mut brand = brand();
    brand.insider.uploader_email = Some("uploader@example.com".into());
    assert_eq!(insider.client_of(brand).unsubscribe(List::Email, &[email(AYSE)]).await, [Ok(Outcome::Applied)]);
}

#[tokio::test]
async fn a_custom_attribute_that_the_panel_does_not_know_refuses_its_user_only() {
    let config = Config { account: Account { custom_attributes: Some(Vec::new()), ..Account::default() }, ..Config::default() };
    let insider = Insider::start(config).await;
    let mut brand = brand();
    brand.insider.arama_attribute = Some("iys_call_optin".into());
    let flags = [
        Flag { recipient: phone(PHONE), channel: Channel::Arama, allowed: true, told: None },
        Flag { recipient: email(AYSE), channel: Channel::Eposta, allowed: true, told: None },
    ];
    let answers = insider.client_of(brand).upsert(&flags).await;
    assert_eq!(answers, [Ok(Outcome::Refused { code: "insider_invalid_attribute" }), Ok(Outcome::Applied)]);
}

#[tokio::test]
async fn wrong_keys_limits_and_lost_answers_are_told_apart() {
    let config = Config { account: Account { retry_after_seconds: Some(9), ..Account::default() }, ..Config::default() };
    let insider = Insider::start(config).await;
    let mut brand = brand();
    brand.insider.keys.ucd = "another-key".into();
    brand.insider.keys.unsubscribe = "another-key".into();
    let wrong = insider.client_of(brand);
    let list = wrong.unsubscribe(List::Email, &[email(AYSE)]).await.remove(0);
    assert!(matches!(&list, Err(InsiderError::Held { code, .. }) if code == "insider_401"), "{list:?}");
    let read = wrong.profile(&email(AYSE)).await;
    assert!(matches!(&read, Err(InsiderError::Held { code, .. }) if code == "insider_403"), "{read:?}");

    let client = insider.client();
    for kind in ["rate_limit", "status", "drop", "timeout_after_apply"] {
        insider.post("/_sandbox/faults", json!({"path": "/email", "kind": kind})).await;
        let answer = client.unsubscribe(List::Email, &[email(AYSE)]).await.remove(0);
        match kind {
            "rate_limit" | "status" => assert!(matches!(&answer, Err(InsiderError::Busy { .. })), "{kind}: {answer:?}"),
            _ => assert!(matches!(&answer, Err(InsiderError::Unanswered { .. })), "{kind}: {answer:?}"),
        }
    }
    // Setting a state twice is setting it once.
    assert_eq!(client.unsubscribe(List::Email, &[email(AYSE)]).await, [Ok(Outcome::Applied)]);
    assert_eq!(insider.held("email", AYSE).await["suppressed"]["email"], true);
}

#[tokio::test]
async fn every_family_that_the_simulator_sends_is_read_as_the_refusal_that_it_is() {
    let receiver = Server::start(|_| Reply::new(200, "{}")).await;
    let webhook = || Webhook {
        url: receiver.url.to_string(),
        headers: [("X-Insider-Secret".to_owned(), "demo-insider-secret".to_owned())].into(),
        auth: None,
        family: None,
        body: None,
    };
    let webhooks = Webhooks { email: Some(webhook()), sms: Some(webhook()), ..Webhooks::default() };
    let insider = Insider::start(Config { webhooks, ..Config::default() }).await;
    let families = [Family::LegacyEmail, Family::EventStream, Family::AttributeStream, Family::Architect];
    let mut expected = 0;
    for (act, channel) in [(json!({"email": AYSE}), Channel::Eposta), (json!({"phone_number": PHONE}), Channel::Mesaj)] {
        for family in families {
            // The legacy events are e-mail's alone.
            if channel == Channel::Mesaj && family == Family::LegacyEmail {
                continue;
            }
            let mut act = act.clone();
            act["family"] = serde_json::to_value(family).unwrap();
            insider.post("/_sandbox/unsubscribe", act).await;
            expected += 1;
            let (headers, body) = nth_request(&receiver, expected).await;
            let brand = brand();
            let raw_body = body.to_string().into_bytes();
            let presented = auth::Presented { headers: &headers, query: "", raw_body: &raw_body };
            assert!(auth::authenticate(&brand.insider.webhook_auth, presented).is_some(), "{family:?}");
            let Intake { movements, counts, .. } = webhook::read(body.to_string().as_bytes(), &brand, Timestamp::now()).unwrap();
            assert_eq!(movements.len(), 1, "{family:?} {channel}: {counts:?}");
            assert_eq!((movements[0].key.channel, movements[0].head.status), (channel, Status::Ret), "{family:?}");
        }
    }
    insider.post("/_sandbox/unsubscribe", json!({"email": AYSE, "group_name": "weekly-news"})).await;
    let (_, body) = nth_request(&receiver, expected + 1).await;
    assert_eq!(webhook::read(body.to_string().as_bytes(), &brand(), Timestamp::now()).unwrap().counts.group, 1);
}

/// Waits for the receiver's nth request.
async fn nth_request(receiver: &Server, count: usize) -> (axum::http::HeaderMap, Value) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(request) = receiver.requests().get(count - 1) {
            return (request.headers.clone(), request.body.clone());
        }
        assert!(Instant::now() < deadline, "no webhook came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_flag_does_not_fail_for_the_date_and_source_that_the_panel_does_not_take() {
    let types = [("iys_date".to_owned(), sandbox::insider::AttributeType::Number)].into();
    for (account, stands) in [
        (Account { custom_attributes: Some(Vec::new()), ..Account::default() }, false),
        (Account { custom_attribute_types: types, ..Account::default() }, false),
        (Account::default(), true),
    ] {
        let insider = Insider::start(Config { account, ..Config::default() }).await;
        let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        document["insider"]["outbound"]["consentAttributes"]["EPOSTA"]["date"] = "iys_date".into();
        let client = insider.client_of(Brand::read(&document.to_string()).unwrap());
        let told = ConsentTold { date: "2026-11-20 11:15:00".parse().unwrap(), source: Source::HsWeb };
        let flag = |address: &str| Flag { recipient: email(address), channel: Channel::Eposta, allowed: false, told: Some(told.clone()) };
        for flags in [vec![flag(AYSE)], vec![flag(AYSE), flag("mehmet@example.com")]] {
            assert_eq!(client.upsert(&flags).await, vec![Ok(Outcome::Applied); flags.len()]);
            let profile = insider.held("email", AYSE).await["profile"].clone();
            assert_eq!((&profile["email_optin"], profile["custom"]["iys_date"].is_string()), (&json!(false), stands), "{profile}");
        }
    }
}
