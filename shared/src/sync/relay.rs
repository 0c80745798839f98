//! Ledger → Insider: what `unsubscribe-relay` does with the keys that its messages name.
//!
//! Insider knows one flag and one list per address and channel, whatever the recipient type. So it is
//! told RET as soon as the address refused in any capacity, and ONAY only when none of them refused
//! and İYS holds an ONAY.
//!
//! Two stores at Insider must agree: the opt-in flag and the unsubscribe list. A RET goes to the list
//! first, an ONAY to the flag first: at no moment in between is somebody reachable who should not be.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::patience::{HELD_RETRY, later};
use super::reading;
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::{Answer, Channel, ConsentDate, ConsentKey, ConsentState, Outcome, RecipientId, RecipientType, Status, Target};
use crate::insider::{self, ConsentTold, Flag, InsiderError, List};
use crate::ledger::{Ledger, LedgerError};

/// How many ledger writes and profile reads run at once.
const AT_ONCE: usize = 16;

/// The way from the ledger to one brand's Insider account.
pub struct Relay<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The brand.
    pub brand: &'a Brand,
    /// Its Insider account.
    pub insider: &'a insider::Client,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after work that this run leaves open, and for how long a request that was
    /// not answered may still land.
    pub grace: SignedDuration,
    /// From when on nothing new is begun: the run ends soon after. A run that is ended by force may leave
    /// a request under way that nobody knows of.
    pub stop_at: Timestamp,
}

/// What one run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Keys whose message must come again.
    pub failed: HashSet<ConsentKey>,
    /// How many keys were settled, refused or held.
    pub finished: usize,
}

impl Report {
    fn add(&mut self, other: Report) {
        self.failed.extend(other.failed);
        self.finished += other.finished;
    }
}

/// One address on one channel, and what Insider must be told about it.
struct Telling {
    channel: Channel,
    status: Status,
    /// The states behind it, one per recipient type.
    states: Vec<ConsentState>,
}

impl Telling {
    fn recipient(&self) -> Option<&crate::consent::Recipient> {
        self.states.first().map(|state| &state.recipient)
    }

    /// When what is told of happened; of several states, the first.
    fn date(&self) -> Option<ConsentDate> {
        self.states.iter().map(|state| state.head.consent_date).min()
    }

    /// When and how the status came about: of the states that say so, the newest. None for a consent that
    /// İYS refused, which is told as a refusal that nobody made.
    fn consent(&self) -> Option<ConsentTold> {
        let heads = self.states.iter().map(|state| &state.head).filter(|head| head.status == self.status);
        let head = heads.max_by_key(|head| head.consent_date)?;
        Some(ConsentTold { date: head.consent_date, source: head.source.clone() })
    }
}

