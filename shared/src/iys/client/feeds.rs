//! Movements in the order in which İYS recorded them.

use super::{Client, codes};
use crate::brand;
use crate::evidence::Payload;
use crate::iys::call::{Call, defect};
use crate::iys::wire::Feed as FeedAnswer;
use crate::iys::{feed, operation};
use crate::registry::{Feed, Page, RegistryError};

/// Lines in one page of pull, which is also the most that İYS gives.
const PULL_LINES: usize = 1000;

impl Client {
    /// The next page of a feed (`PullPerBrandCode`). İYS shows movements from seven days to one hour
    /// back; `cursor` is its own and means nothing to anybody else.
    pub async fn changes(&self, account: &brand::Iys, whose: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        let [sps, brand] = codes(account);
        let mut call = Call::new(&operation::PULL, &[&sps, &brand])?;
        call.query = vec![("source", side(whose).to_owned()), ("limit", PULL_LINES.to_string())];
        call.query.extend(cursor.map(|cursor| ("after", cursor.to_owned())));
        let reply = self.read(account, &call).await?;
        if reply.is_empty() {
            return Ok(Page::default());
        }
        let answer: FeedAnswer = reply.read().map_err(|why| defect(call.name, &why))?;
        let mut page = feed::page(&answer.list);
        page.payload = Some(Payload::of(&reply.body));
        page.cursor = answer.after.get().map(str::to_owned);
        // A cursor that does not move on would be asked for again and again.
        let moved = page.cursor.is_some() && page.cursor.as_deref() != cursor;
        page.more = moved && answer.list.0.len() >= PULL_LINES;
        Ok(page)
    }
}

/// İYS's word for whose movements are meant.
pub(super) fn side(feed: Feed) -> &'static str {
    match feed {
        Feed::People => "IYS",
        Feed::Brand => "HS",
    }
}
