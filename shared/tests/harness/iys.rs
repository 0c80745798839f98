//! A small server that plays İYS with answers that a test writes down, and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// The same with `Retry-After`.
    RetryAfter(u16, u32),
    /// No answer at all.
    Silence,
    /// Headers, half a body, and a closed connection.
    Broken,
    /// The answer after a while.
    After(Duration, Box<Answer>),
    /// The answer with headers.
    With(Vec<(&'static str, &'static str)>, Box<Answer>),
    /// A success whose body comes in pieces, and whether the connection breaks before its end.
    Pieces(Vec<Vec<u8>>, bool),
}

impl Answer {
    /// A status and a JSON body.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Answer::Body(status, body.to_string())
    }

    /// A status and one error.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, json!({"errors": [{"code": code, "message": "…"}]}))
    }
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

impl Seen {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, VecDeque<Answer>>,
    seen: Vec<Seen>,
    tokens: u32,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Iys {
    pub(crate) url: Url,
    script: Arc<Mutex<Script>>,
}

/// The token endpoint's path.
pub(crate) const TOKEN: &str = "/oauth2/token";

impl Iys {
    /// A server without any answers but tokens, which it gives out by itself: `access-1`, `access-2` …
    pub(crate) async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URL");
        let router = Router::new().fallback(serve).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, script }
    }

    /// Has the next request whose path ends so answered; of several such ends the longest counts.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.script.lock().expect("the script").answers.entry(path.to_owned()).or_default().push_back(answer);
    }

    /// The requests whose path ends so.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        self.script.lock().expect("the script").seen.iter().filter(|seen| seen.uri.path().ends_with(path)).cloned().collect()
    }

    /// What the token endpoint was asked for.
    pub(crate) fn grants(&self) -> Vec<String> {
        self.seen(TOKEN).iter().map(|seen| seen.json()["grant_type"].as_str().expect("a grant").to_owned()).collect()
    }
}

async fn serve(State(script): State<Arc<Mutex<Script>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let answer = {
        let mut script = script.lock().expect("the script");
        let authorization = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
        script.seen.push(Seen { method, uri: uri.clone(), authorization, body: String::from_utf8(body.to_vec()).expect("UTF-8") });
        let fitting = script.answers.iter_mut().filter(|(path, answers)| uri.path().ends_with(path.as_str()) && !answers.is_empty());
        match fitting.max_by_key(|(path, _)| path.len()).and_then(|(_, answers)| answers.pop_front()) {
            Some(answer) => answer,
            None if uri.path() == TOKEN => {
                script.tokens += 1;
                let count = script.tokens;
                Answer::json(
                    200,
                    json!({"access_token": format!("access-{count}"), "refresh_token": format!("refresh-{count}"),
                           "expires_in": 7200, "refresh_expires_in": 14400, "token_type": "bearer"}),
                )
            }
            None => Answer::Body(501, "no answer was written for this".to_owned()),
        }
    };
    give(answer).await
}

async fn give(answer: Answer) -> Response<Body> {
    match answer {
        Answer::Body(status, body) => response(status, Body::from(body)),
        Answer::RetryAfter(status, seconds) => {
            let mut response = response(status, Body::empty());
            response.headers_mut().insert("retry-after", seconds.into());
            response
        }
        Answer::Silence => std::future::pending().await,
        Answer::Broken => {
            let half: [Result<Bytes, std::io::Error>; 2] =
                [Ok(Bytes::from_static(b"{\"tra")), Err(std::io::Error::other("broken on purpose"))];
            response(200, Body::from_stream(futures::stream::iter(half)))
        }
        Answer::After(pause, answer) => {
            tokio::time::sleep(pause).await;
            Box::pin(give(*answer)).await
        }
        Answer::With(headers, answer) => {
            let mut response = Box::pin(give(*answer)).await;
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().expect("a header value"));
            }
            response
        }
        Answer::Pieces(pieces, breaks) => {
            let pieces = futures::stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece))));
            let end = futures::stream::iter(breaks.then_some(())).then(|()| async {
                // What came before goes out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("broken on purpose"))
            });
            response(200, Body::from_stream(pieces.chain(end)))
        }
    }
}

fn response(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}
