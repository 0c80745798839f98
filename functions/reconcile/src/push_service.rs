//! The connections by which İYS pushes what people do there.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use shared::brand::Brand;
use shared::integrators::capabilities;
use shared::iys::IysAccount;
use shared::sync::push_service::PushService;
use url::Url;

use crate::{App, Report};

/// Random bytes of a user name or password.
const SECRET_BYTES: usize = 24;

impl App {
    pub(crate) async fn push_service(&self, brand: &Arc<Brand>, url: Option<&Url>, wanted: bool, report: &mut Report) {
        // An integrator's callbacks are set up in its portal.
        if !capabilities(&brand.registry).account {
            return;
        }
        let own = own_url(&self.api, brand);
        let account = IysAccount::new(self.iys.clone(), brand.clone());
        let service = PushService {
            ledger: &self.ledger,
            brand,
            connections: &account,
            url: url.unwrap_or(&own),
            wanted,
            clock: &self.clock,
            secret: &secret,
        };
        match service.run().await {
            Ok(Some(served)) => {
                report.registered += served.registered;
                report.unregistered += served.unregistered;
                report.failed += usize::from(served.failed > 0);
            }
            Ok(None) => tracing::info!(brand = %brand.name, "the push connections are being looked after by another worker"),
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the push connections were not looked after");
                report.failed += 1;
            }
        }
    }
}

/// Where a brand's notices come in, under the base address of the HTTP API.
pub(crate) fn own_url(api: &Url, brand: &Brand) -> Url {
    let mut own = api.clone();
    if let Ok(mut path) = own.path_segments_mut() {
        path.pop_if_empty().extend(["v1", brand.name.as_str(), "iys", "push"]);
    }
    own
}

/// A text that nobody can guess: `rand` draws from a cryptographic generator that the operating system
/// seeds.
fn secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    BASE64URL_NOPAD.encode(&bytes)
}
