//! What is written down beside the movements: what has no effect, and what nobody mapped.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::Timestamp;
use shared::brand::Brand;
use shared::consent::{AsideReason, Movement};
use shared::door::Door;
use shared::evidence::Payload;
use shared::insider::webhook::{IntakeCounts, Kind};
use shared::ledger::UnknownKind;
use shared::problem::Problem;

use super::unavailable;

/// How many things are written at once.
const AT_ONCE: usize = 16;

/// Keeps what has no effect in the history.
pub(super) async fn keep(door: &Door, asides: Vec<(AsideReason, Movement)>, body: &[u8]) -> Result<(), Problem> {
    let payload = Some(Payload::of(body));
    let kept = futures::stream::iter(asides).map(|(why, aside)| async move { door.ledger.keep_aside(&aside, why, payload).await });
    let mut kept = kept.buffer_unordered(AT_ONCE);
    while let Some(kept) = kept.next().await {
        kept.map_err(|error| unavailable(&error, "an aside was not kept"))?;
    }
    Ok(())
}

/// Counts what nobody mapped. A count is worth less than the events: without it, they are taken all the
/// same.
pub(super) async fn unknown(
    door: &Door,
    brand: &Brand,
    counts: &IntakeCounts,
    mut samples: BTreeMap<(Kind, String), String>,
    now: Timestamp,
) {
    let mut names = Vec::new();
    for (kind, stored, counted) in
        [(Kind::Event, UnknownKind::Event, &counts.unknown), (Kind::Attribute, UnknownKind::Attribute, &counts.unknown_attributes)]
    {
        for (name, times) in counted {
            let sample = samples.remove(&(kind, name.clone()));
            names.push((stored, name.clone(), *times, sample));
        }
    }
    let noted = futures::stream::iter(names).map(|(kind, name, times, sample)| async move {
        door.ledger.note_unknown(&brand.name, kind, &name, times, sample.as_deref(), now).await
    });
    let mut noted = noted.buffer_unordered(AT_ONCE);
    while let Some(noted) = noted.next().await {
        if let Err(error) = noted {
            tracing::warn!(%error, "an unknown name was not counted");
        }
    }
}
