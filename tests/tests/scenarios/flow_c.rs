//! A person consents or refuses in another channel of the brand.

use tests::{Crowd, Vendor, World};

pub(crate) async fn an_onay_from_the_api_reaches_iys_first_and_insider_then_and_a_ret_reaches_both(world: &'static World) {
    let crowd = Crowd::new(4);
    for (address, channel) in [(crowd.email(1), "EPOSTA"), (crowd.phone(1), "MESAJ")] {
        world.add_one(&address, channel, "ONAY").await;
        let record = world.until_iys_holds(&address, channel, "ONAY").await;
        assert_eq!(record["source"], "HS_WEB");
        world.until_insider_allows(&address).await;
        let state = world.until_settled(&address, channel).await;
        let told_at: jiff::Timestamp = state["insider"]["at"].as_str().unwrap().parse().unwrap();
        assert!(tests::moment(&record["creationDate"]) <= told_at, "Insider heard of it before İYS held it: {state}");
        assert_eq!(world.check("demo", channel, "BIREYSEL", &address).await, "allowed");

        world.add_one(&address, channel, "RET").await;
        assert_eq!(world.check("demo", channel, "BIREYSEL", &address).await, "refused");
        world.until_iys_holds(&address, channel, "RET").await;
        world.until_insider_suppresses(&address).await;
        world.until_settled(&address, channel).await;
        assert_eq!(world.told(Vendor::Iys, &address).await, ["HS_WEB", "HS_WEB"]);
    }
}