impl Relay<'_> {
    /// Brings Insider to the state of these keys.
    pub async fn run(&self, keys: &[ConsentKey]) -> Report {
        let mut report = Report::default();
        // Insider knows an address and a channel, so the states of every recipient type are read.
        let mut addresses = BTreeMap::<(RecipientId, Channel), Vec<ConsentState>>::new();
        let all_types = |key: &ConsentKey| {
            let key = key.clone();
            RecipientType::ALL.iter().map(move |recipient_type| ConsentKey { recipient_type: *recipient_type, ..key.clone() })
        };
        let wanted: Vec<_> = keys.iter().flat_map(all_types).collect();
        match reading::states(self.ledger, &wanted).await {
            Ok(reading) => {
                for state in reading.states {
                    addresses.entry((state.key.recipient_id.clone(), state.key.channel)).or_default().push(state);
                }
                // Without all of its states nobody knows what may be said of an address.
                for unreadable in reading.unreadable {
                    addresses.remove(&(unreadable.recipient_id.clone(), unreadable.channel));
                    let concerned =
                        keys.iter().filter(|key| key.recipient_id == unreadable.recipient_id && key.channel == unreadable.channel);
                    report.failed.extend(concerned.cloned());
                }
            }
            Err(error) => {
                tracing::warn!(%error, keys = keys.len(), "states were not read");
                report.failed.extend(keys.iter().cloned());
                return report;
            }
        }
        let mut plans = futures::stream::iter(addresses)
            .map(|((_, channel), states)| async move {
                let mut report = Report::default();
                let telling = self.plan(channel, states, &mut report).await;
                (telling, report)
            })
            .buffer_unordered(AT_ONCE);
        let mut tellings = Vec::new();
        while let Some((telling, one)) = plans.next().await {
            tellings.extend(telling);
            report.add(one);
        }
        drop(plans);
        for ((channel, status), tellings) in in_order(tellings) {
            Box::pin(self.tell(channel, status, tellings, &mut report)).await;
        }
        report
    }

    /// Decides what Insider must be told of one address; what it need not be told is settled here.
    async fn plan(&self, channel: Channel, states: Vec<ConsentState>, report: &mut Report) -> Option<Telling> {
        if states.iter().all(|state| state.insider.due().is_none()) {
            report.finished += states.len();
            return None;
        }
        let Some(status) = told(&states) else {
            // Nothing is known to tell yet: İYS's answer opens the work again.
            report.finished += states.len();
            return None;
        };
        let telling = Telling { channel, status, states };
        if self.brand.insider.flag_for(channel).is_none() {
            self.settle(&telling, &Answer::Settled { outcome: Outcome::NotNeeded, transaction_id: None }, report).await;
            return None;
        }
        if self.is_over() {
            report.failed.extend(telling.states.iter().map(|state| state.key.clone()));
            return None;
        }
        let stranger =
            status == Status::Ret && !self.brand.insider.relay_unknown_addresses && telling.states.iter().all(|s| !s.seen_at_insider);
        if stranger && let Some(recipient) = telling.recipient() {
            match self.insider.profile(recipient).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.settle(&telling, &Answer::Settled { outcome: Outcome::NotNeeded, transaction_id: None }, report).await;
                    return None;
                }
                Err(error) => {
                    self.no_answer(&telling, &error, report).await;
                    return None;
                }
            }
        }
        Some(telling)
    }

    /// Tells Insider one status for many addresses of one channel.
    async fn tell(&self, channel: Channel, status: Status, tellings: Vec<Telling>, report: &mut Report) {
        let mut open = tellings;
        for step in self.steps(channel, status) {
            if open.is_empty() {
                return;
            }
            if self.is_over() {
                report.failed.extend(open.iter().flat_map(|telling| &telling.states).map(|state| state.key.clone()));
                return;
            }
            let recipients: Vec<_> = open.iter().filter_map(|telling| telling.recipient().cloned()).collect();
            let answers = match (step, status) {
                (Step::List(list), Status::Ret) => self.insider.unsubscribe(list, &recipients).await,
                (Step::List(list), Status::Onay) => self.insider.resubscribe(list, &recipients).await,
                (Step::Flag, _) => {
                    let allowed = status == Status::Onay;
                    let told = open.iter().map(Telling::consent);
                    let flag = |(recipient, told)| Flag { recipient, channel, allowed, told };
                    self.insider.upsert(&recipients.into_iter().zip(told).map(flag).collect::<Vec<_>>()).await
                }
            };
            let mut rest = Vec::with_capacity(open.len());
            for (telling, answer) in open.into_iter().zip(answers) {
                match answer {
                    Ok(insider::Outcome::Applied | insider::Outcome::NotNeeded) => rest.push(telling),
                    Ok(insider::Outcome::Refused { code }) => self.settle(&telling, &Answer::Rejected(code.to_owned()), report).await,
                    Err(error) => self.no_answer(&telling, &error, report).await,
                }
            }
            open = rest;
        }
        let applied = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
        let mut settled = futures::stream::iter(&open)
            .map(|telling| async {
                let mut report = Report::default();
                self.settle(telling, &applied, &mut report).await;
                report
            })
            .buffer_unordered(AT_ONCE);
        while let Some(one) = settled.next().await {
            report.add(one);
        }
    }

    /// What has to be called, in this order: see the head of this file.
    fn steps(&self, channel: Channel, status: Status) -> Vec<Step> {
        let list = List::of(channel).map(Step::List);
        let whatsapp = channel == Channel::Mesaj && self.brand.insider.outbound.whatsapp_follows_mesaj;
        match status {
            // WhatsApp comes last: an account without it refuses that call, and nothing else.
            Status::Ret => list.into_iter().chain([Step::Flag]).chain(whatsapp.then_some(Step::List(List::Whatsapp))).collect(),
            Status::Onay => std::iter::once(Step::Flag).chain(list).collect(),
        }
    }

    fn is_over(&self) -> bool {
        (self.clock)() >= self.stop_at
    }

    /// Notes the answer for every state behind an address that waits for one.
    async fn settle(&self, telling: &Telling, answer: &Answer, report: &mut Report) {
        for state in telling.states.iter().filter(|state| state.insider.due().is_some()) {
            let now = (self.clock)();
            let due = later(now, self.grace);
            let noted = self.ledger.answered(&state.key, Target::Insider, &state.told_to_insider(), answer.clone(), now, due).await;
            self.count(&state.key, noted.map(|_| ()), report);
        }
    }

    /// A call gave no answer about an address.
    async fn no_answer(&self, telling: &Telling, error: &InsiderError, report: &mut Report) {
        let now = (self.clock)();
        tracing::warn!(%error, channel = %telling.channel, "Insider gave no answer");
        match error {
            InsiderError::Held { why, code } => {
                let held = Answer::Held { why: *why, due: later(now, HELD_RETRY), code: Some(code.clone()) };
                self.settle(telling, &held, report).await;
            }
            // A message that came again would keep its group waiting for longer than the limit lasts.
            InsiderError::Busy { until, .. } => {
                self.settle(telling, &Answer::Postponed { due: *until }, report).await;
            }
            InsiderError::Unanswered { .. } => {
                for state in &telling.states {
                    if let Err(error) = self.ledger.doubted(&state.key, later(now, self.grace)).await {
                        tracing::warn!(%error, "a request without an answer was not noted");
                    }
                    report.failed.insert(state.key.clone());
                }
            }
            InsiderError::Defect { .. } => {
                report.failed.extend(telling.states.iter().map(|state| state.key.clone()));
            }
        }
    }

    fn count(&self, key: &ConsentKey, noted: Result<(), LedgerError>, report: &mut Report) {
        match noted {
            Ok(()) => report.finished += 1,
            Err(error) => {
                tracing::warn!(%error, recipient = %key.recipient_id, "Insider's answer was not noted");
                report.failed.insert(key.clone());
            }
        }
    }
}

