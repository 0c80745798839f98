//! Mysoft's own table: one row per movement, with an id that grows, and which row is the last of each consent.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::iys::errors::lookup;
use crate::iys::model::{ConsentType, RecipientType};
use crate::iys::model::{turkish, write_date};
use crate::iys::registry::Verdict;

/// How far a record has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Portal {
    Waiting,
    Sending,
    Asking,
    Recorded,
    Failed,
}

impl Portal {
    /// As movements write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "IYSYE_GONDERIM_ICIN_BEKLIYOR",
            Self::Sending => "IYSYE_GONDERILIYOR",
            Self::Asking => "PAKET_DURUM_SORGULANACAK",
            Self::Recorded => "IYSDE_KAYITLI",
            Self::Failed => "HATA",
        }
    }

    /// As state queries write it.
    pub(crate) fn short_name(self) -> &'static str {
        match self {
            Self::Waiting => "ISLENMEYI_BEKLIYOR",
            Self::Sending | Self::Asking => "ISLENIYOR",
            Self::Recorded | Self::Failed => self.name(),
        }
    }
}

/// One movement; `fields` are in İYS's words.
pub(crate) struct Row {
    pub(crate) brand: u64,
    pub(crate) fields: Map<String, Value>,
    pub(crate) portal: Portal,
    pub(crate) record_source: &'static str,
    /// When it came to Mysoft.
    pub(crate) at: Timestamp,
    /// When it changed last.
    pub(crate) updated: Timestamp,
    /// İYS's ids, once the record was sent there.
    pub(crate) request: Option<(String, String)>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) folder_name: Value,
    pub(crate) note: Value,
}

/// All rows; the id of a row is its place, counted from one.
#[derive(Default)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    /// The row that shows the state of a consent, by brand and key.
    latest: HashMap<String, usize>,
    /// Likewise, among rows that İYS has.
    recorded: HashMap<String, usize>,
}

fn key(row: &Row) -> String {
    let text = |name: &str| row.fields.get(name).and_then(Value::as_str).unwrap_or_default();
    key_of(row.brand, text("recipient"), text("type"), text("recipientType"))
}

fn key_of(brand: u64, recipient: &str, consent_type: &str, recipient_type: &str) -> String {
    format!("{brand}|{}|{consent_type}|{recipient_type}", recipient.to_ascii_lowercase())
}

impl Rows {
    /// Adds a row; returns its place.
    pub(crate) fn add(&mut self, row: Row) -> usize {
        let (at, key) = (self.rows.len(), key(&row));
        if row.portal == Portal::Recorded {
            self.recorded.insert(key.clone(), at);
        }
        self.latest.insert(key, at);
        self.rows.push(row);
        at
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Row> {
        self.rows.get(at)
    }

    pub(crate) fn change(&mut self, at: usize, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.get_mut(at) {
            change(row);
        }
    }

    /// Ends a row; `stands` is whether it is what stands at İYS now.
    pub(crate) fn end(&mut self, at: usize, portal: Portal, now: Timestamp, stands: bool) {
        let Some(row) = self.rows.get_mut(at) else { return };
        row.portal = portal;
        row.updated = now;
        if stands {
            let key = key(row);
            self.latest.insert(key.clone(), at);
            self.recorded.insert(key, at);
        }
    }

    /// Rows of a brand with their ids, in the order of these.
    pub(crate) fn of_brand(&self, brand: u64) -> impl Iterator<Item = (u64, &Row)> {
        (1..).zip(&self.rows).filter(move |(_, row)| row.brand == brand)
    }

    /// The row that shows the state of a consent.
    fn shown(&self, key: &str, failed_hides_standing: bool) -> Option<usize> {
        let at = self.latest.get(key)?;
        let failed = self.rows.get(*at).is_some_and(|row| row.portal == Portal::Failed);
        let standing = self.recorded.get(key).filter(|_| failed && !failed_hides_standing);
        Some(*standing.unwrap_or(at))
    }

    /// The rows that show the states of an address's consents.
    pub(crate) fn states_of(&self, brand: u64, recipient: &str, failed_hides_standing: bool) -> Vec<&Row> {
        let keys = ConsentType::ALL.into_iter().flat_map(|consent_type| {
            RecipientType::ALL.map(|recipient_type| key_of(brand, recipient, consent_type.name(), recipient_type.name()))
        });
        keys.filter_map(|key| self.rows.get(self.shown(&key, failed_hides_standing)?)).collect()
    }

    /// The rows that show the state of a brand's consents, in the order of their ids.
    pub(crate) fn states(&self, brand: u64, failed_hides_standing: bool) -> Vec<(u64, &Row)> {
        let mut places: Vec<usize> = self.latest.keys().filter_map(|key| self.shown(key, failed_hides_standing)).collect();
        places.sort_unstable();
        let numbered = places.into_iter().filter_map(|at| Some((u64::try_from(at).ok()? + 1, self.rows.get(at)?)));
        numbered.filter(|(_, row)| row.brand == brand).collect()
    }
}

impl Row {
    fn field(&self, name: &str) -> Value {
        self.fields.get(name).cloned().unwrap_or(Value::Null)
    }

    /// The consent's own fields.
    pub(crate) fn consent(&self) -> Map<String, Value> {
        let names = ["recipient", "type", "source", "status", "consentDate", "recipientType"];
        names.into_iter().map(|name| (name.to_owned(), self.field(name))).collect()
    }

    /// As a movement.
    pub(crate) fn movement(&self, id: Option<u64>) -> Value {
        let mut shown = self.consent();
        let (stored, error) = match self.verdict.as_ref().filter(|_| matches!(self.portal, Portal::Recorded | Portal::Failed)) {
            Some(Ok(stored)) => (Some(stored), None),
            Some(Err(code)) => (None, Some(code)),
            None => (None, None),
        };
        shown.insert("portalStatus".to_owned(), json!(self.portal.name()));
        shown.insert("requestId".to_owned(), json!(self.request.as_ref().map(|(request, _)| request)));
        shown.insert("subRequestId".to_owned(), json!(self.request.as_ref().map(|(_, sub)| sub)));
        shown.insert("creationDate".to_owned(), json!(stored.map(|stored| &stored.creation_date)));
        shown.insert("transactionId".to_owned(), json!(stored.map(|stored| &stored.transaction_id)));
        shown.insert("errorCode".to_owned(), json!(error));
        shown.insert("errorDescription".to_owned(), json!(error.map(|code| lookup(code).1)));
        if let Some(id) = id {
            shown.insert("id".to_owned(), json!(id));
            shown.insert("recordSource".to_owned(), json!(self.record_source));
        }
        Value::Object(shown)
    }

    /// As a state.
    pub(crate) fn state(&self, id: Option<u64>) -> Value {
        let mut shown = self.consent();
        shown.insert("portalStatus".to_owned(), json!(self.portal.short_name()));
        shown.insert("folderName".to_owned(), self.folder_name.clone());
        shown.insert("note".to_owned(), self.note.clone());
        shown.insert("lastUpdateDate".to_owned(), json!(write_date(turkish(self.updated))));
        if let Some(id) = id {
            shown.insert("id".to_owned(), json!(id));
        }
        Value::Object(shown)
    }
}
