//! Registry → ledger: reads the registry's feeds page by page.
//!
//! A page's cursor is noted only once every movement of the page is durable, so a crash costs a
//! repetition and nothing else. Each run starts some minutes back; what is read twice is one movement.
//! A movement of a key whose item has no readable form is counted and passed over, because no
//! repetition mends it and the feed must go on for everybody else; the history has it all the same.
//!
//! The registry shows seven days. Where a feed was not read for so long, or its cursor is gone, movements may
//! have been missed: reading begins at the start of what is shown, and verification ([`super::verify`]) is told
//! to compare everything that it compared before.

use jiff::{SignedDuration, Timestamp};

use super::push::registry_head;
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::{ConsentKey, Movement};
use crate::intake::{Intake, Told};
use crate::ledger::{Ledger, LedgerError, Trail, Verification};
use crate::registry::{Change, Feed, Registry, RegistryError};

/// How far back each run starts before the newest cursor.
pub const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// For how long a feed may go unread: seven days, less the last hour, which it does not show, the overlap,
/// and an hour for clocks and slow runs (İYS documentation, `PullPerBrandCode`).
const WINDOW: SignedDuration = SignedDuration::from_mins((7 * 24 - 2) * 60 - 10);
/// Most pages in one run; the next run goes on where this one stopped.
const PAGES: usize = 100;
/// For how long a run keeps others of the same feed away.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// Both feeds: what people did at the registry, and what the brand sent there by any road.
pub const FEEDS: [Feed; 2] = [Feed::People, Feed::Brand];

/// Reads one brand's feeds.
pub struct Pull<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Where movements go.
    pub intake: &'a Intake,
    /// The brand.
    pub brand: &'a Brand,
    /// Where its consents are registered.
    pub registry: &'a dyn Registry,
    /// The clock.
    pub clock: &'a Clock,
}

/// What a run read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Movements in the pages.
    pub movements: usize,
    /// Movements that the ledger had not seen.
    pub new: usize,
    /// Lines that could not be read, and movements of keys whose item could not.
    pub unreadable: usize,
}

/// Why a run stopped before the feed's end.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry gave no page.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The ledger did not take a movement or the cursor.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The name of a feed in keys, answers and logs.
pub fn feed_name(feed: Feed) -> &'static str {
    match feed {
        Feed::People => "people",
        Feed::Brand => "brand",
    }
}

/// By what name a brand's place in a feed is kept. Each registry counts in its own way, so each has a place of
/// its own; İYS's stands bare.
pub fn trail_name(brand: &Brand, feed: Feed) -> String {
    let feed = feed_name(feed);
    if brand.registry.is_integrator() { format!("{}-{feed}", brand.registry.name()) } else { feed.to_owned() }
}

impl Pull<'_> {
    /// Reads a feed to its end. `None` when another worker is at it.
    pub async fn run(&self, feed: Feed) -> Result<Option<Pulled>, PullError> {
        let name = trail_name(self.brand, feed);
        let name = name.as_str();
        let now = (self.clock)();
        let job = format!("pull-{name}");
        let until = now.saturating_add(LEASE).unwrap_or(now);
        if !self.ledger.try_lease(&self.brand.name, &job, now, until).await? {
            return Ok(None);
        }
        let read = self.read(feed, name, now).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(&self.brand.name, &job, until).await {
            tracing::warn!(%error, feed = name, "the pull's lease was not given back");
        }
        read.map(Some)
    }

    async fn read(&self, feed: Feed, name: &str, started: Timestamp) -> Result<Pulled, PullError> {
        let mut trail = self.ledger.trail(&self.brand.name, name).await?;
        if trail.has_gap(started, WINDOW) {
            trail = self.begin_anew(trail, name, started).await?;
        }
        let mut cursor = trail.start(started, OVERLAP).map(str::to_owned);
        let mut pulled = Pulled::default();
        for _ in 0..PAGES {
            let now = (self.clock)();
            let page = self.registry.changes(feed, cursor.as_deref()).await?;
            for field in &page.unreadable {
                tracing::warn!(feed = name, field, "a line of the feed could not be read");
            }
            pulled.unreadable += page.unreadable.len();
            let payload = page.payload;
            let told = |change| Told { movement: movement(self.brand, change, now), payload };
            let movements: Vec<_> = page.changes.into_iter().map(told).collect();
            pulled.movements += movements.len();
            for recorded in self.intake.take(movements, now).await {
                match recorded {
                    Ok(recorded) => pulled.new += usize::from(recorded.is_new),
                    Err(error @ LedgerError::Item { .. }) => {
                        tracing::error!(%error, feed = name, "a movement of the feed met an item that cannot be read");
                        pulled.unreadable += 1;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(next) = page.cursor {
                trail.note(next.clone(), now, OVERLAP);
                cursor = Some(next);
            }
            if !page.more {
                trail.read_at = Some(now);
            }
            self.ledger.put_trail(&self.brand.name, name, &trail).await?;
            if !page.more {
                break;
            }
        }
        if pulled != Pulled::default() {
            tracing::info!(feed = name, movements = pulled.movements, new = pulled.new, unreadable = pulled.unreadable, "feed read");
        }
        Ok(pulled)
    }

    /// Begins at the start of what the registry shows. First verification is told, so that no crash can keep
    /// it from it.
    async fn begin_anew(&self, trail: Trail, name: &str, started: Timestamp) -> Result<Trail, LedgerError> {
        // Before anything was ever compared there is nothing to compare again.
        let mut is_asked = false;
        let ask = |verification: &mut Verification| {
            is_asked = verification.last_run.is_some() || trail.read_at.is_some();
            if is_asked {
                verification.full_since = verification.full_since.max(Some(started));
                verification.gap_in = Some(name.to_owned());
            }
            is_asked
        };
        self.ledger.change_verification(&self.brand.name, ask).await?;
        match trail.read_at {
            None if !is_asked => tracing::info!(brand = %self.brand.name, feed = name, "the feed is read for the first time"),
            Some(read_at) => {
                tracing::error!(brand = %self.brand.name, feed = name, %read_at, "the feed was not read for longer than it reaches back: everything is compared with the registry");
            }
            None => {
                tracing::warn!(brand = %self.brand.name, feed = name, "nobody knows how far the feed was read: what was compared with the registry before is compared again");
            }
        }
        let trail = trail.anew(started);
        self.ledger.put_trail(&self.brand.name, name, &trail).await?;
        Ok(trail)
    }
}

/// A change that the registry told of, as a movement of the brand.
pub fn movement(brand: &Brand, change: Change, now: Timestamp) -> Movement {
    Movement {
        key: ConsentKey {
            brand: brand.name.clone(),
            recipient_id: change.recipient.id(&brand.recipient_id_key, &brand.name),
            channel: change.channel,
            recipient_type: change.recipient_type,
        },
        recipient: change.recipient,
        head: registry_head(change.holding, now),
    }
}
