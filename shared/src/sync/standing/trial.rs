//! Tries one held record, where no question could show that records are taken again.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::keeper::Keeper;
use crate::consent::code::Hold;
use crate::consent::standing::{Reply, Standing, Trial};
use crate::consent::{Channel, ConsentState, Recipient, RecipientType, Status, Sync};
use crate::ledger::{HeldPage, LedgerError};
use crate::registry::{Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};
use crate::sync::push::Push;
use crate::sync::reading;

/// How many records may turn out to need no request before the trial is given up.
const CANDIDATES: usize = 5;
/// How many pages of held work are searched for a record.
const PAGES: usize = 8;

impl Keeper<'_> {
    /// Sends one held record. `None` when there is none that would show anything.
    pub(super) async fn trial(&self, standing: &Standing, trial: Trial) -> Result<Option<Reply>, LedgerError> {
        for state in self.candidates(standing, trial).await? {
            let witness = Witness { registry: self.registry, said: Mutex::new(None) };
            let push = Push {
                ledger: self.ledger,
                queues: self.queues,
                brand: self.brand,
                registry: &witness,
                former: None,
                clock: self.clock,
                grace: self.grace,
                result_wait: SignedDuration::ZERO,
                // One record is no work that would have to be cut short.
                stop_at: Timestamp::MAX,
            };
            Box::pin(push.run(std::slice::from_ref(&state.key))).await;
            if let Some(said) = witness.said.into_inner() {
                return Ok(Some(said));
            }
        }
        Ok(None)
    }

    async fn candidates(&self, standing: &Standing, trial: Trial) -> Result<Vec<ConsentState>, LedgerError> {
        let wanted = |state: &ConsentState| match trial {
            Trial::Channel(channel) => state.key.channel == channel && held_for(state) == Some(Hold::Authority),
            Trial::Quota => {
                let refusals_too = standing.stop.as_ref().is_some_and(|stop| stop.refusals_too);
                held_for(state) == Some(Hold::Quota) && (refusals_too || state.head.status == Status::Onay)
            }
        };
        let mut found = Vec::new();
        let mut page = Some(HeldPage::default());
        for _ in 0..PAGES {
            let Some(at) = page else { break };
            let held = self.ledger.held_work(&self.brand.name, at).await?;
            page = held.next;
            let of_channel = |channel| !matches!(trial, Trial::Channel(wanted) if wanted != channel);
            let keys: Vec<_> =
                held.keys.into_iter().map(|bound| bound.key).filter(|key| of_channel(key.channel)).take(CANDIDATES * CANDIDATES).collect();
            found.extend(reading::states(self.ledger, &keys).await?.states.into_iter().filter(|state| wanted(state)));
            if found.len() >= CANDIDATES {
                break;
            }
        }
        found.truncate(CANDIDATES);
        Ok(found)
    }
}

fn held_for(state: &ConsentState) -> Option<Hold> {
    match &state.registry {
        Sync::Held { why, .. } => Some(*why),
        _ => None,
    }
}

/// A registry whose first word on authority is remembered.
struct Witness<'a> {
    registry: &'a dyn Registry,
    said: Mutex<Option<Reply>>,
}

impl Witness<'_> {
    /// An answered question shows nothing; a record that was judged does, however.
    async fn hear<T>(&self, shows: bool, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        let said = match &answer {
            Ok(_) if !shows => None,
            Ok(_) => Some(Reply::Open),
            Err(RegistryError::Held { why, code }) => Some(Reply::Closed { why: *why, code: code.clone() }),
            Err(_) => Some(Reply::Silent),
        };
        let mut heard = self.said.lock().await;
        if heard.is_none() {
            *heard = said;
        }
        answer
    }
}

#[async_trait]
impl Registry for Witness<'_> {
    fn capabilities(&self) -> Capabilities {
        // One record goes by itself, where the registry judges one at once.
        let offered = self.registry.capabilities();
        if offered.single { Capabilities { bulk_records: 0, ..offered } } else { offered }
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.hear(true, self.registry.add(record).await).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        let shows = !self.registry.capabilities().single;
        self.hear(shows, self.registry.submit(records).await).await
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        self.registry.results(request_id).await
    }

    async fn onays(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        self.hear(false, self.registry.onays(channel, recipient_type, recipients).await).await
    }

    async fn holding(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Option<Holding>, RegistryError> {
        self.hear(false, self.registry.holding(channel, recipient_type, recipient).await).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.registry.changes(feed, cursor).await
    }
}
