//! What callers get wrong.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Crowd, Search, World};

const KEY: Option<&str> = Some("Bearer demo-api-key");
const CONSENTS: &str = "/v1/demo/consents";
const CHECK: &str = "/v1/demo/consents/check";
const LOOKUP: &str = "/v1/demo/consents/lookup";
const EVENTS: &str = "/v1/demo/insider/events";
const PUSH: &str = "/v1/demo/iys/push";

/// The answer is a problem document of this status and says so much.
fn must_be_problem(what: &str, answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert_eq!(answer.media_type, "application/problem+json", "{what}");
    assert_eq!(answer.json["status"], status, "{what}");
    assert!(answer.json["type"].as_str().is_some_and(|kind| kind.starts_with("/problems/")), "{what}: {}", answer.text);
    assert!(answer.json["title"].is_string(), "{what}");
    assert!(answer.text.contains(says), "{what}: {says:?} is not said by {}", answer.text);
}

pub(crate) async fn invariant_10_a_bad_item_costs_itself_only_and_is_told_its_rule(world: &'static World) {
    let crowd = Crowd::new(30);
    let (email, phone) = (crowd.email(1), crowd.phone(1));
    let secret = crowd.invalid("sozcuk");
    let good = |person: u32| json!({ "recipient": crowd.email(person), "type": "EPOSTA", "status": "ONAY" });
    let with = |field: &str, value: Value| {
        let mut item = json!({ "recipient": email, "type": "EPOSTA", "status": "ONAY" });
        item[field] = value;
        item
    };
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(27)).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let karar = json!({ "recipient": email, "type": "EPOSTA", "status": "ONAY", "source": "HS_KARAR" });
    let bad = [
        (with("recipient", json!(secret)), "H120", "recipient"),
        (with("recipient", json!(phone)), "H120", "recipient"),
        (with("recipient", json!("")), "H114", "recipient"),
        (with("recipient", json!(7)), "H085", "recipient"),
        (json!({ "recipient": email, "type": "MESAJ", "status": "ONAY" }), "H121", "recipient"),
        (with("type", json!("FAKS")), "H117", "type"),
        (with("type", Value::Null), "H111", "type"),
        (with("status", json!(secret)), "H115", "status"),
        (with("status", json!(true)), "H085", "status"),
        (with("recipientType", json!("KURUM")), "H116", "recipientType"),
        (with("source", json!("IYS_WEB")), "H119", "source"),
        (with("source", json!(secret)), "H119", "source"),
        (karar, "H408", "HS_KARAR"),
        (with("consentDate", json!(tomorrow)), "H162", "consentDate"),
        (with("consentDate", json!("2015-04-30 23:59:59")), "H156", "consentDate"),
        (with("consentDate", json!("2020-01-02 10:00:00")), "H467", "consentDate"),
        (with("consentDate", json!("02.01.2026")), "H158", "consentDate"),
        (with("externalId", json!("x".repeat(129))), "externalId", "externalId"),
        (with(&secret, json!(1)), "H118", "may only have the fields"),
        (json!([email]), "H085", "object"),
        (Value::Null, "H085", "object"),
    ];
    let mut items = vec![good(100)];
    for (index, (item, ..)) in bad.iter().enumerate() {
        items.push(item.clone());
        items.push(good(101 + u32::try_from(index).unwrap()));
    }
    let results = world.add(Value::Array(items)).await;
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index);
        if index % 2 == 0 {
            assert_eq!(result["result"], "accepted", "{result}");
            continue;
        }
        let (item, code, says) = &bad[index / 2];
        assert_eq!((&result["result"], &result["code"]), (&"rejected".into(), &(*code).into()), "{item}: {result}");
        assert!(result["message"].as_str().is_some_and(|message| message.contains(says)), "{item}: {result}");
    }
    Search::new(&[email.clone(), phone, secret]).must_find_nothing("the answer", &Value::Array(results).to_string());
    assert_eq!(world.lookup(&email).await["history"], json!([]));
    for person in 100..=100 + u32::try_from(bad.len()).unwrap() {
        assert_eq!(world.until_settled(&crowd.email(person), "EPOSTA").await["iys"]["outcome"], "applied");
    }
}

