//! The token endpoint: both grants, rotation, and the hourly limit whose counter starts again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Iys;
use super::book::{Owner, granted};
use super::errors::{ApiError, lookup};
use super::switches::{BadCredentials, TokenLimitBody};
use crate::server::{Peer, Refused, json as answer};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Tokens given out, and who asked how often.
#[derive(Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    asked: HashMap<IpAddr, Hour>,
}

#[derive(Clone, Copy)]
struct Grant {
    owner: Owner,
    expires: Timestamp,
}

/// Requests since the counter started.
#[derive(Clone, Copy)]
struct Hour {
    start: Timestamp,
    count: usize,
}

impl Tokens {
    /// Whom an access token belongs to.
    pub(crate) fn owner(&self, token: &str, now: Timestamp) -> Option<Owner> {
        self.access.get(token).filter(|grant| now < grant.expires).map(|grant| grant.owner)
    }

    /// Counts a request; false once the hour's limit is reached, and then the hour starts again.
    fn admit(&mut self, peer: IpAddr, now: Timestamp, limit: usize) -> bool {
        let hour = self.asked.entry(peer).or_insert(Hour { start: now, count: 0 });
        if now.duration_since(hour.start) >= HOUR {
            *hour = Hour { start: now, count: 0 };
        }
        if hour.count >= limit {
            hour.start = now;
            return false;
        }
        hour.count += 1;
        true
    }
}

/// `POST /oauth2/token`.
pub(super) async fn create(State(iys): State<Arc<Iys>>, Extension(peer): Extension<Peer>, headers: HeaderMap, body: Bytes) -> Response {
    let now = iys.now();
    let limit = iys.config.token_limit_per_hour;
    if !iys.tokens().admit(peer.0, now, limit) {
        iys.stats.violation("rate_limited:H084");
        return too_many(&iys);
    }
    let fields = match fields(&headers, &body) {
        Some(fields) => fields,
        None => return oauth(400, "invalid_request"),
    };
    match required(&fields, "grant_type") {
        Ok("password") => password(&iys, &fields, now),
        Ok("refresh_token") => refresh(&iys, &fields, now),
        Ok(_) => oauth(400, "invalid_request"),
        Err(error) => oauth(400, error),
    }
}

fn password(iys: &Iys, fields: &Map<String, Value>, now: Timestamp) -> Response {
    let (username, password) = match (required(fields, "username"), required(fields, "password")) {
        (Ok(username), Ok(password)) => (username, password),
        (Err(error), _) | (_, Err(error)) => return oauth(400, error),
    };
    match iys.book.login(username, password) {
        Some(owner) => grant(iys, owner, now),
        None => {
            iys.stats.violation("bad_credentials");
            match iys.switches().bad_credentials {
                BadCredentials::InvalidRequest => oauth(400, "invalid_request"),
                BadCredentials::Unauthorised => ApiError::code("H251").into_response(),
            }
        }
    }
}

fn refresh(iys: &Iys, fields: &Map<String, Value>, now: Timestamp) -> Response {
    let token = match required(fields, "refresh_token") {
        Ok(token) => token,
        Err(error) => return oauth(400, error),
    };
    let reusable = iys.switches().refresh_token_reusable;
    let found = {
        let mut tokens = iys.tokens();
        if reusable { tokens.refresh.get(token).copied() } else { tokens.refresh.remove(token) }
    };
    match found.filter(|grant| now < grant.expires) {
        Some(found) => grant(iys, found.owner, now),
        None => oauth(400, "invalid_grant"),
    }
}

fn grant(iys: &Iys, owner: Owner, now: Timestamp) -> Response {
    let Some(claims) = claims(iys, owner) else {
        return oauth(400, "invalid_request");
    };
    let (access_life, refresh_life) = (iys.config.access_token_seconds, iys.config.refresh_token_seconds);
    let access = jwt(&claims, "Bearer", now, access_life);
    let refresh = jwt(&claims, "Refresh", now, refresh_life);
    let mut tokens = iys.tokens();
    tokens.access.insert(access.clone(), Grant { owner, expires: now + seconds(access_life) });
    tokens.refresh.insert(refresh.clone(), Grant { owner, expires: now + seconds(refresh_life) });
    answer(
        200,
        &json!({
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": access_life,
            "refresh_expires_in": refresh_life,
            "token_type": "bearer",
        }),
    )
}

fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX))
}

