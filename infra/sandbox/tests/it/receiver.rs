//! A receiver of pushes and webhooks that keeps what it got and answers as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
pub(crate) struct Receiver(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    basic: Option<String>,
    answers: VecDeque<u16>,
    delay: Duration,
    taken: Vec<(HeaderMap, Value)>,
}

impl Receiver {
    /// A receiver that asks for these Basic credentials (already encoded), if any.
    pub(crate) async fn serve(basic: Option<&str>) -> (Self, SocketAddr) {
        let receiver = Self::default();
        receiver.0.lock().unwrap().basic = basic.map(|encoded| format!("Basic {encoded}"));
        let router = Router::new().route("/hook", post(Self::take)).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, address)
    }

    /// Answers the next requests with these statuses and keeps nothing of those that are not 2xx.
    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        self.0.lock().unwrap().answers.extend(statuses);
    }

    /// From now on waits so long before it takes anything.
    pub(crate) fn slow_down(&self, delay: Duration) {
        self.0.lock().unwrap().delay = delay;
    }

    /// What was taken so far.
    pub(crate) fn taken(&self) -> Vec<(HeaderMap, Value)> {
        self.0.lock().unwrap().taken.clone()
    }

    async fn take(State(receiver): State<Self>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let delay = receiver.0.lock().unwrap().delay;
        tokio::time::sleep(delay).await;
        let mut inner = receiver.0.lock().unwrap();
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if inner.basic.is_some() && inner.basic.as_deref() != given {
            return StatusCode::UNAUTHORIZED;
        }
        let status = inner.answers.pop_front().unwrap_or(200);
        if (200..300).contains(&status) {
            inner.taken.push((headers, serde_json::from_slice(&body).unwrap()));
        }
        StatusCode::from_u16(status).unwrap()
    }
}
