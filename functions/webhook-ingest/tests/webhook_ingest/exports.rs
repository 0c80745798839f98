//! What Insider's notice of an export must show, and what it may do.

use serde_json::json;

use crate::desk::{Desk, EXPORTS, PROOF};

const PATH: &str = "/v1/demo/insider/export";

#[tokio::test]
async fn a_notice_is_taken_with_proof_only_and_only_where_the_brand_sets_an_export_up() {
    let export = json!({ "outbound": { "export": { "segmentId": 1, "hook": "https://izin.example.com/v1/demo/insider/export?key=x" } } });
    let body = json!({ "url": format!("{EXPORTS}/demo/p/file.csv") }).to_string().into_bytes();
    let desk = Desk::new(export).await;
    assert_eq!(desk.post(PATH, &[], body.clone()).await.status, 401);
    assert_eq!(desk.post(PATH, &[(PROOF.0, "another")], body.clone()).await.status, 401);
    // Nothing was ordered, so nothing is expected, whatever the body is.
    for body in [body.clone(), Vec::new(), b"ready".to_vec(), vec![0xff; 64]] {
        let answer = desk.post(PATH, &[PROOF], body).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "expected": false })));
    }
    let without = Desk::new(json!({})).await;
    assert_eq!(without.post(PATH, &[], body.clone()).await.status, 401, "who proves nothing learns nothing");
    assert_eq!(without.post(PATH, &[PROOF], body).await.status, 404);
}
