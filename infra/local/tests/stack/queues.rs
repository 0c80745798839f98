//! Event source mappings: batches, partial failures, order, redrive, and processes that die.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use local::{Options, Stack};
use serde_json::{Value, json};

use crate::support::{found, kill, options, said, sqs, start, times_said, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("many_messages_are_gathered_into_one_batch_within_the_window", gathered),
        trial("a_record_looks_as_sqs_events_do", a_record),
        trial("only_failed_messages_come_again", partial_failure),
        trial("a_malformed_report_fails_the_whole_batch", malformed_report),
        trial("a_message_that_keeps_failing_goes_to_the_dead_letter_queue", redrive),
        trial("messages_of_a_killed_process_come_again_soon", killed),
        trial("messages_in_work_do_not_come_again", kept_invisible),
        trial("a_group_keeps_its_order_also_through_failures", fifo_order),
        trial("groups_do_not_wait_for_each_other", fifo_groups),
    ]
}

async fn send(stack: &Stack, queue: &str, bodies: &[&str]) {
    for body in bodies {
        let mut message = json!({"QueueUrl": stack.queue_url(queue).unwrap(), "MessageBody": body});
        if let ("Steps", Some((group, _))) = (queue, body.split_once('-')) {
            message["MessageGroupId"] = group.into();
            message["MessageDeduplicationId"] = body.replace(':', "-").into();
        }
        let answer = sqs(stack, "SendMessage", &message).await;
        assert!(answer["MessageId"].is_string(), "{answer}");
    }
}

async fn count(stack: &Stack, queue: &str) -> [String; 2] {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let request = json!({"QueueUrl": stack.queue_url(queue).unwrap(), "AttributeNames": names});
    let answer = sqs(stack, "GetQueueAttributes", &request).await;
    names.map(|name| answer["Attributes"][name].as_str().unwrap_or_default().to_owned())
}

async fn emptied(stack: &Stack, queue: &str) {
    let look = async || (count(stack, queue).await == ["0", "0"]).then_some(());
    found(&format!("an empty queue {queue}"), look).await;
}

async fn gathered() {
    let stack = start(options()).await;
    let bodies: Vec<String> = (0..25).map(|number| format!("job-{number}")).collect();
    send(&stack, "Jobs", &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
    said(&stack, "done job-24").await;
    emptied(&stack, "Jobs").await;
    let batches = times_said(&stack, "batch of");
    assert!(batches <= 3, "{batches} batches for 25 messages");
    assert_eq!(times_said(&stack, "done job-"), 25);
    stack.shutdown().await;
}

async fn a_record() {
    let stack = start(options()).await;
    let request = json!({
        "QueueUrl": stack.queue_url("Jobs").unwrap(),
        "MessageBody": "one",
        "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "x"}},
    });
    let sent = sqs(&stack, "SendMessage", &request).await;
    said(&stack, "batch of 1 as ").await;
    let output = stack.captured_output();
    let record = output.lines().find_map(|line| line.split_once("batch of 1 as ")).unwrap().1;
    let record: Value = serde_json::from_str(record).unwrap();
    assert_eq!(record["messageId"], sent["MessageId"]);
    assert_eq!(record["body"], "one");
    assert_eq!(record["md5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:eu-central-1:000000000000:Jobs");
    assert_eq!(record["awsRegion"], "eu-central-1");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert!(record["attributes"]["SentTimestamp"].is_string());
    assert!(record["attributes"]["ApproximateFirstReceiveTimestamp"].is_string());
    assert_eq!(record["messageAttributes"]["kind"]["stringValue"], "x");
    assert_eq!(record["messageAttributes"]["kind"]["dataType"], "String");
    stack.shutdown().await;
}

async fn partial_failure() {
    let stack = start(options()).await;
    send(&stack, "Jobs", &["good", "bad:fail-once", "fine"]).await;
    said(&stack, "begins bad 2").await;
    emptied(&stack, "Jobs").await;
    assert_eq!(times_said(&stack, "begins good"), 1);
    assert_eq!(times_said(&stack, "begins fine"), 1);
    assert_eq!(times_said(&stack, "begins bad"), 2);
    stack.shutdown().await;
}

async fn malformed_report() {
    let stack = start(options()).await;
    send(&stack, "Jobs", &["first", "second:malformed"]).await;
    found("the dead-letter queue", async || (count(&stack, "JobsDead").await[0] == "2").then_some(())).await;
    assert_eq!(times_said(&stack, "begins first"), 2);
    stack.shutdown().await;
}

async fn redrive() {
    let stack = start(options()).await;
    send(&stack, "Jobs", &["poison:fail", "healthy"]).await;
    found("the dead-letter queue", async || (count(&stack, "JobsDead").await[0] == "1").then_some(())).await;
    emptied(&stack, "Jobs").await;
    assert_eq!(times_said(&stack, "begins poison"), 2);
    assert_eq!(times_said(&stack, "begins healthy"), 1);
    stack.shutdown().await;
}

async fn killed() {
    let stack = start(options()).await;
    send(&stack, "Jobs", &["heavy:slow"]).await;
    said(&stack, "begins heavy 1").await;
    let begun = Instant::now();
    let pid = stack.processes().into_iter().find(|(name, _)| name == "jobs").unwrap().1;
    kill(pid);
    said(&stack, "begins heavy 2").await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    said(&stack, "done heavy").await;
    emptied(&stack, "Jobs").await;
    stack.shutdown().await;
}

async fn kept_invisible() {
    // A second of invisibility, three seconds of work.
    let stack = start(options()).await;
    send(&stack, "Jobs", &["long:slow"]).await;
    said(&stack, "done long").await;
    emptied(&stack, "Jobs").await;
    assert_eq!(times_said(&stack, "begins long"), 1);
    stack.shutdown().await;
}

async fn fifo_order() {
    let stack = start(options()).await;
    send(&stack, "Steps", &["a-1", "a-2:fail-once", "a-3", "a-4:die-once", "a-5"]).await;
    said(&stack, "done a-5").await;
    emptied(&stack, "Steps").await;
    let output = stack.captured_output();
    let begun: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("steps: begins ")).collect();
    assert_eq!(begun, ["a-1 1", "a-2 1", "a-2 2", "a-3 1", "a-4 1", "a-4 2", "a-5 1"]);
    stack.shutdown().await;
}

async fn fifo_groups() {
    let stack = start(Options { most_processes: 2, ..options() }).await;
    send(&stack, "Steps", &["a-1:slow"]).await;
    said(&stack, "begins a-1").await;
    send(&stack, "Steps", &["b-1"]).await;
    said(&stack, "done b-1").await;
    assert_eq!(times_said(&stack, "done a-1"), 0);
    said(&stack, "done a-1").await;
    stack.shutdown().await;
}
