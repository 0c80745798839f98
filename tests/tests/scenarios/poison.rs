//! Messages that nobody can read.

use serde_json::json;
use tests::{Crowd, World, until};

pub(crate) async fn a_message_that_nobody_can_read_ends_in_the_dead_letter_queue_and_harms_no_other(world: &'static World) {
    let crowd = Crowd::new(50);
    let garbage = ["not json", r#"{"kind":"keys"}"#, r#"{"brand":"nobody","keys":[["AAAAAAAAAAAAAAAAAAAAAA","EPOSTA","BIREYSEL"]]}"#];
    for (index, body) in garbage.iter().enumerate() {
        world.put_message("IysPushQueue", None, "", body).await;
        world.put_message("UnsubscribeRelayQueue", Some(&format!("poison-{index}")), &format!("poison-{index}"), body).await;
    }
    // In the same batches.
    let consents: Vec<_> = (0..10).map(|person| json!({ "recipient": crowd.email(person), "type": "EPOSTA", "status": "ONAY" })).collect();
    world.add(consents.into()).await;
    for person in 0..10 {
        let email = crowd.email(person);
        let state = world.until_settled(&email, "EPOSTA").await;
        assert_eq!((&state["iys"]["outcome"], &state["insider"]["outcome"]), (&"applied".into(), &"applied".into()));
    }
    for (queue, dead_letters) in [("IysPushQueue", "IysPushDeadLetterQueue"), ("UnsubscribeRelayQueue", "UnsubscribeRelayDeadLetterQueue")]
    {
        let mut bodies = Vec::new();
        until(&format!("three messages in {dead_letters}"), async || {
            bodies.extend(world.take_messages(dead_letters).await);
            if bodies.len() >= garbage.len() {
                Ok(())
            } else {
                Err(format!("{bodies:?}, and {} in {queue}", world.messages_in(queue).await))
            }
        })
        .await;
        bodies.sort_unstable();
        let mut expected = garbage.to_vec();
        expected.sort_unstable();
        assert_eq!(bodies, expected);
    }
}
