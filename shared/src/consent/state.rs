//! The state of one consent key: the largest of its movements, and how far each target has it.
//!
//! Two targets must end up with the state: the **registry** (İYS) and **Insider**. For each of them
//! the state carries a [`Sync`]. Whatever happens (a movement arrives, a target answers, a person at
//! İYS acts) is one call on [`ConsentState`]; the caller stores the result under the condition that
//! nobody else stored another in the meantime, and repeats the call on the newer state otherwise.
//!
//! Three rules are kept here and nowhere else:
//! - Insider is told an ONAY only once the registry holds it: nobody is messaged before (a RET goes
//!   out at once).
//! - What came from a target is not sent back to it, unless something older of ours may still be on
//!   its way there and overtake it.
//! - An ONAY that the registry refused for good is no consent, so Insider is told RET.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::code::Hold;
use super::{ConsentDate, ConsentKey, Head, Movement, Origin, Recipient, Refused, Sent, Status};

/// How far Insider's clock, which dates what it tells, may be ahead of ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);

/// The two systems that must end up with the ledger's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// İYS, directly or through an integrator.
    Registry,
    /// Insider.
    Insider,
}

impl Target {
    /// Both targets.
    pub const ALL: [Target; 2] = [Target::Registry, Target::Insider];

    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Target::Registry => "registry",
            Target::Insider => "insider",
        }
    }
}

/// How a target came to have the state, or why it needs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The target took it from us.
    Applied,
    /// The target had it already.
    AlreadyThere,
    /// It came from the target itself, or the channel has no place there.
    NotNeeded,
    /// A RET of an address for which the registry never held an ONAY: there is nothing to refuse.
    NotRegistered,
}

impl Outcome {
    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::AlreadyThere => "already_there",
            Outcome::NotNeeded => "not_needed",
            Outcome::NotRegistered => "not_registered",
        }
    }
}

/// How far one target has the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Sync {
    /// Final: the target has the state, or needs nothing.
    Settled {
        /// How.
        outcome: Outcome,
        /// When we knew.
        at: Timestamp,
        /// The registry's own id of the movement, where it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction_id: Option<String>,
    },
    /// Waits to be sent; a queue message for it exists, or the sweep writes one after `due`.
    Pending {
        /// When the sweep looks after it.
        due: Timestamp,
        /// How often the sweep has re-queued it.
        #[serde(default)]
        sweeps: u16,
    },
    /// Part of a bulk submission whose result is not known yet.
    Submitted {
        /// The write-ahead submission.
        submission: String,
        /// When the sweep looks after it.
        due: Timestamp,
        /// How often the sweep has re-queued it.
        #[serde(default)]
        sweeps: u16,
    },
    /// Waits for somebody: authority, subscription, quota, configuration, credentials.
    Held {
        /// For what.
        why: Hold,
        /// Since when.
        since: Timestamp,
        /// When it is tried again.
        due: Timestamp,
        /// The target's code that said so, where it named one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Insider only: an ONAY that waits for the registry to hold it.
    Awaiting,
    /// Final: the target refused it, with a code that a person can act on.
    Rejected {
        /// The target's code.
        code: String,
        /// When.
        at: Timestamp,
    },
}

impl Sync {
    /// The word used in items, answers, counts and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Sync::Settled { .. } => "settled",
            Sync::Pending { .. } => "pending",
            Sync::Submitted { .. } => "submitted",
            Sync::Held { .. } => "held",
            Sync::Awaiting => "awaiting",
            Sync::Rejected { .. } => "rejected",
        }
    }

    /// Whether there is still something to do.
    pub const fn is_open(&self) -> bool {
        matches!(self, Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Held { .. } | Sync::Awaiting)
    }

    /// When the sweep must look after it: never for what is final or waits for the other target.
    pub const fn due(&self) -> Option<Timestamp> {
        match self {
            Sync::Pending { due, .. } | Sync::Submitted { due, .. } | Sync::Held { due, .. } => Some(*due),
            Sync::Settled { .. } | Sync::Awaiting | Sync::Rejected { .. } => None,
        }
    }

    /// What it waits for, while it is held.
    pub const fn held_for(&self) -> Option<Hold> {
        match self {
            Sync::Held { why, .. } => Some(*why),
            _ => None,
        }
    }

    /// How often the sweep has re-queued it in vain.
    pub const fn sweeps(&self) -> u16 {
        match self {
            Sync::Pending { sweeps, .. } | Sync::Submitted { sweeps, .. } => *sweeps,
            _ => 0,
        }
    }

    const fn is_final(&self) -> bool {
        matches!(self, Sync::Settled { .. } | Sync::Rejected { .. })
    }

    fn may_have_been_sent(&self) -> bool {
        matches!(self, Sync::Pending { .. } | Sync::Submitted { .. })
    }

    fn may_be_on_its_way(&self) -> bool {
        matches!(self, Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Held { .. })
    }
}

/// What the registry is known to hold for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// ONAY or RET.
    pub status: Status,
    /// Its date, where the answer had one: the multi status query says ONAY without a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<ConsentDate>,
    /// Whether the opposite was told of the same second, too: which of them stands there is not known then,
    /// and the refusal is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tied: bool,
}

impl Known {
    /// A status, with its date where there is one.
    pub const fn of(status: Status, consent_date: Option<ConsentDate>) -> Self {
        Self { status, consent_date, tied: false }
    }
}

/// What a movement did to the state of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// It is the state now.
    Advanced,
    /// A larger movement is the state already.
    Superseded,
    /// It was the state already.
    Repeated,
}

/// What a target answered for a state that was sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Final: it has the state or needs nothing.
    Settled {
        /// How.
        outcome: Outcome,
        /// The registry's id of the movement.
        transaction_id: Option<String>,
    },
    /// Final: refused.
    Rejected(String),
    /// Waits for somebody until `due`.
    Held {
        /// For what.
        why: Hold,
        /// When it is tried again.
        due: Timestamp,
        /// The target's code that said so, where it named one.
        code: Option<String>,
    },
    /// Part of a bulk submission.
    Submitted {
        /// The submission's id.
        submission: String,
        /// When the sweep looks after it.
        due: Timestamp,
    },
    /// Not sent after all: to be tried again after `due`.
    Postponed {
        /// When.
        due: Timestamp,
    },
}

impl Answer {
    /// Whether nothing is left to do.
    pub const fn is_final(&self) -> bool {
        matches!(self, Answer::Settled { .. } | Answer::Rejected(_))
    }
}

/// The state of one consent key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentState {
    /// What it is about.
    pub key: ConsentKey,
    /// The address behind the key's id.
    pub recipient: Recipient,
    /// The largest movement.
    pub head: Head,
    /// What the registry is known to hold; `None` when nobody asked yet.
    pub known: Option<Known>,
    /// How far the registry has the head.
    pub registry: Sync,
    /// How far Insider has the head.
    pub insider: Sync,
    /// Whether Insider knows this address: it showed it, or may have taken it from us.
    pub seen_at_insider: bool,
    /// Until when a request to Insider that was never answered may still land there.
    pub insider_doubt: Option<Timestamp>,
    /// The bulk submission that an older movement of the key is part of, while its result is to come.
    pub behind: Option<String>,
    /// Tellings of the head's act that the registry refused before this one.
    pub refused: Refused,
    /// When it is next compared with the registry.
    pub check: Check,
    /// Counts the writes of this state; a write names the one it replaces.
    pub revision: u64,
}

