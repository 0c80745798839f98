//! The İYS simulator's settings: accounts, limits, and one switch per point that İYS leaves open.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::model::ConsentType;
use super::rules::DayCount;
use crate::clock::{self, Clock};

/// Everything that can be set; the default is the local brand `demo` under İYS's published limits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The accounts.
    pub providers: Vec<Provider>,
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
    /// Pauses in milliseconds between the attempts to push one batch.
    pub push_retry_ms: Vec<u64>,
    /// Days off besides the ones built in, e.g. feasts after 2030.
    pub extra_holidays: Vec<Date>,
    /// Records that stand at İYS at the start.
    pub seed: Vec<Seed>,
    /// The open points.
    pub switches: Switches,
    /// Where the time comes from.
    #[serde(skip, default = "clock::system")]
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            providers: vec![Provider::default()],
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
            extra_holidays: Vec::new(),
            seed: Vec::new(),
            switches: Switches::default(),
            clock: clock::system(),
        }
    }
}

/// One service provider with its API user.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// İYS number.
    #[serde(rename = "iysCode")]
    pub iys_code: u64,
    /// Company title.
    pub title: String,
    /// API user.
    pub username: String,
    /// The API user's password.
    pub password: String,
    /// The subscription; `None` means that there is none (H524).
    pub subscription: Option<Subscription>,
    /// The provider's brands.
    pub brands: Vec<Brand>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            iys_code: 700_001,
            title: "Demo A.S.".to_owned(),
            username: "demo-api-user@example.com".to_owned(),
            password: "demo-iys-password".to_owned(),
            subscription: Some(Subscription::default()),
            brands: vec![Brand { brand_code: 700_001, name: "Demo".to_owned(), master: true, ..Brand::default() }],
        }
    }
}

/// One brand.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// İYS number of the brand; the master brand's equals the provider's.
    #[serde(rename = "brandCode")]
    pub brand_code: u64,
    /// Name.
    pub name: String,
    /// Whether it is the main brand.
    pub master: bool,
    /// From this Turkish time on the three-business-day rule applies; absent: always (U12).
    pub activation_date: Option<DateTime>,
    /// Channels that the API user may write; absent: all (U33).
    pub channels: Option<Vec<ConsentType>>,
    /// Retailers of the brand.
    pub retailers: Vec<u64>,
}

/// State of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SubscriptionStatus {
    /// In force.
    Active,
    /// Only the subscription query is allowed (H520).
    Paused,
    /// Only the subscription query is allowed (H520).
    Expired,
    /// Nothing else is allowed (H521).
    Closed,
}

/// A provider's subscription.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscription {
    /// State.
    pub status: SubscriptionStatus,
    /// Package name.
    pub package: String,
    /// Stored addresses that the package pays for; absent: unlimited.
    pub consent_limit: Option<u64>,
    /// Whether more than that may be stored; otherwise H525.
    pub consent_limit_exceed: bool,
    /// Whether the package includes the API; otherwise H586.
    pub includes_api: bool,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            status: SubscriptionStatus::Active,
            package: "Demo".to_owned(),
            consent_limit: None,
            consent_limit_exceed: false,
            includes_api: true,
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

/// Points that İYS's documentation leaves open or contradicts itself on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// U1: the answer to wrong credentials.
    pub bad_credentials: BadCredentials,
    /// U2: the shape of the token endpoint's 429.
    pub token_limit_body: TokenLimitBody,
    /// U4: seconds to send as `Retry-After` with a 429; absent: no such header.
    pub retry_after_seconds: Option<u64>,
    /// Whether a refresh token can be used more than once.
    pub refresh_token_reusable: bool,
    /// U6: whether an ONAY with a newer date is taken where an ONAY stands (otherwise H174).
    pub onay_on_onay: bool,
    /// U7: `subrequestId` instead of `subRequestId` in bulk results.
    pub lowercase_subrequest: bool,
    /// U8: the code for `HS_KARAR` on an address without a record.
    pub first_karar: FirstKarar,
    /// U9: milliseconds instead of seconds in the pull cursor.
    pub cursor_in_milliseconds: bool,
    /// U10: HTTP status of H467 in a single add.
    pub late_status: u16,
    /// U11: how three business days are counted.
    pub day_count: DayCount,
    /// U12: whether H467 applies to RET.
    pub late_applies_to_ret: bool,
    /// U12: whether `HS_2015` is exempt from H467.
    pub late_exempts_2015: bool,
    /// U15: HTTP status of an accepted bulk list.
    pub bulk_status: u16,
    /// U17: whether `index` in bulk results begins at 1.
    pub index_from_one: bool,
    /// What the result query shows while a list is being processed.
    pub unfinished: Unfinished,
    /// U18: the single status query's answer for an address without a record.
    pub no_record: NoRecord,
    /// U33: the code for a channel that the API user may not write.
    pub channel_refusal: ChannelRefusal,
    /// `isAddConsentV2Service` as the text "true", as in İYS's sample.
    pub v2_flag_as_text: bool,
    /// The misspelt key `code:` in 403 answers, as in İYS's samples.
    pub misspelt_code_key: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bad_credentials: BadCredentials::default(),
            token_limit_body: TokenLimitBody::default(),
            retry_after_seconds: None,
            refresh_token_reusable: false,
            onay_on_onay: true,
            lowercase_subrequest: false,
            first_karar: FirstKarar::default(),
            cursor_in_milliseconds: false,
            late_status: 422,
            day_count: DayCount::default(),
            late_applies_to_ret: true,
            late_exempts_2015: false,
            bulk_status: 202,
            index_from_one: false,
            unfinished: Unfinished::default(),
            no_record: NoRecord::default(),
            channel_refusal: ChannelRefusal::default(),
            v2_flag_as_text: false,
            misspelt_code_key: false,
        }
    }
}

/// U1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadCredentials {
    /// 400 with `{"error": "invalid_request"}`.
    #[default]
    InvalidRequest,
    /// 401 with `H251`.
    Unauthorised,
}

/// U2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimitBody {
    /// `{"errors": [{"code", "message"}]}`.
    #[default]
    Errors,
    /// `{"code", "message"}`.
    TopLevel,
}

/// U8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FirstKarar {
    /// H175, as for any first RET.
    #[default]
    H175,
    /// H486.
    H486,
}

/// What the result query shows before a list is processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfinished {
    /// An empty array.
    #[default]
    Empty,
    /// One row per item with status `enqueue`.
    Enqueue,
}

/// U18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRecord {
    /// 404 with `errors`.
    #[default]
    NotFound,
    /// 200 with `{}`.
    EmptyObject,
    /// 204.
    NoContent,
}

/// U33.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelRefusal {
    /// 404.
    #[default]
    H355,
    /// 403.
    H353,
}
