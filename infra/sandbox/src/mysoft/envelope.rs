//! Mysoft's envelope: what fails is told in it, and not by the HTTP status.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::server::{Refused, json as answer};

/// A success.
pub(crate) fn success(data: &Value) -> Response {
    page(data, 0)
}

/// A page, with the value that the next one begins after.
pub(crate) fn page(data: &Value, after_value: u64) -> Response {
    answer(200, &json!({ "data": data, "succeed": true, "message": null, "errorCode": null, "afterValue": after_value }))
}

/// A refusal of a whole call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    status: u16,
    code: String,
    message: String,
    data: Value,
}

impl Refusal {
    /// The operation is not possible.
    pub(crate) fn operation(message: &str) -> Self {
        Self::coded("HM400", message)
    }

    /// There is no such record.
    pub(crate) fn no_record() -> Self {
        Self::coded("HM404", "Kayıt bulunamadı.")
    }

    /// A field is missing or has the wrong form.
    pub(crate) fn schema(message: &str) -> Self {
        Self::coded("HM422", message)
    }

    /// With a code of its own.
    pub(crate) fn coded(code: &str, message: &str) -> Self {
        Self { status: 200, code: code.to_owned(), message: message.to_owned(), data: Value::Null }
    }

    /// Under another HTTP status than 200.
    pub(crate) fn under(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with(self, data: Value) -> Self {
        Self { data, ..self }
    }
}

fn failure(code: Option<&str>, message: &str, data: &Value) -> Value {
    json!({ "data": data, "succeed": false, "message": message, "errorCode": code, "afterValue": 0 })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = answer(self.status, &failure(Some(&self.code), &self.message, &self.data));
        response.extensions_mut().insert(Refused(vec![self.code]));
        response
    }
}

/// The body of an answer that a fault makes up.
pub(crate) fn fault_body(_path: &str, status: u16) -> Value {
    failure(None, &format!("HTTP {status}"), &Value::Null)
}