pub(crate) async fn a_request_that_cannot_be_read_is_a_problem_and_says_where(world: &'static World) {
    let crowd = Crowd::new(31);
    let email = crowd.email(1);
    let item = json!({ "recipient": email, "type": "EPOSTA", "status": "ONAY" });
    let many = |count: usize, item: &Value| Value::Array(vec![item.clone(); count]);
    let consents = |items: Value| json!({ "consents": items }).to_string();
    let check = |channel: &str, recipients: Value| json!({ "type": channel, "recipients": recipients }).to_string();
    let lookup = |recipient: Value| json!({ "recipient": recipient }).to_string();
    let cases = [
        (CONSENTS, format!("{{\"consents\":[{{\"recipient\":\"{email}\""), 400, "line 1"),
        (CONSENTS, String::new(), 400, "not valid JSON"),
        (CONSENTS, format!("{} true", consents(many(1, &item))), 400, "after its JSON value"),
        (CONSENTS, consents(json!(email)), 400, "consents"),
        (CONSENTS, json!({ "consents": [item], email.as_str(): 1 }).to_string(), 400, ""),
        (CONSENTS, json!([item]).to_string(), 400, ""),
        (CONSENTS, consents(json!([])), 422, "1 to 500"),
        (CONSENTS, consents(many(501, &item)), 422, "1 to 500"),
        (CONSENTS, consents(json!([email.repeat(1024 * 1024 / email.len() + 1)])), 413, "1048576"),
        (CHECK, check("EPOSTA", many(1001, &json!(email))), 422, "1 to 1000"),
        (CHECK, check("EPOSTA", json!([])), 422, "1 to 1000"),
        (CHECK, check("FAKS", json!([email])), 422, "type"),
        (CHECK, json!({ "recipients": [email] }).to_string(), 400, ""),
        (CHECK, json!({ "type": 3, "recipients": [email] }).to_string(), 400, "type"),
        (LOOKUP, lookup(json!("kein at")), 422, "recipient"),
        (LOOKUP, lookup(json!([email])), 400, "recipient"),
        (LOOKUP, "{}".to_owned(), 400, ""),
    ];
    let search = Search::new(std::slice::from_ref(&email));
    for (path, body, status, says) in cases {
        let what = format!("{path} {}", body.chars().take(80).collect::<String>());
        let answer = world.request(Method::POST, path, KEY, body).await;
        must_be_problem(&what, &answer, status, says);
        search.must_find_nothing(&what, &answer.text);
    }
    let headers = [("authorization", "Bearer demo-api-key"), ("content-type", "text/plain")];
    let answer = world.request_with(Method::POST, CONSENTS, &headers, consents(many(1, &item))).await;
    must_be_problem("a body that is declared as text", &answer, 415, "application/json");
    assert_eq!(world.lookup(&email).await["history"], json!([]));
}

pub(crate) async fn a_request_without_its_credentials_is_refused_on_every_route(world: &'static World) {
    let crowd = Crowd::new(32);
    let email = crowd.email(1);
    let body = json!({ "consents": [{ "recipient": email, "type": "EPOSTA", "status": "RET" }] }).to_string();
    // Of `iys` with a wrong password, and of another user with the right one.
    let basics = ["Basic aXlzOndyb25n", "Basic eHg6ZGVtby1peXMtcHVzaA==", "Basic !", "Bearer demo-iys-push"];
    let bearers = ["Bearer demo-api-key2", "Bearer ", "Bearer", "demo-api-key", "Basic ZGVtby1hcGkta2V5"];
    let search = Search::new(std::slice::from_ref(&email));
    let routes = [
        (Method::POST, CONSENTS, &bearers[..]),
        (Method::POST, CHECK, &bearers),
        (Method::POST, LOOKUP, &bearers),
        (Method::GET, "/v1/demo/status", &bearers),
        (Method::POST, PUSH, &basics),
        (Method::POST, EVENTS, &["Bearer demo-insider-secret"]),
    ];
    for (method, path, wrong) in routes {
        for authorization in std::iter::once(None).chain(wrong.iter().copied().map(Some)) {
            let answer = world.request(method.clone(), path, authorization, body.clone()).await;
            must_be_problem(&format!("{path} with {authorization:?}"), &answer, 401, "");
            search.must_find_nothing(path, &answer.text);
        }
    }
    for secret in ["", "demo-insider-secre", "demo-insider-secrets"] {
        let headers = [("x-insider-secret", secret), ("content-type", "application/json")];
        let answer = world.request_with(Method::POST, EVENTS, &headers, body.clone()).await;
        must_be_problem("Insider's events", &answer, 401, "");
    }
    // The key of one brand is no key of another's webhooks, and a health check needs none.
    assert_eq!(world.request(Method::GET, "/health", None, "").await.json, json!({ "status": "ok" }));
    assert_eq!(world.lookup(&email).await["history"], json!([]));
}

