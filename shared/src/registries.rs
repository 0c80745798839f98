//! The one place that chooses by whom a brand reaches İYS.

use std::sync::Arc;

use crate::brand::Brand;
use crate::integrators::Integrators;
use crate::iys::{self, IysRegistry};
use crate::registry::Registry;

/// Every registry that a process may need. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Registries {
    iys: iys::Client,
    integrators: Integrators,
}

impl Registries {
    /// İYS's own API, and the integrators.
    pub fn new(iys: iys::Client, integrators: Integrators) -> Self {
        Self { iys, integrators }
    }

    /// The brand's registry.
    pub fn of(&self, brand: &Arc<Brand>) -> Box<dyn Registry> {
        self.integrators.of(brand).unwrap_or_else(|| Box::new(IysRegistry::new(self.iys.clone(), brand.clone())))
    }
}
