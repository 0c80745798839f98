//! Two thousand refusals by a brand's own API user while function processes are killed again and again.

use tests::{Crowd, Setup, World, storm};

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_two_thousand_refusals_survive_a_storm_of_kills() {
    let world = World::start(storm::setup(Setup::new(env!("CARGO_BIN_EXE_stack")))).await;
    storm::refusals_survive(&world, Crowd::new(60), 1000).await;
    world.keep_output(env!("CARGO_TARGET_TMPDIR"), "storm.log");
    world.end().await;
}
