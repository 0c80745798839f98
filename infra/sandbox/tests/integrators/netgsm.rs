//! Netgsm.

use sandbox::netgsm::{Account, Config, Switches};
use serde_json::{Value, json};

use super::{BRAND, Iys, SECOND, STRANGE, keys, sample};
use crate::receiver::Receiver;
use crate::rig::{Served, eventually};

const USER: &str = "8500000000";

struct Rig {
    iys: Iys,
    netgsm: Served,
    hook: Receiver,
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let iys = Iys::new().await;
        let (hook, address) = Receiver::serve(None).await;
        let account = |username: &str, brands: &[u64], webhook| Account {
            username: username.to_owned(),
            password: "secret".to_owned(),
            brands: brands.to_vec(),
            webhook,
            ..Account::default()
        };
        let mut config = Config {
            accounts: vec![
                account(USER, &[BRAND, SECOND], Some(format!("http://{address}/hook"))),
                account("8500000001", &[STRANGE], None),
            ],
            webhook_retry_ms: vec![1, 1, 1],
            calls_per_minute: 1000,
            ..Config::default()
        };
        change(&mut config);
        let registry = iys.registry.clone();
        let netgsm = Served::over(|listener, stopped| sandbox::netgsm::serve(listener, config, registry, stopped)).await;
        Self { iys, netgsm, hook }
    }

    fn record(&self, recipient: &str, status: &str, offset: i64) -> Value {
        json!({
            "type": "MESAJ", "source": "HS_WEB", "recipient": recipient, "status": status,
            "consentDate": self.iys.clock.turkish(offset), "recipientType": "BIREYSEL",
        })
    }

    async fn call(&self, path: &str, brand: u64, data: Value) -> Value {
        let (status, answer) = self.netgsm.post(path, &body(brand, data)).await;
        assert_eq!(status, 200, "always");
        answer
    }

    async fn add(&self, data: Value) -> Value {
        self.call("/iys/add", BRAND, data).await
    }

    async fn search(&self, recipients: &[&str]) -> Value {
        let item = |recipient: &&str| json!({ "type": "MESAJ", "recipient": recipient, "recipientType": "BIREYSEL" });
        self.call("/iys/search", BRAND, recipients.iter().map(item).collect()).await
    }

    /// The webhooks, once there are so many.
    async fn hooks(&self, count: usize) -> Vec<Value> {
        let taken = eventually(async || Some(self.hook.taken()).filter(|taken| taken.len() >= count)).await;
        assert_eq!(taken.len(), count);
        taken.into_iter().map(|(_, body)| body).collect()
    }

    async fn settings(&self, path: &str, change: Value) {
        let request = self.netgsm.request(reqwest::Method::PATCH, path).json(&change);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200, "{change}");
    }

    async fn violations(&self) -> Value {
        self.netgsm.stats().await["violations"].clone()
    }
}

fn body(brand: u64, data: Value) -> Value {
    json!({ "header": { "username": USER, "password": "secret", "brandCode": brand.to_string() }, "body": { "data": data } })
}

#[tokio::test]
async fn the_sample_is_queued_and_stands_at_iys_after_the_delay() {
    let rig = Rig::new().await;
    let mut add = sample(include_str!("samples/netgsm_add.json"));
    add["header"]["password"] = json!("secret");
    add["body"]["data"][0]["consentDate"] = json!(rig.iys.clock.turkish(-60));
    let (status, answer) = rig.netgsm.post("/iys/add", &add).await;
    assert_eq!((status, &answer["code"], &answer["error"]), (200, &json!("0"), &json!("false")));
    assert!(rig.iys.records(BRAND, "+905992000001").await.is_empty(), "it is only queued");
    rig.iys.clock.advance(30);
    let hooks = rig.hooks(1).await;
    assert_eq!(keys(&hooks[0]), keys(&sample(include_str!("samples/netgsm_webhook.json"))));
    assert_eq!(hooks[0]["submitid"], answer["uid"]);
    assert_eq!((&hooks[0]["resultstatus"], &hooks[0]["brandcode"], &hooks[0]["errcode"]), (&json!("success"), &json!(BRAND), &json!("")));
    assert_eq!((&hooks[0]["retailercode"], &hooks[0]["retaileraccess"]), (&json!("66438915"), &json!("{66438915,66438916}")));
    let records = rig.iys.records(BRAND, "+905992000001").await;
    assert_eq!((&records[0]["status"], &records[0]["retailerAccess"]), (&json!("ONAY"), &json!([66_438_915, 66_438_916])));
    assert_eq!(records[0]["creationDate"], hooks[0]["creationdate"]);
    let none = json!({ "username": USER, "url": null });
    assert_eq!(rig.netgsm.request(reqwest::Method::PUT, "/_sandbox/webhook").json(&none).send().await.unwrap().status(), 200);
    rig.iys.citizen(BRAND, "+905992000001", "RET").await;
    let listed = rig.netgsm.get(&format!("/_sandbox/records?brandCode={BRAND}")).await;
    assert_eq!((&listed[0]["status"], listed.as_array().unwrap().len()), (&json!("RET"), 1));
    assert_eq!(rig.hook.taken().len(), 1, "nothing is told where no webhook is set");
}

