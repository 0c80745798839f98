//! The İYS simulator as a client sees it.

mod accounts;
mod agreements;
mod gate;
mod partners;
mod push;
mod refusals;
mod retailers;
mod switches;

use reqwest::Method;
use sandbox::iys::{Brand, Config, NoRecord, Provider, Switches, TokenLimitBody, Unfinished};
use serde_json::{Value, json};

use crate::rig::{HandClock, Served, answer, eventually};

const BASE: &str = "/sps/700001/brands/700001";

struct Rig {
    clock: HandClock,
    served: Served,
    token: String,
}

impl Rig {
    /// With the hand clock, no limit per second, and whatever `change` does to the settings.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = HandClock::new();
        let mut config = Config { clock: clock.clock(), calls_per_second: 100_000, ..Config::default() };
        change(&mut config);
        let served = Served::iys(config).await;
        let token = login(&served).await;
        Self { clock, served, token }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.served.request(Method::POST, path).bearer_auth(&self.token).json(body);
        answer(request.send().await.unwrap()).await
    }

    async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.served.request(Method::PUT, path).bearer_auth(&self.token).json(body).send().await.unwrap()).await
    }

    async fn delete(&self, path: &str) -> u16 {
        self.served.request(Method::DELETE, path).bearer_auth(&self.token).send().await.unwrap().status().as_u16()
    }

    /// A change of the simulator while it runs.
    async fn patch(&self, what: &str, change: &Value) -> u16 {
        let request = self.served.request(Method::PATCH, &format!("/_sandbox/{what}")).json(change);
        request.send().await.unwrap().status().as_u16()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.served.request(Method::GET, path).bearer_auth(&self.token).send().await.unwrap()).await
    }

    fn consent(&self, recipient: &str, status: &str, offset: i64) -> Value {
        let consent_type = if recipient.contains('@') { "EPOSTA" } else { "MESAJ" };
        json!({
            "type": consent_type, "recipientType": "BIREYSEL", "recipient": recipient, "status": status,
            "source": "HS_WEB", "consentDate": self.clock.turkish(offset),
        })
    }

    async fn add(&self, recipient: &str, status: &str, offset: i64) -> (u16, Value) {
        self.post(&format!("/v2{BASE}/consents"), &self.consent(recipient, status, offset)).await
    }

    async fn results(&self, version: &str, id: &str) -> Value {
        self.get(&format!("{version}{BASE}/consents/request/{id}")).await.1
    }

    async fn fault(&self, fault: &Value) {
        assert_eq!(self.served.post("/_sandbox/faults", fault).await.0, 200);
    }
}

fn credentials() -> Value {
    json!({
        "grant_type": "password", "username": "demo-api-user@example.com", "password": "demo-iys-password",
    })
}

async fn login(served: &Served) -> String {
    login_as(served, &credentials()).await
}

