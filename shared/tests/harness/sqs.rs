//! The two queues in an embedded SQS of their own.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Builder, Credentials, Region};
use hyper_util::rt::TokioIo;
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};

/// The client and both queues' URLs: to the registry, to Insider.
pub(crate) async fn queues(configure: impl FnOnce(Builder) -> Builder) -> (Client, String, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let settings =
        SqsConfig { skip_signature_validation: true, host: address.ip().to_string(), port: address.port(), ..SqsConfig::default() };
    let handler = RustackSqsHandler::new(Arc::new(RustackSqs::new(settings)));
    let service = SqsHttpService::new(Arc::new(handler), SqsHttpConfig::default());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move { hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
        }
    });
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{address}"));
    let client = Client::from_conf(configure(config).build());
    let push = create(&client, "push", HashMap::new()).await;
    let fifo = [("FifoQueue", "true"), ("DeduplicationScope", "messageGroup"), ("FifoThroughputLimit", "perMessageGroupId")];
    let relay = create(&client, "relay.fifo", fifo.into()).await;
    (client, push, relay)
}

async fn create(client: &Client, name: &str, attributes: HashMap<&str, &str>) -> String {
    let attributes = attributes.into_iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
    let created = client.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.expect("a queue");
    created.queue_url.expect("its URL")
}
