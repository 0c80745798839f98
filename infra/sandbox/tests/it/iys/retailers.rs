//! Retailers, their access to consents, and the places that they are in.

use sandbox::iys::Brand;
use serde_json::{Value, json};

use super::{BASE, Rig, codes};

fn retailer(title: &str, tckn: &str) -> Value {
    json!({
        "title": title, "name": "Ayşe Yılmaz", "tckn": tckn, "tin": "1234567890",
        "city": { "name": "İstanbul", "code": "34" }, "town": { "name": "Kadıköy", "code": "421" },
    })
}

async fn create(rig: &Rig, body: &Value) -> (u16, Value) {
    rig.post(&format!("{BASE}/retailers"), body).await
}

#[tokio::test]
async fn a_retailer_is_created_listed_read_and_deleted() {
    let rig = Rig::new().await;
    let mut first = retailer("ABC Ticaret", "10000000146");
    first["mersis"] = json!("0015001526400496");
    let (status, created) = create(&rig, &first).await;
    assert_eq!((status, &created), (201, &json!({ "retailerCode": 50_000_001 })));
    let (_, second) = create(&rig, &retailer("XYZ Ticaret", "11111111110")).await;
    assert_eq!(second["retailerCode"], 50_000_002, "{second}");
    let (_, one) = rig.get(&format!("{BASE}/retailers/50000001")).await;
    assert_eq!((&one["title"], &one["status"], &one["city"]["code"]), (&json!("ABC Ticaret"), &json!("active"), &json!("34")));
    let (_, all) = rig.get(&format!("{BASE}/retailers")).await;
    assert_eq!((&all["pagination"]["totalCount"], &all["list"][1]["retailerCode"]), (&json!(2), &json!(50_000_002)));
    let (_, page) = rig.get(&format!("{BASE}/retailers?offset=1&limit=1&short=true")).await;
    let row = json!({ "title": "XYZ Ticaret", "city": { "name": "İstanbul", "code": "34" }, "status": "active",
        "retailerCode": 50_000_002, "retailerAccessCount": 0 });
    assert_eq!(page["list"], json!([row]));
    let (_, brands) = rig.get("/sps/700001/brands").await;
    assert_eq!(brands[0]["stats"]["retailers"]["total"], 2);
    assert_eq!(rig.delete(&format!("{BASE}/retailers/50000001")).await, 200);
    let (status, body) = rig.get(&format!("{BASE}/retailers/50000001")).await;
    assert_eq!((status, codes(&body)), (404, vec!["H058"]));
}

#[tokio::test]
async fn wrong_and_repeated_retailers_are_refused_each_with_its_code() {
    let rig = Rig::with(|config| {
        config.retailers_maximum = 3;
        config.providers[0].brands.push(Brand { brand_code: 700_002, retailers: vec![44_445_555], ..Brand::default() });
    })
    .await;
    let mut first = retailer("ABC", "10000000146");
    first["mersis"] = json!("0015001526400496");
    assert_eq!(create(&rig, &first).await.0, 201);
    let (status, body) = create(&rig, &first).await;
    assert_eq!((status, codes(&body)), (400, vec!["H230", "H231"]));
    let mut passive = retailer("DEF", "11111111110");
    passive["status"] = json!("passive");
    assert_eq!(create(&rig, &passive).await.0, 201);
    for (body, code) in
        [(passive, "H253"), (json!([]), "H090"), (json!({ "title": "ABC" }), "H016"), (retailer("A & B", "12345678950"), "H229")]
    {
        let (status, answered) = create(&rig, &body).await;
        assert_eq!((status, codes(&answered)), (400, vec![code]), "{body}");
    }
    for (query, code) in [("limit=101", "H186"), ("limit=0", "H187"), ("offset=-1", "H182"), ("all=x", "H184"), ("short=x", "H185")] {
        let (status, body) = rig.get(&format!("{BASE}/retailers?{query}")).await;
        assert_eq!((status, codes(&body)), (422, vec![code]));
    }
    let (status, body) = rig.get(&format!("{BASE}/retailers/44445555")).await;
    assert_eq!((status, codes(&body)), (403, vec!["H353"]), "another brand's");
    rig.patch("switches", &json!({ "retailer_check_digits": false })).await;
    assert_eq!(create(&rig, &retailer("GHI", "12345678950")).await.0, 201);
    let (status, body) = create(&rig, &retailer("JKL", "12345678951")).await;
    assert_eq!((status, codes(&body)), (400, vec!["H067"]), "the brand is full");
}

