//! The HTTP side that both simulators share: the accept loop, and the layer that counts calls and
//! makes ordered faults happen.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::faults::{Fault, Faults, Kind};
use crate::stats::Stats;

/// Where the control paths begin; they are neither counted, limited nor hit by faults.
pub(crate) const CONTROL_PREFIX: &str = "/_sandbox";

/// How long open connections may finish after shutdown.
const DRAIN: Duration = Duration::from_secs(1);

/// The caller's address, as a request extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Response extension: close the connection instead of answering.
#[derive(Clone, Copy, Debug)]
struct Sever;

/// The error that makes the HTTP server close a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection closed on purpose")]
struct Severed;

/// Response extension: what was refused, for the counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused(pub(crate) Vec<String>);

/// Response extension: the answer was ordered by a test. It counts neither for the quality gate nor as a
/// refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MadeUp;

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Response {
    let status = axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(axum::http::header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Serves `router` on `listener` until `shutdown` ends.
pub(crate) async fn run(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    connections.spawn(connection(stream, Peer(address.ip()), router.clone(), stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::task::yield_now().await;
                }
            },
        }
    }
    drop(stop);
    let drained = tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, mut stopped: watch::Receiver<()>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let router = router.clone();
        async move {
            let response = match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<Sever>().is_some() { Err(Severed) } else { Ok(response) }
        }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        _ = stopped.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What the counting and fault-making layer needs.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) clock: Clock,
    pub(crate) stats: Arc<Stats>,
    pub(crate) faults: Arc<Faults>,
    /// How the vendor writes an answer that a fault makes up.
    pub(crate) answer: fn(u16, &Value) -> Response,
    /// The HTTP status under which the vendor says that a limit is passed.
    pub(crate) limit_status: u16,
    /// The vendor's body for an answer that a fault makes up: path, status → body.
    pub(crate) fault_body: fn(&str, u16) -> Value,
}

/// The layer itself; goes outside of everything that belongs to the vendor.
pub(crate) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let clock = Arc::clone(&observer.clock);
    let mut response = observed(observer, request, next).await;
    // The server would take the machine's time otherwise, and clients compare clocks by this header.
    let date = clock().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        response.headers_mut().insert(axum::http::header::DATE, date);
    }
    response
}

async fn observed(observer: Observer, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(CONTROL_PREFIX) {
        return next.run(request).await;
    }
    let call = Call {
        method: request.method().as_str().to_owned(),
        template: request
            .extensions()
            .get::<MatchedPath>()
            .map_or_else(|| "(unknown path)".to_owned(), |matched| matched.as_str().to_owned()),
    };
    observer.stats.arrived((observer.clock)());
    let Some(fault) = observer.faults.take(request.method().as_str(), request.uri().path()) else {
        return serve(&observer, &call, request, next).await;
    };
    observer.stats.fault(fault.kind.name());
    tracing::info!(method = call.method, path = call.template, fault = fault.kind.name(), "fault");
    match fault.kind {
        Kind::Latency => serve_late(observer, call, fault.latency(), request, next).await,
        Kind::TimeoutAfterApply => {
            serve(&observer, &call, request, next).await;
            tokio::time::sleep(fault.latency()).await;
            severed()
        }
        Kind::GatewayTimeout => {
            let answer = made_up(&observer, &call, &fault, request.uri().path());
            tokio::spawn(serve_late(observer, call, fault.latency(), request, next));
            answer
        }
        Kind::Drop => {
            tokio::time::sleep(fault.latency()).await;
            observer.stats.answered(&call.method, &call.template, 0, false);
            severed()
        }
        Kind::Status | Kind::RateLimit => {
            tokio::time::sleep(fault.latency()).await;
            made_up(&observer, &call, &fault, request.uri().path())
        }
    }
}

/// A call as the counters name it.
struct Call {
    method: String,
    template: String,
}

/// Lets the vendor's part answer, and counts the answer.
async fn serve(observer: &Observer, call: &Call, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let genuine = response.extensions().get::<MadeUp>().is_none();
    observer.stats.answered(&call.method, &call.template, status, genuine);
    if let Some(Refused(kinds)) = response.extensions().get::<Refused>().filter(|_| genuine) {
        for kind in kinds {
            observer.stats.rejected(kind);
        }
    }
    tracing::debug!(method = call.method, path = call.template, status, "answered");
    response
}

/// As [`serve`], later, and in a task of its own: a caller that gives up waiting does not stop the
/// request from landing.
async fn serve_late(observer: Observer, call: Call, wait: Duration, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return severed();
    };
    let request = Request::from_parts(parts, Body::from(body));
    let landing = tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        serve(&observer, &call, request, next).await
    });
    landing.await.unwrap_or_else(|_| severed())
}

/// An answer without a request being served.
fn made_up(observer: &Observer, call: &Call, fault: &Fault, path: &str) -> Response {
    let status = match fault.kind {
        Kind::RateLimit => observer.limit_status,
        Kind::GatewayTimeout => fault.status.unwrap_or(504),
        _ => fault.status.unwrap_or(500),
    };
    observer.stats.answered(&call.method, &call.template, status, false);
    let body = fault.body.clone().unwrap_or_else(|| (observer.fault_body)(path, status));
    (observer.answer)(status, &body)
}

fn severed() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Sever);
    response
}