/// The stores at Insider that decide whether somebody is reachable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    List(List),
    Flag,
}

/// What is told in one call, in the order of the calls: refusals first, and of each kind what has waited
/// for the longest.
fn in_order(tellings: Vec<Telling>) -> Vec<((Channel, Status), Vec<Telling>)> {
    let mut groups = HashMap::<(Channel, Status), Vec<Telling>>::new();
    for telling in tellings {
        groups.entry((telling.channel, telling.status)).or_default().push(telling);
    }
    for tellings in groups.values_mut() {
        tellings.sort_by_cached_key(Telling::date);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((channel, status), tellings)| (*status != Status::Ret, tellings.first().and_then(Telling::date), *channel));
    groups
}

/// What Insider must be told of an address, from its states of all recipient types: `None` while that
/// is not known.
fn told(states: &[ConsentState]) -> Option<Status> {
    // RET is the larger word here, whoever says it.
    states.iter().filter_map(ConsentState::insider_status).max_by_key(|status| *status == Status::Ret)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;
    use crate::consent::{EventId, Head, Movement, Origin, Recipient, RecipientIdKey, Retailers, Source};

    fn telling(channel: Channel, status: Status, number: u8, second: i64) -> Telling {
        let address = if channel == Channel::Eposta { format!("kisi{number}@example.com") } else { format!("+9053211100{number:02}") };
        let recipient = Recipient::parse(&address, channel).expect("an address");
        let brand = "demo".parse().expect("a brand");
        let recipient_id = recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand);
        let key = ConsentKey { brand, recipient_id, channel, recipient_type: RecipientType::Bireysel };
        let at = Timestamp::from_second(1_795_000_000 + second).expect("a moment");
        let head = Head {
            status,
            source: Source::HsWeb,
            consent_date: ConsentDate::at(at),
            origin: Origin::Api,
            event_id: EventId::derive("api", ["a"]),
            received_at: at,
            retailers: Retailers::default(),
        };
        Telling { channel, status, states: vec![ConsentState::first(&Movement { key, recipient, head }, at, at)] }
    }

    #[test]
    fn insider_hears_refusals_first_and_of_each_kind_the_oldest_first() {
        use Channel::{Eposta, Mesaj};
        use Status::{Onay, Ret};
        let told = [
            (Eposta, Onay, 1, 0),
            (Eposta, Ret, 2, 30),
            (Mesaj, Ret, 3, 5),
            (Eposta, Ret, 4, 10),
            (Mesaj, Ret, 5, 60),
            (Eposta, Onay, 6, -9),
        ];
        let order = in_order(told.map(|(channel, status, number, second)| telling(channel, status, number, second)).into());
        let seconds = |tellings: &[Telling]| -> Vec<_> { tellings.iter().filter_map(Telling::date).collect() };
        let kinds: Vec<_> = order.iter().map(|(kind, tellings)| (*kind, tellings.len())).collect();
        assert_eq!(kinds, [((Mesaj, Ret), 2), ((Eposta, Ret), 2), ((Eposta, Onay), 2)]);
        assert!(order.iter().all(|(_, tellings)| seconds(tellings).is_sorted()));
    }
}
