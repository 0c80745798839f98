//! One brand's configuration: codes, authority, mapping and secrets.
//!
//! In the cloud it is one encrypted SSM parameter per brand, locally one file; its form is the same.
//! Everything that a vendor leaves uncertain is a setting here with a documented default.

mod inbound;
mod outbound;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU8;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::consent::{BrandName, Channel, RecipientIdKey, RecipientType, Source};

pub use inbound::{Attribute, AttributeMeaning, BodyFields, Effect, EventMeaning, Meanings, TimestampUnit, UndatedOnay};
pub use outbound::{ConsentAttributes, DateForm, EmailFlow, Export, ExportFormat, FlagOff, ListApi, Outbound};
pub use registry::{Mysoft, Netgsm, RegistryChoice, Verimor};

/// A brand.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Brand {
    /// Its name in routes and keys.
    pub name: BrandName,
    /// The secret behind recipient ids: at least 32 characters, never to be changed.
    pub recipient_id_key: RecipientIdKey,
    /// Its side at İYS.
    pub iys: Iys,
    /// By whom it reaches İYS: by its own API user, or by an integrator.
    #[serde(default)]
    pub registry: RegistryChoice,
    /// By whom it reached İYS before, as long as something may still be told there of what was handed in.
    #[serde(default)]
    pub former_registry: Option<RegistryChoice>,
    /// Its side at Insider.
    pub insider: Insider,
    /// Its own systems.
    pub api: Api,
}

/// A brand's side at İYS.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Iys {
    /// İYS number of the service provider.
    pub iys_code: u64,
    /// İYS number of the brand; equal to `iysCode` for the main brand.
    pub brand_code: u64,
    /// API user; missing where the brand reaches İYS by an integrator.
    #[serde(default = "none")]
    pub username: SecretString,
    /// Its password, likewise.
    #[serde(default = "none")]
    pub password: SecretString,
    /// Channels that may be called for this brand.
    pub channels: BTreeSet<Channel>,
    /// Whether the reconciliation service (mutabakat) may be called.
    #[serde(default)]
    pub mutabakat: bool,
    /// Whether a finished day that İYS's file and the ledger show alike is confirmed there (mutabakat). Off by
    /// default: it is the brand's word.
    #[serde(default)]
    pub confirm_days: bool,
    /// İYS number of the business partner whose API user this is; missing where it is the brand's own.
    #[serde(default)]
    pub integrator_code: Option<u64>,
    /// Whether push connections are set up and kept by the system itself. Off by default: İYS has to
    /// enable its push service for the brand first.
    #[serde(default)]
    pub push_service: bool,
    /// HTTP Basic credentials of push connections that were set up by hand.
    #[serde(default)]
    pub push: Option<BasicCredentials>,
    /// Addresses that İYS lists for the brand's calls. Only the check of the brand compares with them.
    #[serde(default)]
    pub egress_addresses: BTreeSet<IpAddr>,
    /// Whether a RET that came too late may be sent as the brand's own decision (`HS_KARAR`) dated
    /// now. Off by default: it changes what the brand declares.
    #[serde(default)]
    pub late_ret_as_hs_karar: bool,
    /// Within how many days every key is compared with what İYS holds. Seven by default.
    #[serde(default = "seven")]
    pub verify_days: NonZeroU8,
}

/// A user name and password for HTTP Basic.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicCredentials {
    /// User name.
    pub username: SecretString,
    /// Password.
    pub password: SecretString,
}

