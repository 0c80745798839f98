//! Closes the brands' days, and shows the evidence of one address.

use secrecy::{ExposeSecret, SecretString};
use shared::answers::EvidenceAnswer;
use shared::brand::Brand;
use shared::consent::Recipient;
use shared::sync::evidence::Notary;

use crate::findings::Finding;
use crate::{App, Report};

/// Name of the line in which a refusal is told.
const CHECK: &str = "document";

impl App {
    fn notary(&self) -> Notary<'_> {
        Notary { ledger: &self.ledger, archive: self.archive.as_deref().map(|archive| archive as _), clock: &self.clock }
    }

    pub(crate) async fn close_days(&self, brand: &Brand, report: &mut Report) {
        match self.notary().close(&brand.name).await {
            Ok(closed) => report.closed += closed,
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "days that are over were not closed");
                report.failed += 1;
            }
        }
    }

    /// The evidence of an address. The address and what the ledger holds of it are in the answer and nowhere else.
    pub(crate) async fn export_evidence(&self, name: &str, address: &SecretString, payloads: bool) -> EvidenceAnswer {
        let brand = match self.brands.get(name, (self.clock)()).await {
            Ok(Some(brand)) => brand,
            Ok(None) => return EvidenceAnswer::Refused(Finding::DocumentMissing.of(CHECK, &[])),
            Err(error) => return EvidenceAnswer::Refused(Finding::DocumentsAway.of(CHECK, &[&error.to_string()])),
        };
        let Ok(recipient) = Recipient::parse_any(address.expose_secret()) else { return EvidenceAnswer::NoAddress };
        let id = recipient.id(&brand.recipient_id_key, &brand.name);
        match self.notary().export(&brand.name, &recipient, &id, payloads).await {
            Ok(export) => EvidenceAnswer::Exported(Box::new(export)),
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "the evidence of an address was not put together");
                EvidenceAnswer::Refused(Finding::LedgerAway.of("ledger", &[]))
            }
        }
    }
}
