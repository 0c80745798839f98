//! What a brand's status tells of its exports from Insider.

use jiff::Timestamp;
use serde::Serialize;
use shared::sync::insider_export::{ExportLog, Finished, Stage, Trouble};

/// How far the newest export is, and what the last one showed. The link to its file is nobody's business.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportView {
    stage: Stage,
    ordered_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    rows: u64,
    trouble: Option<Trouble>,
    last: Option<Finished>,
}

impl From<ExportLog> for ExportView {
    fn from(log: ExportLog) -> Self {
        let ExportLog { stage, ordered_at, told_at, row, trouble, last, .. } = log;
        Self { stage, ordered_at, told_at, rows: row, trouble, last }
    }
}