impl ConsentState {
    /// The state after a key's first movement. Work falls `due` to the sweep then.
    pub fn first(movement: &Movement, now: Timestamp, due: Timestamp) -> Self {
        let mut state = Self {
            key: movement.key.clone(),
            recipient: movement.recipient.clone(),
            head: movement.head.clone(),
            known: None,
            registry: settled(Outcome::NotNeeded, now),
            insider: settled(Outcome::NotNeeded, now),
            seen_at_insider: false,
            insider_doubt: None,
            behind: None,
            refused: Refused::default(),
            check: Check::first(now),
            revision: 0,
        };
        state.note_origin(&movement.head);
        state.open_registry(now, due);
        state.open_insider(now, due, false);
        state
    }

    /// Merges a movement. The state is the same whatever the order and number of movements; `due` is
    /// when the sweep looks after work that opens here.
    pub fn apply(&mut self, movement: &Movement, now: Timestamp, due: Timestamp) -> Merge {
        let before = self.head.clone();
        let merge = self.merge(movement, now, due);
        let unheard = if before.origin == Origin::Notice { &before } else { &movement.head };
        if unheard.origin == Origin::Notice && self.head.origin != Origin::Notice && unheard.consent_date > self.head.consent_date {
            // It says that the registry holds something newer: that is asked about as what differs is.
            self.check = Check::differs(now);
        }
        merge
    }

    fn merge(&mut self, movement: &Movement, now: Timestamp, due: Timestamp) -> Merge {
        let status_before = self.head.status;
        let known_before = self.known;
        self.note_origin(&movement.head);
        let mends = self.mends(&movement.head);
        if mends || self.gives_way_to(&movement.head) {
            let told_again = movement.head.is_same_act(&self.head) && !mends;
            self.note_refused(&movement.head);
            let on_its_way = self.insider.may_be_on_its_way();
            let overtaken = self.told_since(&movement.head);
            // A request with the opposite may have reached the registry without an answer of it: what
            // was known of the registry before is not known any more. What it says itself stands.
            if self.registry.may_have_been_sent() && movement.head.status != status_before && movement.head.origin != Origin::Registry {
                self.known = None;
            }
            self.head = movement.head.clone();
            if told_again {
                // Another report of the same act, such as our own movement in the registry's feed:
                // whoever has the state keeps it.
                self.registry_turned_out(now, due);
                return Merge::Advanced;
            }
            self.check = self.check.changed(now);
            if let Sync::Submitted { submission, .. } = &self.registry {
                self.behind = Some(submission.clone());
            }
            self.open_registry(now, due);
            // Something older of ours may still land at Insider: then what Insider said itself is
            // sent back to it, so that it has the last word.
            let in_doubt = self.insider_doubt.is_some_and(|until| until > now);
            let differs = status_before != self.head.status;
            self.open_insider(now, due, on_its_way || (in_doubt && differs) || (overtaken && differs));
            return Merge::Advanced;
        }
        if self.undone_by(&movement.head) {
            self.open_insider(now, due, true);
        }
        if self.known != known_before {
            self.registry_turned_out(now, due);
        }
        if movement.head.event_id == self.head.event_id { Merge::Repeated } else { Merge::Superseded }
    }

    /// Notes what the registry said it holds when it was asked, without a movement to show for it, and what
    /// that answers.
    pub fn learn(&mut self, known: Option<Known>, answer: Option<Answer>, now: Timestamp, due: Timestamp) {
        self.known = known;
        match answer {
            Some(answer) => self.answered(Target::Registry, &self.head.sent(), answer, now, due),
            None => self.registry_turned_out(now, due),
        }
    }

    /// Takes a target's answer for the state that `sent` names. When the state has moved on in the
    /// meantime, the answer only tells what the target held: the newer state stays open. What is
    /// final stays so when another worker, late, still has something to wait for.
    pub fn answered(&mut self, target: Target, sent: &Sent, answer: Answer, now: Timestamp, due: Timestamp) {
        if target == Target::Insider && matches!(answer, Answer::Settled { outcome: Outcome::Applied, .. }) {
            self.seen_at_insider = true;
        }
        // The head may be another report of the act that was sent.
        let same_act = (sent.status, sent.consent_date) == (self.head.status, self.head.consent_date);
        let current = sent.event_id == self.head.event_id || same_act;
        // The same answer told twice: the first one stands, with the id that came with it.
        let stands = matches!(self.sync(target), Sync::Settled { outcome: Outcome::Applied, .. });
        let late = if answer.is_final() { stands && matches!(answer, Answer::Settled { .. }) } else { self.sync(target).is_final() };
        if current && late {
            return;
        }
        if target == Target::Registry {
            if answer.is_final() || (current && matches!(answer, Answer::Submitted { .. })) {
                self.behind = None;
            }
            if self.contradicts(sent, &answer) {
                self.known = None;
                if current || matches!(self.registry, Sync::Settled { .. }) {
                    self.registry = Sync::Pending { due, sweeps: self.registry.sweeps() };
                }
                return;
            }
            self.note_registry_answer(sent, &answer);
            if !current {
                self.registry_turned_out(now, due);
                return;
            }
            // A refusal of what the registry has reported itself is no refusal.
            let holds_it = self.known == Some(Known::of(sent.status, Some(sent.consent_date)));
            self.registry = match answer {
                Answer::Rejected(_) if holds_it => settled(Outcome::AlreadyThere, now),
                answer => sync_of(answer, now, &self.registry),
            };
            self.open_insider_after_registry(now, due);
        } else if current {
            let is_settled = matches!(answer, Answer::Settled { .. });
            self.insider = match (self.insider_doubt, &answer) {
                // An older request may land after this one: the state is told once more when it
                // cannot any longer.
                (Some(until), Answer::Settled { outcome: Outcome::Applied, .. }) if until > now => Sync::Pending { due: until, sweeps: 0 },
                // The registry's word has changed while Insider was told the one before.
                _ if is_settled && self.insider_status().is_some_and(|status| status != sent.status) => Sync::Pending { due, sweeps: 0 },
                // It knows of the registry's RET; the ONAY is still on its way there.
                _ if is_settled && sent.status != self.head.status && self.registry.is_open() => Sync::Awaiting,
                _ => sync_of(answer, now, &self.insider),
            };
        }
    }

    /// Notes that a request to Insider was not answered: it may land there until `until`.
    pub fn doubted(&mut self, until: Timestamp) {
        self.insider_doubt = self.insider_doubt.max(Some(until));
        self.seen_at_insider = true;
    }

    /// Has Insider told again at `due`, though it has the state: somebody is about to change there what it
    /// was told, and whatever of that lands before `until` does not have the last word. Where there is
    /// nothing to tell, nothing opens.
    pub fn disturbed_at_insider(&mut self, due: Timestamp, until: Timestamp) {
        self.doubted(until);
        if self.insider.is_final() && self.insider_status().is_some() {
            self.insider = Sync::Pending { due, sweeps: 0 };
        }
    }

    /// Has Insider told again at `due`, because it turned out to show something else than it was told, or
    /// than it refused. Where nothing is final yet, or nothing is to be told, nothing opens.
    pub fn contradicted_at_insider(&mut self, due: Timestamp) {
        self.seen_at_insider = true;
        if self.insider.is_final() && self.insider_status().is_some() {
            self.insider = Sync::Pending { due, sweeps: 0 };
        }
    }

    /// Re-opens a target's work, for the sweep: it is due again at `due`. What is held stays visibly
    /// so, since when it is.
    pub fn requeued(&mut self, target: Target, due: Timestamp) {
        let sync = self.sync_mut(target);
        match sync {
            Sync::Pending { sweeps, .. } | Sync::Submitted { sweeps, .. } => {
                *sync = Sync::Pending { due, sweeps: sweeps.saturating_add(1) };
            }
            // Since when it is held, and for what, stays true until it is tried again.
            Sync::Held { due: before, .. } => *before = due,
            Sync::Settled { .. } | Sync::Awaiting | Sync::Rejected { .. } => {}
        }
    }

