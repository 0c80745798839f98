//! The İYS simulator's settings: accounts, limits, delays, seeds, and where the time comes from.

use std::net::IpAddr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::gate::QualityGate;
use super::model::ConsentType;
use super::parties::{Partner, Provider};
use super::switches::Switches;
use crate::clock::{self, Clock};

/// Everything that can be set; the default is the local brand `demo` under İYS's published limits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Service providers.
    pub providers: Vec<Provider>,
    /// Business partners.
    pub partners: Vec<Partner>,
    /// Addresses that calls are taken from; others get a bare 403. Absent: all.
    pub listed_addresses: Option<Vec<IpAddr>>,
    /// The quality gate.
    pub quality_gate: QualityGate,
    /// Seconds from taking a bulk list to storing its consents; earlier result queries find nothing.
    pub bulk_delay_seconds: u64,
    /// Days for which a bulk result can be queried.
    pub bulk_retention_days: u64,
    /// Pull shows nothing younger than this many seconds.
    pub pull_tail_seconds: u64,
    /// Pull shows nothing older than this many seconds.
    pub pull_window_seconds: u64,
    /// Calls per second and caller address (H124).
    pub calls_per_second: usize,
    /// Token requests per hour and caller address (H084).
    pub token_limit_per_hour: usize,
    /// Single status queries per hour and caller address (H086).
    pub status_limit_per_hour: usize,
    /// History queries per hour and caller address (H089).
    pub history_limit_per_hour: usize,
    /// Life of an access token in seconds.
    pub access_token_seconds: u64,
    /// Life of a refresh token in seconds.
    pub refresh_token_seconds: u64,
    /// Push connections that stand at the start, without a handshake.
    pub push_connections: Vec<PushConnection>,
    /// Whether push URLs may begin with `http://`; meant for receivers on loopback.
    pub allow_http_push: bool,
    /// Pauses in milliseconds between the attempts to push one batch (U21).
    pub push_retry_ms: Vec<u64>,
    /// Records in one push (U21).
    pub push_batch_maximum: usize,
    /// How long a receiver may take to answer a push or the handshake, in milliseconds (U21).
    pub push_timeout_ms: u64,
    /// The retailer number that is given out first; later ones count up.
    pub first_retailer_code: u64,
    /// Retailers that one brand may have.
    pub retailers_maximum: usize,
    /// Days off besides the ones built in, e.g. feasts after 2030.
    pub extra_holidays: Vec<Date>,
    /// Records that stand at İYS at the start.
    pub seed: Vec<Seed>,
    /// The open points; they can be changed while the simulator runs.
    pub switches: Switches,
    /// Where the time comes from.
    #[serde(skip, default = "clock::system")]
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            providers: vec![Provider::default()],
            partners: Vec::new(),
            listed_addresses: None,
            quality_gate: QualityGate::default(),
            bulk_delay_seconds: 300,
            bulk_retention_days: 60,
            pull_tail_seconds: 3600,
            pull_window_seconds: 7 * 24 * 3600,
            calls_per_second: 10,
            token_limit_per_hour: 10,
            status_limit_per_hour: 1000,
            history_limit_per_hour: 100,
            access_token_seconds: 7200,
            refresh_token_seconds: 14400,
            push_connections: Vec::new(),
            allow_http_push: false,
            push_retry_ms: vec![1000, 5000, 15_000],
            push_batch_maximum: 100,
            push_timeout_ms: 5000,
            first_retailer_code: 50_000_001,
            retailers_maximum: 3000,
            extra_holidays: Vec::new(),
            seed: Vec::new(),
            switches: Switches::default(),
            clock: clock::system(),
        }
    }
}

/// A push connection.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushConnection {
    /// Brand.
    #[serde(rename = "brandCode")]
    pub brand_code: u64,
    /// Channel.
    #[serde(rename = "type")]
    pub consent_type: ConsentType,
    /// Receiver.
    pub url: String,
    /// Basic user name.
    pub username: String,
    /// Basic password.
    pub password: String,
}

/// A record that stood at İYS before the simulator started; no rule is applied to it and it is not pushed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Brand.
    pub brand_code: u64,
    /// Address.
    pub recipient: String,
    /// `BIREYSEL` if absent.
    #[serde(default)]
    pub recipient_type: super::model::RecipientType,
    /// Channel.
    #[serde(rename = "type")]
    pub consent_type: ConsentType,
    /// State.
    pub status: super::model::Status,
    /// `HS_WEB` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Turkish time `YYYY-MM-DD HH:mm:ss`; 30 days ago if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// When İYS recorded it; the consent date if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
}
