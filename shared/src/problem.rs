//! Answers of the HTTP API: JSON, and RFC 9457 problem documents for errors.

use lambda_http::http::{Response, StatusCode, header};
use lambda_http::{Body, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest request body, in bytes: 1 MiB.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// An error as a caller sees it. Details name fields and rules, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of problem, as a stable relative URI.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    header: Option<(header::HeaderName, &'static str)>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: Option<String>) -> Self {
        Self { kind, title, status: status.as_u16(), detail, header: None }
    }

    /// 400: the body is no JSON, or not of the expected form.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/malformed-body", "The body cannot be read", Some(detail.into()))
    }

    /// 422: well-formed, but a rule of the request as a whole is broken.
    pub fn rule(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "/problems/rule", "A rule of the request is broken", Some(detail.into()))
    }

    /// 401: credentials are missing or wrong. `challenge` is the `WWW-Authenticate` header.
    pub fn unauthorised(challenge: &'static str) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "/problems/unauthorised", "Credentials are missing or wrong", None);
        Self { header: Some((header::WWW_AUTHENTICATE, challenge)), ..problem }
    }

    /// 404: there is no such brand or route.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", Some(detail.into()))
    }

    /// 405: the route does not know the method.
    pub fn method(allowed: &'static str) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "/problems/method",
            "The route does not know this method",
            Some(format!("Allowed: {allowed}")),
        );
        Self { header: Some((header::ALLOW, allowed)), ..problem }
    }

    /// 413: the body is larger than [`BODY_LIMIT`].
    pub fn too_large() -> Self {
        let detail = format!("A body may have at most {BODY_LIMIT} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", "The body is too large", Some(detail))
    }

    /// 415: the body is not declared as JSON.
    pub fn media_type() -> Self {
        let detail = Some("Content-Type must be application/json".to_owned());
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "/problems/media-type", "The body is not declared as JSON", detail)
    }

    /// 503: nothing was taken; the caller sends the same again.
    pub fn unavailable() -> Self {
        let detail = Some("Nothing of this request can be relied on: send it again".to_owned());
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "/problems/unavailable", "Not available right now", detail);
        Self { header: Some((header::RETRY_AFTER, "5")), ..problem }
    }

    /// The HTTP answer.
    pub fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = respond(status, "application/problem+json", &self);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        response
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    respond(status, "application/json", body)
}

fn respond(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    // Answers may hold addresses: nothing between us and the caller keeps them.
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// The raw bytes of a request's body, within [`BODY_LIMIT`].
pub fn body(request: &Request) -> Result<&[u8], Problem> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > BODY_LIMIT { Err(Problem::too_large()) } else { Ok(bytes) }
}

/// Reads a request's JSON body; an error names the path and what was expected there, never a value.
pub fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let bytes = body(request)?;
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/json");
    if !media_type.to_ascii_lowercase().contains("json") {
        return Err(Problem::media_type());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        let place = format!("line {}, column {}", inner.line(), inner.column());
        match inner.classify() {
            // The path would end with the field's name, which is the caller's own word.
            serde_json::error::Category::Data if inner.to_string().starts_with("unknown field") => {
                Problem::malformed(format!("The body has a field that is not known here ({place})"))
            }
            serde_json::error::Category::Data => {
                Problem::malformed(format!("{}: the value does not have the expected type ({place})", error.path()))
            }
            _ => Problem::malformed(format!("The body is not valid JSON ({place})")),
        }
    })?;
    reader.end().map_err(|_| Problem::malformed("The body has text after its JSON value"))?;
    Ok(value)
}
