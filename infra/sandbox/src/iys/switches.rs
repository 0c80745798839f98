//! One switch per point that İYS's documentation leaves open or contradicts itself on. The numbers in
//! brackets are those of the table in `README.md`.

use serde::{Deserialize, Serialize};

use super::rules::DayCount;

/// The open points; the default of each is the reading that İYS's documents support best.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// U1: the answer to wrong credentials.
    pub bad_credentials: BadCredentials,
    /// U2: the shape of the token endpoint's 429.
    pub token_limit_body: TokenLimitBody,
    /// U4: seconds to send as `Retry-After` with a 429; absent: no such header.
    pub retry_after_seconds: Option<u64>,
    /// Whether a refresh token can be used more than once.
    pub refresh_token_reusable: bool,
    /// U6: whether an ONAY with a newer date is taken where an ONAY stands (otherwise H174).
    pub onay_on_onay: bool,
    /// U7: `subrequestId` instead of `subRequestId` in bulk results.
    pub lowercase_subrequest: bool,
    /// U8: the code for `HS_KARAR` on an address without a record.
    pub first_karar: FirstKarar,
    /// U9: milliseconds instead of seconds in the pull cursor.
    pub cursor_in_milliseconds: bool,
    /// U10: HTTP status of H467 in a single add.
    pub late_status: u16,
    /// U11: how three business days are counted.
    pub day_count: DayCount,
    /// U12: whether H467 applies to RET.
    pub late_applies_to_ret: bool,
    /// U12: whether `HS_2015` is exempt from H467.
    pub late_exempts_2015: bool,
    /// U13: whether numbers of other countries are taken (otherwise H121).
    pub foreign_numbers: bool,
    /// U13: whether Turkish numbers that are not mobile are taken for MESAJ (otherwise H121).
    pub landline_sms: bool,
    /// U14: which e-mail addresses are taken.
    pub email_form: EmailForm,
    /// U15: HTTP status of an accepted bulk list.
    pub bulk_status: u16,
    /// U16: what an invalid item does to its bulk list.
    pub bad_item: BadItem,
    /// U17: whether `index` in bulk results begins at 1.
    pub index_from_one: bool,
    /// What the result query shows while a list is being processed.
    pub unfinished: Unfinished,
    /// U18: the single status query's answer for an address without a record.
    pub no_record: NoRecord,
    /// U19: what pull answers to a cursor older than its window.
    pub stale_cursor: StaleCursor,
    /// U19: whether pull begins with the cursor's own movement instead of behind it.
    pub cursor_inclusive: bool,
    /// U19: whether pull takes a `limit` of zero or less for the default instead of refusing it (H507).
    pub zero_limit_is_default: bool,
    /// U20: whether movements that share a transaction are one row of the day file.
    pub one_row_per_transaction: bool,
    /// U21: whether every push is made twice.
    pub push_twice: bool,
    /// U21: whether the records of one push stand newest first.
    pub push_newest_first: bool,
    /// U22: the digest of the day file.
    pub hash_method: HashMethod,
    /// U22: whether the digest leaves the day file's header out.
    pub hash_without_header: bool,
    /// U22: whether the day file begins with the names of its columns.
    pub day_file_header: bool,
    /// U22: whether the lines of the day file end with `\r\n`.
    pub day_file_crlf: bool,
    /// U23: whether a channel that a partner may only read is left out of its list of brands.
    pub read_authority_hidden: bool,
    /// How `iysCode` and `brandCode` are written in a partner's lists of brands.
    pub partner_codes: PartnerCodes,
    /// U30: whether the `+` is not counted in the 15 characters of a phone number.
    pub phone_length_without_plus: bool,
    /// U31: which of stateless and stateful rules a single add is told of.
    pub check_order: CheckOrder,
    /// U32: whether a merchant's first record may be RET (otherwise H175).
    pub first_tacir_ret: bool,
    /// U33: the code for a channel or function that the API user has no authority for.
    pub channel_refusal: ChannelRefusal,
    /// Whether H245 and H268 come under 500, as in İYS's samples, instead of their own status.
    pub integrator_errors_as_500: bool,
    /// How the number of a subscription is spelt.
    pub subscription_id: SubscriptionId,
    /// Whether the `/v2` paths are refused, as by an İYS that does not have them (yet, or any more).
    pub v2_refused: V2Refused,
    /// Whether TCKN and VKN must have the right check digits.
    pub retailer_check_digits: bool,
    /// Whether the 202 of the retailer access methods has no body instead of `1`.
    pub accepted_without_body: bool,
    /// `cityCode` instead of `city_code` in towns.
    pub town_city_code_in_camel_case: bool,
    /// `isAddConsentV2Service` as the text "true", as in İYS's sample.
    pub v2_flag_as_text: bool,
    /// The misspelt key `code:` in 403 answers, as in İYS's samples.
    pub misspelt_code_key: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bad_credentials: BadCredentials::default(),
            token_limit_body: TokenLimitBody::default(),
            retry_after_seconds: None,
            refresh_token_reusable: false,
            onay_on_onay: true,
            lowercase_subrequest: false,
            first_karar: FirstKarar::default(),
            cursor_in_milliseconds: false,
            late_status: 422,
            day_count: DayCount::default(),
            late_applies_to_ret: true,
            late_exempts_2015: false,
            foreign_numbers: true,
            landline_sms: true,
            email_form: EmailForm::default(),
            bulk_status: 202,
            bad_item: BadItem::default(),
            index_from_one: false,
            unfinished: Unfinished::default(),
            no_record: NoRecord::default(),
            stale_cursor: StaleCursor::default(),
            cursor_inclusive: false,
            zero_limit_is_default: false,
            one_row_per_transaction: false,
            push_twice: false,
            push_newest_first: false,
            hash_method: HashMethod::default(),
            hash_without_header: false,
            day_file_header: true,
            day_file_crlf: false,
            read_authority_hidden: false,
            partner_codes: PartnerCodes::default(),
            phone_length_without_plus: false,
            check_order: CheckOrder::default(),
            first_tacir_ret: false,
            channel_refusal: ChannelRefusal::default(),
            integrator_errors_as_500: false,
            subscription_id: SubscriptionId::default(),
            v2_refused: V2Refused::default(),
            retailer_check_digits: true,
            accepted_without_body: false,
            town_city_code_in_camel_case: false,
            v2_flag_as_text: false,
            misspelt_code_key: false,
        }
    }
}

