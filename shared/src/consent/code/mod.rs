//! İYS's answer codes: what each one means for the work that met it, and how to say it to people.
//!
//! This is the only place that knows codes; they stand in `table.rs`. They are those of İYS's error
//! table for the calls that this project makes or a brand's person may meet beside them: token, add, bulk
//! add and its results, status, history, pull, push registration, reconciliation, brands, retailers,
//! retailers' access, subscription, business partner and lists of places (İYS documentation, "Hata
//! Kodları", <https://apidocs.iys.org.tr/>). The codes of ViA and of consent taken over İYS are left out:
//! nothing here calls those methods.
//!
//! İYS's own message texts are never compared with and never shown; the texts here are our own.

/// Builds a table of [`Entry`]: code, HTTP status, meaning, the calls that can meet it, cause in English and in
/// Turkish, remedy.
macro_rules! table {
    ($($code:literal $http:literal $disposition:expr, $met_by:expr, $cause_en:literal, $cause_tr:literal, $remedy:expr;)+) => {
        &[$(Entry {
            code: $code,
            http: $http,
            disposition: $disposition,
            met_by: $met_by,
            cause_en: $cause_en,
            remedy_en: $remedy.0,
            cause_tr: $cause_tr,
            remedy_tr: $remedy.1,
        },)+]
    };
}

mod hold;
mod integrators;
mod table;

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use hold::Hold;
use table::TABLE;

/// What an answer of İYS means for the work that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The registry already stands as asked (`H174`).
    AlreadyThere,
    /// İYS never held an ONAY for the key, so the RET is not needed there (`H175`).
    NotRegistered,
    /// İYS holds a newer movement: fetch it and adopt it (`H178`).
    Superseded,
    /// Older than three business days (`H467`).
    TooLate,
    /// A passing fault or a limit: the same again, later.
    Retry(RetryAfter),
    /// The access token is refused: renew it once and send the same again once (`H351`, any 401).
    Unauthorised,
    /// No token request for an hour; asking earlier starts the hour anew (`H084`).
    TokenStop,
    /// The brand's work waits until a person changes what is named.
    Held(Hold),
    /// The data is wrong: final until the data changes.
    Rejected,
    /// The request as a whole is not one that İYS can read: our own defect. Nothing in it is judged.
    Defect,
}

impl Disposition {
    /// Whether it says anything of the record that met it, and not only of the request that carried it.
    #[must_use]
    pub const fn judges_a_record(self) -> bool {
        !matches!(self, Disposition::Unauthorised | Disposition::TokenStop | Disposition::Defect)
    }
}

/// When to send the same request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// After the sender's usual growing pause: the fault is İYS's.
    Soon,
    /// In the next second: the limit of requests a second is used up.
    Second,
    /// In an hour: this method's hourly limit is used up. Other methods are not affected.
    Hour,
}

/// A text in the two languages that answers are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// In English.
    pub en: &'static str,
    /// In Turkish.
    pub tr: &'static str,
}

/// Calls of İYS that are refused alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallGroup {
    /// Signing in and renewing the session.
    Token,
    /// Adding one consent.
    Add,
    /// Handing in a list of consents: the answer at the door.
    BulkList,
    /// Asking for the results of a list.
    BulkStatus,
    /// One consent's row in the results of a list: no call, but judged like one.
    BulkRow,
    /// What İYS holds for one address.
    Status,
    /// Which of many addresses hold an ONAY.
    MultiStatus,
    /// The movements of one address.
    History,
    /// The feeds of movements.
    Pull,
    /// Push connections: registering, listing, removing.
    Push,
    /// The service provider's brands and subscription.
    Account,
    /// A business partner's views: the brands that it serves, and its subscription.
    Partner,
    /// A brand's retailers.
    Retailers,
    /// Which retailers may use a consent.
    RetailerAccess,
    /// Reconciliation: a day's summary, file and confirmation.
    Agreements,
    /// Lists of provinces and districts.
    Info,
}

