//! `GET /v1/{brand}/status`: what waits, since when, and how much time is left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::ConsentDate;
use shared::door::Door;
use shared::iys::AllowanceUse;
use shared::problem::{self, Problem};
use shared::sync::pull::{FEEDS, feed_name};

use crate::standing::{self, StandingView};
use crate::unavailable;

/// Most index pages (1 MB each) that are counted per shard.
const PAGES: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    brand: String,
    at: Timestamp,
    /// Keys by sync state; what is settled is not counted.
    iys: BTreeMap<String, u64>,
    insider: BTreeMap<String, u64>,
    /// Whether there was more than could be counted.
    truncated: bool,
    /// When the longest waiting work falls, or fell, to the sweep.
    oldest_due: Option<Timestamp>,
    /// The earliest deadline of what waits for İYS, Turkish time.
    first_deadline: Option<ConsentDate>,
    /// Seconds until then; negative when it has passed.
    deadline_slack_seconds: Option<i64>,
    /// When each of İYS's feeds was last read to its end.
    last_pull: BTreeMap<&'static str, Option<Timestamp>>,
    /// What the brand may do at İYS, and whether İYS takes anything of it.
    standing: StandingView,
    /// How much of İYS's allowances is used, and how İYS took the calls.
    budget: AllowanceUse,
    /// Names of Insider's events that nobody mapped, and how often they came.
    unknown_events: BTreeMap<String, u64>,
}

pub(crate) async fn handle(door: &Door, brand: &Brand) -> Result<Response<Body>, Problem> {
    let now = (door.clock)();
    let backlog = door.ledger.backlog(&brand.name, PAGES).await.map_err(unavailable)?;
    let mut last_pull = BTreeMap::new();
    for feed in FEEDS {
        let trail = door.ledger.trail(&brand.name, feed_name(feed)).await.map_err(unavailable)?;
        last_pull.insert(feed_name(feed), trail.read_at);
    }
    let budget = AllowanceUse::read(&door.ledger, &door.limits, now).await.map_err(unavailable)?;
    let standing = door.ledger.standing(&brand.name).await.map_err(unavailable)?;
    let unknown_events = door.ledger.unknown_events(&brand.name).await.map_err(unavailable)?;
    let status = Status {
        brand: brand.name.to_string(),
        at: now,
        iys: backlog.registry,
        insider: backlog.insider,
        truncated: backlog.truncated,
        oldest_due: backlog.oldest_due,
        first_deadline: backlog.first_deadline,
        deadline_slack_seconds: backlog.first_deadline.map(|deadline| deadline.seconds_since(ConsentDate::at(now))),
        last_pull,
        standing: standing::view(brand, standing),
        budget,
        unknown_events,
    };
    Ok(problem::json(StatusCode::OK, &status))
}
