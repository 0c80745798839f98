//! A tap on the way to the queue service: keeps a copy of every request that functions make.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// Largest request or answer of the queue service, with room to spare.
const LIMIT: usize = 16 * 1024 * 1024;

/// The tap. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Tap(Arc<Inner>);

#[derive(Default)]
struct Inner {
    service: OnceLock<String>,
    http: OnceLock<reqwest::Client>,
    seen: Mutex<String>,
}

impl Tap {
    /// Opens the tap; requests wait nowhere, so [`Tap::lead_to`] must follow before the first.
    pub(crate) async fn open() -> (Self, String) {
        let tap = Self::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(tap.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (tap, url)
    }

    /// Where requests go.
    pub(crate) fn lead_to(&self, url: &str, http: &reqwest::Client) {
        self.0.service.set(url.to_owned()).unwrap();
        self.0.http.set(http.clone()).unwrap();
    }

    /// The bodies of all requests, a line each.
    pub(crate) fn seen(&self) -> String {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn forward(State(tap): State<Tap>, request: Request) -> Response {
    match pass_on(&tap, request).await {
        Some(response) => response,
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn pass_on(tap: &Tap, request: Request) -> Option<Response> {
    let (service, http) = (tap.0.service.get()?, tap.0.http.get()?);
    let (mut parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, LIMIT).await.ok()?;
    {
        let mut seen = tap.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push_str(&String::from_utf8_lossy(&body));
        seen.push('\n');
    }
    parts.headers.remove(header::HOST);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = http.request(parts.method, format!("{service}{path}")).headers(parts.headers).body(body).send().await.ok()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if name != header::TRANSFER_ENCODING && name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name, value.clone());
        }
    }
    *response.body_mut() = Body::from(answer.bytes().await.ok()?);
    Some(response)
}
