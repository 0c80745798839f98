//! The Insider simulator as a client, and as a webhook receiver, sees it.

use reqwest::Method;
use sandbox::insider::{AttributeType, Config, EmailFlow, Family, LimitBody, Webhook};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::rig::{HandClock, Served, answer, eventually};

const UNSUBSCRIBE: &str = "demo-unsubscribe-key";
const RESUBSCRIBE: &str = "demo-resubscribe-key";
const UCD: &str = "demo-ucd-key";

struct Rig {
    clock: HandClock,
    served: Served,
}

impl Rig {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = HandClock::new();
        let mut config = Config { clock: clock.clock(), webhook_retry_ms: vec![1, 1, 1], ..Config::default() };
        change(&mut config);
        Self { clock, served: Served::insider(config).await }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.served.request(Method::POST, path).header("X-PARTNER-NAME", "demo");
        answer(request.header("X-REQUEST-TOKEN", key).json(body).send().await.unwrap()).await
    }

    async fn email(&self, address: &str) -> Value {
        self.served.get(&format!("/_sandbox/profiles?email={address}")).await
    }
}

fn ok() -> (u16, Value) {
    (200, json!({ "statusMessage": "OK" }))
}

fn upsert(email: &str, optin: bool) -> Value {
    json!({
        "skip_hook": true,
        "users": [{ "identifiers": { "email": email }, "attributes": { "email_optin": optin, "custom": { "x": 1 } } }],
    })
}

#[tokio::test]
async fn each_key_opens_its_own_paths_only() {
    let rig = Rig::new().await;
    let emails = json!({ "emails": ["a@example.com"] });
    for (path, key) in [("/email/v2/unsubscribe", RESUBSCRIBE), ("/email/v2/subscribe", UNSUBSCRIBE)] {
        assert_eq!(rig.post(path, key, &emails).await, (401, json!({ "statusMessage": "Unauthorized" })));
    }
    let (status, body) = rig.post("/api/user/v1/upsert", UNSUBSCRIBE, &upsert("a@example.com", true)).await;
    assert_eq!((status, &body["success"]), (403, &json!(false)));
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &emails).await, ok());
}

#[tokio::test]
async fn unsubscribe_and_resubscribe_move_the_list_and_leave_the_flag() {
    let rig = Rig::new().await;
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", true)).await;
    let emails = json!({ "emails": ["A@Example.com", "new@example.com"] });
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &emails).await, ok());
    let found = rig.email("a@example.com").await;
    assert_eq!(found["suppressed"], json!({ "email": true, "sms": false, "whatsapp": false }));
    assert_eq!(found["profile"]["email_optin"], true);
    assert!(rig.email("new@example.com").await["profile"].is_object(), "an unknown address creates a profile");
    assert_eq!(rig.post("/email/v2/subscribe", RESUBSCRIBE, &emails).await, ok());
    let found = rig.email("a@example.com").await;
    assert_eq!(found["suppressed"]["email"], false);
    let effects: Vec<_> = found["calls"].as_array().unwrap().iter().map(|call| call["effect"].clone()).collect();
    assert_eq!(effects, ["upsert", "unsubscribe", "resubscribe"]);
}

#[tokio::test]
async fn phone_numbers_have_lists_for_sms_and_whatsapp() {
    let rig = Rig::new().await;
    let numbers = json!({ "phone_numbers": ["+905992000001"] });
    assert_eq!(rig.post("/sms/v2/unsubscribe", UNSUBSCRIBE, &numbers).await, ok());
    assert_eq!(rig.post("/whatsapp/v1/unsubscribe", UNSUBSCRIBE, &json!({ "phone_number": "+905992000001" })).await, ok());
    let path = "/_sandbox/profiles?phone_number=%2B905992000001";
    assert_eq!(rig.served.get(path).await["suppressed"], json!({ "email": false, "sms": true, "whatsapp": true }));
    assert_eq!(rig.post("/sms/v1/subscribe", RESUBSCRIBE, &json!({ "phone_number": "+905992000001" })).await, ok());
    assert_eq!(rig.served.get(path).await["suppressed"], json!({ "email": false, "sms": false, "whatsapp": true }));
}

