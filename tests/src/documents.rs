//! The brands' documents of a world.

use std::path::Path;

use local::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The brands that `cargo run` has.
const LOCAL_BRANDS: [&str; 2] = ["demo", "demo-integrator"];

/// A further brand, which has authorised e-mail only.
pub const PARTIAL_BRAND: &str = "yarim";

/// What helpers need of the brand that they speak for.
pub(crate) struct Spoken {
    pub(crate) name: String,
    /// Key of its own systems.
    pub(crate) key: String,
    /// Its number at İYS.
    pub(crate) code: u64,
    /// Its account at Insider, and what opens the users there.
    pub(crate) partner: String,
    pub(crate) ucd: String,
}

impl Spoken {
    pub(crate) fn of(document: &Value) -> Self {
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        Self {
            name: text("/name"),
            key: text("/api/keys/0"),
            code: document["iys"]["brandCode"].as_u64().unwrap(),
            partner: text("/insider/partner"),
            ucd: text("/insider/keys/ucd"),
        }
    }
}

/// The local brands, further ones, and one made from `demo`. Where no notices are to arrive, none are asked for.
pub(crate) fn folder(push_notices: bool, further: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in LOCAL_BRANDS {
        write(folder.path(), &read(&Options::default().brands, name));
    }
    change(folder.path(), &json!({ "name": "demo", "iys": { "pushService": push_notices } }));
    let demo = read(folder.path(), "demo");
    for differs in further {
        let local = LOCAL_BRANDS.into_iter().find(|name| differs["name"] == *name);
        let mut brand = local.map_or_else(|| demo.clone(), |name| read(folder.path(), name));
        merge(&mut brand, differs);
        write(folder.path(), &brand);
    }
    let mut partial = demo;
    merge(
        &mut partial,
        &json!({
            "name": PARTIAL_BRAND,
            "recipientIdKey": "another-recipient-id-key-for-local-use-only",
            "iys": { "iysCode": 700_002, "brandCode": 700_002, "username": "yarim-api-user", "channels": ["EPOSTA"] },
        }),
    );
    write(folder.path(), &partial);
    folder
}

/// A brand's document.
pub(crate) fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

/// Changes a brand's document.
pub(crate) fn change(folder: &Path, differs: &Value) {
    let mut document = read(folder, differs["name"].as_str().unwrap());
    merge(&mut document, differs);
    write(folder, &document);
}

fn write(folder: &Path, document: &Value) {
    let path = folder.join(format!("{}.json", document["name"].as_str().unwrap()));
    // Nobody ever reads half of it.
    let beside = path.with_extension("new");
    std::fs::write(&beside, document.to_string()).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// Puts what differs into a document: objects field by field, everything else as a whole; so an object of another
/// `kind`, with which it shares no fields.
fn merge(document: &mut Value, differs: &Value) {
    match (document, differs) {
        (Value::Object(fields), Value::Object(others)) if others.get("kind").is_none_or(|kind| fields.get("kind") == Some(kind)) => {
            for (name, value) in others {
                merge(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (document, value) => *document = value.clone(),
    }
}
