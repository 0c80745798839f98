//! The Lambda Runtime API, served to function processes, and the part of Lambda's public API that
//! invokes a function by name.
//!
//! Paths of the Runtime API are those of the AWS Lambda documentation ("Using the Lambda runtime API
//! for custom runtimes"), with the process's name in front.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use crate::processes::{InvokeError, PAYLOAD_LIMIT, Pool, Workers};

/// Longest error type that is passed on, in characters.
const ERROR_TYPE_CHARACTERS: usize = 120;

/// The Runtime API.
pub(crate) fn router(workers: Workers) -> Router {
    let runtime = "/{worker}/2018-06-01/runtime";
    Router::new()
        .route(&format!("{runtime}/invocation/next"), get(next))
        .route(&format!("{runtime}/invocation/{{id}}/response"), post(response))
        .route(&format!("{runtime}/invocation/{{id}}/error"), post(error))
        .route(&format!("{runtime}/init/error"), post(init_error))
        // One byte more, so that a body that is too large is seen to be so.
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT + 1))
        .with_state(workers)
}

async fn next(State(workers): State<Workers>, Path(worker): Path<String>) -> Response {
    let Some(worker) = workers.get(&worker) else {
        return refused(StatusCode::FORBIDDEN, "UnknownProcess");
    };
    let Some(invocation) = worker.next().await else {
        return refused(StatusCode::GONE, "Ending");
    };
    let name = HeaderName::from_static;
    let headers = [
        (name("content-type"), "application/json".to_owned()),
        (name("lambda-runtime-aws-request-id"), invocation.id.clone()),
        (name("lambda-runtime-deadline-ms"), invocation.deadline_ms.to_string()),
        (name("lambda-runtime-invoked-function-arn"), worker.function_arn.clone()),
        (name("lambda-runtime-trace-id"), trace_id(&invocation.id)),
    ];
    (headers, invocation.payload).into_response()
}

async fn response(
    State(workers): State<Workers>,
    Path((worker, id)): Path<(String, String)>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let Some(worker) = workers.get(&worker) else {
        return refused(StatusCode::FORBIDDEN, "UnknownProcess");
    };
    let (result, accepted) = match body {
        Ok(body) if body.len() <= PAYLOAD_LIMIT => (Ok(body), StatusCode::ACCEPTED),
        _ => (Err(InvokeError::ResponseTooLarge), StatusCode::PAYLOAD_TOO_LARGE),
    };
    if !worker.answer(&id, result) {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequestID");
    }
    (accepted, Json(json!({"status": "OK"}))).into_response()
}

/// The part of a function's error that says what kind it is. Its message may hold anything, so it is
/// not even read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    error_type: String,
}

async fn error(State(workers): State<Workers>, Path((worker, id)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(worker) = workers.get(&worker) else {
        return refused(StatusCode::FORBIDDEN, "UnknownProcess");
    };
    if !worker.answer(&id, Err(InvokeError::Function(error_type(&headers, &body)))) {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequestID");
    }
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

/// A process that reports this ends by itself right after, which is what is acted on.
async fn init_error(headers: HeaderMap, body: Bytes) -> Response {
    tracing::warn!(kind = error_type(&headers, &body), "a function failed to initialise");
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn error_type(headers: &HeaderMap, body: &[u8]) -> String {
    let from_body = serde_json::from_slice::<FunctionError>(body).map(|error| error.error_type).ok();
    let from_header = || {
        let value = headers.get("lambda-runtime-function-error-type")?;
        value.to_str().ok().map(str::to_owned)
    };
    let kind = from_body.or_else(from_header).unwrap_or_else(|| "Unknown".to_owned());
    kind.chars().take(ERROR_TYPE_CHARACTERS).collect()
}

/// An X-Ray trace header for this invocation, not sampled.
fn trace_id(request_id: &str) -> String {
    let hex = request_id.replace('-', "");
    format!("Root=1-{}-{};Sampled=0", hex.get(..8).unwrap_or(&hex), hex.get(8..).unwrap_or_default())
}

fn refused(status: StatusCode, kind: &str) -> Response {
    (status, Json(json!({"errorType": kind, "errorMessage": ""}))).into_response()
}

/// The functions by name.
pub(crate) type Pools = Arc<BTreeMap<String, Pool>>;

/// Lambda's `Invoke`, for jobs that a person starts.
pub(crate) fn invoke_router(pools: Pools) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT + 1))
        .with_state(pools)
}

async fn invoke(State(pools): State<Pools>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let name = name.rsplit(':').next().unwrap_or_default();
    let Some(pool) = pools.get(name).cloned() else {
        let headers = [("x-amzn-errortype", "ResourceNotFoundException")];
        let body = Json(json!({"Type": "User", "Message": format!("Function not found: {name}")}));
        return (StatusCode::NOT_FOUND, headers, body).into_response();
    };
    let payload = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    match headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok()) {
        Some("DryRun") => StatusCode::NO_CONTENT.into_response(),
        Some("Event") => {
            tokio::spawn(async move {
                if let Err(error) = pool.invoke(payload).await {
                    tracing::warn!(function = pool.function().name, %error, "an asynchronous invocation failed");
                }
            });
            StatusCode::ACCEPTED.into_response()
        }
        _ => match pool.invoke(payload).await {
            Ok(answer) => answer.into_response(),
            Err(InvokeError::RequestTooLarge) => {
                let headers = [("x-amzn-errortype", "RequestTooLargeException")];
                (StatusCode::PAYLOAD_TOO_LARGE, headers).into_response()
            }
            Err(failure) => {
                let kind = match &failure {
                    InvokeError::Function(kind) => kind.clone(),
                    InvokeError::TimedOut(_) => "Sandbox.Timedout".to_owned(),
                    _ => "Runtime.ExitError".to_owned(),
                };
                let body = json!({"errorType": kind, "errorMessage": failure.to_string()});
                ([("x-amz-function-error", "Unhandled")], Json(body)).into_response()
            }
        },
    }
}
