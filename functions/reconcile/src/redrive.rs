//! What ended in the dead-letter queues goes back to work.

use std::time::Duration;

use shared::answers::Redriven;
use shared::queue::Redrive;

use crate::App;

/// For how long one run goes on: well within the function's timeout.
const PATIENCE: Duration = Duration::from_secs(200);

impl App {
    pub(crate) async fn redrive(&self, discard: bool) -> Result<Redriven, lambda_runtime::Error> {
        let dead_letters = self.dead_letters.as_ref().ok_or("the dead-letter queues are not configured")?;
        let brands = self.brands.all((self.clock)()).await?.iter().map(|brand| brand.name.clone()).collect();
        let redriven = dead_letters.redrive(&Redrive { brands, discard, patience: PATIENCE }).await?;
        let Redriven { redriven: messages, unusable, discarded, more } = redriven;
        tracing::info!(messages, unusable, discarded, more, "dead letters brought back");
        Ok(redriven)
    }
}
