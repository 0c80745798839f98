//! Business partners: their list of brands, and what their token opens and does not open.

use reqwest::Method;
use sandbox::iys::{Authority, Brand, Config, Grant, Partner, Provider, Subscription};
use serde_json::{Value, json};

use super::{BASE, Rig, codes, login_as};
use crate::rig::answer;

fn grant(brand_code: u64) -> Grant {
    Grant { brand_code, mesaj: Some(Authority::Write), arama: Some(Authority::Read), agreement_control: true, ..Grant::default() }
}

fn partners(config: &mut Config) {
    config.providers.push(Provider {
        iys_code: 800_001,
        username: "other".to_owned(),
        password: "other".to_owned(),
        brands: vec![Brand { brand_code: 800_001, master: true, ..Brand::default() }, Brand { brand_code: 800_002, ..Brand::default() }],
        ..Provider::default()
    });
    let partner = |code: u64, grants| Partner {
        integrator_code: code,
        title: "Partner A.S.".to_owned(),
        username: format!("partner-{code}"),
        password: "secret".to_owned(),
        subscription: Some(Subscription::default()),
        grants,
    };
    config.partners = vec![partner(900_001, vec![grant(700_001)]), partner(900_002, vec![grant(800_002)])];
}

/// A simulator with partners, and the token of the first.
async fn partnered(change: impl FnOnce(&mut Config)) -> Rig {
    let rig = Rig::with(|config| {
        partners(config);
        change(config);
    })
    .await;
    let credentials = json!({ "grant_type": "password", "username": "partner-900001", "password": "secret" });
    let token = login_as(&rig.served, &credentials).await;
    Rig { token, ..rig }
}

#[tokio::test]
async fn a_partner_lists_the_brands_that_it_is_authorised_for() {
    let rig = partnered(|_| {}).await;
    let (status, body) = rig.get("/integrator/900001/sps").await;
    assert_eq!(status, 200);
    assert_eq!(body["pagination"], json!({ "offset": 0, "totalCount": 1, "pageSize": 1 }));
    let expected = json!([{
        "brandCode": "700001", "iysCode": "700001", "name": "Demo", "master": true, "title": "Demo A.S.",
        "MESAJ": "write", "ARAMA": "read", "agreementControl": true, "viaControl": false,
    }]);
    assert_eq!(body["list"], expected, "texts, as in İYS's sample");
    let (_, one) = rig.get("/integrator/900001/sps/700001").await;
    assert_eq!((&one["list"][0]["brandCode"], &one["list"][0]["iysCode"]), (&json!(700_001), &json!(700_001)));
    let grants = json!({ "integratorCode": 900_001, "grants": [{ "brandCode": 700_001 }, { "brandCode": 800_001, "EPOSTA": "write" }, { "brandCode": 800_002 }] });
    assert_eq!(rig.patch("accounts", &grants).await, 200);
    let (_, page) = rig.get("/integrator/900001/sps?offset=1&limit=1").await;
    assert_eq!(page["pagination"], json!({ "offset": 1, "totalCount": 3, "pageSize": 1 }));
    assert_eq!((&page["list"][0]["brandCode"], &page["list"][0]["EPOSTA"]), (&json!("800001"), &json!("write")));
    let (status, body) = rig.get("/integrator/900001/sps?limit=101").await;
    assert_eq!((status, codes(&body)), (422, vec!["H186"]));
    let (_, two) = rig.get("/integrator/900001/sps/800001").await;
    assert_eq!(two["list"].as_array().unwrap().len(), 2, "every granted brand of the provider");
}

#[tokio::test]
async fn codes_and_read_authority_can_be_written_otherwise() {
    let rig = partnered(|_| {}).await;
    assert_eq!(rig.patch("switches", &json!({ "partner_codes": "numbers", "read_authority_hidden": true })).await, 200);
    let (_, body) = rig.get("/integrator/900001/sps").await;
    assert_eq!(body["list"][0]["brandCode"], 700_001);
    assert!(body["list"][0].get("ARAMA").is_none());
    assert_eq!(rig.patch("switches", &json!({ "partner_codes": "texts" })).await, 200);
    assert_eq!(rig.get("/integrator/900001/sps/700001").await.1["list"][0]["brandCode"], "700001");
}

