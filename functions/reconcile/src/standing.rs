//! What a brand may do at İYS: the look at its account, and the release of what was held.

use std::sync::Arc;

use shared::account::Account;
use shared::brand::Brand;
use shared::integrators::ProbedAccount;
use shared::iys::IysAccount;
use shared::sync::standing::{Keeper, Occasion};

use crate::{App, Report};

impl App {
    pub(crate) async fn tend(&self, brand: &Arc<Brand>, occasion: Occasion, report: &mut Report) {
        let registry = self.registry(brand);
        let account: Box<dyn Account> = match registry.capabilities().account {
            true => Box::new(IysAccount::new(self.iys.clone(), brand.clone())),
            false => Box::new(ProbedAccount::new(self.registry(brand))),
        };
        let keeper = Keeper {
            ledger: &self.ledger,
            queues: &self.queues,
            brand,
            account: &*account,
            registry: &*registry,
            clock: &self.clock,
            grace: self.grace,
            pause: self.pause,
        };
        match keeper.tend(occasion).await {
            Ok(tended) => {
                report.looked += usize::from(tended.looked);
                report.released += tended.released;
            }
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the brand's standing was not kept");
                report.failed += 1;
            }
        }
    }
}
