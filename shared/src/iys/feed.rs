//! Movements as İYS tells them: lines of pull and history, what a status query finds, push notices.

use super::answer::decode;
use super::tolerant::{Items, Text};
use super::wire::{Notice, Row};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, Source, Status};
use crate::registry::{Change, Holding, Page};

/// The record that İYS posts when a push connection is registered; it is the same for everybody and
/// about nobody (İYS documentation, push service).
const TEST_CODE: u64 = 121_212;
const TEST_RECIPIENT: &str = "pushtest@iys.org.tr";

/// One movement of a push notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLine {
    /// The service provider's number, where it is one.
    pub iys_code: Option<u64>,
    /// The brand's number, where it is one.
    pub brand_code: Option<u64>,
    /// Whether it is İYS's fixed test record, which is about nobody.
    pub is_test: bool,
    /// The movement, or the field that could not be read.
    pub change: Result<Change, &'static str>,
}

/// A push notice whose form is unknown. It names the place, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the push notice could not be read: {0}")]
pub struct NoticeError(String);

/// Reads the body of a push notice, `{"list":[…]}`; the list alone is one, too.
///
/// # Errors
///
/// When it is not JSON of that form: a notice of another form is none without lines, which would be answered as
/// taken. A line that cannot be read costs that line only.
pub fn read_notice(body: &[u8]) -> Result<Vec<PushLine>, NoticeError> {
    let rows: Items<Row> = match body.trim_ascii_start().first() {
        Some(b'[') => decode(body),
        Some(b'{') => decode::<Notice>(body).map(|notice| notice.list),
        _ => Err("at $: neither an object nor an array".to_owned()),
    }
    .map_err(NoticeError)?;
    Ok(rows.0.iter().map(|row| row.as_ref().map_or_else(PushLine::unreadable, PushLine::of)).collect())
}

impl PushLine {
    fn of(row: &Row) -> Self {
        let iys_code = row.iys_code.number();
        let brand_code = row.brand_code.number();
        let test_recipient = row.recipient.get().is_some_and(|recipient| recipient.eq_ignore_ascii_case(TEST_RECIPIENT));
        let is_test = test_recipient && brand_code == Some(TEST_CODE);
        Self { iys_code, brand_code, is_test, change: change(row) }
    }

    fn unreadable() -> Self {
        Self { iys_code: None, brand_code: None, is_test: false, change: Err("row") }
    }
}

/// A list of lines as a page without a cursor. A line that cannot be read costs itself only.
pub(super) fn page(rows: &Items<Row>) -> Page {
    let mut page = Page::default();
    for (at, row) in rows.0.iter().enumerate() {
        match row.as_ref().map_or(Err("row"), change) {
            Ok(change) => page.changes.push(change),
            Err(field) => page.unreadable.push(format!("list[{at}].{field}")),
        }
    }
    page
}

/// A line as a movement, or the field that cannot be read.
pub(super) fn change(row: &Row) -> Result<Change, &'static str> {
    let channel: Channel = word(&row.channel).ok_or("type")?;
    // The field is documented as optional with this default where consents are added.
    let recipient_type = match row.recipient_type.read() {
        Ok(None) => RecipientType::Bireysel,
        _ => word(&row.recipient_type).ok_or("recipientType")?,
    };
    let recipient = row.recipient.get().ok_or("recipient")?;
    let recipient = Recipient::parse(recipient, channel).map_err(|_| "recipient")?;
    let holding = holding(row)?.ok_or("status")?;
    // Of a consent under a number that is nobody's, only one that the brand can register anew is of use.
    if holding.misspelt && holding.status == Status::Onay && !holding.source.is_sendable() {
        return Err("recipient");
    }
    Ok(Change { recipient, recipient_type, channel, holding })
}

/// What a line says about its key, without the key. `None` when it names no status.
///
/// Lines without a consent date exist for merchants whose first record had none; they take the date
/// on which İYS recorded them. A source that is unknown, or withdrawn since, is kept as unstated: a
/// refusal counts whatever medium it names.
pub(super) fn holding(row: &Row) -> Result<Option<Holding>, &'static str> {
    let status: Status = match row.status.read() {
        Ok(None) => return Ok(None),
        _ => word(&row.status).ok_or("status")?,
    };
    let creation_date = date(&row.creation_date).map_err(|()| "creationDate")?;
    let consent_date = date(&row.consent_date).map_err(|()| "consentDate")?;
    Ok(Some(Holding {
        status,
        source: word(&row.source).unwrap_or(Source::Unstated),
        consent_date: consent_date.or(creation_date),
        creation_date,
        transaction_id: row.transaction_id.get().map(str::to_owned),
        misspelt: row.recipient.get().is_some_and(Recipient::is_misspelt),
    }))
}

fn word<W: std::str::FromStr>(text: &Text) -> Option<W> {
    text.get().and_then(|text| text.parse().ok())
}

