//! The push service: registration, delivery, and connections that İYS drops.

use std::time::Duration;

use serde_json::{Value, json};

use super::{BASE, Rig, codes};
use crate::receiver::Receiver;
use crate::rig::eventually;

#[tokio::test]
async fn push_registers_after_its_handshake_and_delivers_recipients_movements() {
    let rig = Rig::with(|config| {
        config.allow_http_push = true;
        config.push_retry_ms = vec![1, 1, 1];
    })
    .await;
    // "iys:secret"
    let (receiver, address) = Receiver::serve(Some("aXlzOnNlY3JldA==")).await;
    let connection = json!({ "url": format!("http://{address}/hook"), "type": "MESAJ", "username": "iys", "password": "secret" });
    let path = format!("{BASE}/push/registration");
    let (status, body) = rig.post(&path, &json!({ "connection": [connection] })).await;
    assert_eq!(status, 200, "{body}");
    let test = &receiver.taken()[0].1["list"][0];
    assert_eq!((&test["brandCode"], &test["recipient"]), (&json!(121_212), &json!("pushtest@iys.org.tr")));
    let (_, listed) = rig.get(&path).await;
    assert_eq!(listed[0]["status"], "Bağlantı Oluşturuldu");
    receiver.answer_next(&[500, 503]);
    rig.add("+905992000001", "ONAY", -10).await;
    let act =
        |kind: &str| json!({ "brandCode": 700_001, "recipient": "+905992000001", "type": kind, "status": "RET", "source": "IYS_MOBIL" });
    rig.served.post("/_sandbox/citizen", &act("ARAMA")).await;
    rig.served.post("/_sandbox/citizen", &act("MESAJ")).await;
    let (_, pushed) = eventually(async || receiver.taken().get(1).cloned()).await;
    assert_eq!(pushed["list"].as_array().unwrap().len(), 1, "only the registered channel, and nothing of ours");
    assert_eq!((&pushed["list"][0]["type"], &pushed["list"][0]["source"]), (&json!("MESAJ"), &json!("IYS_MOBIL")));
    assert_eq!(pushed["list"][0]["iysCode"], 700_001);
    let counts = eventually(async || {
        let counts = rig.served.stats().await["deliveries"].clone();
        (counts["delivered"] == 1).then_some(counts)
    })
    .await;
    assert_eq!((&counts["attempts"], &counts["failed_attempts"]), (&json!(3), &json!(2)));
    assert_eq!(rig.post(&format!("{BASE}/push/unregistration"), &connection).await.0, 200);
    assert_eq!(rig.get(&path).await.1, json!([]));
}

#[tokio::test]
async fn push_is_not_registered_where_credentials_are_not_asked_for() {
    let rig = Rig::with(|config| config.allow_http_push = true).await;
    let (_, open) = Receiver::serve(None).await;
    let connection = |url: String| json!({ "connection": [{ "url": url, "type": "MESAJ", "username": "iys", "password": "secret" }] });
    let path = format!("{BASE}/push/registration");
    let (status, body) = rig.post(&path, &connection(format!("http://{open}/hook"))).await;
    assert_eq!((status, codes(&body)), (422, vec!["H530"]));
    let (status, body) = rig.post(&path, &connection("ftp://example.com".to_owned())).await;
    assert_eq!((status, codes(&body)), (422, vec!["H531"]));
    let strict = Rig::new().await;
    let (status, body) = strict.post(&path, &connection(format!("http://{open}/hook"))).await;
    assert_eq!((status, codes(&body)), (422, vec!["H531"]), "http needs the setting");
}

/// "iys:secret" for Basic authentication.
const CREDENTIALS: &str = "aXlzOnNlY3JldA==";

fn connection(url: &str, kind: &str) -> Value {
    json!({ "url": url, "type": kind, "username": "iys", "password": "secret" })
}

async fn register(rig: &Rig, connections: &[Value]) -> (u16, Value) {
    rig.post(&format!("{BASE}/push/registration"), &json!({ "connection": connections })).await
}

async fn act(rig: &Rig, recipient: &str) {
    let act = json!({ "brandCode": 700_001, "recipient": recipient, "type": "MESAJ", "status": "RET" });
    assert_eq!(rig.served.post("/_sandbox/citizen", &act).await.0, 200);
}

async fn pushing(change: impl FnOnce(&mut sandbox::iys::Config)) -> (Rig, Receiver, String) {
    let rig = Rig::with(|config| {
        config.allow_http_push = true;
        config.push_retry_ms = vec![1, 1, 1];
        change(config);
    })
    .await;
    let (receiver, address) = Receiver::serve(Some(CREDENTIALS)).await;
    (rig, receiver, format!("http://{address}/hook"))
}

