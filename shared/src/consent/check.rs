//! Verification: when a key is next compared with what the registry holds, and what the registry's answers
//! mean for a state that nothing is open of.
//!
//! The registry is asked by thousands which addresses hold an ONAY. Where that is not what the state says,
//! it is asked for the one record, and then by rule the newer one counts: the registry's is adopted, ours is
//! sent again. A consent that cannot be sent again is none any more.

use std::num::NonZeroU8;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::code::Code;
use super::{ConsentState, Head, Known, Outcome, RecipientId, Status, Sync};

/// When a key is compared for the first time after it changed.
const AFTER_CHANGE: SignedDuration = SignedDuration::from_hours(24);
/// When a key is looked at again whose work was open.
const WHILE_OPEN: SignedDuration = SignedDuration::from_hours(6);
/// The same for work that waits for a person.
const WHILE_HELD: SignedDuration = SignedDuration::from_hours(24);
const HOURS_OF_A_DAY: i64 = 24;

/// Where a key stands in verification. The moments are whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Found to differ then; the registry has still to be asked for the record.
    Differs(Timestamp),
    /// Not compared since it changed: due from then on.
    Due(Timestamp),
    /// Compared then. The moment may lie back by a part of the time between two comparisons, so that
    /// those of many keys spread.
    Done(Timestamp),
}

impl Check {
    /// Of a key's first movement.
    pub fn first(now: Timestamp) -> Self {
        Self::Due(second(later(now, AFTER_CHANGE)))
    }

    /// Of a key that was compared.
    pub fn done(now: Timestamp) -> Self {
        Self::Done(second(now))
    }

    /// Of a key that was found to differ.
    pub fn differs(now: Timestamp) -> Self {
        Self::Differs(second(now))
    }

    /// Of a key that changed: not later than it was due before.
    pub fn changed(self, now: Timestamp) -> Self {
        match (self, Self::first(now)) {
            (Self::Due(before), Self::Due(soon)) => Self::Due(before.min(soon)),
            (_, soon) => soon,
        }
    }

    /// A change whose comparison was due until then is late at `now`.
    pub fn late_changes(now: Timestamp) -> Timestamp {
        now.checked_sub(AFTER_CHANGE).unwrap_or(now)
    }

    /// A change that was made until then is due when everything is compared, although its time has not come. What is
    /// looked at again, by [`Check::first`], lies behind that.
    pub fn changed_until(moment: Timestamp) -> Timestamp {
        later(moment, AFTER_CHANGE)
    }

    /// Of a key that nothing can be said of now.
    pub fn again(state: &ConsentState, now: Timestamp) -> Self {
        Self::Due(second(later(now, if matches!(state.registry, Sync::Held { .. }) { WHILE_HELD } else { WHILE_OPEN })))
    }
}

/// How often every key is compared with the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckEvery(pub NonZeroU8);

impl CheckEvery {
    /// A part of the time, which has 28 of them.
    fn parts(self, count: i64) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.0.get()) * HOURS_OF_A_DAY * 60 / 28 * count)
    }

    /// For how long keys that are due are gathered for one question: they may wait so long without being
    /// late. Six hours, if each key is compared every seven days.
    pub fn gathering(self) -> SignedDuration {
        self.parts(1)
    }

    /// What was compared until then is due at `now`.
    pub fn due_until(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.parts(26)).unwrap_or(now)
    }

    /// What was compared until then is late at `now`.
    pub fn late_until(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.parts(28)).unwrap_or(now)
    }

    /// Of a key that was compared. Those of many keys spread over a seventh of the time.
    pub fn done(self, now: Timestamp, recipient: &RecipientId) -> Check {
        let number = recipient.as_str().bytes().fold(0i64, |number, byte| (number * 31 + i64::from(byte)) % 1_000_003);
        let back = SignedDuration::from_secs(number % self.parts(4).as_secs().max(1));
        Check::done(now.checked_sub(back).unwrap_or(now))
    }
}

/// What differs between the ledger and the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// An ONAY counts here, and the registry holds none.
    OnayMissing,
    /// A RET counts here that the registry had, and it holds an ONAY.
    RetMissing,
    /// A RET counts here that the registry had nothing for, and it holds an ONAY.
    OnayUnknown,
    /// The registry refused what counts here, and holds it, or what a RET here refuses, all the same.
    RefusedStands,
}

impl Difference {
    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnayMissing => "onay_missing",
            Self::RetMissing => "ret_missing",
            Self::OnayUnknown => "onay_unknown",
            Self::RefusedStands => "refused_stands",
        }
    }

    /// What differs, of a state that does not agree with the registry.
    pub fn of(state: &ConsentState) -> Self {
        match (state.head.status, &state.registry) {
            (_, Sync::Rejected { .. }) => Self::RefusedStands,
            (Status::Onay, _) => Self::OnayMissing,
            (Status::Ret, Sync::Settled { outcome: Outcome::NotRegistered, .. }) => Self::OnayUnknown,
            (Status::Ret, _) => Self::RetMissing,
        }
    }
}

