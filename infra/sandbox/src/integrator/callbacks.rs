//! Callbacks of an integrator: sent to each receiver in order, repeated until they are taken, and lost, doubled or
//! held back where a test orders it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::control::unreadable;
use crate::outbound;
use crate::server::json as answer;
use crate::stats::Stats;

/// How a callback goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// It is never sent.
    Lost,
    /// It is sent twice.
    Repeated,
    /// It is kept until it is released.
    Held,
}

impl How {
    fn fault(self) -> &'static str {
        match self {
            Self::Lost => "callback_lost",
            Self::Repeated => "callback_repeated",
            Self::Held => "callback_held",
        }
    }
}

/// An order: the next `count` callbacks go wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    how: How,
    #[serde(default = "one")]
    count: u64,
}

fn one() -> u64 {
    1
}

/// A callback on its way.
struct Callback {
    url: String,
    body: Value,
}

#[derive(Default)]
struct Inner {
    orders: VecDeque<Order>,
    held: Vec<Callback>,
    /// The way to each receiver, by its address: one that takes nothing holds up no other.
    lanes: HashMap<String, mpsc::UnboundedSender<Value>>,
}

/// The way out.
pub(crate) struct Callbacks {
    client: Client,
    stats: Arc<Stats>,
    retry_ms: Vec<u64>,
    inner: Mutex<Inner>,
}

impl Callbacks {
    /// The way out, with these pauses (milliseconds) between the attempts to deliver one callback.
    pub(crate) fn new(stats: Arc<Stats>, retry_ms: &[u64]) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self { client: outbound::client()?, stats, retry_ms: retry_ms.to_vec(), inner: Mutex::default() }))
    }

    /// Sends a callback, unless it is ordered to go wrong.
    pub(crate) fn send(&self, url: &str, body: Value) {
        let callback = Callback { url: url.to_owned(), body };
        let mut inner = self.lock();
        match inner.next() {
            None => self.post(&mut inner, callback),
            Some(how) => {
                self.stats.fault(how.fault());
                match how {
                    How::Lost => {}
                    How::Repeated => {
                        self.post(&mut inner, Callback { url: callback.url.clone(), body: callback.body.clone() });
                        self.post(&mut inner, callback);
                    }
                    How::Held => inner.held.push(callback),
                }
            }
        }
    }

    fn post(&self, inner: &mut Inner, Callback { url, body }: Callback) {
        let lane = inner.lanes.entry(url).or_insert_with_key(|url| self.lane(url.clone()));
        // The worker ends only together with its lane.
        if lane.send(body).is_ok() {
            self.stats.deliveries(|counts| counts.queued += 1);
        }
    }

    fn lane(&self, url: String) -> mpsc::UnboundedSender<Value> {
        let (lane, mut waiting) = mpsc::unbounded_channel::<Value>();
        let (client, stats, pauses) = (self.client.clone(), Arc::clone(&self.stats), self.retry_ms.clone());
        tokio::spawn(async move {
            while let Some(body) = waiting.recv().await {
                outbound::deliver(&stats, 1, &pauses, || outbound::post(&client, &url, &body)).await;
            }
        });
        lane
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What the oldest order says of the next callback.
    fn next(&mut self) -> Option<How> {
        let order = self.orders.front_mut()?;
        order.count = order.count.saturating_sub(1);
        let how = order.how;
        if order.count == 0 {
            self.orders.pop_front();
        }
        Some(how)
    }
}

/// The control paths.
pub(crate) fn routes(callbacks: Arc<Callbacks>) -> Router {
    Router::new()
        .route("/_sandbox/callbacks", get(show).post(order).delete(forget))
        .route("/_sandbox/callbacks/release", post(release))
        .with_state(callbacks)
}

async fn show(State(callbacks): State<Arc<Callbacks>>) -> Response {
    let inner = callbacks.lock();
    answer(200, &json!({ "orders": inner.orders, "held": inner.held.len() }))
}

async fn order(State(callbacks): State<Arc<Callbacks>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Order>(&body) {
        Ok(order) if order.count > 0 => {
            callbacks.lock().orders.push_back(order);
            answer(200, &json!({ "status": "ok" }))
        }
        Ok(_) => unreadable(&"count must be at least 1"),
        Err(error) => unreadable(&error),
    }
}

async fn forget(State(callbacks): State<Arc<Callbacks>>) -> Response {
    callbacks.lock().orders.clear();
    answer(200, &json!({ "status": "ok" }))
}

/// In which order what was held is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Release {
    #[serde(default)]
    newest_first: bool,
}

async fn release(State(callbacks): State<Arc<Callbacks>>, body: Bytes) -> Response {
    let Release { newest_first } = match serde_json::from_slice(&body) {
        Ok(release) => release,
        Err(error) => return unreadable(&error),
    };
    let mut inner = callbacks.lock();
    let mut held = std::mem::take(&mut inner.held);
    if newest_first {
        held.reverse();
    }
    let released = held.len();
    held.into_iter().for_each(|callback| callbacks.post(&mut inner, callback));
    answer(200, &json!({ "released": released }))
}
