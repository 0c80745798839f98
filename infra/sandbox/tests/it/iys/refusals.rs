//! Refusals that a test plants.

use reqwest::Method;
use serde_json::{Value, json};

use super::{BASE, Rig, codes};

async fn plant(rig: &Rig, refusal: Value) {
    assert_eq!(rig.served.post("/_sandbox/refusals", &refusal).await.0, 200);
}

#[tokio::test]
async fn a_planted_refusal_answers_the_next_add_of_its_address_and_no_other() {
    let rig = Rig::new().await;
    plant(&rig, json!({ "recipient": "A@example.com", "type": "EPOSTA", "at": "add", "code": "H999", "http": 403, "count": 2 })).await;
    assert_eq!(rig.add("b@example.com", "ONAY", -10).await.0, 200);
    for _ in 0..2 {
        let (status, body) = rig.add("a@example.com", "ONAY", -10).await;
        assert_eq!((status, codes(&body)), (403, vec!["H999"]));
    }
    assert_eq!(rig.add("a@example.com", "ONAY", -10).await.0, 200, "used up");
    let stats = rig.served.stats().await;
    assert_eq!((&stats["faults"], &stats["rejected"], &stats["violations"]), (&json!({ "refusal": 2 }), &json!({}), &json!({})));
    assert_eq!(stats["quality"], json!({ "total": 3, "failed": 0 }), "the login and two genuine adds");
}

#[tokio::test]
async fn a_planted_refusal_can_strike_a_whole_list_or_one_row_of_it() {
    let rig = Rig::new().await;
    let list = json!([rig.consent("+905992000001", "ONAY", -10), rig.consent("+905992000002", "ONAY", -10)]);
    let path = format!("/v2{BASE}/consents/request");
    plant(&rig, json!({ "recipient": "+905992000002", "at": "list", "code": "H119" })).await;
    plant(&rig, json!({ "recipient": "+905992000002", "at": "row", "code": "H178" })).await;
    let (status, body) = rig.post(&path, &list).await;
    assert_eq!((status, &body["errors"][0]["code"], &body["errors"][0]["index"]), (422, &json!("H119"), &json!(1)));
    let (status, taken) = rig.post(&path, &list).await;
    assert_eq!(status, 202);
    rig.clock.advance(300);
    let rows = rig.results("/v2", taken["requestId"].as_str().unwrap()).await;
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!("success"), &json!("failure")));
    assert_eq!(rows[1]["error"]["code"], "H178");
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 1);
    assert_eq!(rig.served.stats().await["violations"], json!({}));
}

#[tokio::test]
async fn a_planted_refusal_can_strike_either_status_query() {
    let rig = Rig::new().await;
    rig.add("+905992000001", "ONAY", -10).await;
    plant(&rig, json!({ "recipient": "+905992000001", "recipientType": "TACIR", "at": "status", "code": "H095" })).await;
    plant(&rig, json!({ "recipient": "+905992000001", "at": "status", "code": "H170", "http": 400 })).await;
    plant(&rig, json!({ "recipient": "+905992000001", "at": "multi", "code": "H464" })).await;
    let query = json!({ "recipient": "+905992000001", "recipientType": "BIREYSEL", "type": "MESAJ" });
    let (status, body) = rig.post(&format!("{BASE}/consents/status"), &query).await;
    assert_eq!((status, codes(&body)), (400, vec!["H170"]), "the one for merchants waits for a merchant");
    assert_eq!(rig.post(&format!("{BASE}/consents/status"), &query).await.0, 200);
    let multi = format!("{BASE}/consents/BIREYSEL/status/MESAJ");
    let recipients = json!({ "recipients": ["+905992000009", "+905992000001"] });
    let (status, body) = rig.post(&multi, &recipients).await;
    assert_eq!((status, &body["errors"][0]["location"]), (422, &json!(["recipients", 1])));
    assert_eq!(rig.post(&multi, &recipients).await.0, 200);
}

#[tokio::test]
async fn planted_refusals_are_listed_and_forgotten() {
    let rig = Rig::new().await;
    plant(&rig, json!({ "recipient": "+905992000001", "at": "add", "code": "H119" })).await;
    let left = rig.served.get("/_sandbox/refusals").await;
    assert_eq!(left, json!([{ "recipient": "+905992000001", "at": "add", "code": "H119", "http": 422, "count": 1 }]));
    assert_eq!(rig.served.request(Method::DELETE, "/_sandbox/refusals").send().await.unwrap().status().as_u16(), 200);
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
    assert_eq!(rig.served.post("/_sandbox/refusals", &json!({ "recipient": "x", "at": "door", "code": "H119" })).await.0, 400);
}