async fn login_as(served: &Served, credentials: &Value) -> String {
    let (status, body) = served.post("/oauth2/token", credentials).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

fn codes(body: &Value) -> Vec<&str> {
    body["errors"].as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn both_grants_work_and_refresh_tokens_rotate() {
    let rig = Rig::new().await;
    let form = [("grant_type", "password"), ("username", "demo-api-user@example.com"), ("password", "demo-iys-password")];
    let request = rig.served.request(Method::POST, "/oauth2/token").form(&form);
    let (status, first) = answer(request.send().await.unwrap()).await;
    assert_eq!((status, first["expires_in"].as_u64(), first["refresh_expires_in"].as_u64()), (200, Some(7200), Some(14400)));
    assert_eq!(first["token_type"], "bearer");
    assert_eq!(first["access_token"].as_str().unwrap().split('.').count(), 3);
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
    let (status, second) = rig.served.post("/oauth2/token", &refresh).await;
    assert_eq!(status, 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (status, body) = rig.served.post("/oauth2/token", &refresh).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")), "a used refresh token is spent");
    rig.clock.advance(14400);
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": second["refresh_token"] });
    assert_eq!(rig.served.post("/oauth2/token", &refresh).await.0, 400, "a refresh token lives four hours");
}

#[tokio::test]
async fn token_errors_have_the_oauth_shape() {
    let rig = Rig::new().await;
    for (body, error) in [
        (json!({ "grant_type": "password", "username": "a", "password": "b" }), "invalid_request"),
        (json!({ "grant_type": "password", "username": "a" }), "invalid_request"),
        (json!({ "grant_type": "password", "username": "", "password": "b" }), "invalid_grant"),
        (json!({ "grant_type": "" }), "invalid_grant"),
        (json!({}), "invalid_request"),
    ] {
        let (status, answered) = rig.served.post("/oauth2/token", &body).await;
        assert_eq!((status, answered["error"].as_str()), (400, Some(error)), "{body}");
        assert!(answered["error_description"].is_string());
    }
}

#[tokio::test]
async fn an_access_token_is_refused_after_two_hours_and_when_missing() {
    let rig = Rig::new().await;
    rig.clock.advance(7199);
    assert_eq!(rig.get("/sps/700001/brands").await.0, 200);
    rig.clock.advance(1);
    let (status, body) = rig.get("/sps/700001/brands").await;
    assert_eq!((status, codes(&body)), (401, vec!["H351"]));
    let bare = rig.served.request(Method::GET, "/sps/700001/brands").send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401);
}

#[tokio::test]
async fn the_eleventh_token_request_of_an_hour_is_refused_and_blocks_for_an_hour() {
    let rig = Rig::new().await;
    for _ in 1..10 {
        login(&rig.served).await;
    }
    let (status, body) = rig.served.post("/oauth2/token", &credentials()).await;
    assert_eq!((status, codes(&body)), (429, vec!["H084"]));
    rig.clock.advance(3599);
    assert_eq!(rig.served.post("/oauth2/token", &credentials()).await.0, 429, "and this starts the hour again");
    rig.clock.advance(3599);
    assert_eq!(rig.served.post("/oauth2/token", &credentials()).await.0, 429);
    rig.clock.advance(3600);
    login(&rig.served).await;
    assert_eq!(rig.served.stats().await["violations"]["rate_limited:H084"], 3);
}

#[tokio::test]
async fn the_token_limits_body_can_have_its_code_at_the_top() {
    let rig = Rig::with(|config| {
        config.token_limit_per_hour = 1;
        config.switches.token_limit_body = TokenLimitBody::TopLevel;
        config.switches.retry_after_seconds = Some(3600);
    })
    .await;
    let response = rig.served.request(Method::POST, "/oauth2/token").json(&credentials()).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "3600");
    assert_eq!(answer(response).await.1["code"], "H084");
}

#[tokio::test]
async fn the_eleventh_call_within_a_second_is_refused_and_counted() {
    let rig = Rig::with(|config| config.calls_per_second = 10).await;
    rig.clock.advance(1);
    for _ in 0..10 {
        assert_eq!(rig.get("/sps/700001/brands").await.0, 200);
    }
    let (status, body) = rig.get("/sps/700001/brands").await;
    assert_eq!((status, codes(&body)), (429, vec!["H124"]));
    rig.clock.advance(1);
    assert_eq!(rig.get("/sps/700001/brands").await.0, 200);
    let stats = rig.served.stats().await;
    assert_eq!(stats["peak_per_second"], 11);
    assert_eq!(stats["violations"]["rate_limited:H124"], 1);
    assert_eq!(stats["rejected"]["H124"], 1);
}

#[tokio::test]
async fn an_identical_resend_is_answered_alike_by_v2_and_refused_by_v1() {
    let rig = Rig::new().await;
    let consent = rig.consent("+905992000001", "ONAY", -60);
    let v2 = format!("/v2{BASE}/consents");
    let (status, first) = rig.post(&v2, &consent).await;
    assert_eq!(status, 200);
    assert_eq!(first["transactionId"].as_str().unwrap().len(), 64);
    assert_eq!(first["creationDate"], rig.clock.turkish(0));
    rig.clock.advance(30);
    assert_eq!(rig.post(&v2, &consent).await, (200, first));
    let (status, body) = rig.post(&format!("{BASE}/consents"), &consent).await;
    assert_eq!((status, codes(&body)), (400, vec!["H178"]));
}

#[tokio::test]
async fn what_stands_decides_about_the_next_consent() {
    let rig = Rig::new().await;
    let (status, body) = rig.add("+905992000001", "RET", -100).await;
    assert_eq!((status, codes(&body)), (400, vec!["H175"]));
    assert_eq!(rig.add("+905992000001", "ONAY", -90).await.0, 200);
    let (status, body) = rig.add("+905992000001", "RET", -91).await;
    assert_eq!((status, codes(&body)), (400, vec!["H178"]));
    assert_eq!(rig.add("+905992000001", "RET", -80).await.0, 200);
    let (status, body) = rig.add("+905992000001", "RET", -70).await;
    assert_eq!((status, codes(&body)), (400, vec!["H174"]));
    let stats = rig.served.stats().await;
    assert_eq!(stats["quality"], json!({ "total": 6, "failed": 3 }));
    assert_eq!(stats["violations"]["rejected:H175"], 1);
}

#[tokio::test]
async fn stateless_problems_come_together_with_location_and_value() {
    let rig = Rig::new().await;
    let mut consent = rig.consent("+905992000001", "RED", 60);
    consent["note"] = json!("x");
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &consent).await;
    assert_eq!(status, 422);
    let mut found = codes(&body);
    found.sort_unstable();
    assert_eq!(found, ["H115", "H118", "H162"]);
    let wrong = body["errors"].as_array().unwrap().iter().find(|entry| entry["code"] == "H115").unwrap();
    assert_eq!((&wrong["location"], &wrong["value"]), (&json!(["status"]), &json!("RED")));
    let text = rig.served.request(Method::POST, &format!("{BASE}/consents")).bearer_auth(&rig.token).body("{");
    assert_eq!(answer(text.send().await.unwrap()).await.0, 400);
    let (status, body) = rig.post(&format!("{BASE}/consents"), &json!([])).await;
    assert_eq!((status, codes(&body)), (400, vec!["H085"]));
    let mut empty = rig.consent("+905992000001", "ONAY", 0);
    empty["retailerCode"] = Value::Null;
    let (status, body) = rig.post(&format!("{BASE}/consents"), &empty).await;
    assert_eq!((status, codes(&body)), (400, vec!["H267"]));
}

