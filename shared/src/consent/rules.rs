//! İYS's stateless rules, checked on what callers send before anything is recorded.
//!
//! Source: İYS documentation, "İzin Yönetimi" rules and error codes. Every violation names the field,
//! the rule and İYS's own code.

use jiff::Timestamp;
use serde::Deserialize;

use super::code::Code;
use super::{
    Channel, ConsentDate, RETAILER_ACCESS, RawRecipient, RawRetailer, Recipient, RecipientType, Retailers, Source, SourceError, Status,
};
use crate::calendar;

/// One consent or refusal as a caller wrote it. Every field is optional here so that a missing one is
/// answered by its own rule; types are checked by [`Draft::check`], not by the JSON reader.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draft {
    /// The address.
    pub recipient: Option<RawRecipient>,
    /// `BIREYSEL` (also when missing) or `TACIR`.
    pub recipient_type: Option<String>,
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Option<String>,
    /// `ONAY` or `RET`.
    pub status: Option<String>,
    /// One of the `HS_*` values; the caller's default when missing.
    pub source: Option<String>,
    /// `YYYY-MM-DD HH:mm:ss`, Turkish time; the moment of receipt when missing.
    pub consent_date: Option<String>,
    /// The caller's own name of the event.
    pub external_id: Option<String>,
    /// The dealer that collected the consent.
    pub retailer_code: Option<RawRetailer>,
    /// The dealers that may use it.
    pub retailer_access: Option<Vec<RawRetailer>>,
}

/// A draft that keeps every stateless rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The normalised address.
    pub recipient: Recipient,
    /// Consumer or merchant.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: Status,
    /// The medium.
    pub source: Source,
    /// The date of the change.
    pub consent_date: ConsentDate,
    /// Whether the caller gave the date, or it is the moment of receipt.
    pub dated: bool,
    /// The caller's own name of the event.
    pub external_id: Option<String>,
    /// The dealers that collected it or may use it.
    pub retailers: Retailers,
}

/// A broken rule. The offending value is never part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    /// The field.
    pub field: &'static str,
    /// İYS's own code.
    pub code: &'static str,
    /// The rule, naming the field.
    pub message: String,
}

fn violation(field: &'static str, code: &'static str, message: impl ToString) -> Violation {
    Violation { field, code, message: message.to_string() }
}

/// Longest external id that is taken.
pub const EXTERNAL_ID_LENGTH: usize = 128;

/// Who tells of a consent or refusal, where the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// One of the brand's systems, of what has just happened.
    Caller,
    /// The brand's book of what happened at any time. Its records may be older than İYS takes, because it may
    /// hold them already, and have a source that only İYS sets, because they may come from there. They have a
    /// date: the moment of reading is nobody's act.
    Book,
}

impl Draft {
    /// Checks every stateless rule; the first broken one in İYS's order of fields is returned.
    ///
    /// A RET that is too late for İYS is taken all the same: it must reach Insider whatever İYS says
    /// to it. An ONAY that is too late is no consent any more and is refused.
    pub fn check(self, default_source: &Source, now: Timestamp) -> Result<Checked, Violation> {
        self.check_of(Teller::Caller, default_source, now)
    }

    /// The same for any teller.
    pub fn check_of(self, teller: Teller, default_source: &Source, now: Timestamp) -> Result<Checked, Violation> {
        let channel: Channel = match self.channel.as_deref() {
            None | Some("") => return Err(violation("type", "H111", "type is missing")),
            Some(word) => word.parse().map_err(|error: super::UnknownWord| violation("type", error.code, error))?,
        };
        let recipient_type = match self.recipient_type.as_deref() {
            None | Some("") => RecipientType::Bireysel,
            Some(word) => word.parse().map_err(|error: super::UnknownWord| violation("recipientType", error.code, error))?,
        };
        let status: Status = match self.status.as_deref() {
            None | Some("") => return Err(violation("status", "H110", "status is missing")),
            Some(word) => word.parse().map_err(|error: super::UnknownWord| violation("status", error.code, error))?,
        };
        let recipient = Recipient::parse(self.recipient.as_ref().map_or("", RawRecipient::expose), channel)
            .map_err(|error| violation("recipient", error.code(), error))?;
        let source: Source = match self.source.as_deref() {
            None | Some("") => default_source.clone(),
            Some(text) => text.parse().map_err(|error: SourceError| violation("source", SourceError::CODE, error))?,
        };
        if !(source.is_sendable() || teller == Teller::Book && matches!(source, Source::Iys(_))) {
            return Err(violation("source", SourceError::CODE, "source must be one of the HS_* values: only İYS sets IYS_*"));
        }
        let today = ConsentDate::at(now);
        let (consent_date, dated) = match self.consent_date.as_deref() {
            None | Some("") if source == Source::Hs2015 => (ConsentDate::EARLIEST, false),
            None | Some("") if teller == Teller::Book => return Err(violation("consentDate", "H112", "consentDate is missing")),
            None | Some("") => (today, false),
            Some(text) => (text.parse().map_err(|error: super::DateError| violation("consentDate", error.code(), error))?, true),
        };
        check_lasting(status, &source, consent_date)?;
        check_moment(status, consent_date, today, teller)?;
        if self.external_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > EXTERNAL_ID_LENGTH) {
            return Err(violation("externalId", "externalId", format!("externalId must have 1 to {EXTERNAL_ID_LENGTH} bytes")));
        }
        let retailers = check_retailers(self.retailer_code, self.retailer_access.as_deref())?;
        Ok(Checked { recipient, recipient_type, channel, status, source, consent_date, dated, external_id: self.external_id, retailers })
    }
}

