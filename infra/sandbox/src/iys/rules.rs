//! İYS's rules for a consent: the stateless ones, checked on the request, and the stateful ones,
//! checked against what stands for the key. No clock, no HTTP, no store: all facts are arguments.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, date};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::address;
use super::calendar;
use super::errors::Problem;
use super::model::{BadDate, Consent, ConsentType, RecipientType, Status, read_date};
use super::switches::{FirstKarar, Switches};

/// The 13 sources that a provider may send (İYS API documentation, “Tanımlar”).
pub(crate) const PROVIDER_SOURCES: [&str; 13] = [
    "HS_2015",
    "HS_KARAR",
    "HS_FIZIKSEL_ORTAM",
    "HS_ISLAK_IMZA",
    "HS_ETKINLIK",
    "HS_ATM",
    "HS_EORTAM",
    "HS_WEB",
    "HS_MOBIL",
    "HS_MESAJ",
    "HS_EPOSTA",
    "HS_CAGRI_MERKEZI",
    "HS_SOSYAL_MEDYA",
];

const FIELDS: [&str; 8] = ["recipient", "type", "status", "recipientType", "source", "consentDate", "retailerCode", "retailerAccess"];

/// Consents in one bulk list.
pub(crate) const BULK_MAXIMUM: usize = 1000;
const RETAILERS_MAXIMUM: usize = 3000;
/// The earliest date, and the only one for `HS_2015`.
const EPOCH: Date = date(2015, 5, 1);
const LATE_AFTER_BUSINESS_DAYS: u32 = 3;

/// How “three business days behind” is counted (U11); always to the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Late if before now minus three business days, walking back from today.
    #[default]
    Backward,
    /// Late if consent date plus three business days is before now.
    Forward,
    /// Late if before now minus 72 hours.
    Hours72,
}

/// The facts that the stateless rules depend on.
pub(crate) struct Moment<'a> {
    /// Turkish time.
    now: DateTime,
    extra_holidays: &'a [Date],
    switches: &'a Switches,
    late: Late,
}

/// When a consent is too old.
#[derive(Clone, Copy)]
enum Late {
    /// Never: the rule does not apply to the brand yet.
    Never,
    /// If dated before this.
    Before(DateTime),
    /// If its own three business days are over.
    AfterItsDays,
}

impl<'a> Moment<'a> {
    /// The facts at `now` (Turkish time) for a brand to which the three-business-day rule applies
    /// from `activation` on.
    pub(crate) fn new(now: DateTime, activation: Option<DateTime>, extra_holidays: &'a [Date], switches: &'a Switches) -> Self {
        let late = if activation.is_some_and(|activation| now < activation) {
            Late::Never
        } else {
            match switches.day_count {
                DayCount::Backward => Late::Before(calendar::back(now, LATE_AFTER_BUSINESS_DAYS, extra_holidays)),
                DayCount::Hours72 => now.checked_sub(jiff::SignedDuration::from_hours(72)).map_or(Late::Never, Late::Before),
                DayCount::Forward => Late::AfterItsDays,
            }
        };
        Self { now, extra_holidays, switches, late }
    }

    fn is_late(&self, at: DateTime) -> bool {
        match self.late {
            Late::Never => false,
            Late::Before(limit) => at < limit,
            Late::AfterItsDays => calendar::ahead(at, LATE_AFTER_BUSINESS_DAYS, self.extra_holidays) < self.now,
        }
    }
}

/// Remarks on a request that go into the counters, whether or not it is refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    pub(crate) violations: Vec<&'static str>,
    pub(crate) warnings: Vec<&'static str>,
}

/// What the stateless rules make of a consent object.
pub(crate) struct Checked {
    /// The consent, if it could be read, whether or not there are problems with it.
    pub(crate) consent: Option<Consent>,
    /// All problems.
    pub(crate) problems: Vec<Problem>,
}

impl Checked {
    /// The consent if there is no problem with it.
    pub(crate) fn result(self) -> Result<Consent, Vec<Problem>> {
        match self.consent {
            Some(consent) if self.problems.is_empty() => Ok(consent),
            _ => Err(self.problems),
        }
    }
}