#[tokio::test]
async fn bad_bodies_are_refused_and_bad_addresses_silently_left_out() {
    let rig = Rig::new().await;
    let many: Vec<String> = (0..501).map(|n| format!("a{n}@example.com")).collect();
    for body in [json!({}), json!({ "emails": [] }), json!({ "emails": many }), json!({ "emails": [1] })] {
        let (status, body) = rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &body).await;
        assert_eq!((status, body), (400, json!({ "statusMessage": "Bad request" })));
    }
    let mixed = json!({ "emails": ["nonsense", "a@example.com", "a@example.com"] });
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &mixed).await, ok());
    let stats = rig.served.stats().await;
    assert_eq!(stats["violations"]["invalid_address"], 1);
    assert_eq!(stats["violations"]["duplicate_in_list"], 1);
    assert_eq!(stats["violations"]["rejected:contact_batch_too_large"], 1);
}

#[tokio::test]
async fn a_group_is_left_without_the_global_list() {
    let rig = Rig::new().await;
    let body = json!({ "emails": ["a@example.com"], "group_name": "weekly-news" });
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &body).await, ok());
    let found = rig.email("a@example.com").await;
    assert_eq!((&found["suppressed"]["email"], &found["groups_left"]), (&json!(false), &json!(["weekly-news"])));
    let short = json!({ "emails": ["a@example.com"], "group_name": "ab" });
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &short).await.0, 400);
    let empty = json!({ "emails": ["a@example.com"], "group_name": "" });
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &empty).await, ok());
    assert_eq!(rig.email("a@example.com").await["suppressed"]["email"], true, "an empty group means everything");
    assert_eq!(rig.served.stats().await["violations"]["empty_group"], 1);
}

#[tokio::test]
async fn the_email_based_flow_creates_nothing_for_unknown_addresses() {
    let rig = Rig::with(|config| config.account.email_flow = EmailFlow::EmailBased).await;
    assert_eq!(rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &json!({ "emails": ["a@example.com"] })).await, ok());
    let found = rig.email("a@example.com").await;
    assert_eq!((&found["profile"], &found["suppressed"]["email"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn an_upsert_tells_bad_users_by_position_within_a_200() {
    let rig = Rig::new().await;
    let attributes = json!({ "email_optin": false });
    let body = json!({ "skip_hook": true, "users": [
        { "identifiers": { "email": "a@example.com", "phone_number": "+905992000001" }, "attributes": attributes },
        { "identifiers": { "phone_number": "12345" }, "attributes": attributes },
        { "attributes": attributes },
    ]});
    let (status, body) = rig.post("/api/user/v1/upsert", UCD, &body).await;
    assert_eq!(status, 200);
    assert_eq!(body["data"]["successful"], json!({ "count": 1 }));
    assert_eq!(body["data"]["fail"]["count"], 2);
    let errors = body["data"]["fail"]["errors"].as_object().unwrap();
    assert_eq!(errors[r"users.1.identifiers.*.regexp(^\+[1-9]\d{6,14}$)"], json!(["user has an invalid phone number: 12345"]));
    assert!(errors.keys().any(|key| key.starts_with("users.2.")));
    let none = json!({ "users": [{ "attributes": attributes }] });
    let (_, body) = rig.post("/api/user/v1/upsert", UCD, &none).await;
    assert_eq!(body["data"]["successful"], json!({}));
    let (status, body) = rig.post("/api/user/v1/upsert", UCD, &json!({})).await;
    assert_eq!((status, body), (400, json!({ "error": "users must be defined: bad request" })));
    let users: Vec<Value> = vec![json!({ "identifiers": { "uuid": "1" }, "attributes": attributes }); 1001];
    assert_eq!(rig.post("/api/user/v1/upsert", UCD, &json!({ "users": users })).await.0, 400);
    let huge = json!({ "users": [{ "identifiers": { "uuid": "1" }, "attributes": { "note": "x".repeat(5_000_000) } }] });
    let (status, body) = rig.post("/api/user/v1/upsert", UCD, &huge).await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("5,000,000"));
    let found = rig.served.get("/_sandbox/profiles?phone_number=%2B905992000001").await;
    assert_eq!(found["profile"]["email"], "a@example.com");
}

#[tokio::test]
async fn a_profile_reads_back_its_flags_and_costs_quota() {
    let rig = Rig::with(|config| config.quota_per_minute = 1.0).await;
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", false)).await;
    let read = |email: &str| json!({ "identifiers": { "email": email }, "attributes": ["email", "email_optin", "c_x", "sms_optin"], "quota": true });
    let (status, body) = rig.post("/api/user/v1/profile", UCD, &read("A@example.com")).await;
    assert_eq!(status, 200);
    assert_eq!((&body["attributes"]["email_optin"], &body["attributes"]["c_x"]), (&json!(false), &json!(1)));
    assert!(body["attributes"].get("sms_optin").is_none());
    assert_eq!(body["quota"], json!({ "cost": 0.5, "used": 0.5, "total": 1.0 }));
    let (status, body) = rig.post("/api/user/v1/profile", UCD, &read("b@example.com")).await;
    assert_eq!((status, body), (404, json!({ "error": "no such user for these identifiers: no data" })));
    let (status, body) = rig.post("/api/user/v1/profile", UCD, &read("a@example.com")).await;
    assert_eq!((status, body), (429, json!({ "error": "rejected: too many requests" })));
    rig.clock.advance(60);
    assert_eq!(rig.post("/api/user/v1/profile", UCD, &read("a@example.com")).await.0, 200);
}

#[tokio::test]
async fn each_host_has_its_own_429() {
    let rig = Rig::with(|config| {
        config.contact_calls_per_minute = 1;
        config.unification_calls_per_minute = 1;
    })
    .await;
    let emails = json!({ "emails": ["a@example.com"] });
    rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &emails).await;
    let limited = rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &emails).await;
    assert_eq!(limited, (429, json!({ "message": "Too Many Requests", "status": 429 })));
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", true)).await;
    let limited = rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", true)).await;
    assert_eq!(limited, (429, json!({ "error": "rejected: too many requests" })));
    let stats = rig.served.stats().await;
    assert_eq!(stats["violations"]["rate_limited:contact"], 1);
    assert_eq!(stats["violations"]["rate_limited:unification"], 1);
}

