//! The Insider simulator's settings: account, keys, limits, webhooks and open points.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::export::Segment;
use crate::clock::{self, Clock};

/// Everything that can be set; the default is the local partner `demo` under Insider's published limits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Account slug, sent by clients as `X-PARTNER-NAME`.
    pub partner: String,
    /// API keys by kind.
    pub keys: Keys,
    /// Receivers of events.
    pub webhooks: Webhooks,
    /// How the account is set up, and the open points.
    pub account: Account,
    /// Requests per minute and key on the contact host.
    pub contact_calls_per_minute: usize,
    /// Requests per minute on the unification host, upserts and profile reads each.
    pub unification_calls_per_minute: usize,
    /// Quota units per minute for profile reads.
    pub quota_per_minute: f64,
    /// Quota units for one profile read.
    pub profile_cost: f64,
    /// Dynamic segments of the panel, by number.
    pub segments: BTreeMap<u64, Segment>,
    /// Seconds from the order of an export to its file.
    pub export_delay_seconds: u64,
    /// Seconds that the link to a file lives.
    pub export_link_seconds: u64,
    /// Pauses in milliseconds between the attempts to deliver one event.
    pub webhook_retry_ms: Vec<u64>,
    /// Where the time comes from.
    #[serde(skip, default = "clock::system")]
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            partner: "demo".to_owned(),
            keys: Keys::default(),
            webhooks: Webhooks::default(),
            account: Account::default(),
            contact_calls_per_minute: 600,
            unification_calls_per_minute: 25_000,
            quota_per_minute: 1000.0,
            profile_cost: 0.5,
            segments: [(1, Segment::Everybody), (2, Segment::EmailUnsubscribed), (3, Segment::SmsUnsubscribed)].into(),
            export_delay_seconds: 4 * 3600,
            export_link_seconds: 24 * 3600,
            webhook_retry_ms: vec![1000, 3000, 10_000],
            clock: clock::system(),
        }
    }
}

/// One key per kind; each opens only its own paths.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Global Unsubscribe.
    pub unsubscribe: String,
    /// Resubscribe.
    pub resubscribe: String,
    /// Unified Customer Database: upsert and profile.
    pub ucd: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            unsubscribe: "demo-unsubscribe-key".to_owned(),
            resubscribe: "demo-resubscribe-key".to_owned(),
            ucd: "demo-ucd-key".to_owned(),
        }
    }
}

/// Receivers of events; an absent one is not called.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Unsubscribes in e-mails.
    pub email: Option<Webhook>,
    /// Unsubscribes in SMS.
    pub sms: Option<Webhook>,
    /// WhatsApp opt-outs.
    pub whatsapp: Option<Webhook>,
    /// Changes of opt-in flags by upserts without `skip_hook`.
    pub attributes: Option<Webhook>,
}

/// One receiver.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to POST.
    pub url: String,
    /// Static headers, e.g. a shared secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What proves that a request comes from this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Payload family; absent: legacy for e-mail, event stream otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// For [`Family::Architect`]: the brand's own body, in which `{{event}}`, `{{channel}}`,
    /// `{{email}}`, `{{phone_number}}`, `{{timestamp}}` and `{{insider_id}}` are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// The ways in which Insider's pages have it prove itself to a receiver, besides static headers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Auth {
    /// `X-INS-AUTH`: HMAC-SHA1 of the body as it goes out, hexadecimal.
    HmacHex {
        /// The secret of the panel's field.
        secret: String,
    },
    /// The same in base64.
    HmacBase64 {
        /// The secret.
        secret: String,
    },
    /// `X-INS-AUTH`: the secret itself, as one page's sample has it.
    Secret {
        /// The secret.
        secret: String,
    },
    /// HTTP Basic (Architect).
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: String,
    },
    /// `Authorization: Bearer` (WhatsApp).
    Bearer {
        /// The token.
        token: String,
    },
}

/// The shapes in which Insider tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Webhook for Email Events: one flat object.
    LegacyEmail,
    /// Callback of a transactional e-mail: the same flat object.
    TransactionalEmail,
    /// Callback of a transactional SMS, which has no number.
    TransactionalSms,
    /// Status of a WhatsApp message.
    WhatsappStatus,
    /// Data Stream, event.
    EventStream,
    /// Data Stream, attribute change.
    AttributeStream,
    /// Architect's “Call an API”: the brand's own body.
    Architect,
}

/// How e-mail addresses identify profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailFlow {
    /// The address is an identifier: an unknown one creates a profile.
    #[default]
    Identifier,
    /// Email-based flow: an unknown one creates nothing.
    EmailBased,
    /// Profile-based flow: an unknown one creates a profile.
    ProfileBased,
}

/// The account's set-up, and points that Insider's documentation leaves open.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// What an unknown e-mail address does.
    pub email_flow: EmailFlow,
    /// Whether an unknown phone number creates a profile.
    pub phone_is_identifier: bool,
    /// Whether an unsubscribe also sets the opt-in flag to false.
    pub unsubscribe_clears_flag: bool,
    /// Whether a resubscribe also sets the opt-in flag to true.
    pub resubscribe_sets_flag: bool,
    /// Whether an upsert with an opt-in flag of true takes the address off the suppression list.
    pub optin_lifts_suppression: bool,
    /// Whether unsubscribes by API emit the events that a person's unsubscribe emits.
    pub api_emits_events: bool,
    /// Whether v2 e-mail calls need `uploader_email`.
    pub require_uploader_email: bool,
    /// Custom attributes known in the panel; absent: any.
    pub custom_attributes: Option<Vec<String>>,
    /// Types of custom attributes; a value of another type is refused. Absent ones take any value.
    pub custom_attribute_types: BTreeMap<String, AttributeType>,
    /// Body of the contact host's 429.
    pub contact_limit_body: LimitBody,
    /// Unit of `timestamp` in the legacy e-mail event.
    pub legacy_timestamp: TimestampUnit,
    /// Seconds to send as `Retry-After` with a 429; absent: no such header.
    pub retry_after_seconds: Option<u64>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            email_flow: EmailFlow::default(),
            phone_is_identifier: true,
            unsubscribe_clears_flag: false,
            resubscribe_sets_flag: false,
            optin_lifts_suppression: false,
            api_emits_events: false,
            require_uploader_email: false,
            custom_attributes: None,
            custom_attribute_types: BTreeMap::new(),
            contact_limit_body: LimitBody::default(),
            legacy_timestamp: TimestampUnit::default(),
            retry_after_seconds: None,
        }
    }
}

/// Types of a custom attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A text in the form of RFC 3339.
    Date,
}

/// Bodies that Insider's pages show for a 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitBody {
    /// `{"message": "Too Many Requests", "status": 429}`
    #[default]
    Message,
    /// `{"error": "rejected: too many requests"}`
    Error,
}

/// Units of a number of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}