/// A brand's side at Insider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Insider {
    /// Account name (`X-PARTNER-NAME`).
    pub partner: String,
    /// The three keys, each for its own APIs.
    pub keys: InsiderKeys,
    /// Ways in which a webhook of this brand may prove that it comes from Insider; any one suffices,
    /// so that a secret can be rotated with both alive.
    pub webhook_auth: Vec<WebhookAuth>,
    /// What event names mean, besides the built-in table; compared without case.
    #[serde(default)]
    pub events: BTreeMap<String, EventMeaning>,
    /// What signals mean that may or may not be a refusal.
    #[serde(default)]
    pub meanings: Meanings,
    /// Which profile attributes carry consent; null for one that is known to mean nothing.
    #[serde(default = "inbound::default_attributes")]
    pub attributes: BTreeMap<String, Option<AttributeMeaning>>,
    /// Sources of consents that an event, or a body of the brand's making, tells without one. Without a
    /// source such a consent is kept aside.
    #[serde(default)]
    pub onay_sources: BTreeMap<Channel, Source>,
    /// What becomes of a consent without a date.
    #[serde(default)]
    pub undated_onay: UndatedOnay,
    /// The unit of time stamps.
    #[serde(default)]
    pub timestamp_unit: TimestampUnit,
    /// Further names of fields.
    #[serde(default)]
    pub body_fields: BodyFields,
    /// The field of an SMS callback's `uniqueArgs` that holds a recipient id; nothing is looked for when
    /// null.
    #[serde(default = "inbound::default_reference")]
    pub sms_reference: Option<String>,
    /// Recipient types of an address that the ledger does not know: Insider knows none. For an address
    /// that it knows, a refusal counts for every type that it is known as.
    #[serde(default = "default_recipient_types")]
    pub recipient_types: BTreeSet<RecipientType>,
    /// Whether a RET is told to Insider for addresses that Insider never showed: that creates a
    /// profile there where addresses are identifiers. On by default, because a profile that exists
    /// unseen would otherwise be messaged.
    #[serde(default = "yes")]
    pub relay_unknown_addresses: bool,
    /// The `uploader_email` that older bulk calls ask for; not sent when missing.
    #[serde(default)]
    pub uploader_email: Option<SecretString>,
    /// Name of the custom boolean attribute for ARAMA, which Insider has no field for; ARAMA needs
    /// nothing at Insider when missing.
    #[serde(default)]
    pub arama_attribute: Option<String>,
    /// How the account wants to be told.
    #[serde(default)]
    pub outbound: Outbound,
    /// Source of an e-mail event that names none.
    #[serde(default = "default_email_source")]
    pub email_source: Source,
    /// Source of an SMS event that names none.
    #[serde(default = "default_sms_source")]
    pub sms_source: Source,
}

/// Insider's keys. They open different APIs and are never mixed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsiderKeys {
    /// "Global Unsubscribe".
    pub unsubscribe: SecretString,
    /// "Resubscribe".
    pub resubscribe: SecretString,
    /// "Unified Customer Database": upsert and profile read.
    pub ucd: SecretString,
}

/// One way to prove that a webhook comes from Insider.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum WebhookAuth {
    /// A header of the brand's choice with a fixed secret.
    Header {
        /// Header name.
        name: String,
        /// Its value.
        secret: SecretString,
    },
    /// `X-INS-AUTH` with HMAC-SHA1 of the raw body, hex.
    HmacSha1Hex {
        /// The secret.
        secret: SecretString,
    },
    /// `X-INS-AUTH` with HMAC-SHA1 of the raw body, base64.
    HmacSha1Base64 {
        /// The secret.
        secret: SecretString,
    },
    /// `X-INS-AUTH` with the secret itself, as one page of Insider shows.
    StaticSecret {
        /// The secret.
        secret: SecretString,
    },
    /// HTTP Basic.
    Basic {
        /// User name.
        username: SecretString,
        /// Password.
        password: SecretString,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// A parameter of the address, for callbacks that can prove nothing in any other way.
    Query {
        /// The parameter's name.
        name: String,
        /// Its value.
        secret: SecretString,
    },
}

/// The brand's own systems.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Api {
    /// Bearer keys of the consent API; any of them opens it, so that keys can be rotated.
    pub keys: Vec<SecretString>,
    /// Source of a consent that names none.
    #[serde(default = "default_api_source")]
    pub default_source: Source,
}

const fn seven() -> NonZeroU8 {
    NonZeroU8::MIN.saturating_add(6)
}

fn none() -> SecretString {
    SecretString::default()
}

fn yes() -> bool {
    true
}

fn default_recipient_types() -> BTreeSet<RecipientType> {
    BTreeSet::from([RecipientType::Bireysel])
}

fn default_email_source() -> Source {
    Source::HsEposta
}

fn default_sms_source() -> Source {
    Source::HsMesaj
}

fn default_api_source() -> Source {
    Source::HsEortam
}

