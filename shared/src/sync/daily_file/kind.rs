//! The kinds in which a day's file and the ledger differ.

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A row of the file that nobody told of here. It is taken in as the registry's movement.
    Unknown,
    /// A row of the file that stands here with another date, status or transaction. Taken in likewise.
    Otherwise,
    /// A row of the file that stands here, told by the registry, with another source. The first telling stays.
    Source,
    /// What counts here as applied on that day, and that the file does not have. The key is compared again.
    Absent,
    /// What the registry itself told of that day, and that its file does not have. The key is compared again.
    Unlisted,
    /// A row that cannot be read, or whose key's state cannot.
    Unreadable,
    /// The registry counted other numbers of movements than are in its file.
    Summary,
    /// The file's hash is not the one that the registry tells, or it tells none.
    Hash,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] =
        [Self::Unknown, Self::Otherwise, Self::Source, Self::Absent, Self::Unlisted, Self::Unreadable, Self::Summary, Self::Hash];

    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Otherwise => "otherwise",
            Self::Source => "source",
            Self::Absent => "absent",
            Self::Unlisted => "unlisted",
            Self::Unreadable => "unreadable",
            Self::Summary => "summary",
            Self::Hash => "hash",
        }
    }

    /// Whether it is repaired as it is found; the others stay until a comparison finds them no more.
    pub(super) const fn is_repaired_at_once(self) -> bool {
        matches!(self, Self::Unknown | Self::Otherwise)
    }
}