#[tokio::test]
async fn one_bad_item_refuses_the_whole_list() {
    let rig = Rig::new().await;
    let list = json!([
        rig.consent("+905992000001", "ONAY", -10),
        rig.consent("905992000002", "ONAY", -10),
        rig.consent("+905992000001", "RET", -5),
    ]);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents/request"), &list).await;
    assert_eq!(status, 422);
    let found: Vec<_> = body["errors"].as_array().unwrap().iter().map(|entry| (entry["code"].clone(), entry["index"].clone())).collect();
    assert_eq!(found, [(json!("H121"), json!(1)), (json!("H194"), json!(2))]);
    rig.clock.advance(1000);
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 0);
    let many: Vec<Value> = (0..1001).map(|n| rig.consent(&format!("+90599200{n:04}"), "ONAY", -10)).collect();
    let (status, body) = rig.post(&format!("/v2{BASE}/consents/request"), &json!(many)).await;
    assert_eq!((status, codes(&body)), (422, vec!["H091"]));
}

#[tokio::test]
async fn bulk_results_come_after_the_delay_and_go_after_sixty_days() {
    let rig = Rig::new().await;
    rig.add("A@example.com", "ONAY", -100).await;
    let list = json!([rig.consent("a@example.com", "RET", -50), rig.consent("+905992000002", "RET", -50)]);
    let (status, taken) = rig.post(&format!("/v2{BASE}/consents/request"), &list).await;
    assert_eq!(status, 202);
    let id = taken["requestId"].as_str().unwrap();
    assert_eq!(taken["subRequests"].as_array().unwrap().len(), 2);
    rig.clock.advance(299);
    assert_eq!(rig.results("/v2", id).await, json!([]));
    assert_eq!(rig.served.stats().await["violations"]["result_queried_early"], 1);
    rig.clock.advance(1);
    for version in ["", "/v2"] {
        let rows = rig.results(version, id).await;
        assert_eq!((&rows[0]["status"], &rows[0]["index"]), (&json!("success"), &json!(0)));
        assert_eq!(rows[0]["subRequestId"], taken["subRequests"][0]["subRequestId"]);
        assert_eq!(rows[0]["transactionId"].as_str().unwrap().len(), 64);
        assert_eq!((&rows[1]["status"], &rows[1]["error"]["code"]), (&json!("failure"), &json!("H175")));
    }
    assert_eq!(rig.served.stats().await["violations"]["rejected:H175"], 1);
    rig.clock.advance(61 * 24 * 3600);
    let fresh = Rig { token: login(&rig.served).await, ..rig };
    assert_eq!(fresh.results("", id).await, json!([]));
}

