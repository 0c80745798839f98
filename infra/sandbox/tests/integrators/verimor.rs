//! Verimor.

use reqwest::{Method, Response};
use sandbox::verimor::{Account, Config, Header};
use serde_json::{Value, json};

use super::{BRAND, Iys, SECOND, STRANGE, keys, sample};
use crate::receiver::Receiver;
use crate::rig::{Served, eventually};

const USER: &str = "908500000000";

struct Rig {
    iys: Iys,
    verimor: Served,
    hook: Receiver,
}

async fn text(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let iys = Iys::new().await;
        let (hook, address) = Receiver::serve(None).await;
        let header = |name: &str, brand_code| Header { name: name.to_owned(), brand_code, ..Header::default() };
        let account = |username: &str, headers, push_url| Account {
            username: username.to_owned(),
            password: "secret".to_owned(),
            headers,
            push_url,
            ..Account::default()
        };
        let own = vec![header("MYBRAND", Some(BRAND)), header("SECOND", Some(SECOND)), header("BARE", None)];
        let mut config = Config {
            accounts: vec![
                account(USER, own, Some(format!("http://{address}/hook"))),
                account("908500000001", vec![header("STRANGE", Some(STRANGE))], None),
            ],
            push_retry_ms: vec![1, 1, 1],
            queries_burst: 1000,
            ..Config::default()
        };
        change(&mut config);
        let registry = iys.registry.clone();
        let verimor = Served::over(|listener, stopped| sandbox::verimor::serve(listener, config, registry, stopped)).await;
        Self { iys, verimor, hook }
    }

    fn record(&self, recipient: &str, status: &str, offset: i64) -> Value {
        json!({
            "type": "MESAJ", "source": "HS_WEB", "status": status, "recipient_type": "BIREYSEL",
            "consent_date": self.iys.clock.turkish(offset), "recipient": recipient,
        })
    }

    async fn send(&self, body: &Value) -> (u16, String) {
        text(self.verimor.request(Method::POST, "/v2/iys_consents.json").json(body).send().await.unwrap()).await
    }

    async fn add(&self, header: &str, consents: Value) -> (u16, String) {
        self.send(&body(header, consents)).await
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> (u16, String) {
        let credentials = [("username", USER), ("password", "secret")];
        let pairs = credentials.iter().chain(query);
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        text(self.verimor.request(Method::GET, &format!("{path}?{query}")).send().await.unwrap()).await
    }

    async fn read(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let (status, body) = self.get(path, query).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn report(&self, id: &str) -> Value {
        self.read(&format!("/v2/iys/campaigns/{id}/consents"), &[]).await
    }

    async fn settings(&self, path: &str, change: Value) {
        let request = self.verimor.request(Method::PATCH, path).json(&change);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200, "{change}");
    }
}

fn body(header: &str, consents: Value) -> Value {
    json!({ "username": USER, "password": "secret", "source_addr": header, "consents": consents })
}

