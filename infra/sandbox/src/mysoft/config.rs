//! The Mysoft simulator's settings: clients with their tenants, delays, open points.

use serde::{Deserialize, Serialize};

/// Everything that can be set; the default is one client and tenant with the local brand `demo`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// API clients.
    pub accounts: Vec<Account>,
    /// Life of an access token in seconds.
    pub token_seconds: u64,
    /// Seconds for which a record waits before it is sent to İYS.
    pub queue_delay_seconds: u64,
    /// Seconds of each of the two states after that.
    pub step_seconds: u64,
    /// Seconds until Mysoft knows what a person changed at İYS.
    pub webhook_delay_seconds: u64,
    /// Seconds until Mysoft knows what the brand's own API user recorded at İYS.
    pub pull_delay_seconds: u64,
    /// Records in one bulk add (I16).
    pub records_maximum: usize,
    /// Whether what stands at İYS at the start stands in the mirror, too.
    pub mirror_at_start: bool,
    /// Pauses in milliseconds between the attempts to deliver one callback (I22).
    pub callback_retry_ms: Vec<u64>,
    /// The open points; they can be changed while the simulator runs.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: vec![Account::default()],
            token_seconds: 300,
            queue_delay_seconds: 30,
            step_seconds: 10,
            webhook_delay_seconds: 0,
            pull_delay_seconds: 3600,
            records_maximum: 1000,
            mirror_at_start: true,
            callback_retry_ms: vec![1000, 5000, 15_000],
            switches: Switches::default(),
        }
    }
}

/// One API client.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The firms that it may act for.
    pub tenants: Vec<Tenant>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            client_id: "demo-client".to_owned(),
            client_secret: "demo-mysoft-secret".to_owned(),
            tenants: vec![Tenant { tenant_identifier_number: "1234567890".to_owned(), brands: vec![700_001], webhook: None }],
        }
    }
}

/// One firm.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Tax number.
    pub tenant_identifier_number: String,
    /// Its brands, by İYS number.
    pub brands: Vec<u64>,
    /// The callback that is set in the portal.
    pub webhook: Option<Webhook>,
}

/// Where callbacks go.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Address.
    pub url: String,
    /// The `webHookKey` that each body carries.
    pub key: String,
}

/// What the sources leave open.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The token's answer has no `expires_in`.
    pub omit_expires_in: bool,
    /// A missing `recipientType` is `BIREYSEL`; otherwise it is refused.
    pub recipient_type_may_be_missing: bool,
    /// A `serviceReferanceKey` that was used before is refused (I17).
    pub service_key_unique: bool,
    /// One bad record keeps the good ones of a bulk add from being taken (I18).
    pub bad_record_refuses_list: bool,
    /// `afterValue` includes the row with that id (I19).
    pub after_value_inclusive: bool,
    /// An address without any row is refused with `HM404`; otherwise there are no rows.
    pub unknown_recipient_refused: bool,
    /// In the mirror a record that failed hides what stands at İYS.
    pub failed_hides_standing: bool,
    /// What people change is pulled, and not pushed to Mysoft.
    pub citizen_by_pull: bool,
    /// Callbacks tell of records that the firm sent, and of what came by pull, too.
    pub callback_tells_all: bool,
    /// A callback has `consentDate` and `source` beside `consentData`, not inside of it.
    pub callback_fields_outside: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            omit_expires_in: false,
            recipient_type_may_be_missing: false,
            service_key_unique: true,
            bad_record_refuses_list: false,
            after_value_inclusive: false,
            unknown_recipient_refused: false,
            failed_hides_standing: true,
            citizen_by_pull: false,
            callback_tells_all: false,
            callback_fields_outside: false,
        }
    }
}
