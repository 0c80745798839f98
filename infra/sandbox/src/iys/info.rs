//! Provinces and towns under the numbers that İYS gives them (İYS API documentation, “Bilgi Servisleri”).

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Iys;
use super::access::AnyAccess;
use super::errors::ApiError;
use crate::server::json as answer;

/// A province per line in the order of plate codes, with its towns; towns are numbered through the country.
const PLACES: &str = include_str!("places.txt");

struct Town {
    name: &'static str,
    city: usize,
}

struct Places {
    cities: Vec<&'static str>,
    towns: Vec<Town>,
}

static ALL: LazyLock<Places> = LazyLock::new(|| {
    let mut places = Places { cities: Vec::new(), towns: Vec::new() };
    for (city, names) in PLACES.lines().filter_map(|line| line.split_once(": ")) {
        places.cities.push(city);
        let city = places.cities.len();
        places.towns.extend(names.split(", ").map(|name| Town { name, city }));
    }
    places
});

/// `GET /info/city`.
pub(super) async fn cities(_: AnyAccess) -> Response {
    answer(200, &ALL.cities.iter().enumerate().map(|(at, name)| city_row(at, name)).collect())
}

/// `GET /info/city/{code}`: 204 for a number that no province has.
pub(super) async fn city(State(iys): State<Arc<Iys>>, _: AnyAccess, Path(code): Path<String>) -> Result<Response, ApiError> {
    let at = position(&iys, &code)?;
    Ok(found(at.and_then(|at| ALL.cities.get(at).map(|name| city_row(at, name)))))
}

/// `GET /info/town`.
pub(super) async fn towns(State(iys): State<Arc<Iys>>, _: AnyAccess) -> Response {
    answer(200, &ALL.towns.iter().enumerate().map(|(at, town)| town_row(&iys, at, town)).collect())
}

/// `GET /info/town/{code}`: 204 for a number that no town has.
pub(super) async fn town(State(iys): State<Arc<Iys>>, _: AnyAccess, Path(code): Path<String>) -> Result<Response, ApiError> {
    let at = position(&iys, &code)?;
    Ok(found(at.and_then(|at| ALL.towns.get(at).map(|town| town_row(&iys, at, town)))))
}

/// The position of a number, `None` for zero; what is no number cannot be looked up (H241).
fn position(iys: &Iys, code: &str) -> Result<Option<usize>, ApiError> {
    let code: usize = code.parse().map_err(|_| iys.refuse_query(ApiError::code("H241")))?;
    Ok(code.checked_sub(1))
}

fn city_row(at: usize, name: &str) -> Value {
    json!({ "code": at + 1, "name": name })
}

fn town_row(iys: &Iys, at: usize, town: &Town) -> Value {
    let city = if iys.switches().town_city_code_in_camel_case { "cityCode" } else { "city_code" };
    let fields = [("name", json!(town.name)), ("code", json!(at + 1)), (city, json!(town.city))];
    Value::Object(Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value))))
}

fn found(row: Option<Value>) -> Response {
    row.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |row| answer(200, &row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_81_provinces_under_their_plate_codes_and_970_towns() {
        assert_eq!((ALL.cities.len(), ALL.towns.len()), (81, 970));
        for (code, name) in [(1, "Adana"), (6, "Ankara"), (34, "İstanbul"), (35, "İzmir"), (81, "Düzce")] {
            assert_eq!(ALL.cities.get(code - 1), Some(&name));
        }
        let town = |code: usize| ALL.towns.get(code - 1).map(|town| (town.name, town.city));
        assert_eq!((town(1), town(16)), (Some(("Seyhan", 1)), Some(("Adıyaman Merkez", 2))));
        assert!(ALL.towns.iter().all(|town| !town.name.trim().is_empty()));
    }
}
