//! What the ledger's writes cost in DynamoDB's write units, index writes included. The numbers are
//! those at the head of `shared::ledger`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::consent::book::{Findings, Terms};
use shared::consent::check::Check;
use shared::consent::code::Hold;
use shared::consent::plan::Policy;
use shared::consent::{Answer, Channel, EventId, Origin, Outcome, RecipientType, Status, Target};
use shared::evidence::Payload;
use shared::ledger::{Ledger, Member, Submission, UnknownKind};

use crate::support::dynamodb::{Item, Store, size};
use crate::support::meter::{Meter, Units};
use crate::support::people::{Person, at};

/// The ledger under a meter.
async fn metered() -> (Ledger, Meter) {
    let meter = Meter::default();
    (Store::new().await.ledger_with(meter.clone()), meter)
}

/// What all numbers here rest on ("Using Global Secondary Indexes in DynamoDB", Amazon DynamoDB
/// Developer Guide).
#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_counts_index_writes_as_dynamodb_does() {
    let store = Store::new().await;
    let item = |attributes: &[(&str, &str)]| -> Item {
        let keys = [("PK", "probe"), ("SK", "probe")];
        keys.iter().chain(attributes).map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()))).collect()
    };
    let entry = [("work_pk", "p"), ("work_due", "1")];
    let moved = [("work_pk", "p"), ("work_due", "2")];
    for (step, item, units) in [
        ("an item outside the index", item(&[]), 0.0),
        ("an item that enters the index", item(&entry), 1.0),
        ("a change of nothing that the index shows", item(&[entry.as_slice(), &[("other", "x")]].concat()), 0.0),
        ("a change of what the index shows", item(&[entry.as_slice(), &[("work_iys", "x")]].concat()), 1.0),
        ("a change of the index's key", item(&[moved.as_slice(), &[("work_iys", "x")]].concat()), 2.0),
        ("an item that leaves the index", item(&[]), 1.0),
    ] {
        assert_eq!(store.put(item).await, (1.0, units), "{step}");
    }
}

const APPLIED: Answer = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };

/// A person whose items are as large as usual ones get.
fn person() -> Person {
    Person::new("mehmet.yilmaz-karaosmanoglu+newsletter@marketing.example.com", Channel::Eposta)
}

async fn says(ledger: &Ledger, status: Status, second: i64, origin: Origin) {
    ledger.record(&person().says(status, second, origin), at(second + 5), at(second + 65)).await.unwrap();
}

