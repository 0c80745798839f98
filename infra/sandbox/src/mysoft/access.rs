//! Tokens, and for whom a call is made.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Mysoft;
use super::envelope::Refusal;
use crate::server::{Refused, json as answer};

/// The tokens that were given out.
#[derive(Default)]
pub(super) struct Tokens(HashMap<String, (String, Timestamp)>);

impl Tokens {
    fn issue(&mut self, client: &str, until: Timestamp) -> String {
        let token = uuid::Uuid::new_v4().simple().to_string();
        self.0.insert(token.clone(), (client.to_owned(), until));
        token
    }

    /// Whose token it is, while it lives.
    fn owner(&self, token: &str, now: Timestamp) -> Option<&str> {
        self.0.get(token).filter(|(_, until)| now < *until).map(|(client, _)| client.as_str())
    }

    /// Ends all tokens at once.
    pub(super) fn revoke(&mut self) {
        self.0.clear();
    }
}

/// `POST /oauth/token`, a form.
pub(super) async fn token(State(mysoft): State<Arc<Mysoft>>, body: Bytes) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let refused = |error: &str| {
        mysoft.stats.violation("bad_credentials");
        let mut response = answer(400, &json!({ "error": error }));
        response.extensions_mut().insert(Refused(vec![error.to_owned()]));
        response
    };
    if field("grant_type") != "client_credentials" {
        return refused("unsupported_grant_type");
    }
    let now = mysoft.registry.now();
    let mut state = mysoft.state();
    let known = state.accounts.iter().any(|one| one.client_id == field("client_id") && one.client_secret == field("client_secret"));
    if !known {
        return refused("invalid_client");
    }
    let token = state.tokens.issue(field("client_id"), now + crate::iys::seconds(mysoft.config.token_seconds));
    let mut body = json!({ "access_token": token, "token_type": "bearer" });
    if !state.switches.omit_expires_in {
        body["expires_in"] = json!(mysoft.config.token_seconds);
    }
    answer(200, &body)
}

/// A call of a client for one of its tenants.
pub(super) struct Call {
    pub(super) body: Value,
    pub(super) tenant: String,
    pub(super) brands: Vec<u64>,
}

/// A call for one brand.
pub(super) struct BrandCall {
    pub(super) body: Value,
    pub(super) tenant: String,
    pub(super) brand: u64,
}

impl Mysoft {
    /// Reads a call: token, JSON, tenant.
    pub(super) fn call(&self, headers: &HeaderMap, body: &[u8]) -> Result<Call, Refusal> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|given| given.strip_prefix("Bearer ").or_else(|| given.strip_prefix("bearer "))).unwrap_or_default();
        let now = self.registry.now();
        let state = self.state();
        let client = state.tokens.owner(token, now).ok_or_else(|| Refusal::operation("Yetkisiz erişim.").under(401))?;
        let body: Value = serde_json::from_slice(body).map_err(|_| {
            self.stats.violation("malformed_json");
            Refusal::schema("İstek geçerli bir JSON değil.").under(400)
        })?;
        let wanted = body.get("tenantIdentifierNumber").and_then(Value::as_str).filter(|wanted| !wanted.is_empty());
        let wanted = wanted.ok_or_else(|| Refusal::schema("tenantIdentifierNumber zorunludur."))?;
        let account = state.accounts.iter().find(|account| account.client_id == client);
        let tenant = account.and_then(|account| account.tenants.iter().find(|tenant| tenant.tenant_identifier_number == wanted));
        let Some(tenant) = tenant else {
            self.stats.violation("forbidden:tenant");
            return Err(Refusal::operation("Firma bulunamadı ya da yetkiniz yok."));
        };
        let (tenant, brands) = (tenant.tenant_identifier_number.clone(), tenant.brands.clone());
        Ok(Call { body, tenant, brands })
    }

    /// As [`Mysoft::call`], with the brand.
    pub(super) fn brand_call(&self, headers: &HeaderMap, body: &[u8]) -> Result<BrandCall, Refusal> {
        let Call { body, tenant, brands } = self.call(headers, body)?;
        let brand = body.get("brandCode").and_then(Value::as_u64).ok_or_else(|| Refusal::schema("brandCode tam sayı olmalıdır."))?;
        if !brands.contains(&brand) {
            self.stats.violation("forbidden:brand");
            return Err(Refusal::operation("Marka bulunamadı ya da yetkiniz yok."));
        }
        Ok(BrandCall { body, tenant, brand })
    }
}
