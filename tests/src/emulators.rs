//! The queue service and the table, looked at from outside of the functions.

use serde_json::{Value, json};

use crate::world::World;

impl World {
    async fn call(&self, url: &str, service: &str, operation: &str, body: &Value) -> Value {
        let response = self
            .http
            .post(url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("{service}.{operation}"))
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=00",
            )
            .header("x-amz-date", "20260101T000000Z")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let text = response.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{operation}: {error}: {text}"))
    }

    async fn sqs(&self, queue: &str, operation: &str, mut body: Value) -> Value {
        body["QueueUrl"] = self.stack.queue_url(queue).unwrap().into();
        self.call(self.stack.sqs_url(), "AmazonSQS", operation, &body).await
    }

    /// Puts a message into a queue, named by its logical id; with a group when the queue is FIFO.
    /// `name` tells it from others.
    pub async fn put_message(&self, queue: &str, group: Option<&str>, name: &str, body: &str) {
        let mut message = json!({ "MessageBody": body });
        if let Some(group) = group {
            message["MessageGroupId"] = group.into();
            message["MessageDeduplicationId"] = name.into();
        }
        let answer = self.sqs(queue, "SendMessage", message).await;
        assert!(answer["MessageId"].is_string(), "{answer}");
    }

    /// How many messages wait in a queue, those that a function works on left out.
    pub async fn messages_in(&self, queue: &str) -> u64 {
        let asked = json!({ "AttributeNames": ["ApproximateNumberOfMessages"] });
        let answer = self.sqs(queue, "GetQueueAttributes", asked).await;
        answer["Attributes"]["ApproximateNumberOfMessages"].as_str().and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    /// Takes up to ten messages out of a queue; answers with their bodies.
    pub async fn take_messages(&self, queue: &str) -> Vec<String> {
        let answer = self.sqs(queue, "ReceiveMessage", json!({ "MaxNumberOfMessages": 10 })).await;
        let mut bodies = Vec::new();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            self.sqs(queue, "DeleteMessage", json!({ "ReceiptHandle": message["ReceiptHandle"] })).await;
            bodies.extend(message["Body"].as_str().map(str::to_owned));
        }
        bodies
    }

    /// Every key of the table and of its indexes, a line each.
    pub async fn table_keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut asked = json!({
                "TableName": self.stack.system().tables[0].name,
                "ProjectionExpression": "PK, SK, work_pk, work_due, check_pk, check_at",
            });
            if !start.is_null() {
                asked["ExclusiveStartKey"] = start;
            }
            let page = self.call(self.stack.dynamodb_url(), "DynamoDB_20120810", "Scan", &asked).await;
            let items = page["Items"].as_array().cloned().unwrap_or_default();
            assert!(page["Items"].is_array(), "{page}");
            keys.extend(items.iter().map(Value::to_string));
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                return keys;
            }
        }
    }
}