impl CallGroup {
    /// Every group.
    pub const ALL: [CallGroup; 16] = [
        CallGroup::Token,
        CallGroup::Add,
        CallGroup::BulkList,
        CallGroup::BulkStatus,
        CallGroup::BulkRow,
        CallGroup::Status,
        CallGroup::MultiStatus,
        CallGroup::History,
        CallGroup::Pull,
        CallGroup::Push,
        CallGroup::Account,
        CallGroup::Partner,
        CallGroup::Retailers,
        CallGroup::RetailerAccess,
        CallGroup::Agreements,
        CallGroup::Info,
    ];

    /// Every call.
    pub const ANY: &'static [CallGroup] = &[
        CallGroup::Token,
        CallGroup::Add,
        CallGroup::BulkList,
        CallGroup::BulkStatus,
        CallGroup::Status,
        CallGroup::MultiStatus,
        CallGroup::History,
        CallGroup::Pull,
        CallGroup::Push,
        CallGroup::Account,
        CallGroup::Partner,
        CallGroup::Retailers,
        CallGroup::RetailerAccess,
        CallGroup::Agreements,
        CallGroup::Info,
    ];

    /// Every call that carries an access token.
    pub const SIGNED_IN: &'static [CallGroup] = Self::ANY.split_at(1).1;

    /// Every call about a service provider or one of its brands.
    pub const OF_A_BRAND: &'static [CallGroup] = &[
        CallGroup::Add,
        CallGroup::BulkList,
        CallGroup::BulkStatus,
        CallGroup::Status,
        CallGroup::MultiStatus,
        CallGroup::History,
        CallGroup::Pull,
        CallGroup::Push,
        CallGroup::Account,
        CallGroup::Retailers,
        CallGroup::RetailerAccess,
        CallGroup::Agreements,
    ];
}

/// One code and everything that is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code as İYS writes it, such as `H174`.
    pub code: &'static str,
    /// The HTTP status that İYS's table gives it. Answers may carry another one.
    pub http: u16,
    /// What it means for the work that met it.
    pub disposition: Disposition,
    /// The calls that can meet it; none for a code that people meet only in İYS's own tools.
    pub met_by: &'static [CallGroup],
    /// What happened, in English.
    pub cause_en: &'static str,
    /// What to do about it, in English.
    pub remedy_en: &'static str,
    /// What happened, in Turkish.
    pub cause_tr: &'static str,
    /// What to do about it, in Turkish.
    pub remedy_tr: &'static str,
}

/// A code of İYS (`H` and three or four digits), or one of those of the integrators' table.
///
/// Reading is tolerant of surrounding white space and of a small `h`; writing is always canonical.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct Code(Name);

/// Whose code it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    /// İYS's, by its number.
    Iys(u16),
    /// An integrator's, or our own about what a registry lacks: it stands in the table.
    Other(&'static str),
}

/// The text is not a code. It is not repeated here, because it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code: expected H and three or four digits, or a code of an integrator")]
pub struct NotACode;

/// Netgsm's word for a value that it does not take.
pub const NETGSM_BAD_VALUE: Code = Code(Name::Other("NETGSM-70"));
/// What Netgsm says İYS refused without a code.
pub const NETGSM_FAILED: Code = Code(Name::Other("NETGSM-FAILED"));

/// What Verimor says İYS refused without a code.
pub const VERIMOR_FAILED: Code = Code(Name::Other("VERIMOR-FAILED"));
/// What Mysoft says İYS refused without a code.
pub const MYSOFT_FAILED: Code = Code(Name::Other("MYSOFT-FAILED"));
/// Mysoft's word for a form that it does not take.
pub const MYSOFT_BAD_FORM: Code = Code(Name::Other("MYSOFT-HM422"));

