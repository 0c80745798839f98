//! What the tests stand on: a clock that is set by hand, a served simulator, waiting with a deadline.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox::clock::Clock;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Monday 2026-11-23, noon in Türkiye.
pub(crate) const START: &str = "2026-11-23T09:00:00Z";

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub(crate) fn new() -> Self {
        let start: Timestamp = START.parse().unwrap();
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap())
    }

    /// Turkish time, so many seconds from now.
    pub(crate) fn turkish(&self, offset: i64) -> String {
        let at = (self.clock())() + jiff::SignedDuration::from_secs(offset + 3 * 3600);
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// A served simulator; stops when dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    _stop: oneshot::Sender<()>,
}

impl Served {
    pub(crate) async fn iys(config: sandbox::iys::Config) -> Self {
        Self::over(|listener, stopped| sandbox::iys::serve(listener, config, stopped)).await
    }

    pub(crate) async fn insider(config: sandbox::insider::Config) -> Self {
        Self::over(|listener, stopped| sandbox::insider::serve(listener, config, stopped)).await
    }

    /// Serves whatever `serve` makes of a listener and of a future that ends when the simulator shall stop.
    pub(crate) async fn over<F>(serve: impl FnOnce(TcpListener, Pin<Box<dyn Future<Output = ()> + Send>>) -> F) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let (listener, served) = Self::bind().await;
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = Box::pin(async {
            let _ended = stopped.await;
        });
        tokio::spawn(serve(listener, stopped));
        Self { _stop: stop, ..served }
    }

    async fn bind() -> (TcpListener, Self) {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, Self { address, client: Client::new(), _stop: oneshot::channel().0 })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        body(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, json: &Value) -> (u16, Value) {
        answer(self.request(Method::POST, path).json(json).send().await.unwrap()).await
    }

    pub(crate) async fn stats(&self) -> Value {
        self.get("/_sandbox/stats").await
    }
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    (response.status().as_u16(), body(response).await)
}

async fn body(response: Response) -> Value {
    let text = response.text().await.unwrap();
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

/// Waits until `ready` gives something, ten seconds at most.
pub(crate) async fn eventually<T>(mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = ready().await {
            return value;
        }
        assert!(Instant::now() < deadline, "the awaited condition did not come about");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