#[tokio::test]
async fn a_v2_bulk_resend_succeeds_and_names_its_original() {
    let rig = Rig::new().await;
    let list = json!([rig.consent("+905992000001", "ONAY", -50)]);
    let path = format!("/v2{BASE}/consents/request");
    let first = rig.post(&path, &list).await.1;
    rig.clock.advance(300);
    let second = rig.post(&path, &list).await.1;
    assert_ne!(first["requestId"], second["requestId"]);
    rig.clock.advance(300);
    let before = rig.results("/v2", first["requestId"].as_str().unwrap()).await;
    let after = rig.results("/v2", second["requestId"].as_str().unwrap()).await;
    assert_eq!(after[0]["status"], "success");
    assert_eq!(after[0]["transactionId"], before[0]["transactionId"]);
    assert_eq!(after[0]["isAddConsentV2Service"], true);
    assert_eq!(after[0]["originalRequestInformation"]["requestId"], first["requestId"]);
    assert!(before[0].get("originalRequestInformation").is_none());
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 1);
}

#[tokio::test]
async fn unfinished_lists_can_show_as_enqueued_under_the_other_spelling() {
    let rig = Rig::with(|config| {
        config.switches = Switches { unfinished: Unfinished::Enqueue, lowercase_subrequest: true, ..Switches::default() };
    })
    .await;
    let taken = rig.post(&format!("/v2{BASE}/consents/request"), &json!([rig.consent("+905992000001", "ONAY", 0)])).await.1;
    let rows = rig.results("/v2", taken["requestId"].as_str().unwrap()).await;
    assert_eq!(rows[0]["status"], "enqueue");
    assert_eq!(rows[0]["subrequestId"], taken["subRequests"][0]["subRequestId"]);
}

#[tokio::test]
async fn request_ids_are_checked_for_their_form() {
    let rig = Rig::new().await;
    for (id, code) in [("a".repeat(37), "H198"), ("abc".to_owned(), "H199"), ("123".to_owned(), "H400")] {
        let (status, body) = rig.get(&format!("{BASE}/consents/request/{id}")).await;
        assert_eq!((status, codes(&body)), (422, vec![code]));
    }
    assert_eq!(rig.results("", "0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e").await, json!([]));
}

#[tokio::test]
async fn the_multi_status_lists_approvals_only() {
    let rig = Rig::new().await;
    rig.add("+905992000001", "ONAY", -100).await;
    rig.add("+905992000002", "ONAY", -100).await;
    rig.add("+905992000002", "RET", -90).await;
    let path = format!("{BASE}/consents/BIREYSEL/status/MESAJ");
    let (status, body) = rig.post(&path, &json!({ "recipients": ["+905992000001", "+905992000002", "+905992000003"] })).await;
    assert_eq!((status, &body["list"]), (200, &json!(["+905992000001"])));
    for (recipients, code) in [
        (json!({}), "H168"),
        (json!({ "recipients": "x" }), "H478"),
        (json!({ "recipients": [] }), "H164"),
        (json!({ "recipients": ["a@example.com"] }), "H464"),
        (json!({ "recipients": ["+905992000001", "+905992000001"] }), "H193"),
    ] {
        let (status, body) = rig.post(&path, &recipients).await;
        assert_eq!((status, codes(&body)), (422, vec![code]));
    }
}

