//! What the simulators of integrators share: a queue before İYS, callbacks that can be made to go wrong, planted
//! refusals, and a memory of what was sent before.

pub(crate) mod bucket;
pub(crate) mod callbacks;
pub(crate) mod control;
pub(crate) mod ledger;
pub(crate) mod planted;
pub(crate) mod queue;

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::server;

/// How often a simulator looks, by the machine's clock, whether something is due by the injected one.
const TICK: Duration = Duration::from_millis(25);

/// Serves `router` until `shutdown` ends, and lets `settle` do what has become due meanwhile.
pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    settle: impl Fn() + Send,
) -> std::io::Result<()> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut served = std::pin::pin!(server::run(listener, router, shutdown));
    loop {
        tokio::select! {
            ended = &mut served => return ended,
            _ = ticks.tick() => settle(),
        }
    }
}
