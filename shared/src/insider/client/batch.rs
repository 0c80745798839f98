//! Many items in few requests, and what each of them came to.
//!
//! Insider refuses a request as a whole without saying which of its items is at fault. So a refused
//! request is halved until the bad item stands alone: it costs itself only. When nothing at all is
//! taken, the items are not at fault, and the rest is given up as a defect.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::http::Endpoint;
use super::policy::Judged;
use super::{Answer, Client, InsiderError, Outcome, upsert};
use crate::consent::Recipient;

/// Most users in one upsert.
const USERS: usize = 1_000;
/// Most bytes in one body.
const BYTES: usize = 5_000_000;
/// What a body may need beside its rows: field names, and the uploader's address.
const FRAME: usize = 1_000;
/// How many requests may be refused while none is taken.
const REFUSALS: usize = 24;

/// Items to be sent, one row of JSON per address. No `Debug`: rows are addresses.
#[derive(Default)]
pub(super) struct Batch<'a> {
    rows: Vec<Row>,
    rows_of: HashMap<&'a Recipient, usize>,
    items: Vec<Item>,
}

/// One address in a body.
#[derive(Default)]
pub(super) struct Row {
    /// The address, or all that is said about it, as JSON.
    pub(super) text: String,
    /// The profile's uuid as JSON, where people are named by it.
    pub(super) uuid: Option<String>,
}

impl Row {
    /// What it takes in a body: with its uuid, that of the field names around them.
    fn size(&self) -> usize {
        self.text.len() + self.uuid.as_ref().map_or(0, |uuid| uuid.len() + r#"{"uuid":,"email":}"#.len()) + 1
    }
}

/// The rows of one request. There is always one: an empty list never goes out, whatever it would mean.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a>(&'a [Row]);

impl<'a> Rows<'a> {
    fn of(rows: &'a [Row]) -> Option<Self> {
        (!rows.is_empty()).then_some(Self(rows))
    }

    /// The rows.
    pub(super) fn each(self) -> &'a [Row] {
        self.0
    }
}

/// Where an item's answer comes from.
enum Item {
    /// From its row.
    Row(usize),
    /// It is known without a request.
    Known(Answer),
}

impl<'a> Batch<'a> {
    /// The row of an address: the one that it has already, or a new one.
    pub(super) fn row_of(&mut self, recipient: &'a Recipient) -> usize {
        *self.rows_of.entry(recipient).or_insert_with(|| {
            self.rows.push(Row::default());
            self.rows.len() - 1
        })
    }

    /// The next item is part of a row, which is written.
    pub(super) fn set(&mut self, row: usize, write: impl FnOnce() -> Row) {
        self.items.push(Item::Row(row));
        if let Some(place) = self.rows.get_mut(row) {
            *place = write();
        }
    }

    /// The next item needs no request.
    pub(super) fn answer(&mut self, answer: Answer) {
        self.items.push(Item::Known(answer));
    }
}

/// What one request said about its rows.
pub(super) enum Told {
    /// One outcome a row.
    Each(Vec<Outcome>),
    /// Something was refused, for this reason as far as it is known.
    SomethingRefused(&'static str),
}

impl Client {
    /// Sends the batch and answers every item, in order.
    pub(super) async fn send_in_batches(&self, endpoint: Endpoint, batch: Batch<'_>) -> Vec<Answer> {
        let answers = self.send_rows(endpoint, &batch.rows).await;
        let missing = || Err(InsiderError::Defect { why: format!("{}: a row has no answer", endpoint.path()) });
        batch
            .items
            .into_iter()
            .map(|item| match item {
                Item::Row(row) => answers.get(row).cloned().flatten().unwrap_or_else(missing),
                Item::Known(answer) => answer,
            })
            .collect()
    }

    async fn send_rows(&self, endpoint: Endpoint, rows: &[Row]) -> Vec<Option<Answer>> {
        let most = if let Endpoint::List(call) = endpoint { call.most() } else { USERS };
        let mut open: VecDeque<Range<usize>> = ranges(rows, most, BYTES - FRAME);
        let mut answers = vec![None; rows.len()];
        let (mut refusals, mut taken) = (0, false);
        while let Some(range) = open.pop_front() {
            let Some(sent) = Rows::of(&rows[range.clone()]) else { continue };
            let error = match self.send_one(endpoint, sent).await {
                Ok(Told::Each(outcomes)) => {
                    taken |= outcomes.contains(&Outcome::Applied);
                    for (row, outcome) in range.zip(outcomes) {
                        answers[row] = Some(Ok(outcome));
                    }
                    continue;
                }
                Ok(Told::SomethingRefused(code)) => {
                    refusals += 1;
                    if range.len() == 1 {
                        answers[range.start] = Some(Ok(Outcome::Refused { code }));
                        continue;
                    }
                    if taken || refusals < REFUSALS {
                        let middle = range.start + range.len() / 2;
                        open.push_front(middle..range.end);
                        open.push_front(range.start..middle);
                        continue;
                    }
                    InsiderError::Defect { why: format!("{}: every request is refused ({code})", endpoint.path()) }
                }
                Err(error) => error,
            };
            for row in std::iter::once(range).chain(open.drain(..)).flatten() {
                answers[row] = Some(Err(error.clone()));
            }
        }
        answers
    }

    async fn send_one(&self, endpoint: Endpoint, rows: Rows<'_>) -> Result<Told, InsiderError> {
        let count = rows.each().len();
        let body = match endpoint {
            Endpoint::List(call) => call.body(&self.account, rows),
            _ => upsert::body(rows),
        };
        let reply = self.exchange(endpoint, body).await?;
        match self.connection.judge(endpoint, &reply)? {
            Judged::Refused(code) => Ok(Told::SomethingRefused(code)),
            Judged::Taken if endpoint == Endpoint::Upsert => upsert::read(&reply.body, count),
            // The lists answer nothing about single addresses.
            Judged::Taken => Ok(Told::Each(vec![Outcome::Applied; count])),
        }
    }
}

/// Texts with commas between them.
pub(super) fn joined<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> String {
    let mut joined = String::new();
    for text in texts {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(text.as_ref());
    }
    joined
}

/// Cuts rows into requests of at most so many rows and bytes, commas counted.
fn ranges(rows: &[Row], most: usize, room: usize) -> VecDeque<Range<usize>> {
    let mut ranges = VecDeque::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        if index > start && (index - start == most || bytes + row.size() > room) {
            ranges.push_back(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += row.size();
    }
    if start < rows.len() {
        ranges.push_back(start..rows.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_to_send_is_no_request() {
        assert!(ranges(&[], 500, 100).is_empty());
        assert!(Rows::of(&[]).is_none(), "and there is no way to write a body of none");
    }

    proptest! {
        #[test]
        fn requests_keep_both_limits_and_every_row_in_order(
            lengths in prop::collection::vec(1_usize..40, 0..80),
            most in 1_usize..20,
            room in 40_usize..200,
        ) {
            let rows: Vec<Row> = lengths.iter().map(|length| Row { text: "x".repeat(*length), uuid: None }).collect();
            let ranges = ranges(&rows, most, room);
            let mut next = 0;
            for range in &ranges {
                prop_assert_eq!(range.start, next);
                prop_assert!(!range.is_empty() && range.len() <= most);
                prop_assert!(joined(rows[range.clone()].iter().map(|row| row.text.as_str())).len() <= room);
                next = range.end;
            }
            prop_assert_eq!(next, rows.len());
        }
    }
}
