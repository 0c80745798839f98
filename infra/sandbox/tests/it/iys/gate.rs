//! The quality gate, listed addresses, and the clock in the answers.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::Method;
use sandbox::iys::QualityGate;
use serde_json::{Value, json};

use super::{BASE, Rig, login};

async fn bad(rig: &Rig, count: usize) {
    for _ in 0..count {
        assert_eq!(rig.add("905992000001", "ONAY", -10).await.0, 422);
    }
}

async fn standing(rig: &Rig) -> Value {
    rig.served.stats().await["quality_gate"]["127.0.0.1"].clone()
}

async fn turned_away(rig: &Rig) -> bool {
    let response = rig.served.request(Method::GET, "/sps/700001/brands").bearer_auth(&rig.token).send().await.unwrap();
    let json = response.headers()["content-type"] == "application/json";
    assert!(response.status().as_u16() != 403 || !json);
    response.status().as_u16() == 403
}

#[tokio::test]
async fn an_address_whose_calls_fail_is_notified_and_loses_its_listing_after_96_hours() {
    let rig = Rig::with(|config| {
        config.quality_gate = QualityGate { minimum: 10, ..QualityGate::default() };
        config.access_token_seconds = 200 * 3600;
    })
    .await;
    bad(&rig, 8).await;
    let gate = standing(&rig).await;
    assert_eq!((&gate["total"], &gate["failed"], &gate["success_percent"]), (&json!(9), &json!(8), &json!(11)));
    assert!(gate.get("notified_at").is_none(), "below the minimum");
    bad(&rig, 1).await;
    assert_eq!(standing(&rig).await["notified_at"], "2026-11-23T09:00:00Z");
    for _ in 1..96 {
        rig.clock.advance(3600);
        bad(&rig, 1).await;
        assert!(!turned_away(&rig).await);
    }
    rig.clock.advance(3600);
    assert!(turned_away(&rig).await, "96 hours after the notification");
    let token = rig.served.request(Method::POST, "/oauth2/token").json(&super::credentials());
    assert_eq!(token.send().await.unwrap().status().as_u16(), 403);
    assert_eq!(rig.served.stats().await["violations"]["address_not_listed"], 2);
    let everyone = rig.served.request(Method::PUT, "/_sandbox/listed_addresses").json(&Value::Null);
    assert_eq!(everyone.send().await.unwrap().status().as_u16(), 200);
    assert!(!turned_away(&rig).await, "listed anew");
}

#[tokio::test]
async fn an_address_that_becomes_better_stays() {
    let rig = Rig::with(|config| config.quality_gate = QualityGate { minimum: 10, ..QualityGate::default() }).await;
    bad(&rig, 10).await;
    assert!(standing(&rig).await.get("notified_at").is_some());
    for _ in 0..30 {
        assert!(!turned_away(&rig).await);
    }
    let gate = standing(&rig).await;
    assert_eq!((&gate["success_percent"], gate.get("notified_at")), (&json!(75), None));
    rig.clock.advance(97 * 3600);
    login(&rig.served).await;
}

#[tokio::test]
async fn calls_come_from_listed_addresses_only() {
    let rig = Rig::new().await;
    let list = async |addresses: &Value| {
        let request = rig.served.request(Method::PUT, "/_sandbox/listed_addresses").json(addresses);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    };
    list(&json!([IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))])).await;
    assert!(turned_away(&rig).await);
    assert_eq!(rig.served.get("/_sandbox/health").await["status"], "ok", "control paths are open to all");
    list(&json!(["127.0.0.1"])).await;
    assert!(!turned_away(&rig).await);
}

#[tokio::test]
async fn the_date_of_every_answer_is_the_simulators() {
    let rig = Rig::new().await;
    rig.clock.advance(3600);
    for path in [format!("{BASE}/consents/changes"), "/nowhere".to_owned(), "/_sandbox/health".to_owned()] {
        let response = rig.served.request(Method::GET, &path).bearer_auth(&rig.token).send().await.unwrap();
        assert_eq!(response.headers()["date"], "Mon, 23 Nov 2026 10:00:00 GMT", "{path}");
    }
}
