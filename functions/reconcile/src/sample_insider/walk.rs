//! The calls about one address on one channel, in an order that makes nobody reachable who should not be.
//!
//! First the two calls of a refusal, then those of a consent. Where the address must end refused, or where
//! nothing says that it may be messaged, the flag is never written true, and the list is left only while the
//! flag is known to be false; then both calls of a refusal are made once more.
//!
//! An address that the ledger knows is put down there, before the first call, as one that Insider is to be
//! told of again. So whatever breaks off in between, this function included, the sweep has the relay tell
//! the ledger's state, and what lands late is followed by that state once more. When the calls are over, the
//! relay is asked at once. That is also the simplest way: the relay alone knows how to tell a state, and
//! tells the one that holds by then. The calls here do not wait for it, so that their last line can say
//! what Insider holds.

use shared::answers::{Check, Outcome};
use shared::consent::{Channel, ConsentKey, ConsentState, Recipient, RecipientType};
use shared::ledger::LedgerError;

use super::SampleInsider;
use super::calls::{self, Became, Call, Key};
use super::end::{End, Holds, left};
use crate::findings::Finding;

/// What the keys were answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    /// Some call was let in.
    pub(super) let_in: bool,
    /// Some key was refused.
    pub(super) refused: bool,
}

impl Heard {
    pub(super) fn note(&mut self, became: Became) {
        match became {
            Became::Taken => self.let_in = true,
            Became::KeyRefused => self.refused = true,
            Became::Untaken | Became::Unclear => {}
        }
    }

    pub(super) fn add(&mut self, other: Heard) {
        self.let_in |= other.let_in;
        self.refused |= other.refused;
    }
}

/// What is known of one address on one channel so far.
pub(super) struct Walk<'a> {
    sample: &'a SampleInsider<'a>,
    recipient: &'a Recipient,
    channel: Channel,
    /// The flag's name.
    name: &'a str,
    /// The flag before the sample, where it could be read and was there.
    before: Option<bool>,
    list: Holds,
    flag: Holds,
    refused: Vec<Key>,
    lines: Vec<Check>,
    heard: Heard,
}

/// What a walk found.
pub(super) struct Walked {
    pub(super) lines: Vec<Check>,
    /// The line that tells what Insider now holds.
    pub(super) left: Check,
    pub(super) heard: Heard,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        sample: &'a SampleInsider<'a>,
        recipient: &'a Recipient,
        channel: Channel,
        name: &'a str,
        before: Option<bool>,
    ) -> Self {
        Self {
            sample,
            recipient,
            channel,
            name,
            before,
            list: Holds::AsBefore,
            flag: Holds::AsBefore,
            refused: Vec::new(),
            lines: Vec::new(),
            heard: Heard::default(),
        }
    }

    pub(super) async fn run(mut self) -> Walked {
        let check = format!("left.{}", self.channel);
        if self.foretell().await.is_err() {
            // Without that, nothing would bring Insider back should this break off.
            return Walked { lines: self.lines, left: Finding::SampleWithoutLedger.of(check, &[]), heard: self.heard };
        }
        self.list(false).await;
        self.write(false).await;
        // The ledger may have heard of the address since, be it from Insider, of these very calls.
        let states = self.foretell().await;
        let end = states.as_ref().map_or(End::Unread, |states| End::of(states, self.before));
        if end.is_reachable() {
            self.write(true).await;
            self.list(true).await;
        } else if self.has_list() {
            self.return_to_refused().await;
        }
        self.ask_relay(&states.unwrap_or_default()).await;
        let list = self.has_list().then_some(self.list);
        let left = left(&check, end, list, self.flag, self.name, self.before);
        Walked { lines: self.lines, left, heard: self.heard }
    }

    /// The resubscribe call, for an address that must not stay so.
    async fn return_to_refused(&mut self) {
        if self.list != Holds::Is(false) || self.flag != Holds::Is(false) {
            return self.lines.push(Finding::ResubscribeUntried.of(format!("key.resubscribe.{}", self.channel), &[]));
        }
        self.list(true).await;
        self.list(false).await;
        // An account may be one where the other call sets it.
        self.write(false).await;
    }

    /// Calls have no list at Insider.
    fn has_list(&self) -> bool {
        self.channel != Channel::Arama
    }

    async fn list(&mut self, reachable: bool) {
        let (key, name) = if reachable { (Key::Resubscribe, "resubscribe") } else { (Key::Unsubscribe, "unsubscribe") };
        if !self.has_list() || self.refused.contains(&key) {
            return;
        }
        let check = format!("key.{name}.{}", self.channel);
        let call = calls::list(self.sample.insider, &check, self.recipient, self.channel, reachable).await;
        self.list = self.list.after(call.became, reachable);
        self.note(call);
    }

    async fn write(&mut self, reachable: bool) {
        if self.refused.contains(&Key::Ucd) {
            return;
        }
        let check = format!("key.ucd.write.{}", self.channel);
        let call = calls::write(self.sample.insider, &check, self.recipient, self.channel, reachable).await;
        self.flag = self.flag.after(call.became, reachable);
        self.note(call);
    }

    /// One line for all calls of its name: the first that went wrong, else that they went well.
    fn note(&mut self, call: Call) {
        self.heard.note(call.became);
        if call.became == Became::KeyRefused {
            self.refused.push(call.key);
        }
        match self.lines.iter_mut().find(|line| line.check == call.line.check) {
            Some(line) if line.outcome == Outcome::Ok => *line = call.line,
            Some(_) => {}
            None => self.lines.push(call.line),
        }
    }

    /// Puts down in the ledger that Insider is to be told of the address again. The states of every
    /// recipient type: Insider does not tell one from another.
    async fn foretell(&self) -> Result<Vec<ConsentState>, LedgerError> {
        let SampleInsider { ledger, brand, clock, grace, .. } = self.sample;
        let key = |recipient_type: &RecipientType| ConsentKey {
            brand: brand.name.clone(),
            recipient_id: self.recipient.id(&brand.recipient_id_key, &brand.name),
            channel: self.channel,
            recipient_type: *recipient_type,
        };
        let keys: Vec<ConsentKey> = RecipientType::ALL.iter().map(key).collect();
        let now = clock();
        let later = now.saturating_add(*grace).unwrap_or(now);
        let mut states = Vec::new();
        for state in ledger.states(&keys).await? {
            states.push(ledger.disturbed_at_insider(&state.key, later, later).await?);
        }
        Ok(states)
    }

    async fn ask_relay(&self, states: &[ConsentState]) {
        let keys: Vec<ConsentKey> = states.iter().map(|state| state.key.clone()).collect();
        if let Err(error) = self.sample.queues.relay(keys).await {
            tracing::warn!(%error, "no message for a sampled address: the sweep writes it");
        }
    }
}