#[tokio::test]
async fn a_record_that_fails_the_local_check_is_named_by_its_index_and_the_others_are_queued() {
    let rig = Rig::new().await;
    let good = |n: u8| rig.record(&format!("+90599200000{n}"), "ONAY", -60);
    let bad = rig.record("05992000009", "ONAY", -60);
    let answer = rig.add(json!([good(1), bad, good(2)])).await;
    assert_eq!(keys(&answer), keys(&sample(include_str!("samples/netgsm_partial.json"))));
    assert_eq!((&answer["code"], keys(&answer["erroritem"])), (&json!("0"), vec!["1"]));
    assert_eq!(keys(&answer["erroritem"]["1"]), ["recipient"]);
    let answer = rig.add(json!([bad, good(3)])).await;
    assert_eq!(keys(&answer["erroritem"][0]), ["recipient"], "an array, as the indexes begin at the first");
    let mut wrong = bad.clone();
    wrong.as_object_mut().unwrap().remove("type");
    wrong["source"] = json!("HS_2D");
    wrong["consentDate"] = json!("2026-11-23T09:00:00Z");
    let answer = rig.add(json!([wrong, bad])).await;
    assert_eq!(answer["code"], "70", "none is left to queue");
    assert_eq!(keys(&answer["erroritem"][0]), ["consentDate", "source", "type"]);
    assert!(answer.get("uid").is_none());
    rig.iys.clock.advance(30);
    let hooks = rig.hooks(3).await;
    let told: Vec<_> = hooks.iter().map(|hook| hook["recipient"].as_str().unwrap()).collect();
    assert_eq!(told, ["+905992000001", "+905992000002", "+905992000003"]);
    assert_eq!(rig.violations().await["rejected:recipient"], 3);
}

#[tokio::test]
async fn iys_refuses_later_and_its_code_comes_by_webhook() {
    let rig = Rig::new().await;
    let mut from_2015 = rig.record("+905992000003", "ONAY", -60);
    from_2015["source"] = json!("HS_2015");
    let data = json!([rig.record("+905992000001", "RET", -60), rig.record("+905992000002", "ONAY", -30 * 24 * 3600), from_2015]);
    assert_eq!(rig.add(data).await["code"], "0", "the local check looks at the form only");
    rig.iys.clock.advance(30);
    let hooks = rig.hooks(3).await;
    let told: Vec<_> = hooks.iter().map(|hook| (hook["resultstatus"].as_str().unwrap(), hook["errcode"].as_str().unwrap())).collect();
    assert_eq!(told, [("failure", "H175"), ("failure", "H467"), ("failure", "H155")]);
    assert!(hooks.iter().all(|hook| hook["creationdate"] == "" && hook["errmsg"] != ""));
    assert_eq!(rig.search(&["+905992000001"]).await["code"], "50");
    assert_eq!(rig.violations().await["rejected:H467"], 1);
}

