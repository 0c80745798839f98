//! An export from Insider through the whole system: ordered by the job, told of through the gateway, compared,
//! and what Insider had lost told again.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Crowd, Setup, Vendor, World, until};

const PATH: &str = "/v1/demo/insider/export";

/// Insider's hook leads here, and what comes is passed on by the test: the system's address is not known
/// before its documents are written.
async fn hook() -> (String, Arc<Mutex<Option<Vec<u8>>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?key=kanca-gizli", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&told);
    let take = move |body: axum::body::Bytes| {
        *kept.lock().unwrap() = Some(body.to_vec());
        async { "{}" }
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
    (url, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_insider_lost_is_found_by_the_days_export_and_told_again() {
    let (hook, told) = hook().await;
    let mut setup = Setup::new(env!("CARGO_BIN_EXE_stack"));
    // Each step is taken here.
    setup.schedule_speed = 1.0;
    setup.simulators.insider.export_delay_seconds = 3;
    setup.brands.push(json!({ "name": "demo", "insider": {
        "webhookAuth": [
            { "mode": "header", "name": "X-Insider-Secret", "secret": "demo-insider-secret" },
            { "mode": "query", "name": "key", "secret": "kanca-gizli" },
        ],
        "outbound": { "export": { "segmentId": 1, "hook": hook, "format": "json", "lagMinutes": 0 } },
    } }));
    let world = World::start(setup).await;
    let crowd = Crowd::new(99);
    let (refused, consented, stranger) = (crowd.email(1), crowd.email(2), crowd.email(3));
    world.add_one(&refused, "EPOSTA", "RET").await;
    world.add_one(&consented, "EPOSTA", "ONAY").await;
    for address in [&refused, &consented] {
        world.until_settled(address, "EPOSTA").await;
    }
    assert_eq!(world.reachable_at_insider(&refused).await, (true, json!(false)));
    world.set_flag_at_insider(&refused, "email_optin", true).await;
    world.set_flag_at_insider(&stranger, "email_optin", true).await;

    assert_eq!(world.job_for("insider_export", "demo").await["exports"], 1);
    assert_eq!(world.job_for("insider_export", "demo").await["exports"], 0, "one a day");
    assert_eq!(world.status("demo").await["insiderExport"]["stage"], "ordered");
    let notice = until("Insider tells its hook", async || told.lock().unwrap().clone().ok_or_else(|| "nothing".to_owned())).await;
    for query in ["", "?key=baska", "?anahtar=kanca-gizli"] {
        assert_eq!(world.request_with(Method::POST, &format!("{PATH}{query}"), &[], notice.clone()).await.status, 401, "{query}");
    }
    let answer = world.request_with(Method::POST, &format!("{PATH}?key=kanca-gizli"), &[], notice.clone()).await;
    assert_eq!((answer.status, answer.json), (200, json!({ "expected": true })));

    let report = world.job_for("insider_export", "demo").await;
    assert_eq!((&report["retold"], &report["rows"]), (&json!(1), &json!(6)), "three profiles, read twice: {report}");
    world.until_settled(&refused, "EPOSTA").await;
    assert_eq!(world.reachable_at_insider(&refused).await, (true, json!(false)));
    let status = world.status("demo").await;
    let last = &status["insiderExport"]["last"];
    let counted = |name: &str| last[name].as_u64();
    assert_eq!(last["outcome"], "repaired", "{status}");
    let names = ["profiles", "compared", "allowedAgainstRefusal", "offAgainstConsent", "unknown"];
    assert_eq!(names.map(counted), [3, 2, 1, 0, 1].map(Some), "{last}");
    assert_eq!(world.reachable_at_insider(&stranger).await.1, json!(true));

    // Neither the link nor what opens the hook is shown anywhere.
    let told: Value = serde_json::from_slice(&notice).unwrap();
    let link = told["url"].as_str().unwrap();
    for secret in ["kanca-gizli", link] {
        assert!(!world.output().contains(secret) && !status.to_string().contains(secret), "{secret}");
    }
    assert!(world.stats(Vendor::Insider).await["calls"].to_string().contains("/api/raw/v1/export"));
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "insider_export.log");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}
