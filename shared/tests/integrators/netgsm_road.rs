//! A brand's records through Netgsm: queued is no success, and what ends the waiting.

use jiff::SignedDuration;
use serde_json::json;
use shared::consent::{EventId, Head, Movement, Origin, Outcome, Retailers, Status, Sync};
use shared::registry::Verdict;
use shared::sync::outcome::Told;

use crate::netgsm::{ADD, SEARCH, fixture, settings};
use crate::world::{World, phone};

const UID: &str = "59a3ec87-bca0-4a11-8f00-0f6b2c5d7e11";
const SAID: &str = "2026-11-20 12:59:00";

fn found(status: &str, numbers: &[usize]) -> String {
    let row = |number: &usize| {
        json!({"recipient": format!("+9059920{number:05}"), "recipientType": "BIREYSEL", "type": "MESAJ", "status": status,
            "source": "", "consentDate": ""})
    };
    let rows: Vec<_> = numbers.iter().map(row).collect();
    if let [row] = rows.as_slice() { json!({"code": "0", "query": row}) } else { json!({"code": "0", "query": rows}) }.to_string()
}

fn told(world: &World, number: usize, reference: Option<&str>, code: Option<&str>) -> Told {
    Told {
        key: world.key(number),
        status: Status::Onay,
        consent_date: SAID.parse().unwrap(),
        reference: reference.map(str::to_owned),
        verdict: code.map_or(Verdict::Recorded { transaction_id: None }, |code| Verdict::Refused(code.parse().unwrap())),
    }
}

/// So many consents, handed in and queued.
async fn queued(numbers: usize) -> World {
    let world = World::at(settings()).await;
    world.says(1..=numbers, Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry(1..=numbers).await, 0);
    world
}

#[tokio::test]
async fn queued_is_no_success_and_a_callback_settles_the_record_that_it_names() {
    let world = queued(3).await;
    let state = world.state(1).await;
    assert!(matches!(state.registry, Sync::Submitted { .. }) && state.known.is_none(), "{:?}", state.registry);
    assert_eq!(state.insider, Sync::Awaiting, "nobody is told of a consent that is only queued");
    assert!(world.hear(&told(&world, 1, Some(UID), None)).await);
    assert!(world.hear(&told(&world, 2, Some(UID), Some("H155"))).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("applied", "H155"));
    assert_eq!(world.stands(3).await, "submitted");
    // Told again it changes nothing.
    assert!(world.hear(&told(&world, 1, Some(UID), Some("H155"))).await);
    assert_eq!(world.stands(1).await, "applied");
}

#[tokio::test]
async fn a_callback_that_names_another_list_or_another_act_settles_nothing() {
    let world = queued(1).await;
    assert!(world.hear(&told(&world, 1, Some("another"), None)).await);
    let other = Told { consent_date: "2026-11-20 12:00:00".parse().unwrap(), ..told(&world, 1, Some(UID), None) };
    assert!(world.hear(&other).await);
    assert!(world.hear(&Told { status: Status::Ret, ..told(&world, 1, Some(UID), None) }).await);
    assert_eq!(world.stands(1).await, "submitted");
    // Where callbacks name no list, the act is enough.
    assert!(world.hear(&told(&world, 1, None, None)).await);
    assert_eq!(world.stands(1).await, "applied");
}

#[tokio::test]
async fn where_no_callback_comes_the_holdings_tell_of_consents_and_of_lifted_ones() {
    let world = queued(2).await;
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_mins(16));
    world.office.will_answer(SEARCH, 200, found("ONAY", &[1, 2]).replacen("ONAY", "RET", 1));
    assert!(world.look_after(&submission).await);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("submitted", "applied"));
    world.clock.advance(SignedDuration::from_mins(40));
    world.office.will_answer(SEARCH, 200, found("ONAY", &[1]));
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "applied");
    assert!(world.look_after(&submission).await, "it is over: nothing is asked any more");
    // A refusal of what is known to stand there.
    world.says([1], Status::Ret, "2026-11-20 13:30:00").await;
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    world.carry([1]).await;
    let submission = world.submission_of(1).await;
    for (status, stands) in [("ONAY", "submitted"), ("RET", "applied")] {
        world.clock.advance(SignedDuration::from_hours(1));
        world.office.will_answer(SEARCH, 200, found(status, &[1]));
        assert!(world.look_after(&submission).await);
        assert_eq!(world.stands(1).await, stands, "{status}");
    }
}

