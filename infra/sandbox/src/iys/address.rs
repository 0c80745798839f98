//! What İYS takes for an e-mail address or a phone number (İYS API documentation, “Tanımlar”).

use super::model::ConsentType;
use super::switches::{EmailForm, Switches};

/// Length of an e-mail address in characters.
const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=265;
/// Length of a phone number in characters, the `+` included (U30).
const PHONE_MAXIMUM: usize = 15;
/// Digits of a Turkish number after `+90`.
const TURKISH_DIGITS: usize = 10;

/// Whether `text` is an e-mail address (U14). By İYS's prose rules: ASCII letters, digits, dots, hyphens
/// and underscores, `+` before the `@` only, at least one character `@` two `.` two.
pub(crate) fn is_email(text: &str, switches: &Switches) -> bool {
    if !EMAIL_LENGTH.contains(&text.chars().count()) {
        return false;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let Some((name, ending)) = domain.rsplit_once('.') else {
        return false;
    };
    let relaxed = !local.is_empty()
        && local.bytes().all(|byte| plain(byte) || byte == b'+')
        && name.len() >= 2
        && name.bytes().all(plain)
        && ending.len() >= 2
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    relaxed && (switches.email_form == EmailForm::Relaxed || is_strict(local, domain))
}

fn is_strict(local: &str, domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    local.split('.').all(|part| !part.is_empty()) && domain.split('.').all(label)
}

/// The codes for what is wrong with a phone number: H121, H160, both or none.
pub(crate) fn phone_problems(text: &str, channel: ConsentType, switches: &Switches) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if !is_phone(text, channel, switches) {
        codes.push("H121");
    }
    if is_too_long(text, switches) {
        codes.push("H160");
    }
    codes
}

/// Whether a number exceeds the maximum length.
pub(crate) fn is_too_long(text: &str, switches: &Switches) -> bool {
    let uncounted = usize::from(switches.phone_length_without_plus);
    text.starts_with('+') && text.chars().count() - uncounted > PHONE_MAXIMUM
}

/// Whether `text` has the form of an E.164 number; for Türkiye ten digits after `+90`, or eleven
/// that begin with `05` (which İYS stores, see [`has_extra_zero`]). Whether it is in use is not checked (U13).
pub(crate) fn is_phone(text: &str, channel: ConsentType, switches: &Switches) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || is_too_long(text, switches) {
        return false;
    }
    match digits.strip_prefix("90") {
        Some(national) => {
            let mobile = national.starts_with('5') || has_extra_zero(text);
            let fits = (national.len() == TURKISH_DIGITS && !national.starts_with('0')) || has_extra_zero(text);
            fits && (mobile || switches.landline_sms || channel != ConsentType::Mesaj)
        }
        None => switches.foreign_numbers && digits.len() >= 7 && !digits.starts_with('0'),
    }
}

/// `+9005…`: stored by İYS, but found neither by the recipient nor by operators (İYS, 2025-03-19).
pub(crate) fn has_extra_zero(text: &str) -> bool {
    text.strip_prefix("+900").is_some_and(|rest| rest.len() == TURKISH_DIGITS && rest.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> bool {
        is_email(text, &Switches::default())
    }

    fn phone(text: &str) -> Vec<&'static str> {
        phone_problems(text, ConsentType::Mesaj, &Switches::default())
    }

    #[test]
    fn e_mail_addresses_follow_the_prose_rules() {
        for good in ["a@bc.de", "a.b+c@example.com", "_-..x@ex-am_ple.co", "A@EXAMPLE.COM"] {
            assert!(email(good), "{good}");
        }
        for bad in [
            "a@b.de",
            "@example.com",
            "a b@example.com",
            "a@exa+mple.com",
            "ayşe@example.com",
            "a@example.c",
            "a@b@c.de",
            "a'b@example.com",
            "example.com",
            "a@.de",
        ] {
            assert!(!email(bad), "{bad}");
        }
        assert!(email(&format!("{}@example.com", "a".repeat(253))), "265 characters");
        assert!(!email(&format!("{}@example.com", "a".repeat(254))), "266 characters");
    }

    #[test]
    fn the_numbers_of_the_documentation_are_taken() {
        for good in ["+905992000001", "+905992000000", "+905813334455", "+902121230000", "+491711234567"] {
            assert!(phone(good).is_empty(), "{good}");
        }
    }

    #[test]
    fn numbers_without_plus_or_of_wrong_length_are_refused() {
        for bad in ["905992000001", "05992000001", "+90599200000", "+9059920000011", "+90 5992000001", "+0123456789", "", "+"] {
            assert_eq!(phone(bad), ["H121"], "{bad}");
        }
        assert_eq!(phone("+491711234567890"), ["H121", "H160"]);
    }

    #[test]
    fn the_extra_zero_is_taken_but_known() {
        assert!(phone("+9005992000001").is_empty());
        assert!(has_extra_zero("+9005992000001"));
        assert!(!has_extra_zero("+905992000001"));
        assert_eq!(phone("+9002121230000"), ["H121"]);
    }

    #[test]
    fn what_is_taken_can_be_narrowed() {
        let narrow = Switches { foreign_numbers: false, landline_sms: false, email_form: EmailForm::Strict, ..Switches::default() };
        let phone = |text: &str, channel| phone_problems(text, channel, &narrow);
        assert_eq!(phone("+491711234567", ConsentType::Arama), ["H121"]);
        assert_eq!(phone("+902121230000", ConsentType::Mesaj), ["H121"]);
        assert!(phone("+902121230000", ConsentType::Arama).is_empty());
        assert!(phone("+905992000001", ConsentType::Mesaj).is_empty());
        for (text, taken) in [("a.b+c@example.com", true), (".a@example.com", false), ("a..b@example.com", false), ("a@ex_am.com", false)] {
            assert_eq!(is_email(text, &narrow), taken, "{text}");
        }
    }

    #[test]
    fn the_plus_may_be_counted_or_not() {
        let without = Switches { phone_length_without_plus: true, ..Switches::default() };
        assert_eq!(phone("+491711234567890"), ["H121", "H160"], "sixteen characters");
        assert!(phone_problems("+491711234567890", ConsentType::Mesaj, &without).is_empty(), "fifteen digits");
    }
}
