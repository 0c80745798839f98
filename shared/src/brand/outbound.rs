//! How a brand's Insider account wants to be told: which API, by which identifiers, and what else its
//! profiles are to show. Everything here is uncertain in Insider's pages or differs from account to
//! account; the defaults are right for a new account in its usual set-up.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{BrandError, Insider};
use crate::consent::Channel;

/// A brand's outbound side at Insider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Outbound {
    /// Which version of the unsubscribe and resubscribe calls.
    pub list_api: ListApi,
    /// How the e-mail lists name people.
    pub email_flow: EmailFlow,
    /// Whether a refusal of messages (MESAJ) also refuses WhatsApp at Insider. Off by default: WhatsApp
    /// is no channel of İYS. A consent never touches WhatsApp, whose opt-outs are not ours to lift.
    pub whatsapp_follows_mesaj: bool,
    /// Custom attributes that show, by channel, when and how the state came about.
    pub consent_attributes: BTreeMap<Channel, ConsentAttributes>,
    /// What a raw export takes; without it none can be ordered.
    pub export: Option<Export>,
}

/// A raw export.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Export {
    /// Number of the panel's dynamic segment.
    pub segment_id: u64,
    /// Where Insider tells that the file is there. Insider wants one, and takes only what it was told of.
    /// Its query may hold what proves the notice.
    pub hook: SecretString,
    /// Form of the file.
    #[serde(default)]
    pub format: ExportFormat,
    /// What it means that a flag is off where the ledger has a consent.
    #[serde(default)]
    pub flag_off: FlagOff,
    /// Of what is compared, the percentage that may differ in one direction; a hundred differences always
    /// may. Above it nothing is changed: an attribute that is mapped wrongly must not opt out a whole book.
    #[serde(default = "one")]
    pub suspicious_percent: u8,
    /// For how many minutes before the order a change may be missing in the file: Insider's profiles lag
    /// behind what it was told, by hours at most. What changed later is not judged.
    #[serde(default = "three_hours")]
    pub lag_minutes: u32,
}

/// What it means that Insider shows a flag that is off where the ledger has a consent that Insider has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagOff {
    /// It is counted. The flag does not say who turned it off, or when.
    #[default]
    Report,
    /// The person refused at Insider, and nobody told of it: a refusal of the moment of the order.
    Refusal,
    /// Somebody turned it off by mistake: Insider is told the consent again.
    Restore,
}

fn one() -> u8 {
    1
}

fn three_hours() -> u32 {
    180
}

/// Forms of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated, with a head.
    #[default]
    Csv,
    /// Objects.
    Json,
}

/// Versions of the unsubscribe and resubscribe calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListApi {
    /// Five hundred addresses a call.
    #[default]
    V2,
    /// One address a call; for accounts that v2 is not open to.
    V1,
}

/// How the e-mail lists of v2 name people: by the account's identity set-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailFlow {
    /// By address: e-mail is an identifier, or the account has the email-based flow.
    #[default]
    Emails,
    /// Profile-based flow as in Insider's samples: `users` of uuid and address to unsubscribe, two
    /// parallel lists to resubscribe.
    Users,
    /// Profile-based flow as in Insider's field table: `uuids` alone.
    Uuids,
}

/// Custom attributes that are written beside a channel's flag.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentAttributes {
    /// Takes the consent date.
    pub date: Option<String>,
    /// How that attribute wants a date.
    pub date_form: DateForm,
    /// Takes the source, such as `HS_WEB`; its type in the panel is text.
    pub source: Option<String>,
}

/// How a date is written: what the attribute's type in the panel takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateForm {
    /// `2026-11-20T08:15:00Z`, for a date or a text.
    #[default]
    Rfc3339,
    /// Seconds since 1970, for a number.
    EpochSeconds,
}

/// Names that Insider gives a meaning of their own, so that none of ours may have them.
const RESERVED: [&str; 8] = ["email", "phone_number", "uuid", "iid", "email_optin", "sms_optin", "whatsapp_optin", "gdpr_optin"];