/// Why a brand's document cannot be used. It names the place in the document, never a value.
#[derive(Debug, thiserror::Error)]
pub enum BrandError {
    /// The document does not have the expected form.
    #[error("brand configuration: at {path}: the value does not fit (line {line}, column {column})")]
    Form {
        /// Path within the document.
        path: String,
        /// Line of the document.
        line: usize,
        /// Column of the document.
        column: usize,
    },
    /// A secret is too weak.
    #[error("brand configuration: recipientIdKey must have at least 32 characters")]
    WeakKey,
    /// Nobody could ever call.
    #[error("brand configuration: {field} must not be empty")]
    Empty {
        /// The list that is empty.
        field: &'static str,
    },
    /// What only İYS's own API offers, where the brand reaches it by an integrator.
    #[error("brand configuration: {field} needs İYS's own API and not an integrator")]
    NotByIntegrator {
        /// The field.
        field: &'static str,
    },
    /// Any of these, of the registry that the brand has left.
    #[error("{}", .0.to_string().replace("registry.", "formerRegistry."))]
    Former(Box<BrandError>),
    /// An address that secrets must not be sent to.
    #[error("brand configuration: registry.baseUrl must begin with https, or lead to this machine")]
    BaseUrl,
    /// A number that must not be zero.
    #[error("brand configuration: {field} must be 1 or more")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// A custom attribute that Insider could not take.
    #[error("brand configuration: {field}: an attribute's name is of a-z, 0-9 and _, none of Insider's own, and given once")]
    Attribute {
        /// The field.
        field: &'static str,
    },
    /// A default that İYS would refuse.
    #[error("brand configuration: {field} must be one of the HS_* sources")]
    Source {
        /// The field.
        field: &'static str,
    },
    /// A source by which nobody consents today.
    #[error("brand configuration: {field} must name HS_* sources other than HS_KARAR and HS_2015")]
    OnaySource {
        /// The field.
        field: &'static str,
    },
}

impl Brand {
    /// Reads a brand's JSON document.
    pub fn read(document: &str) -> Result<Self, BrandError> {
        let mut reader = serde_json::Deserializer::from_str(document);
        // The reader's own message may quote a value, which may be a secret: only the place is kept.
        let brand: Brand = serde_path_to_error::deserialize(&mut reader).map_err(|error| BrandError::Form {
            path: error.path().to_string(),
            line: error.inner().line(),
            column: error.inner().column(),
        })?;
        brand.validate()?;
        Ok(brand)
    }

    fn validate(&self) -> Result<(), BrandError> {
        if !self.recipient_id_key.is_strong() {
            return Err(BrandError::WeakKey);
        }
        let usable = |secret: &SecretString| !secret.expose_secret().is_empty();
        if self.api.keys.is_empty() || !self.api.keys.iter().all(usable) {
            return Err(BrandError::Empty { field: "api.keys" });
        }
        if self.insider.webhook_auth.is_empty() || !self.insider.webhook_auth.iter().all(WebhookAuth::is_usable) {
            return Err(BrandError::Empty { field: "insider.webhookAuth" });
        }
        if self.insider.recipient_types.is_empty() {
            return Err(BrandError::Empty { field: "insider.recipientTypes" });
        }
        outbound::validate(&self.insider)?;
        self.registry.validate(&self.iys)?;
        self.registry.goes_with(&self.iys)?;
        if let Some(former) = &self.former_registry {
            former.validate(&self.iys).map_err(|error| BrandError::Former(Box::new(error)))?;
        }
        if !self.iys.push.iter().all(|push| usable(&push.username) && usable(&push.password)) {
            return Err(BrandError::Empty { field: "iys.push" });
        }
        for (field, source) in [
            ("insider.emailSource", &self.insider.email_source),
            ("insider.smsSource", &self.insider.sms_source),
            ("api.defaultSource", &self.api.default_source),
        ] {
            if !source.is_sendable() {
                return Err(BrandError::Source { field });
            }
        }
        let of_attributes = self.insider.attributes.values().flatten().filter_map(|meaning| meaning.onay_source.as_ref());
        let of_attributes = of_attributes.map(|source| ("insider.attributes", source));
        let of_events = self.insider.onay_sources.values().map(|source| ("insider.onaySources", source));
        // `HS_KARAR` is a decision to stop, and `HS_2015` belongs to a date in the past: neither is how
        // somebody consents today.
        let is_of_today = |source: &Source| source.is_sendable() && !matches!(source, Source::HsKarar | Source::Hs2015);
        match of_attributes.chain(of_events).find(|(_, source)| !is_of_today(source)) {
            Some((field, _)) => Err(BrandError::OnaySource { field }),
            None => Ok(()),
        }
    }

    /// The brand as it was on the road that it has left, where its document names that.
    pub fn former(&self) -> Option<Self> {
        let registry = self.former_registry.clone()?;
        Some(Self { registry, former_registry: None, ..self.clone() })
    }

