//! What S3 is asked, and what is made of its answers. The server here knows of S3 only what its documentation says
//! of conditional writes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::*;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn put(State(objects): State<Objects>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let signed = header("authorization");
    let digest = Digest::of([body.as_ref()]);
    let fits = signed.starts_with("AWS4-HMAC-SHA256 Credential=key/20261126/eu-central-1/s3/aws4_request, SignedHeaders=")
        && ["if-none-match", "x-amz-checksum-sha256", "x-amz-content-sha256", "x-amz-date"].iter().all(|name| signed.contains(name))
        && header("x-amz-content-sha256") == digest.to_string()
        && header("x-amz-checksum-sha256") == STANDARD.encode(digest.bytes());
    let mut objects = objects.lock().unwrap();
    match (fits, header("if-none-match"), objects.contains_key(&name)) {
        (false, ..) => StatusCode::FORBIDDEN,
        (true, "*", true) => StatusCode::PRECONDITION_FAILED,
        _ => {
            objects.insert(name, body);
            StatusCode::OK
        }
    }
}

async fn get(State(objects): State<Objects>, Path(name): Path<String>) -> Result<Bytes, StatusCode> {
    objects.lock().unwrap().get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn bucket(key: &'static str) -> (Bucket, Objects) {
    let objects = Objects::default();
    let app = axum::Router::new().route("/roots/{*name}", axum::routing::put(put).get(get)).with_state(objects.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(key, "secret", None, None, "test")))
        .build();
    (Bucket::new(&config, "roots", Arc::new(|| "2026-11-26T03:00:00Z".parse().unwrap())), objects)
}

#[tokio::test]
async fn what_is_in_the_bucket_already_stays_and_is_compared() {
    let (bucket, objects) = bucket("key").await;
    for _ in 0..2 {
        bucket.keep("demo/2026-11-25.json", b"{}").await.unwrap();
    }
    assert!(matches!(bucket.keep("demo/2026-11-25.json", b"[]").await, Err(ArchiveError::Differs(_))));
    assert_eq!(bucket.read("demo/2026-11-25.json").await.unwrap().unwrap(), b"{}");
    assert_eq!(bucket.read("demo/2026-11-26.json").await.unwrap(), None);
    assert_eq!(
        objects.lock().unwrap().iter().map(|(name, body)| (name.as_str(), body.as_ref())).collect::<Vec<_>>(),
        [("demo/2026-11-25.json", b"{}".as_slice())]
    );
}

#[tokio::test]
async fn a_refusal_is_told_by_its_status() {
    let (bucket, objects) = bucket("nobody").await;
    let error = bucket.keep("demo/2026-11-25.json", b"{}").await.unwrap_err();
    assert!(error.to_string().contains("403") && objects.lock().unwrap().is_empty(), "{error}");
}