/// Newer movements of keys whose record is queued: they wait for its result.
async fn overtaken(world: &World, numbers: std::ops::RangeInclusive<usize>) {
    world.says(numbers.clone(), Status::Ret, "2026-11-20 13:00:00").await;
    assert_eq!(world.carry(numbers.clone()).await, 0);
    for number in numbers {
        assert!(world.state(number).await.behind.is_some());
    }
    assert_eq!(world.office.came_to(ADD).len(), 1);
}

#[tokio::test]
async fn whatever_the_verdict_on_a_record_that_was_overtaken_the_newer_movement_waits_no_longer() {
    let world = queued(3).await;
    overtaken(&world, 1..=3).await;
    // Taken; refused for what a person did at İYS since; refused for its form.
    for (number, code) in [(1, None), (2, Some("H178")), (3, Some("H155"))] {
        assert!(world.hear(&told(&world, number, Some(UID), code)).await);
        let state = world.state(number).await;
        assert!(state.behind.is_none() && matches!(state.registry, Sync::Pending { .. }), "{code:?}: {:?}", state.registry);
    }
    assert_eq!(world.state(1).await.known.map(|known| known.status), Some(Status::Onay));
}

#[tokio::test]
async fn what_a_person_did_at_iys_meanwhile_can_be_compared_once_the_overtaken_record_has_its_verdict() {
    let world = queued(1).await;
    let head = Head { origin: Origin::Registry, ..world.state(1).await.head };
    let head =
        Head { status: Status::Ret, consent_date: "2026-11-20 13:00:00".parse().unwrap(), event_id: EventId::derive("iys", ["t"]), ..head };
    world.take(vec![Movement { key: world.key(1), recipient: phone(1), head }]).await;
    assert_eq!((world.stands(1).await.as_str(), world.state(1).await.behind.is_some()), ("not_needed", true));
    assert!(world.hear(&told(&world, 1, Some(UID), Some("H178"))).await);
    assert_eq!(world.state(1).await.behind, None);
}

#[tokio::test]
async fn an_overtaken_record_whose_callback_is_lost_is_found_by_the_holdings_and_frees_what_waits() {
    let world = queued(2).await;
    let submission = world.submission_of(1).await;
    overtaken(&world, 1..=2).await;
    world.clock.advance(SignedDuration::from_mins(16));
    // One has arrived.
    world.office.will_answer(SEARCH, 200, found("ONAY", &[1, 2]).replacen("ONAY", "RET", 1));
    assert!(world.look_after(&submission).await);
    let (waits, freed) = (world.state(1).await, world.state(2).await);
    assert!(waits.behind.is_some() && freed.behind.is_none(), "{waits:?} {freed:?}");
    assert!(freed.registry_holds_onay() && matches!(freed.registry, Sync::Pending { .. }));
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry(1..=2).await, 0);
    let sent = world.office.came_to(ADD).pop().unwrap().json();
    assert_eq!(sent["body"]["data"].as_array().map(Vec::len), Some(1), "{sent}");
    // The other arrives late.
    world.clock.advance(SignedDuration::from_hours(1));
    world.office.will_answer(SEARCH, 200, found("ONAY", &[1]));
    assert!(world.look_after(&submission).await);
    assert!(world.state(1).await.behind.is_none());
    assert_eq!(world.ledger.submission(&world.brand.name, &submission).await.unwrap(), None, "nobody waits for it any more");
}

#[tokio::test]
async fn what_was_queued_and_never_recorded_goes_again_until_its_time_is_over() {
    let world = queued(1).await;
    let submission = world.submission_of(1).await;
    // A day later nobody has heard of it: it is back in the plan and goes again.
    world.clock.advance(SignedDuration::from_hours(25));
    world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    assert!(world.look_after(&submission).await);
    assert_eq!(world.stands(1).await, "pending");
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry([1]).await, 0);
    assert_eq!((world.stands(1).await.as_str(), world.office.came_to(ADD).len()), ("submitted", 2));
    // Past its three business days it is asked about once more, and then it is no consent.
    let submission = world.submission_of(1).await;
    world.clock.advance(SignedDuration::from_hours(24 * 6));
    for _ in 0..2 {
        world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    }
    assert!(world.look_after(&submission).await);
    assert_eq!(world.carry([1]).await, 0);
    assert_eq!(world.stands(1).await, "H467");
    assert_eq!(world.state(1).await.insider_status(), Some(Status::Ret));
}

