//! The line to İYS, which breaks where the fuse says so: before a request is passed on, or before its answer
//! is.

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use url::Url;

use crate::fuse::{Fate, Fuse};

/// The line is broken: the connection closes without an answer.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

/// A line to `iys`, by its own address.
pub(crate) async fn line(iys: Url, fuse: Fuse) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let http = reqwest::Client::new();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (iys, fuse, http) = (iys.clone(), fuse.clone(), http.clone());
            let serve = service_fn(move |request| pass_on(request, iys.clone(), fuse.clone(), http.clone()));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), serve));
        }
    });
    url
}

async fn pass_on(request: Request<hyper::body::Incoming>, iys: Url, fuse: Fuse, http: reqwest::Client) -> Result<Response<Body>, Broken> {
    // Numbers and ids in the path are no part of what it is.
    let path = request.uri().path().to_owned();
    let last = path.rsplit('/').find(|part| part.chars().all(char::is_alphabetic)).unwrap_or_default();
    let fate = fuse.next(&format!("{} {last}", request.method()));
    if fate == Fate::DoesNotHappen {
        return Err(Broken);
    }
    let url = iys.join(request.uri().path_and_query().unwrap().as_str()).unwrap();
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
    let mut passed = http.request(parts.method, url).body(body);
    for name in ["authorization", "content-type"] {
        if let Some(value) = parts.headers.get(name) {
            passed = passed.header(name, value);
        }
    }
    let answer = passed.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for name in ["date", "content-type"] {
        if let Some(value) = answer.headers().get(name) {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.unwrap();
    if fate == Fate::HappensUnheard {
        return Err(Broken);
    }
    Ok(response.body(Body::from(body)).unwrap())
}
