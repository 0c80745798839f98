//! The examples of `docs/openapi.yaml`, sent to the running system.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::World;

/// What is another each time, by field: shown in the examples as it may look.
const CHANGING: [&str; 2] = ["id", "recipientId"];

/// The credentials of the local brand, by scheme.
const CREDENTIALS: [(&str, &str, &str); 4] = [
    ("ApiKey", "authorization", "Bearer demo-api-key"),
    ("InsiderHeader", "x-insider-secret", "demo-insider-secret"),
    // `iys` and `demo-iys-push`.
    ("IysPush", "authorization", "Basic aXlzOmRlbW8taXlzLXB1c2g="),
    // The local brand has no integrator, so nothing proves anything there.
    ("IntegratorQuery", "accept", "application/json"),
];

/// The value at a place, wherever `$ref` leads.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => resolved(document, document.pointer(reference.trim_start_matches('#')).unwrap()),
        None => value,
    }
}

/// The same with what is another each time left out.
fn lasting(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(name, value)| match name.as_str() {
                name if CHANGING.contains(&name) => (name.to_owned(), json!("…")),
                "recipientIds" => (name.clone(), value.as_object().unwrap().keys().cloned().collect()),
                _ => (name.clone(), lasting(value)),
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(lasting).collect(),
        other => other.clone(),
    }
}

/// The examples of the answers of an operation, by name: status, media type and value.
fn answers(document: &Value, operation: &Value) -> BTreeMap<String, (String, String, Value)> {
    let mut found = BTreeMap::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        for (media_type, content) in resolved(document, response)["content"].as_object().unwrap() {
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                found.insert(name.clone(), (status.clone(), media_type.clone(), example["value"].clone()));
            }
        }
    }
    found
}

pub(crate) async fn every_example_of_the_api_reference_is_answered_as_it_says(world: &'static World) {
    let document: Value = serde_saphyr::from_str(include_str!("../../../docs/openapi.yaml")).unwrap();
    let mut sent = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("post") else { continue };
        let scheme = |name: &str| operation["security"].as_array().unwrap().iter().any(|scheme| scheme.get(name).is_some());
        let (_, header, value) = CREDENTIALS.into_iter().find(|(name, ..)| scheme(name)).unwrap();
        let headers = [(header, value), ("content-type", "application/json")];
        let answers = answers(&document, operation);
        // The local brand sets no export up and reaches İYS itself, so it has no such addresses.
        let is_missing = path.ends_with("/insider/export") || path.ends_with("/integrator/events");
        for (name, example) in operation["requestBody"]["content"]["application/json"]["examples"].as_object().unwrap() {
            let answer = world.request_with(Method::POST, &path.replace("{brand}", "demo"), &headers, example["value"].to_string()).await;
            sent += 1;
            if is_missing {
                assert_eq!(answer.status, 404, "{}", answer.text);
                continue;
            }
            let (status, media_type, expected) = answers.get(name).unwrap_or_else(|| panic!("{path}: {name} has no answer"));
            assert_eq!((&answer.status.to_string(), &answer.media_type), (status, media_type), "{path} {name}: {}", answer.text);
            assert_eq!(lasting(&answer.json), lasting(expected), "{path} {name}");
        }
    }
    assert!(sent > 10, "{sent} examples");
}
