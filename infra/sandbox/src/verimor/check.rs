//! Verimor's own check of a record, and the record in İYS's words. Words that it does not know are left to İYS.

use jiff::SignedDuration;
use jiff::civil::{DateTime, datetime};
use serde_json::{Map, Value, json};

use super::config::Switches;
use crate::iys::Switches as IysSwitches;
use crate::iys::address;
use crate::iys::model::{RecipientType, read_date};

const EPOCH: DateTime = datetime(2015, 5, 1, 0, 0, 0, 0);
/// Older consents are refused.
const AGE_MAXIMUM: SignedDuration = SignedDuration::from_hours(72);

/// A record in İYS's words, or Verimor's code for what is wrong with it; `now` is Turkish time.
pub(crate) fn check(item: &Value, now: DateTime, switches: &Switches) -> Result<Map<String, Value>, &'static str> {
    let item = item.as_object().ok_or("MISSING_CONSENT")?;
    let text = |field: &str| item.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut record = Map::new();
    for field in ["type", "status"] {
        record.insert(field.to_owned(), json!(text(field).ok_or("MISSING_CONSENT")?));
    }
    let recipient_type = text("recipient_type").filter(|word| RecipientType::parse(word).is_some()).ok_or("INVALID_IYS_RECIPIENT_TYPE")?;
    record.insert("recipientType".to_owned(), json!(recipient_type));
    let merchant = recipient_type == RecipientType::Tacir.name();
    match text("source") {
        Some(source) => {
            record.insert("source".to_owned(), json!(source));
        }
        None if merchant => {}
        None => return Err("MISSING_CONSENT"),
    }
    match text("consent_date") {
        Some(date) => {
            let at = read_date(date).map_err(|_| "INVALID_CONSENT_DATE")?;
            if !is_in_time(at, text("source") == Some("HS_2015"), now) {
                return Err("INVALID_CONSENT_DATE");
            }
            record.insert("consentDate".to_owned(), json!(date));
        }
        None if merchant => {}
        None => return Err("MISSING_CONSENT_DATE"),
    }
    let recipient = text(if switches.docs_site_names { "phone" } else { "recipient" }).ok_or("INVALID_RECIPIENT")?;
    let recipient = at_iys(recipient, text("type") == Some("EPOSTA")).ok_or("INVALID_RECIPIENT")?;
    record.insert("recipient".to_owned(), json!(recipient));
    Ok(record)
}

fn is_in_time(at: DateTime, from_2015: bool, now: DateTime) -> bool {
    if from_2015 {
        return at == EPOCH;
    }
    let oldest = now.checked_sub(AGE_MAXIMUM).unwrap_or(EPOCH);
    at >= EPOCH && at <= now && at >= oldest
}

/// The address as İYS writes it. Numbers come without a plus.
fn at_iys(recipient: &str, by_email: bool) -> Option<String> {
    if by_email {
        return address::is_email(recipient, &IysSwitches::default()).then(|| recipient.to_owned());
    }
    let digits = recipient.bytes().all(|byte| byte.is_ascii_digit());
    let turkish = recipient.len() == 12;
    let fits = digits && (8..=14).contains(&recipient.len()) && (turkish || !recipient.starts_with("90"));
    fits.then(|| format!("+{recipient}"))
}

/// An address of İYS as Verimor writes it.
pub(crate) fn at_verimor(recipient: &str) -> &str {
    recipient.strip_prefix('+').unwrap_or(recipient)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime = datetime(2026, 11, 23, 12, 0, 0, 0);

    fn checked(changes: Value) -> Result<Map<String, Value>, &'static str> {
        let mut item = json!({
            "type": "MESAJ", "source": "HS_WEB", "status": "ONAY", "recipient_type": "BIREYSEL",
            "consent_date": "2026-11-20 12:00:00", "recipient": "905992000001",
        });
        if let (Some(item), Value::Object(changes)) = (item.as_object_mut(), changes) {
            item.extend(changes);
        }
        check(&item, NOW, &Switches::default())
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(checked(json!({})).map(|record| record["recipient"].clone()), Ok(json!("+905992000001")), "exactly three days old");
        for (change, code) in [
            (json!({ "consent_date": "2026-11-20 11:59:59" }), "INVALID_CONSENT_DATE"),
            (json!({ "consent_date": "2026-11-23 12:00:01" }), "INVALID_CONSENT_DATE"),
            (json!({ "consent_date": "2026-11-23T09:00:00Z" }), "INVALID_CONSENT_DATE"),
            (json!({ "source": "HS_2015" }), "INVALID_CONSENT_DATE"),
            (json!({ "consent_date": null }), "MISSING_CONSENT_DATE"),
            (json!({ "recipient": "+905992000001" }), "INVALID_RECIPIENT"),
            (json!({ "recipient": "90599200000" }), "INVALID_RECIPIENT"),
            (json!({ "type": "EPOSTA" }), "INVALID_RECIPIENT"),
            (json!({ "recipient_type": "TUZEL" }), "INVALID_IYS_RECIPIENT_TYPE"),
            (json!({ "status": null }), "MISSING_CONSENT"),
        ] {
            assert_eq!(checked(change.clone()), Err(code), "{change}");
        }
        assert!(checked(json!({ "source": "HS_2015", "consent_date": "2015-05-01 00:00:00" })).is_ok());
        assert!(checked(json!({ "recipient_type": "TACIR", "source": null, "consent_date": null })).is_ok());
        assert!(checked(json!({ "type": "SMS" })).is_ok(), "İYS is asked");
    }
}
