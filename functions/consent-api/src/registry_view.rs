//! By whom a brand reaches İYS, for the status: a figure that a registry cannot give is no zero.

use serde::Serialize;
use shared::brand::Brand;
use shared::integrators::capabilities;
use shared::registry::{Authority, Changes};

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistryView {
    /// Its name in the brand's document.
    kind: &'static str,
    /// How movements are read that happened elsewhere.
    changes: &'static str,
    /// Whose word an answer about an address is; none where nothing can be asked.
    status: &'static str,
}

/// The view of a brand's choice.
pub(crate) fn of(brand: &Brand) -> RegistryView {
    let offered = capabilities(&brand.registry);
    let changes = match offered.changes {
        Changes::None => "none",
        Changes::Cursor => "cursor",
        Changes::Window => "window",
        Changes::DailyReport => "daily",
    };
    let status = match (offered.holding, offered.authority) {
        (false, _) => "none",
        (true, Authority::Iys) => "iys",
        (true, Authority::Mirror) => "mirror",
    };
    RegistryView { kind: brand.registry.name(), changes, status }
}
