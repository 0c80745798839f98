//! The Verimor simulator's settings: accounts with their headers, limits, delays, open points.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Everything that can be set; the default is one account with the local brand `demo`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Subscribers.
    pub accounts: Vec<Account>,
    /// Seconds from taking a list to handing it to İYS.
    pub queue_delay_seconds: u64,
    /// Adds per minute and account.
    pub adds_per_minute: u32,
    /// Adds at once.
    pub adds_burst: u32,
    /// Queries per minute and account.
    pub queries_per_minute: u32,
    /// Queries at once.
    pub queries_burst: u32,
    /// Bytes in one add; more are a 413.
    pub body_maximum: usize,
    /// Records in one add (I11).
    pub records_maximum: usize,
    /// Seconds after midnight, Turkish time, at which the day's campaigns are made.
    pub daily_after_seconds: u64,
    /// Pauses in milliseconds between the attempts to deliver one push (I14).
    pub push_retry_ms: Vec<u64>,
    /// What an unfinished campaign's `status` says (I13).
    pub pending_status: String,
    /// What a pending record's `request_status` says (I13).
    pub pending_record: String,
    /// The open points; they can be changed while the simulator runs.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: vec![Account::default()],
            queue_delay_seconds: 60,
            adds_per_minute: 240,
            adds_burst: 80,
            queries_per_minute: 20,
            queries_burst: 10,
            body_maximum: 10 * 1024 * 1024,
            records_maximum: 50_000,
            daily_after_seconds: 0,
            push_retry_ms: vec![300_000, 300_000, 300_000],
            pending_status: "İşleniyor".to_owned(),
            pending_record: "Bekliyor".to_owned(),
            switches: Switches::default(),
        }
    }
}

/// One subscriber.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Subscriber number of twelve digits.
    pub username: String,
    /// API password.
    pub password: String,
    /// Addresses that calls are taken from. Empty: none, until one is entered in the portal.
    pub allowed_addresses: Vec<IpAddr>,
    /// Sender headers; the first one stands for an empty `source_addr`.
    pub headers: Vec<Header>,
    /// The “İYS Push URL” that is set in the portal.
    pub push_url: Option<String>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            username: "908500000000".to_owned(),
            password: "demo-verimor-password".to_owned(),
            allowed_addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            headers: vec![Header { name: "DEMO".to_owned(), brand_code: Some(700_001), ..Header::default() }],
            push_url: None,
        }
    }
}

/// One sender header.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Header {
    /// Name, as in `source_addr`.
    pub name: String,
    /// The brand's İYS number that is attached to it; absent: `MISSING_IYS_BRAND_CODE`.
    pub brand_code: Option<u64>,
    /// Whether the brand's owner authorised Verimor; otherwise `AHS_AUTHORIZATION_ERROR`.
    pub authorised: bool,
    /// Whether the owner's tax number has a brand; otherwise `NO_AHS_BRAND_ERROR`.
    pub tax_number_has_brand: bool,
}

impl Default for Header {
    fn default() -> Self {
        Self { name: String::new(), brand_code: None, authorised: true, tax_number_has_brand: true }
    }
}

/// What the sources leave open.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// An add names `iys_brand_code` and each record's `phone`, in place of `source_addr` and `recipient` (I10).
    pub docs_site_names: bool,
    /// A bad record ends as a failed one, and the others are taken; otherwise the whole list is refused (I12).
    pub bad_record_in_report: bool,
    /// Campaigns are listed from the newest on; otherwise from the oldest.
    pub newest_first: bool,
}
