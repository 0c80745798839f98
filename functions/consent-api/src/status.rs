//! `GET /v1/{brand}/status`: what waits, since when, and how much time is left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;
use serde_json::Value;
use shared::brand::Brand;
use shared::consent::ConsentDate;
use shared::consent::check::CheckEvery;
use shared::door::Door;
use shared::integrators::{RegistryView, capabilities};
use shared::iys::AllowanceUse;
use shared::ledger::{CheckClass, LedgerError, UnknownKind, UnknownName, Verification};
use shared::problem::{self, Problem};
use shared::sync::deadlines::Watch;
use shared::sync::insider_export::ExportLog;
use shared::sync::pull::{FEEDS, feed_name, trail_name};
use shared::sync::verify;

use crate::clock::{self, ClockView, SHOWN};
use crate::day_files_view::{self, DayFileView};
use crate::export_view::ExportView;
use crate::standing::{self, StandingView};
use crate::unavailable;

/// Most index pages (two thousand keys each) that are counted per shard.
const PAGES: usize = 70;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    brand: String,
    at: Timestamp,
    /// By whom the brand reaches İYS, and what cannot be known by that road.
    registry: RegistryView,
    /// Keys by sync state; what is settled is not counted.
    iys: BTreeMap<String, u64>,
    insider: BTreeMap<String, u64>,
    /// Whether there was more than could be counted.
    truncated: bool,
    /// What held keys wait for, by target.
    held: HeldView,
    /// When the longest waiting work falls, or fell, to the sweep.
    oldest_due: Option<Timestamp>,
    /// The earliest deadline of what waits for İYS, Turkish time.
    first_deadline: Option<ConsentDate>,
    /// Seconds until then; negative when it has passed.
    deadline_slack_seconds: Option<i64>,
    /// What is bound for İYS, by the time that is left.
    clock: ClockView,
    /// When each of İYS's feeds was last read to its end.
    last_pull: BTreeMap<&'static str, Option<Timestamp>>,
    /// How the ledger was compared with İYS.
    verification: VerificationView,
    /// İYS's files of the last days, compared with the ledger, where the brand uses mutabakat.
    #[serde(skip_serializing_if = "Option::is_none")]
    day_files: Option<Vec<DayFileView>>,
    /// What the brand may do at İYS, and whether İYS takes anything of it.
    standing: StandingView,
    /// How much of İYS's allowances is used, and how İYS took the calls.
    budget: AllowanceUse,
    /// The exports from Insider, where the brand sets them up.
    #[serde(skip_serializing_if = "Option::is_none")]
    insider_export: Option<ExportView>,
    /// Names of Insider's events that nobody mapped, and how often they came.
    unknown_events: BTreeMap<String, u64>,
    /// Names of attributes that changed at Insider and that nobody mapped, likewise.
    unknown_attributes: BTreeMap<String, u64>,
    /// When each of these names came last, and the form of the first body that had it.
    unknown_samples: Samples,
}

#[derive(Serialize)]
struct HeldView {
    iys: BTreeMap<String, u64>,
    insider: BTreeMap<String, u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerificationView {
    /// Within how many days every key is compared.
    every_days: u8,
    /// Keys that were not compared in that time, or not within two days of a change.
    late: u64,
    /// Keys that were found to differ, and that İYS has still to be asked about one by one.
    waiting: u64,
    #[serde(flatten)]
    so_far: Verification,
}

#[derive(Serialize)]
struct Samples {
    events: BTreeMap<String, Sample>,
    attributes: BTreeMap<String, Sample>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    last_seen: Option<Timestamp>,
    /// Names of fields and kinds of values; no value.
    form: Option<Value>,
}

impl Sample {
    fn all_of(names: BTreeMap<String, UnknownName>) -> BTreeMap<String, Self> {
        let of =
            |name: UnknownName| Self { last_seen: name.last_seen, form: name.sample.and_then(|text| serde_json::from_str(&text).ok()) };
        names.into_iter().map(|(name, known)| (name, of(known))).collect()
    }
}

fn counts(names: &BTreeMap<String, UnknownName>) -> BTreeMap<String, u64> {
    names.iter().map(|(name, known)| (name.clone(), known.times)).collect()
}

pub(crate) async fn handle(door: &Door, brand: &Brand) -> Result<Response<Body>, Problem> {
    let now = (door.clock)();
    let backlog = door.ledger.backlog(&brand.name, PAGES).await.map_err(unavailable)?;
    let watch = Watch::read(&door.ledger, &brand.name, now, SHOWN).await.map_err(unavailable)?;
    let mut last_pull = BTreeMap::new();
    for feed in FEEDS {
        let trail = door.ledger.trail(&brand.name, &trail_name(brand, feed)).await.map_err(unavailable)?;
        last_pull.insert(feed_name(feed), trail.read_at);
    }
    let budget = AllowanceUse::read(&door.ledger, &door.limits, now).await.map_err(unavailable)?;
    let standing = door.ledger.standing(&brand.name).await.map_err(unavailable)?;
    let insider_export = match &brand.insider.outbound.export {
        Some(_) => Some(ExportLog::read(&door.ledger, &brand.name).await.map_err(unavailable)?.into()),
        None => None,
    };
    let day_files = match brand.iys.mutabakat {
        true => Some(day_files_view::last(door.ledger.day_files(&brand.name).await.map_err(unavailable)?)),
        false => None,
    };
    let verification = verification(door, brand, now).await.map_err(unavailable)?;
    let events = door.ledger.unknown_names(&brand.name, UnknownKind::Event).await.map_err(unavailable)?;
    let attributes = door.ledger.unknown_names(&brand.name, UnknownKind::Attribute).await.map_err(unavailable)?;
    let status = Status {
        brand: brand.name.to_string(),
        at: now,
        registry: RegistryView::of(brand),
        iys: backlog.registry,
        insider: backlog.insider,
        truncated: backlog.truncated,
        oldest_due: backlog.oldest_due,
        held: HeldView { iys: backlog.registry_held, insider: backlog.insider_held },
        first_deadline: watch.deadlines.first.first().map(|bound| bound.deadline),
        deadline_slack_seconds: watch.slack_seconds(),
        clock: clock::view(&watch),
        last_pull,
        verification,
        day_files,
        standing: standing::view(brand, standing),
        budget,
        insider_export,
        unknown_events: counts(&events),
        unknown_attributes: counts(&attributes),
        unknown_samples: Samples { events: Sample::all_of(events), attributes: Sample::all_of(attributes) },
    };
    Ok(problem::json(StatusCode::OK, &status))
}

async fn verification(door: &Door, brand: &Brand, now: Timestamp) -> Result<VerificationView, LedgerError> {
    let every = CheckEvery(brand.iys.verify_days);
    let late = verify::late(&door.ledger, brand, &capabilities(&brand.registry), now).await?;
    let waiting = door.ledger.count_checks(&brand.name, CheckClass::Differing, now).await?;
    let so_far = door.ledger.verification(&brand.name).await?;
    Ok(VerificationView { every_days: every.0.get(), late, waiting, so_far })
}