fn webhook(address: std::net::SocketAddr) -> Webhook {
    Webhook {
        url: format!("http://{address}/hook"),
        headers: [("X-Insider-Secret".to_owned(), "demo-insider-secret".to_owned())].into(),
        auth: None,
        family: None,
        body: None,
    }
}

#[tokio::test]
async fn a_person_who_unsubscribes_is_listed_and_told_of_until_taken() {
    let (receiver, address) = Receiver::serve(None).await;
    let rig = Rig::with(|config| {
        config.webhooks.email = Some(webhook(address));
        config.webhooks.sms = Some(webhook(address));
    })
    .await;
    receiver.answer_next(&[500, 404]);
    let (status, body) = rig.served.post("/_sandbox/unsubscribe", &json!({ "email": "A@example.com" })).await;
    assert_eq!((status, &body["webhook"]), (200, &json!("queued")));
    assert_eq!(rig.email("a@example.com").await["suppressed"]["email"], true);
    let (headers, body) = eventually(async || receiver.taken().first().cloned()).await;
    assert_eq!(headers["x-insider-secret"], "demo-insider-secret");
    assert_eq!((&body["event"], &body["email"]), (&json!("unsubscribe"), &json!("a@example.com")));
    assert!(body["msg-id"].is_string());
    rig.served.post("/_sandbox/unsubscribe", &json!({ "phone_number": "+905992000001" })).await;
    let (_, body) = eventually(async || receiver.taken().get(1).cloned()).await;
    assert_eq!(body["event_name"], "sms_unsubscribe");
    assert_eq!(body["attrs"]["phone_number"], "+905992000001");
    let counts = eventually(async || {
        let counts = rig.served.stats().await["deliveries"].clone();
        (counts["delivered"] == 2).then_some(counts)
    })
    .await;
    assert_eq!(counts["failed_attempts"], 2);
}

#[tokio::test]
async fn the_family_can_be_chosen_by_settings_and_by_request() {
    let (receiver, address) = Receiver::serve(None).await;
    let rig = Rig::with(|config| {
        config.webhooks.email = Some(Webhook {
            family: Some(Family::Architect),
            body: Some(json!({ "who": "{{email}}", "what": "{{event}}" })),
            ..webhook(address)
        });
    })
    .await;
    rig.served.post("/_sandbox/unsubscribe", &json!({ "email": "a@example.com" })).await;
    let (_, body) = eventually(async || receiver.taken().first().cloned()).await;
    assert_eq!(body, json!({ "who": "a@example.com", "what": "email_unsubscribe" }));
    let request = json!({ "email": "a@example.com", "family": "attribute_stream" });
    rig.served.post("/_sandbox/unsubscribe", &request).await;
    let (_, body) = eventually(async || receiver.taken().get(1).cloned()).await;
    assert_eq!((&body["attribute_name"], &body["new_value"]), (&json!("email_optin"), &json!(false)));
    let (_, body) = rig.served.post("/_sandbox/unsubscribe", &json!({ "phone_number": "+905992000001" })).await;
    assert_eq!(body["webhook"], "none", "no receiver for SMS is set");
}

