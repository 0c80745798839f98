//! The forms of the answers that people read.

use serde_json::json;
use tests::{Crowd, World, until};

pub(crate) async fn a_lookup_tells_the_whole_story_with_transaction_ids(world: &'static World) {
    let email = Crowd::new(40).email(1);
    let onay = json!([{ "recipient": email.to_uppercase(), "type": "EPOSTA", "status": "ONAY", "source": "HS_CAGRI_MERKEZI", "externalId": "till-7" }]);
    let id = world.add(onay).await[0]["id"].clone();
    let state = world.until_settled(&email, "EPOSTA").await;
    world.until_second_after(&state["consentDate"]).await;
    world.citizen(&email, "BIREYSEL", "EPOSTA", "RET").await;
    world.until_insider_suppresses(&email).await;
    world.until_settled(&email, "EPOSTA").await;
    let movements = world.movements_at_iys(&email).await;
    let transaction = |index: usize| movements[index]["transactionId"].clone();
    let story = until("İYS's feed told of both movements", async || {
        world.job("pull").await;
        let story = world.lookup(&email).await;
        let told = story["history"].as_array().into_iter().flatten().filter(|line| line["origin"] == "registry").count();
        if told == 2 { Ok(story) } else { Err(story.to_string()) }
    })
    .await;
    assert_eq!(story["recipient"], email.as_str());
    assert!(story["recipientId"].as_str().is_some_and(|id| id.len() >= 16 && !id.contains("kisi")), "{story}");
    assert_eq!(story["states"].as_array().map(Vec::len), Some(1));
    let state = &story["states"][0];
    for (field, expected) in [
        ("type", "EPOSTA"),
        ("recipientType", "BIREYSEL"),
        ("status", "RET"),
        ("source", "IYS_WEB"),
        ("origin", "registry"),
        ("deniedBecause", "refused"),
    ] {
        assert_eq!(state[field], expected, "{field}: {story}");
    }
    assert_eq!((&state["allowed"], &state["consentDate"]), (&false.into(), &movements[1]["consentDate"]));
    assert_eq!((&state["iys"]["state"], &state["insider"]["state"]), (&"settled".into(), &"settled".into()));
    let history = story["history"].as_array().unwrap();
    let ours = history.iter().find(|line| line["id"] == id).unwrap();
    assert_eq!((&ours["origin"], &ours["source"], &ours["status"]), (&"api".into(), &"HS_CAGRI_MERKEZI".into(), &"ONAY".into()));
    assert_eq!((&ours["iys"]["outcome"], &ours["iys"]["transactionId"]), (&"applied".into(), &transaction(0)), "{story}");
    let current: Vec<_> = history.iter().filter(|line| line["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["status"], &current[0]["source"]), (1, &"RET".into(), &"IYS_WEB".into()));
    assert_eq!(history.len(), 3, "{story}");

    let nobody = Crowd::new(40).email(2);
    let story = world.lookup(&nobody).await;
    assert_eq!((&story["states"], &story["history"]), (&json!([]), &json!([])));
}

pub(crate) async fn the_status_tells_what_waits_and_when_the_feeds_were_read(world: &'static World) {
    world.job("pull").await;
    let status = until("both feeds were read", async || {
        let status = world.status("demo").await;
        let feeds = ["people", "brand"].map(|feed| status["lastPull"][feed].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()));
        if feeds.iter().all(Option::is_some) { Ok(status) } else { Err(status.to_string()) }
    })
    .await;
    assert_eq!(status["brand"], "demo");
    assert!(status["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert!(status["iys"].is_object() && status["insider"].is_object() && status["unknownEvents"].is_object());
    assert_eq!(status["truncated"], false);
    for field in ["oldestDue", "firstDeadline", "deadlineSlackSeconds"] {
        assert!(status.as_object().unwrap().contains_key(field), "{field}");
    }
}