impl Code {
    /// Older than three business days.
    pub const TOO_LATE: Code = Code(Name::Iys(467));
    /// No token request for an hour.
    pub const TOKENS_STOPPED: Code = Code(Name::Iys(84));
    /// The API user may not use this method at all.
    pub const NOT_ENTITLED: Code = Code(Name::Iys(363));
    /// There is no subscription.
    pub const NO_SUBSCRIPTION: Code = Code(Name::Iys(437));
    /// There is no such retailer.
    pub const NO_RETAILER: Code = Code(Name::Iys(58));
    /// The subscription is paused or at its end.
    pub const PAUSED: Code = Code(Name::Iys(520));
    /// The subscription is closed.
    pub const CLOSED: Code = Code(Name::Iys(521));
    /// A value comes twice in a list.
    pub const TWICE: Code = Code(Name::Iys(193));
    /// The package's number of addresses is used up.
    pub const QUOTA_USED_UP: Code = Code(Name::Iys(525));

    /// The first record of an address is a refusal.
    pub const NOTHING_TO_LIFT: Code = Code(Name::Iys(175));
    /// The registry holds something newer.
    pub const NEWER_THERE: Code = Code(Name::Iys(178));
    /// The source is none that a brand may send.
    pub const SOURCE: Code = Code(Name::Iys(119));
    /// A consent of a book that only the registry could confirm, and it tells nothing.
    pub const CANNOT_ASK: Code = Code(Name::Other("REGISTRY-CANNOT-ASK"));
    /// The registry carries no such channel.
    pub const NO_CHANNEL: Code = Code(Name::Other("REGISTRY-NO-CHANNEL"));
    /// The registry cannot be told of dealers.
    pub const NO_DEALERS: Code = Code(Name::Other("REGISTRY-NO-DEALERS"));
    /// The registry takes no numbers of other countries.
    pub const NO_FOREIGN_NUMBERS: Code = Code(Name::Other("REGISTRY-NO-FOREIGN-NUMBERS"));
    /// A consent that the registry only told of, and does not hold.
    pub const UNCONFIRMED: Code = Code(Name::Other("REGISTRY-UNCONFIRMED"));

    /// Whether a refusal for want of authority may be about the call's channel alone: İYS names no code
    /// for that, and these two are what its samples and its table show (İYS documentation, "Hata
    /// Kodları").
    #[must_use]
    pub const fn may_be_about_one_channel(self) -> bool {
        matches!(self.0, Name::Iys(353 | 355))
    }

    /// What is known about the code, if it is in the table.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        entry(&self.to_string())
    }
}

impl Entry {
    /// What happened.
    #[must_use]
    pub const fn cause(&self) -> Words {
        Words { en: self.cause_en, tr: self.cause_tr }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> Words {
        Words { en: self.remedy_en, tr: self.remedy_tr }
    }
}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(entry) = integrators::entry(text.trim()) {
            return Ok(Self(Name::Other(entry.code)));
        }
        let digits = text.trim().strip_prefix(['H', 'h']).ok_or(NotACode)?;
        // Four digits that begin with zero would be written with three, so they are no code.
        let canonical = match digits.len() {
            3 => true,
            4 => !digits.starts_with('0'),
            _ => false,
        };
        if !canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotACode);
        }
        digits.parse().map(|number| Self(Name::Iys(number))).map_err(|_| NotACode)
    }
}

impl TryFrom<Cow<'_, str>> for Code {
    type Error = NotACode;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.to_string()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Name::Iys(number) => write!(f, "H{number:03}"),
            Name::Other(code) => f.write_str(code),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Every known code of İYS, in the order of the codes.
#[must_use]
pub const fn entries() -> &'static [Entry] {
    TABLE
}

/// Every known code of the integrators, and our own about what a registry lacks, in the order of the codes.
#[must_use]
pub const fn integrators_entries() -> &'static [Entry] {
    integrators::TABLE
}

/// What is known about `code`, read as tolerantly as [`Code`] is.
#[must_use]
pub fn entry(code: &str) -> Option<&'static Entry> {
    let code = code.parse::<Code>().ok()?;
    let Name::Iys(_) = code.0 else { return integrators::entry(&code.to_string()) };
    let code = code.to_string();
    let found = TABLE.binary_search_by(|entry| entry.code.cmp(code.as_str())).ok()?;
    TABLE.get(found)
}