/// The code by which İYS refuses a record of these whatever it holds and whenever it comes: one such
/// record in a list has the whole list refused.
pub fn refusal(status: Status, source: &Source, consent_date: ConsentDate) -> Option<Code> {
    check_lasting(status, source, consent_date).err().and_then(|violation| violation.code.parse().ok())
}

/// The rules that tie status, source and date together and do not depend on the moment.
fn check_lasting(status: Status, source: &Source, consent_date: ConsentDate) -> Result<(), Violation> {
    if *source == Source::HsKarar && status != Status::Ret {
        return Err(violation("status", "H408", "status must be RET when source is HS_KARAR"));
    }
    if consent_date < ConsentDate::EARLIEST {
        return Err(violation("consentDate", "H156", "consentDate must not be before 2015-05-01 00:00:00"));
    }
    if *source == Source::Hs2015 && consent_date != ConsentDate::EARLIEST {
        return Err(violation("consentDate", "H155", "consentDate must be 2015-05-01 00:00:00 when source is HS_2015"));
    }
    Ok(())
}

/// Those that depend on today.
fn check_moment(status: Status, consent_date: ConsentDate, today: ConsentDate, teller: Teller) -> Result<(), Violation> {
    if consent_date > today {
        return Err(violation("consentDate", "H162", "consentDate must not lie in the future (Turkish time)"));
    }
    if teller == Teller::Caller && status == Status::Onay && calendar::is_too_late(consent_date.civil(), today.civil()) {
        return Err(violation("consentDate", "H467", "consentDate of an ONAY must not be older than three business days"));
    }
    Ok(())
}