#[tokio::test]
async fn the_sample_becomes_a_campaign_whose_records_tell_how_they_ended() {
    let rig = Rig::new().await;
    let mut add = sample(include_str!("samples/verimor_add.json"));
    add["password"] = json!("secret");
    for consent in add["consents"].as_array_mut().unwrap() {
        consent["consent_date"] = json!(rig.iys.clock.turkish(-60));
    }
    add["consents"].as_array_mut().unwrap().push(rig.record("905992000002", "RET", -60));
    let response = rig.verimor.request(Method::POST, "/v2/iys_consents.json").json(&add).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let (status, id) = text(response).await;
    assert_eq!(status, 200);
    assert!(id.parse::<u64>().is_ok(), "{id}");
    let report = rig.report(&id).await;
    assert_eq!((&report["status"], &report["records"][0]["request_status"]), (&json!("İşleniyor"), &json!("Bekliyor")));
    rig.iys.clock.advance(60);
    let report = rig.report(&id).await;
    let documented = sample(include_str!("samples/verimor_report.json"));
    assert_eq!((keys(&report), keys(&report["records"][0])), (keys(&documented), keys(&documented["records"][0])));
    assert_eq!(keys(&report["records"][2]), keys(&documented["records"][1]));
    assert_eq!((&report["total"], &report["status"], &report["source_addr"]), (&json!(3), &json!("Tamamlandı"), &json!("MYBRAND")));
    assert_eq!(report["records"][0]["recipient"], "905992000001", "without a plus");
    let date = rig.iys.clock.turkish(-120).replace(' ', "T");
    assert_eq!(report["records"][0]["consent_date"], format!("{date}.000+03:00"));
    assert_eq!(
        (&report["records"][2]["request_status"], &report["records"][0]["request_status"]),
        (&json!("Başarısız"), &json!("Başarılı"))
    );
    assert!(report["records"][2]["request_error"].as_str().unwrap().starts_with("H175 "));
    assert_eq!(rig.iys.records(BRAND, "+905992000001").await[0]["status"], "ONAY");
    assert_eq!(rig.iys.records(BRAND, "person@example.com").await[0]["type"], "EPOSTA");
    let listed = rig.verimor.get(&format!("/_sandbox/records?brandCode={BRAND}")).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_people_change_comes_once_a_day_as_a_pointer_and_a_campaign_per_brand() {
    let rig = Rig::new().await;
    let own = json!({
        "type": "MESAJ", "source": "HS_WEB", "recipient": "+905992000009", "status": "ONAY",
        "consentDate": rig.iys.clock.turkish(-60), "recipientType": "BIREYSEL",
    });
    assert_eq!(rig.iys.own_add(BRAND, &own).await.0, 200, "not of the brand's own doing");
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    rig.iys.clock.advance(60);
    rig.iys.citizen(BRAND, "+905992000001", "RET").await;
    rig.iys.citizen(SECOND, "+905992000002", "ONAY").await;
    rig.iys.citizen(STRANGE, "+905992000003", "ONAY").await;
    assert_eq!(rig.read("/v2/iys/campaigns", &[("source", "iys")]).await["total"], 0, "the day is not over");
    rig.hook.answer_next(&[500, 503]);
    // Twelve hours to midnight, then the next day's.
    rig.iys.clock.advance(12 * 3600);
    let pushes = eventually(async || Some(rig.hook.taken()).filter(|taken| taken.len() == 2)).await;
    assert_eq!(keys(&pushes[0].1), keys(&sample(include_str!("samples/verimor_push.json"))));
    let told: Vec<_> = pushes.iter().map(|(_, body)| (body["source_addr"].clone(), body["report_date"].clone())).collect();
    assert_eq!(told, [(json!("MYBRAND"), json!("2026-11-23")), (json!("SECOND"), json!("2026-11-23"))]);
    let listed = rig.read("/v2/iys/campaigns", &[("source", "iys")]).await;
    assert_eq!(listed["total"], 2, "never another account's brand");
    let first = &listed["records"][0];
    assert_eq!(keys(first), ["created_at", "header_name", "id", "iys_brand_code", "iys_code", "source"]);
    assert_eq!((&first["iys_brand_code"], &first["iys_code"], &first["source"]), (&json!(BRAND), &json!(BRAND), &json!("iys")));
    let report = rig.report(&pushes[0].1["iys_campaign_id"].to_string()).await;
    let states: Vec<_> = report["records"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["ONAY", "RET"], "every movement in its order");
    assert_eq!((&report["records"][1]["source"], &report["records"][1]["recipient"]), (&json!("IYS_MOBIL"), &json!("905992000001")));
    let (_, none) = rig.verimor.post("/_sandbox/daily", &json!({})).await;
    assert_eq!(none, json!({ "campaigns": [] }));
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    rig.verimor.post("/_sandbox/callbacks", &json!({ "how": "lost" })).await;
    let (_, made) = rig.verimor.post("/_sandbox/daily", &json!({})).await;
    assert_eq!(made["campaigns"].as_array().unwrap().len(), 1);
    assert_eq!(rig.verimor.stats().await["faults"]["callback_lost"], 1);
    assert_eq!(rig.read("/v2/iys/campaigns", &[("source", "iys")]).await["total"], 3, "the list shows what the push did not");
}

#[tokio::test]
async fn pages_hold_a_hundred_rows_and_belong_to_one_account() {
    let rig = Rig::new().await;
    let consents: Vec<Value> = (0..250).map(|n| rig.record(&format!("905992{n:06}"), "ONAY", -60)).collect();
    let (_, id) = rig.add("MYBRAND", json!(consents)).await;
    rig.add("SECOND", json!([rig.record("905992000001", "ONAY", -60)])).await;
    let path = format!("/v2/iys/campaigns/{id}/consents");
    let mut seen = Vec::new();
    for (offset, rows) in [("0", 100), ("100", 100), ("200", 50)] {
        let page = rig.read(&path, &[("offset", offset), ("limit", "500")]).await;
        assert_eq!((&page["total"], page["records"].as_array().unwrap().len()), (&json!(250), rows));
        seen.extend(page["records"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap().to_owned()));
    }
    seen.dedup();
    assert_eq!(seen.len(), 250);
    let listed = rig.read("/v2/iys/campaigns", &[("limit", "1"), ("offset", "1"), ("source", "api")]).await;
    assert_eq!((&listed["total"], &listed["records"][0]["header_name"]), (&json!(2), &json!("SECOND")));
    rig.settings("/_sandbox/switches", json!({ "newest_first": true })).await;
    let listed = rig.read("/v2/iys/campaigns", &[("limit", "1")]).await;
    assert_eq!(listed["records"][0]["header_name"], "SECOND");
    let foreign = format!("{path}?username=908500000001&password=secret");
    assert_eq!(text(rig.verimor.request(Method::GET, &foreign).send().await.unwrap()).await.0, 404);
    assert_eq!(rig.get("/v2/iys/campaigns", &[("source", "citizen")]).await, (400, "INVALID_PARAMETER".to_owned()));
    assert_eq!(rig.verimor.stats().await["warnings"]["page_too_long"], 3);
}

#[tokio::test]
async fn each_refusal_is_a_plain_text() {
    let rig = Rig::with(|config| {
        config.body_maximum = 100_000;
        config.records_maximum = 2;
    })
    .await;
    let good = || json!([rig.record("905992000001", "ONAY", -60)]);
    let bad = |code: &str| (400, code.to_owned());
    assert_eq!(rig.add("UNKNOWN", good()).await, bad("INVALID_SOURCE_ADDRESS"));
    assert_eq!(rig.add("STRANGE", good()).await, bad("INVALID_SOURCE_ADDRESS"), "another account's");
    assert_eq!(rig.add("BARE", good()).await, bad("MISSING_IYS_BRAND_CODE"));
    assert_eq!(rig.add("MYBRAND", json!([])).await, bad("MISSING_CONSENT"));
    let three = json!([good()[0], good()[0], good()[0]]);
    assert_eq!(rig.add("MYBRAND", three).await, bad("MESSAGE_COUNT_LIMIT_EXCEEDED"));
    let late = json!([rig.record("905992000001", "ONAY", -60), rig.record("905992000002", "ONAY", -73 * 3600)]);
    assert_eq!(rig.add("MYBRAND", late).await, bad("INVALID_CONSENT_DATE"), "one bad record refuses all");
    let mut stranger = body("MYBRAND", good());
    stranger["password"] = json!("guess");
    assert_eq!(rig.send(&stranger).await.0, 401);
    let raw = async |body: Vec<u8>| {
        let request = rig.verimor.request(Method::POST, "/v2/iys_consents.json").body(body);
        text(request.send().await.unwrap()).await
    };
    assert_eq!(raw(b"{".to_vec()).await, bad("INVALID_JSON"));
    assert_eq!(raw(vec![0xff]).await, bad("INVALID_UTF8"));
    assert_eq!(raw(vec![b' '; 100_001]).await.0, 413);
    assert_eq!(rig.get("/v2/iys/campaigns/1/consents", &[]).await, (404, "NOT_FOUND".to_owned()));
    for (field, code) in [("authorised", "AHS_AUTHORIZATION_ERROR"), ("tax_number_has_brand", "NO_AHS_BRAND_ERROR")] {
        let header = json!({ "name": "MYBRAND", "brand_code": BRAND, field: false });
        rig.settings("/_sandbox/accounts", json!({ "username": USER, "headers": [header] })).await;
        assert_eq!(rig.add("", good()).await, bad(code), "the first header stands for an empty one");
    }
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "allowed_addresses": [] })).await;
    assert_eq!(rig.add("", good()).await, (401, "no allowed IP configured".to_owned()));
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "allowedAddresses": ["10.0.0.1"] })).await;
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 401);
    let stats = rig.verimor.stats().await;
    assert_eq!((&stats["violations"]["address_not_listed"], &stats["violations"]["bad_credentials"]), (&json!(2), &json!(1)));
    assert_eq!(stats["rejected"]["INVALID_CONSENT_DATE"], 1);
}

