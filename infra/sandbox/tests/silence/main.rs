//! What the simulators write to their log. A program of its own, as it sets the log of the whole process.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../it/receiver.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod receiver;
#[path = "../it/rig.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod rig;

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::EnvFilter;

use receiver::Receiver;
use rig::{Served, eventually};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_paths_and_statuses_and_never_an_address() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new("sandbox=trace")).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (receiver, address) = Receiver::serve(None).await;
    receiver.answer_next(&[500, 500]);
    let mut config = sandbox::insider::Config { webhook_retry_ms: vec![1], ..Default::default() };
    config.webhooks.email = Some(sandbox::insider::Webhook {
        url: format!("http://{address}/hook"),
        headers: std::collections::BTreeMap::new(),
        auth: None,
        family: None,
        body: None,
    });
    let insider = Served::insider(config).await;
    insider.post("/_sandbox/unsubscribe", &json!({ "email": "quiet@example.com" })).await;
    insider.post("/email/v2/unsubscribe", &json!({ "emails": ["quiet@example.com"] })).await;
    eventually(async || (insider.stats().await["deliveries"]["abandoned"] == 1).then_some(())).await;
    let iys = Served::iys(sandbox::iys::Config::default()).await;
    iys.post("/_sandbox/faults", &json!({ "path": "/sps", "kind": "drop" })).await;
    let path = "/sps/700001/brands/700001/consents/quiet@example.com";
    assert!(iys.request(reqwest::Method::GET, path).send().await.is_err());
    iys.post("/oauth2/token", &json!({ "username": "quiet@example.com" })).await;
    netgsm(&address.to_string(), &receiver).await;
    verimor().await;
    mysoft().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/email/v2/unsubscribe") && text.contains("/oauth2/token") && text.contains("/iys/add"), "{text}");
    assert!(text.contains("/v2/iys/campaigns") && text.contains("/api/Etk/sendConsent"), "{text}");
    assert!(text.contains("given up"));
    assert!(!text.contains("quiet"), "{text}");
}

/// Has an add, a query, a refusal and a webhook that is given up; everything private in them has the word in it.
async fn netgsm(hook: &str, receiver: &Receiver) {
    let registry = sandbox::iys::Registry::new(sandbox::iys::Config::default()).unwrap();
    let account = sandbox::netgsm::Account {
        username: "quiet-user".to_owned(),
        password: "quiet-password".to_owned(),
        webhook: Some(format!("http://{hook}/hook?key=quiet-key")),
        ..Default::default()
    };
    let config =
        sandbox::netgsm::Config { accounts: vec![account], queue_delay_seconds: 0, webhook_retry_ms: vec![1], ..Default::default() };
    let netgsm = Served::over(|listener, stopped| sandbox::netgsm::serve(listener, config, registry, stopped)).await;
    let call = |data: serde_json::Value| {
        json!({
            "header": { "username": "quiet-user", "password": "quiet-password", "brandCode": "700001" },
            "body": { "data": [data] },
        })
    };
    receiver.answer_next(&[500, 500]);
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d 00:00:00").to_string();
    let record = json!({
        "type": "EPOSTA", "source": "HS_WEB", "recipient": "quiet@example.com", "status": "ONAY", "consentDate": date,
        "recipientType": "BIREYSEL",
    });
    for path in ["/iys/add", "/iys/search"] {
        assert_eq!(netgsm.post(path, &call(record.clone())).await.0, 200);
        assert_eq!(netgsm.post(path, &call(json!({ "recipient": "quiet" }))).await.1["code"], "70");
    }
    eventually(async || (netgsm.stats().await["deliveries"]["abandoned"] == 1).then_some(())).await;
}

/// Has an add, and credentials in a query string.
async fn verimor() {
    let registry = sandbox::iys::Registry::new(sandbox::iys::Config::default()).unwrap();
    let config = sandbox::verimor::Config::default();
    let verimor = Served::over(|listener, stopped| sandbox::verimor::serve(listener, config, registry, stopped)).await;
    let list = json!({ "username": "quiet", "password": "quiet", "consents": [{ "recipient": "quiet@example.com" }] });
    let request = verimor.request(reqwest::Method::POST, "/v2/iys_consents.json").json(&list);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
    let request = verimor.request(reqwest::Method::GET, "/v2/iys/campaigns?username=quiet&password=quiet");
    assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
}

/// Has a wrong client and a call without a token.
async fn mysoft() {
    let registry = sandbox::iys::Registry::new(sandbox::iys::Config::default()).unwrap();
    let config = sandbox::mysoft::Config::default();
    let mysoft = Served::over(|listener, stopped| sandbox::mysoft::serve(listener, config, registry, stopped)).await;
    let form = "grant_type=client_credentials&client_id=quiet&client_secret=quiet";
    let request = mysoft.request(reqwest::Method::POST, "/oauth/token").body(form);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
    let consent = json!({ "consentData": { "recipient": "quiet@example.com" } });
    assert_eq!(mysoft.post("/api/Etk/sendConsent", &consent).await.0, 401);
}
