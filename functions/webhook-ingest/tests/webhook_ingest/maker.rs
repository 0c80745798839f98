//! Makes bodies out of bytes: most of a body is what Insider might send, with anything else in between, so
//! that few bytes reach deep into the handler.

use serde_json::{Map, Value, json};

/// Texts that must never be shown to anybody.
pub(crate) const SECRETS: [&str; 3] = ["secretperson", "5321234567", "gizlibilgi"];

const KEYS: [&str; 43] = [
    "event",
    "event_name",
    "email",
    "phone_number",
    "phone",
    "attr_email",
    "attr_phone",
    "attr_sms_optin",
    "attrs",
    "attributes",
    "event_parameters",
    "uniqueArgs",
    "identifiers",
    "custom",
    "timestamp",
    "msg-id",
    "id",
    "type",
    "channel",
    "status",
    "recipient",
    "recipientType",
    "source",
    "consentDate",
    "externalId",
    "retailerCode",
    "retailerAccess",
    "attribute",
    "attribute_name",
    "old_value",
    "new_value",
    "value",
    "email_optin",
    "sms_optin",
    "call_optin",
    "ins_unsub_id",
    "unsub_group_name",
    "messaging_product",
    "contacts",
    "user_preferences",
    "wa_id",
    "iysRef",
    "reason",
];

const WORDS: [&str; 40] = [
    "unsubscribe",
    "email_unsubscribe",
    "sms_unsubscribe",
    "unsubscribed",
    "resubscribe",
    "group_unsubscribe",
    "spamreport",
    "bounce",
    "whatsapp_opt_out",
    "delivered",
    "loyalty_left",
    "RET",
    "ONAY",
    "EPOSTA",
    "MESAJ",
    "ARAMA",
    "TACIR",
    "HS_WEB",
    "HS_2015",
    "HS_KARAR",
    "email_optin",
    "city",
    "whatsapp",
    "sms",
    "true",
    "0",
    "stop",
    "secretperson@example.com",
    "secretperson@",
    "+905321234567",
    "0532 123 45 67",
    "905321234567",
    "2026-11-20 11:15:00",
    "2026-11-20T08:15:00Z",
    "9999-12-31T23:59:59Z",
    "1795162500000",
    "",
    "\u{0}\u{202e}gizlibilgi",
    "AAAAAAAAAAAAAAAAAAAAAA",
    "{{email}}",
];

/// The bytes, taken one by one; nothing but zeros once they are used up.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn next(&mut self) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default())
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | self.next() as u64)
    }
}

/// A body of these bytes.
pub(crate) fn body(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = Bytes(bytes.iter());
    let form = bytes.next();
    let mut elements = Vec::new();
    while elements.len() < 1 + form % 4 || (form >= 192 && !bytes.is_empty()) {
        elements.push(element(&mut bytes));
    }
    let value = if form % 4 == 0 { elements.swap_remove(0) } else { Value::Array(elements) };
    let mut text = value.to_string().into_bytes();
    match form % 16 {
        // What is cut off, goes on, or is no UTF-8.
        13 => text.truncate(text.len() * bytes.next() / 256),
        14 => text.extend_from_slice(b" {"),
        15 => {
            let at = bytes.next() % text.len();
            text[at] = 0xff;
        }
        _ => {}
    }
    text
}

fn element(bytes: &mut Bytes<'_>) -> Value {
    match bytes.next() % 16 {
        0 => value(bytes, 3),
        count @ 1..8 => object(bytes, count, 3),
        count => likely(bytes, count - 8),
    }
}

/// An element in which what belongs there mostly stands there, and some fields more.
fn likely(bytes: &mut Bytes<'_>, more: usize) -> Value {
    let pick = |bytes: &mut Bytes<'_>, from: &[&str]| from[bytes.next() % from.len()].to_owned();
    let mut fields = Map::new();
    let event = pick(bytes, &WORDS[..11]);
    let address = pick(bytes, &["email", "phone_number", "recipient", "attr_email", "x"]);
    let time = pick(bytes, &["timestamp", "consentDate", "x"]);
    match bytes.next() % 4 {
        0 => fields.insert("attribute".to_owned(), json!(pick(bytes, &["email_optin", "sms_optin", "c_call_optin", "city"]))),
        1 => fields.insert("status".to_owned(), json!(pick(bytes, &["RET", "ONAY"]))),
        2 => fields.insert("uniqueArgs".to_owned(), json!({ "iysRef": "AAAAAAAAAAAAAAAAAAAAAA" })),
        _ => fields.insert("source".to_owned(), json!(pick(bytes, &["HS_WEB", "HS_2015", "x"]))),
    };
    if fields.contains_key("attribute") {
        fields.insert("new_value".to_owned(), value(bytes, 0));
    } else {
        fields.insert("event".to_owned(), json!(event));
    }
    fields.insert("type".to_owned(), json!(pick(bytes, &["EPOSTA", "MESAJ", "ARAMA", "x"])));
    let who = if address.contains("phone") { "+905321234567" } else { "secretperson@example.com" };
    let place = pick(bytes, &["attrs", "event_parameters", "", "", "", ""]);
    if place.is_empty() {
        fields.insert(address, json!(who));
    } else {
        fields.insert(place, json!({ address: who }));
    }
    let moment = [json!(1_795_162_500), json!("2026-11-20T08:15:00Z"), json!("2026-11-20 11:15:00"), value(bytes, 1)];
    fields.insert(time, moment[bytes.next() % moment.len()].clone());
    if let Value::Object(others) = object(bytes, more, 2) {
        // What belongs there stays, mostly.
        let over = bytes.next().is_multiple_of(4);
        others.into_iter().for_each(|(key, value)| {
            if over || !fields.contains_key(&key) {
                fields.insert(key, value);
            }
        });
    }
    Value::Object(fields)
}

fn object(bytes: &mut Bytes<'_>, count: usize, depth: usize) -> Value {
    let fields = (0..count).map(|_| {
        let key = KEYS[bytes.next() % KEYS.len()].to_owned();
        (key, value(bytes, depth))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn value(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    match bytes.next() % 32 {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!(bytes.next()),
        4 => json!(bytes.number()),
        5 => json!(bytes.number().cast_signed()),
        6 => json!(f64::from_bits(bytes.number())),
        7 => json!(1_795_162_500_u64),
        8 => json!([58_954_386, 55_550_127]),
        9..=11 if depth > 0 => {
            let count = bytes.next() % 6;
            object(bytes, count, depth - 1)
        }
        12..=13 if depth > 0 => (0..bytes.next() % 4).map(|_| value(bytes, depth - 1)).collect(),
        _ => json!(WORDS[bytes.next() % WORDS.len()]),
    }
}
