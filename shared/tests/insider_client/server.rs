//! A server that plays Insider's side by script and keeps what it was sent.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use url::Url;

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) size: usize,
    pub(crate) body: Value,
}

impl Request {
    /// The value of a header, empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// How many entries an array of the body has.
    pub(crate) fn count(&self, list: &str) -> usize {
        self.body[list].as_array().map_or(0, Vec::len)
    }
}

/// An answer of the script.
pub(crate) enum Reply {
    /// Status, headers, body.
    With(u16, Vec<(&'static str, String)>, String),
    /// None, ever.
    Never,
}

impl Reply {
    /// An answer without special headers.
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        Reply::With(status, Vec::new(), body.to_string())
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that answers each request as the script says. It ends with the test's runtime.
    pub(crate) async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, script) = (Arc::clone(&requests), Arc::new(script));
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
            async move {
                let body_read = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let request = Request { path: uri.path().to_owned(), headers, size: body.len(), body: body_read };
                let reply = script(&request);
                kept.lock().unwrap().push(request);
                match reply {
                    Reply::With(status, headers, body) => respond(status, headers, body),
                    Reply::Never => std::future::pending().await,
                }
            }
        });
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// Everything that came so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn respond(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
