//! By whom a brand reaches İYS and what that road tells, for the status and the report: a figure that a registry
//! cannot give is no zero.

use serde::{Deserialize, Serialize};

use super::capabilities;
use crate::brand::{Brand, RegistryChoice};
use crate::registry::{Authority, Changes};

/// A brand's road to İYS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryView {
    /// Who carries its consents.
    pub kind: Carrier,
    /// How movements are read that happened elsewhere.
    pub changes: Told,
    /// Whose word an answer about an address is.
    pub status: Word,
    /// Who carried them before, and is still asked and heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Carrier>,
}

/// Who carries a brand's consents, by the name in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// Its own API user.
    Iys,
    /// Netgsm.
    Netgsm,
    /// Verimor.
    Verimor,
    /// Mysoft.
    Mysoft,
}

/// How movements are read that happened elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// Not at all.
    None,
    /// As a feed from a cursor on.
    Cursor,
    /// By ranges of days.
    Window,
    /// A list for each finished day.
    Daily,
}

/// Whose word an answer about an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Nothing can be asked.
    None,
    /// İYS's own.
    Iys,
    /// A copy's, which may lag behind.
    Mirror,
}

impl RegistryView {
    /// The view of a brand's choice.
    pub fn of(brand: &Brand) -> Self {
        let offered = capabilities(&brand.registry);
        let changes = match offered.changes {
            Changes::None => Told::None,
            Changes::Cursor => Told::Cursor,
            Changes::Window => Told::Window,
            Changes::DailyReport => Told::Daily,
        };
        let status = match (offered.holding, offered.authority) {
            (false, _) => Word::None,
            (true, Authority::Iys) => Word::Iys,
            (true, Authority::Mirror) => Word::Mirror,
        };
        Self { kind: Carrier::of(&brand.registry), changes, status, former: brand.former_registry.as_ref().map(Carrier::of) }
    }

    /// Whether an integrator is on that road.
    pub fn is_by_an_integrator(self) -> bool {
        self.kind != Carrier::Iys
    }
}

impl Carrier {
    const fn of(choice: &RegistryChoice) -> Self {
        match choice {
            RegistryChoice::Iys => Self::Iys,
            RegistryChoice::Netgsm(_) => Self::Netgsm,
            RegistryChoice::Verimor(_) => Self::Verimor,
            RegistryChoice::Mysoft(_) => Self::Mysoft,
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iys => "İYS",
            Self::Netgsm => "Netgsm",
            Self::Verimor => "Verimor",
            Self::Mysoft => "Mysoft",
        }
    }
}

impl Told {
    /// In English and Turkish.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::None => (
                "told by callbacks only; a lost one shows when the address is compared",
                "yalnız geri bildirimle; kaybolanı karşılaştırma bulur",
            ),
            Self::Cursor => ("read as they happen", "oldukça okunur"),
            Self::Window => ("read by days", "gün gün okunur"),
            Self::Daily => ("read once a day", "günde bir okunur"),
        }
    }
}

impl Word {
    /// In English and Turkish.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("cannot be asked for: nothing is compared", "sorulamaz: karşılaştırma yapılmaz"),
            Self::Iys => ("İYS's own word", "İYS'nin kendi yanıtı"),
            Self::Mirror => ("the word of a copy, which may lag behind", "geriden gelebilen bir kopyanın yanıtı"),
        }
    }
}