    /// Whether the brand has authorised a channel at İYS.
    pub fn authorises(&self, channel: Channel) -> bool {
        self.iys.channels.contains(&channel)
    }

    /// Whether `key` opens the brand's consent API. Takes the same time whichever key fits or none.
    pub fn api_key_fits(&self, key: &str) -> bool {
        self.api.keys.iter().fold(false, |fits, own| fits | same_secret(own, key))
    }
}

impl WebhookAuth {
    /// The word by which a brand's document names the mode.
    pub fn name(&self) -> &'static str {
        match self {
            WebhookAuth::Header { .. } => "header",
            WebhookAuth::HmacSha1Hex { .. } => "hmac-sha1-hex",
            WebhookAuth::HmacSha1Base64 { .. } => "hmac-sha1-base64",
            WebhookAuth::StaticSecret { .. } => "static-secret",
            WebhookAuth::Basic { .. } => "basic",
            WebhookAuth::Bearer { .. } => "bearer",
            WebhookAuth::Query { .. } => "query",
        }
    }

    fn is_usable(&self) -> bool {
        let usable = |secret: &SecretString| !secret.expose_secret().is_empty();
        match self {
            WebhookAuth::Header { name, secret } | WebhookAuth::Query { name, secret } => !name.is_empty() && usable(secret),
            WebhookAuth::HmacSha1Hex { secret } | WebhookAuth::HmacSha1Base64 { secret } | WebhookAuth::StaticSecret { secret } => {
                usable(secret)
            }
            WebhookAuth::Basic { username, password } => usable(username) && usable(password),
            WebhookAuth::Bearer { token } => usable(token),
        }
    }
}

impl BasicCredentials {
    /// Whether the given credentials are these, in constant time.
    pub fn fit(&self, username: &str, password: &str) -> bool {
        same_secret(&self.username, username) & same_secret(&self.password, password)
    }
}

/// Compares a secret with what a caller sent, in time that does not depend on where they differ.
pub fn same_secret(secret: &SecretString, given: &str) -> bool {
    secret.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}

