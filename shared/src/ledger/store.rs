//! States and history: recording movements, reading them back, and taking targets' answers.

use std::pin::pin;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use futures::StreamExt;
use jiff::Timestamp;

use super::item::{self, Ending, Entry, Item, MovementItem, StateItem};
use super::{Ledger, LedgerError, control, evidence};
use crate::consent::{
    Answer, AsideReason, BrandName, ConsentKey, ConsentState, EventId, Known, Merge, Movement, RecipientId, Sent, Sync, Target,
};
use crate::evidence::{Payload, Seed};

/// How often a write is tried again over somebody else's.
pub(super) const WRITE_TRIES: usize = 24;

/// What recording a movement did.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it did to the state.
    pub merge: Merge,
    /// Whether the history had not seen the event before.
    pub is_new: bool,
    /// The state now.
    pub state: ConsentState,
}

/// Everything the ledger holds about one address.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// The states, by channel and recipient type.
    pub states: Vec<ConsentState>,
    /// The movements, oldest first.
    pub history: Vec<Entry>,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

impl Ledger {
    /// Records a movement: durable once this returns. Repeating it is safe at any point. Work that it
    /// opens falls to the sweep at `due`, should no queue message carry it before.
    pub async fn record(&self, movement: &Movement, now: Timestamp, due: Timestamp) -> Result<Recorded, LedgerError> {
        self.record_from(movement, None, now, due).await
    }

    /// The same for a movement that was made from something that came in.
    pub async fn record_from(
        &self,
        movement: &Movement,
        payload: Option<Payload>,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        // An event that the history has already counts as it was first told: told again without a
        // date, it would otherwise carry a later one.
        let told_before = self.put_new(MovementItem::of(movement), payload).await?;
        let is_new = told_before.is_none();
        let movement = told_before.as_ref().unwrap_or(movement);
        for attempt in 0..WRITE_TRIES {
            let before = self.state(&movement.key).await?;
            let (mut state, merge, changed) = match before {
                None => (ConsentState::first(movement, now, due), Merge::Advanced, true),
                Some(before) => {
                    let mut state = before.clone();
                    let merge = state.apply(movement, now, due);
                    if state.head.event_id != before.head.event_id {
                        self.note_endings(&before).await?;
                    }
                    let changed = state != before;
                    (state, merge, changed)
                }
            };
            if !changed || self.put_state(&mut state).await? {
                return Ok(Recorded { merge, is_new, state });
            }
            back_off(attempt).await;
        }
        Err(LedgerError::Contention)
    }

    /// Keeps something in an address's history that has no effect on any state. Repeating it is safe.
    pub async fn keep_aside(&self, aside: &Movement, why: AsideReason, payload: Option<Payload>) -> Result<(), LedgerError> {
        self.put_new(MovementItem::aside(aside, why), payload).await.map(|_| ())
    }

