//! The JSON of cities and towns.

use serde::Deserialize;

use crate::iys::tolerant::Text;

/// A city or a town.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct PlaceRow {
    #[serde(default)]
    pub(in crate::iys) code: Text,
    #[serde(default)]
    pub(in crate::iys) name: Text,
    /// So the schema spells it.
    #[serde(default)]
    pub(in crate::iys) city_code: Text,
    #[serde(default, rename = "city_code")]
    pub(in crate::iys) city_code_in_samples: Text,
}