    /// Takes the registry's work back from a submission whose answer or results will never be known: it
    /// is due again at `due`. Where `forgotten`, the registry itself knows nothing of the submission any
    /// more, and what was known before is no ground to send or to refuse anything by.
    pub fn released(&mut self, from: &str, forgotten: bool, due: Timestamp) {
        if self.behind.as_deref() == Some(from) {
            self.behind = None;
        }
        if !matches!(&self.registry, Sync::Submitted { submission, .. } if submission == from) {
            return;
        }
        self.requeued(Target::Registry, due);
        if forgotten {
            self.known = None;
        }
    }

    /// Lets the sweep come back at `due` to work that is part of this submission still.
    pub fn still_submitted(&mut self, to: &str, due: Timestamp) {
        if let Sync::Submitted { submission, due: before, .. } = &mut self.registry
            && submission == to
        {
            *before = due;
        }
    }

    /// How far a target has the head.
    pub const fn sync(&self, target: Target) -> &Sync {
        match target {
            Target::Registry => &self.registry,
            Target::Insider => &self.insider,
        }
    }

    fn sync_mut(&mut self, target: Target) -> &mut Sync {
        match target {
            Target::Registry => &mut self.registry,
            Target::Insider => &mut self.insider,
        }
    }

    /// What Insider must be told: `None` while that is not known yet.
    pub fn insider_status(&self) -> Option<Status> {
        match self.head.status {
            Status::Ret => Some(Status::Ret),
            Status::Onay if self.registry_holds_onay() => Some(Status::Onay),
            Status::Onay if matches!(self.registry, Sync::Rejected { .. }) => Some(Status::Ret),
            // It turned out to hold a RET that Insider has not heard of. It hears of the ONAY once that stands.
            Status::Onay if self.registry_holds_ret() && self.insider.due().is_some() => Some(Status::Ret),
            Status::Onay => None,
        }
    }

    /// What Insider is told of this state, to be recognised by when the answer comes: of an ONAY that the
    /// registry does not hold it is told RET.
    pub fn told_to_insider(&self) -> Sent {
        Sent { status: self.insider_status().unwrap_or(self.head.status), ..self.head.sent() }
    }

    /// Whether the registry is known to hold an ONAY.
    pub fn registry_holds_onay(&self) -> bool {
        self.known.is_some_and(|known| known.status == Status::Onay)
    }

    /// Whether the registry is known to hold a RET.
    fn registry_holds_ret(&self) -> bool {
        self.known.is_some_and(|known| known.status == Status::Ret)
    }

    /// Whether the registry is known to hold the head's status.
    fn registry_agrees(&self) -> bool {
        self.known.is_some_and(|known| !known.tied && known.status == self.head.status)
    }

    /// Whether the registry is known to hold all that the head says. An ONAY that names dealers says more
    /// than an older one that is there already.
    pub(super) fn registry_has_head(&self) -> bool {
        let tells_of_dealers = self.head.status == Status::Onay && !self.head.retailers.is_empty();
        let holds_an_older = self.known.is_some_and(|known| known.consent_date.is_none_or(|date| date < self.head.consent_date));
        self.registry_agrees() && !(tells_of_dealers && holds_an_older)
    }

    fn is_refused(&self) -> bool {
        matches!(self.registry, Sync::Rejected { .. })
    }

    /// Whether somebody tells of the head's act once more, in other words, after the registry refused it
    /// for good: then those words count, because the refusal was about the first ones. Words that were
    /// refused themselves mend nothing, however often they come.
    fn mends(&self, told: &Head) -> bool {
        let in_other_words = (&told.source, &told.retailers) != (&self.head.source, &self.head.retailers);
        let is_new = told.event_id != self.head.event_id && !self.refused.has(&told.event_id) && self.refused.has_room();
        let by_whom_it_happened = !matches!(told.origin, Origin::Registry | Origin::Notice);
        self.is_refused() && by_whom_it_happened && told.is_same_act(&self.head) && in_other_words && is_new
    }

    /// Whether a movement is larger than the head. A telling that was refused takes the place of another one
    /// only if that was refused, too: which one stands there then does not depend on which was told last.
    fn gives_way_to(&self, told: &Head) -> bool {
        let was_refused = told.is_same_act(&self.head) && self.refused.has(&told.event_id);
        told.outranks(&self.head) && (!was_refused || self.is_refused())
    }

    /// Remembers the head's telling, which another one takes the place of, if it was refused.
    fn note_refused(&mut self, next: &Head) {
        if !next.is_same_act(&self.head) {
            self.refused.clear();
        } else if self.is_refused() {
            self.refused.add(&self.head.event_id);
        }
    }

    /// Whether our last word to Insider may have come after what it tells now: then that word has undone
    /// there what it tells, although nothing is on its way any more.
    fn told_since(&self, told: &Head) -> bool {
        let since = told.consent_date.instant();
        let ended = |at: Timestamp| at.saturating_add(CLOCKS_APART).is_ok_and(|at| at >= since);
        told.origin == Origin::Insider && matches!(self.insider, Sync::Settled { outcome: Outcome::Applied, at, .. } if ended(at))
    }

    /// Whether Insider tells of something older than the head that happened there after it had the head.
    fn undone_by(&self, told: &Head) -> bool {
        let until = told.consent_date.next_second().instant();
        let had_it = matches!(self.insider, Sync::Settled { outcome: Outcome::Applied, at, .. } if at < until);
        told.origin == Origin::Insider && told.status != self.head.status && had_it
    }

    fn note_origin(&mut self, head: &Head) {
        match head.origin {
            Origin::Insider => self.seen_at_insider = true,
            Origin::Registry => self.note_known(head.status, head.consent_date),
            Origin::Api | Origin::Import | Origin::Notice | Origin::Correction => {}
        }
    }

    fn note_known(&mut self, status: Status, consent_date: ConsentDate) {
        // Among what the registry said with dates, the newest counts; of two in one second the refusal,
        // as everywhere.
        let before = self.known.and_then(|known| known.consent_date.map(|date| (date, known.status == Status::Ret)));
        let same_second = self.known.filter(|known| known.consent_date == Some(consent_date));
        let tied = same_second.is_some_and(|known| known.tied || known.status != status);
        if tied {
            self.known = Some(Known { tied, ..Known::of(Status::Ret, Some(consent_date)) });
        } else if before.is_none_or(|before| (consent_date, status == Status::Ret) >= before) {
            self.known = Some(Known::of(status, Some(consent_date)));
        }
    }

    /// Whether an answer that the registry had something already is against what it said itself of the same
    /// time or before: which of the two it said first is not known, so neither tells what it holds now.
    fn contradicts(&self, sent: &Sent, answer: &Answer) -> bool {
        let is_there = matches!(answer, Answer::Settled { outcome: Outcome::AlreadyThere, .. });
        is_there
            && self.known.is_some_and(|known| {
                let outdated = known.consent_date.is_some_and(|date| date > sent.consent_date);
                !known.tied && known.status != sent.status && !outdated
            })
    }