#[tokio::test]
async fn open_points_can_be_switched_and_faults_ordered() {
    let rig = Rig::new().await;
    rig.settings("/_sandbox/switches", json!({ "bad_record_in_report": true })).await;
    rig.verimor.post("/_sandbox/refusals", &json!({ "recipient": "+905992000003", "at": "verdict", "code": "H174" })).await;
    rig.settings("/_sandbox/queue", json!({ "delaySeconds": 0, "held": true })).await;
    let record = |recipient: &str| rig.record(recipient, "ONAY", -60);
    let list = json!([record("905992000001"), record("+905992000002"), record("905992000003"), record("905992000001")]);
    let (_, id) = rig.add("", list).await;
    assert_eq!(rig.report(&id).await["records"][1]["request_status"], "Başarısız");
    rig.settings("/_sandbox/queue", json!({ "held": false })).await;
    let report = rig.report(&id).await;
    let errors: Vec<_> = report["records"].as_array().unwrap().iter().map(|row| row["request_error"].as_str().map(code)).collect();
    assert_eq!(errors, [None, Some("INVALID_RECIPIENT"), Some("H174"), Some("H178")]);
    let violations = rig.verimor.stats().await["violations"].clone();
    assert_eq!((&violations["sent_twice"], &violations["key_under_way"]), (&json!(1), &json!(1)));
    rig.settings("/_sandbox/switches", json!({ "docs_site_names": true, "bad_record_in_report": false })).await;
    let mut renamed = record("905992000004");
    renamed["phone"] = renamed["recipient"].take();
    let mut add = json!({ "username": USER, "password": "secret", "iys_brand_code": SECOND, "consents": [renamed] });
    assert_eq!(rig.send(&add).await.0, 200);
    add["iys_brand_code"] = json!(STRANGE);
    assert_eq!(rig.send(&add).await, (400, "INVALID_SOURCE_ADDRESS".to_owned()));
    rig.verimor.post("/_sandbox/faults", &json!({ "kind": "rate_limit" })).await;
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await, (429, "Too Many Requests".to_owned()));
    rig.verimor.post("/_sandbox/faults", &json!({ "kind": "status", "status": 500 })).await;
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 500);
    assert_eq!(rig.verimor.get("/_sandbox/queue").await["waiting"], 0);
    assert_eq!(rig.iys.records(SECOND, "+905992000004").await[0]["status"], "ONAY");
}

fn code(error: &str) -> &str {
    error.split(' ').next().unwrap()
}

#[tokio::test]
async fn adds_and_queries_have_buckets_of_their_own() {
    let rig = Rig::with(|config| {
        config.adds_burst = 3;
        config.queries_burst = 10;
    })
    .await;
    for _ in 0..10 {
        assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 200);
    }
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 429);
    for n in 0..3 {
        assert_eq!(rig.add("", json!([rig.record(&format!("90599200000{n}"), "ONAY", -60)])).await.0, 200);
    }
    assert_eq!(rig.add("", json!([rig.record("905992000009", "ONAY", -60)])).await.0, 429);
    rig.iys.clock.advance(3);
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 200, "twenty a minute");
    assert_eq!(rig.get("/v2/iys/campaigns", &[]).await.0, 429);
    let violations = rig.verimor.stats().await["violations"].clone();
    assert_eq!((&violations["rate_limited:queries"], &violations["rate_limited:adds"]), (&json!(2), &json!(1)));
}
