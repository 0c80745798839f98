//! What a person sees while the command waits; nothing where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two pictures.
const TICK: Duration = Duration::from_millis(120);

/// Shows that something is under way, until it is dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    /// Begins to wait for something.
    pub(crate) fn on(what: String) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