/// Refuses attributes that Insider could not take: of two that share a name each would overwrite the
/// other with a value of another type.
pub(super) fn validate(insider: &Insider) -> Result<(), BrandError> {
    let mut taken = BTreeSet::new();
    let consent = insider.outbound.consent_attributes.values().flat_map(|attributes| [&attributes.date, &attributes.source]);
    let named = std::iter::once((&insider.arama_attribute, "insider.aramaAttribute"))
        .chain(consent.map(|name| (name, "insider.outbound.consentAttributes")));
    for (name, field) in named {
        let Some(name) = name else { continue };
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !plain || RESERVED.contains(&name.as_str()) || !taken.insert(name) {
            return Err(BrandError::Attribute { field });
        }
    }
    match &insider.outbound.export {
        Some(export) if export.hook.expose_secret().is_empty() => Err(BrandError::Empty { field: "insider.outbound.export.hook" }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::brand::Brand;

    fn brand(change: impl FnOnce(&mut Value)) -> Result<Brand, BrandError> {
        let mut value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).expect("the local brand");
        change(&mut value);
        Brand::read(&value.to_string())
    }

    #[test]
    fn a_brand_that_says_nothing_is_told_in_bulk_by_address_and_whatsapp_is_left_alone() {
        let outbound = brand(|_| ()).expect("the local brand").insider.outbound;
        assert_eq!((outbound.list_api, outbound.email_flow), (ListApi::V2, EmailFlow::Emails));
        assert!(!outbound.whatsapp_follows_mesaj && outbound.consent_attributes.is_empty());
    }

    #[test]
    fn every_setting_is_read() {
        let read = brand(|value| {
            value["insider"]["outbound"] = json!({
                "listApi": "v1", "emailFlow": "users", "whatsappFollowsMesaj": true,
                "consentAttributes": { "MESAJ": { "date": "iys_sms_date", "dateForm": "epoch-seconds", "source": "iys_sms_source" } },
            });
        });
        let outbound = read.expect("a brand").insider.outbound;
        assert_eq!((outbound.list_api, outbound.email_flow, outbound.whatsapp_follows_mesaj), (ListApi::V1, EmailFlow::Users, true));
        let attributes = &outbound.consent_attributes[&Channel::Mesaj];
        assert_eq!((attributes.date.as_deref(), attributes.date_form), (Some("iys_sms_date"), DateForm::EpochSeconds));
    }

    #[test]
    fn an_export_judges_carefully_unless_the_brand_says_otherwise_and_keeps_its_hook_to_itself() {
        let of = |export: Value| brand(|value| value["insider"]["outbound"]["export"] = export);
        let hook = "https://izin.example.com/v1/demo/insider/export?key=s3cret";
        let plain = of(json!({ "segmentId": 1, "hook": hook })).expect("a brand");
        assert!(!format!("{plain:?}").contains("s3cret"));
        let plain = plain.insider.outbound.export.expect("an export");
        assert_eq!((plain.flag_off, plain.suspicious_percent, plain.lag_minutes), (FlagOff::Report, 1, 180));
        let said = of(json!({ "segmentId": 1, "hook": hook, "flagOff": "refusal", "suspiciousPercent": 5, "lagMinutes": 0 }));
        let said = said.expect("a brand").insider.outbound.export.expect("an export");
        assert_eq!((said.flag_off, said.suspicious_percent, said.lag_minutes), (FlagOff::Refusal, 5, 0));
        let nowhere = of(json!({ "segmentId": 1, "hook": "" }));
        assert!(matches!(nowhere, Err(BrandError::Empty { field: "insider.outbound.export.hook" })));
    }

    #[test]
    fn attributes_that_insider_could_not_take_are_refused() {
        for name in ["gdpr_optin", "email_optin", "email", "", "İzin", "c-x"] {
            let refused = brand(|value| value["insider"]["aramaAttribute"] = name.into());
            assert!(matches!(refused, Err(BrandError::Attribute { field: "insider.aramaAttribute" })), "{name}");
        }
        let twice = brand(|value| {
            value["insider"]["aramaAttribute"] = "iys".into();
            value["insider"]["outbound"]["consentAttributes"]["ARAMA"]["date"] = "iys".into();
        });
        assert!(matches!(twice, Err(BrandError::Attribute { field: "insider.outbound.consentAttributes" })));
    }
}
