//! The two queues in an emulator: an embedded one, or the one behind `QUEUE_TEST_ENDPOINT`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use hyper_util::rt::TokioIo;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use shared::queue::{DeadLetters, Queues};

use super::wire::Wire;

/// How long a message may take until it is there.
const PATIENCE: Duration = Duration::from_secs(20);

/// The queues, and a client of the test's own.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    endpoint: String,
    client: Client,
    /// URL of the standard queue.
    pub(crate) push: String,
    /// URL of the FIFO queue.
    pub(crate) relay: String,
}

impl Desk {
    /// New queues.
    pub(crate) async fn new() -> Self {
        let endpoint = match std::env::var("QUEUE_TEST_ENDPOINT") {
            Ok(endpoint) => endpoint,
            Err(_) => embedded().await,
        };
        Self::at(endpoint).await
    }

    async fn at(endpoint: String) -> Self {
        let client = Client::new(&Wire::new().config(&endpoint, 1));
        let name = uuid::Uuid::new_v4();
        let push = client.create_queue().queue_name(format!("push-{name}")).send().await.unwrap();
        let relay = client
            .create_queue()
            .queue_name(format!("relay-{name}.fifo"))
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
            .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")
            .send()
            .await
            .unwrap();
        Self { endpoint, client, push: push.queue_url.unwrap(), relay: relay.queue_url.unwrap() }
    }

    /// Queues of dead letters beside these, as a desk of their own.
    pub(crate) async fn of_dead_letters(&self) -> Self {
        Self::at(self.endpoint.clone()).await
    }

    /// What brings the messages of another desk's queues back to these.
    pub(crate) fn dead_letters(&self, dead: &Self, wire: &Wire) -> DeadLetters {
        let client = Client::new(&wire.config(&self.endpoint, 1));
        DeadLetters::new(client, self.queues(wire, 1), &dead.push, &dead.relay)
    }

    /// Puts a message into the standard queue.
    pub(crate) async fn put(&self, body: &str) {
        self.client.send_message().queue_url(&self.push).message_body(body).send().await.unwrap();
    }

    /// What the code under test writes with, over a wire; each request is tried up to `attempts` times.
    pub(crate) fn queues(&self, wire: &Wire, attempts: u32) -> Queues {
        Queues::new(Client::new(&wire.config(&self.endpoint, attempts)), &self.push, &self.relay)
    }

    /// The same with a queue to push to that is not there.
    pub(crate) fn queues_without_push(&self) -> Queues {
        Queues::new(self.client.clone(), format!("{}-gone", self.push), &self.relay)
    }

    /// Takes so many messages from a queue, in the order they come, and no more are there then.
    pub(crate) async fn take(&self, url: &str, count: usize) -> Vec<Message> {
        let (mut messages, deadline) = (Vec::new(), Instant::now() + PATIENCE);
        while messages.len() < count {
            assert!(Instant::now() < deadline, "{} of {count} messages came", messages.len());
            messages.extend(self.receive(url, 1).await);
        }
        messages.extend(self.receive(url, 0).await);
        assert_eq!(messages.len(), count, "messages that nobody expected");
        messages
    }

    /// Takes what a queue has, waiting so many seconds for a first message.
    pub(crate) async fn receive(&self, url: &str, wait_seconds: i32) -> Vec<Message> {
        let received = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .wait_time_seconds(wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap();
        let messages = received.messages.unwrap_or_default();
        for message in &messages {
            self.client.delete_message().queue_url(url).set_receipt_handle(message.receipt_handle.clone()).send().await.unwrap();
        }
        messages
    }
}

/// Starts an emulator that lives as long as the test's runtime.
async fn embedded() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config =
        SqsConfig { host: address.ip().to_string(), port: address.port(), skip_signature_validation: true, ..SqsConfig::default() };
    let handler = RustackSqsHandler::new(Arc::new(RustackSqs::new(config)));
    let service = SqsHttpService::new(Arc::new(handler), SqsHttpConfig::default());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // A client that breaks off is no fault of this side.
                let _ = connection.await;
            });
        }
    });
    format!("http://{address}")
}
