//! Mysoft (Etk API).

use reqwest::Method;
use sandbox::mysoft::{Account, Config, Tenant, Webhook};
use serde_json::{Value, json};

use super::{BRAND, Iys, SECOND, STRANGE, keys, sample};
use crate::receiver::Receiver;
use crate::rig::{Served, answer, eventually};

const TENANT: &str = "1234567890";

struct Rig {
    iys: Iys,
    mysoft: Served,
    hook: Receiver,
    token: String,
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::before(Iys::new().await, change).await
    }

    async fn before(iys: Iys, change: impl FnOnce(&mut Config)) -> Self {
        let (hook, address) = Receiver::serve(None).await;
        let tenant = |number: &str, brands: &[u64], webhook| Tenant {
            tenant_identifier_number: number.to_owned(),
            brands: brands.to_vec(),
            webhook,
        };
        let webhook = Webhook { url: format!("http://{address}/hook"), key: "0123456789ABCDEF".to_owned() };
        let account = |client: &str, tenants| Account { client_id: client.to_owned(), client_secret: "secret".to_owned(), tenants };
        let mut config = Config {
            accounts: vec![
                account("client", vec![tenant(TENANT, &[BRAND, SECOND], Some(webhook))]),
                account("other", vec![tenant("9876543210", &[STRANGE], None)]),
            ],
            callback_retry_ms: vec![1, 1, 1],
            // The tests' clock jumps.
            token_seconds: 365 * 24 * 3600,
            ..Config::default()
        };
        change(&mut config);
        let registry = iys.registry.clone();
        let mysoft = Served::over(|listener, stopped| sandbox::mysoft::serve(listener, config, registry, stopped)).await;
        let mut rig = Self { iys, mysoft, hook, token: String::new() };
        rig.token = rig.log_in("client", "secret").await.1["access_token"].as_str().unwrap().to_owned();
        rig
    }

    async fn log_in(&self, client: &str, secret: &str) -> (u16, Value) {
        let form = [("client_id", client), ("client_secret", secret), ("grant_type", "client_credentials")];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.mysoft.request(Method::POST, "/oauth/token").header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(form).send().await.unwrap()).await
    }

    async fn post(&self, call: &str, body: &Value) -> (u16, Value) {
        let request = self.mysoft.request(Method::POST, &format!("/api/Etk/{call}")).bearer_auth(&self.token).json(body);
        answer(request.send().await.unwrap()).await
    }

    /// A call for the first brand; whatever is said comes under 200, in the same envelope.
    async fn call(&self, call: &str, fields: Value) -> Value {
        let mut body = json!({ "tenantIdentifierNumber": TENANT, "brandCode": BRAND });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let (status, answer) = self.post(call, &body).await;
        assert_eq!((status, keys(&answer)), (200, vec!["afterValue", "data", "errorCode", "message", "succeed"]));
        answer
    }

    async fn send(&self, records: Value) -> Value {
        self.call("sendConsentBatch", json!({ "consentDataList": records })).await
    }

    fn record(&self, recipient: &str, status: &str, offset: i64) -> Value {
        json!({
            "type": "MESAJ", "source": "HS_WEB", "recipient": recipient, "status": status,
            "consentDate": self.iys.clock.turkish(offset), "recipientType": "BIREYSEL",
        })
    }

    async fn mirror(&self, recipient: &str) -> Value {
        self.call("checkRecipientStatus", json!({ "recipient": recipient })).await["data"].clone()
    }

    async fn movements(&self, fields: Value) -> Vec<Value> {
        self.call("consentTransactionList", fields).await["data"].as_array().unwrap().clone()
    }

    async fn settings(&self, path: &str, change: Value) {
        let request = self.mysoft.request(Method::PATCH, path).json(&change);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200, "{change}");
    }

    async fn hooks(&self, count: usize) -> Vec<Value> {
        let taken = eventually(async || Some(self.hook.taken()).filter(|taken| taken.len() >= count)).await;
        assert_eq!(taken.len(), count);
        taken.into_iter().map(|(_, body)| body).collect()
    }
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_sample_goes_through_its_states_until_iys_has_it() {
    let rig = Rig::new().await;
    let mut sent = sample(include_str!("samples/mysoft_single.json"));
    sent["consentData"]["consentDate"] = json!(rig.iys.clock.turkish(-60));
    let (_, taken) = rig.post("sendConsent", &sent).await;
    let reference = taken["data"]["referanceKey"].as_str().unwrap().to_owned();
    let mut seen = Vec::new();
    for seconds in [0, 30, 10, 10] {
        rig.iys.clock.advance(seconds);
        let movement = rig.call("checkConsentStatus", json!({ "referanceKey": reference })).await["data"].clone();
        let state = rig.mirror("+905992000001").await[0]["portalStatus"].as_str().unwrap().to_owned();
        seen.push((movement["portalStatus"].as_str().unwrap().to_owned(), state));
    }
    let expected = [
        ("IYSYE_GONDERIM_ICIN_BEKLIYOR", "ISLENMEYI_BEKLIYOR"),
        ("IYSYE_GONDERILIYOR", "ISLENIYOR"),
        ("PAKET_DURUM_SORGULANACAK", "ISLENIYOR"),
        ("IYSDE_KAYITLI", "IYSDE_KAYITLI"),
    ];
    assert_eq!(seen, expected.map(|(long, short)| (long.to_owned(), short.to_owned())));
    let movement = rig.call("checkConsentStatus", json!({ "serviceReferanceKey": "our-event-0001" })).await["data"].clone();
    let at_iys = &rig.iys.records(BRAND, "+905992000001").await[0];
    assert_eq!((&movement["transactionId"], &movement["creationDate"]), (&at_iys["transactionId"], &at_iys["creationDate"]));
    assert!(movement["requestId"].is_string() && movement["subRequestId"].is_string() && movement["errorCode"].is_null());
    let state = &rig.mirror("+905992000001").await[0];
    let names =
        ["consentDate", "folderName", "lastUpdateDate", "note", "portalStatus", "recipient", "recipientType", "source", "status", "type"];
    assert_eq!((keys(state), &state["folderName"]), (names.to_vec(), &json!("web")));
    let (_, again) = rig.post("sendConsent", &sent).await;
    assert_eq!((&again["succeed"], &again["errorCode"]), (&json!(false), &json!("HM422")), "the reference was used");
    rig.settings("/_sandbox/switches", json!({ "service_key_unique": false })).await;
    assert_eq!(rig.post("sendConsent", &sent).await.1["succeed"], true);
    let violations = rig.mysoft.stats().await["violations"].clone();
    assert_eq!((&violations["service_key_used"], &violations["sent_twice"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_bulk_add_keeps_the_good_records_and_names_the_bad_ones_at_once() {
    let rig = Rig::new().await;
    let good = |n: u8, status: &str, offset| rig.record(&format!("+90599200000{n}"), status, offset);
    let mut no_type = good(4, "ONAY", -60);
    no_type.as_object_mut().unwrap().remove("recipientType");
    let records = json!([
        good(1, "ONAY", -60),
        rig.record("905992000009", "ONAY", -60),
        good(2, "RET", -60),
        good(3, "ONAY", -30 * 24 * 3600),
        no_type,
    ]);
    let mut list = json!({ "consentDataList": records, "serviceReferanceKey": "batch-1", "note": "n" });
    let taken = rig.call("sendConsentBatch", list.clone()).await;
    let errors = taken["data"]["errorConsentList"].as_array().unwrap();
    assert_eq!((column(errors, "errorCode"), &errors[0]["recipient"]), (vec!["H121", "H170"], &json!("905992000009")));
    assert_eq!(keys(&errors[0]), ["errorCode", "errorDescription", "recipient"]);
    let reference = json!({ "referanceKey": taken["data"]["referanceKey"] });
    let mut seen = Vec::new();
    for seconds in [0, 30, 20] {
        rig.iys.clock.advance(seconds);
        let result = rig.call("checkBatchConsentStatus", reference.clone()).await["data"]["batchResult"].clone();
        seen.push(result["portalStatus"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["IZINLER_ISLENMEYI_BEKLIYOR", "IZINLER_ISLENIYOR", "ISLENDI"]);
    let result = rig.call("checkBatchConsentStatus", json!({ "serviceReferanceKey": "batch-1" })).await["data"]["batchResult"].clone();
    let rows = result["detailList"].as_array().unwrap();
    assert_eq!(column(rows, "portalStatus"), ["IYSDE_KAYITLI", "HATA", "HATA"]);
    assert_eq!((&rows[1]["errorCode"], &rows[2]["errorCode"], &result["note"]), (&json!("H175"), &json!("H467"), &json!("n")));
    assert!(result["processStartDate"].is_string() && result["processEndDate"].is_string());
    assert_eq!(rig.call("checkConsentStatus", reference).await["errorCode"], "HM404", "a bulk add is no single one");
    rig.settings("/_sandbox/switches", json!({ "bad_record_refuses_list": true })).await;
    list["serviceReferanceKey"] = json!("batch-2");
    let refused = rig.call("sendConsentBatch", list).await;
    assert_eq!((&refused["errorCode"], refused["data"]["errorConsentList"].as_array().unwrap().len()), (&json!("HM422"), 2));
    assert_eq!(rig.movements(json!({})).await.len(), 3);
}

#[tokio::test]
async fn movements_tell_who_made_them_and_page_by_id() {
    let rig = Rig::new().await;
    rig.send(json!([rig.record("+905992000001", "ONAY", -60), rig.record("+905992000002", "ONAY", -60)])).await;
    rig.iys.clock.advance(50);
    rig.mirror("+905992000001").await;
    rig.iys.citizen(BRAND, "+905992000001", "RET").await;
    rig.iys.citizen(SECOND, "+905992000001", "ONAY").await;
    rig.iys.citizen(STRANGE, "+905992000001", "ONAY").await;
    assert_eq!(rig.iys.own_add(BRAND, &rig.record("+905992000003", "ONAY", -60)).await.0, 200);
    let rows = rig.movements(json!({})).await;
    assert_eq!(column(&rows, "recordSource"), ["MYSOFT_API", "MYSOFT_API", "IYS_WEBHOOK"], "the pull comes later");
    rig.iys.clock.advance(3600);
    let rows = rig.movements(json!({})).await;
    assert_eq!((column(&rows, "recordSource")[3], &rows[3]["recipient"]), ("PULL_SERVIS", &json!("+905992000003")));
    let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    assert!(rows.iter().all(|row| row["transactionId"].is_string()));
    let page = rig.call("consentTransactionList", json!({ "limit": 3 })).await;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["afterValue"]), (3, &json!(ids[2])));
    assert_eq!(rig.movements(json!({ "afterValue": ids[2] })).await.len(), 1);
    let end = rig.call("consentTransactionList", json!({ "afterValue": ids[3] })).await;
    assert_eq!((&end["data"], &end["afterValue"]), (&json!([]), &json!(ids[3])));
    assert_eq!(rig.movements(json!({ "source": "IYS" })).await.len(), 1);
    assert_eq!(rig.movements(json!({ "source": "HS" })).await.len(), 3);
    let today = json!({ "startDate": "2026-11-23", "endDate": "2026-11-23" });
    let states = rig.call("checkStatusChangedConsentData", today).await["data"].as_array().unwrap().clone();
    assert_eq!((states.len(), column(&states, "status")), (3, vec!["ONAY", "RET", "ONAY"]), "the last state of each");
    rig.settings("/_sandbox/switches", json!({ "after_value_inclusive": true })).await;
    assert_eq!(rig.movements(json!({ "afterValue": ids[2] })).await.len(), 2);
}

#[tokio::test]
async fn a_span_of_more_than_seven_days_is_refused() {
    let rig = Rig::new().await;
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    let span = |first: &str, last: &str| json!({ "startDate": first, "endDate": last });
    assert_eq!(rig.movements(span("2026-11-16", "2026-11-23")).await.len(), 1);
    assert_eq!(rig.movements(span("2026-11-24", "2026-11-30")).await.len(), 0);
    rig.iys.clock.advance(30 * 24 * 3600);
    assert_eq!(rig.movements(json!({})).await.len(), 0, "the last seven days where nothing is said");
    assert_eq!(rig.movements(span("2026-11-20", "2026-11-27")).await.len(), 1, "older weeks can be read again");
    for (first, last) in [("2026-11-16", "2026-11-24"), ("2026-11-24", "2026-11-23"), ("23.11.2026", "2026-11-24")] {
        assert_eq!(rig.call("consentTransactionList", span(first, last)).await["errorCode"], "HM422", "{first} {last}");
        assert_eq!(rig.call("checkStatusChangedConsentData", span(first, last)).await["errorCode"], "HM422");
    }
    assert_eq!(rig.call("checkStatusChangedConsentData", json!({})).await["errorCode"], "HM422", "there the dates are needed");
}

#[tokio::test]
async fn callbacks_carry_the_key_in_the_body_and_tell_what_people_changed() {
    let rig = Rig::new().await;
    rig.send(json!([rig.record("+905992000001", "ONAY", -60)])).await;
    rig.iys.clock.advance(50);
    rig.mirror("+905992000001").await;
    rig.hook.answer_next(&[500, 500]);
    rig.iys.citizen(BRAND, "+905992000001", "RET").await;
    rig.iys.citizen(STRANGE, "+905992000001", "ONAY").await;
    let hooks = rig.hooks(1).await;
    let documented = sample(include_str!("samples/mysoft_callback.json"));
    assert_eq!((keys(&hooks[0]), keys(&hooks[0]["consentData"])), (keys(&documented), keys(&documented["consentData"])));
    assert_eq!((&hooks[0]["webHookKey"], &hooks[0]["brandCode"]), (&json!("0123456789ABCDEF"), &json!("600001")));
    assert_eq!((&hooks[0]["consentData"]["status"], &hooks[0]["consentData"]["source"]), (&json!("RET"), &json!("IYS_MOBIL")));
    rig.settings("/_sandbox/switches", json!({ "callback_tells_all": true, "callback_fields_outside": true })).await;
    rig.send(json!([rig.record("+905992000002", "ONAY", -60)])).await;
    rig.iys.clock.advance(50);
    let hooks = rig.hooks(2).await;
    assert_eq!((&hooks[1]["source"], &hooks[1]["consentData"]["recipient"]), (&json!("HS_WEB"), &json!("+905992000002")));
    assert!(hooks[1]["consentData"].get("consentDate").is_none());
    let none = json!({ "tenantIdentifierNumber": TENANT, "webhook": null });
    assert_eq!(rig.mysoft.request(Method::PUT, "/_sandbox/webhook").json(&none).send().await.unwrap().status(), 200);
    rig.settings("/_sandbox/switches", json!({ "citizen_by_pull": true })).await;
    rig.iys.citizen(BRAND, "+905992000001", "ONAY").await;
    assert_eq!(rig.mirror("+905992000001").await[0]["status"], "RET", "the mirror is behind");
    rig.iys.clock.advance(3600);
    assert_eq!(rig.mirror("+905992000001").await[0]["status"], "ONAY");
    assert_eq!(rig.hook.taken().len(), 2);
}

#[tokio::test]
async fn tokens_end_and_each_fault_of_a_call_has_its_code() {
    let mut rig = Rig::with(|config| config.token_seconds = 300).await;
    let (status, token) = rig.log_in("client", "secret").await;
    assert_eq!((status, &token["expires_in"]), (200, &json!(300)));
    assert_eq!(rig.log_in("client", "guess").await, (400, json!({ "error": "invalid_client" })));
    let fields =
        |tenant: Value, brand: Value| json!({ "tenantIdentifierNumber": tenant, "brandCode": brand, "recipient": "+905992000001" });
    for (tenant, brand, code) in [
        (json!(null), json!(BRAND), "HM422"),
        (json!(TENANT), json!("600001"), "HM422"),
        (json!("9876543210"), json!(STRANGE), "HM400"),
        (json!(TENANT), json!(STRANGE), "HM400"),
    ] {
        let (status, body) = rig.post("checkRecipientStatus", &fields(tenant, brand)).await;
        assert_eq!((status, &body["succeed"], &body["errorCode"]), (200, &json!(false), &json!(code)));
    }
    let brands = rig.post("checkTenantBrandsByTenantIdentifier", &json!({ "tenantIdentifierNumber": TENANT })).await.1;
    assert_eq!(brands["data"][1], json!({ "iysBrandCode": SECOND, "brandName": "600002" }));
    assert_eq!(rig.send(json!([])).await["errorCode"], "HM422");
    let many: Vec<Value> = (0..1001).map(|n| rig.record(&format!("+9059920{n:05}"), "ONAY", -60)).collect();
    assert_eq!(rig.send(json!(many)).await["errorCode"], "HM422");
    let single = json!({ "consentData": rig.record("905992000001", "ONAY", -60) });
    let refused = rig.call("sendConsent", single).await;
    assert_eq!(refused["errorCode"], "HM422");
    assert!(refused["message"].as_str().unwrap().starts_with("H121 "));
    assert_eq!(rig.call("checkConsentStatus", json!({ "referanceKey": "none" })).await["errorCode"], "HM404");
    rig.iys.clock.advance(300);
    let good = fields(json!(TENANT), json!(BRAND));
    assert_eq!(rig.post("checkRecipientStatus", &good).await.0, 401);
    rig.settings("/_sandbox/switches", json!({ "omit_expires_in": true, "unknown_recipient_refused": true })).await;
    let (_, token) = rig.log_in("client", "secret").await;
    assert!(token.get("expires_in").is_none());
    rig.token = token["access_token"].as_str().unwrap().to_owned();
    assert_eq!(rig.post("checkRecipientStatus", &good).await.1["errorCode"], "HM404");
    assert_eq!(rig.mysoft.request(Method::DELETE, "/_sandbox/tokens").send().await.unwrap().status(), 200);
    assert_eq!(rig.post("checkRecipientStatus", &good).await.0, 401);
    let stats = rig.mysoft.stats().await;
    assert_eq!((&stats["violations"]["forbidden:tenant"], &stats["violations"]["bad_credentials"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_stood_at_iys_before_is_mirrored_and_what_is_planted_comes_true() {
    let iys = Iys::new().await;
    let old = json!([{ "brandCode": BRAND, "recipient": "+905992000001", "type": "MESAJ", "status": "ONAY" }]);
    iys.served.post("/_sandbox/consents", &old).await;
    let rig = Rig::before(iys, |_| {}).await;
    assert_eq!(rig.mirror("+905992000001").await[0]["portalStatus"], "IYSDE_KAYITLI");
    assert_eq!(rig.movements(json!({})).await[0]["recordSource"], "MUTABAKAT_ESITLEME");
    for (at, recipient, code) in [
        ("check", "+905992000002", "H999"),
        ("verdict", "+905992000001", "H998"),
        ("list", "+905992000003", "HM400"),
        ("query", "+905992000004", "HM404"),
    ] {
        rig.mysoft.post("/_sandbox/refusals", &json!({ "recipient": recipient, "at": at, "code": code })).await;
    }
    let record = |n: u8| rig.record(&format!("+90599200000{n}"), "ONAY", -60);
    let taken = rig.send(json!([record(1), record(2)])).await;
    assert_eq!(taken["data"]["errorConsentList"][0]["errorCode"], "H999");
    assert_eq!(rig.send(json!([record(5), record(3)])).await["errorCode"], "HM400", "all or nothing");
    assert_eq!(rig.call("checkRecipientStatus", json!({ "recipient": "+905992000004" })).await["errorCode"], "HM404");
    rig.iys.clock.advance(50);
    assert_eq!(rig.mirror("+905992000001").await[0]["portalStatus"], "HATA", "it hides what stands");
    rig.settings("/_sandbox/switches", json!({ "failed_hides_standing": false })).await;
    assert_eq!(rig.mirror("+905992000001").await[0]["portalStatus"], "IYSDE_KAYITLI");
    rig.mysoft.post("/_sandbox/batches/fail", &json!({ "count": 1 })).await;
    let reference = rig.send(json!([record(6)])).await["data"].clone();
    rig.settings("/_sandbox/queue", json!({ "delaySeconds": 900, "held": true })).await;
    rig.iys.clock.advance(50);
    assert_eq!(rig.mysoft.get("/_sandbox/queue").await["waiting"], 1);
    rig.settings("/_sandbox/queue", json!({ "held": false })).await;
    let result = rig.call("checkBatchConsentStatus", json!({ "referanceKey": reference["referanceKey"] })).await;
    assert_eq!(result["data"]["batchResult"]["portalStatus"], "IZINLER_ISLENIRKEN_HATA_OLUSTU");
    rig.mysoft.post("/_sandbox/faults", &json!({ "path": "/api/Etk", "kind": "rate_limit" })).await;
    let good = json!({ "tenantIdentifierNumber": TENANT, "brandCode": BRAND, "recipient": "+905992000001" });
    let (status, limited) = rig.post("checkRecipientStatus", &good).await;
    assert_eq!((status, &limited["succeed"]), (429, &json!(false)));
}

#[tokio::test]
async fn a_merchants_first_record_needs_neither_date_nor_source_and_the_next_does() {
    let rig = Rig::new().await;
    let bare = json!({ "type": "EPOSTA", "recipient": "Shop@example.com", "status": "ONAY", "recipientType": "TACIR" });
    let reference = rig.send(json!([bare])).await["data"]["referanceKey"].clone();
    rig.iys.clock.advance(50);
    let outcome = async |reference: &Value| {
        let result = rig.call("checkBatchConsentStatus", json!({ "referanceKey": reference })).await;
        result["data"]["batchResult"]["detailList"][0].clone()
    };
    assert_eq!(outcome(&reference).await["portalStatus"], "IYSDE_KAYITLI");
    rig.settings("/_sandbox/switches", json!({ "recipient_type_may_be_missing": true })).await;
    let mut person = rig.record("+905992000001", "ONAY", -60);
    person.as_object_mut().unwrap().remove("recipientType");
    assert_eq!(rig.send(json!([person])).await["data"]["errorConsentList"], json!([]));
    assert_eq!(rig.mirror("+905992000001").await[0]["recipientType"], "BIREYSEL");
    let mut refusal = bare.clone();
    refusal["status"] = json!("RET");
    let reference = rig.send(json!([refusal])).await["data"]["referanceKey"].clone();
    rig.iys.clock.advance(50);
    assert_eq!(outcome(&reference).await["errorCode"], "H462");
    let rows = rig.mirror("shop@EXAMPLE.com").await;
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["recipientType"]), (1, &json!("TACIR")));
}
