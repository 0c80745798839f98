//! The HTTP gateway, from a request to a function's event and back.

use libtest_mimic::Trial;
use serde_json::json;

use crate::support::{act, json, options, post, start, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_request_becomes_an_event_of_payload_format_2", an_event),
        trial("a_body_that_is_no_text_travels_in_base64", base64_body),
        trial("an_unknown_route_or_method_is_not_found", not_found),
        trial("a_body_over_10_mb_and_an_event_over_6_mb_are_refused", too_large),
        trial("an_answer_keeps_its_status_headers_and_cookies", an_answer),
        trial("a_malformed_answer_is_an_internal_error", malformed),
        trial("an_answer_without_status_code_is_a_body", inferred),
        trial("a_function_error_is_an_internal_error_that_says_nothing", function_error),
        trial("a_function_slower_than_its_route_is_unavailable", slow),
    ]
}

async fn an_event() {
    let stack = start(options()).await;
    let response = reqwest::Client::new()
        .post(format!("{}/v1/a%20b/act?x=1&y=2&x=%C3%A7", stack.gateway_url()))
        .header("Content-Type", "application/json; charset=utf-8")
        .header("X-Twice", "one")
        .header("X-Twice", "two")
        .header("Cookie", "c=1; d=2")
        .header("User-Agent", "tests")
        .body("{\"ğ\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("apigw-requestid"));
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().cloned().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let report = json(response).await;
    let event = &report["event"];
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /v1/{brand}/act");
    assert_eq!(event["rawPath"], "/v1/a%20b/act");
    assert_eq!(event["rawQueryString"], "x=1&y=2&x=%C3%A7");
    assert_eq!(event["queryStringParameters"], json!({"x": "1,ç", "y": "2"}));
    assert_eq!(event["pathParameters"], json!({"brand": "a b"}));
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert_eq!(event["headers"]["x-twice"], "one,two");
    assert!(event["headers"].get("cookie").is_none());
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(event["body"], "{\"ğ\":1}");
    assert_eq!(event["isBase64Encoded"], false);
    let context = &event["requestContext"];
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["http"]["method"], "POST");
    assert_eq!(context["http"]["path"], "/v1/a%20b/act");
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "tests");
    assert!(context["timeEpoch"].as_i64().is_some_and(|time| time > 1_700_000_000_000));
    assert!(context["time"].as_str().is_some_and(|time| time.ends_with(" +0000")));
    assert_eq!(report["arn"], "arn:aws:lambda:eu-central-1:000000000000:function:api");
    stack.shutdown().await;
}

async fn base64_body() {
    let stack = start(options()).await;
    for (kind, body) in [("application/octet-stream", &b"text"[..]), ("application/json", b"\xff\xfe")] {
        let response = reqwest::Client::new()
            .post(format!("{}/v1/demo/act", stack.gateway_url()))
            .header("content-type", kind)
            .body(body)
            .send()
            .await
            .unwrap();
        let event = json(response).await["event"].clone();
        assert_eq!(event["isBase64Encoded"], true, "{kind}");
    }
    stack.shutdown().await;
}

async fn not_found() {
    let stack = start(options()).await;
    for path in ["/", "/v1/demo", "/v1//act", "/v1/demo/act/more", "/look"] {
        let response = post(format!("{}{path}", stack.gateway_url()), &json!({})).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(json(response).await, json!({"message": "Not Found"}));
    }
    assert_eq!(stack.processes(), []);
    stack.shutdown().await;
}

async fn too_large() {
    let stack = start(options()).await;
    for bytes in [10 * 1024 * 1024 + 1, 7 * 1024 * 1024] {
        let response = act(&stack, &"x".repeat(bytes).into()).await;
        assert_eq!(response.status(), 413, "{bytes}");
    }
    assert_eq!(act(&stack, &json!({})).await.status(), 200);
    stack.shutdown().await;
}

async fn an_answer() {
    let stack = start(options()).await;
    let order = json!({"answer": {
        "statusCode": 418,
        "headers": {"X-One": "1", "x-number": 7},
        "multiValueHeaders": {"x-many": ["a", "b"]},
        "cookies": ["c=3"],
        "body": "aGVsbG8=",
        "isBase64Encoded": true,
    }});
    let response = act(&stack, &order).await;
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers()["x-one"], "1");
    assert_eq!(response.headers()["x-number"], "7");
    assert_eq!(response.headers().get_all("x-many").iter().count(), 2);
    assert_eq!(response.headers()["set-cookie"], "c=3");
    assert_eq!(response.text().await.unwrap(), "hello");
    stack.shutdown().await;
}

async fn malformed() {
    let stack = start(options()).await;
    for answer in [
        json!({"statusCode": 99}),
        json!({"statusCode": "many"}),
        json!({"statusCode": 200, "headers": {"bad name": "x"}}),
        json!({"statusCode": 200, "body": {"not": "a text"}}),
        json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
    ] {
        let response = act(&stack, &json!({"answer": answer})).await;
        assert_eq!(response.status(), 500, "{answer}");
        assert_eq!(json(response).await, json!({"message": "Internal Server Error"}));
    }
    stack.shutdown().await;
}

async fn inferred() {
    let stack = start(options()).await;
    let response = act(&stack, &json!({"answer": {"fine": true}})).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(json(response).await, json!({"fine": true}));
    stack.shutdown().await;
}

async fn function_error() {
    let stack = start(options()).await;
    let response = act(&stack, &json!({"fail": true})).await;
    assert_eq!(response.status(), 500);
    assert_eq!(json(response).await, json!({"message": "Internal Server Error"}));
    // The process lives on.
    assert_eq!(act(&stack, &json!({})).await.status(), 200);
    assert_eq!(stack.processes().len(), 1);
    stack.shutdown().await;
}

async fn slow() {
    let stack = start(options()).await;
    let order = json!({"sleepMs": 1000});
    let response = post(format!("{}/hasty", stack.gateway_url()), &order).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(json(response).await, json!({"message": "Service Unavailable"}));
    stack.shutdown().await;
}
