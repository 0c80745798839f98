//! Functions that do as they are told, and say on standard output what they did.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// What the test executable can run.
pub(crate) fn all() -> local::Functions {
    local::Functions::new()
        .with("api", || run(service_fn(api)))
        .with("jobs", || run(service_fn(queue)))
        .with("steps", || run(service_fn(queue)))
        .with("clock", || run(service_fn(clock)))
        .with("broken", broken)
}

async fn broken() -> Result<(), Error> {
    Err("it never starts".into())
}

async fn clock(event: LambdaEvent<Value>) -> Result<Value, Error> {
    say(&format!("tick begins {}", event.payload));
    tokio::time::sleep(Duration::from_millis(300)).await;
    say("tick ends");
    Ok(Value::Null)
}

/// Does what the request's body says; answers with the event unless told otherwise.
async fn api(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    let order = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let order = order.unwrap_or_default();
    if let Some(milliseconds) = order["sleepMs"].as_u64() {
        say("api sleeps");
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if order["fail"] == true {
        return Err("told to fail".into());
    }
    if order["mute"] == true {
        // It answers by itself, and asks for nothing more.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
        let url = format!("{api}/2018-06-01/runtime/invocation/{}/response", context.request_id);
        reqwest::Client::new().post(url).body(r#"{"statusCode": 200, "body": "answered"}"#).send().await?;
        say("api is mute");
        std::future::pending::<()>().await;
    }
    if let Some(answer) = order.get("answer") {
        return Ok(answer.clone());
    }
    let report = json!({
        "event": event,
        "pid": std::process::id(),
        "arn": context.invoked_function_arn,
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
    });
    Ok(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "cookies": ["a=1", "b=2"],
        "body": report.to_string(),
    }))
}

/// Works on a batch. A body is `<name>` or `<name>:<order>`.
async fn queue(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let records = event.payload["Records"].as_array().cloned().unwrap_or_default();
    say(&format!("batch of {} as {}", records.len(), event.payload["Records"][0]));
    let mut failures = Vec::new();
    for record in &records {
        let body = record["body"].as_str().unwrap_or_default();
        let (name, order) = body.split_once(':').unwrap_or((body, ""));
        let received = record["attributes"]["ApproximateReceiveCount"].as_str().unwrap_or_default();
        say(&format!("begins {name} {received}"));
        match order {
            "fail" => failures.push(json!({"itemIdentifier": record["messageId"]})),
            "fail-once" if received == "1" => {
                failures.push(json!({"itemIdentifier": record["messageId"]}));
            }
            "die-once" if received == "1" => std::process::abort(),
            "slow" => tokio::time::sleep(Duration::from_secs(3)).await,
            "malformed" => return Ok(json!({"batchItemFailures": [{"itemIdentifier": "nobody"}]})),
            _ => {}
        }
        say(&format!("done {name}"));
    }
    Ok(json!({"batchItemFailures": failures}))
}

#[expect(clippy::print_stdout, reason = "what a function says is what the tests look at")]
fn say(what: &str) {
    println!("{what}");
}
