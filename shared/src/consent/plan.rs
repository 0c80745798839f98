//! What to do next at the registry for a state whose registry work is open.
//!
//! The order of the questions matters: authority first (nothing is called without it), then what the
//! registry is known to hold (nothing is sent that it would refuse), then the dates.

use jiff::{Timestamp, ToSpan};

use super::code::{Code, Hold};
use super::{ConsentDate, ConsentState, EventId, Head, Movement, Origin, Outcome, Source, Status, Sync, rules};
use crate::calendar;

/// The brand's choices that the plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether the brand has authorised this channel.
    pub authorised: bool,
    /// Whether a RET that comes too late for İYS may go as the brand's own decision (`HS_KARAR`),
    /// dated now.
    pub late_ret_as_hs_karar: bool,
}

/// The next step at the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is open.
    Nothing,
    /// Final without a request.
    Settle(Outcome),
    /// Final without a request: the registry would refuse it with this code.
    Reject(Code),
    /// Wait for somebody.
    Hold(Hold),
    /// Ask whether the registry holds an ONAY: without one a RET has nothing to lift there, and a late
    /// ONAY is no consent any more.
    Ask,
    /// Fetch what the registry holds and merge it: it contradicts what came from there.
    Adopt,
    /// Record this movement first; it replaces the head in a form that the registry takes.
    Correct(Box<Movement>),
    /// Wait until this moment: the head's date lies ahead of us.
    Wait(Timestamp),
    /// Send the head.
    Send,
}

/// Decides the next step at the registry for `state` at `now`.
pub fn next_step(state: &ConsentState, policy: Policy, now: Timestamp) -> Step {
    if !matches!(state.registry, Sync::Pending { .. } | Sync::Held { .. } | Sync::Submitted { .. }) {
        return Step::Nothing;
    }
    if !policy.authorised {
        return Step::Hold(Hold::Authority);
    }
    let head = &state.head;
    if !head.can_be_sent() {
        return Step::Adopt;
    }
    let today = ConsentDate::at(now);
    let too_late = is_too_late(state, now);
    // Of two acts of one second nobody knows which stands there.
    let known = state.known.filter(|known| !known.tied);
    if known.is_some_and(|known| known.status == head.status) && (too_late || state.registry_has_head()) {
        return Step::Settle(Outcome::AlreadyThere);
    }
    if let Some(code) = rules::refusal(head.status, &head.source, head.consent_date) {
        return Step::Reject(code);
    }
    if known.is_none() && (head.status == Status::Ret || too_late) {
        return Step::Ask;
    }
    if too_late {
        return match head.status {
            // An answer about many addresses names no date: only the record tells whether the consent is newer.
            Status::Ret if known.and_then(|known| known.consent_date).is_none_or(|held| held > head.consent_date) => Step::Adopt,
            Status::Ret => late_refusal(state, policy, now),
            Status::Onay => Step::Reject(Code::TOO_LATE),
        };
    }
    if let Some(held) = state.known.and_then(|known| known.consent_date) {
        if held == head.consent_date {
            return Step::Correct(Box::new(in_the_next_second(state, now)));
        }
        if held > head.consent_date {
            return Step::Adopt;
        }
    }
    if head.consent_date > today {
        return Step::Wait(head.consent_date.instant());
    }
    Step::Send
}

/// The same where nobody has asked the registry just now what it holds.
///
/// A record that was sent in time may stand there although no answer came, and by now be too late to be
/// sent again. So nothing is refused or replaced for being late on what was known before.
pub fn next_step_unasked(state: &ConsentState, policy: Policy, now: Timestamp) -> Step {
    match next_step(state, policy, now) {
        Step::Reject(Code::TOO_LATE) | Step::Correct(_) if is_too_late(state, now) => Step::Ask,
        Step::Adopt if is_late_refusal(state, now) && state.head.can_be_sent() => Step::Ask,
        step => step,
    }
}

