//! Every way in which an opt-out enters from Insider: each family in each form with each proof, through the
//! gateway and the function, and what becomes of it.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Crowd, Search, Setup, World, until};

/// One brand for each mode of proof: its name, its two live secrets, and what makes a proof of a secret.
struct Mode {
    brand: &'static str,
    webhook_auth: fn(&str) -> Value,
    proof: fn(&str) -> Value,
}

const MODES: [Mode; 7] = [
    Mode {
        brand: "insider-header",
        webhook_auth: |secret| json!({ "mode": "header", "name": "X-Marka-Anahtar", "secret": secret }),
        proof: |secret| json!({ "headers": { "x-marka-anahtar": secret } }),
    },
    Mode {
        brand: "insider-static",
        webhook_auth: |secret| json!({ "mode": "static-secret", "secret": secret }),
        proof: |secret| json!({ "auth": { "kind": "secret", "secret": secret } }),
    },
    Mode {
        brand: "insider-hex",
        webhook_auth: |secret| json!({ "mode": "hmac-sha1-hex", "secret": secret }),
        proof: |secret| json!({ "auth": { "kind": "hmac_hex", "secret": secret } }),
    },
    Mode {
        brand: "insider-base64",
        webhook_auth: |secret| json!({ "mode": "hmac-sha1-base64", "secret": secret }),
        proof: |secret| json!({ "auth": { "kind": "hmac_base64", "secret": secret } }),
    },
    Mode {
        brand: "insider-basic",
        webhook_auth: |secret| json!({ "mode": "basic", "username": "insider", "password": secret }),
        proof: |secret| json!({ "auth": { "kind": "basic", "username": "insider", "password": secret } }),
    },
    Mode {
        brand: "insider-bearer",
        webhook_auth: |secret| json!({ "mode": "bearer", "token": secret }),
        proof: |secret| json!({ "auth": { "kind": "bearer", "token": secret } }),
    },
    Mode {
        brand: "insider-query",
        webhook_auth: |secret| json!({ "mode": "query", "name": "anahtar", "secret": secret }),
        proof: |secret| json!({ "query": format!("?anahtar={secret}") }),
    },
];

/// A receiver with a mode's proof by a secret.
fn webhook(mode: &Mode, secret: &str, url: &str) -> Value {
    let mut webhook = (mode.proof)(secret);
    let query = webhook.as_object_mut().and_then(|fields| fields.remove("query")).unwrap_or_default();
    webhook["url"] = format!("{url}{}", query.as_str().unwrap_or_default()).into();
    webhook
}

const OLD: &str = "eski-gizli-anahtar";
const NEW: &str = "yeni-gizli-anahtar";

/// The recorded forms, by family, and under which field of the answer each is counted.
const FORMS: [(&str, &str); 25] = [
    ("email-unsubscribe", "taken"),
    ("email-unsubscribe-milliseconds", "taken"),
    ("email-unsubscribe-rfc3339", "taken"),
    ("email-unsubscribe-undated", "taken"),
    ("email-unsubscribe-group", "group"),
    ("email-spam", "taken"),
    ("email-bounce", "noMeaning"),
    ("transactional-email-unsubscribe", "taken"),
    ("transactional-email-bounce", "noMeaning"),
    ("sms-callback-delivered", "noMeaning"),
    ("sms-callback-unsubscribed", "noRecipient"),
    ("sms-callback-unsubscribed-with-number", "taken"),
    ("sms-callback-unsubscribed-with-reference", "noRecipient"),
    ("whatsapp-status", "noMeaning"),
    ("whatsapp-preference-stop", "noMeaning"),
    ("event-stream-email-unsubscribe", "taken"),
    ("event-stream-sms-unsubscribe", "taken"),
    ("event-stream-flattened", "taken"),
    ("event-stream-purchase", "unknown"),
    ("attribute-stream-change", "taken"),
    ("attribute-stream-consent-dated", "onayWithoutSource"),
    ("attribute-stream-other-attribute", "unknownAttributes"),
    ("call-an-api-consent-words", "taken"),
    ("call-an-api-event", "taken"),
    ("call-an-api-unfilled-template", "invalid"),
];

