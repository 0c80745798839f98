//! Cities and towns, by whose codes a retailer says where it is.

use super::Client;
use crate::brand;
use crate::iys::call::Call;
use crate::iys::operation;
use crate::iys::wire::place::PlaceRow;
use crate::registry::RegistryError;

/// A city of Türkiye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct City {
    /// Its code, which is that of its number plates: 1 to 81.
    pub code: u32,
    /// Its name.
    pub name: Option<String>,
}

/// A town of a city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Town {
    /// Its code, counted over the whole country.
    pub code: u32,
    /// Its name.
    pub name: Option<String>,
    /// Its city's code.
    pub city_code: Option<u32>,
}

impl City {
    fn of(row: PlaceRow) -> Option<Self> {
        Some(Self { code: row.code.number()?, name: row.name.get().map(str::to_owned) })
    }
}

impl Town {
    fn of(row: PlaceRow) -> Option<Self> {
        let city_code = row.city_code.number().or(row.city_code_in_samples.number());
        Some(Self { code: row.code.number()?, name: row.name.get().map(str::to_owned), city_code })
    }
}

impl Client {
    /// All cities (`getCities`).
    pub async fn cities(&self, account: &brand::Iys) -> Result<Vec<City>, RegistryError> {
        let rows = self.list(account, &Call::new(&operation::CITIES, &[])?).await?;
        Ok(rows.into_iter().filter_map(City::of).collect())
    }

    /// One city (`cityDetails`); `None` when there is none with this code.
    pub async fn city(&self, account: &brand::Iys, code: u32) -> Result<Option<City>, RegistryError> {
        let row = self.one(account, &Call::new(&operation::CITY, &[&code.to_string()])?).await?;
        Ok(row.and_then(City::of))
    }

    /// All towns (`getTowns`).
    pub async fn towns(&self, account: &brand::Iys) -> Result<Vec<Town>, RegistryError> {
        let rows = self.list(account, &Call::new(&operation::TOWNS, &[])?).await?;
        Ok(rows.into_iter().filter_map(Town::of).collect())
    }

    /// One town (`townDetails`); `None` when there is none with this code.
    pub async fn town(&self, account: &brand::Iys, code: u32) -> Result<Option<Town>, RegistryError> {
        let row = self.one(account, &Call::new(&operation::TOWN, &[&code.to_string()])?).await?;
        Ok(row.and_then(Town::of))
    }
}
