//! The access token of one account, kept in the process until shortly before its end.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::super::call::{Wire, defect};
use crate::brand::Mysoft;
use crate::iys::tolerant::Text;
use crate::ledger::budget::PerMinute;
use crate::registry::RegistryError;

const TOKEN: &str = "mysoft token";
/// How long a token lasts that names no end.
const LASTS: i64 = 300;
/// A token is not used in its last seconds.
const MARGIN: i64 = 30;

/// The tokens of a process.
#[derive(Default)]
pub(in super::super) struct Tokens(Mutex<HashMap<String, (SecretString, Timestamp)>>);

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Text,
}

impl Tokens {
    /// The account's token; another one than `refused`.
    pub(super) async fn get(
        &self,
        wire: &Wire,
        settings: &Mysoft,
        turns: &PerMinute,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, RegistryError> {
        // One renewal at a time: what waits here finds it done.
        let mut tokens = self.0.lock().await;
        let account = format!("{} {}", settings.url(), turns.pool);
        let now = wire.now();
        let usable = |token: &SecretString, ends: Timestamp| {
            ends > now && refused.is_none_or(|refused| refused.expose_secret() != token.expose_secret())
        };
        if let Some((token, _)) = tokens.get(&account).filter(|(token, ends)| usable(token, *ends)) {
            return Ok(token.clone());
        }
        let url = wire.url(TOKEN, settings.url(), "oauth/token")?;
        let form = [
            ("client_id", settings.client_id.expose_secret()),
            ("client_secret", settings.client_secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ];
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = wire.client(TOKEN)?.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let reply = wire.send(TOKEN, turns, request, false).await?;
        if reply.status.as_u16() == 400 {
            return Err(RegistryError::Held { why: crate::consent::code::Hold::Credentials, code: "HTTP 400".into() });
        }
        let granted: Granted = reply.read().map_err(|why| defect(TOKEN, &why))?;
        let lasts: i64 = granted.expires_in.number().unwrap_or(LASTS);
        let ends = now.saturating_add(SignedDuration::from_secs((lasts - MARGIN).max(1))).unwrap_or(now);
        tokens.insert(account, (granted.access_token.clone(), ends));
        Ok(granted.access_token)
    }
}