/// U1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadCredentials {
    /// 400 with `{"error": "invalid_request"}`.
    #[default]
    InvalidRequest,
    /// 401 with `H251`.
    Unauthorised,
}

/// U2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimitBody {
    /// `{"errors": [{"code", "message"}]}`.
    #[default]
    Errors,
    /// `{"code", "message"}`.
    TopLevel,
}

/// U8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FirstKarar {
    /// H175, as for any first RET.
    #[default]
    H175,
    /// H486.
    H486,
}

/// What the result query shows before a list is processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfinished {
    /// An empty array.
    #[default]
    Empty,
    /// One row per item with status `enqueue`.
    Enqueue,
}

/// U18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRecord {
    /// 404 with `errors`.
    #[default]
    NotFound,
    /// 200 with `{}`.
    EmptyObject,
    /// 204.
    NoContent,
}

/// U33.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelRefusal {
    /// 404.
    #[default]
    H355,
    /// 403.
    H353,
}

/// U14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailForm {
    /// The prose rules of 2020: dots, hyphens and underscores may repeat and come first.
    #[default]
    Relaxed,
    /// As before them: dots neither first, last nor in a row; domain labels of letters, digits and inner hyphens.
    Strict,
}

/// U16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadItem {
    /// The whole list is refused at once, and nothing of it is stored.
    #[default]
    WholeList,
    /// The list is taken, and the item ends as a `failure` row.
    Row,
}

/// U19.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleCursor {
    /// The page begins at the start of the window.
    #[default]
    WindowStart,
    /// 204.
    NoContent,
}

/// U22.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HashMethod {
    /// 96 hex characters.
    #[default]
    #[serde(rename = "SHA-384")]
    Sha384,
    /// 64 hex characters.
    #[serde(rename = "SHA-256")]
    Sha256,
}

/// U31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOrder {
    /// Stateful rules are asked only about a consent that passes the stateless ones.
    #[default]
    StatelessFirst,
    /// Stateful rules are asked first about every consent that can be read.
    StatefulFirst,
    /// All problems of both kinds come together, under 400 if one of them is stateful.
    Together,
}

/// Codes in a partner's lists of brands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerCodes {
    /// As in İYS's samples: texts in the list of all providers, numbers in the list of one.
    #[default]
    AsSampled,
    /// Numbers, as in the schema.
    Numbers,
    /// Texts.
    Texts,
}

/// Spellings of `subscriptionId` in İYS's samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionId {
    /// As in the schema.
    #[default]
    #[serde(rename = "subscriptionId")]
    Schema,
    /// One misspelling.
    #[serde(rename = "subscipritionId")]
    Misspelt,
    /// Another.
    #[serde(rename = "subsciprtionId")]
    OtherwiseMisspelt,
}

/// Whether and how the `/v2` paths are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum V2Refused {
    /// They are served.
    #[default]
    None,
    /// 404 without a code, as for any unknown path.
    NotFound,
    /// 400 with H363.
    H363,
}
