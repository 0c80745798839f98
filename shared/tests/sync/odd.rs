//! What İYS tells in ways that are easy to get wrong: lines that were closed, merchants without dates,
//! first-time citizens, numbers with an extra zero, two movements of one second, and dealers that it does
//! not know.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::consent::code::Code;
use shared::consent::{Channel, ConsentKey, ConsentState, EventId, Merge, Origin, Recipient, Retailers, Source, Status};
use shared::ledger::Recorded;
use shared::registry::Feed;
use shared::sync::push::SINGLE_ADDS;
use shared::{iys, sync};

use crate::book::Op;
use crate::world::{BIREYSEL, EPOSTA, TACIR, World, email, phone, word};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const MESAJ: Channel = Channel::Mesaj;

/// Lines as İYS tells them, in pull, push or history: each with its own fields over the usual ones.
async fn told(world: &World, lines: impl IntoIterator<Item = Value>) -> Vec<Recorded> {
    let lines: Vec<Value> = lines
        .into_iter()
        .map(|own| {
            let mut line = json!({"recipientType": "BIREYSEL", "type": "EPOSTA", "source": "IYS_MOBIL", "transactionId": "t"});
            line.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            line
        })
        .collect();
    let lines = iys::read_notice(json!({ "list": lines }).to_string().as_bytes()).unwrap();
    let now = world.clock.now();
    world.take(lines.into_iter().map(|line| sync::pull::movement(&world.brand, line.change.unwrap(), now)).collect()).await
}

async fn state(world: &World, key: &ConsentKey) -> ConsentState {
    world.ledger.state(key).await.unwrap().unwrap()
}

/// The number with the zero that does not belong there.
fn misspelt(recipient: &Recipient) -> String {
    recipient.expose().replacen("+90", "+900", 1)
}

