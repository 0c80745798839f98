//! Integrators (entegratör): firms that carry a brand's consents to İYS under their own contract.
//!
//! Each is an adapter of the port [`crate::registry::Registry`]: it speaks İYS's words towards us and its own
//! towards its wire, and says by [`crate::registry::Capabilities`] what it can do. `docs/integrators.md` tells
//! what a brand gains and loses with each.
//!
//! | File | What it decides |
//! |---|---|
//! | `account` | what is known of a brand whose account nobody lists |
//! | `call` | turns, sending, what a failure means |
//! | `fields` | how the fields of a consent are read |
//! | `identity` | by what a record is recognised in results |
//! | `notice` | what a callback says, and what proves it |
//! | `netgsm`, `verimor`, `mysoft` | each one's wire and flags |
//! | `view` | what status and report say of it |

mod account;
mod call;
mod fields;
mod identity;
mod mysoft;
mod netgsm;
mod notice;
mod verimor;
mod view;

use std::sync::Arc;

use crate::brand::{Brand, RegistryChoice};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::registry::{Capabilities, Registry};

pub use account::ProbedAccount;
pub use notice::{Notice, NoticeError, Outcome, read_notices};
pub use view::{Carrier, RegistryView, Told, Word};

/// The integrators for one process. Cloning it is cheap and shares everything.
#[derive(Clone)]
pub struct Integrators {
    wire: Arc<call::Wire>,
    mysoft: Arc<mysoft::Tokens>,
}

impl std::fmt::Debug for Integrators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Integrators")
    }
}

impl Integrators {
    /// Integrators that share allowances by the ledger. Nothing is connected yet.
    pub fn new(ledger: Ledger, clock: Clock) -> Self {
        Self { wire: call::Wire::new(ledger, clock), mysoft: Arc::default() }
    }

    /// The brand's integrator; `None` for a brand that calls İYS itself.
    pub fn of(&self, brand: &Arc<Brand>) -> Option<Box<dyn Registry>> {
        let (wire, brand) = (self.wire.clone(), brand.clone());
        match &brand.registry {
            RegistryChoice::Iys => None,
            RegistryChoice::Netgsm(_) => Some(Box::new(netgsm::NetgsmRegistry::new(wire, brand))),
            RegistryChoice::Verimor(_) => Some(Box::new(verimor::VerimorRegistry::new(wire, brand))),
            RegistryChoice::Mysoft(_) => Some(Box::new(mysoft::MysoftRegistry::new(wire, self.mysoft.clone(), brand))),
        }
    }
}

/// What the registry of a brand's choice can do, without a call.
pub fn capabilities(choice: &RegistryChoice) -> Capabilities {
    match choice {
        RegistryChoice::Iys => Capabilities::IYS,
        RegistryChoice::Netgsm(settings) => netgsm::capabilities(settings),
        RegistryChoice::Verimor(settings) => verimor::capabilities(settings),
        RegistryChoice::Mysoft(settings) => mysoft::capabilities(settings),
    }
}
