//! A brand that reaches İYS by an integrator, on the whole system.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod differences;
mod flows;
mod kills;
mod moving;
mod road;

use serde_json::json;
use tests::Vendor;

use self::road::Road;

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_at_netgsm_is_in_step_in_both_directions_and_a_lost_callback_is_made_up_for() {
    let road = Road::at(Vendor::Netgsm).await;
    flows::what_is_unsubscribed_at_insider_is_refused_at_iys(&road).await;
    flows::what_a_person_does_at_iys_reaches_insider(&road).await;
    flows::insider_hears_of_a_consent_only_after_the_verdict(&road).await;
    flows::a_record_whose_callback_is_lost_is_settled_by_what_iys_holds(&road).await;
    flows::what_a_caller_may_do_is_told_as_ever(&road).await;
    differences::what_differs_without_a_word_is_found_and_repaired(&road).await;
    // What İYS lost is handed in once more.
    road.end_with(json!({ "sent_twice": 4 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_at_verimor_is_in_step_in_both_directions() {
    let road = Road::at(Vendor::Verimor).await;
    flows::what_is_unsubscribed_at_insider_is_refused_at_iys(&road).await;
    flows::what_a_person_does_at_iys_reaches_insider(&road).await;
    flows::insider_hears_of_a_consent_only_after_the_verdict(&road).await;
    road.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_at_mysoft_is_in_step_in_both_directions_and_a_lost_callback_is_made_up_for() {
    let road = Road::at(Vendor::Mysoft).await;
    flows::what_is_unsubscribed_at_insider_is_refused_at_iys(&road).await;
    flows::what_a_person_does_at_iys_reaches_insider(&road).await;
    flows::insider_hears_of_a_consent_only_after_the_verdict(&road).await;
    flows::a_refusal_whose_callback_is_lost_is_read_from_the_feed(&road).await;
    road.end().await;
}