#[tokio::test]
async fn invariant_10_a_record_that_is_refused_at_once_costs_itself_only() {
    let world = World::at(settings()).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, fixture!("add-some-refused"));
    assert_eq!(world.carry(1..=2).await, 0);
    let stands = [world.stands(1).await, world.stands(2).await];
    assert_eq!(stands.iter().filter(|word| *word == "NETGSM-70").count(), 1);
    assert_eq!(stands.iter().filter(|word| *word == "submitted").count(), 1);
}

#[tokio::test]
async fn invariant_10_a_list_that_is_refused_without_a_position_is_found_out_by_halves() {
    let world = World::at(settings()).await;
    world.says(1..=4, Status::Onay, SAID).await;
    let refused = r#"{"code":"70","error":"…"}"#;
    // Four, two with the bad one, the bad one, its neighbour, the other two.
    for answer in [refused, refused, refused, fixture!("add-queued"), fixture!("add-queued")] {
        world.office.will_answer(ADD, 200, answer);
    }
    assert_eq!(world.carry(1..=4).await, 0);
    let sizes: Vec<_> = world.office.came_to(ADD).iter().map(|came| came.json()["body"]["data"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [4, 2, 1, 1, 2]);
    let mut stands = Vec::new();
    for number in 1..=4 {
        stands.push(world.stands(number).await);
    }
    assert_eq!(stands.iter().filter(|word| *word == "NETGSM-70").count(), 1, "{stands:?}");
    assert_eq!(stands.iter().filter(|word| *word == "submitted").count(), 3, "{stands:?}");
}

#[tokio::test]
async fn a_brand_whose_account_is_refused_is_held_and_goes_on_by_itself() {
    let world = World::at(settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, r#"{"code":"30"}"#);
    assert_eq!(world.carry([1]).await, 0);
    assert!(matches!(world.state(1).await.registry, Sync::Held { ref code, .. } if code.as_deref() == Some("NETGSM-30")));
    // While it is stopped nothing of it is called.
    world.says([2], Status::Onay, SAID).await;
    assert_eq!((world.carry([2]).await, world.stands(2).await.as_str(), world.office.came_to(ADD).len()), (0, "held", 1));
    // A look asks about nobody: still refused, and then not.
    for answer in [r#"{"code":"30"}"#, fixture!("search-none"), fixture!("search-none"), fixture!("search-none")] {
        world.office.will_answer(SEARCH, 200, answer);
    }
    assert_eq!(world.look_at_the_account().await.released, 0);
    assert_eq!(world.look_at_the_account().await.released, 2);
    let nobody = world.office.came_to(SEARCH).iter().all(|came| !came.body.contains("5992"));
    assert!(nobody, "the question names nobody's address");
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!(world.carry([1, 2]).await, 0);
    assert_eq!((world.stands(1).await.as_str(), world.stands(2).await.as_str()), ("submitted", "submitted"));
}

#[tokio::test]
async fn a_record_that_waits_for_a_turn_waits_in_the_ledger_and_not_as_a_failed_message() {
    let mut slow = settings();
    slow["callsPerMinute"] = 1.into();
    let world = World::at(slow).await;
    world.says(1..=2, Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!((world.carry([1]).await, world.carry([2]).await), (0, 0));
    let Sync::Pending { due, .. } = world.state(2).await.registry else { panic!("not pending") };
    assert!(due > world.clock.now());
    assert_eq!(world.office.came_to(ADD).len(), 1);
}

#[tokio::test]
async fn a_foreign_number_is_refused_here_and_a_dealers_consent_is_not() {
    let world = World::at(settings()).await;
    let offered = world.registry.capabilities();
    let mut abroad = crate::world::record(1, Status::Onay);
    abroad.recipient = shared::consent::Recipient::parse("+4915112345678", crate::world::MESAJ).unwrap();
    assert_eq!(offered.refusal(&abroad).unwrap().to_string(), "REGISTRY-NO-FOREIGN-NUMBERS");
    let mut with_dealers = crate::world::record(1, Status::Onay);
    with_dealers.retailers = Retailers { code: Some(66_438_915), ..Retailers::default() };
    assert_eq!(offered.refusal(&with_dealers), None);
}

#[tokio::test]
async fn a_refusal_that_is_too_late_is_asked_about_singly_where_the_answer_names_a_date() {
    let world = World::at(settings()).await;
    world.says([1], Status::Ret, "2026-11-02 12:00:00").await;
    // Nothing is known: which of them hold a consent? It does not.
    world.office.will_answer(SEARCH, 200, fixture!("search-none"));
    assert_eq!(world.carry([1]).await, 0);
    assert!(matches!(world.state(1).await.registry, Sync::Settled { outcome: Outcome::NotRegistered, .. }));
    assert!(world.office.came_to(ADD).is_empty());
}

fn notice(world: &World, status: Status, date: &str) -> Movement {
    let head = Head {
        status,
        source: "IYS_WEB".parse().unwrap(),
        consent_date: date.parse().unwrap(),
        origin: Origin::Notice,
        event_id: EventId::derive("notice", [date]),
        received_at: world.clock.now(),
        retailers: Retailers::default(),
    };
    Movement { key: world.key(1), recipient: phone(1), head }
}

#[tokio::test]
async fn a_consent_from_a_notice_counts_once_the_registry_confirms_it() {
    let world = World::at(settings()).await;
    world.take(vec![notice(&world, Status::Onay, "2026-11-20 11:05:09")]).await;
    assert_eq!(world.state(1).await.insider, Sync::Awaiting);
    world.office.will_answer(SEARCH, 200, fixture!("search-one"));
    assert_eq!(world.carry([1]).await, 0);
    let state = world.state(1).await;
    assert_eq!((state.head.origin, world.stands(1).await.as_str()), (Origin::Registry, "already_there"));
    assert!(state.registry_holds_onay() && state.insider.due().is_some());
}

#[tokio::test]
async fn a_consent_from_a_notice_that_the_registry_does_not_hold_is_none() {
    let older = fixture!("search-one").replace("ONAY", "RET").replace("2026-11-20 11", "2026-11-19 11");
    // Without a record it is refused; a refusal that stands there counts instead.
    for (answer, stands) in [(fixture!("search-none").to_owned(), "REGISTRY-UNCONFIRMED"), (older, "not_needed")] {
        let world = World::at(settings()).await;
        world.take(vec![notice(&world, Status::Onay, "2026-11-20 11:05:09")]).await;
        world.office.will_answer(SEARCH, 200, answer);
        assert_eq!(world.carry([1]).await, 0);
        assert_eq!((world.stands(1).await.as_str(), world.state(1).await.insider_status()), (stands, Some(Status::Ret)));
        assert!(world.office.came_to(ADD).is_empty(), "it is never sent as the brand's own");
    }
}

#[tokio::test]
async fn a_notice_takes_nobodys_place_and_what_the_registry_says_to_it_counts() {
    for (answer, ends) in
        [(fixture!("search-one").replace("11:05:09", "12:59:30"), Status::Onay), (fixture!("search-none").to_owned(), Status::Ret)]
    {
        let world = World::at(settings()).await;
        world.says([1], Status::Ret, SAID).await;
        world.office.will_answer(SEARCH, 200, fixture!("search-none"));
        assert_eq!((world.carry([1]).await, world.stands(1).await.as_str()), (0, "not_registered"));
        let before = world.state(1).await;
        // Older than the refusal, it is not even a reason to ask.
        world.take(vec![notice(&world, Status::Onay, "2026-11-20 11:05:09")]).await;
        assert_eq!(world.state(1).await, before);
        world.take(vec![notice(&world, Status::Onay, "2026-11-20 12:59:30")]).await;
        let state = world.state(1).await;
        assert_eq!((&state.head, &state.registry, &state.insider), (&before.head, &before.registry, &before.insider));
        world.clock.advance(SignedDuration::from_mins(15));
        world.office.will_answer(SEARCH, 200, answer);
        world.verify().await;
        assert_eq!((world.state(1).await.head.status, world.office.came_to(SEARCH).len()), (ends, 2));
    }
}

#[tokio::test]
async fn an_answer_that_nobody_understands_judges_nobody_and_the_record_comes_again() {
    let world = World::at(settings()).await;
    world.says([1], Status::Onay, SAID).await;
    world.office.will_answer(ADD, 200, r#"{"code":"99"}"#);
    assert_eq!((world.carry([1]).await, world.stands(1).await.as_str(), world.office.came_to(ADD).len()), (1, "pending", 1));
    world.office.will_answer(ADD, 200, fixture!("add-queued"));
    assert_eq!((world.carry([1]).await, world.stands(1).await.as_str()), (0, "submitted"));
}