/// What a token says of its owner. The claims of providers are documented, those of partners a guess.
fn claims(iys: &Iys, owner: Owner) -> Option<Map<String, Value>> {
    let brand = |code: u64, name: &str| json!({ "brandCode": code, "name": name });
    let (username, title, place, code_name, code, brands) = match owner {
        Owner::Provider(code) => {
            let account = iys.book.provider(code)?;
            let brands: Vec<Value> = account.brands.iter().map(|one| brand(one.brand_code, &one.name)).collect();
            (account.username.clone(), account.title.clone(), "serviceProvider", "iysCode", code, brands)
        }
        Owner::Partner(code) => {
            let partner = iys.book.partner(code)?;
            let providers = iys.book.providers();
            let granted = providers.iter().flat_map(|account| granted(account, &partner));
            let brands = granted.map(|(one, _)| brand(one.brand_code, &one.name)).collect();
            (partner.username.clone(), partner.title.clone(), "integrator", "integratorCode", code, brands)
        }
    };
    Some(Map::from_iter([
        ("preferred_username".to_owned(), json!(username)),
        ("realm_access".to_owned(), json!({ "roles": ["API_USER", "offline_access", "uma_authorization"] })),
        (place.to_owned(), json!({ "title": title, code_name: code })),
        ("brands".to_owned(), json!(brands)),
    ]))
}

/// A token that looks like İYS's; the signature is made up.
fn jwt(claims: &Map<String, Value>, kind: &str, now: Timestamp, life: u64) -> String {
    let encode = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let issued = now.as_second();
    let expires = now.checked_add(seconds(life)).map_or(issued, Timestamp::as_second);
    let mut claims = claims.clone();
    claims.extend([
        ("jti".to_owned(), json!(uuid::Uuid::new_v4().to_string())),
        ("typ".to_owned(), json!(kind)),
        ("iat".to_owned(), json!(issued)),
        ("exp".to_owned(), json!(expires)),
    ]);
    let signature = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
    format!(
        "{}.{}.{}",
        encode(&json!({ "alg": "RS256", "typ": "JWT", "kid": "sandbox" })),
        encode(&Value::Object(claims)),
        data_encoding::BASE64URL_NOPAD.encode(&signature),
    )
}

/// The body's fields, from JSON or a form.
fn fields(headers: &HeaderMap, body: &[u8]) -> Option<Map<String, Value>> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if form {
        let pairs = url::form_urlencoded::parse(body);
        return Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect());
    }
    serde_json::from_slice::<Value>(body).ok()?.as_object().cloned()
}

/// A text field: `invalid_request` if missing or no text, `invalid_grant` if empty.
fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, &'static str> {
    match fields.get(name).and_then(Value::as_str) {
        None => Err("invalid_request"),
        Some("") => Err("invalid_grant"),
        Some(text) => Ok(text),
    }
}

fn oauth(status: u16, error: &'static str) -> Response {
    let description = match error {
        "invalid_grant" => "Yetkilendirme bilgisi boş, desteklenmiyor ya da süresi dolmuş.",
        _ => "İstek eksik ya da kullanıcı bilgileri hatalı.",
    };
    let mut response = answer(status, &json!({ "error": error, "error_description": description }));
    response.extensions_mut().insert(Refused(vec![error.to_owned()]));
    response
}

fn too_many(iys: &Iys) -> Response {
    let mut response = match iys.switches().token_limit_body {
        TokenLimitBody::Errors => ApiError::code("H084").into_response(),
        TokenLimitBody::TopLevel => {
            let (status, message) = lookup("H084");
            let mut response = answer(status, &json!({ "code": "H084", "message": message }));
            response.extensions_mut().insert(Refused(vec!["H084".to_owned()]));
            response
        }
    };
    iys.add_retry_after(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn asking_during_the_blocked_hour_starts_the_hour_again() {
        let mut tokens = Tokens::default();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let minute = |count: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(count);
        assert!(tokens.admit(peer, minute(0), 2));
        assert!(tokens.admit(peer, minute(1), 2));
        assert!(!tokens.admit(peer, minute(2), 2));
        assert!(!tokens.admit(peer, minute(61), 2), "59 minutes after the refusal");
        assert!(!tokens.admit(peer, minute(120), 2), "59 minutes after the second refusal");
        assert!(tokens.admit(peer, minute(180), 2), "60 minutes after the last refusal");
    }
}
