//! The Netgsm simulator's settings: accounts with their brands, limits, delays, open points.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Everything that can be set; the default is one account with the local brand `demo`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Subscribers.
    pub accounts: Vec<Account>,
    /// Seconds from taking a package to handing it to İYS.
    pub queue_delay_seconds: u64,
    /// Calls per minute and account (I5); more are answered with code 80.
    pub calls_per_minute: usize,
    /// Records in one call (I5); more are answered with code 70.
    pub items_maximum: usize,
    /// Pauses in milliseconds between the attempts to deliver one webhook (I9).
    pub webhook_retry_ms: Vec<u64>,
    /// The open points; they can be changed while the simulator runs.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: vec![Account::default()],
            queue_delay_seconds: 30,
            calls_per_minute: 10,
            items_maximum: 100,
            webhook_retry_ms: vec![1000, 5000, 15_000],
            switches: Switches::default(),
        }
    }
}

/// One subscriber.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Subscriber number.
    pub username: String,
    /// Password of the API sub-user.
    pub password: String,
    /// Whether the NetİYS module is active; otherwise code 40.
    pub module_active: bool,
    /// Whether the sub-user has the right to the API; otherwise code 30.
    pub api_right: bool,
    /// Addresses that calls are taken from; others get code 30. Absent: all.
    pub allowed_addresses: Option<Vec<IpAddr>>,
    /// The brands, by İYS number, that authorised Netgsm; any other gets code 60.
    pub brands: Vec<u64>,
    /// The webhook that is set in the portal.
    pub webhook: Option<String>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            username: "8500000000".to_owned(),
            password: "demo-netgsm-password".to_owned(),
            module_active: true,
            api_right: true,
            allowed_addresses: None,
            brands: vec![700_001],
            webhook: None,
        }
    }
}

/// What the sources leave open.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// HTTP Basic is needed besides the credentials in the body; without it code 40 (I1).
    pub basic_required: bool,
    /// Numbers of other countries pass the local check (I3).
    pub foreign_numbers: bool,
    /// The webhook's `submitid` is the `uid` that the add was answered with (I6); otherwise another one.
    pub submitid_is_uid: bool,
    /// `code` is a number instead of a text.
    pub numeric_code: bool,
    /// Success is `00` instead of `0`.
    pub double_zero: bool,
    /// A query for one record is answered with an array of one (I8).
    pub array_of_one: bool,
    /// A wrong brand gets code 40 and an inactive module code 60, the other reading of the two (I7).
    pub codes_40_60_swapped: bool,
    /// A webhook is an array of one record (I9).
    pub webhook_array: bool,
    /// `iyscode` and `brandcode` in the webhook are texts.
    pub webhook_text_codes: bool,
    /// The webhook tells of changes that did not come by Netgsm, too.
    pub webhook_tells_all: bool,
    /// A single query carries `querystatus: null`.
    pub query_status: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            basic_required: false,
            foreign_numbers: false,
            submitid_is_uid: true,
            numeric_code: false,
            double_zero: false,
            array_of_one: false,
            codes_40_60_swapped: false,
            webhook_array: false,
            webhook_text_codes: false,
            webhook_tells_all: true,
            query_status: false,
        }
    }
}
