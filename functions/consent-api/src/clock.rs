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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};
    use shared::consent::{ConsentKey, EventId, Head, Origin, RecipientType, Retailers, Source};
    use shared::ledger::{Bound, Deadlines};

    use super::*;

    fn waiting(slack: Slack, deadline: &str) -> Waiting {
        let at: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let key = ConsentKey {
            brand: "demo".parse().unwrap(),
            recipient_id: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            channel: Channel::Mesaj,
            recipient_type: RecipientType::Bireysel,
        };
        let head = Head {
            status: Status::Ret,
            source: Source::HsWeb,
            consent_date: "2026-11-23 12:00:00".parse().unwrap(),
            origin: Origin::Api,
            event_id: EventId::derive("api", ["a"]),
            received_at: at,
            retailers: Retailers::default(),
        };
        let sync = Sync::Held { why: Hold::Quota, since: at, due: at, code: Some("H525".into()) };
        Waiting { key, head, deadline: deadline.parse().unwrap(), slack, sync, since: at }
    }

    fn shown(by_slack: &[(Slack, u64)], waiting: Vec<Waiting>) -> Value {
        let first = waiting.iter().map(|waiting| Bound { key: waiting.key.clone(), deadline: waiting.deadline }).collect();
        let deadlines = Deadlines { first, by_slack: by_slack.iter().copied().collect(), truncated: false };
        let watch = Watch { at: "2026-11-26 12:00:01".parse().unwrap(), deadlines, waiting };
        serde_json::to_value(view(&watch)).unwrap()
    }

    #[test]
    fn what_is_urgent_is_told_with_its_reason_and_what_is_not_is_counted() {
        let movements = vec![waiting(Slack::Late, "2026-11-26 12:00:00"), waiting(Slack::Under3, "2026-11-30 12:00:00")];
        let told = shown(&[(Slack::Late, 4), (Slack::Under3, 9)], movements);
        assert_eq!(told["bySlack"], json!({ "late": 4, "under1": 0, "under2": 0, "under3": 9, "more": 0 }));
        assert_eq!((told["urgent"].as_array().unwrap().len(), &told["urgentMore"]), (1, &json!(3)));
        let first = &told["urgent"][0];
        assert_eq!(first, &told["first"]);
        assert_eq!(
            (&first["slackSeconds"], &first["slack"], &first["deadline"]),
            (&json!(-1), &json!("late"), &json!("2026-11-26 12:00:00"))
        );
        assert_eq!((&first["state"], &first["heldFor"], &first["code"]), (&json!("held"), &json!("quota"), &json!("H525")));
        assert!(first["cause"]["tr"].is_string() && first["remedy"]["en"].is_string());
        assert!(first.get("recipient").is_none(), "an id, and no address");
    }

    #[test]
    fn where_nothing_waits_there_is_no_first() {
        let told = shown(&[], Vec::new());
        assert_eq!((&told["first"], &told["urgent"], &told["urgentMore"]), (&Value::Null, &json!([]), &json!(0)));
    }
}