/// What an answer means: by its code where the table has it, otherwise by its HTTP status.
///
/// `code` is the one of the error, of one record in it, or of one row of a bulk result; for a row
/// `http` is the 200 that carried it. An answer that should name a code and does not has judged
/// nothing, so no record is rejected for it.
#[must_use]
pub fn disposition(code: Option<&str>, http: u16) -> Disposition {
    if let Some(entry) = code.and_then(entry) {
        return entry.disposition;
    }
    match http {
        401 => Disposition::Unauthorised,
        403 => Disposition::Held(Hold::Authority),
        404 => Disposition::Held(Hold::Configuration),
        408 | 425 => Disposition::Retry(RetryAfter::Soon),
        429 => Disposition::Retry(RetryAfter::Second),
        200..=299 | 400 | 409 | 422 if code.is_some() => Disposition::Rejected,
        200..=499 => Disposition::Defect,
        _ => Disposition::Retry(RetryAfter::Soon),
    }
}

/// What a refusal of the token endpoint means, by its code and HTTP status.
///
/// The endpoint has a shape of its own for refusals: status 400 and OAuth's `error` in place of a
/// code (İYS documentation, `createToken2`). There is no token to renew yet, so a 400 or 401 without
/// a known code is about the user name and the password, and asking again only uses up the hour's
/// requests. A refused refresh token is answered alike: the caller tries the password once before it
/// believes this.
#[must_use]
pub fn token_disposition(code: Option<&str>, http: u16) -> Disposition {
    match (code.and_then(entry), http) {
        (Some(entry), _) if entry.disposition != Disposition::Unauthorised => entry.disposition,
        (Some(_), _) | (None, 400 | 401) => Disposition::Held(Hold::Credentials),
        _ => disposition(code, http),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, at the line that failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(code: &str) -> Disposition {
        entry(code).unwrap().disposition
    }

    #[test]
    fn the_table_is_in_order_and_names_no_code_twice() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
    }

    #[test]
    fn every_code_of_the_table_is_canonical_and_finds_its_own_entry() {
        for row in TABLE {
            let code: Code = row.code.parse().unwrap();
            assert_eq!(code.to_string(), row.code);
            assert_eq!(code.entry(), Some(row));
        }
    }

    #[test]
    fn every_code_names_the_calls_that_meet_it_once_each_and_every_call_meets_some() {
        for row in TABLE {
            assert!(row.met_by.is_sorted() && row.met_by.windows(2).all(|pair| pair[0] != pair[1]), "{}: {:?}", row.code, row.met_by);
        }
        for group in CallGroup::ALL {
            assert!(TABLE.iter().any(|row| row.met_by.contains(&group)), "{group:?}");
        }
        let nowhere: Vec<_> = TABLE.iter().filter(|row| row.met_by.is_empty()).map(|row| row.code).collect();
        assert_eq!(nowhere, ["H095", "H197", "H404"], "nothing here asks for a transaction or searches by text");
    }

    #[test]
    fn what_tells_of_a_records_state_at_iys_is_met_by_records_only() {
        use CallGroup::{Add, BulkList, BulkRow};
        let finals = [Disposition::AlreadyThere, Disposition::NotRegistered, Disposition::Superseded, Disposition::TooLate];
        for row in TABLE.iter().filter(|row| finals.contains(&row.disposition)) {
            assert!(row.met_by.iter().all(|group| [Add, BulkList, BulkRow].contains(group)), "{}", row.code);
        }
    }

    #[test]
    fn every_text_is_a_short_sentence_in_its_own_language() {
        for row in TABLE {
            for text in [row.cause_en, row.remedy_en, row.cause_tr, row.remedy_tr] {
                let length = text.chars().count();
                assert!((10..=160).contains(&length), "{} {length}: {text}", row.code);
                assert!(text.ends_with('.'), "{}: {text}", row.code);
                assert_eq!(text.trim(), text, "{}", row.code);
            }
            assert_ne!(row.cause_en, row.cause_tr, "{}", row.code);
            assert_ne!(row.remedy_en, row.remedy_tr, "{}", row.code);
        }
    }

    #[test]
    fn the_codes_that_iys_once_asked_to_send_again_are_sent_again() {
        for code in ["H015", "H101", "H102", "H103", "H123", "H124", "H179", "H192", "H412", "H470", "H476", "H083", "H100"] {
            assert!(matches!(of(code), Disposition::Retry(_)), "{code}");
        }
    }

    #[test]
    fn a_limit_is_waited_out_for_as_long_as_it_lasts() {
        assert_eq!(of("H083"), Disposition::Retry(RetryAfter::Second));
        assert_eq!(of("H124"), Disposition::Retry(RetryAfter::Second));
        assert_eq!(of("H086"), Disposition::Retry(RetryAfter::Hour));
        assert_eq!(of("H089"), Disposition::Retry(RetryAfter::Hour));
        assert_eq!(of("H084"), Disposition::TokenStop);
        for row in TABLE.iter().filter(|row| row.http == 429) {
            assert!(
                matches!(row.disposition, Disposition::TokenStop | Disposition::Retry(RetryAfter::Second | RetryAfter::Hour)),
                "{}",
                row.code
            );
        }
    }

    #[test]
    fn the_answers_about_what_iys_already_holds_settle_the_work() {
        assert_eq!(of("H174"), Disposition::AlreadyThere);
        assert_eq!(of("H175"), Disposition::NotRegistered);
        assert_eq!(of("H178"), Disposition::Superseded);
        assert_eq!(of("H467"), Disposition::TooLate);
        assert_eq!(of("H462"), Disposition::Rejected);
        assert_eq!(of("H463"), Disposition::Rejected);
        assert_eq!(of("H525"), Disposition::Held(Hold::Quota));
    }

    #[test]
    fn a_fault_inside_iys_is_never_held_against_a_record() {
        for row in TABLE.iter().filter(|row| row.http >= 500) {
            assert_eq!(row.disposition, Disposition::Retry(RetryAfter::Soon), "{}", row.code);
        }
    }

    #[test]
    fn a_refusal_of_authority_or_subscription_holds_the_brand_and_rejects_no_record() {
        for row in TABLE.iter().filter(|row| row.http == 403 && row.code != "H180") {
            assert!(matches!(row.disposition, Disposition::Held(Hold::Authority | Hold::Subscription)), "{}", row.code);
        }
        // The one code with this status that is about a record: the retailer that it names.
        assert_eq!(of("H180"), Disposition::Rejected);
        assert_eq!(of("H355"), Disposition::Held(Hold::Authority));
    }

    #[test]
    fn a_request_that_iys_cannot_read_judges_none_of_its_records() {
        for code in ["H014", "H085", "H091", "H092", "H118", "H125", "H266", "H267"] {
            assert_eq!(of(code), Disposition::Defect, "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_data_rejects_the_record() {
        for code in [
            "H110", "H111", "H112", "H113", "H114", "H115", "H116", "H117", "H119", "H120", "H121", "H155", "H156", "H157", "H158", "H160",
            "H408", "H464", "H486", "H126", "H163", "H180", "H193",
        ] {
            assert_eq!(of(code), Disposition::Rejected, "{code}");
        }
    }

    #[test]
    fn the_code_counts_more_than_the_status_it_came_with() {
        assert_eq!(disposition(Some("H467"), 400), Disposition::TooLate);
        assert_eq!(disposition(Some("H174"), 200), Disposition::AlreadyThere);
        assert_eq!(disposition(Some(" h245 "), 500), Disposition::Held(Hold::Authority));
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_status() {
        for (http, expected) in [
            (200, Disposition::Rejected),
            (400, Disposition::Rejected),
            (401, Disposition::Unauthorised),
            (403, Disposition::Held(Hold::Authority)),
            (404, Disposition::Held(Hold::Configuration)),
            (405, Disposition::Defect),
            (408, Disposition::Retry(RetryAfter::Soon)),
            (413, Disposition::Defect),
            (422, Disposition::Rejected),
            (429, Disposition::Retry(RetryAfter::Second)),
            (500, Disposition::Retry(RetryAfter::Soon)),
            (503, Disposition::Retry(RetryAfter::Soon)),
        ] {
            assert_eq!(disposition(Some("H9999"), http), expected, "{http}");
            assert_eq!(disposition(Some("whatever"), http), expected, "{http}");
        }
    }

    #[test]
    fn an_answer_without_a_code_rejects_no_record() {
        for http in 0..1000 {
            assert_ne!(disposition(None, http), Disposition::Rejected, "{http}");
        }
        assert_eq!(disposition(None, 400), Disposition::Defect);
        assert_eq!(disposition(None, 401), Disposition::Unauthorised);
        assert_eq!(disposition(None, 502), Disposition::Retry(RetryAfter::Soon));
    }

    #[test]
    fn a_refused_sign_in_holds_the_brand_instead_of_asking_again() {
        let credentials = Disposition::Held(Hold::Credentials);
        assert_eq!(token_disposition(None, 400), credentials);
        assert_eq!(token_disposition(None, 401), credentials);
        assert_eq!(token_disposition(Some("H250"), 400), credentials);
        assert_eq!(token_disposition(Some("H251"), 401), credentials);
        assert_eq!(token_disposition(Some("H251"), 403), credentials);
        // The same code for a call with a token: the token first.
        assert_eq!(disposition(Some("H251"), 401), Disposition::Unauthorised);
        assert_eq!(token_disposition(Some("H351"), 401), credentials);
        assert_eq!(token_disposition(Some("H084"), 429), Disposition::TokenStop);
        assert_eq!(token_disposition(Some("H123"), 400), Disposition::Retry(RetryAfter::Soon));
        assert_eq!(token_disposition(Some("H015"), 500), Disposition::Retry(RetryAfter::Soon));
        assert_eq!(token_disposition(None, 500), Disposition::Retry(RetryAfter::Soon));
    }

    #[test]
    fn a_code_is_read_tolerantly_and_written_canonically() {
        for (text, expected) in [("H174", "H174"), (" h001\n", "H001"), ("H1104", "H1104"), ("h999", "H999")] {
            let code: Code = text.parse().unwrap();
            assert_eq!(code.to_string(), expected);
            assert_eq!(format!("{code:?}"), expected);
        }
        for text in ["", "H", "174", "H17", "H0174", "H12345", "H+12", "H1 4", "V174", "H١٧٤", "HH174"] {
            assert_eq!(text.parse::<Code>(), Err(NotACode), "{text}");
        }
    }

    #[test]
    fn a_code_is_a_string_in_json() {
        let code: Code = serde_json::from_str(r#""h467""#).unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), r#""H467""#);
        // An escaped string cannot be borrowed from the input, and a number is no code.
        assert_eq!(serde_json::from_str::<Code>(r#""\u0048467""#).unwrap(), code);
        assert!(serde_json::from_str::<Code>("467").is_err());
    }

    #[test]
    fn a_hold_is_stored_by_name() {
        assert_eq!(serde_json::to_string(&Hold::Authority).unwrap(), r#""authority""#);
        assert_eq!(serde_json::from_str::<Hold>(r#""quota""#).unwrap(), Hold::Quota);
    }

    proptest! {
        #[test]
        fn every_code_survives_writing_and_reading(number in 0_u16..10_000) {
            let code = Code(Name::Iys(number));
            prop_assert_eq!(code.to_string().parse::<Code>(), Ok(code));
        }

        #[test]
        fn no_text_and_no_status_is_without_a_meaning(text in any::<String>(), http in any::<u16>()) {
            let _ = disposition(Some(&text), http);
            let _ = token_disposition(Some(&text), http);
        }
    }
}
