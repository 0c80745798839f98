//! Netgsm's callback: one object for each permission or change of one, whatever the road, and for each record that
//! was handed in. All keys are in small letters; numbers come as numbers or as text.

use serde::Deserialize;

use super::super::fields::{Fields, leading_code};
use super::super::notice::{Notice, NoticeError, Outcome};
use crate::brand::{Brand, Netgsm};
use crate::consent::code;
use crate::registry::Verdict;

/// One object or a list of them: users have seen the one and provide for the other.
#[derive(Deserialize)]
#[serde(untagged)]
enum Posted {
    Several(Vec<Fields>),
    One(Fields),
}

/// Reads a callback's body.
pub(in super::super) fn read(body: &[u8], brand: &Brand, settings: &Netgsm) -> Result<Vec<Notice>, NoticeError> {
    let posted: Posted = serde_json::from_slice(body).map_err(|_| NoticeError::Form)?;
    let rows = match posted {
        Posted::Several(rows) => rows,
        Posted::One(row) => vec![row],
    };
    Ok(rows.iter().flat_map(|row| of(row, brand, settings)).collect())
}

fn of(row: &Fields, brand: &Brand, settings: &Netgsm) -> Vec<Notice> {
    if row.get::<u64>("brandcode") != Some(brand.iys.brand_code) {
        return vec![Notice::OfAnother];
    }
    let change = match row.change() {
        Ok(change) => change,
        Err(field) => return vec![Notice::Unreadable(field)],
    };
    let has_failed = match row.text("resultstatus") {
        Some(word) if word.eq_ignore_ascii_case("success") => false,
        Some(word) if word.eq_ignore_ascii_case("failure") => true,
        // A change that somebody else made has nothing to say of a result.
        None => false,
        Some(_) => return vec![Notice::Unreadable("resultstatus")],
    };
    let Some(consent_date) = change.holding.consent_date else { return vec![Notice::Unreadable("consentdate")] };
    let verdict = if has_failed {
        Verdict::Refused(row.text("errcode").and_then(leading_code).unwrap_or(code::NETGSM_FAILED))
    } else {
        Verdict::Recorded { transaction_id: None }
    };
    // What people did at İYS is nobody's upload.
    let is_upload = change.holding.source.is_sendable();
    let outcome = Notice::Outcome(Outcome {
        recipient: change.recipient.clone(),
        recipient_type: change.recipient_type,
        channel: change.channel,
        status: change.holding.status,
        consent_date,
        reference: row.text("submitid").filter(|_| settings.callbacks_name_the_list).map(str::to_owned),
        verdict,
    });
    match (is_upload, has_failed) {
        (true, true) => vec![outcome],
        // The brand's own record, or one of its other roads: the ledger knows which.
        (true, false) => vec![outcome, Notice::Change(change)],
        (false, false) => vec![Notice::Change(change)],
        (false, true) => vec![Notice::Unreadable("resultstatus")],
    }
}
