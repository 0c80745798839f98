//! The HTTP API: matches a request to a route of the template, and speaks API Gateway's payload
//! format 2.0 with the function behind it.
//!
//! Source of the format: AWS, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway".

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    processes::{InvokeError, Pool},
    template::Route,
};

/// API Gateway quotas: the payload of a request, 10 MB.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// What stands for the API's id in events.
const API_ID: &str = "local";

/// Routes, each with the processes of its function.
pub(crate) struct Gateway {
    pub(crate) routes: Vec<(Route, Pool)>,
    pub(crate) account: String,
}

/// The gateway as a service. Needs the caller's address as connection info.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(gateway))
}

async fn handle(State(gateway): State<Arc<Gateway>>, ConnectInfo(caller): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = gateway.answer(request, caller, &request_id).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("apigw-requestid", value);
    }
    response
}

impl Gateway {
    async fn answer(&self, request: Request, caller: SocketAddr, request_id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let Some((route, pool, parameters)) = self.find(&parts.method, parts.uri.path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let call =
            Call { parts: &parts, body: &body, route, parameters, caller, account: &self.account, request_id, now: Timestamp::now() };
        let event = Bytes::from(call.event().to_string());
        match tokio::time::timeout(route.timeout, pool.invoke(event)).await {
            Ok(Ok(answer)) => from_function(&answer).unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
            Ok(Err(InvokeError::RequestTooLarge)) => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Ok(Err(error)) => {
                tracing::warn!(function = route.function, %error, "a request failed");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// The route of a request, with its path parameters. A route without parameters goes before one
    /// with, and a method's own before `ANY`, as API Gateway has it.
    fn find(&self, method: &Method, path: &str) -> Option<(&Route, &Pool, BTreeMap<String, String>)> {
        self.routes
            .iter()
            .filter(|(route, _)| route.method == "ANY" || route.method == method.as_str())
            .filter_map(|(route, pool)| Some((route, pool, path_parameters(&route.path, path)?)))
            .min_by_key(|(route, _, parameters)| (parameters.len(), route.method == "ANY"))
    }
}

/// The parameters that `path` has by `pattern`, decoded; `None` if it does not match.
fn path_parameters(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let (mut expected, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(expected), Some(given)) => {
                let name = expected.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                match name {
                    Some(_) if given.is_empty() => return None,
                    Some(name) => {
                        parameters.insert(name.to_owned(), decoded(given));
                    }
                    None if expected == given => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// A path segment without percent encoding. A plus sign stands for itself in a path.
fn decoded(segment: &str) -> String {
    let kept = segment.replace('+', "%2B");
    let query = format!("v={kept}");
    url::form_urlencoded::parse(query.as_bytes()).next().map_or_else(|| segment.to_owned(), |(_, value)| value.into_owned())
}

/// One request, on its way to the function.
struct Call<'a> {
    parts: &'a Parts,
    body: &'a [u8],
    route: &'a Route,
    parameters: BTreeMap<String, String>,
    caller: SocketAddr,
    account: &'a str,
    request_id: &'a str,
    now: Timestamp,
}

impl Call<'_> {
    fn event(&self) -> Value {
        let Self { parts, route, .. } = self;
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let (headers, cookies) = self.headers();
        let host = headers.get("host").and_then(Value::as_str).unwrap_or("localhost").to_owned();
        let user_agent = headers.get("user-agent").cloned().unwrap_or_default();
        let route_key = format!("{} {}", route.method, route.path);
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": self.account,
                "apiId": API_ID,
                "domainName": host,
                "domainPrefix": API_ID,
                "http": {
                    "method": parts.method.as_str(),
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.caller.ip().to_string(),
                    "userAgent": user_agent.as_str().unwrap_or_default(),
                },
                "requestId": self.request_id,
                "routeKey": route_key,
                "stage": "$default",
                "time": self.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": self.now.as_millisecond(),
            },
            "isBase64Encoded": false,
        });
        if !cookies.is_empty() {
            event["cookies"] = cookies.into();
        }
        if !query.is_empty() {
            event["queryStringParameters"] = query_parameters(query).into();
        }
        if !self.parameters.is_empty() {
            event["pathParameters"] = json!(self.parameters);
        }
        if !self.body.is_empty() {
            match text(&parts.headers, self.body) {
                Some(text) => event["body"] = text.into(),
                None => {
                    event["body"] = BASE64_STANDARD.encode(self.body).into();
                    event["isBase64Encoded"] = true.into();
                }
            }
        }
        event
    }

    /// Headers by lower-case name, repeated ones joined by commas, and the cookies apart.
    fn headers(&self) -> (Map<String, Value>, Vec<String>) {
        let mut joined: BTreeMap<&str, String> = BTreeMap::new();
        let mut cookies = Vec::new();
        for (name, value) in &self.parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name == header::COOKIE {
                cookies.extend(value.split(';').map(|cookie| cookie.trim().to_owned()));
                continue;
            }
            joined
                .entry(name.as_str())
                .and_modify(|all| {
                    all.push(',');
                    all.push_str(&value);
                })
                .or_insert_with(|| value.into_owned());
        }
        let forwarded = joined.entry("x-forwarded-for").or_default();
        if !forwarded.is_empty() {
            forwarded.push_str(", ");
        }
        forwarded.push_str(&self.caller.ip().to_string());
        joined.insert("x-forwarded-proto", "http".to_owned());
        (joined.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect(), cookies)
    }
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        joined
            .entry(name.into_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// The body as text, if its type says that it is one and it is UTF-8. Anything else, forms included,
/// travels in base64.
fn text(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let is_text = kind.is_none_or(|kind| {
        kind.starts_with("text/")
            || kind.ends_with("+json")
            || kind.ends_with("+xml")
            || ["application/json", "application/xml", "application/javascript"].contains(&kind.as_str())
    });
    is_text.then(|| String::from_utf8(body.to_vec()).ok()).flatten()
}

/// What a function may answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// The function's answer as a response; `None` if it is malformed. JSON without a status code is a
/// body of its own, answered with 200.
fn from_function(answer: &[u8]) -> Option<Response> {
    let value: Value = serde_json::from_slice(answer).ok()?;
    if value.get("statusCode").is_none() {
        let body = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        return Some(([(header::CONTENT_TYPE, "application/json")], body).into_response());
    }
    let answer: Answer = serde_json::from_value(value).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded == Some(true) { BASE64_STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.into_iter().flatten() {
        let value = match value {
            Value::String(text) => text,
            plain @ (Value::Number(_) | Value::Bool(_)) => plain.to_string(),
            _ => return None,
        };
        headers.insert(header_name(&name)?, HeaderValue::from_str(&value).ok()?);
    }
    for (name, values) in answer.multi_value_headers.into_iter().flatten() {
        let name = header_name(&name)?;
        headers.remove(&name);
        for value in values {
            headers.append(&name, HeaderValue::from_str(&value).ok()?);
        }
    }
    for cookie in answer.cookies.into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    // The length is that of the body that is sent, whatever the function said.
    headers.remove(header::CONTENT_LENGTH);
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
    Some(response)
}

fn header_name(name: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).ok()
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"message": text}))).into_response()
}
