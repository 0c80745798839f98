//! Makes the brands' daily reports, and shows one of them.

use jiff::civil::Date;
use serde::Deserialize;
use shared::answers::ReportAnswer;
use shared::brand::Brand;
use shared::integrators::RegistryView;
use shared::report::{Kind, Language};
use shared::sync::report::{Reporter, Shown};

use crate::findings::Finding;
use crate::{App, Report};

/// Name of the line in which a refusal is told.
const CHECK: &str = "document";

/// Which report is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    /// The day in Türkiye.
    day: Date,
    /// Which of the day's; without, the last one that is kept, else how the day stands now.
    #[serde(default)]
    kind: Option<Kind>,
    /// The language of the page, where one is wanted.
    #[serde(default)]
    page: Option<Language>,
}

impl App {
    fn reporter(&self, brand: &Brand) -> Reporter<'_> {
        Reporter {
            ledger: &self.ledger,
            archive: self.archive.as_deref().map(|archive| archive as _),
            registry: RegistryView::of(brand),
            clock: &self.clock,
        }
    }

    pub(crate) async fn make_reports(&self, brand: &Brand, report: &mut Report) {
        match self.reporter(brand).run(&brand.name).await {
            Ok(made) => report.reports += made,
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "reports that are due were not made");
                report.failed += 1;
            }
        }
    }

    /// A day's report.
    pub(crate) async fn show_report(&self, name: &str, wanted: Wanted) -> ReportAnswer {
        let brand = match self.brands.get(name, (self.clock)()).await {
            Ok(Some(brand)) => brand,
            Ok(None) => return ReportAnswer::Refused(Finding::DocumentMissing.of(CHECK, &[])),
            Err(error) => return ReportAnswer::Refused(Finding::DocumentsAway.of(CHECK, &[&error.to_string()])),
        };
        match self.reporter(&brand).show(&brand.name, wanted.day, wanted.kind, wanted.page).await {
            Ok(Some(Shown { report, is_kept, page })) => ReportAnswer::Report { report: Box::new(report), is_kept, page },
            Ok(None) => ReportAnswer::NotThere,
            Err(error) => {
                tracing::error!(brand = %brand.name, %error, "a report was not shown");
                ReportAnswer::Refused(Finding::LedgerAway.of("ledger", &[]))
            }
        }
    }
}
