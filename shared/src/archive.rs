//! Where the roots of closed days and the reports are kept besides the ledger: a bucket whose objects cannot be
//! changed or deleted, or a folder.

use std::path::PathBuf;

use async_trait::async_trait;

use self::s3::Bucket;
use crate::clock::Clock;

mod s3;

/// Why something was not kept. It names no content.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ArchiveError {
    /// It holds something else under that name, which stays.
    #[error("the archive holds something else as {0}")]
    Differs(String),
    /// It was not reached, or refused.
    #[error("the archive did not take or show {name}: {why}")]
    Refused {
        /// The name.
        name: String,
        /// What it said.
        why: String,
    },
}

/// Keeps things for good. Nothing that is in it is ever changed.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Keeps something under a name; what stands there already under it stays, and that is no error where it is
    /// the same.
    async fn keep(&self, name: &str, content: &[u8]) -> Result<(), ArchiveError>;

    /// What stands under a name, if anything does.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError>;
}

/// What kind of text stands under a name, as HTTP tells it.
fn content_type(name: &str) -> &'static str {
    if name.ends_with(".html") { "text/html; charset=utf-8" } else { "application/json" }
}

/// A folder of this machine.
#[derive(Debug, Clone)]
pub struct Folder {
    place: PathBuf,
}

impl Folder {
    /// A folder; it is made when the first thing is kept.
    pub fn new(place: impl Into<PathBuf>) -> Self {
        Self { place: place.into() }
    }
}

#[async_trait]
impl Archive for Folder {
    async fn keep(&self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let refused = |error: std::io::Error| ArchiveError::Refused { name: name.to_owned(), why: error.kind().to_string() };
        let file = self.place.join(name);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(refused)?;
        }
        match std::fs::read(&file) {
            Ok(kept) if kept == content => Ok(()),
            Ok(_) => Err(ArchiveError::Differs(name.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Whole or not at all, also when the process ends here.
                let unfinished = file.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
                std::fs::write(&unfinished, content).and_then(|()| std::fs::rename(&unfinished, &file)).map_err(refused)
            }
            Err(error) => Err(refused(error)),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match std::fs::read(self.place.join(name)) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ArchiveError::Refused { name: name.to_owned(), why: error.kind().to_string() }),
        }
    }
}

/// A bucket of S3, called with a function's own credentials.
pub fn bucket(config: &aws_config::SdkConfig, name: &str, clock: Clock) -> impl Archive + use<> {
    Bucket::new(config, name, clock)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_what_was_first_put_into_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("archive"));
        for _ in 0..2 {
            folder.keep("demo/2026-11-20.json", b"{}").await.unwrap();
        }
        assert_eq!(folder.read("demo/2026-11-20.json").await.unwrap().unwrap(), b"{}");
        assert_eq!(folder.read("demo/2026-11-21.json").await.unwrap(), None);
        assert!(matches!(folder.keep("demo/2026-11-20.json", b"[]").await, Err(ArchiveError::Differs(name)) if name.ends_with(".json")));
        assert_eq!(std::fs::read(place.path().join("archive/demo/2026-11-20.json")).unwrap(), b"{}");
        assert_eq!(std::fs::read_dir(place.path().join("archive/demo")).unwrap().count(), 1, "nothing unfinished is left");
        std::fs::write(place.path().join("file"), b"").unwrap();
        assert!(matches!(Folder::new(place.path().join("file")).keep("a/b", b"").await, Err(ArchiveError::Refused { .. })));
    }
}
