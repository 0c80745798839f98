//! Accounts: subscriptions, quotas, channels and brands, also as they change while the simulator runs.

use sandbox::iys::{Brand, ConsentType, Subscription, SubscriptionStatus};
use serde_json::{Value, json};

use super::{BASE, Rig, codes};

#[tokio::test]
async fn channels_subscriptions_and_packages_bound_what_may_be_written() {
    let rig = Rig::with(|config| {
        config.providers[0].brands[0].channels = Some(vec![ConsentType::Mesaj]);
        config.providers[0].subscription = Some(Subscription { consent_limit: Some(1), ..Subscription::default() });
    })
    .await;
    let (status, body) = rig.add("a@example.com", "ONAY", 0).await;
    assert_eq!((status, codes(&body)), (404, vec!["H355"]));
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
    let (status, body) = rig.add("+905992000002", "ONAY", -10).await;
    assert_eq!((status, codes(&body)), (422, vec!["H525"]));
    assert_eq!(rig.add("+905992000001", "RET", -5).await.0, 200, "a stored address needs no room");
    let (_, subscription) = rig.get("/sps/700001/subscription").await;
    assert_eq!((&subscription["status"], &subscription["usedConsentLimit"]), (&json!("ACTIVE"), &json!(1)));
    for (subscription_status, code) in [(SubscriptionStatus::Paused, "H520"), (SubscriptionStatus::Closed, "H521")] {
        let rig = Rig::with(|config| {
            config.providers[0].subscription = Some(Subscription { status: subscription_status, ..Subscription::default() });
        })
        .await;
        let (status, body) = rig.add("+905992000001", "ONAY", 0).await;
        assert_eq!((status, codes(&body)), (403, vec![code]));
        assert_eq!(rig.get("/sps/700001/subscription").await.0, 200);
    }
}

#[tokio::test]
async fn a_subscription_changes_while_the_simulator_runs() {
    let rig = Rig::new().await;
    let state = |subscription: Value| json!({ "iysCode": 700_001, "subscription": subscription });
    for (subscription, status, code) in [
        (json!({ "status": "PAUSED" }), 403, "H520"),
        (json!({ "status": "EXPIRED" }), 403, "H520"),
        (json!({ "status": "CLOSED" }), 403, "H521"),
        (json!({ "status": "ACTIVE", "includesApi": false }), 403, "H586"),
        (Value::Null, 403, "H524"),
    ] {
        assert_eq!(rig.patch("accounts", &state(subscription.clone())).await, 200);
        let (found, body) = rig.add("+905992000001", "ONAY", -10).await;
        assert_eq!((found, codes(&body)), (status, vec![code]), "{subscription}");
        let (found, _) = rig.get("/sps/700001/subscription").await;
        assert_eq!(found, if subscription.is_null() { 404 } else { 200 });
    }
    assert_eq!(rig.patch("accounts", &state(json!({ "includesApi": true }))).await, 200);
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
}

#[tokio::test]
async fn an_active_subscription_ends_at_its_last_moment() {
    let rig = Rig::new().await;
    let last = json!({ "iysCode": 700_001, "subscription": { "expirationDate": "2026-11-23T12:00:00" } });
    assert_eq!(rig.patch("accounts", &last).await, 200);
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
    rig.clock.advance(1);
    let (status, body) = rig.add("+905992000002", "ONAY", -10).await;
    assert_eq!((status, codes(&body)), (403, vec!["H520"]));
    assert_eq!(rig.get("/sps/700001/subscription").await.1["status"], "EXPIRED");
}

