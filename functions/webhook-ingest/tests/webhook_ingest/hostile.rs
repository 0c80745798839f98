//! No body breaks the parser or the handler: nothing panics, nothing is answered as our own failure, and
//! nothing that may be personal shows in an answer or a log.
//!
//! The targets run over the committed bodies in `__fuzz__` and over made ones, as plain tests. The same
//! targets can be fuzzed: `cargo bolero test -p webhook-ingest --test webhook_ingest hostile::…`.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bolero::check;
use jiff::Timestamp;
use serde_json::json;
use shared::brand::Brand;
use shared::insider::webhook::{self, Intake};
use tokio::runtime::Runtime;

use crate::desk::{Desk, PROOF};
use crate::maker::{self, SECRETS};

/// Everything that was logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn taken(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))).into_owned()
    }
}

struct Place {
    runtime: Runtime,
    desk: Desk,
    log: Log,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    // Another test of this process may have installed one; then there is nothing to look into.
    let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(move || writer.clone()).try_init();
    let runtime = Runtime::new().unwrap();
    let desk = runtime.block_on(Desk::new(generous()));
    Place { runtime, desk, log }
});

/// Settings by which as much as possible means something.
fn generous() -> serde_json::Value {
    json!({
        "meanings": {"groupUnsubscribe": "aside", "spamComplaint": "ret", "bounce": "aside", "whatsappOptOut": "ret"},
        "onaySources": {"EPOSTA": "HS_WEB", "MESAJ": "HS_MESAJ"}, "undatedOnay": "receipt",
        "attributes": {"email_optin": {"type": "EPOSTA", "onaySource": "HS_WEB"}, "sms_optin": {"type": "MESAJ"},
                       "call_optin": {"type": "ARAMA", "onaySource": "HS_CAGRI_MERKEZI", "retValues": ["stop"]}},
        "bodyFields": {"places": ["custom"], "newValue": ["status"]},
    })
}

static BRAND: LazyLock<Brand> = LazyLock::new(|| {
    let mut document: serde_json::Value = serde_json::from_str(include_str!("../../../../infra/local/brands/demo.json")).unwrap();
    document["insider"].as_object_mut().unwrap().extend(generous().as_object().unwrap().clone());
    Brand::read(&document.to_string()).unwrap()
});

fn must_show_nothing(what: &str, shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{what} shows {secret}: {shown}");
    }
}

fn parse(body: &[u8]) {
    let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
    let Ok(mut intake) = webhook::read(body, &BRAND, now) else { return };
    intake.resolve(&BRAND, now, &std::collections::HashMap::new());
    let Intake { counts, movements, referred, .. } = &intake;
    let unknown = counts.unknown.values().chain(counts.unknown_attributes.values()).sum::<u32>();
    let kept_aside = counts.group + counts.aside + counts.onay_without_source + counts.onay_without_date;
    let told = counts.taken + counts.no_meaning + kept_aside + unknown + counts.no_recipient;
    assert_eq!(counts.received as usize, told as usize + counts.invalid.len());
    assert!(referred.is_empty());
    for movement in movements {
        assert!(movement.recipient.fits(movement.key.channel) && movement.head.source.is_sendable());
        assert!(movement.head.consent_date <= shared::consent::ConsentDate::at(now));
    }
    must_show_nothing("the reading", &format!("{intake:?}"));
}

fn handle(body: &[u8]) {
    let Place { runtime, desk, log } = &*PLACE;
    let answer = runtime.block_on(desk.post("/v1/demo/insider/events", &[PROOF], body.to_vec()));
    assert!(matches!(answer.status, 200 | 400 | 413 | 422), "{answer:?}");
    must_show_nothing("the answer", &answer.text);
    // Without the proof nothing is even read.
    let refused = runtime.block_on(desk.post("/v1/demo/insider/events", &[("x-insider-secret", "x")], body.to_vec()));
    assert!(matches!(refused.status, 401 | 413), "{refused:?}");
    must_show_nothing("the log", &log.taken());
}

#[test]
fn every_recorded_form_of_a_body_passes_cut_off_anywhere() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/tests/fixtures/insider");
    let mut taken = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let body = std::fs::read(path).unwrap();
            handle(&body);
            (0..body.len()).for_each(|end| parse(&body[..end]));
            taken += 1;
        }
    }
    assert!(taken > 40, "{taken}");
}

#[test]
fn the_made_bodies_reach_every_ending() {
    let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
    let mut sums = std::collections::BTreeMap::<&str, usize>::new();
    let mut state = 6563_u64;
    for _ in 0..4_000 {
        // A plain generator: what matters is that the sums below never become nothing.
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(200)
        .collect();
        let Ok(intake) = webhook::read(&maker::body(&bytes), &BRAND, now) else {
            *sums.entry("refused").or_default() += 1;
            continue;
        };
        let counts = intake.counts;
        for (name, count) in [
            ("taken", counts.taken as usize),
            ("aside", intake.asides.len()),
            ("unknown", counts.unknown.len()),
            ("unknown attribute", counts.unknown_attributes.len()),
            ("invalid", counts.invalid.len()),
            ("nobody", counts.no_recipient as usize),
            ("referred", intake.referred.len()),
            ("undated", intake.undated.len()),
        ] {
            *sums.entry(name).or_default() += count;
        }
    }
    assert!(sums.len() == 9 && sums.values().all(|sum| *sum > 0), "{sums:?}");
}

#[test]
fn any_bytes_are_parsed_or_refused() {
    check!().with_iterations(2_000).for_each(|bytes: &[u8]| parse(bytes));
}

#[test]
fn any_likely_body_is_parsed_and_accounted_for() {
    check!().with_iterations(4_000).with_type::<Vec<u8>>().for_each(|bytes| parse(&maker::body(bytes)));
}

#[test]
fn invariant_10_no_bytes_break_the_handler_or_show_in_an_answer_or_log() {
    check!().with_iterations(50).for_each(|bytes: &[u8]| handle(bytes));
}

#[test]
fn invariant_10_no_likely_body_breaks_the_handler_or_shows_in_an_answer_or_log() {
    check!().with_iterations(400).with_type::<Vec<u8>>().for_each(|bytes| handle(&maker::body(bytes)));
}