    /// Takes a target's answer for the state that `sent` names.
    ///
    /// How the head of a state ended stands in the state itself; it goes into the history when another
    /// movement takes its place, or here, when that has happened already.
    pub async fn answered(
        &self,
        key: &ConsentKey,
        target: Target,
        sent: &Sent,
        answer: Answer,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<ConsentState, LedgerError> {
        self.answered_from(None, key, target, sent, answer, now, due).await
    }

    /// The same for a state that was read a moment ago: it is read again only if another has taken its
    /// place since.
    pub async fn answered_as_read(
        &self,
        read: &ConsentState,
        target: Target,
        sent: &Sent,
        answer: Answer,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<ConsentState, LedgerError> {
        self.answered_from(Some(read), &read.key, target, sent, answer, now, due).await
    }

    #[expect(clippy::too_many_arguments, reason = "those of the two callers, one of which has read the state")]
    async fn answered_from(
        &self,
        mut read: Option<&ConsentState>,
        key: &ConsentKey,
        target: Target,
        sent: &Sent,
        answer: Answer,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<ConsentState, LedgerError> {
        for attempt in 0..WRITE_TRIES {
            let as_read = read.take();
            let before = match as_read {
                Some(read) => read.clone(),
                None => self.worked_on(key).await?,
            };
            if before.head.event_id != sent.event_id
                && let Some(ending) = Ending::of_answer(&answer, now)
            {
                self.note(key, &sent.event_id, &[(target, ending)]).await?;
            }
            let mut state = before.clone();
            state.answered(target, sent, answer.clone(), now, due);
            // What was read earlier shows no more than that there is something to write.
            let unchanged = state == before;
            if (unchanged && as_read.is_none()) || (!unchanged && self.put_state(&mut state).await?) {
                return Ok(state);
            }
            if as_read.is_none() {
                back_off(attempt).await;
            }
        }
        Err(LedgerError::Contention)
    }

    /// Notes what the registry said it holds when it was asked about a state that was read before, and what
    /// that answers. `None` when another worker has written since: which came first is not known then, and
    /// nothing is noted.
    pub async fn learn(
        &self,
        read: &ConsentState,
        known: Option<Known>,
        answer: Option<Answer>,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Option<ConsentState>, LedgerError> {
        self.change_as_read(read, |state| state.learn(known, answer, now, due)).await
    }

    /// Changes a state as it was read. `None` when another worker has written it since: then nothing is written.
    pub(super) async fn change_as_read(
        &self,
        read: &ConsentState,
        change: impl FnOnce(&mut ConsentState),
    ) -> Result<Option<ConsentState>, LedgerError> {
        let mut state = read.clone();
        change(&mut state);
        let stands = state == *read || self.put_state(&mut state).await?;
        Ok(stands.then_some(state))
    }

    /// Notes that a request to Insider was not answered: it may land there until `until`.
    pub async fn doubted(&self, key: &ConsentKey, until: Timestamp) -> Result<ConsentState, LedgerError> {
        self.change(key, |state| state.doubted(until)).await
    }

    /// Has Insider told again of a state that somebody is about to change there, see
    /// [`ConsentState::disturbed_at_insider`].
    pub async fn disturbed_at_insider(&self, key: &ConsentKey, due: Timestamp, until: Timestamp) -> Result<ConsentState, LedgerError> {
        self.change(key, |state| state.disturbed_at_insider(due, until)).await
    }

    /// Has Insider told again of a state that it contradicts, see [`ConsentState::contradicted_at_insider`].
    /// `None` when there is nothing to open, or another worker has written since the state was read: then
    /// what was compared with it is out of date.
    pub async fn contradicted_at_insider(&self, read: &ConsentState, due: Timestamp) -> Result<Option<ConsentState>, LedgerError> {
        let mut state = read.clone();
        state.contradicted_at_insider(due);
        let opened = state.insider != read.insider && self.put_state(&mut state).await?;
        Ok(opened.then_some(state))
    }

    /// Re-opens a target's work for another round: due again at `due`.
    pub async fn requeued(&self, key: &ConsentKey, targets: &[Target], due: Timestamp) -> Result<ConsentState, LedgerError> {
        self.change(key, |state| {
            for target in targets {
                // Due at that very moment already: a write of ours whose answer was lost, no second round.
                if !matches!(state.sync(*target), Sync::Pending { due: at, .. } if *at == due) {
                    state.requeued(*target, due);
                }
            }
        })
        .await
    }

    /// Marks a state, as it was read, as part of a bulk submission; the sweep looks after it at `due`. What
    /// has changed in the meantime is left alone and returned as it is: another worker may have handed it
    /// in.
    pub async fn submitted(&self, read: &ConsentState, submission: &str, due: Timestamp) -> Result<ConsentState, LedgerError> {
        let mut before = read.clone();
        for attempt in 0..WRITE_TRIES {
            let mut state = before.clone();
            let answer = Answer::Submitted { submission: submission.to_owned(), due };
            state.answered(Target::Registry, &read.head.sent(), answer, due, due);
            if state == before || self.put_state(&mut state).await? {
                return Ok(state);
            }
            let now = self.worked_on(&read.key).await?;
            if now.head != read.head || now.registry != read.registry {
                return Ok(now);
            }
            before = now;
            back_off(attempt).await;
        }
        Err(LedgerError::Contention)
    }

    /// Takes a key's work at the registry back from a submission, see [`ConsentState::released`].
    pub async fn released(&self, key: &ConsentKey, from: &str, forgotten: bool, due: Timestamp) -> Result<ConsentState, LedgerError> {
        self.change(key, |state| state.released(from, forgotten, due)).await
    }

    /// Has the sweep come back at `due` to work that is part of a submission still.
    pub async fn still_submitted(&self, key: &ConsentKey, to: &str, due: Timestamp) -> Result<ConsentState, LedgerError> {
        self.change(key, |state| state.still_submitted(to, due)).await
    }

    /// The state of a key.
    pub async fn state(&self, key: &ConsentKey) -> Result<Option<ConsentState>, LedgerError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", text(item::partition(&key.brand, &key.recipient_id)))
            .key("SK", text(item::state_sort(key.channel, key.recipient_type)))
            .consistent_read(true)
            .send()
            .await
            .map_err(LedgerError::store("GetItem"))?;
        answer.item.map(StateItem::read).transpose()
    }

    /// The states of many keys, in no order; keys without a state are left out.
    pub async fn states(&self, keys: &[ConsentKey]) -> Result<Vec<ConsentState>, LedgerError> {
        let mut wanted: Vec<_> = keys.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let keys = wanted
            .iter()
            .map(|key| control::key(&item::partition(&key.brand, &key.recipient_id), &item::state_sort(key.channel, key.recipient_type)));
        let mut found = Vec::with_capacity(wanted.len());
        let mut answers = pin!(self.items_by_key(keys.collect(), &[]));
        while let Some(items) = answers.next().await {
            for item in items? {
                found.push(StateItem::read(item)?);
            }
        }
        Ok(found)
    }

    /// All states of one address.
    pub async fn states_of(&self, brand: &BrandName, recipient: &RecipientId) -> Result<Vec<ConsentState>, LedgerError> {
        self.items_of(brand, recipient, "S#").await?.into_iter().map(StateItem::read).collect()
    }

    /// All states and the whole history of one address.
    pub async fn story(&self, brand: &BrandName, recipient: &RecipientId) -> Result<Story, LedgerError> {
        let (states, movements, asides) =
            futures::join!(self.states_of(brand, recipient), self.items_of(brand, recipient, "M#"), self.items_of(brand, recipient, "N#"));
        let mut history: Vec<Entry> = movements?.into_iter().chain(asides?).map(MovementItem::read).collect::<Result<_, _>>()?;
        let states = states?;
        for entry in &mut history {
            let head_of = |state: &&ConsentState| state.key == entry.movement.key && state.head.event_id == entry.movement.head.event_id;
            if let Some(state) = states.iter().find(head_of) {
                entry.registry = Ending::of_sync(&state.registry);
                entry.insider = Ending::of_sync(&state.insider);
            }
        }
        history.sort_by(|a, b| {
            let order = |entry: &Entry| (entry.movement.head.consent_date, entry.movement.head.received_at);
            order(a).cmp(&order(b))
        });
        Ok(Story { states, history })
    }

    pub(super) async fn items_of(&self, brand: &BrandName, recipient: &RecipientId, prefix: &str) -> Result<Vec<Item>, LedgerError> {
        let mut items = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", text(item::partition(brand, recipient)))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(LedgerError::store("Query"))?);
        }
        Ok(items)
    }

    /// The state of a key that must have one.
    async fn worked_on(&self, key: &ConsentKey) -> Result<ConsentState, LedgerError> {
        self.state(key).await?.ok_or_else(|| LedgerError::Item { why: "a state that was worked on is gone".into() })
    }

    /// Changes a state under the condition that nobody else did in the meantime. Nothing is written
    /// when the change changes nothing.
    async fn change(&self, key: &ConsentKey, change: impl Fn(&mut ConsentState)) -> Result<ConsentState, LedgerError> {
        for attempt in 0..WRITE_TRIES {
            let before = self.worked_on(key).await?;
            let mut state = before.clone();
            change(&mut state);
            if state == before || self.put_state(&mut state).await? {
                return Ok(state);
            }
            back_off(attempt).await;
        }
        Err(LedgerError::Contention)
    }

    /// Writes a state over the revision that it was read as. `false` when somebody else was faster.
    pub(super) async fn put_state(&self, state: &mut ConsentState) -> Result<bool, LedgerError> {
        let read = state.revision;
        state.revision = read + 1;
        let mut put = self.client.put_item().table_name(&self.table).set_item(Some(StateItem::of(state).into_item()?));
        put = if read == 0 {
            put.condition_expression("attribute_not_exists(PK)")
        } else {
            put.condition_expression("revision = :read").expression_attribute_values(":read", AttributeValue::N(read.to_string()))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(LedgerError::store("PutItem")(error)),
        }
    }

    /// Writes a movement into the history; when it stands there already, what stands there.
    pub(super) async fn put_new(&self, item: MovementItem, payload: Option<Payload>) -> Result<Option<Movement>, LedgerError> {
        let mut item = item.into_item()?;
        evidence::seal(&mut item, payload, &Seed::new(rand::random()))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let stored =
                        failed.item().cloned().ok_or_else(|| LedgerError::Item { why: "a movement told before is not shown".into() })?;
                    MovementItem::read(stored).map(|entry| Some(entry.movement))
                }
                _ => Err(LedgerError::store("PutItem")(error)),
            },
        }
    }

    /// Writes into the history how the head of a state ended, before another movement takes its place.
    pub(super) async fn note_endings(&self, state: &ConsentState) -> Result<(), LedgerError> {
        let endings: Vec<_> = Target::ALL.into_iter().filter_map(|target| Some((target, Ending::of_sync(state.sync(target))?))).collect();
        if endings.is_empty() { Ok(()) } else { self.note(&state.key, &state.head.event_id, &endings).await }
    }

    async fn note(&self, key: &ConsentKey, event: &EventId, endings: &[(Target, Ending)]) -> Result<(), LedgerError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", text(item::partition(&key.brand, &key.recipient_id)))
            .key("SK", text(item::movement_sort(key, event)))
            .condition_expression("attribute_exists(PK)");
        let mut sets = Vec::with_capacity(endings.len());
        for (target, ending) in endings {
            let name = target.as_str();
            let value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(ending)
                .map_err(|_| LedgerError::Item { why: "an ending cannot be written".into() })?;
            update = update.expression_attribute_names(format!("#{name}"), name).expression_attribute_values(format!(":{name}"), value);
            sets.push(format!("#{name} = :{name}"));
        }
        match update.update_expression(format!("SET {}", sets.join(", "))).send().await {
            Ok(_) => Ok(()),
            // The history may have been pruned by retention; the state is what counts.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(LedgerError::store("UpdateItem")(error)),
        }
    }
}

/// Waits a little, longer each time and never the same for two workers.
pub(super) async fn back_off(attempt: usize) {
    let most = 5u64 << attempt.min(6);
    tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(1..=most))).await;
}