#[tokio::test]
async fn the_address_quota_counts_on_from_what_is_set_as_used() {
    let rig = Rig::new().await;
    rig.add("+905992000001", "ONAY", -10).await;
    let quota = |fields: Value| json!({ "iysCode": 700_001, "subscription": fields });
    assert_eq!(rig.patch("accounts", &quota(json!({ "consentLimit": 100, "usedConsentLimit": 98 }))).await, 200);
    assert_eq!(rig.get("/sps/700001/subscription").await.1["usedConsentLimit"], 98);
    for n in 2..4 {
        assert_eq!(rig.add(&format!("+90599200000{n}"), "ONAY", -10).await.0, 200);
    }
    let (status, body) = rig.add("+905992000004", "ONAY", -10).await;
    assert_eq!((status, codes(&body)), (422, vec!["H525"]));
    let list = json!([rig.consent("+905992000005", "ONAY", -10)]);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents/request"), &list).await;
    assert_eq!((status, codes(&body)), (422, vec!["H525"]));
    let (_, shown) = rig.get("/sps/700001/subscription").await;
    assert_eq!((&shown["usedConsentLimit"], &shown["consentLimit"]), (&json!(100), &json!(100)));
    assert_eq!(rig.patch("accounts", &quota(json!({ "consentLimitExceed": true }))).await, 200);
    assert_eq!(rig.add("+905992000004", "ONAY", -10).await.0, 200);
    assert_eq!(rig.get("/sps/700001/subscription").await.1["usedConsentLimit"], 101);
}

#[tokio::test]
async fn channels_come_and_go_while_the_simulator_runs() {
    let rig = Rig::new().await;
    assert_eq!(rig.patch("accounts", &json!({ "brandCode": 700_001, "channels": ["EPOSTA"] })).await, 200);
    let (status, body) = rig.add("+905992000001", "ONAY", -10).await;
    assert_eq!((status, codes(&body)), (404, vec!["H355"]));
    assert_eq!(rig.add("a@example.com", "ONAY", -10).await.0, 200);
    assert_eq!(rig.patch("accounts", &json!({ "brandCode": 700_001, "channels": null })).await, 200);
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
}

#[tokio::test]
async fn a_change_names_one_account_that_there_is() {
    let rig = Rig::new().await;
    for (change, status) in [
        (json!({ "iysCode": 1, "subscription": null }), 404),
        (json!({ "brandCode": 1, "channels": null }), 404),
        (json!({ "integratorCode": 1, "grants": [] }), 404),
        (json!({ "iysCode": 700_001, "channels": null }), 400),
        (json!({ "subscription": null }), 400),
        (json!({ "iysCode": 700_001, "subscription": { "state": "PAUSED" } }), 400),
    ] {
        assert_eq!(rig.patch("accounts", &change).await, status, "{change}");
    }
    let shown = rig.served.get("/_sandbox/accounts").await;
    assert_eq!(shown["providers"][0]["subscription"]["status"], "ACTIVE");
    assert!(!shown.to_string().contains("demo-iys-password"));
}

#[tokio::test]
async fn consents_belong_to_their_brand_alone() {
    let rig = Rig::with(|config| {
        config.providers[0].brands.push(Brand { brand_code: 700_002, name: "Second".to_owned(), ..Brand::default() });
        config.pull_tail_seconds = 0;
    })
    .await;
    let second = "/sps/700001/brands/700002";
    let path = format!("/v2{second}/consents");
    assert_eq!(rig.post(&path, &rig.consent("+905992000001", "ONAY", -10)).await.0, 200);
    let (status, body) = rig.add("+905992000001", "RET", -5).await;
    assert_eq!((status, codes(&body)), (400, vec!["H175"]), "the first brand knows nothing of it");
    assert_eq!(rig.get(&format!("{second}/consents/changes?source=HS")).await.1["list"].as_array().unwrap().len(), 1);
    assert_eq!(rig.get(&format!("{BASE}/consents/changes?source=HS")).await.0, 204);
    let (_, brands) = rig.get("/sps/700001/brands").await;
    let totals: Vec<_> = brands.as_array().unwrap().iter().map(|brand| brand["stats"]["consents"]["total"].clone()).collect();
    assert_eq!(totals, [0, 1]);
    assert_eq!(rig.get("/sps/700001/subscription").await.1["usedConsentLimit"], 1, "the quota is the provider's");
}