    fn note_registry_answer(&mut self, sent: &Sent, answer: &Answer) {
        // An answer about something older than what the registry has said since tells nothing new.
        let outdated = self.known.and_then(|known| known.consent_date).is_some_and(|known| known > sent.consent_date);
        match answer {
            Answer::Settled { outcome: Outcome::Applied, .. } => self.note_known(sent.status, sent.consent_date),
            Answer::Settled { outcome: Outcome::AlreadyThere, .. } if !outdated && self.known.is_none_or(|known| known.tied) => {
                self.known = Some(Known::of(sent.status, None));
            }
            Answer::Settled { outcome: Outcome::NotRegistered, .. } if !outdated => self.known = None,
            _ => {}
        }
    }

    fn open_registry(&mut self, now: Timestamp, due: Timestamp) {
        self.registry = if self.head.origin == Origin::Registry {
            settled(Outcome::NotNeeded, now)
        } else if self.registry_has_head() {
            settled(Outcome::AlreadyThere, now)
        } else {
            Sync::Pending { due, sweeps: 0 }
        };
    }

    fn open_insider(&mut self, now: Timestamp, due: Timestamp, overtaking: bool) {
        let has_it = self.head.origin == Origin::Insider && !overtaking;
        self.insider = match self.insider_status() {
            // What Insider itself said needs no telling, even while the registry does not have it.
            _ if has_it => settled(Outcome::NotNeeded, now),
            Some(_) => Sync::Pending { due, sweeps: 0 },
            None => Sync::Awaiting,
        };
    }

    /// After the registry's answer: an ONAY that waited for it goes out, one that was refused is
    /// taken back.
    fn open_insider_after_registry(&mut self, now: Timestamp, due: Timestamp) {
        let refused = self.head.status == Status::Onay && matches!(self.registry, Sync::Rejected { .. });
        let waited = matches!(self.insider, Sync::Awaiting);
        if refused || (waited && self.insider_status().is_some()) {
            self.open_insider(now, due, true);
        }
    }

    /// What the registry holds turned out to differ from what we took for granted.
    fn registry_turned_out(&mut self, now: Timestamp, due: Timestamp) {
        // Of two acts of one second at the registry itself the RET counts here, whichever it holds:
        // there is nothing to send, and asking again would find the same.
        let both_of_one_second =
            self.head.origin == Origin::Registry && self.known.and_then(|known| known.consent_date) == Some(self.head.consent_date);
        let refused = matches!(self.registry, Sync::Rejected { .. });
        if self.registry_has_head() {
            // What is submitted stays so: its result says how it went. What was refused and stands there
            // all the same landed late.
            if refused || matches!(self.registry, Sync::Pending { .. } | Sync::Held { .. }) {
                self.registry = settled(Outcome::AlreadyThere, now);
            }
        } else if both_of_one_second {
            if matches!(self.registry, Sync::Pending { .. } | Sync::Held { .. }) {
                self.registry = settled(Outcome::NotNeeded, now);
            }
        } else if matches!(self.registry, Sync::Settled { .. }) && self.known.is_some() && !self.registry_agrees() {
            self.registry = Sync::Pending { due, sweeps: 0 };
            // Until the ONAY stands there again nobody may be messaged on it.
            if self.registry_holds_ret() && matches!(self.insider, Sync::Settled { .. }) {
                self.insider = Sync::Pending { due, sweeps: 0 };
            }
        }
        if refused && self.head.status == Status::Onay && self.registry_agrees() {
            // Insider was told RET when it was refused.
            self.open_insider(now, due, true);
        }
        self.open_insider_after_registry(now, due);
    }
}

fn settled(outcome: Outcome, at: Timestamp) -> Sync {
    Sync::Settled { outcome, at, transaction_id: None }
}

