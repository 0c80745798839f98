//! A person refuses or consents at İYS itself.

use tests::{Crowd, Vendor, World, until};

pub(crate) async fn invariant_5_what_a_person_does_at_iys_reaches_insider_and_goes_not_back(world: &'static World) {
    let crowd = Crowd::new(2);
    for (address, channel) in [(crowd.email(1), "EPOSTA"), (crowd.phone(1), "MESAJ")] {
        world.citizen(&address, "BIREYSEL", channel, "ONAY").await;
        world.until_insider_allows(&address).await;
        world.until_check_says(channel, &address, "allowed").await;
        let state = world.until_settled(&address, channel).await;
        world.until_second_after(&state["consentDate"]).await;
        world.citizen(&address, "BIREYSEL", channel, "RET").await;
        world.until_insider_suppresses(&address).await;
        assert_eq!(world.check("demo", channel, "BIREYSEL", &address).await, "refused");
        let state = world.until_settled(&address, channel).await;
        world.until_second_after(&state["consentDate"]).await;
        world.citizen(&address, "BIREYSEL", channel, "ONAY").await;
        world.until_insider_allows(&address).await;
        let state = world.until_settled(&address, channel).await;
        assert_eq!((&state["iys"]["outcome"], &state["insider"]["outcome"]), (&"not_needed".into(), &"applied".into()));
        world.watch_silence(Vendor::Iys, &address);
    }
}

pub(crate) async fn of_two_acts_of_one_second_at_iys_the_ret_counts_and_nobody_asks_again(world: &'static World) {
    let email = Crowd::new(7).email(1);
    for status in ["RET", "ONAY"] {
        world.citizen_at("2026-01-02 10:00:00", &email, "EPOSTA", status).await;
    }
    world.until_insider_suppresses(&email).await;
    let story = until("both acts are known", async || {
        let story = world.lookup(&email).await;
        let movements = story["history"].as_array().map_or(0, Vec::len);
        if movements == 2 { Ok(story) } else { Err(story.to_string()) }
    })
    .await;
    assert_eq!(story["states"][0]["status"], "RET");
    assert_eq!(story["states"][0]["iys"]["state"], "settled", "{story}");
    world.watch_silence(Vendor::Iys, &email);
}

pub(crate) async fn push_and_pull_of_one_movement_are_one_entry_in_the_history(world: &'static World) {
    let email = Crowd::new(3).email(1);
    world.citizen(&email, "BIREYSEL", "EPOSTA", "RET").await;
    world.until_insider_suppresses(&email).await;
    let acted_at = world.status("demo").await["at"].as_str().unwrap().to_owned();
    // The pull that reads it again, whoever runs it.
    until("the feed was read", async || {
        world.job("pull").await;
        let read_at = world.status("demo").await["lastPull"]["people"].as_str().unwrap_or_default().to_owned();
        if read_at > acted_at { Ok(()) } else { Err(read_at) }
    })
    .await;
    let story = world.lookup(&email).await;
    assert_eq!(story["history"].as_array().map(Vec::len), Some(1), "{story}");
    assert_eq!(story["history"][0]["origin"], "registry");
    world.watch_silence(Vendor::Iys, &email);
}
