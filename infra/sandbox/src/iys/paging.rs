//! `offset` and `limit` of the methods that list in pages of at most 100.

use axum::extract::Query;
use serde_json::{Value, json};

/// Rows in one page.
const PAGE_MAXIMUM: i64 = 100;

/// Parameters of a query string, as they came.
pub(crate) type Params = Query<Vec<(String, String)>>;

/// The value of a parameter.
pub(crate) fn param<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    limit: usize,
    offset: usize,
}

/// Reads `limit` (100 if absent) and `offset` (0 if absent); otherwise the code of what is wrong.
pub(crate) fn page(params: &Params) -> Result<Page, &'static str> {
    let limit: i64 = param(params, "limit").map_or(Ok(PAGE_MAXIMUM), |text| text.parse().map_err(|_| "H183"))?;
    let offset: i64 = param(params, "offset").map_or(Ok(0), |text| text.parse().map_err(|_| "H182"))?;
    if limit > PAGE_MAXIMUM {
        return Err("H186");
    }
    if limit == 0 {
        return Err("H187");
    }
    Ok(Page { limit: usize::try_from(limit).map_err(|_| "H183")?, offset: usize::try_from(offset).map_err(|_| "H182")? })
}

impl Page {
    /// Everything on one page.
    pub(crate) const ALL: Self = Self { limit: usize::MAX, offset: 0 };

    /// The page of `rows`, as İYS lists it.
    pub(crate) fn cut(self, rows: Vec<Value>) -> Value {
        let total = rows.len();
        let list: Vec<Value> = rows.into_iter().skip(self.offset).take(self.limit).collect();
        json!({ "pagination": { "offset": self.offset, "totalCount": total, "pageSize": list.len() }, "list": list })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Page, &'static str> {
        page(&Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()))
    }

    #[test]
    fn each_wrong_value_has_its_code() {
        assert_eq!(read(&[]), Ok(Page { limit: 100, offset: 0 }));
        assert_eq!(read(&[("limit", "100"), ("offset", "7")]), Ok(Page { limit: 100, offset: 7 }));
        for (name, value, code) in [
            ("limit", "101", "H186"),
            ("limit", "0", "H187"),
            ("limit", "-1", "H183"),
            ("limit", "x", "H183"),
            ("offset", "-1", "H182"),
            ("offset", "x", "H182"),
        ] {
            assert_eq!(read(&[(name, value)]), Err(code), "{name}={value}");
        }
    }

    #[test]
    fn a_page_is_cut_and_counted() {
        let rows = (0..5).map(|number| json!(number)).collect();
        let cut = Page { limit: 2, offset: 4 }.cut(rows);
        assert_eq!(cut, json!({ "pagination": { "offset": 4, "totalCount": 5, "pageSize": 1 }, "list": [4] }));
    }
}