#[tokio::test]
async fn the_single_status_tells_what_stands_or_404() {
    let rig = Rig::new().await;
    rig.add("A.Yilmaz@Example.com", "ONAY", -100).await;
    let path = format!("{BASE}/consents/status");
    let query = |recipient: &str| json!({ "recipient": recipient, "recipientType": "BIREYSEL", "type": "EPOSTA" });
    let (status, body) = rig.post(&path, &query("a.yilmaz@example.com")).await;
    assert_eq!(status, 200);
    assert_eq!((&body["status"], &body["source"]), (&json!("ONAY"), &json!("HS_WEB")));
    assert_eq!(body["recipient"], "a.yilmaz@example.com");
    assert_eq!(rig.post(&path, &query("b@example.com")).await.0, 404);
    let (status, body) = rig.post(&path, &json!({ "recipient": "b@example.com" })).await;
    assert_eq!((status, codes(&body)), (422, vec!["H170", "H111"]));
}

#[tokio::test]
async fn the_hourly_query_limits_hold() {
    let rig = Rig::with(|config| {
        config.status_limit_per_hour = 1;
        config.history_limit_per_hour = 1;
        config.switches.no_record = NoRecord::NoContent;
    })
    .await;
    let query = json!({ "recipient": "b@example.com", "recipientType": "BIREYSEL", "type": "EPOSTA" });
    for (path, code, found) in [("status", "H086", 204), ("history", "H089", 200)] {
        let path = format!("{BASE}/consents/{path}");
        assert_eq!(rig.post(&path, &query).await.0, found);
        let (status, body) = rig.post(&path, &query).await;
        assert_eq!((status, codes(&body)), (429, vec![code]));
    }
    rig.clock.advance(3600);
    assert_eq!(rig.post(&format!("{BASE}/consents/status"), &query).await.0, 204);
}

#[tokio::test]
async fn history_lists_the_latest_consent_date_first() {
    let rig = Rig::new().await;
    rig.add("+905992000001", "ONAY", -100).await;
    rig.add("+905992000001", "RET", -50).await;
    let query = json!({ "recipient": "+905992000001", "recipientType": "BIREYSEL", "type": "MESAJ" });
    let (_, body) = rig.post(&format!("{BASE}/consents/history?limit=1&offset=1"), &query).await;
    assert_eq!(body["list"][0]["status"], "ONAY");
    assert_eq!(body["pagination"], json!({ "totalCount": 2, "pageSize": 1, "offset": 1 }));
    let (status, body) = rig.post(&format!("{BASE}/consents/history?limit=101"), &query).await;
    assert_eq!((status, codes(&body)), (422, vec!["H186"]));
}