#[tokio::test]
async fn a_partner_writes_and_reads_by_channel() {
    let rig = partnered(|config| config.pull_tail_seconds = 0).await;
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200);
    let mut call = rig.consent("+905992000001", "ONAY", -10);
    call["type"] = json!("ARAMA");
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &call).await;
    assert_eq!((status, codes(&body)), (404, vec!["H355"]), "voice may be read only");
    let (status, body) = rig.post(&format!("{BASE}/consents/request"), &json!([call])).await;
    assert_eq!((status, &body["errors"][0]["index"]), (404, &json!(0)));
    let query = |kind: &str, recipient: &str| json!({ "recipient": recipient, "recipientType": "BIREYSEL", "type": kind });
    for (path, kind, recipient, status) in [
        ("consents/status", "MESAJ", "+905992000001", 200),
        ("consents/history", "ARAMA", "+905992000001", 200),
        ("consents/status", "EPOSTA", "a@example.com", 404),
        ("consents/history", "EPOSTA", "a@example.com", 404),
    ] {
        let (found, body) = rig.post(&format!("{BASE}/{path}"), &query(kind, recipient)).await;
        assert_eq!(found, status, "{path} {kind} {body}");
        if status == 404 {
            assert_eq!(codes(&body), ["H355"]);
        }
    }
    let (status, body) = rig.post(&format!("{BASE}/consents/BIREYSEL/status/EPOSTA"), &json!({ "recipients": ["a@example.com"] })).await;
    assert_eq!((status, codes(&body)), (404, vec!["H355"]));
    assert_eq!(rig.patch("switches", &json!({ "channel_refusal": "H353" })).await, 200);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &call).await;
    assert_eq!((status, codes(&body)), (403, vec!["H353"]));
}

#[tokio::test]
async fn a_partners_pull_shows_the_channels_that_it_may_read() {
    let rig = partnered(|config| config.pull_tail_seconds = 0).await;
    for (recipient, kind) in [("a@example.com", "EPOSTA"), ("+905992000001", "MESAJ"), ("+905992000001", "ARAMA")] {
        let act = json!({ "brandCode": 700_001, "recipient": recipient, "type": kind, "status": "RET" });
        assert_eq!(rig.served.post("/_sandbox/citizen", &act).await.0, 200);
    }
    let (_, body) = rig.get(&format!("{BASE}/consents/changes")).await;
    let mut kinds: Vec<&str> = body["list"].as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["ARAMA", "MESAJ"]);
    let grants = json!({ "integratorCode": 900_001, "grants": [{ "brandCode": 700_001 }] });
    assert_eq!(rig.patch("accounts", &grants).await, 200);
    assert_eq!(rig.get(&format!("{BASE}/consents/changes")).await.0, 204);
}

#[tokio::test]
async fn a_partner_reconciles_only_with_the_control_for_it() {
    let rig = partnered(|_| {}).await;
    let path = format!("{BASE}/agreements/2026-11-22");
    assert_eq!(rig.get(&path).await.0, 204);
    let grants = json!({ "integratorCode": 900_001, "grants": [{ "brandCode": 700_001, "MESAJ": "write" }] });
    assert_eq!(rig.patch("accounts", &grants).await, 200);
    for path in [path, format!("{BASE}/changes/2026-11-22/file"), format!("{BASE}/changes/2026-11-22/recipients/BIREYSEL")] {
        let (status, body) = rig.get(&path).await;
        assert_eq!((status, codes(&body)), (404, vec!["H355"]), "{path}");
    }
}

