//! The tellings of one act that the registry has refused: each of them is sent once.

use serde::{Deserialize, Serialize};

use super::EventId;

/// Most tellings of an act that are remembered; whoever tells it in ever other words is heard no more then.
const MOST: usize = 8;

/// Tellings of the state's act that were refused before the one that counts now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refused(Vec<EventId>);

impl Refused {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether another telling may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MOST
    }

    pub(super) fn has(&self, telling: &EventId) -> bool {
        self.0.contains(telling)
    }

    pub(super) fn add(&mut self, telling: &EventId) {
        if !self.has(telling) && self.has_room() {
            self.0.push(telling.clone());
            self.0.sort_unstable();
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::consent::{
        Answer, Channel, ConsentDate, ConsentKey, ConsentState, Head, Movement, Origin, Outcome, Recipient, RecipientIdKey, RecipientType,
        Retailers, Source, Status, Target,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("in range")
    }

    /// One act, told in the words of a number.
    fn telling(number: u64) -> Movement {
        let brand = "demo".parse().expect("a brand");
        let recipient = Recipient::parse("ayse@example.com", Channel::Eposta).expect("an address");
        let recipient_id = recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand);
        let key = ConsentKey { brand, recipient_id, channel: Channel::Eposta, recipient_type: RecipientType::Bireysel };
        let head = Head {
            status: Status::Onay,
            source: Source::HsWeb,
            consent_date: ConsentDate::at(at(0)),
            origin: Origin::Api,
            event_id: EventId::derive("api", [number.to_string().as_str()]),
            received_at: at(5),
            retailers: Retailers { code: Some(11_111_111 + number), ..Retailers::default() },
        };
        Movement { key, recipient, head }
    }

    /// Takes tellings in their order; the registry takes those that it may take and refuses the others, at once or
    /// only now and then. How often it was asked of each.
    fn told(order: &[u64], taken: Option<u64>, patience: usize, state: &mut Option<ConsentState>) -> Vec<u64> {
        let mut sent = Vec::new();
        let mut answer = |state: &mut ConsentState| {
            if state.registry.is_open() {
                let number = state.head.retailers.code.expect("words") - 11_111_111;
                sent.push(number);
                let answer = match taken {
                    Some(taken) if taken == number => Answer::Settled { outcome: Outcome::Applied, transaction_id: None },
                    _ => Answer::Rejected("H180".into()),
                };
                state.answered(Target::Registry, &state.head.sent(), answer, at(101), at(200));
            }
        };
        for (position, number) in order.iter().enumerate() {
            let movement = telling(*number);
            match state {
                None => *state = Some(ConsentState::first(&movement, at(100), at(200))),
                Some(state) => {
                    state.apply(&movement, at(100), at(200));
                }
            }
            if let Some(state) = state.as_mut().filter(|_| position % patience == 0) {
                answer(state);
            }
        }
        state.as_mut().map(&mut answer);
        sent
    }

    proptest! {
        #[test]
        fn invariant_3_however_often_and_in_whatever_order_a_refused_act_is_told_each_telling_is_sent_once_and_the_end_is_one(
            order in prop::collection::vec(0u64..4, 1..24),
            taken in prop::option::of(0u64..4),
            patience in 1usize..4,
        ) {
            let mut state = None;
            let mut sent = told(&order, taken, patience, &mut state);
            // Everybody tells once more, until all was heard after the last refusal.
            for _ in 0..4 {
                sent.extend(told(&[0, 1, 2, 3], taken, 1, &mut state));
            }
            let stands = state.clone().expect("a state");
            prop_assert!(told(&[3, 1, 0, 2, 2, 0], taken, 1, &mut state).is_empty(), "nothing is sent any more");
            prop_assert_eq!(state.as_ref(), Some(&stands));
            sent.sort_unstable();
            let count = sent.len();
            sent.dedup();
            prop_assert_eq!(count, sent.len(), "each once");

            let largest = (0..4).map(telling).max_by(|one, other| one.head.event_id.cmp(&other.head.event_id)).expect("four");
            match taken {
                Some(_) => prop_assert_eq!(stands.registry.as_str(), "settled"),
                None => prop_assert_eq!((stands.registry.as_str(), stands.head), ("rejected", largest.head)),
            }
        }
    }

    #[test]
    fn whoever_tells_an_act_in_ever_other_words_is_heard_so_many_times() {
        let mut state = None;
        let order: Vec<u64> = (0..40).collect();
        assert_eq!(told(&order, None, 1, &mut state).len(), MOST + 1);
    }
}
