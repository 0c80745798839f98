//! The deadline clock, as the status tells it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::consent::code::Hold;
use shared::consent::slack::Slack;
use shared::consent::{Channel, ConsentDate, RecipientId, RecipientType, Status, Sync, Target};
use shared::sync::deadlines::{Waiting, Watch};

use crate::reason::Reason;

/// Most movements that are told one by one.
pub(crate) const SHOWN: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClockView {
    /// The most urgent movement; null where nothing waits for İYS.
    first: Option<WaitingView>,
    /// How many movements have how many business days left.
    by_slack: BTreeMap<Slack, u64>,
    /// Whether there are more than could be counted; the least urgent are missing then.
    truncated: bool,
    /// What is late, or has waited for more than one business day: the most urgent.
    urgent: Vec<WaitingView>,
    /// How many more of them there are.
    urgent_more: u64,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitingView {
    recipient_id: RecipientId,
    #[serde(rename = "type")]
    channel: Channel,
    recipient_type: RecipientType,
    status: Status,
    consent_date: ConsentDate,
    deadline: ConsentDate,
    /// Seconds until then; negative when it has passed.
    slack_seconds: i64,
    slack: Slack,
    /// When the ledger heard of it.
    waits_since: Timestamp,
    state: &'static str,
    /// Since when it is in that state.
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_for: Option<Hold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<String>,
    /// How often the sweep has queued it again.
    tries: u16,
    /// When it is looked after again, at the latest.
    next_look: Option<Timestamp>,
    #[serde(flatten)]
    reason: Option<Reason>,
}

pub(crate) fn view(watch: &Watch) -> ClockView {
    let shown: Vec<_> = watch.waiting.iter().map(|waiting| waiting_view(waiting, watch.at)).collect();
    let urgent: Vec<_> = shown.iter().filter(|waiting| waiting.slack.is_warned_of()).cloned().collect();
    let told = u64::try_from(urgent.len()).unwrap_or(u64::MAX);
    ClockView {
        first: shown.into_iter().next(),
        by_slack: Slack::ALL.iter().map(|slack| (*slack, watch.deadlines.by_slack.get(slack).copied().unwrap_or_default())).collect(),
        truncated: watch.deadlines.truncated,
        urgent_more: watch.over_one_day().saturating_sub(told),
        urgent,
    }
}

fn waiting_view(waiting: &Waiting, at: ConsentDate) -> WaitingView {
    let Waiting { key, head, deadline, slack, sync, since } = waiting;
    WaitingView {
        recipient_id: key.recipient_id.clone(),
        channel: key.channel,
        recipient_type: key.recipient_type,
        status: head.status,
        consent_date: head.consent_date,
        deadline: *deadline,
        slack_seconds: deadline.seconds_since(at),
        slack: *slack,
        waits_since: head.received_at,
        state: sync.as_str(),
        since: *since,
        held_for: sync.held_for(),
        submission: match sync {
            Sync::Submitted { submission, .. } => Some(submission.clone()),
            _ => None,
        },
        tries: sync.sweeps(),
        next_look: sync.due(),
        reason: Reason::of(Target::Registry, sync),
    }
}