/// What becomes of a RET that is too late and that no newer consent at the registry outranks.
pub fn late_refusal(state: &ConsentState, policy: Policy, now: Timestamp) -> Step {
    if policy.late_ret_as_hs_karar { Step::Correct(Box::new(as_hs_karar(state, now))) } else { Step::Reject(Code::TOO_LATE) }
}

/// Whether the head is a RET that is too late for the registry.
pub fn is_late_refusal(state: &ConsentState, now: Timestamp) -> bool {
    state.head.status == Status::Ret && is_too_late(state, now)
}

/// Whether the head is older than the registry takes.
pub fn is_too_late(state: &ConsentState, now: Timestamp) -> bool {
    calendar::is_too_late(state.head.consent_date.civil(), ConsentDate::at(now).civil())
}

/// What the registry's answer that it holds no ONAY means for a state whose step was [`Step::Ask`]:
/// the outcome, or the code that it would be refused with. A registry that held one, of which no record
/// is ever removed, has the RET.
pub fn without_onay(state: &ConsentState) -> Result<Outcome, Code> {
    match state.head.status {
        Status::Ret if state.registry_holds_onay() || state.known.is_some_and(|known| known.tied) => Ok(Outcome::AlreadyThere),
        Status::Ret => Ok(Outcome::NotRegistered),
        Status::Onay => Err(Code::TOO_LATE),
    }
}

/// Whether a RET that the registry called too late may go as the brand's own decision of this moment.
/// One that is dated today already is not refused for its age, so another would not help.
pub fn may_become_hs_karar(state: &ConsentState, policy: Policy, now: Timestamp) -> bool {
    let decided_today =
        state.head.source == Source::HsKarar && state.head.consent_date.civil().date() == ConsentDate::at(now).civil().date();
    state.head.status == Status::Ret && policy.late_ret_as_hs_karar && !decided_today
}

/// When a record may be taken that the registry called too late although it is not by our calendar: how
/// it counts on a day off is not told, so the first second of the next business day is waited for. The verdict
/// was made at some moment between `handed_in` and now, and where that may have been a day off that is over, it
/// may be taken at once. `None` where it is late by any reading that we know.
pub fn may_be_taken_again(state: &ConsentState, handed_in: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if is_too_late(state, now) {
        return None;
    }
    let today = ConsentDate::at(now).civil().date();
    if !calendar::is_business_day(today) {
        let next = calendar::next_business_day(today).to_datetime(jiff::civil::Time::midnight());
        return Some(ConsentDate::from_civil(next).instant());
    }
    let handed_in = ConsentDate::at(handed_in).civil().date();
    let mut days = handed_in.series(1.day()).take_while(|day| *day < today);
    days.any(|day| !calendar::is_business_day(day)).then_some(now)
}

/// A RET that is too late, as the brand's own decision of this moment.
pub fn as_hs_karar(state: &ConsentState, now: Timestamp) -> Movement {
    corrected(state, Source::HsKarar, ConsentDate::at(now), now)
}

/// The head dated one second later, because the registry holds its opposite in the same second.
fn in_the_next_second(state: &ConsentState, now: Timestamp) -> Movement {
    corrected(state, state.head.source.clone(), state.head.consent_date.next_second(), now)
}

