//! What every family of Insider's webhooks comes to, by recorded shapes and by arbitrary input.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::brand::{AttributeMeaning, Brand, EventMeaning, UndatedOnay};
use shared::consent::{Channel, Movement, Origin, RecipientType, Retailers, Source};
use shared::insider::webhook::{Intake, IntakeCounts, MOST_ELEMENTS, MOST_NAMES, OTHER, ReadError, UNRECOGNISED, read};

const NOW: &str = "2026-11-20T09:00:00Z";
/// The moment of receipt in Turkish time.
const RECEIVED: &str = "2026-11-20 12:00:00";
/// The moment that dated fixtures speak of, in Turkish time.
const STATED: &str = "2026-11-20 11:15:00";
const AYSE: &str = "ayse@example.com";
const PHONE: &str = "+905321112233";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn brand() -> Brand {
    Brand::read(include_str!("../../infra/local/brands/demo.json")).unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/insider/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn intake(name: &str) -> Intake {
    read(&fixture(name), &brand(), now()).unwrap()
}

fn told(body: &Value) -> Intake {
    read(body.to_string().as_bytes(), &brand(), now()).unwrap()
}

fn line(movement: &Movement) -> String {
    let (key, head) = (&movement.key, &movement.head);
    assert_eq!(head.origin, Origin::Insider);
    assert_eq!(head.received_at, now());
    assert_eq!(key.recipient_id, movement.recipient.id(&brand().recipient_id_key, &key.brand));
    format!(
        "{} {} {} {} {} {}",
        movement.recipient.expose(),
        key.channel,
        head.status,
        head.source,
        head.consent_date,
        if key.recipient_type == RecipientType::Bireysel { "" } else { "TACIR" }
    )
    .trim_end()
    .to_owned()
}

fn lines(intake: &Intake) -> Vec<String> {
    intake.movements.iter().map(line).collect()
}

fn balance(counts: &IntakeCounts) -> u32 {
    counts.taken
        + counts.no_meaning
        + counts.group
        + counts.aside
        + counts.unknown.values().chain(counts.unknown_attributes.values()).sum::<u32>()
        + u32::try_from(counts.invalid.len()).unwrap()
        + counts.no_recipient
        + counts.onay_without_source
        + counts.onay_without_date
}

#[test]
fn every_fixture_that_carries_a_refusal_becomes_that_movement() {
    for (name, expected) in [
        ("email-unsubscribe", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("email-unsubscribe-milliseconds", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("email-unsubscribe-rfc3339", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("email-unsubscribe-undated", format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")),
        ("email-unsubscribe-future", format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")),
        ("email-unsubscribe-before-2015", format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")),
        ("email-spam", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("event-stream-email-unsubscribe", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("event-stream-sms-unsubscribe", format!("{PHONE} MESAJ RET HS_MESAJ {STATED}")),
        ("event-stream-both-addresses", format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")),
        ("event-stream-flattened", format!("{PHONE} MESAJ RET HS_MESAJ {STATED}")),
        ("attribute-stream-change", format!("{PHONE} MESAJ RET HS_MESAJ {RECEIVED}")),
        ("sms-callback-unsubscribed-with-number", format!("{PHONE} MESAJ RET HS_MESAJ {RECEIVED}")),
        ("call-an-api-consent-words", format!("{AYSE} EPOSTA RET HS_WEB {STATED}")),
        ("call-an-api-late-refusal", format!("{PHONE} MESAJ RET HS_MESAJ 2026-10-01 10:00:00")),
        ("call-an-api-bad-date-and-source", format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")),
        ("call-an-api-tacir", format!("{PHONE} ARAMA RET HS_MESAJ {RECEIVED} TACIR")),
        ("call-an-api-event", format!("{PHONE} MESAJ RET HS_MESAJ {STATED}")),
    ] {
        let intake = intake(name);
        assert_eq!(lines(&intake), [expected], "{name}");
        assert_eq!((intake.counts.received, intake.counts.taken), (1, 1), "{name}");
    }
}

#[test]
fn every_fixture_without_a_movement_is_counted_as_what_it_is() {
    type Check = fn(&IntakeCounts) -> bool;
    let cases: &[(&str, Check)] = &[
        ("email-bounce", |counts| counts.no_meaning == 1),
        ("email-unsubscribe-group", |counts| counts.group == 1),
        ("event-stream-purchase", |counts| counts.unknown["purchase"] == 1),
        ("event-stream-email-click", |counts| counts.no_meaning == 1),
        ("event-stream-whatsapp-opt-out", |counts| counts.no_meaning == 1),
        ("event-stream-no-address", |counts| counts.no_recipient == 1),
        ("attribute-stream-consent", |counts| counts.onay_without_source == 1),
        ("attribute-stream-unchanged", |counts| counts.no_meaning == 1),
        ("attribute-stream-other-attribute", |counts| counts.unknown_attributes["city"] == 1),
        ("attribute-stream-unreadable", |counts| counts.invalid[0].field == "email_optin"),
        ("sms-callback-delivered", |counts| counts.no_meaning == 1),
        ("sms-callback-undelivered", |counts| counts.no_meaning == 1),
        ("sms-callback-unsubscribed", |counts| counts.no_recipient == 1),
        ("call-an-api-late-consent", |counts| counts.invalid[0].code == "H467"),
        ("call-an-api-missing-status", |counts| counts.invalid[0].code == "H110"),
        ("call-an-api-unfilled-template", |counts| counts.invalid[0].code == "H120"),
        ("whatsapp-status", |counts| counts.no_meaning == 1),
    ];
    for (name, check) in cases {
        let intake = intake(name);
        assert!(check(&intake.counts), "{name}: {:?}", intake.counts);
        assert_eq!((intake.movements.len(), intake.counts.received, balance(&intake.counts)), (0, 1, 1), "{name}");
    }
}

#[test]
fn every_fixture_is_tested_and_has_its_origin_written_down() {
    let own = include_str!("insider_webhook.rs");
    let others = include_str!("insider_inbound.rs");
    let origins = include_str!("fixtures/insider/README.md");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/insider")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".json") {
            assert!([own, others].iter().any(|tests| tests.contains(&format!("\"{stem}\""))), "{stem}");
            let named = origins.split('`').skip(1).step_by(2).any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => stem.starts_with(beginning),
                None => stem == pattern,
            });
            assert!(named, "{stem}");
        }
    }
}

#[test]
fn one_bad_element_of_a_batch_costs_that_element_only() {
    let intake = intake("email-batch");
    assert_eq!(
        lines(&intake),
        [format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}"), format!("mehmet@example.com EPOSTA RET HS_EPOSTA {STATED}")]
    );
    let counts = &intake.counts;
    assert_eq!((counts.received, counts.taken, counts.no_meaning, counts.unknown["loyalty_left"]), (6, 2, 1, 1));
    let invalid: Vec<_> = counts.invalid.iter().map(|invalid| (invalid.index, invalid.code)).collect();
    assert_eq!(invalid, [(2, "H120"), (4, "insider_element")]);
    let body =
        format!(r#"[{{"n":1e999}},{}{},{{"s":"\ud800"}},{{"event":"unsubscribe","email":"{AYSE}"}}]"#, "[".repeat(400), "]".repeat(400));
    let intake = read(body.as_bytes(), &brand(), now()).unwrap();
    assert_eq!((intake.counts.invalid.len(), intake.counts.taken), (3, 1), "{:?}", intake.counts);
}

#[test]
fn a_profile_that_refuses_two_channels_is_two_movements() {
    let intake = intake("attribute-stream-state");
    assert_eq!(lines(&intake), [format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}"), format!("{PHONE} MESAJ RET HS_MESAJ {RECEIVED}")]);
    assert_eq!((intake.counts.received, intake.counts.taken), (2, 2));
}

#[test]
fn a_brand_may_map_leaving_a_group_and_its_own_events() {
    let mut brand = brand();
    brand.insider.events.insert("group_unsubscribe".into(), EventMeaning::Ret);
    brand.insider.events.insert("Purchase".into(), EventMeaning::Ret);
    for name in ["email-unsubscribe-group", "event-stream-purchase"] {
        assert_eq!(read(&fixture(name), &brand, now()).unwrap().counts.taken, 1, "{name}");
    }
}

#[test]
fn returning_to_a_group_is_no_consent_for_the_channel() {
    let body = json!({"event": "resubscribe", "email": AYSE, "ins_unsub_id": 4471});
    assert_eq!(told(&body).counts.group, 1);
    let body = json!({"event": "resubscribe", "email": AYSE, "ins_unsub_id": "0", "source": "HS_WEB", "timestamp": 1_795_162_500});
    assert_eq!(lines(&told(&body)), [format!("{AYSE} EPOSTA ONAY HS_WEB {STATED}")]);
}

#[test]
fn an_event_of_a_channel_never_speaks_for_an_address_of_another() {
    let body = json!({"event_name": "sms_unsubscribe", "attrs": {"email": AYSE}});
    assert_eq!(told(&body).counts.no_recipient, 1);
    let body = json!({"event_name": "email_unsubscribe", "attrs": {"phone_number": PHONE}});
    assert_eq!(told(&body).counts.no_recipient, 1);
    let body = json!({"event": "unsubscribe", "type": "ARAMA", "email": AYSE, "phone": PHONE});
    assert_eq!(told(&body).movements[0].key.channel, Channel::Arama);
}

#[test]
fn a_wrong_date_never_costs_a_refusal_and_never_makes_a_consent() {
    for timestamp in [json!("yesterday"), json!(-5), json!([1]), json!(1), json!(u64::MAX)] {
        let event = |name: &str| told(&json!({"event": name, "email": AYSE, "timestamp": timestamp}));
        let refusal = event("unsubscribe");
        assert_eq!(lines(&refusal), [format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")], "{timestamp}");
        assert_eq!(refusal.counts.mended, 1, "{timestamp}");
        let consent = event("resubscribe");
        assert_eq!((consent.counts.taken, consent.counts.invalid[0].field.as_ref()), (0, "consentDate"), "{timestamp}");
    }
    let consent = |date: Value| {
        let event = told(&json!({"event": "resubscribe", "email": AYSE, "source": "HS_WEB", "timestamp": date}));
        let plain = told(&json!({"type": "EPOSTA", "status": "ONAY", "recipient": AYSE, "source": "HS_WEB", "consentDate": date}));
        assert_eq!((lines(&event), &event.counts.invalid.len()), (lines(&plain), &plain.counts.invalid.len()), "{date}");
        (lines(&event), event.counts)
    };
    // A clock that is a little ahead: it has only just happened, and that is said.
    for ahead in [json!("2026-11-20T09:00:09Z"), json!("2026-11-20T12:05:00+03:00")] {
        let (lines, counts) = consent(ahead.clone());
        assert_eq!((lines, counts.mended), (vec![format!("{AYSE} EPOSTA ONAY HS_WEB {RECEIVED}")], 1), "{ahead}");
    }
    // Further ahead nothing is believed: neither a year with too many digits, nor one of another unit.
    for ahead in [json!("2026-11-20T09:05:01Z"), json!(1_893_456_000), json!(20_261_120_111_500_i64), json!("9999-01-01T00:00:00Z")] {
        let (lines, counts) = consent(ahead.clone());
        assert_eq!((lines, counts.invalid[0].code), (vec![], "H162"), "{ahead}");
        let refusal = told(&json!({"event": "unsubscribe", "email": AYSE, "timestamp": ahead}));
        assert_eq!(refusal.counts.mended, 1, "{ahead}");
    }
}

#[test]
fn dealers_in_plain_words_are_carried_through_and_wrong_ones_cost_no_refusal() {
    let body = |status: &str, dealers: Value| {
        let mut body =
            json!({"type": "EPOSTA", "status": status, "recipient": AYSE, "source": "HS_WEB", "consentDate": "2026-11-20 11:15:00"});
        body.as_object_mut().unwrap().extend(dealers.as_object().unwrap().clone());
        told(&body)
    };
    let right = body("ONAY", json!({"retailerCode": "58954386", "retailerAccess": [58_954_386, 55_550_127]}));
    assert_eq!(right.movements[0].head.retailers, Retailers { code: Some(58_954_386), access: vec![55_550_127, 58_954_386] });
    assert!(body("ONAY", json!({"retailerCode": null, "retailerAccess": null})).movements[0].head.retailers.is_empty());
    for (dealers, field) in [
        (json!({"retailerCode": "{{dealer}}"}), "retailerCode"),
        (json!({"retailerAccess": "58954386"}), "retailerAccess"),
        (json!({"retailerAccess": [1]}), "retailerAccess"),
    ] {
        let refusal = body("RET", dealers.clone());
        assert!(refusal.movements[0].head.retailers.is_empty(), "{dealers}");
        assert_eq!((refusal.counts.taken, refusal.counts.mended), (1, 1), "{dealers}");
        let consent = body("ONAY", dealers.clone());
        assert_eq!((consent.counts.taken, consent.counts.invalid[0].field.as_ref()), (0, field), "{dealers}");
    }
}

#[test]
fn a_refusal_in_plain_words_counts_whatever_event_it_rides_on() {
    let body = json!({"event": "journey_left", "type": "EPOSTA", "status": "RET", "recipient": AYSE});
    assert_eq!(told(&body).counts.taken, 1);
}

#[test]
fn a_body_delivered_twice_is_the_same_movement_however_it_is_written() {
    let id = |body: &str, at: &str| read(body.as_bytes(), &brand(), at.parse().unwrap()).unwrap().movements[0].head.event_id.clone();
    let one = r#"{"event_name":"email_unsubscribe","attrs":{"email":"ayse@example.com","city":"x"}}"#;
    let two = r#"[ {"attrs":{"city":"x", "email":"ayse@example.com"}, "event_name":"email_unsubscribe"} ]"#;
    let three = r#"{"event_name":"email_unsubscribe","attrs":{"email":"ayse@example.com","city":"y"}}"#;
    assert_eq!(id(one, NOW), id(two, "2027-01-20T09:59:59Z"), "whatever our clock says");
    assert_ne!(id(one, NOW), id(three, NOW));
    // A consent of one message is one for good, whatever time it is told with.
    let consent =
        |at: i64| id(&json!({"event": "resubscribe", "email": AYSE, "source": "HS_WEB", "msg-id": "m1", "timestamp": at}).to_string(), NOW);
    assert_eq!(consent(1_795_162_500), consent(1_795_162_560));
    let dated =
        |at: i64, seen: &str| format!(r#"{{"event":"unsubscribe","email":"a@bc.de","msg-id":"m1","timestamp":{at},"seen":"{seen}"}}"#);
    assert_eq!(id(&dated(1, "a"), NOW), id(&dated(1, "b"), NOW));
    assert_ne!(id(&dated(1, "a"), NOW), id(&dated(2, "a"), NOW));
}

#[test]
fn event_ids_do_not_depend_on_the_address() {
    let id = |address: &str| told(&json!({"event": "sms_unsubscribe", "phone_number": address})).movements[0].head.event_id.clone();
    assert_eq!(id("+905321112233"), id("+905321112234"));
}

#[test]
fn names_that_could_be_an_address_are_counted_as_other() {
    for name in [json!(AYSE), json!(PHONE), json!("905321112233"), json!("a\u{0}b"), json!("x".repeat(65)), json!({"a": 1}), json!("ünlü")]
    {
        let counts = told(&json!({"event": name})).counts;
        assert_eq!(counts.unknown.get(OTHER), Some(&1), "{name}: {counts:?}");
    }
    let many: Vec<_> = (0..200).map(|number| json!({"event": format!("event_{number}")})).collect();
    let counts = told(&Value::from(many)).counts;
    assert_eq!((counts.unknown.len(), counts.unknown[OTHER], balance(&counts)), (MOST_NAMES + 1, 150, 200));
    assert_eq!(told(&json!({"event": "Loyalty Tier-2.left"})).counts.unknown["Loyalty Tier-2.left"], 1);
}

#[test]
fn only_a_body_that_is_no_object_and_no_array_is_refused_as_a_whole() {
    for body in [&b"null"[..], b"1", b"\"x\"", b"{", b"[{}", b"{}{}", b"[] x", b"event=unsubscribe&email=ayse@example.com", b"\xff\xfe"] {
        assert_eq!(read(body, &brand(), now()), Err(ReadError::Form), "{body:?}");
    }
    for nothing in [&b"[]"[..], b"", b" \r\n", b"\xef\xbb\xbf"] {
        assert_eq!(read(nothing, &brand(), now()), Ok(Intake::default()));
    }
    assert_eq!(read(b"{}", &brand(), now()).unwrap().counts.unknown[UNRECOGNISED], 1);
}

#[test]
fn a_byte_order_mark_or_a_stray_byte_costs_no_refusal() {
    let mut body = b"\xef\xbb\xbf{\"event\":\"unsubscribe\",\"email\":\"ayse@example.com\",\"campaign_name\":\"Kas\xfdm\"}\r\n".to_vec();
    assert_eq!(read(&body, &brand(), now()).unwrap().counts.taken, 1);
    body.truncate(20);
    assert_eq!(read(&body, &brand(), now()), Err(ReadError::Form));
}

#[test]
fn a_body_with_too_many_elements_is_refused() {
    let body = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(read(body(MOST_ELEMENTS).as_bytes(), &brand(), now()).unwrap().counts.received, 5_000);
    assert_eq!(read(body(MOST_ELEMENTS + 1).as_bytes(), &brand(), now()), Err(ReadError::TooMany));
}

#[test]
fn hostile_sizes_are_read_or_refused_without_harm() {
    let huge = "a".repeat(2_000_000);
    let counts = told(&json!({"event": "unsubscribe", "email": format!("{huge}@example.com"), "x": huge})).counts;
    assert_eq!(counts.invalid[0].code, "H120");
    let deep = format!("{}{}", "{\"attrs\":".repeat(100_000), "1");
    assert_eq!(read(deep.as_bytes(), &brand(), now()), Err(ReadError::Form));
    let deep = format!("{}1{}", "{\"attrs\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(read(deep.as_bytes(), &brand(), now()).unwrap().counts.invalid.len(), 1);
}

#[test]
fn counts_answer_in_camel_case_and_show_no_value() {
    let counts = serde_json::to_value(intake("email-batch").counts).unwrap();
    assert_eq!(counts["noMeaning"], 1);
    assert_eq!(counts["invalid"][0]["index"], 2);
    assert!(!counts.to_string().contains("not an address") && !counts.to_string().contains('@'));
}

/// JSON of the keys and words that matter here, and of anything else.
fn json_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("unsubscribe".to_owned()),
        Just("email_unsubscribe".to_owned()),
        Just("sms_resubscribe".to_owned()),
        Just("delivered".to_owned()),
        Just("RET".to_owned()),
        Just("ONAY".to_owned()),
        Just("EPOSTA".to_owned()),
        Just("MESAJ".to_owned()),
        Just("email_optin".to_owned()),
        Just("secretperson@example.com".to_owned()),
        Just("+905321234567".to_owned()),
        Just("2026-11-20 11:15:00".to_owned()),
        "\\PC{0,12}",
        Just("\u{0}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_i64..2_000_000_000).prop_map(Value::from),
        word.clone().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "event",
        "event_name",
        "email",
        "phone_number",
        "attr_email",
        "attrs",
        "event_parameters",
        "uniqueArgs",
        "timestamp",
        "msg-id",
        "type",
        "status",
        "recipient",
        "recipientType",
        "source",
        "consentDate",
        "externalId",
        "attribute",
        "new_value",
        "old_value",
        "email_optin",
        "sms_optin",
        "attr_sms_optin",
        "ins_unsub_id",
        "unsub_group_name",
        "x",
    ]);
    leaf.prop_recursive(4, 64, 10, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

/// Elements in which most things are in their place, so that many of them become movements.
fn likely_element() -> impl Strategy<Value = Value> {
    let any_of = |words: &[&str]| prop::sample::select(words.iter().map(|word| json!(word)).collect::<Vec<_>>());
    let name = any_of(&["unsubscribe", "email_unsubscribe", "sms_unsubscribe", "resubscribe", "delivered", "loyalty"]);
    let address = any_of(&["secretperson@example.com", "secretperson@example.com", "+905321234567", "0532 123 45 67", "secretperson@"]);
    let time = prop_oneof![
        any_of(&["2026-11-20 11:15:00", "2026-11-20T08:15:00Z", "1795162500", "soon", "0"]),
        any::<i64>().prop_map(Value::from),
        (0_i64..1_900_000_000).prop_map(Value::from),
    ];
    let word = any_of(&["RET", "ONAY", "EPOSTA", "MESAJ", "HS_WEB", "HS_KARAR", "HS_2015", "IYS_WEB", "TACIR", "x"]);
    let flag = prop_oneof![any::<bool>().prop_map(Value::from), any_of(&["false", "1", "?"]), Just(Value::Null)];
    let field = |names: &'static [&'static str], value: BoxedStrategy<Value>| (prop::sample::select(names), value);
    let field = prop_oneof![
        field(&["event", "event_name", "event", "attribute"], name.boxed()),
        field(&["email", "email", "phone_number", "recipient", "attr_phone"], address.boxed()),
        field(&["timestamp", "consentDate"], time.boxed()),
        field(&["status", "type", "source", "recipientType", "msg-id", "ins_unsub_id"], word.boxed()),
        field(&["email_optin", "sms_optin", "attr_email_optin", "new_value", "old_value"], flag.boxed()),
    ];
    (prop::collection::vec(field, 4..16), prop::option::of("attrs|event_parameters|uniqueArgs")).prop_map(|(fields, place)| {
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (top, inner) = fields.split_at(if place.is_some() { fields.len() / 2 } else { fields.len() });
        let mut element: serde_json::Map<_, _> = top.iter().cloned().collect();
        if let Some(place) = place {
            element.insert(place, Value::Object(inner.iter().cloned().collect()));
        }
        Value::Object(element)
    })
}

/// A brand that maps everything that may be mapped.
fn generous_brand() -> Brand {
    let mut brand = brand();
    let meaning = AttributeMeaning { onay_source: Some(Source::HsMobil), ..AttributeMeaning::of(Channel::Mesaj) };
    brand.insider.attributes.insert("sms_optin".into(), Some(meaning));
    brand.insider.onay_sources = [(Channel::Eposta, Source::HsWeb), (Channel::Mesaj, Source::HsMobil)].into();
    brand.insider.undated_onay = UndatedOnay::Receipt;
    brand
}

proptest! {
    #[test]
    fn everything_received_is_accounted_for_and_nothing_shows_an_address(
        body in prop_oneof![json_value(), prop::collection::vec(likely_element(), 1..12).prop_map(Value::from)],
    ) {
        match read(body.to_string().as_bytes(), &generous_brand(), now()) {
            Ok(intake) => {
                let counts = &intake.counts;
                prop_assert_eq!(counts.received, balance(counts));
                prop_assert_eq!(counts.taken as usize, intake.movements.len());
                prop_assert!(counts.mended <= counts.taken);
                if let Value::Array(elements) = &body {
                    prop_assert!(counts.received as usize >= elements.len());
                }
                for movement in &intake.movements {
                    prop_assert!(movement.recipient.fits(movement.key.channel));
                    prop_assert!(movement.head.source.is_sendable());
                    prop_assert!(movement.head.consent_date <= shared::consent::ConsentDate::at(now()));
                    prop_assert!(movement.head.consent_date >= shared::consent::ConsentDate::EARLIEST);
                    prop_assert_eq!(movement.head.origin, Origin::Insider);
                }
                let shown = format!("{intake:?} {intake:#?} {}", serde_json::to_string(counts).unwrap());
                for secret in ["secretperson", "example.com", "5321234567"] {
                    prop_assert!(!shown.contains(secret), "{}", shown);
                }
            }
            Err(error) => {
                prop_assert!(!body.is_object() && !body.is_array());
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains("secretperson"));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_without_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&body, &brand(), now());
    }

    #[test]
    fn arbitrary_text_that_looks_like_json_is_read_or_refused_without_panic(body in "[\\[{][\\[\\]{}\":,0-9a-z\\\\ .-]{0,40}[\\]}]") {
        let _ = read(body.as_bytes(), &brand(), now());
    }
}
