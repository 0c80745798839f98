//! Function processes: killed, hung, crashing, many, and what becomes of them.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use libtest_mimic::Trial;
use local::Options;
use serde_json::{Value, json};

use crate::support::{act, found, is_running, json, kill, options, said, start, times_said, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_process_serves_one_request_after_another", reused),
        trial("busy_processes_are_joined_by_others_up_to_the_bound", scaled),
        trial("an_idle_process_that_was_killed_is_replaced", killed_idle),
        trial("a_request_fails_at_once_when_its_process_is_killed", killed_busy),
        trial("a_hung_process_is_killed_after_the_functions_timeout", hung),
        trial("a_process_that_answers_and_asks_for_nothing_more_is_killed_after_the_functions_timeout", mute),
        trial("a_function_that_never_starts_is_not_tried_without_pause", broken),
        trial("a_function_sees_its_own_environment_and_lambdas_but_not_ours", environment),
        trial("a_shut_down_stack_leaves_no_process", shut_down),
        trial("a_killed_stack_leaves_no_process", killed_stack),
        trial("a_terminated_stack_ends_well_and_leaves_no_process", terminated_stack),
    ]
}

async fn pid(stack: &local::Stack) -> u32 {
    let report = json(act(stack, &json!({})).await).await;
    report["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap()
}

async fn reused() {
    let stack = start(options()).await;
    let first = pid(&stack).await;
    let second = pid(&stack).await;
    assert_eq!(first, second);
    assert_eq!(stack.processes(), [("api".to_owned(), first)]);
    stack.shutdown().await;
}

async fn scaled() {
    let stack = start(Options { most_processes: 3, ..options() }).await;
    let order = json!({"sleepMs": 500});
    let calls = (0..6).map(|_| act(&stack, &order));
    for response in futures_all(calls).await {
        assert_eq!(response.status(), 200);
    }
    let pids: BTreeSet<u32> = stack.processes().into_iter().map(|(_, pid)| pid).collect();
    assert_eq!(pids.len(), 3);
    stack.shutdown().await;
}

async fn futures_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}

async fn killed_idle() {
    let stack = start(options()).await;
    let first = pid(&stack).await;
    kill(first);
    found("the end of the process", async || stack.processes().is_empty().then_some(())).await;
    assert_ne!(pid(&stack).await, first);
    stack.shutdown().await;
}

async fn killed_busy() {
    let stack = start(options()).await;
    let first = pid(&stack).await;
    let order = json!({"sleepMs": 1900});
    let (response, ()) = tokio::join!(act(&stack, &order), async {
        said(&stack, "api sleeps").await;
        kill(first);
    });
    assert_eq!(response.status(), 500);
    assert_ne!(pid(&stack).await, first);
    said(&stack, &format!("api process {first} ended: signal: 9")).await;
    stack.shutdown().await;
}

async fn hung() {
    let stack = start(options()).await;
    let first = pid(&stack).await;
    let response = act(&stack, &json!({"sleepMs": 600_000})).await;
    assert_eq!(response.status(), 500);
    found("the end of the process", async || (!is_running(first)).then_some(())).await;
    assert_ne!(pid(&stack).await, first);
    stack.shutdown().await;
}

async fn mute() {
    let stack = start(options()).await;
    let first = pid(&stack).await;
    let response = act(&stack, &json!({"mute": true})).await;
    assert_eq!(response.status(), 200);
    // Another serves meanwhile, and in time it is gone.
    assert_ne!(pid(&stack).await, first);
    found("the end of the process", async || (!is_running(first)).then_some(())).await;
    said(&stack, &format!("api process {first} ended: killed, it overstayed its timeout")).await;
    stack.shutdown().await;
}

