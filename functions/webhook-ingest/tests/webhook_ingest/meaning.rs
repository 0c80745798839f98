//! Events whose meaning depends on what the ledger knows.

use jiff::SignedDuration;
use serde_json::json;
use shared::consent::{AsideReason, Channel, RecipientType, Status};
use shared::ledger::UnknownKind;

use crate::desk::Desk;

const AYSE: &str = "ayse@example.com";
const PHONE: &str = "+905321112233";

#[tokio::test(flavor = "multi_thread")]
async fn invariant_3_a_refusal_without_a_date_is_one_movement_however_often_and_late_it_is_delivered() {
    let desk = Desk::new(json!({})).await;
    desk.says(AYSE, Channel::Eposta, RecipientType::Bireysel, Status::Onay).await;
    desk.clock.advance(SignedDuration::from_mins(1));
    let body = json!({"event": "unsubscribe", "email": AYSE, "msg-id": "m-1"});
    let answer = desk.events(&body).await;
    assert_eq!((&answer["taken"], &answer["accepted"]), (&json!(1), &json!(1)));
    for hours in [0, 1, 30, 500] {
        desk.clock.advance(SignedDuration::from_hours(hours));
        let answer = desk.events(&json!([body, body])).await;
        assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(0), &json!(2)), "{hours}");
    }
    assert_eq!(desk.story(AYSE).await.history.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_2_the_same_words_after_a_new_consent_are_a_new_refusal_even_within_a_minute() {
    let desk = Desk::new(json!({})).await;
    let body = json!({"event": "unsubscribed", "id": "sms-1", "uniqueArgs": {"phone_number": PHONE}});
    for round in 1..=3_usize {
        desk.clock.advance(SignedDuration::from_secs(10));
        desk.says(PHONE, Channel::Mesaj, RecipientType::Bireysel, Status::Onay).await;
        desk.clock.advance(SignedDuration::from_secs(10));
        assert_eq!(desk.events(&body).await["accepted"], 1, "{round}");
        let story = desk.story(PHONE).await;
        assert_eq!((story.states[0].head.status, story.history.len()), (Status::Ret, 2 * round));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undated_refusal_counts_for_every_type_that_the_address_is_known_as() {
    let desk = Desk::new(json!({})).await;
    for recipient_type in [RecipientType::Bireysel, RecipientType::Tacir] {
        desk.says(PHONE, Channel::Mesaj, recipient_type, Status::Onay).await;
    }
    desk.clock.advance(SignedDuration::from_secs(10));
    let answer = desk.events(&json!({"event": "sms_unsubscribe", "phone_number": PHONE})).await;
    assert_eq!((&answer["taken"], &answer["accepted"]), (&json!(1), &json!(2)));
    let story = desk.story(PHONE).await;
    assert!(story.states.iter().all(|state| state.head.status == Status::Ret), "{:?}", story.states);
    // The body's own word for the type counts for that one.
    let own = json!({"recipient": PHONE, "type": "ARAMA", "status": "RET", "recipientType": "TACIR"});
    assert_eq!(desk.events(&own).await["accepted"], 1);
    assert_eq!(desk.events(&own).await["duplicates"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sms_callback_finds_the_number_behind_the_brands_reference() {
    let desk = Desk::new(json!({})).await;
    desk.says(PHONE, Channel::Arama, RecipientType::Bireysel, Status::Onay).await;
    let reference = desk.story(PHONE).await.states[0].key.recipient_id.clone();
    let body = json!({"id": "sms-1", "event": "unsubscribed", "uniqueArgs": {"order": "A-77", "iysRef": reference.as_str()}});
    let answer = desk.events(&body).await;
    assert_eq!((&answer["received"], &answer["taken"], &answer["accepted"]), (&json!(1), &json!(1), &json!(1)), "{answer}");
    let story = desk.story(PHONE).await;
    let sms = story.states.iter().find(|state| state.key.channel == Channel::Mesaj).unwrap();
    assert_eq!((sms.head.status, sms.head.source.as_str()), (Status::Ret, "HS_MESAJ"));
    assert_eq!(desk.events(&body).await["duplicates"], 1);
    let stranger = json!({"id": "sms-1", "event": "unsubscribed", "uniqueArgs": {"iysRef": "AAAAAAAAAAAAAAAAAAAAAA"}});
    assert_eq!(desk.events(&stranger).await["noRecipient"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_effect_stands_in_the_history_with_its_reason_once() {
    let desk = Desk::new(json!({"meanings": {"bounce": "aside"}})).await;
    let bodies = json!([
        {"event": "unsubscribe", "email": AYSE, "unsub_group_name": "weekly-news"},
        {"event": "bounce", "email": AYSE},
        {"event": "resubscribe", "email": AYSE, "timestamp": "2026-11-20T08:15:00Z"},
        {"event": "resubscribe", "email": AYSE, "source": "HS_WEB"},
    ]);
    for _ in 0..2 {
        let answer = desk.events(&bodies).await;
        assert_eq!(answer["taken"], 0);
        for field in ["group", "aside", "onayWithoutSource", "onayWithoutDate"] {
            assert_eq!(answer[field], 1, "{field}");
        }
        desk.clock.advance(SignedDuration::from_hours(2));
    }
    let story = desk.story(AYSE).await;
    assert!(story.states.is_empty());
    let mut reasons: Vec<_> = story.history.iter().map(|entry| entry.aside.unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [AsideReason::LeftGroup, AsideReason::Bounce, AsideReason::OnayWithoutSource, AsideReason::OnayWithoutDate]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_mapped_is_counted_and_sampled_without_a_value() {
    let desk = Desk::new(json!({})).await;
    for _ in 0..2 {
        desk.events(
            &json!([{"event_name": "loyalty_left", "attrs": {"email": AYSE}}, {"attribute": "city", "value": "İzmir", "phone": PHONE}]),
        )
        .await;
    }
    let events = desk.ledger().unknown_names(&desk.brand.name, UnknownKind::Event).await.unwrap();
    let attributes = desk.ledger().unknown_names(&desk.brand.name, UnknownKind::Attribute).await.unwrap();
    assert_eq!((events["loyalty_left"].times, attributes["city"].times), (2, 2));
    let samples = format!("{events:?} {attributes:?}");
    assert!(samples.contains("text with an at sign") && !samples.contains("ayse") && !samples.contains("zmir"), "{samples}");
    assert!(!samples.contains("5321112233"), "{samples}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_nothing_but_asides_and_names_is_taken_in_one_go() {
    let desk = Desk::new(json!({})).await;
    let mut elements: Vec<_> =
        (0..1_500).map(|at| json!({"event": "unsubscribe", "email": format!("kisi{at}@example.com"), "unsub_group_name": "g"})).collect();
    elements.extend((0..1_500).map(|at| json!({"event": format!("event_{at}")})));
    let answer = desk.events(&json!(elements)).await;
    assert_eq!((&answer["group"], &answer["unknown"]["other"]), (&json!(1_500), &json!(1_450)));
}
