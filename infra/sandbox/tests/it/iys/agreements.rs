//! Reconciliation: summary, digest, day file, time stamp, confirmation.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384};

use super::{BASE, Rig, codes, login};

const DAY: &str = "2026-11-23";

async fn file(rig: &Rig) -> (u16, String) {
    let request = rig.served.request(Method::GET, &format!("{BASE}/changes/{DAY}/file")).bearer_auth(&rig.token);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The next day, with some movements of the day before: two of them within one second.
async fn next_day() -> Rig {
    let rig = Rig::with(|config| config.access_token_seconds = 100 * 3600).await;
    let mut merchant = rig.consent("+902121230000", "ONAY", 0);
    merchant["recipientType"] = json!("TACIR");
    merchant["type"] = json!("ARAMA");
    merchant.as_object_mut().unwrap().retain(|field, _| field != "source" && field != "consentDate");
    assert_eq!(rig.post(&format!("/v2{BASE}/consents"), &merchant).await.0, 200);
    rig.clock.advance(10);
    rig.add("b@example.com", "ONAY", -9).await;
    rig.clock.advance(10);
    rig.add("a@example.com", "ONAY", -9).await;
    rig.add("a@example.com", "RET", -8).await;
    let act = json!({ "brandCode": 700_001, "recipient": "b@example.com", "type": "EPOSTA", "status": "RET", "source": "IYS_WEB" });
    rig.clock.advance(10);
    rig.served.post("/_sandbox/citizen", &act).await;
    rig.clock.advance(24 * 3600);
    rig
}

#[tokio::test]
async fn the_day_file_lists_every_movement_in_order_and_its_digest_is_sha_384() {
    let rig = next_day().await;
    let (status, text) = file(&rig).await;
    assert_eq!(status, 200);
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("creationDate,transactionId,recipient,recipientType,type,status,consentDate,source"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let short: Vec<[&str; 5]> = rows.iter().map(|row| [row[0], row[2], row[4], row[5], row[7]]).collect();
    assert_eq!(
        short,
        [
            ["2026-11-23 12:00:00", "+902121230000", "ARAMA", "ONAY", ""],
            ["2026-11-23 12:00:10", "b@example.com", "EPOSTA", "ONAY", "HS_WEB"],
            ["2026-11-23 12:00:20", "a@example.com", "EPOSTA", "ONAY", "HS_WEB"],
            ["2026-11-23 12:00:20", "a@example.com", "EPOSTA", "RET", "HS_WEB"],
            ["2026-11-23 12:00:30", "b@example.com", "EPOSTA", "RET", "IYS_WEB"],
        ]
    );
    assert_eq!((rows[0][3], rows[0][6]), ("TACIR", ""), "a merchant's first record may have no date");
    assert_eq!(rows[2][1], rows[3][1], "one transaction for both movements of a second");
    let (_, info) = rig.get(&format!("{BASE}/agreements/{DAY}")).await;
    let digest = data_encoding::HEXLOWER.encode(&Sha384::digest(&text));
    assert_eq!(info, json!({ "processStatus": "completed", "hashValue": digest, "hashMethod": "SHA-384", "agreementStatus": false }));
}

#[tokio::test]
async fn the_form_of_the_file_and_of_its_digest_can_be_switched() {
    let rig = next_day().await;
    let path = format!("{BASE}/agreements/{DAY}");
    assert_eq!(rig.patch("switches", &json!({ "hash_method": "SHA-256", "hash_without_header": true })).await, 200);
    let (_, text) = file(&rig).await;
    let body = text.split_once('\n').unwrap().1;
    let (_, info) = rig.get(&path).await;
    assert_eq!(info["hashValue"], data_encoding::HEXLOWER.encode(&Sha256::digest(body)));
    assert_eq!(info["hashMethod"], "SHA-256");
    let changes = json!({ "day_file_header": false, "day_file_crlf": true, "one_row_per_transaction": true });
    assert_eq!(rig.patch("switches", &changes).await, 200);
    let (_, text) = file(&rig).await;
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 4, "{text}");
    assert!(rows[2].contains("a@example.com,BIREYSEL,EPOSTA,RET"), "the last movement of a transaction stands");
}

#[tokio::test]
async fn the_summary_counts_by_channel_and_side() {
    let rig = next_day().await;
    let (status, body) = rig.get(&format!("{BASE}/changes/{DAY}/recipients/BIREYSEL")).await;
    assert_eq!(status, 200);
    let expected = json!([
        { "type": "ARAMA", "consents": [] },
        { "type": "MESAJ", "consents": [] },
        { "type": "EPOSTA", "consents": [
            { "source": "HS", "approval": 2, "rejection": 1, "pending": 0, "total": 3 },
            { "source": "IYS", "approval": 0, "rejection": 1, "pending": 0, "total": 1 },
        ]},
    ]);
    assert_eq!(body["changeStats"], expected);
    let (_, merchants) = rig.get(&format!("{BASE}/changes/{DAY}/recipients/TACIR")).await;
    assert_eq!(merchants["changeStats"][0]["consents"][0]["approval"], 1);
    let (status, body) = rig.get(&format!("{BASE}/changes/{DAY}/recipients/KURUMSAL")).await;
    assert_eq!((status, codes(&body)), (422, vec!["H116"]));
}

#[tokio::test]
async fn bulk_items_that_are_not_written_yet_are_pending() {
    let rig = Rig::with(|config| {
        config.bulk_delay_seconds = 2 * 24 * 3600;
        config.access_token_seconds = 100 * 3600;
    })
    .await;
    let list = json!([rig.consent("+905992000001", "ONAY", -10), rig.consent("a@example.com", "ONAY", -10)]);
    assert_eq!(rig.post(&format!("{BASE}/consents/request"), &list).await.0, 202);
    rig.clock.advance(24 * 3600);
    let (_, body) = rig.get(&format!("{BASE}/changes/{DAY}/recipients/BIREYSEL")).await;
    let sms = &body["changeStats"][1]["consents"][0];
    assert_eq!((&sms["pending"], &sms["approval"], &sms["total"]), (&json!(1), &json!(0), &json!(1)));
    rig.clock.advance(24 * 3600);
    let (_, body) = rig.get(&format!("{BASE}/changes/{DAY}/recipients/BIREYSEL")).await;
    assert_eq!(body["changeStats"][1]["consents"], json!([]), "written by now, and on another day");
}

#[tokio::test]
async fn a_day_is_confirmed_with_true_and_only_if_there_is_something() {
    let rig = next_day().await;
    let path = format!("{BASE}/agreements/{DAY}");
    for body in [json!({ "agreementStatus": false }), json!({})] {
        let (status, body) = rig.put(&path, &body).await;
        assert_eq!((status, codes(&body)), (422, vec!["H512"]));
    }
    let yes = json!({ "agreementStatus": true });
    assert_eq!(rig.put(&path, &yes).await, (200, json!({ "agreementCaptured": true })));
    assert_eq!(rig.get(&path).await.1["agreementStatus"], true);
    assert_eq!(rig.served.get("/_sandbox/agreements").await, json!([{ "brandCode": 700_001, "reportDate": DAY }]));
    let empty = format!("{BASE}/agreements/2026-11-22");
    assert_eq!(rig.put(&empty, &yes).await, (204, Value::Null));
    assert_eq!(rig.get(&empty).await.0, 204);
    assert_eq!(rig.get(&format!("{BASE}/changes/2026-11-22/file")).await.0, 204);
    assert_eq!(rig.get(&format!("{BASE}/agreements/2026-11-22/timestamp")).await.0, 204);
}

#[tokio::test]
async fn only_the_seven_finished_days_can_be_asked_for() {
    let rig = next_day().await;
    let fresh = Rig { token: login(&rig.served).await, ..rig };
    for (day, status, code) in [
        ("23.11.2026", 422, "H501"),
        ("2026-11-3", 422, "H501"),
        ("2026-11-31", 422, "H501"),
        ("2026-11-24", 422, "H502"),
        ("2026-11-25", 422, "H502"),
        ("2026-11-16", 422, "H502"),
    ] {
        for path in [format!("agreements/{day}"), format!("changes/{day}/file"), format!("changes/{day}/recipients/BIREYSEL")] {
            let (found, body) = fresh.get(&format!("{BASE}/{path}")).await;
            assert_eq!((found, codes(&body)), (status, vec![code]), "{path}");
        }
    }
    assert_eq!(fresh.get(&format!("{BASE}/agreements/2026-11-17")).await.0, 204, "seven days ago");
}

#[tokio::test]
async fn a_file_that_is_not_completed_is_not_there_yet() {
    let rig = next_day().await;
    let path = format!("{BASE}/agreements/{DAY}");
    for status in ["queued", "inprogress", "error"] {
        let hold = json!({ "brandCode": 700_001, "reportDate": DAY, "processStatus": status });
        assert_eq!(rig.served.post("/_sandbox/agreements", &hold).await.0, 200);
        assert_eq!(rig.get(&path).await, (200, json!({ "processStatus": status, "agreementStatus": false })));
        assert_eq!(file(&rig).await.0, 204);
        assert_eq!(rig.put(&path, &json!({ "agreementStatus": true })).await.0, 204);
    }
    let done = json!({ "brandCode": 700_001, "reportDate": DAY, "processStatus": "completed" });
    rig.served.post("/_sandbox/agreements", &done).await;
    assert_eq!(file(&rig).await.0, 200);
}

#[tokio::test]
async fn the_time_stamp_is_over_the_files_digest() {
    let rig = next_day().await;
    let (_, text) = file(&rig).await;
    let request = rig.served.request(Method::GET, &format!("{BASE}/agreements/{DAY}/timestamp")).bearer_auth(&rig.token);
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    let digest = Sha384::digest(&text);
    assert!(bytes.windows(digest.len()).any(|window| window == digest.as_slice()));
    assert!(bytes.windows(15).any(|window| window == b"20261123205959Z"), "the end of the Turkish day");
}