/// Applies the stateless rules to one consent object.
pub(crate) fn check(item: &Map<String, Value>, moment: &Moment<'_>, remarks: &mut Remarks) -> Checked {
    let mut problems = empty_values(item, remarks);
    for (field, value) in item {
        if !FIELDS.contains(&field.as_str()) {
            problems.push(Problem::at("H118", field, Some(value)));
        }
    }
    let consent_type = word(item, "type", "H111", "H117", ConsentType::parse, &mut problems);
    let status = word(item, "status", "H110", "H115", Status::parse, &mut problems);
    let recipient_type = match item.get("recipientType") {
        None | Some(Value::Null) => Some(RecipientType::default()),
        Some(_) => word(item, "recipientType", "H170", "H116", RecipientType::parse, &mut problems),
    };
    // Whether a merchant's record is the first, which needs neither, is known only to the stateful rules.
    let optional = recipient_type == Some(RecipientType::Tacir);
    let source = source(item, optional, status, &mut problems);
    let consent_date = consent_date(item, optional, source.as_deref(), status, moment, &mut problems);
    let recipient = recipient(item, consent_type, moment.switches, remarks, &mut problems);
    let retailer_code = retailer_code(item, &mut problems);
    let retailer_access = retailer_access(item, &mut problems);
    let consent = match (recipient, consent_type, status, recipient_type) {
        (Some(recipient), Some(consent_type), Some(status), Some(recipient_type)) => {
            Some(Consent { recipient, recipient_type, consent_type, status, source, consent_date, retailer_code, retailer_access })
        }
        _ => None,
    };
    Checked { consent, problems }
}

/// Optional fields are left out, never empty (H267).
fn empty_values(item: &Map<String, Value>, remarks: &mut Remarks) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, value) in item {
        let null = value.is_null();
        if null || value.as_str().is_some_and(str::is_empty) {
            remarks.violations.push(if null { "null_field" } else { "empty_field" });
            problems.push(Problem::at("H267", field, Some(value)));
        }
    }
    problems
}

/// A field whose value is one of a few words.
fn word<T>(
    item: &Map<String, Value>,
    field: &'static str,
    missing: &'static str,
    wrong: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let Some(value) = item.get(field).filter(|value| !value.is_null()) else {
        problems.push(Problem::at(missing, field, None));
        return None;
    };
    let parsed = value.as_str().and_then(parse);
    if parsed.is_none() && value.as_str() != Some("") {
        problems.push(Problem::at(wrong, field, Some(value)));
    }
    parsed
}

fn source(item: &Map<String, Value>, optional: bool, status: Option<Status>, problems: &mut Vec<Problem>) -> Option<Arc<str>> {
    if optional && !item.contains_key("source") {
        return None;
    }
    let known = |text: &str| PROVIDER_SOURCES.contains(&text).then(|| Arc::from(text));
    let source: Option<Arc<str>> = word(item, "source", "H113", "H119", known, problems);
    if source.as_deref() == Some("HS_KARAR") && status == Some(Status::Onay) {
        problems.push(Problem::at("H408", "source", item.get("source")));
    }
    source
}

fn consent_date(
    item: &Map<String, Value>,
    optional: bool,
    source: Option<&str>,
    status: Option<Status>,
    moment: &Moment<'_>,
    problems: &mut Vec<Problem>,
) -> Option<DateTime> {
    let field = "consentDate";
    let Some(value) = item.get(field).filter(|value| !value.is_null()) else {
        if !optional {
            problems.push(Problem::at("H112", field, None));
        }
        return None;
    };
    let mut problem = |code| problems.push(Problem::at(code, field, Some(value)));
    let at = match read_date(value.as_str().unwrap_or_default()) {
        Ok(at) => at,
        Err(BadDate::NotADate) => {
            problem("H157");
            return None;
        }
        Err(BadDate::Format) => {
            problem("H158");
            return None;
        }
    };
    let epoch = EPOCH.to_datetime(jiff::civil::Time::midnight());
    let from_2015 = source == Some("HS_2015");
    if from_2015 && at != epoch {
        problem("H155");
    }
    if at < epoch {
        problem("H156");
    } else if at > moment.now {
        problem("H162");
    } else {
        let exempt =
            (from_2015 && moment.switches.late_exempts_2015) || (status == Some(Status::Ret) && !moment.switches.late_applies_to_ret);
        if !exempt && moment.is_late(at) {
            problem("H467");
        }
    }
    Some(at)
}

