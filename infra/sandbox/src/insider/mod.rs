//! The Insider simulator: an account's state, its router, and how accounts are served. The contact and the
//! unification host share one address here; their paths do not collide.

mod accounts;
mod config;
mod contact;
mod control;
mod export;
mod panel;
mod proof;
mod store;
mod unification;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use config::{Account, AttributeType, Auth, Config, EmailFlow, Family, Keys, LimitBody, TimestampUnit, Webhook, Webhooks};
pub use export::Segment;
pub use store::Channel;

use self::accounts::Accounts;
use crate::faults::Faults;
use crate::server::{self, Observer, Refused, json as answer};
use crate::stats::Stats;
use crate::window::Window;

const MINUTE_SECONDS: i64 = 60;

/// The state of one account.
pub(crate) struct Insider {
    pub(crate) config: Config,
    pub(crate) stats: Arc<Stats>,
    faults: Arc<Faults>,
    store: Mutex<store::Store>,
    limits: Mutex<Limits>,
    exports: Mutex<export::Exports>,
    webhooks: webhooks::Sender,
}

struct Limits {
    contact: Window<KeyKind>,
    unification: Window<&'static str>,
    quota: unification::Quota,
}

/// Kinds of API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    Unsubscribe,
    Resubscribe,
    Ucd,
}

impl Insider {
    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, store::Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exports(&self) -> MutexGuard<'_, export::Exports> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the headers carry the partner and the key of one kind.
    pub(crate) fn opens(&self, headers: &HeaderMap, kind: KeyKind) -> bool {
        let key = match kind {
            KeyKind::Unsubscribe => &self.config.keys.unsubscribe,
            KeyKind::Resubscribe => &self.config.keys.resubscribe,
            KeyKind::Ucd => &self.config.keys.ucd,
        };
        let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value.as_bytes() == wanted.as_bytes());
        is("x-partner-name", &self.config.partner) && is("x-request-token", key)
    }

    /// A refusal, counted under `kind`.
    pub(crate) fn refuse(&self, status: u16, kind: &str, body: &Value) -> Response {
        let mut response = answer(status, body);
        if status == 429 {
            self.stats.violation(&format!("rate_limited:{kind}"));
            if let Some(seconds) = self.config.account.retry_after_seconds {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
        } else {
            self.stats.violation(&format!("rejected:{kind}"));
        }
        response.extensions_mut().insert(Refused(vec![kind.to_owned()]));
        response
    }
}

/// Whether a request says that its body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with("application/json"))
}

/// Insider's pattern for a phone number, `^\+[1-9]\d{6,14}$`.
pub(crate) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Insider's pattern for an e-mail address, `^.+@.+\..+$`.
pub(crate) fn is_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let domain = &text[at + 1..];
        at > 0 && domain.match_indices('.').any(|(dot, _)| dot > 0 && dot + 1 < domain.len())
    })
}

/// Serves the simulator of one account on `listener` until `shutdown` ends.
///
/// # Errors
///
/// If no HTTP client for webhooks can be built.
pub async fn serve(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    serve_accounts(listener, vec![config], shutdown).await
}

/// The same for several accounts, each with a partner of its own.
///
/// # Errors
///
/// If no HTTP client for webhooks can be built.
pub async fn serve_accounts(
    listener: TcpListener,
    accounts: Vec<Config>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let accounts: std::io::Result<_> = accounts.into_iter().map(account).collect();
    server::run(listener, Accounts(accounts?).router(), shutdown).await
}

/// An account's partner, and the router of a state of its own.
fn account(config: Config) -> std::io::Result<(String, Router)> {
    let stats = Arc::new(Stats::default());
    let insider = Arc::new(Insider {
        webhooks: webhooks::Sender::new(Arc::clone(&stats), &config.webhook_retry_ms)?,
        stats,
        faults: Arc::new(Faults::default()),
        store: Mutex::default(),
        exports: Mutex::default(),
        limits: Mutex::new(Limits {
            contact: Window::new(config.contact_calls_per_minute, MINUTE_SECONDS),
            unification: Window::new(config.unification_calls_per_minute, MINUTE_SECONDS),
            quota: unification::Quota::default(),
        }),
        config,
    });
    Ok((insider.config.partner.clone(), router(&insider)))
}

fn router(insider: &Arc<Insider>) -> Router {
    let observer = Observer {
        clock: Arc::clone(&insider.config.clock),
        stats: Arc::clone(&insider.stats),
        faults: Arc::clone(&insider.faults),
        answer: server::json,
        limit_status: 429,
        fault_body,
    };
    let shared = crate::control::routes(Arc::clone(&insider.stats), Arc::clone(&insider.faults)).with_state(());
    Router::new()
        .merge(contact::routes())
        .route("/api/user/v1/upsert", post(unification::upsert))
        .route("/api/user/v1/profile", post(unification::profile))
        .merge(export::routes())
        .merge(control::routes())
        .merge(shared)
        .fallback(async || answer(404, &json!({ "error": "not found" })))
        .layer(from_fn_with_state(observer, server::observe))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(insider))
}

/// The body for an answer that a fault makes up: each host has its own shape.
fn fault_body(path: &str, status: u16) -> Value {
    let unification = path.starts_with("/api/");
    match status {
        400 if unification => json!({ "error": "bad request" }),
        400 => json!({ "statusMessage": "Bad request" }),
        401 => json!({ "statusMessage": "Unauthorized" }),
        403 => unification::access_denied(),
        429 if unification => unification::too_many(),
        429 => contact::too_many(),
        _ if unification => json!({ "success": false, "message": "unknown error." }),
        _ => json!({ "statusMessage": "Internal Server Error" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_patterns_in_the_error_keys() {
        for good in ["+905992000001", "+1234567", "+123456789012345"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in ["905992000001", "+0123456789", "+123456", "+1234567890123456", "+90599200000a"] {
            assert!(!is_phone(bad), "{bad}");
        }
        for good in ["a@b.c", "ayşe@example.com", "a@b@c.d"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["a@b", "@b.c", "a@.c", "a@b.", "ab.c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
