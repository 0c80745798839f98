//! What a person sees while the command waits; nothing where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::language::Language;

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

/// Shows how far something is whose end is known, until it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    language: Language,
}

impl Progress {
    /// Begins something of so many bytes.
    pub(crate) fn over(bytes: u64, language: Language) -> Self {
        let bar = ProgressBar::new(bytes);
        let left = language.say("left", "kaldı");
        if let Ok(style) = ProgressStyle::with_template(&format!("{{spinner}} {{bar:24}} {{percent}} %  {{msg}}  {{eta}} {left}")) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self { bar, language }
    }

    /// So many bytes were read, and so many rows are done.
    pub(crate) fn is_at(&self, bytes: u64, rows: u64) {
        self.bar.set_position(bytes.max(self.bar.position()));
        // Whole rows in a second.
        let rate = u128::from(rows) * 1000 / self.bar.elapsed().as_millis().max(1);
        self.bar.set_message(self.language.say(format!("{rows} rows, {rate}/s"), format!("{rows} satır, {rate}/sn")));
    }

    /// Says why nothing goes on for a while.
    pub(crate) fn waits(&self, seconds: u64) {
        self.bar.set_message(self.language.say(format!("waits for {seconds} s"), format!("{seconds} sn bekliyor")));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
