//! A small HTTP server that answers as it is told, and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

impl Came {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What a path answers: a status and a body.
type Answers = VecDeque<(u16, String)>;

#[derive(Default)]
pub(crate) struct Desk {
    answers: HashMap<String, Answers>,
    pub(crate) came: Vec<Came>,
}

#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) url: String,
    desk: Arc<Mutex<Desk>>,
}

impl Office {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Mutex::new(Desk::default()));
        let router = Router::new().fallback(answer).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk }
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// The next answer of a path.
    pub(crate) fn will_answer(&self, path: &str, status: u16, body: impl Into<String>) {
        self.desk().answers.entry(path.to_owned()).or_default().push_back((status, body.into()));
    }

    /// What came to a path, oldest first.
    pub(crate) fn came_to(&self, path: &str) -> Vec<Came> {
        self.desk().came.iter().filter(|came| came.path == path).cloned().collect()
    }
}

async fn answer(State(desk): State<Arc<Mutex<Desk>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let mut desk = desk.lock().unwrap();
    let path = uri.path().to_owned();
    desk.came.push(Came {
        method: method.to_string(),
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let (status, body) = desk.answers.get_mut(&path).and_then(VecDeque::pop_front).unwrap_or((404, "no answer was written".into()));
    (StatusCode::from_u16(status).unwrap(), body)
}
