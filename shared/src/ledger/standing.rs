//! A brand's standing at the registry, and the work that is held because of it.
//!
//! Item: PK `B#{brand}`, SK `STANDING`. Every change is written over the revision that was read, so of
//! several workers that see the same thing one makes it so, and one alone takes a look upon itself.

use aws_sdk_dynamodb::types::AttributeValue;

use super::deadlines::Bound;
use super::item::{self, Item, NEVER_DUE, WORK_SHARDS};
use super::work::{DueWork, deadline, read_due};
use super::{Ledger, LedgerError, control, submission};
use crate::consent::standing::Standing;
use crate::consent::{BrandName, ConsentDate};

/// Held work, and where the search for more goes on.
#[derive(Debug, Default)]
pub struct HeldWork {
    /// The keys whose work at the registry is held, with their deadlines.
    pub keys: Vec<Bound>,
    /// The submissions whose results could not be asked for.
    pub submissions: Vec<String>,
    /// What to go on with; `None` at the end.
    pub next: Option<HeldPage>,
}

/// A place in the search for held work.
#[derive(Debug, Clone, Default)]
pub struct HeldPage {
    shard: u8,
    after: Option<Item>,
}

impl Ledger {
    /// What is known of a brand; nothing at first.
    pub async fn standing(&self, brand: &BrandName) -> Result<Standing, LedgerError> {
        self.document(key(brand)).await
    }

    /// Changes what is known of a brand. `change` says whether there is anything to change, and is asked
    /// again over whatever others have written meanwhile. What stands then, and whether it was changed.
    pub async fn change_standing(
        &self,
        brand: &BrandName,
        change: impl FnMut(&mut Standing) -> bool,
    ) -> Result<(Standing, bool), LedgerError> {
        self.change_document(key(brand), change).await
    }

    /// One page of the keys whose work at the registry is held, and of the submissions whose results are. It reads the index of open work and
    /// nothing else; what was held a moment ago may be missing there.
    pub async fn held_work(&self, brand: &BrandName, page: HeldPage) -> Result<HeldWork, LedgerError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(super::work::INDEX)
            .key_condition_expression("work_pk = :pk AND work_due < :never")
            .filter_expression("work_iys IN (:held, :results)")
            .projection_expression("PK, SK, work_deadline")
            .expression_attribute_values(":pk", AttributeValue::S(item::work_partition(brand, page.shard)))
            .expression_attribute_values(":never", control::s(NEVER_DUE))
            .expression_attribute_values(":held", control::s("held"))
            .expression_attribute_values(":results", control::s(submission::HELD_RESULTS))
            .set_exclusive_start_key(page.after)
            .send()
            .await
            .map_err(LedgerError::store("Query"))?;
        let (mut keys, mut submissions) = (Vec::new(), Vec::new());
        for item in answer.items.unwrap_or_default() {
            match read_due(&item) {
                Ok(DueWork::Key(key)) => keys.push(Bound { key, deadline: deadline(&item).unwrap_or(ConsentDate::EARLIEST) }),
                Ok(DueWork::Submission(id)) => submissions.push(id),
                Err(error) => tracing::error!(%error, "a piece of held work is passed over"),
            }
        }
        let next = match answer.last_evaluated_key {
            Some(after) => Some(HeldPage { shard: page.shard, after: Some(after) }),
            None => Some(HeldPage { shard: page.shard + 1, after: None }).filter(|next| next.shard < WORK_SHARDS),
        };
        Ok(HeldWork { keys, submissions, next })
    }
}

fn key(brand: &BrandName) -> Item {
    control::key(&format!("B#{brand}"), "STANDING")
}
