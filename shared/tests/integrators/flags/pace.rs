//! How much verification asks in one run: its share of what the registry allows.

use super::{Change, registered};
use crate::netgsm::SEARCH;

/// How many addresses each question of a run has that five consents are due in, none of which is shown any more.
async fn compared(change: Change) -> Vec<usize> {
    let world = registered(change, 5).await;
    world.verify().await;
    world.sizes(SEARCH, "/body/data")
}

#[tokio::test]
async fn flag_questions_per_minute_bounds_the_questions_of_a_run() {
    // Half of what four minutes allow, by two addresses each; what is shown is looked into by no record.
    let narrow: Change = |offered| (offered.holding, offered.onays_recipients, offered.questions_per_minute) = (false, 2, 1);
    let wide: Change = |offered| (offered.holding, offered.onays_recipients, offered.questions_per_minute) = (false, 2, 10);
    assert_eq!(compared(narrow).await, [2, 2]);
    assert_eq!(compared(wide).await, [2, 2, 1]);
}

#[tokio::test]
async fn flag_fetches_per_hour_bounds_the_questions_about_single_records_of_a_run() {
    // Half of what an hour allows, after the one question that shows all five to differ.
    assert_eq!(compared(|offered| offered.fetches_per_hour = 4).await, [5, 1, 1]);
    assert_eq!(compared(|offered| offered.fetches_per_hour = 600).await, [5, 1, 1, 1, 1, 1]);
}
