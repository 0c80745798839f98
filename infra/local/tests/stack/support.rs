//! What the tests share: stacks, waiting, and the emulators' APIs spoken by hand.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use local::{Options, Stack};
use serde_json::Value;

/// Longest wait for anything; far above what it takes, for machines that are busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// The template of these tests.
pub(crate) const TEMPLATE: &str = include_str!("template.yaml");

/// A test, from a future that panics if it fails.
pub(crate) fn trial<F, Fut>(name: &'static str, test: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    Trial::test(name, move || {
        // The first test to come installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        Ok(())
    })
}

/// Options for a stack over the test template, schedules off.
pub(crate) fn options() -> Options {
    Options { template: Some(TEMPLATE.to_owned()), schedule_speed: 0.0, visibility_timeout: Some(1), ..Options::default() }
}

pub(crate) async fn start(options: Options) -> Stack {
    Stack::start(options).await.unwrap()
}

/// Waits until `look` finds something.
pub(crate) async fn found<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the output holds `text`.
pub(crate) async fn said(stack: &Stack, text: &str) {
    let look = async || stack.captured_output().contains(text).then_some(());
    found(&format!("output {text:?}"), look).await;
}

/// How often a line of the output holds `text`.
pub(crate) fn times_said(stack: &Stack, text: &str) -> usize {
    stack.captured_output().lines().filter(|line| line.contains(text)).count()
}

pub(crate) fn post(url: String, body: &Value) -> reqwest::RequestBuilder {
    reqwest::Client::new().post(url).header("content-type", "application/json").body(body.to_string())
}

/// Tells the api function what to do.
pub(crate) async fn act(stack: &Stack, order: &Value) -> reqwest::Response {
    post(format!("{}/v1/demo/act", stack.gateway_url()), order).send().await.unwrap()
}

pub(crate) async fn json(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Calls an emulator's API: `target` is the value of `X-Amz-Target`.
pub(crate) async fn call(url: &str, version: &str, target: &str, body: &Value) -> Value {
    let response = reqwest::Client::new()
        .post(url)
        .header("content-type", format!("application/x-amz-json-{version}"))
        .header("x-amz-target", target)
        .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=00")
        .header("x-amz-date", "20260101T000000Z")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{target}: {error}: {text}"))
}

pub(crate) async fn sqs(stack: &Stack, operation: &str, body: &Value) -> Value {
    call(stack.sqs_url(), "1.0", &format!("AmazonSQS.{operation}"), body).await
}

pub(crate) async fn dynamodb(stack: &Stack, operation: &str, body: &Value) -> Value {
    call(stack.dynamodb_url(), "1.0", &format!("DynamoDB_20120810.{operation}"), body).await
}

/// Whether a process is there (a zombie is not).
pub(crate) fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

pub(crate) fn kill(pid: u32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}