#[tokio::test]
async fn a_channel_has_two_active_connections_at_most() {
    let (rig, _receiver, url) = pushing(|_| {}).await;
    for _ in 0..2 {
        assert_eq!(register(&rig, &[connection(&url, "MESAJ")]).await.0, 200);
    }
    let (status, body) = register(&rig, &[connection(&url, "MESAJ")]).await;
    assert_eq!((status, codes(&body)), (422, vec!["H530"]));
    assert_eq!(register(&rig, &[connection(&url, "ARAMA")]).await.0, 200, "another channel has its own");
    let three = [connection(&url, "EPOSTA"), connection(&url, "EPOSTA"), connection(&url, "EPOSTA")];
    assert_eq!(register(&rig, &three).await.0, 422);
    assert_eq!(rig.get(&format!("{BASE}/push/registration")).await.1.as_array().unwrap().len(), 3, "all or none");
}

#[tokio::test]
async fn each_fault_of_a_registration_has_its_code() {
    let (rig, _receiver, url) = pushing(|config| config.push_timeout_ms = 50).await;
    for (change, code) in [
        (json!({ "url": null }), "H531"),
        (json!({ "type": null }), "H111"),
        (json!({ "type": "SMS" }), "H117"),
        (json!({ "username": "" }), "H093"),
        (json!({ "password": null }), "H093"),
        (json!({ "password": "wrong" }), "H530"),
        (json!({ "url": "http://127.0.0.1:1/hook" }), "H530"),
    ] {
        let mut wrong = connection(&url, "MESAJ");
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, body) = register(&rig, &[wrong]).await;
        assert_eq!((status, codes(&body)), (422, vec![code]), "{change}");
    }
    // It takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", silent.local_addr().unwrap());
    let (status, body) = register(&rig, &[connection(&url, "MESAJ")]).await;
    assert_eq!((status, codes(&body)), (422, vec!["H191"]));
    assert_eq!(rig.get(&format!("{BASE}/push/registration")).await.1, json!([]));
}

#[tokio::test]
async fn a_dropped_connection_is_gone_or_listed_as_failed_and_gets_nothing() {
    let (rig, receiver, url) = pushing(|_| {}).await;
    let path = format!("{BASE}/push/registration");
    for (how, listed) in [("removed", json!([])), ("failed", json!(["Bağlantı Oluşturulamadı"]))] {
        assert_eq!(register(&rig, &[connection(&url, "MESAJ")]).await.0, 200);
        let drop = json!({ "brandCode": 700_001, "type": "MESAJ", "how": how });
        assert_eq!(rig.served.post("/_sandbox/push/drop", &drop).await, (200, json!({ "dropped": 1 })));
        let (_, rows) = rig.get(&path).await;
        let states: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
        assert_eq!(json!(states), listed);
        act(&rig, "+905992000001").await;
        assert_eq!(rig.served.stats().await["deliveries"]["queued"], 0);
    }
    assert_eq!(register(&rig, &[connection(&url, "MESAJ")]).await.0, 200);
    let (_, rows) = rig.get(&path).await;
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["status"]), (1, &json!("Bağlantı Oluşturuldu")), "the failed one is replaced");
    act(&rig, "+905992000001").await;
    eventually(async || (rig.served.stats().await["deliveries"]["delivered"] == 1).then_some(())).await;
    assert_eq!(receiver.taken().len(), 4, "three handshakes and one record");
}

#[tokio::test]
async fn records_come_in_batches_of_the_set_size_and_twice_if_switched() {
    let (rig, receiver, url) = pushing(|config| {
        config.push_batch_maximum = 2;
        config.push_retry_ms = vec![200];
        config.switches.push_twice = true;
        config.switches.push_newest_first = true;
    })
    .await;
    assert_eq!(register(&rig, &[connection(&url, "MESAJ")]).await.0, 200);
    // While the first record waits for its second attempt, the others gather.
    receiver.answer_next(&[503]);
    act(&rig, "+905992000000").await;
    eventually(async || (rig.served.stats().await["deliveries"]["failed_attempts"] == 1).then_some(())).await;
    for n in 1..4 {
        act(&rig, &format!("+90599200000{n}")).await;
    }
    eventually(async || (rig.served.stats().await["deliveries"]["delivered"] == 4).then_some(())).await;
    let taken = eventually(async || Some(receiver.taken()).filter(|taken| taken.len() == 7)).await;
    let batches: Vec<Vec<String>> = taken
        .iter()
        .skip(1)
        .map(|(_, body)| body["list"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap()[12..].to_owned()).collect())
        .collect();
    assert_eq!(batches, [vec!["0"], vec!["0"], vec!["2", "1"], vec!["2", "1"], vec!["3"], vec!["3"]]);
}

#[tokio::test]
async fn a_receiver_that_is_too_slow_counts_as_not_having_taken_it() {
    let (rig, receiver, url) = pushing(|config| config.push_timeout_ms = 100).await;
    assert_eq!(register(&rig, &[connection(&url, "MESAJ")]).await.0, 200);
    receiver.slow_down(Duration::from_millis(400));
    act(&rig, "+905992000001").await;
    let counts = eventually(async || {
        let counts = rig.served.stats().await["deliveries"].clone();
        (counts["abandoned"] == 1).then_some(counts)
    })
    .await;
    assert_eq!((&counts["attempts"], &counts["delivered"]), (&json!(4), &json!(0)));
}
