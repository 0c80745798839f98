//! What evidence is made of: the digest that each movement takes with it when it is first written, the index
//! of a brand's day, and the days that were closed.
//!
//! | Attribute of a movement | Is |
//! |---|---|
//! | `seed` | 128 random bits, from which its salts come |
//! | `payload` | digest of what it was made from, where there was something |
//! | `digest` | digest of its canonical form ([`crate::evidence::Form`]) |
//! | `day_pk` | `D#{brand}#{day of receipt}#{first digit of the digest}`: its place in the index `day` |
//!
//! None of them is ever written again. A closed day is the item `B#{brand}`, `ROOT#{day}`, written once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use jiff::civil::Date;

use super::control::{self, key, n, s};
use super::item::{self, Ending, Item, StateItem};
use super::{Ledger, LedgerError};
use crate::consent::{BrandName, RecipientId};
use crate::evidence::{Day, Digest, Ended, Form, Payload, Seed, day_of};

/// Name of the sparse index of movements by day.
pub(super) const INDEX: &str = "day";
/// The partitions of a day: the first digit of a digest. Taken in this order, all digests of a day come in
/// ascending order.
pub(super) const DIGITS: &str = "0123456789abcdef";
pub(super) const ROOT: &str = "ROOT#";

/// A movement of an address, as evidence shows it. No `Debug`: it holds the address.
pub struct Kept {
    /// Its canonical form; `None` where the item does not have the form of a movement any more.
    pub form: Option<Form>,
    /// Its digest and the salt of its payload, as they stand there; `None` where it was written before there
    /// were any.
    pub digest: Option<(String, Digest)>,
    /// What the item says, whether it has a form or not.
    pub shown: Shown,
    /// How it ended at the registry.
    pub registry: Option<Ended>,
    /// How it ended at Insider.
    pub insider: Option<Ended>,
}

/// What an item says of a movement.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// ONAY or RET.
    pub status: String,
    /// The channel.
    pub channel: String,
    /// When consent was given or withdrawn.
    pub consent_date: String,
    /// When the system learnt of it.
    pub received_at: String,
}

/// Gives a new movement's item its digest and its place in the index.
pub(super) fn seal(item: &mut Item, payload: Option<Payload>, seed: &Seed) -> Result<(), LedgerError> {
    item.insert("seed".to_owned(), s(seed.as_str()));
    if let Some(payload) = payload {
        item.insert("payload".to_owned(), s(&payload.sealed(seed).to_string()));
    }
    let unusable = || LedgerError::Item { why: "a movement has no canonical form".into() };
    let form = form(item).ok_or_else(unusable)?;
    let day = form.received_at.parse::<Timestamp>().map(day_of).map_err(|_| unusable())?;
    let digest = form.digest().to_string();
    item.insert("day_pk".to_owned(), s(&day_partition(&form.brand, day, digest.get(..1).unwrap_or_default())));
    item.insert("digest".to_owned(), s(&digest));
    Ok(())
}

pub(super) fn day_partition(brand: &str, day: Date, digit: &str) -> String {
    format!("D#{brand}#{day}#{digit}")
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// The form of a stored movement, letter by letter what stands there. Nothing is parsed that two texts could
/// mean alike.
fn form(item: &Item) -> Option<Form> {
    let own = |name: &str| text(item, name).map(str::to_owned);
    let optional = |name: &str| item.get(name).map_or_else(|| Some(String::new()), |_| own(name));
    let ["C", brand, recipient_id] = parts(text(item, "PK")?)? else { return None };
    let [kind, channel, recipient_type, event_id] = parts(text(item, "SK")?)?;
    let aside = optional("aside")?;
    let kept_aside = match kind {
        "M" => false,
        "N" => true,
        _ => return None,
    };
    if kept_aside == aside.is_empty() || text(item, "event_id")? != event_id {
        return None;
    }
    let retailers = match item.get("retailers") {
        None => None,
        Some(retailers) => Some(retailers.as_m().ok()?),
    };
    let retailer_code = match retailers.and_then(|retailers| retailers.get("retailerCode")) {
        None => String::new(),
        Some(value) => value.as_n().ok()?.clone(),
    };
    let retailer_access = match retailers.and_then(|retailers| retailers.get("retailerAccess")) {
        None => Vec::new(),
        Some(list) => list.as_l().ok()?.iter().map(|value| value.as_n().ok().cloned()).collect::<Option<_>>()?,
    };
    Some(Form {
        address: own("recipient")?,
        aside,
        brand: brand.to_owned(),
        channel: channel.to_owned(),
        consent_date: own("consent_date")?,
        event_id: event_id.to_owned(),
        origin: own("origin")?,
        payload: optional("payload")?,
        received_at: own("received_at")?,
        recipient_id: recipient_id.to_owned(),
        recipient_type: recipient_type.to_owned(),
        retailer_access,
        retailer_code,
        salt: Seed::stored(text(item, "seed")?).salt(),
        source: own("source")?,
        status: own("status")?,
    })
}

fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('#').collect::<Vec<_>>().try_into().ok()
}

fn ended(ending: Ending) -> Ended {
    let outcome = ending.outcome.and_then(|outcome| serde_json::to_value(outcome).ok()?.as_str().map(str::to_owned));
    Ended { outcome, code: ending.code, transaction_id: ending.transaction_id, at: ending.at.to_string() }
}

