//! The body of Mysoft's callback: one consent, and the secret.

use serde_json::{Map, Value, json};

use super::config::{Switches, Webhook};

/// `fields` are the consent's, in İYS's words.
pub(super) fn body(webhook: &Webhook, brand: u64, fields: &Map<String, Value>, switches: &Switches) -> Value {
    let mut consent = fields.clone();
    for name in ["consentDate", "source"] {
        consent.entry(name).or_insert(Value::Null);
    }
    let code = consent.remove("retailerCode").unwrap_or(Value::Null);
    let access = consent.remove("retailerAccess").unwrap_or_else(|| json!([]));
    consent.extend([("retailerCode".to_owned(), code), ("retailerAccess".to_owned(), access), ("specialValue".to_owned(), Value::Null)]);
    let mut body = Map::from_iter([
        ("webHookKey".to_owned(), json!(webhook.key)),
        // A text here, a number everywhere else.
        ("brandCode".to_owned(), json!(brand.to_string())),
    ]);
    if switches.callback_fields_outside {
        for name in ["consentDate", "source"] {
            body.extend(consent.remove(name).map(|value| (name.to_owned(), value)));
        }
    }
    body.insert("consentData".to_owned(), Value::Object(consent));
    Value::Object(body)
}