/// The rules about dealers. Their order in the list means nothing, so it comes out sorted.
///
/// İYS has no code for a number of another length; it knows no such dealer.
fn check_retailers(code: Option<RawRetailer>, access: Option<&[RawRetailer]>) -> Result<Retailers, Violation> {
    let code = match code.map(RawRetailer::number) {
        Some(None) => return Err(violation("retailerCode", "H180", "retailerCode must be an İYS number of 8 digits")),
        Some(number) => number,
        None => None,
    };
    let Some(access) = access else { return Ok(Retailers { code, access: Vec::new() }) };
    if access.is_empty() {
        return Err(violation("retailerAccess", "H163", "retailerAccess must not be an empty list: leave it out"));
    }
    if access.len() > RETAILER_ACCESS {
        return Err(violation("retailerAccess", "H126", format!("retailerAccess must have at most {RETAILER_ACCESS} numbers")));
    }
    let wrong = || violation("retailerAccess", "H180", "retailerAccess must hold İYS numbers of 8 digits only");
    let mut access = access.iter().map(|raw| raw.number()).collect::<Option<Vec<u64>>>().ok_or_else(wrong)?;
    access.sort_unstable();
    if access.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(violation("retailerAccess", "H193", "retailerAccess must not name a number twice"));
    }
    Ok(Retailers { code, access })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().expect("an instant")
    }

    fn draft(json: &str) -> Draft {
        serde_json::from_str(json).expect("a draft")
    }

    fn code(json: &str) -> &'static str {
        draft(json).check(&Source::HsWeb, now()).expect_err("a violation").code
    }

    #[test]
    fn a_complete_draft_is_taken_and_normalised() {
        let checked = draft(
            r#"{"recipient":"0532 111 22 33","recipientType":"TACIR","type":"ARAMA","status":"ONAY","source":"HS_CAGRI_MERKEZI","consentDate":"2026-11-20 11:59:00","externalId":"A-1"}"#,
        )
        .check(&Source::HsWeb, now())
        .expect("a good draft");
        assert_eq!(checked.recipient.expose(), "+905321112233");
        assert_eq!(checked.recipient_type, RecipientType::Tacir);
        assert_eq!(checked.consent_date.to_string(), "2026-11-20 11:59:00");
    }

    #[test]
    fn what_is_missing_takes_its_default() {
        let checked =
            draft(r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET"}"#).check(&Source::HsWeb, now()).expect("a good draft");
        assert_eq!(checked.recipient_type, RecipientType::Bireysel);
        assert_eq!(checked.source, Source::HsWeb);
        assert_eq!(checked.consent_date.to_string(), "2026-11-20 12:00:00");
    }

    #[test]
    fn every_broken_rule_has_the_code_of_iys() {
        for (json, expected) in [
            (r#"{"recipient":"a@bc.de","status":"RET"}"#, "H111"),
            (r#"{"recipient":"a@bc.de","type":"FAKS","status":"RET"}"#, "H117"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA"}"#, "H110"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RED"}"#, "H115"),
            (r#"{"type":"EPOSTA","status":"RET"}"#, "H114"),
            (r#"{"recipient":"+905321112233","type":"EPOSTA","status":"RET"}"#, "H120"),
            (r#"{"recipient":"a@bc.de","type":"MESAJ","status":"RET"}"#, "H121"),
            (r#"{"recipient":"+491511234567890","type":"MESAJ","status":"RET"}"#, "H160"),
            (r#"{"recipient":"a@bc.de","recipientType":"KURUMSAL","type":"EPOSTA","status":"RET"}"#, "H116"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","source":"IYS_WEB"}"#, "H119"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","source":"HS_TACIR"}"#, "H119"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"ONAY","source":"HS_KARAR"}"#, "H408"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","consentDate":"20.11.2026"}"#, "H158"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","consentDate":"2026-02-30 10:00:00"}"#, "H157"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","consentDate":"2026-11-20 12:00:01"}"#, "H162"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","consentDate":"2015-04-30 23:59:59"}"#, "H156"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","source":"HS_2015","consentDate":"2015-05-01 00:00:01"}"#, "H155"),
            (r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"ONAY","consentDate":"2026-11-01 10:00:00"}"#, "H467"),
        ] {
            assert_eq!(code(json), expected, "{json}");
        }
    }

    #[test]
    fn dealers_are_eight_digits_each_at_most_three_thousand_and_none_twice() {
        let with = |dealers: &str| format!(r#"{{"recipient":"a@bc.de","type":"EPOSTA","status":"RET",{dealers}}}"#);
        for (dealers, expected) in [
            (r#""retailerCode":123"#, "H180"),
            (r#""retailerCode":"x""#, "H180"),
            (r#""retailerAccess":[]"#, "H163"),
            (r#""retailerAccess":[58954386,"bayi"]"#, "H180"),
            (r#""retailerAccess":[58954386,"58954386"]"#, "H193"),
        ] {
            assert_eq!(code(&with(dealers)), expected, "{dealers}");
        }
        let many = |count: u64| format!(r#""retailerAccess":{:?}"#, (0..count).map(|at| 10_000_000 + at).collect::<Vec<_>>());
        assert_eq!(code(&with(&many(3001))), "H126");
        let check = |dealers: &str| draft(&with(dealers)).check(&Source::HsWeb, now()).expect("a good draft").retailers;
        assert_eq!(check(&many(3000)).access.len(), 3000);
        let both = Retailers { code: Some(58_954_386), access: vec![55_550_127, 58_954_386] };
        assert_eq!(check(r#""retailerCode":"58954386","retailerAccess":[58954386,55550127]"#), both);
        assert!(check(r#""retailerCode":null,"retailerAccess":null"#).is_empty());
    }

    #[test]
    fn a_refusal_is_never_too_late_to_be_taken() {
        let checked = draft(r#"{"recipient":"a@bc.de","type":"EPOSTA","status":"RET","consentDate":"2026-11-01 10:00:00"}"#);
        assert!(checked.check(&Source::HsWeb, now()).is_ok());
    }

    #[test]
    fn a_book_may_hold_old_consents_and_those_of_iys_but_none_without_a_date() {
        let of = |rest: &str| {
            let json = format!(r#"{{"recipient":"a@bc.de","type":"EPOSTA","status":"ONAY"{rest}}}"#);
            draft(&json).check_of(Teller::Book, &Source::HsWeb, now()).map_err(|violation| violation.code)
        };
        assert!(of(r#","consentDate":"2019-11-01 10:00:00""#).is_ok());
        assert!(of(r#","consentDate":"2019-11-01 10:00:00","source":"IYS_WEB""#).is_ok());
        assert_eq!(of(r#","source":"HS_2015""#).expect("a fixed date").consent_date, ConsentDate::EARLIEST);
        assert_eq!(of("").expect_err("no date"), "H112");
        assert_eq!(of(r#","consentDate":"2026-11-20 12:00:01""#).expect_err("the future"), "H162");
        assert_eq!(of(r#","consentDate":"2019-11-01 10:00:00","source":"-""#).expect_err("unstated"), "H119");
        assert_eq!(of(r#","consentDate":"2019-11-01 10:00:00","source":"HS_KARAR""#).expect_err("no refusal"), "H408");
    }

    #[test]
    fn no_violation_shows_the_value_it_is_about() {
        let violation =
            draft(r#"{"recipient":"ayse@example","type":"EPOSTA","status":"RET"}"#).check(&Source::HsWeb, now()).expect_err("bad");
        assert!(!format!("{violation} {violation:?}").contains("ayse"));
    }
}