#[tokio::test]
async fn a_test_call_goes_out_once_in_its_family_form_and_proof_and_shows_the_receivers_answer() {
    let (receiver, address) = Receiver::serve(None).await;
    let rig = Rig::new().await;
    let families =
        ["legacy_email", "transactional_email", "transactional_sms", "whatsapp_status", "event_stream", "attribute_stream", "architect"];
    let proofs = [
        (json!({ "kind": "hmac_hex", "secret": "s" }), "x-ins-auth"),
        (json!({ "kind": "hmac_base64", "secret": "s" }), "x-ins-auth"),
        (json!({ "kind": "secret", "secret": "s" }), "x-ins-auth"),
        (json!({ "kind": "basic", "username": "u", "password": "s" }), "authorization"),
        (json!({ "kind": "bearer", "token": "s" }), "authorization"),
    ];
    for family in families {
        for (auth, header) in &proofs {
            for shape in ["object", "array"] {
                let webhook = json!({ "url": format!("http://{address}/hook"), "auth": auth });
                let who = if family.ends_with("email") { "email" } else { "phone_number" };
                let whom = if who == "email" { "a@example.com" } else { "+905992000001" };
                let call = json!({ "webhook": webhook, "family": family, "shape": shape, who: whom });
                let (status, answer) = rig.served.post("/_sandbox/emit", &call).await;
                assert_eq!((status, &answer["status"]), (200, &json!(200)), "{answer}");
                let (headers, body) = receiver.taken().last().cloned().unwrap();
                assert_eq!(body, answer["sent"]);
                assert_eq!(body.is_array(), shape == "array");
                assert!(headers.contains_key(*header), "{auth}");
            }
        }
    }
    receiver.answer_next(&[500]);
    let call = json!({ "webhook": { "url": format!("http://{address}/hook") }, "email": "a@example.com" });
    assert_eq!(rig.served.post("/_sandbox/emit", &call).await.1["status"], 500, "a test call is not repeated");
    assert_eq!(rig.served.post("/_sandbox/emit", &json!({ "email": "a@example.com" })).await.0, 400, "no receiver is set");
}

#[tokio::test]
async fn leaving_a_group_in_a_message_names_the_group() {
    let (receiver, address) = Receiver::serve(None).await;
    let rig = Rig::with(|config| config.webhooks.email = Some(webhook(address))).await;
    let request = json!({ "email": "a@example.com", "group_name": "weekly-news" });
    rig.served.post("/_sandbox/unsubscribe", &request).await;
    let (_, body) = eventually(async || receiver.taken().first().cloned()).await;
    assert_eq!((&body["ins_unsub_id"], &body["unsub_group_name"]), (&json!(1), &json!("weekly-news")));
    assert_eq!(rig.email("a@example.com").await["suppressed"]["email"], false);
}

#[tokio::test]
async fn an_upsert_tells_of_changed_flags_unless_it_skips_the_hook() {
    let (receiver, address) = Receiver::serve(None).await;
    let rig = Rig::with(|config| config.webhooks.attributes = Some(webhook(address))).await;
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", true)).await;
    let mut loud = upsert("a@example.com", false);
    loud["skip_hook"] = json!(false);
    rig.post("/api/user/v1/upsert", UCD, &loud).await;
    let (_, body) = eventually(async || receiver.taken().first().cloned()).await;
    assert_eq!((&body["old_value"], &body["new_value"]), (&json!(true), &json!(false)));
    rig.post("/api/user/v1/upsert", UCD, &loud).await;
    let stats = rig.served.stats().await;
    assert_eq!(stats["deliveries"]["queued"], 1, "an unchanged flag is no event");
    assert_eq!(stats["warnings"]["upsert_without_skip_hook"], 2);
}

#[tokio::test]
async fn the_open_points_about_flags_and_lists_can_be_switched() {
    let rig = Rig::with(|config| {
        config.account.unsubscribe_clears_flag = true;
        config.account.optin_lifts_suppression = true;
    })
    .await;
    rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &json!({ "emails": ["a@example.com"] })).await;
    let found = rig.email("a@example.com").await;
    assert_eq!((&found["profile"]["email_optin"], &found["suppressed"]["email"]), (&json!(false), &json!(true)));
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", true)).await;
    assert_eq!(rig.email("a@example.com").await["suppressed"]["email"], false);
}