#[tokio::test]
async fn pull_shows_recipients_movements_after_the_tail_and_pages_by_cursor() {
    let rig = Rig::new().await;
    rig.add("+905992000009", "ONAY", -10).await;
    for n in 0..5 {
        let act = json!({ "brandCode": 700_001, "recipient": format!("+90599200000{n}"), "type": "MESAJ", "status": "RET" });
        assert_eq!(rig.served.post("/_sandbox/citizen", &act).await.0, 200);
    }
    let path = format!("{BASE}/consents/changes");
    assert_eq!(rig.get(&path).await.0, 204, "nothing is older than an hour");
    rig.clock.advance(3600);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let (status, body) = rig.get(&format!("{path}?limit=2{after}")).await;
        if status == 204 {
            break;
        }
        after = format!("&after={}", body["after"].as_str().unwrap());
        seen.extend(body["list"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen, (0..5).map(|n| format!("+90599200000{n}")).collect::<Vec<_>>());
    let (_, body) = rig.get(&format!("{path}?source=HS")).await;
    assert_eq!(body["list"][0]["recipient"], "+905992000009");
    for (query, code) in [("source=X", "H506"), ("limit=1001", "H507"), ("limit=0", "H507")] {
        let (status, body) = rig.get(&format!("{path}?{query}")).await;
        assert_eq!((status, codes(&body)), (422, vec![code]));
    }
    rig.clock.advance(7 * 24 * 3600);
    let fresh = Rig { token: login(&rig.served).await, ..rig };
    assert_eq!(fresh.get(&path).await.0, 204, "the window has moved on");
}

#[tokio::test]
async fn what_iys_loses_is_as_if_it_had_never_come() {
    let rig = Rig::new().await;
    let record = |status: &str| json!({ "brandCode": 700_001, "recipient": "a@example.com", "type": "EPOSTA", "status": status });
    for status in ["ONAY", "RET"] {
        rig.served.post("/_sandbox/citizen", &record(status)).await;
        rig.clock.advance(1);
    }
    let lose = async || {
        let key = json!({ "brandCode": 700_001, "recipient": "A@example.com", "type": "EPOSTA" });
        let (status, told) = answer(rig.served.request(Method::DELETE, "/_sandbox/consents").json(&key).send().await.unwrap()).await;
        assert_eq!(status, 200);
        let held = rig.served.get("/_sandbox/consents?recipient=a@example.com").await;
        let summary = rig.served.get("/_sandbox/summary?brandCode=700001").await;
        (told["lost"].is_string(), held["records"][0]["status"].clone(), summary["movements"].clone())
    };
    assert_eq!(lose().await, (true, json!("ONAY"), json!(1)));
    assert_eq!(lose().await, (true, Value::Null, json!(0)));
    assert_eq!(lose().await, (false, Value::Null, json!(0)));
}

#[tokio::test]
async fn seeded_records_stand_without_showing_in_pull() {
    let rig = Rig::with(|config| config.pull_tail_seconds = 0).await;
    let seeds = json!([{ "brandCode": 700_001, "recipient": "+905992000001", "type": "MESAJ", "status": "ONAY" }]);
    assert_eq!(rig.served.post("/_sandbox/consents", &seeds).await.0, 200);
    assert_eq!(rig.get(&format!("{BASE}/consents/changes?source=HS")).await.0, 204);
    assert_eq!(rig.add("+905992000001", "RET", -5).await.0, 200, "a refusal finds its approval");
    let found = rig.served.get("/_sandbox/consents?recipient=%2B905992000001&brandCode=700001").await;
    assert_eq!(found["records"].as_array().unwrap().len(), 1);
    assert_eq!(found["records"][0]["status"], "RET");
    assert_eq!(found["movements"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_token_opens_its_own_provider_only() {
    let rig = Rig::with(|config| {
        config.providers.push(Provider {
            iys_code: 800_001,
            username: "other".to_owned(),
            password: "other".to_owned(),
            brands: vec![Brand { brand_code: 800_002, ..Brand::default() }],
            ..Provider::default()
        });
    })
    .await;
    for (path, status, code) in [
        ("/sps/800001/brands", 403, "H353"),
        ("/sps/800001/brands/800002/push/registration", 403, "H353"),
        ("/sps/700001/brands/800002/push/registration", 403, "H353"),
        ("/sps/x/brands", 422, "H190"),
        ("/sps/700001/brands/x/push/registration", 422, "H191"),
    ] {
        let (found, body) = rig.get(path).await;
        assert_eq!((found, codes(&body)), (status, vec![code]), "{path}");
    }
}

#[tokio::test]
async fn an_answer_lost_after_the_fact_is_made_good_by_a_v2_resend() {
    let rig = Rig::new().await;
    let path = format!("/v2{BASE}/consents");
    let consent = rig.consent("+905992000001", "ONAY", -10);
    rig.fault(&json!({ "path": path, "kind": "timeout_after_apply", "count": 1 })).await;
    let lost = rig.served.request(Method::POST, &path).bearer_auth(&rig.token).json(&consent).send().await;
    assert!(lost.is_err());
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 1);
    assert_eq!(rig.post(&path, &consent).await.0, 200);
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 1);
}

#[tokio::test]
async fn a_request_whose_caller_gave_up_lands_late() {
    let rig = Rig::new().await;
    let path = format!("/v2{BASE}/consents");
    let consent = rig.consent("+905992000001", "ONAY", -10);
    rig.fault(&json!({ "path": path, "kind": "latency", "latency_ms": 1000 })).await;
    let request = rig.served.request(Method::POST, &path).bearer_auth(&rig.token).json(&consent);
    let given_up = request.timeout(std::time::Duration::from_millis(20)).send().await;
    assert!(given_up.unwrap_err().is_timeout());
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 0);
    eventually(async || (rig.served.get("/_sandbox/summary").await["movements"] == 1).then_some(())).await;
}

#[tokio::test]
async fn dropped_and_made_up_answers_change_nothing_and_are_no_violations() {
    let rig = Rig::new().await;
    let path = format!("/v2{BASE}/consents");
    let consent = rig.consent("+905992000001", "ONAY", -10);
    rig.fault(&json!({ "path": format!("{path}$"), "kind": "drop" })).await;
    assert!(rig.served.request(Method::POST, &path).bearer_auth(&rig.token).json(&consent).send().await.is_err());
    rig.fault(&json!({ "kind": "status", "status": 500, "body": { "errors": [{ "code": "H103" }] } })).await;
    let (status, body) = rig.post(&path, &consent).await;
    assert_eq!((status, codes(&body)), (500, vec!["H103"]));
    rig.fault(&json!({ "kind": "rate_limit" })).await;
    let (status, body) = rig.post(&path, &consent).await;
    assert_eq!((status, codes(&body)), (429, vec!["H124"]));
    assert_eq!(rig.served.get("/_sandbox/summary").await["movements"], 0);
    let stats = rig.served.stats().await;
    assert_eq!(stats["violations"], json!({}));
    assert_eq!(stats["faults"], json!({ "drop": 1, "rate_limit": 1, "status": 1 }));
    rig.fault(&json!({ "kind": "drop", "count": 5 })).await;
    let cleared = rig.served.request(Method::DELETE, "/_sandbox/faults").send().await.unwrap();
    assert_eq!(cleared.status().as_u16(), 200);
    assert_eq!(rig.post(&path, &consent).await.0, 200);
}

#[tokio::test]
async fn stats_name_path_templates_and_never_an_address_or_id() {
    let rig = Rig::new().await;
    rig.add("a.person@example.com", "ONAY", -10).await;
    rig.results("", "0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e").await;
    rig.get(&format!("{BASE}/unknown/a.person@example.com")).await;
    let text = rig.served.stats().await.to_string();
    assert!(text.contains("/v2/sps/{iysCode}/brands/{brandCode}/consents"));
    for secret in ["person", "0f5e7b1c", "700001"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_closed_line_carries_the_last_known_date() {
    let rig = Rig::with(|config| config.pull_tail_seconds = 0).await;
    let mut merchant = rig.consent("+905992000001", "ONAY", 0);
    merchant["recipientType"] = json!("TACIR");
    merchant.as_object_mut().unwrap().remove("source");
    merchant.as_object_mut().unwrap().remove("consentDate");
    assert_eq!(rig.post(&format!("/v2{BASE}/consents"), &merchant).await.0, 200);
    let act = json!({
        "brandCode": 700_001, "recipient": "+905992000001", "recipientType": "TACIR", "type": "MESAJ",
        "status": "RET", "source": "IYS_AHS_HAT_KAPATMA",
    });
    rig.served.post("/_sandbox/citizen", &act).await;
    let (_, body) = rig.get(&format!("{BASE}/consents/changes")).await;
    assert_eq!(body["list"][0]["consentDate"], "");
}

#[test]
fn settings_survive_json_and_refuse_unknown_names() {
    let text = serde_json::to_string(&Config::default()).unwrap();
    let read: Config = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let changed: Config = serde_json::from_str(r#"{"bulk_delay_seconds": 2, "switches": {"onay_on_onay": false}}"#).unwrap();
    assert_eq!(changed.bulk_delay_seconds, 2);
    assert!(!changed.switches.onay_on_onay);
    assert!(serde_json::from_str::<Config>(r#"{"bulk_delay": 2}"#).is_err());
}

#[tokio::test]
async fn everything_that_was_recorded_is_listed_with_its_address() {
    let rig = Rig::new().await;
    rig.add("+905992000001", "ONAY", -10).await;
    rig.clock.advance(5);
    let act = json!({ "brandCode": 700_001, "recipient": "+905992000001", "type": "MESAJ", "status": "RET" });
    rig.served.post("/_sandbox/citizen", &act).await;
    let movements = rig.served.get("/_sandbox/movements?brandCode=700001").await;
    let told: Vec<_> = movements.as_array().unwrap().iter().map(|row| (&row["recipient"], &row["status"], &row["source"])).collect();
    let number = &json!("+905992000001");
    assert_eq!(told, [(number, &json!("ONAY"), &json!("HS_WEB")), (number, &json!("RET"), &json!("IYS_WEB"))]);
    assert_eq!(rig.served.get("/_sandbox/movements?brandCode=1").await, json!([]));
}