#[tokio::test]
async fn each_fault_of_the_header_has_its_code() {
    let rig = Rig::new().await;
    let data = || json!([rig.record("+905992000001", "ONAY", -60)]);
    let code = async |body: &Value| rig.netgsm.post("/iys/add", body).await.1["code"].clone();
    let mut wrong = body(BRAND, data());
    wrong["header"]["password"] = json!("guess");
    assert_eq!(code(&wrong).await, "30");
    assert_eq!(code(&json!({})).await, "30");
    for brand in [STRANGE, 1] {
        assert_eq!(code(&body(brand, data())).await, "60", "a brand of another account");
    }
    assert_eq!(code(&body(BRAND, json!([]))).await, "70");
    let many: Vec<Value> = (0..101).map(|n| rig.record(&format!("+9059920{n:05}"), "ONAY", -60)).collect();
    assert_eq!(code(&body(BRAND, json!(many))).await, "70");
    let text = rig.netgsm.request(reqwest::Method::POST, "/iys/add").body("{").send().await.unwrap();
    assert_eq!(crate::rig::answer(text).await.1["code"], "70");
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "moduleActive": false })).await;
    assert_eq!(code(&body(BRAND, data())).await, "40");
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "moduleActive": true, "allowedAddresses": ["10.0.0.1"] })).await;
    assert_eq!(code(&body(BRAND, data())).await, "30");
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "allowedAddresses": null, "apiRight": false })).await;
    assert_eq!(code(&body(BRAND, data())).await, "30");
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "apiRight": true })).await;
    assert_eq!(code(&body(BRAND, data())).await, "0");
}

#[tokio::test]
async fn basic_is_asked_for_only_where_it_is_switched_on() {
    let rig = Rig::with(|config| config.switches = Switches { basic_required: true, numeric_code: true, ..Switches::default() }).await;
    let add = body(BRAND, json!([rig.record("+905992000001", "ONAY", -60)]));
    assert_eq!(rig.netgsm.post("/iys/add", &add).await.1["code"], 40);
    let with = rig.netgsm.request(reqwest::Method::POST, "/iys/add").basic_auth(USER, Some("secret")).json(&add);
    assert_eq!(crate::rig::answer(with.send().await.unwrap()).await.1["code"], 0);
    rig.settings("/_sandbox/switches", json!({ "basicRequired": false, "numericCode": false, "doubleZero": true })).await;
    let repeated = rig.netgsm.post("/iys/add", &add).await.1;
    assert_eq!(repeated["code"], "00");
    assert_eq!(rig.violations().await["sent_twice"], 1);
}

#[tokio::test]
async fn one_record_is_answered_with_details_and_several_without() {
    let rig = Rig::new().await;
    rig.add(json!([rig.record("+905992000001", "ONAY", -60)])).await;
    rig.iys.clock.advance(30);
    let found = rig.search(&["+905992000001"]).await;
    let documented = sample(include_str!("samples/netgsm_found.json"));
    assert_eq!((keys(&found), keys(&found["query"])), (keys(&documented), keys(&documented["query"])));
    assert_eq!((&found["query"]["status"], &found["query"]["source"]), (&json!("ONAY"), &json!("HS_WEB")));
    assert_eq!(rig.search(&["+905992000002"]).await["code"], "50");
    let several = rig.search(&["+905992000001", "+905992000002"]).await;
    let documented = sample(include_str!("samples/netgsm_several.json"));
    assert_eq!(keys(&several["query"][1]), keys(&documented["query"][1]));
    let rows = &several["query"];
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!("ONAY"), &json!("RET")), "unknown reads as refused");
    assert_eq!((&rows[0]["source"], &rows[0]["consentDate"]), (&json!(""), &json!("")));
    assert_eq!(rows[0]["transactionId"], rows[1]["transactionId"]);
    assert_ne!(rows[0]["transactionId"], found["query"]["transactionId"]);
    rig.settings("/_sandbox/switches", json!({ "array_of_one": true, "query_status": true })).await;
    let found = rig.search(&["+905992000001"]).await;
    assert_eq!((&found["query"][0]["status"], &found["query"][0]["querystatus"]), (&json!("ONAY"), &Value::Null));
    assert_eq!(rig.search(&["5992000001"]).await["code"], "70");
}

#[tokio::test]
async fn every_change_of_an_accounts_brand_is_told_whatever_its_route() {
    let rig = Rig::new().await;
    let own = rig.record("+905992000001", "ONAY", -60);
    assert_eq!(rig.iys.own_add(SECOND, &own).await.0, 200, "by the brand's own API user");
    rig.iys.citizen(SECOND, "+905992000001", "RET").await;
    rig.iys.citizen(STRANGE, "+905992000001", "ONAY").await;
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    let hooks = rig.hooks(3).await;
    let told: Vec<_> = hooks.iter().map(|hook| (&hook["brandcode"], hook["status"].as_str().unwrap(), &hook["source"])).collect();
    let (first, second) = (json!(BRAND), json!(SECOND));
    let (web, mobile) = (json!("HS_WEB"), json!("IYS_MOBIL"));
    assert_eq!(told, [(&second, "ONAY", &web), (&second, "RET", &mobile), (&first, "ONAY", &mobile)]);
    assert_eq!(rig.search(&["+905992000001"]).await["query"]["status"], "ONAY", "a brand sees its own record only");
    rig.settings("/_sandbox/switches", json!({ "webhook_array": true, "webhook_text_codes": true })).await;
    rig.iys.citizen(SECOND, "+905992000001", "ONAY").await;
    let last = rig.hooks(4).await.pop().unwrap();
    assert_eq!(last[0]["brandcode"], SECOND.to_string());
}