#[tokio::test]
async fn a_summary_counts_lists_and_flags() {
    let rig = Rig::new().await;
    rig.post("/api/user/v1/upsert", UCD, &upsert("a@example.com", false)).await;
    rig.post("/email/v2/unsubscribe", UNSUBSCRIBE, &json!({ "emails": ["a@example.com", "b@example.com"] })).await;
    let summary = rig.served.get("/_sandbox/summary").await;
    assert_eq!(summary["suppressed"], json!({ "email": 2, "sms": 0, "whatsapp": 0 }));
    assert_eq!(summary["flags"]["email_optin"], json!({ "true": 0, "false": 1, "absent": 1 }));
}

#[tokio::test]
async fn faults_answer_in_the_shape_of_their_host() {
    let rig = Rig::new().await;
    for (path, body) in
        [("/email", json!({ "message": "Too Many Requests", "status": 429 })), ("/api", json!({ "error": "rejected: too many requests" }))]
    {
        assert_eq!(rig.served.post("/_sandbox/faults", &json!({ "path": path, "kind": "rate_limit" })).await.0, 200);
        let path = if path == "/api" { "/api/user/v1/upsert" } else { "/email/v2/unsubscribe" };
        assert_eq!(rig.post(path, UCD, &json!({})).await, (429, body));
    }
}

#[tokio::test]
async fn a_gateway_that_gives_up_answers_first_and_the_request_lands_behind_it() {
    let insider = Rig::new().await;
    insider.post("/_sandbox/faults", "", &json!({ "path": "/email", "kind": "gateway_timeout", "latency_ms": 150 })).await;
    let (status, _) = insider.post("/email/v2/unsubscribe", UNSUBSCRIBE, &json!({ "emails": ["late@example.com"] })).await;
    assert_eq!(status, 504);
    assert_eq!(insider.email("late@example.com").await["suppressed"]["email"], false);
    eventually(async || (insider.email("late@example.com").await["suppressed"]["email"] == true).then_some(())).await;
}

#[tokio::test]
async fn a_profile_based_account_takes_people_by_uuid_in_three_forms_and_no_bare_addresses() {
    let insider = Rig::with(|config| config.account.email_flow = EmailFlow::ProfileBased).await;
    let users =
        json!({ "users": [{ "identifiers": { "uuid": "CRM-1", "email": "a@example.com" }, "attributes": { "email_optin": true } }] });
    assert_eq!(insider.post("/api/user/v1/upsert", UCD, &users).await.0, 200);
    for (path, key, body, listed) in [
        ("/email/v2/unsubscribe", UNSUBSCRIBE, json!({ "users": [{ "uuid": "CRM-1", "email": "a@example.com" }] }), true),
        ("/email/v2/subscribe", RESUBSCRIBE, json!({ "uuids": ["CRM-1"], "emails": ["a@example.com"] }), false),
        ("/email/v2/unsubscribe", UNSUBSCRIBE, json!({ "uuids": ["CRM-1"] }), true),
    ] {
        assert_eq!(insider.post(path, key, &body).await.0, 200, "{body}");
        assert_eq!(insider.email("a@example.com").await["suppressed"]["email"], listed, "{body}");
    }
    let bare = json!({ "emails": ["a@example.com"] });
    assert_eq!(insider.post("/email/v2/unsubscribe", UNSUBSCRIBE, &bare).await.0, 400);
    let by_address = json!({ "users": [{ "identifiers": { "email": "a@example.com" }, "attributes": { "email_optin": false } }] });
    let (_, answer) = insider.post("/api/user/v1/upsert", UCD, &by_address).await;
    assert_eq!(answer["data"]["fail"]["count"], 1, "{answer}");
}