async fn broken() {
    let stack = start(options()).await;
    let url = format!("{}/broken", stack.gateway_url());
    for _ in 0..20 {
        assert_eq!(reqwest::get(&url).await.unwrap().status(), 500);
    }
    let starts = times_said(&stack, "broken does not start");
    assert!((1..=5).contains(&starts), "{starts} starts for 20 requests");
    said(&stack, "broken: error: it never starts").await;
    // Others are not affected.
    assert_eq!(act(&stack, &json!({})).await.status(), 200);
    stack.shutdown().await;
}

async fn environment() {
    let stack = start(Options {
        parameters: [("Greeting".to_owned(), "merhaba".to_owned())].into(),
        environment: [("EXTRA".to_owned(), "1".to_owned())].into(),
        ..options()
    })
    .await;
    let report = json(act(&stack, &json!({})).await).await;
    let environment = &report["environment"];
    for (name, value) in [
        ("TABLE_NAME", "Items"),
        ("GREETING", "merhaba"),
        ("EXTRA", "1"),
        ("JOBS_URL", stack.queue_url("Jobs").unwrap()),
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb_url()),
        ("AWS_ENDPOINT_URL_SQS", stack.sqs_url()),
        ("AWS_ENDPOINT_URL_SSM", stack.ssm_url()),
        ("AWS_LAMBDA_FUNCTION_NAME", "api"),
        ("AWS_REGION", stack.region()),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert_eq!(environment["CARGO_MANIFEST_DIR"], Value::Null);
    stack.shutdown().await;
}

async fn shut_down() {
    let stack = start(options()).await;
    let pid = pid(&stack).await;
    assert!(is_running(pid));
    stack.shutdown().await;
    assert!(!is_running(pid));
}

/// A stack in a process of its own: the process, its gateway, and a function process under it.
async fn separate_stack() -> (std::process::Child, String, u32, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    let ports = folder.path().join("ports.json");
    std::fs::write(&template, crate::support::TEMPLATE).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("run");
    for port in ["gateway", "iys", "insider", "dynamodb", "sqs", "ssm", "lambda", "netgsm", "verimor", "mysoft"] {
        command.args([format!("--{port}-port"), "0".to_owned()]);
    }
    command.arg("--template").arg(&template).arg("--port-file").arg(&ports);
    command.args(["--log-level", "info", "--schedule-speed", "0"]);
    let child = command.stdout(std::fs::File::create(folder.path().join("output")).unwrap()).stderr(Stdio::null()).spawn().unwrap();
    let addresses: Value = found("the port file", async || serde_json::from_str(&std::fs::read_to_string(&ports).ok()?).ok()).await;
    let gateway = addresses["gateway"].as_str().unwrap().to_owned();
    let report = json(reqwest::get(format!("{gateway}/look")).await.unwrap()).await;
    let pid = report["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap();
    (child, gateway, pid, folder)
}

fn output(folder: &tempfile::TempDir) -> String {
    std::fs::read_to_string(folder.path().join("output")).unwrap_or_default()
}

async fn killed_stack() {
    let (mut stack, gateway, pid, folder) = separate_stack().await;
    // Busy, so that the process does not learn of the end by asking for its next invocation.
    let busy = reqwest::Client::new().post(format!("{gateway}/v1/demo/act")).body(r#"{"sleepMs":60000}"#);
    let busy = tokio::spawn(busy.send());
    found("a busy process", async || output(&folder).contains("api sleeps").then_some(())).await;
    assert!(is_running(pid));
    stack.kill().unwrap();
    stack.wait().unwrap();
    found("the end of the process", async || (!is_running(pid)).then_some(())).await;
    assert!(busy.await.unwrap().is_err());
}

async fn terminated_stack() {
    let (mut stack, _gateway, pid, _folder) = separate_stack().await;
    let status = Command::new("kill").args(["-TERM", &stack.id().to_string()]).status().unwrap();
    assert!(status.success());
    let status = found("the end of the stack", async || stack.try_wait().unwrap()).await;
    assert!(status.success(), "{status}");
    assert!(!is_running(pid));
}
