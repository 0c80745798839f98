//! Schedules: calls functions by the clock, faster than in the cloud so that a person need not wait.
//!
//! A schedule never runs twice at once: a run that takes longer than the time between two runs makes
//! the missed ones fall away.

use std::time::Duration;

use axum::body::Bytes;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{processes::Pool, shutdown::Shutdown, template::Schedule};

/// The time between two runs here. `None` if schedules are off.
pub(crate) fn every(schedule: &Schedule, speed: f64) -> Option<Duration> {
    (speed > 0.0).then(|| schedule.every.div_f64(speed)).filter(|every| !every.is_zero())
}

/// Runs a schedule until shutdown, the first time after `every`.
pub(crate) async fn run(schedule: Schedule, every: Duration, pool: Pool, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let input = Bytes::from(schedule.input);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = ticks.tick() => {}
        }
        pool.may_start().await;
        if let Err(error) = pool.invoke(input.clone()).await
            && !shutdown.has_begun()
        {
            tracing::warn!(schedule = schedule.name, function = schedule.function, %error, "a run failed");
        }
    }
}
