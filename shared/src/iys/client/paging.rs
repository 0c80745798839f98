//! Lists that come in pages: `{"pagination": {…}, "list": […]}`, or a bare array in older shapes.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Client;
use crate::brand;
use crate::iys::call::{Call, defect};
use crate::iys::operation::Operation;
use crate::iys::tolerant::{Items, Text};
use crate::registry::RegistryError;

/// Rows in one page, which is also the most that İYS gives (`H186`).
const PAGE_ROWS: usize = 100;
/// Pages that are read before a list is taken for endless.
const MOST_PAGES: usize = 1000;

/// One page. No `Debug`: its rows may carry addresses and names.
pub(super) struct Paged<T> {
    pub(super) rows: Items<T>,
    /// Rows of all pages, where the answer says so.
    total: Option<usize>,
}

impl<T> Paged<T> {
    /// The offset of the page after this one, which began at `offset`; `None` when this was the last.
    pub(super) fn next(&self, offset: usize) -> Option<usize> {
        let rows = self.rows.0.len();
        let more = rows > 0 && self.total.map_or(rows >= PAGE_ROWS, |total| offset + rows < total);
        more.then_some(offset + rows)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Paged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        struct Whole<T> {
            #[serde(default)]
            list: Items<T>,
            #[serde(default)]
            pagination: Option<Pagination>,
        }

        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Pagination {
            #[serde(default)]
            total_count: Text,
        }

        struct Reader<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
            type Value = Paged<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page or an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Paged<T>, A::Error> {
                let rows = Items::deserialize(SeqAccessDeserializer::new(seq))?;
                // The shape without pages is the whole list.
                let total = Some(rows.0.len());
                Ok(Paged { rows, total })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Paged<T>, A::Error> {
                let whole = Whole::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Paged { rows: whole.list, total: whole.pagination.and_then(|pagination| pagination.total_count.number()) })
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// The query of the page that begins at `offset`.
pub(super) fn page_query(offset: usize) -> Vec<(&'static str, String)> {
    vec![("limit", PAGE_ROWS.to_string()), ("offset", offset.to_string())]
}

impl Client {
    /// Every row of a list, page by page. Rows that are no objects are left out.
    pub(super) async fn all_pages<T: DeserializeOwned>(
        &self,
        account: &brand::Iys,
        operation: &Operation,
        values: &[&str],
        body: Option<Vec<u8>>,
    ) -> Result<Vec<T>, RegistryError> {
        let mut rows = Vec::new();
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let call = Call { query: page_query(offset), body: body.clone(), ..Call::new(operation, values)? };
            let reply = self.read(account, &call).await?;
            if reply.is_empty() {
                return Ok(rows);
            }
            let page: Paged<T> = reply.read().map_err(|why| defect(call.name, &why))?;
            let next = page.next(offset);
            rows.extend(page.rows.0.into_iter().flatten());
            match next {
                Some(next) => offset = next,
                None => return Ok(rows),
            }
        }
        Err(defect(operation.name, "the list does not end"))
    }
}