fn sync_of(answer: Answer, now: Timestamp, before: &Sync) -> Sync {
    match answer {
        Answer::Settled { outcome, transaction_id } => {
            // What was known before to be there was there before.
            let at = if let Sync::Settled { at, outcome: Outcome::AlreadyThere, .. } = before { *at } else { now };
            Sync::Settled { outcome, at, transaction_id }
        }
        Answer::Rejected(code) => Sync::Rejected { code, at: now },
        Answer::Held { why, due, code } => {
            let since = match before {
                Sync::Held { why: same, since, .. } if *same == why => *since,
                _ => now,
            };
            Sync::Held { why, since, due, code }
        }
        Answer::Submitted { submission, due } => Sync::Submitted { submission, due, sweeps: before.sweeps() },
        Answer::Postponed { due } => Sync::Pending { due, sweeps: before.sweeps() },
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::consent::{Channel, EventId, RecipientIdKey, RecipientType, Retailers, Source};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("in range")
    }

    fn movement(status: Status, second: i64, origin: Origin, name: &str) -> Movement {
        let brand = "demo".parse().expect("a brand");
        let recipient = Recipient::parse("ayse@example.com", Channel::Eposta).expect("an address");
        Movement {
            key: ConsentKey {
                recipient_id: recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand),
                brand,
                channel: Channel::Eposta,
                recipient_type: RecipientType::Bireysel,
            },
            recipient,
            head: Head {
                status,
                source: if origin == Origin::Registry { "IYS_WEB".parse().expect("a source") } else { Source::HsWeb },
                consent_date: ConsentDate::at(at(second)),
                origin,
                event_id: EventId::derive(origin.as_str(), [status.as_str(), &second.to_string(), name]),
                received_at: at(second + 5),
                retailers: Retailers::default(),
            },
        }
    }

    fn state_of(movements: &[Movement]) -> ConsentState {
        let (first, rest) = movements.split_first().expect("at least one");
        let mut state = ConsentState::first(first, at(100), at(200));
        for movement in rest {
            state.apply(movement, at(100), at(200));
        }
        state
    }

    fn applied() -> Answer {
        Answer::Settled { outcome: Outcome::Applied, transaction_id: Some("t".into()) }
    }

    #[test]
    fn a_refusal_from_the_api_opens_both_targets() {
        let state = state_of(&[movement(Status::Ret, 0, Origin::Api, "a")]);
        assert!(state.registry.is_open() && state.insider.is_open());
        assert_eq!(state.insider_status(), Some(Status::Ret));
    }

    #[test]
    fn insider_hears_an_onay_only_once_the_registry_holds_it() {
        let onay = movement(Status::Onay, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        assert_eq!(state.insider, Sync::Awaiting);
        state.answered(Target::Registry, &onay.head.sent(), applied(), at(101), at(200));
        assert_eq!(state.insider, Sync::Pending { due: at(200), sweeps: 0 });
        assert_eq!(state.insider_status(), Some(Status::Onay));
    }

    #[test]
    fn what_somebody_changes_at_insider_is_told_again_and_a_late_echo_of_it_does_not_have_the_last_word() {
        let mut state = onay_everywhere();
        state.disturbed_at_insider(at(150), at(300));
        assert_eq!(state.insider, Sync::Pending { due: at(150), sweeps: 0 });
        state.answered(Target::Insider, &state.told_to_insider(), applied(), at(160), at(400));
        assert_eq!(state.insider, Sync::Pending { due: at(300), sweeps: 0 }, "once more, when nothing can land any longer");
        state.answered(Target::Insider, &state.told_to_insider(), applied(), at(301), at(400));
        assert!(matches!(state.insider, Sync::Settled { .. }));
        // Insider reports the change as a refusal: it is told so, whatever it was told meanwhile.
        state.disturbed_at_insider(at(500), at(600));
        state.apply(&movement(Status::Ret, 20, Origin::Insider, "echo"), at(510), at(700));
        assert_eq!((state.insider.due(), state.insider_status()), (Some(at(700)), Some(Status::Ret)));
        // There is nothing to tell of an ONAY that the registry does not hold yet.
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Insider, "a")]);
        state.disturbed_at_insider(at(150), at(300));
        assert!(matches!(state.insider, Sync::Settled { .. }));
    }

    #[test]
    fn what_insider_contradicts_is_told_again_once_and_only_where_there_is_something_to_tell() {
        let mut state = onay_everywhere();
        state.contradicted_at_insider(at(150));
        assert_eq!((&state.insider, state.seen_at_insider), (&Sync::Pending { due: at(150), sweeps: 0 }, true));
        state.contradicted_at_insider(at(160));
        assert_eq!(state.insider.due(), Some(at(150)), "it is open already");
        state.answered(Target::Insider, &state.told_to_insider(), Answer::Rejected("insider_refused".into()), at(161), at(400));
        state.contradicted_at_insider(at(170));
        assert_eq!(state.insider.due(), Some(at(170)), "what it refused once may be taken now");
        // Of an ONAY from Insider that the registry does not hold yet there is nothing to tell.
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Insider, "a")]);
        state.contradicted_at_insider(at(150));
        assert!(matches!(state.insider, Sync::Settled { .. }));
    }

    /// An ONAY that both targets have, the registry as one that was there already.
    fn onay_everywhere() -> ConsentState {
        let onay = movement(Status::Onay, 10, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        let there = Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None };
        state.answered(Target::Registry, &onay.head.sent(), there, at(101), at(200));
        state.answered(Target::Insider, &state.told_to_insider(), applied(), at(102), at(200));
        assert!(matches!(state.insider, Sync::Settled { .. }));
        state
    }

    #[test]
    fn while_the_registry_holds_a_ret_after_all_insider_is_told_so_and_of_the_onay_once_it_stands() {
        let mut state = onay_everywhere();
        state.apply(&movement(Status::Ret, 5, Origin::Registry, "b"), at(110), at(200));
        assert_eq!(state.registry, Sync::Pending { due: at(200), sweeps: 0 }, "the ONAY is the later word");
        assert_eq!((state.insider.due(), state.insider_status()), (Some(at(200)), Some(Status::Ret)));
        state.answered(Target::Insider, &state.told_to_insider(), applied(), at(111), at(200));
        assert_eq!((&state.insider, state.insider_status()), (&Sync::Awaiting, None));
        state.answered(Target::Registry, &state.head.sent(), applied(), at(112), at(200));
        assert_eq!((state.insider.due(), state.insider_status()), (Some(at(200)), Some(Status::Onay)));
        state.answered(Target::Insider, &state.told_to_insider(), applied(), at(113), at(200));
        assert!(matches!(state.insider, Sync::Settled { .. }));
    }

    #[test]
    fn what_insider_was_told_settles_nothing_when_the_registrys_word_has_changed_meanwhile() {
        // Told RET, while the registry took the ONAY.
        let mut state = onay_everywhere();
        state.apply(&movement(Status::Ret, 5, Origin::Registry, "b"), at(110), at(200));
        let told = state.told_to_insider();
        state.answered(Target::Registry, &state.head.sent(), applied(), at(111), at(200));
        state.answered(Target::Insider, &told, applied(), at(112), at(300));
        assert_eq!((state.insider.due(), state.insider_status()), (Some(at(300)), Some(Status::Onay)));
        // Told ONAY, while the registry turned out to hold a RET.
        let onay = movement(Status::Onay, 10, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        let there = Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None };
        state.answered(Target::Registry, &onay.head.sent(), there, at(101), at(200));
        let told = state.told_to_insider();
        assert_eq!(told.status, Status::Onay);
        state.apply(&movement(Status::Ret, 5, Origin::Registry, "b"), at(102), at(200));
        state.answered(Target::Insider, &told, applied(), at(103), at(300));
        assert_eq!((state.insider.due(), state.insider_status()), (Some(at(300)), Some(Status::Ret)));
    }

    #[test]
    fn after_two_acts_of_one_second_at_the_registry_a_later_refusal_is_not_taken_for_there() {
        let (ret, onay) = (movement(Status::Ret, 5, Origin::Registry, "a"), movement(Status::Onay, 5, Origin::Registry, "b"));
        for order in [[ret.clone(), onay.clone(), ret.clone()], [onay.clone(), ret.clone(), onay.clone()]] {
            let mut state = state_of(&order);
            assert_eq!((state.head.status, state.known.map(|known| known.tied)), (Status::Ret, Some(true)));
            assert!(!state.registry.is_open(), "what the registry says itself is not asked about");
            let later = movement(Status::Ret, 60, Origin::Api, "c");
            state.apply(&later, at(100), at(200));
            assert!(state.registry.is_open(), "it may hold the consent");
            state.answered(Target::Registry, &later.head.sent(), applied(), at(101), at(200));
            assert_eq!(state.known, Some(Known::of(Status::Ret, Some(later.head.consent_date))));
        }
    }

    #[test]
    fn an_onay_that_the_registry_refused_is_taken_back_at_insider() {
        let onay = movement(Status::Onay, 0, Origin::Insider, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        assert!(!state.insider.is_open(), "Insider said it itself");
        state.answered(Target::Registry, &onay.head.sent(), Answer::Rejected("H467".into()), at(101), at(200));
        assert!(state.insider.is_open());
        assert_eq!(state.insider_status(), Some(Status::Ret));
    }

    #[test]
    fn invariant_5_what_came_from_a_system_is_not_sent_back_to_it() {
        let from_insider = state_of(&[movement(Status::Ret, 0, Origin::Insider, "a")]);
        assert!(!from_insider.insider.is_open() && from_insider.registry.is_open());
        let from_registry = state_of(&[movement(Status::Ret, 0, Origin::Registry, "a")]);
        assert!(from_registry.insider.is_open() && !from_registry.registry.is_open());
    }

    #[test]
    fn a_bulk_result_settles_what_a_feed_told_of_before() {
        let ours = movement(Status::Onay, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&ours));
        let submitted = Answer::Submitted { submission: "s".into(), due: at(900) };
        state.answered(Target::Registry, &ours.head.sent(), submitted, at(100), at(200));
        state.apply(&movement(Status::Onay, 0, Origin::Registry, "b"), at(101), at(200));
        assert!(state.registry_holds_onay());
        let mut refused = state.clone();
        state.answered(Target::Registry, &ours.head.sent(), applied(), at(102), at(200));
        let Sync::Settled { outcome, transaction_id, .. } = &state.registry else { panic!("{:?}", state.registry) };
        assert_eq!((outcome, transaction_id.as_deref()), (&Outcome::Applied, Some("t")));
        // Even a result that contradicts the feed ends the submission.
        refused.answered(Target::Registry, &ours.head.sent(), Answer::Rejected("H178".into()), at(102), at(200));
        assert_eq!(refused.registry, settled(Outcome::AlreadyThere, at(102)));
    }

    #[test]
    fn of_two_acts_of_one_second_at_the_registry_the_ret_counts_and_nothing_is_asked() {
        let onay = movement(Status::Onay, 0, Origin::Registry, "a");
        let ret = movement(Status::Ret, 0, Origin::Registry, "b");
        for order in [[onay.clone(), ret.clone()], [ret, onay]] {
            let state = state_of(&order);
            assert_eq!(state.head.status, Status::Ret);
            assert!(!state.registry.is_open(), "{:?}", state.registry);
            assert_eq!(state.insider_status(), Some(Status::Ret));
        }
    }

    /// A person's line was closed: the refusal carries the date of the consent that it ends.
    fn line_closed(second: i64) -> Movement {
        let mut movement = movement(Status::Ret, second, Origin::Registry, "closed");
        movement.head.source = "IYS_AHS_HAT_KAPATMA".parse().expect("a source");
        movement
    }

    #[test]
    fn a_closed_line_ends_the_consent_of_the_same_second_whichever_is_heard_of_first() {
        let onay = movement(Status::Onay, 0, Origin::Api, "a");
        for order in [[onay.clone(), line_closed(0)], [line_closed(0), onay.clone()]] {
            let state = state_of(&order);
            assert_eq!((state.head.status, state.insider_status()), (Status::Ret, Some(Status::Ret)));
            assert!(!state.registry.is_open() && state.insider.is_open(), "{state:?}");
            assert!(!state.registry_holds_onay());
        }
        // Even where the registry took the consent from us, and tells of it once more afterwards.
        let mut state = state_of(std::slice::from_ref(&onay));
        state.answered(Target::Registry, &onay.head.sent(), applied(), at(101), at(200));
        state.apply(&line_closed(0), at(102), at(200));
        state.apply(&movement(Status::Onay, 0, Origin::Registry, "feed"), at(103), at(200));
        assert_eq!((state.head.status, state.registry_holds_onay()), (Status::Ret, false));
        // A consent of a later second lifts it, as at the registry.
        state.apply(&movement(Status::Onay, 1, Origin::Api, "b"), at(104), at(200));
        assert!(state.head.status == Status::Onay && state.registry.is_open());
    }

    #[test]
    fn a_closed_line_that_is_dated_before_our_newer_consent_is_known_and_the_consent_is_sent_over_it() {
        let newer = movement(Status::Onay, 10, Origin::Api, "b");
        // A RET that Insider has not heard of yet is told all the same.
        let untold = (Some(Status::Ret), Sync::Pending { due: at(200), sweeps: 0 });
        for (order, told) in [([newer.clone(), line_closed(0)], (None, Sync::Awaiting)), ([line_closed(0), newer.clone()], untold)] {
            let mut state = state_of(&order);
            assert_eq!(state.known.map(|known| known.status), Some(Status::Ret));
            assert!(state.head.status == Status::Onay && state.registry.is_open());
            assert_eq!((state.insider_status(), state.insider.clone()), told, "no ONAY before the registry holds it");
            state.answered(Target::Registry, &newer.head.sent(), applied(), at(101), at(200));
            assert_eq!(state.insider_status(), Some(Status::Onay));
        }
        // Our own newer refusal has nothing to lift any more.
        let ret = movement(Status::Ret, 10, Origin::Api, "c");
        for order in [[ret.clone(), line_closed(0)], [line_closed(0), ret]] {
            let state = state_of(&order);
            assert_eq!((state.head.origin, state.registry.as_str()), (Origin::Api, "settled"));
            assert_eq!(state.insider_status(), Some(Status::Ret));
        }
    }

    #[test]
    fn a_consent_that_names_dealers_is_sent_although_an_older_one_is_there_and_once_only() {
        let older = movement(Status::Onay, 0, Origin::Registry, "a");
        let mut newer = movement(Status::Onay, 10, Origin::Api, "b");
        assert_eq!(state_of(&[older.clone(), newer.clone()]).registry, settled(Outcome::AlreadyThere, at(100)));
        newer.head.retailers.code = Some(58_954_386);
        for answer in [applied(), Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None }] {
            for order in [[older.clone(), newer.clone()], [newer.clone(), older.clone()]] {
                let mut state = state_of(&order);
                assert!(state.registry.is_open(), "{state:?}");
                assert_eq!(state.insider_status(), Some(Status::Onay), "the older one allows messages");
                state.answered(Target::Registry, &newer.head.sent(), answer.clone(), at(101), at(200));
                state.apply(&movement(Status::Onay, 5, Origin::Registry, "c"), at(102), at(200));
                assert!(!state.registry.is_open(), "{state:?}");
            }
        }
    }

    #[test]
    fn what_the_registry_refused_counts_in_other_words_whichever_id_is_larger() {
        for status in [Status::Onay, Status::Ret] {
            for (first, second) in [("a", "b"), ("b", "a")] {
                let mut wrong = movement(status, 0, Origin::Api, first);
                wrong.head.retailers.code = Some(11_111_111);
                let mut state = state_of(std::slice::from_ref(&wrong));
                let mended = movement(status, 0, Origin::Api, second);
                state.answered(Target::Registry, &wrong.head.sent(), Answer::Rejected("H180".into()), at(101), at(200));
                assert_eq!(state.insider_status(), Some(Status::Ret), "no consent without the registry");
                assert_eq!(state.apply(&mended, at(102), at(200)), Merge::Advanced);
                assert!(state.registry.is_open() && state.head.retailers.is_empty());
                state.answered(Target::Registry, &mended.head.sent(), applied(), at(103), at(200));
                assert_eq!(state.insider_status(), Some(status));
                assert!(matches!(state.insider, Sync::Pending { .. }));
                // The same words again are the same refusal.
                let mut state = state_of(std::slice::from_ref(&wrong));
                state.answered(Target::Registry, &wrong.head.sent(), Answer::Rejected("H180".into()), at(101), at(200));
                state.apply(&wrong, at(102), at(200));
                assert_eq!(state.registry.as_str(), "rejected");
            }
        }
    }

    #[test]
    fn an_item_that_was_held_before_codes_were_kept_is_read() {
        let old = r#"{"state":"held","why":"authority","since":"2026-11-20T09:00:00Z","due":"2026-11-20T09:30:00Z"}"#;
        let held: Sync = serde_json::from_str(old).expect("an old item");
        assert!(matches!(&held, Sync::Held { why: Hold::Authority, code: None, .. }));
        assert_eq!(serde_json::to_string(&held).expect("an item"), old);
    }

    #[test]
    fn what_insider_said_is_sent_back_when_something_older_of_ours_may_overtake_it() {
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Registry, "a")]);
        assert!(state.insider.is_open(), "the ONAY is on its way to Insider");
        state.apply(&movement(Status::Ret, 10, Origin::Insider, "b"), at(100), at(200));
        assert!(state.insider.is_open());
        assert_eq!(state.insider_status(), Some(Status::Ret));
    }

    #[test]
    fn invariant_4_what_a_person_did_at_insider_before_our_last_word_landed_there_is_told_back() {
        for (ours, theirs) in [(Status::Onay, Status::Ret), (Status::Ret, Status::Onay)] {
            // We were done at 30; the person acted at 20, and we hear of it at 100.
            for (acted, told_back) in [(20, true), (30, true), (40, false)] {
                let first = movement(ours, 0, Origin::Registry, "a");
                let mut state = state_of(std::slice::from_ref(&first));
                state.answered(Target::Insider, &first.head.sent(), applied(), at(30), at(200));
                state.apply(&movement(theirs, acted, Origin::Insider, "b"), at(100), at(200));
                let settled = state.insider == settled(Outcome::NotNeeded, at(100));
                assert_eq!(!settled, told_back, "{theirs:?} at {acted}: {:?}", state.insider);
            }
        }
    }

    #[test]
    fn invariant_4_what_insider_tells_twice_does_not_cancel_the_last_word_that_is_owed() {
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Registry, "a")]);
        assert!(state.insider.is_open(), "the ONAY is on its way");
        for (second, name) in [(10, "the event"), (11, "the attribute")] {
            state.apply(&movement(Status::Ret, second, Origin::Insider, name), at(100), at(200));
            assert!(matches!(state.insider, Sync::Pending { .. }), "{name}: {:?}", state.insider);
        }
    }

    #[test]
    fn invariant_4_what_insider_tells_late_and_happened_after_our_word_is_followed_by_the_state_again() {
        for (had_it_at, again) in [(20, true), (40, false)] {
            let onay = movement(Status::Onay, 50, Origin::Registry, "dated ahead");
            let mut state = state_of(std::slice::from_ref(&onay));
            state.answered(Target::Insider, &onay.head.sent(), applied(), at(had_it_at), at(200));
            let merge = state.apply(&movement(Status::Ret, 30, Origin::Insider, "b"), at(100), at(200));
            assert_eq!((merge, state.insider.is_open()), (Merge::Superseded, again));
            assert_eq!(state.insider_status(), Some(Status::Onay));
        }
    }

    #[test]
    fn invariant_4_a_request_that_may_land_late_is_followed_by_the_state_once_more() {
        let onay = movement(Status::Onay, 0, Origin::Registry, "a");
        let ret = movement(Status::Ret, 10, Origin::Api, "b");
        let mut state = state_of(std::slice::from_ref(&onay));
        state.doubted(at(160));
        state.apply(&ret, at(100), at(200));
        state.answered(Target::Insider, &ret.head.sent(), applied(), at(110), at(200));
        assert_eq!(state.insider, Sync::Pending { due: at(160), sweeps: 0 });
        state.answered(Target::Insider, &ret.head.sent(), applied(), at(161), at(200));
        assert_eq!(state.insider.as_str(), "settled");
    }

    #[test]
    fn our_own_movement_in_the_registrys_feed_opens_nothing() {
        let ours = movement(Status::Ret, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&ours));
        state.answered(Target::Registry, &ours.head.sent(), applied(), at(101), at(200));
        state.answered(Target::Insider, &ours.head.sent(), applied(), at(102), at(200));
        let settled = (state.registry.clone(), state.insider.clone());
        state.apply(&movement(Status::Ret, 0, Origin::Registry, "b"), at(110), at(300));
        assert_eq!((state.registry.clone(), state.insider.clone()), settled);
    }

    #[test]
    fn an_answer_for_an_older_state_does_not_settle_the_newer_one() {
        let onay = movement(Status::Onay, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        state.apply(&movement(Status::Ret, 10, Origin::Api, "b"), at(100), at(200));
        state.answered(Target::Registry, &onay.head.sent(), applied(), at(101), at(200));
        assert!(state.registry.is_open() && state.registry_holds_onay());
    }

    #[test]
    fn a_refusal_settled_as_not_registered_reopens_when_the_registry_turns_out_to_hold_an_onay() {
        let ret = movement(Status::Ret, 10, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&ret));
        let answer = Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: None };
        state.answered(Target::Registry, &ret.head.sent(), answer, at(101), at(200));
        assert!(!state.registry.is_open());
        state.apply(&movement(Status::Onay, 5, Origin::Registry, "b"), at(110), at(200));
        assert!(state.registry.is_open());
        assert_eq!(state.head.status, Status::Ret);
    }

    #[test]
    fn what_was_known_of_the_registry_is_in_doubt_once_the_opposite_may_have_been_sent() {
        // The registry holds an ONAY; a RET is under way, and perhaps landed, when the next ONAY comes.
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Registry, "a"), movement(Status::Ret, 10, Origin::Api, "b")]);
        assert!(state.registry.is_open() && state.registry_holds_onay());
        state.apply(&movement(Status::Onay, 20, Origin::Api, "c"), at(100), at(200));
        assert!(state.registry.is_open(), "it is sent, whatever the registry held before");
        assert_eq!((state.known, state.insider_status()), (None, None));
        // What the registry itself says is no guess.
        state.apply(&movement(Status::Ret, 30, Origin::Registry, "d"), at(100), at(200));
        assert_eq!(state.known.map(|known| known.status), Some(Status::Ret));
        // Work that is held never went out.
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Registry, "a"), movement(Status::Ret, 10, Origin::Api, "b")]);
        state.registry = Sync::Held { why: Hold::Authority, since: at(50), due: at(60), code: None };
        state.apply(&movement(Status::Onay, 20, Origin::Api, "c"), at(100), at(200));
        assert_eq!(state.registry, settled(Outcome::AlreadyThere, at(100)));
    }

    #[test]
    fn work_is_taken_back_only_from_the_submission_that_it_is_part_of_and_forgotten_with_what_was_known() {
        let mut state = state_of(&[movement(Status::Onay, 0, Origin::Registry, "a"), movement(Status::Ret, 10, Origin::Api, "b")]);
        let sent = state.head.sent();
        state.answered(Target::Registry, &sent, Answer::Submitted { submission: "s".into(), due: at(500) }, at(101), at(200));
        let submitted = state.clone();
        state.released("another", true, at(600));
        assert_eq!(state, submitted);
        state.still_submitted("another", at(600));
        assert_eq!(state, submitted);
        state.still_submitted("s", at(600));
        assert_eq!(state.registry, Sync::Submitted { submission: "s".into(), due: at(600), sweeps: 0 });
        for forgotten in [false, true] {
            let mut state = submitted.clone();
            for _ in 0..2 {
                state.released("s", forgotten, at(700));
                assert_eq!(state.registry, Sync::Pending { due: at(700), sweeps: 1 });
                assert_eq!(state.known.is_none(), forgotten);
            }
        }
    }

    #[test]
    fn what_overtakes_a_record_in_a_submission_is_behind_it_until_the_registry_has_said_something_final() {
        let onay = movement(Status::Onay, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&onay));
        state.answered(Target::Registry, &onay.head.sent(), Answer::Submitted { submission: "s".into(), due: at(500) }, at(101), at(200));
        assert_eq!(state.behind, None);
        state.apply(&movement(Status::Ret, 10, Origin::Api, "b"), at(102), at(200));
        assert_eq!(state.behind.as_deref(), Some("s"));
        state.apply(&movement(Status::Ret, 20, Origin::Api, "c"), at(102), at(200));
        assert_eq!(state.behind.as_deref(), Some("s"), "nothing of the one between was sent");
        let sent = state.head.sent();
        state.answered(Target::Registry, &sent, Answer::Postponed { due: at(300) }, at(103), at(200));
        assert_eq!(state.behind.as_deref(), Some("s"));
        let mut handed_in = state.clone();
        handed_in.answered(Target::Registry, &sent, Answer::Submitted { submission: "t".into(), due: at(500) }, at(104), at(200));
        assert_eq!(handed_in.behind, None);
        state.answered(Target::Registry, &onay.head.sent(), applied(), at(104), at(200));
        assert_eq!((state.behind.clone(), state.registry_holds_onay()), (None, true));
        let mut freed = state.clone();
        freed.behind = Some("s".into());
        freed.released("t", false, at(700));
        assert_eq!(freed.behind.as_deref(), Some("s"), "another submission's end is none of its");
        freed.released("s", false, at(700));
        assert_eq!(freed, state, "what is open stays open");
    }

    #[test]
    fn a_consent_that_was_refused_and_turns_out_to_stand_there_is_one_and_insider_is_told_so() {
        for status in [Status::Onay, Status::Ret] {
            let said = movement(status, 0, Origin::Api, "a");
            let reported = movement(status, 0, Origin::Registry, "b");
            let refusal = Answer::Rejected("H467".into());
            let (mut first, mut second) = (state_of(std::slice::from_ref(&said)), state_of(&[said.clone(), reported.clone()]));
            first.answered(Target::Registry, &said.head.sent(), refusal.clone(), at(101), at(200));
            first.answered(Target::Insider, &said.head.sent(), applied(), at(102), at(200));
            first.apply(&reported, at(103), at(200));
            second.answered(Target::Registry, &said.head.sent(), refusal, at(103), at(200));
            assert_eq!((&first.registry.as_str(), first.insider_status()), (&"settled", Some(status)));
            assert_eq!((&second.registry.as_str(), second.insider_status()), (&"settled", Some(status)));
            assert_eq!(first.insider.is_open(), status == Status::Onay, "it was told RET");
        }
    }

    #[test]
    fn what_is_held_stays_held_since_then_while_the_sweep_looks_after_it() {
        let ret = movement(Status::Ret, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&ret));
        let held = |due| Answer::Held { why: Hold::Quota, due, code: Some("H525".into()) };
        state.answered(Target::Registry, &ret.head.sent(), held(at(150)), at(101), at(200));
        state.requeued(Target::Registry, at(300));
        assert_eq!(state.registry, Sync::Held { why: Hold::Quota, since: at(101), due: at(300), code: Some("H525".into()) });
        state.answered(Target::Registry, &ret.head.sent(), held(at(350)), at(310), at(200));
        assert_eq!(state.registry, Sync::Held { why: Hold::Quota, since: at(101), due: at(350), code: Some("H525".into()) });
        state.requeued(Target::Insider, at(300));
        assert_eq!(state.insider, Sync::Pending { due: at(300), sweeps: 1 });
    }

    #[test]
    fn a_wait_keeps_count_of_the_looks_in_vain() {
        let ret = movement(Status::Ret, 0, Origin::Api, "a");
        let mut state = state_of(std::slice::from_ref(&ret));
        state.requeued(Target::Registry, at(300));
        state.answered(Target::Registry, &ret.head.sent(), Answer::Postponed { due: at(310) }, at(101), at(200));
        assert_eq!(state.registry, Sync::Pending { due: at(310), sweeps: 1 });
    }

    #[test]
    fn what_is_final_does_not_wait_again_because_another_worker_was_slower() {
        let ret = movement(Status::Ret, 0, Origin::Api, "a");
        for target in Target::ALL {
            let mut state = state_of(std::slice::from_ref(&ret));
            state.answered(target, &ret.head.sent(), applied(), at(101), at(200));
            let before = state.clone();
            for answer in [
                Answer::Postponed { due: at(500) },
                Answer::Submitted { submission: "s".into(), due: at(500) },
                Answer::Held { why: Hold::Quota, due: at(500), code: None },
            ] {
                state.answered(target, &ret.head.sent(), answer, at(102), at(200));
                assert_eq!(state, before);
            }
        }
    }

    #[test]
    fn a_verdict_against_what_the_registry_said_meanwhile_settles_nothing() {
        let there = || Answer::Settled { outcome: Outcome::AlreadyThere, transaction_id: None };
        let (ret, onay) = (movement(Status::Ret, 0, Origin::Api, "a"), movement(Status::Onay, 10, Origin::Api, "b"));
        let later = movement(Status::Ret, 20, Origin::Api, "c");
        // The ONAY met an older one, after which the RET landed; which came first is not known here.
        let mut state = state_of(&[ret.clone(), onay.clone()]);
        state.answered(Target::Registry, &ret.head.sent(), applied(), at(101), at(200));
        state.answered(Target::Registry, &onay.head.sent(), there(), at(102), at(200));
        assert_eq!((state.known, &state.registry), (None, &Sync::Pending { due: at(200), sweeps: 0 }));
        assert_eq!(state.insider_status(), None, "nobody is messaged on it");
        // A later RET that seemed to be there is sent, too.
        let mut state = state_of(&[ret.clone(), onay.clone()]);
        state.answered(Target::Registry, &ret.head.sent(), applied(), at(101), at(200));
        state.apply(&later, at(102), at(200));
        state.known = Some(Known::of(Status::Ret, Some(ret.head.consent_date)));
        state.registry_turned_out(at(103), at(200));
        assert_eq!(state.registry.as_str(), "settled");
        state.answered(Target::Registry, &onay.head.sent(), there(), at(104), at(300));
        assert_eq!((state.known, &state.registry), (None, &Sync::Pending { due: at(300), sweeps: 0 }));
    }

    #[test]
    fn an_answer_about_something_older_than_what_the_registry_said_since_tells_nothing() {
        let ret = movement(Status::Ret, 0, Origin::Api, "a");
        for outcome in [Outcome::NotRegistered, Outcome::AlreadyThere] {
            let mut state = state_of(&[ret.clone(), movement(Status::Onay, 10, Origin::Registry, "b")]);
            let before = state.clone();
            state.answered(Target::Registry, &ret.head.sent(), Answer::Settled { outcome, transaction_id: None }, at(101), at(200));
            assert_eq!(state, before, "{outcome:?}");
        }
    }

    fn any_movement() -> impl Strategy<Value = Movement> {
        let origin =
            prop_oneof![Just(Origin::Insider), Just(Origin::Registry), Just(Origin::Api), Just(Origin::Import), Just(Origin::Notice)];
        (any::<bool>(), 0i64..6, origin, 0u8..3).prop_map(|(onay, second, origin, name)| {
            let status = if onay { Status::Onay } else { Status::Ret };
            movement(status, second, origin, &name.to_string())
        })
    }

    proptest! {
        #[test]
        fn invariant_3_any_order_and_repetition_ends_in_one_state(
            (movements, shuffled) in prop::collection::vec(any_movement(), 1..12).prop_flat_map(|movements| {
                let twice: Vec<_> = movements.iter().chain(movements.iter()).cloned().collect();
                (Just(movements), Just(twice).prop_shuffle())
            })
        ) {
            let one = state_of(&movements);
            let other = state_of(&shuffled);
            prop_assert_eq!(&one.head, &other.head);
            prop_assert_eq!(one.seen_at_insider, other.seen_at_insider);
        }

        #[test]
        fn a_notice_takes_nobodys_place_and_allows_nothing(movements in prop::collection::vec(any_movement(), 1..12)) {
            let state = state_of(&movements);
            let vouched: Vec<_> = movements.iter().filter(|movement| movement.head.origin != Origin::Notice).cloned().collect();
            match vouched.is_empty() {
                true => prop_assert!(state.registry.is_open() && !state.registry_holds_onay()),
                false => prop_assert_eq!(&state.head, &state_of(&vouched).head),
            }
            if movements.iter().all(|movement| movement.head.origin != Origin::Registry) {
                prop_assert_ne!(state.insider_status(), Some(Status::Onay));
            }
        }

        #[test]
        fn invariant_2_only_a_later_onay_lifts_a_refusal(movements in prop::collection::vec(any_movement(), 1..12)) {
            let state = state_of(&movements);
            let is_refusal = |m: &&Movement| m.head.status == Status::Ret && m.head.origin != Origin::Notice;
            let last_ret = movements.iter().filter(is_refusal).map(|m| m.head.consent_date).max();
            if let (Status::Onay, Some(ret)) = (state.head.status, last_ret) {
                prop_assert!(state.head.consent_date > ret);
            }
        }

        #[test]
        fn invariant_4_whatever_happens_insider_is_never_left_with_an_onay_that_the_head_refuses(
            movements in prop::collection::vec(any_movement(), 1..12)
        ) {
            let state = state_of(&movements);
            if state.head.status == Status::Ret && state.head.origin != Origin::Insider {
                prop_assert_eq!(state.insider_status(), Some(Status::Ret));
                let told = matches!(state.insider, Sync::Pending { .. });
                let said_so_itself = movements.iter().any(|m| m.head.origin == Origin::Insider && m.head.status == Status::Ret);
                prop_assert!(told || said_so_itself);
            }
        }
    }
}