#[tokio::test]
async fn a_closed_line_ends_the_consent_whose_date_it_carries_and_insider_is_told() {
    let world = World::new().await;
    let key = world.key_of(&phone(1), MESAJ, BIREYSEL);
    let date = world.ago(60);
    world.take(vec![world.movement(key.clone(), phone(1), ONAY, date, Origin::Api)]).await;
    world.drain().await;
    assert_eq!(world.reachable(&phone(1)).await, (false.into(), true.into()));
    let closed = json!({"type": "MESAJ", "recipient": phone(1).expose(), "status": "RET", "source": "IYS_AHS_HAT_KAPATMA",
                        "consentDate": date.to_string(), "creationDate": world.ago(0).to_string()});
    // Push tells of it first, the feed later.
    assert_eq!(told(&world, [closed.clone()]).await[0].merge, Merge::Advanced);
    assert!(!told(&world, [closed]).await[0].is_new);
    let calls = world.book.calls(Op::Add).len();
    world.drain().await;
    // Our own consent of that second in the other feed does not bring it back.
    world.pull().run(Feed::Brand).await.unwrap();
    world.drain().await;
    assert_eq!((state(&world, &key).await.head.status, world.book.calls(Op::Add).len()), (RET, calls));
    assert_eq!(world.reachable(&phone(1)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn a_closed_line_that_is_dated_before_our_pending_consent_does_not_keep_it_from_the_registry() {
    let world = World::new().await;
    let key = world.key_of(&phone(1), MESAJ, BIREYSEL);
    let before = world.ago(3600);
    world.book.person(&phone(1), MESAJ, BIREYSEL, ONAY, before);
    world.book.person(&phone(1), MESAJ, BIREYSEL, RET, before);
    world.take(vec![world.movement(key.clone(), phone(1), ONAY, world.ago(60), Origin::Api)]).await;
    let closed = json!({"type": "MESAJ", "recipient": phone(1).expose(), "status": "RET", "source": "IYS_AHS_HAT_KAPATMA",
                        "consentDate": before.to_string(), "creationDate": world.ago(0).to_string()});
    assert_eq!(told(&world, [closed]).await[0].merge, Merge::Superseded);
    assert_eq!(world.reachable(&phone(1)).await.1, Value::Null, "nobody is told of a consent before the registry holds it");
    world.drain().await;
    assert_eq!(world.book.rows(&phone(1), MESAJ, BIREYSEL).last().unwrap().status, ONAY);
    assert_eq!(world.reachable(&phone(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn a_merchant_without_date_or_source_counts_from_the_moment_of_recording_however_often_it_is_told() {
    let world = World::new().await;
    let key = world.key_of(&email(1), EPOSTA, TACIR);
    let recorded = world.ago(600);
    let first = json!({"recipient": email(1).expose(), "recipientType": "TACIR", "status": "ONAY", "source": null, "consentDate": "",
                       "creationDate": recorded.to_string()});
    let closed = json!({"recipient": email(1).expose(), "recipientType": "TACIR", "status": "RET", "source": "IYS_AHS_HAT_KAPATMA",
                        "consentDate": "", "creationDate": world.ago(300).to_string(), "transactionId": "t2"});
    told(&world, [first.clone()]).await;
    let state_now = state(&world, &key).await;
    assert_eq!((state_now.head.source.clone(), state_now.head.consent_date), (Source::Unstated, recorded));
    assert!(state_now.registry_holds_onay());
    told(&world, [closed.clone(), first.clone(), closed]).await;
    assert_eq!(state(&world, &key).await.head.status, RET);
    let story = world.ledger.story(&world.brand.name, &key.recipient_id).await.unwrap();
    assert_eq!(story.history.len(), 2);
    // The brand's own later word on such a record is sent with both fields.
    world.take(vec![world.movement(key.clone(), email(1), ONAY, world.ago(30), Origin::Api)]).await;
    world.drain().await;
    let sent = world.book.inner().came.pop().unwrap();
    assert_eq!((sent.recipient_type, sent.status, sent.source), (TACIR, ONAY, Source::HsWeb));
}

#[tokio::test]
async fn a_line_without_any_date_is_one_movement_and_does_not_move_on_with_the_clock() {
    let world = World::new().await;
    let line = json!({"recipient": email(1).expose(), "recipientType": "TACIR", "status": "ONAY", "source": ""});
    told(&world, [line.clone()]).await;
    let key = world.key_of(&email(1), EPOSTA, TACIR);
    world.clock.advance(SignedDuration::from_secs(60));
    world.take(vec![world.movement(key.clone(), email(1), RET, world.ago(10), Origin::Api)]).await;
    world.clock.advance(SignedDuration::from_secs(60));
    assert!(!told(&world, [line]).await[0].is_new);
    assert_eq!(state(&world, &key).await.head.status, RET, "a consent that is told again lifts no refusal");
}

#[tokio::test]
async fn invariant_6_a_first_time_citizens_name_is_neither_stored_nor_shown() {
    let world = World::new().await;
    let first = json!({"recipient": email(1).expose(), "status": "ONAY", "source": "IYS_WEB_YENI", "citizenName": "GULSUM KARAHAN",
                       "consentDate": world.ago(60).to_string(), "creationDate": world.ago(50).to_string()});
    let recorded = told(&world, [first]).await;
    assert_eq!(recorded[0].state.head.source.as_str(), "IYS_WEB_YENI");
    world.drain().await;
    let story = world.ledger.story(&world.brand.name, &world.key(1).recipient_id).await.unwrap();
    for text in [world.everything().await, format!("{recorded:?} {story:?}"), world.held(&email(1)).await.to_string()] {
        assert!(!text.contains("GULSUM") && !text.contains("KARAHAN") && !text.contains("citizen"), "{text}");
    }
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn a_refusal_under_a_number_with_an_extra_zero_counts_and_is_registered_under_the_right_one() {
    for (source, sent) in [("HS_MOBIL", Source::HsMobil), ("IYS_KISAMESAJ", Source::HsKarar), ("", Source::HsKarar)] {
        let world = World::new().await;
        let key = world.key_of(&phone(1), MESAJ, BIREYSEL);
        world.book.person(&phone(1), MESAJ, BIREYSEL, ONAY, world.ago(864_000));
        world.pull().run(Feed::People).await.unwrap();
        world.drain().await;
        let line = json!({"type": "MESAJ", "recipient": misspelt(&phone(1)), "status": "RET", "source": source,
                          "consentDate": world.ago(60).to_string()});
        told(&world, [line.clone(), line]).await;
        assert_eq!(state(&world, &key).await.head.status, RET);
        world.drain().await;
        assert_eq!(world.reachable(&phone(1)).await, (true.into(), false.into()), "{source}");
        let last = world.book.rows(&phone(1), MESAJ, BIREYSEL).pop().unwrap();
        assert_eq!((last.status, last.source), (RET, sent), "{source}");
        // The right one in the feed is no news.
        world.pull().run(Feed::Brand).await.unwrap();
        world.drain().await;
        assert_eq!(world.book.calls(Op::Add).len(), 1, "{source}");
    }
}

#[tokio::test]
async fn a_refusal_under_a_misspelt_number_needs_no_request_where_the_right_one_holds_nothing() {
    let world = World::new().await;
    let line = json!({"type": "ARAMA", "recipient": misspelt(&phone(1)), "status": "RET", "consentDate": world.ago(60).to_string()});
    told(&world, [line]).await;
    world.drain().await;
    let state = state(&world, &world.key_of(&phone(1), Channel::Arama, BIREYSEL)).await;
    assert_eq!((word(&state.registry).as_str(), state.head.origin), ("not_registered", Origin::Import));
    assert!(world.book.calls(Op::Add).is_empty());
}

#[tokio::test]
async fn a_consent_under_a_number_with_an_extra_zero_is_no_proof_and_is_registered_under_the_right_one() {
    let world = World::new().await;
    let key = world.key_of(&phone(1), MESAJ, BIREYSEL);
    let date = world.ago(3600);
    let line = json!({"type": "MESAJ", "recipient": misspelt(&phone(1)), "status": "ONAY", "source": "HS_ISLAK_IMZA",
                      "consentDate": date.to_string(), "creationDate": world.ago(3500).to_string()});
    told(&world, [line.clone()]).await;
    let before = state(&world, &key).await;
    assert_eq!((before.known, before.head.origin, word(&before.registry).as_str()), (None, Origin::Import, "pending"));
    assert_eq!(word(&before.insider), "awaiting", "nobody is messaged on the strength of it");
    world.drain().await;
    let rows = world.book.rows(&phone(1), MESAJ, BIREYSEL);
    assert_eq!((rows.len(), rows[0].status, &rows[0].source, rows[0].consent_date), (1, ONAY, &Source::HsIslakImza, date));
    assert_eq!(world.reachable(&phone(1)).await, (false.into(), true.into()));
    // Read again, beside the right one: nothing new.
    told(&world, [line]).await;
    world.pull().run(Feed::Brand).await.unwrap();
    world.drain().await;
    assert_eq!(world.book.calls(Op::Add).len(), 1);
    // One that lies too far back to be registered is no consent.
    let late = json!({"type": "MESAJ", "recipient": misspelt(&phone(2)), "status": "ONAY", "source": "HS_WEB",
                      "consentDate": world.ago(20 * 86_400).to_string()});
    told(&world, [late]).await;
    world.drain().await;
    assert_eq!(word(&state(&world, &world.key_of(&phone(2), MESAJ, BIREYSEL)).await.registry), "H467");
    assert_eq!(world.reachable(&phone(2)).await, (true.into(), false.into()));
}

#[tokio::test]
async fn movements_of_one_second_share_a_transaction_id_and_are_movements_of_their_own() {
    let world = World::new().await;
    let date = world.ago(60).to_string();
    let line = |channel: &str, status: &str| {
        let recipient = if channel == "EPOSTA" { email(1) } else { phone(1) };
        json!({"type": channel, "recipient": recipient.expose(), "status": status, "consentDate": date, "transactionId": "one"})
    };
    let lines = [line("EPOSTA", "ONAY"), line("EPOSTA", "RET"), line("MESAJ", "ONAY"), line("ARAMA", "RET")];
    for recorded in told(&world, lines.clone()).await {
        assert!(recorded.is_new);
    }
    for recorded in told(&world, lines.into_iter().rev()).await {
        assert!(!recorded.is_new);
    }
    assert_eq!(world.state(1).await.head.status, RET);
    assert_eq!(state(&world, &world.key_of(&phone(1), MESAJ, BIREYSEL)).await.head.status, ONAY);
    assert_eq!(state(&world, &world.key_of(&phone(1), Channel::Arama, BIREYSEL)).await.head.status, RET);
    let story = world.ledger.story(&world.brand.name, &world.key(1).recipient_id).await.unwrap();
    assert_eq!(story.history.len(), 2);
}

/// One consumer's e-mail movement from the brand's own systems that names dealers.
async fn says_with(world: &World, number: usize, status: Status, seconds_ago: i64, retailers: Retailers) {
    let mut movement = world.movement(world.key(number), email(number), status, world.ago(seconds_ago), Origin::Api);
    movement.head.event_id = EventId::derive("api", [status.as_str(), &seconds_ago.to_string(), &format!("{retailers:?}")]);
    movement.head.retailers = retailers;
    world.take(vec![movement]).await;
}

fn dealers(code: u64) -> Retailers {
    Retailers { code: Some(code), access: vec![55_550_127, 58_954_386] }
}

#[tokio::test]
async fn dealers_reach_the_registry_one_by_one_in_bulk_and_with_a_correction() {
    for count in [1, SINGLE_ADDS + 1] {
        let world = World::new().await;
        for number in 0..count {
            says_with(&world, number, ONAY, 60, dealers(58_954_386)).await;
        }
        world.drain().await;
        // In the second of the consent: it goes with the next one.
        says_with(&world, 0, RET, 60, dealers(55_550_127)).await;
        world.drain().await;
        let came: Vec<_> = world.book.inner().came.iter().map(|record| (record.status, record.retailers.clone())).collect();
        let expected = [vec![(ONAY, dealers(58_954_386)); count], vec![(RET, dealers(55_550_127))]].concat();
        assert_eq!(came, expected);
        let story = world.ledger.story(&world.brand.name, &world.key(0).recipient_id).await.unwrap();
        assert_eq!(story.states[0].head.retailers, dealers(55_550_127));
        assert!(story.history.iter().all(|entry| !entry.movement.head.retailers.is_empty()));
    }
}

#[tokio::test]
async fn records_of_many_dealers_go_in_smaller_lists() {
    let world = World::new().await;
    world.book.inner().bulk_bytes = 3_700;
    let many = Retailers { code: Some(58_954_386), access: (0..10).map(|number| 55_550_000 + number).collect() };
    for number in 0..24 {
        says_with(&world, number, ONAY, 60, many.clone()).await;
    }
    assert!(world.push().run(&world.keys(0..24)).await.failed.is_empty());
    // Each has some 364 bytes.
    assert_eq!(world.book.calls(Op::Submit), [10, 10, 4]);
    world.drain().await;
    assert_eq!(world.book.inner().came.len(), 24);
}

#[tokio::test]
async fn dealers_of_a_second_consent_are_registered_over_the_first() {
    let world = World::new().await;
    world.says(1, ONAY, 60).await;
    world.drain().await;
    world.says(1, ONAY, 50).await;
    world.drain().await;
    assert_eq!(world.book.calls(Op::Add).len(), 1, "without dealers there is nothing to add");
    says_with(&world, 1, ONAY, 40, dealers(58_954_386)).await;
    world.drain().await;
    assert_eq!((world.book.calls(Op::Add).len(), world.at_registry(1).await.as_str()), (2, "applied"));
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
}

#[tokio::test]
async fn a_dealer_that_the_registry_does_not_know_rejects_the_record_until_it_is_told_with_another() {
    let world = World::new().await;
    says_with(&world, 1, ONAY, 60, dealers(11_111_111)).await;
    world.book.inner().ordered.entry(email(1)).or_default().push_back("H180".parse().unwrap());
    world.drain().await;
    assert_eq!(world.at_registry(1).await, "H180");
    assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()), "what the registry refused is no consent");
    says_with(&world, 1, ONAY, 60, dealers(58_954_386)).await;
    world.drain().await;
    assert_eq!((world.at_registry(1).await.as_str(), world.recorded(1)), ("applied", vec![ONAY]));
    assert_eq!(world.reachable(&email(1)).await, (false.into(), true.into()));
    let story = world.ledger.story(&world.brand.name, &world.key(1).recipient_id).await.unwrap();
    let codes: Vec<_> = story.history.iter().filter_map(|entry| entry.registry.as_ref()?.code.clone()).collect();
    assert_eq!((story.history.len(), codes), (2, vec!["H180".to_owned()]), "the history says how the first one ended");
}

#[tokio::test]
async fn a_late_refusal_in_the_results_of_a_list_goes_as_the_brands_decision_only_where_it_allows() {
    for allowed in [false, true] {
        let mut world = World::new().await;
        world.brand.iys.late_ret_as_hs_karar = allowed;
        let many = SINGLE_ADDS + 1;
        world.held_before(0..many);
        world.all_say(0..many, RET, 60).await;
        world.book.inner().ordered.entry(email(1)).or_default().push_back("H467".parse().unwrap());
        world.drain().await;
        let last = world.book.rows(&email(1), EPOSTA, BIREYSEL).pop().unwrap();
        if allowed {
            assert_eq!((world.at_registry(1).await.as_str(), last.status, last.source), ("applied", RET, Source::HsKarar));
        } else {
            assert_eq!((world.at_registry(1).await.as_str(), last.status), ("H467", ONAY));
        }
        assert_eq!(world.reachable(&email(1)).await, (true.into(), false.into()));
        assert_eq!(world.at_registry(2).await, "applied");
    }
}

#[tokio::test]
async fn a_source_that_the_registry_does_not_accept_is_final_and_the_refusal_reaches_insider_all_the_same() {
    let mut world = World::new().await;
    world.brand.iys.late_ret_as_hs_karar = true;
    world.held_before([1, 2]);
    // By itself, and of the decision that replaced a late refusal.
    world.says(1, RET, 60).await;
    world.book.inner().ordered.entry(email(1)).or_default().push_back("H486".parse().unwrap());
    world.says(2, RET, 60).await;
    world.book.inner().ordered.entry(email(2)).or_default().extend(["H467", "H486"].map(|code| code.parse::<Code>().unwrap()));
    world.says(3, ONAY, 60).await;
    world.book.inner().ordered.entry(email(3)).or_default().push_back("H486".parse().unwrap());
    world.drain().await;
    for number in [1, 2, 3] {
        assert_eq!(world.at_registry(number).await, "H486", "{number}");
        assert_eq!(world.reachable(&email(number)).await, (true.into(), false.into()), "{number}");
    }
    assert_eq!(world.book.calls(Op::Add).len(), 4, "nothing is tried again that cannot succeed");
}