/// A recorded form about these people, dated now.
fn form(name: &str, email: &str, phone: &str) -> Value {
    let path = format!("{}/../shared/tests/fixtures/insider/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let now = Timestamp::now();
    let turkish = (now + SignedDuration::from_hours(3)).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let text = std::fs::read_to_string(path).expect("a recorded form");
    let text = text
        .replace("ayse@example.com", email)
        .replace("+905321112233", phone)
        .replace("905321112233", phone.trim_start_matches('+'))
        .replace("0532 111 22 33", phone)
        .replace("1795162500", &now.as_second().to_string())
        .replace("2026-11-20T08:15:00Z", &now.to_string())
        .replace("2026-11-20T11:15:00+03:00", &now.to_string())
        .replace("2026-11-20 11:15:00", &turkish);
    serde_json::from_str(&text).expect("JSON")
}

/// The number under a field of an answer, or how many entries it has.
fn count(answer: &Value, field: &str) -> u64 {
    match &answer[field] {
        Value::Array(list) => list.len() as u64,
        Value::Object(names) => names.values().filter_map(Value::as_u64).sum(),
        number => number.as_u64().unwrap_or_default(),
    }
}

fn setup() -> Setup {
    // The schedules have no part in this.
    let mut setup = Setup { schedule_speed: 0.0, push_notices: false, ..Setup::new(env!("CARGO_BIN_EXE_stack")) };
    for (at, mode) in (3..).zip(&MODES) {
        setup.brands.push(json!({
            "name": mode.brand,
            "iys": { "brandCode": 700_000 + at },
            "insider": { "webhookAuth": [(mode.webhook_auth)(OLD), (mode.webhook_auth)(NEW)] },
        }));
    }
    setup.brands.push(json!({ "name": "demo", "insider": {
        "attributes": { "email_optin": { "type": "EPOSTA", "onaySource": "HS_WEB" }, "sms_optin": { "type": "MESAJ" } },
    } }));
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn each_family_enters_in_each_form_with_each_proof_and_is_counted_as_what_it_is() {
    let world = World::start(setup()).await;
    for (at, mode) in (89..).zip(&MODES) {
        with_each_proof(&world, mode, Crowd::new(at)).await;
    }
    hostile_bodies(&world).await;
    made_by_the_panel(&world, Crowd::new(96)).await;
    a_callback_without_a_number(&world, Crowd::new(97)).await;
    a_consent_that_starts_in_insider(&world, Crowd::new(98)).await;
    let output = world.output();
    for secret in [OLD, NEW] {
        assert!(!output.contains(secret), "a secret is logged");
    }
    assert!(output.contains("hmac-sha1-base64"), "the log says which proof was given");
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "insider_inbound.log");
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

async fn with_each_proof(world: &World, mode: &Mode, crowd: Crowd) {
    let url = format!("{}/v1/{}/insider/events", world.gateway_url(), mode.brand);
    let call = |secret: &str, shape: &str, body: Value| json!({ "webhook": webhook(mode, secret, &url), "shape": shape, "body": body });
    let mut people = 0..;
    let mut refused = Vec::new();
    for (form_name, field) in FORMS {
        for (shape, secret) in [("object", NEW), ("array", OLD)] {
            let person = people.next().unwrap_or_default();
            let (email, phone) = (crowd.email(person), crowd.phone(person));
            let body = form(form_name, &email, &phone);
            let what = format!("{form_name} {shape} {}", mode.brand);
            let told = world.test_call(&call(secret, shape, body.clone())).await;
            let answer = &told["answer"];
            assert_eq!((&told["status"], &answer["received"]), (&json!(200), &json!(1)), "{what}: {answer}");
            assert_eq!((count(answer, field), &answer["mended"]), (1, &json!(0)), "{what}: {answer}");
            Search::new(&[email.clone(), phone.clone()]).must_find_nothing(&what, &answer.to_string());
            if field == "taken" {
                assert_eq!(answer["accepted"], 1, "{what}: {answer}");
                // Told again by the other secret, in the other form, it is the same movement.
                let (shape, secret) = if shape == "object" { ("array", OLD) } else { ("object", NEW) };
                let again = world.test_call(&call(secret, shape, body)).await;
                assert_eq!((&again["answer"]["accepted"], &again["answer"]["duplicates"]), (&json!(0), &json!(1)), "{what}: {again}");
                let address = if told["sent"].to_string().contains(&email) { email } else { phone };
                refused.push((what, address));
            }
        }
    }
    for (what, address) in refused.iter().step_by(5) {
        let story = world.lookup_for(mode.brand, address).await;
        let states = story["states"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(states.iter().any(|state| state["status"] == "RET" && state["origin"] == "insider"), "{what}: {story}");
    }
    let status = world.status(mode.brand).await;
    assert_eq!((&status["unknownEvents"]["purchase"], &status["unknownAttributes"]["city"]), (&json!(2), &json!(2)), "{status}");
    let sample = &status["unknownSamples"]["events"]["purchase"];
    assert_eq!(
        (&sample["form"]["attrs"]["email"], &sample["form"]["hook_id"]),
        (&json!("text with an at sign"), &json!("number of 2 digits"))
    );
    assert!(sample["lastSeen"].is_string());

    // No other secret, mode or body opens the door, and nothing of the body is read without.
    let email = crowd.email(9_000);
    let body = form("email-unsubscribe", &email, &crowd.phone(9_000));
    let stranger = world.test_call(&call("baska-bir-anahtar", "object", body.clone())).await;
    let nobody = world.test_call(&json!({ "webhook": { "url": url }, "body": body })).await;
    let other = MODES.iter().find(|other| other.brand != mode.brand && (other.proof)(NEW) != (mode.proof)(NEW));
    let wrong_mode = webhook(other.expect("another mode"), NEW, &url);
    let wrong_mode = world.test_call(&json!({ "webhook": wrong_mode, "body": body })).await;
    for refused in [stranger, nobody, wrong_mode] {
        assert_eq!(refused["status"], 401, "{}: {refused}", mode.brand);
    }
    assert_eq!(world.lookup_for(mode.brand, &email).await["history"], json!([]));
}

/// The bodies by which the handler is tried in its own tests, as bytes over the wire.
async fn hostile_bodies(world: &World) {
    let folder = "../functions/webhook-ingest/tests/webhook_ingest/__fuzz__/hostile__any_bytes_are_parsed_or_refused/corpus";
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let headers = [("x-insider-secret", "demo-insider-secret"), ("content-type", "application/json")];
    let search = Search::new(&["secretperson@example.com".to_owned(), "+905321234567".to_owned()]);
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("a file").path();
        let body = std::fs::read(&path).expect("a body");
        let answer = world.request_with(reqwest::Method::POST, "/v1/demo/insider/events", &headers, body).await;
        assert!(matches!(answer.status, 200 | 400 | 422), "{}: {}", path.display(), answer.text);
        search.must_find_nothing(&path.display().to_string(), &answer.text);
        *statuses.entry(answer.status).or_default() += 1;
    }
    assert!(statuses.get(&200).is_some_and(|count| *count > 8) && statuses.get(&400).is_some_and(|count| *count > 4), "{statuses:?}");
    search.must_find_nothing("the output", &world.output());
}

/// What the simulator makes by its own reading of Insider's pages, in every family.
async fn made_by_the_panel(world: &World, crowd: Crowd) {
    let cases = [
        ("legacy_email", "unsubscribe", "taken"),
        ("legacy_email", "spam", "taken"),
        ("legacy_email", "bounce", "noMeaning"),
        ("legacy_email", "delivered", "noMeaning"),
        ("transactional_email", "unsubscribe", "taken"),
        ("transactional_email", "spam", "taken"),
        ("transactional_sms", "unsubscribe", "noRecipient"),
        ("transactional_sms", "bounce", "noMeaning"),
        ("whatsapp_status", "delivered", "noMeaning"),
        ("event_stream", "unsubscribe", "taken"),
        ("event_stream", "resubscribe", "onayWithoutSource"),
        ("event_stream", "bounce", "noMeaning"),
        ("attribute_stream", "unsubscribe", "taken"),
        ("architect", "unsubscribe", "taken"),
    ];
    let mut people = 0..;
    for (family, event, field) in cases {
        for shape in ["object", "array"] {
            for unit in ["seconds", "milliseconds", "microseconds", "rfc3339", "none"] {
                let person = people.next().unwrap_or_default();
                let is_phone = matches!(family, "transactional_sms" | "whatsapp_status");
                let (name, whom) = if is_phone { ("phone_number", crowd.phone(person)) } else { ("email", crowd.email(person)) };
                let call = json!({ "family": family, "event": event, "shape": shape, "unit": unit, name: whom });
                let told = world.test_call(&call).await;
                let answer = &told["answer"];
                assert_eq!((&told["status"], count(answer, field)), (&json!(200), 1), "{family} {event} {shape} {unit}: {told}");
                assert_eq!(answer["mended"], 0, "{family} {event} {unit}: {told}");
            }
        }
    }
    let group = world.test_call(&json!({ "email": crowd.email(8_000), "group_name": "haftalik" })).await;
    assert_eq!(group["answer"]["group"], 1, "{group}");
    let history = world.lookup(&crowd.email(8_000)).await["history"].clone();
    assert_eq!((&history[0]["aside"], &history[0]["asideBecause"]), (&json!(true), &json!("left_group")), "{history}");
    let opt_out = json!({ "phone_number": crowd.phone(8_001), "channel": "whatsapp", "webhook": { "url": format!("{}/v1/demo/insider/events", world.gateway_url()), "headers": { "X-Insider-Secret": "demo-insider-secret" } } });
    assert_eq!(world.test_call(&opt_out).await["answer"]["noMeaning"], 1);
}

async fn a_callback_without_a_number(world: &World, crowd: Crowd) {
    let phone = crowd.phone(1);
    world.add_one(&phone, "MESAJ", "ONAY").await;
    world.until_iys_holds(&phone, "MESAJ", "ONAY").await;
    let story = world.lookup(&phone).await;
    world.until_second_after(&story["states"][0]["consentDate"]).await;
    // The brand sent its SMS with the id that it got before sending.
    let question = json!({ "type": "MESAJ", "recipients": [phone, "kein anschluss"], "recipientIds": true });
    let checked = world.ask("/v1/demo/consents/check", &question).await;
    assert_eq!(checked["recipientIds"], json!({ phone.as_str(): story["recipientId"] }), "{checked}");
    let reference = &checked["recipientIds"][&phone];
    let call = json!({ "family": "transactional_sms", "phone_number": phone, "unique_args": { "iysRef": reference } });
    let told = world.test_call(&call).await;
    assert!(!told["sent"].to_string().contains(&phone), "{told}");
    assert_eq!((&told["answer"]["received"], &told["answer"]["accepted"]), (&json!(1), &json!(1)), "{told}");
    let record = world.until_iys_holds(&phone, "MESAJ", "RET").await;
    assert_eq!(record["source"], "HS_MESAJ");
}

async fn a_consent_that_starts_in_insider(world: &World, crowd: Crowd) {
    let (dated, undated, sms) = (crowd.email(1), crowd.email(2), crowd.phone(3));
    let call =
        |name: &str, whom: &str, unit: &str| json!({ "family": "attribute_stream", "event": "resubscribe", "unit": unit, name: whom });
    let told = world.test_call(&call("email", &dated, "rfc3339")).await;
    assert_eq!(told["answer"]["accepted"], 1, "{told}");
    let record = world.until_iys_holds(&dated, "EPOSTA", "ONAY").await;
    assert_eq!(record["source"], "HS_WEB");
    for (name, whom, unit, field, reason) in [
        ("email", &undated, "none", "onayWithoutDate", "onay_without_date"),
        ("phone_number", &sms, "rfc3339", "onayWithoutSource", "onay_without_source"),
    ] {
        let told = world.test_call(&call(name, whom, unit)).await;
        assert_eq!((&told["answer"]["taken"], &told["answer"][field]), (&json!(0), &json!(1)), "{told}");
        let story = world.lookup(whom).await;
        assert_eq!((&story["states"], &story["history"][0]["asideBecause"]), (&json!([]), &json!(reason)), "{story}");
    }
    until("the consent is allowed", async || match world.check("demo", "EPOSTA", "BIREYSEL", &dated).await {
        said if said == "allowed" => Ok(()),
        other => Err(other),
    })
    .await;
}