/// Whether a state can be compared now: nothing of it is under way to the registry, and the registry's last answer
/// about it is older than `rest`, because its own parts may be that far apart.
pub fn is_comparable(state: &ConsentState, now: Timestamp, rest: SignedDuration) -> bool {
    let ended = match &state.registry {
        Sync::Settled { at, .. } | Sync::Rejected { at, .. } => *at,
        Sync::Pending { .. } | Sync::Submitted { .. } | Sync::Held { .. } | Sync::Awaiting => return false,
    };
    state.behind.is_none() && later(ended, rest) <= now
}

/// What the answer to a question says of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The registry holds what is known of it.
    Agrees,
    /// A refusal that the registry did not take stands there, or the consent that it was of is gone.
    RefusalStands,
    /// It does not: the record has to be asked for.
    Differs(Difference),
}

/// Compares a state with whether the registry holds an ONAY.
pub fn compare(state: &ConsentState, holds_onay: bool) -> Compared {
    let is_refused = matches!(state.registry, Sync::Rejected { .. });
    let knows_onay = state.registry_holds_onay();
    match (state.head.status, holds_onay) {
        (Status::Onay, true) if knows_onay && !is_refused => Compared::Agrees,
        (Status::Onay, false) if !knows_onay && is_refused => Compared::Agrees,
        // A RET that the registry would not have, over an ONAY that is known to stand there.
        (Status::Ret, true) if knows_onay && is_refused => Compared::Agrees,
        (Status::Ret, false) if knows_onay => Compared::RefusalStands,
        (Status::Ret, false) => Compared::Agrees,
        (Status::Onay, _) | (Status::Ret, true) => Compared::Differs(Difference::of(state)),
    }
}

/// What is to be done about a record that the registry shows of a state that it was found to differ from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The registry's record is newer, or says the same: it is merged.
    Adopt,
    /// Ours is newer: this is what the registry holds instead, and ours is sent again.
    SendAgain(Known),
    /// A consent that the registry does not hold and would not take again: it is refused with this code.
    TakeBack(Known, Code),
    /// A refusal that the registry itself told of and shows no more: it counts all the same, and there is
    /// nothing to send.
    Keep,
    /// The registry shows no record where it said that it holds an ONAY: it has to be asked again.
    AskAgain,
}

/// Decides by the registry's record, as the movement that it would be here.
pub fn repair(state: &ConsentState, held: Option<&Head>) -> Repair {
    let can_be_sent = state.head.can_be_sent();
    let instead = match held {
        Some(held) if held.status == state.head.status || held.outranks(&state.head) => return Repair::Adopt,
        Some(held) => Known::of(held.status, Some(held.consent_date)),
        None if state.head.status == Status::Ret => return Repair::AskAgain,
        // What the registry says by leaving an address out: no ONAY, whatever else.
        None => Known::of(Status::Ret, None),
    };
    match state.head.status {
        _ if can_be_sent => Repair::SendAgain(instead),
        Status::Onay => Repair::TakeBack(instead, Code::TOO_LATE),
        Status::Ret => Repair::Keep,
    }
}

