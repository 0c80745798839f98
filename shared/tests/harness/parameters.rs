//! A parameter store that answers with brands.

use std::sync::Arc;

use axum::extract::State;
use shared::brands::Brands;

const BRANDS: &str = "/brands/";

/// The brands of a parameter store of their own.
pub(crate) async fn brands(documents: Vec<String>) -> Brands {
    read(&store(documents).await)
}

/// The brands of a parameter store, none of which has been read yet.
pub(crate) fn read(store: &aws_sdk_ssm::Client) -> Brands {
    Brands::new(store.clone(), BRANDS)
}

/// A parameter store that holds these brands.
pub(crate) async fn store(documents: Vec<String>) -> aws_sdk_ssm::Client {
    let parameter = |document: String| {
        let name = serde_json::from_str::<serde_json::Value>(&document).expect("a document")["name"].as_str().expect("a name").to_owned();
        serde_json::json!({ "Name": format!("{BRANDS}{name}"), "Value": document })
    };
    let body = serde_json::json!({ "Parameters": documents.into_iter().map(parameter).collect::<Vec<_>>() }).to_string();
    let answer = |State(body): State<Arc<str>>| async move { ([("content-type", "application/x-amz-json-1.1")], body.to_string()) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = axum::Router::new().fallback(answer).with_state(Arc::from(body));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = aws_sdk_ssm::Config::builder()
        .behavior_version(aws_sdk_ssm::config::BehaviorVersion::latest())
        .region(aws_sdk_ssm::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint);
    aws_sdk_ssm::Client::from_conf(config.build())
}
