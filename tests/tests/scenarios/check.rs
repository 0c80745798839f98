//! "May I send to these addresses now?"

use serde_json::json;
use tests::{Crowd, PARTIAL_BRAND, World, until};

pub(crate) async fn every_answer_of_a_check_has_its_reason(world: &'static World) {
    let crowd = Crowd::new(5);
    let (allowed, refused, unknown) = (crowd.email(1), crowd.email(2), crowd.email(3));
    let invalid = crowd.invalid("ohne at");
    world
        .add(json!([
            { "recipient": allowed, "type": "EPOSTA", "status": "ONAY" },
            { "recipient": refused, "type": "EPOSTA", "status": "RET" },
        ]))
        .await;
    world.until_check_says("EPOSTA", &allowed, "allowed").await;
    let body = json!({ "type": "EPOSTA", "recipients": [refused, unknown, invalid, allowed, 7] });
    let answer = world.ask("/v1/demo/consents/check", &body).await;
    let expected = json!({
        "allowed": [allowed],
        "denied": [
            { "recipient": refused, "reason": "refused" },
            { "recipient": unknown, "reason": "unknown" },
            { "recipient": invalid, "reason": "invalid" },
            { "recipient": 7, "reason": "invalid" },
        ],
    });
    assert_eq!(answer, expected);
    // The same address under another type or brand is somebody else.
    assert_eq!(world.check("demo", "EPOSTA", "TACIR", &allowed).await, "unknown");
    assert_eq!(world.check(PARTIAL_BRAND, "EPOSTA", "BIREYSEL", &allowed).await, "unknown");
}

pub(crate) async fn invariant_8_a_channel_without_authority_is_never_called(world: &'static World) {
    let crowd = Crowd::new(6);
    let (phone, email) = (crowd.phone(1), crowd.email(1));
    let consents = json!([
        { "recipient": phone, "type": "MESAJ", "status": "ONAY" },
        { "recipient": email, "type": "EPOSTA", "status": "ONAY" },
    ]);
    world.add_for(PARTIAL_BRAND, consents).await;
    for (address, channel, expected) in [(&phone, "MESAJ", "held"), (&email, "EPOSTA", "allowed")] {
        until(&format!("check says {expected}"), async || match world.check(PARTIAL_BRAND, channel, "BIREYSEL", address).await {
            said if said == expected => Ok(()),
            other => Err(other),
        })
        .await;
    }
    assert_eq!(world.status(PARTIAL_BRAND).await["iys"]["held"], 1);
    assert!(world.movements_at_iys(&phone).await.is_empty());
}
