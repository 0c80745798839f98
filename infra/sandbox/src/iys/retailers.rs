//! Retailers of brands: the register, and the methods that create, list, read and delete them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::{BrandAccess, not_yours};
use super::book::Account;
use super::config::Config;
use super::errors::{ApiError, Problem};
use super::paging::{self, Page, Params, param};
use super::retailer::{self, Retailer};
use super::store::Store;
use crate::server::json as answer;

/// The last number with eight digits.
const LAST_CODE: u64 = 99_999_999;

/// All retailers by brand and number.
pub(crate) struct Register {
    brands: HashMap<u64, BTreeMap<u64, Retailer>>,
    next: u64,
}

impl Register {
    pub(crate) fn new(config: &Config) -> Self {
        let brands = config.providers.iter().flat_map(|provider| &provider.brands);
        let of = |codes: &[u64]| codes.iter().map(|code| (*code, Retailer::preset(*code))).collect();
        Self { brands: brands.map(|brand| (brand.brand_code, of(&brand.retailers))).collect(), next: config.first_retailer_code }
    }

    pub(crate) fn has(&self, brand: u64, code: u64) -> bool {
        self.get(brand, code).is_some()
    }

    pub(crate) fn get(&self, brand: u64, code: u64) -> Option<&Retailer> {
        self.brands.get(&brand).and_then(|retailers| retailers.get(&code))
    }

    pub(crate) fn count(&self, brand: u64) -> usize {
        self.brands.get(&brand).map_or(0, BTreeMap::len)
    }

    fn of(&self, brand: u64) -> impl Iterator<Item = (u64, &Retailer)> {
        self.brands.get(&brand).into_iter().flatten().map(|(code, retailer)| (*code, retailer))
    }

    /// Whether any brand has the number.
    fn knows(&self, code: u64) -> bool {
        self.brands.values().any(|retailers| retailers.contains_key(&code))
    }

    /// Adds a retailer unless the brand is full or the numbers are used up.
    fn add(&mut self, brand: u64, retailer: Retailer, maximum: usize) -> Option<u64> {
        while self.knows(self.next) {
            self.next += 1;
        }
        if self.next > LAST_CODE || self.count(brand) >= maximum {
            return None;
        }
        let code = self.next;
        self.next += 1;
        self.brands.entry(brand).or_default().insert(code, retailer);
        Some(code)
    }

    /// The codes for numbers that another retailer of the provider has already.
    fn taken(&self, account: &Account, retailer: &Retailer) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, taken) in [("mersis", "H230"), ("tckn", "H231")] {
            let same = |other: &&Retailer| retailer.text(field).is_some() && other.text(field) == retailer.text(field);
            let others: Vec<&Retailer> =
                account.brand_codes().flat_map(|brand| self.of(brand)).map(|(_, other)| other).filter(same).collect();
            if let Some(first) = others.first() {
                problems.push(Problem::at(if first.is_passive() { "H253" } else { taken }, field, retailer.fields.get(field)));
            }
        }
        problems
    }
}

/// `POST …/retailers`.
pub(super) async fn create(State(iys): State<Arc<Iys>>, access: BrandAccess, body: Bytes) -> Result<Response, ApiError> {
    let created = register(&iys, &access, &body).map_err(|error| iys.refuse_query(error))?;
    Ok(answer(201, &json!({ "retailerCode": created })))
}

fn register(iys: &Iys, access: &BrandAccess, body: &[u8]) -> Result<u64, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::code("H014"))?;
    let item = value.as_object().ok_or_else(|| ApiError::code("H090"))?;
    let retailer = retailer::read(item, &iys.switches()).map_err(|problems| ApiError::all(400, problems))?;
    let mut register = iys.retailers();
    let taken = register.taken(&access.account, &retailer);
    if !taken.is_empty() {
        return Err(ApiError::all(400, taken));
    }
    // No code is documented for a full brand; that no number is left comes nearest.
    register.add(access.brand_code(), retailer, iys.config.retailers_maximum).ok_or_else(|| ApiError::code("H067"))
}

/// `GET …/retailers`: in pages, or all at once where neither `offset` nor `limit` is given.
pub(super) async fn list(State(iys): State<Arc<Iys>>, access: BrandAccess, params: Params) -> Result<Response, ApiError> {
    let flag = |name: &str, wrong| match param(&params, name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(iys.refuse_query(ApiError::code(wrong))),
    };
    let (all, short) = (flag("all", "H184")?, flag("short", "H185")?);
    let paged = param(&params, "limit").is_some() || param(&params, "offset").is_some();
    let page = if paged { paging::page(&params).map_err(|code| iys.refuse_query(ApiError::code(code)))? } else { Page::ALL };
    let brand = access.brand_code();
    let store = iys.store(iys.now());
    let register = iys.retailers();
    let rows = register.of(brand).map(|(code, retailer)| row(&store, brand, code, retailer, short && !all)).collect();
    Ok(answer(200, &page.cut(rows)))
}

/// A retailer as lists show it; a short one has fewer fields.
pub(crate) fn row(store: &Store, brand: u64, code: u64, retailer: &Retailer, short: bool) -> Value {
    let mut row: Map<String, Value> = match short {
        true => ["title", "city", "status"]
            .into_iter()
            .filter_map(|field| retailer.fields.get(field).map(|value| (field.to_owned(), value.clone())))
            .collect(),
        false => retailer.fields.clone(),
    };
    row.insert("retailerCode".to_owned(), json!(code));
    row.insert("retailerAccessCount".to_owned(), json!(store.consents_of(brand, code)));
    Value::Object(row)
}

/// `GET …/retailers/{retailerCode}`.
pub(super) async fn read(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, code)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let store = iys.store(iys.now());
    let register = iys.retailers();
    let brand = access.brand_code();
    let code = known(&iys, &register, brand, &code)?;
    let retailer = register.get(brand, code).ok_or_else(|| ApiError::code("H058"))?;
    Ok(answer(200, &row(&store, brand, code, retailer, false)))
}

/// `DELETE …/retailers/{retailerCode}`: refused while a consent is linked to it.
pub(super) async fn delete(
    State(iys): State<Arc<Iys>>,
    access: BrandAccess,
    Path((_, _, code)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let store = iys.store(iys.now());
    let mut register = iys.retailers();
    let brand = access.brand_code();
    let code = known(&iys, &register, brand, &code)?;
    if store.consents_of(brand, code) > 0 || store.collected_by(brand, code) {
        return Err(iys.refuse_query(ApiError::code("H061")));
    }
    if let Some(retailers) = register.brands.get_mut(&brand) {
        retailers.remove(&code);
    }
    Ok("Başarı".into_response())
}

/// A retailer number in the path: of another brand it is H353, of none H058.
fn known(iys: &Iys, register: &Register, brand: u64, text: &str) -> Result<u64, ApiError> {
    let code = text.parse().ok().filter(|code| register.knows(*code)).ok_or_else(|| iys.refuse_query(ApiError::code("H058")))?;
    if register.has(brand, code) { Ok(code) } else { Err(iys.refuse_access(not_yours(iys))) }
}
