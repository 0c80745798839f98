//! Raw export v1: a segment's users as a file that is there some time after it was ordered.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::store::{Channel, Profile, Store};
use super::{Insider, KeyKind, is_json, unification};
use crate::outbound;
use crate::server::json as answer;

/// Where links of this simulator lead, before the partner.
const FOLDER: &str = "insider-data-export";

/// Who is in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Every user.
    Everybody,
    /// Whose e-mail address is on the global list.
    EmailUnsubscribed,
    /// Whose phone number is on the global list of SMS.
    SmsUnsubscribed,
}

/// Exports ordered so far.
#[derive(Default)]
pub(super) struct Exports {
    files: HashMap<String, File>,
    last: Option<Timestamp>,
}

struct File {
    ordered: Timestamp,
    segment: Segment,
    attributes: Vec<String>,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
    Json,
}

/// An order; what else it names is taken and not used.
#[derive(Deserialize)]
struct Order {
    segment: SegmentId,
    #[serde(default)]
    attributes: Vec<String>,
    format: Format,
    hook: String,
}

#[derive(Deserialize)]
struct SegmentId {
    segment_id: u64,
}

/// The partner in the path of a link.
pub(super) fn partner_of(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip(1);
    (parts.next() == Some(FOLDER)).then(|| parts.next()).flatten()
}

pub(super) fn routes() -> Router<Arc<Insider>> {
    Router::new().route("/api/raw/v1/export", post(order)).route("/insider-data-export/{partner}/p/{file}", get(file))
}

/// `POST /api/raw/v1/export`.
async fn order(State(insider): State<Arc<Insider>>, headers: HeaderMap, body: Bytes) -> Response {
    if !insider.opens(&headers, KeyKind::Ucd) {
        return insider.refuse(403, "unification_access_denied", &unification::access_denied());
    }
    let bad = |kind: &str, text: &str| insider.refuse(400, kind, &json!({ "error": text }));
    if !is_json(&headers) {
        return bad("unification_content_type", "content type must be application/json");
    }
    let Ok(order) = serde_json::from_slice::<Order>(&body) else {
        return bad("export_form", "request body is not valid: bad request");
    };
    let Some(segment) = insider.config.segments.get(&order.segment.segment_id).copied() else {
        return bad("export_segment", "no such segment: bad request");
    };
    if order.attributes.is_empty() {
        return bad("export_nothing", "attributes or events must be defined: bad request");
    }
    if order.hook.is_empty() || order.hook.contains("webhook.site") {
        return bad("export_hook", "hook is not valid: bad request");
    }
    let now = insider.now();
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let name = format!("{}.{}", uuid::Uuid::new_v4(), if order.format == Format::Csv { "csv" } else { "json" });
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let url = format!("http://{host}/{FOLDER}/{}/p/{name}", insider.config.partner);
    {
        let mut exports = insider.exports();
        // Only a taken order counts.
        if exports.last.is_some_and(|last| day(last) == day(now)) {
            drop(exports);
            return insider.refuse(429, "export", &unification::too_many());
        }
        exports.last = Some(now);
        exports.files.insert(name, File { ordered: now, segment, attributes: order.attributes, format: order.format });
    }
    let (hook, told) = (order.hook, json!({ "url": url }));
    let Ok(client) = outbound::client() else {
        return answer(500, &json!({ "success": false, "message": "unknown error." }));
    };
    let (stats, teller) = (Arc::clone(&insider.stats), Arc::clone(&insider));
    tokio::spawn(async move {
        // The delay goes by the injected clock, which may be moved at any time.
        while seconds(now, teller.now()) < teller.config.export_delay_seconds {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        stats.deliveries(|counts| counts.queued += 1);
        outbound::deliver(&stats, 1, &teller.config.webhook_retry_ms, || outbound::post(&client, &hook, &told)).await;
    });
    answer(200, &json!({ "url": url }))
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

/// `GET /insider-data-export/{partner}/p/{file}`: the users as they are now, within the link's life.
async fn file(State(insider): State<Arc<Insider>>, Path((partner, name)): Path<(String, String)>) -> Response {
    let exports = insider.exports();
    let age = |file: &File| seconds(file.ordered, insider.now());
    let Some(file) =
        exports.files.get(&name).filter(|file| partner == insider.config.partner && age(file) >= insider.config.export_delay_seconds)
    else {
        return answer(404, &json!({ "error": "no such file" }));
    };
    if age(file) >= insider.config.export_delay_seconds + insider.config.export_link_seconds {
        return answer(403, &json!({ "error": "the link has expired" }));
    }
    let store = insider.store();
    let users: Vec<_> = store.profiles().iter().filter(|profile| belongs(&store, profile, file.segment)).collect();
    match file.format {
        Format::Csv => ([(header::CONTENT_TYPE, "text/csv")], csv(&users, &file.attributes)).into_response(),
        Format::Json => answer(200, &Value::Array(users.iter().map(|profile| row(profile, &file.attributes)).map(Value::Object).collect())),
    }
}

fn belongs(store: &Store, profile: &Profile, segment: Segment) -> bool {
    let listed =
        |channel: Channel| profile.identifiers.get(channel.identifier()).is_some_and(|address| store.is_suppressed(channel, address));
    match segment {
        Segment::Everybody => true,
        Segment::EmailUnsubscribed => listed(Channel::Email),
        Segment::SmsUnsubscribed => listed(Channel::Sms),
    }
}

/// A user under Insider's internal names: `iid`, `a_email`, `a_c_<custom>`.
fn row(profile: &Profile, attributes: &[String]) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("iid".to_owned(), json!(profile.iid));
    for name in attributes {
        row.insert(format!("a_{name}"), unification::attribute(profile, name).unwrap_or(Value::Null));
    }
    row
}

fn csv(users: &[&Profile], attributes: &[String]) -> String {
    let mut text = String::from("iid");
    for name in attributes {
        text.push_str(&format!(",a_{name}"));
    }
    text.push('\n');
    for profile in users {
        let row = row(profile, attributes);
        text.push_str(&profile.iid);
        for name in attributes {
            text.push(',');
            match row.get(&format!("a_{name}")) {
                Some(Value::String(value)) if value.contains([',', '"', '\n']) => {
                    text.push_str(&format!("\"{}\"", value.replace('"', "\"\"")))
                }
                Some(Value::String(value)) => text.push_str(value),
                Some(Value::Null) | None => {}
                Some(other) => text.push_str(&other.to_string()),
            }
        }
        text.push('\n');
    }
    text
}
