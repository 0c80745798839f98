//! Scenarios that share one running system, each with people of its own. When all have run, the
//! system's output, messages and keys are searched for addresses.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_input;
mod bulk;
mod check;
mod flow_a;
mod flow_b;
mod flow_c;
mod merging;
mod openapi;
mod poison;
mod shapes;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tests::{Setup, Vendor, World};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// Scenarios wait most of the time: this many run side by side.
const SIDE_BY_SIDE: usize = 8;

static WORLD: OnceCell<World> = OnceCell::const_new();

async fn world() -> &'static World {
    WORLD.get_or_init(|| World::start(Setup::new(env!("CARGO_BIN_EXE_stack")))).await
}

/// Makes a scenario of an async function.
fn scenario<F>(runtime: &Arc<Runtime>, name: &str, run: fn(&'static World) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    let runtime = Arc::clone(runtime);
    Trial::test(name, move || {
        runtime.block_on(async { run(world().await).await });
        Ok(())
    })
}

/// Lists scenarios by their functions' names.
macro_rules! scenarios {
    ($runtime:expr, $($module:ident :: $name:ident),+ $(,)?) => {
        vec![$(scenario($runtime, concat!(stringify!($module), "::", stringify!($name)), $module::$name)),+]
    };
}

async fn invariant_5_no_vendor_was_told_its_own_news(world: &'static World) {
    world.check_silences().await;
}

async fn invariant_6_no_address_left_its_place(world: &'static World) {
    assert!(world.output().contains("\"level\":\"DEBUG\""), "the functions do not log at debug level");
    world.check_that_no_address_left_its_place().await;
}

async fn the_vendors_saw_nothing_that_a_good_client_does_not_do(world: &'static World) {
    for vendor in [Vendor::Iys, Vendor::Insider] {
        let stats = world.stats(vendor).await;
        assert_eq!(stats["violations"], serde_json::json!({}), "{stats}");
        assert_eq!(stats["rejected"], serde_json::json!({}), "{stats}");
    }
    assert!(world.stats(Vendor::Iys).await["peak_per_second"].as_u64().unwrap() <= 10);
}

fn main() -> ExitCode {
    let runtime = Arc::new(Runtime::new().unwrap());
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(SIDE_BY_SIDE));
    let trials = scenarios![
        &runtime,
        flow_a::an_unsubscribe_in_insider_becomes_a_ret_at_iys_and_is_not_echoed,
        flow_b::invariant_5_what_a_person_does_at_iys_reaches_insider_and_goes_not_back,
        flow_b::of_two_acts_of_one_second_at_iys_the_ret_counts_and_nobody_asks_again,
        flow_b::push_and_pull_of_one_movement_are_one_entry_in_the_history,
        flow_c::an_onay_from_the_api_reaches_iys_first_and_insider_then_and_a_ret_reaches_both,
        check::every_answer_of_a_check_has_its_reason,
        check::invariant_8_a_channel_without_authority_is_never_called,
        merging::a_ret_for_an_address_that_iys_never_knew_is_not_sent,
        merging::a_ret_for_an_address_that_only_iys_knew_is_sent,
        merging::a_ret_on_a_ret_is_already_there,
        merging::invariant_2_an_older_onay_does_not_lift_a_ret,
        merging::invariant_3_the_same_event_twice_is_one,
        merging::a_merchant_and_a_consumer_at_one_address_are_kept_apart_and_insider_hears_the_refusal,
        bulk::many_consents_at_once_go_as_a_bulk_submission_and_their_results_are_awaited,
        bad_input::invariant_10_a_bad_item_costs_itself_only_and_is_told_its_rule,
        bad_input::a_request_that_cannot_be_read_is_a_problem_and_says_where,
        bad_input::a_request_without_its_credentials_is_refused_on_every_route,
        bad_input::a_route_brand_or_method_that_is_not_there_is_not_found,
        bad_input::webhooks_take_what_they_can_read_and_say_what_they_cannot,
        openapi::every_example_of_the_api_reference_is_answered_as_it_says,
        poison::a_message_that_nobody_can_read_ends_in_the_dead_letter_queue_and_harms_no_other,
        shapes::a_lookup_tells_the_whole_story_with_transaction_ids,
        shapes::the_status_tells_what_waits_and_when_the_feeds_were_read,
    ];
    // Last, and one by one: they look at what all others left behind.
    let last = vec![
        scenario(&runtime, "invariant_5_no_vendor_was_told_its_own_news", invariant_5_no_vendor_was_told_its_own_news),
        scenario(&runtime, "invariant_6_no_address_left_its_place", invariant_6_no_address_left_its_place),
        scenario(
            &runtime,
            "the_vendors_saw_nothing_that_a_good_client_does_not_do",
            the_vendors_saw_nothing_that_a_good_client_does_not_do,
        ),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(world) = WORLD.get() {
        world.keep_output(env!("CARGO_TARGET_TMPDIR"), "scenarios.log");
    }
    let last = libtest_mimic::run(&Arguments { test_threads: Some(1), ..arguments }, last);
    if conclusion.has_failed() { conclusion.exit_code() } else { last.exit_code() }
}