/// The second that a moment is in.
fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_millisecond().div_euclid(1000)).unwrap_or(moment)
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::consent::{
        Channel, ConsentDate, ConsentKey, EventId, Movement, Origin, Recipient, RecipientIdKey, RecipientType, Retailers, Source,
    };

    const WEEK: CheckEvery = CheckEvery(NonZeroU8::MIN.saturating_add(6));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("in range")
    }

    fn head(status: Status, second: i64, sendable: bool) -> Head {
        let origin = if sendable { Origin::Api } else { Origin::Registry };
        Head {
            status,
            source: if sendable { Source::HsWeb } else { "IYS_WEB".parse().expect("a source") },
            consent_date: ConsentDate::at(at(second)),
            origin,
            event_id: EventId::derive(origin.as_str(), [status.as_str(), &second.to_string()]),
            received_at: at(second),
            retailers: Retailers::default(),
        }
    }

    fn state(head: Head) -> ConsentState {
        let brand = "demo".parse().expect("a brand");
        let recipient = Recipient::parse("ayse@example.com", Channel::Eposta).expect("an address");
        let key = ConsentKey {
            recipient_id: recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand),
            brand,
            channel: Channel::Eposta,
            recipient_type: RecipientType::Bireysel,
        };
        ConsentState::first(&Movement { key, recipient, head }, at(100), at(200))
    }

    #[test]
    fn a_key_is_compared_a_day_after_its_change_and_then_within_the_days_that_are_set_however_those_of_many_spread() {
        let changed = Check::first(at(0));
        assert_eq!(changed, Check::Due(at(86_400)));
        assert_eq!(changed.changed(at(3600)), changed, "another change does not put it off");
        assert_eq!(Check::Done(at(-600_000)).changed(at(0)), changed);
        assert_eq!(Check::Differs(at(-60)).changed(at(0)), changed, "what differed is not what counts any more");
        let key = RecipientIdKey::new("k".repeat(32));
        let brand = "demo".parse().expect("a brand");
        let mut moments = std::collections::BTreeSet::new();
        for number in 0..1000 {
            let recipient = Recipient::parse(&format!("kisi{number}@example.com"), Channel::Eposta).expect("an address");
            let Check::Done(done) = WEEK.done(at(0), &recipient.id(&key, &brand)) else { panic!("it was compared") };
            assert!(done <= at(0) && done > at(-86_400));
            // Due half a day before it is late, and not long before.
            assert!(WEEK.due_until(at(7 * 86_400)) >= done && WEEK.due_until(at(5 * 86_400)) < done);
            moments.insert((done.duration_since(at(-86_400)).as_secs() - 1) / 3600);
        }
        assert_eq!(moments, (0..24).collect(), "every hour of the day has some");
        assert_eq!(WEEK.gathering(), SignedDuration::from_hours(6));
        assert_eq!(WEEK.late_until(at(0)), at(-7 * 86_400));
    }

    #[test]
    fn what_is_under_way_or_was_a_moment_ago_is_not_compared() {
        let mut state = state(head(Status::Ret, 0, true));
        let rest = SignedDuration::from_mins(10);
        assert!(!is_comparable(&state, at(10_000), rest), "pending");
        state.registry = Sync::Settled { outcome: Outcome::Applied, at: at(200), transaction_id: None };
        assert!(!is_comparable(&state, at(799), rest) && is_comparable(&state, at(800), rest));
        state.behind = Some("s".into());
        assert!(!is_comparable(&state, at(800), rest), "an older record is under way");
    }

    fn any_state() -> impl Strategy<Value = ConsentState> {
        let known = prop::option::of((any::<bool>(), prop::option::of(0i64..4)));
        let outcome = prop::option::of(prop::sample::select(vec![
            Outcome::Applied,
            Outcome::AlreadyThere,
            Outcome::NotNeeded,
            Outcome::NotRegistered,
        ]));
        (any::<bool>(), 0i64..4, any::<bool>(), known, outcome).prop_map(|(onay, second, sendable, known, outcome)| {
            let status = |onay| if onay { Status::Onay } else { Status::Ret };
            let mut state = state(head(status(onay), second, sendable));
            state.known = known.map(|(onay, date)| Known::of(status(onay), date.map(|second| ConsentDate::at(at(second)))));
            state.registry = match outcome {
                Some(outcome) => Sync::Settled { outcome, at: at(100), transaction_id: None },
                None => Sync::Rejected { code: "H467".into(), at: at(100) },
            };
            state
        })
    }

    proptest! {
        #[test]
        fn invariant_1_what_agrees_is_what_is_known_of_the_registry(state in any_state(), holds_onay: bool) {
            match compare(&state, holds_onay) {
                Compared::Agrees => prop_assert_eq!(state.registry_holds_onay(), holds_onay),
                Compared::RefusalStands => prop_assert!(state.head.status == Status::Ret && !holds_onay),
                Compared::Differs(_) => prop_assert!(state.head.status == Status::Onay || holds_onay),
            }
        }

        #[test]
        fn invariant_2_no_repair_lifts_a_refusal_but_for_a_later_onay_and_none_leaves_a_consent_that_is_not_there(
            state in any_state(),
            held in prop::option::of((any::<bool>(), 0i64..4, any::<bool>())),
        ) {
            let held = held.map(|(onay, second, sendable)| head(if onay { Status::Onay } else { Status::Ret }, second, sendable));
            let decided = repair(&state, held.as_ref());
            let mut after = state.clone();
            match (&decided, &held) {
                (Repair::Adopt, Some(held)) => {
                    after.apply(&Movement { key: state.key.clone(), recipient: state.recipient.clone(), head: held.clone() }, at(300), at(400));
                }
                (Repair::Adopt, None) => prop_assert!(false, "there is nothing to adopt"),
                (Repair::SendAgain(known), _) => after.learn(Some(*known), None, at(300), at(400)),
                (Repair::TakeBack(known, code), _) => {
                    let answer = super::super::Answer::Rejected(code.to_string());
                    after.learn(Some(*known), Some(answer), at(300), at(400));
                }
                (Repair::Keep | Repair::AskAgain, _) => {}
            }
            if state.head.status == Status::Ret && after.head.status == Status::Onay {
                prop_assert!(after.head.consent_date > state.head.consent_date);
            }
            let holds_onay = held.as_ref().is_some_and(|held| held.status == Status::Onay);
            if after.head.status == Status::Onay && !holds_onay {
                // It is sent again, or refused for good; Insider is told that it is no consent.
                let is_refused = matches!(after.registry, Sync::Rejected { .. });
                prop_assert!(after.registry.is_open() || is_refused);
                prop_assert!(after.insider_status() == Some(Status::Ret) || after.insider_status().is_none());
            }
        }
    }
}