pub(crate) async fn a_route_brand_or_method_that_is_not_there_is_not_found(world: &'static World) {
    let email = Crowd::new(33).email(1);
    let body = json!({ "recipient": email }).to_string();
    let search = Search::new(std::slice::from_ref(&email));
    for path in ["/v1/nobody/consents", "/v1/nobody/consents/check", "/v1/nobody/insider/events", "/v1/nobody/iys/push"] {
        let answer = world.request(Method::POST, path, KEY, body.clone()).await;
        must_be_problem(path, &answer, 404, "");
        search.must_find_nothing(path, &answer.text);
    }
    // These never reach a function: the gateway itself answers.
    for (method, path) in [
        (Method::GET, CONSENTS),
        (Method::DELETE, CONSENTS),
        (Method::POST, "/v1/demo/status"),
        (Method::GET, EVENTS),
        (Method::POST, "/v1/demo"),
        (Method::POST, "/v1/demo/consents/check/more"),
        (Method::POST, "/"),
    ] {
        let answer = world.request(method, path, KEY, body.clone()).await;
        assert_eq!((answer.status, answer.json), (404, json!({ "message": "Not Found" })), "{path}");
    }
}

pub(crate) async fn webhooks_take_what_they_can_read_and_say_what_they_cannot(world: &'static World) {
    let crowd = Crowd::new(34);
    let (email, other) = (crowd.email(1), crowd.email(2));
    let search = Search::new(&[email.clone(), other.clone(), crowd.invalid("push")]);
    let insider = [("x-insider-secret", "demo-insider-secret"), ("content-type", "application/json")];
    let answer = world.request_with(Method::POST, EVENTS, &insider, format!("[{{\"email\":\"{email}\"")).await;
    must_be_problem("half an event", &answer, 400, "");
    search.must_find_nothing("the answer", &answer.text);
    let unsubscribe = |email: &str| json!({ "event": "unsubscribe", "email": email, "timestamp": jiff::Timestamp::now().as_second() });
    let events = json!([unsubscribe(&email), unsubscribe("kein at"), { "event": "no_such_event", "email": other }, 7]);
    let answer = world.request_with(Method::POST, EVENTS, &insider, events.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((&answer.json["received"], &answer.json["accepted"]), (&4.into(), &1.into()), "{}", answer.text);
    search.must_find_nothing("the answer", &answer.text);
    assert_eq!(world.until_settled(&email, "EPOSTA").await["status"], "RET");
    assert_eq!(world.lookup(&other).await["history"], json!([]));
    assert_eq!(world.status("demo").await["unknownEvents"]["no_such_event"], 1);

    // `iys` and `demo-iys-push`.
    let basic = Some("Basic aXlzOmRlbW8taXlzLXB1c2g=");
    let answer = world.request(Method::POST, PUSH, basic, format!("{{\"list\":[{{\"recipient\":\"{email}\"")).await;
    must_be_problem("half a notice", &answer, 400, "");
    let line = |recipient: &str, status: &str| {
        json!({
            "brandCode": 700_001, "iysCode": 700_001, "recipient": recipient, "recipientType": "BIREYSEL", "type": "EPOSTA",
            "status": status, "source": "IYS_WEB", "consentDate": "2026-01-02 10:00:00", "creationDate": "2026-01-02 10:00:00",
            "transactionId": "t",
        })
    };
    let mut foreign = line(&other, "RET");
    foreign["brandCode"] = 999_999.into();
    let lines = json!({ "list": [line(&other, "RET"), line("kein at", "RET"), line(&other, "BELKI"), foreign, 7] });
    let answer = world.request(Method::POST, PUSH, basic, lines.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let expected = json!({ "received": 5, "accepted": 1, "duplicates": 0, "superseded": 0, "ignored": 1, "unreadable": 3 });
    assert_eq!(answer.json, expected);
    world.until_insider_suppresses(&other).await;
}
