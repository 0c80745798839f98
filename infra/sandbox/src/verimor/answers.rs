//! Verimor's answers to what it refuses: plain text that holds a symbolic code.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::server::Refused;

/// A plain text; what is no text is written as JSON.
pub(crate) fn text(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// A refusal; not a `Response` yet, which is large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
}

impl Refusal {
    /// A bad request.
    pub(crate) fn bad(code: &str) -> Self {
        Self::of(400, code)
    }

    pub(crate) fn of(status: u16, code: &str) -> Self {
        Self { status, code: code.to_owned() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = text(self.status, &Value::String(self.code.clone()));
        response.extensions_mut().insert(Refused(vec![self.code]));
        response
    }
}

/// The body of an answer that a fault makes up.
pub(crate) fn fault_body(_path: &str, status: u16) -> Value {
    Value::String(if status == 429 { "Too Many Requests".to_owned() } else { format!("HTTP {status}") })
}
