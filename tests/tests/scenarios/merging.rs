//! Many movements of one address, in any order.

use serde_json::{Value, json};
use tests::{Crowd, Vendor, World};

/// `days` before now, as İYS writes dates.
fn days_ago(days: i64) -> String {
    let istanbul = jiff::tz::TimeZone::fixed(jiff::tz::offset(3));
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    then.to_zoned(istanbul).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(crate) async fn a_ret_for_an_address_that_iys_never_knew_is_not_sent(world: &'static World) {
    let email = Crowd::new(10).email(1);
    world.add_one(&email, "EPOSTA", "RET").await;
    let state = world.until_settled(&email, "EPOSTA").await;
    assert_eq!(state["iys"]["outcome"], "not_registered");
    assert_eq!(world.told(Vendor::Iys, &email).await, [] as [&str; 0]);
    world.until_insider_suppresses(&email).await;
}

pub(crate) async fn a_ret_for_an_address_that_only_iys_knew_is_sent(world: &'static World) {
    let phone = Crowd::new(11).phone(1);
    world.seed(&[(&phone, "ARAMA", "ONAY")]).await;
    world.add_one(&phone, "ARAMA", "RET").await;
    let state = world.until_settled(&phone, "ARAMA").await;
    assert_eq!(state["iys"]["outcome"], "applied");
    assert_eq!(world.record_at_iys(&phone, "ARAMA", "BIREYSEL").await["status"], "RET");
}

pub(crate) async fn a_ret_on_a_ret_is_already_there(world: &'static World) {
    let email = Crowd::new(12).email(1);
    world.citizen(&email, "BIREYSEL", "EPOSTA", "RET").await;
    world.until_insider_suppresses(&email).await;
    let state = world.until_settled(&email, "EPOSTA").await;
    world.until_second_after(&state["consentDate"]).await;
    world.add_one(&email, "EPOSTA", "RET").await;
    let state = world.until_settled(&email, "EPOSTA").await;
    assert_eq!((&state["origin"], &state["iys"]["outcome"]), (&"api".into(), &"already_there".into()), "{state}");
    world.watch_silence(Vendor::Iys, &email);
}

pub(crate) async fn invariant_2_an_older_onay_does_not_lift_a_ret(world: &'static World) {
    let email = Crowd::new(13).email(1);
    world.seed(&[(&email, "EPOSTA", "ONAY")]).await;
    world.add_one(&email, "EPOSTA", "RET").await;
    world.until_iys_holds(&email, "EPOSTA", "RET").await;
    let older = json!([{ "recipient": email, "type": "EPOSTA", "status": "ONAY", "consentDate": days_ago(1) }]);
    assert_eq!(world.add(older).await[0]["result"], "superseded");
    let state = world.until_settled(&email, "EPOSTA").await;
    assert_eq!(state["status"], "RET");
    assert_eq!(world.check("demo", "EPOSTA", "BIREYSEL", &email).await, "refused");
    assert_eq!(world.movements_at_iys(&email).await.len(), 2);
    world.until_insider_suppresses(&email).await;
}

pub(crate) async fn invariant_3_the_same_event_twice_is_one(world: &'static World) {
    let email = Crowd::new(14).email(1);
    let named = json!([{ "recipient": email, "type": "EPOSTA", "status": "ONAY", "externalId": "order-1" }]);
    let results: Vec<Value> = [world.add(named.clone()).await, world.add(named).await].concat();
    assert_eq!((&results[0]["result"], &results[1]["result"]), (&"accepted".into(), &"duplicate".into()));
    assert_eq!(results[0]["id"], results[1]["id"]);
    let state = world.until_settled(&email, "EPOSTA").await;
    assert_eq!(state["iys"]["outcome"], "applied");
    assert_eq!(world.movements_at_iys(&email).await.len(), 1);
    // İYS's feed tells of our own movement: the state stays, and nobody is told again.
    let dated = json!([{ "recipient": email, "type": "EPOSTA", "status": "ONAY", "consentDate": state["consentDate"] }]);
    let both = json!([dated[0], dated[0]]);
    let results = world.add(both).await;
    assert_eq!(results[1]["result"], "duplicate", "{results:?}");
    world.until_settled(&email, "EPOSTA").await;
    assert_eq!(world.movements_at_iys(&email).await.len(), 1);
}

pub(crate) async fn a_merchant_and_a_consumer_at_one_address_are_kept_apart_and_insider_hears_the_refusal(world: &'static World) {
    let crowd = Crowd::new(15);
    for (email, refusing, consenting) in [(crowd.email(1), "TACIR", "BIREYSEL"), (crowd.email(2), "BIREYSEL", "TACIR")] {
        let consent = |recipient_type: &str, status: &str| json!({ "recipient": email, "recipientType": recipient_type, "type": "EPOSTA", "status": status });
        world.add(json!([consent("TACIR", "ONAY"), consent("BIREYSEL", "ONAY")])).await;
        for recipient_type in ["TACIR", "BIREYSEL"] {
            world.until_key_settled(&email, "EPOSTA", recipient_type).await;
            assert_eq!(world.record_at_iys(&email, "EPOSTA", recipient_type).await["status"], "ONAY");
        }
        world.until_insider_allows(&email).await;
        world.add(json!([consent(refusing, "RET")])).await;
        world.until_insider_suppresses(&email).await;
        world.until_key_settled(&email, "EPOSTA", refusing).await;
        assert_eq!(world.record_at_iys(&email, "EPOSTA", refusing).await["status"], "RET");
        assert_eq!(world.record_at_iys(&email, "EPOSTA", consenting).await["status"], "ONAY");
        assert_eq!(world.check("demo", "EPOSTA", refusing, &email).await, "refused");
        assert_eq!(world.check("demo", "EPOSTA", consenting, &email).await, "allowed");
        // The one that still consents says so again: Insider knows no types, so it stays refused there.
        let again = json!([{ "recipient": email, "recipientType": consenting, "type": "EPOSTA", "status": "ONAY", "externalId": "again" }]);
        world.add(again).await;
        world.until_key_settled(&email, "EPOSTA", consenting).await;
        assert_eq!(world.reachable_at_insider(&email).await, (true, Value::Bool(false)));
    }
}