fn corrected(state: &ConsentState, source: Source, consent_date: ConsentDate, now: Timestamp) -> Movement {
    Movement {
        key: state.key.clone(),
        recipient: state.recipient.clone(),
        head: Head {
            status: state.head.status,
            // The same correction made twice is one movement: it is named after what it corrects.
            event_id: EventId::of_correction(&state.head.event_id, &source),
            source,
            consent_date,
            origin: Origin::Correction,
            received_at: now,
            retailers: state.head.retailers.clone(),
        },
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::consent::{Channel, ConsentKey, Known, Recipient, RecipientIdKey, RecipientType, Retailers, Target};

    /// A Friday, 13:00 in Türkiye.
    const NOON: &str = "2026-11-20T10:00:00Z";
    const DAY: i64 = 86_400;
    const OPEN: Policy = Policy { authorised: true, late_ret_as_hs_karar: false };
    const DECIDING: Policy = Policy { authorised: true, late_ret_as_hs_karar: true };

    fn now() -> Timestamp {
        NOON.parse().expect("an instant")
    }

    fn ago(seconds: i64) -> ConsentDate {
        ConsentDate::at(now() - jiff::SignedDuration::from_secs(seconds))
    }

    fn known(status: Status, date: Option<i64>) -> Option<Known> {
        Some(Known::of(status, date.map(ago)))
    }

    /// A state with open work at the registry.
    fn state(status: Status, seconds_ago: i64, known: Option<Known>) -> ConsentState {
        let brand = "demo".parse().expect("a brand");
        let recipient = Recipient::parse("ayse@example.com", Channel::Eposta).expect("an address");
        let movement = Movement {
            key: ConsentKey {
                recipient_id: recipient.id(&RecipientIdKey::new("k".repeat(32)), &brand),
                brand,
                channel: Channel::Eposta,
                recipient_type: RecipientType::Bireysel,
            },
            recipient,
            head: Head {
                status,
                source: Source::HsWeb,
                consent_date: ago(seconds_ago),
                origin: Origin::Api,
                event_id: EventId::derive("api", [status.as_str()]),
                received_at: now(),
                retailers: Retailers::default(),
            },
        };
        let mut state = ConsentState::first(&movement, now(), now());
        state.known = known;
        state
    }

    fn step(state: &ConsentState) -> Step {
        next_step(state, OPEN, now())
    }

    #[test]
    fn nothing_is_done_for_work_that_is_not_open() {
        let mut state = state(Status::Onay, 60, None);
        for sync in [
            Sync::Settled { outcome: Outcome::Applied, at: now(), transaction_id: None },
            Sync::Rejected { code: "H120".into(), at: now() },
            Sync::Awaiting,
        ] {
            state.registry = sync;
            assert_eq!(step(&state), Step::Nothing);
            assert_eq!(next_step(&state, Policy { authorised: false, ..OPEN }, now()), Step::Nothing);
        }
    }

    #[test]
    fn invariant_8_authority_is_asked_for_before_anything_else() {
        let unauthorised = Policy { authorised: false, late_ret_as_hs_karar: true };
        let mut adopting = state(Status::Onay, 60, known(Status::Ret, Some(30)));
        adopting.head.source = "IYS_WEB".parse().expect("a source");
        for state in [
            state(Status::Onay, 60, None),
            state(Status::Ret, 60, None),
            state(Status::Ret, 60, known(Status::Ret, None)),
            state(Status::Ret, 20 * DAY, known(Status::Onay, None)),
            state(Status::Onay, 20 * DAY, None),
            state(Status::Ret, 60, known(Status::Onay, Some(60))),
            state(Status::Ret, -60, known(Status::Onay, Some(60))),
            adopting,
        ] {
            assert_eq!(next_step(&state, unauthorised, now()), Step::Hold(Hold::Authority), "{state:?}");
        }
    }

    #[test]
    fn a_consent_is_sent_to_a_registry_that_holds_none() {
        assert_eq!(step(&state(Status::Onay, 60, None)), Step::Send);
        assert_eq!(step(&state(Status::Onay, 60, known(Status::Ret, Some(90)))), Step::Send);
        assert_eq!(step(&state(Status::Onay, 60, known(Status::Ret, None))), Step::Send);
        assert_eq!(step(&state(Status::Onay, 60, known(Status::Onay, Some(90)))), Step::Settle(Outcome::AlreadyThere));
    }

    #[test]
    fn a_refusal_is_sent_only_where_a_consent_is_known() {
        assert_eq!(step(&state(Status::Ret, 60, None)), Step::Ask);
        assert_eq!(step(&state(Status::Ret, 20 * DAY, None)), Step::Ask);
        assert_eq!(step(&state(Status::Ret, 60, known(Status::Ret, None))), Step::Settle(Outcome::AlreadyThere));
        assert_eq!(step(&state(Status::Ret, 60, known(Status::Onay, None))), Step::Send);
        assert_eq!(step(&state(Status::Ret, 60, known(Status::Onay, Some(90)))), Step::Send);
        assert_eq!(without_onay(&state(Status::Ret, 60, None)), Ok(Outcome::NotRegistered));
        assert_eq!(without_onay(&state(Status::Ret, 60, known(Status::Onay, None))), Ok(Outcome::AlreadyThere));
    }

    #[test]
    fn after_two_acts_of_one_second_a_refusal_is_asked_about_and_a_consent_sent() {
        let tied = Some(Known { tied: true, ..Known::of(Status::Ret, Some(ago(90))) });
        assert_eq!(step(&state(Status::Ret, 60, tied)), Step::Ask);
        assert_eq!(step(&state(Status::Onay, 60, tied)), Step::Send);
        assert_eq!(without_onay(&state(Status::Ret, 60, tied)), Ok(Outcome::AlreadyThere));
    }

    #[test]
    fn held_and_submitted_work_is_planned_like_pending_work() {
        let mut state = state(Status::Onay, 60, None);
        state.registry = Sync::Held { why: Hold::Quota, since: now(), due: now(), code: None };
        assert_eq!(step(&state), Step::Send);
        state.registry = Sync::Submitted { submission: "s".into(), due: now(), sweeps: 0 };
        assert_eq!(step(&state), Step::Send);
    }

    #[test]
    fn a_consent_that_is_too_late_is_refused_unless_the_registry_holds_one_from_before() {
        assert_eq!(step(&state(Status::Onay, 20 * DAY, None)), Step::Ask);
        assert_eq!(without_onay(&state(Status::Onay, 20 * DAY, None)), Err(Code::TOO_LATE));
        assert_eq!(step(&state(Status::Onay, 20 * DAY, known(Status::Ret, None))), Step::Reject(Code::TOO_LATE));
        assert_eq!(next_step(&state(Status::Onay, 20 * DAY, known(Status::Ret, None)), DECIDING, now()), Step::Reject(Code::TOO_LATE));
        assert_eq!(step(&state(Status::Onay, 20 * DAY, known(Status::Onay, None))), Step::Settle(Outcome::AlreadyThere));
    }

    #[test]
    fn a_refusal_that_is_too_late_goes_as_the_brands_decision_of_now_where_the_brand_allows() {
        let late = state(Status::Ret, 20 * DAY, known(Status::Onay, Some(30 * DAY)));
        assert_eq!(step(&late), Step::Reject(Code::TOO_LATE));
        let Step::Correct(movement) = next_step(&late, DECIDING, now()) else { panic!("not corrected") };
        let head = &movement.head;
        assert_eq!((head.status, &head.source, head.consent_date), (Status::Ret, &Source::HsKarar, ago(0)));
        assert_eq!(head.origin, Origin::Correction);
        let mut corrected = late.clone();
        corrected.apply(&movement, now(), now());
        assert_eq!(next_step(&corrected, DECIDING, now()), Step::Send);
        // Made twice it is one movement.
        let again = as_hs_karar(&late, now() + jiff::SignedDuration::from_secs(5));
        assert_eq!(again.head.event_id, head.event_id);
    }

    #[test]
    fn a_refusal_that_is_too_late_takes_no_consent_back_that_may_be_newer() {
        for (held, expected) in [
            (None, Step::Adopt),
            (Some(10 * DAY), Step::Adopt),
            (Some(20 * DAY), Step::Reject(Code::TOO_LATE)),
            (Some(30 * DAY), Step::Reject(Code::TOO_LATE)),
        ] {
            let late = state(Status::Ret, 20 * DAY, known(Status::Onay, held));
            assert_eq!(step(&late), expected, "{held:?}");
            assert_eq!(matches!(next_step(&late, DECIDING, now()), Step::Correct(_)), expected != Step::Adopt);
        }
    }

    #[test]
    fn nothing_is_refused_or_replaced_for_being_late_before_the_registry_was_asked() {
        for (status, held) in [(Status::Ret, Status::Onay), (Status::Onay, Status::Ret)] {
            for policy in [OPEN, DECIDING] {
                let late = state(status, 20 * DAY, known(held, Some(30 * DAY)));
                assert_eq!(next_step_unasked(&late, policy, now()), Step::Ask, "{status} {policy:?}");
                let in_time = state(status, 60, known(held, Some(90)));
                assert_eq!(next_step_unasked(&in_time, policy, now()), Step::Send);
            }
        }
        let there = state(Status::Ret, 20 * DAY, known(Status::Ret, None));
        assert_eq!(next_step_unasked(&there, OPEN, now()), Step::Settle(Outcome::AlreadyThere));
        let equal = state(Status::Ret, 60, known(Status::Onay, Some(60)));
        assert!(matches!(next_step_unasked(&equal, DECIDING, now()), Step::Correct(_)));
    }

    #[test]
    fn what_the_registry_refuses_whatever_it_holds_is_not_sent() {
        let mut record = state(Status::Onay, 60, None);
        record.head.source = Source::HsKarar;
        assert_eq!(step(&record), Step::Reject("H408".parse().expect("a code")));
        for known in [None, known(Status::Onay, None)] {
            let mut record = state(Status::Ret, 60, known);
            record.head.source = Source::Hs2015;
            assert_eq!(step(&record), Step::Reject("H155".parse().expect("a code")));
        }
    }

    #[test]
    fn a_decision_of_today_is_not_made_again_when_it_is_called_too_late() {
        let late = state(Status::Ret, 60, known(Status::Onay, None));
        assert!(may_become_hs_karar(&late, DECIDING, now()));
        assert!(!may_become_hs_karar(&late, OPEN, now()));
        assert!(!may_become_hs_karar(&state(Status::Onay, 60, None), DECIDING, now()));
        let mut decided = late.clone();
        decided.apply(&as_hs_karar(&late, now()), now(), now());
        assert!(!may_become_hs_karar(&decided, DECIDING, now()));
        assert!(may_become_hs_karar(&decided, DECIDING, now() + jiff::SignedDuration::from_hours(24)));
    }

    #[test]
    fn a_refusal_in_the_second_of_the_consent_takes_the_next_one() {
        let equal = state(Status::Ret, 60, known(Status::Onay, Some(60)));
        let Step::Correct(movement) = step(&equal) else { panic!("not corrected") };
        assert_eq!((movement.head.consent_date, &movement.head.source), (ago(59), &Source::HsWeb));
        let mut corrected = equal.clone();
        corrected.apply(&movement, now(), now());
        assert_eq!(corrected.head.origin, Origin::Correction);
        assert_eq!(step(&corrected), Step::Send);
    }

    #[test]
    fn a_correction_keeps_the_dealers() {
        let dealers = Retailers { code: Some(58_954_386), access: vec![55_550_127] };
        for (seconds, policy) in [(20 * DAY, DECIDING), (60, OPEN)] {
            let mut state = state(Status::Ret, seconds, known(Status::Onay, Some(seconds)));
            state.head.retailers = dealers.clone();
            let Step::Correct(movement) = next_step(&state, policy, now()) else { panic!("not corrected") };
            assert_eq!(movement.head.retailers, dealers);
        }
    }

    #[test]
    fn a_consent_that_names_dealers_is_sent_over_an_older_one_that_is_there() {
        let dealers = Retailers { code: Some(58_954_386), access: Vec::new() };
        let with = |seconds, known| {
            let mut state = state(Status::Onay, seconds, known);
            state.head.retailers = dealers.clone();
            step(&state)
        };
        assert_eq!(with(60, known(Status::Onay, Some(90))), Step::Send);
        assert_eq!(with(60, known(Status::Onay, None)), Step::Send);
        // The same act, a newer one, or too late for any.
        assert_eq!(with(60, known(Status::Onay, Some(60))), Step::Settle(Outcome::AlreadyThere));
        assert_eq!(with(60, known(Status::Onay, Some(30))), Step::Settle(Outcome::AlreadyThere));
        assert_eq!(with(20 * DAY, known(Status::Onay, Some(30 * DAY))), Step::Settle(Outcome::AlreadyThere));
    }

    #[test]
    fn what_lies_ahead_of_the_clock_waits_for_its_moment() {
        let ahead = state(Status::Onay, -30, None);
        assert_eq!(step(&ahead), Step::Wait(ago(-30).instant()));
        assert_eq!(next_step(&ahead, OPEN, ago(-30).instant()), Step::Send);
    }

    #[test]
    fn what_the_registry_has_newer_or_said_itself_is_fetched_and_adopted() {
        assert_eq!(step(&state(Status::Ret, 60, known(Status::Onay, Some(30)))), Step::Adopt);
        assert_eq!(step(&state(Status::Onay, 60, known(Status::Ret, Some(30)))), Step::Adopt);
        let mut told = state(Status::Onay, 60, known(Status::Ret, None));
        told.head.source = "IYS_MOBIL".parse().expect("a source");
        assert_eq!(step(&told), Step::Adopt);
        told.head.source = Source::Unstated;
        assert_eq!(step(&told), Step::Adopt);
    }

    fn any_state() -> impl Strategy<Value = ConsentState> {
        let status = || prop_oneof![Just(Status::Onay), Just(Status::Ret)];
        let when = || prop_oneof![-3i64..4, 2 * DAY..12 * DAY];
        let known = prop::option::of((status(), prop::option::of(when())));
        let source = prop_oneof![Just("HS_WEB"), Just("HS_KARAR"), Just("IYS_WEB")];
        (status(), when(), known, source, 0..4).prop_map(|(status, seconds, known, source, sync)| {
            let known = known.map(|(status, date)| Known::of(status, date.map(ago)));
            let mut state = state(status, seconds, known);
            state.head.source = source.parse().expect("a source");
            state.registry = match sync {
                0 => Sync::Pending { due: now(), sweeps: 2 },
                1 => Sync::Held { why: Hold::Authority, since: now(), due: now(), code: None },
                2 => Sync::Submitted { submission: "s".into(), due: now(), sweeps: 0 },
                _ => Sync::Settled { outcome: Outcome::NotNeeded, at: now(), transaction_id: None },
            };
            state
        })
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        (any::<bool>(), any::<bool>()).prop_map(|(authorised, late_ret_as_hs_karar)| Policy { authorised, late_ret_as_hs_karar })
    }

    proptest! {
        #[test]
        fn nothing_is_sent_that_the_registry_is_known_to_refuse(state in any_state(), policy in any_policy()) {
            if next_step(&state, policy, now()) == Step::Send {
                let (head, today) = (&state.head, ConsentDate::at(now()));
                prop_assert!(policy.authorised && state.registry.is_open() && head.source.is_sendable());
                prop_assert!(!calendar::is_too_late(head.consent_date.civil(), today.civil()));
                prop_assert!(head.consent_date <= today);
                match state.known {
                    None => prop_assert_eq!(head.status, Status::Onay),
                    Some(known) => {
                        prop_assert_ne!(known.status, head.status);
                        prop_assert!(known.consent_date.is_none_or(|held| held < head.consent_date));
                    }
                }
            }
        }

        #[test]
        fn corrections_come_to_an_end_and_never_change_what_is_said(state in any_state(), policy in any_policy()) {
            let mut state = state;
            for round in 0.. {
                prop_assert!(round < 3, "{:?}", state);
                let Step::Correct(movement) = next_step(&state, policy, now()) else { break };
                prop_assert_eq!(movement.head.status, state.head.status);
                prop_assert!(movement.head.outranks(&state.head));
                let registry = state.registry.clone();
                state.apply(&movement, now(), now());
                prop_assert!(state.registry.is_open() && registry.is_open());
            }
        }

        #[test]
        fn a_refusal_is_rejected_only_for_being_late_where_the_brand_made_no_decision(state in any_state(), policy in any_policy()) {
            if let (Status::Ret, Step::Reject(code)) = (state.head.status, next_step(&state, policy, now())) {
                prop_assert!(code == Code::TOO_LATE && !policy.late_ret_as_hs_karar);
                prop_assert!(next_step_unasked(&state, policy, now()) == Step::Ask);
                prop_assert!(state.sync(Target::Registry).is_open());
            }
        }
    }
}