fn recipient(
    item: &Map<String, Value>,
    consent_type: Option<ConsentType>,
    switches: &Switches,
    remarks: &mut Remarks,
    problems: &mut Vec<Problem>,
) -> Option<Arc<str>> {
    let field = "recipient";
    let Some(value) = item.get(field).filter(|value| !value.is_null()) else {
        problems.push(Problem::at("H114", field, None));
        return None;
    };
    let text = value.as_str().unwrap_or_default();
    let consent_type = consent_type?;
    match consent_type {
        ConsentType::Eposta if address::is_email(text, switches) => {
            if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                remarks.warnings.push("email_not_lower_case");
            }
            return Some(Arc::from(text.to_ascii_lowercase()));
        }
        ConsentType::Eposta => problems.push(Problem::at("H120", field, Some(value))),
        ConsentType::Arama | ConsentType::Mesaj => {
            let found = address::phone_problems(text, consent_type, switches);
            if found.is_empty() {
                if address::has_extra_zero(text) {
                    remarks.warnings.push("phone_with_extra_zero");
                }
                return Some(Arc::from(text));
            }
            problems.extend(found.into_iter().map(|code| Problem::at(code, field, Some(value))));
        }
    }
    None
}

fn retailer_code(item: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<u64> {
    let value = item.get("retailerCode").filter(|value| !value.is_null() && value.as_str() != Some(""))?;
    let code = number(value);
    if code.is_none() {
        problems.push(Problem::at("H180", "retailerCode", Some(value)));
    }
    code
}

fn retailer_access(item: &Map<String, Value>, problems: &mut Vec<Problem>) -> Vec<u64> {
    let field = "retailerAccess";
    let Some(value) = item.get(field).filter(|value| !value.is_null() && value.as_str() != Some("")) else {
        return Vec::new();
    };
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        problems.push(Problem::at("H163", field, Some(value)));
    } else if list.len() > RETAILERS_MAXIMUM {
        problems.push(Problem::at("H126", field, None));
    }
    let mut codes = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        match number(entry) {
            Some(code) => codes.push(code),
            None => problems.push(Problem { location: vec![json!(field), json!(at)], value: Some(entry.clone()), ..Problem::new("H180") }),
        }
    }
    codes
}

/// A number, which may come as a text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// Retailers that the brand does not have (H180).
pub(crate) fn unknown_retailers(collector: Option<u64>, access: &[u64], known: impl Fn(u64) -> bool) -> Vec<Problem> {
    let code = collector.filter(|code| !known(*code)).map(|code| Problem::at("H180", "retailerCode", Some(&json!(code))));
    let access = access.iter().enumerate().filter(|(_, code)| !known(**code)).map(|(at, code)| Problem {
        location: vec![json!("retailerAccess"), json!(at)],
        value: Some(json!(code)),
        ..Problem::new("H180")
    });
    code.into_iter().chain(access).collect()
}

/// Items whose (recipient type, channel, recipient) stands in the list before them (H194).
pub(crate) fn duplicates<'a>(consents: impl Iterator<Item = (usize, &'a Consent)>) -> Vec<usize> {
    let mut seen = HashSet::new();
    consents
        .filter(|(_, consent)| !seen.insert((consent.recipient_type, consent.consent_type, Arc::clone(&consent.recipient))))
        .map(|(index, _)| index)
        .collect()
}

/// What stands at İYS for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    pub(crate) consent_date: Option<DateTime>,
}

