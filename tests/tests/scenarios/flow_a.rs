//! A person unsubscribes in a message that Insider sent.

use tests::{Crowd, Vendor, World};

pub(crate) async fn an_unsubscribe_in_insider_becomes_a_ret_at_iys_and_is_not_echoed(world: &'static World) {
    let crowd = Crowd::new(1);
    let (email, phone) = (crowd.email(1), crowd.phone(1));
    world.seed(&[(&email, "EPOSTA", "ONAY"), (&phone, "MESAJ", "ONAY")]).await;
    world.unsubscribe_at_insider(&email).await;
    world.unsubscribe_at_insider(&phone).await;
    let record = world.until_iys_holds(&email, "EPOSTA", "RET").await;
    assert_eq!(record["source"], "HS_EPOSTA");
    let record = world.until_iys_holds(&phone, "MESAJ", "RET").await;
    assert_eq!(record["source"], "HS_MESAJ");
    for (address, channel) in [(&email, "EPOSTA"), (&phone, "MESAJ")] {
        let state = world.until_settled(address, channel).await;
        assert_eq!(state["iys"]["outcome"], "applied");
        assert_eq!(state["insider"]["outcome"], "not_needed");
        assert_eq!(state["origin"], "insider");
        assert_eq!(world.check("demo", channel, "BIREYSEL", address).await, "refused");
        world.watch_silence(Vendor::Insider, address);
    }
}