#[tokio::test]
async fn more_calls_than_the_limit_are_answered_with_code_80_until_the_minute_is_over() {
    let rig = Rig::with(|config| config.calls_per_minute = 10).await;
    for _ in 0..10 {
        assert_eq!(rig.search(&["+905992000001"]).await["code"], "50");
    }
    assert_eq!(rig.search(&["+905992000001"]).await["code"], "80");
    rig.iys.clock.advance(60);
    assert_eq!(rig.search(&["+905992000001"]).await["code"], "50");
    let stats = rig.netgsm.stats().await;
    assert_eq!((&stats["violations"]["rate_limited:80"], &stats["rejected"]["50"]), (&json!(1), &json!(11)));
    assert_eq!(stats["calls"], json!([{ "method": "POST", "path": "/iys/search", "status": 200, "count": 12 }]));
    rig.netgsm.post("/_sandbox/faults", &json!({ "kind": "rate_limit" })).await;
    assert_eq!(rig.search(&["+905992000001"]).await["code"], "80", "also where a test orders it");
}

#[tokio::test]
async fn webhooks_are_repeated_until_they_are_taken_and_go_wrong_as_ordered() {
    let rig = Rig::new().await;
    rig.hook.answer_next(&[500, 500, 500]);
    rig.iys.citizen(BRAND, "+905992000000", "ONAY").await;
    assert_eq!(rig.hooks(1).await[0]["recipient"], "+905992000000");
    for (how, count) in [("lost", 1), ("repeated", 1), ("held", 2)] {
        rig.netgsm.post("/_sandbox/callbacks", &json!({ "how": how, "count": count })).await;
    }
    for n in 1..5 {
        rig.iys.citizen(BRAND, &format!("+90599200000{n}"), "ONAY").await;
    }
    eventually(async || (rig.netgsm.get("/_sandbox/callbacks").await["held"] == 2).then_some(())).await;
    rig.hooks(3).await;
    let (_, released) = rig.netgsm.post("/_sandbox/callbacks/release", &json!({ "newestFirst": true })).await;
    assert_eq!(released["released"], 2);
    let last: Vec<_> = rig.hooks(5).await.iter().map(|hook| hook["recipient"].as_str().unwrap()[12..].to_owned()).collect();
    assert_eq!(last, ["0", "2", "2", "4", "3"], "1 is lost");
    let stats = eventually(async || Some(rig.netgsm.stats().await).filter(|stats| stats["deliveries"]["delivered"] == 5)).await;
    assert_eq!((&stats["deliveries"]["failed_attempts"], &stats["faults"]["callback_held"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn the_queue_can_be_held_and_refusals_planted() {
    let rig = Rig::new().await;
    rig.settings("/_sandbox/queue", json!({ "held": true, "delaySeconds": 900 })).await;
    for (recipient, at, code) in [
        ("+905992000001", "check", "planted"),
        ("+905992000002", "verdict", "H999"),
        ("+905992000003", "list", "80"),
        ("+905992000004", "query", "30"),
    ] {
        let refusal = json!({ "recipient": recipient, "at": at, "code": code });
        assert_eq!(rig.netgsm.post("/_sandbox/refusals", &refusal).await.0, 200);
    }
    let record = |n: u8| rig.record(&format!("+90599200000{n}"), "ONAY", -60);
    let answer = rig.add(json!([record(1), record(2)])).await;
    assert_eq!(answer["erroritem"][0]["recipient"], "planted");
    assert_eq!(rig.add(json!([record(4), record(3)])).await["code"], "80", "all or nothing");
    assert_eq!(rig.search(&["+905992000004"]).await["code"], "30");
    rig.iys.clock.advance(3600);
    assert_eq!(rig.netgsm.get("/_sandbox/queue").await["waiting"], 1);
    rig.settings("/_sandbox/queue", json!({ "held": false })).await;
    assert_eq!(rig.hooks(1).await[0]["errcode"], "H999");
    let packages = rig.netgsm.get(&format!("/_sandbox/packages?brandCode={BRAND}")).await;
    assert_eq!((packages.as_array().unwrap().len(), &packages[0]["records"][0]["verdict"]["code"]), (1, &json!("H999")));
    assert_eq!(rig.netgsm.get("/_sandbox/refusals").await, json!([]));
}

#[tokio::test]
async fn an_add_whose_answer_is_lost_is_queued_all_the_same() {
    let rig = Rig::new().await;
    rig.netgsm.post("/_sandbox/faults", &json!({ "path": "/iys/add", "kind": "timeout_after_apply" })).await;
    rig.netgsm.post("/_sandbox/faults", &json!({ "path": "/iys/add", "kind": "status", "status": 503 })).await;
    let add = body(BRAND, json!([rig.record("+905992000001", "ONAY", -60)]));
    let request = || rig.netgsm.request(reqwest::Method::POST, "/iys/add").json(&add).send();
    assert!(request().await.is_err());
    assert_eq!(request().await.unwrap().status(), 503);
    assert_eq!(rig.netgsm.get("/_sandbox/queue").await["waiting"], 1);
    rig.iys.clock.advance(30);
    assert_eq!(rig.hooks(1).await[0]["resultstatus"], "success");
}

#[tokio::test]
async fn what_iys_says_of_the_company_or_the_brand_is_a_verdict_of_each_record() {
    let rig = Rig::new().await;
    let add = async |recipient: &str| {
        rig.add(json!([rig.record(recipient, "ONAY", -60)])).await;
        rig.iys.clock.advance(30);
    };
    rig.iys.account(&json!({ "iysCode": BRAND, "subscription": { "status": "PAUSED" } })).await;
    add("+905992000001").await;
    rig.hooks(1).await;
    rig.iys.account(&json!({ "iysCode": BRAND, "subscription": { "status": "ACTIVE", "consentLimit": 0 } })).await;
    add("+905992000002").await;
    rig.hooks(2).await;
    rig.iys.account(&json!({ "iysCode": BRAND, "subscription": null })).await;
    add("+905992000003").await;
    let told: Vec<_> = rig.hooks(3).await.iter().map(|hook| hook["errcode"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["H520", "H525", "H524"]);
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "brands": [999] })).await;
    rig.call("/iys/add", 999, json!([rig.record("+905992000004", "ONAY", -60)])).await;
    rig.iys.clock.advance(30);
    let packages = rig.netgsm.get("/_sandbox/packages?brandCode=999").await;
    assert_eq!(packages[0]["records"][0]["verdict"]["code"], "H018");
    let mut stranger = rig.record("+905992000005", "ONAY", -60);
    (stranger["retailerCode"], stranger["retailerAccess"]) = (json!("7"), json!(["x"]));
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "brands": [SECOND] })).await;
    let refused = rig.call("/iys/add", SECOND, json!([stranger])).await;
    assert_eq!(keys(&refused["erroritem"][0]), ["retailerAccess"], "a dealer's code is a number");
}

#[tokio::test]
async fn the_other_readings_of_the_sources_can_be_switched_on() {
    let rig = Rig::new().await;
    let other = json!({
        "foreign_numbers": true, "submitid_is_uid": false, "codes_40_60_swapped": true, "webhook_tells_all": false,
    });
    rig.settings("/_sandbox/switches", other).await;
    assert_eq!(rig.call("/iys/search", STRANGE, json!([])).await["code"], "40");
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    let added = rig.add(json!([rig.record("+491721234567", "ONAY", -60)])).await;
    rig.iys.clock.advance(30);
    let hooks = rig.hooks(1).await;
    assert_eq!((&hooks[0]["recipient"], &hooks[0]["resultstatus"]), (&json!("+491721234567"), &json!("success")));
    assert_ne!(hooks[0]["submitid"], added["uid"]);
    rig.settings("/_sandbox/accounts", json!({ "username": USER, "module_active": false })).await;
    assert_eq!(rig.search(&["+905992000001"]).await["code"], "60");
    let unknown = rig.netgsm.request(reqwest::Method::PATCH, "/_sandbox/switches").json(&json!({ "nonsense": true }));
    assert_eq!(unknown.send().await.unwrap().status(), 400);
}
