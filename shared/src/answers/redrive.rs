//! What a redrive of the dead-letter queues came to.

use serde::{Deserialize, Serialize};

/// Counts of messages, over both queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Redriven {
    /// Those that are on their way again.
    pub redriven: u64,
    /// Those that nobody can read, or whose brand is not there.
    pub unusable: u64,
    /// Those of them that were deleted.
    pub discarded: u64,
    /// Whether it ended before the queues were empty.
    pub more: bool,
}
