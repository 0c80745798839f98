//! The daily job: what people changed at İYS during a day becomes one campaign per brand, and a pointer to it goes out.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Campaign, Outcome, Record, State, Verimor};
use crate::iys::model::{turkish, write_date};
use crate::iys::store::Change;

/// A movement that waits for the end of its day.
pub(super) struct Waiting {
    day: Date,
    change: Change,
}

impl Waiting {
    /// If a person made it.
    pub(super) fn of(change: Change) -> Option<Self> {
        let day = turkish(change.movement.creation).date();
        change.movement.by_recipient().then_some(Self { day, change })
    }

    fn record(&self) -> Record {
        let Change { key, movement, .. } = &self.change;
        let fields = Map::from_iter([
            ("type".to_owned(), json!(key.consent_type)),
            ("source".to_owned(), json!(movement.source.as_deref().unwrap_or_default())),
            ("recipient".to_owned(), json!(key.recipient)),
            ("status".to_owned(), json!(movement.status)),
            ("consentDate".to_owned(), movement.consent_date.map_or(Value::Null, |date| json!(write_date(date)))),
            ("recipientType".to_owned(), json!(key.recipient_type)),
        ]);
        Record { fields, outcome: Outcome::Recorded }
    }
}

/// The first day whose end has not come at `now`.
pub(super) fn running_day(now: Timestamp, after_seconds: u64) -> Date {
    turkish(now - SignedDuration::from_secs(i64::try_from(after_seconds).unwrap_or(0))).date()
}

/// Makes the campaigns of every day before `until`; returns their ids.
pub(super) fn close(verimor: &Verimor, state: &mut State, until: Date) -> Vec<u64> {
    if state.waiting.iter().all(|one| one.day >= until) {
        return Vec::new();
    }
    let (mut due, later): (Vec<Waiting>, Vec<Waiting>) = std::mem::take(&mut state.waiting).into_iter().partition(|one| one.day < until);
    state.waiting = later;
    let mut ids = Vec::new();
    while let Some((day, brand)) = due.iter().map(|one| (one.day, one.change.key.brand)).min() {
        let (together, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| one.day == day && one.change.key.brand == brand);
        due = others;
        let receivers: Vec<(String, String, Option<String>)> = state
            .accounts
            .iter()
            .filter_map(|account| {
                let header = account.headers.iter().find(|header| header.brand_code == Some(brand) && header.authorised)?;
                Some((account.username.clone(), header.name.clone(), account.push_url.clone()))
            })
            .collect();
        for (account, header, push_url) in receivers {
            let id = state.add(Campaign {
                account,
                header: header.clone(),
                iys_code: verimor.registry.owner_of(brand).unwrap_or(brand),
                brand,
                source: "iys",
                created: verimor.registry.now(),
                records: together.iter().map(Waiting::record).collect(),
                finished: true,
            });
            ids.push(id);
            if let Some(url) = push_url {
                verimor.callbacks.send(&url, json!({ "iys_campaign_id": id, "report_date": day, "source_addr": header }));
            }
        }
    }
    ids
}