#[tokio::test]
async fn retailer_numbers_have_eight_digits_and_end() {
    let rig = Rig::with(|config| config.first_retailer_code = 99_999_999).await;
    assert_eq!(create(&rig, &retailer("ABC", "10000000146")).await.1["retailerCode"], 99_999_999);
    let (status, body) = create(&rig, &retailer("DEF", "11111111110")).await;
    assert_eq!((status, codes(&body)), (400, vec!["H067"]));
}

/// A brand with three retailers, and a consent that the first collected and the second may use.
async fn collected() -> Rig {
    let rig = Rig::with(|config| config.providers[0].brands[0].retailers = vec![11_111_111, 22_222_222, 33_333_333]).await;
    let mut consent = rig.consent("+905992000001", "ONAY", -10);
    consent["retailerCode"] = json!(11_111_111);
    consent["retailerAccess"] = json!([22_222_222]);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &consent).await;
    assert_eq!(status, 200, "{body}");
    rig
}

fn one(fields: Value) -> Value {
    let mut body = json!({ "recipientType": "BIREYSEL", "type": "MESAJ" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn with_access(rig: &Rig) -> Vec<u64> {
    let body = one(json!({ "recipient": "+905992000001" }));
    let (status, body) = rig.post(&format!("{BASE}/consent/retailers/access/list"), &body).await;
    assert_eq!(status, 200, "{body}");
    body["list"].as_array().unwrap().iter().map(|row| row["retailerCode"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_consent_names_its_collector_and_counts_who_may_use_it() {
    let rig = collected().await;
    let query = one(json!({ "recipient": "+905992000001" }));
    let (_, body) = rig.post(&format!("{BASE}/consents/status"), &query).await;
    assert_eq!((&body["retailerCode"], &body["retailerAccessCount"]), (&json!(11_111_111), &json!(1)));
    assert_eq!(body["retailerTitle"], "Bayi 11111111");
    let found = rig.served.get("/_sandbox/consents?recipient=%2B905992000001").await;
    assert_eq!(found["records"][0]["retailerAccess"], json!([22_222_222]));
    let mut stranger = rig.consent("+905992000002", "ONAY", -10);
    stranger["retailerCode"] = json!(44_444_444);
    stranger["retailerAccess"] = json!([11_111_111, 55_555_555]);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents"), &stranger).await;
    assert_eq!((status, codes(&body)), (403, vec!["H180", "H180"]));
    assert_eq!((&body["errors"][1]["location"], &body["errors"][1]["value"]), (&json!(["retailerAccess", 1]), &json!(55_555_555)));
    let mut another = rig.consent("+905992000004", "ONAY", -10);
    another["retailerCode"] = json!(55_555_555);
    let list = json!([stranger, rig.consent("+905992000003", "ONAY", -10), another]);
    let (status, body) = rig.post(&format!("/v2{BASE}/consents/request"), &list).await;
    let places: Vec<_> = body["errors"].as_array().unwrap().iter().map(|entry| entry["index"].clone()).collect();
    assert_eq!((status, places), (403, vec![json!(0), json!(0), json!(2)]), "all of them are named");
}

#[tokio::test]
async fn access_is_added_replaced_and_removed() {
    let rig = collected().await;
    assert_eq!(with_access(&rig).await, [11_111_111, 22_222_222]);
    let path = format!("{BASE}/consents/retailers/access");
    let add = one(json!({ "recipient": "+905992000001", "retailerAccess": [33_333_333] }));
    let (status, body) = rig.post(&path, &add).await;
    assert_eq!((status, body["transactionId"].as_str().unwrap().len()), (200, 64));
    assert_eq!(with_access(&rig).await, [11_111_111, 22_222_222, 33_333_333]);
    let remove = one(json!({ "recipients": ["+905992000001", "+905992000009"], "retailerAccess": [22_222_222] }));
    assert_eq!(rig.post(&format!("{path}/remove"), &remove).await, (202, json!(1)));
    assert_eq!(with_access(&rig).await, [11_111_111, 33_333_333]);
    let replace = one(json!({ "recipients": ["+905992000001"], "retailerAccess": [22_222_222] }));
    assert_eq!(rig.put(&path, &replace).await.0, 202);
    assert_eq!(with_access(&rig).await, [22_222_222], "the collector has no access any more");
    let (status, _) = rig.get(&format!("{BASE}/retailers/22222222")).await;
    assert_eq!((status, rig.delete(&format!("{BASE}/retailers/22222222")).await), (200, 500), "a consent is linked to it");
    rig.patch("switches", &json!({ "accepted_without_body": true })).await;
    let all = one(json!({ "recipients": ["+905992000001"] }));
    assert_eq!(rig.post(&format!("{path}/remove/all"), &all).await, (202, Value::Null));
    assert!(with_access(&rig).await.is_empty());
    assert_eq!(rig.delete(&format!("{BASE}/retailers/22222222")).await, 200);
    assert_eq!(rig.delete(&format!("{BASE}/retailers/11111111")).await, 500, "it collected the consent");
}

#[tokio::test]
async fn a_persons_act_leaves_the_retailers_and_a_new_record_replaces_them() {
    let rig = collected().await;
    let act = json!({ "brandCode": 700_001, "recipient": "+905992000001", "type": "MESAJ", "status": "RET" });
    rig.clock.advance(60);
    rig.served.post("/_sandbox/citizen", &act).await;
    assert_eq!(with_access(&rig).await, [11_111_111, 22_222_222]);
    rig.clock.advance(60);
    assert_eq!(rig.add("+905992000001", "ONAY", 0).await.0, 200);
    assert!(with_access(&rig).await.is_empty());
}

#[tokio::test]
async fn each_fault_of_an_access_call_has_its_code() {
    let rig = collected().await;
    let path = format!("{BASE}/consents/retailers/access");
    let many: Vec<String> = (0..101).map(|n| format!("+905992000{n:03}")).collect();
    let recipients = json!(["+905992000001"]);
    for (fields, status, code) in [
        (json!({ "retailerAccess": [22_222_222] }), 422, "H168"),
        (json!({ "recipients": "x", "retailerAccess": [22_222_222] }), 422, "H478"),
        (json!({ "recipients": [], "retailerAccess": [22_222_222] }), 422, "H164"),
        (json!({ "recipients": many, "retailerAccess": [22_222_222] }), 422, "H127"),
        (json!({ "recipients": ["905992000001"], "retailerAccess": [22_222_222] }), 422, "H121"),
        (json!({ "recipients": ["+905992000001", "+905992000001"], "retailerAccess": [22_222_222] }), 422, "H193"),
        (json!({ "recipients": recipients }), 422, "H169"),
        (json!({ "recipients": recipients, "retailerAccess": [] }), 422, "H163"),
        (json!({ "recipients": recipients, "retailerAccess": (1..102).collect::<Vec<u64>>() }), 422, "H126"),
        (json!({ "recipients": recipients, "retailerAccess": [22_222_222, 22_222_222] }), 422, "H193"),
        (json!({ "recipients": recipients, "retailerAccess": [44_444_444] }), 403, "H180"),
        (json!({ "recipients": recipients, "retailerAccess": [22_222_222], "type": "SMS" }), 422, "H117"),
        (json!({ "recipients": recipients, "retailerAccess": [22_222_222], "recipientType": "x" }), 422, "H116"),
    ] {
        let (found, body) = rig.put(&path, &one(fields.clone())).await;
        assert_eq!((found, codes(&body)), (status, vec![code]), "{fields}");
    }
    let nobody = one(json!({ "recipient": "+905992000009", "retailerAccess": [22_222_222] }));
    let (status, body) = rig.post(&path, &nobody).await;
    assert_eq!((status, codes(&body)), (400, vec!["H401"]));
    let missing = one(json!({ "retailerAccess": [22_222_222] }));
    let (status, body) = rig.post(&path, &missing).await;
    assert_eq!((status, codes(&body)), (422, vec!["H114"]));
    for (path, code) in
        [(path.clone(), "H090"), (format!("{path}/remove"), "H172"), (format!("{BASE}/consent/retailers/access/list"), "H173")]
    {
        let (status, body) = rig.post(&path, &json!([])).await;
        assert_eq!((status, codes(&body)), (400, vec![code]));
    }
}

#[tokio::test]
async fn provinces_and_towns_are_told_by_number() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("/info/city").await.1.as_array().unwrap().len(), 81);
    assert_eq!(rig.get("/info/city/34").await, (200, json!({ "code": 34, "name": "İstanbul" })));
    assert_eq!(rig.get("/info/town").await.1.as_array().unwrap().len(), 970);
    assert_eq!(rig.get("/info/town/1").await, (200, json!({ "code": 1, "name": "Seyhan", "city_code": 1 })));
    for path in ["/info/city/82", "/info/city/0", "/info/town/971"] {
        assert_eq!(rig.get(path).await.0, 204, "{path}");
    }
    rig.patch("switches", &json!({ "town_city_code_in_camel_case": true })).await;
    assert_eq!(rig.get("/info/town/1").await.1["cityCode"], 1);
    let bare = rig.served.request(reqwest::Method::GET, "/info/city").send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401);
}