/// Applies the stateful rules; an empty answer means that the consent is stored.
pub(crate) fn against(consent: &Consent, standing: Option<Standing>, switches: &Switches) -> Vec<&'static str> {
    let Some(standing) = standing else {
        return match consent.status {
            Status::Onay => Vec::new(),
            Status::Ret if switches.first_tacir_ret && consent.recipient_type == RecipientType::Tacir => Vec::new(),
            Status::Ret => {
                let karar = consent.source.as_deref() == Some("HS_KARAR");
                vec![if karar && switches.first_karar == FirstKarar::H486 { "H486" } else { "H175" }]
            }
        };
    };
    // Missing values pass the stateless rules for merchants only.
    let mut missing = Vec::new();
    if consent.consent_date.is_none() {
        missing.push("H462");
    }
    if consent.source.is_none() {
        missing.push("H463");
    }
    if !missing.is_empty() {
        return missing;
    }
    let unchanged = consent.status == standing.status;
    if unchanged && (consent.status == Status::Ret || !switches.onay_on_onay) {
        return vec!["H174"];
    }
    if standing.consent_date.is_some_and(|stored| consent.consent_date.is_none_or(|date| date <= stored)) {
        return vec!["H178"];
    }
    Vec::new()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::civil::datetime;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Monday noon.
    const NOW: DateTime = datetime(2026, 11, 23, 12, 0, 0, 0);

    fn item() -> Map<String, Value> {
        json!({
            "type": "MESAJ", "recipientType": "BIREYSEL", "recipient": "+905992000001", "status": "ONAY",
            "source": "HS_WEB", "consentDate": "2026-11-23 11:00:00",
        })
        .as_object()
        .unwrap()
        .clone()
    }

    fn with(changes: Value) -> Map<String, Value> {
        let mut item = item();
        for (field, value) in changes.as_object().unwrap() {
            item.insert(field.clone(), value.clone());
        }
        item
    }

    fn without(field: &str) -> Map<String, Value> {
        let mut item = item();
        item.remove(field);
        item
    }

    fn codes_at(item: &Map<String, Value>, switches: &Switches, activation: Option<DateTime>) -> Vec<&'static str> {
        let moment = Moment::new(NOW, activation, &[], switches);
        match check(item, &moment, &mut Remarks::default()).result() {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.code).collect(),
        }
    }

    fn codes(item: &Map<String, Value>) -> Vec<&'static str> {
        codes_at(item, &Switches::default(), None)
    }

    fn consent(changes: Value) -> Consent {
        let switches = Switches::default();
        let moment = Moment::new(NOW, None, &[], &switches);
        check(&with(changes), &moment, &mut Remarks::default()).result().ok().unwrap()
    }

    #[test]
    fn a_complete_consent_passes() {
        assert!(codes(&item()).is_empty());
    }

    #[test]
    fn each_missing_field_has_its_own_code() {
        for (field, code) in [("type", "H111"), ("status", "H110"), ("recipient", "H114"), ("source", "H113"), ("consentDate", "H112")] {
            assert_eq!(codes(&without(field)), [code], "{field}");
        }
        assert!(codes(&without("recipientType")).is_empty(), "BIREYSEL is the default");
    }

    #[test]
    fn each_invalid_word_has_its_own_code() {
        assert_eq!(codes(&with(json!({"type": "SMS"}))), ["H117"]);
        assert_eq!(codes(&with(json!({"status": "RED"}))), ["H115"]);
        assert_eq!(codes(&with(json!({"recipientType": "KURUMSAL"}))), ["H116"]);
        assert_eq!(codes(&with(json!({"source": "IYS_WEB"}))), ["H119"]);
        assert_eq!(codes(&with(json!({"source": "HS_TACIR"}))), ["H119"]);
        assert_eq!(codes(&with(json!({"note": "x"}))), ["H118"]);
    }

    #[test]
    fn a_merchant_may_come_without_source_and_date() {
        let mut item = with(json!({"recipientType": "TACIR"}));
        item.remove("source");
        item.remove("consentDate");
        assert!(codes(&item).is_empty());
    }

    #[test]
    fn empty_and_null_values_are_refused_and_remarked() {
        let switches = Switches::default();
        let moment = Moment::new(NOW, None, &[], &switches);
        let mut remarks = Remarks::default();
        let checked = check(&with(json!({"retailerCode": "", "retailerAccess": null})), &moment, &mut remarks);
        let codes: Vec<_> = checked.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["H267", "H267"]);
        assert_eq!(remarks.violations, ["null_field", "empty_field"]);
    }

    #[test]
    fn dates_are_checked_for_shape_existence_future_and_age() {
        let date = |text: &str| codes(&with(json!({"consentDate": text})));
        assert_eq!(date("2026-11-23T11:00:00"), ["H158"]);
        assert_eq!(date("2026-11-31 11:00:00"), ["H157"]);
        assert_eq!(date("2026-11-23 12:00:01"), ["H162"]);
        assert!(date("2026-11-23 12:00:00").is_empty(), "now is not the future");
        assert_eq!(date("2015-04-30 23:59:59"), ["H156"]);
    }

    #[test]
    fn a_consent_is_late_one_second_beyond_three_business_days() {
        let date = |text: &str| codes(&with(json!({"consentDate": text})));
        assert!(date("2026-11-18 12:00:00").is_empty());
        assert_eq!(date("2026-11-18 11:59:59"), ["H467"]);
    }

    #[test]
    fn lateness_can_be_counted_otherwise_and_begins_with_activation() {
        let old = with(json!({"consentDate": "2026-11-18 11:59:59"}));
        let recent = with(json!({"consentDate": "2026-11-20 11:59:59"}));
        let counted = |day_count| Switches { day_count, ..Switches::default() };
        assert_eq!(codes_at(&old, &counted(DayCount::Forward), None), ["H467"]);
        assert!(codes_at(&recent, &counted(DayCount::Forward), None).is_empty());
        assert_eq!(codes_at(&recent, &counted(DayCount::Hours72), None), ["H467"]);
        assert!(codes_at(&old, &Switches::default(), Some(datetime(2026, 12, 1, 0, 0, 0, 0))).is_empty());
    }

    #[test]
    fn refusals_are_late_too_unless_switched_off() {
        let old = with(json!({"consentDate": "2026-11-01 00:00:00", "status": "RET"}));
        assert_eq!(codes(&old), ["H467"]);
        assert!(codes_at(&old, &Switches { late_applies_to_ret: false, ..Switches::default() }, None).is_empty());
    }

    #[test]
    fn hs_2015_belongs_to_one_date_only() {
        assert_eq!(codes(&with(json!({"source": "HS_2015", "consentDate": "2015-04-01 00:00:00"}))), ["H155", "H156"]);
        assert_eq!(codes(&with(json!({"source": "HS_2015"}))), ["H155"]);
        let exact = with(json!({"source": "HS_2015", "consentDate": "2015-05-01 00:00:00"}));
        assert_eq!(codes(&exact), ["H467"]);
        assert!(codes_at(&exact, &Switches { late_exempts_2015: true, ..Switches::default() }, None).is_empty());
    }

    #[test]
    fn hs_karar_is_for_refusals() {
        assert_eq!(codes(&with(json!({"source": "HS_KARAR"}))), ["H408"]);
        assert!(codes(&with(json!({"source": "HS_KARAR", "status": "RET"}))).is_empty());
    }

    #[test]
    fn the_address_must_fit_the_channel() {
        assert_eq!(codes(&with(json!({"type": "EPOSTA"}))), ["H120"]);
        assert_eq!(codes(&with(json!({"recipient": "a@example.com"}))), ["H121"]);
        assert_eq!(codes(&with(json!({"recipient": "+9059920000011234"}))), ["H121", "H160"]);
    }

    #[test]
    fn e_mail_addresses_are_stored_in_lower_case() {
        let consent = consent(json!({"type": "EPOSTA", "recipient": "A.Yilmaz@Example.com"}));
        assert_eq!(&*consent.recipient, "a.yilmaz@example.com");
    }

    #[test]
    fn retailer_lists_are_neither_empty_nor_endless() {
        assert_eq!(codes(&with(json!({"retailerAccess": []}))), ["H163"]);
        assert_eq!(codes(&with(json!({"retailerAccess": vec![1; 3001]}))), ["H126"]);
    }

    #[test]
    fn the_same_address_twice_in_a_list_is_found_whatever_the_status() {
        let list = [consent(json!({})), consent(json!({"status": "RET"})), consent(json!({"type": "ARAMA"}))];
        assert_eq!(duplicates(list.iter().enumerate()), [1]);
    }

    #[test]
    fn the_first_record_cannot_be_a_refusal() {
        let switches = Switches::default();
        assert!(against(&consent(json!({})), None, &switches).is_empty());
        assert_eq!(against(&consent(json!({"status": "RET"})), None, &switches), ["H175"]);
        let karar = consent(json!({"status": "RET", "source": "HS_KARAR"}));
        assert_eq!(against(&karar, None, &switches), ["H175"]);
        let merchant = consent(json!({"status": "RET", "recipientType": "TACIR"}));
        assert_eq!(against(&merchant, None, &switches), ["H175"]);
        assert!(against(&merchant, None, &Switches { first_tacir_ret: true, ..switches }).is_empty());
        let other = Switches { first_karar: FirstKarar::H486, ..switches };
        assert_eq!(against(&karar, None, &other), ["H486"]);
    }

    #[test]
    fn a_change_needs_a_later_date() {
        let switches = Switches::default();
        let standing = |status, at| Some(Standing { status, consent_date: Some(at) });
        let ret = consent(json!({"status": "RET"}));
        let onay = consent(json!({}));
        let earlier = datetime(2026, 11, 23, 10, 0, 0, 0);
        let same = datetime(2026, 11, 23, 11, 0, 0, 0);
        let later = datetime(2026, 11, 23, 11, 0, 1, 0);
        assert!(against(&ret, standing(Status::Onay, earlier), &switches).is_empty());
        assert_eq!(against(&ret, standing(Status::Onay, same), &switches), ["H178"]);
        assert_eq!(against(&ret, standing(Status::Onay, later), &switches), ["H178"]);
        assert!(against(&onay, standing(Status::Ret, earlier), &switches).is_empty());
        assert_eq!(against(&ret, standing(Status::Ret, earlier), &switches), ["H174"]);
        assert!(against(&onay, standing(Status::Onay, earlier), &switches).is_empty());
        assert_eq!(against(&onay, standing(Status::Onay, same), &switches), ["H178"]);
        let strict = Switches { onay_on_onay: false, ..switches };
        assert_eq!(against(&onay, standing(Status::Onay, earlier), &strict), ["H174"]);
    }

    #[test]
    fn a_merchants_update_needs_source_and_date() {
        let switches = Switches::default();
        let standing = Some(Standing { status: Status::Onay, consent_date: None });
        let mut update = consent(json!({"recipientType": "TACIR", "status": "RET"}));
        assert!(against(&update, standing, &switches).is_empty(), "a record without a date is older than any date");
        update.source = None;
        assert_eq!(against(&update, standing, &switches), ["H463"]);
        update.consent_date = None;
        assert_eq!(against(&update, standing, &switches), ["H462", "H463"]);
    }

    /// Values that fit a field, nearly fit it, or do not fit at all.
    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(json!("")),
            Just(json!(["ONAY", 1])),
            any::<i64>().prop_map(|number| json!(number)),
            select(vec![
                "MESAJ",
                "EPOSTA",
                "ONAY",
                "RET",
                "TACIR",
                "HS_WEB",
                "HS_2015",
                "+905992000001",
                "+9005992000001",
                "A@example.com",
                "2026-11-23 11:00:00",
                "2015-05-01 00:00:00",
                "9999-12-31 23:59:59",
                "0000-01-01 00:00:00",
            ])
            .prop_map(|text| json!(text)),
            any::<String>().prop_map(|text| json!(text)),
        ]
    }

    proptest! {
        #[test]
        fn any_object_is_either_taken_or_refused_with_known_codes(
            fields in prop::collection::vec((select(FIELDS.to_vec()), any_value()), 0..10),
        ) {
            let mut item = item();
            item.extend(fields.into_iter().map(|(field, value)| (field.to_owned(), value)));
            let switches = Switches::default();
            let moment = Moment::new(NOW, None, &[], &switches);
            match check(&item, &moment, &mut Remarks::default()).result() {
                Ok(consent) => prop_assert!(!consent.recipient.bytes().any(|byte| byte.is_ascii_uppercase())),
                Err(problems) => {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        prop_assert!(crate::iys::errors::lookup(problem.code).0 < 500, "{}", problem.code);
                    }
                }
            }
        }
    }
}
