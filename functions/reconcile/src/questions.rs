//! What a person asks of a brand, by the operator's command, and the answers.
//!
//! A question fails as an invocation only when it cannot be read. Whatever else is wrong is said in the
//! answer: a failed invocation's words reach nobody but the log.

use std::sync::Arc;

use lambda_runtime::Error;
use secrecy::SecretString;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::answers::{Check, Checks, EvidenceAnswer, ImportAnswer, Redriven, ReportAnswer, RetailersAnswer};
use shared::brand::Brand;
use shared::insider;
use shared::integrators::capabilities;
use shared::sync::road::{FORMER_NEEDED, on_the_road_since};
use shared::sync::throttle::LedgerThrottle;

use crate::check_brand::CheckBrand;
use crate::check_integrator;
use crate::findings::Finding;
use crate::report::Wanted;
use crate::retailers::{self, Wish};
use crate::sample_insider::{Addresses, SampleInsider};
use crate::{App, Job, Report};

/// What the function is invoked with: scheduled work, or a question.
pub(crate) enum Invocation {
    Job(Job),
    Question(Question),
}

/// A question about one brand. No `Debug`: a retailer's description names a person, and a sample an address.
#[derive(Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub(crate) enum Question {
    /// Is the brand's İYS side right?
    CheckBrand {
        /// The brand's name.
        brand: String,
    },
    /// Is its Insider side right? Asked with calls about addresses, which it changes and brings back.
    SampleInsider {
        /// The brand's name.
        brand: String,
        /// The addresses.
        #[serde(flatten)]
        addresses: Addresses,
    },
    /// What are its retailers? Or: create one, delete one.
    Retailers {
        /// The brand's name.
        brand: String,
        /// What is wished.
        #[serde(flatten)]
        wish: Wish,
    },
    /// Takes in rows of its book of consents.
    #[serde(rename_all = "camelCase")]
    Import {
        /// The brand's name.
        brand: String,
        /// Whether nothing is to be written.
        #[serde(default)]
        dry_run: bool,
        /// Whether Insider is told of consents that İYS holds already.
        #[serde(default)]
        tell_insider: bool,
        /// The rows, each an object as the consent API takes it.
        rows: Vec<Value>,
    },
    /// Bring back what ended in the dead-letter queues, of all brands.
    Redrive {
        /// Whether what nobody can use is deleted.
        #[serde(default)]
        discard: bool,
    },
    /// What proves the movements of an address?
    ExportEvidence {
        /// The brand's name.
        brand: String,
        /// The address.
        address: SecretString,
        /// Whether to open the digests of what they were made from.
        #[serde(default)]
        payloads: bool,
    },
    /// What is the report of a day?
    ShowReport {
        /// The brand's name.
        brand: String,
        /// Which report.
        #[serde(flatten)]
        wanted: Wanted,
    },
}

/// What an invocation is answered with.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Report(Report),
    Checks(Checks),
    Retailers(RetailersAnswer),
    Import(Box<ImportAnswer>),
    Evidence(EvidenceAnswer),
    Day(Box<ReportAnswer>),
    Redriven(Redriven),
}

impl<'de> Deserialize<'de> for Invocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Value::deserialize(deserializer)?;
        match payload.get("job").and_then(Value::as_str) {
            Some("check_brand" | "sample_insider" | "retailers" | "import" | "redrive" | "export_evidence" | "show_report") => {
                // The reader's own words may quote a value, which may be a person's.
                let question = Question::deserialize(payload).map_err(|_| D::Error::custom("the fields of the question do not fit"))?;
                Ok(Invocation::Question(question))
            }
            _ => Job::deserialize(payload).map(Invocation::Job).map_err(D::Error::custom),
        }
    }
}

impl App {
    /// Does scheduled work, or answers a question.
    pub(crate) async fn invoked(&self, invocation: Invocation) -> Result<Answer, Error> {
        match invocation {
            Invocation::Job(job) => self.handle(job).await.map(Answer::Report),
            Invocation::Question(Question::CheckBrand { brand }) => Ok(Answer::Checks(Box::pin(self.check_brand(brand)).await)),
            Invocation::Question(Question::SampleInsider { brand, addresses }) => {
                Ok(Answer::Checks(Box::pin(self.sample_insider(brand, &addresses)).await))
            }
            Invocation::Question(Question::Retailers { brand, wish }) => {
                Ok(Answer::Retailers(Box::pin(self.retailers(&brand, wish)).await))
            }
            Invocation::Question(Question::Import { brand, dry_run, tell_insider, rows }) => {
                Ok(Answer::Import(Box::new(Box::pin(self.import(&brand, rows, dry_run, tell_insider)).await)))
            }
            Invocation::Question(Question::Redrive { discard }) => Box::pin(self.redrive(discard)).await.map(Answer::Redriven),
            Invocation::Question(Question::ExportEvidence { brand, address, payloads }) => {
                Ok(Answer::Evidence(Box::pin(self.export_evidence(&brand, &address, payloads)).await))
            }
            Invocation::Question(Question::ShowReport { brand, wanted }) => {
                Ok(Answer::Day(Box::new(Box::pin(self.show_report(&brand, wanted)).await)))
            }
        }
    }

    async fn check_brand(&self, name: String) -> Checks {
        let at = (self.clock)();
        let checks = match self.brands.get_anew(&name, at).await {
            Ok(Some(brand)) => {
                let mut checks = self.check_registry(&brand).await;
                checks.extend(self.check_former(&brand).await);
                checks
            }
            Ok(None) => vec![Finding::DocumentMissing.of("document", &[])],
            Err(error) => vec![Finding::DocumentsAway.of("document", &[&error.to_string()])],
        };
        Checks { brand: name, at, checks }
    }

