//! Where a brand's integrator is called: its simulator here, unless the brand's document names another address.

use std::collections::BTreeMap;

use serde_json::Value;

/// Addresses of the integrators' simulators, by the word that a brand's document has for the integrator.
pub(crate) type Registries = BTreeMap<&'static str, String>;

/// The document with the simulator's address. One that names no integrator, or the address itself, stays as it is.
pub(crate) fn here(document: String, registries: &Registries) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&document) else { return document };
    let Some(registry) = value.get_mut("registry").and_then(Value::as_object_mut) else { return document };
    let address = registry.get("kind").and_then(Value::as_str).and_then(|kind| registries.get(kind));
    match address {
        Some(address) if registry.get("baseUrl").is_none_or(Value::is_null) => {
            registry.insert("baseUrl".to_owned(), address.as_str().into());
            value.to_string()
        }
        _ => document,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integrator_without_an_address_is_called_here_and_nothing_else_is_touched() {
        let registries = BTreeMap::from([("netgsm", "http://127.0.0.1:4007".to_owned())]);
        let put = |document: &Value| serde_json::from_str::<Value>(&here(document.to_string(), &registries)).unwrap_or_default();
        assert_eq!(
            put(&json!({"name": "a", "registry": {"kind": "netgsm", "basic": false}})),
            json!({"name": "a", "registry": {"kind": "netgsm", "basic": false, "baseUrl": "http://127.0.0.1:4007"}})
        );
        for same in [
            json!({"name": "a"}),
            json!({"registry": {"kind": "iys"}}),
            json!({"registry": {"kind": "netgsm", "baseUrl": "https://example.com"}}),
        ] {
            assert_eq!(put(&same), same);
        }
        assert_eq!(here("{ no JSON".to_owned(), &registries), "{ no JSON");
    }
}
