//! What stands around the functions: schedules, tables, brands, invoking by name, ports.

use libtest_mimic::Trial;
use local::{InvokeError, Options, Ports, Stack};
use serde_json::json;

use crate::support::{call, dynamodb, found, options, post, said, start, times_said, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_schedule_calls_with_its_input_and_never_overlaps", schedule),
        trial("schedules_can_be_off_and_jobs_started_by_hand", by_hand),
        trial("a_function_can_be_invoked_by_name_over_http", over_http),
        trial("tables_are_there_with_index_and_time_to_live", tables),
        trial("tables_in_a_folder_outlive_the_stack", persistence),
        trial("brands_are_read_anew_for_each_request", brands),
        trial("a_taken_port_is_named_with_its_option", taken_port),
        trial("nothing_of_the_vendors_is_reached_without_simulators", no_vendors),
    ]
}

async fn schedule() {
    // Every 100 ms, by a function that takes 300 ms.
    let stack = start(Options { schedule_speed: 600.0, ..options() }).await;
    found("three runs", async || (times_said(&stack, "tick ends") >= 3).then_some(())).await;
    let output = stack.captured_output();
    let runs: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("clock: ")).collect();
    for (number, line) in runs.iter().enumerate() {
        let expected = if number % 2 == 0 { r#"tick begins {"job":"tick"}"# } else { "tick ends" };
        assert_eq!(*line, expected);
    }
    assert_eq!(stack.processes().len(), 1);
    stack.shutdown().await;
}

async fn by_hand() {
    let stack = start(options()).await;
    assert!(stack.schedules().is_empty());
    stack.invoke("clock", &json!({"job": "now"})).await.unwrap();
    assert_eq!(times_said(&stack, r#"tick begins {"job":"now"}"#), 1);
    assert_eq!(times_said(&stack, "tick begins"), 1);
    let unknown = stack.invoke("nobody", &json!({})).await;
    assert_eq!(unknown, Err(InvokeError::UnknownFunction("nobody".to_owned())));
    stack.shutdown().await;
}

async fn over_http() {
    let stack = start(options()).await;
    let url = |name: &str| format!("{}/2015-03-31/functions/{name}/invocations", stack.lambda_url());
    let response = post(url("clock"), &json!({"job": "http"})).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "null"));
    let event = post(url("clock"), &json!({"job": "later"})).header("x-amz-invocation-type", "Event");
    assert_eq!(event.send().await.unwrap().status(), 202);
    said(&stack, r#"tick begins {"job":"later"}"#).await;
    let failing = json!({"body": r#"{"fail":true}"#});
    let response = post(url("api"), &failing).send().await.unwrap();
    assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(post(url("nobody"), &json!({})).send().await.unwrap().status(), 404);
    stack.shutdown().await;
}

async fn tables() {
    let stack = start(options()).await;
    let table = dynamodb(&stack, "DescribeTable", &json!({"TableName": "Items"})).await;
    assert_eq!(table["Table"]["TableStatus"], "ACTIVE");
    assert_eq!(table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "work");
    let ttl = dynamodb(&stack, "DescribeTimeToLive", &json!({"TableName": "Items"})).await;
    assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "expires_at");
    assert_eq!(ttl["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
    stack.shutdown().await;
}

async fn persistence() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || Options { data: Some(folder.path().join("new/data")), ..options() };
    let key = json!({"PK": {"S": "kept"}});
    let stack = start(kept()).await;
    let item = json!({"TableName": "Items", "Item": key});
    dynamodb(&stack, "PutItem", &item).await;
    stack.shutdown().await;

    let stack = start(kept()).await;
    let answer = dynamodb(&stack, "GetItem", &json!({"TableName": "Items", "Key": key})).await;
    assert_eq!(answer["Item"], key);
    stack.shutdown().await;

    let stack = start(options()).await;
    let answer = dynamodb(&stack, "GetItem", &json!({"TableName": "Items", "Key": key})).await;
    assert_eq!(answer.get("Item"), None);
    stack.shutdown().await;
}

async fn brands() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.json"), r#"{"code":1}"#).unwrap();
    let stack = start(Options { brands: folder.path().to_owned(), ..options() }).await;
    let read = async || {
        let request = json!({"Path": "/test/brands/", "WithDecryption": true});
        let answer = call(stack.ssm_url(), "1.1", "AmazonSSM.GetParametersByPath", &request).await;
        let parameters = answer["Parameters"].as_array().unwrap().clone();
        parameters.iter().map(|parameter| format!("{}={}", parameter["Name"], parameter["Value"])).collect::<Vec<_>>()
    };
    assert_eq!(read().await, [r#""/test/brands/one"="{\"code\":1}""#]);
    std::fs::write(folder.path().join("two.json"), r#"{"code":2}"#).unwrap();
    assert_eq!(read().await.len(), 2);
    stack.shutdown().await;
}

async fn taken_port() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let ports = Ports { sqs: port, ..Ports::default() };
    let error = Stack::start(Options { ports, ..options() }).await.err().unwrap().to_string();
    assert!(error.contains(&port.to_string()) && error.contains("--sqs-port"), "{error}");
}

async fn no_vendors() {
    // The project's own template, whose parameters lead to the vendors by default.
    let stack = start(Options { schedule_speed: 0.0, ..Options::default() }).await;
    for function in &stack.system().functions {
        for (name, value) in &function.environment {
            assert!(!value.starts_with("https://"), "{}: {name}={value}", function.name);
        }
    }
    stack.shutdown().await;
}
