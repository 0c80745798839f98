//! What a business partner can ask: the brands that it is authorised for, and its own subscription
//! (İYS API documentation, business partner queries).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::PartnerAccess;
use super::account::describe;
use super::book::{Account, granted};
use super::errors::ApiError;
use super::model::ConsentType;
use super::paging::{self, Params};
use super::parties::{Authority, Brand, Grant};
use super::switches::{PartnerCodes, Switches};
use crate::server::json as answer;

/// `GET /integrator/{integratorCode}/sps`: one row per authorised brand of every provider.
pub(super) async fn providers(State(iys): State<Arc<Iys>>, access: PartnerAccess, params: Params) -> Result<Response, ApiError> {
    access.subscribed(iys.now()).map_err(|error| iys.refuse_access(error))?;
    listed(&iys, &access, &iys.book.providers(), true, &params)
}

/// `GET /integrator/{integratorCode}/sps/{iysCode}`: the same of one provider.
pub(super) async fn provider(
    State(iys): State<Arc<Iys>>,
    access: PartnerAccess,
    Path((_, iys_code)): Path<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    access.subscribed(iys.now()).map_err(|error| iys.refuse_access(error))?;
    let iys_code: u64 = iys_code.parse().map_err(|_| iys.refuse_query(ApiError::code("H190")))?;
    let account = iys.book.provider(iys_code).ok_or_else(|| iys.refuse_access(ApiError::code("H001")))?;
    if granted(&account, &access.partner).next().is_none() {
        let anybody = iys.book.partners().iter().any(|partner| granted(&account, partner).next().is_some());
        let error = ApiError::code(if anybody { "H245" } else { "H268" });
        let error = if iys.switches().integrator_errors_as_500 { ApiError { status: 500, ..error } } else { error };
        return Err(iys.refuse_access(error));
    }
    listed(&iys, &access, &[account], false, &params)
}

fn listed(iys: &Iys, access: &PartnerAccess, accounts: &[Arc<Account>], everybody: bool, params: &Params) -> Result<Response, ApiError> {
    let page = paging::page(params).map_err(|code| iys.refuse_query(ApiError::code(code)))?;
    let switches = iys.switches();
    let texts = match switches.partner_codes {
        PartnerCodes::AsSampled => everybody,
        PartnerCodes::Numbers => false,
        PartnerCodes::Texts => true,
    };
    let rows: Vec<Value> = accounts
        .iter()
        .flat_map(|account| granted(account, &access.partner).map(|(brand, grant)| row(account, brand, grant, texts, &switches)))
        .collect();
    Ok(answer(200, &page.cut(rows)))
}

fn row(account: &Account, brand: &Brand, grant: &Grant, texts: bool, switches: &Switches) -> Value {
    let number = |code: u64| if texts { json!(code.to_string()) } else { json!(code) };
    let mut row = Map::from_iter([
        ("brandCode".to_owned(), number(brand.brand_code)),
        ("name".to_owned(), json!(brand.name)),
        ("master".to_owned(), json!(brand.master)),
        ("title".to_owned(), json!(account.title)),
        ("iysCode".to_owned(), number(account.iys_code)),
        ("agreementControl".to_owned(), json!(grant.agreement_control)),
        ("viaControl".to_owned(), json!(grant.via_control)),
    ]);
    for channel in ConsentType::ALL {
        let hidden = |authority: &Authority| switches.read_authority_hidden && *authority == Authority::Read;
        if let Some(authority) = grant.authority(channel).filter(|authority| !hidden(authority)) {
            row.insert(channel.name().to_owned(), json!(authority));
        }
    }
    Value::Object(row)
}

/// `GET /integrator/{integratorCode}/subscription`; allowed also while it is not in force.
pub(super) async fn subscription(State(iys): State<Arc<Iys>>, access: PartnerAccess) -> Result<Response, ApiError> {
    let partner = &access.partner;
    let subscription = partner.subscription.as_ref().ok_or_else(|| ApiError::code("H437"))?;
    let mut shown = describe(&iys, partner.integrator_code, subscription, iys.now());
    shown.insert("iysCode".to_owned(), json!(partner.integrator_code));
    Ok(answer(200, &Value::Object(shown)))
}
