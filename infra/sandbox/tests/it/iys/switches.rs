//! Points that İYS leaves open, each in its other reading, switched while the simulator runs.

use serde_json::{Value, json};

use super::{BASE, Rig, codes};

async fn switched(change: Value) -> Rig {
    let rig = Rig::new().await;
    assert_eq!(rig.patch("switches", &change).await, 200);
    rig
}

#[tokio::test]
async fn the_v2_paths_can_be_refused_and_v1_goes_on() {
    let rig = Rig::new().await;
    for (how, status) in [("not_found", 404), ("h363", 400)] {
        assert_eq!(rig.patch("switches", &json!({ "v2_refused": how })).await, 200);
        let (found, body) = rig.add("+905992000001", "ONAY", -10).await;
        assert_eq!(found, status);
        if how == "h363" {
            assert_eq!(codes(&body), ["H363"]);
        } else {
            assert!(body.get("errors").is_none());
        }
        let path = format!("/v2{BASE}/consents/request/0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e");
        assert_eq!(rig.get(&path).await.0, status);
    }
    assert_eq!(rig.post(&format!("{BASE}/consents"), &rig.consent("+905992000001", "ONAY", -10)).await.0, 200);
    assert_eq!(rig.patch("switches", &json!({ "v2_refused": "none" })).await, 200);
    assert_eq!(rig.add("+905992000002", "ONAY", -10).await.0, 200);
}

#[tokio::test]
async fn unknown_switches_are_refused_and_change_nothing() {
    let rig = Rig::new().await;
    assert_eq!(rig.patch("switches", &json!({ "bulk_status": 200, "nonsense": true })).await, 400);
    let (status, _) = rig.post(&format!("{BASE}/consents/request"), &json!([rig.consent("+905992000001", "ONAY", 0)])).await;
    assert_eq!(status, 202);
}

#[tokio::test]
async fn a_bad_item_can_cost_itself_only() {
    let rig = switched(json!({ "bad_item": "row" })).await;
    let list = json!([
        rig.consent("905992000001", "ONAY", -10),
        rig.consent("+905992000002", "ONAY", -10),
        rig.consent("+905992000002", "RET", -10),
    ]);
    let (status, taken) = rig.post(&format!("/v2{BASE}/consents/request"), &list).await;
    assert_eq!((status, taken["subRequests"].as_array().unwrap().len()), (202, 3));
    rig.clock.advance(300);
    let rows = rig.results("/v2", taken["requestId"].as_str().unwrap()).await;
    assert_eq!(
        (&rows[0]["error"]["code"], &rows[1]["status"], &rows[2]["error"]["code"]),
        (&json!("H121"), &json!("success"), &json!("H194"))
    );
    assert_eq!(rows[2]["subRequestId"], taken["subRequests"][2]["subRequestId"]);
    let stats = rig.served.stats().await;
    assert_eq!((&stats["violations"]["rejected:H121"], &stats["violations"]["rejected:H194"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn numbers_and_addresses_can_be_narrowed() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("+491711234567", "ONAY", -10).await.0, 200);
    assert_eq!(rig.add("+902121230000", "ONAY", -10).await.0, 200);
    assert_eq!(rig.add("a..b@example.com", "ONAY", -10).await.0, 200);
    assert_eq!(rig.patch("switches", &json!({ "foreign_numbers": false, "landline_sms": false, "email_form": "strict" })).await, 200);
    for (address, code) in [("+491711234568", "H121"), ("+902121230001", "H121"), ("a..c@example.com", "H120")] {
        let (status, body) = rig.add(address, "ONAY", -10).await;
        assert_eq!((status, codes(&body)), (422, vec![code]), "{address}");
    }
}

#[tokio::test]
async fn a_cursor_can_be_stale_inclusive_and_a_limit_of_zero_harmless() {
    let rig = Rig::with(|config| {
        config.pull_tail_seconds = 0;
        config.access_token_seconds = 1000 * 3600;
    })
    .await;
    let path = format!("{BASE}/consents/changes?source=HS");
    rig.add("+905992000001", "ONAY", -10).await;
    let (_, first) = rig.get(&path).await;
    let after = first["after"].as_str().unwrap();
    assert_eq!(rig.get(&format!("{path}&after={after}")).await.0, 204);
    assert_eq!(rig.patch("switches", &json!({ "cursor_inclusive": true, "zero_limit_is_default": true })).await, 200);
    assert_eq!(rig.get(&format!("{path}&after={after}&limit=0")).await.1, first);
    rig.clock.advance(8 * 24 * 3600);
    rig.add("+905992000002", "ONAY", -10).await;
    let (_, later) = rig.get(&format!("{path}&after={after}")).await;
    assert_eq!(later["list"].as_array().unwrap().len(), 1, "from the start of the window");
    assert_eq!(rig.patch("switches", &json!({ "stale_cursor": "no_content" })).await, 200);
    assert_eq!(rig.get(&format!("{path}&after={after}")).await.0, 204);
}

#[tokio::test]
async fn stateful_rules_can_come_first_or_together_with_the_stateless() {
    let rig = Rig::new().await;
    let seeds = json!([{ "brandCode": 700_001, "recipient": "+905992000001", "type": "MESAJ", "status": "ONAY", "consentDate": "2026-11-20 10:00:00" }]);
    rig.served.post("/_sandbox/consents", &seeds).await;
    let mut late = rig.consent("+905992000001", "RET", 0);
    late["consentDate"] = json!("2026-11-10 10:00:00");
    for (order, status, expected) in
        [("stateless_first", 422, vec!["H467"]), ("stateful_first", 400, vec!["H178"]), ("together", 400, vec!["H178", "H467"])]
    {
        assert_eq!(rig.patch("switches", &json!({ "check_order": order })).await, 200);
        let (found, body) = rig.post(&format!("/v2{BASE}/consents"), &late).await;
        assert_eq!((found, codes(&body)), (status, expected), "{order}");
    }
    late["recipient"] = json!("+905992000002");
    late["status"] = json!("ONAY");
    let (found, body) = rig.post(&format!("/v2{BASE}/consents"), &late).await;
    assert_eq!((found, codes(&body)), (422, vec!["H467"]), "nothing stateful is wrong with it");
}

#[tokio::test]
async fn a_merchant_may_refuse_first_if_switched() {
    let rig = Rig::new().await;
    let mut refusal = rig.consent("+905992000001", "RET", -10);
    refusal["recipientType"] = json!("TACIR");
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &refusal).await;
    assert_eq!((status, codes(&body)), (400, vec!["H175"]));
    assert_eq!(rig.patch("switches", &json!({ "first_tacir_ret": true })).await, 200);
    assert_eq!(rig.post(&format!("/v2{BASE}/consents"), &refusal).await.0, 200);
}

#[tokio::test]
async fn the_number_of_a_subscription_can_be_misspelt() {
    let rig = switched(json!({ "subscription_id": "subscipritionId" })).await;
    let (_, body) = rig.get("/sps/700001/subscription").await;
    assert!(body.get("subscipritionId").is_some() && body.get("subscriptionId").is_none());
}