#[tokio::test]
async fn a_custom_attribute_takes_its_own_type_only_and_the_contact_host_may_have_the_other_429() {
    let insider = Rig::with(|config| {
        config.account.custom_attribute_types =
            [("on".to_owned(), AttributeType::Boolean), ("date".to_owned(), AttributeType::Date)].into();
        config.account.contact_limit_body = LimitBody::Error;
        config.contact_calls_per_minute = 0;
    })
    .await;
    for (name, value, taken) in [
        ("on", json!(true), true),
        ("on", json!("true"), false),
        ("date", json!("2026-11-20T08:15:00Z"), true),
        ("date", json!("20.11.2026"), false),
        ("free", json!(7), true),
    ] {
        let users = json!({ "users": [{ "identifiers": { "email": "a@example.com" }, "attributes": { "custom": { name: value } } }] });
        let (_, answer) = insider.post("/api/user/v1/upsert", UCD, &users).await;
        assert_eq!(answer["data"]["successful"]["count"] == 1, taken, "{name} {value}: {answer}");
    }
    let (status, body) = insider.post("/sms/v1/unsubscribe", UNSUBSCRIBE, &json!({ "phone_number": "+905992000001" })).await;
    assert_eq!((status, body), (429, json!({ "error": "rejected: too many requests" })));
}

#[tokio::test]
async fn an_export_is_there_after_its_delay_for_a_day_and_once_a_day() {
    let insider = Rig::new().await;
    let order =
        json!({ "segment": { "segment_id": 1 }, "attributes": ["email", "email_optin"], "format": "csv", "hook": "http://127.0.0.1:9/" });
    for (name, value) in [("segment", json!({ "segment_id": 9 })), ("attributes", json!([])), ("hook", json!("https://webhook.site/x"))] {
        let mut bad = order.clone();
        bad[name] = value;
        assert_eq!(insider.post("/api/raw/v1/export", UCD, &bad).await.0, 400, "{name}");
    }
    let (status, answer) = insider.post("/api/raw/v1/export", UCD, &order).await;
    assert_eq!(status, 200);
    assert_eq!(insider.post("/api/raw/v1/export", UCD, &order).await.0, 429);
    let url = answer["url"].as_str().unwrap().to_owned();
    let get = async || insider.served.client.get(&url).send().await.unwrap();
    assert_eq!(get().await.status(), 404);
    insider.clock.advance(4 * 3600);
    assert_eq!(get().await.text().await.unwrap(), "iid,a_email,a_email_optin\n");
    insider.clock.advance(24 * 3600);
    assert_eq!(get().await.status(), 403);
    assert_eq!(insider.post("/api/raw/v1/export", UCD, &order).await.0, 200);
}

#[tokio::test]
async fn accounts_at_one_address_share_nothing_and_a_request_is_whose_partner_it_names() {
    let (_receiver, address) = Receiver::serve(None).await;
    let clock = HandClock::new();
    let first = Config { clock: clock.clock(), webhook_retry_ms: vec![1], ..Config::default() };
    let mut other = Config { partner: "other".to_owned(), ..first.clone() };
    other.keys.unsubscribe = "other-key".to_owned();
    other.webhooks.email = Some(webhook(address));
    let served = Served::over(|listener, stopped| sandbox::insider::serve_accounts(listener, vec![first, other], stopped)).await;
    let unsubscribe = async |partner: &str, key: &str, address: &str| {
        let request = served.request(Method::POST, "/email/v2/unsubscribe").header("X-PARTNER-NAME", partner);
        answer(request.header("X-REQUEST-TOKEN", key).json(&json!({ "emails": [address] })).send().await.unwrap()).await.0
    };
    assert_eq!(unsubscribe("other", UNSUBSCRIBE, "a@example.com").await, 401, "another account's key");
    assert_eq!(unsubscribe("nobody", "other-key", "a@example.com").await, 401, "no account at all");
    assert_eq!(unsubscribe("other", "other-key", "a@example.com").await, 200);
    let suppressed =
        async |query: &str| served.get(&format!("/_sandbox/profiles?email=a@example.com{query}")).await["suppressed"]["email"].clone();
    assert_eq!((suppressed("").await, suppressed("&partner=demo").await), (json!(false), json!(false)));
    assert_eq!(suppressed("&partner=other").await, true);
    assert_eq!(served.post("/_sandbox/unsubscribe?partner=other", &json!({ "email": "b@example.com" })).await.1["webhook"], "queued");
    assert_eq!(served.post("/_sandbox/unsubscribe", &json!({ "email": "b@example.com" })).await.1["webhook"], "none");
    let refused = async |query: &str| served.get(&format!("/_sandbox/stats{query}")).await["rejected"]["contact_unauthorized"].clone();
    assert_eq!((refused("").await, refused("?partner=other").await), (json!(1), json!(1)));
    assert_eq!(served.request(Method::GET, "/_sandbox/stats?partner=nobody").send().await.unwrap().status(), 404);
}