async fn hears(ledger: &Ledger, target: Target, answer: Answer) {
    let sent = ledger.state(&person().key).await.unwrap().unwrap().head.sent();
    ledger.answered(&person().key, target, &sent, answer, at(20), at(80)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_that_is_bound_for_the_registry_costs_six_units_another_five_and_each_two_more_in_place_of_one_that_has_ended() {
    for (origin, status) in [
        (Origin::Api, Status::Ret),
        (Origin::Api, Status::Onay),
        (Origin::Insider, Status::Ret),
        (Origin::Insider, Status::Onay),
        (Origin::Registry, Status::Ret),
        (Origin::Registry, Status::Onay),
    ] {
        let (ledger, meter) = metered().await;
        says(&ledger, status, 0, origin).await;
        // What is bound for the registry stands in the clock's index, too.
        let indexes = if origin == Origin::Registry { 3 } else { 4 };
        assert_eq!(meter.read(), Units::of(2, indexes), "{status} from {origin:?}, the first of its key");
        for target in Target::ALL {
            hears(&ledger, target, APPLIED).await;
        }
        meter.read();
        let other = if status == Status::Ret { Status::Onay } else { Status::Ret };
        says(&ledger, other, 100, origin).await;
        assert_eq!(
            meter.read(),
            Units::of(3, indexes + 1),
            "{other} from {origin:?}, after all was settled: how that ended goes into the history"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_book_costs_four_units_where_it_opens_nothing_more_where_it_does_and_one_when_it_is_repeated() {
    let terms = Terms { policy: Policy { authorised: true, late_ret_as_hs_karar: false }, tell_insider: false };
    for (status, held, units) in [(Status::Onay, true, (2, 2)), (Status::Ret, false, (2, 3)), (Status::Onay, false, (2, 4))] {
        let (ledger, meter) = metered().await;
        let row = [(person().says(status, 0, Origin::Import), Payload::of(b"a row"))];
        let findings = Findings { held: Some(held), ..Findings::default() };
        ledger.record_book(&row, None, &findings, terms, at(5), at(65)).await.unwrap();
        assert_eq!(meter.read(), Units::of(units.0, units.1), "{status}");
        let read = ledger.state(&person().key).await.unwrap();
        ledger.record_book(&row, read.as_ref(), &Findings::default(), terms, at(6), at(66)).await.unwrap();
        assert_eq!(meter.read(), Units::of(1, 0), "{status}, again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_over_work_that_is_still_open_costs_nine_units_because_its_due_time_its_deadline_and_its_comparison_move() {
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Onay, 0, Origin::Api).await;
    meter.read();
    says(&ledger, Status::Ret, 100, Origin::Api).await;
    assert_eq!(meter.read(), Units::of(2, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_that_opens_nothing_costs_six_units_in_place_of_one_that_was_compared_a_superseded_one_two_and_a_repeated_one_one() {
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Ret, 100, Origin::Api).await;
    for target in Target::ALL {
        hears(&ledger, target, APPLIED).await;
    }
    meter.read();
    says(&ledger, Status::Ret, 100, Origin::Registry).await;
    assert_eq!(meter.read(), Units::of(1, 1), "our own movement, told by the registry, is history only");
    says(&ledger, Status::Ret, 150, Origin::Insider).await;
    assert_eq!(meter.read(), Units::of(3, 1), "a later refusal of what both targets refuse already, and that is to be compared anyway");
    let read = ledger.state(&person().key).await.unwrap().unwrap();
    assert!(ledger.note_check(&read, Check::Done(at(160))).await.unwrap());
    assert_eq!(meter.read(), Units::of(1, 2), "it was compared with the registry");
    let read = ledger.state(&person().key).await.unwrap().unwrap();
    assert!(ledger.note_check(&read, Check::Done(at(160))).await.unwrap());
    assert_eq!(meter.read(), Units::of(0, 0), "that stands there already");
    says(&ledger, Status::Ret, 170, Origin::Insider).await;
    assert_eq!(meter.read(), Units::of(3, 3), "a later refusal, which is to be compared again");
    assert!(!ledger.note_check(&read, Check::Done(at(180))).await.unwrap());
    assert_eq!(meter.read(), Units::of(1, 0), "another has written since");
    says(&ledger, Status::Onay, 50, Origin::Api).await;
    assert_eq!(meter.read(), Units::of(1, 1), "an earlier movement is history only");
    says(&ledger, Status::Ret, 100, Origin::Api).await;
    assert_eq!(meter.read(), Units::of(1, 0), "a repeated movement is a condition that does not hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn settling_a_target_costs_two_units_one_more_at_the_registry_and_one_more_where_a_refusal_stays() {
    for (first, last) in [(Target::Registry, Target::Insider), (Target::Insider, Target::Registry)] {
        for end in [APPLIED, Answer::Rejected("H175".into())] {
            let (ledger, meter) = metered().await;
            says(&ledger, Status::Ret, 0, Origin::Api).await;
            meter.read();
            hears(&ledger, first, end.clone()).await;
            // The registry's part leaves the clock's index.
            let clock = |target| u16::from(target == Target::Registry);
            assert_eq!(meter.read(), Units::of(1, 1 + clock(first)), "{first:?} while {last:?} is open");
            hears(&ledger, last, APPLIED).await;
            // A refusal stays in the index, at the place of what is never due again.
            let index = if end == APPLIED { 1 } else { 2 };
            assert_eq!(meter.read(), Units::of(1, index + clock(last)), "{last:?} after {first:?} ended as {end:?}");
        }
    }
    for origin in [Origin::Insider, Origin::Registry] {
        let (ledger, meter) = metered().await;
        says(&ledger, Status::Ret, 0, origin).await;
        meter.read();
        let (only, indexes) = if origin == Origin::Insider { (Target::Registry, 2) } else { (Target::Insider, 1) };
        hears(&ledger, only, APPLIED).await;
        assert_eq!(meter.read(), Units::of(1, indexes), "the only target");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_onay_that_waited_for_the_registry_costs_four_units_there_because_insiders_work_opens() {
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Onay, 0, Origin::Api).await;
    meter.read();
    hears(&ledger, Target::Registry, APPLIED).await;
    assert_eq!(meter.read(), Units::of(1, 3));
    hears(&ledger, Target::Insider, APPLIED).await;
    assert_eq!(meter.read(), Units::of(1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_as_submitted_costs_two_units_or_three_when_nothing_else_holds_its_place_in_the_index() {
    let mark = || Answer::Submitted { submission: uuid::Uuid::from_u128(1).to_string(), due: at(90_000) };
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Ret, 0, Origin::Api).await;
    meter.read();
    hears(&ledger, Target::Registry, mark()).await;
    assert_eq!(meter.read(), Units::of(1, 1), "Insider's work keeps the due time");

    let (ledger, meter) = metered().await;
    says(&ledger, Status::Ret, 0, Origin::Insider).await;
    meter.read();
    hears(&ledger, Target::Registry, mark()).await;
    assert_eq!(meter.read(), Units::of(1, 2), "the due time is its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_and_re_opening_work_cost_three_units() {
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Ret, 0, Origin::Insider).await;
    meter.read();
    hears(&ledger, Target::Registry, Answer::Held { why: Hold::Authority, due: at(3_600), code: None }).await;
    assert_eq!(meter.read(), Units::of(1, 2));
    ledger.requeued(&person().key, &[Target::Registry], at(4_000)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_costs_its_kilobytes_once_and_a_few_units_for_every_look() {
    let (ledger, meter) = metered().await;
    let member = |number: usize| {
        let person = Person::nth(number);
        Member { sent: person.says(Status::Onay, 0, Origin::Api).head.sent(), key: person.key, record_id: None }
    };
    let mut submission = Submission {
        brand: person().key.brand,
        id: uuid::Uuid::from_u128(1).to_string(),
        request_id: None,
        ready_at: None,
        created_at: at(0),
        checks: 0,
        again: false,
        members: (0..1000).map(member).collect(),
    };
    ledger.write_submission(&submission, at(60)).await.unwrap();
    assert_eq!(meter.read(), Units::of(104, 1), "written ahead: its members and its head");
    submission.request_id = Some(uuid::Uuid::from_u128(2).to_string());
    submission.ready_at = Some(at(90));
    for (number, member) in submission.members.iter_mut().enumerate() {
        member.record_id = Some(uuid::Uuid::from_u128(number as u128).to_string());
    }
    assert!(ledger.note_taken(&submission, at(90)).await.unwrap());
    assert_eq!(meter.read(), Units::of(40, 2), "answered: the records have ids now, and the head another due time");
    submission.checks = 1;
    assert!(ledger.note_wait(&submission, at(120)).await.unwrap());
    assert_eq!(meter.read(), Units::of(1, 2), "looked after in vain: the head alone");
    assert!(ledger.postpone_submission(&submission.brand, &submission.id, at(150)).await.unwrap());
    assert_eq!(meter.read(), Units::of(1, 2), "called for by the sweep");
    ledger.delete_submission(&submission.brand, &submission.id).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 1), "finished: the rest ends with its time to live");
}

#[tokio::test(flavor = "multi_thread")]
async fn handing_a_state_in_and_taking_it_back_cost_three_units() {
    let (ledger, meter) = metered().await;
    says(&ledger, Status::Ret, 0, Origin::Insider).await;
    meter.read();
    let read = ledger.state(&person().key).await.unwrap().unwrap();
    ledger.submitted(&read, "s", at(90_000)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 2));
    ledger.released(&person().key, "s", true, at(90_000)).await.unwrap();
    // The due time stays where it was, and the state shown in the index changes.
    assert_eq!(meter.read(), Units::of(1, 1));
    ledger.submitted(&ledger.state(&person().key).await.unwrap().unwrap(), "t", at(90_000)).await.unwrap();
    meter.read();
    ledger.released(&person().key, "t", false, at(95_000)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_a_cursor_and_a_count_cost_one_unit_each() {
    let (ledger, meter) = metered().await;
    let brand = person().key.brand;
    ledger.try_lease(&brand, "pull", at(0), at(60)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0));
    ledger.try_lease(&brand, "pull", at(0), at(60)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0), "also when another holds it");
    ledger.release(&brand, "pull", at(60)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0));
    ledger.put_trail(&brand, "people", &shared::ledger::Trail::default()).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0));
    ledger.note_unknown(&brand, UnknownKind::Event, "email_dropped", 1, Some("{}"), at(0)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_fits_one_unit_while_its_address_has_no_more_than_220_characters() {
    let store = Store::new().await;
    let ledger = store.ledger();
    // The longest of everything else: brand, ids, source; held and submitted at once.
    let address = format!("{}@{}.example.com", "a".repeat(104), "b".repeat(103));
    let mut person = Person::new(&address, Channel::Eposta);
    assert_eq!(address.len(), 220);
    person.key.brand = "b".repeat(32).parse().unwrap();
    person.key.recipient_type = RecipientType::Bireysel;
    let mut movement = person.says(Status::Onay, 0, Origin::Correction);
    movement.head.event_id = "e".repeat(64).parse::<EventId>().unwrap();
    movement.head.source = format!("IYS_{}", "S".repeat(60)).parse().unwrap();
    let earlier = person.says(Status::Ret, -10, Origin::Insider);
    let sent = movement.head.sent();
    ledger.record(&earlier, at(0), at(60)).await.unwrap();
    let known = shared::consent::Known::of(Status::Ret, Some(earlier.head.consent_date));
    ledger.record(&movement, at(0), at(60)).await.unwrap();
    let state = ledger.state(&person.key).await.unwrap().unwrap();
    ledger.learn(&state, Some(known), None, at(0), at(60)).await.unwrap().unwrap();
    let transaction = || uuid::Uuid::from_u128(1).to_string();
    let settled = || Answer::Settled { outcome: Outcome::NotRegistered, transaction_id: Some(transaction()) };
    let mut largest = BTreeMap::<char, usize>::new();
    for (registry, insider) in [
        (Answer::Submitted { submission: transaction(), due: at(60) }, Answer::Held { why: Hold::Authority, due: at(60), code: None }),
        (settled(), settled()),
    ] {
        ledger.answered(&person.key, Target::Insider, &sent, insider, at(1), at(60)).await.unwrap();
        ledger.answered(&person.key, Target::Registry, &sent, registry, at(1), at(60)).await.unwrap();
        for ((_, sk), item) in store.items().await {
            let kind = sk.chars().next().unwrap();
            let bytes = largest.entry(kind).or_default();
            *bytes = size(&item).max(*bytes);
        }
    }
    assert!(largest.values().all(|bytes| *bytes <= 1024), "{largest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movement_fits_one_unit_with_all_that_is_noted_of_it_while_its_address_has_no_more_than_160_characters() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let mut person = Person::new(&format!("{}@{}.example.com", "a".repeat(80), "b".repeat(67)), Channel::Eposta);
    assert_eq!(person.recipient.length(), 160);
    person.key.brand = "b".repeat(32).parse().unwrap();
    let mut movement = person.says(Status::Onay, 0, Origin::Correction);
    movement.head.event_id = "e".repeat(64).parse::<EventId>().unwrap();
    movement.head.source = format!("IYS_{}", "S".repeat(60)).parse().unwrap();
    ledger.record_from(&movement, Some(Payload::of(b"body")), at(0), at(60)).await.unwrap();
    for target in Target::ALL {
        let transaction_id = (target == Target::Registry).then(|| "t".repeat(64));
        let settled = Answer::Settled { outcome: Outcome::NotRegistered, transaction_id };
        ledger.answered(&person.key, target, &movement.head.sent(), settled, at(1), at(60)).await.unwrap();
    }
    ledger.record(&person.says(Status::Ret, 10, Origin::Api), at(20), at(80)).await.unwrap();
    let items = store.items().await;
    let noted = items.iter().find(|((_, sort), _)| sort.ends_with("eee")).unwrap().1;
    assert!(noted.contains_key("registry") && noted.contains_key("insider") && noted.contains_key("payload"));
    assert!(size(noted) <= 1024, "{}", size(noted));
}

#[tokio::test(flavor = "multi_thread")]
async fn counted_answers_cost_one_unit_a_write_whatever_the_day_held_and_one_more_an_hour() {
    let (ledger, meter) = metered().await;
    // Ninety thousand answers an hour are more than the highest pace can make.
    for hour in 0..25 {
        ledger.count_answers(50_000, 40_000, at(3600 * hour)).await.unwrap();
        assert_eq!(meter.read(), Units::of(1, 0), "hour {hour}");
    }
    ledger.count_answers(10, 1, at(3600 * 25)).await.unwrap();
    assert_eq!(meter.read(), Units::of(2, 0), "an hour is over and taken off");
    ledger.count_answers(10, 0, at(3600 * 25 + 60)).await.unwrap();
    assert_eq!(meter.read(), Units::of(1, 0));
}
