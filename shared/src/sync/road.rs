//! Moving house: by which registry a brand reaches İYS, and which it has left.
//!
//! What the registry that was left took may still be under way there. As long as the brand's document names it
//! (`formerRegistry`), it is asked what became of that, its feed is read and its callbacks are taken; nothing is
//! handed in there any more.

use jiff::{SignedDuration, Timestamp};

use crate::brand::{Brand, RegistryChoice};
use crate::ledger::{Ledger, LedgerError, Verification};
use crate::registry::Registry;

/// By what name it is kept who a brand's registry is.
const REGISTRY: &str = "registry";

/// For how long after a move the former registry may have something to tell: what it took is settled or handed in
/// anew within a day.
pub const FORMER_NEEDED: SignedDuration = SignedDuration::from_hours(48);

/// The registry that a brand has left.
#[derive(Clone, Copy)]
pub struct Former<'a> {
    /// The brand as it was there.
    pub brand: &'a Brand,
    /// The registry.
    pub registry: &'a dyn Registry,
}

/// Who took a submission, with what it is called there.
pub(super) enum Taker<'a> {
    /// The brand's registry.
    Own(&'a str),
    /// The one that it has left.
    Former(Former<'a>, &'a str),
    /// One that nobody can be asked at any more.
    Gone,
}

impl<'a> Taker<'a> {
    /// Who took what is kept under this name.
    pub(super) fn of(brand: &Brand, former: Option<Former<'a>>, stored: &'a str) -> Self {
        let of_former = |former: Former<'a>| Some(Self::Former(former, request_id(former.brand, stored)?));
        request_id(brand, stored).map(Self::Own).or_else(|| former.and_then(of_former)).unwrap_or(Self::Gone)
    }

    /// What the submission is called where it was taken.
    pub(super) const fn request_id(&self) -> Option<&'a str> {
        match self {
            Self::Own(id) | Self::Former(_, id) => Some(id),
            Self::Gone => None,
        }
    }
}

/// How a submission's name at the registry is kept: with the registry's own in front, so that a brand which
/// changes its registry asks none for another's lists. İYS's own stands bare.
pub(super) fn request_name(brand: &Brand, request_id: String) -> String {
    if brand.registry.is_integrator() { format!("{}:{request_id}", brand.registry.name()) } else { request_id }
}

/// The submission's name at the brand's registry; `None` where it was handed in at another.
fn request_id<'a>(brand: &Brand, stored: &'a str) -> Option<&'a str> {
    let (kind, id) = RegistryChoice::NAMES
        .iter()
        .find_map(|kind| Some((*kind, stored.strip_prefix(kind)?.strip_prefix(':')?)))
        .unwrap_or((RegistryChoice::Iys.name(), stored));
    (kind == brand.registry.name()).then_some(id)
}

/// Since when the brand has been on its road, where that was ever noted.
pub async fn on_the_road_since(ledger: &Ledger, brand: &Brand) -> Result<Option<Timestamp>, LedgerError> {
    let trail = ledger.trail(&brand.name, REGISTRY).await?;
    Ok(trail.steps.last().filter(|(_, name)| name == brand.registry.name()).map(|(since, _)| *since))
}

/// Notes by whom the brand reaches İYS now. Where that changed, everything is compared with the new registry:
/// what happened between the two may have been told to neither.
pub async fn note_road(ledger: &Ledger, brand: &Brand, now: Timestamp) -> Result<(), LedgerError> {
    let mut trail = ledger.trail(&brand.name, REGISTRY).await?;
    let before = trail.steps.last().map_or(RegistryChoice::Iys.name(), |(_, name)| name.as_str());
    let is_now = brand.registry.name();
    if before == is_now {
        return Ok(());
    }
    tracing::warn!(brand = %brand.name, before, is_now, "the brand reaches İYS by another road: everything is compared");
    let ask = |verification: &mut Verification| {
        verification.full_since = verification.full_since.max(Some(now));
        true
    };
    ledger.change_verification(&brand.name, ask).await?;
    trail.steps = vec![(now, is_now.to_owned())];
    ledger.put_trail(&brand.name, REGISTRY, &trail).await
}