#[tokio::test]
async fn paths_outside_of_the_partners_authority_are_refused_each_with_its_code() {
    let rig = partnered(|_| {}).await;
    for (path, status, code) in [
        ("/sps/800001/brands/800002/push/registration", 403, "H353"),
        ("/sps/700001/brands/800002/push/registration", 403, "H353"),
        ("/sps/700001/brands", 400, "H363"),
        ("/integrator/900002/sps", 403, "H353"),
        ("/integrator/900009/sps", 404, "H129"),
        ("/integrator/900001/sps/800001", 400, "H245"),
        ("/integrator/900001/sps/999999", 404, "H001"),
        ("/integrator/900001/sps/x", 422, "H190"),
    ] {
        let (found, body) = rig.get(path).await;
        assert_eq!((found, codes(&body)), (status, vec![code]), "{path}");
    }
    let nobody = json!({ "integratorCode": 900_002, "grants": [] });
    assert_eq!(rig.patch("accounts", &nobody).await, 200);
    let (status, body) = rig.get("/integrator/900001/sps/800001").await;
    assert_eq!((status, codes(&body)), (404, vec!["H268"]), "no partner at all");
    assert_eq!(rig.patch("switches", &json!({ "integrator_errors_as_500": true })).await, 200);
    let (status, body) = rig.get("/integrator/900001/sps/800001").await;
    assert_eq!((status, codes(&body)), (500, vec!["H268"]));
}

#[tokio::test]
async fn a_provider_is_no_partner() {
    let rig = Rig::with(partners).await;
    for (path, code) in [("sps", "H363"), ("sps/700001", "H363"), ("subscription", "H522")] {
        let (status, body) = rig.get(&format!("/integrator/900001/{path}")).await;
        assert_eq!((status, codes(&body)), (400, vec![code]), "{path}");
    }
}

#[tokio::test]
async fn a_partner_sees_subscriptions_without_their_limits_and_needs_both() {
    let rig = partnered(|_| {}).await;
    let (_, providers) = rig.get("/sps/700001/subscription").await;
    assert_eq!(providers["status"], "ACTIVE");
    assert!(providers.get("consentLimit").is_none() && providers.get("usedConsentLimit").is_none());
    let (_, own) = rig.get("/integrator/900001/subscription").await;
    assert_eq!((&own["status"], &own["iysCode"]), (&json!("ACTIVE"), &json!(900_001)));
    for (account, code) in [("iysCode", 700_001), ("integratorCode", 900_001)] {
        let state = |status: &str| json!({ account: code, "subscription": { "status": status } });
        assert_eq!(rig.patch("accounts", &state("PAUSED")).await, 200);
        let (status, body) = rig.add("+905992000001", "ONAY", -10).await;
        assert_eq!((status, codes(&body)), (403, vec!["H520"]), "{account}");
        assert_eq!(rig.get("/integrator/900001/subscription").await.0, 200);
        assert_eq!(rig.patch("accounts", &state("ACTIVE")).await, 200);
    }
    assert_eq!(rig.patch("accounts", &json!({ "integratorCode": 900_001, "subscription": null })).await, 200);
    let (status, body) = rig.get("/integrator/900001/sps").await;
    assert_eq!((status, codes(&body)), (403, vec!["H524"]));
    let (status, body) = rig.get("/integrator/900001/subscription").await;
    assert_eq!((status, codes(&body)), (404, vec!["H437"]));
    let providers_package = json!({ "iysCode": 700_001, "subscription": { "includesApi": false } });
    assert_eq!(rig.patch("accounts", &providers_package).await, 200);
    let again = json!({ "integratorCode": 900_001, "subscription": { "status": "ACTIVE" } });
    assert_eq!(rig.patch("accounts", &again).await, 200);
    assert_eq!(rig.add("+905992000001", "ONAY", -10).await.0, 200, "the package of whoever calls must include the API");
}

#[tokio::test]
async fn a_partners_token_names_the_partner_and_its_brands() {
    let rig = partnered(|_| {}).await;
    let claims = rig.token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    assert_eq!(claims["integrator"]["integratorCode"], 900_001);
    assert_eq!(claims["brands"], json!([{ "brandCode": 700_001, "name": "Demo" }]));
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": "nonsense" });
    let request = rig.served.request(Method::POST, "/oauth2/token").json(&refresh);
    assert_eq!(answer(request.send().await.unwrap()).await.0, 400);
}
