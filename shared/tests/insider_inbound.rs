//! What a brand may say of Insider's webhooks, and what becomes of signals that are no plain refusal.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::{AsideReason, Channel, Movement, Recipient, RecipientId};
use shared::insider::webhook::{Intake, Kind, read};

/// The moment of receipt, 12:00 in Turkish time.
const NOW: &str = "2026-11-20T09:00:00Z";
const RECEIVED: &str = "2026-11-20 12:00:00";
/// The moment that dated bodies speak of, in Turkish time.
const STATED: &str = "2026-11-20 11:15:00";
const AYSE: &str = "ayse@example.com";
const PHONE: &str = "+905321112233";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The local brand with other settings of its Insider side.
fn brand(settings: &Value) -> Brand {
    let mut document: Value = serde_json::from_str(include_str!("../../infra/local/brands/demo.json")).unwrap();
    document["insider"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    Brand::read(&document.to_string()).unwrap()
}

fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/tests/fixtures/insider/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn told(settings: &Value, body: &Value) -> Intake {
    read(body.to_string().as_bytes(), &brand(settings), now()).unwrap()
}

fn line(movement: &Movement) -> String {
    let (key, head) = (&movement.key, &movement.head);
    format!("{} {} {} {} {}", movement.recipient.expose(), key.channel, head.status, head.source, head.consent_date)
}

fn lines(intake: &Intake) -> Vec<String> {
    intake.movements.iter().map(line).collect()
}

fn asides(intake: &Intake) -> Vec<(AsideReason, String)> {
    intake.asides.iter().map(|(why, movement)| (*why, line(movement))).collect()
}

#[test]
fn each_signal_that_may_be_a_refusal_is_what_the_brand_says_and_safe_by_default() {
    let ret = |address: &str, channel: &str| format!("{address} {channel} RET HS_{channel} {STATED}");
    let (mail, phone) = (ret(AYSE, "EPOSTA"), ret(PHONE, "MESAJ"));
    for (name, setting, default, why, expected) in [
        ("email-unsubscribe-group", "groupUnsubscribe", "aside", AsideReason::LeftGroup, &mail),
        ("email-spam", "spamComplaint", "ret", AsideReason::SpamComplaint, &mail),
        ("transactional-email-bounce", "bounce", "none", AsideReason::Bounce, &mail),
        ("event-stream-whatsapp-opt-out", "whatsappOptOut", "none", AsideReason::WhatsappOptOut, &phone),
        ("whatsapp-preference-stop", "whatsappOptOut", "none", AsideReason::WhatsappOptOut, &phone),
    ] {
        let body = fixture(name);
        for effect in ["ret", "aside", "none", ""] {
            let settings = if effect.is_empty() { json!({}) } else { json!({ "meanings": { setting: effect } }) };
            let intake = told(&settings, &body);
            let effect = if effect.is_empty() { default } else { effect };
            assert_eq!(intake.counts.received, 1, "{name} {effect}");
            match effect {
                "ret" => assert_eq!((lines(&intake), asides(&intake)), (vec![expected.clone()], vec![]), "{name}"),
                "aside" => {
                    assert_eq!((lines(&intake), asides(&intake)), (vec![], vec![(why, expected.clone())]), "{name}");
                    let counted = if why == AsideReason::LeftGroup { intake.counts.group } else { intake.counts.aside };
                    assert_eq!(counted, 1, "{name}");
                }
                _ => {
                    assert_eq!((lines(&intake), asides(&intake)), (vec![], vec![]), "{name}");
                    let counted = if why == AsideReason::LeftGroup { intake.counts.group } else { intake.counts.no_meaning };
                    assert_eq!(counted, 1, "{name}");
                }
            }
        }
    }
}

#[test]
fn leaving_whatsapp_is_no_refusal_of_sms_however_it_is_told() {
    for body in [
        fixture("event-stream-whatsapp-opt-out"),
        json!({"messaging_product": "whatsapp", "event": "unsubscribe", "contacts": [{"wa_id": "905321112233"}]}),
        json!({"event": "unsubscribe", "channel": "whatsapp", "phone_number": PHONE}),
        json!({"event": "whatsapp_unsubscribe", "phone_number": PHONE}),
    ] {
        assert_eq!(told(&json!({}), &body).counts.no_meaning, 1, "{body}");
        let taken = told(&json!({"meanings": {"whatsappOptOut": "ret"}}), &body);
        assert_eq!(taken.movements[0].key.channel, Channel::Mesaj, "{body}");
    }
    let back = json!({"event": "resubscribe", "channel": "whatsapp", "phone_number": PHONE, "source": "HS_WEB"});
    assert_eq!(told(&json!({"undatedOnay": "receipt"}), &back).counts.no_meaning, 1);
}

#[test]
fn a_status_of_whatsapp_says_nothing_and_a_new_one_is_shown_by_its_name() {
    for name in ["whatsapp-status", "whatsapp-delivered"] {
        assert_eq!(told(&json!({}), &fixture(name)).counts.no_meaning, 1, "{name}");
    }
    let body = json!({"messaging_product": "whatsapp", "status": "escalated", "contacts": []});
    assert_eq!(told(&json!({}), &body).counts.unknown["escalated"], 1);
    assert_eq!(told(&json!({"events": {"escalated": "none"}}), &body).counts.no_meaning, 1);
}

#[test]
fn a_transactional_e_mail_is_told_of_as_a_promotional_one() {
    let intake = told(&json!({}), &fixture("transactional-email-unsubscribe"));
    assert_eq!(lines(&intake), [format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")]);
}

fn known(brand: &Brand, address: &str) -> (RecipientId, HashMap<RecipientId, Recipient>) {
    let recipient = Recipient::parse_any(address).unwrap();
    let id = recipient.id(&brand.recipient_id_key, &brand.name);
    (id.clone(), [(id, recipient)].into())
}

#[test]
fn an_sms_callback_without_a_number_is_for_whom_the_brands_reference_names() {
    let brand = brand(&json!({}));
    let (id, recipients) = known(&brand, PHONE);
    let mut body = fixture("sms-callback-unsubscribed-with-reference");
    body["uniqueArgs"]["iysRef"] = id.as_str().into();
    let mut intake = read(body.to_string().as_bytes(), &brand, now()).unwrap();
    assert_eq!((intake.counts.received, intake.referred.len()), (0, 1));
    assert_eq!(intake.referred[0].recipient_id, id);
    intake.resolve(&brand, now(), &recipients);
    assert_eq!(lines(&intake), [format!("{PHONE} MESAJ RET HS_MESAJ {RECEIVED}")]);
    assert_eq!((intake.counts.received, intake.counts.taken, intake.referred.len()), (1, 1, 0));

    // It is the same event as one that had the number.
    let mut with_number = body.clone();
    with_number["phone_number"] = PHONE.into();
    let direct = read(with_number.to_string().as_bytes(), &brand, now()).unwrap();
    assert_eq!(direct.movements[0].head.event_id, intake.movements[0].head.event_id);
}

#[test]
fn a_reference_that_leads_to_no_number_is_counted_and_takes_nothing() {
    let brand = brand(&json!({}));
    let body = fixture("sms-callback-unsubscribed-with-reference");
    let with = |reference: Value| {
        let mut body = body.clone();
        body["uniqueArgs"]["iysRef"] = reference;
        body
    };
    let (of_mail, mails) = known(&brand, AYSE);
    // Nobody's id, an id of an e-mail address, and what is no id: an address least of all.
    for (reference, recipients) in [
        (body["uniqueArgs"]["iysRef"].clone(), HashMap::new()),
        (json!(of_mail.as_str()), mails),
        (json!(PHONE), HashMap::new()),
        (json!(["a"]), HashMap::new()),
        (Value::Null, HashMap::new()),
    ] {
        let mut intake = read(with(reference.clone()).to_string().as_bytes(), &brand, now()).unwrap();
        assert!(!format!("{intake:?}").contains("A-77"), "nothing of the body is shown");
        intake.resolve(&brand, now(), &recipients);
        assert_eq!((intake.counts.received, intake.counts.no_recipient, intake.movements.len()), (1, 1, 0), "{reference}");
    }
    let other_field = json!({"smsReference": "ref"});
    let renamed = json!({"id": "s", "event": "unsubscribed", "uniqueArgs": {"ref": of_mail.as_str()}});
    assert_eq!(told(&other_field, &renamed).referred.len(), 1);
    assert_eq!(told(&json!({"smsReference": null}), &body).counts.no_recipient, 1);
}

#[test]
fn a_consent_that_starts_in_insider_has_a_mapped_source_and_its_date_or_is_kept_aside_with_the_reason() {
    let dated = fixture("attribute-stream-consent-dated");
    let undated = fixture("attribute-stream-consent");
    let mapped = json!({"attributes": {"email_optin": {"type": "EPOSTA", "onaySource": "HS_WEB"}}});
    let aside = |settings: &Value, body: &Value| {
        let intake = told(settings, body);
        assert_eq!((intake.counts.received, intake.movements.len()), (1, 0));
        (asides(&intake), intake.counts)
    };
    assert_eq!(lines(&told(&mapped, &dated)), [format!("{AYSE} EPOSTA ONAY HS_WEB {STATED}")]);
    let (kept, counts) = aside(&json!({}), &dated);
    assert_eq!(kept, [(AsideReason::OnayWithoutSource, format!("{AYSE} EPOSTA ONAY HS_EPOSTA {STATED}"))]);
    assert_eq!(counts.onay_without_source, 1);
    let (kept, counts) = aside(&mapped, &undated);
    assert_eq!(kept, [(AsideReason::OnayWithoutDate, format!("{AYSE} EPOSTA ONAY HS_WEB {RECEIVED}"))]);
    assert_eq!(counts.onay_without_date, 1);
    let mut trusting = mapped.clone();
    trusting["undatedOnay"] = "receipt".into();
    assert_eq!(lines(&told(&trusting, &undated)), [format!("{AYSE} EPOSTA ONAY HS_WEB {RECEIVED}")]);
}

#[test]
fn a_consent_told_by_an_event_or_in_the_brands_own_words_needs_the_same() {
    let event = fixture("event-stream-email-resubscribe");
    let own = fixture("call-an-api-consent");
    let mapped = json!({"onaySources": {"EPOSTA": "HS_MOBIL"}});
    for body in [&event, &own] {
        assert_eq!(told(&json!({}), body).counts.onay_without_source, 1, "{body}");
        assert_eq!(lines(&told(&mapped, body)), [format!("{AYSE} EPOSTA ONAY HS_MOBIL {STATED}")], "{body}");
        let mut with_source = body.clone();
        with_source["source"] = "HS_WEB".into();
        assert_eq!(lines(&told(&mapped, &with_source)), [format!("{AYSE} EPOSTA ONAY HS_WEB {STATED}")], "{body}");
        let mut undated = body.clone();
        for field in ["consentDate", "event_parameters"] {
            undated.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(told(&mapped, &undated).counts.onay_without_date, 1, "{undated}");
    }
    let old = json!({"event": "resubscribe", "email": AYSE, "timestamp": "2026-10-01T10:00:00Z"});
    assert_eq!(told(&mapped, &old).counts.invalid[0].code, "H467");
}

#[test]
fn the_opt_in_flag_is_read_by_its_type_and_only_a_real_one_says_anything() {
    let mapped = json!({"attributes": {
        "email_optin": {"type": "EPOSTA", "onaySource": "HS_WEB"},
        "call_optin": {"type": "ARAMA", "onaySource": "HS_CAGRI_MERKEZI", "onayValues": ["evet"], "retValues": ["hayır"]},
        "city": null,
    }});
    let change = |attribute: &str, old: Value, new: Value| {
        let body = json!({"attribute_name": attribute, "old_value": old, "new_value": new, "timestamp": 1_795_162_500,
                          "attrs": {"email": AYSE, "phone_number": PHONE}});
        told(&mapped, &body)
    };
    let status = |intake: &Intake| intake.movements.first().map(|movement| movement.head.status.to_string());
    for value in [json!(true), json!("true"), json!(1), json!("1")] {
        assert_eq!(status(&change("email_optin", json!(false), value.clone())).as_deref(), Some("ONAY"), "{value}");
    }
    for value in [json!(false), json!("FALSE"), json!(0), json!("0")] {
        assert_eq!(status(&change("email_optin", json!(true), value.clone())).as_deref(), Some("RET"), "{value}");
    }
    for value in [json!(null), json!("")] {
        assert_eq!(change("email_optin", json!(true), value.clone()).counts.no_meaning, 1, "{value}");
    }
    for value in [json!("evet"), json!(2), json!([true]), json!({"value": true})] {
        let counts = change("email_optin", json!(true), value.clone()).counts;
        assert_eq!((counts.taken, counts.invalid[0].field.as_ref()), (0, "email_optin"), "{value}");
    }
    // A custom attribute, in its words, as Insider names it.
    assert_eq!(lines(&change("c_call_optin", json!("hayır"), json!("Evet"))), [format!("{PHONE} ARAMA ONAY HS_CAGRI_MERKEZI {STATED}")]);
    assert_eq!(status(&change("call_optin", Value::Null, json!("Hayır"))).as_deref(), Some("RET"));
    assert_eq!(change("city", json!("a"), json!("b")).counts.no_meaning, 1);
    for known in ["gdpr_optin", "whatsapp_optin"] {
        assert_eq!(change(known, json!(true), json!(false)).counts.no_meaning, 1, "{known}");
    }
    // As a state, custom attributes stand in a place of their own.
    let state = json!({"attrs": {"phone_number": PHONE, "custom": {"call_optin": "hayır"}}});
    assert_eq!(lines(&told(&mapped, &state)), [format!("{PHONE} ARAMA RET HS_MESAJ {RECEIVED}")]);
}

#[test]
fn an_attribute_that_nobody_mapped_is_shown_by_name_and_form_and_never_by_value() {
    let body = json!({"attribute": "loyalty_optin", "old_value": true, "value": false, "attrs": {"email": AYSE, "phone_number": PHONE}});
    let intake = told(&json!({}), &body);
    assert_eq!(intake.counts.unknown_attributes["loyalty_optin"], 1);
    let sample = &intake.samples[&(Kind::Attribute, "loyalty_optin".to_owned())];
    let expected = json!({"attribute": "text", "old_value": "boolean", "value": "boolean",
                          "attrs": {"email": "text with an at sign", "phone_number": "text"}});
    assert_eq!(serde_json::from_str::<Value>(sample).unwrap(), expected);
    let two = json!([{"event_name": "left", "first": AYSE}, {"event_name": "left", "second": 1}, {"nothing": 1}]);
    let intake = told(&json!({}), &two);
    assert_eq!((intake.samples.len(), intake.counts.unknown["left"]), (2, 2));
    assert!(intake.samples[&(Kind::Event, "left".to_owned())].contains("first"));
}

#[test]
fn names_that_insider_does_not_publish_are_a_setting() {
    let settings = json!({"bodyFields": {"places": ["data"], "event": ["type_of"], "time": ["changed_at"], "email": ["mail"],
                          "attribute": ["field"], "oldValue": ["from"], "newValue": ["to"], "messageId": ["mid"]}});
    let change = fixture("attribute-stream-other-names");
    assert_eq!(told(&json!({}), &change).counts.unknown["unrecognised-shape"], 1);
    assert_eq!(lines(&told(&settings, &change)), [format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")]);
    let event = json!({"type_of": "unsubscribe", "mail": AYSE, "changed_at": 1_795_162_500, "mid": "m1", "seen": 1});
    let one = told(&settings, &event);
    assert_eq!(lines(&one), [format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")]);
    let mut again = event.clone();
    again["seen"] = 2.into();
    assert_eq!(told(&settings, &again).movements[0].head.event_id, one.movements[0].head.event_id, "the message's id identifies it");
}

#[test]
fn a_unit_of_time_that_the_brand_names_is_believed() {
    let body = fixture("email-unsubscribe-microseconds");
    for unit in ["auto", "microseconds"] {
        let intake = told(&json!({ "timestampUnit": unit }), &body);
        assert_eq!((lines(&intake), intake.counts.mended), (vec![format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}")], 0), "{unit}");
    }
    // In seconds it would be a date beyond all calendars: the refusal counts from its receipt.
    let intake = told(&json!({"timestampUnit": "seconds"}), &body);
    assert_eq!((lines(&intake), intake.counts.mended), (vec![format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}")], 1));
}

#[test]
fn refusals_without_a_usable_date_are_marked_and_others_are_not() {
    let bodies = json!([
        {"event": "unsubscribe", "email": AYSE},
        {"event": "unsubscribe", "email": AYSE, "timestamp": 1_795_162_500},
        {"event": "unsubscribe", "email": AYSE, "timestamp": "2026-11-20T09:00:09Z"},
        {"event": "unsubscribe", "email": AYSE, "timestamp": 1_893_456_000},
        {"event": "resubscribe", "email": AYSE, "source": "HS_WEB"},
    ]);
    let intake = told(&json!({"undatedOnay": "receipt"}), &bodies);
    assert_eq!(intake.movements.len(), 5);
    assert_eq!(intake.undated.into_iter().collect::<Vec<_>>(), [0, 3]);
}

#[test]
fn an_array_of_any_family_is_read_element_by_element() {
    let intake = told(&json!({}), &fixture("event-stream-batch"));
    assert_eq!(lines(&intake), [format!("{AYSE} EPOSTA RET HS_EPOSTA {STATED}"), format!("{PHONE} MESAJ RET HS_MESAJ {STATED}")]);
}

/// The JSON blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

#[test]
fn the_bodies_to_paste_that_the_documentation_shows_are_read_as_it_says() {
    let fill = |block: &str| {
        let filled = block.replace("{{email}}", AYSE).replace("{{phone_number}}", PHONE).replace("{{event_time}}", "2026-11-20T08:15:00Z");
        serde_json::from_str::<Value>(&filled).ok()
    };
    let page = include_str!("../../docs/insider-webhooks.md");
    let bodies: Vec<Value> = blocks(page).iter().filter_map(|block| fill(block)).filter(|body| body.get("recipient").is_some()).collect();
    let told: Vec<_> = bodies.iter().flat_map(|body| lines(&told(&json!({}), body))).collect();
    let expected = [
        format!("{AYSE} EPOSTA RET HS_EPOSTA {RECEIVED}"),
        format!("{PHONE} MESAJ RET HS_MESAJ {RECEIVED}"),
        format!("{AYSE} EPOSTA ONAY HS_WEB {STATED}"),
    ];
    assert_eq!(told, expected);
    let answers: Vec<Value> = blocks(page).iter().filter_map(|block| fill(block)).filter(|body| body.get("received").is_some()).collect();
    let counts = serde_json::to_value(self::told(&json!({}), &bodies[0]).counts).unwrap();
    assert_eq!(answers.len(), 1);
    for field in counts.as_object().unwrap().keys() {
        assert!(answers[0].get(field).is_some(), "{field} is missing in the answer that is shown");
        assert!(page.contains(&format!("`{field}`")), "{field} is not told of");
    }
}

#[test]
fn the_settings_that_the_documentation_shows_are_a_brands() {
    let page = include_str!("../../docs/brand.md");
    let whole = page.split("```jsonc\n").nth(1).and_then(|rest| rest.split_once("```")).unwrap().0;
    let bare: String = whole.lines().map(|line| line.split_once("//").map_or(line, |(before, _)| before)).collect();
    let brand =
        Brand::read(&bare.replace(r#""recipientIdKey": "…""#, r#""recipientIdKey": "0123456789012345678901234567890123""#)).unwrap();
    let (shown, usual) = (brand.insider, self::brand(&json!({})).insider);
    assert_eq!(format!("{:?} {:?}", shown.meanings, shown.attributes), format!("{:?} {:?}", usual.meanings, usual.attributes));
    assert_eq!(
        format!("{:?} {:?}", shown.undated_onay, shown.timestamp_unit),
        format!("{:?} {:?}", usual.undated_onay, usual.timestamp_unit)
    );
    assert_eq!((shown.sms_reference, shown.email_source, shown.sms_source), (usual.sms_reference, usual.email_source, usual.sms_source));
    let examples: Vec<Value> = blocks(page).iter().map(|block| serde_json::from_str(block).unwrap()).collect();
    assert!(examples.len() >= 3, "{examples:?}");
    for example in &examples {
        self::brand(example);
    }
}