fn kept(item: &Item) -> Kept {
    let own = |name: &str| text(item, name).unwrap_or_default().to_owned();
    let ending = |name: &str| {
        let ending = item.get(name)?.clone();
        serde_dynamo::aws_sdk_dynamodb_1::from_attribute_value::<Ending>(ending).ok().map(ended)
    };
    let seed = Seed::stored(text(item, "seed").unwrap_or_default());
    // An item that has any part of it was written with all of it.
    let sealed = ["digest", "seed", "payload", "day_pk"].iter().any(|name| item.contains_key(*name));
    Kept {
        form: form(item),
        digest: sealed.then(|| (own("digest"), seed.payload_salt())),
        shown: Shown {
            status: own("status"),
            channel: text(item, "SK").and_then(|sort| sort.split('#').nth(1)).unwrap_or_default().to_owned(),
            consent_date: own("consent_date"),
            received_at: own("received_at"),
        },
        registry: ending("registry"),
        insider: ending("insider"),
    }
}

impl Ledger {
    /// Everything that the ledger has of one address, for evidence, oldest first. An item that cannot be read is
    /// among it, as such.
    pub async fn kept_of(&self, brand: &BrandName, recipient: &RecipientId) -> Result<Vec<Kept>, LedgerError> {
        let (states, movements, asides) = futures::join!(
            self.items_of(brand, recipient, "S#"),
            self.items_of(brand, recipient, "M#"),
            self.items_of(brand, recipient, "N#")
        );
        let states: Vec<_> = states?.into_iter().filter_map(|item| StateItem::read(item).ok()).collect();
        let mut found = Vec::new();
        for item in movements?.into_iter().chain(asides?) {
            let mut kept = kept(&item);
            // How the head of a state ended stands in the state.
            let sort = text(&item, "SK").unwrap_or_default();
            if let Some(state) = states.iter().find(|state| item::movement_sort(&state.key, &state.head.event_id) == sort) {
                kept.registry = Ending::of_sync(&state.registry).map(ended);
                kept.insider = Ending::of_sync(&state.insider).map(ended);
            }
            found.push(kept);
        }
        found.sort_by(|a, b| a.shown.received_at.cmp(&b.shown.received_at));
        Ok(found)
    }

    /// Tells the digests of all that a brand received on a day, in ascending order, page by page. What the index
    /// shows lags a little behind the table.
    pub async fn digests_of_day(&self, brand: &BrandName, day: Date, mut each: impl FnMut(&Digest)) -> Result<(), LedgerError> {
        for at in 0..DIGITS.len() {
            let partition = day_partition(brand.as_str(), day, &DIGITS[at..=at]);
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("day_pk = :pk")
                .projection_expression("digest")
                .expression_attribute_values(":pk", s(&partition))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = pages.next().await {
                let item = item.map_err(LedgerError::store("Query"))?;
                match text(&item, "digest").map(str::parse) {
                    Some(Ok(digest)) => each(&digest),
                    // It was changed since it was written; the others of the day are not to suffer.
                    _ => tracing::error!(%brand, %day, "a digest of the index cannot be read and is left out"),
                }
            }
        }
        Ok(())
    }

    /// Whether a brand received anything on a day.
    pub async fn has_digests(&self, brand: &BrandName, day: Date) -> Result<bool, LedgerError> {
        for at in 0..DIGITS.len() {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("day_pk = :pk")
                .expression_attribute_values(":pk", s(&day_partition(brand.as_str(), day, &DIGITS[at..=at])))
                .limit(1)
                .send()
                .await
                .map_err(LedgerError::store("Query"))?;
            if answer.count > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last day of a brand that was closed.
    pub async fn last_closed_day(&self, brand: &BrandName) -> Result<Option<Day>, LedgerError> {
        let answer = self.query_days(brand).scan_index_forward(false).limit(1).send().await.map_err(LedgerError::store("Query"))?;
        answer.items.unwrap_or_default().first().map(read_day).transpose()
    }

    /// All days of a brand that were closed, in their order.
    pub async fn closed_days(&self, brand: &BrandName) -> Result<Vec<Day>, LedgerError> {
        let mut days = Vec::new();
        let mut pages = self.query_days(brand).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            days.push(read_day(&item.map_err(LedgerError::store("Query"))?)?);
        }
        Ok(days)
    }

    fn query_days(&self, brand: &BrandName) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :root)")
            .expression_attribute_values(":pk", s(&format!("B#{brand}")))
            .expression_attribute_values(":root", s(ROOT))
            .consistent_read(true)
    }

    /// Closes a day. Where it is closed already, it stays as it is; what stands there then.
    pub async fn close_day(&self, brand: &BrandName, day: &Day) -> Result<Day, LedgerError> {
        let mut item = key(&format!("B#{brand}"), &format!("{ROOT}{}", day.day));
        item.insert("movements".to_owned(), n(i64::try_from(day.count).unwrap_or(i64::MAX)));
        item.insert("root".to_owned(), s(&day.root.to_string()));
        item.insert("chained".to_owned(), s(&day.chained.to_string()));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(*day),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    read_day(failed.item().ok_or_else(|| control::unreadable("root"))?)
                }
                _ => Err(LedgerError::store("PutItem")(error)),
            },
        }
    }
}

pub(super) fn read_day(item: &std::collections::HashMap<String, AttributeValue>) -> Result<Day, LedgerError> {
    let digest = |name: &'static str| text(item, name).and_then(|text| text.parse().ok()).ok_or_else(|| control::unreadable(name));
    let day = text(item, "SK").and_then(|sort| sort.strip_prefix(ROOT)).and_then(|day| day.parse().ok());
    let count = control::number(item, "movements")?.and_then(|count| u64::try_from(count).ok());
    Ok(Day {
        day: day.ok_or_else(|| control::unreadable("day"))?,
        count: count.ok_or_else(|| control::unreadable("movements"))?,
        root: digest("root")?,
        chained: digest("chained")?,
    })
}
