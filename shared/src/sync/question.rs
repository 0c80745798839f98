//! Asks the registry which of many addresses hold an ONAY, however it takes the question.
//!
//! What it refuses for some of the addresses is asked again without them; what it refuses otherwise is
//! narrowed down by halves, because one address may spoil the question for all.

use std::collections::HashSet;

use super::isolate::caught;
use super::sift::Sifted;
use crate::consent::{Channel, Recipient, RecipientType};
use crate::registry::{Registry, RegistryError};

/// How often a question is asked by halves while no part of it was ever answered.
const UNUSABLE: usize = 10;

/// What became of a part of the question.
pub(super) enum Part<T> {
    /// The registry answered: whether each of these holds an ONAY. Of the others it answers no question, for
    /// what they are.
    Answered { told: Vec<(T, bool)>, untold: Vec<T> },
    /// It gave no answer about these.
    Failed(Vec<T>, RegistryError),
}

/// One question about any number of addresses of one channel and recipient type, none twice.
pub(super) struct Question<'a, T> {
    registry: &'a dyn Registry,
    channel: Channel,
    recipient_type: RecipientType,
    address: fn(&T) -> &Recipient,
    open: Vec<Sifted<T>>,
    answered: bool,
    unusable: usize,
    /// How many calls it took so far.
    pub(super) calls: usize,
}

impl<'a, T> Question<'a, T> {
    pub(super) fn new(
        registry: &'a dyn Registry,
        (channel, recipient_type): (Channel, RecipientType),
        about: Vec<T>,
        address: fn(&T) -> &Recipient,
    ) -> Self {
        let most = registry.capabilities().onays_recipients.max(1);
        let mut open = Vec::with_capacity(about.len().div_ceil(most));
        let mut about = about.into_iter().peekable();
        while about.peek().is_some() {
            open.push(Sifted::of(about.by_ref().take(most).collect()));
        }
        open.reverse();
        Self { registry, channel, recipient_type, address, open, answered: false, unusable: 0, calls: 0 }
    }

    /// Asks until a part of the question is done with; `None` when all of it is.
    pub(super) async fn next(&mut self, is_over: impl Fn() -> bool) -> Option<Part<T>> {
        loop {
            if is_over() {
                return None;
            }
            let mut chunk = self.open.pop()?;
            let recipients: Vec<_> = chunk.rest.iter().map(|one| (self.address)(one).clone()).collect();
            let answer = if recipients.is_empty() {
                Ok(HashSet::new())
            } else {
                self.calls += 1;
                caught(self.registry.onays(self.channel, self.recipient_type, &recipients)).await
            };
            match answer {
                Ok(onays) => {
                    self.answered = true;
                    let Sifted { rest, removed, .. } = chunk;
                    let held = |one: &T| onays.contains((self.address)(one));
                    let told = rest.into_iter().map(|one| (held(&one), one)).map(|(held, one)| (one, held)).collect();
                    return Some(Part::Answered { told, untold: removed.into_iter().map(|(one, _)| one).collect() });
                }
                // Without those that it names the question is asked again at once.
                Err(RegistryError::RefusedFor(refused)) if !chunk.names_again(&refused) && chunk.leave_out(refused.clone()) => {
                    tracing::warn!(addresses = refused.len(), "a question was refused for some addresses: it is asked without them");
                    self.open.push(chunk);
                }
                // One address may spoil the question for all: it is narrowed down by halves.
                Err(error @ (RegistryError::Defect { .. } | RegistryError::RefusedFor(_)))
                    if recipients.len() > 1 && (self.answered || self.unusable < UNUSABLE) =>
                {
                    tracing::warn!(%error, addresses = recipients.len(), "a question was not answered: it is asked by halves");
                    self.unusable += 1;
                    let mut first: Vec<_> = chunk.into_all().collect();
                    let second = first.split_off(first.len() / 2);
                    self.open.extend([Sifted::of(second), Sifted::of(first)]);
                }
                Err(error) => return Some(Part::Failed(chunk.into_all().collect(), error)),
            }
        }
    }

    /// What was not asked about.
    pub(super) fn into_rest(self) -> Vec<T> {
        self.open.into_iter().flat_map(Sifted::into_all).collect()
    }
}