fn date(text: &Text) -> Result<Option<ConsentDate>, ()> {
    text.read()?.map(|text| text.parse().map_err(|_| ())).transpose()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn line(json: &str) -> PushLine {
        read_notice(format!("{{\"list\":[{json}]}}").as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn the_record_of_the_registration_test_is_recognised() {
        let test = line(
            r#"{"iysCode":121212,"brandCode":"121212","consentDate":"2015-05-01 15:00:00","creationDate":"2015-05-01 15:00:00",
            "source":"IYS_MOBIL","recipient":"pushtest@iys.org.tr","recipientType":"BIREYSEL","status":"ONAY","type":"EPOSTA",
            "transactionId":"e52ee30512adfcd2a41fb3b4682f5bd61eee5b1c92bda665fc0b7e56644d429d"}"#,
        );
        assert!(test.is_test);
        assert!(!line(r#"{"brandCode":700001,"recipient":"pushtest@iys.org.tr"}"#).is_test);
    }

    #[test]
    fn a_notice_of_another_form_is_refused_and_not_taken_for_one_without_lines() {
        let line = r#"{"type":"EPOSTA","recipient":"a@example.com","status":"RET"}"#;
        for body in [format!("[{line},{line}]"), format!(" {{\"list\":[{line},{line}]}}"), format!("{{\"more\":1,\"list\":[{line},7]}}")] {
            assert_eq!(read_notice(body.as_bytes()).unwrap().len(), 2, "{body}");
        }
        for body in ["", "null", "7", "\"list\"", "{}", line, "{\"list\":[", "[", "[{]"] {
            assert!(read_notice(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(read_notice(b"{\"list\":[]}").unwrap(), []);
    }

    #[test]
    fn a_merchant_without_a_date_takes_the_date_of_recording() {
        let change = line(
            r#"{"type":"ARAMA","recipientType":"TACIR","recipient":"+902121230000","status":"ONAY","consentDate":"",
            "creationDate":"2026-03-02 10:00:02","source":"IYS_AHS_HAT_KAPATMA"}"#,
        )
        .change
        .unwrap();
        assert_eq!(change.holding.consent_date, change.holding.creation_date);
        assert_eq!(change.holding.consent_date.unwrap().to_string(), "2026-03-02 10:00:02");
        assert_eq!(change.holding.source.as_str(), "IYS_AHS_HAT_KAPATMA");
    }

    #[test]
    fn an_unknown_or_missing_source_loses_no_refusal() {
        for (source, kept) in
            [(r#""IYS_YENI_BIR_KANAL""#, "IYS_YENI_BIR_KANAL"), (r#""HS_TACIR""#, "-"), ("null", "-"), ("[1]", "-"), (r#""""#, "-")]
        {
            let change = line(&format!(
                r#"{{"type":"MESAJ","recipientType":"BIREYSEL","recipient":"+905992000001","status":"RET",
                "consentDate":"2026-03-02 10:00:02","source":{source},"citizenName":"x","new":{{"a":1}}}}"#
            ))
            .change
            .unwrap();
            assert_eq!(change.holding.source.as_str(), kept);
            assert_eq!(change.holding.status, Status::Ret);
        }
    }

    #[test]
    fn a_number_with_an_extra_zero_is_marked_and_a_consent_under_it_is_read_only_where_it_can_be_registered() {
        let told = |recipient: &str, status: &str, source: &str| {
            line(&format!(
                r#"{{"type":"MESAJ","recipientType":"BIREYSEL","recipient":"{recipient}","status":"{status}","source":"{source}",
                "consentDate":"2026-03-02 10:00:02"}}"#
            ))
            .change
            .map(|change| (change.recipient.expose().to_owned(), change.holding.misspelt))
        };
        let (wrong, right) = ("+9005992000001", "+905992000001");
        for (status, source) in [("RET", "HS_WEB"), ("RET", "IYS_WEB"), ("RET", ""), ("ONAY", "HS_WEB")] {
            assert_eq!(told(wrong, status, source), Ok((right.to_owned(), true)), "{status} {source}");
        }
        for source in ["IYS_WEB", "", "HS_TACIR"] {
            assert_eq!(told(wrong, "ONAY", source), Err("recipient"), "{source}");
            assert_eq!(told(right, "ONAY", source), Ok((right.to_owned(), false)), "{source}");
        }
    }

    #[test]
    fn a_citizens_name_and_what_is_told_of_dealers_are_passed_over() {
        let told = line(
            r#"{"type":"EPOSTA","recipientType":"BIREYSEL","recipient":"a@example.com","status":"ONAY","source":"IYS_WEB_YENI",
            "consentDate":"2026-03-02 10:00:02","citizenName":"AYSE YILMAZ","retailerCode":58954386,"retailerTitle":"ABC TICARET",
            "retailerAccess":[58954386],"retailerAccessCount":"3"}"#,
        );
        let shown = format!("{told:?}");
        assert!(told.change.is_ok());
        assert!(!shown.contains("YILMAZ") && !shown.contains("TICARET"), "{shown}");
    }

    #[test]
    fn a_line_that_cannot_be_read_names_its_field_and_costs_itself_only() {
        let body = br#"{"list":[7,{"type":"FAX"},{"type":"MESAJ","recipientType":[]},{"type":"MESAJ","recipient":"x"},
            {"type":"MESAJ","recipient":"+905992000001","status":"RED"},
            {"type":"MESAJ","recipient":"+905992000001","status":"RET","consentDate":"02.03.2026"},
            {"type":"MESAJ","recipient":"+905992000001","status":"RET"}]}"#;
        let lines = read_notice(body).unwrap();
        let wrong: Vec<_> = lines.iter().map(|line| line.change.as_ref().err().copied()).collect();
        assert_eq!(wrong, [Some("row"), Some("type"), Some("recipientType"), Some("recipient"), Some("status"), Some("consentDate"), None]);
    }
}