    async fn check_registry(&self, brand: &Arc<Brand>) -> Vec<Check> {
        if !capabilities(&brand.registry).account {
            return check_integrator::run(brand, &*self.registry(brand)).await;
        }
        CheckBrand { ledger: &self.ledger, iys: &self.iys, brand, api: &self.api, egress: &self.egress, clock: &self.clock }.run().await
    }

    /// Whether the registry that the brand has left has still to be named.
    async fn check_former(&self, brand: &Brand) -> Option<Check> {
        const CHECK: &str = "formerRegistry";
        let former = brand.former_registry.as_ref()?.name();
        let finding = match on_the_road_since(&self.ledger, brand).await {
            Ok(Some(since)) if (self.clock)().duration_since(since) > FORMER_NEEDED => Finding::FormerNotNeeded,
            Ok(_) => Finding::FormerRegistry,
            Err(_) => Finding::LedgerAway,
        };
        Some(finding.of(CHECK, &[former]))
    }

    async fn sample_insider(&self, name: String, addresses: &Addresses) -> Checks {
        let at = (self.clock)();
        let checks = match self.brands.get_anew(&name, at).await {
            Ok(Some(brand)) => {
                let throttle = LedgerThrottle::new(self.ledger.clone(), self.clock.clone(), brand.insider.partner.clone());
                let account = Arc::new(brand.insider.clone());
                let sample = SampleInsider {
                    ledger: &self.ledger,
                    queues: &self.queues,
                    insider: &insider::Client::new(self.insider.clone(), account, Arc::new(throttle)),
                    brand: &brand,
                    api: &self.api,
                    clock: &self.clock,
                    grace: self.grace,
                };
                sample.run(addresses).await
            }
            Ok(None) => vec![Finding::DocumentMissing.of("document", &[])],
            Err(error) => vec![Finding::DocumentsAway.of("document", &[&error.to_string()])],
        };
        Checks { brand: name, at, checks }
    }

    async fn retailers(&self, name: &str, wish: Wish) -> RetailersAnswer {
        match self.brands.get(name, (self.clock)()).await {
            Ok(Some(brand)) if !capabilities(&brand.registry).account => {
                RetailersAnswer::Refused(Finding::NeedsOwnUser.of("retailers", &[brand.registry.name()]))
            }
            Ok(Some(brand)) => retailers::answer(&self.iys, &brand.iys, wish).await,
            Ok(None) => RetailersAnswer::Refused(Finding::DocumentMissing.of("document", &[])),
            Err(error) => RetailersAnswer::Refused(Finding::DocumentsAway.of("document", &[&error.to_string()])),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Invocation, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn scheduled_work_and_questions_come_in_at_one_door() {
        assert!(matches!(read(r#"{"job":"sweep"}"#).unwrap(), Invocation::Job(Job::Sweep)));
        let check = read(r#"{"job":"check_brand","brand":"demo"}"#).unwrap();
        assert!(matches!(check, Invocation::Question(Question::CheckBrand { brand }) if brand == "demo"));
        let show = read(r#"{"job":"retailers","brand":"demo","action":"show","retailerCode":66438915}"#).unwrap();
        assert!(matches!(show, Invocation::Question(Question::Retailers { wish: Wish::Show { retailer_code: 66_438_915 }, .. })));
        let sample = read(r#"{"job":"sample_insider","brand":"demo","email":"a@example.com","phone":null}"#).unwrap();
        assert!(matches!(sample, Invocation::Question(Question::SampleInsider { addresses, .. })
            if addresses.email.is_some() && addresses.phone.is_none()));
        let export = read(r#"{"job":"export_evidence","brand":"demo","address":"a@example.com"}"#).unwrap();
        assert!(matches!(export, Invocation::Question(Question::ExportEvidence { payloads: false, .. })));
        assert!(matches!(read(r#"{"job":"evidence"}"#).unwrap(), Invocation::Job(Job::Evidence)));
        assert!(matches!(read(r#"{"job":"report"}"#).unwrap(), Invocation::Job(Job::Report)));
        let report = read(r#"{"job":"show_report","brand":"demo","day":"2026-11-25","kind":"final","page":"tr"}"#).unwrap();
        assert!(matches!(report, Invocation::Question(Question::ShowReport { brand, .. }) if brand == "demo"));
        assert!(read(r#"{"job":"show_report","brand":"demo","day":"2026-11-31"}"#).is_err());
        assert!(matches!(read(r#"{"job":"redrive"}"#).unwrap(), Invocation::Question(Question::Redrive { discard: false })));
        assert!(read(r#"{"job":"nothing"}"#).is_err());
    }

    #[test]
    fn a_book_comes_in_by_chunks() {
        let import = read(r#"{"job":"import","brand":"demo","dryRun":true,"rows":[{"recipient":"a@example.com"}]}"#).unwrap();
        assert!(
            matches!(import, Invocation::Question(Question::Import { dry_run: true, tell_insider: false, rows, .. }) if rows.len() == 1)
        );
        let error = read(r#"{"job":"import","brand":"demo","rows":"kisi@example.com"}"#).err().unwrap();
        assert!(!error.to_string().contains("kisi"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = read(r#"{"job":"retailers","brand":"demo","action":"show","retailerCode":"+905321112233"}"#).err().unwrap();
        assert!(!error.to_string().contains("532"), "{error}");
        let error = read(r#"{"job":"export_evidence","brand":"demo","address":905321112233}"#).err().unwrap();
        assert!(!error.to_string().contains("532"), "{error}");
        let error = read(r#"{"job":"sample_insider","brand":"demo","phone":905321112233}"#).err().unwrap();
        assert!(!error.to_string().contains("532"), "{error}");
    }
}
