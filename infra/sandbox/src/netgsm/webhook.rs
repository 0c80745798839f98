//! The bodies of Netgsm's webhook. Keys are all in lower case.

use serde_json::{Map, Value, json};

use super::config::Switches;
use crate::iys::errors::lookup;
use crate::iys::model::{Movement, write_date};
use crate::iys::registry::Verdict;
use crate::iys::store::Change;

/// Whose record it is.
pub(super) struct Brand {
    pub(super) iys_code: u64,
    pub(super) brand_code: u64,
}

/// The verdict on a record of an own package.
pub(super) fn verdict(brand: &Brand, record: &Map<String, Value>, submit_id: &str, verdict: &Verdict, switches: &Switches) -> Value {
    let field = |name: &str| record.get(name).cloned().unwrap_or_else(|| json!(""));
    let code = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let access = record.get("retailerAccess").and_then(Value::as_array);
    let (result, error, message, creation) = match verdict {
        Ok(stored) => ("success", "", "", stored.creation_date.as_str()),
        Err(code) => ("failure", code.as_ref(), lookup(code).1, ""),
    };
    wrapped(
        brand,
        json!({
            "type": field("type"), "source": field("source"), "status": field("status"),
            "consentdate": field("consentDate"), "recipienttype": field("recipientType"), "recipient": field("recipient"),
            "retailercode": record.get("retailerCode").map(code).unwrap_or_default(),
            "retaileraccess": list(access.into_iter().flatten().map(code)),
            "submitid": submit_id, "resultstatus": result, "errcode": error, "errmsg": message, "creationdate": creation,
        }),
        switches,
    )
}

/// A change that came to İYS by another way.
pub(super) fn change(brand: &Brand, change: &Change, switches: &Switches) -> Value {
    let Change { key, movement, .. } = change;
    let movement: &Movement = movement;
    wrapped(
        brand,
        json!({
            "type": key.consent_type, "source": movement.source.as_deref().unwrap_or_default(), "status": movement.status,
            "consentdate": movement.consent_date.map(write_date).unwrap_or_default(),
            "recipienttype": key.recipient_type, "recipient": key.recipient,
            "retailercode": movement.retailer_code.map(|code| code.to_string()).unwrap_or_default(),
            "retaileraccess": list(movement.retailer_access.iter().map(u64::to_string)),
            "submitid": uuid::Uuid::new_v4().to_string(), "resultstatus": "success", "errcode": "", "errmsg": "",
            "creationdate": movement.creation_date(),
        }),
        switches,
    )
}

fn wrapped(brand: &Brand, mut body: Value, switches: &Switches) -> Value {
    let code = |code: u64| if switches.webhook_text_codes { json!(code.to_string()) } else { json!(code) };
    body["iyscode"] = code(brand.iys_code);
    body["brandcode"] = code(brand.brand_code);
    if switches.webhook_array { json!([body]) } else { body }
}

/// `{123456,789456}`, or nothing.
fn list(codes: impl Iterator<Item = String>) -> String {
    let codes: Vec<String> = codes.collect();
    if codes.is_empty() { String::new() } else { format!("{{{}}}", codes.join(",")) }
}
