//! The storm of `tests/storm.rs` at an integrator.

use serde_json::json;
use tests::{Crowd, Vendor, World, storm};

use crate::road::{look_at_resends, setup};

/// People of each kind: five full lists of Netgsm's, which takes a hundred records in each. More would only add lists
/// of the same fate.
const PEOPLE: u32 = 250;

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_refusals_at_an_integrator_survive_a_storm_of_kills() {
    let world = World::start(storm::setup(setup(Vendor::Netgsm))).await;
    storm::refusals_survive(&world, Crowd::new(43), PEOPLE).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "integrator-kills.log");
    look_at_resends(&world, Vendor::Netgsm).await;
    assert_eq!(world.stats(Vendor::Netgsm).await["deliveries"]["abandoned"], json!(0));
    world.end().await;
}
