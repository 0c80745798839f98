//! The memory that comparing an export takes does not grow with it. In a process of its own: the peak is the
//! process's, as Linux counts it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

#[path = "harness/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod harness;
#[path = "harness/sqs.rs"]
mod sqs;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::brand::{Brand, Export, ExportFormat, FlagOff};
use shared::clock;
use shared::insider::{self, Throttle};
use shared::intake::Intake;
use shared::queue::Queues;
use shared::sync::insider_export::{ExportLog, InsiderExport, Outcome};
use url::Url;

/// Rows of one piece of the file.
const PIECE: usize = 200;
/// What a row has beside address and flag, so that a file that is held somewhere shows.
const WIDTH: usize = 1_000;

struct Unlimited;

#[async_trait]
impl Throttle for Unlimited {
    async fn slot(&self, _: &str, _: u32) -> Result<(), Timestamp> {
        Ok(())
    }
}

/// An Insider whose export has so many profiles, made as they are sent.
async fn insider(profiles: usize) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let link = json!({ "url": format!("{url}insider-data-export/demo/p/file.csv") }).to_string();
    let file = move || async move {
        let piece = move |at: usize| {
            let row = |number| format!("{},kisi{number}@example.com,true\n", "x".repeat(WIDTH));
            let rows: String = (at * PIECE..(at + 1) * PIECE).map(row).collect();
            Ok::<_, std::convert::Infallible>(if at == 0 { format!("iid,a_email,a_email_optin\n{rows}") } else { rows })
        };
        Body::from_stream(stream::iter((0..profiles / PIECE).map(piece)))
    };
    let router = Router::new()
        .route("/api/raw/v1/export", post(move || async move { ([("content-type", "application/json")], link) }))
        .route("/insider-data-export/demo/p/file.csv", get(file));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A line of the process's own account, in kilobytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Compares an export of so many profiles, none of which the ledger knows; by how many kilobytes the process
/// grew at most.
async fn compared(profiles: usize) -> u64 {
    let url = insider(profiles).await;
    let mut brand = Brand::read(include_str!("../../infra/local/brands/demo.json")).unwrap();
    brand.insider.outbound.export = Some(Export {
        segment_id: 1,
        hook: "https://izin.example.com/".into(),
        format: ExportFormat::Csv,
        flag_off: FlagOff::Report,
        suspicious_percent: 1,
        lag_minutes: 180,
    });
    let mut settings = insider::Settings::new(url.clone(), url.clone());
    settings.export_url = url.join("insider-data-export").unwrap();
    let clock = clock::system();
    let client =
        insider::Client::new(insider::Connection::new(settings, clock.clone()), Arc::new(brand.insider.clone()), Arc::new(Unlimited));
    let ledger = harness::ledger().await;
    let (sqs, push, relay) = sqs::queues(|config| config).await;
    let grace = SignedDuration::from_mins(15);
    let intake = Intake::new(ledger.clone(), Queues::new(sqs, push, relay), grace);
    let stop_at = Timestamp::MAX;
    let export =
        InsiderExport { ledger: &ledger, intake: &intake, brand: &brand, insider: &client, clock: &clock, grace, stop_at, by_hand: true };
    // Forgets the peak so far (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let ran = export.run().await.unwrap().unwrap();
    let grown = memory("VmHWM:").saturating_sub(before);
    assert_eq!((ran.rows, ran.ended), (profiles as u64, Some(Outcome::Agreed)));
    let counts = ExportLog::read(&ledger, &brand.name).await.unwrap().last.unwrap().counts;
    assert_eq!((counts.profiles, counts.unknown), (profiles as u64, profiles as u64));
    grown
}

async fn grows_by_no_more_than_a_buffer(profiles: usize) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let few = compared(2_000).await;
    let many = compared(profiles).await;
    // The file itself has a megabyte for every thousand.
    assert!(many < few + 12_000, "{few} kB, {many} kB");
}

#[tokio::test]
async fn comparing_twenty_times_as_many_profiles_takes_no_more_memory() {
    grows_by_no_more_than_a_buffer(40_000).await;
}

#[tokio::test]
#[ignore = "takes minutes; the short one tells the same"]
async fn comparing_three_hundred_thousand_profiles_takes_no_more_memory() {
    grows_by_no_more_than_a_buffer(300_000).await;
}