impl Insider {
    /// The profile flag that mirrors a channel, if there is one.
    pub fn flag_for(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Eposta => Some("email_optin"),
            Channel::Mesaj => Some("sms_optin"),
            Channel::Arama => self.arama_attribute.as_deref(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_local_brand_is_a_valid_document() {
        let brand = Brand::read(include_str!("../../infra/local/brands/demo.json")).expect("the local brand");
        assert_eq!(brand.name.as_str(), "demo");
        assert_eq!((brand.iys.iys_code, brand.iys.brand_code), (700_001, 700_001));
        assert!(brand.api_key_fits("demo-api-key"));
        assert!(!brand.api_key_fits("demo-api-ke"));
        assert!(!brand.api_key_fits(""));
        assert!(brand.iys.push.as_ref().is_some_and(|push| push.fit("iys", "demo-iys-push")));
        assert!(Channel::ALL.iter().all(|channel| brand.authorises(*channel)));
        assert!(brand.iys.push_service);
    }

    #[test]
    fn push_credentials_may_be_missing_and_are_usable_where_they_are_given() {
        let document = include_str!("../../infra/local/brands/demo.json");
        let mut value: serde_json::Value = serde_json::from_str(document).expect("the local brand");
        value["iys"]["push"]["password"] = "".into();
        assert!(matches!(Brand::read(&value.to_string()), Err(BrandError::Empty { field: "iys.push" })));
        for name in ["push", "pushService", "integratorCode"] {
            value["iys"].as_object_mut().expect("an object").remove(name);
        }
        let brand = Brand::read(&value.to_string()).expect("a brand");
        assert!(brand.iys.push.is_none() && !brand.iys.push_service && brand.iys.integrator_code.is_none());
    }

    #[test]
    fn event_names_are_compared_without_case_and_the_brand_extends_the_table() {
        let mut brand = Brand::read(include_str!("../../infra/local/brands/demo.json")).expect("the local brand");
        assert_eq!(brand.insider.meaning("Email Unsubscribe"), Some(EventMeaning::Ret));
        assert_eq!(brand.insider.meaning("GROUP_UNSUBSCRIBE"), Some(EventMeaning::GroupRet));
        assert_eq!(brand.insider.meaning("loyalty_left"), None);
        brand.insider.events.insert("Loyalty-Left".into(), EventMeaning::Ret);
        brand.insider.events.insert("group_unsubscribe".into(), EventMeaning::Ret);
        assert_eq!(brand.insider.meaning("loyalty_left"), Some(EventMeaning::Ret));
        assert_eq!(brand.insider.meaning("group unsubscribe"), Some(EventMeaning::Ret));
        assert_eq!(brand.insider.group_effect(), Effect::Ret);
    }

    /// The local brand with other settings of its Insider side.
    fn with(settings: serde_json::Value) -> Result<Brand, BrandError> {
        let mut document: serde_json::Value =
            serde_json::from_str(include_str!("../../infra/local/brands/demo.json")).expect("the local brand");
        let insider = document["insider"].as_object_mut().expect("an object");
        insider.extend(settings.as_object().expect("an object").clone());
        Brand::read(&document.to_string())
    }

    #[test]
    fn what_a_brand_says_of_webhooks_is_read_and_what_it_leaves_out_is_safe() {
        let plain = with(serde_json::json!({})).expect("a brand").insider;
        assert_eq!(plain.meanings, Meanings::default());
        assert_eq!((plain.group_effect(), plain.meanings.bounce), (Effect::Aside, Effect::None));
        assert_eq!((plain.undated_onay, plain.timestamp_unit), (UndatedOnay::Aside, TimestampUnit::Auto));
        assert_eq!(plain.sms_reference.as_deref(), Some("iysRef"));
        assert!(plain.onay_sources.is_empty());
        assert!(matches!(plain.attribute("Email-Optin"), Attribute::Consent(meaning) if meaning.channel == Channel::Eposta));
        assert!(matches!(plain.attribute("gdpr_optin"), Attribute::NoMeaning));
        assert!(matches!(plain.attribute("city"), Attribute::Unknown));
        let said = with(serde_json::json!({
            "meanings": {"groupUnsubscribe": "ret", "bounce": "aside"}, "undatedOnay": "receipt", "timestampUnit": "milliseconds",
            "smsReference": null, "onaySources": {"EPOSTA": "HS_WEB"}, "bodyFields": {"places": ["data"], "time": ["changed_at"]},
            "attributes": {"call_optin": {"type": "ARAMA", "onaySource": "HS_WEB", "onayValues": ["evet"], "retValues": ["hayır"]}, "city": null},
        }))
        .expect("a brand")
        .insider;
        assert_eq!((said.group_effect(), said.meanings.spam_complaint, said.meanings.bounce), (Effect::Ret, Effect::Ret, Effect::Aside));
        assert_eq!(
            (said.undated_onay, said.timestamp_unit, said.sms_reference.as_deref()),
            (UndatedOnay::Receipt, TimestampUnit::Milliseconds, None)
        );
        assert!(matches!(said.attribute("c_call_optin"), Attribute::Consent(meaning) if meaning.channel == Channel::Arama));
        assert!(matches!(said.attribute("city"), Attribute::NoMeaning));
        assert!(matches!(said.attribute("email_optin"), Attribute::Unknown), "a table that is given replaces the default");
    }

    #[test]
    fn nobody_consents_today_by_a_decision_to_stop_or_by_a_date_of_2015() {
        for source in ["HS_KARAR", "HS_2015", "IYS_WEB"] {
            let told = with(serde_json::json!({"onaySources": {"EPOSTA": source}}));
            assert!(matches!(told, Err(BrandError::OnaySource { field: "insider.onaySources" })), "{source}");
            let told = with(serde_json::json!({"attributes": {"email_optin": {"type": "EPOSTA", "onaySource": source}}}));
            assert!(matches!(told, Err(BrandError::OnaySource { field: "insider.attributes" })), "{source}");
        }
    }

    #[test]
    fn errors_and_debug_output_show_no_secret() {
        let document = include_str!("../../infra/local/brands/demo.json");
        let brand = Brand::read(document).expect("the local brand");
        let shown = format!("{brand:?}");
        for secret in ["demo-api-key", "demo-iys-push", "demo-insider-secret", "demo-ucd-key", "demo-iys-password"] {
            assert!(document.contains(secret));
            assert!(!shown.contains(secret), "{secret}");
        }
        let broken = document.replace("\"demo-api-key\"", "{\"x\":\"demo-api-key\"}");
        let error = Brand::read(&broken).expect_err("a broken document").to_string();
        assert!(error.contains("api.keys"), "{error}");
        assert!(!error.contains("demo-api-key"), "{error}");
    }
}
