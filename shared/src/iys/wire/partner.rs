//! The JSON of a business partner's brands.

use serde::Deserialize;

use crate::iys::tolerant::Text;

/// A brand that has authorised a partner. The older shape of the answer has neither channels nor the
/// service provider's number.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::iys) struct PartnerRow {
    #[serde(default)]
    pub(in crate::iys) iys_code: Text,
    #[serde(default)]
    pub(in crate::iys) brand_code: Text,
    #[serde(default)]
    pub(in crate::iys) name: Text,
    #[serde(default, rename = "ARAMA")]
    pub(in crate::iys) arama: Text,
    #[serde(default, rename = "MESAJ")]
    pub(in crate::iys) mesaj: Text,
    #[serde(default, rename = "EPOSTA")]
    pub(in crate::iys) eposta: Text,
    #[serde(default)]
    pub(in crate::iys) agreement_control: Text,
}
