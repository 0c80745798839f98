//! Many consents at once.

use serde_json::{Value, json};
use tests::{Crowd, Vendor, World, until};

/// How many: far more than go one by one.
const PEOPLE: u32 = 300;

pub(crate) async fn many_consents_at_once_go_as_a_bulk_submission_and_their_results_are_awaited(world: &'static World) {
    let crowd = Crowd::new(20);
    let consents: Vec<Value> =
        (0..PEOPLE).map(|person| json!({ "recipient": crowd.email(person), "type": "EPOSTA", "status": "ONAY" })).collect();
    let results = world.add(Value::Array(consents)).await;
    assert!(results.iter().all(|result| result["result"] == "accepted"));
    let everybody: Vec<String> = (0..PEOPLE).map(|person| crowd.email(person)).collect();
    until("everybody is allowed", async || {
        let answer = world.ask("/v1/demo/consents/check", &json!({ "type": "EPOSTA", "recipients": everybody })).await;
        let denied = answer["denied"].as_array().map_or(0, Vec::len);
        if denied == 0 { Ok(()) } else { Err(format!("{denied} denied, such as {}", answer["denied"][0]["reason"])) }
    })
    .await;
    for person in [0, 1, 150, 299] {
        let email = crowd.email(person);
        let state = world.until_settled(&email, "EPOSTA").await;
        assert_eq!(state["iys"]["outcome"], "applied");
        world.until_insider_allows(&email).await;
        assert_eq!(world.movements_at_iys(&email).await.len(), 1);
    }
    let stats = world.stats(Vendor::Iys).await;
    let calls = stats["calls"].as_array().cloned().unwrap_or_default();
    let bulk = "/v2/sps/{iysCode}/brands/{brandCode}/consents/request";
    assert!(calls.iter().any(|call| call["method"] == "POST" && call["path"] == bulk), "{stats}");
    assert_eq!(stats["violations"]["result_queried_early"], Value::Null);
    assert_eq!(stats["warnings"]["result_of_unknown_request"], Value::Null);
}
